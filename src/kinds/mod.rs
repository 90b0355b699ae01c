//! THE CATALOGUE: one file a kind, one line a kind.

use std::sync::LazyLock;

use crate::kind::{AnyKind, Registered, of};

#[cfg(test)]
mod checked;
pub mod cluster;
pub mod listener;
pub mod listener_rule;
mod listing;
pub mod load_balancer;
pub mod log_group;
pub mod repository;
pub mod role;
pub mod target_group;
pub mod task_definition;
pub mod types;

/// Every kind, in the order in which a reader meets them: from the network up to the service.
#[rustfmt::skip]
const ALL: &[&dyn AnyKind] = &[
    of::<load_balancer::LoadBalancer>(),
    of::<target_group::TargetGroup>(),
    of::<listener::Listener>(),
    of::<listener_rule::ListenerRule>(),
    of::<role::Role>(),
    of::<log_group::LogGroup>(),
    of::<repository::Repository>(),
    of::<cluster::Cluster>(),
    of::<task_definition::TaskDefinition>(),
];

static REGISTRY: LazyLock<Vec<Registered>> =
    LazyLock::new(|| ALL.iter().map(|kind| Registered::new(*kind)).collect());

/// Every kind.
pub fn all() -> &'static [Registered] {
    &REGISTRY
}

/// The kind called `name`.
pub fn find(name: &str) -> Option<&'static Registered> {
    all().iter().find(|kind| kind.name() == name)
}
