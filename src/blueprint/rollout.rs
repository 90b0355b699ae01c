//! The ECS service: how many tasks, where, and how a new version takes over.

use serde_json::{Value as Json, json};

use super::Options;
use super::cluster::CLUSTER;
use super::declaration::Declaration;
use super::ground::{Ground, Schedule};
use super::network::Layout;
use super::place::{Place, within};
use super::route::Route;
use super::service::Service;
use super::sheet::Sheet;
use super::{roles, scaling, shift, volume};
use crate::address::Path;

/// Seconds for which a new task may fail its health checks when nothing is said.
const GRACE: u32 = 60;

/// The ECS service `name`.
pub(super) fn expand(
    name: &str,
    service: &Service,
    routes: &[Route],
    ground: &Ground,
    network: &Layout,
    options: Options,
    sheet: &mut Sheet,
) {
    let section = Path::of(["service", name]);
    let keys = section.join("deploy");
    let deploy = service.deploy.clone().unwrap_or_default();
    // Of a daemon an instance has one task: the old one ends before the new one starts.
    let (usual_min, usual_max) = match ground.schedule {
        Schedule::Replica => (100, 200),
        Schedule::Daemon => (0, 100),
    };
    let (min, max) = (deploy.min.unwrap_or(usual_min), deploy.max.unwrap_or(usual_max));
    // ECS moves tasks between zones by starting more than are wanted, which 100 % would forbid.
    let moves = service.place.as_ref().is_none_or(Place::goes_with_rebalancing);
    let rebalancing = if max > 100 && moves { "ENABLED" } else { "DISABLED" };
    let ecs = Declaration::new("service", name, &section)
        .with("cluster", CLUSTER)
        .with("task-definition", format!("${{task-definition.{name}.arn}}"))
        .with("deployment", deployment(name, service, min, max))
        .decided(["deployment", "minimum-healthy-percent"], keys.join("min"))
        .decided(["deployment", "maximum-percent"], keys.join("max"))
        .decided(["deployment", "circuit-breaker", "rollback"], keys.join("rollback"))
        .decided(["deployment", "strategy"], keys.join("strategy"))
        .decided(["deployment", "bake-time-in-minutes"], keys.join("bake"))
        .decided(["deployment", "lifecycle-hooks"], keys.join("hooks"))
        .decided(["deployment", "alarms"], keys.join("alarms"));
    let ecs = of_steps(ecs, &keys)
        .from("availability-zone-rebalancing", rebalancing, keys.join("max"))
        .from("enable-execute-command", roles::exec(service, options), section.join("exec"))
        .with("propagate-tags", "SERVICE");
    let ecs = placed(addressed(ecs, name, ground, network), service, ground, &section);
    let mut ecs = volume::of_service(ecs, name, &section, service);
    if !routes.is_empty() {
        let grace = service.grace.map_or(GRACE, |grace| grace.0);
        ecs = registered(ecs, name, service, routes).from(
            "health-check-grace-period-seconds",
            grace,
            section.join("grace"),
        );
    }
    sheet.add(ecs);
}

/// The target groups that the tasks are registered with, in the order of their names.
fn registered(ecs: Declaration, name: &str, service: &Service, routes: &[Route]) -> Declaration {
    let arn = |route: &Route| format!("${{target-group.{}.arn}}", route.group);
    let mut routes: Vec<&Route> = routes.iter().collect();
    routes.sort_by_key(|route| arn(route));
    let balancer = |route: &&Route| {
        let mut balancer = json!({
            "target-group-arn": arn(route),
            "container-name": route.container,
            "container-port": route.port,
        });
        if let Some(advanced) = shift::advanced(name, service).filter(|_| route.group == name) {
            balancer["advanced"] = advanced;
        }
        balancer
    };
    let balancers: Json = routes.iter().map(balancer).collect();
    let all = match routes.as_slice() {
        [only] => only.section.clone(),
        _ => Path::of(["service", name, "route"]),
    };
    let mut ecs = ecs.from("load-balancers", balancers, all);
    for (index, route) in routes.iter().enumerate() {
        let index = index.to_string();
        ecs = ecs.decided(["load-balancers", &index], route.section.clone());
        let port = route.section.join("port");
        ecs = ecs.decided(["load-balancers", &index, "container-port"], port);
    }
    ecs
}

