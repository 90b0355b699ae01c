//! Documents whose leaves may not be known yet.
//!
//! A declaration, an observation and a plan's step all hold a [`Value`]. Text may mention outputs of
//! other resources (`${vpc.main.id}`); such text is [`Value::Pending`] until they are known.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use self::known::Known;
pub use self::text::{BadReference, beginnings, mentions, parse_text};
use crate::address::Output;

mod known;
mod text;

/// A piece of text that mentions outputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Text as it stands.
    Literal(String),
    /// An output that is filled in when it is known.
    Output(Output),
}

/// A document: JSON, but for text over outputs that are not known yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Value {
    /// Nothing.
    #[default]
    Null,
    /// True or false.
    Bool(bool),
    /// A number.
    Number(serde_json::Number),
    /// Text, fully known.
    Text(String),
    /// Text over outputs of other resources that are not known yet. Holds at least one output.
    Pending(Vec<Part>),
    /// A list; whether its order counts is the kind's business.
    List(Vec<Self>),
    /// A struct or a map. Shared, because a document goes from the snapshot through the plan into the
    /// run mostly as it is.
    Map(Arc<BTreeMap<String, Self>>),
}

impl Value {
    /// Reads a plain document whose texts may mention outputs.
    pub fn lift(json: serde_json::Value) -> Result<Self, BadReference> {
        use serde_json::Value as Json;
        Ok(match json {
            Json::Null => Self::Null,
            Json::Bool(bool) => Self::Bool(bool),
            Json::Number(number) => Self::Number(number),
            Json::String(text) if !text.contains('$') => Self::Text(text),
            Json::String(text) => parse_text(&text)?,
            Json::Array(items) => {
                Self::List(items.into_iter().map(Self::lift).collect::<Result<_, _>>()?)
            }
            Json::Object(map) => {
                let fields = map.into_iter().map(|(key, value)| Ok((key, Self::lift(value)?)));
                Self::Map(Arc::new(fields.collect::<Result<_, _>>()?))
            }
        })
    }

    /// Takes a plain document as it stands: what AWS says mentions no outputs.
    pub fn plain(json: serde_json::Value) -> Self {
        use serde_json::Value as Json;
        match json {
            Json::Null => Self::Null,
            Json::Bool(bool) => Self::Bool(bool),
            Json::Number(number) => Self::Number(number),
            Json::String(text) => Self::Text(text),
            Json::Array(items) => Self::List(items.into_iter().map(Self::plain).collect()),
            Json::Object(map) => {
                let fields = map.into_iter().map(|(key, value)| (key, Self::plain(value)));
                Self::Map(Arc::new(fields.collect()))
            }
        }
    }

    /// Replaces every output that is known. What stays [`Value::Pending`] is unknown.
    #[must_use]
    pub fn resolve(&self, known: &Known) -> Self {
        match self {
            Self::Pending(parts) => text::resolve(parts, known),
            Self::List(items) if self.is_pending() => {
                Self::List(items.iter().map(|item| item.resolve(known)).collect())
            }
            Self::Map(fields) if self.is_pending() => {
                let mut fields = BTreeMap::clone(fields);
                for value in fields.values_mut().filter(|value| value.is_pending()) {
                    *value = value.resolve(known);
                }
                Self::Map(Arc::new(fields))
            }
            shared => shared.clone(),
        }
    }

    /// The same with everything filled in, or the first output that is not known.
    pub fn fill(&self, known: &Known) -> Result<Self, Output> {
        let filled = self.resolve(known);
        match filled.outputs().first() {
            Some(output) => Err((*output).clone()),
            None => Ok(filled),
        }
    }

