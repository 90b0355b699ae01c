//! The words in which the checker speaks of forms: what is wanted, and how it might be written.

use crate::kind::Shape;

use super::Language;

/// What a table is called: ``service `web` ``, `` `[network]` ``, `` `service.web.health` ``.
pub(crate) fn describe(path: &[String]) -> String {
    match path {
        [] => "the spec".to_owned(),
        [section] => format!("`[{section}]`"),
        [env, _] if ["env", "defaults", "vars"].contains(&env.as_str()) => {
            format!("`[{}]`", path.join("."))
        }
        [section, name] => format!("{section} `{name}`"),
        [aws, kind, name] if aws == crate::address::SURROUNDINGS => format!("{kind} `{name}`"),
        _ => format!("`{}`", path.join(".")),
    }
}

/// The last step that is a name and not a number.
pub(crate) fn key(path: &[String]) -> &str {
    let named = path.iter().rev().find(|step| step.parse::<usize>().is_err());
    named.or(path.last()).map_or("", String::as_str)
}

/// The way to a key within the thing that has a name: `count.min` of `service.web.count.min`.
pub(crate) fn inner(path: &[String]) -> String {
    match path {
        [_, _, inner @ ..] if !inner.is_empty() => inner.join("."),
        _ => key(path).to_owned(),
    }
}

/// What a form is, for people.
pub(crate) fn wanted(shape: &Shape) -> &'static str {
    match shape {
        Shape::Bool => "true or false",
        Shape::Integer { .. } => "a whole number",
        Shape::Number => "a number",
        Shape::Text { .. } => "text",
        Shape::Choice(_) => "one of some words",
        Shape::List(_) | Shape::Set(_) => "a list",
        Shape::Map(_) | Shape::Struct { .. } => "a table",
        Shape::Any => "any value",
    }
}

/// How the field at `path` might be written, in backticks.
pub fn of(path: &[String], shape: &Shape, language: &Language) -> String {
    let key = key(path);
    let value = said(path, language).or_else(|| value(shape, language));
    match (shape, value) {
        (_, Some(value)) => format!("`{key} = {value}`"),
        (Shape::Map(values), None) if matches!(**values, Shape::Struct { .. }) => {
            format!("`[{}.NAME]`", path.join("."))
        }
        (_, None) => format!("`[{}]`", path.join(".")),
    }
}

/// The example that the field at `path` gives of itself.
fn said(path: &[String], language: &Language) -> Option<String> {
    let field = match path {
        [aws, kind, _, way @ ..] if aws == crate::address::SURROUNDINGS => {
            language.kinds.get(kind.as_str())?.shape.field(way)
        }
        path => language.root.field(path),
    };
    let example = toml::Value::try_from(field?.example.as_ref()?).ok()?;
    Some(example.to_string())
}

fn value(shape: &Shape, language: &Language) -> Option<String> {
    Some(match shape {
        Shape::Bool => "true".to_owned(),
        // What ends at 65535 is a port.
        Shape::Integer { max: Some(65535), .. } => "8080".to_owned(),
        Shape::Integer { min, max } => {
            2.max(min.unwrap_or(2)).min(max.unwrap_or(i64::MAX)).to_string()
        }
        Shape::Number => "0.5".to_owned(),
        Shape::Text { format } => {
            let format = format.as_deref().and_then(|name| language.format(name));
            format.map_or("\"text\"", |format| format.example).to_owned()
        }
        Shape::Choice(words) => format!("\"{}\"", words.first()?),
        Shape::List(items) | Shape::Set(items) => match value(items, language) {
            Some(item) => format!("[{item}]"),
            None => "[]".to_owned(),
        },
        Shape::Map(values) => match &**values {
            Shape::Struct { .. } => return None,
            values => format!("{{ KEY = {} }}", value(values, language)?),
        },
        Shape::Struct { shorthand, .. } => {
            language.shorthand(shorthand.as_deref()?)?.example.to_owned()
        }
        Shape::Any => "\"text\"".to_owned(),
    })
}

/// Says what is wrong with a name.
pub fn name(name: &str) -> Result<(), String> {
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if name.is_empty() {
        return Err("a name is empty".to_owned());
    }
    if name.len() > 64 {
        return Err(format!("the name `{name}` is longer than 64 characters"));
    }
    if !name.bytes().all(legal) || name.starts_with('-') || name.ends_with('-') {
        return Err(format!("`{name}` is not a name"));
    }
    Ok(())
}
