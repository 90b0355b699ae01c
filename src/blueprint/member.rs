//! The containers of a service's task: the one that has the service's name, those in `container`, and
//! the X-Ray daemon.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::ground::Mode;
use super::measure::{Cpu, Memory};
use super::service::{Container, Service, Size};
use super::sheet::Sheet;
use crate::address::Path;
use crate::diag::Diagnostic;

/// The container that `xray = true` adds.
const DAEMON: &str = "xray-daemon";
/// Where containers read where the daemon is.
const ADDRESS: &str = "AWS_XRAY_DAEMON_ADDRESS";
/// Where the daemon listens, and where the SDKs look for it.
const DAEMON_PORT: u16 = 2000;

/// A container, and where its keys are written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Member {
    /// What the spec says of it.
    pub(super) container: Container,
    /// The path of its keys: `service.web`, or `service.web.container.proxy`.
    pub(super) keys: Path,
    /// The ports that it listens on because routes lead there, and the keys of these.
    pub(super) routed: BTreeMap<(&'static str, u16), Path>,
    /// The keys that say something of it and stand elsewhere, by where they would stand here.
    elsewhere: BTreeMap<Path, Path>,
}

impl Member {
    /// The key of the spec that says what `way` is of it.
    pub(super) fn key<'s>(&self, way: impl IntoIterator<Item = &'s str>) -> Path {
        let way = Path::of(way);
        match self.elsewhere.get(&way) {
            _ if self.is_daemon() => self.keys.clone(),
            Some(key) => key.clone(),
            None => Path::of(self.keys.0.iter().chain(&way.0)),
        }
    }

    /// All ports that it listens on, and the key that says each.
    pub(super) fn ports(&self) -> impl Iterator<Item = ((&'static str, u16), Path)> {
        let own = [("tcp", "port", self.container.port), ("udp", "udp", self.container.udp)];
        let said = own
            .into_iter()
            .filter_map(|(protocol, key, port)| Some(((protocol, port?), self.key([key]))));
        said.chain(self.routed.iter().map(|(port, key)| (*port, key.clone())))
    }

    /// The same container in a task of its own: nobody reaches it, waits for it or shares with it. `over`
    /// is what the section `by` says otherwise.
    pub(super) fn alone(&self, over: &Container, by: &Path) -> Self {
        let own = &self.container;
        let (mut env, mut elsewhere) = (own.env.clone(), self.elsewhere.clone());
        let daemon = elsewhere.remove(&Path::of(["env", ADDRESS]));
        env.retain(|name, _| name != ADDRESS || daemon.is_none());
        for (name, text) in &over.env {
            env.insert(name.clone(), text.clone());
            elsewhere.insert(Path::of(["env", name]), by.join("env").join(name));
        }
        for (key, is_said) in
            [("command", over.command.is_some()), ("entrypoint", over.entrypoint.is_some())]
        {
            elsewhere.extend(is_said.then(|| (Path::of([key]), by.join(key))));
        }
        let container = Container {
            env,
            command: over.command.clone().or_else(|| own.command.clone()),
            entrypoint: over.entrypoint.clone().or_else(|| own.entrypoint.clone()),
            port: None,
            udp: None,
            size: None,
            essential: None,
            health: None,
            after: BTreeMap::new(),
            ..own.clone()
        };
        Self { container, keys: self.keys.clone(), routed: BTreeMap::new(), elsewhere }
    }

    /// A container that the section `keys` describes alone.
    pub(super) fn only(container: Container, keys: Path) -> Self {
        Self { container, keys, routed: BTreeMap::new(), elsewhere: BTreeMap::new() }
    }

    /// Whether it is the X-Ray daemon that `service.web.xray` adds.
    pub(super) fn is_daemon(&self) -> bool {
        matches!(self.keys.steps().as_slice(), [_, _, "xray"])
    }
}

/// The containers by name.
pub(super) type Members = BTreeMap<String, Member>;

/// All containers of the service `name`.
pub(super) fn members(name: &str, service: &Service, sheet: &mut Sheet) -> Members {
    let section = Path::of(["service", name]);
    let mut members = Members::new();
    for (own, container) in &service.container {
        let keys = section.join("container").join(own);
        members.insert(own.clone(), inheriting(container, keys, service, &section));
    }
    let stray = strays(service);
    if service.image.is_some() {
        let member = Member::only(main(service), section.clone());
        if members.insert(name.to_owned(), member).is_some() {
            let title = format!("two containers are called `{name}`");
            let fault =
                Diagnostic::error("E0263", title).at_key(section.join("container").join(name), "");
            let fault = fault.at(section.join("image"), "this is the image of the other");
            sheet.fault(fault.hint("give the one in `container` another name"));
        }
    } else if members.is_empty() {
        let title = format!("the service `{name}` has no image");
        let fault = Diagnostic::error("E0263", title).at_key(section.clone(), "");
        sheet.fault(fault.hint("add `image = \"…\"`, or a table `container`"));
    } else if let Some(key) = stray.first() {
        let title = format!("`{key}` belongs to a container, but the service has no `image`");
        let fault = Diagnostic::error("E0263", title).at_key(section.join(*key), "");
        let hint = format!("write `{key}` in the container it is for, or add `image`");
        sheet.fault(fault.hint(hint));
    }
    for (own, member) in members.iter().filter(|(_, member)| member.container.image.is_none()) {
        let fault = Diagnostic::error("E0263", format!("the container `{own}` has no image"));
        sheet.fault(fault.at_key(member.keys.clone(), "").hint("add `image = \"…\"`"));
    }
    if service.xray {
        add_daemon(&section, &mut members);
    }
    // In bridge mode each container has an address of its own within the instance.
    if service.network_mode != Some(Mode::Bridge) {
        check_ports(&members, sheet);
    }
    check_order(&members, sheet);
    members
}

