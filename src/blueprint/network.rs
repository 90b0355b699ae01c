//! `[network]`: the VPC, its subnets, and the ways in and out.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::Options;
use super::alb::Scheme;
use super::balancers::Balancers;
use super::declaration::Declaration;
use super::endpoints;
use super::given::{self, Subnets, Vpc};
use super::measure::Cidr;
use super::sheet::Sheet;
use crate::address::Path;
use crate::diag::Diagnostic;
use crate::kind::Given;

/// The VPC that everything runs in: two availability zones, public and private subnets; or one that exists
/// already, with subnets of its own.
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
    /// Services of AWS that are reached without the internet, by their short names: `["sqs", "dynamodb"]`. With
    /// `nat = "endpoints"`, besides those that the stack needs.
    #[serde(default)]
    #[schemars(extend("items" = {"type": "string", "x-format": "aws-service"}))]
    pub endpoints: BTreeSet<String>,
    /// A VPC that exists already, in place of one that is made: its id, or `{ tags = { … } }`. It is never
    /// changed.
    pub vpc: Option<Vpc>,
    /// Its subnets.
    pub subnets: Option<Subnets>,
    /// The domain in which the names of services stand that are found by DNS (`discover`);
    /// `STACK-ENV.internal` when left out.
    #[schemars(extend("x-format" = "domain"))]
    pub domain: Option<String>,
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
    /// Not at all; VPC endpoints lead to the services of AWS that the stack needs.
    Endpoints,
    /// Not at all.
    None,
}

/// The kinds of what the section stands for.
pub(super) const KINDS: [&str; 8] = [
    "vpc",
    "subnet",
    "internet-gateway",
    "elastic-ip",
    "nat-gateway",
    "route-table",
    "vpc-endpoint",
    "security-group",
];
/// The VPC's addresses when nothing is said.
const CIDR: &str = "10.0.0.0/16";
/// The zones, as they are written in names. The account's first two are taken.
const ZONES: [(char, &str); 2] = [('a', "${aws.zone-1}"), ('b', "${aws.zone-2}")];

/// The network with nothing left open.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    mode: Mode,
    nat: Nat,
    cidr: Cidr,
    endpoints: BTreeSet<String>,
    /// The network that exists already, if there is one: nothing of it is made.
    given: Option<Given>,
}

impl Layout {
    /// What a section says and what it leaves out.
    pub(super) fn new(network: Option<&Network>, balancers: &Balancers, options: Options) -> Self {
        let said = network.cloned().unwrap_or_default();
        let given = given::of(&said, balancers);
        let mode = said.mode.unwrap_or(match (&given, options.expires) {
            (Some(_), _) => given::mode(&said),
            (None, true) => Mode::Public,
            (None, false) => Mode::Private,
        });
        let nat = said.nat.unwrap_or(match mode {
            Mode::Public => Nat::None,
            Mode::Private => Nat::Single,
        });
        let cidr = said.cidr.unwrap_or_else(|| CIDR.parse().expect("the default is a network"));
        Self { mode, nat, cidr, endpoints: said.endpoints, given }
    }

    /// The network that exists already.
    pub(super) fn given(&self) -> Option<&Given> {
        self.given.as_ref()
    }

    /// How private subnets reach the internet.
    pub(super) fn nat(&self) -> Nat {
        self.nat
    }

    /// The subnets that tasks run in.
    pub(super) fn task_subnets(&self) -> Vec<String> {
        self.subnets(self.mode)
    }

    /// The route tables of those.
    pub(super) fn task_tables(&self) -> Vec<String> {
        let names = match (self.mode, self.nat) {
            (Mode::Public, _) => vec!["public".to_owned()],
            (Mode::Private, Nat::PerAz) => {
                ZONES.iter().map(|(letter, _)| format!("private-{letter}")).collect()
            }
            (Mode::Private, _) => vec!["private".to_owned()],
        };
        names.iter().map(|name| format!("${{route-table.{name}.id}}")).collect()
    }

    fn subnets(&self, mode: Mode) -> Vec<String> {
        match &self.given {
            Some(given) => given::subnets(given, mode),
            None => subnets(mode),
        }
    }

