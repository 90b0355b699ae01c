//! From what is and what should be to the steps between. Pure: no clock, no network.

use std::collections::{BTreeMap, BTreeSet};

use super::built_on::{Grounds, renaming};
use super::diff::diff;
use super::given::Seen;
use super::name::{beside, is_name_or_successor};
use super::order::Draft;
use super::{Action, Because, Edit, Plan, Purpose, Step, StepId};
use super::{given, moved, refused, widening};
use crate::address::{Address, Output};
use crate::desired::{Declared, Desired};
use crate::diag::Diagnostic;
use crate::graph::Graph;
use crate::kind::{Condition, Live, Registered, Remains, TAG_PROTECT, TagChange};
use crate::kinds;
use crate::snapshot::{Snapshot, is_ours};
use crate::value::{Known, Value};

mod adopting;

/// What the user allows.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Resources that may be taken over although they are not ours.
    pub adopt: BTreeSet<Address>,
}

/// The steps from what `snapshot` saw to what `desired` declares, or why there can be none.
pub fn plan(
    desired: &Desired,
    snapshot: &Snapshot,
    purpose: Purpose,
    options: &Options,
) -> Result<Plan, Vec<Diagnostic>> {
    let cycle = |cycle| vec![Diagnostic::error("E0204", format!("a circle of needs: {cycle}"))];
    let graph = Graph::of(desired.specs()).map_err(cycle)?;
    let mut planner = Planner::new(desired, snapshot, purpose, options);
    planner.look_at_grounds();
    for address in graph.order() {
        planner.declare(address, &desired.resources[address]);
    }
    planner.doom_the_undeclared();
    widening::widen(&mut planner.draft, &planner.alike, &graph, planner.desired);
    if purpose == Purpose::Destroy {
        planner.refuse_protected();
    }
    if !planner.refused.is_empty() {
        return Err(planner.refused);
    }
    Ok(Plan {
        stack: desired.stack.clone(),
        account: snapshot.surroundings.account.clone(),
        purpose,
        unchanged: planner.unchanged,
        images: given::images(&planner.given),
        steps: planner.draft.ordered(&graph)?,
    })
}

struct Planner<'a> {
    desired: &'a Desired,
    purpose: Purpose,
    options: &'a Options,
    /// Ours, by the address in their tags, as indices of `draft.live`.
    claims: BTreeMap<&'a Address, Vec<usize>>,
    /// Not ours, but under a name that may be wanted.
    foreign: Vec<&'a Live>,
    /// What others make and this stack only looks at.
    given: BTreeMap<&'a Address, &'a Live>,
    known: Known,
    /// What has to be replaced along with what stands on it.
    grounds: Grounds,
    /// Of what is replaced, that which can be used together with its successor.
    alike: BTreeSet<Address>,
    unchanged: usize,
    refused: Vec<Diagnostic>,
    draft: Draft<'a>,
}

/// How a declared resource compares with the object that stands for it.
struct Comparison {
    edits: Vec<Edit>,
    tags: TagChange,
    spec: Value,
}

impl<'a> Planner<'a> {
    fn new(
        desired: &'a Desired,
        snapshot: &'a Snapshot,
        purpose: Purpose,
        options: &'a Options,
    ) -> Self {
        let (ours, foreign): (Vec<&Live>, Vec<&Live>) =
            snapshot.live.iter().partition(|live| is_ours(live, &desired.stack));
        let (given, ours) = given::apart(ours);
        let mut claims: BTreeMap<&Address, Vec<usize>> = BTreeMap::new();
        for (index, live) in ours.iter().enumerate() {
            let address = live.address.as_ref().filter(|address| address.kind == live.kind);
            if let Some(address) = address {
                claims.entry(address).or_default().push(index);
            }
        }
        let draft = Draft {
            live: ours,
            steps: Vec::new(),
            makes: BTreeMap::new(),
            narrows: BTreeMap::new(),
            releases: BTreeMap::new(),
            doomed: BTreeSet::new(),
        };
        let known = snapshot.surroundings.known();
        let (grounds, alike) = (Grounds::default(), BTreeSet::new());
        let (unchanged, refused) = (0, Vec::new());
        Self {
            desired,
            purpose,
            options,
            claims,
            foreign,
            given,
            known,
            grounds,
            alike,
            unchanged,
            refused,
            draft,
        }
    }

    fn look_at_grounds(&mut self) {
        self.grounds = Grounds::of(self.desired, &self.draft.live, |kind, address, live| {
            let spec = self.desired.resources[address].spec.resolve(&self.known);
            let edits = self.compare(kind, address, &spec, live).edits;
            edits.into_iter().filter(|edit| edit.replaces).map(|edit| edit.path).collect()
        });
    }

