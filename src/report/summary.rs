//! What came of a run: verdict first, then what failed and why, what was left, and the outputs.

use std::time::Duration;

use super::{Look, Tone, trouble, words};
use crate::kind::{Error, RolloutFailure};
use crate::plan::{Action, Because, Plan, Step, StepId};
use crate::run::event::Outcome;

/// The most lines of evidence that are told of one rollout; with its verdict it stays within fifteen.
const EVIDENCE: usize = 9;

/// So many resources are named before the rest is only counted.
const SHOWN: usize = 8;

/// What a user wants to know of a stack, in order: where it answers, where its images go.
pub type Outputs = Vec<(String, String)>;

/// The whole summary.
pub fn summary(
    plan: &Plan,
    outcome: &Outcome,
    outputs: &Outputs,
    took: Duration,
    look: Look,
) -> String {
    let mut text = String::new();
    let (rollouts, others): (Vec<_>, Vec<_>) =
        outcome.failed.iter().partition(|(_, error)| error.rollout.is_some());
    for (step, error) in rollouts.into_iter().chain(others) {
        text.push_str(&failure(&plan.steps[*step], error, look));
        text.push('\n');
    }
    text.push_str(&left(plan, outcome, look));
    text.push_str(&last_line(plan, outcome, took, look));
    text.push('\n');
    let width = outputs.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, value) in outputs {
        text.push_str(&format!("{} = {value}\n", words::padded(name, width)));
    }
    text
}

/// `3 created, 1 changed`; what was done, by verb.
fn done_of(plan: &Plan, outcome: &Outcome) -> String {
    let done = || outcome.done.iter().map(|step| &plan.steps[*step]);
    let is_told = |step: &&Step| {
        let speaker = match &step.action {
            // A successor that stands speaks for the end of what it replaces, too.
            Action::Delete { because: Because::Replaced, .. } => "replace",
            // The first of two steps, of which the second speaks for both.
            Action::Widen { .. } => "update",
            _ => return true,
        };
        !done().any(|other| other.verb() == speaker && other.address == step.address)
    };
    let count = |verb: &str| done().filter(|step| step.verb() == verb).filter(is_told).count();
    let verbs = [
        ("create", "created"),
        ("update", "changed"),
        ("widen", "changed in part"),
        ("replace", "replaced"),
        ("adopt", "taken over"),
        ("delete", "destroyed"),
        ("settle", "waited for"),
    ];
    let told = verbs.into_iter().map(|(verb, past)| (count(verb), past));
    let told: Vec<String> = told
        .filter(|(count, _)| *count > 0)
        .map(|(count, past)| format!("{count} {past}"))
        .collect();
    if told.is_empty() { "nothing was done".to_owned() } else { told.join(", ") }
}

fn last_line(plan: &Plan, outcome: &Outcome, took: Duration, look: Look) -> String {
    let (done, took) = (done_of(plan, outcome), words::duration(took));
    if outcome.is_complete() {
        return format!("{} in {took}: {done}.", look.paint(Tone::Good, "Done"));
    }
    let (verdict, advice) = if outcome.was_interrupted {
        ("Interrupted", "Run the same command again to resume.")
    } else {
        ("Not done", "Mend the cause and run the same command again: it goes on from here.")
    };
    format!("{} after {took}: {done}. {advice}", look.paint(Tone::Error, verdict))
}

/// What was skipped because of what, and what an interrupt left.
fn left(plan: &Plan, outcome: &Outcome, look: Look) -> String {
    let name = |step: StepId| words::address(&plan.steps[step].address);
    let mut text = String::new();
    for failed in outcome.failed.keys() {
        let skipped = outcome.skipped.iter().filter(|(_, because)| *because == failed);
        let names: Vec<String> = skipped.map(|(step, _)| name(*step)).collect();
        if !names.is_empty() {
            let because = format!("skipped, because {} comes first:", name(*failed));
            text.push_str(&format!(
                "{} {}\n",
                look.paint(Tone::Warning, &because),
                listed(&names, SHOWN)
            ));
        }
    }
    let names: Vec<String> = outcome.interrupted.iter().map(|step| name(*step)).collect();
    if !names.is_empty() {
        let label = look.paint(Tone::Warning, "left by the interrupt:");
        text.push_str(&format!("{label} {}\n", listed(&names, SHOWN)));
    }
    text
}

