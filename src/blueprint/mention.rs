//! Texts that mention where a service is: `${service.api.url}`. What that is follows from the spec alone, and
//! is put in before AWS is asked anything.

use std::ops::Range;

use serde_json::Value as Json;

use crate::address::Path;

/// The outputs of a service that say where it is.
const OUTPUTS: [&str; 3] = ["url", "host", "port"];

/// `${service.api.url}` in a text.
pub(super) struct Mention<'t> {
    /// Its place in the text.
    pub(super) range: Range<usize>,
    /// The service.
    pub(super) service: &'t str,
    /// What is asked of it: `url`, `host` or `port`.
    pub(super) output: &'t str,
}

/// Every mention of where a service is. `$${` stands for a literal `${`.
pub(super) fn mentions(text: &str) -> Vec<Mention<'_>> {
    let starts = text.match_indices("${").map(|(at, _)| at);
    let starts = starts.filter(|at| !text[..*at].ends_with('$'));
    let read = |at: usize| {
        let end = at + text[at..].find('}')?;
        let words: Vec<&str> = text[at + 2..end].split('.').collect();
        match words.as_slice() {
            ["service", service, output] if OUTPUTS.contains(output) => {
                Some(Mention { range: at..end + 1, service, output })
            }
            _ => None,
        }
    };
    starts.filter_map(read).collect()
}

/// Visits every text in a document.
pub(super) fn walk<'d>(value: &'d Json, visit: &mut impl FnMut(&'d str)) {
    match value {
        Json::String(text) => visit(text),
        Json::Array(items) => items.iter().for_each(|item| walk(item, visit)),
        Json::Object(fields) => fields.values().for_each(|value| walk(value, visit)),
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

/// Changes texts in a document, with the way to each.
pub(super) fn rewrite(
    value: &mut Json,
    way: &mut Path,
    change: &mut impl FnMut(&str, &Path) -> Option<String>,
) {
    match value {
        Json::String(text) => {
            if let Some(new) = change(text, way) {
                *text = new;
            }
        }
        Json::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                way.0.push(index.to_string());
                rewrite(item, way, change);
                way.0.pop();
            }
        }
        Json::Object(fields) => {
            for (field, value) in fields {
                way.0.push(field.clone());
                rewrite(value, way, change);
                way.0.pop();
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mentions_are_found_and_escapes_are_not() {
        let found = |text: &str| -> Vec<String> {
            let line = |it: Mention<'_>| format!("{} {} {:?}", it.service, it.output, it.range);
            mentions(text).into_iter().map(line).collect()
        };
        assert_eq!(found("x ${service.api.url}/v1"), ["api url 2..20"]);
        assert_eq!(found("${service.a.host}:${service.b.port}"), ["a host 0..17", "b port 18..35"]);
        for text in ["$${service.api.url}", "${service.api.arn}", "${service.api.url", "plain"] {
            assert!(found(text).is_empty(), "{text}");
        }
    }
}
