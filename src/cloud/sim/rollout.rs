//! Rollouts of simulated services: they take time, and an image that is known to be bad makes them
//! fail the way the deployment circuit breaker does. Those that move requests do it in their steps, and
//! wait where they are told to.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::phases::{Phase, Phases};
use super::world::{Object, World};
use crate::kind::{
    Act, Deployment, Done, Error, Health, Onward, Pause, Ready, Result, RolloutFailure, STAGE,
    Stage,
};
use crate::kinds::service::balancing::turned;
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
    /// What comes when its tasks run.
    #[serde(default)]
    phases: Phases,
    /// Why somebody has sent it back, if so.
    #[serde(default)]
    refused: Option<String>,
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
        // Nothing serves after a first rollout that failed.
        Act::Update { was, spec: Some(_), .. } => {
            was.text("task-definition").filter(|arn| !arn.is_empty()).map(str::to_owned)
        }
        Act::Update { .. } | Act::Delete { .. } | Act::Settle { .. } => return,
    };
    if previous.as_deref() == Some(&requested) {
        return;
    }
    let broken = world.revisions.get(&requested).and_then(broken);
    let tasks = object.spec.number("desired-count").unwrap_or(1);
    // The first revision has nobody's requests to take over.
    let minute = lasts * 60.0 / SECONDS;
    let phases = previous.as_ref().map(|_| Phases::of(&object.spec, minute)).unwrap_or_default();
    let rollout = Rollout {
        requested,
        previous,
        begun: now,
        ends: now + lasts,
        tasks,
        broken,
        failed: false,
        phases,
        refused: None,
    };
    if let Some(object) = world.objects.get_mut(&done.id) {
        object.rollout = Some(rollout);
    }
}

/// What is wrong with the images of a task definition, if they say so themselves.
pub(super) fn broken(task_definition: &Value) -> Option<String> {
    task_definition.get("containers")?.fields().find_map(|(name, container)| {
        let image = container.text("image")?;
        let (_, what) = BAD.iter().find(|(tag, _)| image.contains(tag))?;
        Some(format!("container `{name}`: {what}"))
    })
}

/// How long a rollout takes until its tasks run, in seconds of AWS.
pub(super) const SECONDS: f64 = 20.0;

/// Brings rollouts whose time is over to their end. Says whether anything changed.
pub(super) fn advance(object: &mut Object, now: f64) -> bool {
    let Some(rollout) = &mut object.rollout else { return false };
    if now < rollout.ends || rollout.failed {
        return false;
    }
    rollout.failed = rollout.broken.is_some() || rollout.refused.is_some();
    if !rollout.failed && !rollout.phases.is_empty() {
        let changed = rollout.phases.advance(rollout.ends, now);
        if !rollout.phases.are_over() {
            return changed;
        }
        // The target groups change places, as they may with ECS.
        if let Some(balancers) = object.spec.get("load-balancers").and_then(turned) {
            object.spec.set("load-balancers", balancers);
        }
    }
    object.deployment = Some(rollout.deployment(now));
    if rollout.failed {
        let serves = rollout.previous.clone().unwrap_or_default();
        object.spec.set("task-definition", Value::Text(serves));
    } else {
        object.rollout = None;
    }
    true
}

/// Who gets requests now: the weight of the target group and that of its alternate.
pub(super) fn weights(object: &Object) -> (u64, u64) {
    let rollout = object.rollout.as_ref().filter(|rollout| !rollout.failed);
    let moved = rollout.map_or(0, |rollout| rollout.phases.share());
    (100 - moved, moved)
}

/// The pause at which the rollout of a service waits.
pub(super) fn pause(object: &Object) -> Option<Pause> {
    let rollout = object.rollout.as_ref().filter(|rollout| !rollout.failed)?;
    let Phase::Pause(stage) = rollout.phases.now()? else { return None };
    Some(Pause {
        deployment: short(&rollout.requested),
        hook: stage.clone(),
        stage: stage.clone(),
        requested: short(&rollout.requested),
        until: None,
    })
}

/// Ends the pause at which the rollout of a service waits. Nothing happens if it does not wait.
pub(super) fn resume(object: &mut Object, onward: Onward, now: f64) {
    let Some(rollout) = object.rollout.as_mut().filter(|rollout| !rollout.failed) else { return };
    match (rollout.phases.now(), onward) {
        (Some(Phase::Pause(_)), Onward::Continue) => rollout.phases.pass(now),
        (Some(Phase::Pause(stage)), Onward::RollBack) => {
            rollout.refused = Some(format!("it was rolled back from the pause at {stage}"));
        }
        _ => {}
    }
}

