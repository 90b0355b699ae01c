//! Telling people and machines what was found and done. Decides nothing.

pub mod diagnostics;
