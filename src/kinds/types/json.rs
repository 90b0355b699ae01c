//! A JSON document that AWS takes as text and gives back re-serialised: compared parsed.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

/// A JSON document. It may be written as a table or as a text that holds JSON; both are the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Json(serde_json::Value);

impl Json {
    /// The document in a text, as AWS gives it back.
    pub fn parse(text: &str) -> serde_json::Result<Self> {
        serde_json::from_str(text).map(Self)
    }

    /// The document.
    pub fn value(&self) -> &serde_json::Value {
        &self.0
    }

    /// The document as AWS takes it: keys sorted, no white space.
    pub fn text(&self) -> String {
        self.0.to_string()
    }
}

/// Reads a document that may have been written as a text that holds JSON.
pub(super) fn read<'de, D: Deserializer<'de>>(from: D) -> Result<serde_json::Value, D::Error> {
    match serde_json::Value::deserialize(from)? {
        serde_json::Value::String(text) => serde_json::from_str(&text)
            .map_err(|error| serde::de::Error::custom(format!("the text is not JSON: {error}"))),
        value => Ok(value),
    }
}

/// A schema that accepts any document, which is then compared as a whole.
pub(super) fn any(description: &str) -> Schema {
    json_schema!({ "description": description, "type": ["object", "string"], "x-any": true })
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        read(from).map(Self)
    }
}

impl JsonSchema for Json {
    fn schema_name() -> Cow<'static, str> {
        "Json".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        any("A JSON document: a table, or a text that holds JSON.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::Shape;

    #[test]
    fn a_text_and_a_table_are_the_same_document() {
        let written: Json = serde_json::from_str(r#"{ "b": [1], "a": {} }"#).unwrap();
        let text: Json = serde_json::from_str(r#""{ \"a\": {}, \"b\": [1] }""#).unwrap();
        assert_eq!(written, text);
        assert_eq!(written.text(), r#"{"a":{},"b":[1]}"#);
        assert_eq!(Json::parse(&written.text()).unwrap(), written);
    }

    #[test]
    fn broken_text_is_refused() {
        let error = serde_json::from_str::<Json>(r#""{ a""#).unwrap_err().to_string();
        assert!(error.starts_with("the text is not JSON: "), "{error}");
    }

    #[test]
    fn it_is_compared_as_a_whole() {
        assert_eq!(Shape::of::<Json>(), Shape::Any);
    }
}
