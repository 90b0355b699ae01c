//! The language a spec is written in, as data: the loader knows no section by name.

use std::collections::{BTreeMap, BTreeSet};

use crate::kind::{Field, Shape};

use super::meta::{self, LEASE, STACK, STORE, TTL};
use super::rules::{Format, Later, Reference, Shorthand};
use super::vars;

/// What a spec may say: given by the blueprint and the registry of kinds.
#[derive(Debug)]
pub struct Language {
    /// The sections: `network`, `service` … and `aws`.
    pub root: Shape,
    /// What scalars may stand for.
    pub shorthands: &'static [Shorthand],
    /// What forms texts may have to have.
    pub formats: &'static [Format],
    /// What is known of and not there yet.
    pub later: &'static [Later],
    /// Keys of which a table says only one, by the shorthand's name: `health` is a `path` or a
    /// `command`. A layer that says the other one replaces the table.
    pub variants: &'static [(&'static str, &'static [&'static str])],
    /// What the sections' names mean in `${…}`.
    pub references: &'static [Reference],
    /// The kinds of `[aws.<kind>.<name>]`.
    pub kinds: BTreeMap<&'static str, KindWords>,
}

/// What the language knows of a kind.
#[derive(Debug, Clone)]
pub struct KindWords {
    /// The form of a declaration.
    pub shape: &'static Shape,
    /// The names of its outputs.
    pub outputs: BTreeSet<String>,
}

impl Language {
    /// The shorthand called `name`.
    pub(crate) fn shorthand(&self, name: &str) -> Option<&Shorthand> {
        self.shorthands.iter().chain([&vars::SHORTHAND]).find(|rule| rule.name == name)
    }

    /// The keys of which a table with this shorthand says only one.
    pub(crate) fn variants(&self, shorthand: Option<&str>) -> &'static [&'static str] {
        let found = self.variants.iter().find(|(name, _)| Some(*name) == shorthand);
        found.map_or(&[], |(_, keys)| keys)
    }

    /// The format called `name`.
    pub(crate) fn format(&self, name: &str) -> Option<&Format> {
        self.formats.iter().chain([&TTL, &STACK, &STORE, &LEASE]).find(|rule| rule.name == name)
    }

    /// Whether the key stands for a section, or is one that belongs to none.
    pub(crate) fn knows(&self, key: &str) -> bool {
        meta::KEYS.contains(&key) || self.is_section(key)
    }

    /// Whether the key stands for a section.
    pub(crate) fn is_section(&self, key: &str) -> bool {
        self.root.fields().is_some_and(|sections| sections.contains_key(key))
    }

    /// Whether a section is one thing, and no table of named things.
    pub(crate) fn is_single(&self, section: &str) -> bool {
        let field = self.root.fields().and_then(|fields| fields.get(section));
        field.is_some_and(|field| !matches!(field.shape, Shape::Map(_)))
    }

    /// The form of a whole spec: the sections, and the keys that belong to none.
    pub fn spec(&self) -> Shape {
        let mut fields = Shape::of::<meta::Meta>().fields().cloned().unwrap_or_default();
        fields.extend(self.root.fields().cloned().unwrap_or_default());
        if let Some(field) = fields.get_mut("defaults") {
            field.shape = self.defaults();
        }
        Shape::record(fields)
    }

    /// The form of `[defaults]`: under a section's name what each of its entries may say.
    fn defaults(&self) -> Shape {
        let sections = self.root.fields().into_iter().flatten();
        let field = |(name, field): (&String, &Field)| {
            let shape = match &field.shape {
                Shape::Map(entry) => (**entry).clone(),
                whole => whole.clone(),
            };
            (name.clone(), Field { shape, ..field.clone() })
        };
        // A default for every resource of a kind would be a second way to say what sections say.
        let sections = sections.filter(|(name, _)| *name != crate::address::SURROUNDINGS);
        Shape::record(sections.map(field).collect())
    }
}
