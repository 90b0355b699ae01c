//! Updates that become two: what others rely on is taken away when they have moved, and not before
//! (B10, `docs/decisions/005-two-steps.md`).

use std::collections::BTreeSet;

use super::diff::diff;
use super::order::Draft;
use super::{Action, Step, parting};
use crate::address::Address;
use crate::desired::Desired;
use crate::graph::Graph;
use crate::kinds;

/// Makes two steps of each update that takes something away from who is about to move as well. Of what is
/// `alike`, old and new are used at once for a while.
pub(super) fn widen(
    draft: &mut Draft<'_>,
    alike: &BTreeSet<Address>,
    graph: &Graph,
    desired: &Desired,
) {
    let makes = &draft.makes;
    let mut moving: BTreeSet<Address> = BTreeSet::new();
    for (user, used) in graph.edges().filter(|(user, _)| makes.contains_key(user)) {
        moving.extend(makes.contains_key(used).then(|| used.clone()));
        moving.extend(alike.contains(used).then(|| user.clone()));
    }
    moving.extend(parting::together(draft));
    for address in moving {
        let step = draft.makes[&address];
        let Some(kind) = kinds::find(&address.kind) else { continue };
        let left_behind = parting::left_behind(draft, graph, alike, &address);
        let narrow = &mut draft.steps[step];
        let Action::Update { id, was, adopts: false, .. } = &mut narrow.action else { continue };
        let held = parting::without(was, &left_behind);
        let between = kind.between(&held, &narrow.spec);
        let Some(between) = between.filter(|it| parting::may_lead(it, desired)) else { continue };
        draft.makes.remove(&address);
        draft.narrows.insert(address.clone(), step);
        // An interrupted run may have left it so.
        if diff(kind.shape(), &between, was).is_empty() {
            continue;
        }
        let action = Action::Widen { id: id.clone(), was: was.clone() };
        was.clone_from(&between);
        let wide = Step { action, spec: between, edits: Vec::new(), ..narrow.clone() };
        draft.makes.insert(address, draft.steps.len());
        draft.steps.push(wide);
    }
}
