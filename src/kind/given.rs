//! What somebody else makes or has made, and a stack only looks at: a network that exists already, an image.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// A network that exists already, as the spec tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Given {
    /// The VPC.
    pub vpc: Which<String>,
    /// Its subnets, by the key of the spec that names them: `public`, `private`.
    pub subnets: BTreeMap<String, Which<BTreeSet<String>>>,
    /// In how many zones the load balancers have to stand that stand in the subnets of a key.
    pub balanced: BTreeMap<String, usize>,
}

/// Which one is meant, or which ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Which<I> {
    /// By id.
    Named(I),
    /// By tags, all of which it carries. Who that is, AWS knows.
    Tagged(BTreeMap<String, String>),
}

/// Where a subnet is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The id of its VPC.
    pub vpc: String,
    /// Its availability zone's name.
    pub zone: String,
}

/// What there is of a network that exists already.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The id of the VPC, or those of all that carry its tags.
    pub vpcs: BTreeSet<String>,
    /// The subnets by key and id. Those that are named and not there are left out; and so are all that are
    /// meant by tags, unless it is clear in which VPC.
    pub subnets: BTreeMap<String, BTreeMap<String, Site>>,
}

/// The fact that stands for the VPC until AWS is asked who carries its tags.
pub const VPC_FACT: &str = "vpc";
/// What the facts begin with that stand for all the subnets with some tags.
const SUBNETS_FACT: &str = "subnets-";

/// The fact that stands for all the subnets of a key.
pub fn subnets_fact(key: &str) -> String {
    format!("{SUBNETS_FACT}{key}")
}

/// Whether a fact of the surroundings stands for what tags mean.
pub fn is_sought(fact: &str) -> bool {
    fact == VPC_FACT || fact.starts_with(SUBNETS_FACT)
}

/// Whether a text in a list of subnets stands for nobody knows how many.
pub fn are_several(text: &str) -> bool {
    text.strip_prefix("${aws.").is_some_and(|fact| fact.starts_with(SUBNETS_FACT))
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
