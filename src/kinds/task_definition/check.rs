//! What can be known offline about a task definition: sizes, ports, names, limits, and what Fargate
//! does not have. Texts may still hold `${…}`.

use std::collections::{BTreeMap, BTreeSet};

use super::container::{Container, ContainerCondition, LogDriver, Port, Protocol};
use super::{CpuArchitecture, NetworkMode, OperatingSystem, PidMode, TaskDefinition};
use crate::kind::{Check, Unit};
use crate::kinds::types::cpu_memory::{Cpu, fargate_cpus, fargate_memories, fargate_nearest};

/// Every rule.
pub(super) fn all(spec: &TaskDefinition, check: &mut Check<'_>) {
    size(spec, check);
    shares(spec, check);
    ports(spec, check);
    dependencies(spec, check);
    times(spec, check);
    names(spec, check);
    logs(spec, check);
    roles(spec, check);
    storage(spec, check);
    placement(spec, check);
    mounts(spec, check);
    modes(spec, check);
    if spec.is_fargate() {
        fargate(spec, check);
    }
}

/// The path of a container's field.
fn at(container: &str, field: &str) -> String {
    format!("containers.{container}.{field}")
}

/// E0240: Fargate's sizes.
fn size(spec: &TaskDefinition, check: &mut Check<'_>) {
    if !spec.is_fargate() {
        return;
    }
    let (Some(cpu), Some(memory)) = (spec.cpu, spec.memory) else {
        let field = if spec.cpu.is_none() { "cpu" } else { "memory" };
        let hint = "write `cpu` and `memory` for the task, such as 256 and 512";
        let title = format!("a task on Fargate needs `{field}`");
        check.error_with("E0240", "", title, hint);
        return;
    };
    let legal = fargate_memories(cpu);
    if legal.contains(&memory) {
        return;
    }
    if legal.is_empty() {
        let sizes: Vec<String> = fargate_cpus().map(|cpu| cpu.short()).collect();
        let hint = format!("choose one of {}", sizes.join(", "));
        check.error_with("E0240", "cpu", format!("Fargate has no size of {cpu}"), hint).alone =
            true;
        return;
    }
    let title = format!("{cpu} cannot have {memory} on Fargate");
    if cpu == Cpu(32768) {
        // The newest size: the guide lists three memories, the API's own text none. So only a warning.
        check.warning("E0240", "memory", title);
        return;
    }
    let near = fargate_nearest(cpu, memory);
    let near: Vec<String> =
        near.iter().map(|(cpu, memory)| format!("{}/{}", cpu.short(), memory.short())).collect();
    let (least, most) = (legal[0], legal[legal.len() - 1]);
    let hint = format!("choose {}; {cpu} goes with {least} to {most}", near.join(" or "));
    check.error_with("E0240", "memory", title, hint).alone = true;
}

/// E0241: what the containers get is at most what the task has.
fn shares(spec: &TaskDefinition, check: &mut Check<'_>) {
    let cpu: u64 = spec.containers.values().map(|container| u64::from(container.cpu.0)).sum();
    if let Some(task) = spec.cpu.filter(|task| cpu > u64::from(task.0)) {
        let title = format!("the containers' CPU units add up to {cpu}, the task has {}", task.0);
        check.error("E0241", "cpu", title);
    }
    let memory = |container: &Container| container.memory.map_or(0, |memory| u64::from(memory.0));
    let sum: u64 = spec.containers.values().map(memory).sum();
    if let Some(task) = spec.memory.filter(|task| sum > u64::from(task.0)) {
        let title = format!("the containers' memory adds up to {sum} MiB, the task has {}", task.0);
        check.error("E0241", "memory", title);
    }
    for (name, container) in &spec.containers {
        if container.memory.is_some_and(|hard| container.memory_reservation > Some(hard)) {
            let title = "`memory-reservation` is the soft limit and cannot exceed `memory`";
            check.error("E0241", &at(name, "memory-reservation"), title);
        }
        if container.memory.into_iter().chain(container.memory_reservation).any(|m| m.0 < 6) {
            check.error("E0241", &at(name, "memory"), "a container has at least 6 MiB");
        }
        let unlimited = container.memory.is_none() && container.memory_reservation.is_none();
        if spec.memory.is_none() && !spec.is_fargate() && unlimited {
            let title = "without `memory` for the task, each container needs `memory` or \
                         `memory-reservation`";
            check.error("E0241", &at(name, "memory"), title);
        }
    }
}

