//! Text to document: loading, layers, references. The blueprint says by what rules texts are read.

pub use self::rules::{Format, Later, Reference, Shorthand};

pub mod rules;
