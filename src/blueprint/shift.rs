//! Rollouts that move requests: blue/green, canary, linear. The second target group, the roles, the alarms
//! and hooks that end them, and what does not go together.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::alb::Alb;
use super::balancers::named;
use super::declaration::Declaration;
use super::deploy::{At, Deploy, Hook, Strategy};
use super::measure::Seconds;
use super::route::{Route, has_http};
use super::service::Service;
use super::sheet::Sheet;
use super::{Document, roles};
use crate::address::Path;
use crate::diag::Diagnostic;

/// How long both versions stand when nothing is said, in minutes.
const BAKE: u32 = 5;

/// The alarms of a service that tell of answers, of which there are some from each target group.
const OF_ANSWERS: [&str; 3] = ["errors", "latency", "unhealthy"];

/// Those that tell of its tasks. They watch the service by its name, and so come after it.
const OF_TASKS: [&str; 2] = ["cpu", "memory"];

fn strategy(service: &Service) -> Strategy {
    let deploy = service.deploy.as_ref();
    deploy.and_then(|deploy| deploy.strategy).unwrap_or(Strategy::Rolling)
}

/// Whether rollouts move requests from one target group to another.
pub(super) fn is_shifted(service: &Service) -> bool {
    strategy(service) != Strategy::Rolling
}

/// The name of the second target group.
pub(super) fn alternate(name: &str) -> String {
    format!("{name}-other")
}

/// The name of the rule by which tests come.
pub(super) fn test_rule(name: &str) -> String {
    format!("{name}-test")
}

/// The port at which the new version answers tests.
pub(super) fn test_port(service: &Service) -> Option<u16> {
    let port = service.deploy.as_ref().and_then(|deploy| deploy.test_port);
    port.filter(|port| is_shifted(service) && ![80, 443].contains(port))
}

/// The target groups of the service `name`, as its load balancer sees them.
pub(super) fn groups(name: &str, service: &Service) -> Vec<String> {
    let second = is_shifted(service).then(|| alternate(name));
    [name.to_owned()].into_iter().chain(second).collect()
}

/// Notes at which ports load balancers lead tests to services.
pub(super) fn gather(document: &Document, albs: &mut BTreeMap<String, Alb>) {
    for service in document.service.values().filter(|service| has_http(service)) {
        let Some(port) = test_port(service) else { continue };
        let written = service.http.as_ref().and_then(|http| http.alb.as_ref());
        let name = named(written, albs).to_owned();
        if let Some(alb) = albs.get_mut(&name) {
            alb.test_ports.insert(port);
        }
    }
}

/// With what ECS moves the requests.
pub(super) fn advanced(name: &str, service: &Service) -> Option<Json> {
    if !is_shifted(service) {
        return None;
    }
    let mut advanced = json!({
        "alternate-target-group-arn": format!("${{target-group.{}.arn}}", alternate(name)),
        "production-listener-rule": format!("${{listener-rule.{name}.arn}}"),
        "role-arn": format!("${{role.{name}-traffic.arn}}"),
    });
    if test_port(service).is_some() {
        advanced["test-listener-rule"] =
            format!("${{listener-rule.{}.arn}}", test_rule(name)).into();
    }
    Some(advanced)
}

/// What the service's deployment says beyond how many tasks run.
pub(super) fn deployment(
    name: &str,
    service: &Service,
    rollback: bool,
) -> Vec<(&'static str, Json)> {
    let Some(deploy) = &service.deploy else { return Vec::new() };
    let mut fields = Vec::new();
    let minutes = |time: Option<Seconds>, usual: u32| time.map_or(usual, |time| time.0 / 60);
    let percent = |usual: f64| deploy.percent.map_or(json!(usual), |percent| json!(percent));
    let (word, steps) = match strategy(service) {
        Strategy::Rolling => ("ROLLING", None),
        Strategy::BlueGreen => ("BLUE_GREEN", None),
        Strategy::Canary => {
            let minutes = minutes(deploy.step, 10);
            let canary = json!({ "percent": percent(5.0), "bake-time-in-minutes": minutes });
            ("CANARY", Some(("canary", canary)))
        }
        Strategy::Linear => {
            let minutes = minutes(deploy.step, 6);
            let linear = json!({
                "step-percent": percent(10.0), "step-bake-time-in-minutes": minutes,
            });
            ("LINEAR", Some(("linear", linear)))
        }
    };
    if is_shifted(service) {
        fields.push(("strategy", word.into()));
        fields.push(("bake-time-in-minutes", minutes(deploy.bake, BAKE).into()));
        fields.extend(steps);
        fields.push(("lifecycle-hooks", hooks(name, deploy).into()));
    }
    let alarms: Vec<String> =
        deploy.alarms.iter().flat_map(|it| alarm(name, service, it)).collect();
    if !alarms.is_empty() {
        let alarms = json!({ "alarm-names": alarms, "enable": true, "rollback": rollback });
        fields.push(("alarms", alarms));
    }
    fields
}