/// E0242: ports.
fn ports(spec: &TaskDefinition, check: &mut Check<'_>) {
    let shared = matches!(spec.network_mode, NetworkMode::Awsvpc | NetworkMode::Host);
    let mut taken: BTreeMap<(u16, Protocol), &str> = BTreeMap::new();
    let mut names = BTreeSet::new();
    for (container, definition) in &spec.containers {
        let field = at(container, "ports");
        if !shared {
            taken.clear();
        }
        for port in &definition.ports {
            one_port(port, spec.network_mode, &field, check);
            let Some(number) = port.container_port else { continue };
            if let Some(other) = taken.insert((number, port.protocol), container) {
                let title = match other == container {
                    true => format!("port {number} is listed twice"),
                    false => format!(
                        "port {number} belongs to container `{other}`, with which this one shares \
                         its network"
                    ),
                };
                check.error("E0242", &field, title);
            }
        }
        for name in definition.ports.iter().filter_map(|port| port.name.as_ref()) {
            if !names.insert(name) {
                check.error("E0242", &field, format!("two ports are named `{name}`"));
            }
        }
    }
}

fn one_port(port: &Port, mode: NetworkMode, field: &str, check: &mut Check<'_>) {
    let number = match (port.container_port, &port.container_port_range) {
        (Some(0), _) => Some("a port is a number from 1 to 65535"),
        (Some(_), None) | (None, Some(_)) => None,
        _ => Some("a port needs `container-port` or `container-port-range`, and not both"),
    };
    // The host's port is gone from the canonical form where it is the same.
    let host = (matches!(mode, NetworkMode::Awsvpc | NetworkMode::Host)
        && port.host_port.is_some())
    .then_some("`host-port` differs from `container-port`, which `awsvpc` and `host` forbid");
    let range = port.container_port_range.as_deref().filter(|range| !is_range(range));
    let range = range.map(|_| "a range of ports looks like `8000-8010` and spans at most 100");
    let name = port.name.as_deref().filter(|name| name.len() > 64 || !is_name(name));
    let name = name.map(|_| "a port's name has at most 64 letters, digits, `_` and `-`");
    for title in [number, host, range, name].into_iter().flatten() {
        check.error("E0242", field, title);
    }
}

fn is_range(text: &str) -> bool {
    let Some((from, to)) = text.split_once('-') else { return false };
    let (Ok(from), Ok(to)) = (from.parse::<u16>(), to.parse::<u16>()) else { return false };
    from > 0 && from <= to && to - from < 100
}

fn is_name(text: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    !text.is_empty() && text.bytes().all(legal)
}

/// E0243: essential containers, and who waits for whom.
fn dependencies(spec: &TaskDefinition, check: &mut Check<'_>) {
    if !spec.containers.is_empty() && !spec.containers.values().any(|c| c.essential) {
        let hint = "let at least one container be essential";
        check.error_with("E0243", "containers", "no container is essential", hint);
    }
    for (name, container) in &spec.containers {
        for (other, condition) in &container.depends_on {
            let field = at(name, &format!("depends-on.{other}"));
            let Some(found) = spec.containers.get(other) else {
                let title = format!("there is no container `{other}` to depend on");
                check.error("E0243", &field, title);
                continue;
            };
            match condition {
                ContainerCondition::Healthy if found.health_check.is_none() => {
                    check.error_with(
                        "E0243",
                        &field,
                        format!("container `{other}` has no health check, so it never is healthy"),
                        format!("give `{other}` a `health-check`, or depend on its START"),
                    );
                }
                ContainerCondition::Complete | ContainerCondition::Success if found.essential => {
                    check.error_with(
                        "E0243",
                        &field,
                        format!("container `{other}` is essential: the task stops when it exits"),
                        format!("set `essential = false` for `{other}`"),
                    );
                }
                _ => {}
            }
        }
    }
    if let Some(cycle) = cycle(spec) {
        let title = format!("containers wait for each other: {}", cycle.join(" → "));
        check.error("E0243", &at(cycle[0], &format!("depends-on.{}", cycle[1])), title);
    }
}

