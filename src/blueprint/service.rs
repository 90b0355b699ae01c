//! `[service.x]`: its keys. What they stand for is in `task`, `roles`, `route`, `ground` and `rollout`.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Deserialize;

use super::after::After;
use super::connect::Connect;
use super::deploy::Deploy;
use super::discover::Discover;
use super::domain::Domain;
use super::further::Further;
use super::ground::{Mode, On};
use super::measure::{Cidr, Cpu, Days, Gigabytes, Limits, Memory, Percent, Seconds};
use super::place::Place;
use super::volume::Volume;

/// A service, on Fargate unless `capacity` says otherwise. `image`, `port` and what else belongs to one container are those of the
/// container that has the service's name; further containers are in `container`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Service {
    /// The image of the container that has the service's name.
    #[schemars(extend("x-format" = "image"))]
    pub image: Option<String>,
    /// Whether images of private ECR registries are looked up and run by their digests; true when left out.
    pub pin: Option<bool>,
    /// The TCP port that it listens on. A service with a port gets the load balancer's `/*`.
    #[schemars(range(min = 1))]
    pub port: Option<u16>,
    /// The UDP port that it listens on.
    #[schemars(range(min = 1))]
    pub udp: Option<u16>,
    /// False keeps the service off every load balancer, whatever `http` says.
    pub public: Option<bool>,
    /// What the load balancer sends here: a path such as `"/api/*"`, or a table.
    pub http: Option<Http>,
    /// Further ways to it, by name, each with a target group of its own: other paths, ports and containers, and network
    /// load balancers. Where there are some, `http` is only what is written.
    #[serde(default)]
    pub route: BTreeMap<String, Further>,
    /// The domains under which it answers: HTTPS with a certificate, and records that lead here.
    pub domain: Option<Domain>,
    /// Who else may connect to its ports: networks, or services of this stack by name.
    #[serde(default)]
    pub from: BTreeSet<String>,
    /// Whether other services of the stack find it by its name, through Service Connect: `${service.api.url}`.
    /// Who mentions that, or is in `from`, is let in and comes after it.
    pub connect: Option<Connect>,
    /// How everybody in the VPC finds it by DNS: `true`, its name there, or a table.
    pub discover: Option<Discover>,
    /// The task's CPU and memory: `"0.25vcpu/512MB"` when left out.
    pub size: Option<Size>,
    /// On instances, the memory of the container that has the service's name: what is reserved, and the
    /// most there may be.
    pub memory: Option<Limits>,
    /// What it runs on: the name of a capacity, or shares of several; Fargate when left out.
    pub capacity: Option<On>,
    /// How its containers are reached; on Fargate always `awsvpc`, which it is when left out.
    pub network_mode: Option<Mode>,
    /// Which instances run its tasks; spread over zones when left out.
    pub place: Option<Place>,
    /// How many tasks are kept running; 1 when left out. A table says within which bounds they are scaled.
    pub count: Option<Count>,
    /// The share of tasks on Fargate Spot, which is cheaper and may be interrupted.
    pub spot: Option<Percent>,
    /// The processor the images are built for; `x86_64` when left out.
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
    /// What makes it healthy: a path that the load balancer asks for, or a command in the container.
    pub health: Option<Health>,
    /// The user it runs as, in place of the image's USER.
    pub user: Option<String>,
    /// The directory it starts in, in place of the image's WORKDIR.
    pub directory: Option<String>,
    /// Whether containers cannot write to their own file system; false when left out.
    pub readonly: Option<bool>,
    /// Time between SIGTERM and SIGKILL, at most 2 minutes; `"30s"` when left out.
    pub stop_timeout: Option<Seconds>,
    /// Whether an init process reaps children and passes signals on; true when left out.
    pub init: Option<bool>,
    /// What comes first: services of the stack (`["api"]`), or containers of the same task and what they must
    /// have come to (`{ db = "healthy" }`).
    #[serde(default)]
    pub after: After,
    /// Further containers of the same task, by name; they share `localhost`.
    #[serde(default)]
    pub container: BTreeMap<String, Container>,
    /// Whether the X-Ray daemon runs beside the containers, and they may send to it.
    #[serde(default)]
    pub xray: bool,
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
    /// Scratch space of the task, 21 to 200 GB; 20 GB when left out.
    pub storage: Option<Gigabytes>,
    /// Volumes that the task's containers share, by name.
    #[serde(default)]
    pub volume: BTreeMap<String, Volume>,
    /// How a new version takes over: `"rolling"`, `"blue-green"`, `"canary 10% 5m"`, or a table.
    pub deploy: Option<Deploy>,
    /// What somebody is to hear of.
    pub alarms: Option<Alarms>,
    /// How long a new task may fail its health checks; `"60s"` when left out.
    pub grace: Option<Seconds>,
    /// How long the load balancer lets requests to a stopping task finish; `"30s"` when left out.
    pub deregistration: Option<Seconds>,
}

