//! The few facts of a declaration that tell a reader what it is.
//!
//! The table names fields by kind; a field that a declaration lacks is passed over, so a kind that
//! renames one loses a fact in the plan and nothing else.

use super::edits::inline;
use super::unknowns::Unknowns;
use super::{Look, words};
use crate::value::Value;

/// How a field becomes a fact.
enum Fact {
    /// The value alone: `10.0.0.0/16`.
    Bare(&'static str),
    /// The name and the value: `port 80`.
    Named(&'static str),
    /// Some words in place of a field that is true.
    When(&'static str, &'static str),
    /// How many there are: `3 routes`.
    Count(&'static str, &'static str),
    /// All of a set of texts: `shop.example.com, api.example.com`.
    All(&'static str),
    /// One field of each entry of a map: the images of all containers.
    Each(&'static str, &'static str),
}

use Fact::{All, Bare, Count, Each, Named, When};

#[rustfmt::skip]
const TABLE: &[(&str, &[Fact])] = &[
    ("vpc", &[Bare("cidr")]),
    ("subnet", &[Bare("cidr-block"), Bare("availability-zone"), When("map-public-ip-on-launch", "public")]),
    ("internet-gateway", &[]),
    ("elastic-ip", &[]),
    ("nat-gateway", &[]),
    ("route-table", &[Count("routes", "route"), Count("subnets", "subnet")]),
    ("vpc-endpoint", &[Bare("service-name"), Bare("type")]),
    ("security-group", &[Count("ingress", "rule"), Bare("description")]),
    ("security-group-rule", &[Bare("direction"), Bare("protocol"), Named("to-port"), Bare("cidr")]),
    ("load-balancer", &[Bare("scheme"), Count("subnets", "subnet")]),
    ("target-group", &[Bare("protocol"), Named("port")]),
    ("listener", &[Bare("protocol"), Named("port")]),
    ("listener-rule", &[Named("priority")]),
    ("certificate", &[All("names")]),
    ("dns-record", &[Bare("name"), Bare("type")]),
    ("role", &[Bare("description"), Count("inline", "inline policy"), Count("policies", "managed policy")]),
    ("log-group", &[Bare("name"), Named("retention-in-days")]),
    ("repository", &[Bare("name")]),
    ("cluster", &[Bare("name")]),
    ("task-definition", &[Named("cpu"), Named("memory"), Each("containers", "image")]),
    ("service", &[Named("desired-count")]),
    ("task-run", &[Named("service")]),
    ("schedule-group", &[Bare("name")]),
    ("schedule", &[Bare("expression"), Bare("timezone")]),
];

/// What goes with a resource of the kind and does not come back.
pub(super) fn lost(kind: &str) -> Option<&'static str> {
    match kind {
        "log-group" => Some("with all its logs"),
        "repository" => Some("with all its images"),
        _ => None,
    }
}

/// So many facts of a kind that the table does not know.
const GUESSES: usize = 3;

/// The facts, for the end of a line.
pub(super) fn facts(kind: &str, spec: &Value, unknowns: &Unknowns<'_>, look: Look) -> String {
    let found: Vec<String> = match TABLE.iter().find(|(of, _)| *of == kind) {
        Some((_, facts)) => {
            facts.iter().filter_map(|fact| tell(fact, spec, unknowns, look)).collect()
        }
        None => guess(spec, unknowns, look),
    };
    found.join("  ")
}

fn tell(fact: &Fact, spec: &Value, unknowns: &Unknowns<'_>, look: Look) -> Option<String> {
    let simple = |field: &str| match spec.get(field)? {
        Value::Null | Value::List(_) | Value::Map(_) | Value::Pending(_) => None,
        value => Some(inline(value, unknowns, look)),
    };
    match fact {
        Bare(field) => simple(field),
        Named(field) => Some(format!("{} {}", words::kind(field), simple(field)?)),
        When(field, words) => {
            (spec.get(field) == Some(&Value::Bool(true))).then(|| (*words).to_owned())
        }
        Count(field, noun) => match spec.get(field)? {
            Value::List(items) if !items.is_empty() => Some(words::count(items.len(), noun)),
            Value::Map(entries) if !entries.is_empty() => Some(words::count(entries.len(), noun)),
            _ => None,
        },
        All(field) => {
            let texts = spec.get(field)?.texts().join(", ");
            Some(words::shortened(&texts, look)).filter(|text| !text.is_empty())
        }
        Each(field, of) => {
            let Value::Map(entries) = spec.get(field)? else { return None };
            let each = entries.values().filter_map(|entry| entry.get(of));
            // The reference itself: a note for each image would fill lines. In full, fields have notes.
            let shown = each.map(|value| match value.to_source() {
                serde_json::Value::String(text) => words::shortened(&unknowns.named(&text), look),
                other => other.to_string(),
            });
            Some(shown.collect::<Vec<_>>().join(", ")).filter(|text| !text.is_empty())
        }
    }
}

/// The first simple fields of a kind that the table does not know.
fn guess(spec: &Value, unknowns: &Unknowns<'_>, look: Look) -> Vec<String> {
    let Value::Map(fields) = spec else { return Vec::new() };
    let simple = fields.iter().filter(|(name, value)| {
        name.as_str() != "name" && matches!(value, Value::Text(_) | Value::Number(_))
    });
    let told = simple.map(|(name, value)| format!("{name} {}", inline(value, unknowns, look)));
    told.take(GUESSES).collect()
}
