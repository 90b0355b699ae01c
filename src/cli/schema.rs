//! `ecsctl schema`: the JSON Schema of specs, put together from the language's own types.

use schemars::schema_for;
use serde_json::{Map, Value as Json, json};

use super::context::Context;
use super::{Exit, Failure};
use crate::blueprint::Document;
use crate::kinds;
use crate::spec::Meta;

pub(super) fn run(cx: &mut Context) -> Result<Exit, Failure> {
    cx.refuse_markdown("schema")?;
    cx.print(&format!("{:#}\n", schema()))?;
    Ok(Exit::Done)
}

/// The sections, the keys that belong to none, and every kind under `aws`.
fn schema() -> Json {
    let (mut properties, mut definitions) = (Map::new(), Map::new());
    for mut part in [schema_for!(Meta).to_value(), schema_for!(Document).to_value()] {
        properties.extend(taken(&mut part, "properties"));
        definitions.extend(taken(&mut part, "$defs"));
    }
    let mut by_kind = Map::new();
    for kind in kinds::all() {
        let mut declaration = kind.schema();
        let prefix = format!("{}.", kind.name());
        rename(&mut declaration, &prefix);
        for (name, definition) in taken(&mut declaration, "$defs") {
            definitions.insert(format!("{prefix}{name}"), definition);
        }
        // A patch says only what it changes.
        if let Some(fields) = declaration.as_object_mut() {
            fields.remove("required");
            fields.remove("$schema");
        }
        let named = json!({"type": "object", "additionalProperties": declaration});
        by_kind.insert(kind.name().to_owned(), named);
    }
    let about =
        "Any AWS resource, as `[aws.KIND.NAME]`; patches the one that a section makes there.";
    let aws = json!({
        "type": "object", "description": about,
        "properties": by_kind, "additionalProperties": false,
    });
    properties.insert("aws".into(), aws);
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "ecsctl spec",
        "type": "object",
        "required": ["ecsctl", "stack"],
        "properties": properties,
        "additionalProperties": false,
        "$defs": definitions,
    });
    allow_shorthands(&mut schema);
    schema
}

fn taken(schema: &mut Json, key: &str) -> Map<String, Json> {
    match schema.get_mut(key).map(Json::take) {
        Some(Json::Object(map)) => map,
        _ => Map::new(),
    }
}

/// Makes references to definitions point at those with `prefix` before their names.
fn rename(schema: &mut Json, prefix: &str) {
    match schema {
        Json::Object(map) => {
            for (key, value) in map {
                match (key.as_str(), &mut *value) {
                    ("$ref", Json::String(target)) => {
                        *target = target.replacen("#/$defs/", &format!("#/$defs/{prefix}"), 1);
                    }
                    _ => rename(value, prefix),
                }
            }
        }
        Json::Array(items) => items.iter_mut().for_each(|item| rename(item, prefix)),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}

/// A struct with a shorthand may also be written as a scalar; one that is a list by another name, as one.
fn allow_shorthands(schema: &mut Json) {
    match schema {
        Json::Object(map) => {
            map.values_mut().for_each(allow_shorthands);
            if map.contains_key("x-shorthand") {
                let table = Json::Object(std::mem::take(map));
                let scalar = json!({"type": ["string", "integer", "boolean"]});
                let mut forms = vec![scalar];
                forms.extend(as_list(&table));
                forms.push(table);
                map.insert("anyOf".into(), forms.into());
            }
        }
        Json::Array(items) => items.iter_mut().for_each(allow_shorthands),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}

/// The list that a struct with nothing but a list may be written as.
fn as_list(table: &Json) -> Option<Json> {
    let mut fields = table.get("properties")?.as_object()?.values();
    fields.next().filter(|only| only["type"] == "array" && fields.next().is_none()).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn references<'a>(schema: &'a Json, found: &mut Vec<&'a str>) {
        match schema {
            Json::Object(map) => {
                found.extend(map.get("$ref").and_then(Json::as_str));
                map.values().for_each(|value| references(value, found));
            }
            Json::Array(items) => items.iter().for_each(|item| references(item, found)),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let schema = schema();
        let mut found = Vec::new();
        references(&schema, &mut found);
        assert!(!found.is_empty());
        for target in found {
            let pointer = target.strip_prefix('#').unwrap();
            assert!(schema.pointer(pointer).is_some(), "{target}");
        }
    }

    #[test]
    fn sections_kinds_and_common_keys_are_there() {
        let schema = schema();
        for pointer in ["/properties/stack", "/properties/service", "/properties/env"] {
            assert!(schema.pointer(pointer).is_some(), "{pointer}");
        }
        for kind in kinds::all() {
            let pointer = format!("/properties/aws/properties/{}", kind.name());
            assert!(schema.pointer(&pointer).is_some(), "{pointer}");
        }
    }
}
