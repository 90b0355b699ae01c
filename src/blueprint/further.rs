//! `[service.x.route.y]`: a further way to a service, with a target group of its own: requests over HTTP, as `http`
//! says them, or whatever comes to a port of a network load balancer.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Deserialize;

use super::Document;
use super::balancers::named;
use super::measure::Cidr;
use super::nlb::Nlb;
use super::service::{Health, Http, Service};
use super::sheet::Sheet;
use crate::address::Path;
use crate::diag::{Diagnostic, THE_OTHER};

/// A further way to a service. With `tcp`, `udp`, `tcp-udp` or `tls` it leads through a network load balancer, otherwise
/// through an application load balancer, as `http` does.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Further {
    /// The container that answers; needed when several have a port.
    pub container: Option<String>,
    /// The port that answers, besides those that the container says itself; its own when left out.
    #[schemars(range(min = 1))]
    pub port: Option<u16>,
    /// What the load balancer asks to find out whether a task is healthy. Of a network load balancer: whether it takes a
    /// connection, unless there is a `path`.
    pub health: Option<Health>,
    /// The port of the network load balancer that takes TCP connections.
    #[schemars(range(min = 1))]
    pub tcp: Option<u16>,
    /// The port of the network load balancer that takes UDP.
    #[schemars(range(min = 1))]
    pub udp: Option<u16>,
    /// The port of the network load balancer that takes both.
    #[schemars(range(min = 1))]
    pub tcp_udp: Option<u16>,
    /// The port of the network load balancer that takes TLS connections, which end there: tasks get TCP.
    #[schemars(range(min = 1))]
    pub tls: Option<u16>,
    /// The network load balancer; `main` when left out.
    pub nlb: Option<String>,
    /// The paths: `*` stands for any text, `?` for any character; `"/*"` when left out.
    #[schemars(extend("x-format" = "paths"))]
    pub path: Option<String>,
    /// The host name, with the same wildcards; those of the service's `domain`, or any, when left out.
    #[schemars(extend("x-format" = "host"))]
    pub host: Option<String>,
    /// Only requests with one of these methods.
    #[serde(default)]
    pub methods: BTreeSet<String>,
    /// Only requests with these header fields, each with one of some values.
    #[serde(default)]
    pub headers: BTreeMap<String, BTreeSet<String>>,
    /// Only requests with one of these in their query: `key=value`, or a value alone.
    #[serde(default)]
    pub queries: BTreeSet<String>,
    /// Only requests of clients in these networks.
    #[serde(default)]
    pub sources: BTreeSet<Cidr>,
    /// The application load balancer; `main` when left out.
    pub alb: Option<String>,
    /// The rule's place among all of the load balancer, least first. Left out, longer paths go first.
    #[schemars(range(min = 1, max = 50000))]
    pub priority: Option<u32>,
    /// The share of the requests, beside others that claim the very same.
    #[schemars(range(max = 999))]
    pub weight: Option<u32>,
}

/// What a port of a network load balancer takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Transport {
    /// Connections over TCP.
    Tcp,
    /// Datagrams.
    Udp,
    /// Both.
    TcpUdp,
    /// Connections over TLS, which it ends.
    Tls,
}

impl Transport {
    /// The key that says it.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::TcpUdp => "tcp-udp",
            Self::Tls => "tls",
        }
    }

    /// The API's word for what the listener takes.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
            Self::TcpUdp => "TCP_UDP",
            Self::Tls => "TLS",
        }
    }

    /// The API's word for what tasks get.
    pub(super) fn passes_on(self) -> &'static str {
        match self {
            Self::Tls => "TCP",
            other => other.word(),
        }
    }

    /// What security groups and containers call it.
    pub(super) fn protocols(self) -> &'static [&'static str] {
        match self {
            Self::Tcp | Self::Tls => &["tcp"],
            Self::Udp => &["udp"],
            Self::TcpUdp => &["tcp", "udp"],
        }
    }

    /// What addresses begin with.
    pub(super) fn scheme(self) -> &'static str {
        match self {
            Self::Tcp | Self::TcpUdp => "tcp",
            Self::Udp => "udp",
            Self::Tls => "tls",
        }
    }
}

