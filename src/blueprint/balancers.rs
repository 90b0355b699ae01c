//! The load balancers of a stack: those that are declared, and one `main` of either sort when a service wants one
//! and none is declared.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use super::Document;
use super::alb::{Alb, Scheme};
use super::declaration::Declaration;
use super::further::Further;
use super::measure::Cidr;
use super::network::{Layout, VPC};
use super::nlb::Nlb;
use super::{domain, further, route, shift};
use crate::address::Path;
use crate::spec::Unread;

/// The load balancer that is made when none is declared.
pub(super) const MAIN: &str = "main";

/// Which load balancer is meant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Balancer {
    /// `[alb.x]`
    Application(String),
    /// `[nlb.x]`
    Network(String),
}

impl Balancer {
    /// Its name in the spec.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Application(name) | Self::Network(name) => name,
        }
    }

    /// The section that declares it.
    pub(super) fn section(&self) -> Path {
        match self {
            Self::Application(name) => Path::of(["alb", name]),
            Self::Network(name) => Path::of(["nlb", name]),
        }
    }

    /// The name of what it stands for: one of each sort may be called `main`.
    pub(super) fn own(&self) -> String {
        match self {
            Self::Application(name) => name.clone(),
            Self::Network(name) => format!("nlb-{name}"),
        }
    }

    /// The name of its security group, and what those of its alarms begin with.
    pub(super) fn group(&self) -> String {
        match self {
            Self::Application(name) => format!("alb-{name}"),
            Self::Network(name) => format!("nlb-{name}"),
        }
    }

    /// Its ARN's suffix, by which CloudWatch knows it, as an output.
    pub(super) fn suffix(&self) -> String {
        format!("${{load-balancer.{}.arn-suffix}}", self.own())
    }

    /// Whose metrics of CloudWatch its own are.
    pub(super) fn namespace(&self) -> &'static str {
        match self {
            Self::Application(_) => "AWS/ApplicationELB",
            Self::Network(_) => "AWS/NetworkELB",
        }
    }

    /// What it is, in a sentence.
    pub(super) fn told(&self) -> String {
        match self {
            Self::Application(name) => format!("load balancer {name}"),
            Self::Network(name) => format!("network load balancer {name}"),
        }
    }

    /// Its DNS name, as an output.
    pub(super) fn dns(&self) -> String {
        format!("${{load-balancer.{}.dns}}", self.own())
    }
}

/// What the network must know of a load balancer that stands in it.
pub(super) struct Stand<'a> {
    /// Which it is.
    pub(super) balancer: Balancer,
    /// Whether it has public addresses.
    pub(super) scheme: Scheme,
    /// Whom it lets in, if that is said.
    pub(super) from: Option<&'a BTreeSet<Cidr>>,
    /// In how many zones it stands at least.
    pub(super) zones: usize,
}

impl Stand<'_> {
    /// Its security group: clients may connect to its ports, each with its protocol.
    pub(super) fn security_group(&self, ports: &[(&str, u16)], network: &Layout) -> Declaration {
        let section = self.balancer.section();
        let sources = sources(self.from, self.scheme, network.cidr());
        let rule = |source: &String, (protocol, port): (&str, u16)| {
            json!({
                "protocol": protocol,
                "from-port": port,
                "to-port": port,
                "cidr": source,
                "description": "clients",
            })
        };
        let rules = sources.iter().flat_map(|source| ports.iter().map(|port| rule(source, *port)));
        Declaration::new("security-group", self.balancer.group(), &section)
            .with("description", self.balancer.told())
            .with("vpc-id", VPC)
            .from("ingress", rules.collect::<Json>(), section.join("from"))
    }
}

/// All load balancers by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Balancers {
    /// `[alb.x]`
    pub(super) albs: BTreeMap<String, Alb>,
    /// `[nlb.x]`
    pub(super) nlbs: BTreeMap<String, Nlb>,
}

impl Balancers {
    /// One that could not be read is there at its defaults: services may name it.
    pub(super) fn of(document: &Document, unread: &Unread) -> Self {
        let (mut albs, mut nlbs) = (document.alb.clone(), document.nlb.clone());
        albs.extend(unread.names("alb").map(|name| (name.to_owned(), Alb::default())));
        nlbs.extend(unread.names("nlb").map(|name| (name.to_owned(), Nlb::default())));
        let services = || document.service.values();
        if albs.is_empty() && services().any(route::wants_alb) {
            albs.insert(MAIN.to_owned(), Alb::default());
        }
        if nlbs.is_empty() && services().any(route::wants_nlb) {
            nlbs.insert(MAIN.to_owned(), Nlb::default());
        }
        let mut all = Self { albs, nlbs };
        domain::gather(document, &mut all);
        shift::gather(document, &mut all.albs);
        further::gather(document, &mut all.nlbs);
        all
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.albs.is_empty() && self.nlbs.is_empty()
    }

    /// Where what comes by a port of a network load balancer is sent to.
    pub(super) fn url(&self, route: &Further) -> Option<String> {
        let (transport, port) = route.listener()?;
        let balancer = Balancer::Network(named(route.nlb.as_ref(), &self.nlbs).to_owned());
        let host = self.nlbs.get(balancer.name())?.host(&balancer);
        Some(format!("{}://{host}:{port}", transport.scheme()))
    }

    /// Where each of them stands.
    pub(super) fn stands(&self) -> impl Iterator<Item = Stand<'_>> {
        let albs = self.albs.iter().map(|(name, alb)| alb.stand(name));
        albs.chain(self.nlbs.iter().map(|(name, nlb)| nlb.stand(name)))
    }
}

/// The name that is meant among `all`: the one that is written, or the only one, or `main`.
pub(super) fn named<'n, T>(written: Option<&'n String>, all: &'n BTreeMap<String, T>) -> &'n str {
    let only = || all.keys().next().filter(|_| all.len() == 1);
    written.or_else(only).map_or(MAIN, String::as_str)
}

/// Networks that are let in: those that are written; or everybody, and the VPC alone where nobody else gets there.
fn sources(from: Option<&BTreeSet<Cidr>>, scheme: Scheme, vpc: Cidr) -> Vec<String> {
    match (from, scheme) {
        (Some(from), _) => from.iter().map(ToString::to_string).collect(),
        (None, Scheme::InternetFacing) => vec!["0.0.0.0/0".to_owned()],
        (None, Scheme::Internal) => vec![vpc.to_string()],
    }
}
