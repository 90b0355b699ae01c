//! Rollouts of simulated services: they take time, and an image that is known to be bad makes them
//! fail the way the deployment circuit breaker does.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::world::{Object, World};
use crate::kind::{Act, Done, Error, Ready, Result, RolloutFailure};
use crate::value::Value;

/// A deployment of a service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Rollout {
    /// The task definition revision that was asked for.
    requested: String,
    /// The revision that served before.
    previous: Option<String>,
    begun: f64,
    ends: f64,
    tasks: u64,
    /// Why its tasks cannot start, if they cannot.
    broken: Option<String>,
    /// Whether it has failed.
    failed: bool,
}

/// What images say about themselves: a part of the tag, and what happens to its tasks.
const BAD: &[(&str, &str)] = &[
    (":bad-pull", "CannotPullContainerError: the image does not exist"),
    (":bad-exit", "Essential container in task exited (exit code 1)"),
    (":bad-oom", "OutOfMemoryError: Container killed due to memory usage (exit code 137)"),
    (":bad-health", "Task failed ELB health checks"),
];

/// Starts a rollout if the deed was one that starts one.
pub(super) fn begin(world: &mut World, done: &Result<Done>, act: &Act, now: f64, lasts: f64) {
    let Ok(done) = done else { return };
    let Some(object) = world.objects.get(&done.id).filter(|object| object.kind == "service") else {
        return;
    };
    let Some(requested) = object.spec.text("task-definition").map(str::to_owned) else { return };
    let previous = match act {
        Act::Create { .. } => None,
        Act::Update { was, spec: Some(_), .. } => was.text("task-definition").map(str::to_owned),
        Act::Update { .. } | Act::Delete { .. } | Act::Settle { .. } => return,
    };
    if previous.as_deref() == Some(&requested) {
        return;
    }
    let broken = world.revisions.get(&requested).and_then(broken);
    let tasks = object.spec.number("desired-count").unwrap_or(1);
    let rollout = Rollout {
        requested,
        previous,
        begun: now,
        ends: now + lasts,
        tasks,
        broken,
        failed: false,
    };
    if let Some(object) = world.objects.get_mut(&done.id) {
        object.rollout = Some(rollout);
    }
}

fn broken(task_definition: &Value) -> Option<String> {
    task_definition.get("containers")?.fields().find_map(|(name, container)| {
        let image = container.text("image")?;
        let (_, what) = BAD.iter().find(|(tag, _)| image.contains(tag))?;
        Some(format!("container `{name}`: {what}"))
    })
}

/// Brings rollouts whose time is over to their end. Says whether anything changed.
pub(super) fn advance(object: &mut Object, now: f64) -> bool {
    let Some(rollout) = &mut object.rollout else { return false };
    if now < rollout.ends || rollout.failed {
        return false;
    }
    if rollout.broken.is_none() {
        object.rollout = None;
        return true;
    }
    rollout.failed = true;
    if let Some(previous) = rollout.previous.clone() {
        object.spec.set("task-definition", Value::Text(previous));
    }
    true
}

impl Rollout {
    /// What a plan sees: `None` when an earlier revision serves again and all is quiet.
    pub(super) fn condition(&self, now: f64) -> Option<String> {
        if self.failed && self.previous.is_some() { None } else { Some(self.progress(now)) }
    }

    fn progress(&self, now: f64) -> String {
        let share = ((now - self.begun) / (self.ends - self.begun)).clamp(0.0, 1.0);
        let up = if self.broken.is_some() { 0.0 } else { share * self.tasks as f64 };
        format!("{} of {} tasks running", up.floor() as u64, self.tasks)
    }

    pub(super) fn look(&self, now: f64) -> Result<Ready> {
        if !self.failed {
            let left = (self.ends - now) / 3.0;
            let look_again = Duration::from_secs_f64(left.clamp(0.02, 5.0));
            return Ok(Ready::NotYet { why: self.progress(now), look_again });
        }
        let short = |arn: &String| arn.rsplit('/').next().unwrap_or(arn).to_owned();
        Err(Error::rollout(RolloutFailure {
            requested: short(&self.requested),
            serving: self.previous.as_ref().map(short),
            rolled_back: self.previous.is_some(),
            reason: "ECS deployment circuit breaker: tasks failed to start.".into(),
            evidence: self.broken.iter().cloned().collect(),
        }))
    }
}
