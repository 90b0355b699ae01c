//! What the sections have come to so far: declarations, what is wrong, and what could not be read.

use std::collections::BTreeMap;

use super::balancers::MAIN;
use super::declaration::Declaration;
use super::{image, network};
use crate::address::{Address, Path, SURROUNDINGS};
use crate::diag::{Diagnostic, Place};
use crate::nearest::nearest;
use crate::spec::Unread;

/// What the sections come to.
#[derive(Debug)]
pub struct Expansion {
    /// The declarations, one of each address, ordered by address.
    pub declarations: Vec<Declaration>,
    /// Everything that is wrong with the sections.
    pub faults: Vec<Diagnostic>,
    /// The sections that do not stand for all that they should: nobody could read them, or something
    /// is wrong with them.
    pub unread: Unread,
}

/// Collects declarations and faults, so that all faults are told at once.
#[derive(Debug)]
pub(super) struct Sheet {
    /// The declarations so far.
    pub(super) declarations: BTreeMap<Address, Declaration>,
    faults: Vec<Diagnostic>,
    /// The sections that could not be read.
    pub(super) unread: Unread,
}

impl Sheet {
    /// An empty one.
    pub(super) fn new(unread: Unread) -> Self {
        Self { declarations: BTreeMap::new(), faults: Vec::new(), unread }
    }

    /// Adds a declaration; two sections may not make the same one.
    pub(super) fn add(&mut self, declaration: Declaration) {
        let address = declaration.address.clone();
        let section = declaration.section.clone();
        if let Some(first) = self.declarations.get_mut(&address)
            && image::join(first, &declaration)
        {
            return;
        }
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

    /// The declarations of one kind so far.
    pub(super) fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Declaration> {
        self.declarations.values().filter(move |declaration| declaration.address.kind == kind)
    }

    /// Changes what all declarations say.
    pub(super) fn each(&mut self, change: impl Fn(&mut serde_json::Value)) {
        self.declarations.values_mut().for_each(|declaration| change(&mut declaration.spec));
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

    /// The declarations by address, and all that is wrong.
    pub(super) fn finish(self) -> Expansion {
        let Self { mut declarations, faults, unread } = self;
        let mut lacking = unread.clone();
        for label in faults.iter().flat_map(|fault| &fault.labels) {
            if let Place::Value(path) | Place::Key(path) = &label.place {
                lacking.insert(section_of(path));
            }
        }
        for (address, declaration) in &mut declarations {
            // What is declared by hand alone may be meant as a patch of what is not there.
            let is_stray =
                declaration.section.first() == Some(SURROUNDINGS) && may_declare(&lacking, address);
            declaration.is_partial =
                is_stray || unread.holds(&declaration.section) || unread.may_patch(address);
        }
        Expansion { declarations: declarations.into_values().collect(), faults, unread: lacking }
    }
}

/// Whether a resource may be declared by what could not be read: what a section stands for has the
/// section's name in its own, or is the load balancer that is made for the first public service.
pub fn may_declare(unread: &Unread, address: &Address) -> bool {
    let may = |section: &Path| match section.steps().as_slice() {
        [SURROUNDINGS, kind, name] => *kind == address.kind && *name == address.name,
        [SURROUNDINGS, kind] => *kind == address.kind || unread.is_stray(&address.name),
        // An image is called after its repository, which may be another's.
        ["service" | "task" | "daemon", _] if address.kind == image::KIND => true,
        [_, name] => address.name.contains(name) || address.name.contains(MAIN),
        ["network"] => network::KINDS.contains(&address.kind.as_str()),
        ["cluster" | "dashboard"] => address.kind == section.0[0],
        ["permissions-boundary"] => false,
        _ => true,
    };
    unread.sections().any(may)
}

/// The section that a path leads into: `service.web`, `network`, `aws.vpc.main`.
pub(super) fn section_of(path: &Path) -> Path {
    let depth = match path.first() {
        Some("network" | "cluster" | "dashboard" | "permissions-boundary") => 1,
        Some(SURROUNDINGS) => 3,
        _ => 2,
    };
    Path::of(path.0.iter().take(depth))
}
