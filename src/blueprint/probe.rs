//! What a load balancer asks a service's tasks to find out whether they are healthy.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::declaration::Declaration;
use super::further::Transport;
use super::member::Members;
use super::service::{Container, Health, Service};
use super::sheet::Sheet;
use crate::address::Path;
use crate::diag::Diagnostic;

/// How a load balancer finds out whether a task is healthy.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Probe {
    /// It asks for a path.
    Requests(Layers),
    /// It connects, or asks for a path. What is written, and where.
    Port(Path, Health),
}

impl Probe {
    /// That of a port of a network load balancer. UDP answers nobody who has nothing to say: another port of the
    /// container is asked.
    pub(super) fn of_port(
        transport: Transport,
        mut health: Health,
        container: &Container,
        keys: &Path,
        sheet: &mut Sheet,
    ) -> Option<Self> {
        if transport == Transport::Udp && health.port.is_none() {
            health.port = container.port;
            if health.port.is_none() {
                let title = "nothing tells whether a task is healthy that listens on UDP alone";
                let fault = Diagnostic::error("E0372", title).at(keys.join("udp"), "");
                let hint = "write a TCP port that answers: `health = { port = 8080 }`";
                sheet.fault(fault.hint(hint));
                return None;
            }
        }
        Some(Self::Port(keys.join("health"), health))
    }

    /// The port that is asked, unless it is the one that answers.
    pub(super) fn port(&self) -> Option<u16> {
        match self {
            Self::Requests(layers) => layers.find(|health| health.port),
            Self::Port(_, health) => health.port,
        }
    }

    /// Gives a target group its health check.
    pub(super) fn check(&self, group: Declaration) -> Declaration {
        let (keys, health) = match self {
            Self::Requests(layers) => return layers.check(group),
            Self::Port(keys, health) => (keys, health),
        };
        if health.path.is_some() {
            let mut group = Layers(vec![(keys.clone(), health.clone())]).check(group);
            group.spec["health-check"]["protocol"] = "HTTP".into();
            return group.decided(["health-check", "protocol"], keys.join("path"));
        }
        let interval = health.interval.map_or(INTERVAL, |interval| interval.0);
        let mut check = json!({
            "protocol": "TCP",
            "port": ANSWERING,
            "interval-seconds": interval,
            "timeout-seconds": timeout(interval),
            "healthy-threshold": 2,
            "unhealthy-threshold": 2,
        });
        let of_http = ["path", "matcher"];
        let mut group = group;
        for (field, key, said) in FIELDS.into_iter().filter(|(field, ..)| !of_http.contains(field))
        {
            if let Some(value) = said(health) {
                check[field] = value;
            }
            group = group.decided(["health-check", field], keys.join(key));
        }
        group.with("health-check", check).decided(["health-check", "protocol"], keys.join("path"))
    }
}

/// The port at which a target answers. It is always said: nobody else would take back another one.
const ANSWERING: &str = "traffic-port";

/// Seconds between two questions when nothing is said.
const INTERVAL: u32 = 10;

/// An answer must come before the next question; AWS waits two seconds for it at least.
fn timeout(interval: u32) -> u32 {
    interval.saturating_sub(1).clamp(2, 5)
}

/// A load balancer cannot run a command.
pub(super) fn check_command(health: Option<&Health>, keys: &Path, sheet: &mut Sheet) {
    if health.is_some_and(|health| health.command.is_some()) {
        let title = "a load balancer cannot run a command";
        let fault = Diagnostic::error("E0268", title).at(keys.join("health"), "");
        sheet.fault(fault.hint("write a path such as \"/healthz\", or put it in the container"));
    }
}

/// A path is asked for by a load balancer, and these are the containers that it asks.
pub(super) fn check_unasked(asked: &BTreeSet<&str>, members: &Members, sheet: &mut Sheet) {
    for (_, member) in members.iter().filter(|(name, _)| !asked.contains(name.as_str())) {
        let path = member.container.health.as_ref().and_then(|health| health.path.as_ref());
        // The key at the top may be a default for all services: there it is the load balancer's.
        if path.is_some() && member.keys.0.len() > 2 {
            let answering = asked.iter().copied().collect::<Vec<_>>().join("`, `");
            let title = format!("no load balancer asks this container: `{answering}` answers");
            let fault = Diagnostic::error("E0268", title).at(member.keys.join("health"), "");
            sheet.fault(fault.hint("write a command that is run in the container"));
        }
    }
}

/// What is written of health, closest to the load balancer first, each with where it is written. There
/// is always a last one, which is where one would write what nobody has written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layers(Vec<(Path, Health)>);

impl Layers {
    /// What the service `name` says of the container that answers; `own` is what the route itself says.
    pub(super) fn new(
        service: &Service,
        name: &str,
        own: Option<(Path, &Health)>,
        answering: &str,
        members: &Members,
    ) -> Self {
        let section = Path::of(["service", name]);
        let member = members.get(answering);
        let container = member.and_then(|member| {
            Some((member.keys.join("health"), member.container.health.as_ref()?))
        });
        let layers = [
            own,
            container,
            service.health.as_ref().map(|health| (section.join("health"), health)),
        ];
        let nobody = (section.join("health"), &Health::default());
        // Times beside a command alone are that command's.
        let layers = layers.into_iter().flatten().chain([nobody]);
        let layers = layers.filter(|(_, it)| it.path.is_some() || it.command.is_none());
        Self(layers.map(|(keys, health)| (keys, health.clone())).collect())
    }

    /// Gives a target group its health check. What is written closest wins, key by key.
    pub(super) fn check(&self, mut group: Declaration) -> Declaration {
        let interval = self.find(|health| health.interval).map_or(INTERVAL, |interval| interval.0);
        let mut check = json!({
            "path": "/",
            "port": ANSWERING,
            "interval-seconds": interval,
            "timeout-seconds": timeout(interval),
            "healthy-threshold": 2,
            "unhealthy-threshold": 2,
            "matcher": "200-399",
        });
        for (field, key, said) in FIELDS {
            let written = self.0.iter().find_map(|(keys, health)| Some((keys, said(health)?)));
            let keys = match written {
                Some((keys, value)) => {
                    check[field] = value;
                    keys
                }
                None => &self.0[self.0.len() - 1].0,
            };
            group = group.decided(["health-check", field], keys.join(key));
        }
        group.with("health-check", check)
    }

    fn find<T>(&self, said: impl Fn(&Health) -> Option<T>) -> Option<T> {
        self.0.iter().find_map(|(_, health)| said(health))
    }
}

/// A field of a target group's health check, the key that says it, and what that key says.
type Field = (&'static str, &'static str, fn(&Health) -> Option<Json>);

const FIELDS: [Field; 7] = [
    ("port", "port", |health| health.port.map(|port| port.to_string().into())),
    ("path", "path", |health| health.path.clone().map(Json::from)),
    ("interval-seconds", "interval", |health| health.interval.map(|time| time.0.into())),
    ("timeout-seconds", "timeout", |health| health.timeout.map(|time| time.0.into())),
    ("healthy-threshold", "healthy", |health| health.healthy.map(Json::from)),
    ("unhealthy-threshold", "unhealthy", |health| health.unhealthy.map(Json::from)),
    ("matcher", "codes", |health| health.codes.clone().map(Json::from)),
];
