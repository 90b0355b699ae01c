//! Other forms of saying what runs, read into a spec: task definitions and services as AWS tells
//! them, compose files, Dockerrun files.
//!
//! Text in, text out; `cli` fetches the one and writes the other. What a spec cannot say, or this
//! version does not know, becomes a [`Note`], which is a comment in the text as well: nothing is
//! passed over in silence.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::diag::Diagnostic;

pub use self::compose::compose;
pub use self::dockerrun::dockerrun;
pub use self::service::service;
pub use self::task_definition::task_definition;

mod api;
mod compose;
mod dockerrun;
mod members;
mod rules;
mod service;
mod spell;
mod task_definition;
#[cfg(test)]
mod tests;
mod words;
mod write;

/// A spec that was made of something else.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// The spec.
    pub text: String,
    /// What it does not say.
    pub notes: Vec<Note>,
    /// What there is already, if anything: the addresses that `apply` is told to adopt.
    pub adopts: Vec<String>,
}

/// Something that the spec does not say.
#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    /// The table of the spec that it would have been said in.
    pub(crate) table: Vec<String>,
    /// Where it stands in what was read: `containerDefinitions.web.foo`.
    pub place: String,
    /// What stands there.
    pub value: Json,
    /// Why it is not taken over.
    pub why: String,
}

impl Note {
    /// One line: place, value and reason.
    pub fn line(&self) -> String {
        let Self { place, value, why, .. } = self;
        format!("{place} = {value}: {why}")
    }
}

/// What is known besides the document itself.
#[derive(Debug, Clone, Default)]
pub struct About {
    /// What it is called: a file's name, or a service's.
    pub source: String,
    /// The command that reads it.
    pub command: String,
    /// The region that is meant, if anybody says.
    pub region: Option<String>,
    /// The name of the folder that it stands in.
    pub folder: Option<String>,
}

/// Tags by their keys.
type Tags = BTreeMap<String, String>;

/// A document that is not of the form that it is said to be.
fn unreadable(about: &About, what: &str, why: impl std::fmt::Display) -> Diagnostic {
    Diagnostic::error("E0290", format!("`{}` is not {what}: {why}", about.source))
}

/// The nearest legal name: `Bad_Name` → `bad-name`.
pub fn legalised(name: &str) -> Option<String> {
    let legal = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let text: String = name.chars().map(legal).collect();
    let words: Vec<&str> = text.split('-').filter(|word| !word.is_empty()).collect();
    let joined: String = words.join("-").chars().take(64).collect();
    let name = joined.trim_end_matches('-');
    (!name.is_empty()).then(|| name.to_owned())
}