impl Further {
    /// The ports of a network load balancer that it names: one, or none if it is about requests.
    fn listens(&self) -> impl Iterator<Item = (Transport, u16)> {
        let said = [
            (Transport::Tcp, self.tcp),
            (Transport::Udp, self.udp),
            (Transport::TcpUdp, self.tcp_udp),
            (Transport::Tls, self.tls),
        ];
        said.into_iter().filter_map(|(transport, port)| Some((transport, port?)))
    }

    /// The port of a network load balancer that leads here, unless it is about requests.
    pub(super) fn listener(&self) -> Option<(Transport, u16)> {
        self.listens().next()
    }

    /// Whether requests come by it, through an application load balancer.
    pub(super) fn is_of_requests(&self) -> bool {
        self.listener().is_none() && self.nlb.is_none()
    }

    /// The same as `http` would say it.
    pub(super) fn http(&self) -> Http {
        let Self { container, port, health, path, host, methods, headers, queries, .. } = self;
        Http {
            enabled: None,
            container: container.clone(),
            port: *port,
            path: path.clone(),
            host: host.clone(),
            methods: methods.clone(),
            headers: headers.clone(),
            queries: queries.clone(),
            sources: self.sources.clone(),
            alb: self.alb.clone(),
            priority: self.priority,
            weight: self.weight,
            health: health.clone(),
        }
    }

    /// E0371: whether it is one thing and not several.
    pub(super) fn check(&self, keys: &Path, sheet: &mut Sheet) {
        let said: Vec<&str> = self.listens().map(|(transport, _)| transport.key()).collect();
        if let [first, second, ..] = said.as_slice() {
            let title = format!(
                "a route has one port of a load balancer, and not `{first}` and `{second}`"
            );
            let fault = Diagnostic::error("E0371", title).at(keys.join(*second), "");
            let fault = fault.at(keys.join(*first), THE_OTHER);
            let hint = "make two routes of it; what takes TCP and UDP at one port is `tcp-udp`";
            sheet.fault(fault.hint(hint));
        }
        let of_requests = [
            ("path", self.path.is_some()),
            ("host", self.host.is_some()),
            ("methods", !self.methods.is_empty()),
            ("headers", !self.headers.is_empty()),
            ("queries", !self.queries.is_empty()),
            ("sources", !self.sources.is_empty()),
            ("alb", self.alb.is_some()),
            ("priority", self.priority.is_some()),
            ("weight", self.weight.is_some()),
        ];
        match said.first() {
            Some(port) => {
                for (key, _) in of_requests.into_iter().filter(|(_, is_said)| *is_said) {
                    let title =
                        format!("`{key}` is of requests, and what comes by `{port}` has none");
                    let fault = Diagnostic::error("E0371", title).at(keys.join(key), "");
                    sheet.fault(fault.hint(format!("leave out `{key}`, or `{port}`")));
                }
            }
            None if self.nlb.is_some() => {
                let title = "at which port of the network load balancer is not said";
                let fault = Diagnostic::error("E0371", title).at(keys.join("nlb"), "");
                sheet.fault(fault.hint("add `tcp`, `udp`, `tcp-udp` or `tls` with a port"));
            }
            None => {}
        }
    }
}

/// The further routes of a service, unless it is off every load balancer.
pub(super) fn of(service: &Service) -> impl Iterator<Item = (&String, &Further)> {
    service.route.iter().filter(|_| service.public != Some(false))
}

/// Tells network load balancers at which ports they listen.
pub(super) fn gather(document: &Document, nlbs: &mut BTreeMap<String, Nlb>) {
    for (_, route) in document.service.values().flat_map(of) {
        let Some((transport, port)) = route.listener() else { continue };
        let name = named(route.nlb.as_ref(), nlbs).to_owned();
        if let Some(nlb) = nlbs.get_mut(&name) {
            nlb.ports.insert((port, transport));
        }
    }
}
