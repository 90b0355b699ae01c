//! How an ECS service does: its tasks, and how its newest deployment went. For `status`; no plan
//! depends on it.

use serde::{Deserialize, Serialize};

/// How a service does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Health {
    /// How many tasks are wanted.
    pub desired: u32,
    /// How many run.
    pub running: u32,
    /// How many are on their way.
    pub pending: u32,
    /// The newest deployment, if AWS still knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment: Option<Deployment>,
}

/// A deployment of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Deployment {
    /// How it stands.
    pub state: Stage,
    /// The revision that was asked for, `family:revision`.
    pub requested: String,
    /// The revision that serves now, if any does.
    pub serving: Option<String>,
    /// When it began, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub began: Option<String>,
    /// When it came to its end, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
    /// The reason that ECS gives, when it did not end well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Where it waits for somebody's word, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<Pause>,
}

/// A deployment that waits for somebody's word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Pause {
    /// AWS's identifier of the deployment.
    pub deployment: String,
    /// AWS's identifier of what makes it wait.
    pub hook: String,
    /// The stage that it has come to: `post-test-traffic`.
    pub stage: String,
    /// The revision that is to serve, `family:revision`.
    pub requested: String,
    /// Until when it waits, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// Where a deployment goes from a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Onward {
    /// On, to the next stage.
    Continue,
    /// Back, to the earlier revision.
    RollBack,
}

/// How a deployment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// It is under way.
    UnderWay,
    /// The revision that was asked for serves.
    Serves,
    /// It failed, and the earlier revision is being put back.
    RollingBack,
    /// It failed, and the earlier revision serves again.
    RolledBack,
    /// It failed.
    Failed,
    /// Somebody stopped it.
    Stopped,
}
