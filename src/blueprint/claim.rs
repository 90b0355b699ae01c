//! Which requests of an application load balancer go to which service: the rules of its listeners, their places, and
//! who shares the very same requests.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use super::balancers::{Balancer, Balancers};
use super::declaration::Declaration;
use super::domain::Domain;
use super::ground::Ground;
use super::route::{Lead, Route};
use super::service::{Http, Service};
use super::sheet::Sheet;
use super::shift;
use crate::address::Path;
use crate::diag::{Diagnostic, THE_OTHER};

/// The requests that a route asks for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Claim {
    path: String,
    /// The hosts; any when there are none.
    hosts: BTreeSet<String>,
    /// What else must fit, in the words of a rule.
    more: Json,
    priority: Option<u32>,
    weight: Option<u32>,
    /// Whether the hosts are those of the service's `domain`.
    has_domain: bool,
}

impl Claim {
    /// What `http` says, under the domains of its service.
    pub(super) fn new(http: &Http, domain: Option<&Domain>) -> Self {
        let mut more = json!({});
        let sources: Vec<String> = http.sources.iter().map(ToString::to_string).collect();
        let said = [
            ("methods", !http.methods.is_empty(), json!(http.methods)),
            ("headers", !http.headers.is_empty(), json!(http.headers)),
            ("queries", !http.queries.is_empty(), json!(http.queries)),
            ("sources", !sources.is_empty(), json!(sources)),
        ];
        for (key, _, value) in said.into_iter().filter(|(_, is_said, _)| *is_said) {
            more[key] = value;
        }
        Self {
            path: http.path.clone().unwrap_or_else(|| EVERYTHING.to_owned()),
            hosts: match domain {
                Some(domain) => domain.names.iter().cloned().collect(),
                None => http.host.clone().into_iter().collect(),
            },
            more,
            priority: http.priority,
            weight: http.weight,
            has_domain: domain.is_some(),
        }
    }

    fn has_more(&self) -> bool {
        self.more.as_object().is_some_and(|more| !more.is_empty())
    }

    fn is_same(&self, other: &Self) -> bool {
        (&self.path, &self.hosts, &self.more) == (&other.path, &other.hosts, &other.more)
    }

    /// The conditions of a rule.
    fn conditions(&self) -> Json {
        let mut conditions = self.more.clone();
        // A rule has five values at most: none is spent on what says nothing.
        if self.path != EVERYTHING || !self.has_more() {
            conditions["paths"] = json!([self.path]);
        }
        if !self.hosts.is_empty() {
            conditions["hosts"] = json!(self.hosts);
        }
        conditions
    }

    /// The first place of the rules as specific as this one: those with a host come before those
    /// without, longer paths before shorter ones, and a whole path before one with wildcards.
    fn band(&self) -> u32 {
        let is_wild = |c: char| c == '*' || c == '?';
        let letters = self.path.chars().filter(|c| !is_wild(*c)).count();
        let whole = usize::from(!self.path.contains(is_wild));
        let length = u32::try_from(letters + whole).unwrap_or(LONGEST).min(LONGEST);
        let hostless = if self.hosts.is_empty() { LONGEST + 1 } else { 0 };
        OWN + (hostless + LONGEST - length) * BAND
    }

    /// The places in the band that it may have, in the order in which they are tried. Who asks for more comes
    /// first.
    fn places(&self, name: &str) -> impl Iterator<Item = u32> {
        let (first, count) = if self.has_more() { (0, FIRST) } else { (FIRST, BAND - FIRST) };
        let hash = slot(name);
        // A name keeps its number where it can: another service seldom moves a rule.
        let start = if hash >= first { hash - first } else { hash };
        let band = self.band();
        (0..count).map(move |step| band + first + (start + step) % count)
    }
}

/// The paths that all requests have.
const EVERYTHING: &str = "/*";
/// Priorities below this one are the user's own.
const OWN: u32 = 1000;
/// The length of the longest path that AWS takes.
const LONGEST: u32 = 128;
/// Places in a band: two times 129 bands fill what is left of 50000.
const BAND: u32 = (50_000 - OWN) / (2 * (LONGEST + 1));
/// Those of them that are for claims with further conditions.
const FIRST: u32 = 24;

/// A number below [`BAND`] that a name always has: FNV-1a, which will not change with a release of Rust.
fn slot(name: &str) -> u32 {
    let hash = name
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    hash % BAND
}

/// Routes that claim the very same requests: one, or several that share them.
#[derive(Debug, Clone)]
pub(super) struct Shared<'r> {
    lead: &'r Route,
    claim: &'r Claim,
    /// Who shares, with their weights; nobody where there is one alone.
    weights: Vec<(&'r Route, u32)>,
}

