//! `[alb.x]`: an application load balancer and its listeners.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::alarms::BalancerAlarms;
use super::balancers::{Balancer, Stand};
use super::declaration::Declaration;
use super::domain::{Domain, Domains};
use super::measure::{Cidr, S3Path};
use super::network::Layout;
use super::sheet::Sheet;
use crate::address::Path;

/// An application load balancer: HTTP on port 80; with a domain or a certificate HTTPS on 443, and 80
/// redirects.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Alb {
    /// Whether it faces the internet; true when left out. Otherwise only the VPC reaches it.
    pub public: Option<bool>,
    /// The networks that may connect: everybody when it is public, the VPC when it is not.
    pub from: Option<BTreeSet<Cidr>>,
    /// The domains under which it answers: records that lead to it, and a certificate for HTTPS.
    pub domain: Option<Domain>,
    /// The ARN of an ACM certificate in the same region; with a `domain`, in place of one of its own.
    pub certificate: Option<String>,
    /// What somebody is to hear of.
    pub alarms: Option<BalancerAlarms>,
    /// Where it writes which requests came: `"s3://bucket/prefix"`; nowhere when left out.
    pub logs: Option<S3Path>,
    /// The ports at which services are tried out.
    #[serde(skip)]
    pub(super) test_ports: BTreeSet<u16>,
    /// Its own domains and those of the services behind it.
    #[serde(skip)]
    pub(super) domains: Domains,
}

/// Whether a load balancer has public addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    /// It has.
    InternetFacing,
    /// It has not.
    Internal,
}

impl Scheme {
    /// What `public` says.
    pub(super) fn of(public: Option<bool>) -> Self {
        match public.unwrap_or(true) {
            true => Self::InternetFacing,
            false => Self::Internal,
        }
    }

    /// The API's word.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::InternetFacing => "internet-facing",
            Self::Internal => "internal",
        }
    }
}

/// Says where a load balancer writes what came to it.
pub(super) fn access_logs(
    balancer: Declaration,
    logs: Option<&S3Path>,
    section: &Path,
) -> Declaration {
    let logs = logs.map(|S3Path { bucket, prefix }| json!({ "bucket": bucket, "prefix": prefix }));
    balancer.maybe("access-logs", logs, section.join("logs"))
}

impl Alb {
    /// Whether it has public addresses.
    pub(super) fn scheme(&self) -> Scheme {
        Scheme::of(self.public)
    }

    /// What the network must know of it.
    pub(super) fn stand(&self, name: &str) -> Stand<'_> {
        let balancer = Balancer::Application(name.to_owned());
        Stand { balancer, scheme: self.scheme(), from: self.from.as_ref(), zones: 2 }
    }

    fn protocol(&self) -> &'static str {
        match self.certificate.is_some() || !self.domains.is_empty() {
            true => "https",
            false => "http",
        }
    }

    /// The listener that rules belong to: the one that does not redirect.
    pub(super) fn listener(&self, name: &str) -> String {
        format!("${{listener.{name}-{}.arn}}", self.protocol())
    }

    /// The listener at which services are tried out.
    pub(super) fn test_listener(&self, name: &str, port: u16) -> String {
        format!("${{listener.{name}-test-{port}.arn}}")
    }

    /// What the addresses of what it leads to begin with: a domain, or its own name.
    pub(super) fn url(&self, name: &str) -> String {
        let balancer = Balancer::Application(name.to_owned());
        let host = self.domains.first(&balancer).unwrap_or_else(|| balancer.dns());
        format!("{}://{host}", self.protocol())
    }

    /// Load balancer, security group, listeners, and what its domains stand for.
    pub(super) fn expand(&self, name: &str, network: &Layout, sheet: &mut Sheet) {
        let own = Balancer::Application(name.to_owned());
        let section = own.section();
        let group = self.stand(name).security_group(&self.ports(), network);
        let balancer = Declaration::new("load-balancer", name, &section)
            .from("scheme", self.scheme().word(), section.join("public"))
            .with("vpc-id", "${vpc.main.id}")
            .with("subnets", network.load_balancer_subnets(self.scheme()))
            .with("security-groups", vec![group.output("id")]);
        let balancer = access_logs(balancer, self.logs.as_ref(), &section);
        let certificate = self.certificate(&own, sheet);
        self.expand_listeners(name, &balancer.output("arn"), certificate, sheet);
        self.domains.expand_records(&own, &balancer, sheet);
        sheet.add(group);
        sheet.add(balancer);
    }

    fn ports(&self) -> Vec<(&'static str, u16)> {
        let own: &[u16] = if self.protocol() == "https" { &[80, 443] } else { &[80] };
        own.iter().chain(&self.test_ports).map(|port| ("tcp", *port)).collect()
    }

    /// The certificate that it shows, and the key that says so: a given one, or one for its domains.
    fn certificate(&self, own: &Balancer, sheet: &mut Sheet) -> Option<(String, Path)> {
        let key = own.section().join("certificate");
        let given = self.certificate.clone().map(|arn| (arn, key));
        given.or_else(|| self.domains.expand_certificate(own, sheet))
    }

    fn expand_listeners(
        &self,
        name: &str,
        balancer: &str,
        certificate: Option<(String, Path)>,
        sheet: &mut Sheet,
    ) {
        let section = Path::of(["alb", name]);
        let listener = |protocol: &str, port: u16, action: Json| {
            let end = match port {
                80 | 443 => protocol.to_lowercase(),
                port => format!("test-{port}"),
            };
            Declaration::new("listener", format!("{name}-{end}"), &section)
                .with("load-balancer-arn", balancer)
                .with("port", port)
                .with("protocol", protocol)
                .with("default-action", action)
        };
        let Some((certificate, key)) = certificate else {
            for port in &self.test_ports {
                sheet.add(listener("HTTP", *port, not_found()));
            }
            return sheet.add(listener("HTTP", 80, not_found()));
        };
        let redirect = json!({ "redirect": { "protocol": "HTTPS", "port": "443", "status": 301 } });
        sheet.add(listener("HTTP", 80, redirect));
        for port in [443].iter().chain(&self.test_ports) {
            let https = listener("HTTPS", *port, not_found())
                .from("certificate-arn", certificate.as_str(), key.clone())
                .with("ssl-policy", TLS);
            sheet.add(https);
        }
    }
}

/// TLS 1.2 and 1.3; what AWS's console proposes for new listeners. Left out, the API takes one of 2016.
pub(super) const TLS: &str = "ELBSecurityPolicy-TLS13-1-2-2021-06";

/// What a request gets that no service takes.
fn not_found() -> Json {
    json!({ "fixed-response": {
        "status": 404,
        "content-type": "text/plain",
        "body": "no service answers here",
    } })
}
