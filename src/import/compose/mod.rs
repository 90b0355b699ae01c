//! A compose file → `[service.NAME]`. Each of its services is one of the stack; but what shares
//! another's network, or runs before it and ends, is a container of the other's task.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

use self::container::Reader;
use super::members::{Members, word};
use super::spell::Variables;
use super::write::Sheet;
use super::{About, Imported, Note, Tags, legalised, unreadable};
use crate::diag::Diagnostic;

mod container;
mod measures;
mod ports;
mod service;
#[cfg(test)]
mod tests;
mod yaml;

const WHAT: &str = "a compose file";

/// Reads a compose file.
pub fn compose(text: &str, about: &About) -> Result<Imported, Diagnostic> {
    let root = yaml::read(text).map_err(|why| unreadable(about, WHAT, why))?;
    let Some(services) = root.get("services").and_then(Json::as_object) else {
        return Err(unreadable(about, WHAT, "it has no `services`"));
    };
    if let Some(why) = flaw(services) {
        return Err(unreadable(about, WHAT, why));
    }
    let roles = roles(services);
    let mut project = Project {
        services,
        roles: &roles,
        variables: Variables::default(),
        builds: BTreeMap::new(),
        entries: Vec::new(),
    };
    let mut notes = Vec::new();
    for name in services.keys().filter(|name| roles[*name] == Role::Service) {
        let beside = roles.iter().filter(|(_, role)| role.is_beside(name));
        notes.extend(
            project.service(name, &beside.map(|(name, _)| name.as_str()).collect::<Vec<_>>()),
        );
    }
    notes.extend(top(&root));
    let name = root.get("name").and_then(word).or_else(|| about.folder.clone());
    let mut sheet = Sheet::new(about, &name.unwrap_or_default(), &Tags::new(), &notes);
    if let Some(variables) = project.variables.section() {
        sheet.entry(&["vars"], &variables);
    }
    for (header, fields) in &project.entries {
        sheet.entry(&header.iter().map(String::as_str).collect::<Vec<_>>(), fields);
    }
    Ok(Imported { text: sheet.done(), notes, adopts: Vec::new() })
}

/// Why the services cannot be those of a stack, if so.
fn flaw(services: &Map<String, Json>) -> Option<String> {
    if let Some((name, _)) = services.iter().find(|(_, service)| !service.is_object()) {
        return Some(format!("`services.{name}` is no table"));
    }
    let mut names: BTreeMap<String, &String> = BTreeMap::new();
    let mut same =
        services.keys().filter_map(|name| Some((names.insert(spelled(name), name)?, name)));
    let (one, other) = same.next()?;
    Some(format!("the services `{one}` and `{other}` cannot both be `{}` here", spelled(one)))
}

/// What a compose service becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Role {
    /// A service of the stack.
    Service,
    /// A container in the tasks of these.
    Beside(BTreeSet<String>),
}

impl Role {
    fn is_beside(&self, name: &str) -> bool {
        matches!(self, Self::Beside(others) if others.contains(name))
    }
}

fn roles(services: &Map<String, Json>) -> BTreeMap<String, Role> {
    let mut beside: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut others: BTreeSet<String> = BTreeSet::new();
    for (name, service) in services {
        let network = service.get("network_mode").and_then(Json::as_str).unwrap_or_default();
        if let Some(host) = network.strip_prefix("service:") {
            beside.entry(name.clone()).or_default().insert(host.to_owned());
        }
        for (other, condition) in container::dependencies(service) {
            match condition.as_str() {
                container::ENDED => beside.entry(other).or_default().insert(name.clone()),
                _ => others.insert(other),
            };
        }
    }
    let role = |name: &String| match beside.get(name) {
        // Only what is beside a service, and whom nobody needs otherwise, is no service itself.
        Some(hosts)
            if !others.contains(name)
                && hosts
                    .iter()
                    .all(|host| services.contains_key(host) && !beside.contains_key(host)) =>
        {
            Role::Beside(hosts.clone())
        }
        _ => Role::Service,
    };
    services.keys().map(|name| (name.clone(), role(name))).collect()
}

