//! `connect`: where a service is found by the others of its stack, through Service Connect.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::declaration::Declaration;
use super::ground::{Ground, Mode};
use super::measure::Seconds;
use super::member::Members;
use super::sheet::Sheet;
use crate::address::Path;
use crate::diag::Diagnostic;

/// How other services of the stack find this one. Stands for `true`, or what is spoken: `"http"`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("x-shorthand" = "connect"))]
pub struct Connect {
    /// False keeps it out of the namespace.
    pub enabled: Option<bool>,
    /// The container that answers; needed when several have a port.
    pub container: Option<String>,
    /// The port that others connect to; the container's when left out.
    #[schemars(range(min = 1))]
    pub port: Option<u16>,
    /// The name under which others find it; the service's when left out.
    pub name: Option<String>,
    /// What is spoken there; `"tcp"`, which is right for everything, when left out. Of the others the proxies
    /// know requests: they try again elsewhere what a task did not answer, and count answers.
    pub protocol: Option<Spoken>,
    /// How long an answer may take, where requests are known; `"15s"` when left out.
    pub timeout: Option<Seconds>,
    /// How long a connection may be idle; `"5m"`, and for TCP an hour, when left out.
    pub idle: Option<Seconds>,
}

/// What is spoken between services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Spoken {
    /// Anything over TCP.
    Tcp,
    /// HTTP/1.
    Http,
    /// HTTP/2.
    Http2,
    /// gRPC.
    Grpc,
}

impl Spoken {
    /// ECS's word; it has none for TCP.
    fn word(self) -> Option<&'static str> {
        match self {
            Self::Tcp => None,
            Self::Http => Some("http"),
            Self::Http2 => Some("http2"),
            Self::Grpc => Some("grpc"),
        }
    }
}

/// Where a service is found.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Endpoint {
    connect: Connect,
    /// The name that clients use.
    pub(super) name: String,
    /// The port that clients use.
    pub(super) port: u16,
    container: String,
    /// The port of the container.
    pub(super) container_port: u16,
}

impl Endpoint {
    /// The port's name in the task definition. What is spoken over a port of one name can never change.
    pub(super) fn port_name(&self, name: &str) -> String {
        match self.connect.protocol.and_then(Spoken::word) {
            Some(word) => format!("{name}-{word}"),
            None => name.to_owned(),
        }
    }

    /// Names the port in the task definition.
    pub(super) fn name_port(&self, name: &str, task: &mut Declaration) {
        let containers = task.spec.get_mut("containers");
        let container = containers.and_then(|all| all.get_mut(&self.container));
        let ports = container.and_then(|it| it.get_mut("ports")).and_then(Json::as_array_mut);
        for port in ports.into_iter().flatten() {
            if port["container-port"] == self.container_port && port["protocol"] != "udp" {
                port["name"] = self.port_name(name).into();
                if let Some(word) = self.connect.protocol.and_then(Spoken::word) {
                    port["app-protocol"] = word.into();
                }
            }
        }
    }

    /// What ECS is told of it.
    pub(super) fn service(&self) -> Json {
        let mut timeout = Map::new();
        let said = [
            ("per-request-timeout-seconds", self.connect.timeout),
            ("idle-timeout-seconds", self.connect.idle),
        ];
        for (field, seconds) in said {
            timeout.extend(seconds.map(|it| (field.to_owned(), Json::from(it.0))));
        }
        let mut service =
            json!({ "discovery-name": self.name, "dns-name": self.name, "port": self.port });
        if !timeout.is_empty() {
            service["timeout"] = timeout.into();
        }
        service
    }
}

/// Where others find the service `name`; or what is missing for that.
pub(super) fn endpoint(
    name: &str,
    connect: &Connect,
    members: &Members,
    ground: &Ground,
    sheet: &mut Sheet,
) -> Option<Endpoint> {
    let keys = Path::of(["service", name, "connect"]);
    let mut fault = |key: Option<&str>, title: String, hint: &str| {
        let place = key.map_or(keys.clone(), |key| keys.join(key));
        sheet.fault(Diagnostic::error("E0342", title).at_key(place, "").hint(hint));
        None
    };
    if matches!(ground.mode, Mode::Host | Mode::None) {
        let title =
            format!("Service Connect cannot reach the network mode `{}`", ground.mode.word());
        return fault(None, title, "leave `network-mode` out, or write `\"bridge\"`");
    }
    let is_tcp = connect.protocol.and_then(Spoken::word).is_none();
    if connect.timeout.is_some() && is_tcp {
        let title = "over TCP nobody knows requests, and when one is answered".to_owned();
        return fault(Some("timeout"), title, "add `protocol = \"http\"`, or write `idle`");
    }
    let (container, container_port) =
        listener(name, connect.container.as_ref(), members, ("E0342", &keys), sheet)?;
    let own = connect.name.clone().unwrap_or_else(|| name.to_owned());
    Some(Endpoint {
        connect: connect.clone(),
        name: own,
        port: connect.port.unwrap_or(container_port),
        container,
        container_port,
    })
}

/// The container of the service `name` to which others connect, and its port; or what is missing for that, said
/// of the table `keys`.
pub(super) fn listener(
    name: &str,
    said: Option<&String>,
    members: &Members,
    (code, keys): (&'static str, &Path),
    sheet: &mut Sheet,
) -> Option<(String, u16)> {
    let mut fault = |key: Option<&str>, title: String, hint: &str| {
        let place = key.map_or(keys.clone(), |key| keys.join(key));
        sheet.fault(Diagnostic::error(code, title).at_key(place, "").hint(hint));
        None
    };
    let word = keys.steps().last().copied().unwrap_or_default().to_owned();
    let listens = members.iter().filter(|(_, member)| member.container.port.is_some());
    let listens: Vec<&str> = listens.map(|(name, _)| name.as_str()).collect();
    let container = match (said, listens.as_slice()) {
        (Some(said), _) if !members.contains_key(said) => {
            sheet.unknown("container", said, keys.join("container"), members.keys());
            return None;
        }
        (Some(said), _) => said.as_str(),
        (None, [only]) => only,
        (None, several) if several.contains(&name) => name,
        (None, []) => {
            let title = format!("`{name}` has no port to which others could connect");
            return fault(None, title, &format!("add `port`, or leave `{word}` out"));
        }
        (None, _) => {
            let title = format!("which container of `{name}` others connect to is not said");
            return fault(None, title, &format!("write `{word}.container`"));
        }
    };
    let Some(port) = members[container].container.port else {
        let title = format!("`{container}` has no port to which others could connect");
        return fault(Some("container"), title, "give the container a `port`");
    };
    Some((container.to_owned(), port))
}
