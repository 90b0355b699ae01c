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
    /// Whether Container Insights collects metrics, or `"enhanced"` ones; left out, the account's setting holds.
    pub insights: Option<Insights>,
}

/// What Container Insights collects. Stands for `true`, `false` or `"enhanced"`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("x-shorthand" = "insights"))]
pub struct Insights {
    /// Whether it collects anything.
    pub enabled: Option<bool>,
    /// Whether it looks into each task and container, too.
    pub enhanced: Option<bool>,
}

impl Insights {
    /// ECS's word.
    fn word(self) -> &'static str {
        match (self.enabled, self.enhanced) {
            (Some(false), _) => "disabled",
            (_, Some(true)) => "enhanced",
            (None | Some(true), _) => "enabled",
        }
    }
}

/// The cluster, as what runs in it refers to it.
pub(super) const CLUSTER: &str = "${cluster.main.arn}";

/// Its name, by which metrics know it.
pub(super) const NAME: &str = "${cluster.main.name}";

impl Cluster {
    /// Whether somebody counts the tasks of services.
    pub(super) fn counts_tasks(&self) -> bool {
        self.insights.is_some_and(|insights| insights.word() != "disabled")
    }

    /// The cluster, with Fargate and Fargate Spot.
    pub(super) fn expand(&self, sheet: &mut Sheet) {
        let section = Path::of(["cluster"]);
        let usual = json!({ "capacity-provider": "FARGATE", "weight": 1 });
        let cluster = Declaration::new("cluster", "main", &section)
            .maybe("insights", self.insights.map(Insights::word), section.join("insights"))
            .with("capacity-providers", json!(["FARGATE", "FARGATE_SPOT"]))
            .with("default-capacity-provider-strategy", json!([usual]));
        sheet.add(cluster);
    }
}