/// A way from a container back to itself, if there is one.
fn cycle(spec: &TaskDefinition) -> Option<Vec<&str>> {
    fn walk<'a>(
        spec: &'a TaskDefinition,
        way: &mut Vec<&'a str>,
        done: &mut BTreeSet<&'a str>,
    ) -> Option<Vec<&'a str>> {
        let here = *way.last()?;
        for next in spec.containers.get(here)?.depends_on.keys() {
            if let Some(start) = way.iter().position(|name| name == next) {
                return Some(way[start..].iter().copied().chain([next.as_str()]).collect());
            }
            if done.contains(next.as_str()) {
                continue;
            }
            way.push(next);
            if let Some(found) = walk(spec, way, done) {
                return Some(found);
            }
            way.pop();
        }
        done.insert(here);
        None
    }
    let mut done = BTreeSet::new();
    spec.containers.keys().find_map(|name| walk(spec, &mut vec![name], &mut done))
}

/// E0244: health checks and other times.
fn times(spec: &TaskDefinition, check: &mut Check<'_>) {
    for (name, container) in &spec.containers {
        if let Some(health) = &container.health_check {
            let field = at(name, "health-check");
            let command = &health.command;
            let begins = command.first().is_some_and(|first| {
                (matches!(first.as_str(), "CMD" | "CMD-SHELL") && command.len() > 1)
                    || (first == "NONE" && command.len() == 1)
            });
            if !begins {
                let hint = "write `[\"CMD-SHELL\", \"curl -f http://localhost/\"]`";
                let title = "a health check's command begins with `CMD` or `CMD-SHELL`";
                check.error_with("E0244", &field, title, hint);
            }
            let numbers = [
                ("interval", (health.interval, Unit::Seconds), 5..=300),
                ("timeout", (health.timeout, Unit::Seconds), 2..=60),
                ("retries", (health.retries, Unit::Times), 1..=10),
                ("start-period", (health.start_period, Unit::Seconds), 0..=300),
            ];
            for (number, (value, unit), legal) in numbers {
                check.within("E0244", &format!("{field}.{number}"), (Some(value), unit), legal);
            }
        }
        if let Some(policy) = &container.restart_policy {
            let field = at(name, "restart-policy");
            let period = (Some(policy.restart_attempt_period), Unit::Seconds);
            check.within("E0244", &format!("{field}.restart-attempt-period"), period, 60..=1800);
            if policy.ignored_exit_codes.len() > 50 {
                let title = "a container has at most 50 exit codes that are ignored";
                check.error("E0244", &format!("{field}.ignored-exit-codes"), title);
            }
        }
        let times =
            [("start-timeout", container.start_timeout), ("stop-timeout", container.stop_timeout)];
        for (field, time) in times.into_iter().filter(|_| spec.is_fargate()) {
            check.within("E0244", &at(name, field), (time, Unit::Seconds), 2..=120);
        }
    }
}

/// E0245: names and limits.
fn names(spec: &TaskDefinition, check: &mut Check<'_>) {
    if !(1..=10).contains(&spec.containers.len()) {
        let title = format!("a task has 1 to 10 containers, not {}", spec.containers.len());
        check.error("E0245", "containers", title);
    }
    for (name, container) in &spec.containers {
        if name.len() > 255 || !is_name(name) {
            let title = format!("`{name}` is no container's name");
            let hint = "use at most 255 letters, digits, `_` and `-`";
            check.error_with("E0245", &format!("containers.{name}"), title, hint);
        }
        let tagged = container.image.split('@').next().unwrap_or_default();
        if tagged.is_empty() || (tagged.len() > 255 && !tagged.contains("${")) {
            let title = "an image's name has 1 to 255 characters";
            check.error("E0245", &at(name, "image"), title);
        }
        if container.credential_specs.len() > 1 {
            let title = "a container has at most one credential spec";
            check.error("E0245", &at(name, "credential-specs"), title);
        }
        if container.environment_files.len() > 10 {
            let title = "a container has at most 10 environment files";
            check.error("E0245", &at(name, "environment-files"), title);
        }
    }
    // Only texts are counted, so that what is refused here is certainly refused by ECS.
    let texts: usize = serde_json::to_value(spec).map_or(0, |document| length(&document));
    if texts > 64 * 1024 {
        let title =
            format!("a task definition has at most 64 KB; the texts alone have {texts} bytes");
        check.error("E0245", "containers", title);
    }
}

