//! What a load balancer sends to a service: target group, listener rule, and the rule's place.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::alb::Alb;
use super::declaration::Declaration;
use super::member::Members;
use super::network::VPC;
use super::probe::Layers;
use super::service::{Http, Service};
use super::sheet::Sheet;
use super::shift;
use crate::address::Path;
use crate::diag::{Diagnostic, THE_OTHER};

/// The load balancer that is made when none is declared.
pub(super) const MAIN: &str = "main";

/// Which requests a service gets, and where.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Route {
    /// The load balancer.
    pub(super) alb: String,
    /// The container that answers.
    pub(super) container: String,
    /// The port that answers.
    pub(super) port: u16,
    path: String,
    /// The hosts; any when there are none.
    hosts: Vec<String>,
    priority: Option<u32>,
    health: Layers,
    /// `service.web.http`; or `service.web`, when a port is all that is written.
    keys: Path,
}

/// Whether a load balancer sends the service anything.
pub(super) fn is_public(service: &Service) -> bool {
    if service.public == Some(false) {
        return false;
    }
    match &service.http {
        Some(http) => http.enabled != Some(false),
        None => service.public == Some(true) || service.port.is_some(),
    }
}

/// The route of the service `name`, if it is public and nothing is wrong with it.
pub(super) fn route(
    name: &str,
    service: &Service,
    members: &Members,
    albs: &BTreeMap<String, Alb>,
    sheet: &mut Sheet,
) -> Option<Route> {
    if !is_public(service) {
        return None;
    }
    let section = Path::of(["service", name]);
    let http = service.http.clone().unwrap_or_default();
    let keys = match &service.http {
        Some(_) => section.join("http"),
        None => section.clone(),
    };
    let alb = balancer(&http, &keys, albs, sheet);
    let (container, port) = target(name, &http, &keys, members, sheet)?;
    check_health(&http, &keys, &container, members, sheet);
    Some(Route {
        alb: alb?,
        port,
        path: http.path.clone().unwrap_or_else(|| "/*".to_owned()),
        hosts: match &service.domain {
            Some(domain) => domain.names.clone(),
            None => http.host.clone().into_iter().collect(),
        },
        priority: http.priority,
        health: Layers::new(service, &section, &container, members),
        container,
        keys,
    })
}

/// The name of the load balancer that a service is to be behind.
pub(super) fn named<'n>(http: &'n Http, albs: &'n BTreeMap<String, Alb>) -> &'n str {
    let only = || albs.keys().next().filter(|_| albs.len() == 1);
    http.alb.as_ref().or_else(only).map_or(MAIN, String::as_str)
}

fn balancer(
    http: &Http,
    keys: &Path,
    albs: &BTreeMap<String, Alb>,
    sheet: &mut Sheet,
) -> Option<String> {
    let name = named(http, albs);
    if albs.contains_key(name) {
        return Some(name.to_owned());
    }
    if !sheet.unread.may_name("alb", name) {
        sheet.unknown("load balancer", name, keys.join("alb"), albs.keys());
    }
    None
}

/// The container and the port that answer, and the key that says which port.
fn target(
    name: &str,
    http: &Http,
    keys: &Path,
    members: &Members,
    sheet: &mut Sheet,
) -> Option<(String, u16)> {
    let container = match &http.container {
        Some(container) => container,
        None => listening(name, keys, members, sheet)?,
    };
    let Some(member) = members.get(container) else {
        sheet.unknown("container", container, keys.join("container"), members.keys());
        return None;
    };
    let Some(port) = http.port.or(member.container.port) else {
        let title = format!("the port that `{container}` answers on is not said");
        let fault = Diagnostic::error("E0264", title).at_key(member.keys.clone(), "");
        sheet.fault(fault.hint("add `port`, or write `public = false`"));
        return None;
    };
    Some((container.clone(), port))
}