/// The names of an alarm: of one of the service's own there is one for each target group.
fn alarm(name: &str, service: &Service, alarm: &str) -> Vec<String> {
    if !OF_ANSWERS.contains(&alarm) {
        return vec![alarm.to_owned()];
    }
    let named = |group: String| format!("${{alarm.{group}-{alarm}.name}}");
    groups(name, service).into_iter().map(named).collect()
}

fn hooks(name: &str, deploy: &Deploy) -> Vec<Json> {
    let timeout = |hook: &mut Json, time: Option<Seconds>| {
        if let Some(time) = time {
            hook["timeout"] = json!({ "timeout-in-minutes": time.0 / 60, "action": "ROLLBACK" });
        }
    };
    let pause = deploy.pause.map(|at| {
        let mut pause = json!({ "target-type": "PAUSE", "lifecycle-stages": [at.stage()] });
        timeout(&mut pause, deploy.pause_timeout);
        pause
    });
    let functions = deploy.hooks.values().map(|Hook { lambda, at, timeout: time }| {
        let mut hook = json!({
            "hook-target-arn": lambda,
            "role-arn": format!("${{role.{name}-hooks.arn}}"),
            "lifecycle-stages": at.iter().copied().map(At::stage).collect::<Vec<_>>(),
        });
        timeout(&mut hook, *time);
        hook
    });
    pause.into_iter().chain(functions).collect()
}

/// The roles of the rollouts of the service `name`; and what is wrong with how they are described.
pub(super) fn expand(name: &str, service: &Service, routes: &[Route], sheet: &mut Sheet) {
    let Some(deploy) = &service.deploy else { return };
    let section = Path::of(["service", name]);
    check(service, deploy, &section, sheet);
    if is_shifted(service) {
        check_routes(service, &section, sheet);
    }
    if is_shifted(service) && !routes.is_empty() {
        let policy = "AmazonECSInfrastructureRolePolicyForLoadBalancers";
        let role = Declaration::new("role", format!("{name}-traffic"), &section)
            .with("description", format!("moves the requests of {name}"))
            .with("trust", roles::of_ecs())
            .with("policies", json!([format!("arn:${{aws.partition}}:iam::aws:policy/{policy}")]));
        sheet.add(role);
    }
    if is_shifted(service) && !deploy.hooks.is_empty() {
        let functions = deploy.hooks.values().map(|hook| hook.lambda.as_str());
        let role = Declaration::new("role", format!("{name}-hooks"), &section)
            .with("description", format!("calls the hooks of {name}"))
            .with("trust", roles::of_ecs())
            .with("inline", json!({ "hooks": roles::calling(functions) }))
            .decided(["inline", "hooks"], section.join("deploy").join("hooks"));
        sheet.add(role);
    }
}

