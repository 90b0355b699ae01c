//! `[task.x]`: tasks that are run once: by hand, before a service rolls, or by a schedule.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::cluster::CLUSTER;
use super::declaration::Declaration;
use super::ground::{Ground, Mode, On};
use super::measure::{Gigabytes, Seconds};
use super::member::{self, Member, Members};
use super::network::{Layout, VPC};
use super::rollout::interface;
use super::service::{Allow, Arch, Container, Logs, Service, Size};
use super::sheet::Sheet;
use super::task::{Owner, definition, expand_logs};
use super::volume::{self, Volume};
use super::{Document, Options, roles, schedule};
use crate::address::Path;
use crate::diag::Diagnostic;
use crate::spec::Unread;

/// A task that is run once: by `ecsctl run`, before a service gets a new version, or by a schedule. It is
/// that of a service's container (`from`), or has an image of its own.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Task {
    /// The container whose image, variables, secrets, roles, network and log group it has:
    /// `"service/container"`, or the service alone if it has one container.
    pub from: Option<String>,
    /// The image, where it is of no service.
    #[schemars(extend("x-format" = "image"))]
    pub image: Option<String>,
    /// Whether the image, if it is of a private ECR registry, is looked up and run by its digest; true when
    /// left out.
    pub pin: Option<bool>,
    /// What it runs, in place of the image's CMD.
    pub command: Option<Vec<String>>,
    /// What it runs it with, in place of the image's ENTRYPOINT.
    pub entrypoint: Option<Vec<String>>,
    /// Environment variables; beside `from`, besides the container's or in their place.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Environment variables read when it starts: `"ssm:/name"`, `"sm:name#key"` or an ARN.
    #[serde(default)]
    pub secrets: BTreeMap<String, String>,
    /// CPU and memory; left out, those of the service, or `"0.25vcpu/512MB"`.
    pub size: Option<Size>,
    /// The processor the image is built for; the capacity's, or `x86_64`, when left out.
    pub arch: Option<Arch>,
    /// What it runs on, as of a service: the name of a capacity, or shares of several; Fargate when left out.
    pub capacity: Option<On>,
    /// How its container reaches others where it runs on instances; `"awsvpc"` when left out.
    pub network_mode: Option<Mode>,
    /// The user it runs as, in place of the image's USER.
    pub user: Option<String>,
    /// The directory it starts in, in place of the image's WORKDIR.
    pub directory: Option<String>,
    /// Whether it cannot write to its own file system; false when left out.
    pub readonly: Option<bool>,
    /// Scratch space, 21 to 200 GB; 20 GB when left out.
    pub storage: Option<Gigabytes>,
    /// Where output goes.
    pub logs: Option<Logs>,
    /// What it may do in AWS: statements of its role, by name.
    #[serde(default)]
    pub allow: BTreeMap<String, Allow>,
    /// ARNs of managed policies that its role also has.
    #[serde(default)]
    #[schemars(extend("items" = {"type": "string", "x-format": "policy"}))]
    pub policies: BTreeSet<String>,
    /// How long it may take when it is run by hand or before a service rolls; an hour before a service,
    /// and as long as it likes by hand, when left out.
    pub timeout: Option<Seconds>,
    /// How often EventBridge Scheduler tries again to start it where ECS refused; up to 185 times within a
    /// day when left out.
    #[schemars(range(max = 185))]
    pub retry: Option<u32>,
    /// When it runs by itself: `"cron(0 3 * * ? *)"`, `"rate(1 hour)"` or `"at(2027-01-31T23:00:00)"`.
    #[schemars(extend("x-format" = "schedule"))]
    pub schedule: Option<String>,
    /// The time zone of the schedule; `"UTC"` when left out.
    #[schemars(extend("x-format" = "timezone"))]
    pub timezone: Option<String>,
    /// What it has to come before.
    pub when: Option<When>,
}

/// What a task has to come before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// Each new version of the service of `from`: it takes over only if the task succeeds.
    BeforeDeploy,
}

impl Task {
    /// A task with an image of its own, as a service would say it.
    pub(super) fn shape(&self) -> Service {
        Service {
            size: self.size,
            arch: self.arch,
            capacity: self.capacity.clone(),
            network_mode: self.network_mode,
            storage: self.storage,
            logs: self.logs.clone(),
            allow: self.allow.clone(),
            policies: self.policies.clone(),
            exec: Some(false),
            ..Service::default()
        }
    }
}

