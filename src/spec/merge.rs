//! How trees become one: files of one layer side by side, layers one over the other.

use crate::diag::Diagnostic;

use super::node::{Entry, Form, Node, Table};
use super::sources::Sources;

/// Two files of one layer: their tables flow together; one thing must not be said twice.
pub(crate) fn union(
    one: Node,
    other: Node,
    sources: &Sources,
    found: &mut Vec<Diagnostic>,
) -> Node {
    let mut one = one;
    let Form::Table(other) = other.form else { return one };
    if let Form::Table(table) = &mut one.form {
        unite(table, other, sources, found, &mut Vec::new());
    }
    one
}

fn unite(
    into: &mut Table,
    from: Table,
    sources: &Sources,
    found: &mut Vec<Diagnostic>,
    path: &mut Vec<String>,
) {
    for (key, entry) in from {
        path.push(key.clone());
        match (into.get_mut(&key), entry) {
            (None, entry) => {
                into.insert(key, entry);
            }
            (
                Some(Entry { value: Node { form: Form::Table(into), .. }, .. }),
                Entry { value: Node { form: Form::Table(from), .. }, .. },
            ) => unite(into, from, sources, found, path),
            (Some(first), again) => {
                let file = &sources.all[first.key.source].name;
                found.push(
                    Diagnostic::error("E0102", format!("`{}` is written twice", path.join(".")))
                        .at_span(sources.span(again.key), "again here")
                        .at_span(sources.span(first.key), format!("first in {file}"))
                        .hint(
                            "keep one of them; what differs by environment goes under `[env.NAME]`",
                        ),
                );
            }
        }
        path.pop();
    }
}

/// One layer over another: tables merge at every depth, everything else is replaced.
pub(crate) fn over(base: Node, layer: Node) -> Node {
    if differs(&base, &layer) {
        return layer;
    }
    match (base.form, layer.form) {
        (Form::Table(mut base_table), Form::Table(layer_table)) => {
            for (key, entry) in layer_table {
                let merged = match base_table.remove(&key) {
                    Some(below) => merge_entry(below, entry),
                    None => entry,
                };
                base_table.insert(key, merged);
            }
            // The table stands where it was opened first.
            Node { form: Form::Table(base_table), ..base }
        }
        (_, form) => Node { form, ..layer },
    }
}

/// Whether the two say different variants of one thing: a path here, a command there.
fn differs(base: &Node, layer: &Node) -> bool {
    let says = |node: &Node, key: &&&str| node.get(key).is_some();
    let mut said = layer.variants.iter().filter(|key| says(layer, key)).peekable();
    said.peek().is_some()
        && said.all(|key| !says(base, &key))
        && layer.variants.iter().any(|key| says(base, &key))
}

fn merge_entry(below: Entry, above: Entry) -> Entry {
    let tables = below.value.table().is_some() && above.value.table().is_some();
    let key = if tables { below.key } else { above.key };
    Entry { key, value: over(below.value, above.value) }
}

/// Removes what `unset = ["service.worker"]` names from the layers below. Gives back whether it
/// was there.
pub(crate) fn unset(base: &mut Node, path: &str) -> bool {
    let mut steps: Vec<&str> = path.split('.').collect();
    let Some(last) = steps.pop() else { return false };
    let mut node = base;
    for step in steps {
        let next = node.table_mut().and_then(|table| table.get_mut(step));
        let Some(entry) = next else { return false };
        node = &mut entry.value;
    }
    node.take(last).is_some()
}
