//! Who lets go of the same thing: a service leaves a target group to which a rule leads, and the rule
//! leads elsewhere. Neither may do so before the other is ready for it.

use std::collections::BTreeSet;

use super::order::Draft;
use super::{Action, Because};
use crate::address::Address;
use crate::desired::Desired;
use crate::graph::Graph;
use crate::kind::{About, Live};
use crate::kinds;
use crate::kinds::listener::mismatched;
use crate::value::Value;

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

/// The ids of what `user` cannot hold on to beside their successors: it awaits who leads to them, and the two are not
/// alike. Nothing may lead to the old one by then, and what is new could not serve there.
pub(super) fn unlike(
    draft: &Draft<'_>,
    graph: &Graph,
    alike: &BTreeSet<Address>,
    user: &Address,
) -> BTreeSet<String> {
    let about = kinds::find(&user.kind).map_or(About::DEFAULT, |it| it.about());
    let is_led_to = |used: &&Address| {
        about.awaits.iter().any(|awaits| awaits.of == [used.kind.as_str()])
            && kinds::find(&used.kind).is_some_and(|it| !it.about().alike_but_for.is_empty())
    };
    let used = graph.needs(user).filter(is_led_to).filter(|used| !alike.contains(used));
    let replaced = used.filter_map(|used| match &draft.steps[*draft.makes.get(used)?].action {
        Action::Create { replaces } => replaces.clone(),
        _ => None,
    });
    replaced.collect()
}

/// Whether a listener may lead to all that is declared and that it names.
pub(super) fn may_lead(listener: &Value, desired: &Desired) -> bool {
    let named = listener.outputs().into_iter().filter_map(|it| desired.resources.get(&it.of));
    named.map(|declared| mismatched(listener, &declared.spec)).all(|wrong| wrong.is_none())
}

/// A resource without those in its lists that mention one of the ids.
pub(super) fn without(was: &Value, ids: &BTreeSet<String>) -> Value {
    let kept = |value: &Value| match value {
        Value::List(items) => {
            let stays = |item: &&Value| !ids.iter().any(|id| item.mentions(id));
            Value::List(items.iter().filter(stays).cloned().collect())
        }
        other => other.clone(),
    };
    was.fields().map(|(field, value)| (field.clone(), kept(value))).collect()
}
