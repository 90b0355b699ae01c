//! Collecting what is wrong with a declaration, for the kinds' offline checks.

use super::StackId;
use crate::address::{Address, Path};
use crate::diag::Diagnostic;

/// Collects what is wrong with one declaration.
#[derive(Debug)]
pub struct Check<'a> {
    /// The stack it belongs to.
    pub stack: &'a StackId,
    /// The resource's address.
    pub address: &'a Address,
    /// Whether a field's text still mentions an output and so cannot be judged yet is the kind's to
    /// ask: such text contains `${`.
    pub found: Vec<Diagnostic>,
}

impl Check<'_> {
    /// Reports an error on the field `field` (steps separated by dots) of the declaration.
    pub fn error(&mut self, code: &'static str, field: &str, title: impl Into<String>) {
        self.push(Diagnostic::error(code, title), field, None);
    }

    /// Like [`Check::error`], and says what to do.
    pub fn error_with(
        &mut self,
        code: &'static str,
        field: &str,
        title: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.push(Diagnostic::error(code, title), field, Some(hint.into()));
    }

    /// Reports a warning on a field.
    pub fn warning(&mut self, code: &'static str, field: &str, title: impl Into<String>) {
        self.push(Diagnostic::warning(code, title), field, None);
    }

    /// The path is the declaration's (`aws.<kind>.<name>.<field>`); whoever shows it finds out which
    /// field of the blueprint it came from.
    fn push(&mut self, diagnostic: Diagnostic, field: &str, hint: Option<String>) {
        let steps = ["aws", &self.address.kind, &self.address.name].into_iter();
        let path = Path::of(steps.chain(field.split('.').filter(|s| !s.is_empty())));
        let diagnostic = diagnostic.at(path, "");
        self.found.push(match hint {
            Some(hint) => diagnostic.hint(hint),
            None => diagnostic,
        });
    }
}
