//! An API's document as a declaration of ours, led by the form of the declaration: names in kebab
//! case, and what [`super::rules`] says besides. What does not fit is noted, never lost.

use serde_json::{Map, Value as Json};

use super::Note;
use super::rules::{Entry, Rule, rule};
use crate::kind::{Field, Shape};

const UNKNOWN: &str = "ecsctl does not know it";
const FORM: &str = "it has another form than the API's";

/// A reading that is under way.
pub(super) struct Reading<'r> {
    rules: &'r [Entry],
    notes: Vec<Note>,
}

/// Where the reading is: in the declaration, the same with `*` for names, and in the document.
#[derive(Debug, Clone, Default)]
struct Place {
    table: Vec<String>,
    pattern: String,
    source: Vec<String>,
}

/// Reads `document` in the form of `shape`.
pub(super) fn read(
    shape: &Shape,
    rules: &[Entry],
    document: &Map<String, Json>,
) -> (Json, Vec<Note>) {
    let mut reading = Reading { rules, notes: Vec::new() };
    let fields = reading.members(shape, document, &Place::default());
    (Json::Object(fields), reading.notes)
}

impl Reading<'_> {
    /// The fields of a struct that the members of an object stand for.
    fn members(
        &mut self,
        shape: &Shape,
        object: &Map<String, Json>,
        at: &Place,
    ) -> Map<String, Json> {
        let mut fields = Map::new();
        for (member, value) in object.iter().filter(|(_, value)| !value.is_null()) {
            let here = at.of(member);
            match rule(self.rules, &at.pattern, member) {
                Some(rule) => self.ruled(shape, rule, value, &here, &mut fields),
                None => self.field(shape, &kebab(member), value, &here, &mut fields),
            }
        }
        fields
    }

    fn ruled(
        &mut self,
        shape: &Shape,
        rule: Rule,
        value: &Json,
        at: &Place,
        into: &mut Map<String, Json>,
    ) {
        let is_on = |by: &str| value.get(by) == Some(&Json::Bool(true));
        match rule {
            Rule::Own => {}
            Rule::OwnWith(part) if value.as_str().is_some_and(|text| text.contains(part)) => {}
            Rule::OwnWith(_) => self.note(at, value, UNKNOWN),
            Rule::Always(only) => {
                if serde_json::from_str(only).ok().as_ref() != Some(value) {
                    self.note(at, value, UNKNOWN);
                }
            }
            Rule::Named(ours) => self.field(shape, ours, value, at, into),
            Rule::Spread => match only(value).as_object() {
                Some(object) => into.extend(self.members(shape, object, at)),
                None => self.note(at, value, FORM),
            },
            Rule::Switched { by, .. } if !is_on(by) => {}
            Rule::Switched { ours, by } => {
                self.field(shape, ours, &without(value, by), at, into);
            }
            Rule::Flag { ours, on, off } => match value.as_str() {
                Some(word) if word == on || word == off => {
                    self.field(shape, ours, &Json::Bool(word == on), at, into);
                }
                _ => self.note(at, value, FORM),
            },
            Rule::Only { ours, member } => {
                if let Some(only) = value.get(member) {
                    self.field(shape, ours, only, &at.of(member), into);
                }
                self.rest(&without(value, member), at);
            }
            Rule::Items { ours, member, besides } => {
                let items = self.members_of_items(value, member, besides, at);
                self.field(shape, ours, &Json::Array(items), at, into);
            }
            Rule::Keyed { ours, key, value: of } => {
                let named = self.keyed(value, key, of, at);
                self.field(shape, ours, &Json::Object(named), at, into);
            }
        }
    }

    /// One member of each object of a list.
    fn members_of_items(
        &mut self,
        list: &Json,
        member: &str,
        besides: Option<(&str, &str)>,
        at: &Place,
    ) -> Vec<Json> {
        let mut found = Vec::new();
        for (index, item) in self.items(list, at).iter().enumerate() {
            let mut rest = without(item, member);
            if let Some((name, always)) = besides
                && rest.get(name).and_then(Json::as_str) == Some(always)
            {
                rest = without(&rest, name);
            }
            self.rest(&rest, &at.of(&index.to_string()));
            found.extend(item.get(member).cloned());
        }
        found
    }

    /// A list of objects as a table by one of their members.
    fn keyed(&mut self, list: &Json, key: &str, of: Option<&str>, at: &Place) -> Map<String, Json> {
        let mut named: Map<String, Json> = Map::new();
        for (index, item) in self.items(list, at).iter().enumerate() {
            let here = at.of(&index.to_string());
            let Some(name) = item.get(key).and_then(Json::as_str) else {
                self.note(&here, item, &format!("it has no `{key}`"));
                continue;
            };
            let rest = without(item, key);
            let entry = match of {
                None => Some(rest),
                Some(member) => {
                    self.rest(&without(&rest, member), &at.of(name));
                    // An environment variable without a value is an empty one.
                    match rest.get(member) {
                        None if key == "name" => Some(Json::String(String::new())),
                        found => found.cloned(),
                    }
                }
            };
            let Some(entry) = entry else { continue };
            if let Some(earlier) = named.insert(name.to_owned(), entry) {
                self.note(&at.of(name), &earlier, "it is there twice, and the last one counts");
            }
        }
        named
    }

    fn items<'j>(&mut self, list: &'j Json, at: &Place) -> &'j [Json] {
        let Some(items) = list.as_array() else {
            self.note(at, list, FORM);
            return &[];
        };
        items
    }

    /// Puts what a value stands for into the field `name`, if there is one.
    fn field(
        &mut self,
        shape: &Shape,
        name: &str,
        value: &Json,
        at: &Place,
        into: &mut Map<String, Json>,
    ) {
        let Some(field) = shape.fields().and_then(|fields| fields.get(name)) else {
            if !is_nothing(value) {
                self.note(at, value, UNKNOWN);
            }
            return;
        };
        let Some(read) = self.value(&field.shape, value, &at.within(name)) else { return };
        match lacking(&field.shape, &read).filter(|_| !field.required) {
            None => drop(into.insert(name.to_owned(), read)),
            Some(lacks) => self.note(at, value, &format!("without `{lacks}` it means nothing")),
        }
    }

    fn value(&mut self, shape: &Shape, value: &Json, at: &Place) -> Option<Json> {
        match (shape, value) {
            (Shape::Struct { .. }, Json::Object(object)) => {
                Some(Json::Object(self.members(shape, object, at)))
            }
            (Shape::Map(inner), Json::Object(entries)) => {
                let each = entries.iter().filter_map(|(name, value)| {
                    Some((name.clone(), self.value(inner, value, &at.entry(name))?))
                });
                Some(Json::Object(each.collect()))
            }
            (Shape::List(inner) | Shape::Set(inner), Json::Array(items)) => {
                let each = items.iter().enumerate();
                Some(
                    each.filter_map(|(index, item)| {
                        self.item(inner, item, &at.entry(&index.to_string()))
                    })
                    .collect(),
                )
            }
            (Shape::Choice(words), Json::String(word)) if !words.contains(word) => {
                let last = words.len().saturating_sub(1);
                let words = format!("{} or {}", words[..last].join(", "), words[last]);
                self.note(at, value, &format!("ecsctl knows {words}"));
                None
            }
            (Shape::Bool, Json::Bool(_))
            | (Shape::Integer { .. } | Shape::Number, Json::Number(_))
            | (Shape::Text { .. } | Shape::Choice(_), Json::String(_))
            | (Shape::Any, _) => Some(value.clone()),
            _ => {
                self.note(at, value, FORM);
                None
            }
        }
    }

    /// An item of a list. One that lacks something is none of ours: a Classic Load Balancer has no
    /// target group.
    fn item(&mut self, shape: &Shape, item: &Json, at: &Place) -> Option<Json> {
        let read = self.value(shape, item, at)?;
        let Some(lacks) = lacking(shape, &read) else { return Some(read) };
        self.note(at, item, &format!("without `{lacks}` it means nothing"));
        None
    }

    /// Notes the members of an object of which the rest is understood.
    fn rest(&mut self, object: &Json, at: &Place) {
        for (member, value) in object.as_object().into_iter().flatten() {
            if !is_nothing(value) {
                self.note(&at.of(member), value, UNKNOWN);
            }
        }
    }

    fn note(&mut self, at: &Place, value: &Json, why: &str) {
        self.notes.push(Note {
            table: at.table.clone(),
            place: at.source.join("."),
            value: value.clone(),
            why: why.to_owned(),
        });
    }
}