    /// Whether tasks need a public address to get out.
    pub(super) fn gives_public_addresses(&self) -> bool {
        self.mode == Mode::Public
    }

    /// The subnets of a load balancer: public ones for the internet.
    pub(super) fn load_balancer_subnets(&self, scheme: Scheme) -> Vec<String> {
        match scheme {
            Scheme::InternetFacing => self.subnets(Mode::Public),
            Scheme::Internal => self.subnets(self.mode),
        }
    }

    /// The VPC's addresses.
    pub(super) fn cidr(&self) -> Cidr {
        self.cidr
    }

    /// Says what is wrong. `tasks` are the services that would have to live with it.
    pub(super) fn check(&self, services: usize, sheet: &mut Sheet) {
        if self.given.is_some() {
            return;
        }
        let section = section();
        let prefix = self.cidr.0.prefix_len();
        if !(16..=24).contains(&prefix) {
            let size = if prefix < 16 { "large" } else { "small" };
            let title = format!("`{}` is too {size} for public and private subnets", self.cidr);
            let fault = Diagnostic::error("E0260", title).at(section.join("cidr"), "");
            sheet.fault(fault.hint("write a network from /16 to /24, such as \"10.0.0.0/16\""));
        }
        match (self.mode, self.nat) {
            (Mode::Private, Nat::None) if services > 0 => {
                let title = "tasks in private subnets cannot reach the internet without NAT";
                let fault = Diagnostic::error("E0261", title).at(section.join("nat"), "");
                let hint = "write `nat = \"single\"` or `\"endpoints\"`, or `mode = \"public\"`";
                sheet.fault(fault.hint(hint));
            }
            (Mode::Public, Nat::Single | Nat::PerAz | Nat::Endpoints) => {
                let what = if self.nat == Nat::Endpoints { "the endpoints" } else { "NAT" };
                let title = format!(
                    "nothing would use {what}: in mode `public` there are no private subnets"
                );
                let fault = Diagnostic::error("E0261", title).at(section.join("nat"), "");
                sheet.fault(fault.hint("write `nat = \"none\"`, or `mode = \"private\"`"));
            }
            (Mode::Public, Nat::None) | (Mode::Private, _) => {}
        }
    }

    /// VPC, subnets, gateways and route tables; nothing of a network that exists already.
    pub(super) fn expand(&self, sheet: &mut Sheet) {
        if self.given.is_some() {
            return;
        }
        let section = section();
        let vpc = Declaration::new("vpc", "main", &section)
            .from("cidr", self.cidr.to_string(), section.join("cidr"))
            .with("enable-dns-support", true)
            .with("enable-dns-hostnames", true);
        sheet.add(vpc);
        let gateway = Declaration::new("internet-gateway", "main", &section);
        sheet.add(gateway.with("vpc-id", VPC));
        self.expand_subnets(Mode::Public, sheet);
        let route = json!({ "0.0.0.0/0": "${internet-gateway.main.id}" });
        sheet.add(table("public", route, subnets(Mode::Public)));
        if self.mode == Mode::Private {
            self.expand_subnets(Mode::Private, sheet);
            self.expand_nat(sheet);
        }
    }

    /// The endpoints, once it is known what they are for.
    pub(super) fn expand_endpoints(&self, sheet: &mut Sheet) {
        if self.given.is_none() {
            endpoints::expand(self, &self.endpoints, sheet);
        }
    }

    fn expand_subnets(&self, mode: Mode, sheet: &mut Sheet) {
        let section = section();
        for (index, (letter, zone)) in ZONES.into_iter().enumerate() {
            let block = self.block(mode, index);
            let subnet = Declaration::new("subnet", format!("{}-{letter}", word(mode)), &section)
                .with("vpc-id", VPC)
                .from("cidr-block", block.to_string(), section.join("cidr"))
                .with("availability-zone", zone);
            sheet.add(subnet);
        }
    }

