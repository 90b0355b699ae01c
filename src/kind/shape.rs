//! The form of a document, read off its JSON schema once: what is a struct, what a map, what a set.
//!
//! The spec's checker, the differ and the generated docs all walk a [`Shape`] and not the schema.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde_json::Value as Json;

/// A field of a struct.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// The form of its value.
    pub shape: Shape,
    /// Whether it must be written.
    pub required: bool,
    /// Whether a change replaces the resource (`x-replaces`).
    pub replaces: bool,
    /// Whether AWS sets it when the resource is first used (`x-by-use`): until then it is neither
    /// there nor missing, and it keeps nothing from being deleted.
    pub by_use: bool,
    /// Whether it names what the resource stands in (`x-within`), and without which it cannot be.
    pub within: bool,
    /// The doc comment.
    pub about: String,
    /// What it is when it is left out.
    pub default: Option<Json>,
    /// A value that it may have (`examples`), where its form says too little.
    pub example: Option<Json>,
}

/// The form of a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// True or false.
    Bool,
    /// A whole number, with its bounds.
    Integer {
        /// The least.
        min: Option<i64>,
        /// The greatest.
        max: Option<i64>,
    },
    /// A number.
    Number,
    /// Text; `format` names a rule of `x-format` that the text must obey.
    Text {
        /// The rule's name.
        format: Option<String>,
    },
    /// One of some words.
    Choice(Vec<String>),
    /// A list whose order counts.
    List(Box<Self>),
    /// A list whose order does not count.
    Set(Box<Self>),
    /// Names to values; owned whole.
    Map(Box<Self>),
    /// Named fields. `shorthand` names a rule of `x-shorthand` by which a scalar can stand for the
    /// struct.
    Struct {
        /// The fields by name.
        fields: BTreeMap<String, Field>,
        /// The shorthand's name.
        shorthand: Option<String>,
        /// What it means to leave a field out.
        owned: Owned,
    },
    /// Any document, compared as a whole.
    Any,
}

/// How far a struct is managed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owned {
    /// As far as it is written: a field left out is not managed.
    AsWritten,
    /// Whole (`x-whole`), with all that is in it: a field left out is not there.
    Whole,
}

impl Shape {
    /// The form of the documents of a type.
    pub fn of<T: JsonSchema>() -> Self {
        Self::from_schema(&schemars::schema_for!(T).to_value())
    }

    /// The form that a JSON schema describes, as schemars writes schemas.
    pub fn from_schema(root: &Json) -> Self {
        read(root, root, Owned::AsWritten)
    }

    /// A struct of these fields, for which nothing else can stand.
    pub fn record(fields: BTreeMap<String, Field>) -> Self {
        Self::Struct { fields, shorthand: None, owned: Owned::AsWritten }
    }

    /// Whether this is a struct that is managed whole.
    pub fn is_owned_whole(&self) -> bool {
        matches!(self, Self::Struct { owned: Owned::Whole, .. })
    }

    /// The fields, if this is a struct.
    pub fn fields(&self) -> Option<&BTreeMap<String, Field>> {
        match self {
            Self::Struct { fields, .. } => Some(fields),
            _ => None,
        }
    }
}

/// What stands in something that is owned whole is owned whole, too.
fn read(schema: &Json, root: &Json, around: Owned) -> Shape {
    let is_marked = schema.get("x-whole") == Some(&Json::Bool(true));
    let owned = if is_marked { Owned::Whole } else { around };
    if let Some(target) = schema.get("$ref").and_then(Json::as_str) {
        return match target.strip_prefix('#').and_then(|pointer| root.pointer(pointer)) {
            Some(definition) => read(definition, root, owned),
            None => Shape::Any,
        };
    }
    if schema.get("x-any").is_some() {
        return Shape::Any;
    }
    if let Some(choices) = choices(schema) {
        return Shape::Choice(choices);
    }
    // `Option<T>` is `anyOf [T, null]`.
    for key in ["anyOf", "oneOf", "allOf"] {
        let Some(options) = schema.get(key).and_then(Json::as_array) else { continue };
        let mut solid = options.iter().filter(|option| !is_null(option));
        if let (Some(only), None) = (solid.next(), solid.next()) {
            return read(only, root, owned);
        }
    }
    match type_of(schema) {
        Some("boolean") => Shape::Bool,
        Some("integer") => Shape::Integer {
            min: schema.get("minimum").and_then(Json::as_i64),
            max: schema.get("maximum").and_then(Json::as_i64),
        },
        Some("number") => Shape::Number,
        Some("string") => {
            Shape::Text { format: schema.get("x-format").and_then(Json::as_str).map(str::to_owned) }
        }
        Some("array") => {
            let items = schema.get("items").map_or(Shape::Any, |items| read(items, root, owned));
            let items = Box::new(items);
            match schema.get("uniqueItems") {
                Some(Json::Bool(true)) => Shape::Set(items),
                _ => Shape::List(items),
            }
        }
        Some("object") => object(schema, root, owned),
        _ => Shape::Any,
    }
}

