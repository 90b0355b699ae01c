//! The way from a request to a spec, or to everything that is wrong with it.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::diag::{Diagnostic, Place};
use crate::kind::{Shape, StackId};
use crate::nearest::nearest;

use super::check::Checker;
use super::example;
use super::files::Files;
use super::layers::{Layers, fill, merge, with_tree};
use super::meta::{KEYS, Meta, VERSION, lifetime};
use super::names::Names;
use super::node::{Entry, Form, Layer, Mark, Node, Table};
use super::parse::parse;
use super::read::{Reader, overlay_name};
use super::required::missing;
use super::scope::Scope;
use super::sources::Sources;
use super::text::variables;
use super::unread::{Unread, spell_variables};
use super::vars::values;
use super::wrong::Wrong;
use super::{Language, Rejected, Request, Rest, Spec};

/// The environment when none is chosen.
const DEFAULT_ENV: &str = "default";

/// Reads a spec, or tells everything that is wrong with it.
pub fn load(request: &Request, language: &Language, files: &dyn Files) -> Result<Spec, Rejected> {
    let texts = read(request, files)?;
    put_together(request, texts, language)
}

/// Reads of a spec only which stack it is, whether it is protected and where its lock lies. Nothing
/// else in it has to be right, and no variable that only other things mention needs a value.
pub fn identify(
    request: &Request,
    language: &Language,
    files: &dyn Files,
) -> Result<Spec, Rejected> {
    let mut texts = read(request, files)?;
    let vars = identity(&mut texts);
    let given = request.vars.iter().filter(|(name, _)| vars.contains(*name));
    let given = given.map(|(name, value)| (name.clone(), value.clone())).collect();
    put_together(&Request { vars: given, ..request.clone() }, texts, language)
}

/// What of a spec says which stack it is.
const IDENTITY: [&str; 7] = ["ecsctl", "stack", "region", "protect", "state", "vars", "env"];

/// Leaves of all texts what says which stack it is, and the variables that this mentions. Gives their
/// names.
fn identity(texts: &mut Texts) -> BTreeSet<String> {
    let Texts { base, overlay, sets, beside: _, sources: _ } = texts;
    let mut tables: Vec<&mut Table> = Vec::new();
    for node in [base].into_iter().chain(overlay).chain(sets) {
        tables.extend(node.table_mut());
    }
    let (mut mentioned, mut vars) = (BTreeSet::new(), BTreeSet::new());
    for table in &mut tables {
        table.retain(|key, _| IDENTITY.contains(&key.as_str()));
        let envs = table.get_mut("env").and_then(|entry| entry.value.table_mut());
        for env in envs.into_iter().flatten().filter_map(|(_, env)| env.value.table_mut()) {
            env.retain(|key, _| IDENTITY.contains(&key.as_str()));
        }
        let told = table.iter().filter(|(key, _)| key.as_str() != "vars");
        told.for_each(|(_, entry)| mention(&entry.value, &mut mentioned));
    }
    for table in tables {
        let Some(all) = table.get_mut("vars").and_then(|entry| entry.value.table_mut()) else {
            continue;
        };
        all.retain(|name, _| mentioned.contains(name));
        vars.extend(all.keys().cloned());
    }
    vars
}

/// Notes the variables that the texts of a value mention.
fn mention(node: &Node, vars: &mut BTreeSet<String>) {
    match &node.form {
        Form::Table(table) => table.values().for_each(|entry| mention(&entry.value, vars)),
        Form::List(items) => items.iter().for_each(|item| mention(item, vars)),
        Form::Scalar(_) => vars.extend(node.text().into_iter().flat_map(variables)),
    }
}

fn put_together(request: &Request, texts: Texts, language: &Language) -> Result<Spec, Rejected> {
    let env = request.env.as_deref().unwrap_or(DEFAULT_ENV);
    let Texts { base, overlay, sets, beside, sources } = texts;
    let shape = language.spec();
    let mut checker = Checker::new(language, &shape, &sources);
    if overlay.is_none() {
        known_env(request, &base, &beside, &mut checker);
    }
    let is_env_known = checker.found.is_empty();
    let stack = base.get("stack").and_then(|entry| entry.value.text()).unwrap_or_default();
    let stack = stack.to_owned();
    let layers = Layers::new(base, env, overlay, sets, &mut checker);
    let (chosen, warnings) = canonical(layers, &stack, request, &shape, &mut checker);
    let tree = merge(chosen, language, &mut checker);
    missing(&tree, &shape, Mark::new(0, 0..0), &mut checker);
    let meta = meta(&tree, request, &mut checker);
    let Checker { found: mut diagnostics, unknown, .. } = checker;
    let (Some(meta), true) = (meta, diagnostics.is_empty()) else {
        let wrong = Wrong::of(&sources, &diagnostics, &unknown);
        let rest =
            is_env_known.then(|| rest(&tree, language, request, &wrong)).flatten().map(Box::new);
        diagnostics.extend(warnings);
        return Err(Rejected { diagnostics, sources: with_tree(sources, tree, env), rest });
    };
    let region = meta.region.or_else(|| request.region.clone()).unwrap_or_default();
    Ok(Spec {
        id: StackId { stack: meta.stack, env: env.to_owned(), region },
        tags: meta.tags,
        ttl: meta.ttl.and_then(|ttl| lifetime(&ttl).ok()),
        protect: meta.protect,
        state: meta.state,
        document: sections(&tree),
        sources: with_tree(sources, tree, env),
        warnings,
    })
}

