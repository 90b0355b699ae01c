//! What the checker says of things that are wrong.

use std::collections::BTreeMap;

use crate::diag::Diagnostic;
use crate::kind::{Field, Shape};
use crate::nearest::nearest;

use super::check::Checker;
use super::example;
use super::node::{Entry, Form, Layer, Mark, Node};
use super::rules::Later;

impl Checker<'_> {
    pub(super) fn unknown_kind(&mut self, kind: &str, mark: Mark) {
        let title = format!("there is no kind `{kind}`");
        let kinds = self.language.kinds.keys().copied();
        let error = match nearest(kind, kinds.clone()) {
            Some(near) => self.labelled("E0123", title, mark, format!("did you mean `{near}`?")),
            None => {
                let all: Vec<String> = kinds.map(|kind| format!("`{kind}`")).collect();
                self.error("E0123", title, mark).hint(format!("use one of {}", all.join(", ")))
            }
        };
        self.found.push(error);
    }

    pub(super) fn unknown_key(
        &mut self,
        key: &str,
        entry: &Entry,
        fields: &BTreeMap<String, Field>,
    ) {
        let parent = &self.path[..self.path.len() - 1];
        let title = match parent {
            [] => format!("unknown key `{key}`"),
            _ => format!("unknown key `{key}` in {}", example::describe(parent)),
        };
        let own = nearest(key, fields.keys().map(String::as_str));
        let top = entry.value.layer == Layer::Base
            && self.root.fields().is_some_and(|fields| fields.contains_key(key));
        let error = match (own, self.first_header(entry.key)) {
            (_, Some(line)) if top && !parent.is_empty() => self
                .error("E0107", title, entry.key)
                .hint(format!("did you mean to put this above line {line}?")),
            (Some(near), _) => {
                self.labelled("E0107", title, entry.key, format!("did you mean `{near}`?"))
            }
            (None, _) if fields.is_empty() => {
                self.error("E0107", title, entry.key).hint("remove it: there are no keys here")
            }
            (None, _) if fields.len() <= 16 => {
                let all: Vec<String> = fields.keys().map(|key| format!("`{key}`")).collect();
                self.error("E0107", title, entry.key).hint(format!("use one of {}", all.join(", ")))
            }
            (None, _) => self
                .error("E0107", title, entry.key)
                .hint(format!("remove it, or see `{}` for the keys there are", explains(parent))),
        };
        self.found.push(error);
    }

    /// The line of the first `[header]` of the text, if it stands before the mark: keys that belong to
    /// no section must be above it.
    fn first_header(&self, mark: Mark) -> Option<usize> {
        let text = &self.sources.all[mark.source].text;
        let own_line = text[..mark.start].matches('\n').count();
        let header = text.lines().position(|line| line.trim_start().starts_with('['))?;
        (header < own_line).then_some(header + 1)
    }

    pub(super) fn illegal_choice(&mut self, word: &str, words: &[String], mark: Mark) {
        let key = example::key(&self.path);
        let title = format!("`{key}` cannot be `{word}`");
        let label = nearest(word, words.iter().map(String::as_str));
        let label = label.map(|near| format!("did you mean `{near}`?")).unwrap_or_default();
        let all: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
        let error = self.labelled("E0110", title, mark, label);
        self.found.push(error.hint(format!("use one of {}", all.join(", "))));
    }

    pub(super) fn wrong_type(&mut self, node: &Node, shape: &Shape) {
        if self.holds_later(node) {
            return;
        }
        let key = example::key(&self.path);
        let text = &self.sources.all[node.mark.source].text;
        let of_tables = matches!(&node.form, Form::List(items) if !items.is_empty()
            && items.iter().all(|item| item.table().is_some()
                && text[item.mark.range()].starts_with("[[")));
        if of_tables {
            let title = format!("`{key}` is not an array of tables");
            let hint = format!("name each: `[{}.NAME]`", self.path.join("."));
            let error = self.error("E0108", title, node.mark).hint(hint);
            self.found.push(error);
            return;
        }
        let (wanted, got) = (example::wanted(shape), node.kind());
        let title = format!("`{key}` is {wanted}, not {got}");
        let hint = example::of(&self.path, shape, self.language);
        let error = self.error("E0108", title, node.mark).hint(format!("write for example {hint}"));
        self.found.push(error);
    }

    /// Names are `[a-z0-9-]`, because they end up in names of AWS.
    pub(super) fn name(&mut self, name: &str, mark: Mark) {
        if let Err(title) = example::name(name) {
            let error = self.error("E0113", title, mark);
            let hint = "use lower-case letters, digits and dashes, a letter or digit at each end";
            self.found.push(error.hint(hint));
        }
    }

    /// Whether the key is of later work; which is then said.
    pub(super) fn is_later(&mut self, mark: Mark) -> bool {
        // What an entry of a section cannot say yet, the section's defaults cannot either.
        let path: Vec<&str> = match self.path.as_slice() {
            [defaults, section, inner @ ..] if defaults == "defaults" => {
                let inner = inner.iter().map(String::as_str);
                [section.as_str(), "*"].into_iter().chain(inner).collect()
            }
            path => path.iter().map(String::as_str).collect(),
        };
        let fits = |later: &&Later| {
            let steps = later.path.split('.');
            steps.clone().count() == path.len()
                && steps.zip(&path).all(|(want, step)| want == "*" || want == *step)
        };
        let Some(later) = self.language.later.iter().find(fits) else { return false };
        let key = example::inner(&self.path);
        let error = self.error("E0120", format!("`{key}` is not there yet"), mark);
        self.found
            .push(error.hint(format!("leave it out: {} will come in a later version", later.what)));
        true
    }

    /// Whether a table where something plain belongs has a key of later work, which is then said.
    fn holds_later(&mut self, node: &Node) -> bool {
        let mut later = false;
        for (key, entry) in node.table().into_iter().flatten() {
            self.path.push(key.clone());
            later |= self.is_later(entry.key);
            self.path.pop();
        }
        later
    }

    pub(super) fn error(
        &self,
        code: &'static str,
        title: impl Into<String>,
        mark: Mark,
    ) -> Diagnostic {
        self.labelled(code, title, mark, String::new())
    }

    pub(super) fn labelled(
        &self,
        code: &'static str,
        title: impl Into<String>,
        mark: Mark,
        label: String,
    ) -> Diagnostic {
        Diagnostic::error(code, title).at_span(self.sources.span(mark), label)
    }
}

/// The command that tells the keys of a table; those of an overlay are what they lie over.
fn explains(table: &[String]) -> String {
    let table = match table {
        [env, _, over @ ..] if env == "env" => over,
        all => all,
    };
    format!("ecsctl explain {}", table.join(".")).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_of_an_overlay_are_told_where_it_lies() {
        let told =
            |table: &[&str]| explains(&table.iter().map(|&step| step.into()).collect::<Vec<_>>());
        assert_eq!(told(&[]), "ecsctl explain");
        assert_eq!(told(&["service", "web"]), "ecsctl explain service.web");
        assert_eq!(told(&["env", "prod", "service", "web"]), "ecsctl explain service.web");
        assert_eq!(told(&["env", "prod"]), "ecsctl explain");
    }
}
