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
            let by = leading_to(kind, &user.kind);
            let awaited: Vec<&Address> =
                users().filter(|other| by.contains(other.kind.as_str())).collect();
            if !awaited.is_empty() {
                found.extend(awaited.into_iter().chain([user]).cloned());
            }
        }
    }
    found
}

/// The kinds of what `user`, a kind, awaits because it refers to something of the kind `used`.
fn leading_to(used: &str, user: &str) -> BTreeSet<&'static str> {
    let about = kinds::find(user).map_or(About::DEFAULT, |it| it.about());
    let awaits = about.awaits.iter().filter(|awaits| awaits.of == [used]);
    awaits.flat_map(|awaits| awaits.by).copied().collect()
}

/// The ids of what `user` cannot take with it, though its successors are made: what is not alike to its
/// successor, where what is new could not serve, and what nothing leads to any more.
pub(super) fn left_behind(
    draft: &Draft<'_>,
    graph: &Graph,
    alike: &BTreeSet<Address>,
    user: &Address,
) -> BTreeSet<String> {
    let mut ids = unlike(draft, graph, alike, user);
    ids.extend(unled(draft, user));
    ids
}

/// The ids of what an interrupted run has already led everybody away from.
fn unled(draft: &Draft<'_>, user: &Address) -> BTreeSet<String> {
    let leads = |leader: &&Live, live: &Live| {
        leading_to(&live.kind, &user.kind).contains(leader.kind.as_str())
            && leader.spec.mentions(&live.id)
    };
    let left = draft.live.iter().filter(|live| is_led_to(&live.kind, &user.kind));
    let left = left.filter(|live| !draft.live.iter().any(|leader| leads(leader, live)));
    left.map(|live| live.id.clone()).collect()
}

/// Whether others lead to something of the kind `used` for its `user`, and can lead to its successor as well.
fn is_led_to(used: &str, user: &str) -> bool {
    let has_successors =
        || kinds::find(used).is_some_and(|it| !it.about().alike_but_for.is_empty());
    !leading_to(used, user).is_empty() && has_successors()
}

/// The ids of what `user` cannot hold on to beside their successors: it awaits who leads to them, and the two are not
/// alike. Nothing may lead to the old one by then, and what is new could not serve there.
fn unlike(
    draft: &Draft<'_>,
    graph: &Graph,
    alike: &BTreeSet<Address>,
    user: &Address,
) -> BTreeSet<String> {
    let used = graph.needs(user).filter(|used| is_led_to(&used.kind, &user.kind));
    let used = used.filter(|used| !alike.contains(used));
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
