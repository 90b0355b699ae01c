//! Holds a layer against the form it must have, and makes it canonical on the way: shorthands become
//! tables, `"256"` becomes 256 where a number belongs. Tells everything that is wrong at once.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::diag::Diagnostic;
use crate::kind::{Field, Shape};

use super::Language;
use super::example;
use super::node::{Entry, Form, Layer, Mark, Node, Table};
use super::rules::Later;
use super::sources::Sources;
use crate::nearest::nearest;

/// Walks one layer. What is left out is no error here: another layer may say it.
pub(crate) struct Checker<'a> {
    pub(crate) language: &'a Language,
    pub(crate) root: &'a Shape,
    pub(crate) sources: &'a Sources,
    pub(crate) found: Vec<Diagnostic>,
    /// Where the walk is.
    pub(crate) path: Vec<String>,
}

impl<'a> Checker<'a> {
    pub(crate) fn new(language: &'a Language, root: &'a Shape, sources: &'a Sources) -> Self {
        Self { language, root, sources, found: Vec::new(), path: Vec::new() }
    }

    /// The canonical form of a value. A value that is wrong is told of and stays as it is.
    pub(crate) fn value(&mut self, node: Node, shape: &Shape) -> Node {
        if self.is_later(node.mark, Some(&node)) {
            return node;
        }
        if self.path.len() == 1 && self.path[0] == crate::address::SURROUNDINGS {
            return self.kinds(node);
        }
        match shape {
            Shape::Any => node,
            Shape::Struct { fields, shorthand } => self.table(node, fields, shorthand.as_deref()),
            Shape::Map(values) => self.map(node, values),
            Shape::List(items) | Shape::Set(items) => self.list(node, shape, items),
            Shape::Bool
            | Shape::Integer { .. }
            | Shape::Number
            | Shape::Text { .. }
            | Shape::Choice(_) => self.scalar(node, shape),
        }
    }

    fn table(&mut self, node: Node, fields: &BTreeMap<String, Field>, short: Option<&str>) -> Node {
        let (mark, layer, variants) = (node.mark, node.layer, self.language.variants(short));
        let table = match (node.form, short) {
            (Form::Table(table), _) => table,
            (form, Some(short)) => {
                let node = Node { form, ..node };
                return match self.expand(&node, short) {
                    // What a shorthand stands for is held against the form like everything else.
                    Some(Node { form: Form::Table(table), .. }) => {
                        let form = Form::Table(self.fields(table, fields));
                        Node { mark, layer, variants, form }
                    }
                    Some(_) | None => node,
                };
            }
            (form, None) => {
                let node = Node { form, ..node };
                let shape = Shape::Struct { fields: fields.clone(), shorthand: None };
                self.wrong_type(&node, &shape);
                return node;
            }
        };
        Node { mark, layer, variants, form: Form::Table(self.fields(table, fields)) }
    }

    fn fields(&mut self, table: Table, fields: &BTreeMap<String, Field>) -> Table {
        let check = |(key, entry): (String, Entry)| {
            self.path.push(key.clone());
            let entry = match fields.get(&key) {
                Some(field) => Entry { value: self.value(entry.value, &field.shape), ..entry },
                None => {
                    if !self.is_later(entry.key, None) {
                        self.unknown_key(&key, &entry, fields);
                    }
                    entry
                }
            };
            self.path.pop();
            (key, entry)
        };
        table.into_iter().map(check).collect()
    }

    fn map(&mut self, node: Node, values: &Shape) -> Node {
        let (mark, layer) = (node.mark, node.layer);
        let Form::Table(table) = node.form else {
            self.wrong_type(&node, &Shape::Map(Box::new(values.clone())));
            return node;
        };
        // Keys of things are names; keys of plain values (environment variables, tags) are free, and
        // so are those of what a word can stand for (secrets).
        let named = match values {
            Shape::Struct { shorthand, .. } => shorthand.is_none() || self.path.len() == 1,
            _ => false,
        };
        let check = |(key, entry): (String, Entry)| {
            if named {
                self.name(&key, entry.key);
            }
            self.path.push(key.clone());
            let entry = Entry { value: self.value(entry.value, values), ..entry };
            self.path.pop();
            (key, entry)
        };
        let form = Form::Table(table.into_iter().map(check).collect());
        Node { mark, layer, variants: &[], form }
    }

    fn list(&mut self, node: Node, shape: &Shape, items: &Shape) -> Node {
        let (mark, layer) = (node.mark, node.layer);
        let Form::List(list) = node.form else {
            self.wrong_type(&node, shape);
            return node;
        };
        let check = |(index, item): (usize, Node)| {
            self.path.push(index.to_string());
            let item = self.value(item, items);
            self.path.pop();
            item
        };
        Node {
            mark,
            layer,
            variants: &[],
            form: Form::List(list.into_iter().enumerate().map(check).collect()),
        }
    }

