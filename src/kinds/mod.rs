//! THE CATALOGUE: one file a kind, one line a kind.

use std::sync::LazyLock;

use crate::kind::{AnyKind, Registered, of};

pub mod cluster;
pub mod log_group;
pub mod service;
pub mod task_definition;
pub mod types;

/// Every kind, in the order in which a reader meets them: from the network up to the service.
#[rustfmt::skip]
const ALL: &[&dyn AnyKind] = &[
    of::<log_group::LogGroup>(),
    of::<cluster::Cluster>(),
    of::<task_definition::TaskDefinition>(),
    of::<service::Service>(),
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
