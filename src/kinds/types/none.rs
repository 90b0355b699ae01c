//! Optional fields that are managed even when they are left out: *none* is written as `false`.
//!
//! A field that is not in a document, or is null, is not compared. Where leaving a field out means that
//! there shall be none (a task definition is owned whole), none is a value of its own:
//! `#[serde(default, serialize_with = "none::write", deserialize_with = "none::read")]`.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Error, IntoDeserializer as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Writes the value, or `false`.
#[expect(clippy::ref_option, reason = "serde hands over the field as it is")]
pub(crate) fn write<T, S>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error>
where
    T: Serialize,
    S: Serializer,
{
    match value {
        Some(value) => value.serialize(serializer),
        None => serializer.serialize_bool(false),
    }
}

/// Reads a value; `false` and null are none.
pub(crate) fn read<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    deserializer.deserialize_any(Optional(PhantomData))
}

/// Hands on what is neither `false` nor null. A detour over a document would lose the path of errors.
struct Optional<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Optional<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value, or `false` for none")
    }

    fn visit_bool<E: Error>(self, on: bool) -> Result<Self::Value, E> {
        if on { T::deserialize(true.into_deserializer()).map(Some) } else { Ok(None) }
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        T::deserialize(number.into_deserializer()).map(Some)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        T::deserialize(number.into_deserializer()).map(Some)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        T::deserialize(number.into_deserializer()).map(Some)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        T::deserialize(text.into_deserializer()).map(Some)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Self::Value, A::Error> {
        T::deserialize(SeqAccessDeserializer::new(items)).map(Some)
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(fields)).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Sample {
        #[serde(default, serialize_with = "write", deserialize_with = "read")]
        number: Option<u16>,
        #[serde(default, serialize_with = "write", deserialize_with = "read")]
        text: Option<String>,
        #[serde(default, serialize_with = "write", deserialize_with = "read")]
        map: Option<BTreeMap<String, u16>>,
    }

    #[test]
    fn none_is_written_as_false_and_read_from_false_null_and_nothing() {
        let none = Sample { number: None, text: None, map: None };
        let written = json!({ "number": false, "text": false, "map": false });
        assert_eq!(serde_json::to_value(&none).unwrap(), written);
        for text in [written, json!({}), json!({ "number": null, "text": false })] {
            assert_eq!(serde_json::from_value::<Sample>(text).unwrap(), none);
        }
    }

    #[test]
    fn values_are_themselves_and_errors_keep_their_path() {
        let text = json!({ "number": 7, "text": "x", "map": { "a": 1 } });
        let read: Sample = serde_json::from_value(text.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), text);
        let wrong = serde_path_to_error::deserialize::<_, Sample>(json!({ "map": { "a": "x" } }));
        assert_eq!(wrong.unwrap_err().path().to_string(), "map.a");
    }
}
