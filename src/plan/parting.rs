//! Who lets go of the same thing: a service leaves a target group to which a rule leads, and the rule
//! leads elsewhere. Neither may do so before the other is ready for it.

use std::collections::BTreeSet;

use super::order::Draft;
use super::{Action, Because};
use crate::address::Address;
use crate::kind::{About, Live};
use crate::kinds;

/// What lets go of something that goes for good, together with what it awaits because of that very thing.
/// What has a successor is another matter: its users move on to that.
pub(super) fn together(draft: &Draft<'_>) -> BTreeSet<Address> {
    let mut found = BTreeSet::new();
    for doomed in &draft.doomed {
        let delete = &draft.steps[draft.releases[doomed]].action;
        if !matches!(delete, Action::Delete { because: Because::Undeclared, .. }) {
            continue;
        }
        let Live { kind, id, .. } = draft.live[*doomed];
        let users = || {
            let updates =
                draft.makes.iter().filter(|(_, step)| match &draft.steps[**step].action {
                    Action::Update { was, .. } => was.mentions(id),
                    _ => false,
                });
            updates.map(|(address, _)| address)
        };
        for user in users() {
            let about = kinds::find(&user.kind).map_or(About::DEFAULT, |it| it.about());
            let awaits = about.awaits.iter().filter(|awaits| awaits.of == [kind.as_str()]);
            let by: BTreeSet<&str> = awaits.flat_map(|awaits| awaits.by).copied().collect();
            let awaited: Vec<&Address> =
                users().filter(|other| by.contains(other.kind.as_str())).collect();
            if !awaited.is_empty() {
                found.extend(awaited.into_iter().chain([user]).cloned());
            }
        }
    }
    found
}
