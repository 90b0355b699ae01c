//! `[cluster]`: where services run.

use schemars::JsonSchema;
use serde::Deserialize;

/// The ECS cluster, with Fargate and Fargate Spot.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Cluster {
    /// Whether Container Insights collects metrics; left out, the account's setting holds.
    pub insights: Option<bool>,
}