    /// Private subnets are cut from the lower half of the VPC and public ones from the upper, so that
    /// there is room for more zones. Of a /16 they are /20 and /24; the smallest public one is a /27,
    /// because a load balancer wants no less.
    fn block(&self, mode: Mode, index: usize) -> Ipv4Net {
        let net = self.cidr.0;
        let (prefix, first) = match mode {
            Mode::Private => ((net.prefix_len() + 4).min(26), 0),
            Mode::Public => ((net.prefix_len() + 8).min(27), 1 << (31 - net.prefix_len())),
        };
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        let address = u32::from(net.network()) + first + index * (1 << (32 - prefix));
        Ipv4Net::new_assert(Ipv4Addr::from(address), prefix)
    }

    fn expand_nat(&self, sheet: &mut Sheet) {
        let through =
            |letter: char| json!({ "0.0.0.0/0": format!("${{nat-gateway.{letter}.id}}") });
        let source = section().join("nat");
        let gateways = match self.nat {
            Nat::None | Nat::Endpoints => 0,
            Nat::Single => 1,
            Nat::PerAz => ZONES.len(),
        };
        for (letter, _) in ZONES.into_iter().take(gateways) {
            let address = Declaration::new("elastic-ip", format!("nat-{letter}"), &source);
            let gateway = Declaration::new("nat-gateway", letter, &source)
                .with("subnet-id", subnet(Mode::Public, letter))
                .with("allocation-id", address.output("id"));
            sheet.add(address);
            sheet.add(gateway);
        }
        match self.nat {
            Nat::None | Nat::Endpoints => {
                sheet.add(table("private", json!({}), subnets(Mode::Private)));
            }
            Nat::Single => sheet.add(table("private", through('a'), subnets(Mode::Private))),
            Nat::PerAz => {
                for (letter, _) in ZONES {
                    let subnets = vec![subnet(Mode::Private, letter)];
                    sheet.add(table(&format!("private-{letter}"), through(letter), subnets));
                }
            }
        }
    }
}

/// The VPC, as everything in it refers to it.
pub(super) const VPC: &str = "${vpc.main.id}";

fn section() -> Path {
    Path::of(["network"])
}

fn word(mode: Mode) -> &'static str {
    match mode {
        Mode::Public => "public",
        Mode::Private => "private",
    }
}

fn subnet(mode: Mode, letter: char) -> String {
    format!("${{subnet.{}-{letter}.id}}", word(mode))
}

fn subnets(mode: Mode) -> Vec<String> {
    ZONES.into_iter().map(|(letter, _)| subnet(mode, letter)).collect()
}

fn table(name: &str, routes: Json, subnets: Vec<String>) -> Declaration {
    let section = section();
    Declaration::new("route-table", name, &section)
        .with("vpc-id", VPC)
        .from("routes", routes, section.join("nat"))
        .with("subnets", subnets)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn layout(cidr: &str) -> Layout {
        let network = Network { cidr: Some(cidr.parse().unwrap()), ..Network::default() };
        Layout::new(Some(&network), &Balancers::default(), Options::default())
    }

    fn blocks(cidr: &str) -> Vec<Ipv4Net> {
        let block = |mode| move |index| layout(cidr).block(mode, index);
        (0..2).map(block(Mode::Private)).chain((0..2).map(block(Mode::Public))).collect()
    }

    #[test]
    fn a_network_is_cut_the_same_way_each_time() {
        let text =
            |cidr| blocks(cidr).iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        insta::assert_snapshot!(text("10.0.0.0/16"), @"10.0.0.0/20 10.0.16.0/20 10.0.128.0/24 10.0.129.0/24");
        insta::assert_snapshot!(text("10.20.0.0/24"), @"10.20.0.0/26 10.20.0.64/26 10.20.0.128/27 10.20.0.160/27");
    }

    proptest! {
        #[test]
        fn blocks_are_inside_and_apart(address: u32, prefix in 16u8..=24) {
            let net = Ipv4Net::new_assert(Ipv4Addr::from(address), prefix).trunc();
            let blocks = blocks(&net.to_string());
            for (at, block) in blocks.iter().enumerate() {
                prop_assert!(net.contains(block), "{block} is not in {net}");
                prop_assert_eq!(block.trunc(), *block);
                prop_assert!(block.prefix_len() <= 27);
                for other in &blocks[at + 1..] {
                    prop_assert!(!block.contains(other) && !other.contains(block));
                }
            }
        }
    }
}
