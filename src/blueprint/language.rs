//! The language of specs, put together: the sections' forms, the rules for their texts, the kinds.

use serde_json::Value as Json;

use super::{Document, formats, later, references, shorthands};
use crate::address::Path;
use crate::diag::Diagnostic;
use crate::kind::Shape;
use crate::kinds;
use crate::spec::{KindWords, Language};

/// Keys of which a table says only one.
const VARIANTS: &[(&str, &[&str])] =
    &[("health", &["path", "command"]), ("http", &["enabled", "path"])];

/// What a spec may say.
pub fn language() -> Language {
    let kinds = kinds::all().iter().map(|kind| {
        let outputs = kind.outputs().fields().into_iter().flat_map(|f| f.keys().cloned()).collect();
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
/// a number that is whole and yet too great.
pub fn read(document: Json) -> Result<Document, Diagnostic> {
    serde_path_to_error::deserialize(document).map_err(|error| {
        let steps = error.path().iter().map(ToString::to_string);
        let place = Path::of(steps.filter(|step| step != "."));
        Diagnostic::error("E0273", error.inner().to_string()).at(place, "")
    })
}
