//! What a kind says of a declaration, in the words of the section that the declaration comes from.

use crate::address::{Path, SURROUNDINGS};
use crate::blueprint::Declaration;
use crate::diag::{Diagnostic, Place};
use crate::kind::Shape;
use crate::kinds;

/// Kinds point at `aws.<kind>.<name>.<field>` and name its fields; whoever wrote a section wants to
/// see the keys that they wrote.
pub(super) fn relocate(draft: &Declaration, mut diagnostic: Diagnostic) -> Diagnostic {
    let mut pointed = Path::default();
    for label in &mut diagnostic.labels {
        if let Place::Value(path) = &mut label.place {
            pointed = Path::of(path.0.iter().skip(3));
            *path = draft.suspect(&pointed).clone();
        }
    }
    diagnostic.title = translate(draft, &pointed, &diagnostic.title);
    diagnostic.hint = diagnostic.hint.map(|hint| translate(draft, &pointed, &hint));
    diagnostic
}

/// A title or a hint, its names of fields replaced by names of keys. Names are in backticks. A field with a value
/// is replaced only by a key of the same name: another key may take other values.
fn translate(draft: &Declaration, pointed: &Path, text: &str) -> String {
    let word = |(index, word): (usize, &str)| {
        if index % 2 == 0 {
            return word.to_owned();
        }
        let (name, value) = word.split_at(word.find(" = ").unwrap_or(word.len()));
        let key = key(draft, pointed, name);
        let key = key.filter(|key| value.is_empty() || key.rsplit('.').next() == Some(name));
        key.map_or_else(|| word.to_owned(), |key| format!("{key}{value}"))
    };
    text.split('`').enumerate().map(word).collect::<Vec<_>>().join("`")
}

/// The key, as it is called where it stands, that decides the field `name`: of those in several places
/// the one closest to what is pointed at.
fn key(draft: &Declaration, pointed: &Path, name: &str) -> Option<String> {
    let shape = kinds::find(&draft.address.kind)?.shape();
    let name = Path::of(name.split('.'));
    let shared = |way: &Path| way.0.iter().zip(&pointed.0).take_while(|(a, b)| a == b).count();
    let ways = draft.origins.iter().filter(|(way, _)| way.0.ends_with(&name.0));
    let fields = ways.filter(|(way, _)| is_field(shape, &way.steps()));
    let (way, key) = fields.rev().max_by_key(|(way, _)| shared(way))?;
    if key.first() == Some(SURROUNDINGS) {
        return None;
    }
    // Of a container the hint says itself which one it means.
    let around = draft.origin(&Path::of(&way.0[..way.0.len() - name.0.len()]));
    let own = key.0.strip_prefix(around.0.as_slice()).unwrap_or(&key.0);
    (!own.is_empty()).then(|| own.join("."))
}

/// Whether the steps lead to a field; an entry of a map has a name that the user gave it.
fn is_field(shape: &Shape, steps: &[&str]) -> bool {
    match (shape, steps) {
        (Shape::Struct { fields, .. }, [last]) => fields.contains_key(*last),
        (Shape::Struct { fields, .. }, [first, rest @ ..]) => {
            fields.get(*first).is_some_and(|field| is_field(&field.shape, rest))
        }
        (Shape::Map(values), [_, rest @ ..]) => is_field(values, rest),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft() -> Declaration {
        let section = Path::of(["service", "web"]);
        let mut draft = Declaration::new("task-definition", "web", &section);
        let mut origin = |way: &str, key: &str| {
            draft.origins.insert(Path::of(way.split('.')), Path::of(key.split('.')));
        };
        origin("containers.db.health-check", "service.web.container.db.health");
        origin("containers.db.essential", "service.web.container.db.essential");
        origin("containers.db", "service.web.container.db");
        origin("containers.db.depends-on.web", "service.web.container.db.after.web");
        origin("containers.web", "service.web");
        origin("memory", "service.web.size.memory");
        origin("containers.web.health-check", "service.web.health");
        origin("default-action.forward", "aws.listener.web.default-action.forward");
        origin("containers.web.user", "aws.task-definition.web.containers.web.user");
        draft
    }

    #[test]
    fn hints_speak_of_keys() {
        let told =
            |pointed: &str, hint: &str| translate(&draft(), &Path::of(pointed.split('.')), hint);
        let health = "give `web` a `health-check`, as page `CMD` says";
        let keys = "give `web` a `health`, as page `CMD` says";
        assert_eq!(told("containers.web.image", health), keys);
        assert_eq!(told("containers.db.depends-on.web", health), keys);
        assert_eq!(told("containers", "set `essential = false`"), "set `essential = false`");
        assert_eq!(told("cpu", "raise `memory` to 2 GB"), "raise `size.memory` to 2 GB");
        // What takes another value under another name, and what is by hand, stays.
        assert_eq!(told("", "set `health-check = [\"NONE\"]`"), "set `health-check = [\"NONE\"]`");
        assert_eq!(told("containers.web", "leave out `user`"), "leave out `user`");
    }

    #[test]
    fn errors_point_at_the_key_closest_to_the_field() {
        let at = |way: &str| draft().suspect(&Path::of(way.split('.'))).to_string();
        assert_eq!(at("containers.web.health-check.command"), "service.web.health");
        assert_eq!(at("containers.web.links"), "service.web");
        assert_eq!(at("network-mode"), "service.web");
        assert_eq!(at("containers.web"), "service.web");
        assert_eq!(at("default-action"), "aws.listener.web.default-action.forward");
    }
}
