//! The short sections of a stack, and what each of them stands for in AWS.
//!
//! A section is turned into declarations by a pure function: no AWS, no clock, no environment. Who
//! loads text, layers and references is `spec`; who orders and compares declarations is `plan`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value as Json;

use self::doors::{Doors, Openings};
use self::ground::Ground;
use self::mesh::Mesh;
use self::network::Layout;
use self::sheet::Sheet;
use crate::address::{Address, Path};
use crate::kind::Given;
use crate::spec::{Rest, Spec, Unread};

pub use self::after::After;
pub use self::alb::Alb;
pub use self::capacity::{Capacity, CapacityKind, Instances};
pub use self::cluster::Cluster;
pub use self::connect::{Connect, Spoken};
pub use self::daemon::Daemon;
pub use self::declaration::Declaration;
pub use self::domain::Domain;
pub use self::forms::formats;
pub use self::given::Subnets;
pub use self::ground::{Mode, On, Portion};
pub use self::language::{language, read};
pub use self::later::later;
pub use self::launch::{Launch, launches};
pub use self::network::Network;
pub use self::one_off::Task;
pub use self::place::{Place, Resource};
pub use self::references::references;
pub use self::repo::Repo;
pub use self::service::{Container, Service};
pub use self::sheet::{Expansion, may_declare};
pub use self::shorthand::{shorthands, sizes};

mod after;
mod alarms;
mod alb;
mod capacity;
mod cluster;
mod connect;
mod daemon;
mod declaration;
mod deploy;
mod domain;
mod doors;
mod endpoints;
mod forms;
mod given;
mod ground;
mod image;
mod language;
mod later;
mod launch;
mod managed;
mod measure;
mod member;
mod mention;
mod mesh;
mod network;
mod one_off;
mod place;
mod probe;
mod references;
mod repo;
mod roles;
mod rollout;
mod route;
mod scaling;
mod schedule;
mod secret;
mod service;
mod sheet;
mod shift;
mod shorthand;
mod task;
#[cfg(test)]
mod tests;
mod volume;

/// The sections of a stack, after all layers are merged and every shorthand is a table.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Document {
    /// The network that everything runs in; one is made when a service or load balancer needs it.
    pub network: Option<Network>,
    /// The ECS cluster; one is made when there is a service.
    pub cluster: Option<Cluster>,
    /// ECR repositories by name; an image is `"${repo.api}:${var.tag}"`.
    #[serde(default)]
    pub repo: BTreeMap<String, Repo>,
    /// Application load balancers by name; `main` is made when a service is public.
    #[serde(default)]
    pub alb: BTreeMap<String, Alb>,
    /// Instances that services run on, by name.
    #[serde(default)]
    pub capacity: BTreeMap<String, Capacity>,
    /// Services by name: tasks that are kept running.
    #[serde(default)]
    pub service: BTreeMap<String, Service>,
    /// Tasks by name that are run once, by hand or before a service rolls, or by a schedule.
    #[serde(default)]
    pub task: BTreeMap<String, Task>,
    /// Daemons by name: a task on each of the EC2 instances.
    #[serde(default)]
    pub daemon: BTreeMap<String, Daemon>,
    /// Any AWS resource, as `[aws.<kind>.<name>]`; patches the one that a section makes there.
    #[serde(default)]
    pub aws: BTreeMap<String, BTreeMap<String, Json>>,
}

/// What is known of the environment as a whole when its sections are expanded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// Whether it is protected (`protect = true`): no shells into its containers by default.
    pub protected: bool,
    /// Whether it expires (`ttl`): its tasks run in public subnets by default, without NAT.
    pub expires: bool,
}

impl Options {
    /// What a spec says of its environment.
    pub fn of(spec: &Spec) -> Self {
        Self { protected: spec.protect, expires: spec.ttl.is_some() }
    }

    /// What the rest of a spec says of it.
    pub fn of_rest(rest: &Rest) -> Self {
        Self { protected: rest.protect, expires: rest.expires }
    }
}

/// Turns the sections into declarations; what is written under `aws` is laid over them or stands beside
/// them. `unread` are those that the document lacks because nobody could read them.
pub fn expand(document: &Document, options: Options, unread: &Unread) -> Expansion {
    let mut sheet = Sheet::new(unread.clone());
    let albs = balancers(document, unread);
    let network = Layout::new(document.network.as_ref(), &albs, options);
    domain::check(document, &albs, &mut sheet);
    let sections = ["service", "task", "capacity", "daemon"];
    let written = document.service.len()
        + document.task.len()
        + document.capacity.len()
        + document.daemon.len();
    let unread: usize = sections.iter().map(|section| unread.names(section).count()).sum();
    let tasks = written + unread;
    let has_network = tasks > 0 || !albs.is_empty() || document.network.is_some();
    if has_network {
        given::check(document.network.as_ref(), &albs, &mut sheet);
        network.check(tasks, &mut sheet);
        network.expand(&mut sheet);
    }
    if tasks > 0 || document.cluster.is_some() {
        document.cluster.clone().unwrap_or_default().expand(&mut sheet);
    }
    for (name, repo) in &document.repo {
        repo.expand(name, &mut sheet);
    }
    for (name, alb) in &albs {
        alb.expand(name, &network, &mut sheet);
    }
    let mesh = expand_services(document, &albs, &network, options, &mut sheet);
    one_off::expand(document, &network, options, &mut sheet);
    if has_network {
        network.expand_endpoints(&mut sheet);
    }
    for (kind, named) in &document.aws {
        for (name, fields) in named {
            let section = Path::of(["aws", kind, name]);
            sheet.at(&Address::new(kind, name), &section).patch(fields);
        }
    }
    image::drop_unused(&mut sheet);
    mesh.fill(&mut sheet);
    if let Some(given) = network.given() {
        sheet.each(|spec| given::stand_in(given, spec));
    }
    sheet.finish()
}

