//! Service Connect: which services are found by name, and who looks for them. Whoever mentions
//! `${service.api.url}` is a client: it is in the namespace, let in, and comes after the service, because a task
//! knows those names only that were there when it started.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use super::Document;
use super::connect::{Endpoint, endpoint};
use super::declaration::Declaration;
use super::ground::Ground;
use super::member::Members;
use super::mention::{mentions, rewrite, walk};
use super::service::Service;
use super::sheet::Sheet;
use super::task::{Owner, logging};
use crate::address::{Address, Path};
use crate::diag::{Diagnostic, THE_OTHER};

/// The namespace, as services refer to it.
const NAMESPACE: &str = "${namespace.main.arn}";
/// Who finds whom.
#[derive(Debug, Default)]
pub(super) struct Mesh {
    /// Those that are found by name.
    endpoints: BTreeMap<String, Endpoint>,
    /// Those that say they are, though something is wrong with that.
    unsound: BTreeSet<String>,
    /// Of each client, the services that it looks for.
    sought: BTreeMap<String, BTreeSet<String>>,
}

impl Mesh {
    /// The services that are found by name.
    pub(super) fn new(
        document: &Document,
        members: &BTreeMap<String, Members>,
        grounds: &BTreeMap<String, Ground>,
        sheet: &mut Sheet,
    ) -> Self {
        let mut mesh = Self::default();
        let mut names: BTreeMap<String, Path> = BTreeMap::new();
        for (name, service) in &document.service {
            let connect = service.connect.as_ref().filter(|it| it.enabled != Some(false));
            let Some(connect) = connect else { continue };
            let keys = Path::of(["service", name, "connect"]);
            let Some(endpoint) = endpoint(name, connect, &members[name], &grounds[name], sheet)
            else {
                mesh.unsound.insert(name.clone());
                continue;
            };
            let place = keys.join("name");
            if let Some(first) = names.insert(endpoint.name.clone(), place.clone()) {
                let title = format!("two services are found as `{}`", endpoint.name);
                let fault = Diagnostic::error("E0342", title).at(place, "").at(first, THE_OTHER);
                sheet.fault(fault.hint("give one of them another `name`"));
            }
            mesh.endpoints.insert(name.clone(), endpoint);
        }
        mesh
    }

    /// Looks who looks for whom: those whose tasks mention an address, and those that a service lets in.
    pub(super) fn gather(&mut self, document: &Document, sheet: &mut Sheet) {
        for (name, service) in &document.service {
            let task = &sheet.at(&task(name), &Path::of(["service", name])).spec;
            let patch = document.aws.get("task-definition").and_then(|by| by.get(name));
            let mut sought = BTreeSet::new();
            for spec in [Some(task), patch].into_iter().flatten() {
                walk(spec, &mut |text| {
                    sought.extend(mentions(text).into_iter().map(|it| it.service.to_owned()));
                });
            }
            sought.retain(|other| other != name && self.endpoints.contains_key(other));
            if !sought.is_empty() {
                self.sought.entry(name.clone()).or_default().extend(sought);
            }
            for source in service.from.iter().filter(|_| self.endpoints.contains_key(name)) {
                if source != name && document.service.contains_key(source) {
                    self.sought.entry(source.clone()).or_default().insert(name.clone());
                }
            }
        }
    }

    /// The port of `name` that others find, and who they are.
    pub(super) fn found_by(&self, name: &str) -> Option<(u16, Vec<&str>)> {
        let port = self.endpoints.get(name)?.container_port;
        let looks = self.sought.iter().filter(|(_, sought)| sought.contains(name));
        Some((port, looks.map(|(client, _)| client.as_str()).collect()))
    }

    /// The namespace, the names of ports, and each service's part in it; and which services come after
    /// which.
    pub(super) fn expand(&self, document: &Document, sheet: &mut Sheet) {
        let takes_part =
            |name: &String| self.endpoints.contains_key(name) || self.sought.contains_key(name);
        if let Some(first) = document.service.keys().find(|name| takes_part(name)) {
            let section = Path::of(["service", first.as_str(), "connect"]);
            sheet.add(Declaration::new("namespace", "main", &section));
        }
        for (name, service) in &document.service {
            let section = Path::of(["service", name]);
            if let Some(endpoint) = self.endpoints.get(name) {
                endpoint.name_port(name, sheet.at(&task(name), &section));
            }
            if takes_part(name) {
                let part = self.part(name, service);
                let ecs = sheet.at(&Address::new("service", name), &section);
                set(ecs, "service-connect-configuration", part, section.join("connect"));
            }
            let after = self.after(name, service, &document.service, sheet);
            if !after.is_empty() {
                let ecs = sheet.at(&Address::new("service", name), &section);
                set(ecs, "after", after.into(), section.join("after"));
            }
        }
    }

