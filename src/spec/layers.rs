//! The layers of a spec, from the parts that were read to one document.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::diag::Diagnostic;
use crate::kind::Shape;
use crate::nearest::nearest;

use super::Language;
use super::check::Checker;
use super::merge::{over, unset};
use super::meta::ONLY_IN_BASE;
use super::node::{Entry, Form, Layer, Mark, Node, Table};
use super::scope::{Mistake, Scope};
use super::sources::Sources;
use super::text::written_range;

/// The layers that count, lowest first, and the environments that were not chosen: those are checked
/// and then forgotten.
pub(crate) struct Layers {
    pub(crate) chosen: Vec<Node>,
    pub(crate) others: Vec<(String, Node)>,
}

impl Layers {
    /// Takes the spec apart. `overlay` is the environment's own file, `sets` are `--set`s.
    pub(crate) fn new(
        mut base: Node,
        env: &str,
        overlay: Option<Node>,
        sets: Vec<Node>,
        checker: &mut Checker<'_>,
    ) -> Self {
        let mut others = Vec::new();
        let mut chosen = Vec::new();
        for (name, entry) in envs(base.take("env"), checker) {
            let layer = entry.value.in_layer(Layer::Env);
            match name == env {
                true => chosen.push(layer),
                false => others.push((name, layer)),
            }
        }
        chosen.extend(overlay);
        chosen.extend(sets);
        let overlays = chosen.iter_mut().chain(others.iter_mut().map(|(_, layer)| layer));
        overlays.for_each(|layer| only_in_base(layer, checker));
        if let Some(entry) = base.take("unset") {
            let error = Diagnostic::error("E0106", "`unset` removes nothing here");
            let span = checker.sources.span(entry.key);
            let hint = "write `unset` under `[env.NAME]` or in an environment's own file";
            checker.found.push(error.at_span(span, "").hint(hint));
        }
        chosen.insert(0, base);
        Self { chosen, others }
    }

    /// The declarations of variables in the chosen layers, canonical, and the names of the others'.
    pub(crate) fn vars(
        &mut self,
        shape: &Shape,
        checker: &mut Checker<'_>,
    ) -> (Option<Entry>, BTreeSet<String>) {
        let mut merged: Option<Entry> = None;
        for layer in &mut self.chosen {
            let Some(entry) = vars(layer, shape, checker) else { continue };
            merged = Some(match merged {
                Some(below) => Entry { value: over(below.value, entry.value), ..below },
                None => entry,
            });
        }
        let mut elsewhere = BTreeSet::new();
        for (_, layer) in &mut self.others {
            let entry = vars(layer, shape, checker);
            let names = entry.iter().filter_map(|entry| entry.value.table()).flatten();
            elsewhere.extend(names.map(|(name, _)| name.clone()));
        }
        (merged, elsewhere)
    }
}

/// The environments of `[env.*]`.
fn envs(env: Option<Entry>, checker: &mut Checker<'_>) -> Table {
    let Some(env) = env else { return Table::new() };
    checker.path.push("env".to_owned());
    let any = Shape::record(BTreeMap::new());
    let mut all = Table::new();
    for (name, entry) in table_of(env.value, &any, checker) {
        checker.name(&name, entry.key);
        checker.path.push(name.clone());
        let table = table_of(entry.value, &any, checker);
        checker.path.pop();
        let mark = entry.key;
        let value = Node { mark, layer: Layer::Env, variants: &[], form: Form::Table(table) };
        all.insert(name, Entry { key: mark, value });
    }
    checker.path.pop();
    all
}

fn table_of(node: Node, shape: &Shape, checker: &mut Checker<'_>) -> Table {
    match node.form {
        Form::Table(table) => table,
        Form::Scalar(_) | Form::List(_) => {
            checker.wrong_type(&node, shape);
            Table::new()
        }
    }
}

fn only_in_base(layer: &mut Node, checker: &mut Checker<'_>) {
    for key in ONLY_IN_BASE {
        let Some(entry) = layer.take(key) else { continue };
        let title = format!("`{key}` cannot stand in an overlay");
        let error = Diagnostic::error("E0106", title);
        let span = checker.sources.span(entry.key);
        checker.found.push(error.at_span(span, "").hint("write it in the spec itself"));
    }
}

fn vars(layer: &mut Node, shape: &Shape, checker: &mut Checker<'_>) -> Option<Entry> {
    let entry = layer.take("vars")?;
    checker.path.push("vars".to_owned());
    let entry = Entry { value: checker.value(entry.value, shape), ..entry };
    checker.path.pop();
    Some(entry)
}

