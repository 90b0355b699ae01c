//! Diagnostics as data: what is wrong, where, and what to do. Rendering is `report`'s business.

use std::io;

use serde::Serialize;

use crate::address::Path;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Nothing is done until it is mended.
    Error,
    /// Worth a look; does not stop anything.
    Warning,
}

/// Bytes `start..end` of one source file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Span {
    /// The file as the user named it.
    pub file: String,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// Where a label points: at a field, found in the sources when the diagnostic is shown, or at bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// The value of a field of the spec.
    Value(Path),
    /// The key of a field of the spec.
    Key(Path),
    /// Bytes of a file: for text that could not be read as a document.
    Span(Span),
}

/// What is said at the second of two places that cannot both be.
pub const THE_OTHER: &str = "the other";

/// One marked place and what is to be said about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Label {
    /// Where.
    pub place: Place,
    /// What is to be said there; may be empty.
    pub text: String,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// `E01xx` text, `E02xx` plan, `E03xx` AWS, `E04xx` state; each has a page under docs/errors.
    pub code: &'static str,
    /// A lower-case fragment without a period, names in backticks.
    pub title: String,
    /// The first is the primary one.
    pub labels: Vec<Label>,
    /// An imperative that can be followed.
    pub hint: Option<String>,
    /// Whether it is said of one value by itself, and so is true whatever else the spec says.
    #[serde(skip)]
    pub alone: bool,
}

impl Diagnostic {
    /// An error without a place yet.
    pub fn error(code: &'static str, title: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code,
            title: title.into(),
            labels: Vec::new(),
            hint: None,
            alone: false,
        }
    }

    /// A warning without a place yet.
    pub fn warning(code: &'static str, title: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, title) }
    }

    /// Points at the value of a field, saying `text`.
    #[must_use]
    pub fn at(self, path: Path, text: impl Into<String>) -> Self {
        self.label(Place::Value(path), text)
    }

    /// Points at the key of a field, saying `text`.
    #[must_use]
    pub fn at_key(self, path: Path, text: impl Into<String>) -> Self {
        self.label(Place::Key(path), text)
    }

    /// Points at bytes, saying `text`.
    #[must_use]
    pub fn at_span(self, span: Span, text: impl Into<String>) -> Self {
        self.label(Place::Span(span), text)
    }

    /// Says what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    fn label(mut self, place: Place, text: impl Into<String>) -> Self {
        self.labels.push(Label { place, text: text.into() });
        self
    }
}

/// Why a file or a folder could not be read or written, in words and without a number.
pub fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "it may not be read or written".to_owned(),
        io::ErrorKind::InvalidData => "it is not UTF-8 text".to_owned(),
        io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        io::ErrorKind::NotADirectory => "a file stands where a folder should be".to_owned(),
        io::ErrorKind::StorageFull => "the disk is full".to_owned(),
        io::ErrorKind::ReadOnlyFilesystem => "the disk is read-only".to_owned(),
        kind => kind.to_string(),
    }
}