fn object(schema: &Json, root: &Json, owned: Owned) -> Shape {
    let Some(properties) = schema.get("properties").and_then(Json::as_object) else {
        return match schema.get("additionalProperties") {
            Some(values @ Json::Object(_)) => Shape::Map(Box::new(read(values, root, owned))),
            Some(Json::Bool(false)) => {
                Shape::Struct { fields: BTreeMap::new(), shorthand: None, owned }
            }
            _ => Shape::Any,
        };
    };
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Json::as_array)
        .into_iter()
        .flatten()
        .filter_map(Json::as_str)
        .collect();
    let field = |(name, schema): (&String, &Json)| {
        let is_marked = |mark: &str| schema.get(mark) == Some(&Json::Bool(true));
        let field = Field {
            shape: read(schema, root, owned),
            required: required.contains(&name.as_str()),
            replaces: is_marked("x-replaces"),
            by_use: is_marked("x-by-use"),
            within: is_marked("x-within"),
            about: text_of(schema, "description").unwrap_or_default(),
            default: schema.get("default").filter(|default| !default.is_null()).cloned(),
            example: example(schema, root),
        };
        (name.clone(), field)
    };
    Shape::Struct {
        fields: properties.iter().map(field).collect(),
        shorthand: text_of(schema, "x-shorthand"),
        owned,
    }
}

/// The first example of a field, or of its type.
fn example(schema: &Json, root: &Json) -> Option<Json> {
    let referred = || {
        let target = schema.get("$ref")?.as_str()?.strip_prefix('#')?;
        example(root.pointer(target)?, root)
    };
    schema.pointer("/examples/0").cloned().or_else(referred)
}

fn text_of(schema: &Json, key: &str) -> Option<String> {
    schema.get(key).and_then(Json::as_str).map(str::to_owned)
}

fn is_null(schema: &Json) -> bool {
    schema.get("type").and_then(Json::as_str) == Some("null")
}

/// `["string", "null"]` counts as `string`.
fn type_of(schema: &Json) -> Option<&str> {
    match schema.get("type")? {
        Json::String(name) => Some(name),
        Json::Array(names) => names.iter().filter_map(Json::as_str).find(|name| *name != "null"),
        _ => None,
    }
}

/// The words of an enum of unit variants: `enum`, or `oneOf` of `const`s when variants have docs.
fn choices(schema: &Json) -> Option<Vec<String>> {
    let words = |list: &Vec<Json>| -> Option<Vec<String>> {
        list.iter().filter(|word| !word.is_null()).map(|w| w.as_str().map(str::to_owned)).collect()
    };
    if let Some(list) = schema.get("enum").and_then(Json::as_array) {
        return words(list);
    }
    let options = schema.get("oneOf").and_then(Json::as_array)?;
    let mut found = Vec::new();
    for option in options {
        match (option.get("const"), option.get("enum").and_then(Json::as_array)) {
            (Some(Json::String(word)), _) => found.push(word.clone()),
            (_, Some(list)) => found.extend(words(list)?),
            _ => return None,
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use schemars::JsonSchema;

    use super::*;

    /// A colour.
    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema is looked at")]
    #[schemars(rename_all = "kebab-case")]
    enum Colour {
        /// Red.
        Red,
        DarkBlue,
    }

    /// Inner.
    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema is looked at")]
    #[schemars(extend("x-shorthand" = "inner"))]
    struct Inner {
        /// A colour.
        colour: Option<Colour>,
    }

    /// Outer.
    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema is looked at")]
    struct Outer {
        /// Its name.
        #[schemars(extend("x-replaces" = true))]
        name: String,
        count: Option<u16>,
        tags: BTreeMap<String, String>,
        set: BTreeSet<String>,
        list: Vec<Inner>,
        inner: Option<Inner>,
    }

    /// Whole.
    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema is looked at")]
    #[schemars(extend("x-whole" = true))]
    struct Whole {
        list: Vec<Inner>,
        map: BTreeMap<String, Option<Inner>>,
    }

    #[test]
    fn what_stands_in_something_whole_is_whole() {
        let whole = Shape::of::<Whole>();
        assert!(whole.is_owned_whole());
        let fields = whole.fields().unwrap();
        let Shape::List(items) = &fields["list"].shape else { panic!("a list") };
        let Shape::Map(values) = &fields["map"].shape else { panic!("a map") };
        assert!(items.is_owned_whole() && values.is_owned_whole());
    }

    #[test]
    fn reads_every_form() {
        let Shape::Struct { fields, .. } = Shape::of::<Outer>() else { panic!("a struct") };
        assert!(fields["name"].replaces && fields["name"].required);
        assert_eq!(fields["name"].about, "Its name.");
        assert!(matches!(fields["count"].shape, Shape::Integer { max: Some(65535), .. }));
        assert!(!fields["count"].required);
        assert!(matches!(fields["tags"].shape, Shape::Map(_)));
        assert!(matches!(fields["set"].shape, Shape::Set(_)));
        let Shape::List(items) = &fields["list"].shape else { panic!("a list") };
        assert_eq!(**items, fields["inner"].shape);
        let Shape::Struct { fields, shorthand, .. } = &fields["inner"].shape else {
            panic!("a struct")
        };
        assert_eq!(shorthand.as_deref(), Some("inner"));
        assert!(!Shape::of::<Outer>().is_owned_whole());
        let Shape::Choice(words) = &fields["colour"].shape else { panic!("a choice") };
        assert!(words.contains(&"dark-blue".to_owned()) && words.len() == 2);
    }
}
