//! Whole stacks: what they come to, what is wrong with them, what holds for all of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value as Json, json};

use super::{Declaration, Document, Options, expand, references, shorthands};
use crate::diag::{Diagnostic, Place};
use crate::kind::Shape;

mod faults;
mod hello_world;
mod laws;
mod scorekeep;
mod stacks;

/// The document of a spec as the loader leaves it: one environment, shorthands as tables, variables
/// filled in, names of sections as names of kinds.
fn load(text: &str, env: Option<&str>) -> Document {
    let mut spec: Map<String, Json> = toml::from_str(text).unwrap();
    let mut envs = spec.remove("env").unwrap_or_default();
    let mut layers: Vec<Json> = Vec::new();
    if let Some(Json::Object(defaults)) = spec.remove("defaults") {
        for name in spec["service"].as_object().unwrap().keys() {
            layers.push(json!({ "service": { name: defaults["service"] } }));
        }
    }
    layers.push(spec.into());
    layers.extend(env.map(|env| envs[env].take()));
    let shape = Shape::of::<Document>();
    let mut document = Json::Null;
    for layer in layers {
        super::declaration::lay(&mut document, &canonical(layer, &shape));
    }
    for key in ["ecsctl", "stack", "region", "vars", "tags", "ttl", "protect"] {
        document.as_object_mut().unwrap().remove(key);
    }
    serde_json::from_value(document).unwrap()
}

fn canonical(value: Json, shape: &Shape) -> Json {
    match (value, shape) {
        (Json::Object(fields), _) => {
            let shape_of = |key: &str| match shape {
                Shape::Struct { fields, .. } => fields.get(key).map_or(&Shape::Any, |f| &f.shape),
                Shape::Map(values) => values,
                _ => &Shape::Any,
            };
            let field = |(key, value): (String, Json)| {
                let value = canonical(value, shape_of(&key));
                (key, value)
            };
            Json::Object(fields.into_iter().map(field).collect())
        }
        (Json::Array(items), _) => items.into_iter().map(|v| canonical(v, &Shape::Any)).collect(),
        (scalar, Shape::Struct { shorthand: Some(name), .. }) => {
            let rule = shorthands().iter().find(|rule| rule.name == name).unwrap();
            (rule.parse)(&scalar).unwrap()
        }
        (Json::String(text), _) => lower(&text).into(),
        (scalar, _) => scalar,
    }
}

fn lower(text: &str) -> String {
    let text = text.replace("${var.tag}", "v1").replace("${var.email}", "ops@example.com");
    references().iter().fold(text, |text, reference| {
        let start = format!("${{{}.", reference.section);
        let mut parts = text.split(start.as_str());
        let mut lowered = parts.next().unwrap().to_owned();
        for part in parts {
            let (name, rest) = part.split_once('}').unwrap();
            write!(lowered, "${{{}.{name}.{}}}{rest}", reference.kind, reference.default).unwrap();
        }
        lowered
    })
}

fn example(path: &str, env: Option<&str>) -> Document {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/");
    load(&fs_err::read_to_string(format!("{root}{path}")).unwrap(), env)
}

const PLAIN: Options = Options { protected: false, expires: false };

fn made(document: &Document) -> Vec<Declaration> {
    expand(document, PLAIN).unwrap()
}

/// The addresses, a line for each kind.
fn addresses(declarations: &[Declaration]) -> String {
    let mut kinds: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for declaration in declarations {
        let address = &declaration.address;
        kinds.entry(&address.kind).or_default().push(&address.name);
    }
    let lines = kinds.iter().map(|(kind, names)| format!("{kind}: {}\n", names.join(" ")));
    let count = declarations.len();
    lines.chain([format!("{count} in all")]).collect()
}

/// One declaration, a line for each leaf, and where fields come from that a key decides.
fn show(declarations: &[Declaration], address: &str) -> String {
    let found = declarations.iter().find(|one| one.address.to_string() == address).unwrap();
    let mut text = String::new();
    leaves("", &found.spec, &mut text);
    for (field, path) in &found.sources {
        writeln!(text, "{field} <- {path}").unwrap();
    }
    text
}

fn leaves(at: &str, value: &Json, into: &mut String) {
    match value {
        Json::Object(fields) if !fields.is_empty() => {
            let dot = if at.is_empty() { "" } else { "." };
            for (key, value) in fields {
                leaves(&format!("{at}{dot}{key}"), value, into);
            }
        }
        leaf => writeln!(into, "{at} = {leaf}").unwrap(),
    }
}

/// The policies of a role.
fn policies(declarations: &[Declaration], role: &str) -> String {
    let shown = show(declarations, &format!("role.{role}"));
    shown.lines().filter(|line| line.starts_with("inline")).collect::<Vec<_>>().join("\n")
}

fn line(fault: &Diagnostic) -> String {
    let places = fault.labels.iter().map(|label| match &label.place {
        Place::Value(path) | Place::Key(path) => path.to_string(),
        Place::Span(_) => "bytes".to_owned(),
    });
    let places = places.collect::<Vec<_>>().join(", ");
    let hint = fault.hint.as_deref().unwrap_or("-");
    format!("{} {} ({places}); {hint}", fault.code, fault.title)
}
