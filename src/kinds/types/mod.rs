//! The types of kinds' fields: canonical on construction, so that equal things are equal text.

pub mod capacity;
pub mod cpu_memory;
pub(crate) mod none;
pub(crate) mod words;
