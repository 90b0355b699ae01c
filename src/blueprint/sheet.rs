//! What the sections have come to so far: declarations, and what is wrong.

use std::collections::BTreeMap;

use super::declaration::Declaration;
use crate::address::{Address, Path};
use crate::diag::Diagnostic;
use crate::nearest::nearest;

/// Collects declarations and faults, so that all faults are told at once.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    declarations: BTreeMap<Address, Declaration>,
    faults: Vec<Diagnostic>,
}

impl Sheet {
    /// Adds a declaration; two sections may not make the same one.
    pub(super) fn add(&mut self, declaration: Declaration) {
        let address = declaration.address.clone();
        let section = declaration.section.clone();
        if let Some(first) = self.declarations.insert(address.clone(), declaration) {
            let title = format!("`{}` and `{section}` both stand for `{address}`", first.section);
            let fault = Diagnostic::error("E0271", title).at_key(section, "");
            self.fault(fault.hint("give one of them another name"));
        }
    }

    /// The declaration at `address`, made now if no section made it.
    pub(super) fn at(&mut self, address: &Address, section: &Path) -> &mut Declaration {
        let new = || Declaration::new(&address.kind, &address.name, section);
        self.declarations.entry(address.clone()).or_insert_with(new)
    }

    /// Adds what is wrong.
    pub(super) fn fault(&mut self, fault: Diagnostic) {
        self.faults.push(fault);
    }

    /// Says that `name`, written at `place`, is none of the known ones.
    pub(super) fn unknown<'n>(
        &mut self,
        what: &str,
        name: &str,
        place: Path,
        known: impl IntoIterator<Item = &'n String>,
    ) {
        let known: Vec<&str> = known.into_iter().map(String::as_str).collect();
        let fault = Diagnostic::error("E0262", format!("there is no {what} `{name}`"));
        let (label, hint) = match (nearest(name, known.iter().copied()), known.as_slice()) {
            (Some(near), _) => (format!("did you mean `{near}`?"), format!("write `{near}`")),
            (None, []) => (String::new(), format!("declare `{name}`, or leave this out")),
            (None, [only]) => (String::new(), format!("write `{only}`, the only {what}")),
            (None, several) => (String::new(), format!("write one of `{}`", several.join("`, `"))),
        };
        self.fault(fault.at(place, label).hint(hint));
    }

    /// The declarations by address, or all that is wrong.
    pub(super) fn finish(self) -> Result<Vec<Declaration>, Vec<Diagnostic>> {
        match self.faults.is_empty() {
            true => Ok(self.declarations.into_values().collect()),
            false => Err(self.faults),
        }
    }
}
