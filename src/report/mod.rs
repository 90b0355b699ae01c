//! Telling people and programs: pure functions of the plan, the events and the diagnostics.
//!
//! Nothing here looks at AWS, reads the clock or prints; the caller writes what it is given. Only
//! `style.rs` knows colours.

pub use self::style::{Colour, Detail, Look, Tone};

pub mod diagnostics;
mod documents;
mod edits;
mod entries;
pub mod explain;
pub mod human;
pub mod json;
pub mod markdown;
pub mod onward;
pub mod picture;
pub mod progress;
pub mod reference;
#[cfg(test)]
mod sample;
pub mod status;
mod style;
pub mod summary;
pub mod task;
mod telling;
pub mod trouble;
mod unknowns;
pub mod words;
