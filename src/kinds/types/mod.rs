//! The types of kinds' fields: canonical on construction, so that equal things are equal text.

pub use self::cidr::Cidr;

mod cidr;

#[cfg(test)]
pub(super) mod sample;