/// Says who claims the same requests without sharing them, and who shares with nobody.
pub(super) fn shared<'r>(routes: &'r [Route], sheet: &mut Sheet) -> Vec<Shared<'r>> {
    let mut all: Vec<Vec<(&Route, &Claim)>> = Vec::new();
    let mut seen: BTreeMap<(&Balancer, Option<&str>, &str, String), &Route> = BTreeMap::new();
    for route in routes {
        let Lead::Requests(claim) = &route.lead else { continue };
        let same = all.iter_mut().find(|others| {
            let (first, theirs) = others[0];
            first.balancer == route.balancer && theirs.is_same(claim)
        });
        if let Some(others) = same {
            others.push((route, claim));
            continue;
        }
        let hosts = claim.hosts.iter().map(|host| Some(host.as_str()));
        let any = claim.hosts.is_empty().then_some(None);
        let key = |host| (&route.balancer, host, claim.path.as_str(), claim.more.to_string());
        let keys: Vec<_> = hosts.chain(any).map(key).collect();
        match keys.iter().find_map(|key| seen.get(key).copied()) {
            Some(first) => taken_twice(first, route, claim, sheet),
            None => {
                seen.extend(keys.into_iter().map(|key| (key, route)));
                all.push(vec![(route, claim)]);
            }
        }
    }
    all.iter().map(|same| share(same, sheet)).collect()
}

/// Those who claim the same, by their weights.
fn share<'r>(same: &[(&'r Route, &'r Claim)], sheet: &mut Sheet) -> Shared<'r> {
    let (lead, claim) = same[0];
    let weights: Vec<(&Route, u32)> =
        same.iter().filter_map(|(route, claim)| Some((*route, claim.weight?))).collect();
    let weigh = |route: &Route| route.section.join("weight");
    // Whoever shares it may stand in what could not be read.
    let may_be_shared = sheet.unread.may_hold("service");
    let mut fault = |place: Path, title: String, hint: &str| {
        sheet.fault(Diagnostic::error("E0375", title).at_key(place, "").hint(hint));
    };
    match (same, weights.as_slice()) {
        ([_], []) => {}
        ([_], [(alone, _), ..]) => {
            let title = format!("nobody shares `{}` with `{}`", claim.path, alone.told());
            let hint = "leave `weight` out, or let another service claim the same and say its own";
            if !may_be_shared {
                fault(weigh(alone), title, hint);
            }
        }
        (several, []) => {
            for (other, claim) in &several[1..] {
                taken_twice(lead, other, claim, sheet);
            }
        }
        (several, weighing) if weighing.len() < several.len() => {
            let silent = several.iter().filter(|(_, claim)| claim.weight.is_none());
            for (route, claim) in silent {
                let title = format!(
                    "`{}` shares `{}` and does not say its weight",
                    route.told(),
                    claim.path
                );
                fault(weigh(route), title, "add `weight`, or let it claim other requests");
            }
        }
        (_, weighing) if weighing.iter().all(|(_, weight)| *weight == 0) => {
            let title = format!("nobody gets `{}`: all weights are 0", claim.path);
            fault(weigh(lead), title, "give one of them a greater weight");
        }
        _ => return Shared { lead, claim, weights },
    }
    Shared { lead, claim, weights: Vec::new() }
}

fn taken_twice(first: &Route, route: &Route, claim: &Claim, sheet: &mut Sheet) {
    let title = format!("`{}` and `{}` both take `{}`", first.told(), route.told(), claim.path);
    let fault = Diagnostic::error("E0266", title).at_key(route.keys.clone(), "");
    let fault = fault.at_key(first.keys.clone(), THE_OTHER);
    let example = match route.section.steps().as_slice() {
        [_, name, "route", own] => format!("service.{name}.route.{own}.path = \"/{own}/*\""),
        _ => format!("service.{0}.http = \"/{0}/*\"", route.service),
    };
    sheet.fault(fault.hint(format!("let one take others, for example `{example}`")));
}

