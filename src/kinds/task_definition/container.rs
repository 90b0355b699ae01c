//! The container definition: every field of the API's that Fargate knows, and those that only other
//! capacity allows, so that they are told apart from typing errors.
//!
//! A field that is left out means *none*: a task definition is owned whole, so that taking a field away
//! is a change like any other.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kinds::types::cpu_memory::{Cpu, Memory};
use crate::kinds::types::words::words;

/// One container of a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Container {
    /// The image: `repository:tag` or `repository@sha256:…`.
    #[schemars(extend("examples" = ["httpd:2.4"]))]
    pub image: String,
    /// The ARN of the secret with the user and password of a private registry that is not ECR.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository_credentials: Option<String>,
    /// CPU units of the task's that are reserved for this container.
    #[serde(default)]
    pub cpu: Cpu,
    /// The hard limit of memory: whoever exceeds it is killed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Memory>,
    /// The soft limit of memory, which is what is reserved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_reservation: Option<Memory>,
    /// Whether the task stops when this container does.
    #[serde(default = "yes")]
    pub essential: bool,
    /// Restarts this container alone, without a new task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restart_policy: Option<RestartPolicy>,
    /// The ports it listens on.
    #[serde(default)]
    pub ports: BTreeSet<Port>,
    /// What is run, in place of the image's ENTRYPOINT.
    #[serde(default)]
    pub entry_point: Vec<String>,
    /// The arguments, in place of the image's CMD.
    #[serde(default)]
    pub command: Vec<String>,
    /// The directory in which the command runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub working_directory: Option<String>,
    /// The user, `user` or `uid:gid`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Environment variables.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// ARNs of `.env` objects in S3. Of a variable that several set, the first counts.
    #[serde(default)]
    pub environment_files: Vec<String>,
    /// Environment variables whose values are read at start: name to the ARN of a Secrets Manager
    /// secret or an SSM parameter.
    #[serde(default)]
    pub secrets: BTreeMap<String, String>,
    /// Which containers come before this one, and how far they must be.
    #[serde(default)]
    pub depends_on: BTreeMap<String, ContainerCondition>,
    /// Seconds that dependencies get, 2–120 on Fargate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_timeout: Option<u32>,
    /// Seconds between SIGTERM and SIGKILL, 2–120 on Fargate, where 30 is the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_timeout: Option<u32>,
    /// How the container's health is found out. A HEALTHCHECK of the image is ignored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_check: Option<HealthCheck>,
    /// Where volumes appear in the container.
    #[serde(default)]
    pub mount_points: BTreeSet<MountPoint>,
    /// Containers whose mounts this one shares.
    #[serde(default)]
    pub volumes_from: BTreeSet<VolumesFrom>,
    /// Where standard output goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_configuration: Option<LogConfiguration>,
    /// Makes this container the log router of the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub firelens: Option<Firelens>,
    /// Settings of the Linux kernel.
    #[serde(default)]
    pub linux_parameters: LinuxParameters,
    /// Limits by name.
    #[serde(default)]
    pub ulimits: BTreeMap<UlimitName, Ulimit>,
    /// Kernel parameters by name, such as `net.core.somaxconn`.
    #[serde(default)]
    pub system_controls: BTreeMap<String, String>,
    /// Whether the container may only read its root filesystem.
    #[serde(default)]
    pub readonly_root_filesystem: bool,
    /// Labels of the container.
    #[serde(default)]
    pub docker_labels: BTreeMap<String, String>,
    /// Whether all tasks of a deployment run the digest that the tag had at its beginning.
    #[serde(default = "pinned")]
    pub version_consistency: VersionConsistency,
    /// Whether standard input stays open.
    #[serde(default)]
    pub interactive: bool,
    /// Whether a terminal is given.
    #[serde(default)]
    pub pseudo_terminal: bool,
    /// Numbers of accelerators by type. Not on Fargate.
    #[serde(default)]
    pub resource_requirements: BTreeMap<ResourceType, String>,
    /// Whether the container is root on its host. Not on Fargate.
    #[serde(default)]
    pub privileged: bool,
    /// The host's name inside the container. Not with `awsvpc`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// Whether the container has no network. Not on Fargate.
    #[serde(default)]
    pub disable_networking: bool,
    /// Containers that are reachable without ports. Only with `bridge`.
    #[serde(default)]
    pub links: BTreeSet<String>,
    /// Name servers, in order. Not on Fargate.
    #[serde(default)]
    pub dns_servers: Vec<String>,
    /// Search domains, in order. Not on Fargate.
    #[serde(default)]
    pub dns_search_domains: Vec<String>,
    /// Entries of `/etc/hosts`: name to address. Not with `awsvpc`.
    #[serde(default)]
    pub extra_hosts: BTreeMap<String, String>,
    /// Options for SELinux and AppArmor. Not on Fargate.
    #[serde(default)]
    pub docker_security_options: BTreeSet<String>,
    /// Where the credential spec of an Active Directory lies: `credentialspecdomainless:` or
    /// `credentialspec:` and an ARN; one at most.
    #[serde(default)]
    pub credential_specs: Vec<String>,
}