/// What can be looked at although something is wrong. Without the stack's name nothing has its own,
/// so that nothing can be said of names.
fn rest(tree: &Node, language: &Language, request: &Request, wrong: &Wrong<'_>) -> Option<Rest> {
    let unread = Unread::of(tree, language, wrong)?;
    let said = |key: &str| tree.get(key).map(|entry| &entry.value);
    let stack = said("stack")?.text().filter(|stack| example::name(stack).is_ok())?;
    let region = said("region").and_then(Node::text).or(request.region.as_deref());
    let mut document = sections(tree);
    unread.leave_out(&mut document);
    spell_variables(&mut document);
    let mut remains = wrong.remains(tree, language);
    spell_variables(&mut remains);
    Some(Rest {
        id: StackId {
            stack: stack.to_owned(),
            env: request.env.as_deref().unwrap_or(DEFAULT_ENV).to_owned(),
            region: region.unwrap_or_default().to_owned(),
        },
        expires: said("ttl").is_some(),
        protect: said("protect").is_some_and(|protect| protect.to_json() == Json::Bool(true)),
        document,
        remains,
        unread,
    })
}

/// What was read, before anything is made of it.
struct Texts {
    base: Node,
    overlay: Option<Node>,
    sets: Vec<Node>,
    /// The environments that have a file beside the spec.
    beside: BTreeSet<String>,
    sources: Sources,
}

fn read(request: &Request, files: &dyn Files) -> Result<Texts, Rejected> {
    let env = request.env.as_deref().unwrap_or(DEFAULT_ENV);
    // The name becomes part of a file's name before anything else.
    if let Err(title) = example::name(env) {
        let hint = "use lower-case letters, digits and dashes";
        let diagnostics = vec![Diagnostic::error("E0113", title).hint(hint)];
        return Err(Rejected { diagnostics, sources: Sources::default(), rest: None });
    }
    let mut reader = Reader::new(files);
    let base = reader.spec(&request.file);
    let overlay = reader.overlay(&request.file, env);
    let sets = request.set.iter().filter_map(|set| read_set(&mut reader, set)).collect();
    let beside = reader.overlays(&request.file);
    let Reader { sources, found, .. } = reader;
    match base {
        // A text that is no TOML would only be followed by errors that come of it.
        Some(base) if found.is_empty() => Ok(Texts { base, overlay, sets, beside, sources }),
        _ => Err(Rejected { diagnostics: found, sources, rest: None }),
    }
}

/// `--set key=value`: the value is TOML, and text when it is not.
fn read_set(reader: &mut Reader<'_>, (key, value): &(String, String)) -> Option<Node> {
    let value = match toml::de::DeValue::parse(value) {
        Ok(_) => value.clone(),
        Err(_) => toml::Value::String(value.clone()).to_string(),
    };
    let text = format!("{key} = {value}");
    let source = reader.sources.add(format!("--set {key}"), text);
    let (node, errors) = parse(&reader.sources, source, Layer::Set);
    let Some(error) = errors.into_iter().next() else { return Some(node) };
    let hint = "write for example `--set service.web.count=2`";
    reader.found.push(Diagnostic { hint: Some(hint.to_owned()), ..error });
    None
}

/// Refuses an environment that nothing is said of.
fn known_env(request: &Request, base: &Node, beside: &BTreeSet<String>, checker: &mut Checker<'_>) {
    let Some(env) = request.env.as_deref().filter(|env| *env != DEFAULT_ENV) else { return };
    let written = base.get("env").and_then(|entry| entry.value.table()).into_iter().flatten();
    let mut all: BTreeSet<&str> = written.map(|(name, _)| name.as_str()).collect();
    all.extend(beside.iter().map(String::as_str));
    if all.contains(env) {
        return;
    }
    let error = Diagnostic::error("E0114", format!("there is no environment `{env}`"));
    let file = overlay_name(&request.file, env);
    let hint = match (nearest(env, all.iter().copied()), all.is_empty()) {
        (Some(near), _) => format!("did you mean `-e {near}`?"),
        (None, true) => format!("add `[env.{env}]` to the spec, or a file {file} beside it"),
        (None, false) => {
            let all: Vec<String> = all.iter().map(|env| format!("`{env}`")).collect();
            format!("use one of {}, or add `[env.{env}]`", all.join(", "))
        }
    };
    checker.found.push(error.hint(hint));
}

