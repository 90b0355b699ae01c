//! The types of kinds' fields: canonical on construction, so that equal things are equal text.

pub use self::action::{Action, FixedResponse, Redirect};
pub use self::json::Json;
pub use self::policy::{Names, Policy};

mod action;
pub mod capacity;
pub mod cpu_memory;
mod json;
mod policy;
pub(crate) mod words;
pub use self::cidr::Cidr;
pub use self::rule::{Changes, Fault, Protocol, Rule};
pub(super) use self::rule::{TEXT_HINT, text_fault};
mod cidr;
mod rule;
#[cfg(test)]
pub(super) mod sample;
