//! `service`: an ECS service. It keeps tasks running and rolls from one task definition to the next.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::connect::ServiceConnect;
use self::course::Course;
use self::placement::{PlacementConstraint, PlacementStrategy};
use self::registries::ServiceRegistry;
use self::shifting::{Advanced, Canary, DeploymentAlarms, LifecycleHook, Linear};
use self::volumes::EbsVolume;
use super::types::capacity::Strategy;
use super::types::outputs::Named as Outputs;
use super::types::words::words;
use crate::cloud::aws::{Aws, tags};
use crate::kind::{
    About, After, Awaits, Check, Cx, Heed, Kind, Made, MovedBy, Moves, NameStyle, Naming, Observed,
    Ready, Result, Sought, TagChange,
};
use crate::value::Value;

mod api;
pub mod attached;
pub mod balancing;
mod check;
mod check_shifting;
pub mod connect;
pub mod course;
pub mod footing;
pub mod health;
pub mod listening;
pub mod pause;
pub mod placement;
pub mod registries;
mod rollout;
pub mod seats;
pub mod shifting;
mod stage;
mod succession;
#[cfg(test)]
mod tests;
pub mod volumes;

/// An ECS service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Service {
    /// Its name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(extend("x-replaces" = true))]
    pub name: String,
    /// The cluster's ARN.
    #[schemars(extend("x-replaces" = true, "x-within" = true))]
    #[schemars(extend("examples" = ["${cluster.main.arn}"]))]
    pub cluster: String,
    /// The ARN of the task definition's revision. What is seen is the revision that serves: after a
    /// rollout that failed and was not rolled back it is the one before, or none.
    #[schemars(extend("examples" = ["${task-definition.web.arn}"]))]
    pub task_definition: String,
    /// How many tasks run; left out, whatever is set stays. What a `scalable-target` that refers to the
    /// service has made of it stays as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub desired_count: Option<u32>,
    /// On what the tasks run; left out when there is a strategy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub launch_type: Option<LaunchType>,
    /// How the tasks are shared out among capacity providers; left out, whatever is set stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity_provider_strategy: Option<Strategy>,
    /// Fargate's platform version.
    #[serde(default = "latest")]
    pub platform_version: String,
    /// What the instances must be like that run the tasks.
    #[serde(default)]
    pub placement_constraints: BTreeSet<PlacementConstraint>,
    /// By which rules, one after the other, one of these instances is chosen.
    #[serde(default)]
    pub placement_strategy: Vec<PlacementStrategy>,
    /// Where the tasks' interfaces are, for task definitions with `awsvpc`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
    /// Target groups that the tasks are registered with.
    #[serde(default)]
    pub load_balancers: BTreeSet<LoadBalancer>,
    /// Volumes that ECS makes for each task, by the names of those that the task definition has with
    /// `configured-at-launch`.
    #[serde(default)]
    pub volumes: BTreeMap<String, EbsVolume>,
    /// Seconds after a task's start in which unhealthy answers do not count.
    #[serde(default)]
    pub health_check_grace_period_seconds: u32,
    /// How a change is rolled out.
    #[serde(default)]
    pub deployment: Deployment,
    /// Who rolls changes out: ECS. Of services that CodeDeploy or somebody else rolls out, that is seen.
    #[serde(default = "ecs")]
    pub deployment_controller: Controller,
    /// A number of tasks, or one on each instance.
    #[serde(default = "replica")]
    #[schemars(extend("x-replaces" = true))]
    pub scheduling_strategy: SchedulingStrategy,
    /// Whether commands may be run in new tasks (ECS Exec).
    #[serde(default)]
    pub enable_execute_command: bool,
    /// Whether ECS tags new tasks with the names of cluster and service.
    #[serde(default)]
    pub enable_ecs_managed_tags: bool,
    /// Whose tags new tasks get.
    #[serde(default = "nobodys")]
    pub propagate_tags: PropagateTags,
    /// Whether ECS moves tasks to keep availability zones even.
    #[serde(default = "enabled")]
    pub availability_zone_rebalancing: Rebalancing,
    /// How it finds others in a namespace, and others find it.
    #[serde(default)]
    pub service_connect_configuration: ServiceConnect,
    /// The name in Cloud Map under which DNS tells where the tasks are: one at most.
    #[serde(default)]
    pub service_registries: BTreeSet<ServiceRegistry>,
    /// ARNs of services that are as they should be before this one is made or changed, and outlive it. It is
    /// kept in the tags `ecsctl:after`.
    #[serde(default)]
    #[schemars(extend("examples" = [["${service.api.arn}"]]))]
    pub after: BTreeSet<String>,
}