/// All tasks, and the group that their schedules lie in.
pub(super) fn expand(document: &Document, network: &Layout, options: Options, sheet: &mut Sheet) {
    let mut scheduled = document.task.iter().filter(|(_, task)| task.schedule.is_some());
    if let Some((first, _)) = scheduled.next() {
        schedule::expand_group(first, sheet);
    }
    for (name, task) in &document.task {
        let section = Path::of(["task", name]);
        check(name, task, &section, sheet);
        let home = match &task.from {
            None => {
                let ground = Ground::of(&section, &task.shape(), &document.capacity, sheet);
                let made = own(name, task, &ground, options, sheet);
                made.map(|()| (name.clone(), name.clone(), ground))
            }
            Some(from) => borrowed(name, from, task, document, sheet),
        };
        let Some((home, container, ground)) = home else { continue };
        if let Some(expression) = &task.schedule {
            schedule::expand(name, (task, expression), &home, &ground, network, sheet);
        }
        if task.when == Some(When::BeforeDeploy) && task.from.is_some() {
            let mut run = Declaration::new("task-run", name, &section)
                .with("service", home.clone())
                .with("before", format!("${{task-definition.{home}.arn}}"))
                .with("family", format!("${{task-definition.{name}.family}}"))
                .with("container", container)
                .with("cluster", CLUSTER)
                .maybe("timeout", task.timeout.map(|time| time.0), section.join("timeout"))
                .with(
                    "log",
                    json!({ "group": format!("${{log-group.{home}.name}}"), "prefix": name }),
                );
            if let Some(interface) = interface(&home, &ground, network) {
                run = run.with("network", interface);
            }
            if let Some(shares) = ground.shares() {
                run = run.with("capacity-provider-strategy", shares.clone());
            }
            sheet.add(run);
        }
    }
}

/// Says which keys do not go together.
fn check(name: &str, task: &Task, section: &Path, sheet: &mut Sheet) {
    let mut fault = |code, key: &str, title: String, hint: &str| {
        sheet.fault(Diagnostic::error(code, title).at_key(section.join(key), "").hint(hint));
    };
    let own_keys = [
        ("image", task.image.is_some()),
        ("pin", task.pin.is_some()),
        ("secrets", !task.secrets.is_empty()),
        ("arch", task.arch.is_some()),
        ("capacity", task.capacity.is_some()),
        ("network-mode", task.network_mode.is_some()),
        ("user", task.user.is_some()),
        ("directory", task.directory.is_some()),
        ("readonly", task.readonly.is_some()),
        ("storage", task.storage.is_some()),
        ("logs", task.logs.is_some()),
        ("allow", !task.allow.is_empty()),
        ("policies", !task.policies.is_empty()),
    ];
    if task.from.is_some() {
        for (key, _) in own_keys.into_iter().filter(|(_, is_said)| *is_said) {
            let title = format!("`{key}` beside `from`: the task has that of the container");
            fault("E0295", key, title, "leave out one of the two");
        }
    }
    if task.schedule.is_none() {
        let keys = [("timezone", task.timezone.is_some()), ("retry", task.retry.is_some())];
        for (key, _) in keys.into_iter().filter(|(_, is_said)| *is_said) {
            let title = format!("`{key}` means nothing without a `schedule`");
            fault("E0297", key, title, "add `schedule = \"cron(0 3 * * ? *)\"`, or leave it out");
        }
    }
    if task.when.is_some() && task.from.is_none() {
        let title = format!("nobody says before which service `{name}` runs");
        fault("E0297", "when", title, "add `from = \"service/container\"`, or leave `when` out");
    }
    if task.from.is_none() && task.image.is_none() {
        let title = format!("the task `{name}` has neither `from` nor `image`");
        let fault = Diagnostic::error("E0295", title).at_key(section.clone(), "");
        sheet.fault(fault.hint("add `from = \"service/container\"`, or `image = \"…\"`"));
    }
}

/// The service and the container that `from` means, if they are there.
pub(super) fn source(from: &str, document: &Document) -> Option<(String, String)> {
    let (home, container) = match from.split_once('/') {
        Some((home, container)) => (home, Some(container)),
        None => (from, None),
    };
    let service = document.service.get(home)?;
    let container = match container {
        Some(name) if name == home && service.image.is_some() => name,
        Some(name) => service.container.get_key_value(name)?.0,
        None if service.image.is_some() => home,
        None if service.container.len() == 1 => service.container.keys().next()?,
        None => return None,
    };
    Some((home.to_owned(), container.to_owned()))
}

/// A task with the container of a service. Gives the service, the container and what it runs on.
fn borrowed(
    name: &str,
    from: &str,
    task: &Task,
    document: &Document,
    sheet: &mut Sheet,
) -> Option<(String, String, Ground)> {
    let section = Path::of(["task", name]);
    let Some((home, container)) = source(from, document) else {
        say_what_else(from, section.join("from"), document, sheet);
        return None;
    };
    let service = &document.service[&home];
    // What is wrong with the service is told of the service.
    let mut quiet = Sheet::new(Unread::default());
    let ground = ground_of(&home, document, &mut quiet);
    let members = member::members(&home, service, &mut quiet);
    let over = Container {
        env: task.env.clone(),
        command: task.command.clone(),
        entrypoint: task.entrypoint.clone(),
        ..Container::default()
    };
    let member = members.get(&container)?.alone(&over, &section);
    let shape = around(&container, task, service);
    if let Some((disk, _)) = volume::disks(&shape).next() {
        let title = format!(
            "`{container}` has the volume `{disk}`, which is made for the tasks of the service only"
        );
        let fault = Diagnostic::error("E0362", title).at(section.join("from"), "");
        let hint =
            "give the task an `image` of its own, or say in `containers` of the volume who has it";
        sheet.fault(fault.hint(hint));
        return None;
    }
    let members = Members::from([(container.clone(), member)]);
    let owner = Owner { section: &section, name, home: &home };
    let definition = definition(owner, &shape, &members, &ground, &mut quiet);
    sheet.add(by_service(definition, task, &home));
    Some((home, container, ground))
}

