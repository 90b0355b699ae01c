//! One-off tasks: what one is started with, how it does, and what it says.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The shares of some capacity providers. A provider stands in a field and is not a key, because its name
/// may not be known before it is made. Page "CapacityProviderStrategyItem".
pub type Strategy = BTreeSet<Share>;

/// One provider's share of the tasks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Share {
    /// The capacity provider's name: `FARGATE`, `FARGATE_SPOT`, or that of one of the cluster's own.
    #[schemars(extend("examples" = ["FARGATE", "${capacity-provider.general.name}"]))]
    pub capacity_provider: String,
    /// How many tasks run here before any share is counted, 0–100000. One provider may have one.
    #[serde(default)]
    pub base: u32,
    /// The share of the remaining tasks in proportion to the other weights, 0–1000.
    #[serde(default)]
    pub weight: u32,
}

/// What a task is started with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Order {
    /// The cluster's ARN.
    pub cluster: String,
    /// A revision's ARN, or a family, of which the newest revision is meant.
    pub task_definition: String,
    /// The capacity providers that may run it; Fargate, on demand, when there are none.
    pub strategy: Strategy,
    /// Ids of the subnets that its interface may be in; none where it has no address of its own.
    pub subnets: Vec<String>,
    /// Ids of its interface's security groups.
    pub security_groups: Vec<String>,
    /// Whether it gets a public address.
    pub has_public_address: bool,
    /// What it is found by later.
    pub started_by: String,
    /// The same order with the same token starts one task, however often it is given.
    pub token: String,
    /// What is otherwise than the task definition says.
    pub overrides: Overrides,
}

/// What is otherwise than the task definition says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// The container that command and environment are for.
    pub container: String,
    /// What it runs.
    pub command: Option<Vec<String>>,
    /// Variables, besides those of the task definition.
    pub environment: BTreeMap<String, String>,
    /// CPU units and mebibytes of the whole task.
    pub size: Option<(u32, u32)>,
}

/// A task as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Its ARN.
    pub arn: String,
    /// What ECS says that it is doing: `PENDING`, `RUNNING` ….
    pub status: String,
    /// Seconds since 1970 at which it was ordered.
    pub created: i64,
    /// How it ended, if it has.
    pub end: Option<End>,
}

/// How a task ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// What became of it.
    pub how: How,
    /// The exit code of the container that counts, if it ever ran.
    pub code: Option<i32>,
    /// Why, in words of ECS and of the containers.
    pub why: String,
}

/// What became of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// A container that it cannot do without came to its end.
    Exited,
    /// It never ran.
    NeverStarted,
    /// Somebody or something stopped it.
    Stopped,
}

impl End {
    /// Whether it came to its own end, and a good one.
    pub fn is_good(&self) -> bool {
        self.how == How::Exited && self.code == Some(0)
    }
}

/// Where a container's output lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// The log group.
    pub group: String,
    /// The log stream.
    pub name: String,
}

/// A part of a container's output.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lines {
    /// Its lines, in their order.
    pub lines: Vec<String>,
    /// Where the next part begins; `None` as long as there is no output at all.
    pub next: Option<String>,
}