/// A container beside others in a task.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Container {
    /// The image.
    #[schemars(extend("x-format" = "image"))]
    pub image: Option<String>,
    /// Whether it is looked up and run by its digest; as the service says when left out.
    pub pin: Option<bool>,
    /// The TCP port that it listens on.
    #[schemars(range(min = 1))]
    pub port: Option<u16>,
    /// The UDP port that it listens on.
    #[schemars(range(min = 1))]
    pub udp: Option<u16>,
    /// Its part of the task's CPU and memory; left out, it takes what the others leave.
    pub size: Option<Size>,
    /// Whether the task stops when this container does; true when left out.
    pub essential: Option<bool>,
    /// Environment variables.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Environment variables read when it starts: `"ssm:/name"`, `"sm:name#key"` or an ARN.
    #[serde(default)]
    pub secrets: BTreeMap<String, String>,
    /// What it runs, in place of the image's CMD.
    pub command: Option<Vec<String>>,
    /// What it runs it with, in place of the image's ENTRYPOINT.
    pub entrypoint: Option<Vec<String>>,
    /// What makes it healthy: a command run in it; or, where `http` leads to it, a path.
    pub health: Option<Health>,
    /// The user it runs as, in place of the image's USER.
    pub user: Option<String>,
    /// The directory it starts in, in place of the image's WORKDIR.
    pub directory: Option<String>,
    /// Whether it cannot write to its own file system; as the service says when left out.
    pub readonly: Option<bool>,
    /// Time between SIGTERM and SIGKILL; as the service says when left out.
    pub stop_timeout: Option<Seconds>,
    /// Whether an init process runs in it; as the service says when left out.
    pub init: Option<bool>,
    /// Containers of the same task that are waited for before this one starts.
    #[serde(default)]
    pub after: BTreeMap<String, Until>,
}

/// What a load balancer sends to a service. Stands for text: `"/api/*"`; or `false`: nothing.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("x-shorthand" = "http"))]
pub struct Http {
    /// False takes the service off the load balancer.
    pub enabled: Option<bool>,
    /// The container that answers; needed when several have a port.
    pub container: Option<String>,
    /// The port that answers; the container's when left out.
    #[schemars(range(min = 1))]
    pub port: Option<u16>,
    /// The paths: `*` stands for any text, `?` for any character; `"/*"` when left out.
    #[schemars(extend("x-format" = "paths"))]
    pub path: Option<String>,
    /// The host name, with the same wildcards; any when left out.
    #[schemars(extend("x-format" = "host"))]
    pub host: Option<String>,
    /// Only requests with one of these methods: `["GET"]`.
    #[serde(default)]
    pub methods: BTreeSet<String>,
    /// Only requests with these header fields, each with one of some values: `{ X-Beta = ["yes"] }`.
    #[serde(default)]
    pub headers: BTreeMap<String, BTreeSet<String>>,
    /// Only requests with one of these in their query: `key=value`, or a value alone.
    #[serde(default)]
    pub queries: BTreeSet<String>,
    /// Only requests of clients in these networks.
    #[serde(default)]
    pub sources: BTreeSet<Cidr>,
    /// The load balancer; `main` when left out.
    pub alb: Option<String>,
    /// The rule's place among all of the load balancer, least first. Left out, longer paths go first.
    #[schemars(range(min = 1, max = 50000))]
    pub priority: Option<u32>,
    /// The share of the requests, relative to the weights of others that claim the very same.
    #[schemars(range(max = 999))]
    pub weight: Option<u32>,
    /// What the load balancer asks to find out whether a task is healthy.
    pub health: Option<Health>,
}

