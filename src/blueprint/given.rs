//! `[network] vpc = "vpc-…"`: a network that exists already, by its ids or tags. What stands in it is the stack's; the network
//! itself is never changed, tagged or destroyed.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value as Json;

use super::alb::Scheme;
use super::balancers::{Balancer, Balancers, Stand};
use super::network::{Mode, Network, VPC};
use super::sheet::Sheet;
use crate::address::Path;
use crate::diag::Diagnostic;
use crate::kind::{Given, Tags, VPC_FACT, Which, subnets_fact};

/// A VPC that exists already.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("x-shorthand" = "vpc"))]
pub struct Vpc {
    /// Its id.
    #[schemars(extend("x-format" = "vpc-id"))]
    pub id: Option<String>,
    /// Tags that it carries, and no other VPC in the region.
    #[serde(default)]
    pub tags: Tags,
}

/// The subnets of a network that exists already.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Subnets {
    /// Those with a route to an internet gateway: for load balancers that face the internet, and for tasks in
    /// mode `public`. A list of ids, or `{ tags = { … } }`.
    #[serde(default)]
    pub public: Chosen,
    /// Those whose tasks have no public address.
    #[serde(default)]
    pub private: Chosen,
}

/// Subnets: a list of ids; or all in the VPC that carry the tags.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("x-shorthand" = "subnets"))]
pub struct Chosen {
    /// Their ids.
    #[serde(default)]
    #[schemars(extend("items" = {"type": "string", "x-format": "subnet-id"}))]
    pub ids: BTreeSet<String>,
    /// Tags that they carry.
    #[serde(default)]
    pub tags: Tags,
}

impl Vpc {
    fn which(&self) -> Which<String> {
        match &self.id {
            Some(id) => Which::Named(id.clone()),
            None => Which::Tagged(self.tags.clone()),
        }
    }
}

impl Chosen {
    fn which(&self) -> Which<BTreeSet<String>> {
        match self.tags.is_empty() {
            true => Which::Named(self.ids.clone()),
            false => Which::Tagged(self.tags.clone()),
        }
    }

    fn are_both(&self) -> bool {
        !self.ids.is_empty() && !self.tags.is_empty()
    }

    fn are_none(&self) -> bool {
        self.ids.is_empty() && self.tags.is_empty()
    }
}

/// The network that the section names, if it names one. `balancers` are those that stand in it.
pub(super) fn of(network: &Network, balancers: &Balancers) -> Option<Given> {
    let vpc = network.vpc.as_ref()?.which();
    let said = network.subnets.clone().unwrap_or_default();
    let mode = mode(network);
    let mut balanced: BTreeMap<String, usize> = BTreeMap::new();
    for one in balancers.stands() {
        let zones = balanced.entry(key(at(one.scheme, mode)).to_owned()).or_default();
        *zones = one.zones.max(*zones);
    }
    let subnets = [(Mode::Public, said.public), (Mode::Private, said.private)];
    let subnets = subnets.map(|(mode, chosen)| (key(mode).to_owned(), chosen.which())).into();
    Some(Given { vpc, subnets, balanced })
}

/// The subnets for one or the other: their ids, or the fact that stands for all with their tags.
pub(super) fn subnets(given: &Given, mode: Mode) -> Vec<String> {
    match &given.subnets[key(mode)] {
        Which::Named(ids) => ids.iter().cloned().collect(),
        Which::Tagged(_) => vec![format!("${{aws.{}}}", subnets_fact(key(mode)))],
    }
}

/// Where tasks run when nothing is said: where they need no public address, if there is such a place.
pub(super) fn mode(network: &Network) -> Mode {
    let has_private = network.subnets.as_ref().is_some_and(|subnets| !subnets.private.are_none());
    network.mode.unwrap_or(if has_private { Mode::Private } else { Mode::Public })
}

/// The subnets of a load balancer.
fn at(scheme: Scheme, mode: Mode) -> Mode {
    match scheme {
        Scheme::InternetFacing => Mode::Public,
        Scheme::Internal => mode,
    }
}

fn key(mode: Mode) -> &'static str {
    match mode {
        Mode::Public => "public",
        Mode::Private => "private",
    }
}

/// E0332: what is said of the network that does not go together.
pub(super) fn check(network: Option<&Network>, balancers: &Balancers, sheet: &mut Sheet) {
    let Some(network) = network else { return };
    let section = Path::of(["network"]);
    let Some(given) = of(network, balancers) else {
        if network.subnets.is_some() {
            let title = "subnets that exist already are in a VPC that exists already";
            let hint = "write `vpc = \"vpc-…\"` too, or leave it out";
            sheet.fault(wrong(section.join("subnets"), title, hint));
        }
        return;
    };
    check_choice(network, sheet);
    let of_made = [
        ("cidr", network.cidr.is_some()),
        ("nat", network.nat.is_some()),
        ("endpoints", !network.endpoints.is_empty()),
    ];
    for (key, _) in of_made.into_iter().filter(|(_, is_said)| *is_said) {
        let title = format!("`{key}` is of a network that is made, and this one exists already");
        sheet.fault(wrong(section.join(key), title, "leave it out, or leave out `vpc`"));
    }
    let mode = mode(network);
    if !subnets(&given, mode).is_empty() {
        return check_balancers(&given, mode, balancers, sheet);
    }
    sheet.fault(match network.mode {
        Some(_) => {
            let title = format!("there are no {} subnets for tasks to run in", key(mode));
            let hint = format!("write them under `subnets.{}`", key(mode));
            wrong(section.join("mode"), title, hint)
        }
        None => {
            let title = format!("which subnets of {} are meant is not said", told(&given.vpc));
            let hint = "write `subnets.private = [\"subnet-…\"]`, or `public`";
            wrong(section.join("vpc"), title, hint)
        }
    });
}

