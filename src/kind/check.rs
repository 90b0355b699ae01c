//! Collecting what is wrong with a declaration, for the kinds' offline checks.

use std::ops::RangeInclusive;

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

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Seconds; who wrote a section gave them a unit.
    Seconds,
    /// Nothing but how many.
    Times,
}

impl Unit {
    /// `10`, `5s`, `1h (3600 s)`: as in a section, and as in the field.
    fn told(self, number: u32) -> String {
        if self == Self::Times {
            return number.to_string();
        }
        let units = [(86400, "d"), (3600, "h"), (60, "m")];
        match units.into_iter().find(|(length, _)| number > 0 && number.is_multiple_of(*length)) {
            Some((length, unit)) => format!("{}{unit} ({number} s)", number / length),
            None => format!("{number}s"),
        }
    }
}

impl Check<'_> {
    /// Reports a number that is outside of the range that AWS takes.
    pub fn within(
        &mut self,
        code: &'static str,
        field: &str,
        (value, unit): (Option<u32>, Unit),
        legal: RangeInclusive<u32>,
    ) {
        let name = field.rsplit('.').next().unwrap_or(field);
        match value {
            Some(value) if value < *legal.start() => {
                let least = unit.told(*legal.start());
                self.error(code, field, format!("`{name}` is at least {least}")).alone = true;
            }
            Some(value) if value > *legal.end() => {
                let most = unit.told(*legal.end());
                self.error(code, field, format!("`{name}` is at most {most}")).alone = true;
            }
            _ => {}
        }
    }

    /// Reports a text that is not of the form that AWS takes. What mentions an output is judged by AWS.
    pub fn form(
        &mut self,
        code: &'static str,
        field: &str,
        text: &str,
        legal: fn(&str) -> Result<(), String>,
    ) {
        if let Err(title) = legal(text)
            && !text.contains("${")
        {
            self.error(code, field, title).alone = true;
        }
    }

    /// Reports an error on the field `field` (steps separated by dots) of the declaration.
    pub fn error(
        &mut self,
        code: &'static str,
        field: &str,
        title: impl Into<String>,
    ) -> &mut Diagnostic {
        self.push(Diagnostic::error(code, title), field)
    }

    /// Like [`Check::error`], and says what to do.
    pub fn error_with(
        &mut self,
        code: &'static str,
        field: &str,
        title: impl Into<String>,
        hint: impl Into<String>,
    ) -> &mut Diagnostic {
        self.push(Diagnostic::error(code, title).hint(hint), field)
    }

    /// Reports a warning on a field.
    pub fn warning(&mut self, code: &'static str, field: &str, title: impl Into<String>) {
        self.push(Diagnostic::warning(code, title), field);
    }

    /// The path is the declaration's (`aws.<kind>.<name>.<field>`); whoever shows it finds out which
    /// field of the blueprint it came from.
    fn push(&mut self, diagnostic: Diagnostic, field: &str) -> &mut Diagnostic {
        let steps = ["aws", &self.address.kind, &self.address.name].into_iter();
        let path = Path::of(steps.chain(field.split('.').filter(|s| !s.is_empty())));
        let at = self.found.len();
        self.found.push(diagnostic.at(path, ""));
        &mut self.found[at]
    }
}
