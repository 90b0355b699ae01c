//! What may be written where: a page for every table of the language and for every kind.
//!
//! All of it is read off the forms that specs are checked with, and so is never out of date.

use serde_json::Value as Json;
use textwrap::{Options, fill};

use crate::blueprint::language;
use crate::kind::{Field, Registered, Shape};
use crate::kinds;
use crate::nearest::nearest;
use crate::spec::Language;

/// How wide a page is.
const WIDTH: usize = 100;

/// What stands in a path for a name that users give.
const NAME: &str = "NAME";

/// The page of what stands at a path, with the names that users give or without them: `service`,
/// `service.http`, `service.web.http.path`, `aws.target-group`; or else the path that may be meant.
pub fn page(path: &str) -> Result<String, Option<String>> {
    let language = language();
    let spec = language.spec();
    let words: Vec<&str> = path.split('.').collect();
    let (mut place, rest, outputs) = match words.as_slice() {
        ["aws"] => return Ok(kinds_page()),
        ["aws", name, rest @ ..] => {
            let kind = kinds::find(name).ok_or_else(|| nearest_kind(name))?;
            let outputs = if rest.is_empty() { outputs_of(kind) } else { String::new() };
            (Place::of_kind(kind), rest, outputs)
        }
        all => {
            let top = Place { path: String::new(), about: String::new(), shape: &spec };
            (top, all, String::new())
        }
    };
    for word in rest {
        place = place.step(word)?;
    }
    Ok(place.page(&language) + &outputs)
}

/// The page of a kind with the pages of all the tables in it, for the docs.
pub fn whole_page(kind: &Registered) -> String {
    let language = language();
    let place = Place::of_kind(kind);
    let mut text = place.page(&language) + &outputs_of(kind);
    let mut tables = place.tables();
    while !tables.is_empty() {
        let table = tables.remove(0);
        text = text + "\n#" + &table.page(&language);
        tables.splice(0..0, table.tables());
    }
    text
}

/// The sections, and the keys that belong to none.
pub fn overview() -> String {
    let (language, spec) = (language(), language().spec());
    let about =
        "What a spec may say. `ecsctl explain service.http` tells more of a key.".to_owned();
    Place { path: String::new(), about, shape: &spec }.page(&language)
}

/// All kinds, a line each.
pub fn kinds_page() -> String {
    let head = "# `[aws.KIND.NAME]`\n\n\
                Any AWS resource by hand, or a patch of the one that a section makes there.\n\n";
    let line =
        |kind: &Registered| item(&format!("`{}`: {}", kind.name(), Place::of_kind(kind).about));
    head.to_owned() + &kinds::all().iter().map(line).collect::<String>()
}

fn nearest_kind(word: &str) -> Option<String> {
    let names = kinds::all().iter().map(Registered::name_of);
    nearest(word, names).map(|kind| format!("aws.{kind}"))
}

/// A place in the language.
#[derive(Debug, Clone)]
struct Place<'s> {
    /// `service.NAME.http`; empty at the top.
    path: String,
    about: String,
    shape: &'s Shape,
}

impl<'s> Place<'s> {
    fn of_kind(kind: &'s Registered) -> Self {
        let about = kind.schema()["description"].as_str().unwrap_or_default().to_owned();
        Self { path: format!("aws.{}.{NAME}", kind.name()), about, shape: kind.shape() }
    }

    /// What stands in a field, and if that is a table of named tables, in each of them.
    fn within(&self, name: &str, field: &'s Field) -> Self {
        let dot = if self.path.is_empty() { "" } else { "." };
        let path = format!("{}{dot}{name}", self.path);
        let about = field.about.clone();
        match &field.shape {
            Shape::Map(each) if each.fields().is_some() => {
                Self { path: format!("{path}.{NAME}"), about, shape: each }
            }
            Shape::List(each) | Shape::Set(each) if each.fields().is_some() => {
                Self { path, about, shape: each }
            }
            shape => Self { path, about, shape },
        }
    }

