//! In what order things go that do not mention each other: what was awaited on the way up, and what merely
//! came first.

use std::collections::BTreeSet;

use super::holders::Holders;
use super::order::Draft;
use super::{Action, StepId};
use crate::kinds;

impl Draft<'_> {
    /// What came first goes last where both go; unless it has to make room for what the other waits for.
    pub(super) fn after_followers(&self, holders: &Holders, after: &mut [BTreeSet<StepId>]) {
        for object in &self.doomed {
            let goes = self.releases[object];
            let first = holders.follows(*object).iter().filter(|it| self.doomed.contains(it));
            for last in first.map(|first| self.releases[first]) {
                if !waits_for(goes, last, after) {
                    after[last].insert(goes);
                }
            }
        }
    }

    /// What a live object awaited on its way up outlives it on its way down: the listener rule goes
    /// after the service whose target group it forwards to. But for what has to go before its successor comes:
    /// that is awaited in turn.
    pub(super) fn after_awaiting(
        &self,
        holders: &Holders,
        exclusions: &[(StepId, StepId)],
        after: &mut [BTreeSet<StepId>],
    ) {
        for object in self.releases.keys() {
            let (moved, last) = self.moves(*object);
            for (shared, awaited) in self.awaited(*object, holders) {
                let goes = self.releases[&awaited];
                if exclusions.iter().any(|(_, earlier)| *earlier == goes) {
                    continue;
                }
                match last {
                    // It stays, and lets go of what nothing leads to any more.
                    Some(last) if self.keeps_for_a_while(last, shared) => {
                        after[goes].extend(moved);
                        after[last].insert(goes);
                    }
                    Some(_) => after[goes].extend(moved),
                    None => after[goes].extend(self.released(*object, holders)),
                }
            }
        }
    }

    /// The doomed objects that a live one awaited, each with what both mention.
    fn awaited(&self, object: usize, holders: &Holders) -> Vec<(usize, usize)> {
        let about = kinds::find(&self.live[object].kind).map(|kind| kind.about());
        let mut found = Vec::new();
        for awaits in about.iter().flat_map(|about| about.awaits) {
            let shared = awaits.of.iter().fold(vec![object], |at, kind| {
                let mentioned = at.iter().flat_map(|object| holders.mentions(*object)).copied();
                mentioned.filter(|other| self.live[*other].kind == *kind).collect()
            });
            let is_awaited = |other: &usize| {
                *other != object
                    && self.doomed.contains(other)
                    // What it mentions itself outlives it anyway.
                    && !holders.mentions(object).contains(other)
                    && awaits.by.contains(&self.live[*other].kind.as_str())
                    // The route table of the private subnets mentions the NAT gateway, and goes first.
                    && !holders.mentions(*other).contains(&object)
            };
            for shared in shared {
                let others = holders.mentioned_by(shared).iter().copied().filter(is_awaited);
                found.extend(others.map(|other| (shared, other)));
            }
        }
        found
    }

    /// Whether what is narrowed by the step `last` holds on to a live object until then, and no longer.
    fn keeps_for_a_while(&self, last: StepId, object: usize) -> bool {
        let (step, id) = (&self.steps[last], &self.live[object].id);
        match &step.action {
            Action::Update { was, .. } => was.mentions(id) && !step.spec.mentions(id),
            _ => false,
        }
    }
}

/// Whether `step` waits for `other`, directly or not.
fn waits_for(step: StepId, other: StepId, after: &[BTreeSet<StepId>]) -> bool {
    let (mut seen, mut todo) = (BTreeSet::new(), vec![step]);
    while let Some(at) = todo.pop() {
        if at == other {
            return true;
        }
        if seen.insert(at) {
            todo.extend(&after[at]);
        }
    }
    false
}
