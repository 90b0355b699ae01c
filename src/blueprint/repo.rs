//! `[repo.x]`: an ECR repository.

use schemars::JsonSchema;
use serde::Deserialize;

/// An ECR repository for the stack's own images.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Repo {
    /// How many images are kept; 30 when left out.
    #[schemars(range(min = 1))]
    pub keep: Option<u32>,
    /// Whether a tag can be pushed only once; true when left out.
    pub immutable: Option<bool>,
    /// Whether images are scanned when they are pushed; true when left out.
    pub scan: Option<bool>,
}
