//! TOML text to a [`Node`], and TOML's own errors in our words.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use crate::diag::Diagnostic;

use super::node::{Layer, Mark, Node};
use super::sources::Sources;

/// Most errors of one text that are told: what comes after is mostly a consequence.
const MOST_ERRORS: usize = 20;

/// Reads the text with the index `source`. Gives what could be read even when something is wrong.
pub(crate) fn parse(sources: &Sources, source: usize, layer: Layer) -> (Node, Vec<Diagnostic>) {
    let text = &sources.all[source].text;
    let (table, errors) = DeTable::parse_recoverable(text);
    let (node, too_deep) = Node::read(&table, source, layer);
    let deep = too_deep.map(|mark| syntax("recursion limit").at_span(sources.span(mark), ""));
    let mut found: Vec<Diagnostic> = deep.into_iter().collect();
    let mut last_line = usize::MAX;
    for error in errors.iter().take(MOST_ERRORS) {
        let range = within(text, error.span().unwrap_or(0..0));
        let line = line_start(text, range.start);
        if line != last_line {
            found.push(explain(sources, source, error.message(), range));
        }
        last_line = line;
    }
    (node, found)
}

fn explain(sources: &Sources, source: usize, message: &str, range: Range<usize>) -> Diagnostic {
    let text = sources.all[source].text.as_str();
    let clash = ["duplicate key", "cannot extend value of type"];
    let path = clash
        .iter()
        .any(|start| message.starts_with(start))
        .then(|| key_path(text, range.start))
        .flatten();
    let first = path.as_deref().and_then(|path| first_definition(text, path, range.start));
    let span = |range| sources.span(Mark::new(source, range));
    let Some((path, first)) = path.zip(first) else {
        return syntax(message).at_span(span(range), "");
    };
    let at = text[..first.range.start].matches('\n').count() + 1;
    let name = path.join(".");
    if first.inline {
        return Diagnostic::error("E0103", format!("`{name}` is closed: it is written inline"))
            .at_span(span(range), "opened again here")
            .at_span(span(first.range), format!("written inline on line {at}"))
            .hint("write all of it in one place, inline or under a header");
    }
    Diagnostic::error("E0102", format!("`{name}` is written twice"))
        .at_span(span(range), "again here")
        .at_span(span(first.range), "first here")
        .hint("keep one of them")
}

/// The parser's message as a fragment of ours, with a hint for what people stumble over.
fn syntax(message: &str) -> Diagnostic {
    let (what, hint) = match message {
        text if text.starts_with("string values must be quoted") => {
            ("text must be in quotes".to_owned(), Some("write it in double quotes"))
        }
        text if text.starts_with("recursion limit") => {
            ("the tables are too deep".to_owned(), Some("nest them less"))
        }
        text => (text.trim_end_matches('.').replace('\n', " "), None),
    };
    Diagnostic::error("E0101", format!("this is not TOML: {what}"))
        .hint(hint.unwrap_or("mend it here or just before; `ecsctl explain E0101` has the rules"))
}

struct First {
    range: Range<usize>,
    inline: bool,
}

/// Where the key was written first: found in the text before the line that repeats it.
fn first_definition(text: &str, path: &[String], repeated: usize) -> Option<First> {
    let before = &text[..line_start(text, repeated)];
    let (table, _) = DeTable::parse_recoverable(before);
    let mut table = table.get_ref();
    for (index, step) in path.iter().enumerate() {
        let (key, value) = table.get_key_value(step.as_str())?;
        let span = key.span();
        let inline = before[value.span()].starts_with(['{', '[']) && !is_header(before, &span);
        match value.get_ref() {
            _ if index + 1 == path.len() => return Some(First { range: span, inline }),
            DeValue::Table(inner) => table = inner,
            _ => return Some(First { range: span, inline }),
        }
    }
    None
}

fn is_header(text: &str, key: &Range<usize>) -> bool {
    text[line_start(text, key.start)..].trim_start().starts_with('[')
}

/// The path of the key that begins or ends at `at`: the header above it, and the steps of its line.
fn key_path(text: &str, at: usize) -> Option<Vec<String>> {
    let start = line_start(text, at);
    let line = text[start..].lines().next()?;
    let trimmed = line.trim_start();
    if let Some(header) = trimmed.strip_prefix('[') {
        let steps = steps(header.trim_start_matches('[').split(']').next()?);
        let inside = start + (line.len() - header.len());
        return Some(take_until(steps, inside, at, text));
    }
    let (key, _) = line.split_once('=')?;
    let header =
        text[..start].lines().rev().map(str::trim_start).find(|line| line.starts_with('['));
    let mut path = match header {
        Some(header) => steps(header.trim_start_matches('[').split(']').next()?),
        None => Vec::new(),
    };
    path.extend(take_until(steps(key), start, at, text));
    Some(path)
}

/// The first of the steps, as many as begin at or before `at` in the text that starts at `start`.
fn take_until(steps: Vec<String>, start: usize, at: usize, text: &str) -> Vec<String> {
    let dots = text[start.min(at)..at].matches('.').count();
    steps.into_iter().take(dots + 1).collect()
}

fn steps(text: &str) -> Vec<String> {
    text.split('.').map(|step| step.trim().trim_matches(['"', '\'']).to_owned()).collect()
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |newline| newline + 1)
}

/// The range, inside the text and on the boundaries of characters.
fn within(text: &str, range: Range<usize>) -> Range<usize> {
    let start = text.floor_char_boundary(range.start);
    start..text.ceil_char_boundary(range.end.max(start))
}
