//! Whether a service and its task definition fit together, as far as both are declared in the same spec: the
//! containers listen where the target groups send requests, both mean the same to run on, and speak of the same
//! volumes.

use std::collections::BTreeMap;

use super::{Declared, origins};
use crate::address::{Address, Output, Path};
use crate::blueprint::Declaration;
use crate::diag::Diagnostic;
use crate::kinds::service::attached::unattached;
use crate::kinds::service::connect::unnamed;
use crate::kinds::service::footing::disagreements;
use crate::kinds::service::listening::unheard;
use crate::kinds::service::registries::untold;

/// Everything to which nobody listens, and everything on which the two do not agree.
pub(super) fn check(
    resources: &BTreeMap<Address, Declared>,
    drafts: &[Declaration],
) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for draft in drafts.iter().filter(|draft| draft.address.kind == "service") {
        let Some(service) = resources.get(&draft.address).map(|declared| &declared.spec) else {
            continue;
        };
        let runs = service.get("task-definition").map(|value| value.outputs()).unwrap_or_default();
        let task = runs.first().and_then(|Output { of, .. }| resources.get(of));
        let Some(task) = task.map(|task| &task.spec) else { continue };
        let unheard = unheard(service, task).into_iter().map(|wrong| ("E0274", wrong));
        let unnamed = unnamed(service, task).into_iter().map(|wrong| ("E0341", wrong));
        let apart = disagreements(service, task).into_iter().map(|wrong| ("E0277", wrong));
        let unattached = unattached(service, task).into_iter().map(|wrong| ("E0360", wrong));
        let untold = untold(service, task).into_iter().map(|wrong| ("E0386", wrong));
        for (code, wrong) in unheard.chain(unnamed).chain(apart).chain(unattached).chain(untold) {
            let Address { kind, name } = &draft.address;
            let place = Path::of(["aws", kind, name].into_iter().chain(wrong.way.steps()));
            let fault = Diagnostic::error(code, wrong.title).at(place, "").hint(wrong.hint);
            found.push(origins::relocate(draft, fault));
        }
    }
    found
}
