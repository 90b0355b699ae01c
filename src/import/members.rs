//! An object that is taken apart member by member: what nobody has asked for is noted at the end.

use serde_json::{Map, Value as Json};

use super::Note;

/// The members that are left, and where they stand.
pub(super) struct Members {
    left: Map<String, Json>,
    /// Where they stand in what is read.
    pub(super) place: Vec<String>,
    /// The table of the spec that they are said in.
    pub(super) table: Vec<String>,
    /// What was noted so far.
    pub(super) notes: Vec<Note>,
}

impl Members {
    /// The members of `object`; of anything else there are none, which is noted.
    pub(super) fn of(object: &Json, place: &[String], table: &[String]) -> Self {
        let mut members = Self {
            left: object.as_object().cloned().unwrap_or_default(),
            place: place.to_vec(),
            table: table.to_vec(),
            notes: Vec::new(),
        };
        if !object.is_object() && !object.is_null() {
            members.note(&[], object, "it is no table");
        }
        members
    }

    /// Whether there is such a member.
    pub(super) fn has(&self, name: &str) -> bool {
        self.left.get(name).is_some_and(|value| !value.is_null())
    }

    /// Takes a member, whatever it is.
    pub(super) fn take(&mut self, name: &str) -> Option<Json> {
        self.left.remove(name).filter(|value| !value.is_null())
    }

    /// Takes a member that is one word: text, a number or a switch.
    pub(super) fn word(&mut self, name: &str) -> Option<String> {
        let value = self.take(name)?;
        let word = word(&value);
        if word.is_none() {
            self.note(&[name], &value, "it is no text");
        }
        word
    }

    /// Takes a member that is a list of words, or one word that `split` makes a list of.
    pub(super) fn words(
        &mut self,
        name: &str,
        split: fn(&str) -> Vec<String>,
    ) -> Option<Vec<String>> {
        let value = self.take(name)?;
        match &value {
            Json::Array(items) => {
                let words: Option<Vec<String>> = items.iter().map(word).collect();
                if words.is_none() {
                    self.note(&[name], &value, "it is no list of texts");
                }
                words
            }
            single => match word(single) {
                Some(text) => Some(split(&text)),
                None => {
                    self.note(&[name], &value, "it is neither text nor a list");
                    None
                }
            },
        }
    }

    /// Takes a member that is an object apart as well; what is left of it comes back by [`Members::join`].
    pub(super) fn inner(&mut self, name: &str) -> Self {
        let value = self.take(name).unwrap_or(Json::Null);
        let place: Vec<String> = self.place.iter().cloned().chain([name.to_owned()]).collect();
        Self::of(&value, &place, &self.table)
    }

    /// Notes what is left of an inner object.
    pub(super) fn join(&mut self, inner: Self, why: &dyn Fn(&str) -> &'static str) {
        self.notes.extend(inner.rest(why));
    }

    /// Notes something that stands at `way` below.
    pub(super) fn note(&mut self, way: &[&str], value: &Json, why: impl Into<String>) {
        let place: Vec<&str> =
            self.place.iter().map(String::as_str).chain(way.iter().copied()).collect();
        self.notes.push(Note {
            table: self.table.clone(),
            place: place.join("."),
            value: value.clone(),
            why: why.into(),
        });
    }

    /// All notes, with one for each member that nobody has taken.
    pub(super) fn rest(mut self, why: &dyn Fn(&str) -> &'static str) -> Vec<Note> {
        for (name, value) in std::mem::take(&mut self.left) {
            if !is_empty(&value) {
                self.note(&[&name], &value, why(&name));
            }
        }
        self.notes
    }
}

/// Text, a number or a switch as text.
pub(super) fn word(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(bool) => Some(bool.to_string()),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

fn is_empty(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::Array(items) => items.is_empty(),
        Json::Object(members) => members.is_empty(),
        Json::Bool(_) | Json::Number(_) | Json::String(_) => false,
    }
}
