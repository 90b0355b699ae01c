//! Keys that the language knows and this version does not do yet: refused by name, never accepted.

use crate::spec::{Later, When};

/// The keys, and what they would be about.
pub fn later() -> &'static [Later] {
    LATER
}

const LATER: &[Later] = &[
    key("limit", "spending limits"),
    value("capacity.*.type", "managed", "ECS Managed Instances"),
    key("capacity.*.need", "ECS Managed Instances"),
    key("nlb", "network load balancers"),
    key("template", "templates"),
    key("service.*.template", "templates"),
    key("service.*.use", "templates"),
    key("service.*.schedule", "scheduled scaling"),
    key("moved", "renaming without replacing"),
    key("network.endpoints", "VPC endpoints"),
    value("network.nat", "endpoints", "VPC endpoints"),
    key("network.vpc", "networks that exist already"),
    key("service.*.connect", "Service Connect"),
    list("service.*.after", "waiting for other services"),
    key("service.*.pin", "pinning images by digest"),
    key("service.*.container.*.pin", "pinning images by digest"),
    key("service.*.volume.*.type", "EBS and EFS volumes"),
    key("service.*.volume.*.size", "EBS volumes"),
];

const fn key(path: &'static str, what: &'static str) -> Later {
    Later { path, when: When::Always, what }
}

const fn value(path: &'static str, value: &'static str, what: &'static str) -> Later {
    Later { path, when: When::Word(value), what }
}

const fn list(path: &'static str, what: &'static str) -> Later {
    Later { path, when: When::List, what }
}