    /// Whether any text in it is pending.
    fn is_pending(&self) -> bool {
        match self {
            Self::Pending(_) => true,
            Self::List(items) => items.iter().any(Self::is_pending),
            Self::Map(fields) => fields.values().any(Self::is_pending),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) => false,
        }
    }

    /// The plain document, or the first output that is still unknown.
    pub fn lower(&self) -> Result<serde_json::Value, Output> {
        use serde_json::Value as Json;
        Ok(match self {
            Self::Null => Json::Null,
            Self::Bool(bool) => Json::Bool(*bool),
            Self::Number(number) => Json::Number(number.clone()),
            Self::Text(text) => Json::String(text.clone()),
            Self::Pending(_) => {
                let output = self.outputs()[0];
                return Err(output.clone());
            }
            Self::List(items) => {
                Json::Array(items.iter().map(Self::lower).collect::<Result<_, _>>()?)
            }
            Self::Map(fields) => {
                let fields = fields.iter().map(|(key, value)| Ok((key.clone(), value.lower()?)));
                Json::Object(fields.collect::<Result<_, _>>()?)
            }
        })
    }

    /// The document as text that [`Value::lift`] reads back: outputs as `${…}`, literal `${` escaped.
    pub fn to_source(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match self {
            Self::Null => Json::Null,
            Self::Bool(bool) => Json::Bool(*bool),
            Self::Number(number) => Json::Number(number.clone()),
            Self::Text(text) => Json::String(text.replace("${", "$${")),
            Self::Pending(parts) => Json::String(text::unparse(parts)),
            Self::List(items) => Json::Array(items.iter().map(Self::to_source).collect()),
            Self::Map(map) => Json::Object(
                map.iter().map(|(key, value)| (key.clone(), value.to_source())).collect(),
            ),
        }
    }

    /// Every output that the document mentions, in order of appearance.
    pub fn outputs(&self) -> Vec<&Output> {
        let mut found = Vec::new();
        self.collect_outputs(&mut found);
        found
    }

    fn collect_outputs<'a>(&'a self, into: &mut Vec<&'a Output>) {
        match self {
            Self::Pending(parts) => into.extend(parts.iter().filter_map(|part| match part {
                Part::Output(output) => Some(output),
                Part::Literal(_) => None,
            })),
            Self::List(items) => items.iter().for_each(|item| item.collect_outputs(into)),
            Self::Map(map) => map.values().for_each(|value| value.collect_outputs(into)),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) => {}
        }
    }

    /// Every text that is fully known, in order of appearance.
    pub fn texts(&self) -> Vec<&str> {
        let mut found = Vec::new();
        self.collect_texts(&mut found);
        found
    }

    fn collect_texts<'a>(&'a self, into: &mut Vec<&'a str>) {
        match self {
            Self::Text(text) => into.push(text),
            Self::List(items) => items.iter().for_each(|item| item.collect_texts(into)),
            Self::Map(map) => map.values().for_each(|value| value.collect_texts(into)),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Pending(_) => {}
        }
    }

    /// Whether it mentions what `id` identifies.
    pub fn mentions(&self, id: &str) -> bool {
        match self {
            Self::Text(text) => mentions(text, id),
            Self::List(items) => items.iter().any(|item| item.mentions(id)),
            Self::Map(fields) => fields.values().any(|value| value.mentions(id)),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Pending(_) => false,
        }
    }

    /// Puts a field into a map; nothing else has fields.
    pub fn set(&mut self, key: &str, value: Self) {
        if let Self::Map(fields) = self {
            Arc::make_mut(fields).insert(key.to_owned(), value);
        }
    }

    /// The fields of a map.
    pub fn fields(&self) -> impl Iterator<Item = (&String, &Self)> {
        let fields = match self {
            Self::Map(fields) => Some(fields.iter()),
            _ => None,
        };
        fields.into_iter().flatten()
    }

    /// The field `key` of a map.
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(map) => map.get(key),
            _ => None,
        }
    }

    /// The text, if this is known text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The natural number in the field `key` of a map.
    pub fn number(&self, key: &str) -> Option<u64> {
        match self.get(key) {
            Some(Self::Number(number)) => number.as_u64(),
            _ => None,
        }
    }

    /// The known text in the field `key` of a map.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Self::as_text)
    }
}

/// Written as JSON in the source form, so that it reads back as it was.
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_source().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = serde_json::Value::deserialize(deserializer)?;
        Self::lift(json).map_err(serde::de::Error::custom)
    }
}

impl FromIterator<(String, Self)> for Value {
    fn from_iter<I: IntoIterator<Item = (String, Self)>>(fields: I) -> Self {
        Self::Map(Arc::new(fields.into_iter().collect()))
    }
}

/// One line, for people: text in quotes, outputs as `${…}`.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.to_source())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::address::Address;

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i32>().prop_map(|number| Value::Number(number.into())),
            "[a-z$ {}]{0,12}".prop_map(Value::Text),
            "[a-c]{1,2}".prop_map(|name| parse_text(&format!("x ${{vpc.{name}.id}}")).unwrap()),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
                prop::collection::btree_map("[a-z]{1,4}", inner, 0..4)
                    .prop_map(|fields| Value::Map(Arc::new(fields))),
            ]
        })
    }

    proptest! {
        #[test]
        fn source_reads_back(value in any_value()) {
            prop_assert_eq!(Value::lift(value.to_source()).unwrap(), value);
        }

        /// What is filled in is known, and nothing else in it has changed.
        #[test]
        fn what_is_filled_in_can_be_lowered(value in any_value(), names in "[a-c]{0,3}") {
            let mut known = Known::new();
            for name in names.chars() {
                known.insert(Output::new(Address::new("vpc", name), "id"), "vpc-1".into());
            }
            let resolved = value.resolve(&known);
            prop_assert_eq!(&resolved.resolve(&known), &resolved);
            prop_assert_eq!(value.fill(&known).map(|filled| filled.to_source()).ok(),
                resolved.lower().ok().map(|_| resolved.to_source()));
        }
    }
}