/// The priority of each. It follows from the claim's own words and the name of its target group, so that
/// another service seldom moves a rule: only when two fall on one place, the later name moves on.
pub(super) fn priorities(all: &[Shared<'_>], sheet: &mut Sheet) -> Vec<u32> {
    let mut taken: BTreeMap<(&Balancer, u32), &Route> = BTreeMap::new();
    let mut places: Vec<Option<u32>> = Vec::new();
    for one in all {
        let said = |route: &Route| match &route.lead {
            Lead::Requests(claim) => claim.priority,
            Lead::Port(..) => None,
        };
        let sharing = one.weights.iter().map(|(route, _)| *route);
        let written = |route: &&Route| said(route).is_some();
        let speaks = [one.lead].into_iter().chain(sharing.clone()).find(written);
        places.push(speaks.and_then(said));
        let Some((route, priority)) = speaks.zip(speaks.and_then(said)) else { continue };
        let first = taken.insert((&route.balancer, priority), route);
        // Those who share requests share their rule as well, and its place.
        let other = sharing.clone().find(|it| said(it).is_some_and(|own| own != priority));
        let (title, other) = match (first, other) {
            (Some(first), _) => (format!("two services have the priority {priority}"), first),
            (None, Some(other)) => ("what is shared has one priority".to_owned(), other),
            (None, None) => continue,
        };
        let fault = Diagnostic::error("E0266", title).at(route.section.join("priority"), "");
        let fault = fault.at(other.section.join("priority"), THE_OTHER);
        sheet.fault(fault.hint("leave out both, or give one of them another"));
    }
    let mut found = Vec::new();
    for (one, place) in all.iter().zip(places) {
        let free = |place: &u32| !taken.contains_key(&(&one.lead.balancer, *place));
        // A load balancer takes a hundred rules: a band is never full.
        let next = || one.claim.places(&one.lead.group).find(free).unwrap_or(one.claim.band());
        let place = place.unwrap_or_else(next);
        taken.insert((&one.lead.balancer, place), one.lead);
        found.push(place);
    }
    found
}

/// What there is to know of a route whose rule is written.
pub(super) struct Around<'a> {
    /// All services.
    pub(super) services: &'a BTreeMap<String, Service>,
    /// What they run on.
    pub(super) grounds: &'a BTreeMap<String, Ground>,
    /// All load balancers.
    pub(super) balancers: &'a Balancers,
}

impl Shared<'_> {
    /// The rule by which the requests come, and the other one by which tests do; and the other target group, where
    /// rollouts move them from one to the other.
    pub(super) fn expand(&self, priority: u32, around: &Around<'_>, sheet: &mut Sheet) {
        let Route { service: name, balancer, .. } = self.lead;
        let service = &around.services[name];
        let alb = &around.balancers.albs[balancer.name()];
        let listener = alb.listener(balancer.name());
        let arn = |group: &str| format!("${{target-group.{group}.arn}}");
        if !shift::is_shifted(service) || self.lead.group != *name {
            let share = |(route, weight): &(&Route, u32)| json!({ "target-group-arn": arn(&route.group), "weight": weight });
            let action = match self.weights.as_slice() {
                [] => json!({ "forward": arn(&self.lead.group) }),
                several => json!({ "weighted": several.iter().map(share).collect::<Json>() }),
            };
            return sheet.add(self.rule(&self.lead.group, listener, priority, action));
        }
        let target_type = around.grounds[name].target_type();
        let group = self.lead.target_group(service, target_type);
        let alternate = group.renamed(&shift::alternate(name));
        // The weights are those of the beginning: from the first deployment on they are ECS's.
        let both = json!({ "weighted": [
            { "target-group-arn": group.output("arn"), "weight": 100 },
            { "target-group-arn": alternate.output("arn"), "weight": 0 },
        ] });
        if let Some(port) = shift::test_port(service) {
            let listener = alb.test_listener(balancer.name(), port);
            sheet.add(self.rule(&shift::test_rule(name), listener, priority, both.clone()));
        }
        sheet.add(self.rule(name, listener, priority, both));
        sheet.add(alternate);
    }

    fn rule(&self, rule: &str, listener: String, priority: u32, action: Json) -> Declaration {
        let keys = &self.lead.section;
        let section = Path::of(["service", &self.lead.service]);
        let hosts = if self.claim.has_domain { section.join("domain") } else { keys.join("host") };
        let mut rule = Declaration::new("listener-rule", rule, &section)
            .from("listener-arn", listener, keys.join("alb"))
            .from("priority", priority, keys.join("priority"))
            .with("conditions", self.claim.conditions())
            .decided(["conditions", "paths"], keys.join("path"))
            .decided(["conditions", "hosts"], hosts)
            .with("action", action);
        for key in ["methods", "headers", "queries", "sources"] {
            if self.claim.more.get(key).is_some() {
                rule = rule.decided(["conditions", key], keys.join(key));
            }
        }
        if !self.weights.is_empty() {
            rule = rule.decided(["action"], keys.join("weight"));
        }
        rule
    }
}

impl Route {
    /// What it is called in what is said of it.
    fn told(&self) -> String {
        match self.section.steps().as_slice() {
            [_, name, "route", own] => format!("{name}.route.{own}"),
            _ => self.service.clone(),
        }
    }
}