/// A health check. Stands for text: a path (`"/healthz"`) or a command (`"curl -f localhost"`).
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("x-shorthand" = "health"))]
pub struct Health {
    /// The path that the load balancer asks for; `"/"` when left out.
    pub path: Option<String>,
    /// A shell command run in the container; it is healthy when the command succeeds.
    pub command: Option<String>,
    /// The port that the load balancer asks; the one that answers when left out.
    #[schemars(range(min = 1))]
    pub port: Option<u16>,
    /// Time between checks; `"10s"` when left out.
    pub interval: Option<Seconds>,
    /// Time for an answer; `"5s"` when left out.
    pub timeout: Option<Seconds>,
    /// Successes in a row that make a target healthy; 2 when left out. For paths only.
    pub healthy: Option<u32>,
    /// Failures in a row that make it unhealthy; 2 for a path, 3 for a command when left out.
    pub unhealthy: Option<u32>,
    /// Time in which failures of the command do not count. For commands only.
    pub start: Option<Seconds>,
    /// HTTP status codes that are a success; `"200-399"` when left out. For paths only.
    #[schemars(extend("x-format" = "codes"))]
    pub codes: Option<String>,
}

/// CPU and memory. Stands for text: `"0.5vcpu/1GB"`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("x-shorthand" = "size"))]
pub struct Size {
    /// CPU: `"0.5vcpu"`, or `"512cpu"` in units of 1/1024.
    pub cpu: Option<Cpu>,
    /// Memory: `"512MB"` or `"1GB"`.
    pub memory: Option<Memory>,
}

/// How many tasks are kept running. Stands for a number: `2`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("x-shorthand" = "count"))]
pub struct Count {
    /// So many, always.
    pub tasks: Option<u32>,
    /// The fewest, when they are scaled; 1 when left out.
    pub min: Option<u32>,
    /// The most.
    pub max: Option<u32>,
    /// The share of their CPU that the tasks use, in per cent, which scaling keeps.
    #[schemars(range(min = 1, max = 100))]
    pub cpu: Option<u32>,
    /// The share of their memory that they use, in per cent, which scaling keeps.
    #[schemars(range(min = 1, max = 100))]
    pub memory: Option<u32>,
    /// The requests that a task gets in a minute, which scaling keeps.
    #[schemars(range(min = 1))]
    pub requests: Option<u32>,
}

/// What somebody is to hear of: alarms that go off when something was so for three minutes.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Alarms {
    /// The tasks use more of their CPU, in per cent.
    #[schemars(range(min = 1, max = 100))]
    pub cpu: Option<u32>,
    /// The tasks use more of their memory, in per cent.
    #[schemars(range(min = 1, max = 100))]
    pub memory: Option<u32>,
    /// More answers than so many in a minute are errors of the tasks (5xx).
    pub errors: Option<u32>,
    /// One answer in a hundred takes longer.
    pub latency: Option<Seconds>,
    /// So many tasks fail their health checks, or more.
    #[schemars(range(min = 1))]
    pub unhealthy: Option<u32>,
    /// ARNs of SNS topics that hear of it, and of its end.
    #[serde(default)]
    #[schemars(extend("items" = {"type": "string", "x-format": "topic"}))]
    pub notify: BTreeSet<String>,
}

/// A processor architecture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Arch {
    /// Intel and AMD.
    #[serde(rename = "x86_64")]
    X86,
    /// Graviton.
    Arm64,
}

/// What a container that is waited for must have come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Until {
    /// It has started.
    Start,
    /// It has ended, well or not.
    Complete,
    /// It has ended with exit code 0.
    Success,
    /// Its health check succeeds.
    Healthy,
}

/// Where output goes: one CloudWatch log group a service, one stream a container.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Logs {
    /// The log group's name; `/ecsctl/<stack>/<env>/<service>` when left out.
    #[schemars(extend("x-format" = "log-group"))]
    pub group: Option<String>,
    /// What streams' names begin with; the service's name when left out.
    pub prefix: Option<String>,
    /// How long it is kept; `"14d"` when left out.
    pub keep: Option<Days>,
}

/// A statement of the task role.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Allow {
    /// IAM actions: `"dynamodb:*Item"`.
    #[schemars(extend("items" = {"type": "string", "x-format": "action"}))]
    pub actions: BTreeSet<String>,
    /// ARNs of the resources they are allowed on.
    #[schemars(extend("items" = {"type": "string", "x-format": "resource"}))]
    pub on: BTreeSet<String>,
}
