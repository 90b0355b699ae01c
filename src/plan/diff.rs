//! What would change, field by field. Knows forms, but no kind.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::address::Path;
use crate::kind::Shape;
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
/// declared, a map or a set as a whole.
pub(super) fn diff(shape: &Shape, new: &Value, old: &Value) -> Vec<Edit> {
    let mut edits = Vec::new();
    walk(shape, &Path::default(), Some(new), Some(old), &mut edits);
    for edit in &mut edits {
        let field = edit.path.first().and_then(|first| shape.fields()?.get(first));
        edit.replaces = field.is_some_and(|field| field.replaces);
    }
    edits
}

fn walk(
    shape: &Shape,
    path: &Path,
    new: Option<&Value>,
    old: Option<&Value>,
    edits: &mut Vec<Edit>,
) {
    match (shape, new, old) {
        (Shape::Struct { fields, .. }, Some(Value::Map(new)), Some(Value::Map(old))) => {
            // Only what is declared: a field left out is not managed.
            for (key, value) in new.iter().filter(|(_, value)| **value != Value::Null) {
                let shape = fields.get(key).map_or(&Shape::Any, |field| &field.shape);
                walk(shape, &path.join(key), Some(value), old.get(key), edits);
            }
        }
        (Shape::Map(shape), Some(Value::Map(new)), Some(Value::Map(old))) => {
            let keys: BTreeSet<&String> = new.keys().chain(old.keys()).collect();
            for key in keys {
                walk(shape, &path.join(key), new.get(key), old.get(key), edits);
            }
        }
        _ if same(shape, new, old) => {}
        _ => edits.push(Edit {
            path: path.clone(),
            old: old.cloned(),
            new: new.cloned(),
            replaces: false,
        }),
    }
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
            let mut edits = Vec::new();
            walk(shape, &Path::default(), Some(new), Some(old), &mut edits);
            edits.is_empty()
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
        )
            .prop_map(|(name, count, environment, subnets, command)| {
                let mut document = json!({"name": name, "environment": environment,
                    "subnets": subnets, "command": command});
                if let Some(count) = count {
                    document["count"] = json!(count);
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
