//! `task-definition`: a family of revisions, of which the newest is meant.
//!
//! A revision cannot be changed, so an update registers another one, and whatever refers to the
//! task definition's outputs follows. The newest ten revisions stay, and whichever are used: a service may be
//! rolled back to them (B22).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use self::container::Container;
pub use self::volume::{DockerVolume, Fsx, S3Files};
use super::types::cpu_memory::{Cpu, Memory};
use super::types::words::words;
use crate::cloud::aws::Aws;
use crate::kind::{
    About, Check, Cx, Kind, Made, NameStyle, Naming, Observed, Result, Sought, TagChange,
};

mod api;
mod check;
pub mod container;
mod revisions;
#[cfg(test)]
mod tests;
pub mod volume;

/// What tasks are made of: containers, their sizes, roles and volumes.
///
/// A revision is registered whole, and so it is owned: a field that is left out means *none*. `remote`
/// lets the derived reading be followed by [`TaskDefinition::canonical`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", remote = "Self")]
#[schemars(extend("x-whole" = true))]
pub struct TaskDefinition {
    /// The family's name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(extend("x-replaces" = true))]
    pub name: String,
    /// CPU units of the whole task: 512 or `"0.5 vCPU"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<Cpu>,
    /// Mebibytes of the whole task: 1024 or `"1 GB"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Memory>,
    /// The ARN of the role with which images and secrets are fetched and logs are shipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execution_role_arn: Option<String>,
    /// The ARN of the role that the application has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_role_arn: Option<String>,
    /// How the containers are reached.
    #[serde(default = "awsvpc")]
    pub network_mode: NetworkMode,
    /// What the definition must be able to run on.
    #[serde(default = "fargate")]
    pub requires_compatibilities: BTreeSet<Compatibility>,
    /// Processor and operating system.
    #[serde(default)]
    pub runtime_platform: RuntimePlatform,
    /// The disk that the containers of a task share, if the 20 GiB that are always there are too small.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ephemeral_storage: Option<EphemeralStorage>,
    /// Volumes by name. One without fields is an empty directory that lives as long as the task.
    #[serde(default)]
    pub volumes: BTreeMap<String, Volume>,
    /// With whom the containers share processes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid_mode: Option<PidMode>,
    /// With whom the containers share memory and semaphores. Not on Fargate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipc_mode: Option<IpcMode>,
    /// Whether AWS Fault Injection Service may disturb the tasks.
    #[serde(default)]
    pub enable_fault_injection: bool,
    /// Expressions that an instance must satisfy, such as `attribute:ecs.instance-type =~ m7g.*`. Not
    /// on Fargate.
    #[serde(default)]
    pub placement_constraints: BTreeSet<String>,
    /// The App Mesh proxy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy_configuration: Option<ProxyConfiguration>,
    /// The containers by name.
    pub containers: BTreeMap<String, Container>,
}

fn awsvpc() -> NetworkMode {
    NetworkMode::Awsvpc
}

fn fargate() -> BTreeSet<Compatibility> {
    BTreeSet::from([Compatibility::Fargate])
}

/// Processor and operating system.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct RuntimePlatform {
    /// The processor.
    pub cpu_architecture: CpuArchitecture,
    /// The operating system.
    pub operating_system_family: OperatingSystem,
}

impl Default for RuntimePlatform {
    fn default() -> Self {
        Self {
            cpu_architecture: CpuArchitecture::X8664,
            operating_system_family: OperatingSystem::Linux,
        }
    }
}

/// The disk that the containers of a task share.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct EphemeralStorage {
    /// GiB, 21–200.
    pub size_in_gib: u32,
}

/// The App Mesh proxy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ProxyConfiguration {
    /// The container that is the proxy.
    pub container_name: String,
    /// Its network settings, such as `ProxyEgressPort`.
    #[serde(default)]
    pub properties: BTreeMap<String, String>,
}