/// Where the interfaces of the tasks of `name` are, if they have addresses of their own. On instances
/// these are never public ones.
pub(super) fn interface(name: &str, ground: &Ground, network: &Layout) -> Option<Json> {
    let interface = || {
        json!({
            "subnets": network.task_subnets(),
            "security-groups": [format!("${{security-group.{name}.id}}")],
            "assign-public-ip": ground.is_fargate() && network.gives_public_addresses(),
        })
    };
    ground.has_own_addresses().then(interface)
}

fn addressed(ecs: Declaration, name: &str, ground: &Ground, network: &Layout) -> Declaration {
    let Some(interface) = interface(name, ground, network) else { return ecs };
    let mode = || Path::of(["network", "mode"]);
    ecs.with("network", interface)
        .decided(["network", "subnets"], mode())
        .decided(["network", "assign-public-ip"], mode())
}

/// How many tasks there are, on what, and on which of the instances.
fn placed(ecs: Declaration, service: &Service, ground: &Ground, section: &Path) -> Declaration {
    let place = service.place.clone().unwrap_or_default();
    let mut constraints = place.constraints();
    let ecs = match ground.schedule {
        Schedule::Replica => {
            let shares = ground.shares().cloned().unwrap_or_else(|| strategy(service));
            let key = if service.capacity.is_some() { "capacity" } else { "spot" };
            let (count, said) = scaling::count(service, section);
            ecs.from("desired-count", count, said).from(
                "capacity-provider-strategy",
                shares,
                section.join(key),
            )
        }
        Schedule::Daemon => {
            constraints.extend(ground.only_pool.as_deref().map(within));
            ecs.with("launch-type", "EC2").with("scheduling-strategy", "DAEMON")
        }
    };
    let rules = Some(place.strategy()).filter(|rules| !rules.is_empty());
    let constraints = Some(constraints).filter(|rules| !rules.is_empty());
    ecs.maybe("placement-strategy", rules, section.join("place")).maybe(
        "placement-constraints",
        constraints,
        section.join("place"),
    )
}

/// How a change is rolled out. The circuit breaker is for tasks that are replaced one by one.
fn deployment(name: &str, service: &Service, min: u32, max: u32) -> Json {
    let rollback = service.deploy.as_ref().and_then(|deploy| deploy.rollback).unwrap_or(true);
    let mut deployment = json!({ "minimum-healthy-percent": min, "maximum-percent": max });
    if !shift::is_shifted(service) {
        deployment["circuit-breaker"] = json!({ "enable": true, "rollback": rollback });
    }
    for (field, value) in shift::deployment(name, service, rollback) {
        deployment[field] = value;
    }
    deployment
}

/// Which keys say in what steps requests move.
fn of_steps(ecs: Declaration, keys: &Path) -> Declaration {
    ecs.decided(["deployment", "canary", "percent"], keys.join("percent"))
        .decided(["deployment", "canary", "bake-time-in-minutes"], keys.join("step"))
        .decided(["deployment", "linear", "step-percent"], keys.join("percent"))
        .decided(["deployment", "linear", "step-bake-time-in-minutes"], keys.join("step"))
}

/// Shares of Fargate and Fargate Spot, in lowest terms.
fn strategy(service: &Service) -> Json {
    let spot = service.spot.map_or(0, |share| share.0);
    let unit = gcd(spot, 100 - spot);
    let share = |provider: &str, share: u32| json!({ "capacity-provider": provider, "weight": share / unit });
    match spot {
        0 => json!([share("FARGATE", 100)]),
        100 => json!([share("FARGATE_SPOT", 100)]),
        _ => json!([share("FARGATE", 100 - spot), share("FARGATE_SPOT", spot)]),
    }
}

/// Not 0, because the two are never both 0.
fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}
