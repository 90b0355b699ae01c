//! Which services are found by name, and who looks for them: whoever mentions `${service.api.url}`. By Service
//! Connect the client is a service: it is in the namespace, let in, and comes after whom it looks for, because a
//! task knows those names only that were there when it started. By DNS it is anybody, who is let in.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use super::Document;
use super::connect::{Endpoint, endpoint};
use super::declaration::Declaration;
use super::discover::{self, Place};
use super::doors::{Openings, let_in};
use super::ground::Ground;
use super::member::Members;
use super::mention::{Mention, mentions, rewrite, walk};
use super::ring::{self, Order, Why};
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
    /// Those that are found by DNS.
    places: BTreeMap<String, Place>,
    /// Of each client, the services that it looks for through Service Connect.
    sought: BTreeMap<String, BTreeSet<String>>,
    /// Of each service, those that it looks for by DNS.
    asked: BTreeMap<String, BTreeSet<String>>,
}

/// Whoever is in the VPC and no service.
#[derive(Debug)]
pub(super) struct Guest {
    /// What rules say of it: `task report`.
    pub(super) title: String,
    /// Whose security group it has.
    pub(super) home: String,
    /// What it runs on.
    pub(super) ground: Ground,
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
            mesh.discovered(name, service, (&members[name], &grounds[name]), sheet);
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

