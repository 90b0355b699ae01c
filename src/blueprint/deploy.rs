//! `deploy`: how a new version of a service takes over. What it stands for is in `rollout` and `shift`.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Deserialize;

use super::measure::Seconds;
use crate::kinds::types::Number;

/// How a new version takes over. Stands for text: `"rolling"`, `"blue-green"`, `"canary 10% 5m"`,
/// `"linear 20% 3m"`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("x-shorthand" = "deploy"))]
pub struct Deploy {
    /// The strategy.
    pub strategy: Option<Strategy>,
    /// Per cent of `count` that must stay healthy meanwhile; 100 when left out.
    #[schemars(range(max = 100))]
    pub min: Option<u32>,
    /// Per cent of `count` that may run meanwhile; 200 when left out.
    #[schemars(range(min = 100, max = 200))]
    pub max: Option<u32>,
    /// Whether the earlier version is put back when a rollout fails; true when left out.
    pub rollback: Option<bool>,
    /// The part of the requests that the new version gets first (canary, 5 when left out), or gets more in
    /// each step (linear, 10), in per cent.
    pub percent: Option<Number>,
    /// How long that is looked at before it goes on: `"10m"` (canary), `"6m"` (linear) when left out.
    pub step: Option<Seconds>,
    /// How long both versions stand when the new one has all requests; `"5m"` when left out.
    pub bake: Option<Seconds>,
    /// A port of the load balancer at which the new version answers before it gets any requests.
    #[schemars(range(min = 1))]
    pub test_port: Option<u16>,
    /// Where the rollout waits for `ecsctl continue`.
    pub pause: Option<At>,
    /// How long it waits there before it is taken back; `"1d"` when left out.
    pub pause_timeout: Option<Seconds>,
    /// Lambda functions that are asked whether it goes on, by name.
    #[serde(default)]
    pub hooks: BTreeMap<String, Hook>,
    /// Alarms that end it: `errors`, `latency`, `unhealthy` as in `alarms`, or names of others.
    #[serde(default)]
    pub alarms: BTreeSet<String>,
}

/// A Lambda function that is asked whether a rollout goes on.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Hook {
    /// Its ARN.
    #[schemars(extend("x-format" = "function"))]
    pub lambda: String,
    /// At which stages.
    pub at: BTreeSet<At>,
    /// How long its answer is waited for; `"1d"` when left out.
    pub timeout: Option<Seconds>,
}

/// A stage of a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum At {
    /// No new task has started.
    PreScaleUp,
    /// All new tasks run.
    PostScaleUp,
    /// Tests are led to them.
    TestTraffic,
    /// Tests reach them.
    PostTestTraffic,
    /// Requests are about to be led to them.
    PreProductionTraffic,
    /// Requests are led to them.
    ProductionTraffic,
    /// All requests reach them.
    PostProductionTraffic,
}

impl At {
    /// The API's word.
    pub(super) fn stage(self) -> &'static str {
        match self {
            Self::PreScaleUp => "PRE_SCALE_UP",
            Self::PostScaleUp => "POST_SCALE_UP",
            Self::TestTraffic => "TEST_TRAFFIC_SHIFT",
            Self::PostTestTraffic => "POST_TEST_TRAFFIC_SHIFT",
            Self::PreProductionTraffic => "PRE_PRODUCTION_TRAFFIC_SHIFT",
            Self::ProductionTraffic => "PRODUCTION_TRAFFIC_SHIFT",
            Self::PostProductionTraffic => "POST_PRODUCTION_TRAFFIC_SHIFT",
        }
    }
}

/// A strategy of a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// Task by task.
    Rolling,
    /// All at once, when all new tasks run.
    BlueGreen,
    /// A small part of the requests first.
    Canary,
    /// The requests in equal steps.
    Linear,
}
