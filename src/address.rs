//! The words everything else is said in: which resource, which of its outputs, which field.
//!
//! Knows nothing of kinds, AWS or TOML.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A resource of a stack: `service.web`. The kind is one of the registry's, the name is the user's
/// or the blueprint's, `[a-z0-9-]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// The kind's name, as in `[aws.<kind>.<name>]`.
    pub kind: String,
    /// The name within the kind.
    pub name: String,
}

impl Address {
    /// Puts a kind's and a resource's name together.
    pub fn new(kind: impl Into<String>, name: impl Into<String>) -> Self {
        Self { kind: kind.into(), name: name.into() }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.kind, self.name)
    }
}

/// Text that is not an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an address such as `service.web`")]
pub struct NotAnAddress(String);

impl FromStr for Address {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        match text.split_once('.') {
            Some((kind, name)) if !kind.is_empty() && !name.is_empty() && !name.contains('.') => {
                Ok(Self::new(kind, name))
            }
            _ => Err(NotAnAddress(text.to_owned())),
        }
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The kind under which facts of the surroundings are known: `${aws.region}`, `${aws.account}`,
/// `${aws.partition}`, `${aws.zone-1}`.
pub const SURROUNDINGS: &str = "aws";

/// One output of one resource: `${service.web.arn}`; or a fact of the surroundings: `${aws.region}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Output {
    /// Whose output it is. For a fact of the surroundings the address is `aws.<fact>`.
    pub of: Address,
    /// The output's name; empty for a fact of the surroundings.
    pub name: String,
}

impl Output {
    /// The output `name` of the resource `kind.resource`.
    pub fn new(of: Address, name: impl Into<String>) -> Self {
        Self { of, name: name.into() }
    }

    /// A fact of the surroundings, such as `region`.
    pub fn surroundings(fact: &str) -> Self {
        Self { of: Address::new(SURROUNDINGS, fact), name: String::new() }
    }

    /// Whether this is a fact of the surroundings and not an output of a resource.
    pub fn is_surroundings(&self) -> bool {
        self.of.kind == SURROUNDINGS
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.is_empty() {
            write!(f, "{}", self.of)
        } else {
            write!(f, "{}.{}", self.of, self.name)
        }
    }
}

/// The way to a field in a document: `service.web.health.interval`.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Path(pub Vec<String>);

impl Path {
    /// The path whose steps are `steps`.
    pub fn of<S: Into<String>>(steps: impl IntoIterator<Item = S>) -> Self {
        Self(steps.into_iter().map(Into::into).collect())
    }

    /// This path, one step further.
    #[must_use]
    pub fn join(&self, step: impl Into<String>) -> Self {
        let mut steps = self.0.clone();
        steps.push(step.into());
        Self(steps)
    }

    /// Whether it is `other`, or leads on from there.
    pub fn starts_with(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }

    /// The steps, to be matched.
    pub fn steps(&self) -> Vec<&str> {
        self.0.iter().map(String::as_str).collect()
    }

    /// The first step, which names a field of the resource itself.
    pub fn first(&self) -> Option<&str> {
        self.0.first().map(String::as_str)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("."))
    }
}