    fn part(&self, name: &str, service: &Service) -> Json {
        let owner = Owner { section: &Path::default(), name, home: name };
        let mut part = json!({
            "enabled": true,
            "namespace": NAMESPACE,
            "log-configuration": logging(owner, service),
        });
        if let Some(endpoint) = self.endpoints.get(name) {
            part["services"] = json!({ (endpoint.port_name(name)): endpoint.service() });
        }
        part
    }

    /// The services that come before `name`, by their ARNs.
    fn after(
        &self,
        name: &str,
        service: &Service,
        all: &BTreeMap<String, Service>,
        sheet: &mut Sheet,
    ) -> Vec<String> {
        let mut before = self.sought.get(name).cloned().unwrap_or_default();
        for other in &service.after.services {
            if all.contains_key(other) {
                before.insert(other.clone());
            } else if !sheet.unread.may_name("service", other) {
                let place = Path::of(["service", name, "after"]);
                sheet.unknown("service", other, place, all.keys().filter(|it| *it != name));
            }
        }
        before.into_iter().map(|other| format!("${{service.{other}.arn}}")).collect()
    }

    /// Puts into all texts where the services are that they mention, and says of which nobody knows.
    pub(super) fn fill(&self, sheet: &mut Sheet) {
        let mut faults = Vec::new();
        let unread = sheet.unread.clone();
        for declaration in sheet.declarations.values_mut() {
            let mut spec = std::mem::take(&mut declaration.spec);
            rewrite(&mut spec, &mut Path::default(), &mut |text, way| {
                let place = declaration.origin(way).clone();
                self.filled(text, |service| {
                    let is_told =
                        self.unsound.contains(service) || unread.may_name("service", service);
                    faults.extend(self.wrong(service, &place).filter(|_| !is_told));
                })
            });
            declaration.spec = spec;
        }
        let mut seen: Vec<Diagnostic> = Vec::new();
        for fault in faults {
            if !seen.contains(&fault) {
                seen.push(fault.clone());
                sheet.fault(fault);
            }
        }
    }

    /// The text with what it mentions, each of which is shown to `look`.
    fn filled(&self, text: &str, mut look: impl FnMut(&str)) -> Option<String> {
        let found = mentions(text);
        let mut filled = text.to_owned();
        for mention in found.iter().rev() {
            look(mention.service);
            let endpoint = self.endpoints.get(mention.service);
            // What is not known has been told.
            let (name, port) =
                endpoint.map_or((mention.service, 0), |it| (it.name.as_str(), it.port));
            let said = match mention.output {
                "host" => name.to_owned(),
                "port" => port.to_string(),
                _ => format!("http://{name}:{port}"),
            };
            filled.replace_range(mention.range.clone(), &said);
        }
        (!found.is_empty()).then_some(filled)
    }

    /// Why `service` cannot be found by what is written at `place`.
    fn wrong(&self, service: &str, place: &Path) -> Option<Diagnostic> {
        let by = place.first().unwrap_or_default();
        if !self.endpoints.contains_key(service) {
            let title = format!("`{service}` cannot be found by name");
            let hint = format!("add `connect = true` to `[service.{service}]`");
            return Some(Diagnostic::error("E0343", title).at(place.clone(), "").hint(hint));
        }
        let what = match by {
            "task" => "a task that is run once",
            "daemon" => "a daemon",
            _ => return None,
        };
        let title = format!("{what} cannot find `{service}` by name");
        let hint = "leave it out: only the tasks of services are in the namespace";
        Some(Diagnostic::error("E0343", title).at(place.clone(), "").hint(hint))
    }
}

fn task(name: &str) -> Address {
    Address::new("task-definition", name)
}

/// Sets a field of what a section has declared already.
fn set(declaration: &mut Declaration, field: &str, value: Json, key: Path) {
    declaration.spec[field] = value;
    declaration.origins.insert(Path::of([field]), key);
}
