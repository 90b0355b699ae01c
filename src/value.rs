//! Documents whose leaves may not be known yet.
//!
//! A declaration, an observation and a plan's step all hold a [`Value`]. Text may mention outputs of
//! other resources (`${vpc.main.id}`); such text is [`Value::Pending`] until they are known.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::address::{Address, Output};

/// What is known about outputs at some moment: from a snapshot, or so far into an apply.
pub type Known = BTreeMap<Output, String>;

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

/// A `${…}` that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadReference {
    /// `${` without `}`.
    #[error("`${{` without a closing `}}`")]
    Unclosed,
    /// Not `kind.name.output` and not `aws.fact`.
    #[error("`${{{0}}}` is not a reference such as `${{vpc.main.id}}`")]
    Shape(String),
}

/// Reads text that may mention outputs. `$${` stands for a literal `${`. A reference without an
/// output's name (`${vpc.main}`) means the output `id`.
pub fn parse_text(text: &str) -> Result<Value, BadReference> {
    let (mut parts, mut literal, mut rest) = (Vec::new(), String::new(), text);
    while let Some(at) = rest.find("${") {
        if rest[..at].ends_with('$') {
            literal.push_str(&rest[..at - 1]);
            literal.push_str("${");
            rest = &rest[at + 2..];
            continue;
        }
        literal.push_str(&rest[..at]);
        let end = rest[at..].find('}').ok_or(BadReference::Unclosed)? + at;
        if !literal.is_empty() {
            parts.push(Part::Literal(std::mem::take(&mut literal)));
        }
        parts.push(Part::Output(parse_output(&rest[at + 2..end])?));
        rest = &rest[end + 1..];
    }
    literal.push_str(rest);
    if parts.is_empty() {
        return Ok(Value::Text(literal));
    }
    if !literal.is_empty() {
        parts.push(Part::Literal(literal));
    }
    Ok(Value::Pending(parts))
}

fn parse_output(text: &str) -> Result<Output, BadReference> {
    let steps: Vec<&str> = text.trim().split('.').collect();
    match steps.as_slice() {
        [crate::address::SURROUNDINGS, fact] => Ok(Output::surroundings(fact)),
        [kind, name] => Ok(Output::new(Address::new(*kind, *name), "id")),
        [kind, name, output] => Ok(Output::new(Address::new(*kind, *name), *output)),
        _ => Err(BadReference::Shape(text.to_owned())),
    }
}

fn unparse(parts: &[Part]) -> String {
    use fmt::Write as _;
    parts.iter().fold(String::new(), |mut text, part| {
        match part {
            Part::Literal(literal) => text.push_str(&literal.replace("${", "$${")),
            Part::Output(output) => {
                write!(text, "${{{output}}}").expect("writing to a string succeeds");
            }
        }
        text
    })
}

