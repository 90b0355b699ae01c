//! `domain` of load balancers and services: one certificate for all domains of a load balancer, and an alias
//! record for each.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::alb::Alb;
use super::declaration::Declaration;
use super::sheet::Sheet;
use super::{Document, route};
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
    pub(super) fn first(&self, alb: &str) -> Option<String> {
        let mut names = self.0.iter().map(|(name, _)| name).filter(|name| !name.starts_with('*'));
        names.next().map(|name| format!("${{dns-record.{}.name}}", record(alb, name)))
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
        alb: &str,
        sheet: &mut Sheet,
    ) -> Option<(String, Path)> {
        let (_, key) = self.0.first()?;
        let mut names: Vec<&str> = self.0.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        let certificate = Declaration::new("certificate", alb, &Path::of(["alb", alb]))
            .from("names", names, key.clone())
            .with("validated-by", "route-53");
        let arn = certificate.output("arn");
        sheet.add(certificate);
        Some((arn, key.clone()))
    }

    /// A record for each, by which it leads to the load balancer.
    pub(super) fn expand_records(&self, alb: &str, balancer: &Declaration, sheet: &mut Sheet) {
        for (name, key) in &self.0 {
            let section = Path::of(["alb", alb]);
            let record = Declaration::new("dns-record", record(alb, name), &section)
                .from("name", name.as_str(), key.clone())
                .with("type", "A")
                .with(
                    "alias",
                    json!({
                        "dns-name": balancer.output("dns"),
                        "zone-id": balancer.output("zone-id"),
                    }),
                );
            sheet.add(record);
        }
    }
}

/// What the record of a domain is called.
fn record(alb: &str, domain: &str) -> String {
    format!("{alb}-{}", domain.replace('*', "any").replace('.', "-"))
}

/// Tells each load balancer its domains: its own, and those of the services behind it.
pub(super) fn gather(document: &Document, albs: &mut BTreeMap<String, Alb>) {
    let mut found: BTreeMap<String, Domains> = BTreeMap::new();
    for (name, alb) in &*albs {
        let key = Path::of(["alb", name]).join("domain");
        let domains = found.entry(name.clone()).or_default();
        alb.domain.iter().for_each(|domain| domains.add(domain, &key));
    }
    for (name, service) in document.service.iter().filter(|(_, service)| route::is_public(service))
    {
        let Some(domain) = &service.domain else { continue };
        let http = service.http.clone().unwrap_or_default();
        let key = Path::of(["service", name]).join("domain");
        if let Some(domains) = found.get_mut(route::named(&http, albs)) {
            domains.add(domain, &key);
        }
    }
    for (name, alb) in albs {
        alb.domains = found.remove(name).unwrap_or_default();
    }
}

/// Says which domains lead nowhere, and which to two places.
pub(super) fn check(document: &Document, albs: &BTreeMap<String, Alb>, sheet: &mut Sheet) {
    for (name, service) in document.service.iter().filter(|(_, it)| it.domain.is_some()) {
        let section = Path::of(["service", name]);
        let key = section.join("domain");
        if !route::is_public(service) {
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
    let mut seen: BTreeMap<&str, (&str, &Path)> = BTreeMap::new();
    for (alb, balancer) in albs {
        for (name, key) in &balancer.domains.0 {
            let Some((first, other)) = seen.insert(name, (alb, key)) else { continue };
            let title = format!("`{name}` cannot lead to the load balancers `{first}` and `{alb}`");
            let fault = Diagnostic::error("E0288", title).at_key(key.clone(), "");
            let fault = fault.at_key(other.clone(), THE_OTHER);
            sheet.fault(fault.hint("give one of them another domain"));
        }
    }
}
