//! Documents as people compare them: on lines of their own, what is not known yet in words, and a diff
//! of lines with the words that differ marked.

use serde_json::Value as Json;
use similar::{ChangeTag, TextDiff};

use super::edits::is_scalar;
use super::unknowns::Unknowns;
use super::{Look, Tone};
use crate::value::Value;

/// Lines of context around a change.
const CONTEXT: usize = 2;

/// A value that is compared line by line: a document, JSON in text, or text of several lines.
pub(super) fn document(value: &Value, unknowns: &Unknowns<'_>) -> Option<String> {
    let is_nested = |json: &Json| json.is_object() || json.is_array();
    match value {
        Value::Text(text) => match serde_json::from_str::<Json>(text) {
            Ok(json) if is_nested(&json) => Some(pretty(&Value::plain(json), unknowns)),
            _ => text.contains('\n').then(|| text.clone()),
        },
        // JSON in text that mentions outputs: within it they stand where they belong.
        Value::Pending(_) => {
            let Json::String(text) = value.to_source() else { return None };
            let json = serde_json::from_str::<Json>(&text).ok().filter(is_nested)?;
            Some(pretty(&Value::lift(json).ok()?, unknowns))
        }
        Value::Map(_) => Some(pretty(value, unknowns)),
        Value::List(items) if !items.iter().all(is_scalar) => Some(pretty(value, unknowns)),
        _ => None,
    }
}

/// The marks between which a note stands in the text of a document, until it is out of its quotes.
const NOTE: [char; 2] = ['\u{e000}', '\u{e001}'];

/// A document on lines of its own. What is not known yet says after what it will be.
pub(super) fn pretty(value: &Value, unknowns: &Unknowns<'_>) -> String {
    let text = serde_json::to_string_pretty(&noted(value, unknowns));
    let text = text.expect("documents have text keys and finite numbers");
    let [begin, end] = NOTE;
    // A note alone loses both of its quotes; one behind a text closes the text's.
    let text = text.replace(&format!("\"{begin}"), "").replace(begin, "\" ");
    text.replace(&format!("{end}\""), "")
}

fn noted(value: &Value, unknowns: &Unknowns<'_>) -> Json {
    let [begin, end] = NOTE;
    match value {
        Value::Pending(parts) => {
            let note = unknowns.note(value).unwrap_or_default();
            let text = match (parts.as_slice(), value.to_source()) {
                ([_, _, ..], Json::String(text)) => text,
                _ => String::new(),
            };
            Json::String(format!("{text}{begin}{note}{end}"))
        }
        Value::List(items) => items.iter().map(|item| noted(item, unknowns)).collect(),
        Value::Map(entries) => {
            let each = entries.iter().map(|(key, value)| (key.clone(), noted(value, unknowns)));
            Json::Object(each.collect())
        }
        leaf => leaf.to_source(),
    }
}

/// A diff of lines, with the words that differ marked.
pub(super) fn lines(old: &str, new: &str, look: Look) -> Vec<String> {
    let diff = TextDiff::from_lines(old, new);
    let mut shown = Vec::new();
    for (index, group) in diff.grouped_ops(CONTEXT).iter().enumerate() {
        if index > 0 {
            shown.push(look.paint(Tone::Dim, "  …"));
        }
        for change in group.iter().flat_map(|op| diff.iter_inline_changes(op)) {
            let (sign, tone, word) = match change.tag() {
                ChangeTag::Delete => ("- ", Tone::Removed, Tone::RemovedWord),
                ChangeTag::Insert => ("+ ", Tone::Added, Tone::AddedWord),
                ChangeTag::Equal => ("  ", Tone::Dim, Tone::Dim),
            };
            let pieces = change.values().iter().map(|(differs, piece)| {
                look.paint(if *differs { word } else { tone }, piece.trim_end_matches('\n'))
            });
            shown.push(std::iter::once(look.paint(tone, sign)).chain(pieces).collect());
        }
    }
    shown
}
