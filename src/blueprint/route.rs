//! What load balancers send to a service: target groups, and the listeners of network load balancers. Which
//! requests of an application load balancer go where is in `claim`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::alb::TLS;
use super::balancers::{Balancer, Balancers, named};
use super::claim::Claim;
use super::declaration::Declaration;
use super::further::{self, Further, Transport};
use super::ground::{Ground, Mode};
use super::member::{Member, Members};
use super::network::VPC;
use super::probe::{self, Layers, Probe};
use super::service::{Health, Http, Service};
use super::sheet::Sheet;
use super::shift;
use crate::address::Path;
use crate::diag::Diagnostic;

/// A way from a load balancer to a service.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Route {
    /// The service.
    pub(super) service: String,
    /// The name of its target group: the service's, and behind it that of a further route.
    pub(super) group: String,
    /// The load balancer.
    pub(super) balancer: Balancer,
    /// The container that answers.
    pub(super) container: String,
    /// The port that answers.
    pub(super) port: u16,
    /// What is sent.
    pub(super) lead: Lead,
    /// How the load balancer finds out whether a task is healthy.
    probe: Probe,
    /// Where it is written: `service.web.http`, or `service.web` when a port is all that is.
    pub(super) keys: Path,
    /// Where its keys stand: `service.web.http`, `service.web.route.admin`.
    pub(super) section: Path,
}

/// What a load balancer sends.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Lead {
    /// Requests that have been asked for.
    Requests(Claim),
    /// All that comes to a port.
    Port(Transport, u16),
}

/// Whether `http` leads to the service. It does so unasked where there is a port and nothing else is said.
pub(super) fn has_http(service: &Service) -> bool {
    if service.public == Some(false) {
        return false;
    }
    let asked = service.public == Some(true) || service.port.is_some();
    match &service.http {
        Some(http) => http.enabled != Some(false),
        None => service.route.is_empty() && asked,
    }
}

/// Whether any load balancer leads to the service.
pub(super) fn is_public(service: &Service) -> bool {
    has_http(service) || further::of(service).next().is_some()
}

/// Whether an application load balancer leads to the service.
pub(super) fn wants_alb(service: &Service) -> bool {
    has_http(service) || further::of(service).any(|(_, route)| route.is_of_requests())
}

/// Whether a network load balancer leads to the service.
pub(super) fn wants_nlb(service: &Service) -> bool {
    further::of(service).any(|(_, route)| route.listener().is_some())
}

/// A service whose routes are looked for.
#[derive(Clone, Copy)]
pub(super) struct Site<'a> {
    /// Its name.
    pub(super) name: &'a str,
    /// What the spec says of it.
    pub(super) service: &'a Service,
    /// Its containers.
    pub(super) members: &'a Members,
    /// What it runs on.
    pub(super) ground: &'a Ground,
    /// The load balancers.
    pub(super) balancers: &'a Balancers,
}

/// The routes to a service as far as nothing is wrong with them: that of `http` first.
pub(super) fn routes(site: Site<'_>, sheet: &mut Sheet) -> Vec<Route> {
    let Site { name, service, members, .. } = site;
    let section = Path::of(["service", name]);
    let mut found = Vec::new();
    if has_http(service) {
        let http = service.http.clone().unwrap_or_default();
        let keys = if service.http.is_some() { section.join("http") } else { section.clone() };
        let place = Place { group: name.to_owned(), keys, section: section.join("http") };
        found.extend(requests(site, place, &http, sheet));
    }
    for (own, route) in further::of(service) {
        let keys = section.join("route").join(own);
        route.check(&keys, sheet);
        let place = Place { group: format!("{name}-{own}"), section: keys.clone(), keys };
        found.extend(match route.listener() {
            Some(listener) => port(site, place, route, listener, sheet),
            None if route.is_of_requests() => requests(site, place, &route.http(), sheet),
            None => None,
        });
    }
    let asked = found.iter().filter(|route| matches!(route.lead, Lead::Requests(_)));
    let asked: BTreeSet<&str> = asked.map(|route| route.container.as_str()).collect();
    if !asked.is_empty() {
        probe::check_unasked(&asked, members, sheet);
    }
    found
}

/// Where a route is written, and the name of its target group.
struct Place {
    group: String,
    keys: Path,
    section: Path,
}

/// A route of an application load balancer.
fn requests(site: Site<'_>, place: Place, http: &Http, sheet: &mut Sheet) -> Option<Route> {
    let Site { name, service, members, balancers, .. } = site;
    let Place { group, keys, section } = place;
    let alb = balancer("alb", http.alb.as_ref(), &balancers.albs, &keys, sheet);
    let said = Answer { container: http.container.as_ref(), port: http.port, over: Transport::Tcp };
    let (container, port) = target(name, &said, &keys, members, sheet)?;
    probe::check_command(http.health.as_ref(), &keys, sheet);
    let own = http.health.as_ref().map(|health| (section.join("health"), health));
    let probe = Probe::Requests(Layers::new(service, name, own, &container, members));
    let balancer = Balancer::Application(alb?);
    let hosts = service.domain.as_ref().filter(|_| http.host.is_none() || group == name);
    let claim = Claim::new(http, hosts);
    let (service, lead) = (name.to_owned(), Lead::Requests(claim));
    Some(Route { service, group, balancer, container, port, lead, probe, keys, section })
}

