//! The short sections of a stack, and what each of them stands for in AWS.
//!
//! A section is turned into declarations by a pure function: no AWS, no clock, no environment. Who
//! loads text, layers and references is `spec`; who orders and compares declarations is `plan`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value as Json;

use crate::address::Path;
use crate::diag::Diagnostic;
use crate::kind::StackId;

pub use self::alb::Alb;
pub use self::cluster::Cluster;
pub use self::declaration::Declaration;
pub use self::later::later;
pub use self::measure::formats;
pub use self::network::Network;
pub use self::references::references;
pub use self::repo::Repo;
pub use self::service::{Container, Service};
pub use self::shorthand::shorthands;

mod alb;
mod cluster;
mod declaration;
mod later;
mod measure;
mod network;
mod references;
mod repo;
mod service;
mod shorthand;

/// The sections of a stack, after all layers are merged and every shorthand is a table.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Document {
    /// The network that everything runs in; one is made when a service or load balancer needs it.
    pub network: Option<Network>,
    /// The ECS cluster; one is made when there is a service.
    pub cluster: Option<Cluster>,
    /// ECR repositories by name; an image is `"${repo.api}:${var.tag}"`.
    #[serde(default)]
    pub repo: BTreeMap<String, Repo>,
    /// Application load balancers by name; `main` is made when a service is public.
    #[serde(default)]
    pub alb: BTreeMap<String, Alb>,
    /// Services by name: tasks that are kept running.
    #[serde(default)]
    pub service: BTreeMap<String, Service>,
    /// Any AWS resource, as `[aws.<kind>.<name>]`; patches the one that a section makes there.
    #[serde(default)]
    pub aws: BTreeMap<String, BTreeMap<String, Json>>,
}

/// What is known of the environment as a whole when its sections are expanded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// Whether it is protected (`protect = true`): no shells into its containers by default.
    pub protected: bool,
    /// Whether it expires (`ttl`): its tasks run in public subnets by default, without NAT.
    pub expires: bool,
}

/// Turns the sections into declarations, one of each address, ordered by address; what is written
/// under `aws` is laid over them or stands beside them. Or says everything that is wrong.
pub fn expand(
    document: &Document,
    stack: &StackId,
    options: Options,
) -> Result<Vec<Declaration>, Vec<Diagnostic>> {
    let _ = (stack, options);
    let mut declarations = Vec::new();
    for (kind, named) in &document.aws {
        for (name, fields) in named {
            let section = Path::of(["aws", kind, name]);
            let mut declaration = Declaration::new(kind, name, &section);
            declaration.patch(fields);
            declarations.push(declaration);
        }
    }
    Ok(declarations)
}
