//! `[nlb.x]`: a network load balancer. Its listeners are those of the routes that lead through it: `further`.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Deserialize;

use super::alarms::NlbAlarms;
use super::alb::{Scheme, access_logs};
use super::balancers::{Balancer, Stand};
use super::declaration::Declaration;
use super::domain::{Domain, Domains};
use super::further::Transport;
use super::measure::{Cidr, S3Path};
use super::network::{Layout, VPC};
use super::sheet::Sheet;
use crate::address::Path;

/// A network load balancer: it passes on what comes over TCP, UDP and TLS. `[service.x.route.y]` says at which ports.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Nlb {
    /// Whether it faces the internet; true when left out. Otherwise only the VPC reaches it.
    pub public: Option<bool>,
    /// The networks that may connect: everybody when it is public, the VPC when it is not.
    pub from: Option<BTreeSet<Cidr>>,
    /// The domains under which it is found: records that lead to it, and a certificate where it speaks TLS.
    pub domain: Option<Domain>,
    /// The ARN of an ACM certificate in the same region, for TLS; with a `domain`, in place of one of its own.
    pub certificate: Option<String>,
    /// Where it writes who connected over TLS: `"s3://bucket/prefix"`; nowhere when left out.
    pub logs: Option<S3Path>,
    /// Whether each of its zones sends to the tasks in all of them; false when left out.
    pub cross_zone: Option<bool>,
    /// What somebody is to hear of.
    pub alarms: Option<NlbAlarms>,
    /// At which ports it listens, and over what.
    #[serde(skip)]
    pub(super) ports: BTreeSet<(u16, Transport)>,
    /// Its domains.
    #[serde(skip)]
    pub(super) domains: Domains,
}

impl Nlb {
    /// Whether it has public addresses.
    pub(super) fn scheme(&self) -> Scheme {
        Scheme::of(self.public)
    }

    /// What the network must know of it.
    pub(super) fn stand(&self, name: &str) -> Stand<'_> {
        let balancer = Balancer::Network(name.to_owned());
        Stand { balancer, scheme: self.scheme(), from: self.from.as_ref(), zones: 1 }
    }

    /// Under which name it is found: a domain, or its own.
    pub(super) fn host(&self, balancer: &Balancer) -> String {
        self.domains.first(balancer).unwrap_or_else(|| balancer.dns())
    }

    /// Whether a listener of its could show a certificate.
    pub(super) fn has_certificate(&self) -> bool {
        self.certificate.is_some() || !self.domains.is_empty()
    }

    fn speaks_tls(&self) -> bool {
        self.ports.iter().any(|(_, transport)| *transport == Transport::Tls)
    }

    /// Load balancer, security group, and what its domains stand for.
    pub(super) fn expand(&self, balancer: &Balancer, network: &Layout, sheet: &mut Sheet) {
        let section = balancer.section();
        // It is there from the beginning: a network load balancer without one can never have any. Targets know
        // the load balancer by it, whether they see the clients' addresses or not.
        let group = self.stand(balancer.name()).security_group(&self.ports(), network);
        let declared = Declaration::new("load-balancer", balancer.own(), &section)
            .with("type", "network")
            .from("scheme", self.scheme().word(), section.join("public"))
            .with("vpc-id", VPC)
            .with("subnets", network.load_balancer_subnets(self.scheme()))
            .with("security-groups", vec![group.output("id")])
            .from("cross-zone", self.cross_zone.unwrap_or(false), section.join("cross-zone"));
        let declared = access_logs(declared, self.logs.as_ref(), &section);
        if self.certificate.is_none() && self.speaks_tls() {
            self.domains.expand_certificate(balancer, sheet);
        }
        self.domains.expand_records(balancer, &declared, sheet);
        sheet.add(group);
        sheet.add(declared);
    }

    /// The certificate that it shows, and the key that says so.
    pub(super) fn certificate(&self, balancer: &Balancer) -> Option<(String, Path)> {
        let key = balancer.section().join("certificate");
        let given = self.certificate.clone().map(|arn| (arn, key));
        given.or_else(|| self.domains.certificate(balancer))
    }

    fn ports(&self) -> Vec<(&'static str, u16)> {
        let each = self.ports.iter().flat_map(|(port, transport)| {
            transport.protocols().iter().map(move |protocol| (*protocol, *port))
        });
        each.collect()
    }
}
