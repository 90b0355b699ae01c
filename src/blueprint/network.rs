//! `[network]`: the VPC, its subnets, and the ways in and out.

use schemars::JsonSchema;
use serde::Deserialize;

use super::measure::Cidr;

/// The VPC that everything runs in: two availability zones, public and private subnets.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Network {
    /// Where tasks run: `private` (the default) subnets behind NAT, or `public` ones, where each task
    /// has a public address and no NAT is paid for.
    pub mode: Option<Mode>,
    /// How private subnets reach the internet; `single` when left out.
    pub nat: Option<Nat>,
    /// The VPC's addresses, between /16 and /24; `10.0.0.0/16` when left out.
    pub cidr: Option<Cidr>,
}

/// Where tasks run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// In public subnets, with a public address each.
    Public,
    /// In private subnets.
    Private,
}

/// How private subnets reach the internet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Nat {
    /// Through one NAT gateway: cheap, but bound to one zone.
    Single,
    /// Through a NAT gateway in each zone.
    PerAz,
    /// Not at all.
    None,
}
