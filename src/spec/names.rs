//! The names that a document gives: of sections' entries and of declared resources.

use std::collections::{BTreeMap, BTreeSet};

use super::Language;
use super::node::{Node, Table};
use super::rules::Reference;
use crate::address::SURROUNDINGS;

/// What texts may refer to by name.
#[derive(Debug, Default)]
pub(crate) struct Names {
    sections: BTreeMap<String, BTreeSet<String>>,
    kinds: BTreeMap<String, BTreeSet<String>>,
    /// The names under headers that say neither section nor kind: whichever was meant, that has been
    /// told, and who refers to them is not wrong.
    strays: BTreeSet<String>,
}

impl Names {
    /// The names in some layers together.
    pub(crate) fn new<'n>(layers: impl IntoIterator<Item = &'n Node>, language: &Language) -> Self {
        let mut names = Self::default();
        for (section, entry) in layers.into_iter().filter_map(Node::table).flatten() {
            let Some(entries) = entry.value.table() else { continue };
            if section == SURROUNDINGS {
                names.add_kinds(entries, language);
            } else if language.knows(section) {
                let named = names.sections.entry(section.clone()).or_default();
                named.extend(entries.keys().cloned());
            } else {
                names.strays.extend(entries.keys().cloned());
            }
        }
        names
    }

    fn add_kinds(&mut self, kinds: &Table, language: &Language) {
        for (kind, entry) in kinds {
            let entries = entry.value.table().into_iter().flat_map(|table| table.keys());
            match language.kinds.contains_key(kind.as_str()) {
                true => self.kinds.entry(kind.clone()).or_default().extend(entries.cloned()),
                false => self.strays.extend(entries.cloned()),
            }
        }
    }

    /// Whether something that `reference` is about may have the name.
    pub(crate) fn has(&self, reference: &Reference, name: &str) -> bool {
        self.strays.contains(name) || self.of(reference).any(|one| one == name)
    }

    /// The names of what `reference` is about.
    pub(crate) fn of(&self, reference: &Reference) -> impl Iterator<Item = &str> {
        let sections = self.sections.get(reference.section).into_iter().flatten();
        let kinds = self.kinds.get(reference.kind).into_iter().flatten();
        sections.chain(kinds).map(String::as_str)
    }
}