fn told(vpc: &Which<String>) -> String {
    match vpc {
        Which::Named(id) => format!("`{id}`"),
        Which::Tagged(_) => "the VPC".to_owned(),
    }
}

/// Whether it is said in one way which ones are meant.
fn check_choice(network: &Network, sheet: &mut Sheet) {
    let section = Path::of(["network"]);
    let said = network.subnets.clone().unwrap_or_default();
    let vpc = network.vpc.clone().unwrap_or_default();
    let both = [
        (section.join("vpc"), vpc.id.is_some() && !vpc.tags.is_empty()),
        (section.join("subnets").join("public"), said.public.are_both()),
        (section.join("subnets").join("private"), said.private.are_both()),
    ];
    for (place, _) in both.into_iter().filter(|(_, are_both)| *are_both) {
        let title = format!("`{place}` is said by id and by tags");
        sheet.fault(wrong(place, title, "leave one of them out"));
    }
    if vpc.id.is_none() && vpc.tags.is_empty() {
        let hint = "write `vpc = \"vpc-…\"`, or `vpc = { tags = { Name = \"…\" } }`";
        sheet.fault(wrong(section.join("vpc"), "which VPC is meant is not said", hint));
    }
}

/// Whether load balancers have where to stand, and it is known whom they let in.
fn check_balancers(given: &Given, mode: Mode, balancers: &Balancers, sheet: &mut Sheet) {
    let place = || Path::of(["network", "subnets"]);
    for Stand { balancer, scheme, from, zones } in balancers.stands() {
        let (of, name) = (key(at(scheme, mode)), balancer.name());
        let count = if matches!(balancer, Balancer::Network(_)) { "one" } else { "two" };
        match &given.subnets[of] {
            Which::Named(ids) if ids.is_empty() => {
                let title = format!("the load balancer `{name}` needs {of} subnets");
                let hint =
                    format!("write {count} under `subnets.{of}`, or `public = false` in `{name}`");
                sheet.fault(wrong(place(), title, hint));
            }
            Which::Named(ids) if ids.len() < zones => {
                let title = format!("the load balancer `{name}` needs {of} subnets in two zones");
                sheet.fault(wrong(
                    place(),
                    title,
                    format!("write another one under `subnets.{of}`"),
                ));
            }
            // How many carry tags, the plan counts.
            Which::Named(_) | Which::Tagged(_) => {}
        }
        if scheme == Scheme::Internal && from.is_none() {
            let title = format!("the addresses of the VPC, which `{name}` lets in, are not known");
            let hint = "write `from = [\"10.0.0.0/16\"]`: the VPC's block, or less";
            sheet.fault(wrong(balancer.section(), title, hint));
        }
    }
}

fn wrong(place: Path, title: impl Into<String>, hint: impl Into<String>) -> Diagnostic {
    Diagnostic::error("E0332", title).at_key(place, "").hint(hint)
}

/// Lets the VPC's id, or what stands for it, stand wherever a document mentions the VPC of the stack.
pub(super) fn stand_in(given: &Given, document: &mut Json) {
    match document {
        Json::String(text) if text.contains(VPC) => {
            let vpc = match &given.vpc {
                Which::Named(id) => id.clone(),
                Which::Tagged(_) => format!("${{aws.{VPC_FACT}}}"),
            };
            *text = text.replace(VPC, &vpc);
        }
        Json::Array(items) => items.iter_mut().for_each(|item| stand_in(given, item)),
        Json::Object(fields) => fields.values_mut().for_each(|field| stand_in(given, field)),
        Json::String(_) | Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

/// The form of a VPC's id.
pub(super) fn vpc_id(text: &str) -> Result<(), String> {
    id(text, "vpc-", "VPC")
}

/// The form of a subnet's id.
pub(super) fn subnet_id(text: &str) -> Result<(), String> {
    id(text, "subnet-", "subnet")
}

/// EC2's ids have 8 hexadecimal digits, or 17.
fn id(text: &str, prefix: &str, what: &str) -> Result<(), String> {
    let is_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    match text.strip_prefix(prefix) {
        Some(rest) if [8, 17].contains(&rest.len()) && rest.chars().all(is_hex) => Ok(()),
        _ => Err(format!("`{text}` is not the id of a {what}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_their_shape() {
        assert_eq!(vpc_id("vpc-0123456789abcdef0"), Ok(()));
        assert_eq!(subnet_id("subnet-0a1b2c3d"), Ok(()));
        for wrong in ["vpc-", "vpc-main", "subnet-0a1b2c3d", "vpc-0A1B2C3D"] {
            assert!(vpc_id(wrong).is_err(), "{wrong}");
        }
    }
}
