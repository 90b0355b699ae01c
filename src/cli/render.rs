//! `ecsctl render`: all declarations, as one could have written them by hand.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use clap::{Args, ValueEnum};
use serde_json::Value as Json;

use super::context::Context;
use super::options::Format;
use super::stack::{Stack, load};
use super::{Exit, Failure};
use crate::address::{Address, Path};
use crate::kinds;
use crate::report::Detail;
use crate::spec::{inline, is_deep, key};
use crate::value::Value;

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
    /// The language [default: toml]
    #[arg(long = "as", value_enum)]
    language: Option<Language>,
}

pub(super) fn run(cx: &mut Context, arguments: &Arguments) -> Result<Exit, Failure> {
    cx.refuse_markdown("render")?;
    let stack = load(cx)?;
    let text = match (cx.options.format, arguments.language) {
        (Format::Json, Some(Language::Toml)) => return Err(Failure::two_forms("toml")),
        (Format::Json, _) | (_, Some(Language::Json)) => json(&stack),
        (Format::Human | Format::Markdown, Some(Language::Toml) | None) => {
            let each = stack.desired.specs().map(|(at, spec)| (at, written(&stack, at, spec, cx)));
            let shown = each.map(|(at, spec)| match arguments.explain {
                true => toml(at, &spec, &|way| Some(origin(&stack, at, way))),
                false => toml(at, &spec, &|_| None),
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

/// A declaration as one would write it: without what its kind fills in by itself, unless all is wanted.
fn written(stack: &Stack, address: &Address, spec: &Value, cx: &Context) -> Json {
    let kind = kinds::find(&address.kind).filter(|_| cx.look.detail == Detail::Short);
    let draft = stack.drafts.get(address);
    let is_said = |way: &Path| draft.is_some_and(|draft| draft.says(way));
    kind.map_or_else(|| spec.to_source(), |it| it.shape().telling(spec, &is_said).to_source())
}

/// Says of what stands at a way in a declaration where it comes from; nothing when nobody asks.
type Explain<'a> = &'a dyn Fn(&Path) -> Option<String>;

/// One declaration.
fn toml(address: &Address, spec: &Json, explain: Explain<'_>) -> String {
    let mut text = String::new();
    let header = format!("aws.{}.{}", key(&address.kind), key(&address.name));
    table(&header, spec, &Path::default(), explain, &mut text);
    text
}

/// A table, and those in it under headers of their own, so that a line stays a line.
fn table(header: &str, value: &Json, way: &Path, explain: Explain<'_>, into: &mut String) {
    let (mut simple, mut tables) = (Vec::new(), Vec::new());
    for (name, value) in value.as_object().into_iter().flatten() {
        match is_deep(value) {
            true => tables.push((name, value)),
            false => lines(&key(name), value, &way.join(name), explain, &mut simple),
        }
    }
    if !simple.is_empty() || tables.is_empty() {
        into.push_str(&format!("[{header}]\n"));
    }
    let width = simple.iter().map(|line| line.name.len()).max().unwrap_or(0);
    simple.iter().for_each(|line| line.write(width, into));
    for (name, value) in tables {
        table(&format!("{header}.{}", key(name)), value, &way.join(name), explain, into);
    }
}

/// A line of a declaration.
struct Line {
    name: String,
    value: String,
    origin: Option<String>,
}

impl Line {
    fn write(&self, width: usize, into: &mut String) {
        let Self { name, value, origin } = self;
        let origin = origin.as_ref().map(|origin| format!("  # {origin}")).unwrap_or_default();
        writeln!(into, "{name:width$} = {value}{origin}").expect("writing to a string succeeds");
    }
}

/// The lines for a value: one, unless its parts come from different places.
fn lines(name: &str, value: &Json, way: &Path, explain: Explain<'_>, into: &mut Vec<Line>) {
    let mut origins = BTreeSet::new();
    collect(value, way, explain, &mut origins);
    match value {
        Json::Null => {}
        Json::Object(fields) if origins.len() > 1 => {
            for (field, value) in fields {
                let name = format!("{name}.{}", key(field));
                lines(&name, value, &way.join(field), explain, into);
            }
        }
        value => {
            let origin = origins.pop_first().flatten();
            into.push(Line { name: name.to_owned(), value: inline(value), origin });
        }
    }
}

/// Where the parts of a value come from.
fn collect(value: &Json, way: &Path, explain: Explain<'_>, into: &mut BTreeSet<Option<String>>) {
    match value {
        Json::Null => {}
        Json::Object(fields) if !fields.is_empty() => {
            for (field, value) in fields {
                collect(value, &way.join(field), explain, into);
            }
        }
        _ => drop(into.insert(explain(way))),
    }
}

/// Who set what stands at `way`: file, line and layer, or nobody.
fn origin(stack: &Stack, address: &Address, way: &Path) -> String {
    let Some(draft) = stack.drafts.get(address).filter(|draft| draft.says(way)) else {
        return if is_named(address, way) { named(stack) } else { "default".to_owned() };
    };
    let key = draft.origin(way);
    match stack.sources.origin(key) {
        Some(origin) if *key == draft.section => format!("follows from [{key}], {origin}"),
        Some(origin) => origin.to_string(),
        None if *key == draft.section => "default".to_owned(),
        None => format!("default of {key}"),
    }
}

/// Whether it is a name that nobody gave: it is put together from the stack's and the environment's.
fn is_named(address: &Address, way: &Path) -> bool {
    let has_name = kinds::find(&address.kind).is_some_and(|kind| kind.about().naming.is_some());
    has_name && *way == Path::of(["name"])
}

fn named(stack: &Stack) -> String {
    match stack.sources.origin(&Path::of(["stack"])) {
        Some(origin) => format!("follows from stack, {origin}"),
        None => "follows from stack".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_declaration_reads_back() {
        let spec = json!({
            "name": "a \"b\"", "count": 2, "list": ["x", "${vpc.main.id}"], "none": null,
            "containers": {"web": {"image": "httpd", "env": {"A.B": "1"}}}, "flat": {"k": "v"},
        });
        let text = toml(&Address::new("thing", "web"), &spec, &|_| None);
        assert_snapshot!(text, @r#"
        [aws.thing.web]
        count = 2
        flat  = { k = "v" }
        list  = ["x", "${vpc.main.id}"]
        name  = 'a "b"'
        [aws.thing.web.containers.web]
        env   = { "A.B" = "1" }
        image = "httpd"
        "#);
        let back: Json = toml::from_str::<Json>(&text).unwrap();
        let mut expected = spec;
        expected.as_object_mut().unwrap().remove("none");
        assert_eq!(back["aws"]["thing"]["web"], expected);
    }
}
