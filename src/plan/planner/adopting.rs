//! A declared resource of which nothing of ours stands: it is made, or what has its name is taken over.

use super::Planner;
use crate::address::Address;
use crate::kind::{Condition, Live, Registered};
use crate::plan::{Action, refused};
use crate::value::Value;

impl Planner<'_> {
    pub(super) fn create_or_adopt(
        &mut self,
        kind: &Registered,
        address: &Address,
        spec: Value,
        broken: Option<usize>,
    ) {
        let name = spec.text("name");
        // Of one name there may be several, that differ in what else AWS tells them apart by: DNS records.
        let exclusive = kind.about().exclusive;
        let holder = self.foreign.iter().copied().find(|live| {
            let stands = !matches!(live.condition, Condition::Leaving(_));
            let same = live.spec.text("name") == name
                && exclusive.iter().all(|field| live.spec.get(field) == spec.get(field));
            live.kind == address.kind && name.is_some() && same && stands
        });
        match holder {
            None => self.create(kind, address, spec, broken.map(|index| (index, Vec::new()))),
            Some(live) if self.options.adopt.contains(address) => {
                self.adopt(kind, address, &spec, live);
            }
            Some(live) => self.refused.push(refused::foreign(address, live)),
        }
    }

    fn adopt(&mut self, kind: &Registered, address: &Address, spec: &Value, live: &Live) {
        let comparison = self.compare(kind, address, spec, live);
        let stack = &self.desired.stack;
        if let Some(refused) = refused::unadoptable(address, live, &comparison.edits, stack) {
            self.refused.push(refused);
            return;
        }
        self.known.learn(address, live.outputs.clone());
        let (id, was) = (live.id.clone(), live.spec.clone());
        let action = Action::Update { id, was, tags: comparison.tags, adopts: true };
        let step = self.push(kind, address, action, comparison.spec, comparison.edits);
        self.draft.makes.insert(address.clone(), step);
    }
}