    /// Finds what is to be done about one declared resource.
    fn declare(&mut self, address: &'a Address, declared: &Declared) {
        let Some(kind) = kinds::find(&address.kind) else { return };
        let spec = declared.spec.resolve(&self.known);
        if let Remains::Given { until } = kind.about().remains {
            self.look_for(kind, address, spec, until);
            return;
        }
        let claims = self.claims.remove(address).unwrap_or_default();
        let mut standing = Vec::new();
        let mut broken = None;
        for index in claims {
            match self.draft.live[index].condition {
                Condition::Ready | Condition::Settling(_) => standing.push(index),
                Condition::Broken(_) => {
                    broken = Some(index);
                    self.doom(index, Because::Broken);
                }
                Condition::Leaving(_) => self.doom(index, Because::Leaving),
                Condition::Unfit(_) => unreachable!("what is given was taken out of what is ours"),
            }
        }
        // Of several that claim the address, the one that can stay: a run was interrupted between the
        // creation of a successor and the deletion of the old one.
        let mut compared: Vec<(usize, Comparison)> = standing
            .into_iter()
            .map(|index| (index, self.compare(kind, address, &spec, self.draft.live[index])))
            .collect();
        if compared.len() > 1 {
            compared.sort_by_key(|(index, comparison)| {
                let goes = comparison.replaces() || self.grounds.is_spent(*index);
                (goes, !self.grounds.carries(*index, &self.draft.live))
            });
        }
        let mut compared = compared.into_iter();
        let chosen = compared.next();
        if let Some((index, comparison)) = &chosen {
            self.refuse_lost(kind, &comparison.spec, *index);
        }
        for (index, comparison) in compared {
            self.doom(index, Because::LeftOver);
            self.note_alike(kind, address, &comparison);
        }
        match chosen {
            Some((index, comparison)) if comparison.replaces() || self.grounds.is_spent(index) => {
                self.doom(index, Because::Replaced);
                self.note_alike(kind, address, &comparison);
                self.create(kind, address, comparison.spec, Some((index, comparison.edits)));
            }
            Some((index, comparison)) => self.keep(kind, address, index, comparison),
            None => self.create_or_adopt(kind, address, spec, broken),
        }
    }

    /// What somebody else makes.
    fn look_for(&mut self, kind: &Registered, address: &Address, spec: Value, until: &str) {
        let section = &self.desired.resources[address].section;
        match given::seen(self.given.get(address).copied(), &spec, until, section) {
            Seen::There(outputs) => self.known.learn(address, outputs),
            Seen::InTheWay(refused) => self.refused.push(refused),
            Seen::Awaited(action) => {
                let step = self.push(kind, address, action, spec, Vec::new());
                self.draft.makes.insert(address.clone(), step);
            }
        }
    }

    fn refuse_lost(&mut self, kind: &Registered, spec: &Value, index: usize) {
        let lost = refused::lost(kind, spec, &self.draft.live, index, &self.desired.stack);
        // Much may stand in one thing.
        let new: Vec<Diagnostic> = lost.filter(|one| !self.refused.contains(one)).collect();
        self.refused.extend(new);
    }

    fn compare(
        &self,
        kind: &Registered,
        address: &Address,
        spec: &Value,
        live: &Live,
    ) -> Comparison {
        let mut spec = spec.clone();
        if let Some(naming) = kind.about().naming.filter(|naming| naming.suffix) {
            let live = live.spec.text("name");
            let same = |base| live.filter(|live| is_name_or_successor(live, base, naming));
            if let Some(name) = spec.text("name").and_then(same) {
                spec.set("name", Value::Text(name.to_owned()));
            }
        }
        moved::leave(kind.about(), address, &mut spec, live, (self.desired, &self.draft.live));
        let tags = match kind.about().remains {
            Remains::Tagged => TagChange::between(&live.tags, &self.desired.tags_of(address)),
            Remains::Untagged | Remains::Nothing | Remains::Given { .. } => TagChange::default(),
        };
        Comparison { edits: diff(kind.shape(), &spec, &live.spec), tags, spec }
    }

    fn note_alike(&mut self, kind: &Registered, address: &Address, comparison: &Comparison) {
        let fields = kind.about().alike_but_for;
        let mut forcing = comparison.edits.iter().filter(|edit| edit.replaces);
        if forcing.all(|edit| edit.path.0.first().is_some_and(|it| fields.contains(&it.as_str()))) {
            self.alike.insert(address.clone());
        }
    }