/// The container that answers when it is not said: the one with the service's name, or the only one.
fn listening<'m>(
    name: &str,
    keys: &Path,
    members: &'m Members,
    sheet: &mut Sheet,
) -> Option<&'m String> {
    let with_port = members.iter().filter(|(_, member)| member.container.port.is_some());
    let with_port: Vec<&String> = with_port.map(|(name, _)| name).collect();
    let mut own = with_port.iter().filter(|container| **container == name);
    match (with_port.as_slice(), own.next()) {
        ([only], _) => return Some(only),
        (_, Some(own)) => return Some(own),
        ([], None) if members.len() == 1 => return members.keys().next(),
        // That there is no container has been said.
        ([], None) if members.is_empty() => return None,
        (_, None) => {}
    }
    let title = format!("which container of `{name}` answers requests is not said");
    let fault = Diagnostic::error("E0264", title).at_key(keys.clone(), "");
    sheet.fault(fault.hint(match with_port.first() {
        None => "give a container a `port`, or write `public = false`".to_owned(),
        Some(first) => format!("write for example `http.container = \"{first}\"`"),
    }));
    None
}

/// A command is run in a container, and a path is asked for by a load balancer.
fn check_health(http: &Http, keys: &Path, answering: &str, members: &Members, sheet: &mut Sheet) {
    if http.health.as_ref().is_some_and(|health| health.command.is_some()) {
        let title = "a load balancer cannot run a command";
        let fault = Diagnostic::error("E0268", title).at(keys.join("health"), "");
        sheet.fault(fault.hint("write a path such as \"/healthz\", or put it in the container"));
    }
    for (_, member) in members.iter().filter(|(name, _)| *name != answering) {
        let path = member.container.health.as_ref().and_then(|health| health.path.as_ref());
        // The key at the top may be a default for all services: there it is the load balancer's.
        if path.is_some() && member.keys.0.len() > 2 {
            let title = format!("no load balancer asks this container: `{answering}` answers");
            let fault = Diagnostic::error("E0268", title).at(member.keys.join("health"), "");
            sheet.fault(fault.hint("write a command that is run in the container"));
        }
    }
}

impl Route {
    /// Target group and listener rule of the service `name`.
    pub(super) fn expand(
        &self,
        name: &str,
        service: &Service,
        alb: &Alb,
        priority: u32,
        target_type: &str,
        sheet: &mut Sheet,
    ) {
        let section = Path::of(["service", name]);
        let delay = service.deregistration.map_or(DEREGISTRATION, |delay| delay.0);
        let group = Declaration::new("target-group", name, &section)
            .with("port", DEFAULT_PORT)
            .with("protocol", "HTTP")
            .with("vpc-id", VPC)
            .from("target-type", target_type, section.join("network-mode"))
            .from("deregistration-delay-seconds", delay, section.join("deregistration"));
        let group = self.health.check(group);
        let mut conditions = json!({ "paths": [self.path] });
        if !self.hosts.is_empty() {
            conditions["hosts"] = json!(self.hosts);
        }
        let http = section.join("http");
        let hosts = match &service.domain {
            Some(_) => section.join("domain"),
            None => http.join("host"),
        };
        let rule = |rule: &str, listener: String, action: Json| {
            Declaration::new("listener-rule", rule, &section)
                .from("listener-arn", listener, http.join("alb"))
                .from("priority", priority, http.join("priority"))
                .with("conditions", conditions.clone())
                .decided(["conditions", "paths"], http.join("path"))
                .decided(["conditions", "hosts"], hosts.clone())
                .with("action", action)
        };
        let listener = alb.listener(&self.alb);
        if !shift::is_shifted(service) {
            sheet.add(rule(name, listener, json!({ "forward": group.output("arn") })));
            return sheet.add(group);
        }
        let alternate = group.renamed(&shift::alternate(name));
        // The weights are those of the beginning: from the first deployment on they are ECS's.
        let shared = json!({ "weighted": [
            { "target-group-arn": group.output("arn"), "weight": 100 },
            { "target-group-arn": alternate.output("arn"), "weight": 0 },
        ] });
        if let Some(port) = shift::test_port(service) {
            let listener = alb.test_listener(&self.alb, port);
            sheet.add(rule(&shift::test_rule(name), listener, shared.clone()));
        }
        sheet.add(rule(name, listener, shared));
        sheet.add(group);
        sheet.add(alternate);
    }

    /// The load balancer's and the target group's ARN suffix, by which CloudWatch knows them.
    pub(super) fn suffixes(&self, group: &str) -> (String, String) {
        let balancer = format!("${{load-balancer.{}.arn-suffix}}", self.alb);
        (balancer, format!("${{target-group.{group}.arn-suffix}}"))
    }

