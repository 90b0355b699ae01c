//! What a service's tasks run on: Fargate or instances, with an address of their own or that of the instance.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use serde_json::{Value as Json, json};

use super::capacity::{Capacity, group_of};
use super::service::{Arch, Service};
use super::sheet::Sheet;
use crate::address::Path;
use crate::diag::Diagnostic;

/// Where tasks run: the name of a capacity, or shares of several by name. Fargate's are `fargate` and
/// `fargate-spot`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct On(pub BTreeMap<String, Portion>);

/// A capacity's share of the tasks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Portion {
    /// How many tasks run here before any share is counted.
    pub base: Option<u32>,
    /// The share of the others in proportion to the other weights; 1 when left out.
    pub weight: Option<u32>,
}

impl<'de> Deserialize<'de> for On {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let error = |why: String| <D::Error as serde::de::Error>::custom(why);
        match Json::deserialize(deserializer)? {
            Json::String(name) => Ok(Self(BTreeMap::from([(name, Portion::default())]))),
            table @ Json::Object(_) => {
                serde_json::from_value(table).map(Self).map_err(|why| error(why.to_string()))
            }
            other => Err(error(format!("`{other}` is neither a capacity's name nor a table"))),
        }
    }
}

impl JsonSchema for On {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "On".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let number = json!({ "type": "integer", "minimum": 0 });
        let portion = json!({
            "type": "object",
            "properties": { "base": number, "weight": number },
            "additionalProperties": false,
        });
        json_schema!({
            "type": ["string", "object"], "additionalProperties": portion, "x-any": true,
        })
    }
}

/// How containers are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Each task has an address of its own.
    Awsvpc,
    /// Containers share the instance's address, each at any free port of it.
    Bridge,
    /// Containers share the instance's address and ports.
    Host,
    /// Not at all.
    None,
}

/// The port that ECS takes on an instance for a container in bridge mode is one of these: the kernel's
/// ephemeral ports, and those below that the agent of older images takes. Page "Port mapping".
pub(super) const EPHEMERAL: (u16, u16) = (32768, 65535);

/// How many tasks there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Schedule {
    /// As many as are wanted.
    Replica,
    /// One on each instance.
    Daemon,
}

/// What a service's tasks run on.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ground {
    /// The capacities of instances; none on Fargate.
    pub(super) pools: BTreeSet<String>,
    /// How containers are reached.
    pub(super) mode: Mode,
    /// The processor.
    pub(super) arch: Arch,
    /// How many tasks there are.
    pub(super) schedule: Schedule,
    /// Of a daemon, the capacity that it keeps to.
    pub(super) only_pool: Option<String>,
    /// Whether ECS itself chooses, starts and ends the instances.
    pub(super) is_managed: bool,
    shares: Option<Json>,
}

impl Ground {
    /// What the service or task in `section` says, and what is wrong with it.
    pub(super) fn of(
        section: &Path,
        service: &Service,
        capacities: &BTreeMap<String, Capacity>,
        sheet: &mut Sheet,
    ) -> Self {
        let pools = pools(service, capacities, section, sheet);
        let instances = pools.iter().filter_map(|pool| capacities.get(pool));
        let theirs: Vec<Arch> = instances.filter_map(Capacity::processor).collect();
        let managed = pools.iter().filter(|pool| is_managed(pool, capacities)).count();
        let on = one_of(service, &pools, section, sheet);
        let arch = service.arch.or(theirs.first().copied()).unwrap_or(Arch::X86);
        // What is wrong on Fargate is told, and nothing that would follow from it.
        let said = service.network_mode.filter(|_| !pools.is_empty());
        let ground = Self {
            mode: said.unwrap_or(Mode::Awsvpc),
            arch,
            schedule: Schedule::Replica,
            only_pool: None,
            shares: on.map(|on| shares(&on, capacities)),
            is_managed: managed > 0,
            pools,
        };
        if let Some(other) = theirs.iter().find(|other| **other != arch) {
            let title =
                format!("images for {} do not run on instances of {}", arch.word(), other.word());
            let (key, hint) = match service.arch {
                Some(_) => ("arch", "leave `arch` out: the capacity says it"),
                None => ("capacity", "let all capacities of a service have the same processor"),
            };
            sheet.fault(Diagnostic::error("E0259", title).at_key(section.join(key), "").hint(hint));
        }
        if managed > 0 && managed < ground.pools.len() {
            let title = "a service runs on instances that ECS manages, or on others";
            let fault = Diagnostic::error("E0277", title).at_key(section.join("capacity"), "");
            sheet.fault(fault.hint("leave one of the capacities out"));
        }
        ground.check(service, section, sheet);
        ground
    }

