//! What somebody else makes or has made, and a stack only looks at: a network that exists already, an image.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// A network that exists already, as the spec tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Given {
    /// The VPC's id.
    pub vpc: String,
    /// The ids of its subnets, by the key of the spec that names them: `public`, `private`.
    pub subnets: BTreeMap<String, BTreeSet<String>>,
    /// Those of the keys in whose subnets load balancers stand.
    pub balanced: BTreeSet<String>,
}

/// Where a subnet is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The id of its VPC.
    pub vpc: String,
    /// Its availability zone's name.
    pub zone: String,
}

/// What is wrong with something that somebody else makes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Unfit {
    /// What is wrong with it.
    pub flaw: Flaw,
    /// The same in words, as the title of a diagnostic.
    pub why: String,
    /// What to do about it.
    pub hint: String,
}

/// What can be wrong with something that somebody else makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flaw {
    /// It is not where it has to be.
    Missing,
    /// It is there, and cannot be used for what it is meant for.
    Unusable,
    /// The caller may not look.
    Hidden,
}