fn latest() -> String {
    "LATEST".to_owned()
}

fn ecs() -> Controller {
    Controller::Ecs
}

fn replica() -> SchedulingStrategy {
    SchedulingStrategy::Replica
}

fn nobodys() -> PropagateTags {
    PropagateTags::None
}

fn enabled() -> Rebalancing {
    Rebalancing::Enabled
}

/// Where the tasks' interfaces are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Network {
    /// Ids of 1 to 16 subnets.
    #[schemars(extend("examples" = [["${subnet.private-a.id}", "${subnet.private-b.id}"]]))]
    pub subnets: BTreeSet<String>,
    /// Ids of up to 5 security groups; none means the VPC's default group.
    #[serde(default)]
    pub security_groups: BTreeSet<String>,
    /// Whether tasks get public addresses.
    #[serde(default)]
    pub assign_public_ip: bool,
}

/// A target group that the tasks are registered with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("x-whole" = true))]
pub struct LoadBalancer {
    /// The target group's ARN.
    #[schemars(extend("examples" = ["${target-group.web.arn}"]))]
    pub target_group_arn: String,
    /// The container that listens.
    pub container_name: String,
    /// The container's port.
    pub container_port: u16,
    /// With what requests are moved from one revision to the next, unless tasks are replaced one by one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advanced: Option<Advanced>,
}

/// How a change is rolled out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Deployment {
    /// The least share of the desired count that stays healthy, in percent.
    pub minimum_healthy_percent: u32,
    /// The greatest share of the desired count that runs, in percent.
    pub maximum_percent: u32,
    /// Gives a rollout up whose tasks fail; only of tasks that are replaced one by one.
    pub circuit_breaker: CircuitBreaker,
    /// How traffic moves from one revision to the next.
    pub strategy: DeploymentStrategy,
    /// Minutes for which both revisions stand when all requests have moved, 0 to 1440. Left out, whatever
    /// is set stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bake_time_in_minutes: Option<u32>,
    /// A small part first: how small, and for how long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canary: Option<Canary>,
    /// In equal steps: how great, and how far apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub linear: Option<Linear>,
    /// What is asked before it goes on.
    pub lifecycle_hooks: BTreeSet<LifecycleHook>,
    /// Alarms that end it.
    pub alarms: DeploymentAlarms,
}

impl Default for Deployment {
    fn default() -> Self {
        Self {
            minimum_healthy_percent: 100,
            maximum_percent: 200,
            circuit_breaker: CircuitBreaker::default(),
            strategy: DeploymentStrategy::Rolling,
            bake_time_in_minutes: None,
            canary: None,
            linear: None,
            lifecycle_hooks: BTreeSet::new(),
            alarms: DeploymentAlarms::default(),
        }
    }
}

/// Gives a rollout up whose tasks fail.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct CircuitBreaker {
    /// Whether it does.
    pub enable: bool,
    /// Whether the last revision that was rolled out whole is put back then.
    pub rollback: bool,
}

