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
    /// The key of the spec that says what a field is, by the field's way in the declaration; it holds
    /// for all that stands in the field, unless something in there has a key of its own. The key need
    /// not be written: then the field is at its default, and this is the key that would change it.
    pub origins: BTreeMap<Path, Path>,
    /// Whether a part of what says it could not be read: then only its address is certain.
    pub is_partial: bool,
}

impl Declaration {
    /// A declaration without fields.
    pub fn new(kind: &str, name: impl Into<String>, section: &Path) -> Self {
        Self {
            address: Address::new(kind, name),
            spec: Json::Object(Map::new()),
            section: section.clone(),
            origins: BTreeMap::new(),
            is_partial: false,
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
    pub(super) fn from(self, field: &str, value: impl Into<Json>, source: Path) -> Self {
        self.with(field, value).decided([field], source)
    }

    /// Sets a field that the key `source` decides, if it is written.
    #[must_use]
    pub(super) fn maybe(self, field: &str, value: Option<impl Into<Json>>, source: Path) -> Self {
        match value {
            Some(value) => self.from(field, value, source),
            None => self.decided([field], source),
        }
    }

    /// Says that the key `source` decides what stands at `way`, which need not be there.
    #[must_use]
    pub(super) fn decided<'s>(
        mut self,
        way: impl IntoIterator<Item = &'s str>,
        source: Path,
    ) -> Self {
        self.origins.insert(Path::of(way), source);
        self
    }

    /// The key that decides what stands at `way`, or the section as a whole.
    pub fn origin(&self, way: &Path) -> &Path {
        let ways = (1..=way.0.len()).rev().map(|length| Path::of(&way.0[..length]));
        ways.into_iter().find_map(|way| self.origins.get(&way)).unwrap_or(&self.section)
    }

    /// The key to point at when something is wrong with what stands at `way`: the one that decides it; where no
    /// key does by itself, what somebody laid over it by hand.
    pub fn suspect(&self, way: &Path) -> &Path {
        let within = self.origins.iter().filter(|(own, _)| own.0.starts_with(&way.0));
        let patch = within.map(|(_, key)| key).find(|key| key.first() == Some("aws"));
        let is_patched = !way.0.is_empty() && !self.origins.contains_key(way);
        patch.filter(|_| is_patched).unwrap_or_else(|| self.origin(way))
    }

    /// Whether what stands at `way` was said; else the kind made it up.
    pub fn says(&self, way: &Path) -> bool {
        way.0.iter().try_fold(&self.spec, |at, step| at.get(step)).is_some()
    }

    /// `${kind.name.output}`, as others refer to it.
    pub(super) fn output(&self, output: &str) -> String {
        format!("${{{}.{output}}}", self.address)
    }

    /// The same once more, under another name.
    pub(super) fn renamed(&self, name: &str) -> Self {
        Self { address: Address::new(&self.address.kind, name), ..self.clone() }
    }

    /// Lays what was written by hand over it: tables merge, everything else replaces.
    pub(super) fn patch(&mut self, patch: &Json) {
        let hand = Path::of(["aws", &self.address.kind, &self.address.name]);
        mark(patch, &mut Path::default(), &hand, &mut self.origins);
        lay(&mut self.spec, patch);
    }

    fn fields(&mut self) -> &mut Map<String, Json> {
        match &mut self.spec {
            Json::Object(fields) => fields,
            _ => unreachable!("a declaration is a table from its making on"),
        }
    }
}

/// Whatever a patch says comes from there, and so does all that it replaces.
fn mark(patch: &Json, way: &mut Path, hand: &Path, origins: &mut BTreeMap<Path, Path>) {
    match patch {
        Json::Object(fields) if !fields.is_empty() || way.0.is_empty() => {
            for (field, value) in fields {
                way.0.push(field.clone());
                mark(value, way, hand, origins);
                way.0.pop();
            }
        }
        _ => {
            origins.retain(|other, _| !other.starts_with(way));
            let source = hand.0.iter().chain(&way.0);
            origins.insert(way.clone(), Path::of(source));
        }
    }
}

/// The field of a table whose other fields are for what it names.
const DRIVER: &str = "driver";

fn lay(under: &mut Json, over: &Json) {
    match (under, over) {
        (Json::Object(under), Json::Object(over)) => {
            // The options of one driver mean nothing to another.
            if over.get(DRIVER).is_some_and(|driver| under.get(DRIVER) != Some(driver)) {
                under.clear();
            }
            for (key, value) in over {
                lay(under.entry(key.clone()).or_insert(Json::Null), value);
            }
        }
        (under, over) => *under = over.clone(),
    }
}
