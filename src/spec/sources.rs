//! The texts a spec was read from, and the way back from a field to the bytes it was written with.

use std::fmt;
use std::ops::Range;

use crate::address::Path;
use crate::diag::{Place, Span};

use super::node::{Entry, Form, Layer, Mark, Node};

/// One text: a file, or a `--set`.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) text: String,
}

/// Everything that was read, and the document that came of it.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    pub(crate) all: Vec<Source>,
    pub(crate) tree: Option<Box<Node>>,
    pub(crate) env: String,
}

/// Bytes of one text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located<'a> {
    /// The file as the user named it; `--set` for what was given on the command line.
    pub file: &'a str,
    /// The whole text.
    pub text: &'a str,
    /// The bytes that are meant.
    pub range: Range<usize>,
}

/// Which layer set a field, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The layer.
    pub layer: Layer,
    /// The layer in the user's words: `base`, `env dev`, `defaults.service`, `ecsctl.dev.toml`, `--set`.
    pub name: String,
    /// The file as the user named it.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
}

/// `ecsctl.toml:12 (env dev)`.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.layer {
            Layer::Set => f.write_str(&self.name),
            Layer::Base | Layer::EnvFile => write!(f, "{}:{}", self.file, self.line),
            Layer::Defaults | Layer::Env => {
                write!(f, "{}:{} ({})", self.file, self.line, self.name)
            }
        }
    }
}

impl Sources {
    /// Keeps a text; gives its index.
    pub(crate) fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> usize {
        self.all.push(Source { name: name.into(), text: text.into() });
        self.all.len() - 1
    }

    /// The text of a file.
    pub fn text(&self, file: &str) -> Option<&str> {
        Some(&self.all.iter().find(|source| source.name == file)?.text)
    }

    /// The files in the order in which they were read.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.all.iter().map(|source| source.name.as_str())
    }

    /// Where a place is. A field that is not written itself is found at the nearest table around it
    /// that is; `None` when nothing of the path is in any text.
    pub fn locate(&self, place: &Place) -> Option<Located<'_>> {
        match place {
            Place::Span(span) => {
                let source = self.all.iter().find(|source| source.name == span.file)?;
                Some(located(source, span.start..span.end))
            }
            Place::Key(path) => self.show(self.find(path)?.key),
            Place::Value(path) => {
                let found = self.find_exactly(path);
                let mark = match found {
                    Some(entry) => entry.shown(),
                    None => self.find(path)?.key,
                };
                self.show(mark)
            }
        }
    }

    /// Which layer gave a field its value. `None` for what no text says: a built-in default.
    pub fn origin(&self, path: &Path) -> Option<Origin> {
        let entry = self.find_exactly(path)?;
        let (mark, layer) = (entry.shown(), entry.value.layer);
        let source = &self.all[mark.source];
        let name = match layer {
            Layer::Defaults => format!("defaults.{}", path.first().unwrap_or_default()),
            Layer::Base => "base".to_owned(),
            Layer::Env => format!("env {}", self.env),
            Layer::EnvFile => source.name.clone(),
            Layer::Set => "--set".to_owned(),
        };
        let line = source.text[..mark.start].matches('\n').count() + 1;
        Some(Origin { layer, name, file: source.name.clone(), line })
    }

    /// Whether a field's value, or a part of it, is that of a variable without a value.
    pub fn is_unknown(&self, place: &Place) -> bool {
        match place {
            Place::Value(path) => self.find_exactly(path).is_some_and(|it| has_unknown(it.value)),
            Place::Key(_) | Place::Span(_) => false,
        }
    }

    /// The span of a mark, for diagnostics.
    pub(crate) fn span(&self, mark: Mark) -> Span {
        Span { file: self.all[mark.source].name.clone(), start: mark.start, end: mark.end }
    }

    fn show(&self, mark: Mark) -> Option<Located<'_>> {
        Some(located(self.all.get(mark.source)?, mark.range()))
    }

    fn find_exactly(&self, path: &Path) -> Option<Found<'_>> {
        self.walk(path).filter(|(_, depth)| *depth == path.0.len()).map(|(found, _)| found)
    }

    fn find(&self, path: &Path) -> Option<Found<'_>> {
        self.walk(path).map(|(found, _)| found)
    }

    /// The deepest thing on the path that is written, and how deep that is.
    fn walk(&self, path: &Path) -> Option<(Found<'_>, usize)> {
        let mut node = self.tree.as_deref()?;
        let mut found = None;
        for (index, step) in path.0.iter().enumerate() {
            let next = match &node.form {
                Form::Table(table) => table.get(step).map(Found::entry),
                Form::List(items) => {
                    step.parse().ok().and_then(|at: usize| items.get(at)).map(Found::item)
                }
                Form::Scalar(_) => None,
            };
            let Some(next) = next else { break };
            node = next.value;
            found = Some((next, index + 1));
        }
        found
    }
}

/// A place in the tree: an entry of a table, or an item of a list, which is its own key.
struct Found<'a> {
    key: Mark,
    value: &'a Node,
}

impl<'a> Found<'a> {
    fn entry(entry: &'a Entry) -> Self {
        Self { key: entry.key, value: &entry.value }
    }

    fn item(node: &'a Node) -> Self {
        Self { key: node.mark, value: node }
    }

    fn shown(&self) -> Mark {
        match self.value.form {
            Form::Table(_) => self.key,
            Form::Scalar(_) | Form::List(_) => self.value.mark,
        }
    }
}

fn has_unknown(node: &Node) -> bool {
    match &node.form {
        Form::Scalar(_) => node.mentions_unknown(),
        Form::List(items) => items.iter().any(has_unknown),
        Form::Table(table) => table.values().any(|entry| has_unknown(&entry.value)),
    }
}

fn located(source: &Source, range: Range<usize>) -> Located<'_> {
    let clamp = |at: usize| source.text.floor_char_boundary(at);
    let range = clamp(range.start)..clamp(range.end);
    Located { file: &source.name, text: &source.text, range }
}
