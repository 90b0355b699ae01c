//! THE CATALOGUE: one file a kind, one line a kind.

use std::sync::LazyLock;

use crate::kind::{AnyKind, Registered, of};

pub mod elastic_ip;
pub mod internet_gateway;
pub mod log_group;
pub mod nat_gateway;
pub mod route_table;
pub mod security_group;
pub mod security_group_rule;
pub mod subnet;
pub mod types;
pub mod vpc;

/// Every kind, in the order in which a reader meets them: from the network up to the service.
#[rustfmt::skip]
const ALL: &[&dyn AnyKind] = &[
    of::<vpc::Vpc>(),
    of::<subnet::Subnet>(),
    of::<internet_gateway::InternetGateway>(),
    of::<elastic_ip::ElasticIp>(),
    of::<nat_gateway::NatGateway>(),
    of::<route_table::RouteTable>(),
    of::<security_group::SecurityGroup>(),
    of::<security_group_rule::SecurityGroupRule>(),
    of::<log_group::LogGroup>(),
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
