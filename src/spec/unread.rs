//! The sections of a spec that could not be read. Whoever judges the others asks here, so that nothing
//! is said that follows from what is missing alone.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::meta::KEYS;
use super::node::{Entry, Node, mentions_unknown};
use super::wrong::Wrong;
use super::{Language, example};
use crate::address::{Address, Path, SURROUNDINGS};

/// The sections that could not be read, and what is known of them all the same: their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unread {
    /// `service.web`, `network`, `aws.vpc.main`; or a whole `service` that is no table of services.
    sections: BTreeSet<Path>,
    /// The names, in small letters, under headers that say neither section nor kind, whichever was
    /// meant; and the names that are none.
    strays: BTreeSet<String>,
}

impl Unread {
    /// The sections of a document with something wrong in them. None when it may be any of them: under a
    /// header that says nothing known stand sections, as they would under `defaults`.
    pub(super) fn of(tree: &Node, language: &Language, wrong: &Wrong<'_>) -> Option<Self> {
        let mut unread = Self::default();
        unread.add_strays(tree, language)?;
        let is_any_lost = unread.sections.iter().any(|path| path.0.len() == 1);
        for (section, entry) in tree.table().into_iter().flatten() {
            let depth = match section.as_str() {
                key if KEYS.contains(&key) => continue,
                SURROUNDINGS => 3,
                single if language.is_single(single) => 1,
                _ => 2,
            };
            // A section without names may go on under any header.
            if depth == 1 && is_any_lost {
                unread.insert(Path::of([section]));
            }
            unread.add(entry, Path::of([section]), depth, wrong);
        }
        Some(unread)
    }

    /// Adds what stands under a section or a kind that there is not, and names that are none. None when
    /// sections stand there.
    fn add_strays(&mut self, tree: &Node, language: &Language) -> Option<()> {
        let is_section = |(key, _): (&String, &Entry)| language.is_section(key);
        for (section, entry) in tree.table().into_iter().flatten() {
            let inside = || entry.value.table().into_iter().flatten();
            if language.is_section(section) {
                let wrong =
                    inside().map(|(name, _)| name).filter(|name| example::name(name).is_err());
                self.strays.extend(wrong.map(|name| name.to_lowercase()));
            } else if !language.knows(section) {
                let further = inside().filter_map(|(_, entry)| entry.value.table()).flatten();
                if inside().chain(further).any(is_section) {
                    return None;
                }
                self.add_stray(entry, Path::of([section]));
            }
        }
        let kinds = tree.get(SURROUNDINGS).and_then(|entry| entry.value.table());
        for (kind, entry) in kinds.into_iter().flatten() {
            if !language.kinds.contains_key(kind.as_str()) {
                self.add_stray(entry, Path::of([SURROUNDINGS, kind]));
            }
        }
        Some(())
    }

    fn add_stray(&mut self, entry: &Entry, path: Path) {
        let names = entry.value.table().into_iter().flat_map(|table| table.keys());
        self.strays.extend(names.map(|name| name.to_lowercase()));
        self.sections.insert(path);
    }

    /// Adds what is wrong of the sections that stand `depth` steps deep; and what may go on under a
    /// stray of the same name.
    fn add(&mut self, entry: &Entry, path: Path, depth: usize, wrong: &Wrong<'_>) {
        match entry.value.table() {
            Some(table) if depth > 1 && !wrong.is_at(entry.key) => {
                for (name, entry) in table {
                    self.add(entry, path.join(name), depth - 1, wrong);
                }
            }
            _ => {
                let may_go_on = path.0.last().is_some_and(|name| self.is_stray(name));
                if may_go_on || wrong.is_in(entry) {
                    self.sections.insert(path);
                }
            }
        }
    }

    /// Takes one more section out of a document. Gives back whether it was there.
    pub fn take(&mut self, section: Path, document: &mut Json) -> bool {
        let was_there = remove(&section, document);
        self.sections.insert(section);
        was_there
    }

    /// Adds a section of which something turned out to be wrong later.
    pub fn insert(&mut self, section: Path) {
        self.sections.insert(section);
    }

    /// Whether the path leads to or into a section that could not be read.
    pub fn holds(&self, path: &Path) -> bool {
        self.sections.iter().any(|section| path.starts_with(section))
    }

    /// The names of the unread entries of a section.
    pub fn names(&self, section: &str) -> impl Iterator<Item = &str> {
        self.sections.iter().filter_map(move |path| match path.steps().as_slice() {
            [first, name] if *first == section => Some(path.0[1].as_str()).filter(|n| n == name),
            _ => None,
        })
    }

    /// Whether there may be an entry of that name in a section, for all that is known.
    pub fn may_name(&self, section: &str, name: &str) -> bool {
        self.holds(&Path::of([section, name])) || self.is_stray(name)
    }

    /// Whether something of a section may be among what could not be read.
    pub fn may_hold(&self, section: &str) -> bool {
        self.names(section).next().is_some() || !self.strays.is_empty()
    }

    /// The sections, `aws.<kind>.<name>` among them.
    pub fn sections(&self) -> impl Iterator<Item = &Path> {
        self.sections.iter()
    }

    /// Whether something of that name stands under a header that says nothing known.
    pub fn is_stray(&self, name: &str) -> bool {
        self.strays.contains(&name.to_lowercase())
    }

    /// Whether `[aws.<kind>.<name>]` for a resource is among what could not be read.
    pub fn may_patch(&self, address: &Address) -> bool {
        self.holds(&Path::of([SURROUNDINGS, &address.kind, &address.name]))
            || self.is_stray(&address.name)
    }

    /// Takes the sections out of a document, so that the others can be read.
    pub(super) fn leave_out(&self, document: &mut Json) {
        for section in &self.sections {
            remove(section, document);
        }
    }
}

/// One section.
impl From<Path> for Unread {
    fn from(section: Path) -> Self {
        Self { sections: BTreeSet::from([section]), strays: BTreeSet::new() }
    }
}

/// Removes what stands at a path. Gives back whether it was there.
fn remove(path: &Path, document: &mut Json) -> bool {
    let Some((last, way)) = path.0.split_last() else { return false };
    let table = way.iter().try_fold(document, |table, step| table.get_mut(step));
    let table = table.and_then(Json::as_object_mut);
    table.is_some_and(|table| table.remove(last).is_some())
}

/// Makes texts of those that mention a variable without a value: to all who come later they are texts like
/// others.
pub(super) fn spell_variables(document: &mut Json) {
    match document {
        Json::String(text) if mentions_unknown(text) => *text = text.replace("${var.", "$${var."),
        Json::Array(items) => items.iter_mut().for_each(spell_variables),
        Json::Object(fields) => fields.values_mut().for_each(spell_variables),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}
