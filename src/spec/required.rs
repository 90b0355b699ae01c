//! What a merged document lacks.

use crate::kind::Shape;

use super::check::Checker;
use super::example;
use super::node::{Entry, Form, Mark, Node};

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
