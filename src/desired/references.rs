//! Whether what declarations refer to is there.

use std::collections::{BTreeMap, BTreeSet};

use super::Declared;
use crate::address::{Address, Output, Path};
use crate::blueprint::{self, Declaration};
use crate::diag::Diagnostic;
use crate::graph::Cycle;
use crate::kind::is_sought;
use crate::spec::Unread;
use crate::value::{Part, Value};
use crate::{kinds, nearest};

/// Everything that is wrong with the references of the resources. A resource whose own declaration is
/// wrong is there, and what the unread sections may declare may be there.
pub(super) fn check(
    resources: &BTreeMap<Address, Declared>,
    drafts: &[Declaration],
    unread: &Unread,
) -> Vec<Diagnostic> {
    let names: BTreeSet<&Address> = drafts.iter().map(|draft| &draft.address).collect();
    let mut found: BTreeMap<(&Path, &Output), (Diagnostic, Path)> = BTreeMap::new();
    for draft in drafts {
        let Some(declared) = resources.get(&draft.address) else { continue };
        walk(&declared.spec, &mut Path::default(), &mut |output, way| {
            let Some(diagnostic) = wrong(output, &names, unread) else { return };
            // A section repeats a key's text in several resources: where it is written says most.
            let place = draft.origin(way).clone();
            let first = found.entry((&draft.section, output)).or_insert((diagnostic, place));
            let place = draft.origin(way);
            if place.0.len() > first.1.0.len() {
                first.1 = place.clone();
            }
        });
    }
    let told = found.into_values();
    told.map(|(diagnostic, place)| diagnostic.at(place, "refers to it")).collect()
}

/// The circle, and in it each mention where it is written.
pub(super) fn circle(
    cycle: &Cycle,
    resources: &BTreeMap<Address, Declared>,
    drafts: &[Declaration],
) -> Diagnostic {
    let title = format!("these resources need each other: {cycle}");
    let mut error = Diagnostic::error("E0204", title);
    for pair in cycle.0.windows(2) {
        let draft = drafts.iter().find(|draft| draft.address == pair[0]);
        let (Some(draft), Some(declared)) = (draft, resources.get(&pair[0])) else { continue };
        let mut place = &draft.section;
        walk(&declared.spec, &mut Path::default(), &mut |output, way| {
            let written = draft.origin(way);
            if output.of == pair[1] && written.0.len() > place.0.len() {
                place = written;
            }
        });
        error = error.at(place.clone(), format!("mentions {}", pair[1]));
    }
    error.hint("take one of these out")
}

/// Visits every output that a document mentions, with the way to it.
fn walk<'v>(value: &'v Value, way: &mut Path, visit: &mut impl FnMut(&'v Output, &Path)) {
    match value {
        Value::Pending(parts) => {
            for part in parts {
                if let Part::Output(output) = part {
                    visit(output, way);
                }
            }
        }
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                way.0.push(index.to_string());
                walk(item, way, visit);
                way.0.pop();
            }
        }
        Value::Map(fields) => {
            for (field, value) in fields.iter() {
                way.0.push(field.clone());
                walk(value, way, visit);
                way.0.pop();
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => {}
    }
}

fn wrong(output: &Output, names: &BTreeSet<&Address>, unread: &Unread) -> Option<Diagnostic> {
    if output.is_surroundings() {
        let fact = output.of.name.as_str();
        let zone = fact.strip_prefix("zone-").is_some_and(|n| n.parse::<u8>().is_ok());
        let is_known =
            zone || ["account", "region", "partition"].contains(&fact) || is_sought(fact);
        let title = format!("there is no `${{{output}}}`");
        let hint = "write `${aws.account}`, `${aws.region}`, `${aws.partition}` or `${aws.zone-1}`";
        return (!is_known).then(|| Diagnostic::error("E0203", title).hint(hint));
    }
    if !names.contains(&output.of) {
        if blueprint::may_declare(unread, &output.of) {
            return None;
        }
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let title = format!("no resource `{}` in this stack", output.of);
        let near = nearest::nearest(&output.of.to_string(), names.iter().map(String::as_str));
        let error = Diagnostic::error("E0203", title);
        return Some(match near {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint("run `ecsctl render` to see all resources of the stack"),
        });
    }
    let outputs = kinds::find(&output.of.kind)?.output_shape();
    let names: Vec<&str> = outputs.fields()?.keys().map(String::as_str).collect();
    let title = format!("{} has no output `{}`", output.of, output.name);
    let hint = format!("its outputs are {}", names.join(", "));
    let is_known = names.contains(&output.name.as_str());
    (!is_known).then(|| Diagnostic::error("E0203", title).hint(hint))
}
