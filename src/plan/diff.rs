//! What would change, field by field. Knows forms, but no kind.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::address::Path;
use crate::kind::{Owned, Shape};
use crate::value::Value;

/// One difference between what is and what is declared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Edit {
    /// The field.
    pub path: Path,
    /// What it is now; `None` if there is nothing.
    pub old: Option<Value>,
    /// What is declared; `None` if it goes. Holds pending text where it is known only later.
    pub new: Option<Value>,
    /// Whether the resource must be replaced for it.
    pub replaces: bool,
}

impl fmt::Display for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |value: &Option<Value>| value.as_ref().map_or("-".into(), Value::to_string);
        write!(f, "{}: {} -> {}", self.path, show(&self.old), show(&self.new))?;
        if self.replaces { f.write_str("  (replaces)") } else { Ok(()) }
    }
}

/// The differences of a declaration from what was observed. A struct is compared as far as it is
/// declared, or whole if it is owned so; a map or a set as a whole.
pub fn diff(shape: &Shape, new: &Value, old: &Value) -> Vec<Edit> {
    let mut walk = Walk { path: Vec::new(), edits: Vec::new() };
    walk.compare(shape, Some(new), Some(old));
    let field = |edit: &Edit| shape.fields()?.get(edit.path.first()?);
    for edit in &mut walk.edits {
        edit.replaces = field(edit).is_some_and(|field| field.replaces);
    }
    let is_new = |edit: &Edit| edit.old.as_ref().is_none_or(|old| *old == Value::Null);
    walk.edits.retain(|edit| !(is_new(edit) && field(edit).is_some_and(|field| field.by_use)));
    walk.edits
}

/// A walk through two documents at once.
struct Walk<'a> {
    path: Vec<&'a str>,
    edits: Vec<Edit>,
}

impl<'a> Walk<'a> {
    fn compare(&mut self, shape: &Shape, new: Option<&'a Value>, old: Option<&'a Value>) {
        match (shape, new, old) {
            // Most of what is looked at is as it should be.
            _ if new == old => {}
            (Shape::Struct { fields, owned, .. }, Some(Value::Map(new)), Some(Value::Map(old))) => {
                let mut keys: BTreeSet<&String> = said(new).collect();
                if *owned == Owned::Whole {
                    keys.extend(said(old));
                }
                for key in keys {
                    let shape = fields.get(key).map_or(&Shape::Any, |field| &field.shape);
                    let new = new.get(key).filter(|value| **value != Value::Null);
                    self.step(key, shape, new, old.get(key));
                }
            }
            (Shape::Map(shape), Some(Value::Map(new)), Some(Value::Map(old))) => {
                let keys: BTreeSet<&String> = new.keys().chain(old.keys()).collect();
                for key in keys {
                    self.step(key, shape, new.get(key), old.get(key));
                }
            }
            _ if same(shape, new, old) => {}
            _ => self.edits.push(Edit {
                path: Path::of(self.path.iter().copied()),
                old: old.cloned(),
                new: new.cloned(),
                replaces: false,
            }),
        }
    }

    fn step(
        &mut self,
        key: &'a str,
        shape: &Shape,
        new: Option<&'a Value>,
        old: Option<&'a Value>,
    ) {
        self.path.push(key);
        self.compare(shape, new, old);
        self.path.pop();
    }
}

/// The fields that say something.
fn said(fields: &BTreeMap<String, Value>) -> impl Iterator<Item = &String> {
    fields.iter().filter(|(_, value)| **value != Value::Null).map(|(key, _)| key)
}