impl Value {
    /// Reads a plain document whose texts may mention outputs.
    pub fn lift(json: serde_json::Value) -> Result<Self, BadReference> {
        use serde_json::Value as Json;
        Ok(match json {
            Json::Null => Self::Null,
            Json::Bool(bool) => Self::Bool(bool),
            Json::Number(number) => Self::Number(number),
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
        self.resolved(known).unwrap_or_else(|| self.clone())
    }

    /// `None` where there is nothing to replace, so that it can be shared.
    fn resolved(&self, known: &Known) -> Option<Self> {
        match self {
            Self::Pending(parts) => Some(resolve_parts(parts, known)),
            Self::List(items) => items
                .iter()
                .any(Self::is_pending)
                .then(|| Self::List(items.iter().map(|item| item.resolve(known)).collect())),
            Self::Map(fields) => {
                let mut changes = fields
                    .iter()
                    .filter_map(|(key, value)| Some((key.clone(), value.resolved(known)?)))
                    .peekable();
                changes.peek()?;
                let mut fields = BTreeMap::clone(fields);
                fields.extend(changes);
                Some(Self::Map(Arc::new(fields)))
            }
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) => None,
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
        self.fill(&Known::new())
    }

    /// The plain document with every output filled in, or the first that is not known.
    pub fn fill(&self, known: &Known) -> Result<serde_json::Value, Output> {
        use serde_json::Value as Json;
        Ok(match self {
            Self::Null => Json::Null,
            Self::Bool(bool) => Json::Bool(*bool),
            Self::Number(number) => Json::Number(number.clone()),
            Self::Text(text) => Json::String(text.clone()),
            Self::Pending(parts) => {
                let texts = parts.iter().map(|part| match part {
                    Part::Literal(literal) => Ok(literal.as_str()),
                    Part::Output(output) => {
                        known.get(output).map(String::as_str).ok_or_else(|| output.clone())
                    }
                });
                Json::String(texts.collect::<Result<_, _>>()?)
            }
            Self::List(items) => {
                let items = items.iter().map(|item| item.fill(known));
                Json::Array(items.collect::<Result<_, _>>()?)
            }
            Self::Map(fields) => {
                let fields =
                    fields.iter().map(|(key, value)| Ok((key.clone(), value.fill(known)?)));
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
            Self::Pending(parts) => Json::String(unparse(parts)),
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

fn resolve_parts(parts: &[Part], known: &Known) -> Value {
    let literal = |part: &Part| match part {
        Part::Literal(literal) => Some(literal.clone()),
        Part::Output(output) => known.get(output).cloned(),
    };
    match parts.iter().map(literal).collect() {
        Some(text) => Value::Text(text),
        None => {
            let parts = parts.iter().map(|part| literal(part).map_or(part.clone(), Part::Literal));
            Value::Pending(parts.collect())
        }
    }
}

/// What may follow an identifier: an image begins with its repository, a policy's resource with a log
/// group's ARN and `:*` behind it.
const SEPARATORS: [u8; 3] = *b":/@";

/// The text, and its beginnings up to each separator: every identifier that it may mention.
pub fn beginnings(text: &str) -> impl Iterator<Item = &str> {
    let bytes = text.as_bytes().iter().enumerate();
    let cuts = bytes.filter(|(_, byte)| SEPARATORS.contains(byte)).map(|(at, _)| &text[..at]);
    cuts.chain([text])
}

/// Whether `id` is among the [`beginnings`] of `text`.
pub fn mentions(text: &str, id: &str) -> bool {
    let rest = text.as_bytes().strip_prefix(id.as_bytes());
    rest.is_some_and(|rest| rest.first().is_none_or(|byte| SEPARATORS.contains(byte)))
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

    fn known(pairs: &[(&str, &str)]) -> Known {
        let output = |text: &str| parse_output(text).unwrap();
        pairs.iter().map(|(at, text)| (output(at), (*text).to_owned())).collect()
    }

    #[test]
    fn text_without_references_is_text() {
        assert_eq!(parse_text("plain $ {x}").unwrap(), Value::Text("plain $ {x}".into()));
        assert_eq!(parse_text("$${HOME}/bin").unwrap(), Value::Text("${HOME}/bin".into()));
    }

    #[test]
    fn references_resolve_part_by_part() {
        let text = parse_text("http://${load-balancer.main.dns}:${aws.region}/").unwrap();
        let half = text.resolve(&known(&[("aws.region", "eu-west-1")]));
        assert_eq!(half.to_source(), "http://${load-balancer.main.dns}:eu-west-1/");
        let whole = half.resolve(&known(&[("load-balancer.main.dns", "lb.test")]));
        assert_eq!(whole, Value::Text("http://lb.test:eu-west-1/".into()));
    }

    #[test]
    fn a_reference_without_an_output_means_the_id() {
        let Value::Pending(parts) = parse_text("${vpc.main}").unwrap() else { panic!("pending") };
        assert_eq!(parts, [Part::Output(Output::new(Address::new("vpc", "main"), "id"))]);
    }

    #[test]
    fn broken_references_are_refused() {
        assert_eq!(parse_text("${vpc.main"), Err(BadReference::Unclosed));
        assert_eq!(parse_text("${x}"), Err(BadReference::Shape("x".into())));
    }

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

        /// What is shared is as good as what is written anew.
        #[test]
        fn filling_in_is_resolving_and_lowering(value in any_value(), names in "[a-c]{0,3}") {
            let output = |name: char| Output::new(Address::new("vpc", name.to_string()), "id");
            let known: Known = names.chars().map(|name| (output(name), "vpc-1".into())).collect();
            let resolved = value.resolve(&known);
            prop_assert_eq!(value.fill(&known), resolved.lower());
            prop_assert_eq!(resolved.resolve(&known), resolved);
        }

        #[test]
        fn an_id_is_mentioned_that_is_a_beginning(text in "[ab:/@]{0,6}", id in "[ab:/@]{0,4}") {
            prop_assert_eq!(mentions(&text, &id), beginnings(&text).any(|part| part == id));
        }

        #[test]
        fn reading_text_never_panics(text in "\\PC{0,40}") {
            let _ = parse_text(&text);
        }
    }
}
