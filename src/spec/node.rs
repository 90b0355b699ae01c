//! The tree a spec is while it is being put together: TOML whose every key and value knows the bytes
//! it was written with and the layer it belongs to.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::Value as Json;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

/// Which layer a value came from; later ones win.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// `[defaults.<section>]`.
    Defaults,
    /// The spec and what it includes.
    Base,
    /// `[env.<name>]`.
    Env,
    /// The file `<spec>.<env>.toml` beside the spec.
    EnvFile,
    /// `--set key=value`.
    Set,
}

/// Bytes of one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The index of the source.
    pub(crate) source: usize,
    /// First byte.
    pub(crate) start: usize,
    /// One past the last byte.
    pub(crate) end: usize,
}

impl Mark {
    pub(crate) fn new(source: usize, range: Range<usize>) -> Self {
        Self { source, start: range.start, end: range.end }
    }

    pub(crate) fn range(self) -> Range<usize> {
        self.start..self.end
    }
}

/// A value, where it is written, and in which layer.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) mark: Mark,
    pub(crate) layer: Layer,
    /// Keys of which the table says only one: see [`super::Language::variants`].
    pub(crate) variants: &'static [&'static str],
    pub(crate) form: Form,
}

/// What a value is.
#[derive(Debug, Clone)]
pub(crate) enum Form {
    /// Text, a number, true or false.
    Scalar(Json),
    /// A list.
    List(Vec<Node>),
    /// A table.
    Table(Table),
}

/// A table by key.
pub(crate) type Table = BTreeMap<String, Entry>;

/// A key and its value.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// Where the key is written.
    pub(crate) key: Mark,
    pub(crate) value: Node,
}

impl Entry {
    /// Where to point when the value is meant: a table that has a header is best shown by its name.
    pub(crate) fn shown(&self) -> Mark {
        match self.value.form {
            Form::Table(_) => self.key,
            Form::Scalar(_) | Form::List(_) => self.value.mark,
        }
    }
}

impl Node {
    /// An empty table that stands nowhere.
    pub(crate) fn empty(layer: Layer) -> Self {
        let mark = Mark { source: 0, start: 0, end: 0 };
        Self { mark, layer, variants: &[], form: Form::Table(Table::new()) }
    }

    /// Reads a document as it was parsed. Numbers that JSON does not have become text. Says where
    /// tables and lists are deeper than anything a spec could mean; what lies there is left out.
    pub(crate) fn read(
        table: &Spanned<DeTable<'_>>,
        source: usize,
        layer: Layer,
    ) -> (Self, Option<Mark>) {
        let mut reading = Reading { source, layer, depth: 0, too_deep: None };
        let mark = Mark::new(source, table.span());
        let form = Form::Table(reading.table(table.get_ref()));
        (Self { mark, layer, variants: &[], form }, reading.too_deep)
    }

    /// A value that a shorthand stands for: all of it is written where the shorthand is.
    pub(crate) fn expanded(json: Json, mark: Mark, layer: Layer) -> Self {
        let form = match json {
            Json::Array(items) => Form::List(
                items.into_iter().map(|item| Self::expanded(item, mark, layer)).collect(),
            ),
            Json::Object(map) => {
                let entry = |(key, value)| {
                    (key, Entry { key: mark, value: Self::expanded(value, mark, layer) })
                };
                Form::Table(map.into_iter().map(entry).collect())
            }
            scalar => Form::Scalar(scalar),
        };
        Self { mark, layer, variants: &[], form }
    }

    /// The table, if it is one.
    pub(crate) fn table(&self) -> Option<&Table> {
        match &self.form {
            Form::Table(table) => Some(table),
            Form::Scalar(_) | Form::List(_) => None,
        }
    }

    /// The table, if it is one.
    pub(crate) fn table_mut(&mut self) -> Option<&mut Table> {
        match &mut self.form {
            Form::Table(table) => Some(table),
            Form::Scalar(_) | Form::List(_) => None,
        }
    }

