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
    /// The doc comment.
    pub about: String,
    /// What it is when it is left out.
    pub default: Option<Json>,
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
    /// Named fields; managed as far as they are written. `shorthand` names a rule of `x-shorthand` by
    /// which a scalar can stand for the struct.
    Struct {
        /// The fields by name.
        fields: BTreeMap<String, Field>,
        /// The shorthand's name.
        shorthand: Option<String>,
    },
    /// Any document, compared as a whole.
    Any,
}

impl Shape {
    /// The form of the documents of a type.
    pub fn of<T: JsonSchema>() -> Self {
        Self::from_schema(&schemars::schema_for!(T).to_value())
    }

    /// The form that a JSON schema describes, as schemars writes schemas.
    pub fn from_schema(root: &Json) -> Self {
        read(root, root)
    }

    /// The fields, if this is a struct.
    pub fn fields(&self) -> Option<&BTreeMap<String, Field>> {
        match self {
            Self::Struct { fields, .. } => Some(fields),
            _ => None,
        }
    }
}

fn read(schema: &Json, root: &Json) -> Shape {
    if let Some(target) = schema.get("$ref").and_then(Json::as_str) {
        return match target.strip_prefix('#').and_then(|pointer| root.pointer(pointer)) {
            Some(definition) => read(definition, root),
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
            return read(only, root);
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
            let items = Box::new(schema.get("items").map_or(Shape::Any, |items| read(items, root)));
            match schema.get("uniqueItems") {
                Some(Json::Bool(true)) => Shape::Set(items),
                _ => Shape::List(items),
            }
        }
        Some("object") => object(schema, root),
        _ => Shape::Any,
    }
}

fn object(schema: &Json, root: &Json) -> Shape {
    let Some(properties) = schema.get("properties").and_then(Json::as_object) else {
        return match schema.get("additionalProperties") {
            Some(Json::Object(values)) => {
                Shape::Map(Box::new(read(&Json::Object(values.clone()), root)))
            }
            Some(Json::Bool(false)) => Shape::Struct { fields: BTreeMap::new(), shorthand: None },
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
        let field = Field {
            shape: read(schema, root),
            required: required.contains(&name.as_str()),
            replaces: schema.get("x-replaces") == Some(&Json::Bool(true)),
            about: text_of(schema, "description").unwrap_or_default(),
            default: schema.get("default").filter(|default| !default.is_null()).cloned(),
        };
        (name.clone(), field)
    };
    Shape::Struct {
        fields: properties.iter().map(field).collect(),
        shorthand: text_of(schema, "x-shorthand"),
    }
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
        let Shape::Struct { fields, shorthand } = &fields["inner"].shape else {
            panic!("a struct")
        };
        assert_eq!(shorthand.as_deref(), Some("inner"));
        let Shape::Choice(words) = &fields["colour"].shape else { panic!("a choice") };
        assert!(words.contains(&"dark-blue".to_owned()) && words.len() == 2);
    }
}