/// What stands beside the services.
fn top(root: &Json) -> Vec<Note> {
    let mut members = Members::of(root, &[], &[]);
    for understood in ["services", "name", "version"] {
        members.take(understood);
    }
    // Fragments, which count where they are merged in.
    let fragments = root.as_object().into_iter().flatten();
    for (fragment, _) in fragments.filter(|(name, _)| name.starts_with("x-")) {
        members.take(fragment);
    }
    let volumes = members.take("volumes");
    for (name, volume) in volumes.iter().filter_map(Json::as_object).flatten() {
        let says = volume.as_object().is_some_and(|volume| !volume.is_empty());
        if says {
            members.note(&["volumes", name], volume, "a volume lives as long as its task");
        }
    }
    members.rest(&|name| match name {
        "networks" => "a stack has one network; `from` says who may connect to whom",
        "secrets" => {
            "put it into SSM or Secrets Manager, and write `secrets = { NAME = \"ssm:/…\" }`"
        }
        "configs" => "put it into the image, or into `env`",
        "include" => "import that file as well",
        _ => "ecsctl does not know it",
    })
}

/// The spec that is being made.
struct Project<'p> {
    services: &'p Map<String, Json>,
    /// What they become.
    roles: &'p BTreeMap<String, Role>,
    variables: Variables,
    /// What is built from here, and the repository that it is pushed to.
    builds: BTreeMap<String, String>,
    entries: Vec<(Vec<String>, Json)>,
}

impl Project<'_> {
    /// A service with those beside it.
    fn service(&mut self, name: &str, beside: &[&str]) -> Vec<Note> {
        let own = spelled(name);
        let table = vec!["service".to_owned(), own.clone()];
        let place = vec!["services".to_owned(), name.to_owned()];
        let members = Members::of(&self.services[name], &place, &table);
        let users = self.users(name);
        let stands = self.roles.iter().filter(|(_, role)| **role == Role::Service);
        let services = stands.map(|(name, _)| name.clone()).collect();
        let variables = &mut self.variables;
        let mut reader = Reader { members, variables, fields: Map::new(), services };
        let repository = reader.container(&own, beside, &mut self.builds);
        let mut size = measures::size(&mut reader);
        let mut containers = Map::new();
        let mut notes = Vec::new();
        let mut repositories = vec![repository];
        for other in beside {
            let named = spelled(other);
            let table: Vec<String> =
                table.iter().cloned().chain(["container".to_owned(), named.clone()]).collect();
            let place = vec!["services".to_owned(), (*other).to_owned()];
            let members = Members::of(&self.services[*other], &place, &table);
            let (variables, services) = (&mut *reader.variables, BTreeSet::new());
            let mut inner = Reader { members, variables, fields: Map::new(), services };
            repositories.push(inner.container(&named, &[], &mut self.builds));
            inner.sidecar();
            size = measures::sum(size, measures::size(&mut inner));
            notes.extend(inner.members.rest(&container::why));
            containers.insert(named, Json::Object(inner.fields));
        }
        if !containers.is_empty() {
            reader.fields.insert("container".to_owned(), Json::Object(containers));
        }
        measures::fit(size, &mut reader);
        let is_first = !self.entries.iter().any(|(_, fields)| fields.get("http").is_some());
        let balancer = reader.service(&own, &users, is_first);
        let fields = Json::Object(reader.fields);
        notes.extend(reader.members.rest(&container::why));
        for repository in repositories.into_iter().flatten() {
            self.enter("repo", &repository);
        }
        if balancer {
            // Where one is named, the one that is there by itself is named as well.
            self.enter("alb", "main");
            self.enter("alb", &own);
        }
        self.entries.push((table, fields));
        notes
    }

    /// The services of the stack whose tasks connect to a service of the file.
    fn users(&self, name: &str) -> BTreeSet<String> {
        let using = self.services.iter().filter(|(_, service)| container::uses(service, name));
        let homes = using.flat_map(|(user, _)| match &self.roles[user] {
            Role::Service => BTreeSet::from([user.clone()]),
            Role::Beside(hosts) => hosts.clone(),
        });
        homes.filter(|home| home != name).map(|home| spelled(&home)).collect()
    }

    /// Adds an entry that says nothing but that it is there; of a repository, that `latest` moves.
    fn enter(&mut self, section: &str, name: &str) {
        let header = vec![section.to_owned(), name.to_owned()];
        if self.entries.iter().any(|(other, _)| *other == header) {
            return;
        }
        let fields = if section == "repo" { json!({ "immutable": false }) } else { json!({}) };
        self.entries.push((header, fields));
    }
}

/// A name as the spec takes it.
fn spelled(name: &str) -> String {
    legalised(name).unwrap_or_else(|| "service".to_owned())
}