fn length(document: &serde_json::Value) -> usize {
    match document {
        serde_json::Value::String(text) => text.len(),
        serde_json::Value::Array(items) => items.iter().map(length).sum(),
        serde_json::Value::Object(map) => map.values().map(length).sum(),
        _ => 0,
    }
}

/// E0246: log drivers and what they need.
fn logs(spec: &TaskDefinition, check: &mut Check<'_>) {
    let routed = spec.containers.values().any(|container| container.firelens.is_some());
    for (name, container) in &spec.containers {
        let Some(logs) = &container.log_configuration else { continue };
        let field = at(name, "log-configuration");
        if logs.driver == LogDriver::Awslogs {
            let mut needed = vec!["awslogs-group", "awslogs-region"];
            if spec.is_fargate() {
                needed.push("awslogs-stream-prefix");
            }
            for option in needed.into_iter().filter(|option| !logs.options.contains_key(*option)) {
                let title = format!("the log driver `awslogs` needs the option `{option}`");
                check.error("E0246", &format!("{field}.options"), title);
            }
        }
        if logs.driver == LogDriver::Awsfirelens && !routed {
            check.error_with(
                "E0246",
                &format!("{field}.driver"),
                "the log driver `awsfirelens` needs a container that is the log router",
                "give the router's container `firelens = { type = \"fluentbit\" }`",
            );
        }
    }
}

/// E0247: what is fetched needs a role to fetch it with; E0254: roles are named by ARN.
fn roles(spec: &TaskDefinition, check: &mut Check<'_>) {
    for (field, role) in
        [("execution-role-arn", &spec.execution_role_arn), ("task-role-arn", &spec.task_role_arn)]
    {
        if role.as_ref().is_some_and(|role| !role.contains("${") && !role.starts_with("arn:")) {
            let title = format!("`{field}` is not an ARN");
            check.error_with("E0254", field, title, "write `${role.<name>.arn}` or the whole ARN");
        }
    }
    for (name, container) in &spec.containers {
        if let Some(both) =
            container.secrets.keys().find(|k| container.environment.contains_key(*k))
        {
            let title = format!("`{both}` is in `environment` and in `secrets`");
            check.error("E0247", &at(name, &format!("secrets.{both}")), title);
        }
        if spec.execution_role_arn.is_some() {
            continue;
        }
        let logs = container.log_configuration.as_ref();
        let needs = [
            ("secrets", !container.secrets.is_empty()),
            ("environment-files", !container.environment_files.is_empty()),
            ("repository-credentials", container.repository_credentials.is_some()),
            (
                "log-configuration",
                logs.is_some_and(|logs| {
                    !logs.secret_options.is_empty()
                        || (spec.is_fargate() && logs.driver == LogDriver::Awslogs)
                }),
            ),
        ];
        for (field, _) in needs.iter().filter(|(_, needed)| *needed) {
            check.error_with(
                "E0247",
                &at(name, field),
                format!("`{field}` needs an execution role"),
                "set `execution-role-arn` for the task",
            );
        }
    }
}

/// E0243: who the proxy is; E0245: how many constraints there are.
fn placement(spec: &TaskDefinition, check: &mut Check<'_>) {
    if spec.placement_constraints.len() > 10 {
        let title = "a task definition has at most 10 placement constraints";
        check.error("E0245", "placement-constraints", title);
    }
    let Some(proxy) = &spec.proxy_configuration else { return };
    if !spec.containers.contains_key(&proxy.container_name) {
        let title = format!("there is no container `{}` to be the proxy", proxy.container_name);
        check.error("E0243", "proxy-configuration.container-name", title);
    }
    if spec.network_mode != NetworkMode::Awsvpc {
        let title = "a proxy needs the network mode `awsvpc`";
        check.error("E0243", "proxy-configuration", title);
    }
}

