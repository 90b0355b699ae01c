//! The language of specs, put together: the sections' forms, the rules for their texts, the kinds.

use serde_json::Value as Json;

use super::sheet::section_of;
use super::{Document, formats, later, references, shorthands};
use crate::address::Path;
use crate::diag::Diagnostic;
use crate::kind::Shape;
use crate::kinds;
use crate::spec::{KindWords, Language, Unread};

/// Keys of which a table says only one.
const VARIANTS: &[(&str, &[&str])] = &[
    ("count", &["tasks", "max"]),
    ("health", &["path", "command"]),
    ("http", &["enabled", "path"]),
    ("connect", &["enabled", "protocol"]),
    ("insights", &["enabled", "enhanced"]),
    ("discover", &["enabled", "name"]),
    ("vpc", &["id", "tags"]),
    ("subnets", &["ids", "tags"]),
];

/// What a spec may say.
pub fn language() -> Language {
    let kinds = kinds::all().iter().map(|kind| {
        let outputs = kind.output_shape().fields().into_iter().flat_map(|f| f.keys().cloned());
        let outputs = outputs.collect();
        (kind.name(), KindWords { shape: kind.shape(), outputs })
    });
    Language {
        root: Shape::of::<Document>(),
        shorthands: shorthands(),
        formats: formats(),
        later: later(),
        variants: VARIANTS,
        references: references(),
        kinds: kinds.collect(),
    }
}

/// The sections of a document that the loader has checked. What its forms cannot tell is told here:
/// a number that is whole and yet too great. A section that says one is left out.
pub fn read(mut document: Json, unread: &mut Unread) -> (Document, Vec<Diagnostic>) {
    let mut faults = Vec::new();
    loop {
        let error = match serde_path_to_error::deserialize(&document) {
            Ok(read) => return (read, faults),
            Err(error) => error,
        };
        let steps = error.path().iter().map(ToString::to_string);
        let place = Path::of(steps.filter(|step| step != "."));
        faults.push(Diagnostic::error("E0273", error.inner().to_string()).at(place.clone(), ""));
        let section = section_of(&place);
        // There is no way round an error that is in no section.
        if !unread.take(section, &mut document) {
            return (Document::default(), faults);
        }
    }
}
