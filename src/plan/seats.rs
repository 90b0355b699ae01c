//! Who has to wait for a port of the instances: tasks that hold one keep it until they have stopped, so that the
//! service goes before another takes it, though nothing stands there meanwhile.

use super::order::Draft;
use super::{Action, StepId};
use crate::kinds::service::seats::Seats;
use crate::value::Value;

impl Draft<'_> {
    /// Pairs (later, earlier): the later step has tasks started that want a port, the earlier ends those that
    /// have it.
    pub(super) fn contentions(&self) -> Vec<(StepId, StepId)> {
        let doomed = self.doomed.iter().filter(|object| self.live[**object].kind == "service");
        let held: Vec<(StepId, Seats)> = doomed
            .filter_map(|object| {
                let spec = &self.live[*object].spec;
                let seats = Seats::of(spec, self.revision(spec.text("task-definition")?)?)?;
                Some((self.releases[object], seats))
            })
            .collect();
        if held.is_empty() {
            return Vec::new();
        }
        let mut pairs = Vec::new();
        for (id, step) in self.steps.iter().enumerate() {
            let starts = matches!(step.action, Action::Create { .. } | Action::Update { .. });
            if step.address.kind != "service" || !starts {
                continue;
            }
            let task = step.spec.get("task-definition").and_then(|it| self.declared_revision(it));
            let Some(wanted) = task.and_then(|task| Seats::of(&step.spec, task)) else { continue };
            let before = held.iter().filter(|(_, seats)| seats.contended(&wanted).is_some());
            pairs.extend(before.map(|(goes, _)| (id, *goes)));
        }
        pairs
    }

    /// A revision that a live service runs, by its ARN.
    fn revision(&self, arn: &str) -> Option<&Value> {
        let definitions = || self.live.iter().filter(|live| live.kind == "task-definition");
        let newest = definitions().find(|live| live.id == arn).map(|live| &live.spec);
        newest.or_else(|| definitions().find_map(|live| live.earlier.get(arn)))
    }

    /// The revision that a service will run, which may be about to be made.
    fn declared_revision(&self, named: &Value) -> Option<&Value> {
        match named.as_text() {
            Some(arn) => self.revision(arn),
            None => {
                let made = self.makes.get(&named.outputs().first()?.of)?;
                Some(&self.steps[*made].spec)
            }
        }
    }
}