words! {
    /// On what tasks run.
    LaunchType as "a launch type" {
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
    /// A number of tasks, or one on each instance.
    SchedulingStrategy as "a scheduling strategy" {
        /// A number of tasks.
        Replica = "REPLICA",
        /// One task on each instance. Not on Fargate.
        Daemon = "DAEMON",
    }
}

words! {
    /// Who rolls changes out.
    Controller as "a deployment controller" {
        /// ECS.
        Ecs = "ECS",
        /// CodeDeploy.
        CodeDeploy = "CODE_DEPLOY",
        /// Whoever makes task sets.
        External = "EXTERNAL",
    }
}

words! {
    /// How traffic moves from one revision to the next.
    DeploymentStrategy as "a deployment strategy" {
        /// Task by task.
        Rolling = "ROLLING",
        /// All at once, between two target groups.
        BlueGreen = "BLUE_GREEN",
        /// In equal steps.
        Linear = "LINEAR",
        /// A small part first.
        Canary = "CANARY",
    }
}

words! {
    /// Whose tags new tasks get.
    PropagateTags as "a source of tags" {
        /// Nobody's.
        None = "NONE",
        /// The service's.
        Service = "SERVICE",
        /// The task definition's.
        TaskDefinition = "TASK_DEFINITION",
    }
}

words! {
    /// Whether ECS moves tasks to keep availability zones even.
    Rebalancing as "a setting of availability zone rebalancing" {
        /// It does.
        Enabled = "ENABLED",
        /// It does not.
        Disabled = "DISABLED",
    }
}

impl Kind for Service {
    const NAME: &'static str = "service";
    const ABOUT: About = About {
        seconds: 90,
        deadline: Duration::from_secs(30 * 60),
        exclusive: &["cluster", "name"],
        // What scales or watches it goes by its name, and does so as well while it is not there.
        dangles: true,
        naming: Some(Naming { max: 255, style: NameStyle::Dashed, suffix: true }),
        comes_after: &["after"],
        // A target group is of use when a listener forwards to it; a security group when its rules are
        // there; a subnet when its routes are, for without them no image can be fetched; and a revision
        // when the tasks have succeeded that come before it.
        awaits: &[
            Awaits { of: &["target-group"], by: &["listener", "listener-rule"] },
            Awaits { of: &["security-group"], by: &["security-group-rule"] },
            Awaits { of: &["subnet"], by: &["route-table"] },
            Awaits { of: &["subnet", "vpc"], by: &["vpc-endpoint"] },
            Awaits { of: &["task-definition"], by: &["task-run"] },
            // Tasks end before the instances do that they run on.
            Awaits { of: &["cluster"], by: &["capacity-provider", "managed-capacity"] },
        ],
        moved_by: &[
            MovedBy {
                field: "desired-count",
                by: "scalable-target",
                how: Moves::Number { within: ("min-capacity", "max-capacity"), heed: Heed::Live },
            },
            MovedBy { field: "load-balancers", by: "service", how: Moves::Places },
        ],
        rolls: &[
            "task-definition",
            "launch-type",
            "capacity-provider-strategy",
            "platform-version",
            "network",
            "load-balancers",
            "volumes",
            "service-connect-configuration",
            "service-registries",
        ],
        ..About::DEFAULT
    };

    type Outputs = Outputs;

    fn check(&self, check: &mut Check<'_>) {
        check::all(self, check);
    }

    async fn observe(aws: &Aws, sought: &Sought<'_>) -> Result<Vec<Observed<Self>>> {
        api::observe(aws, sought).await
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        api::create(self, cx).await
    }

    async fn update(&self, was: &Self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        api::update(self, was, cx).await
    }

    fn between(was: &Value, spec: &Value) -> Option<Value> {
        balancing::between(was, spec)
    }

    fn deadline(spec: &Value) -> Duration {
        Self::ABOUT.deadline + Course::of(spec).map_or(Duration::ZERO, |course| course.lasts())
    }

    async fn delete(_was: &Self, cx: &Cx<'_>) -> Result<()> {
        api::delete(cx).await
    }

    async fn settle(&self, cx: &Cx<'_>) -> Result<Option<String>> {
        rollout::follow(cx, &self.task_definition).await
    }

    async fn tag(cx: &Cx<'_>, change: &TagChange) -> Result<()> {
        tags::ecs::change(cx.aws, cx.id, change).await
    }

    async fn ready(cx: &Cx<'_>, after: After) -> Result<Ready> {
        match after {
            After::Change => rollout::ready(cx).await,
            After::Delete => rollout::gone(cx).await,
        }
    }
}
