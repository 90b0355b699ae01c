//! What a stack stands in that somebody else made: named by the spec, looked up and never changed.

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