/// The container that has the service's name.
fn main(service: &Service) -> Container {
    Container {
        image: service.image.clone(),
        pin: service.pin,
        port: service.port,
        udp: service.udp,
        // The size at the top is the whole task's.
        size: None,
        essential: None,
        env: service.env.clone(),
        secrets: service.secrets.clone(),
        command: service.command.clone(),
        entrypoint: service.entrypoint.clone(),
        health: service.health.clone(),
        user: service.user.clone(),
        directory: service.directory.clone(),
        readonly: service.readonly,
        stop_timeout: service.stop_timeout,
        init: service.init,
        after: service.after.containers.clone(),
    }
}

/// A container with what the service says of all its containers.
fn inheriting(container: &Container, keys: Path, service: &Service, section: &Path) -> Member {
    let said = [
        ("pin", container.pin.is_some()),
        ("readonly", container.readonly.is_some()),
        ("stop-timeout", container.stop_timeout.is_some()),
        ("init", container.init.is_some()),
    ];
    let inherited = said.into_iter().filter(|(_, said)| !said);
    let elsewhere = inherited.map(|(key, _)| (Path::of([key]), section.join(key))).collect();
    let container = Container {
        pin: container.pin.or(service.pin),
        readonly: container.readonly.or(service.readonly),
        stop_timeout: container.stop_timeout.or(service.stop_timeout),
        init: container.init.or(service.init),
        ..container.clone()
    };
    Member { container, keys, routed: BTreeMap::new(), elsewhere }
}

/// The keys written at the top that mean nothing without an image there.
fn strays(service: &Service) -> Vec<&'static str> {
    let command = service.health.as_ref().is_some_and(|health| health.command.is_some());
    let written = [
        ("port", service.port.is_some()),
        ("udp", service.udp.is_some()),
        ("env", !service.env.is_empty()),
        ("secrets", !service.secrets.is_empty()),
        ("command", service.command.is_some()),
        ("entrypoint", service.entrypoint.is_some()),
        ("health", command),
        ("user", service.user.is_some()),
        ("directory", service.directory.is_some()),
        ("after", !service.after.containers.is_empty()),
    ];
    written.into_iter().filter(|(_, written)| *written).map(|(key, _)| key).collect()
}

/// The X-Ray daemon, unless a container of that name is written by hand; and in all others where to
/// find it. Its size is that of AWS's example.
fn add_daemon(section: &Path, members: &mut Members) {
    let keys = section.join("xray");
    for (_, member) in members.iter_mut().filter(|(name, _)| *name != DAEMON) {
        let Entry::Vacant(address) = member.container.env.entry(ADDRESS.to_owned()) else {
            continue;
        };
        address.insert(format!("127.0.0.1:{DAEMON_PORT}"));
        member.elsewhere.insert(Path::of(["env", ADDRESS]), keys.clone());
    }
    members.entry(DAEMON.to_owned()).or_insert_with(|| Member {
        container: Container {
            image: Some("public.ecr.aws/xray/aws-xray-daemon:3.x".to_owned()),
            udp: Some(DAEMON_PORT),
            essential: Some(false),
            size: Some(Size { cpu: Some(Cpu(32)), memory: Some(Memory(256)) }),
            ..Container::default()
        },
        keys,
        routed: BTreeMap::new(),
        elsewhere: BTreeMap::new(),
    });
}

fn check_ports(members: &Members, sheet: &mut Sheet) {
    let mut taken: BTreeMap<(&str, u16), &Member> = BTreeMap::new();
    for member in members.values() {
        let container = &member.container;
        for (key, port) in [("port", container.port), ("udp", container.udp)] {
            let Some(port) = port else { continue };
            let Some(first) = taken.insert((key, port), member) else { continue };
            let title = format!("two containers of a task listen on port {port}");
            let fault = Diagnostic::error("E0265", title).at(member.keys.join(key), "");
            let fault = fault.at(first.keys.join(key), "the containers share one address");
            sheet.fault(fault.hint("let one of them listen on another port"));
        }
    }
}

fn check_order(members: &Members, sheet: &mut Sheet) {
    for (name, member) in members {
        let others: Vec<&String> = members.keys().filter(|other| *other != name).collect();
        for awaited in member.container.after.keys().filter(|after| !others.contains(after)) {
            let place = member.keys.join("after").join(awaited);
            sheet.unknown("other container", awaited, place, others.iter().copied());
        }
    }
}
