//! What others may refer to, where kinds have no more to tell than their like.

use schemars::JsonSchema;
use serde::Serialize;

/// The outputs of what EC2 knows by an id.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Id {
    /// Its id.
    pub id: String,
}

impl Id {
    /// Those of `id`.
    pub fn of(id: &str) -> Self {
        Self { id: id.to_owned() }
    }
}

/// The outputs of what is known by an ARN.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Arn {
    /// Its ARN.
    pub id: String,
    /// Its ARN.
    pub arn: String,
}

impl Arn {
    /// Those of `arn`.
    pub fn of(arn: &str) -> Self {
        Self { id: arn.to_owned(), arn: arn.to_owned() }
    }
}

/// The outputs of what is known by an ARN and has a name.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Named {
    /// Its ARN.
    pub id: String,
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
}

impl Named {
    /// Those of `arn`, whose last part is the name.
    pub fn of(arn: &str) -> Self {
        Self::new(arn, arn.rsplit('/').next().unwrap_or_default())
    }

    /// Those of `arn`, which does not end with the name.
    pub fn new(arn: &str, name: &str) -> Self {
        Self { id: arn.to_owned(), arn: arn.to_owned(), name: name.to_owned() }
    }
}