    /// One step on; or the nearest path to one that leads nowhere.
    fn step(self, word: &str) -> Result<Self, Option<String>> {
        let fields = self.shape.fields().ok_or(None)?;
        if let Some(field) = fields.get(word) {
            return Ok(self.within(word, field));
        }
        // What stands under a name is here already; the name is as good as any other.
        if let Some(section) = self.path.strip_suffix(&format!(".{NAME}")) {
            let near = nearest(word, fields.keys().map(String::as_str));
            return match near {
                Some(near) => Err(Some(format!("{section}.{near}"))),
                None => Ok(Self { path: format!("{section}.{word}"), ..self }),
            };
        }
        let dot = if self.path.is_empty() { "" } else { "." };
        Err(nearest(word, fields.keys().map(String::as_str))
            .map(|near| format!("{}{dot}{near}", self.path)))
    }

    /// The tables in its fields.
    fn tables(&self) -> Vec<Self> {
        let fields = self.shape.fields().into_iter().flatten();
        let tables = fields.map(|(name, field)| self.within(name, field));
        tables.filter(|table| table.shape.fields().is_some()).collect()
    }

    fn page(&self, language: &Language) -> String {
        let about = fill(&self.about.replace('\n', " "), WIDTH);
        let Some(fields) = self.shape.fields() else {
            let form = form(self.shape, language);
            return format!("# `{}`\n\n{about}\n\n{form}\n", self.path);
        };
        let lines = fields.iter().map(|(name, field)| {
            let notes = notes(field, language);
            item(&format!("`{name}` ({notes}): {}", field.about.replace('\n', " ")))
        });
        let title = match self.path.as_str() {
            "" => "Keys".to_owned(),
            path => format!("`[{path}]`"),
        };
        format!("# {title}\n\n{about}\n\n{}", lines.collect::<String>())
    }
}

/// The form of a field, and what there is to know of it.
fn notes(field: &Field, language: &Language) -> String {
    let mut notes = vec![form(&field.shape, language)];
    if field.required {
        notes.push("required".to_owned());
    }
    notes.extend(field.default.as_ref().filter(|it| tells(it)).map(|it| format!("default `{it}`")));
    notes.extend(field.example.as_ref().map(|example| format!("such as `{example}`")));
    if field.replaces {
        notes.push("a change replaces it".to_owned());
    }
    notes.join(", ")
}

/// Whether a default says more than that nothing is there.
fn tells(default: &Json) -> bool {
    match default {
        Json::Array(items) => !items.is_empty(),
        Json::Object(fields) => fields.values().any(tells),
        Json::String(text) => !text.is_empty(),
        Json::Null => false,
        Json::Bool(_) | Json::Number(_) => true,
    }
}

/// What a value looks like, for people.
fn form(shape: &Shape, language: &Language) -> String {
    let plural = |items: &Shape| match items {
        Shape::Struct { .. } => "tables".to_owned(),
        items => form(items, language),
    };
    match shape {
        Shape::Bool => "true or false".to_owned(),
        Shape::Integer { min: Some(min), max: Some(max) } => format!("{min} to {max}"),
        Shape::Integer { .. } => "whole number".to_owned(),
        Shape::Number => "number".to_owned(),
        Shape::Text { format } => {
            let known = language.formats.iter().find(|known| Some(known.name) == format.as_deref());
            known.map_or("text".to_owned(), |known| format!("text such as `{}`", known.example))
        }
        Shape::Choice(words) => {
            let words: Vec<String> = words.iter().map(|word| format!("`\"{word}\"`")).collect();
            words.join(" or ")
        }
        Shape::List(items) => format!("list of {}", plural(items)),
        Shape::Set(items) => format!("set of {}", plural(items)),
        Shape::Map(values) => format!("names to {}", plural(values)),
        Shape::Struct { shorthand, .. } => {
            let short = language.shorthands.iter().find(|it| Some(it.name) == shorthand.as_deref());
            short.map_or("table".to_owned(), |short| format!("table, or `{}`", short.example))
        }
        Shape::Any => "any value".to_owned(),
    }
}

fn outputs_of(kind: &Registered) -> String {
    let fields = kind.output_shape().fields().into_iter().flatten();
    let lines = fields.map(|(name, field)| {
        let about = field.about.replace('\n', " ");
        item(&format!("`${{{}.{NAME}.{name}}}`: {about}", kind.name()))
    });
    format!("\n## Outputs\n\n{}", lines.collect::<String>())
}

/// An item of a list, wrapped.
fn item(text: &str) -> String {
    let options = Options::new(WIDTH).initial_indent("- ").subsequent_indent("  ");
    format!("{}\n", fill(text, options.break_words(false)))
}
