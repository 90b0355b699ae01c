//! `[daemon.x]`: a task on each of the instances. It is a service of another schedule, written in fewer keys
//! in another place.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Deserialize;

use super::after::After;
use super::capacity::Capacity;
use super::deploy::Deploy;
use super::doors::Openings;
use super::ground::{Ground, Mode};
use super::measure::{Limits, Seconds};
use super::network::Layout;
use super::service::{Allow, Arch, Container, Health, Logs, Service, Size, Until};
use super::sheet::Sheet;
use super::volume::Volume;
use super::{Options, member, roles, rollout, task};
use crate::address::Path;
use crate::diag::{Diagnostic, Place};
use crate::spec::Unread;

/// A task on each of the EC2 instances. `image`, `port` and what else belongs to one container are those of
/// the container that has the daemon's name; further containers are in `container`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Daemon {
    /// The image of the container that has the daemon's name.
    #[schemars(extend("x-format" = "image"))]
    pub image: Option<String>,
    /// Whether images of private ECR registries are looked up and run by their digests; true when left out.
    pub pin: Option<bool>,
    /// The capacity on whose instances it runs; on all of them when left out.
    pub capacity: Option<String>,
    /// How its containers are reached; `bridge` when left out, where ports are those of the instance.
    pub network_mode: Option<Mode>,
    /// The TCP port that it listens on.
    #[schemars(range(min = 1))]
    pub port: Option<u16>,
    /// The UDP port that it listens on.
    #[schemars(range(min = 1))]
    pub udp: Option<u16>,
    /// The task's CPU and memory.
    pub size: Option<Size>,
    /// The memory of the container that has the daemon's name: what is reserved, and the most there may be.
    pub memory: Option<Limits>,
    /// The processor the images are built for; the instances' when left out.
    pub arch: Option<Arch>,
    /// Environment variables.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Environment variables read when a container starts: `"ssm:/name"`, `"sm:name#key"` or an ARN.
    #[serde(default)]
    pub secrets: BTreeMap<String, String>,
    /// What the container runs, in place of the image's CMD.
    pub command: Option<Vec<String>>,
    /// What it runs it with, in place of the image's ENTRYPOINT.
    pub entrypoint: Option<Vec<String>>,
    /// A command in the container that succeeds while it is healthy.
    pub health: Option<Health>,
    /// The user it runs as, in place of the image's USER.
    pub user: Option<String>,
    /// The directory it starts in, in place of the image's WORKDIR.
    pub directory: Option<String>,
    /// Whether containers cannot write to their own file system; false when left out.
    pub readonly: Option<bool>,
    /// Time between SIGTERM and SIGKILL; `"30s"` when left out.
    pub stop_timeout: Option<Seconds>,
    /// Whether an init process reaps children and passes signals on; true when left out.
    pub init: Option<bool>,
    /// Containers of the same task that are waited for before this one starts.
    #[serde(default)]
    pub after: BTreeMap<String, Until>,
    /// Further containers of the same task, by name.
    #[serde(default)]
    pub container: BTreeMap<String, Container>,
    /// Where output goes.
    pub logs: Option<Logs>,
    /// What the containers may do in AWS: statements of the task role, by name.
    #[serde(default)]
    pub allow: BTreeMap<String, Allow>,
    /// ARNs of managed policies that the task role also has.
    #[serde(default)]
    #[schemars(extend("items" = {"type": "string", "x-format": "policy"}))]
    pub policies: BTreeSet<String>,
    /// Whether `ecs execute-command` can open a shell; on, except in protected environments.
    pub exec: Option<bool>,
    /// Volumes that the task's containers share, by name.
    #[serde(default)]
    pub volume: BTreeMap<String, Volume>,
    /// How a new version takes over. `min` is 0 when left out: an instance has one task, and the old one ends
    /// before the new one starts.
    pub deploy: Option<Deploy>,
}

impl Daemon {
    /// Task definition, log group, roles and service. What a service is expanded to is expanded in a sheet of
    /// its own, and then said of the daemon.
    pub(super) fn expand(
        &self,
        name: &str,
        capacities: &BTreeMap<String, Capacity>,
        (network, options): (&Layout, Options),
        openings: &mut Openings,
        sheet: &mut Sheet,
    ) {
        let section = Path::of(["daemon", name]);
        self.check(name, &section, capacities, sheet);
        let service = self.service();
        let ground = self.ground(capacities);
        openings.let_to_files(name, &section, &service, &ground);
        let mut own = Sheet::new(Unread::default());
        let members = member::members(name, &service, &mut own);
        task::expand(name, &service, &members, &ground, &mut own);
        let as_service = Path::of(["service", name]);
        task::expand_logs(name, &as_service, &service, &mut own);
        roles::expand(name, &as_service, &service, &members, options, &mut own);
        if ground.has_own_addresses() {
            own.add(super::doors::closed(name, &section));
        }
        rollout::expand(name, &service, &[], &ground, network, options, &mut own);
        let expansion = own.finish();
        for mut declaration in expansion.declarations {
            declaration.section = moved(declaration.section);
            for key in declaration.origins.values_mut() {
                *key = moved(std::mem::take(key));
            }
            sheet.add(declaration);
        }
        for mut fault in expansion.faults {
            for label in &mut fault.labels {
                if let Place::Value(path) | Place::Key(path) = &mut label.place {
                    *path = moved(std::mem::take(path));
                }
            }
            sheet.fault(fault);
        }
    }

    /// What its tasks run on.
    pub(super) fn ground(&self, capacities: &BTreeMap<String, Capacity>) -> Ground {
        Ground::of_daemon(&self.service(), self.capacity.as_deref(), capacities)
    }

    fn check(
        &self,
        name: &str,
        section: &Path,
        capacities: &BTreeMap<String, Capacity>,
        sheet: &mut Sheet,
    ) {
        match &self.capacity {
            Some(capacity)
                if !capacities.contains_key(capacity)
                    && !sheet.unread.may_name("capacity", capacity) =>
            {
                let place = section.join("capacity");
                sheet.unknown("capacity", capacity, place, capacities.keys());
            }
            None if capacities.is_empty() && sheet.unread.names("capacity").next().is_none() => {
                let title = format!("there are no instances for the daemon `{name}`");
                let fault = Diagnostic::error("E0276", title).at_key(section.clone(), "");
                sheet.fault(fault.hint("declare a `[capacity.general]`"));
            }
            _ => {}
        }
    }

    fn service(&self) -> Service {
        let Self {
            image,
            pin,
            capacity: _,
            network_mode,
            port,
            udp,
            size,
            memory,
            arch,
            env,
            secrets,
            command,
            entrypoint,
            health,
            user,
            directory,
            readonly,
            stop_timeout,
            init,
            after,
            container,
            logs,
            allow,
            policies,
            exec,
            volume,
            deploy,
        } = self.clone();
        Service {
            image,
            pin,
            network_mode: Some(network_mode.unwrap_or(Mode::Bridge)),
            port,
            udp,
            size,
            memory,
            arch,
            env,
            secrets,
            command,
            entrypoint,
            health,
            user,
            directory,
            readonly,
            stop_timeout,
            init,
            after: After { containers: after, ..After::default() },
            container,
            logs,
            allow,
            policies,
            exec,
            volume,
            deploy,
            ..Service::default()
        }
    }
}

/// The same path in the daemon's section.
fn moved(mut path: Path) -> Path {
    if path.first() == Some("service") {
        "daemon".clone_into(&mut path.0[0]);
    }
    path
}
