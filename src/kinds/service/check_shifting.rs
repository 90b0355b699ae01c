//! What can be known offline about a service whose deployments move requests.

use super::shifting::{HookTarget, LifecycleHook};
use super::{Controller, DeploymentStrategy as Strategy, LaunchType, SchedulingStrategy, Service};
use crate::kind::Check;

/// Every rule.
pub(super) fn all(spec: &Service, check: &mut Check<'_>) {
    controller(spec, check);
    hooks(spec, check);
    times(spec, check);
    alarms(spec, check);
    if spec.deployment.strategy == Strategy::Rolling {
        return;
    }
    for (field, reason, hint) in obstacles(spec) {
        let title = format!("the strategy {} {reason}", spec.deployment.strategy.word());
        check.error_with("E0350", field, title, hint);
    }
    let deployment = &spec.deployment;
    if deployment.lifecycle_hooks.is_empty() && !deployment.alarms.enable {
        let title =
            "nothing guards this rollout: no alarm and no hook ends it when the new version is bad";
        check.warning("E0354", "deployment.strategy", title);
    }
}

/// E0355: who else rolls out is left to it.
fn controller(spec: &Service, check: &mut Check<'_>) {
    if spec.deployment_controller != Controller::Ecs {
        let word = spec.deployment_controller.word();
        check.error_with(
            "E0355",
            "deployment-controller",
            format!("services that {word} rolls out are shown and not made"),
            "leave `deployment-controller` out, and say how ECS rolls out with `deployment.strategy`",
        );
    }
}

/// Why requests could not be moved. Page "Required resources for Amazon ECS blue/green deployments".
fn obstacles(spec: &Service) -> Vec<(&'static str, &'static str, &'static str)> {
    let has_pair = spec.load_balancers.iter().any(|balancer| balancer.advanced.is_some());
    let is_alone = !spec.load_balancers.is_empty() && !has_pair;
    let in_steps = matches!(spec.deployment.strategy, Strategy::Canary | Strategy::Linear);
    let rules = [
        (
            spec.scheduling_strategy == SchedulingStrategy::Daemon,
            "deployment.strategy",
            "is not for daemons: an instance has one task of them",
            "leave `deployment.strategy` out",
        ),
        (
            spec.launch_type == Some(LaunchType::External),
            "deployment.strategy",
            "is not for the launch type EXTERNAL, which has no load balancers",
            "leave `deployment.strategy` out",
        ),
        (
            in_steps && spec.load_balancers.is_empty(),
            "deployment.strategy",
            "needs a load balancer: without one there are no requests to share out",
            "give the service `http`, or take the strategy `blue-green` or `rolling`",
        ),
        (
            is_alone,
            "load-balancers",
            "needs another target group, and the rule whose requests are moved",
            "set `advanced` of the target group",
        ),
        (
            spec.deployment.circuit_breaker.enable,
            "deployment.circuit-breaker",
            "has no circuit breaker: that is for rolling deployments",
            "leave it out, and name `alarms`",
        ),
    ];
    let broken = rules.into_iter().filter(|(broken, ..)| *broken);
    broken.map(|(_, field, reason, hint)| (field, reason, hint)).collect()
}

/// E0351: shares and times. Pages "CanaryConfiguration", "LinearConfiguration".
fn times(spec: &Service, check: &mut Check<'_>) {
    let deployment = &spec.deployment;
    let canary = deployment.canary.map(|it| {
        (
            ("canary.percent", it.percent.0, 0.1),
            ("canary.bake-time-in-minutes", it.bake_time_in_minutes),
        )
    });
    let linear = deployment.linear.map(|it| {
        let time = ("linear.step-bake-time-in-minutes", it.step_bake_time_in_minutes);
        (("linear.step-percent", it.step_percent.0, 3.0), time)
    });
    let bake = deployment.bake_time_in_minutes.map(|time| ("bake-time-in-minutes", time));
    let (shares, mut all): (Vec<_>, Vec<_>) = canary.into_iter().chain(linear).unzip();
    all.extend(bake);
    for (field, share, least) in shares {
        let tenths = share * 10.0;
        let is_exact = (tenths - tenths.round()).abs() < 1e-6;
        if !is_exact || !(least..=100.0).contains(&share) {
            let title = format!("a share of {least} to 100 %, by tenths, and not {share}");
            check.error("E0351", &format!("deployment.{field}"), title).alone = true;
        }
    }
    for (field, minutes) in all {
        if minutes > A_DAY {
            let title = format!("at most 24 hours (1440 minutes), and not {minutes} minutes");
            check.error("E0351", &format!("deployment.{field}"), title).alone = true;
        }
    }
}

/// How long both revisions may stand at most, in minutes.
const A_DAY: u32 = 24 * 60;

/// The longest wait for an answer, in minutes: page "DeploymentLifecycleHookTimeoutConfiguration".
const TWO_WEEKS: u32 = 14 * A_DAY;

/// E0352: who is asked, and when.
fn hooks(spec: &Service, check: &mut Check<'_>) {
    for hook in &spec.deployment.lifecycle_hooks {
        if let Some((title, hint)) = flaw(hook) {
            check.error_with("E0352", "deployment.lifecycle-hooks", title, hint);
        }
    }
    if spec.deployment.strategy == Strategy::Rolling && !spec.deployment.lifecycle_hooks.is_empty()
    {
        check.error_with(
            "E0352",
            "deployment.lifecycle-hooks",
            "a rolling deployment has no stages at which to ask",
            "take another `strategy`, or leave the hooks out",
        );
    }
}

fn flaw(hook: &LifecycleHook) -> Option<(String, &'static str)> {
    let is_whole = hook.hook_target_arn.is_some() && hook.role_arn.is_some();
    let is_bare = hook.hook_target_arn.is_none() && hook.role_arn.is_none();
    let minutes = hook.timeout.map_or(1, |timeout| timeout.timeout_in_minutes);
    match hook.target_type {
        _ if hook.lifecycle_stages.is_empty() => {
            Some(("a hook without a stage is never asked".to_owned(), "say at which stages"))
        }
        _ if !(1..=TWO_WEEKS).contains(&minutes) => {
            let title = format!("a hook is waited for 1 minute to 14 days, not {minutes} minutes");
            Some((title, "wait at most 14 days"))
        }
        HookTarget::Lambda if !is_whole => Some((
            "a function needs its ARN and a role with which ECS calls it".to_owned(),
            "set `hook-target-arn` and `role-arn`",
        )),
        HookTarget::Pause if !is_bare => {
            Some(("a pause calls nothing".to_owned(), "leave `hook-target-arn` and `role-arn` out"))
        }
        HookTarget::Lambda | HookTarget::Pause => None,
    }
}

/// E0353: alarms that are enabled are named.
fn alarms(spec: &Service, check: &mut Check<'_>) {
    let alarms = &spec.deployment.alarms;
    if alarms.enable && alarms.alarm_names.is_empty() {
        check.error_with(
            "E0353",
            "deployment.alarms",
            "no alarm is named that could end a rollout",
            "name some in `alarm-names`, or leave `enable` out",
        );
    }
}