/// The network that exists already, if the stack stands in one.
pub fn given(document: &Document) -> Option<Given> {
    given::of(document.network.as_ref()?, &balancers(document, &Unread::default()))
}

/// The declared load balancers, and `main` when a service wants one and none is declared. One that
/// could not be read is there at its defaults: services may name it.
fn balancers(document: &Document, unread: &Unread) -> BTreeMap<String, Alb> {
    let mut albs = document.alb.clone();
    albs.extend(unread.names("alb").map(|name| (name.to_owned(), Alb::default())));
    if albs.is_empty() && document.service.values().any(route::is_public) {
        albs.insert(route::MAIN.to_owned(), Alb::default());
    }
    domain::gather(document, &mut albs);
    shift::gather(document, &mut albs);
    albs
}

fn expand_services(
    document: &Document,
    albs: &BTreeMap<String, Alb>,
    network: &Layout,
    options: Options,
    sheet: &mut Sheet,
) -> Mesh {
    let (mut grounds, mut all_members) = (BTreeMap::new(), BTreeMap::new());
    let mut routes = BTreeMap::new();
    for (name, service) in &document.service {
        let section = Path::of(["service", name]);
        let ground = Ground::of(&section, service, &document.capacity, sheet);
        grounds.insert(name.clone(), ground);
    }
    for (name, service) in &document.service {
        let members = &*all_members
            .entry(name.clone())
            .or_insert_with(|| member::members(name, service, sheet));
        let route = route::route(name, service, members, albs, sheet);
        task::expand(name, service, members, &grounds[name], sheet);
        let section = Path::of(["service", name]);
        task::expand_logs(name, &section, service, sheet);
        roles::expand(name, &section, service, members, options, sheet);
        routes.extend(route.map(|route| (name.clone(), route)));
    }
    let mut mesh = Mesh::new(document, &all_members, &grounds, sheet);
    mesh.gather(document, sheet);
    let mut openings = Openings::default();
    for (name, service) in &document.service {
        let (route, found_by) = (routes.get(name), mesh.found_by(name));
        let doors = Doors { name, service, members: &all_members[name], route, found_by };
        doors.expand(&grounds, &mut openings, sheet);
        rollout::expand(name, service, route, &grounds[name], network, options, sheet);
        shift::expand(name, service, route, sheet);
        scaling::expand(name, service, route, sheet);
        alarms::expand(name, service, route, sheet);
    }
    mesh.expand(document, sheet);
    expand_around(document, network, options, openings, sheet);
    expand_routes(document, albs, &routes, &grounds, sheet);
    mesh
}

/// What runs beside the services, and what they run on.
fn expand_around(
    document: &Document,
    network: &Layout,
    options: Options,
    mut openings: Openings,
    sheet: &mut Sheet,
) {
    openings.rules.into_values().for_each(|rule| sheet.add(rule));
    // Of instances that ECS manages nobody knows which there are.
    let mut own = document.capacity.clone();
    own.retain(|_, capacity| !capacity.is_managed());
    for (name, daemon) in &document.daemon {
        daemon.expand(name, &own, network, options, sheet);
    }
    for (name, capacity) in &document.capacity {
        let opened = openings.pools.remove(name).unwrap_or_default();
        capacity.expand(name, network, &opened, sheet);
    }
    let of_services = document
        .service
        .iter()
        .map(|(name, service)| (Path::of(["service", name]), service.logs.as_ref()));
    let of_tasks =
        document.task.iter().map(|(name, task)| (Path::of(["task", name]), task.logs.as_ref()));
    task::check_groups(of_services.chain(of_tasks), sheet);
}

/// What load balancers send to the services.
fn expand_routes(
    document: &Document,
    albs: &BTreeMap<String, Alb>,
    routes: &BTreeMap<String, route::Route>,
    grounds: &BTreeMap<String, Ground>,
    sheet: &mut Sheet,
) {
    route::check_same(routes, sheet);
    let priorities = route::priorities(routes, sheet);
    for (name, route) in routes {
        let service = &document.service[name];
        let target_type = grounds[name].target_type();
        route.expand(name, service, &albs[&route.alb], priorities[name], target_type, sheet);
    }
}

/// Where the stack is reached: `url` for the load balancer `main`, or the only one, and `url-<name>`
/// for others. The texts mention outputs.
pub fn urls(document: &Document) -> BTreeMap<String, String> {
    let albs = balancers(document, &Unread::default());
    let is_first = |name: &str| albs.len() == 1 || name == route::MAIN;
    let url = |(name, alb): (&String, &Alb)| match is_first(name) {
        true => ("url".to_owned(), alb.url(name)),
        false => (format!("url-{name}"), alb.url(name)),
    };
    albs.iter().map(url).collect()
}
