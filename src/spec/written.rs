//! Keys and values as TOML has them: for whoever prints declarations that one could have written.

use serde_json::{Map, Value as Json};

/// The widest table that stands on one line.
const ROOM: usize = 80;

/// Whether there is more in a value than belongs on a line.
pub fn is_deep(value: &Json) -> bool {
    let is_flat = |entries: &Map<String, Json>| {
        entries.values().all(is_scalar) && inline(value).len() <= ROOM
    };
    value.as_object().is_some_and(|entries| !is_flat(entries) && !entries.is_empty())
}

fn is_scalar(value: &Json) -> bool {
    !matches!(value, Json::Object(_) | Json::Array(_))
}

/// A key, quoted if it must be.
pub fn key(name: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !name.is_empty() && name.chars().all(is_bare) {
        name.to_owned()
    } else {
        toml::Value::String(name.to_owned()).to_string()
    }
}

/// A value on one line.
pub fn inline(value: &Json) -> String {
    match value {
        // TOML has no null; where a list holds one, an empty text is the nearest.
        Json::Null => "\"\"".to_owned(),
        Json::Bool(bool) => bool.to_string(),
        Json::Number(number) => number.to_string(),
        Json::String(text) => toml::Value::String(text.clone()).to_string(),
        Json::Array(items) => {
            format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", "))
        }
        Json::Object(entries) if entries.is_empty() => "{}".to_owned(),
        Json::Object(entries) => {
            let entries = entries.iter().filter(|(_, value)| !value.is_null());
            let each = entries.map(|(name, value)| format!("{} = {}", key(name), inline(value)));
            format!("{{ {} }}", each.collect::<Vec<_>>().join(", "))
        }
    }
}