/// The chosen layers, with variables and names filled in, checked and canonical; and warnings.
fn canonical(
    mut layers: Layers,
    stack: &str,
    request: &Request,
    shape: &Shape,
    checker: &mut Checker<'_>,
) -> (Vec<Node>, Vec<Diagnostic>) {
    let vars_shape = shape.fields().and_then(|fields| fields.get("vars"));
    let vars_shape = vars_shape.map_or(Shape::Any, |field| field.shape.clone());
    let (vars, elsewhere) = layers.vars(&vars_shape, checker);
    let (known, without) = values(vars.as_ref(), request, checker.sources, &mut checker.found);
    let Layers { chosen, others } = layers;
    let others_vars = without.union(&elsewhere).cloned().collect();
    let base_names = chosen.first().cloned();
    let scope = Scope {
        language: checker.language,
        vars: &known,
        unset: &without,
        names: Names::new(&chosen, checker.language),
        stack,
        env: request.env.as_deref().unwrap_or(DEFAULT_ENV),
        git_sha: request.git_sha.as_deref(),
    };
    let mut used = BTreeSet::new();
    let mut ready = Vec::new();
    for layer in chosen {
        let filled = fill(layer, &scope, &mut used, checker);
        ready.push(checker.value(filled, shape));
    }
    for (name, layer) in others {
        let names = Names::new(base_names.iter().chain([&layer]), checker.language);
        let scope = Scope { unset: &others_vars, names, env: &name, ..scope };
        let filled = fill(layer, &scope, &mut used, checker);
        checker.value(filled, shape);
    }
    (ready, unused(vars.as_ref(), &used, checker))
}

/// Warnings about variables that nothing mentions. What is wrong with one has to be mended first.
fn unused(vars: Option<&Entry>, used: &BTreeSet<String>, checker: &Checker<'_>) -> Vec<Diagnostic> {
    let wrong: Vec<&Place> =
        checker.found.iter().flat_map(|one| &one.labels).map(|label| &label.place).collect();
    let is_wrong = |entry: &Entry| {
        let (key, value) =
            (checker.sources.span(entry.key), checker.sources.span(entry.value.mark));
        wrong.iter().any(|place| match place {
            Place::Span(at) => at.file == key.file && at.start >= key.start && at.end <= value.end,
            Place::Value(_) | Place::Key(_) => false,
        })
    };
    let declared = vars.and_then(|entry| entry.value.table()).into_iter().flatten();
    let idle = declared.filter(|(name, entry)| !used.contains(*name) && !is_wrong(entry));
    idle.map(|(name, entry)| {
        Diagnostic::warning("E0125", format!("the variable `{name}` is never used"))
            .at_span(checker.sources.span(entry.key), "")
            .hint(format!("use it as `${{var.{name}}}`, or remove it"))
    })
    .collect()
}

/// The keys that belong to no section. What their forms cannot say is checked here.
fn meta(tree: &Node, request: &Request, checker: &mut Checker<'_>) -> Option<Meta> {
    let keys = KEYS.iter().filter_map(|key| Some((*key, tree.get(key)?.value.to_json())));
    let keys = keys.map(|(key, value)| (key.to_owned(), value)).collect();
    let meta: Option<Meta> = serde_json::from_value(Json::Object(keys)).ok();
    let mut lacks = |key: &str, hint: &str| {
        let error = Diagnostic::error("E0109", format!("the spec lacks `{key}`"));
        let top = checker.sources.span(Mark::new(0, 0..0));
        checker.found.push(error.at_span(top, "").hint(hint));
    };
    if tree.get("ecsctl").is_none() {
        lacks("ecsctl", &format!("begin with `ecsctl = {VERSION}`, the version of the language"));
    }
    if tree.get("region").is_none() && request.region.is_none() {
        lacks("region", "add for example `region = \"eu-west-1\"`, or set AWS_REGION");
    }
    let meta = meta?;
    if let (Some(version), Some(entry)) = (meta.ecsctl, tree.get("ecsctl"))
        && version != VERSION
    {
        let title = format!("version {version} of the language is not known");
        let span = checker.sources.span(entry.shown());
        let hint = format!("write `ecsctl = {VERSION}`, or install the ecsctl that knows it");
        checker.found.push(Diagnostic::error("E0124", title).at_span(span, "").hint(hint));
    }
    let tags = tree.get("tags").and_then(|entry| entry.value.table()).into_iter().flatten();
    for (key, entry) in
        tags.filter(|(key, _)| key.starts_with("aws:") || key.starts_with("ecsctl:"))
    {
        let error = Diagnostic::error("E0113", format!("the tag `{key}` cannot be set"));
        let error = error.at_span(checker.sources.span(entry.key), "");
        checker.found.push(error.hint("use a key that begins with neither `aws:` nor `ecsctl:`"));
    }
    Some(meta)
}

/// The document without the keys that belong to no section.
fn sections(tree: &Node) -> Json {
    let table = tree.table().into_iter().flatten();
    let sections = table.filter(|(key, _)| !KEYS.contains(&key.as_str()));
    Json::Object(sections.map(|(key, entry)| (key.clone(), entry.value.to_json())).collect())
}
