//! `[alb.x]`: an application load balancer and its listeners.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Deserialize;

use super::measure::Cidr;

/// An application load balancer: HTTP on port 80; with a certificate HTTPS on 443, and 80 redirects.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Alb {
    /// Whether it faces the internet; true when left out. Otherwise only the VPC reaches it.
    pub public: Option<bool>,
    /// The networks that may connect: everybody when it is public, the VPC when it is not.
    pub from: Option<BTreeSet<Cidr>>,
    /// The ARN of an ACM certificate in the same region.
    pub certificate: Option<String>,
}
