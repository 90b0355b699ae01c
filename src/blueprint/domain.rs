//! `domain` of load balancers and services: one certificate for all domains of a load balancer, and an alias
//! record for each.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::balancers::{Balancer, Balancers, named};
use super::declaration::Declaration;
use super::service::Service;
use super::sheet::Sheet;
use super::{Document, further, route};
use crate::address::Path;
use crate::diag::{Diagnostic, THE_OTHER};

/// Domains. Stands for one (`"shop.example.com"`), or for a list.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("x-shorthand" = "domain"))]
pub struct Domain {
    /// The domains, each in a hosted zone of the account; `*.example.com` is any one step below.
    #[schemars(extend("items" = {"type": "string", "x-format": "domain"}))]
    pub names: Vec<String>,
}

/// The domains of a load balancer, each once, its own first; with the key that says each.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Domains(Vec<(String, Path)>);

impl Domains {
    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first that is a name and not a pattern, as an output that is known when its record is there.
    pub(super) fn first(&self, balancer: &Balancer) -> Option<String> {
        let mut names = self.0.iter().map(|(name, _)| name).filter(|name| !name.starts_with('*'));
        names.next().map(|name| format!("${{dns-record.{}.name}}", record(balancer, name)))
    }

    fn add(&mut self, domain: &Domain, key: &Path) {
        for name in &domain.names {
            if self.0.iter().all(|(known, _)| known != name) {
                self.0.push((name.clone(), key.clone()));
            }
        }
    }

    /// One certificate for all of them; how a listener refers to it, and the key that decides it.
    pub(super) fn expand_certificate(
        &self,
        balancer: &Balancer,
        sheet: &mut Sheet,
    ) -> Option<(String, Path)> {
        let (_, key) = self.0.first()?;
        let mut names: Vec<&str> = self.0.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        let certificate = Declaration::new("certificate", balancer.own(), &balancer.section())
            .from("names", names, key.clone())
            .with("validated-by", "route-53");
        sheet.add(certificate);
        self.certificate(balancer)
    }

    /// How a listener refers to that certificate, and the key that decides it.
    pub(super) fn certificate(&self, balancer: &Balancer) -> Option<(String, Path)> {
        let (_, key) = self.0.first()?;
        Some((format!("${{certificate.{}.arn}}", balancer.own()), key.clone()))
    }

    /// A record for each, by which it leads to the load balancer.
    pub(super) fn expand_records(
        &self,
        balancer: &Balancer,
        declared: &Declaration,
        sheet: &mut Sheet,
    ) {
        for (name, key) in &self.0 {
            let own = record(balancer, name);
            let record = Declaration::new("dns-record", own, &balancer.section())
                .from("name", name.as_str(), key.clone())
                .with("type", "A")
                .with(
                    "alias",
                    json!({
                        "dns-name": declared.output("dns"),
                        "zone-id": declared.output("zone-id"),
                    }),
                );
            sheet.add(record);
        }
    }
}

/// What the record of a domain is called.
fn record(balancer: &Balancer, domain: &str) -> String {
    format!("{}-{}", balancer.own(), domain.replace('*', "any").replace('.', "-"))
}

/// The application load balancers that services with a domain are behind.
fn behind<'s>(service: &'s Service, all: &'s Balancers) -> BTreeSet<&'s str> {
    let http = service.http.as_ref().and_then(|http| http.alb.as_ref());
    let first = route::has_http(service).then(|| named(http, &all.albs));
    let further = further::of(service).filter(|(_, it)| it.is_of_requests() && it.host.is_none());
    first.into_iter().chain(further.map(|(_, it)| named(it.alb.as_ref(), &all.albs))).collect()
}

/// Tells each load balancer its domains: its own, and those of the services behind it.
pub(super) fn gather(document: &Document, all: &mut Balancers) {
    let mut found: BTreeMap<String, Domains> = BTreeMap::new();
    for (name, alb) in &all.albs {
        let key = Path::of(["alb", name]).join("domain");
        let domains = found.entry(name.clone()).or_default();
        alb.domain.iter().for_each(|domain| domains.add(domain, &key));
    }
    for (name, service) in &document.service {
        let Some(domain) = &service.domain else { continue };
        let key = Path::of(["service", name]).join("domain");
        for alb in behind(service, all) {
            if let Some(domains) = found.get_mut(alb) {
                domains.add(domain, &key);
            }
        }
    }
    for (name, alb) in &mut all.albs {
        alb.domains = found.remove(name).unwrap_or_default();
    }
    for (name, nlb) in &mut all.nlbs {
        let key = Path::of(["nlb", name]).join("domain");
        nlb.domain.iter().for_each(|domain| nlb.domains.add(domain, &key));
    }
}

/// Says which domains lead nowhere, and which to two places.
pub(super) fn check(document: &Document, all: &Balancers, sheet: &mut Sheet) {
    for (name, service) in document.service.iter().filter(|(_, it)| it.domain.is_some()) {
        let section = Path::of(["service", name]);
        let key = section.join("domain");
        if behind(service, all).is_empty() {
            let title = format!("no load balancer sends `{name}` what comes for its domain");
            let fault = Diagnostic::error("E0287", title).at_key(key, "");
            sheet.fault(fault.hint("give it a `port` or `http`, or leave out `domain`"));
        } else if service.http.as_ref().is_some_and(|http| http.host.is_some()) {
            let title = format!("`{name}` has a `domain` and a `host`, and answers to one of them");
            let fault = Diagnostic::error("E0287", title).at_key(key, "");
            let fault = fault.at_key(section.join("http").join("host"), THE_OTHER);
            sheet.fault(fault.hint("leave out `http.host`, and write all names in `domain`"));
        }
    }
    let albs =
        all.albs.iter().map(|(name, alb)| (Balancer::Application(name.clone()), &alb.domains));
    let nlbs = all.nlbs.iter().map(|(name, nlb)| (Balancer::Network(name.clone()), &nlb.domains));
    let mut seen: BTreeMap<&str, (String, &Path)> = BTreeMap::new();
    for (balancer, domains) in albs.chain(nlbs) {
        let own = balancer.own();
        for (name, key) in &domains.0 {
            let Some((first, other)) = seen.insert(name, (own.clone(), key)) else { continue };
            let title = format!("`{name}` cannot lead to the load balancers `{first}` and `{own}`");
            let fault = Diagnostic::error("E0288", title).at_key(key.clone(), "");
            let fault = fault.at_key(other.clone(), THE_OTHER);
            sheet.fault(fault.hint("give one of them another domain"));
        }
    }
}
