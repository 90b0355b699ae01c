//! `ecsctl render`: all declarations, as one could have written them by hand.

use std::fmt::Write as _;

use clap::{Args, ValueEnum};
use serde_json::Value as Json;

use super::context::Context;
use super::options::Format;
use super::stack::{Stack, load};
use super::{Exit, Failure};
use crate::address::Address;
use crate::desired::Declared;
use crate::kind::Shape;
use crate::kinds;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Language {
    // As [aws.KIND.NAME] of a spec.
    Toml,
    // One document.
    Json,
}

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Says of each field where it comes from
    #[arg(long)]
    explain: bool,
    /// The language
    #[arg(long = "as", value_enum, default_value = "toml")]
    language: Language,
}

pub(super) fn run(cx: &mut Context, arguments: &Arguments) -> Result<Exit, Failure> {
    cx.refuse_markdown("render")?;
    let stack = load(cx)?;
    let text = match (cx.options.format, arguments.language) {
        (Format::Json, _) | (_, Language::Json) => json(&stack),
        (Format::Human | Format::Markdown, Language::Toml) => {
            let each = stack.desired.resources.iter();
            let shown = each.map(|(at, declared)| match arguments.explain {
                true => toml(at, declared, |field| Some(origin(&stack, declared, field))),
                false => toml(at, declared, |_| None),
            });
            shown.collect::<Vec<_>>().join("\n")
        }
    };
    cx.print(&text)?;
    Ok(Exit::Done)
}

fn json(stack: &Stack) -> String {
    let each = stack.desired.specs().map(|(at, spec)| (at.to_string(), spec.to_source()));
    let resources: serde_json::Map<String, Json> = each.collect();
    let document = serde_json::json!({
        "format": 1, "stack": stack.desired.stack, "resources": resources,
    });
    format!("{document:#}\n")
}

/// One declaration. Tables of tables get headers of their own, so that a line stays a line.
fn toml(address: &Address, declared: &Declared, origin: impl Fn(&str) -> Option<String>) -> String {
    let mut text = format!("[aws.{}.{}]\n", key(&address.kind), key(&address.name));
    let mut spec = declared.spec.to_source();
    if let Some(kind) = kinds::find(&address.kind) {
        leave_out_nothing(&mut spec, kind.shape());
    }
    let Json::Object(fields) = spec else { return text };
    let (mut simple, mut tables) = (Vec::new(), Vec::new());
    for (name, value) in &fields {
        match value {
            Json::Null => {}
            Json::Object(entries) if !entries.is_empty() && !entries.values().all(is_scalar) => {
                tables.push((name, entries));
            }
            value => simple.push((name, value)),
        }
    }
    let width = simple.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let noted = |line: String, field: &str| match origin(field) {
        Some(origin) => format!("{line}  # {origin}\n"),
        None => format!("{line}\n"),
    };
    for (name, value) in simple {
        text.push_str(&noted(format!("{:width$} = {}", key(name), inline(value)), name));
    }
    for (name, entries) in tables {
        let header = format!("[aws.{}.{}.{}]", key(&address.kind), key(&address.name), key(name));
        text.push_str(&noted(header, name));
        for (entry, value) in entries.iter().filter(|(_, value)| !value.is_null()) {
            writeln!(text, "{} = {}", key(entry), inline(value))
                .expect("writing to a string succeeds");
        }
    }
    text
}

/// Kinds write `false` for what is managed and not there; in a spec that is said by leaving it out.
fn leave_out_nothing(value: &mut Json, shape: &Shape) {
    match (value, shape) {
        (Json::Object(map), Shape::Struct { fields, .. }) => {
            let is_bool = |name: &String| match fields.get(name) {
                Some(field) => matches!(field.shape, Shape::Bool | Shape::Any),
                None => true,
            };
            map.retain(|name, value| *value != Json::Bool(false) || is_bool(name));
            for (name, value) in map {
                if let Some(field) = fields.get(name) {
                    leave_out_nothing(value, &field.shape);
                }
            }
        }
        (Json::Object(map), Shape::Map(shape)) => {
            map.values_mut().for_each(|value| leave_out_nothing(value, shape));
        }
        (Json::Array(items), Shape::List(shape) | Shape::Set(shape)) => {
            items.iter_mut().for_each(|item| leave_out_nothing(item, shape));
        }
        _ => {}
    }
}

fn is_scalar(value: &Json) -> bool {
    !matches!(value, Json::Object(_) | Json::Array(_))
}

fn key(name: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !name.is_empty() && name.chars().all(is_bare) {
        name.to_owned()
    } else {
        toml::Value::String(name.to_owned()).to_string()
    }
}

fn inline(value: &Json) -> String {
    match value {
        // TOML has no null; where a list holds one, an empty text is the nearest.
        Json::Null => "\"\"".to_owned(),
        Json::Bool(bool) => bool.to_string(),
        Json::Number(number) => number.to_string(),
        Json::String(text) => toml::Value::String(text.clone()).to_string(),
        Json::Array(items) => {
            format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", "))
        }
        Json::Object(entries) if entries.is_empty() => "{}".to_owned(),
        Json::Object(entries) => {
            let entries = entries.iter().filter(|(_, value)| !value.is_null());
            let each = entries.map(|(name, value)| format!("{} = {}", key(name), inline(value)));
            format!("{{ {} }}", each.collect::<Vec<_>>().join(", "))
        }
    }
}

/// Who set a field: file, line and layer, or nobody.
fn origin(stack: &Stack, declared: &Declared, field: &str) -> String {
    let set = declared.sources.get(field).and_then(|path| stack.sources.origin(path));
    match (set, declared.sources.get(field)) {
        (Some(origin), _) => origin.to_string(),
        (None, Some(path)) => format!("default of {path}"),
        (None, None) => match stack.sources.origin(&declared.section) {
            Some(origin) => format!("follows from [{}], {origin}", declared.section),
            None => "default".to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use insta::assert_snapshot;
    use serde_json::json;

    use super::*;
    use crate::address::Path;
    use crate::value::Value;

    #[test]
    fn a_declaration_reads_back() {
        let spec = json!({
            "name": "a \"b\"", "count": 2, "list": ["x", "${vpc.main.id}"], "none": null,
            "containers": {"web": {"image": "httpd", "env": {"A.B": "1"}}}, "flat": {"k": "v"},
        });
        let declared = Declared {
            spec: Value::lift(spec.clone()).unwrap(),
            section: Path::of(["service", "web"]),
            sources: BTreeMap::new(),
        };
        let text = toml(&Address::new("thing", "web"), &declared, |_| None);
        assert_snapshot!(text, @r#"
        [aws.thing.web]
        count = 2
        flat  = { k = "v" }
        list  = ["x", "${vpc.main.id}"]
        name  = 'a "b"'
        [aws.thing.web.containers]
        web = { env = { "A.B" = "1" }, image = "httpd" }
        "#);
        let back: Json = toml::from_str::<Json>(&text).unwrap();
        let mut expected = spec;
        expected.as_object_mut().unwrap().remove("none");
        assert_eq!(back["aws"]["thing"]["web"], expected);
    }
}