    fn scalar(&mut self, node: Node, shape: &Shape) -> Node {
        let Form::Scalar(json) = &node.form else {
            self.wrong_type(&node, shape);
            return node;
        };
        // A variable of an environment that is not the chosen one: its value is not known here.
        if json.as_str().is_some_and(|text| text.starts_with("${var.")) {
            return node;
        }
        let Some(canonical) = canonical(json, shape) else {
            self.wrong_type(&node, shape);
            return node;
        };
        let node = Node { form: Form::Scalar(canonical), ..node };
        self.bounds(&node, shape);
        node
    }

    /// What is wrong with a scalar of the right type.
    fn bounds(&mut self, node: &Node, shape: &Shape) {
        match (&node.form, shape) {
            (Form::Scalar(Json::Number(number)), Shape::Integer { min, max }) => {
                let number = number.as_i64().unwrap_or(0);
                if min.is_some_and(|min| number < min) || max.is_some_and(|max| number > max) {
                    let error = self.error("E0112", format!("{number} is out of range"), node.mark);
                    let hint = match (min, max) {
                        (Some(min), Some(max)) => format!("write a number from {min} to {max}"),
                        (Some(min), None) => format!("write {min} or more"),
                        (_, Some(max)) => format!("write {max} or less"),
                        (None, None) => return,
                    };
                    self.found.push(error.hint(hint));
                }
            }
            (Form::Scalar(Json::String(word)), Shape::Choice(words)) => {
                if !words.contains(word) {
                    self.illegal_choice(word, words, node.mark);
                }
            }
            (Form::Scalar(Json::String(text)), Shape::Text { format: Some(format) }) => {
                let Some(format) = self.language.format(format) else { return };
                // What mentions an output is judged when the output is known.
                if text.contains("${") {
                    return;
                }
                if let Err(title) = (format.check)(text) {
                    let error = self.error("E0111", title, node.mark);
                    self.found.push(error.hint(format!("write for example {}", format.example)));
                }
            }
            _ => {}
        }
    }

    fn expand(&mut self, node: &Node, shorthand: &str) -> Option<Node> {
        let Some(rule) = self.language.shorthand(shorthand) else {
            self.wrong_type(node, &Shape::Struct { fields: BTreeMap::new(), shorthand: None });
            return None;
        };
        match (rule.parse)(&node.to_json()) {
            Ok(json) => Some(Node::expanded(json, node.mark, node.layer)),
            Err(label) => {
                let title = format!("`{}` cannot be {}", example::key(&self.path), node.to_json());
                let error = self.labelled("E0111", title, node.mark, label);
                self.found.push(error.hint(format!("write for example {}", rule.example)));
                None
            }
        }
    }

    /// `[aws.<kind>.<name>]`: each kind has a form of its own.
    fn kinds(&mut self, node: Node) -> Node {
        let (mark, layer) = (node.mark, node.layer);
        let Form::Table(table) = node.form else {
            self.wrong_type(&node, &Shape::Map(Box::new(Shape::Any)));
            return node;
        };
        let check = |(kind, entry): (String, Entry)| {
            let known = self.language.kinds.get(kind.as_str()).map(|kind| kind.shape);
            let Some(shape) = known else {
                self.unknown_kind(&kind, entry.key);
                return (kind, entry);
            };
            self.path.push(kind.clone());
            let entry = Entry { value: self.map(entry.value, shape), ..entry };
            self.path.pop();
            (kind, entry)
        };
        let form = Form::Table(table.into_iter().map(check).collect());
        Node { mark, layer, variants: &[], form }
    }

