//! The keys that belong to no section: what the spec is called, where it goes, how long it lives.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::example::name;
use super::measured::duration;
use super::rules::Format;
use super::vars::Variable;

/// The version of the language that this program reads.
pub(crate) const VERSION: u32 = 1;

/// The keys that belong to no section.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Meta {
    /// The version of the language: 1.
    #[serde(default)]
    pub ecsctl: Option<u32>,
    /// The stack's name.
    #[schemars(extend("x-format" = "stack-name"))]
    pub stack: String,
    /// The AWS region; left out, that of the surroundings.
    #[serde(default)]
    pub region: Option<String>,
    /// Tags that every resource carries.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// How long after the apply that brings it the environment may be destroyed: `"8h"`.
    #[serde(default)]
    #[schemars(extend("x-format" = "ttl"))]
    pub ttl: Option<String>,
    /// Whether the environment may not be destroyed.
    #[serde(default)]
    pub protect: bool,
    /// Where locks and journals lie.
    #[serde(default)]
    pub state: State,
    /// Files that are read as if they stood here; `*` stands for any characters.
    #[serde(default)]
    pub include: Vec<String>,
    /// In an included file: the table in which all of it stands, such as `service.web`.
    #[serde(default, rename = "in")]
    pub within: Option<String>,
    /// Variables, for `${var.NAME}`.
    #[serde(default)]
    pub vars: BTreeMap<String, Variable>,
    /// What every entry of a section says, under the section's name.
    #[serde(default)]
    #[schemars(extend("x-any" = true))]
    pub defaults: Json,
    /// What differs by environment: the same tree, under the environment's name.
    #[serde(default)]
    #[schemars(extend("x-any" = true))]
    pub env: Json,
    /// In an overlay: what to remove of the layers below, such as `service.worker`.
    #[serde(default)]
    pub unset: Vec<String>,
}

/// Where locks and journals lie.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct State {
    /// A place that several machines share, in a bucket that is there already: `"s3://BUCKET/PREFIX"`. Left
    /// out, the folder of `--state` on this machine.
    #[schemars(extend("x-format" = "store"))]
    pub store: Option<String>,
    /// How long the lock lasts unless its holder renews it, which it does: `"60s"`.
    #[schemars(extend("x-format" = "lease"))]
    pub lease: Option<String>,
}

impl State {
    /// How long the lock lasts, if that is said.
    pub fn term(&self) -> Option<Duration> {
        self.lease.as_deref().and_then(|text| lease(text).ok())
    }
}

/// Keys that only the spec itself may say: they mean nothing in an overlay.
pub(crate) const ONLY_IN_BASE: [&str; 5] = ["ecsctl", "stack", "env", "include", "in"];

/// All keys that belong to no section.
pub(crate) const KEYS: [&str; 13] = [
    "ecsctl", "stack", "region", "tags", "ttl", "protect", "state", "include", "in", "vars",
    "defaults", "env", "unset",
];

/// The form of `ttl`.
pub(crate) const TTL: Format =
    Format { name: "ttl", example: "\"8h\"", check: |text| lifetime(text).map(drop) };

/// The form of `state.store`.
pub(crate) const STORE: Format = Format {
    name: "store",
    example: "\"s3://my-bucket/ecsctl\"",
    check: |text| place(text).map(drop),
};

/// The form of `state.lease`.
pub(crate) const LEASE: Format =
    Format { name: "lease", example: "\"60s\"", check: |text| lease(text).map(drop) };

/// The form of `stack`.
pub(crate) const STACK: Format = Format { name: "stack-name", example: "\"shop\"", check: name };

/// How long a stack may live, such as `"8h"`.
pub(crate) fn lifetime(text: &str) -> Result<Duration, String> {
    let span = duration(text).filter(|span| !span.is_zero());
    span.ok_or_else(|| format!("`{text}` is not how long a stack may live"))
}

/// Reads `s3://BUCKET/PREFIX` as bucket and prefix; the prefix may be empty.
pub fn place(text: &str) -> Result<(&str, &str), String> {
    let path = text.strip_prefix("s3://").ok_or("a shared store is `s3://BUCKET/PREFIX`")?;
    let (bucket, prefix) = path.split_once('/').unwrap_or((path, ""));
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
    if !(3..=63).contains(&bucket.len()) || !bucket.chars().all(legal) {
        return Err(format!("`{bucket}` is no name of a bucket"));
    }
    Ok((bucket, prefix.trim_matches('/')))
}

/// How long a lock may last unless it is renewed: 2 seconds to 15 minutes.
fn lease(text: &str) -> Result<Duration, String> {
    let span = duration(text).filter(|span| (2..=15 * 60).contains(&span.as_secs()));
    span.ok_or_else(|| format!("`{text}` is not how long a lock may last: 2s to 15m"))
}