/// A volume.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Volume {
    /// An EFS file system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub efs: Option<Efs>,
    /// A path of the host. Not on Fargate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_path: Option<String>,
    /// A volume that Docker makes. Not on Fargate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub docker: Option<DockerVolume>,
    /// A file system of FSx for Windows File Server. Not on Fargate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fsx: Option<Fsx>,
    /// A file system of S3 Files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub s3_files: Option<S3Files>,
    /// Whether the service says what it is: an EBS volume of each task.
    pub configured_at_launch: bool,
}

/// An EFS file system.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Efs {
    /// The file system's id.
    pub file_system_id: String,
    /// The directory that becomes the volume's root.
    #[serde(default = "root")]
    pub root_directory: String,
    /// Whether traffic is encrypted.
    #[serde(default = "off")]
    pub transit_encryption: Switch,
    /// The port of encrypted traffic; any when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transit_encryption_port: Option<u16>,
    /// An access point's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_point_id: Option<String>,
    /// Whether the task role decides on access.
    #[serde(default = "off")]
    pub iam: Switch,
}

fn root() -> String {
    "/".to_owned()
}

fn off() -> Switch {
    Switch::Disabled
}

words! {
    /// On or off, in the API's words.
    Switch as "a switch" {
        /// On.
        Enabled = "ENABLED",
        /// Off.
        Disabled = "DISABLED",
    }
}

words! {
    /// How containers are reached.
    NetworkMode as "a network mode" {
        /// Each task has an interface of its own.
        Awsvpc = "awsvpc",
        /// Docker's bridge. Not on Fargate.
        Bridge = "bridge",
        /// The host's interface. Not on Fargate.
        Host = "host",
        /// None. Not on Fargate.
        None = "none",
    }
}

words! {
    /// What a task definition must be able to run on.
    Compatibility as "a compatibility" {
        /// Fargate.
        Fargate = "FARGATE",
        /// Instances of one's own.
        Ec2 = "EC2",
        /// Machines outside AWS.
        External = "EXTERNAL",
        /// Instances that ECS manages.
        ManagedInstances = "MANAGED_INSTANCES",
    }
}

words! {
    /// A processor.
    CpuArchitecture as "a processor" {
        /// 64-bit Intel and AMD.
        X8664 = "X86_64",
        /// 64-bit ARM.
        Arm64 = "ARM64",
    }
}

words! {
    /// An operating system.
    OperatingSystem as "an operating system" {
        /// Linux.
        Linux = "LINUX",
        /// Windows Server 2025, core.
        Windows2025Core = "WINDOWS_SERVER_2025_CORE",
        /// Windows Server 2025, full.
        Windows2025Full = "WINDOWS_SERVER_2025_FULL",
        /// Windows Server 2022, core.
        Windows2022Core = "WINDOWS_SERVER_2022_CORE",
        /// Windows Server 2022, full.
        Windows2022Full = "WINDOWS_SERVER_2022_FULL",
        /// Windows Server 2019, core.
        Windows2019Core = "WINDOWS_SERVER_2019_CORE",
        /// Windows Server 2019, full.
        Windows2019Full = "WINDOWS_SERVER_2019_FULL",
        /// Windows Server 2016, full.
        Windows2016Full = "WINDOWS_SERVER_2016_FULL",
        /// Windows Server 20H2, core.
        Windows20H2Core = "WINDOWS_SERVER_20H2_CORE",
        /// Windows Server 2004, core.
        Windows2004Core = "WINDOWS_SERVER_2004_CORE",
    }
}

words! {
    /// With whom processes are shared.
    PidMode as "a process mode" {
        /// Among the task's containers.
        Task = "task",
        /// With the host. Not on Fargate.
        Host = "host",
    }
}

words! {
    /// With whom memory and semaphores are shared.
    IpcMode as "an IPC mode" {
        /// Among the task's containers.
        Task = "task",
        /// With the host.
        Host = "host",
        /// With nobody.
        None = "none",
    }
}