fn yes() -> bool {
    true
}

fn pinned() -> VersionConsistency {
    VersionConsistency::Enabled
}

/// A port that a container listens on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Port {
    /// The port in the container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container_port: Option<u16>,
    /// Ports in the container, `8000-8010`, instead of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container_port_range: Option<String>,
    /// The port on the host. Left out: the same with `awsvpc` and `host`, any free one with `bridge`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_port: Option<u16>,
    /// TCP or UDP.
    #[serde(default = "tcp")]
    pub protocol: Protocol,
    /// The port's name, for Service Connect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What is spoken over the port, for Service Connect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_protocol: Option<AppProtocol>,
}

fn tcp() -> Protocol {
    Protocol::Tcp
}

/// When a container is restarted without a new task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RestartPolicy {
    /// Exit codes after which it is not restarted; at most 50.
    #[serde(default)]
    pub ignored_exit_codes: BTreeSet<i32>,
    /// Seconds that it must have run to be restarted, 60–1800.
    #[serde(default = "five_minutes")]
    pub restart_attempt_period: u32,
}

fn five_minutes() -> u32 {
    300
}

/// How a container's health is found out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct HealthCheck {
    /// `["CMD", …]` or `["CMD-SHELL", "…"]`; exit code 0 is healthy.
    pub command: Vec<String>,
    /// Seconds between checks, 5–300.
    #[serde(default = "thirty")]
    pub interval: u32,
    /// Seconds after which a check has failed, 2–60.
    #[serde(default = "five")]
    pub timeout: u32,
    /// Failures in a row that make it unhealthy, 1–10.
    #[serde(default = "three")]
    pub retries: u32,
    /// Seconds after the start in which failures do not count, 0–300.
    #[serde(default)]
    pub start_period: u32,
}

fn thirty() -> u32 {
    30
}

fn five() -> u32 {
    5
}

fn three() -> u32 {
    3
}

/// Where a volume appears.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MountPoint {
    /// The volume's name.
    pub source_volume: String,
    /// The path in the container.
    pub container_path: String,
    /// Whether it may only be read.
    #[serde(default)]
    pub read_only: bool,
}

/// Another container whose mounts are shared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct VolumesFrom {
    /// The container.
    pub source_container: String,
    /// Whether they may only be read.
    #[serde(default)]
    pub read_only: bool,
}

/// Where standard output goes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LogConfiguration {
    /// The driver.
    pub driver: LogDriver,
    /// The driver's options, such as `awslogs-group`.
    #[serde(default)]
    pub options: BTreeMap<String, String>,
    /// Options whose values are read from Secrets Manager or SSM.
    #[serde(default)]
    pub secret_options: BTreeMap<String, String>,
}

/// The log router.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Firelens {
    /// Fluent Bit or Fluentd.
    #[serde(rename = "type")]
    pub router: LogRouter,
    /// The router's options, such as `enable-ecs-log-metadata`.
    #[serde(default)]
    pub options: BTreeMap<String, String>,
}

/// Settings of the Linux kernel.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct LinuxParameters {
    /// Whether an init process forwards signals and reaps processes.
    pub init_process_enabled: bool,
    /// Capabilities that Docker's default lacks and has too many.
    pub capabilities: Capabilities,
    /// Devices of the host. Not on Fargate.
    pub devices: BTreeSet<Device>,
    /// The size of `/dev/shm` in MiB. Not on Fargate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shared_memory_size: Option<u32>,
    /// Temporary filesystems by path. Not on Fargate.
    pub tmpfs: BTreeMap<String, Tmpfs>,
    /// Swap space in MiB. Not on Fargate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_swap: Option<u32>,
    /// How readily memory is swapped out, 0–100. Not on Fargate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub swappiness: Option<u32>,
}

