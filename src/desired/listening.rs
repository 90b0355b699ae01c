//! Whether the containers listen where their service's target groups send requests, as far as the task
//! definition is declared in the same spec.

use std::collections::BTreeMap;

use super::{Declared, origins};
use crate::address::{Address, Output, Path};
use crate::blueprint::Declaration;
use crate::diag::Diagnostic;
use crate::kinds::service::listening::unheard;

/// Everything to which nobody listens.
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
        for wrong in task.map(|task| unheard(service, &task.spec)).unwrap_or_default() {
            let Address { kind, name } = &draft.address;
            let place = Path::of(["aws", kind, name].into_iter().chain(wrong.way.steps()));
            let fault = Diagnostic::error("E0274", wrong.title).at(place, "").hint(wrong.hint);
            found.push(origins::relocate(draft, fault));
        }
    }
    found
}
