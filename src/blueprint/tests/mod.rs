//! Whole stacks: what they come to, what is wrong with them, what holds for all of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::Value as Json;

use super::{Declaration, Document, Options, expand, language, read};
use crate::diag::{Diagnostic, Place};
use crate::spec::{self, Request, Unread};

mod connect;
mod discover;
mod faults;
mod hello_world;
mod laws;
mod managed;
mod metrics;
mod routes;
mod scorekeep;
mod stacks;
mod volumes;

/// A spec in a file `ecsctl.toml`, read in an environment.
fn load(text: &str, env: Option<&str>) -> (Document, Options) {
    let file = PathBuf::from("ecsctl.toml");
    load_all(&BTreeMap::from([(file, text.to_owned())]), env)
}

/// The same with the files that it includes.
fn load_all(files: &BTreeMap<PathBuf, String>, env: Option<&str>) -> (Document, Options) {
    let file = PathBuf::from("ecsctl.toml");
    let text = &files[&file];
    let request = Request {
        file,
        env: env.map(str::to_owned),
        vars: text
            .contains("${var.tag}")
            .then(|| ("tag".into(), "v1".into()))
            .into_iter()
            .collect(),
        region: Some("eu-west-1".to_owned()),
        ..Request::default()
    };
    let spec = spec::load(&request, &language(), files);
    let spec = spec.unwrap_or_else(|rejected| panic!("{:#?}", rejected.diagnostics));
    let (document, faults) = read(spec.document.clone(), &mut Unread::default());
    assert!(faults.is_empty(), "{faults:#?}");
    (document, Options::of(&spec))
}

fn example(path: &str, env: Option<&str>) -> (Document, Options) {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/");
    let path = PathBuf::from(format!("{root}{path}"));
    let mut files =
        BTreeMap::from([("ecsctl.toml".into(), fs_err::read_to_string(&path).unwrap())]);
    if let Ok(tasks) = fs_err::read_to_string(path.with_file_name("tasks.toml")) {
        files.insert("tasks.toml".into(), tasks);
    }
    load_all(&files, env)
}

fn made((document, options): &(Document, Options)) -> Vec<Declaration> {
    let expansion = expand(document, *options, &Unread::default());
    assert!(expansion.faults.is_empty(), "{:#?}", expansion.faults);
    expansion.declarations
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
    for (field, path) in found.origins.iter().filter(|(field, _)| found.says(field)) {
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