fn same(shape: &Shape, new: Option<&Value>, old: Option<&Value>) -> bool {
    match (shape, new, old) {
        (Shape::Set(items), Some(Value::List(new)), Some(Value::List(old))) => {
            let within = |item: &Value, others: &[Value]| {
                others.iter().any(|other| same(items, Some(item), Some(other)))
            };
            new.len() == old.len() && new.iter().all(|item| within(item, old))
        }
        (Shape::List(items), Some(Value::List(new)), Some(Value::List(old))) => {
            let mut pairs = new.iter().zip(old);
            new.len() == old.len() && pairs.all(|(new, old)| same(items, Some(new), Some(old)))
        }
        (Shape::Struct { .. }, Some(new @ Value::Map(_)), Some(old @ Value::Map(_))) => {
            diff(shape, new, old).is_empty()
        }
        (_, new, old) => new == old,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use schemars::JsonSchema;
    use serde_json::json;

    use super::*;

    /// A document with every form in it.
    #[derive(JsonSchema)]
    #[schemars(rename_all = "kebab-case")]
    #[expect(dead_code, reason = "only its schema is looked at")]
    struct Sample {
        #[schemars(extend("x-replaces" = true))]
        name: String,
        count: Option<u32>,
        environment: std::collections::BTreeMap<String, String>,
        subnets: BTreeSet<String>,
        command: Vec<String>,
        task: Option<Task>,
    }

    /// A table that is owned whole.
    #[derive(JsonSchema)]
    #[schemars(extend("x-whole" = true))]
    #[expect(dead_code, reason = "only its schema is looked at")]
    struct Task {
        user: Option<String>,
        containers: std::collections::BTreeMap<String, Container>,
        ports: BTreeSet<Port>,
    }

    /// Not marked, but only ever found in what is.
    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema is looked at")]
    struct Container {
        check: Option<String>,
    }

    #[derive(JsonSchema, PartialEq, Eq, PartialOrd, Ord)]
    struct Port {
        number: u16,
        name: Option<String>,
    }

    fn edits(new: serde_json::Value, old: serde_json::Value) -> Vec<String> {
        let new = Value::lift(new).unwrap();
        diff(&Shape::of::<Sample>(), &new, &Value::plain(old)).iter().map(Edit::to_string).collect()
    }

    #[test]
    fn a_field_left_out_is_not_managed_and_a_map_is_owned_whole() {
        let old = json!({"name": "a", "count": 7, "environment": {"A": "1", "B": "2"}});
        let new = json!({"name": "a", "environment": {"A": "1", "C": "3"}});
        assert_eq!(edits(new, old), [r#"environment.B: "2" -> -"#, r#"environment.C: - -> "3""#]);
    }

    #[test]
    fn a_field_left_out_of_what_is_owned_whole_goes() {
        let old =
            json!({"task": {"user": "root", "containers": {"a": {"check": "true"}, "b": {}}}});
        let new = json!({"task": {"containers": {"a": {}, "b": {}}}});
        assert_eq!(
            edits(new, old.clone()),
            [r#"task.containers.a.check: "true" -> -"#, r#"task.user: "root" -> -"#]
        );
        let null = json!({"task": {"user": null, "containers": {"a": {"check": "true"}, "b": {}}}});
        assert_eq!(edits(null.clone(), old.clone()), [r#"task.user: "root" -> -"#]);
        assert_eq!(edits(old, null), [r#"task.user: null -> "root""#]);
        assert_eq!(edits(json!({}), json!({"task": {"user": "root"}})), [""; 0]);
    }

    #[test]
    fn what_is_owned_whole_is_so_within_sets() {
        let named = json!({"task": {"ports": [{"number": 2}, {"number": 1, "name": "http"}]}});
        let plain = json!({"task": {"ports": [{"number": 1}, {"number": 2}]}});
        assert_eq!(edits(plain.clone(), named.clone()).len(), 1);
        assert_eq!(edits(named, plain.clone()).len(), 1);
        let turned = json!({"task": {"ports": [{"number": 2}, {"number": 1}]}});
        assert_eq!(edits(plain, turned), [""; 0]);
    }

    /// B1: an order that AWS chooses is no difference.
    #[test]
    fn the_order_of_a_set_does_not_count_and_that_of_a_list_does() {
        let old = json!({"subnets": ["s-1", "s-2"], "command": ["a", "b"]});
        assert_eq!(edits(json!({"subnets": ["s-2", "s-1"]}), old.clone()), [""; 0]);
        assert_eq!(
            edits(json!({"command": ["b", "a"]}), old),
            [r#"command: ["a","b"] -> ["b","a"]"#]
        );
    }

    #[test]
    fn a_change_that_replaces_says_so_and_unknown_text_differs() {
        let old = json!({"name": "a"});
        assert_eq!(
            edits(json!({"name": "${vpc.main.id}"}), old),
            [r#"name: "a" -> "${vpc.main.id}"  (replaces)"#]
        );
    }

    fn any_document() -> impl Strategy<Value = serde_json::Value> {
        let text = "[a-c]{1,2}";
        (
            text,
            prop::option::of(0..3u32),
            prop::collection::btree_map(text, text, 0..3),
            prop::collection::btree_set(text, 0..3),
            prop::collection::vec(text, 0..3),
            prop::option::of(prop::option::of(text)),
        )
            .prop_map(|(name, count, environment, subnets, command, task)| {
                let mut document = json!({"name": name, "environment": environment,
                    "subnets": subnets, "command": command});
                if let Some(count) = count {
                    document["count"] = json!(count);
                }
                if let Some(user) = task {
                    document["task"] = user.map_or(json!({}), |user| json!({"user": user}));
                }
                document
            })
    }

    proptest! {
        #[test]
        fn a_document_does_not_differ_from_itself(document in any_document()) {
            prop_assert!(edits(document.clone(), document).is_empty());
        }

        /// Putting the new values of all edits into the old document gives the new one.
        #[test]
        fn edits_lead_from_old_to_new(old in any_document(), new in any_document()) {
            let found = diff(
                &Shape::of::<Sample>(),
                &Value::plain(new.clone()),
                &Value::plain(old.clone()),
            );
            let mut patched = old;
            for edit in found {
                let mut at = &mut patched;
                let (last, way) = edit.path.0.split_last().unwrap();
                for step in way {
                    at = &mut at[step];
                }
                match edit.new {
                    Some(value) => at[last] = value.to_source(),
                    None => { at.as_object_mut().unwrap().remove(last); }
                }
            }
            let again = diff(&Shape::of::<Sample>(), &Value::plain(new), &Value::plain(patched));
            prop_assert!(again.is_empty(), "{again:?}");
        }
    }
}
