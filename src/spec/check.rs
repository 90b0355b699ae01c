//! Holds a layer against the form it must have, and makes it canonical on the way: shorthands become
//! tables, `"256"` becomes 256 where a number belongs. Tells everything that is wrong at once.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::diag::{Diagnostic, Span};
use crate::kind::{Field, Shape};

use super::Language;
use super::example;
use super::node::{Entry, Form, Node, Table};
use super::sources::Sources;

/// Walks one layer. What is left out is no error here: another layer may say it.
pub(crate) struct Checker<'a> {
    pub(crate) language: &'a Language,
    pub(crate) root: &'a Shape,
    pub(crate) sources: &'a Sources,
    pub(crate) found: Vec<Diagnostic>,
    /// What cannot be read because a variable has no value, which has been said of the variable.
    pub(crate) unknown: Vec<Span>,
    /// Where the walk is.
    pub(crate) path: Vec<String>,
}

impl<'a> Checker<'a> {
    pub(crate) fn new(language: &'a Language, root: &'a Shape, sources: &'a Sources) -> Self {
        let (found, unknown, path) = (Vec::new(), Vec::new(), Vec::new());
        Self { language, root, sources, found, unknown, path }
    }

    /// The canonical form of a value. A value that is wrong is told of and stays as it is.
    pub(crate) fn value(&mut self, node: Node, shape: &Shape) -> Node {
        if node.mentions_unknown() {
            // A text can be looked at without the variable's value; nothing else can.
            if !matches!(shape, Shape::Text { .. }) {
                self.unknown.push(self.sources.span(node.mark));
            }
            return node;
        }
        if self.is_later(node.mark) {
            return node;
        }
        if self.path.len() == 1 && self.path[0] == crate::address::SURROUNDINGS {
            return self.kinds(node);
        }
        match shape {
            Shape::Any => node,
            Shape::Struct { fields, shorthand, .. } => {
                self.table(node, fields, shorthand.as_deref())
            }
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
                self.wrong_type(&node, &Shape::record(fields.clone()));
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
                    if !self.is_later(entry.key) {
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
        // so are those of what a word can stand for (secrets). Within `aws.<kind>.<name>` keys are
        // AWS's (`FARGATE`), and the kind checks them.
        let within_kind = self.path.len() > 2 && self.path[0] == crate::address::SURROUNDINGS;
        let named = match values {
            _ if within_kind => false,
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
            (Form::Scalar(Json::String(word)), Shape::Choice(words)) if !words.contains(word) => {
                self.illegal_choice(word, words, node.mark);
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
            self.wrong_type(node, &Shape::record(BTreeMap::new()));
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