    /// The text, if it is text.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.form {
            Form::Scalar(Json::String(text)) => Some(text),
            Form::Scalar(_) | Form::List(_) | Form::Table(_) => None,
        }
    }

    /// Whether it is a text that mentions a variable whose value is not known here: of an environment
    /// that is not the chosen one, or one that lacks a value, which has been said.
    pub(crate) fn mentions_unknown(&self) -> bool {
        self.text().is_some_and(mentions_unknown)
    }

    /// The entry of a table.
    pub(crate) fn get(&self, key: &str) -> Option<&Entry> {
        self.table()?.get(key)
    }

    /// Takes an entry out of a table.
    pub(crate) fn take(&mut self, key: &str) -> Option<Entry> {
        self.table_mut()?.remove(key)
    }

    /// Says for the whole tree that it belongs to `layer`.
    #[must_use]
    pub(crate) fn in_layer(mut self, layer: Layer) -> Self {
        self.layer = layer;
        self.form = match self.form {
            Form::List(items) => {
                Form::List(items.into_iter().map(|item| item.in_layer(layer)).collect())
            }
            Form::Table(table) => {
                let entry = |(key, entry): (String, Entry)| {
                    (key, Entry { value: entry.value.in_layer(layer), ..entry })
                };
                Form::Table(table.into_iter().map(entry).collect())
            }
            scalar @ Form::Scalar(_) => scalar,
        };
        self
    }

    /// The plain document.
    pub(crate) fn to_json(&self) -> Json {
        match &self.form {
            Form::Scalar(scalar) => scalar.clone(),
            Form::List(items) => Json::Array(items.iter().map(Self::to_json).collect()),
            Form::Table(table) => Json::Object(
                table.iter().map(|(key, entry)| (key.clone(), entry.value.to_json())).collect(),
            ),
        }
    }

    /// What kind of value it is, for people.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.form {
            Form::Scalar(Json::Bool(_)) => "true or false",
            Form::Scalar(Json::Number(number)) if number.is_f64() => "a number",
            Form::Scalar(Json::Number(_)) => "a whole number",
            Form::Scalar(_) => "text",
            Form::List(_) => "a list",
            Form::Table(_) => "a table",
        }
    }
}

/// Whether a text mentions a variable that was not filled in.
pub(crate) fn mentions_unknown(text: &str) -> bool {
    text.contains("${var.") && !text.contains("$${var.")
}

/// How deep tables and lists may lie in each other. The walks over a tree are recursive.
const DEEPEST: usize = 64;

struct Reading {
    source: usize,
    layer: Layer,
    depth: usize,
    too_deep: Option<Mark>,
}

impl Reading {
    fn table(&mut self, table: &DeTable<'_>) -> Table {
        let mut all = Table::new();
        for (key, value) in table {
            let mark = Mark::new(self.source, key.span());
            if self.depth == DEEPEST {
                self.too_deep = Some(mark);
                break;
            }
            self.depth += 1;
            let entry = Entry { key: mark, value: self.value(value) };
            self.depth -= 1;
            all.insert(key.get_ref().to_string(), entry);
        }
        all
    }

    fn value(&mut self, value: &Spanned<DeValue<'_>>) -> Node {
        let form = match value.get_ref() {
            DeValue::String(text) => Form::Scalar(Json::String(text.to_string())),
            DeValue::Integer(integer) => {
                let read = i64::from_str_radix(integer.as_str(), integer.radix());
                Form::Scalar(read.map_or_else(|_| Json::String(integer.to_string()), Json::from))
            }
            DeValue::Float(float) => {
                let read = float.as_str().parse().ok().and_then(serde_json::Number::from_f64);
                Form::Scalar(read.map_or_else(|| Json::String(float.to_string()), Json::Number))
            }
            DeValue::Boolean(bool) => Form::Scalar(Json::Bool(*bool)),
            DeValue::Datetime(moment) => Form::Scalar(Json::String(moment.to_string())),
            DeValue::Array(items) => Form::List(self.list(items)),
            DeValue::Table(table) => Form::Table(self.table(table)),
        };
        let mark = Mark::new(self.source, value.span());
        Node { mark, layer: self.layer, variants: &[], form }
    }

    fn list(&mut self, items: &DeArray<'_>) -> Vec<Node> {
        let mut all = Vec::new();
        for item in items {
            if self.depth == DEEPEST {
                self.too_deep = Some(Mark::new(self.source, item.span()));
                break;
            }
            self.depth += 1;
            all.push(self.value(item));
            self.depth -= 1;
        }
        all
    }
}
