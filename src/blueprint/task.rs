//! A service's task definition and the log group that its containers write to.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::declaration::Declaration;
use super::ground::{Ground, Mode};
use super::image;
use super::measure::{Cpu, Days, Memory};
use super::member::{Member, Members};
use super::secret::Secret;
use super::service::{Arch, Health, Logs, Service, Until};
use super::sheet::Sheet;
use super::volume;
use crate::address::Path;
use crate::diag::{Diagnostic, THE_OTHER};

/// The smallest task that Fargate has.
const SIZE: (Cpu, Memory) = (Cpu(256), Memory(512));
/// Days for which logs are kept when nothing is said.
const KEEP: Days = Days(14);

/// Whose task a task definition describes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owner<'a> {
    /// The section that it comes from.
    pub(super) section: &'a Path,
    /// Its own name.
    pub(super) name: &'a str,
    /// The service or task whose roles and log group it has.
    pub(super) home: &'a str,
}

/// The task definition of the service `name`.
pub(super) fn expand(
    name: &str,
    service: &Service,
    members: &Members,
    ground: &Ground,
    sheet: &mut Sheet,
) {
    let section = &Path::of(["service", name]);
    volume::check(section, service, members, sheet);
    let owner = Owner { section, name, home: name };
    let definition = definition(owner, service, members, ground, sheet);
    sheet.add(definition);
}

/// The task definition of a service, or of a task that is described as one.
pub(super) fn definition(
    owner: Owner<'_>,
    service: &Service,
    members: &Members,
    ground: &Ground,
    sheet: &mut Sheet,
) -> Declaration {
    let Owner { section, name, home } = owner;
    let (cpu, memory) = size(service, ground);
    let (arch, runs) = match ground.arch {
        Arch::X86 => ("X86_64", "linux/amd64"),
        Arch::Arm64 => ("ARM64", "linux/arm64"),
    };
    let platform = json!({ "cpu-architecture": arch, "operating-system-family": "LINUX" });
    let storage = service.storage.map(|size| json!({ "size-in-gib": size.0 }));
    let mut task = Declaration::new("task-definition", name, section)
        .maybe("cpu", cpu.map(|cpu| cpu.0), section.join("size").join("cpu"))
        .maybe("memory", memory.map(|memory| memory.0), section.join("size").join("memory"))
        .from("network-mode", ground.mode.word(), section.join("network-mode"))
        .from("requires-compatibilities", json!([ground.compatibility()]), section.join("capacity"))
        .with("runtime-platform", platform)
        .decided(["runtime-platform", "cpu-architecture"], section.join("arch"))
        .maybe("ephemeral-storage", storage, section.join("storage"))
        .with("execution-role-arn", format!("${{role.{home}-execution.arn}}"))
        .with("task-role-arn", format!("${{role.{home}-task.arn}}"));
    task = volume::of_task(task, section, service);
    let mut containers = Map::new();
    for (own, member) in members {
        let mut fields = container(member, ground, sheet);
        fields.extend(image::of(member, runs, sheet).map(|it| ("image".to_owned(), it.into())));
        if own == home {
            limit(&mut fields, service);
        }
        let mounts = volume::mounts(name, own, service);
        if !mounts.is_empty() {
            fields.insert("mount-points".to_owned(), mounts.into());
        }
        fields.insert("log-configuration".to_owned(), logging(owner, service));
        containers.insert(own.clone(), fields.into());
        task = decided(task, own, member, section);
    }
    if service.memory.is_some() {
        for field in ["memory", "memory-reservation"] {
            task = task.decided(["containers", home, field], section.join("memory"));
        }
    }
    task.with("containers", containers)
}

/// The task's CPU and memory, by which Fargate and ECS choose what it runs on. An instance of one's own lets a task have what is left, so that nothing need be said of
/// CPU; and nothing of the task's memory, where its containers' is.
fn size(service: &Service, ground: &Ground) -> (Option<Cpu>, Option<Memory>) {
    let said = service.size.unwrap_or_default();
    let is_sized = ground.is_fargate() || ground.is_managed;
    let (cpu, memory) = match (is_sized, service.memory) {
        (true, _) => (Some(SIZE.0), Some(SIZE.1)),
        (false, None) => (None, Some(SIZE.1)),
        (false, Some(_)) => (None, None),
    };
    (said.cpu.or(cpu), said.memory.or(memory))
}