/// How a simulated service does.
pub(super) fn health(object: &Object, now: f64) -> Health {
    let desired = object.spec.number("desired-count").unwrap_or(1);
    let under_way = object.rollout.as_ref().filter(|rollout| !rollout.failed);
    let running = match (under_way, object.spec.text("task-definition")) {
        // The tasks of the earlier revision run until the new ones do.
        (Some(rollout), _) if rollout.previous.is_none() => rollout.up(now),
        (None, None | Some("")) => 0,
        _ => desired,
    };
    let pending = under_way.map_or(0, |rollout| rollout.tasks - rollout.up(now));
    let count = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
    let told = |rollout: &Rollout| Deployment {
        pause: pause(object).filter(|_| now >= rollout.ends),
        ..rollout.deployment(now)
    };
    let deployment = under_way.map(told);
    Health {
        desired: count(desired),
        running: count(running),
        pending: count(pending),
        deployment: deployment.or_else(|| object.deployment.clone()),
    }
}

/// The name and the revision at the end of a task definition's ARN.
fn short(arn: &str) -> String {
    arn.rsplit('/').next().unwrap_or(arn).to_owned()
}

/// RFC 3339, of the seconds that the clock tells.
fn moment(seconds: f64) -> Option<String> {
    Some(jiff::Timestamp::from_second(seconds as i64).ok()?.to_string())
}

/// What ECS says when it gives a rollout up.
const REASON: &str = "ECS deployment circuit breaker: tasks failed to start.";

impl Rollout {
    /// What a plan sees: `None` when it is over and all is quiet.
    pub(super) fn condition(&self, now: f64) -> Option<String> {
        (!self.failed).then(|| self.progress(now))
    }

    fn reason(&self) -> String {
        self.refused.clone().unwrap_or_else(|| REASON.to_owned())
    }

    /// How many of the new tasks run.
    fn up(&self, now: f64) -> u64 {
        let share = ((now - self.begun) / (self.ends - self.begun)).clamp(0.0, 1.0);
        let up = if self.broken.is_some() { 0.0 } else { share * self.tasks as f64 };
        up.floor() as u64
    }

    fn progress(&self, now: f64) -> String {
        let tasks = if self.tasks == 1 { "task" } else { "tasks" };
        let running = format!("{} of {} {tasks} running", self.up(now), self.tasks);
        match self.phases.told().filter(|_| now >= self.ends) {
            Some(phase) => format!("{phase}{STAGE}{running}"),
            None => running,
        }
    }

    /// When there may be something new to see.
    fn left(&self, now: f64) -> f64 {
        self.phases.next(self.ends).map_or(self.ends, |next| next.max(self.ends)) - now
    }

    fn deployment(&self, now: f64) -> Deployment {
        let is_over = now >= self.ends && (self.failed || self.phases.are_over());
        let (state, serving) = match (self.failed, &self.previous) {
            (true, Some(previous)) => (Stage::RolledBack, Some(previous)),
            (true, None) => (Stage::Failed, None),
            (false, _) if is_over => (Stage::Serves, Some(&self.requested)),
            (false, previous) => (Stage::UnderWay, previous.as_ref()),
        };
        Deployment {
            state,
            requested: short(&self.requested),
            serving: serving.map(|arn| short(arn)),
            began: moment(self.begun),
            ended: moment(now.max(self.ends)).filter(|_| is_over),
            reason: self.failed.then(|| self.reason()),
            pause: None,
        }
    }

    pub(super) fn look(&self, now: f64, service: &str) -> Result<Ready> {
        if !self.failed {
            let waits = matches!(self.phases.now(), Some(Phase::Pause(_))) && now >= self.ends;
            let left = if waits { 0.6 } else { self.left(now) };
            let look_again = Duration::from_secs_f64((left / 3.0).clamp(0.02, 5.0));
            let why = self.progress(now);
            let why = match why.split_once(STAGE) {
                Some((pause, rest)) if waits => {
                    format!("{pause}: `ecsctl continue {service}`{STAGE}{rest}")
                }
                _ => why,
            };
            return Ok(Ready::NotYet { why, look_again });
        }
        Err(Error::rollout(RolloutFailure {
            requested: short(&self.requested),
            serving: self.previous.as_deref().map(short),
            rolled_back: self.previous.is_some(),
            reason: self.reason(),
            evidence: self.broken.iter().cloned().collect(),
        }))
    }
}