    /// The object stays; it may have to be changed or waited for.
    fn keep(&mut self, kind: &Registered, address: &Address, index: usize, comparison: Comparison) {
        let live = self.draft.live[index];
        let mut outputs = live.outputs.clone();
        if !comparison.edits.is_empty() {
            let renews = kind.about().renews;
            outputs.retain(|output, _| !renews.contains(&output.as_str()));
        }
        self.known.learn(address, outputs);
        let id = live.id.clone();
        let action = if !comparison.edits.is_empty() || !comparison.tags.is_empty() {
            let was = live.spec.clone();
            Action::Update { id, was, tags: comparison.tags, adopts: false }
        } else if let Condition::Settling(why) = &live.condition {
            Action::Settle { id, why: why.clone() }
        } else {
            self.unchanged += 1;
            return;
        };
        let step = self.push(kind, address, action, comparison.spec, comparison.edits);
        self.draft.makes.insert(address.clone(), step);
        self.draft.releases.insert(index, step);
    }

    fn create(
        &mut self,
        kind: &Registered,
        address: &Address,
        mut spec: Value,
        old: Option<(usize, Vec<Edit>)>,
    ) {
        let (old, edits) = old.unzip();
        let mut edits = edits.unwrap_or_default();
        let id = old.map(|index| self.draft.live[index].id.clone());
        if let (Some(id), Some(naming)) = (&id, kind.about().naming) {
            let alike = self.draft.live.iter().filter(|live| live.kind == address.kind);
            let base = self.desired.resources[address].spec.text("name");
            let taken = alike.filter_map(|live| live.spec.text("name"));
            let free = base.and_then(|base| beside(base, naming, id, taken));
            free.into_iter().for_each(|name| spec.set("name", Value::Text(name)));
        }
        if let Some(index) = old.filter(|index| self.grounds.is_spent(*index)) {
            edits.extend(renaming(self.draft.live[index], &spec));
        }
        // The one output that is known beforehand: what names a thing outlives the thing.
        if let Some(name) = spec.text("name") {
            self.known.insert(Output::new(address.clone(), "name"), name.to_owned());
        }
        let action = Action::Create { replaces: id };
        let step = self.push(kind, address, action, spec, edits);
        self.draft.makes.insert(address.clone(), step);
    }

    fn doom(&mut self, index: usize, because: Because) {
        let live = self.draft.live[index];
        let anonymous = || Address::new(&live.kind, &live.id);
        let address = live.address.clone().unwrap_or_else(anonymous);
        let (id, was) = (live.id.clone(), live.spec.clone());
        let step = Step {
            address,
            action: Action::Delete { id, was, because },
            spec: Value::Null,
            edits: Vec::new(),
            tags: live.tags.clone(),
            after: Vec::new(),
            seconds: kinds::find(&live.kind).map_or(1, |kind| kind.about().seconds),
        };
        self.draft.releases.insert(index, self.draft.steps.len());
        self.draft.doomed.insert(index);
        self.draft.steps.push(step);
    }

    fn doom_the_undeclared(&mut self) {
        let because = match self.purpose {
            Purpose::Apply => Because::Undeclared,
            Purpose::Destroy => Because::Destroyed,
        };
        let touched: BTreeSet<usize> = self.draft.releases.keys().copied().collect();
        let declared: BTreeSet<&Address> = self.desired.resources.keys().collect();
        for index in 0..self.draft.live.len() {
            let address = self.draft.live[index].address.as_ref();
            let is_declared = address.is_some_and(|address| declared.contains(address));
            if !touched.contains(&index) && !is_declared {
                self.doom(index, because);
            }
        }
    }

    /// What is protected says so itself: the spec may be gone, or say otherwise by now.
    fn refuse_protected(&mut self) {
        if self.draft.live.iter().any(|live| live.tags.contains_key(TAG_PROTECT)) {
            self.refused.push(refused::protected(&self.desired.stack));
        }
    }

    fn push(
        &mut self,
        kind: &Registered,
        address: &Address,
        action: Action,
        spec: Value,
        edits: Vec<Edit>,
    ) -> StepId {
        self.draft.steps.push(Step {
            address: address.clone(),
            action,
            spec,
            edits,
            tags: self.desired.tags_of(address),
            after: Vec::new(),
            seconds: kind.about().seconds,
        });
        self.draft.steps.len() - 1
    }
}

impl Comparison {
    fn replaces(&self) -> bool {
        self.edits.iter().any(|edit| edit.replaces)
    }
}