/// Changes to Docker's default set of capabilities.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Capabilities {
    /// Added; Fargate allows `SYS_PTRACE`.
    pub add: BTreeSet<String>,
    /// Taken away.
    pub drop: BTreeSet<String>,
}

/// A device of the host.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Device {
    /// The path on the host.
    pub host_path: String,
    /// The path in the container; the host's when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container_path: Option<String>,
    /// What the container may do with it.
    #[serde(default)]
    pub permissions: BTreeSet<DevicePermission>,
}

/// A temporary filesystem.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Tmpfs {
    /// Its size in MiB.
    pub size: u32,
    /// Options of the mount, such as `noexec`.
    #[serde(default)]
    pub mount_options: BTreeSet<String>,
}

/// A limit; -1 is none.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Ulimit {
    /// What the process may raise itself up to the hard limit.
    pub soft_limit: i32,
    /// The hard limit.
    pub hard_limit: i32,
}

words! {
    /// A transport protocol.
    Protocol as "a protocol" {
        /// TCP.
        Tcp = "tcp",
        /// UDP.
        Udp = "udp",
    }
}

words! {
    /// What is spoken over a port.
    AppProtocol as "an application protocol" {
        /// HTTP/1.
        Http = "http",
        /// HTTP/2.
        Http2 = "http2",
        /// gRPC.
        Grpc = "grpc",
    }
}

words! {
    /// How far a container must be before one that depends on it starts.
    ContainerCondition as "a condition of a dependency" {
        /// It has been started.
        Start = "START",
        /// It has exited.
        Complete = "COMPLETE",
        /// It has exited with 0.
        Success = "SUCCESS",
        /// Its health check has succeeded.
        Healthy = "HEALTHY",
    }
}

words! {
    /// Whether tags are pinned to digests for a deployment.
    VersionConsistency as "a version consistency" {
        /// They are.
        Enabled = "enabled",
        /// Each task resolves the tag anew.
        Disabled = "disabled",
    }
}

words! {
    /// Where standard output goes.
    LogDriver as "a log driver" {
        /// CloudWatch Logs.
        Awslogs = "awslogs",
        /// The task's log router.
        Awsfirelens = "awsfirelens",
        /// Splunk.
        Splunk = "splunk",
        /// Fluentd. Not on Fargate.
        Fluentd = "fluentd",
        /// Graylog. Not on Fargate.
        Gelf = "gelf",
        /// Files on the host. Not on Fargate.
        JsonFile = "json-file",
        /// The host's journal. Not on Fargate.
        Journald = "journald",
        /// The host's syslog. Not on Fargate.
        Syslog = "syslog",
    }
}

words! {
    /// A log router.
    LogRouter as "a log router" {
        /// Fluent Bit.
        Fluentbit = "fluentbit",
        /// Fluentd.
        Fluentd = "fluentd",
    }
}

words! {
    /// What a container may do with a device.
    DevicePermission as "a permission on a device" {
        /// Read.
        Read = "read",
        /// Write.
        Write = "write",
        /// Make nodes.
        Mknod = "mknod",
    }
}

words! {
    /// An accelerator.
    ResourceType as "a type of resource" {
        /// A GPU.
        Gpu = "GPU",
        /// An Elastic Inference accelerator.
        InferenceAccelerator = "InferenceAccelerator",
        /// A Neuron device.
        NeuronDevice = "NeuronDevice",
    }
}

words! {
    /// A limit of the kernel.
    UlimitName as "a limit" {
        /// Core files.
        Core = "core",
        /// CPU time.
        Cpu = "cpu",
        /// Data segment.
        Data = "data",
        /// File size.
        Fsize = "fsize",
        /// File locks.
        Locks = "locks",
        /// Locked memory.
        Memlock = "memlock",
        /// Message queues.
        Msgqueue = "msgqueue",
        /// Nice value.
        Nice = "nice",
        /// Open files; 65535 on Fargate when left out.
        Nofile = "nofile",
        /// Processes.
        Nproc = "nproc",
        /// Resident set.
        Rss = "rss",
        /// Real-time priority.
        Rtprio = "rtprio",
        /// Real-time CPU time.
        Rttime = "rttime",
        /// Pending signals.
        Sigpending = "sigpending",
        /// Stack.
        Stack = "stack",
    }
}