impl Place {
    /// At a member of the document.
    fn of(&self, member: &str) -> Self {
        let mut place = self.clone();
        place.source.push(member.to_owned());
        place
    }

    /// In a field of the declaration.
    fn within(&self, field: &str) -> Self {
        let mut place = self.clone();
        place.table.push(field.to_owned());
        let dot = if place.pattern.is_empty() { "" } else { "." };
        place.pattern = format!("{}{dot}{field}", place.pattern);
        place
    }

    /// At an entry of a table or a list.
    fn entry(&self, name: &str) -> Self {
        let mut place = self.of(name);
        place.table.push(name.to_owned());
        place.pattern.push_str(".*");
        place
    }
}

/// A field that a struct must have, and this one has not.
fn lacking<'s>(shape: &'s Shape, read: &Json) -> Option<&'s str> {
    let lacks = |(name, field): &(&String, &Field)| field.required && read.get(*name).is_none();
    shape.fields()?.iter().find(lacks).map(|(name, _)| name.as_str())
}

fn without(object: &Json, member: &str) -> Json {
    let mut object = object.clone();
    if let Some(members) = object.as_object_mut() {
        members.remove(member);
    }
    object
}

/// What a list of only one holds; anything else is itself.
fn only(value: &Json) -> &Json {
    match value.as_array().map(Vec::as_slice) {
        Some([only]) => only,
        _ => value,
    }
}

/// What says nothing: that it is not there.
fn is_nothing(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::Array(items) => items.is_empty(),
        Json::Object(members) => members.values().all(is_nothing),
        Json::Bool(_) | Json::Number(_) | Json::String(_) => false,
    }
}

/// `taskRoleArn` → `task-role-arn`.
fn kebab(name: &str) -> String {
    let mut text = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            text.push('-');
        }
        text.push(c.to_ascii_lowercase());
    }
    text
}