    /// A service that DNS knows, if it is one.
    fn discovered(
        &mut self,
        name: &str,
        service: &Service,
        (members, ground): (&Members, &Ground),
        sheet: &mut Sheet,
    ) {
        let discover = service.discover.as_ref().filter(|it| it.enabled != Some(false));
        let Some(discover) = discover else { return };
        match discover::place(name, discover, members, ground, sheet) {
            Some(place) => drop(self.places.insert(name.to_owned(), place)),
            None => drop(self.unsound.insert(name.to_owned())),
        }
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
            sought.retain(|other| other != name);
            let by_dns = |other: &&String| {
                !self.endpoints.contains_key(*other) && self.places.contains_key(*other)
            };
            let asked: BTreeSet<String> = sought.iter().filter(by_dns).cloned().collect();
            if !asked.is_empty() {
                self.asked.insert(name.clone(), asked);
            }
            sought.retain(|other| self.endpoints.contains_key(other));
            if !sought.is_empty() {
                self.sought.entry(name.clone()).or_default().extend(sought);
            }
            for source in service.from.iter().filter(|_| self.endpoints.contains_key(name)) {
                if source != name && document.service.contains_key(source) {
                    self.sought.entry(source.clone()).or_default().insert(name.clone());
                }
            }
        }
        let order = self.order(document);
        if let Some(ring) = ring::find(&order) {
            sheet.fault(ring::wrong(&ring, &order));
            // What follows from it need not be told.
            for (one, other) in ring::pairs(&ring) {
                if let Some(sought) = self.sought.get_mut(one) {
                    sought.remove(other);
                }
            }
        }
    }

    /// Which services come before which, and why.
    fn order(&self, document: &Document) -> Order {
        let mut order = Order::new();
        for (name, service) in &document.service {
            let said = service.after.services.iter().map(|other| (other, Why::After));
            let sought = self.sought.get(name).into_iter().flatten();
            let sought = sought.map(|other| (other, Why::Seeks));
            let before = said.chain(sought).map(|(other, why)| (other.clone(), why));
            order.insert(name.clone(), before.collect());
        }
        order
    }

    /// The ports of `name` that other services find, each with who they are.
    pub(super) fn found_by(&self, name: &str) -> Vec<(u16, Vec<&str>)> {
        let connected = self.endpoints.get(name).map(|it| (it.container_port, &self.sought));
        let discovered = self.places.get(name).map(|it| (it.port, &self.asked));
        let clients = |(port, by)| (port, looking_for(name, by));
        connected.into_iter().chain(discovered).map(clients).collect()
    }

    /// Lets in whoever finds a service by DNS and is no service: tasks that are run once, daemons.
    pub(super) fn open(&self, guests: &BTreeMap<String, Guest>, sheet: &mut Sheet) {
        for (name, guest) in guests {
            let Some(definition) = sheet.declarations.get(&task(name)) else { continue };
            let mut asked = BTreeSet::new();
            walk(&definition.spec, &mut |text| {
                asked.extend(mentions(text).into_iter().map(|it| it.service.to_owned()));
            });
            let mut openings = Openings::default();
            for service in &asked {
                let Some(place) = self.places.get(service) else { continue };
                let (both, ports) = ((&guest.ground, &place.ground), [("tcp", place.port)]);
                let_in(service, &guest.home, both, &ports, &mut openings);
            }
            for rule in openings.rules.into_values() {
                let rule = match guest.ground.has_own_addresses() {
                    true => rule.with("description", guest.title.as_str()),
                    false => rule,
                };
                // The group may be let in already.
                if !sheet.declarations.contains_key(&rule.address) {
                    sheet.add(rule);
                }
            }
        }
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
        if let Some(first) = self.places.keys().next() {
            let section = Path::of(["service", first.as_str(), "discover"]);
            let said = document.network.as_ref().and_then(|network| network.domain.as_ref());
            sheet.add(discover::zone(said, &section));
        }
        for (name, service) in &document.service {
            let section = Path::of(["service", name]);
            if let Some(place) = self.places.get(name) {
                let registries = place.expand(name, sheet);
                let ecs = sheet.at(&Address::new("service", name), &section);
                set(ecs, "service-registries", registries, section.join("discover"));
            }
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
            let guest = guest(&declaration.section);
            rewrite(&mut spec, &mut Path::default(), &mut |text, way| {
                let place = declaration.origin(way).clone();
                self.filled(text, guest, |mention| {
                    let service = mention.service;
                    let is_told =
                        self.unsound.contains(service) || unread.may_name("service", service);
                    faults.extend(self.wrong(mention, guest, &place).filter(|_| !is_told));
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

    /// The text with what it mentions, each of which is shown to `look`. A service takes the name of Service
    /// Connect, if there is one; a guest cannot.
    fn filled(
        &self,
        text: &str,
        guest: Option<&str>,
        mut look: impl FnMut(&Mention<'_>),
    ) -> Option<String> {
        let found = mentions(text);
        let mut filled = text.to_owned();
        for mention in found.iter().rev() {
            look(mention);
            let name = mention.service;
            let endpoint = self.endpoints.get(name).filter(|_| guest.is_none());
            let (host, port) = match (endpoint, self.places.get(name)) {
                (Some(endpoint), _) => (endpoint.name.clone(), endpoint.port),
                (None, Some(place)) => (place.host(name), place.port),
                // What is not known has been told.
                (None, None) => (name.to_owned(), 0),
            };
            let said = match mention.output {
                "host" => host,
                "port" => port.to_string(),
                _ => format!("http://{host}:{port}"),
            };
            filled.replace_range(mention.range.clone(), &said);
        }
        (!found.is_empty()).then_some(filled)
    }

    /// Why what is mentioned cannot be found by what is written at `place`.
    fn wrong(
        &self,
        mention: &Mention<'_>,
        guest: Option<&str>,
        place: &Path,
    ) -> Option<Diagnostic> {
        let service = mention.service;
        let tell = |code, title: String, hint: String| {
            Some(Diagnostic::error(code, title).at(place.clone(), "").hint(hint))
        };
        let is_connected = self.endpoints.contains_key(service);
        match (guest, self.places.get(service)) {
            (None, _) if is_connected => None,
            (_, Some(found)) if found.has_port() || mention.output == "host" => None,
            (_, Some(_)) => {
                let title = format!(
                    "at which port `{service}` answers is in its SRV records, and not known"
                );
                let hint =
                    format!("write `${{service.{service}.host}}`, and let the client ask for SRV");
                tell("E0387", title, hint)
            }
            (None, None) => {
                let title = format!("`{service}` cannot be found by name");
                let hint = format!(
                    "add `connect = true` to `[service.{service}]`, or `discover = true` for a name in DNS"
                );
                tell("E0343", title, hint)
            }
            (Some(guest), None) => {
                let title = format!("{guest} cannot find `{service}` by name");
                let hint = format!(
                    "add `discover = true` to `[service.{service}]`: only services are in the namespace of \
                     Service Connect"
                );
                tell("E0343", title, hint)
            }
        }
    }
}

/// The clients of `name` among those who look for others.
fn looking_for<'m>(name: &str, by: &'m BTreeMap<String, BTreeSet<String>>) -> Vec<&'m str> {
    let looks = by.iter().filter(|(_, sought)| sought.contains(name));
    looks.map(|(client, _)| client.as_str()).collect()
}

/// What the tasks of a section are that are not those of a service.
fn guest(section: &Path) -> Option<&'static str> {
    match section.first() {
        Some("task") => Some("a task that is run once"),
        Some("daemon") => Some("a daemon"),
        _ => None,
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
