//! `discover`: a name of a service in the VPC's own DNS, which AWS Cloud Map keeps. Whoever is in the VPC finds it
//! there, at any time, and asks the tasks themselves.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::connect::listener;
use super::declaration::Declaration;
use super::ground::{Ground, Mode};
use super::measure::Seconds;
use super::member::Members;
use super::network::VPC;
use super::sheet::Sheet;
use crate::address::Path;
use crate::diag::Diagnostic;

/// How a service is found by DNS. Stands for `true`, or its name there: `"cache"`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("x-shorthand" = "discover"))]
pub struct Discover {
    /// False keeps it out of the zone.
    pub enabled: Option<bool>,
    /// The name in the zone; the service's when left out.
    pub name: Option<String>,
    /// How long an answer may be kept; `"10s"` when left out.
    pub ttl: Option<Seconds>,
    /// What is told: addresses (`"a"`), or hosts and ports (`"srv"`). Left out, it is addresses where tasks have
    /// some of their own.
    pub record: Option<Record>,
    /// The container that answers; needed when several have a port.
    pub container: Option<String>,
}

/// What DNS tells of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Record {
    /// The addresses of its tasks.
    A,
    /// Hosts and ports.
    Srv,
}

/// The seconds for which an answer may be kept when nothing is said: tasks come and go.
const TTL: u32 = 10;
/// The zone, as names refer to it.
const ZONE: &str = "${dns-namespace.main.name}";

/// Where a service is found by DNS.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Place {
    discover: Discover,
    /// What its tasks run on.
    pub(super) ground: Ground,
    record: Record,
    container: String,
    /// The port of the container.
    pub(super) port: u16,
}

impl Place {
    /// The name by which others find the service `name`, with its zone.
    pub(super) fn host(&self, name: &str) -> String {
        format!("${{discovery-service.{name}.name}}.{ZONE}")
    }

    /// Whether the name alone leads there: of hosts and ports the port has to be asked, too.
    pub(super) fn has_port(&self) -> bool {
        self.record == Record::A
    }

    /// The name in Cloud Map, and what ECS is told of it.
    pub(super) fn expand(&self, name: &str, sheet: &mut Sheet) -> Json {
        let keys = Path::of(["service", name, "discover"]);
        let own = self.discover.name.clone().unwrap_or_else(|| name.to_owned());
        let record = match self.record {
            Record::A => "A",
            Record::Srv => "SRV",
        };
        let service = Declaration::new("discovery-service", name, &Path::of(["service", name]))
            .from("name", own, keys.join("name"))
            .from("namespace", "${dns-namespace.main.arn}", keys.clone())
            .from("records", json!([record]), keys.join("record"))
            .from("ttl", self.discover.ttl.map_or(TTL, |ttl| ttl.0), keys.join("ttl"));
        let mut registry = json!({ "registry-arn": service.output("arn") });
        if self.record == Record::Srv {
            registry["container-name"] = self.container.as_str().into();
            registry["container-port"] = self.port.into();
        }
        sheet.add(service);
        json!([registry])
    }
}

/// Where others find the service `name`; or what is missing for that.
pub(super) fn place(
    name: &str,
    discover: &Discover,
    members: &Members,
    ground: &Ground,
    sheet: &mut Sheet,
) -> Option<Place> {
    let keys = Path::of(["service", name, "discover"]);
    let mut fault = |key: Option<&str>, title: String, hint: &str| {
        let place = key.map_or(keys.clone(), |key| keys.join(key));
        sheet.fault(Diagnostic::error("E0385", title).at_key(place, "").hint(hint));
        None
    };
    let record = match (discover.record, ground.mode) {
        (_, Mode::None) => {
            let title = "nobody can reach containers without a network".to_owned();
            return fault(None, title, "leave `discover` out, or `network-mode`");
        }
        (Some(Record::A), Mode::Bridge | Mode::Host) => {
            let title = format!(
                "in the network mode `{}` an address does not say which port is meant",
                ground.mode.word()
            );
            return fault(Some("record"), title, "write `record = \"srv\"`, or leave it out");
        }
        (None, Mode::Bridge | Mode::Host) => Record::Srv,
        (None, Mode::Awsvpc) => Record::A,
        (Some(said), _) => said,
    };
    let (container, port) =
        listener(name, discover.container.as_ref(), members, ("E0385", &keys), sheet)?;
    Some(Place { discover: discover.clone(), ground: ground.clone(), record, container, port })
}

/// The zone that the names are in. `domain` is what the network calls it; `section` the first service that has a
/// name there.
pub(super) fn zone(domain: Option<&String>, section: &Path) -> Declaration {
    Declaration::new("dns-namespace", "main", section)
        .maybe("name", domain.cloned(), Path::of(["network", "domain"]))
        .with("vpc-id", VPC)
}
