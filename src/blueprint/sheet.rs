//! What the sections have come to so far: declarations, and what is wrong.

use std::collections::BTreeMap;

use super::declaration::Declaration;
use crate::address::{Address, Path};
use crate::diag::Diagnostic;

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
        let known: Vec<String> = known.into_iter().map(|name| format!("`{name}`")).collect();
        let fault = Diagnostic::error("E0262", format!("there is no {what} `{name}`"));
        let hint = match known.as_slice() {
            [] => format!("declare the {what} `{name}`, or leave this out"),
            [only] => format!("write {only}, the only {what}"),
            several => format!("write one of {}", several.join(", ")),
        };
        self.fault(fault.at(place, "").hint(hint));
    }

    /// The declarations by address, or all that is wrong.
    pub(super) fn finish(self) -> Result<Vec<Declaration>, Vec<Diagnostic>> {
        match self.faults.is_empty() {
            true => Ok(self.declarations.into_values().collect()),
            false => Err(self.faults),
        }
    }
}