/// The memory of the container that has the service's name.
fn limit(container: &mut Map<String, Json>, service: &Service) {
    let Some(limits) = service.memory else { return };
    for (field, limit) in [("memory-reservation", limits.soft), ("memory", limits.hard)] {
        if let Some(limit) = limit {
            container.insert(field.to_owned(), limit.0.into());
        }
    }
}

/// The fields that the container's own keys decide.
fn container(member: &Member, ground: &Ground, sheet: &mut Sheet) -> Map<String, Json> {
    let own = &member.container;
    let ports = member.ports().map(|((protocol, port), _)| {
        let mut mapping = json!({ "container-port": port, "protocol": protocol });
        // Others have to know where to find what is on each of the instances.
        if ground.mode == Mode::Bridge && ground.host_ports(port) == (port, port) {
            mapping["host-port"] = port.into();
        }
        mapping
    });
    let size = own.size.unwrap_or_default();
    let after = own.after.iter().map(|(other, until)| (other.clone(), Json::from(word(*until))));
    let fields = [
        ("cpu", size.cpu.map(|cpu| cpu.0.into())),
        ("memory", size.memory.map(|memory| memory.0.into())),
        ("essential", own.essential.map(Json::from)),
        ("ports", some(ports.collect::<Vec<_>>())),
        ("entry-point", own.entrypoint.clone().map(Json::from)),
        ("command", own.command.clone().map(Json::from)),
        ("working-directory", own.directory.as_deref().map(Json::from)),
        ("user", own.user.as_deref().map(Json::from)),
        ("environment", some(own.env.clone())),
        ("secrets", some(secrets(member, sheet))),
        ("depends-on", some(after.collect::<Map<_, _>>())),
        ("stop-timeout", own.stop_timeout.map(|time| time.0.into())),
        ("health-check", own.health.as_ref().and_then(health_check)),
        ("readonly-root-filesystem", own.readonly.map(Json::from)),
        ("linux-parameters", Some(json!({ "init-process-enabled": own.init.unwrap_or(true) }))),
    ];
    let written = fields.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
    written.collect()
}

/// The ways in a container, and the keys that decide what stands there.
const KEYS: [(&[&str], &[&str]); 21] = [
    (&[], &[]),
    (&["image"], &["image"]),
    (&["cpu"], &["size", "cpu"]),
    (&["memory"], &["size", "memory"]),
    (&["essential"], &["essential"]),
    (&["entry-point"], &["entrypoint"]),
    (&["command"], &["command"]),
    (&["working-directory"], &["directory"]),
    (&["user"], &["user"]),
    (&["environment"], &["env"]),
    (&["secrets"], &["secrets"]),
    (&["depends-on"], &["after"]),
    (&["stop-timeout"], &["stop-timeout"]),
    (&["health-check"], &["health"]),
    (&["health-check", "command"], &["health", "command"]),
    (&["health-check", "interval"], &["health", "interval"]),
    (&["health-check", "timeout"], &["health", "timeout"]),
    (&["health-check", "retries"], &["health", "unhealthy"]),
    (&["health-check", "start-period"], &["health", "start"]),
    (&["readonly-root-filesystem"], &["readonly"]),
    (&["linux-parameters", "init-process-enabled"], &["init"]),
];

/// Says for each field of a container which key decides it.
fn decided(mut task: Declaration, own: &str, member: &Member, section: &Path) -> Declaration {
    let inside = ["containers", own];
    let mut decide = |way: &[&str], key: Path| {
        let way = inside.iter().chain(way).copied();
        task.origins.insert(Path::of(way), key);
    };
    for (way, key) in KEYS {
        decide(way, member.key(key.iter().copied()));
    }
    let tables = [
        ("environment", "env", member.container.env.keys().collect::<Vec<_>>()),
        ("secrets", "secrets", member.container.secrets.keys().collect()),
        ("depends-on", "after", member.container.after.keys().collect()),
    ];
    for (field, key, names) in tables {
        for name in names {
            decide(&[field, name], member.key([key, name]));
        }
    }
    let port = member.ports().map(|(_, key)| key).next();
    decide(&["ports"], port.unwrap_or_else(|| member.key(["port"])));
    decide(&["mount-points"], section.join("volume"));
    decide(&["log-configuration"], section.clone());
    let prefix = section.join("logs").join("prefix");
    decide(&["log-configuration", "options", "awslogs-stream-prefix"], prefix);
    task
}

