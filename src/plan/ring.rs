//! Steps put in an order in which each comes after what it waits for; or who waits for whom in a circle, and why.

use std::collections::BTreeSet;

use super::order::Draft;
use super::{Action, Step, StepId};
use crate::diag::Diagnostic;
use crate::kind::About;
use crate::kinds;
use crate::value::Value;

/// The order, or steps each of which waits for the next, and the last for the first.
pub(super) fn in_order(after: &[BTreeSet<StepId>]) -> Result<Vec<StepId>, Vec<StepId>> {
    let mut order: Vec<StepId> = Vec::new();
    let mut waits: Vec<usize> = after.iter().map(BTreeSet::len).collect();
    let mut followers: Vec<Vec<StepId>> = vec![Vec::new(); after.len()];
    for (step, before) in after.iter().enumerate() {
        for earlier in before {
            followers[*earlier].push(step);
        }
    }
    let mut ready: BTreeSet<StepId> = (0..after.len()).filter(|step| waits[*step] == 0).collect();
    while let Some(step) = ready.pop_first() {
        order.push(step);
        for follower in &followers[step] {
            waits[*follower] -= 1;
            if waits[*follower] == 0 {
                ready.insert(*follower);
            }
        }
    }
    if order.len() < after.len() { Err(ring(&waits, after)) } else { Ok(order) }
}

/// A way from a step that waits for ever, through what it waits for, back to itself.
fn ring(waits: &[usize], after: &[BTreeSet<StepId>]) -> Vec<StepId> {
    let mut way: Vec<StepId> = Vec::new();
    let mut next = waits.iter().position(|waits| *waits > 0);
    while let Some(step) = next {
        if let Some(first) = way.iter().position(|earlier| *earlier == step) {
            way.drain(..first);
            break;
        }
        way.push(step);
        next = after[step].iter().copied().find(|earlier| waits[*earlier] > 0);
    }
    way
}

/// The steps in their order, with the places that they have in it for names.
pub(super) fn renumbered(
    steps: Vec<Step>,
    order: &[StepId],
    after: &[BTreeSet<StepId>],
) -> Vec<Step> {
    let mut place = vec![0; steps.len()];
    order.iter().enumerate().for_each(|(at, step)| place[*step] = at);
    let mut steps: Vec<Option<Step>> = steps.into_iter().map(Some).collect();
    let placed = |id: &StepId| {
        let mut step = steps[*id].take().expect("a step is placed once");
        step.after = after[*id].iter().map(|earlier| place[*earlier]).collect();
        step.after.sort_unstable();
        step
    };
    order.iter().map(placed).collect()
}

impl Draft<'_> {
    /// E0206, with what makes each step wait for the next.
    pub(super) fn refuse_ring(
        &self,
        ring: &[StepId],
        exclusions: &[(StepId, StepId)],
    ) -> Diagnostic {
        let name = |step: &StepId| {
            let step = &self.steps[*step];
            format!("{} {}", step.verb(), step.address)
        };
        let next = ring.iter().cycle().skip(1);
        let links = ring.iter().zip(next).map(|(later, earlier)| {
            let why = self.why(*later, *earlier, exclusions);
            format!("{} waits for {}, {why}", name(later), name(earlier))
        });
        let title =
            format!("these changes wait for each other: {}", links.collect::<Vec<_>>().join("; "));
        let hint =
            "apply them one after the other: take some of them back, apply, put them in again";
        Diagnostic::error("E0206", title).hint(hint)
    }

    /// Why one step comes after another: `which has its name`, `which still mentions it`.
    fn why(&self, later: StepId, earlier: StepId, exclusions: &[(StepId, StepId)]) -> String {
        let (step, before) = (&self.steps[later], &self.steps[earlier]);
        let about = kinds::find(&step.address.kind).map_or(About::DEFAULT, |kind| kind.about());
        if exclusions.contains(&(later, earlier)) {
            let fields: Vec<&str> = about.exclusive.to_vec();
            return format!("which has its place (`{}`)", fields.join("`, `"));
        }
        if let Action::Delete { id, .. } = &step.action {
            if matches!(&before.action, Action::Create { replaces: Some(old) } if old == id) {
                return "which takes its place".to_owned();
            }
            let field = was(before).and_then(|was| {
                was.fields().find(|(_, value)| value.mentions(id)).map(|(field, _)| field)
            });
            return match field {
                Some(field) => format!("which names it in `{field}` until then"),
                None => "which uses it until then".to_owned(),
            };
        }
        let named = |value: &Value| value.outputs().iter().any(|it| it.of == before.address);
        match step.spec.fields().find(|(_, value)| named(value)) {
            Some((field, _)) => format!("which it names in `{field}`"),
            None => "which has to be there before".to_owned(),
        }
    }
}

/// What a step finds.
fn was(step: &Step) -> Option<&Value> {
    match &step.action {
        Action::Update { was, .. } | Action::Widen { was, .. } | Action::Delete { was, .. } => {
            Some(was)
        }
        Action::Create { .. } | Action::Settle { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value as Json, json};

    use super::*;
    use crate::kind::Tags;
    use crate::plan::Because;

    fn step(address: &str, action: Action, spec: Json) -> Step {
        Step {
            address: address.parse().unwrap(),
            action,
            spec: Value::lift(spec).unwrap(),
            edits: Vec::new(),
            tags: Tags::new(),
            after: Vec::new(),
            seconds: 1,
        }
    }

    fn told(
        steps: Vec<Step>,
        after: &[BTreeSet<StepId>],
        exclusions: &[(StepId, StepId)],
    ) -> String {
        let (makes, narrows, releases) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let (live, doomed) = (Vec::new(), BTreeSet::new());
        let draft = Draft { live, steps, makes, narrows, releases, doomed };
        draft.refuse_ring(&in_order(after).unwrap_err(), exclusions).title
    }

    #[test]
    fn steps_come_after_what_they_wait_for() {
        let after = [BTreeSet::from([2]), BTreeSet::new(), BTreeSet::from([1])];
        assert_eq!(in_order(&after), Ok(vec![1, 2, 0]));
    }

    /// The old one waits until nobody names it, who waits for the new one, which takes the old one's place.
    #[test]
    fn a_circle_says_which_mentions_form_it() {
        let old = Value::plain(json!({ "auto-scaling-group-arn": "asg" }));
        let delete = Action::Delete { id: "old".into(), was: old, because: Because::Undeclared };
        let was = Value::plain(json!({ "capacity-provider-strategy": [{ "p": "old" }] }));
        let update =
            Action::Update { id: "s".into(), was, tags: Default::default(), adopts: false };
        let names = json!({ "capacity-provider-strategy": ["${capacity-provider.b.name}"] });
        let steps = vec![
            step("capacity-provider.a", delete, Json::Null),
            step("capacity-provider.b", Action::Create { replaces: None }, json!({})),
            step("service.web", update, names),
        ];
        let after = [BTreeSet::from([2]), BTreeSet::from([0]), BTreeSet::from([1])];
        insta::assert_snapshot!(told(steps, &after, &[(1, 0)]), @"these changes wait for each other: delete capacity-provider.a waits for update service.web, which names it in `capacity-provider-strategy` until then; update service.web waits for create capacity-provider.b, which it names in `capacity-provider-strategy`; create capacity-provider.b waits for delete capacity-provider.a, which has its place (`auto-scaling-group-arn`)");
    }
}
