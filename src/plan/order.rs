//! In what order things go: one rule for replacement and destruction.
//!
//! A doomed object's delete comes after the step that creates its successor and after the steps by
//! which every live object that mentions it lets go. Where two cannot stand side by side
//! ([`crate::kind::About::exclusive`]) the first half is turned round.

use std::collections::{BTreeMap, BTreeSet};

use super::holders::Holders;
use super::ring::{in_order, renumbered};
use super::{Action, Because, Step, StepId};
use crate::address::{Address, Path};
use crate::diag::Diagnostic;
use crate::graph::Graph;
use crate::kind::{Condition, Live};
use crate::kinds;
use crate::value::Value;

/// The steps of a plan in the making, with who they belong to.
pub(super) struct Draft<'a> {
    /// The live objects that belong to the stack.
    pub(super) live: Vec<&'a Live>,
    /// The steps so far.
    pub(super) steps: Vec<Step>,
    /// The step that makes a declared resource what it should be.
    pub(super) makes: BTreeMap<Address, StepId>,
    /// Where that is not the end of it: the step that takes away what others relied on.
    pub(super) narrows: BTreeMap<Address, StepId>,
    /// The step after which a live object is gone or no longer says what it says.
    pub(super) releases: BTreeMap<usize, StepId>,
    /// The live objects that are deleted.
    pub(super) doomed: BTreeSet<usize>,
}

impl Draft<'_> {
    /// Fills in what each step waits for, and puts the steps in an order that obeys it.
    pub(super) fn ordered(mut self, graph: &Graph) -> Result<Vec<Step>, Vec<Diagnostic>> {
        if self.steps.is_empty() {
            return Ok(Vec::new());
        }
        let mut after: Vec<BTreeSet<StepId>> = vec![BTreeSet::new(); self.steps.len()];
        self.after_needs(graph, &mut after);
        let exclusions = self.exclusions();
        for (later, earlier) in &exclusions {
            after[*later].insert(*earlier);
        }
        self.after_handing_over(&mut after);
        // Only what goes has to wait for those who hold it.
        if !self.doomed.is_empty() {
            let holders = Holders::of(&self.live);
            let refused = self.after_holders(&holders, &exclusions, &mut after);
            if !refused.is_empty() {
                return Err(refused);
            }
            self.after_awaiting(&holders, &exclusions, &mut after);
            self.after_followers(&holders, &mut after);
        }
        match in_order(&after) {
            Ok(order) => Ok(renumbered(std::mem::take(&mut self.steps), &order, &after)),
            Err(ring) => Err(vec![self.refuse_ring(&ring, &exclusions)]),
        }
    }

    /// A step comes after the steps of what its resource needs; what needs no step passes on what it
    /// needs itself. What a resource served before is taken away after its users' steps.
    fn after_needs(&self, graph: &Graph, after: &mut [BTreeSet<StepId>]) {
        let mut through: BTreeMap<&Address, BTreeSet<StepId>> = BTreeMap::new();
        for address in graph.order() {
            let mut steps = BTreeSet::new();
            for need in graph.needs(address) {
                match self.makes.get(need) {
                    Some(step) => drop(steps.insert(*step)),
                    None => steps.extend(through.get(need).into_iter().flatten()),
                }
            }
            let own = [self.makes.get(address), self.narrows.get(address)];
            for step in own.into_iter().flatten() {
                after[*step].extend(&steps);
            }
            through.insert(address, steps);
        }
        for (user, used) in graph.edges().filter(|(user, used)| !graph.only_follows(user, used)) {
            let Some(narrow) = self.narrows.get(used) else { continue };
            after[*narrow].extend(self.makes.get(user));
            if let Some(last) = self.narrows.get(user) {
                after[*last].insert(*narrow);
            }
        }
        for (address, narrow) in &self.narrows {
            after[*narrow].extend(self.makes.get(address));
        }
    }

    /// Pairs (later, earlier): the later step takes what AWS gives only once, the earlier lets go of it.
    fn exclusions(&self) -> Vec<(StepId, StepId)> {
        let mut holders: BTreeMap<(&str, String), StepId> = BTreeMap::new();
        for (object, step) in &self.releases {
            let live = self.live[*object];
            if let Some(key) = exclusive_key(&live.kind, &live.spec) {
                holders.insert((&live.kind, key), *step);
            }
        }
        let mut pairs = Vec::new();
        for (id, step) in self.steps.iter().enumerate() {
            if matches!(step.action, Action::Delete { .. } | Action::Settle { .. }) {
                continue;
            }
            let Some(key) = exclusive_key(&step.address.kind, &step.spec) else { continue };
            let holder = holders.get(&(step.address.kind.as_str(), key)).copied();
            let own = self.narrows.get(&step.address);
            let other = holder.filter(|holder| *holder != id && Some(holder) != own);
            pairs.extend(other.map(|holder| (id, holder)));
        }
        // Two listener rules may trade places: neither comes first, and their kind knows how to.
        let before: BTreeMap<StepId, StepId> = pairs.iter().copied().collect();
        pairs.retain(|(later, _)| !in_ring(*later, &before));
        pairs.extend(self.contentions());
        pairs
    }

    /// A delete comes after the successor's creation, and after all that mention the object let go.
    fn after_holders(
        &self,
        holders: &Holders,
        exclusions: &[(StepId, StepId)],
        after: &mut [BTreeSet<StepId>],
    ) -> Vec<Diagnostic> {
        let mut refused = Vec::new();
        for object in &self.doomed {
            let live = self.live[*object];
            let delete = self.releases[object];
            let successor = self.successor(*object);
            // The successor cannot stand beside it, so whoever mentions the old one has nothing to turn
            // to before it is gone.
            let first = exclusions.iter().any(|(_, earlier)| *earlier == delete);
            if let (Some(step), false) = (successor, first) {
                after[delete].insert(step);
            }
            let dangles = kinds::find(&live.kind).is_some_and(|kind| kind.about().dangles);
            let leaving = matches!(live.condition, Condition::Leaving(_));
            if leaving || first && dangles {
                continue;
            }
            for holder in holders.mentioned_by(*object) {
                if first && !self.doomed.contains(holder) {
                    refused.push(refuse_dangling(live, self.live[*holder]));
                } else {
                    after[delete].extend(self.released(*holder, holders));
                }
            }
            after[delete].remove(&delete);
        }
        refused
    }

    /// What gives a member away comes after what takes it: no subnet is without a way out meanwhile. Two
    /// that trade members cannot both come last.
    fn after_handing_over(&self, after: &mut [BTreeSet<StepId>]) {
        let mut pairs = BTreeSet::new();
        for (object, gives) in &self.releases {
            let live = self.live[*object];
            let Some(kind) = kinds::find(&live.kind) else { continue };
            for field in kind.about().hands_over {
                let held = live.spec.get(field).map(Value::texts).unwrap_or_default();
                let takes = |step: &Step| {
                    let wants = step.spec.get(field).map(Value::texts).unwrap_or_default();
                    step.address.kind == live.kind && wants.iter().any(|it| held.contains(it))
                };
                let takers = self.steps.iter().enumerate().filter(|(_, step)| takes(step));
                pairs.extend(takers.map(|(taker, _)| (*gives, taker)));
            }
        }
        for (gives, takes) in &pairs {
            if gives != takes && !pairs.contains(&(*takes, *gives)) {
                after[*gives].insert(*takes);
            }
        }
    }

    fn successor(&self, object: usize) -> Option<StepId> {
        let live = self.live[object];
        let step = *self.makes.get(live.address.as_ref()?)?;
        match &self.steps[step].action {
            Action::Create { replaces: Some(id) } if *id == live.id => Some(step),
            _ => None,
        }
    }

    /// Of an object that serves old and new for a while: the step by which it begins to, and the one by
    /// which it ends.
    pub(super) fn moves(&self, object: usize) -> (Option<StepId>, Option<StepId>) {
        let Some(address) = &self.live[object].address else { return (None, None) };
        let last = self.narrows.get(address).filter(|_| !self.doomed.contains(&object));
        (self.makes.get(address).copied(), last.copied())
    }

    /// The steps after which `object` no longer holds on to what it mentions. A revision is immutable:
    /// the old one lets go when those who use it have moved on to the new one.
    pub(super) fn released(&self, object: usize, holders: &Holders) -> BTreeSet<StepId> {
        let mut steps: BTreeSet<StepId> = self.releases.get(&object).copied().into_iter().collect();
        let live = self.live[object];
        let renews = kinds::find(&live.kind).is_some_and(|kind| !kind.about().renews.is_empty());
        let deleted = self.doomed.contains(&object);
        if renews && !deleted && !(steps.is_empty() && live.earlier.is_empty()) {
            for user in holders.mentioned_by(object) {
                steps.extend(self.released(*user, holders));
            }
        }
        steps
    }
}

