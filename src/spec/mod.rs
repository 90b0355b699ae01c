//! Text to document: reads a spec with all its layers, and knows for every field who set it where.
//!
//! Generic over a [`Language`]: no section is known by name. Called by `cli`; calls nobody but
//! [`Files`].

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value as Json;

use crate::diag::Diagnostic;
use crate::kind::StackId;

pub use self::example::{name as legal_name, of as example};
pub use self::files::{Disk, Files};
pub use self::language::{KindWords, Language};
pub use self::load::{identify, load};
pub use self::measured::{duration, measured, whole};
pub use self::meta::{Meta, State, place};
pub use self::node::Layer;
pub use self::rules::{Format, Later, Reference, Shorthand};
pub use self::sources::{Located, Origin, Sources};
pub use self::unread::Unread;
pub use self::vars::{Type, Variable};
pub use self::written::{inline, is_deep, key};

mod check;
mod example;
mod fault;
mod files;
mod language;
mod layers;
mod load;
mod measured;
mod merge;
mod meta;
mod names;
mod node;
mod parse;
mod read;
mod required;
pub mod rules;
mod scope;
mod sources;
#[cfg(test)]
mod tests;
mod text;
mod unread;
mod vars;
mod written;
mod wrong;

/// What to load, and with what from outside.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The spec.
    pub file: PathBuf,
    /// The environment; `default` when none is chosen.
    pub env: Option<String>,
    /// `--var name=value`.
    pub vars: BTreeMap<String, String>,
    /// `--set key=value`, in order.
    pub set: Vec<(String, String)>,
    /// The process's environment, for `from-env`.
    pub environment: BTreeMap<String, String>,
    /// The region to use when the spec names none.
    pub region: Option<String>,
    /// The commit the spec stands at, for `${git.sha}`.
    pub git_sha: Option<String>,
}

/// A spec, read.
#[derive(Debug)]
pub struct Spec {
    /// Which stack, in which environment, where.
    pub id: StackId,
    /// Tags that every resource carries.
    pub tags: BTreeMap<String, String>,
    /// How long after the apply that brings it the environment may be destroyed.
    pub ttl: Option<Duration>,
    /// Whether the environment may not be destroyed.
    pub protect: bool,
    /// Where locks and journals lie.
    pub state: State,
    /// The sections: merged, canonical, variables filled in; `${…}` names outputs of kinds.
    pub document: Json,
    /// The texts, and the way back to them.
    pub sources: Sources,
    /// What is worth a look.
    pub warnings: Vec<Diagnostic>,
}

/// A spec that is not one.
#[derive(Debug)]
pub struct Rejected {
    /// What is wrong; at least one error.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts, as far as they were read.
    pub sources: Sources,
    /// What could be read all the same; nothing when the text, the environment or the stack's name
    /// is not known.
    pub rest: Option<Box<Rest>>,
}

/// What could be read of a spec that is wrong elsewhere: to be looked at for what else is wrong.
#[derive(Debug)]
pub struct Rest {
    /// Which stack, in which environment, where; the region may be empty.
    pub id: StackId,
    /// Whether it says when it may be destroyed.
    pub expires: bool,
    /// Whether the environment may not be destroyed.
    pub protect: bool,
    /// The sections that could be read. A text whose variable has no value names the variable.
    pub document: Json,
    /// The same and what can be read of the others, entry by entry. What lacks may only be unread.
    pub remains: Json,
    /// The others.
    pub unread: Unread,
}
