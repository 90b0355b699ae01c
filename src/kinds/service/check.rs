//! What can be known offline about a service.

use super::{
    LaunchType, Rebalancing, SchedulingStrategy, Service, check_shifting, connect, placement,
    registries, volumes,
};
use crate::kind::Check;
use crate::kinds::types::capacity;

/// Every rule.
pub(super) fn all(spec: &Service, check: &mut Check<'_>) {
    deadlock(spec, check);
    rebalancing(spec, check);
    strategy(spec, check);
    network(spec, check);
    daemon(spec, check);
    placement::check(spec, check);
    connect::check(spec, check);
    registries::check(spec, check);
    volumes::check(spec, check);
    check_shifting::all(spec, check);
    if spec.load_balancers.len() > 5 {
        check.error("E0255", "load-balancers", "a service has at most 5 target groups");
    }
    if spec.scheduling_strategy == SchedulingStrategy::Daemon && spec.is_fargate() {
        let title = "Fargate has no instances on each of which a task could run";
        check.error("E0249", "scheduling-strategy", title);
    }
}

/// How many tasks must be healthy, and how many may run, while one revision replaces another. ECS
/// rounds the one up and the other down. Page "Deployment configuration".
pub(super) fn bounds(desired: u32, minimum: u32, maximum: u32) -> (u64, u64) {
    let (desired, minimum, maximum) = (u64::from(desired), u64::from(minimum), u64::from(maximum));
    ((desired * minimum).div_ceil(100), desired * maximum / 100)
}

/// E0250: no task may stop and none may start.
fn deadlock(spec: &Service, check: &mut Check<'_>) {
    let Some(desired) = spec.desired_count.filter(|desired| *desired > 0) else { return };
    let (minimum, maximum) =
        (spec.deployment.minimum_healthy_percent, spec.deployment.maximum_percent);
    let (lower, upper) = bounds(desired, minimum, maximum);
    if spec.scheduling_strategy == SchedulingStrategy::Daemon
        || lower < u64::from(desired)
        || upper > u64::from(desired)
    {
        return;
    }
    check.error_with(
        "E0250",
        "deployment.maximum-percent",
        format!(
            "this rollout can never make progress: count {desired}, min {minimum} %, max \
             {maximum} %: a new task may not start and an old one may not stop"
        ),
        "raise `maximum-percent` to 200, or lower `minimum-healthy-percent` to 0 for a short outage",
    );
}

/// E0251: what availability zone rebalancing cannot go with.
fn rebalancing(spec: &Service, check: &mut Check<'_>) {
    if spec.availability_zone_rebalancing == Rebalancing::Disabled {
        return;
    }
    let reason = if spec.scheduling_strategy == SchedulingStrategy::Daemon {
        "the scheduling strategy DAEMON"
    } else if spec.launch_type == Some(LaunchType::External) {
        "the launch type EXTERNAL"
    } else if spec.deployment.maximum_percent <= 100 {
        "a `maximum-percent` of 100"
    } else if spec.placement_strategy.first().is_some_and(|rule| !rule.evens_zones()) {
        "a placement strategy that begins with anything but a spread over zones"
    } else {
        return;
    };
    check.error_with(
        "E0251",
        "availability-zone-rebalancing",
        format!("availability zone rebalancing cannot go with {reason}"),
        "set `availability-zone-rebalancing = \"DISABLED\"`",
    );
}

/// E0276: of a daemon each instance has one task, so that nobody says how many there are, and the old one
/// ends before the new one starts. Page "Amazon ECS service deployment controllers and strategies".
fn daemon(spec: &Service, check: &mut Check<'_>) {
    if spec.scheduling_strategy != SchedulingStrategy::Daemon {
        return;
    }
    let shares = spec.capacity_provider_strategy.as_ref().is_some_and(|shares| !shares.is_empty());
    let rules = [
        (
            "desired-count",
            spec.desired_count.is_some(),
            "a daemon has a task on each instance, and no number of tasks",
            "leave `desired-count` out",
        ),
        (
            "capacity-provider-strategy",
            shares,
            "a daemon runs on all instances, and has no capacity provider strategy",
            "set `launch-type = \"EC2\"`, and say which instances with `placement-constraints`",
        ),
        (
            "deployment.maximum-percent",
            spec.deployment.maximum_percent != 100,
            "a daemon cannot run twice on an instance",
            "set `maximum-percent = 100`",
        ),
        (
            "deployment.minimum-healthy-percent",
            spec.deployment.minimum_healthy_percent >= 100,
            "a new version of this daemon could never start: no task of the old one may stop",
            "lower `minimum-healthy-percent`; it is usually 0",
        ),
    ];
    for (field, _, title, hint) in rules.into_iter().filter(|(_, broken, ..)| *broken) {
        check.error_with("E0276", field, title, hint);
    }
}

/// E0252: where tasks run.
fn strategy(spec: &Service, check: &mut Check<'_>) {
    let Some(strategy) = &spec.capacity_provider_strategy else { return };
    capacity::check(strategy, "capacity-provider-strategy", check);
    if spec.launch_type.is_some() && !strategy.is_empty() {
        check.error_with(
            "E0252",
            "launch-type",
            "a service has a launch type or a capacity provider strategy, and not both",
            "leave `launch-type` out",
        );
    }
}

/// E0253: subnets and security groups.
fn network(spec: &Service, check: &mut Check<'_>) {
    let Some(network) = &spec.network else {
        if spec.is_fargate() {
            check.error_with(
                "E0253",
                "network",
                "tasks on Fargate need subnets",
                "set `network.subnets` and `network.security-groups`",
            );
        }
        return;
    };
    if !(1..=16).contains(&network.subnets.len()) {
        let title = format!("a service has 1 to 16 subnets, not {}", network.subnets.len());
        check.error("E0253", "network.subnets", title);
    }
    if network.security_groups.len() > 5 {
        let count = network.security_groups.len();
        let title = format!("a service has at most 5 security groups, not {count}");
        check.error("E0253", "network.security-groups", title);
    }
}
