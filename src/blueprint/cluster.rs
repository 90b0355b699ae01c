//! `[cluster]`: where services run.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::declaration::Declaration;
use super::sheet::Sheet;
use crate::address::Path;

/// The ECS cluster, with Fargate and Fargate Spot.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Cluster {
    /// Whether Container Insights collects metrics; left out, the account's setting holds.
    pub insights: Option<bool>,
}

/// The cluster, as what runs in it refers to it.
pub(super) const CLUSTER: &str = "${cluster.main.arn}";

/// Its name, by which metrics know it.
pub(super) const NAME: &str = "${cluster.main.name}";

impl Cluster {
    /// The cluster, with Fargate and Fargate Spot.
    pub(super) fn expand(&self, sheet: &mut Sheet) {
        let section = Path::of(["cluster"]);
        let word = |on| if on { "enabled" } else { "disabled" };
        let usual = json!({ "capacity-provider": "FARGATE", "weight": 1 });
        let cluster = Declaration::new("cluster", "main", &section)
            .maybe("insights", self.insights.map(word), section.join("insights"))
            .with("capacity-providers", json!(["FARGATE", "FARGATE_SPOT"]))
            .with("default-capacity-provider-strategy", json!([usual]));
        sheet.add(cluster);
    }
}
