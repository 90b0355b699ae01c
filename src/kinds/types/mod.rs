//! The types of kinds' fields: canonical on construction, so that equal things are equal text.

pub use self::action::{Action, FixedResponse, Redirect};
pub use self::cidr::Cidr;
pub use self::json::Json;
pub use self::number::Number;
pub use self::policy::{Names, Policy};
pub use self::rule::{Changes, Fault, Protocol, Rule};
pub(super) use self::rule::{TEXT_HINT, text_fault};

mod action;
pub mod capacity;
mod cidr;
pub mod cpu_memory;
pub mod forms;
mod json;
pub mod metric;
mod number;
pub mod outputs;
mod policy;
mod rule;
#[cfg(test)]
pub(super) mod sample;
pub(crate) mod words;