/// What others may refer to.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Outputs {
    /// The newest revision's ARN.
    pub id: String,
    /// The newest revision's ARN.
    pub arn: String,
    /// The family.
    pub family: String,
    /// The newest revision, `family:revision`.
    pub revision: String,
}

impl Kind for TaskDefinition {
    const NAME: &'static str = "task-definition";
    const ABOUT: About = About {
        exclusive: &["name"],
        deadline: Duration::from_secs(900),
        naming: Some(Naming { max: 255, style: NameStyle::Dashed, suffix: false }),
        observed_after: &["service"],
        renews: &["id", "arn", "revision"],
        ..About::DEFAULT
    };

    type Outputs = Outputs;

    fn check(&self, check: &mut Check<'_>) {
        check::all(self, check);
    }

    async fn observe(aws: &Aws, sought: &Sought<'_>) -> Result<Vec<Observed<Self>>> {
        revisions::observe(aws, sought).await
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        revisions::register(self, cx).await
    }

    async fn update(&self, _was: &Self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        revisions::register(self, cx).await
    }

    async fn delete(was: &Self, cx: &Cx<'_>) -> Result<()> {
        revisions::delete(&was.name, cx).await
    }

    async fn tag(cx: &Cx<'_>, change: &TagChange) -> Result<()> {
        revisions::tag(cx, change).await
    }
}

impl TaskDefinition {
    /// Whether it is to run on Fargate.
    pub fn is_fargate(&self) -> bool {
        self.requires_compatibilities.contains(&Compatibility::Fargate)
    }

    /// The network mode that is sent. Windows has none of that name for what is there when nothing is
    /// said, and is observed like Docker's bridge.
    fn spoken_mode(&self) -> Option<NetworkMode> {
        let linux = self.runtime_platform.operating_system_family == OperatingSystem::Linux;
        Some(self.network_mode).filter(|mode| linux || *mode != NetworkMode::Bridge)
    }

    /// The one form of many that mean the same (B1). What a single field can tell has been settled by
    /// the field's type; here is what takes two.
    #[must_use]
    pub fn canonical(mut self) -> Self {
        let mode = self.network_mode;
        let fargate = self.is_fargate();
        blank_is_none(&mut self.execution_role_arn);
        blank_is_none(&mut self.task_role_arn);
        for container in self.containers.values_mut() {
            let ports = std::mem::take(&mut container.ports);
            container.ports = ports.into_iter().map(|port| port.canonical(mode)).collect();
            container.stop_timeout = container.stop_timeout.filter(|time| !fargate || *time != 30);
            container.memory = container.memory.filter(|memory| memory.0 != 0);
            container.memory_reservation = container.memory_reservation.filter(|m| m.0 != 0);
            for text in [
                &mut container.repository_credentials,
                &mut container.working_directory,
                &mut container.user,
                &mut container.hostname,
            ] {
                blank_is_none(text);
            }
        }
        self
    }
}

fn blank_is_none(text: &mut Option<String>) {
    if text.as_ref().is_some_and(String::is_empty) {
        *text = None;
    }
}

impl container::Port {
    /// Leaves out the host's port where it is what would be there anyway.
    fn canonical(mut self, mode: NetworkMode) -> Self {
        let usual = match mode {
            NetworkMode::Awsvpc | NetworkMode::Host => self.container_port,
            NetworkMode::Bridge | NetworkMode::None => Some(0),
        };
        self.host_port = self.host_port.filter(|port| Some(*port) != usual && *port != 0);
        // A range comes back with a port of 0 beside it.
        let is_range = self.container_port_range.is_some();
        self.container_port = self.container_port.filter(|port| !is_range || *port != 0);
        self
    }
}

impl Serialize for TaskDefinition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for TaskDefinition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::deserialize(deserializer)?.canonical())
    }
}
