//! Whether listeners speak what their load balancers and the target groups they lead to do, as far as all are declared
//! in the same spec.

use std::collections::BTreeMap;

use super::{Declared, origins};
use crate::address::{Address, Path};
use crate::blueprint::Declaration;
use crate::diag::Diagnostic;
use crate::kinds::listener::{mismatched, misplaced};
use crate::value::Value;

/// E0374: every listener that its load balancer would not have, and every target group to which it would not lead.
pub(super) fn check(
    resources: &BTreeMap<Address, Declared>,
    drafts: &[Declaration],
) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for draft in drafts {
        let Some(spec) = resources.get(&draft.address).map(|declared| &declared.spec) else {
            continue;
        };
        let (listener, leads) = match draft.address.kind.as_str() {
            "listener" => (Some(spec), "default-action"),
            "listener-rule" => (named(resources, spec.get("listener-arn")).next(), "action"),
            _ => continue,
        };
        let Some(listener) = listener else { continue };
        let parent = named(resources, spec.get("load-balancer-arn")).next();
        let parent = parent.and_then(|balancer| misplaced(listener, balancer));
        let groups = named(resources, spec.get(leads));
        let apart = groups.filter_map(|group| mismatched(listener, group));
        let apart = apart.map(|title| (leads, title)).next();
        let wrong = parent.map(|title| ("protocol", title)).into_iter().chain(apart);
        for (field, title) in wrong {
            let Address { kind, name } = &draft.address;
            let place = Path::of(["aws", kind, name, field]);
            let fault = Diagnostic::error("E0374", title).at(place, "");
            let hint = "let them speak the same: HTTP with an `application` load balancer, TCP and UDP with a \
                        `network` one";
            found.push(origins::relocate(draft, fault.hint(hint)));
        }
    }
    found
}

/// The declared resources that a field refers to.
fn named<'r>(
    resources: &'r BTreeMap<Address, Declared>,
    field: Option<&Value>,
) -> impl Iterator<Item = &'r Value> {
    let outputs = field.map(Value::outputs).unwrap_or_default();
    outputs.into_iter().filter_map(|output| Some(&resources.get(&output.of)?.spec))
}
