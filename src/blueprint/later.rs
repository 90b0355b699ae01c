//! Keys that the language knows and this version does not do yet: refused by name, never accepted.

use crate::spec::Later;

/// The keys, and what they would be about.
pub fn later() -> &'static [Later] {
    LATER
}

const LATER: &[Later] = &[
    key("limit", "spending limits"),
    key("template", "templates"),
    key("service.*.template", "templates"),
    key("service.*.use", "templates"),
    key("service.*.schedule", "scheduled scaling"),
    key("moved", "renaming without replacing"),
];

const fn key(path: &'static str, what: &'static str) -> Later {
    Later { path, what }
}