fn refuse_dangling(live: &Live, holder: &Live) -> Diagnostic {
    let show = |live: &Live| live.address.as_ref().map_or(live.id.clone(), Address::to_string);
    let (name, by) = (show(live), show(holder));
    let title = format!("{name} cannot be replaced while {by} uses it");
    let hint =
        format!("give the successor of {name} another name in the spec, and move {by} to it");
    let path = Path::of(["aws".to_owned(), live.kind.clone()]);
    Diagnostic::error("E0205", title).at(path, "").hint(hint)
}

/// Whether following `before` from `step` leads back to it.
fn in_ring(step: StepId, before: &BTreeMap<StepId, StepId>) -> bool {
    let mut at = before.get(&step);
    for _ in before {
        match at {
            Some(other) if *other == step => return true,
            Some(other) => at = before.get(other),
            None => return false,
        }
    }
    false
}

/// What the fields say that AWS gives only once; `None` while one of them is not known.
fn exclusive_key(kind: &str, spec: &Value) -> Option<String> {
    let fields = kinds::find(kind)?.about().exclusive;
    if fields.is_empty() {
        return None;
    }
    let values: Option<Vec<String>> = fields
        .iter()
        .map(|field| match spec.get(field) {
            Some(value) => Some(value.lower().ok()?.to_string()),
            None => Some(String::new()),
        })
        .collect();
    // Nothing given is nothing taken: a private NAT gateway has no address.
    values.filter(|values| values.iter().any(|value| !value.is_empty())).map(|v| v.join("\n"))
}

impl Because {
    /// In words, for plans.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Destroyed => "the stack is destroyed",
            Self::Undeclared => "no longer declared",
            Self::Replaced => "replaced",
            Self::LeftOver => "left over from an interrupted run",
            Self::Broken => "failed, and will not come back",
            Self::Leaving => "being deleted already",
        }
    }
}
