//! Which step may run next. Pure: no async, no clock.

use crate::kinds;
use crate::plan::{Action, Plan, Step, StepId};

/// Where a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Not begun.
    Waiting,
    /// Begun; what depends on it must wait.
    Running,
    /// What it makes exists, and that is enough for those who depend on it.
    Open,
    /// Done.
    Done,
    /// Failed.
    Failed,
    /// Cannot be done, because that step failed.
    Skipped(StepId),
}

/// The steps of a plan on their way.
#[derive(Debug, Clone)]
pub struct Schedule {
    waits: Vec<usize>,
    followers: Vec<Vec<StepId>>,
    /// Seconds from the step's start to the end of the longest chain behind it.
    tail: Vec<u64>,
    state: Vec<State>,
}

impl Schedule {
    /// A schedule in which nothing has begun. Steps come after what they wait for, so one pass from
    /// the end gives each step's tail.
    pub fn new(plan: &Plan) -> Self {
        let steps = plan.steps.len();
        let mut followers = vec![Vec::new(); steps];
        for (id, step) in plan.steps.iter().enumerate() {
            for earlier in &step.after {
                followers[*earlier].push(id);
            }
        }
        let mut tail = vec![0; steps];
        for id in (0..steps).rev() {
            let longest = followers[id].iter().map(|follower| tail[*follower]).max().unwrap_or(0);
            tail[id] = u64::from(plan.steps[id].seconds) + longest;
        }
        let waits = plan.steps.iter().map(|step| step.after.len()).collect();
        Self { waits, followers, tail, state: vec![State::Waiting; steps] }
    }

    /// The ready step with the longest way behind it; it is running from now on.
    pub fn begin(&mut self) -> Option<StepId> {
        let ready = (0..self.state.len())
            .filter(|id| self.state[*id] == State::Waiting && self.waits[*id] == 0);
        // Of equals the first, so that a run can be foretold.
        let step = ready.max_by_key(|id| (self.tail[*id], std::cmp::Reverse(*id)))?;
        self.state[step] = State::Running;
        Some(step)
    }

    /// What the step makes exists: those who need no more than that may go on.
    pub fn exists(&mut self, step: StepId) {
        if self.state[step] == State::Running {
            self.state[step] = State::Open;
            self.release(step);
        }
    }

    /// The step is done.
    pub fn done(&mut self, step: StepId) {
        if self.state[step] == State::Running {
            self.release(step);
        }
        self.state[step] = State::Done;
    }

    /// The step failed. Gives the steps that can never run now.
    pub fn failed(&mut self, step: StepId) -> Vec<StepId> {
        self.state[step] = State::Failed;
        let (mut skipped, mut queue) = (Vec::new(), self.followers[step].clone());
        while let Some(follower) = queue.pop() {
            if self.state[follower] == State::Waiting {
                self.state[follower] = State::Skipped(step);
                skipped.push(follower);
                queue.extend(&self.followers[follower]);
            }
        }
        skipped.sort_unstable();
        skipped
    }

    /// Where a step stands.
    pub fn state(&self, step: StepId) -> State {
        self.state[step]
    }

    /// The steps that have not come to an end.
    pub fn unfinished(&self) -> impl Iterator<Item = StepId> {
        let goes_on = |state: State| matches!(state, State::Waiting | State::Running | State::Open);
        (0..self.state.len()).filter(move |id| goes_on(self.state[*id]))
    }

    fn release(&mut self, step: StepId) {
        for follower in &self.followers[step] {
            self.waits[*follower] -= 1;
        }
    }
}

/// Whether those who depend on the step may go on as soon as the thing exists, without its being
/// ready. Whoever deletes waits for the end: what is half gone is still in the way.
pub(super) fn opens_early(step: &Step) -> bool {
    let gate = kinds::find(&step.address.kind).map(|kind| kind.about().gate);
    let builds = !matches!(step.action, Action::Delete { .. });
    builds && gate == Some(crate::kind::Gate::Exists)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::address::Address;
    use crate::kind::{StackId, Tags};
    use crate::plan::Purpose;
    use crate::value::Value;

    fn plan(after: Vec<Vec<StepId>>) -> Plan {
        let step = |(id, after): (usize, Vec<StepId>)| Step {
            address: Address::new("node", format!("n{id}")),
            action: Action::Create { replaces: None },
            spec: Value::Null,
            edits: Vec::new(),
            tags: Tags::new(),
            after,
            seconds: 1,
        };
        Plan {
            stack: StackId { stack: "s".into(), env: "e".into(), region: "r".into() },
            account: String::new(),
            purpose: Purpose::Apply,
            steps: after.into_iter().enumerate().map(step).collect(),
            unchanged: 0,
            images: BTreeMap::new(),
        }
    }

    #[test]
    fn the_longest_way_goes_first() {
        let mut schedule = Schedule::new(&plan(vec![vec![], vec![], vec![1], vec![2]]));
        assert_eq!(schedule.begin(), Some(1));
        assert_eq!(schedule.begin(), Some(0));
        assert_eq!(schedule.begin(), None);
    }

    #[test]
    fn a_failure_skips_what_depends_on_it_and_nothing_else() {
        let mut schedule = Schedule::new(&plan(vec![vec![], vec![0], vec![1], vec![]]));
        assert_eq!(schedule.begin(), Some(0));
        assert_eq!(schedule.failed(0), [1, 2]);
        assert_eq!(schedule.begin(), Some(3));
        assert_eq!(schedule.state(2), State::Skipped(0));
    }

    proptest! {
        #[test]
        fn nothing_starts_before_its_time_and_everything_starts(
            picks in prop::collection::vec(prop::collection::btree_set(0..30usize, 0..4), 1..30),
            finish in prop::collection::vec(any::<prop::sample::Index>(), 200),
        ) {
            let after: Vec<Vec<StepId>> = picks.iter().enumerate()
                .map(|(id, before)| before.iter().copied().filter(|b| *b < id).collect())
                .collect();
            let plan = plan(after);
            let mut schedule = Schedule::new(&plan);
            let (mut running, mut done, mut finish) = (Vec::new(), Vec::new(), finish.into_iter());
            loop {
                while let Some(step) = schedule.begin() {
                    prop_assert!(plan.steps[step].after.iter().all(|b| done.contains(b)));
                    running.push(step);
                }
                if running.is_empty() {
                    break;
                }
                let at = finish.next().map_or(0, |index| index.index(running.len()));
                let step = running.swap_remove(at);
                schedule.done(step);
                done.push(step);
            }
            prop_assert_eq!(done.len(), plan.steps.len());
        }
    }
}