/// A route of a network load balancer.
fn port(
    site: Site<'_>,
    place: Place,
    route: &Further,
    (transport, listener): (Transport, u16),
    sheet: &mut Sheet,
) -> Option<Route> {
    let Site { name, members, ground, balancers, .. } = site;
    let Place { group, keys, section } = place;
    let nlb = balancer("nlb", route.nlb.as_ref(), &balancers.nlbs, &keys, sheet);
    let said = Answer { container: route.container.as_ref(), port: route.port, over: transport };
    let (container, port) = target(name, &said, &keys, members, sheet)?;
    probe::check_command(route.health.as_ref(), &keys, sheet);
    check_sharing(transport, route.health.as_ref(), ground, &keys, sheet)?;
    let own = &members[&container].container;
    let health = route.health.clone().unwrap_or_default();
    let probe = Probe::of_port(transport, health, own, &keys, sheet)?;
    let balancer = Balancer::Network(nlb?);
    let nlb = &balancers.nlbs[balancer.name()];
    if transport == Transport::Tls && !nlb.has_certificate() {
        // It may be said in what could not be read.
        if sheet.unread.may_name("nlb", balancer.name()) {
            return None;
        }
        let title = format!("`{}` has no certificate to show", balancer.section());
        let fault = Diagnostic::error("E0373", title).at(keys.join("tls"), "");
        let hint = format!("write `certificate` or `domain` in `[{}]`", balancer.section());
        sheet.fault(fault.hint(hint));
    }
    let (service, lead) = (name.to_owned(), Lead::Port(transport, listener));
    Some(Route { service, group, balancer, container, port, lead, probe, keys, section })
}

/// E0372: containers in bridge mode are at any port of the instance, another for TCP than for UDP.
fn check_sharing(
    transport: Transport,
    health: Option<&Health>,
    ground: &Ground,
    keys: &Path,
    sheet: &mut Sheet,
) -> Option<()> {
    let asked = health.is_some_and(|health| health.port.is_some());
    let datagrams = matches!(transport, Transport::Udp | Transport::TcpUdp);
    if ground.mode != Mode::Bridge || !(asked || datagrams) {
        return Some(());
    }
    let (key, title) = match datagrams {
        true => {
            (transport.key(), "in bridge mode UDP and TCP are at different ports of the instance")
        }
        false => {
            ("health", "in bridge mode nobody knows at which port of the instance it is asked")
        }
    };
    let fault = Diagnostic::error("E0372", title).at(keys.join(key), "");
    sheet.fault(fault.hint("leave `network-mode` out, or write `\"host\"`"));
    None
}

fn balancer<T>(
    section: &str,
    written: Option<&String>,
    all: &BTreeMap<String, T>,
    keys: &Path,
    sheet: &mut Sheet,
) -> Option<String> {
    let name = named(written, all);
    if all.contains_key(name) {
        return Some(name.to_owned());
    }
    if !sheet.unread.may_name(section, name) {
        let what = if section == "nlb" { "network load balancer" } else { "load balancer" };
        sheet.unknown(what, name, keys.join(section), all.keys());
    }
    None
}

/// What is said of who answers.
struct Answer<'a> {
    container: Option<&'a String>,
    port: Option<u16>,
    over: Transport,
}

impl Answer<'_> {
    /// The port at which a container answers if nothing else is said.
    fn own(&self, member: &Member) -> Option<u16> {
        match self.over {
            Transport::Udp => member.container.udp,
            Transport::TcpUdp => member.container.port.or(member.container.udp),
            Transport::Tcp | Transport::Tls => member.container.port,
        }
    }

    fn key(&self) -> &'static str {
        if self.over == Transport::Udp { "udp" } else { "port" }
    }
}

/// The container and the port that answer, and the key that says which port.
fn target(
    name: &str,
    said: &Answer<'_>,
    keys: &Path,
    members: &Members,
    sheet: &mut Sheet,
) -> Option<(String, u16)> {
    let container = match said.container {
        Some(container) => container,
        None => listening(name, said, keys, members, sheet)?,
    };
    let Some(member) = members.get(container) else {
        sheet.unknown("container", container, keys.join("container"), members.keys());
        return None;
    };
    let Some(port) = said.port.or(said.own(member)) else {
        let title = format!("the port that `{container}` answers on is not said");
        let fault = Diagnostic::error("E0264", title).at_key(member.keys.clone(), "");
        let hint = format!("add `{}`, or write `public = false`", said.key());
        sheet.fault(fault.hint(hint));
        return None;
    };
    Some((container.clone(), port))
}