/// Lists and tables with nothing in them are left out: the declaration is shown to people.
fn some(value: impl serde::Serialize) -> Option<Json> {
    let value = serde_json::to_value(value).expect("lists and tables of text are JSON");
    let is_empty = match &value {
        Json::Array(items) => items.is_empty(),
        Json::Object(fields) => fields.is_empty(),
        _ => false,
    };
    (!is_empty).then_some(value)
}

fn secrets(member: &Member, sheet: &mut Sheet) -> Map<String, Json> {
    let mut read = Map::new();
    for (variable, text) in &member.container.secrets {
        match text.parse::<Secret>() {
            Ok(secret) => {
                read.insert(variable.clone(), secret.value_from.into());
            }
            Err(why) => {
                let place = member.keys.join("secrets").join(variable);
                let fault = Diagnostic::error("E0267", why).at(place, "");
                sheet.fault(
                    fault.hint("write \"ssm:/name\", \"sm:name\", \"sm:name#key\" or an ARN"),
                );
            }
        }
    }
    read
}

fn health_check(health: &Health) -> Option<Json> {
    let command = health.command.as_deref()?;
    let seconds = |said: Option<super::measure::Seconds>, default| said.map_or(default, |s| s.0);
    Some(json!({
        "command": ["CMD-SHELL", command],
        "interval": seconds(health.interval, 10),
        "timeout": seconds(health.timeout, 5),
        "retries": health.unhealthy.unwrap_or(3),
        "start-period": seconds(health.start, 0),
    }))
}

fn word(until: Until) -> &'static str {
    match until {
        Until::Start => "START",
        Until::Complete => "COMPLETE",
        Until::Success => "SUCCESS",
        Until::Healthy => "HEALTHY",
    }
}

/// The log group of the service or task `name`.
pub(super) fn expand_logs(name: &str, section: &Path, service: &Service, sheet: &mut Sheet) {
    let keys = section.join("logs");
    let logs = service.logs.clone().unwrap_or_default();
    let group = Declaration::new("log-group", name, section)
        .maybe("name", logs.group, keys.join("group"))
        .from("retention-in-days", logs.keep.unwrap_or(KEEP).0, keys.join("keep"));
    sheet.add(group);
}

/// Says which sections write to the same log group: it would be declared twice.
pub(super) fn check_groups<'d>(
    logs: impl IntoIterator<Item = (Path, Option<&'d Logs>)>,
    sheet: &mut Sheet,
) {
    let mut seen: BTreeMap<&str, Path> = BTreeMap::new();
    for (section, logs) in logs {
        let Some(group) = logs.and_then(|logs| logs.group.as_deref()) else { continue };
        let place = section.join("logs").join("group");
        let Some(first) = seen.insert(group, place.clone()) else { continue };
        let title = format!("two sections write to the log group `{group}`");
        let fault = Diagnostic::error("E0272", title).at(place, "").at(first, THE_OTHER);
        sheet.fault(fault.hint("leave out `group`, or give one of them another"));
    }
}

/// Where a container, or the proxy beside the containers, writes to.
pub(super) fn logging(owner: Owner<'_>, service: &Service) -> Json {
    let Owner { name, home, .. } = owner;
    let prefix = service.logs.as_ref().and_then(|logs| logs.prefix.as_deref());
    json!({
        "driver": "awslogs",
        "options": {
            "awslogs-group": format!("${{log-group.{home}.name}}"),
            "awslogs-region": "${aws.region}",
            "awslogs-stream-prefix": prefix.unwrap_or(name),
        },
    })
}