/// What the tasks of a service run on.
pub(super) fn ground_of(home: &str, document: &Document, sheet: &mut Sheet) -> Ground {
    let section = Path::of(["service", home]);
    Ground::of(&section, &document.service[home], &document.capacity, sheet)
}

/// What is around one container of a service when it is alone in a task.
fn around(container: &String, task: &Task, service: &Service) -> Service {
    let volumes = service.volume.iter().filter(|(_, volume)| {
        volume.containers.as_ref().is_none_or(|names| names.contains(container))
    });
    let only = |(name, volume): (&String, &Volume)| {
        let containers = Some(BTreeSet::from([container.clone()]));
        (name.clone(), Volume { containers, ..volume.clone() })
    };
    Service {
        size: task.size.or(service.size),
        memory: service.memory.filter(|_| task.size.is_none()),
        arch: service.arch,
        storage: service.storage,
        volume: volumes.map(only).collect(),
        ..Service::default()
    }
}

/// Fields that the service decides, and not the section.
fn by_service(mut definition: Declaration, task: &Task, home: &str) -> Declaration {
    let service = Path::of(["service", home]);
    let mut fields = vec![
        (vec!["network-mode"], service.join("network-mode")),
        (vec!["requires-compatibilities"], service.join("capacity")),
        (vec!["runtime-platform", "cpu-architecture"], service.join("arch")),
        (vec!["ephemeral-storage"], service.join("storage")),
        (vec!["volumes"], service.join("volume")),
    ];
    if task.size.is_none() {
        fields.push((vec!["cpu"], service.join("size").join("cpu")));
        fields.push((vec!["memory"], service.join("size").join("memory")));
    }
    // Its prefix is the task's name, and no key says otherwise.
    let prefix = Path::of(["task", &definition.address.name, "logs", "prefix"]);
    definition.origins.retain(|_, key| *key != prefix);
    for (field, key) in fields {
        let way = Path::of(field);
        if definition.origins.contains_key(&way) {
            definition.origins.insert(way, key);
        }
    }
    definition
}

/// Says which service or container `from` could have meant.
fn say_what_else(from: &str, place: Path, document: &Document, sheet: &mut Sheet) {
    let (home, container) = from.split_once('/').unwrap_or((from, ""));
    let Some(service) = document.service.get(home) else {
        if !sheet.unread.may_name("service", home) {
            sheet.unknown("service", home, place, document.service.keys());
        }
        return;
    };
    let own = service.image.as_ref().map(|_| home.to_owned());
    let names: Vec<String> = own.into_iter().chain(service.container.keys().cloned()).collect();
    if sheet.unread.sections().next().is_some() {
        // It may be among what could not be read.
        return;
    }
    if container.is_empty() && names.len() > 1 {
        let title = format!("the service `{home}` has {} containers", names.len());
        let hint = format!("write one of them: `{home}/{}`", names.join(&format!("`, `{home}/")));
        sheet.fault(Diagnostic::error("E0295", title).at(place, "").hint(hint));
    } else if !names.is_empty() {
        sheet.unknown("container", container, place, names.iter());
    }
}

/// A task with an image, roles, a log group and a security group of its own. `None` without an image.
fn own(
    name: &str,
    task: &Task,
    ground: &Ground,
    options: Options,
    sheet: &mut Sheet,
) -> Option<()> {
    let section = &Path::of(["task", name]);
    let image = task.image.clone()?;
    let container = Container {
        image: Some(image),
        pin: task.pin,
        env: task.env.clone(),
        secrets: task.secrets.clone(),
        command: task.command.clone(),
        entrypoint: task.entrypoint.clone(),
        user: task.user.clone(),
        directory: task.directory.clone(),
        readonly: task.readonly,
        ..Container::default()
    };
    let member = Member::only(container, section.clone());
    let members = Members::from([(name.to_owned(), member)]);
    let shape = task.shape();
    let owner = Owner { section, name, home: name };
    let definition = definition(owner, &shape, &members, ground, sheet);
    sheet.add(definition);
    expand_logs(name, section, &shape, sheet);
    roles::expand(name, section, &shape, &members, options, sheet);
    if ground.has_own_addresses() {
        let group = Declaration::new("security-group", name, section)
            .with("description", format!("task {name}"))
            .with("vpc-id", VPC);
        sheet.add(group);
    }
    Some(())
}
