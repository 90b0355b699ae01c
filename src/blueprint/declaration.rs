//! A declaration in the making: which fields it has, and which key of the spec each comes from.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use crate::address::{Address, Path};

/// One AWS resource that the spec asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Declaration {
    /// Its address.
    pub address: Address,
    /// Its fields, in the words of its kind; texts may hold `${kind.name.output}`.
    pub spec: Json,
    /// The section that asks for it: `service.web`, or `aws.vpc.main` when it is declared by hand.
    pub section: Path,
    /// The key of the spec that says what a field is, by the field's name. The key need not be
    /// written: then the field is at its default, and this is the key that would change it.
    pub sources: BTreeMap<String, Path>,
}

impl Declaration {
    /// A declaration without fields.
    pub(super) fn new(kind: &str, name: impl Into<String>, section: &Path) -> Self {
        Self {
            address: Address::new(kind, name),
            spec: Json::Object(Map::new()),
            section: section.clone(),
            sources: BTreeMap::new(),
        }
    }

    /// Sets a field that follows from the section as a whole.
    #[must_use]
    pub(super) fn with(mut self, field: &str, value: impl Into<Json>) -> Self {
        self.fields().insert(field.to_owned(), value.into());
        self
    }

    /// Sets a field that the key `source` decides.
    #[must_use]
    pub(super) fn from(mut self, field: &str, value: impl Into<Json>, source: Path) -> Self {
        self.sources.insert(field.to_owned(), source);
        self.with(field, value)
    }

    /// Sets a field that the key `source` decides, if it is written.
    #[must_use]
    pub(super) fn maybe(self, field: &str, value: Option<impl Into<Json>>, source: Path) -> Self {
        match value {
            Some(value) => self.from(field, value, source),
            None => self,
        }
    }

    /// `${kind.name.output}`, as others refer to it.
    pub(super) fn output(&self, output: &str) -> String {
        format!("${{{}.{output}}}", self.address)
    }

    /// Lays what was written by hand over it: tables merge, everything else replaces.
    pub(super) fn patch(&mut self, patch: &Json) {
        let hand = Path::of(["aws", &self.address.kind, &self.address.name]);
        for (field, value) in patch.as_object().into_iter().flatten() {
            self.sources.insert(field.clone(), hand.join(field));
            lay(self.fields().entry(field.clone()).or_insert(Json::Null), value);
        }
    }

    fn fields(&mut self) -> &mut Map<String, Json> {
        match &mut self.spec {
            Json::Object(fields) => fields,
            _ => unreachable!("a declaration is a table from its making on"),
        }
    }
}

pub(super) fn lay(under: &mut Json, over: &Json) {
    match (under, over) {
        (Json::Object(under), Json::Object(over)) => {
            for (key, value) in over {
                lay(under.entry(key.clone()).or_insert(Json::Null), value);
            }
        }
        (under, over) => *under = over.clone(),
    }
}