    /// What a daemon runs on: all instances of the cluster, or those of one capacity.
    pub(super) fn of_daemon(
        service: &Service,
        capacity: Option<&str>,
        capacities: &BTreeMap<String, Capacity>,
    ) -> Self {
        let pools: BTreeSet<String> = match capacity {
            Some(name) => BTreeSet::from([name.to_owned()]),
            None => capacities.keys().cloned().collect(),
        };
        let instances = pools.iter().find_map(|pool| capacities.get(pool));
        let arch = service.arch.or(instances.and_then(Capacity::processor)).unwrap_or(Arch::X86);
        let mode = service.network_mode.unwrap_or(Mode::Bridge);
        let only_pool = capacity.map(str::to_owned);
        Self {
            pools,
            mode,
            arch,
            schedule: Schedule::Daemon,
            only_pool,
            is_managed: false,
            shares: None,
        }
    }

    /// Whether Fargate runs the tasks.
    pub(super) fn is_fargate(&self) -> bool {
        self.pools.is_empty() && self.schedule == Schedule::Replica
    }

    /// Whether tasks have addresses of their own.
    pub(super) fn has_own_addresses(&self) -> bool {
        self.mode == Mode::Awsvpc
    }

    /// What a load balancer's targets are.
    pub(super) fn target_type(&self) -> &'static str {
        if self.has_own_addresses() { "ip" } else { "instance" }
    }

    /// What a task definition must be able to run on.
    pub(super) fn compatibility(&self) -> &'static str {
        match (self.is_fargate(), self.is_managed) {
            (true, _) => "FARGATE",
            (false, true) => "MANAGED_INSTANCES",
            (false, false) => "EC2",
        }
    }

    /// The shares that `capacity` gives.
    pub(super) fn shares(&self) -> Option<&Json> {
        self.shares.as_ref()
    }

    /// The ports of the instance at which a port of a container is reached.
    pub(super) fn host_ports(&self, port: u16) -> (u16, u16) {
        match (self.mode, self.schedule) {
            (Mode::Bridge, Schedule::Replica) => EPHEMERAL,
            _ => (port, port),
        }
    }

    /// The security groups that the tasks of the service `name` send from.
    pub(super) fn groups(&self, name: &str) -> Vec<String> {
        match self.has_own_addresses() {
            true => vec![format!("${{security-group.{name}.id}}")],
            false => self.pools.iter().map(|pool| group_of(pool)).collect(),
        }
    }

    /// E0277: what goes together with what.
    fn check(&self, service: &Service, section: &Path, sheet: &mut Sheet) {
        let fargate = self.is_fargate();
        let bridge = self.mode == Mode::Bridge;
        let rules = [
            (
                "network-mode",
                fargate && service.network_mode.is_some_and(|mode| mode != Mode::Awsvpc),
                "on Fargate each task has an address of its own",
                "leave `network-mode` out, or say with `capacity` which instances it runs on",
            ),
            (
                "memory",
                fargate && service.memory.is_some(),
                "on Fargate the memory is the whole task's",
                "write `size`, such as \"0.25vcpu/512MB\"",
            ),
            (
                "place",
                fargate && service.place.is_some(),
                "on Fargate there are no instances to choose from",
                "leave `place` out",
            ),
            (
                "network-mode",
                self.is_managed && matches!(self.mode, Mode::Bridge | Mode::None),
                "on instances that ECS manages a task has an address of its own, or the instance's",
                "leave `network-mode` out, or write \"host\"",
            ),
            (
                "place",
                self.is_managed && service.place.is_some(),
                "ECS itself chooses among the instances that it manages",
                "leave `place` out, and say in `need` of the capacity what instances must be like",
            ),
            (
                "storage",
                !fargate && service.storage.is_some(),
                "only Fargate gives a task a disk of its own",
                "leave `storage` out: tasks write to their instance's disk",
            ),
            (
                "spot",
                !fargate && service.spot.is_some(),
                "`spot` is a share of Fargate's tasks",
                "write `spot` in the capacity",
            ),
            (
                "spot",
                fargate && service.spot.is_some() && service.capacity.is_some(),
                "`spot` and `capacity` both say how tasks are shared out",
                "leave one of them out",
            ),
            (
                "xray",
                bridge && service.xray,
                "containers in bridge mode have no `localhost` in common",
                "declare a `[daemon.xray]`, or leave `network-mode` out",
            ),
            (
                "http",
                self.mode == Mode::None && super::route::is_public(service),
                "nobody can reach containers without a network",
                "write `public = false`",
            ),
        ];
        for (key, _, title, hint) in rules.into_iter().filter(|(_, broken, ..)| *broken) {
            let fault = Diagnostic::error("E0277", title).at_key(section.join(key), "");
            sheet.fault(fault.hint(hint));
        }
    }
}

