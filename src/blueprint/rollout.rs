//! The ECS service: how many tasks, where, and how a new version takes over; and its security group.

use serde_json::{Value as Json, json};

use super::Options;
use super::cluster::CLUSTER;
use super::declaration::Declaration;
use super::measure::Cidr;
use super::member::Members;
use super::network::{Layout, VPC};
use super::route::Route;
use super::service::Service;
use super::sheet::Sheet;
use super::{roles, scaling};
use crate::address::Path;
use crate::diag::Diagnostic;

/// Seconds for which a new task may fail its health checks when nothing is said.
const GRACE: u32 = 60;

/// The ECS service `name`.
pub(super) fn expand(
    name: &str,
    service: &Service,
    route: Option<&Route>,
    network: &Layout,
    options: Options,
    sheet: &mut Sheet,
) {
    let section = Path::of(["service", name]);
    let (keys, mode) = (section.join("deploy"), || Path::of(["network", "mode"]));
    let deploy = service.deploy.clone().unwrap_or_default();
    let (min, max) = (deploy.min.unwrap_or(100), deploy.max.unwrap_or(200));
    // ECS moves tasks between zones by starting more than are wanted, which 100 % would forbid.
    let rebalancing = if max > 100 { "ENABLED" } else { "DISABLED" };
    let (count, key) = scaling::count(service, &section);
    let mut ecs = Declaration::new("service", name, &section)
        .with("cluster", CLUSTER)
        .with("task-definition", format!("${{task-definition.{name}.arn}}"))
        .from("desired-count", count, key)
        .from("capacity-provider-strategy", strategy(service), section.join("spot"))
        .with("network", interface(name, network))
        .decided(["network", "subnets"], mode())
        .decided(["network", "assign-public-ip"], mode())
        .with("deployment", deployment(min, max, deploy.rollback))
        .decided(["deployment", "minimum-healthy-percent"], keys.join("min"))
        .decided(["deployment", "maximum-percent"], keys.join("max"))
        .decided(["deployment", "circuit-breaker", "rollback"], keys.join("rollback"))
        .from("availability-zone-rebalancing", rebalancing, keys.join("max"))
        .from("enable-execute-command", roles::exec(service, options), section.join("exec"))
        .with("propagate-tags", "SERVICE");
    if let Some(route) = route {
        let balancer = json!({
            "target-group-arn": format!("${{target-group.{name}.arn}}"),
            "container-name": route.container,
            "container-port": route.port,
        });
        let http = section.join("http");
        let grace = service.grace.map_or(GRACE, |grace| grace.0);
        ecs = ecs
            .from("load-balancers", json!([balancer]), http.clone())
            .decided(["load-balancers", "0", "container-port"], http.join("port"))
            .from("health-check-grace-period-seconds", grace, section.join("grace"));
    }
    sheet.add(ecs);
}

/// Where the interfaces of the tasks of `name` are.
pub(super) fn interface(name: &str, network: &Layout) -> Json {
    json!({
        "subnets": network.task_subnets(),
        "security-groups": [format!("${{security-group.{name}.id}}")],
        "assign-public-ip": network.gives_public_addresses(),
    })
}

fn deployment(min: u32, max: u32, rollback: Option<bool>) -> Json {
    json!({
        "minimum-healthy-percent": min,
        "maximum-percent": max,
        "circuit-breaker": { "enable": true, "rollback": rollback.unwrap_or(true) },
    })
}

/// Shares of Fargate and Fargate Spot, in lowest terms.
fn strategy(service: &Service) -> Json {
    let spot = service.spot.map_or(0, |share| share.0);
    let unit = gcd(spot, 100 - spot);
    let weight = |share: u32| json!({ "weight": share / unit });
    match spot {
        0 => json!({ "FARGATE": weight(100) }),
        100 => json!({ "FARGATE_SPOT": weight(100) }),
        _ => json!({ "FARGATE": weight(100 - spot), "FARGATE_SPOT": weight(spot) }),
    }
}

/// Not 0, because the two are never both 0.
fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// The security group of the service `name`: in from its load balancer and from those in `from`.
pub(super) fn expand_group(
    name: &str,
    service: &Service,
    members: &Members,
    route: Option<&Route>,
    services: &[&String],
    sheet: &mut Sheet,
) {
    let section = Path::of(["service", name]);
    let mut rules = Vec::new();
    if let Some(route) = route {
        let group = format!("${{security-group.alb-{}.id}}", route.alb);
        let mut rule = ingress("tcp", route.port, &format!("load balancer {}", route.alb));
        rule["security-group"] = group.into();
        rules.push(rule);
    }
    for source in &service.from {
        if let Ok(network) = source.parse::<Cidr>() {
            for (protocol, port) in ports(members) {
                let mut rule = ingress(protocol, port, "clients");
                rule["cidr"] = network.to_string().into();
                rules.push(rule);
            }
        } else if services.contains(&source) && source != name {
            expand_neighbour(name, source, members, sheet);
        } else if !sheet.unread.may_name("service", source) {
            let title = format!("`{source}` is neither a network nor another service");
            let fault = Diagnostic::error("E0270", title).at(section.join("from"), "");
            sheet.fault(fault.hint("write a network such as \"10.0.0.0/16\", or a service's name"));
        }
    }
    let group = Declaration::new("security-group", name, &section)
        .with("description", format!("service {name}"))
        .with("vpc-id", VPC)
        .from("ingress", rules, section.join("from"));
    sheet.add(group);
}

/// Rules between services stand outside the groups, so that two services may name each other.
fn expand_neighbour(name: &str, source: &str, members: &Members, sheet: &mut Sheet) {
    let section = Path::of(["service", name]);
    for (protocol, port) in ports(members) {
        let rule = format!("{name}-from-{source}-{protocol}-{port}");
        let rule = Declaration::new("security-group-rule", rule, &section)
            .with("security-group-id", format!("${{security-group.{name}.id}}"))
            .with("direction", "ingress")
            .with("protocol", protocol)
            .with("from-port", port)
            .with("to-port", port)
            .from(
                "security-group",
                format!("${{security-group.{source}.id}}"),
                section.join("from"),
            )
            .with("description", format!("service {source}"));
        sheet.add(rule);
    }
}

fn ingress(protocol: &str, port: u16, description: &str) -> Json {
    json!({
        "protocol": protocol,
        "from-port": port,
        "to-port": port,
        "description": description,
    })
}

/// The ports of all containers that others may want to reach.
fn ports(members: &Members) -> Vec<(&'static str, u16)> {
    let of = |(_, member): (&String, &super::member::Member)| {
        let container = &member.container;
        [("tcp", container.port), ("udp", container.udp)]
    };
    let all = members.iter().filter(|(_, member)| !member.is_daemon());
    all.flat_map(of).filter_map(|(protocol, port)| Some((protocol, port?))).collect()
}