/// Fills in every text of a layer that mentions something known.
pub(crate) fn fill(
    mut node: Node,
    scope: &Scope<'_>,
    used: &mut BTreeSet<String>,
    checker: &mut Checker<'_>,
) -> Node {
    node.form = match node.form {
        Form::Scalar(Json::String(text)) if text.contains("${") => {
            let filled = scope.fill(&text, used).unwrap_or_else(|mistakes| {
                let told =
                    mistakes.into_iter().map(|one| tell(one, &text, node.mark, checker.sources));
                checker.found.extend(told.collect::<Vec<_>>());
                Json::String(text)
            });
            Form::Scalar(filled)
        }
        Form::List(items) => {
            Form::List(items.into_iter().map(|item| fill(item, scope, used, checker)).collect())
        }
        Form::Table(table) => {
            let entry = |(key, entry): (String, Entry)| {
                (key, Entry { value: fill(entry.value, scope, used, checker), ..entry })
            };
            Form::Table(table.into_iter().map(entry).collect())
        }
        scalar @ Form::Scalar(_) => scalar,
    };
    node
}

/// A mistake in a text, at the bytes it was written with.
fn tell(mistake: Mistake, text: &str, mark: Mark, sources: &Sources) -> Diagnostic {
    let written = &sources.all[mark.source].text[mark.range()];
    let mark = match written_range(written, text, &mistake.range) {
        Some(range) => {
            Mark { start: mark.start + range.start, end: mark.start + range.end, ..mark }
        }
        None => mark,
    };
    let error = Diagnostic::error(mistake.code, mistake.title);
    Diagnostic { hint: mistake.hint, ..error.at_span(sources.span(mark), mistake.label) }
}

/// Merges canonical layers into one document: `[defaults]` below everything, then layer over layer.
pub(crate) fn merge(mut layers: Vec<Node>, language: &Language, checker: &mut Checker<'_>) -> Node {
    let defaults = layers.iter_mut().filter_map(|layer| layer.take("defaults"));
    let defaults = defaults.map(|entry| entry.value).reduce(over);
    let ground = Node::empty(Layer::Base);
    let ground = match defaults {
        Some(defaults) => spread(defaults.in_layer(Layer::Defaults), &layers, language, ground),
        None => ground,
    };
    layers.into_iter().fold(ground, |mut base, mut layer| {
        if let Some(entry) = layer.take("unset") {
            remove(&mut base, &entry, checker);
        }
        over(base, layer)
    })
}

/// Gives every entry of a section what `[defaults]` says of the section.
fn spread(defaults: Node, layers: &[Node], language: &Language, mut ground: Node) -> Node {
    let Form::Table(sections) = defaults.form else { return ground };
    let Form::Table(into) = &mut ground.form else { return ground };
    for (section, default) in sections {
        let written: Vec<&Entry> = layers.iter().filter_map(|layer| layer.get(&section)).collect();
        let Some(first) = written.first() else { continue };
        let value = if language.is_single(&section) {
            default.value
        } else {
            let tables = written.iter().filter_map(|entry| entry.value.table()).flatten();
            let copy = |(name, entry): (&String, &Entry)| {
                (name.clone(), Entry { key: entry.key, value: default.value.clone() })
            };
            Node { form: Form::Table(tables.map(copy).collect()), ..default.value.clone() }
        };
        into.insert(section, Entry { key: first.key, value });
    }
    ground
}

fn remove(base: &mut Node, unsets: &Entry, checker: &mut Checker<'_>) {
    let Form::List(items) = &unsets.value.form else { return };
    for item in items {
        let Some(path) = item.text() else { continue };
        if !unset(base, path) {
            let title = format!("there is no `{path}` to unset");
            let span = checker.sources.span(item.mark);
            let (mut all, error) = (Vec::new(), Diagnostic::error("E0122", title));
            ways(base, "", &mut all);
            checker.found.push(match nearest(path, all.iter().map(String::as_str)) {
                Some(near) => error.at_span(span, format!("did you mean `{near}`?")),
                None => {
                    let hint = format!("leave `{path}` out: no layer below says it");
                    error.at_span(span, "").hint(hint)
                }
            });
        }
    }
}

/// The ways to everything that a table says.
fn ways(node: &Node, before: &str, into: &mut Vec<String>) {
    for (key, entry) in node.table().into_iter().flatten() {
        let way = format!("{before}{key}");
        ways(&entry.value, &format!("{way}."), into);
        into.push(way);
    }
}

/// The sources, with the document that came of them.
pub(crate) fn with_tree(mut sources: Sources, tree: Node, env: &str) -> Sources {
    sources.tree = Some(Box::new(tree));
    env.clone_into(&mut sources.env);
    sources
}
