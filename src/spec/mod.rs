//! Text to document: loading, layers, references. The blueprint says by what rules texts are read.

pub mod rules;
