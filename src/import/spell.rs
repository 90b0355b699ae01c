//! Compose's `${VARIABLE:-default}` as variables of a spec: each is read from the environment, and is
//! what compose makes it when it is not there.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::legalised;
use super::write::escaped;

/// The variables that texts have mentioned so far, by the names that they have in the spec.
#[derive(Debug, Default)]
pub(super) struct Variables(BTreeMap<String, Variable>);

#[derive(Debug, PartialEq)]
struct Variable {
    name: String,
    default: Option<String>,
}

impl Variables {
    /// A text of a compose file as one of a spec.
    pub(super) fn text(&mut self, text: &str) -> String {
        let mut spelled = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            spelled.push_str(&rest[..at]);
            let behind = &rest[at + 1..];
            let (piece, used) = self.piece(behind);
            spelled.push_str(&piece);
            rest = &behind[used..];
        }
        spelled.push_str(rest);
        spelled
    }

    /// What stands for the text behind a `$`, and how much of it.
    fn piece(&mut self, behind: &str) -> (String, usize) {
        if let Some(rest) = behind.strip_prefix('$') {
            return (if rest.starts_with('{') { "$$".to_owned() } else { "$".to_owned() }, 1);
        }
        if let Some(inner) = behind.strip_prefix('{') {
            if let Some(end) = inner.find('}') {
                let (name, default) = parted(&inner[..end]);
                if is_name(name) {
                    return (self.reference(name, default), end + 2);
                }
            }
            return ("$$".to_owned(), 0);
        }
        let end = behind.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let name = &behind[..end.unwrap_or(behind.len())];
        match is_name(name) {
            true => (self.reference(name, Some("")), name.len()),
            false => ("$".to_owned(), 0),
        }
    }

    fn reference(&mut self, name: &str, default: Option<&str>) -> String {
        let wanted = Variable { name: name.to_owned(), default: default.map(str::to_owned) };
        let base = legalised(name).unwrap_or_else(|| "variable".to_owned());
        let names = std::iter::once(base.clone()).chain((2..).map(|n| format!("{base}-{n}")));
        for own in names {
            match self.0.get(&own) {
                Some(other) if *other != wanted => {}
                _ => {
                    self.0.insert(own.clone(), wanted);
                    return format!("${{var.{own}}}");
                }
            }
        }
        unreachable!("there are always further names")
    }

    /// The section `[vars]`, if any text mentioned one.
    pub(super) fn section(&self) -> Option<Json> {
        let entry = |(own, variable): (&String, &Variable)| {
            let mut entry = json!({ "from-env": variable.name });
            if let Some(default) = &variable.default {
                entry["default"] = json!(escaped(default));
            }
            (own.clone(), entry)
        };
        let entries: Map<String, Json> = self.0.iter().map(entry).collect();
        (!entries.is_empty()).then_some(Json::Object(entries))
    }
}

/// Name and default of what stands between the braces. What must be set has no default.
fn parted(inner: &str) -> (&str, Option<&str>) {
    let Some(at) = inner.find(|c: char| !c.is_ascii_alphanumeric() && c != '_') else {
        return (inner, Some(""));
    };
    let (name, rest) = inner.split_at(at);
    match rest.strip_prefix(':').unwrap_or(rest) {
        required if required.starts_with('?') => (name, None),
        default if default.starts_with('-') => (name, Some(&default[1..])),
        // `${NAME:+instead}` is nothing that a spec could say.
        _ => ("", None),
    }
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_read_from_the_environment() {
        let mut variables = Variables::default();
        let mut text = |text: &str| variables.text(text);
        assert_eq!(text("app:${TAG:-latest}"), "app:${var.tag}");
        assert_eq!(text("$HOST/${TAG:-latest}"), "${var.host}/${var.tag}");
        assert_eq!(text("${TAG:?set it}-${DB_URL}"), "${var.tag-2}-${var.db-url}");
        assert_eq!(text("cost: 5$ $$HOME $${X} ${A:+b}"), "cost: 5$ $HOME $${X} $${A:+b}");
        insta::assert_snapshot!(variables.section().unwrap_or_default(), @r#"{"db-url":{"default":"","from-env":"DB_URL"},"host":{"default":"","from-env":"HOST"},"tag":{"default":"latest","from-env":"TAG"},"tag-2":{"from-env":"TAG"}}"#);
    }
}
