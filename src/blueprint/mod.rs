//! The short sections of a stack, and what each of them stands for in AWS.
//!
//! A section is turned into declarations by a pure function: no AWS, no clock, no environment. Who
//! loads text, layers and references is `spec`; who orders and compares declarations is `plan`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value as Json;

use self::balancers::{Balancer, Balancers, MAIN};
use self::claim::Around;
use self::doors::{Doors, Openings};
use self::ground::Ground;
use self::mesh::{Guest, Mesh};
use self::network::Layout;
use self::route::{Route, Site};
use self::sheet::Sheet;
use crate::address::{Address, Path};
use crate::kind::Given;
use crate::spec::{Rest, Spec, Unread};

pub use self::after::After;
pub use self::alarms::{BalancerAlarms, NlbAlarms};
pub use self::alb::Alb;
pub use self::capacity::{Capacity, CapacityKind, Instances};
pub use self::cluster::{Cluster, Insights};
pub use self::connect::{Connect, Spoken};
pub use self::daemon::Daemon;
pub use self::declaration::Declaration;
pub use self::discover::{Discover, Record};
pub use self::domain::Domain;
pub use self::forms::formats;
pub use self::further::Further;
pub use self::given::{Chosen, Subnets, Vpc};
pub use self::ground::{Mode, On, Portion};
pub use self::language::{language, read};
pub use self::later::later;
pub use self::launch::{Launch, launches};
pub use self::network::Network;
pub use self::nlb::Nlb;
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
mod balancers;
mod capacity;
mod claim;
mod cluster;
mod connect;
mod daemon;
mod dashboard;
mod declaration;
mod deploy;
mod discover;
mod domain;
mod doors;
mod endpoints;
mod files;
mod forms;
mod further;
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
mod nlb;
mod one_off;
mod place;
mod ports;
mod probe;
mod references;
mod repo;
mod ring;
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
    /// Network load balancers by name; `main` is made when a service's route names a port of one.
    #[serde(default)]
    pub nlb: BTreeMap<String, Nlb>,
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
    /// Whether a page of CloudWatch shows what the load balancers and services do.
    pub dashboard: Option<bool>,
    /// The ARN of a managed policy that bounds what the stack's roles may do, whatever else they are allowed.
    /// Left out, none is set, and none that is there is taken away.
    #[schemars(extend("x-format" = "policy"))]
    pub permissions_boundary: Option<String>,
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
    let balancers = Balancers::of(document, unread);
    let network = Layout::new(document.network.as_ref(), &balancers, options);
    domain::check(document, &balancers, &mut sheet);
    let sections = ["service", "task", "capacity", "daemon"];
    let written = document.service.len()
        + document.task.len()
        + document.capacity.len()
        + document.daemon.len();
    let unread: usize = sections.iter().map(|section| unread.names(section).count()).sum();
    let tasks = written + unread;
    let has_network = tasks > 0 || !balancers.is_empty() || document.network.is_some();
    if has_network {
        given::check(document.network.as_ref(), &balancers, &mut sheet);
        network.check(tasks, &mut sheet);
        network.expand(&mut sheet);
    }
    if tasks > 0 || document.cluster.is_some() {
        document.cluster.clone().unwrap_or_default().expand(&mut sheet);
    }
    for (name, repo) in &document.repo {
        repo.expand(name, &mut sheet);
    }
    for (name, alb) in &balancers.albs {
        alb.expand(name, &network, &mut sheet);
    }
    for (name, nlb) in &balancers.nlbs {
        nlb.expand(&Balancer::Network(name.clone()), &network, &mut sheet);
    }
    let mesh = expand_services(document, &balancers, &network, options, &mut sheet);
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
    mesh.open(&guests(document), &mut sheet);
    image::drop_unused(&mut sheet);
    mesh.fill(&mut sheet);
    roles::bound(document.permissions_boundary.as_deref(), &mut sheet);
    if let Some(given) = network.given() {
        sheet.each(|spec| given::stand_in(given, spec));
    }
    sheet.finish()
}

/// The network that exists already, if the stack stands in one.
pub fn given(document: &Document) -> Option<Given> {
    given::of(document.network.as_ref()?, &Balancers::of(document, &Unread::default()))
}

