//! The bytes of a spec that are wrong, and what of a value can be read without them.

use serde_json::Value as Json;

use super::Language;
use super::meta::KEYS;
use super::node::{Entry, Form, Mark, Node, Table};
use super::sources::Sources;
use crate::address::SURROUNDINGS;
use crate::diag::{Diagnostic, Place, Span};
use crate::kind::Shape;

/// The bytes that are wrong.
pub(super) struct Wrong<'a> {
    sources: &'a Sources,
    spans: Vec<&'a Span>,
}

impl<'a> Wrong<'a> {
    /// What the errors point at, and the `unknown` values.
    pub(super) fn of(sources: &'a Sources, errors: &'a [Diagnostic], unknown: &'a [Span]) -> Self {
        let labels = errors.iter().flat_map(|error| &error.labels);
        let told = labels.filter_map(|label| match &label.place {
            Place::Span(span) if span.start < span.end => Some(span),
            Place::Span(_) | Place::Value(_) | Place::Key(_) => None,
        });
        Self { sources, spans: told.chain(unknown).collect() }
    }

    /// Whether the very bytes are wrong.
    pub(super) fn is_at(&self, mark: Mark) -> bool {
        self.spans.contains(&&self.sources.span(mark))
    }

    /// Whether something is wrong in an entry, its key or its value.
    pub(super) fn is_in(&self, entry: &Entry) -> bool {
        self.is_at(entry.key) || self.is_within(&entry.value)
    }

    fn is_within(&self, node: &Node) -> bool {
        match &node.form {
            // A reference in a text has fewer bytes than the text.
            Form::Scalar(_) => {
                let whole = self.sources.span(node.mark);
                self.spans.iter().any(|span| {
                    span.file == whole.file && whole.start <= span.start && span.end <= whole.end
                })
            }
            Form::List(items) => self.is_at(node.mark) || items.iter().any(|it| self.is_within(it)),
            Form::Table(table) => {
                self.is_at(node.mark) || table.values().any(|entry| self.is_in(entry))
            }
        }
    }

    /// The sections of a document without the entries that are wrong, and without what cannot be read
    /// once these are gone.
    pub(super) fn remains(&self, tree: &Node, language: &Language) -> Json {
        let of_kinds = |entry: &Entry| {
            let shape = |kind: &str| language.kinds.get(kind).map(|kind| kind.shape);
            let kinds = entry.value.table().into_iter().flatten();
            let kinds = kinds.filter_map(|(kind, entry)| {
                let named = self.entries(entry.value.table()?, |_| shape(kind));
                Some((kind.clone(), Json::Object(named.collect())))
            });
            Json::Object(kinds.collect())
        };
        let sections = tree.table().into_iter().flatten();
        let sections = sections.filter(|(section, _)| !KEYS.contains(&section.as_str()));
        let remains = sections.filter_map(|(section, entry)| {
            let remains = match section.as_str() {
                SURROUNDINGS => Some(of_kinds(entry)),
                _ => self.entry(entry, &language.root.fields()?.get(section)?.shape),
            };
            Some((section.clone(), remains?))
        });
        Json::Object(remains.collect())
    }

    fn entry(&self, entry: &Entry, shape: &Shape) -> Option<Json> {
        if self.is_at(entry.key) { None } else { self.value(&entry.value, shape) }
    }

    fn value(&self, node: &Node, shape: &Shape) -> Option<Json> {
        if self.is_at(node.mark) {
            return None;
        }
        match (&node.form, shape) {
            (Form::Table(table), Shape::Struct { fields, .. }) => {
                let shape = |key: &str| fields.get(key).map(|field| &field.shape);
                let remains: serde_json::Map<_, _> = self.entries(table, shape).collect();
                let is_whole = |(key, field): (&String, &crate::kind::Field)| {
                    !field.required || remains.contains_key(key)
                };
                fields.iter().all(is_whole).then_some(Json::Object(remains))
            }
            (Form::Table(table), Shape::Map(values)) => {
                Some(Json::Object(self.entries(table, |_| Some(values)).collect()))
            }
            (Form::List(list), Shape::List(items) | Shape::Set(items)) => {
                list.iter().map(|item| self.value(item, items)).collect()
            }
            _ => (!self.is_within(node)).then(|| node.to_json()),
        }
    }

    /// The entries that can be read, each by its shape; a key without one is unknown.
    fn entries<'b>(
        &self,
        table: &'b Table,
        shape: impl Fn(&str) -> Option<&'b Shape>,
    ) -> impl Iterator<Item = (String, Json)> {
        table
            .iter()
            .filter_map(move |(key, entry)| Some((key.clone(), self.entry(entry, shape(key)?)?)))
    }
}