/// What a service runs on. With instances and Fargate both, which a strategy cannot mix, it is taken for one
/// on instances: nothing more follows.
fn one_of(
    service: &Service,
    pools: &BTreeSet<String>,
    section: &Path,
    sheet: &mut Sheet,
) -> Option<On> {
    let mut on = service.capacity.clone()?;
    let fargate: Vec<String> = on.0.keys().filter(|name| is_fargate(name)).cloned().collect();
    if pools.is_empty() || fargate.is_empty() {
        return Some(on);
    }
    let title = "a service runs on instances or on Fargate, and cannot be shared out among both";
    let fault = Diagnostic::error("E0252", title).at_key(section.join("capacity"), "");
    let hint = "leave `{}` out, or make two services of it";
    sheet.fault(fault.hint(hint.replace("{}", &fargate.join("` and `"))));
    on.0.retain(|name, _| !is_fargate(name));
    Some(on)
}

/// The capacities of instances that a service names, each of which must be there.
fn pools(
    service: &Service,
    capacities: &BTreeMap<String, Capacity>,
    section: &Path,
    sheet: &mut Sheet,
) -> BTreeSet<String> {
    let named = service.capacity.iter().flat_map(|on| on.0.keys());
    let pools: BTreeSet<String> = named.filter(|name| !is_fargate(name)).cloned().collect();
    for name in pools.iter().filter(|name| !capacities.contains_key(*name)) {
        if !sheet.unread.may_name("capacity", name) {
            sheet.unknown("capacity", name, section.join("capacity"), capacities.keys());
        }
    }
    pools
}

fn is_fargate(name: &str) -> bool {
    matches!(name, "fargate" | "fargate-spot")
}

fn is_managed(pool: &str, capacities: &BTreeMap<String, Capacity>) -> bool {
    capacities.get(pool).is_some_and(Capacity::is_managed)
}

fn shares(on: &On, capacities: &BTreeMap<String, Capacity>) -> Json {
    let share = |(name, portion): (&String, &Portion)| {
        let provider = match name.as_str() {
            "fargate" => "FARGATE".to_owned(),
            "fargate-spot" => "FARGATE_SPOT".to_owned(),
            name => match capacities.get(name) {
                Some(capacity) => capacity.provider_of(name),
                // What is not there, is said elsewhere.
                None => format!("${{capacity-provider.{name}.name}}"),
            },
        };
        json!({
            "capacity-provider": provider,
            "base": portion.base.unwrap_or(0),
            "weight": portion.weight.unwrap_or(1),
        })
    };
    on.0.iter().map(share).collect()
}

impl Mode {
    /// The API's word.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Awsvpc => "awsvpc",
            Self::Bridge => "bridge",
            Self::Host => "host",
            Self::None => "none",
        }
    }
}