fn check(service: &Service, deploy: &Deploy, section: &Path, sheet: &mut Sheet) {
    let keys = section.join("deploy");
    for (key, reason) in out_of_place(service, deploy) {
        let title = format!("`{key}` {reason}");
        let fault = Diagnostic::error("E0356", title).at(keys.join(key), "");
        sheet.fault(fault.hint("leave it out, or take another `strategy`"));
    }
    let times =
        [("step", deploy.step), ("bake", deploy.bake), ("pause-timeout", deploy.pause_timeout)];
    for (key, _) in times.iter().filter(|(_, time)| time.is_some_and(|it| it.0 % 60 != 0)) {
        let fault = Diagnostic::error("E0351", "ECS counts this time in minutes");
        sheet.fault(fault.at(keys.join(*key), "").hint("write whole minutes, such as \"5m\""));
    }
    if let Some(port) = deploy.test_port.filter(|port| [80, 443].contains(port)) {
        let title = format!("port {port} is the load balancer's own");
        let fault = Diagnostic::error("E0356", title).at(keys.join("test-port"), "");
        sheet.fault(fault.hint("take another port for tests, such as 9000"));
    }
    let set = service.alarms.clone().unwrap_or_default();
    let own = [set.errors.is_some(), set.latency.is_some(), set.unhealthy.is_some()];
    let unset = OF_ANSWERS.into_iter().zip(own).filter(|(_, is_set)| !is_set);
    for (alarm, _) in unset.filter(|(alarm, _)| deploy.alarms.contains(*alarm)) {
        let title = format!("the service has no alarm `{alarm}`");
        let fault = Diagnostic::error("E0357", title).at(keys.join("alarms"), "");
        sheet.fault(fault.hint(format!("set `{alarm}` in `{section}.alarms`")));
    }
    for alarm in OF_TASKS.into_iter().filter(|alarm| deploy.alarms.contains(*alarm)) {
        let title =
            format!("the alarm `{alarm}` watches the service, and cannot be there before it");
        let fault = Diagnostic::error("E0357", title).at(keys.join("alarms"), "");
        sheet.fault(fault.hint("take `errors`, `latency` or `unhealthy`, or an alarm of your own"));
    }
    if is_shifted(service) && service.count.is_some_and(|count| count.requests.is_some()) {
        let title = "requests cannot be scaled by while rollouts move them between target groups";
        let fault =
            Diagnostic::error("E0358", title).at(section.join("count").join("requests"), "");
        sheet.fault(fault.at_key(keys, "moves them").hint("scale by `cpu` or `memory`"));
    }
}

/// E0370: ECS moves requests between the two target groups of one rule. With a network load balancer it waits ten
/// minutes at each move; and what tasks get by other ways it does not move together with that.
fn check_routes(service: &Service, section: &Path, sheet: &mut Sheet) {
    let has_weight = service.http.as_ref().is_some_and(|http| http.weight.is_some());
    let rules = [
        (
            !service.route.is_empty(),
            section.join("route"),
            "rollouts that move requests know `http` alone, and no further way to a service",
        ),
        (
            has_weight,
            section.join("http").join("weight"),
            "rollouts that move requests set the weights themselves",
        ),
    ];
    for (_, place, title) in rules.into_iter().filter(|(broken, ..)| *broken) {
        let fault = Diagnostic::error("E0370", title).at_key(place, "");
        let fault = fault.at_key(section.join("deploy"), "moves them");
        sheet.fault(fault.hint("leave it out, or write `deploy = \"rolling\"`"));
    }
}

/// Keys that mean nothing with the strategy, and why.
fn out_of_place(service: &Service, deploy: &Deploy) -> Vec<(&'static str, &'static str)> {
    let (shifted, public) = (is_shifted(service), has_http(service));
    let in_steps = matches!(strategy(service), Strategy::Canary | Strategy::Linear);
    let moved = "is for rollouts that move requests: blue-green, canary, linear";
    let rules = [
        ("percent", deploy.percent.is_some() && !in_steps, "is for canary and linear rollouts"),
        ("step", deploy.step.is_some() && !in_steps, "is for canary and linear rollouts"),
        ("bake", deploy.bake.is_some() && !shifted, moved),
        ("pause", deploy.pause.is_some() && !shifted, moved),
        ("hooks", !deploy.hooks.is_empty() && !shifted, moved),
        ("test-port", deploy.test_port.is_some() && !shifted, moved),
        (
            "test-port",
            deploy.test_port.is_some() && shifted && !public,
            "is for services with `http`",
        ),
        (
            "pause-timeout",
            deploy.pause_timeout.is_some() && deploy.pause.is_none(),
            "is nothing without a `pause`",
        ),
    ];
    rules.into_iter().filter(|(_, wrong, _)| *wrong).map(|(key, _, why)| (key, why)).collect()
}