/// The container that answers when it is not said: the one with the service's name, or the only one.
fn listening<'m>(
    name: &str,
    said: &Answer<'_>,
    keys: &Path,
    members: &'m Members,
    sheet: &mut Sheet,
) -> Option<&'m String> {
    let own: Vec<_> = members.iter().filter(|(_, member)| !member.is_daemon()).collect();
    let with_port = own.iter().filter(|(_, member)| said.own(member).is_some());
    let with_port: Vec<&String> = with_port.map(|(name, _)| *name).collect();
    let called = with_port.iter().find(|container| **container == name);
    match (with_port.as_slice(), called, own.as_slice()) {
        ([only], ..) => return Some(only),
        (_, Some(called), _) => return Some(called),
        ([], None, [(only, _)]) => return Some(only),
        // That there is no container has been said.
        ([], None, []) => return None,
        (_, None, _) => {}
    }
    let title = format!("which container of `{name}` answers requests is not said");
    let fault = Diagnostic::error("E0264", title).at_key(keys.clone(), "");
    let way = match keys.steps().as_slice() {
        [_, _, "route", route] => format!("route.{route}"),
        _ => "http".to_owned(),
    };
    sheet.fault(fault.hint(match with_port.first() {
        None => format!("give a container a `{}`, or write `public = false`", said.key()),
        Some(first) => format!("write for example `{way}.container = \"{first}\"`"),
    }));
    None
}

impl Route {
    /// The ports of the container at which something comes, and over what.
    pub(super) fn doors(&self) -> Vec<(&'static str, u16)> {
        let protocols = match self.lead {
            Lead::Requests(_) => &["tcp"][..],
            Lead::Port(transport, _) => transport.protocols(),
        };
        let asked = self.probe.port().map(|port| ("tcp", port));
        protocols.iter().map(|protocol| (*protocol, self.port)).chain(asked).collect()
    }

    /// Its target group.
    pub(super) fn target_group(&self, service: &Service, target_type: &str) -> Declaration {
        let section = Path::of(["service", &self.service]);
        let delay = service.deregistration.map_or(DEREGISTRATION, |delay| delay.0);
        let protocol = match self.lead {
            Lead::Requests(_) => "HTTP",
            Lead::Port(transport, _) => transport.passes_on(),
        };
        let group = Declaration::new("target-group", &self.group, &section)
            .with("port", DEFAULT_PORT)
            .with("protocol", protocol)
            .with("vpc-id", VPC)
            .from("target-type", target_type, section.join("network-mode"))
            .from("deregistration-delay-seconds", delay, section.join("deregistration"));
        self.probe.check(group)
    }

    /// The listener of a network load balancer: it has no rules, and leads to one target group.
    pub(super) fn listener(&self, balancers: &Balancers) -> Option<Declaration> {
        let Lead::Port(transport, port) = self.lead else { return None };
        let section = Path::of(["service", &self.service]);
        let key = self.section.join(transport.key());
        let balancer = format!("${{load-balancer.{}.arn}}", self.balancer.own());
        let listener = Declaration::new("listener", &self.group, &section)
            .from("load-balancer-arn", balancer, self.section.join("nlb"))
            .from("port", port, key.clone())
            .from("protocol", transport.word(), key)
            .with(
                "default-action",
                json!({ "forward": format!("${{target-group.{}.arn}}", self.group) }),
            );
        let certificate = balancers.nlbs[self.balancer.name()].certificate(&self.balancer);
        let shown = certificate.filter(|_| transport == Transport::Tls);
        let Some((certificate, key)) = shown else { return Some(listener) };
        Some(listener.from("certificate-arn", certificate, key).with("ssl-policy", TLS))
    }

    /// The names of its target groups: two where the service's requests are moved from one to the other.
    pub(super) fn groups(&self, service: &Service) -> Vec<String> {
        match self.group == self.service {
            true => shift::groups(&self.service, service),
            false => vec![self.group.clone()],
        }
    }

    /// The load balancer's and the target group's ARN suffix, by which CloudWatch knows them.
    pub(super) fn suffixes(&self, group: &str) -> (String, String) {
        (self.balancer.suffix(), format!("${{target-group.{group}.arn-suffix}}"))
    }
}

/// The route whose requests are counted: that of `http`, or the only one of its sort.
pub(super) fn counted(routes: &[Route]) -> Option<&Route> {
    let mut asked = routes.iter().filter(|route| matches!(route.lead, Lead::Requests(_)));
    let first = asked.next()?;
    (first.group == first.service || asked.next().is_none()).then_some(first)
}

/// The route whose tasks are counted, the healthy and the others: who only takes connections has them too.
pub(super) fn watched(routes: &[Route]) -> Option<&Route> {
    counted(routes).or(routes.first().filter(|_| routes.len() == 1))
}

/// The target group's own port, which no target uses: ECS registers each task with its container's.
/// Were it the container's, a service that moves to another port would need another target group, and
/// could not roll from one to the other without a gap (B10).
const DEFAULT_PORT: u16 = 80;

/// Seconds for which the load balancer lets requests finish when nothing is said. AWS's own default
/// is 300, which makes each rollout five minutes longer (B20).
const DEREGISTRATION: u32 = 30;
