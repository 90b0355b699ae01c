//! THE CATALOGUE: one file a kind, one line a kind.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::kind::{AnyKind, Registered, of};

pub mod alarm;
pub mod auto_scaling_group;
pub mod capacity_provider;
pub mod certificate;
#[cfg(test)]
mod checked;
mod cloud_map;
pub mod cluster;
pub mod dashboard;
pub mod discovery_service;
pub mod dns_namespace;
pub mod dns_record;
pub mod elastic_ip;
pub mod image;
pub mod instance_profile;
pub mod internet_gateway;
pub mod launch_template;
pub mod listener;
pub mod listener_rule;
mod listing;
pub mod load_balancer;
pub mod log_group;
pub mod managed_capacity;
mod mark;
pub mod namespace;
pub mod nat_gateway;
pub mod repository;
pub mod role;
pub mod route_table;
pub mod scalable_target;
mod scaling;
pub mod scaling_policy;
pub mod schedule;
pub mod schedule_group;
pub mod scheduled_action;
pub mod security_group;
pub mod security_group_rule;
pub mod service;
pub mod subnet;
pub mod target_group;
pub mod task_definition;
pub mod task_run;
pub mod types;
pub mod vpc;
pub mod vpc_endpoint;

/// Every kind, in the order in which a reader meets them: from the network up to the service.
#[rustfmt::skip]
const ALL: &[&dyn AnyKind] = &[
    of::<load_balancer::LoadBalancer>(),
    of::<target_group::TargetGroup>(),
    of::<listener::Listener>(),
    of::<listener_rule::ListenerRule>(),
    of::<certificate::Certificate>(),
    of::<dns_record::DnsRecord>(),
    of::<role::Role>(),
    of::<vpc::Vpc>(),
    of::<subnet::Subnet>(),
    of::<internet_gateway::InternetGateway>(),
    of::<elastic_ip::ElasticIp>(),
    of::<nat_gateway::NatGateway>(),
    of::<route_table::RouteTable>(),
    of::<vpc_endpoint::VpcEndpoint>(),
    of::<security_group::SecurityGroup>(),
    of::<security_group_rule::SecurityGroupRule>(),
    of::<log_group::LogGroup>(),
    of::<repository::Repository>(),
    of::<image::Image>(),
    of::<namespace::Namespace>(),
    of::<dns_namespace::DnsNamespace>(),
    of::<discovery_service::DiscoveryService>(),
    of::<cluster::Cluster>(),
    of::<instance_profile::InstanceProfile>(),
    of::<launch_template::LaunchTemplate>(),
    of::<auto_scaling_group::AutoScalingGroup>(),
    of::<capacity_provider::CapacityProvider>(),
    of::<managed_capacity::ManagedCapacity>(),
    of::<task_definition::TaskDefinition>(),
    of::<service::Service>(),
    of::<scalable_target::ScalableTarget>(),
    of::<scaling_policy::ScalingPolicy>(),
    of::<scheduled_action::ScheduledAction>(),
    of::<alarm::Alarm>(),
    of::<dashboard::Dashboard>(),
    of::<task_run::TaskRun>(),
    of::<schedule_group::ScheduleGroup>(),
    of::<schedule::Schedule>(),
];

static REGISTRY: LazyLock<Vec<Registered>> =
    LazyLock::new(|| ALL.iter().map(|kind| Registered::new(*kind)).collect());

static BY_NAME: LazyLock<BTreeMap<&str, &Registered>> =
    LazyLock::new(|| all().iter().map(|kind| (kind.name(), kind)).collect());

/// Every kind.
pub fn all() -> &'static [Registered] {
    &REGISTRY
}

/// The kind called `name`.
pub fn find(name: &str) -> Option<&'static Registered> {
    BY_NAME.get(name).copied()
}
