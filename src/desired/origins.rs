//! What a kind says of a declaration, in the words of the section that the declaration comes from.

use crate::address::{Path, SURROUNDINGS};
use crate::blueprint::Declaration;
use crate::diag::{Diagnostic, Place};

/// Kinds point at `aws.<kind>.<name>.<field>` and name its fields; whoever wrote a section wants to
/// see the keys that they wrote.
pub(super) fn relocate(draft: &Declaration, mut diagnostic: Diagnostic) -> Diagnostic {
    let mut pointed = Path::default();
    for label in &mut diagnostic.labels {
        if let Place::Value(path) = &mut label.place {
            pointed = Path::of(path.0.iter().skip(3));
            *path = draft.origin(&pointed).clone();
        }
    }
    diagnostic.hint = diagnostic.hint.map(|hint| translate(draft, &pointed, &hint));
    diagnostic
}

/// A hint, its names of fields replaced by names of keys. Names are in backticks, with a value behind
/// them or none.
fn translate(draft: &Declaration, pointed: &Path, hint: &str) -> String {
    let word = |(index, word): (usize, &str)| {
        if index % 2 == 0 {
            return word.to_owned();
        }
        let (name, value) = word.split_at(word.find(" = ").unwrap_or(word.len()));
        match key(draft, pointed, name) {
            Some(key) => format!("{key}{value}"),
            None => word.to_owned(),
        }
    };
    hint.split('`').enumerate().map(word).collect::<Vec<_>>().join("`")
}

/// The key, as it is called within its section, that decides the field `name`: of those in several
/// places the one closest to what is pointed at.
fn key(draft: &Declaration, pointed: &Path, name: &str) -> Option<String> {
    let name = Path::of(name.split('.'));
    let shared = |way: &Path| way.0.iter().zip(&pointed.0).take_while(|(a, b)| a == b).count();
    let fields = draft.origins.iter().filter(|(way, _)| way.0.ends_with(&name.0));
    let (_, key) = fields.rev().max_by_key(|(way, _)| shared(way))?;
    if key.first() == Some(SURROUNDINGS) || *key == draft.section {
        return None;
    }
    let within = key.0.strip_prefix(draft.section.0.as_slice()).unwrap_or(&key.0);
    Some(within.join("."))
}
