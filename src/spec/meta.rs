//! The keys that belong to no section: what the spec is called, where it goes, how long it lives.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value as Json;

use super::example::name;
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
    /// How long after an apply the environment may be destroyed: `"8h"`.
    #[serde(default)]
    #[schemars(extend("x-format" = "ttl"))]
    pub ttl: Option<String>,
    /// Whether the environment may not be destroyed.
    #[serde(default)]
    pub protect: bool,
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

/// Keys that only the spec itself may say: they mean nothing in an overlay.
pub(crate) const ONLY_IN_BASE: [&str; 5] = ["ecsctl", "stack", "env", "include", "in"];

/// All keys that belong to no section.
pub(crate) const KEYS: [&str; 12] = [
    "ecsctl", "stack", "region", "tags", "ttl", "protect", "include", "in", "vars", "defaults",
    "env", "unset",
];

/// The form of `ttl`.
pub(crate) const TTL: Format =
    Format { name: "ttl", example: "\"8h\"", check: |text| lifetime(text).map(drop) };

/// The form of `stack`.
pub(crate) const STACK: Format = Format { name: "stack-name", example: "\"shop\"", check: name };

/// Reads `"90m"`, `"8h"`, `"7d"`, `"2w"`.
pub(crate) fn lifetime(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is not how long a stack may live");
    let unit = text.chars().last().ok_or_else(wrong)?;
    let minutes: u64 = match unit {
        'm' => 1,
        'h' => 60,
        'd' => 24 * 60,
        'w' => 7 * 24 * 60,
        _ => return Err(wrong()),
    };
    let count: u32 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    match count {
        0 => Err(wrong()),
        count => Ok(Duration::from_secs(u64::from(count) * minutes * 60)),
    }
}