fn expand_services(
    document: &Document,
    balancers: &Balancers,
    network: &Layout,
    options: Options,
    sheet: &mut Sheet,
) -> Mesh {
    let mut grounds = BTreeMap::new();
    for (name, service) in &document.service {
        let section = Path::of(["service", name]);
        let ground = Ground::of(&section, service, &document.capacity, sheet);
        grounds.insert(name.clone(), ground);
    }
    let (mut all_members, mut routes) = (BTreeMap::new(), BTreeMap::new());
    for (name, service) in &document.service {
        let ground = &grounds[name];
        let mut members = member::members(name, service, sheet);
        let site = Site { name, service, members: &members, ground, balancers };
        let found = route::routes(site, sheet);
        ports::open(&found, ground.mode, &mut members, sheet);
        task::expand(name, service, &members, ground, sheet);
        let section = Path::of(["service", name]);
        task::expand_logs(name, &section, service, sheet);
        roles::expand(name, &section, service, &members, options, sheet);
        all_members.insert(name.clone(), members);
        routes.insert(name.clone(), found);
    }
    let mut mesh = Mesh::new(document, &all_members, &grounds, sheet);
    mesh.gather(document, sheet);
    let mut openings = Openings::default();
    for (name, service) in &document.service {
        let (routes, found_by) = (routes[name].as_slice(), mesh.found_by(name));
        let doors = Doors { name, service, members: &all_members[name], routes, found_by };
        doors.expand(&grounds, &mut openings, sheet);
        rollout::expand(name, service, routes, &grounds[name], network, options, sheet);
        shift::expand(name, service, routes, sheet);
        scaling::expand(name, service, routes, sheet);
        alarms::expand(name, service, routes, sheet);
    }
    mesh.expand(document, sheet);
    alarms::expand_balancers(document, balancers, &routes, sheet);
    dashboard::expand(document, balancers, &routes, sheet);
    expand_around(document, network, options, openings, sheet);
    let routes: Vec<Route> = routes.into_values().flatten().collect();
    expand_routes(document, balancers, &routes, &grounds, sheet);
    mesh
}

/// Who is in the VPC and no service. What is wrong with the sections has been told elsewhere.
fn guests(document: &Document) -> BTreeMap<String, Guest> {
    let mut quiet = Sheet::new(Unread::default());
    let mut guests = BTreeMap::new();
    for (name, task) in &document.task {
        let borrowed = task.from.as_ref().map(|from| one_off::source(from, document));
        let guest = match borrowed {
            Some(None) => continue,
            Some(Some((home, _))) => {
                let ground = one_off::ground_of(&home, document, &mut quiet);
                Guest { title: format!("service {home}"), home, ground }
            }
            None => {
                let (section, shape) = (Path::default(), task.shape());
                let ground = Ground::of(&section, &shape, &document.capacity, &mut quiet);
                Guest { title: format!("task {name}"), home: name.clone(), ground }
            }
        };
        guests.insert(name.clone(), guest);
    }
    for (name, daemon) in &document.daemon {
        let ground = daemon.ground(&document.capacity);
        let guest = Guest { title: format!("daemon {name}"), home: name.clone(), ground };
        guests.insert(name.clone(), guest);
    }
    guests
}

/// What runs beside the services, and what they run on.
fn expand_around(
    document: &Document,
    network: &Layout,
    options: Options,
    mut openings: Openings,
    sheet: &mut Sheet,
) {
    // Of instances that ECS manages nobody knows which there are.
    let mut own = document.capacity.clone();
    own.retain(|_, capacity| !capacity.is_managed());
    for (name, daemon) in &document.daemon {
        daemon.expand(name, &own, (network, options), &mut openings, sheet);
    }
    openings.rules.into_values().for_each(|rule| sheet.add(rule));
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
    balancers: &Balancers,
    routes: &[Route],
    grounds: &BTreeMap<String, Ground>,
    sheet: &mut Sheet,
) {
    ports::check(routes.iter(), sheet);
    for route in routes {
        let target_type = grounds[&route.service].target_type();
        sheet.add(route.target_group(&document.service[&route.service], target_type));
        if let Some(listener) = route.listener(balancers) {
            sheet.add(listener);
        }
    }
    let shared = claim::shared(routes, sheet);
    let priorities = claim::priorities(&shared, sheet);
    let around = Around { services: &document.service, grounds, balancers };
    for (one, priority) in shared.iter().zip(priorities) {
        one.expand(priority, &around, sheet);
    }
}

/// Where the stack is reached: `url` for the load balancer `main`, or the only one, and `url-<name>`
/// for others; and `url-<service>-<route>` for what comes by a network load balancer. The texts mention outputs.
pub fn urls(document: &Document) -> BTreeMap<String, String> {
    let balancers = Balancers::of(document, &Unread::default());
    let is_first = |name: &str| balancers.albs.len() == 1 || name == MAIN;
    let url = |(name, alb): (&String, &Alb)| match is_first(name) {
        true => ("url".to_owned(), alb.url(name)),
        false => (format!("url-{name}"), alb.url(name)),
    };
    let of_ports = document.service.iter().flat_map(|(name, service)| {
        let all = &balancers;
        further::of(service)
            .filter_map(move |(own, route)| Some((format!("url-{name}-{own}"), all.url(route)?)))
    });
    balancers.albs.iter().map(url).chain(of_ports).collect()
}