    /// The first place of the rules as specific as this one: those with a host come before those
    /// without, longer paths before shorter ones, and a whole path before one with wildcards.
    fn band(&self) -> u32 {
        let is_wild = |c: char| c == '*' || c == '?';
        let letters = self.path.chars().filter(|c| !is_wild(*c)).count();
        let whole = usize::from(!self.path.contains(is_wild));
        let length = u32::try_from(letters + whole).unwrap_or(LONGEST).min(LONGEST);
        let hostless = if self.hosts.is_empty() { LONGEST + 1 } else { 0 };
        OWN + (hostless + LONGEST - length) * BAND
    }
}

/// The target group's own port, which no target uses: ECS registers each task with its container's.
/// Were it the container's, a service that moves to another port would need another target group, and
/// could not roll from one to the other without a gap (B10).
const DEFAULT_PORT: u16 = 80;

/// Seconds for which the load balancer lets requests finish when nothing is said. AWS's own default
/// is 300, which makes each rollout five minutes longer (B20).
const DEREGISTRATION: u32 = 30;

/// Priorities below this one are the user's own.
const OWN: u32 = 1000;
/// The length of the longest path that AWS takes.
const LONGEST: u32 = 128;
/// Places in a band: two times 129 bands fill what is left of 50000.
const BAND: u32 = (50_000 - OWN) / (2 * (LONGEST + 1));

/// The priority of each route. It follows from the route's own words and the service's name, so that
/// another service seldom moves a rule: only when two fall on one place, the later name moves on.
pub(super) fn priorities(
    routes: &BTreeMap<String, Route>,
    sheet: &mut Sheet,
) -> BTreeMap<String, u32> {
    let mut taken: BTreeMap<(&str, u32), &Route> = BTreeMap::new();
    let mut places = BTreeMap::new();
    for (name, route) in routes {
        let Some(priority) = route.priority else { continue };
        places.insert(name.clone(), priority);
        if let Some(first) = taken.insert((&route.alb, priority), route) {
            let title = format!("two services have the priority {priority}");
            let fault = Diagnostic::error("E0266", title).at(route.keys.join("priority"), "");
            let fault = fault.at(first.keys.join("priority"), THE_OTHER);
            sheet.fault(fault.hint("leave out both, or give one of them another"));
        }
    }
    for (name, route) in routes.iter().filter(|(_, route)| route.priority.is_none()) {
        let start = slot(name);
        let place = (0..BAND)
            .map(|step| route.band() + (start + step) % BAND)
            .find(|place| !taken.contains_key(&(route.alb.as_str(), *place)));
        // A load balancer takes a hundred rules: a band is never full.
        let place = place.unwrap_or(route.band());
        taken.insert((&route.alb, place), route);
        places.insert(name.clone(), place);
    }
    places
}

/// A number below [`BAND`] that a name always has: FNV-1a, which will not change with a release of Rust.
fn slot(name: &str) -> u32 {
    let hash = name
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    hash % BAND
}

/// Says which services ask for the very same requests.
pub(super) fn check_same(routes: &BTreeMap<String, Route>, sheet: &mut Sheet) {
    let mut seen: BTreeMap<(&str, Option<&str>, &str), (&String, &Route)> = BTreeMap::new();
    for (name, route) in routes {
        let hosts = route.hosts.iter().map(|host| Some(host.as_str()));
        let any = route.hosts.is_empty().then_some(None);
        let keys: Vec<_> =
            hosts.chain(any).map(|host| (route.alb.as_str(), host, route.path.as_str())).collect();
        let Some((other, first)) = keys.iter().find_map(|key| seen.get(key).copied()) else {
            seen.extend(keys.into_iter().map(|key| (key, (name, route))));
            continue;
        };
        let title = format!("`{other}` and `{name}` both take `{}`", route.path);
        let fault = Diagnostic::error("E0266", title).at_key(route.keys.clone(), "");
        let fault = fault.at_key(first.keys.clone(), THE_OTHER);
        let hint =
            format!("let one take others, for example `service.{name}.http = \"/{name}/*\"`");
        sheet.fault(fault.hint(hint));
    }
}
