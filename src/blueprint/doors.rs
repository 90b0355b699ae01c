//! Who may connect to a service: its load balancer, networks, other services. Tasks with addresses of their
//! own have a security group of their own; others are behind that of the instances.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::capacity::{Opening, Source};
use super::declaration::Declaration;
use super::files;
use super::ground::Ground;
use super::measure::Cidr;
use super::member::{Member, Members};
use super::network::VPC;
use super::route::Route;
use super::service::Service;
use super::sheet::Sheet;
use crate::address::Path;
use crate::diag::Diagnostic;

/// What is let in beside the services' own security groups.
#[derive(Debug, Default)]
pub(super) struct Openings {
    /// By the instances of each capacity.
    pub(super) pools: BTreeMap<String, BTreeSet<Opening>>,
    /// By the rules between services, by their names.
    pub(super) rules: BTreeMap<String, Declaration>,
}

impl Openings {
    /// Lets the tasks of a service reach the file systems that they mount.
    pub(super) fn let_to_files(
        &mut self,
        name: &str,
        section: &Path,
        service: &Service,
        ground: &Ground,
    ) {
        for (rule, declared) in files::rules(name, section, service, ground) {
            self.rules.entry(rule).or_insert(declared);
        }
    }
}

/// A service, and what leads into it.
#[derive(Debug, Clone)]
pub(super) struct Doors<'a> {
    /// Its name.
    pub(super) name: &'a str,
    /// What the spec says of it.
    pub(super) service: &'a Service,
    /// Its containers.
    pub(super) members: &'a Members,
    /// The ways from load balancers to it.
    pub(super) routes: &'a [Route],
    /// The ports at which other services find it by name, and those that do.
    pub(super) found_by: Vec<(u16, Vec<&'a str>)>,
}

impl Doors<'_> {
    /// The service's security group, or what the instances' groups let in for it; and rules between services,
    /// which stand outside the groups, so that two services may name each other.
    pub(super) fn expand(
        &self,
        grounds: &BTreeMap<String, Ground>,
        openings: &mut Openings,
        sheet: &mut Sheet,
    ) {
        let section = Path::of(["service", self.name]);
        let ground = &grounds[self.name];
        let mut doors: Vec<Opening> = Vec::new();
        for route in self.routes {
            for (protocol, port) in route.doors() {
                let source = Source::Balancer(route.balancer.clone());
                let opening = Opening { source, protocol, ports: ground.host_ports(port) };
                if !doors.contains(&opening) {
                    doors.push(opening);
                }
            }
        }
        for source in &self.service.from {
            if let Ok(network) = source.parse::<Cidr>() {
                doors.extend(self.ports().into_iter().map(|(protocol, port)| Opening {
                    source: Source::Network(network.to_string()),
                    protocol,
                    ports: ground.host_ports(port),
                }));
            } else if source != self.name
                && let Some(theirs) = grounds.get(source)
            {
                let_in(self.name, source, (theirs, ground), &self.ports(), openings);
            } else if !sheet.unread.may_name("service", source) {
                let title = format!("`{source}` is neither a network nor another service");
                let fault = Diagnostic::error("E0270", title).at(section.join("from"), "");
                let hint = "write a network such as \"10.0.0.0/16\", or a service's name";
                sheet.fault(fault.hint(hint));
            }
        }
        for (port, clients) in &self.found_by {
            for client in clients {
                let ports = [("tcp", *port)];
                let_in(self.name, client, (&grounds[*client], ground), &ports, openings);
            }
        }
        openings.let_to_files(self.name, &section, self.service, ground);
        if ground.has_own_addresses() {
            return sheet.add(self.group(&section, &doors));
        }
        for pool in &ground.pools {
            openings.pools.entry(pool.clone()).or_default().extend(doors.iter().cloned());
        }
    }

    fn group(&self, section: &Path, doors: &[Opening]) -> Declaration {
        let rules: Vec<Json> = doors.iter().map(Opening::rule).collect();
        Declaration::new("security-group", self.name, section)
            .with("description", format!("service {}", self.name))
            .with("vpc-id", VPC)
            .from("ingress", rules, section.join("from"))
    }

    /// The ports of all containers that others may want to reach.
    fn ports(&self) -> Vec<(&'static str, u16)> {
        let all = self.members.values().filter(|member| !member.is_daemon());
        all.flat_map(Member::ports).map(|(port, _)| port).collect()
    }
}

/// Rules by which the tasks of `source` may connect to the service `name`. Services on the same instances share a group, and so the
/// rules: each stands there once.
pub(super) fn let_in(
    name: &str,
    source: &str,
    (theirs, ground): (&Ground, &Ground),
    ports: &[(&'static str, u16)],
    openings: &mut Openings,
) {
    for group in ground.groups(name) {
        for sender in theirs.groups(source) {
            for (protocol, port) in ports.iter().copied() {
                let (first, last) = ground.host_ports(port);
                let (to, from) = (named(&group, name), named(&sender, source));
                let rule_name = format!("{to}-from-{from}-{protocol}-{first}");
                let section = match pool_of(&group) {
                    Some(pool) => Path::of(["capacity", pool]),
                    None => Path::of(["service", name]),
                };
                let who = match pool_of(&sender) {
                    Some(pool) => format!("services on {pool}"),
                    None => format!("service {source}"),
                };
                let rule = admitting(&rule_name, &section, &sender, (protocol, first, last))
                    .with("security-group-id", group.as_str())
                    .decided(["security-group"], Path::of(["service", name, "from"]))
                    .with("description", who);
                openings.rules.entry(rule_name).or_insert(rule);
            }
        }
    }
}

/// A rule that lets in whoever is in the security group `sender`: by a protocol, from the first to the last port.
pub(super) fn admitting(
    name: &str,
    section: &Path,
    sender: &str,
    (protocol, first, last): (&str, u16, u16),
) -> Declaration {
    Declaration::new("security-group-rule", name, section)
        .with("direction", "ingress")
        .with("protocol", protocol)
        .with("from-port", first)
        .with("to-port", last)
        .with("security-group", sender)
}

/// The security group of a daemon whose tasks have addresses of their own: nobody connects to it.
pub(super) fn closed(name: &str, section: &Path) -> Declaration {
    Declaration::new("security-group", name, section)
        .with("description", format!("daemon {name}"))
        .with("vpc-id", VPC)
}

/// What a security group is called in the name of a rule: the service, or the capacity whose instances they
/// are.
pub(super) fn named(group: &str, service: &str) -> String {
    pool_of(group).map_or(service.to_owned(), |pool| format!("capacity-{pool}"))
}

/// The capacity whose security group this is, if it is one's.
pub(super) fn pool_of(group: &str) -> Option<&str> {
    group.strip_prefix("${security-group.capacity-")?.strip_suffix(".id}")
}