    fn unknown_kind(&mut self, kind: &str, mark: Mark) {
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

    fn unknown_key(&mut self, key: &str, entry: &Entry, fields: &BTreeMap<String, Field>) {
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
            (None, _) if fields.len() <= 16 => {
                let all: Vec<String> = fields.keys().map(|key| format!("`{key}`")).collect();
                self.error("E0107", title, entry.key).hint(format!("use one of {}", all.join(", ")))
            }
            (None, _) => self
                .error("E0107", title, entry.key)
                .hint("remove it, or see `ecsctl schema` for the keys there are"),
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

    fn illegal_choice(&mut self, word: &str, words: &[String], mark: Mark) {
        let key = example::key(&self.path);
        let title = format!("`{key}` cannot be `{word}`");
        let label = nearest(word, words.iter().map(String::as_str));
        let label = label.map(|near| format!("did you mean `{near}`?")).unwrap_or_default();
        let all: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
        let error = self.labelled("E0110", title, mark, label);
        self.found.push(error.hint(format!("use one of {}", all.join(", "))));
    }

    pub(crate) fn wrong_type(&mut self, node: &Node, shape: &Shape) {
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
    pub(crate) fn name(&mut self, name: &str, mark: Mark) {
        if let Err(title) = example::name(name) {
            let error = self.error("E0113", title, mark);
            let hint = "use lower-case letters, digits and dashes, a letter or digit at each end";
            self.found.push(error.hint(hint));
        }
    }

    /// Whether the key, or its value at hand, is of later work; which is then said.
    fn is_later(&mut self, mark: Mark, value: Option<&Node>) -> bool {
        let word = value.and_then(Node::text);
        let fits = |later: &&Later| {
            let steps = later.path.split('.');
            steps.clone().count() == self.path.len()
                && steps.zip(&self.path).all(|(want, step)| want == "*" || want == step)
                && (later.value.is_none() || later.value == word)
        };
        let Some(later) = self.language.later.iter().find(fits) else { return false };
        let key = example::inner(&self.path);
        let title = match later.value {
            Some(word) => format!("`{key} = \"{word}\"` is not there yet"),
            None => format!("`{key}` is not there yet"),
        };
        let error = self.error("E0120", title, mark);
        self.found
            .push(error.hint(format!("leave it out: {} will come in a later version", later.what)));
        true
    }

    /// Whether a table where something plain belongs has a key of later work, which is then said.
    fn holds_later(&mut self, node: &Node) -> bool {
        let mut later = false;
        for (key, entry) in node.table().into_iter().flatten() {
            self.path.push(key.clone());
            later |= self.is_later(entry.key, Some(&entry.value));
            self.path.pop();
        }
        later
    }

    fn error(&self, code: &'static str, title: impl Into<String>, mark: Mark) -> Diagnostic {
        self.labelled(code, title, mark, String::new())
    }

    fn labelled(
        &self,
        code: &'static str,
        title: impl Into<String>,
        mark: Mark,
        label: String,
    ) -> Diagnostic {
        Diagnostic::error(code, title).at_span(self.sources.span(mark), label)
    }
}

/// The scalar as the form wants it; `None` when it is of another type.
fn canonical(json: &Json, shape: &Shape) -> Option<Json> {
    match (shape, json) {
        (Shape::Bool, Json::Bool(_))
        | (Shape::Number, Json::Number(_))
        | (Shape::Text { .. } | Shape::Choice(_), Json::String(_)) => Some(json.clone()),
        (Shape::Bool, Json::String(text)) => text.parse::<bool>().ok().map(Json::from),
        (Shape::Integer { .. }, Json::Number(number)) => number.as_i64().map(Json::from),
        (Shape::Integer { .. }, Json::String(text)) => text.parse::<i64>().ok().map(Json::from),
        (Shape::Number, Json::String(text)) => {
            let number = text.parse().ok().and_then(serde_json::Number::from_f64)?;
            Some(Json::Number(number))
        }
        (Shape::Text { .. } | Shape::Choice(_), Json::Number(number)) => {
            // 1.10 as a number is 1.1: only whole numbers say as text what was written.
            number.as_i64().map(|number| Json::from(number.to_string()))
        }
        _ => None,
    }
}

/// Tells what the whole document lacks: required keys that no layer gives.
pub(crate) fn missing(node: &Node, shape: &Shape, at: Mark, checker: &mut Checker<'_>) {
    match (shape, &node.form) {
        (Shape::Struct { fields, .. }, Form::Table(table)) => {
            for (key, field) in fields {
                match table.get(key) {
                    None if field.required => {
                        let whole = example::describe(&checker.path);
                        let mut path = checker.path.clone();
                        path.push(key.clone());
                        let hint = example::of(&path, &field.shape, checker.language);
                        let title = format!("{whole} lacks `{key}`");
                        let error = checker.error("E0109", title, at);
                        checker.found.push(error.hint(format!("add for example {hint}")));
                    }
                    None => {}
                    Some(entry) => within(entry, key, &field.shape, checker),
                }
            }
        }
        (Shape::Map(values), Form::Table(table)) => {
            table.iter().for_each(|(key, entry)| within(entry, key, values, checker));
        }
        (Shape::List(items) | Shape::Set(items), Form::List(list)) => {
            for (index, item) in list.iter().enumerate() {
                checker.path.push(index.to_string());
                missing(item, items, item.mark, checker);
                checker.path.pop();
            }
        }
        _ => {}
    }
}

fn within(entry: &Entry, key: &str, shape: &Shape, checker: &mut Checker<'_>) {
    checker.path.push(key.to_owned());
    missing(&entry.value, shape, entry.key, checker);
    checker.path.pop();
}