/// E0248: the disk's size.
fn storage(spec: &TaskDefinition, check: &mut Check<'_>) {
    let Some(storage) = spec.ephemeral_storage else { return };
    if !(21..=200).contains(&storage.size_in_gib) {
        check
            .error_with(
                "E0248",
                "ephemeral-storage.size-in-gib",
                format!("ephemeral storage has 21 to 200 GiB, not {}", storage.size_in_gib),
                "leave `ephemeral-storage` out for the 20 GiB that are always there",
            )
            .alone = true;
    }
}

/// E0256: volumes and containers that mounts name.
fn mounts(spec: &TaskDefinition, check: &mut Check<'_>) {
    for (name, container) in &spec.containers {
        for mount in &container.mount_points {
            if !spec.volumes.contains_key(&mount.source_volume) {
                let title = format!("there is no volume `{}`", mount.source_volume);
                check.error("E0256", &at(name, "mount-points"), title);
            }
            // On Windows it begins with a drive.
            let path = mount.container_path.as_str();
            if !path.starts_with(['/', '$']) && path.as_bytes().get(1) != Some(&b':') {
                let title = format!("the mount `{path}` is not an absolute path");
                check.error("E0256", &at(name, "mount-points"), title);
            }
        }
        for from in &container.volumes_from {
            if !spec.containers.contains_key(&from.source_container) {
                let title = format!("there is no container `{}`", from.source_container);
                check.error("E0256", &at(name, "volumes-from"), title);
            }
        }
    }
    for (name, volume) in &spec.volumes {
        let forms = [
            volume.efs.is_some(),
            volume.host_path.is_some(),
            volume.docker.is_some(),
            volume.fsx.is_some(),
            volume.s3_files.is_some(),
            volume.configured_at_launch,
        ];
        if forms.into_iter().filter(|set| *set).count() > 1 {
            let title = "a volume is one thing: EFS, a path of the host, Docker's, FSx, S3 Files, or \
                         what the service says";
            check.error("E0256", &format!("volumes.{name}"), title);
        }
        let s3 = volume.s3_files.as_ref();
        if s3.is_some_and(|s3| s3.access_point_arn.is_some() && s3.root_directory != "/") {
            let title = "with an access point the root directory is the access point's";
            check.error("E0256", &format!("volumes.{name}.s3-files.root-directory"), title);
        }
        if s3.is_some() && spec.task_role_arn.is_none() {
            let hint = "set `task-role-arn` for the task";
            let title = "S3 Files are mounted with the task role";
            check.error_with("E0256", &format!("volumes.{name}.s3-files"), title, hint);
        }
    }
    let mut launched = spec.volumes.iter().filter(|(_, volume)| volume.configured_at_launch);
    if let Some((second, _)) = launched.nth(1) {
        let title = "a task has at most one volume that ECS makes for it";
        check.error("E0256", &format!("volumes.{second}"), title);
    }
    for (name, docker) in
        spec.volumes.iter().filter_map(|(name, v)| Some((name, v.docker.as_ref()?)))
    {
        if docker.autoprovision && docker.scope == super::volume::Scope::Task {
            let title = "a volume that lives as long as its task is always made";
            check.error("E0256", &format!("volumes.{name}.docker.autoprovision"), title);
        }
    }
    for (name, efs) in spec.volumes.iter().filter_map(|(name, v)| Some((name, v.efs.as_ref()?))) {
        let guarded = efs.access_point_id.is_some() || efs.iam == super::Switch::Enabled;
        if guarded && efs.transit_encryption == super::Switch::Disabled {
            let title = "an access point or IAM needs `transit-encryption = \"ENABLED\"`";
            check.error("E0256", &format!("volumes.{name}.efs"), title);
        }
        if efs.iam == super::Switch::Enabled && spec.task_role_arn.is_none() {
            let title = "who is let in, the task role decides, and there is none";
            let hint = "set `task-role-arn`";
            check.error_with("E0256", &format!("volumes.{name}.efs.iam"), title, hint);
        }
        if efs.access_point_id.is_some() && efs.root_directory != "/" {
            let title = "with an access point the root directory is the access point's";
            check.error("E0256", &format!("volumes.{name}.efs.root-directory"), title);
        }
    }
}