/// The first `most`, and how many more.
pub(crate) fn listed(names: &[String], most: usize) -> String {
    let first = names.iter().take(most).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(most) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

fn failure(step: &Step, error: &Error, look: Look) -> String {
    match &error.rollout {
        Some(rollout) => rollout_failure(step, rollout, error, look),
        None => other_failure(step, error, look),
    }
}

fn rollout_failure(step: &Step, rollout: &RolloutFailure, error: &Error, look: Look) -> String {
    let RolloutFailure { requested, serving, rolled_back, reason, evidence } = rollout;
    let of = words::address(&step.address);
    let verb = if *rolled_back { "was rolled back" } else { "failed" };
    let now = match serving {
        Some(serving) => format!("{serving} serves"),
        None => "nothing serves".to_owned(),
    };
    let label = look.paint(Tone::Error, "rollout failed:");
    let mut text = format!("{label} {of}: {requested} {verb}, {now}\n  reason: {reason}\n");
    for fact in evidence.iter().take(EVIDENCE) {
        text.push_str(&format!("  - {}\n", first_line(fact)));
    }
    if evidence.len() > EVIDENCE {
        let more = format!("  … {} more with --format json\n", evidence.len() - EVIDENCE);
        text.push_str(&look.paint(Tone::Dim, &more));
    }
    text + &hint(error, look)
}

fn other_failure(step: &Step, error: &Error, look: Look) -> String {
    let doing = match &step.action {
        Action::Create { replaces: None } => "creating",
        Action::Create { replaces: Some(_) } => "replacing",
        Action::Update { adopts: true, .. } => "taking over",
        Action::Update { .. } | Action::Widen { .. } => "changing",
        Action::Delete { .. } => "destroying",
        Action::Settle { .. } => "waiting for",
    };
    let label = look.paint(Tone::Error, &format!("error[{}]:", trouble::code(error)));
    let mut text = format!("{label} {doing} {} failed\n", words::address(&step.address));
    text.push_str(&format!("  {error}\n"));
    if let Some(request) = &error.request_id {
        text.push_str(&look.paint(Tone::Dim, &format!("  request id: {request}\n")));
    }
    text + &hint(error, look)
}

fn hint(error: &Error, look: Look) -> String {
    let hint = trouble::hint(error);
    let hint = hint.map(|hint| format!("  {} {hint}\n", look.paint(Tone::Hint, "hint:")));
    hint.unwrap_or_default()
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::kind::Class;
    use crate::report::sample;
    use crate::value::Value;

    fn told(outcome: &Outcome) -> String {
        let outputs = vec![("url".into(), "http://main-1.elb.test".into())];
        let outputs = if outcome.is_complete() { outputs } else { Outputs::new() };
        summary(&sample::creation(), outcome, &outputs, Duration::from_secs(200), Look::PLAIN)
    }

    #[test]
    fn the_url_comes_first() {
        assert_snapshot!(told(&Outcome { done: (0..6).collect(), ..Outcome::default() }), @"
        Done in 3 min 20 s: 6 created.
        url = http://main-1.elb.test
        ");
    }

    #[test]
    fn a_replacement_counts_once() {
        let told = |done: Vec<StepId>| {
            let outcome = Outcome { done, ..Outcome::default() };
            done_of(&sample::change(), &outcome)
        };
        assert_snapshot!(told(vec![0, 2, 3, 6]), @"1 changed, 1 replaced, 1 destroyed");
        assert_snapshot!(told(vec![3]), @"1 destroyed");
    }

    /// What is widened and not yet narrowed was changed all the same.
    #[test]
    fn the_first_of_two_steps_counts_until_the_second() {
        let mut plan = sample::change();
        let widen = Action::Widen { id: "web".into(), was: Value::Null };
        let first = Step { action: widen, ..plan.steps[1].clone() };
        plan.steps.push(first);
        let told = |done| done_of(&plan, &Outcome { done, ..Outcome::default() });
        assert_snapshot!(told(vec![8]), @"1 changed in part");
        assert_snapshot!(told(vec![8, 1]), @"1 changed");
    }

    #[test]
    fn a_failure_names_the_call_and_what_was_skipped() {
        let mut error = Error::new(Class::Quota, "the limit of 5 VPCs is reached")
            .hinted("raise the quota `VPCs per Region`");
        error.operation = Some("CreateVpc".into());
        error.code = Some("VpcLimitExceeded".into());
        error.request_id = Some("6d2a-11".into());
        assert_snapshot!(told(&Outcome {
            done: vec![2],
            failed: [(0, error)].into(),
            skipped: [(1, 0), (3, 0), (5, 0)].into(),
            ..Outcome::default()
        }), @"
        error[E0309]: creating VPC main failed
          CreateVpc: VpcLimitExceeded: the limit of 5 VPCs is reached
          request id: 6d2a-11
          hint: raise the quota `VPCs per Region`

        skipped, because VPC main comes first: subnet public-a, subnet public-b, service web
        Not done after 3 min 20 s: 1 created. Mend the cause and run the same command again: it goes on from here.
        ");
    }

    /// B15: the verdict names what was asked for, what serves, and why.
    #[test]
    fn a_rollout_that_failed_is_told_in_fifteen_lines() {
        let evidence = (0..20).map(|n| format!("task {n} stopped: exit code 1")).collect();
        let error = Error::rollout(RolloutFailure {
            requested: "shop-web:42".into(),
            serving: Some("shop-web:41".into()),
            rolled_back: true,
            reason: "tasks failed to start".into(),
            evidence,
        });
        let text = told(&Outcome { failed: [(5, error)].into(), ..Outcome::default() });
        assert!(text.lines().count() <= 15);
        assert_snapshot!(text, @"
        rollout failed: service web: shop-web:42 was rolled back, shop-web:41 serves
          reason: tasks failed to start
          - task 0 stopped: exit code 1
          - task 1 stopped: exit code 1
          - task 2 stopped: exit code 1
          - task 3 stopped: exit code 1
          - task 4 stopped: exit code 1
          - task 5 stopped: exit code 1
          - task 6 stopped: exit code 1
          - task 7 stopped: exit code 1
          - task 8 stopped: exit code 1
          … 11 more with --format json
          hint: see `ecsctl explain E0313`

        Not done after 3 min 20 s: nothing was done. Mend the cause and run the same command again: it goes on from here.
        ");
    }

    #[test]
    fn an_interrupt_says_how_to_resume() {
        assert_snapshot!(told(&Outcome {
            done: vec![0],
            interrupted: vec![1, 2],
            was_interrupted: true,
            ..Outcome::default()
        }), @"
        left by the interrupt: subnet public-a, cluster main
        Interrupted after 3 min 20 s: 1 created. Run the same command again to resume.
        ");
    }
}