/// E0277: what goes with how containers are reached. Page "ContainerDefinition".
fn modes(spec: &TaskDefinition, check: &mut Check<'_>) {
    let mode = spec.network_mode;
    for (name, container) in &spec.containers {
        let own = mode == NetworkMode::Awsvpc && !spec.is_fargate();
        let rules = [
            ("links", mode != NetworkMode::Bridge && !container.links.is_empty()),
            ("ports", mode == NetworkMode::None && !container.ports.is_empty()),
            ("hostname", own && container.hostname.is_some()),
            ("extra-hosts", own && !container.extra_hosts.is_empty()),
        ];
        // Of Fargate, which has one mode, the same is said in other words.
        for (field, _) in rules.into_iter().filter(|(_, wrong)| *wrong && !spec.is_fargate()) {
            let title = format!("`{field}` does not go with the network mode `{}`", mode.word());
            check.error("E0277", &at(name, field), title);
        }
    }
}

/// E0249: what Fargate does not have.
fn fargate(spec: &TaskDefinition, check: &mut Check<'_>) {
    let windows = spec.runtime_platform.operating_system_family != OperatingSystem::Linux;
    let arm = spec.runtime_platform.cpu_architecture == CpuArchitecture::Arm64;
    let task = [
        ("network-mode", spec.network_mode != NetworkMode::Awsvpc, "only `awsvpc`"),
        ("pid-mode", spec.pid_mode == Some(PidMode::Host), "only `task`"),
        ("ipc-mode", spec.ipc_mode.is_some(), "none"),
        ("placement-constraints", !spec.placement_constraints.is_empty(), "none"),
        ("runtime-platform", windows && arm, "Windows on X86_64 only"),
        ("cpu", windows && spec.cpu.is_some_and(|cpu| cpu.0 < 1024), "Windows from 1 vCPU on"),
    ];
    for (field, _, has) in task.into_iter().filter(|(_, wrong, _)| *wrong) {
        check.error(
            "E0249",
            field,
            format!("`{field}` cannot be this on Fargate, which has {has}"),
        );
    }
    for (name, volume) in &spec.volumes {
        if volume.host_path.is_some() {
            let field = format!("volumes.{name}.host-path");
            check.error("E0249", &field, "Fargate has no host whose paths could be mounted");
        }
        let others = [("docker", volume.docker.is_some()), ("fsx", volume.fsx.is_some())];
        for (form, _) in others.into_iter().filter(|(_, set)| *set) {
            let title = format!("Fargate does not know volumes of the form `{form}`");
            check.error("E0249", &format!("volumes.{name}.{form}"), title);
        }
    }
    for (name, container) in &spec.containers {
        for field in forbidden(container) {
            let title = format!("Fargate does not know `{field}`");
            check.error("E0249", &at(name, field), title);
        }
    }
}

/// The fields of a container that are set and that Fargate refuses.
fn forbidden(container: &Container) -> impl Iterator<Item = &'static str> {
    let linux = &container.linux_parameters;
    let legal = ["SYS_PTRACE", "CAP_SYS_PTRACE"];
    let driver = container.log_configuration.as_ref().map(|logs| logs.driver);
    let fargates = [LogDriver::Awslogs, LogDriver::Awsfirelens, LogDriver::Splunk];
    [
        ("privileged", container.privileged),
        ("hostname", container.hostname.is_some()),
        ("disable-networking", container.disable_networking),
        ("links", !container.links.is_empty()),
        ("dns-servers", !container.dns_servers.is_empty()),
        ("dns-search-domains", !container.dns_search_domains.is_empty()),
        ("extra-hosts", !container.extra_hosts.is_empty()),
        ("docker-security-options", !container.docker_security_options.is_empty()),
        ("resource-requirements", !container.resource_requirements.is_empty()),
        ("linux-parameters.devices", !linux.devices.is_empty()),
        ("linux-parameters.shared-memory-size", linux.shared_memory_size.is_some()),
        ("linux-parameters.tmpfs", !linux.tmpfs.is_empty()),
        ("linux-parameters.max-swap", linux.max_swap.is_some()),
        ("linux-parameters.swappiness", linux.swappiness.is_some()),
        (
            "linux-parameters.capabilities.add",
            linux.capabilities.add.iter().any(|name| !legal.contains(&name.as_str())),
        ),
        ("log-configuration.driver", driver.is_some_and(|driver| !fargates.contains(&driver))),
    ]
    .into_iter()
    .filter_map(|(field, set)| set.then_some(field))
}
