//! How long the executor tries.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::watch;
use tokio::time::Instant;

use super::event::{Event, Outcome};
use super::executor::{Interrupt, Run};
use super::journal::InMemory;
use crate::address::Address;
use crate::cloud::{Cloud, Surroundings};
use crate::kind::{
    Class, Deed, Done, Error, Found, Given, Health, Live, Ready, Registered, Result, Sought,
    StackId, Tags,
};
use crate::plan::{Action, Plan, Purpose, Step};
use crate::value::{Known, Value};

/// A world in which everything succeeds, or nothing, and task definitions take their time.
#[derive(Default)]
struct World {
    refuses: Option<Class>,
    /// What was asked for, in order.
    asked: Mutex<Vec<Address>>,
}

/// How long a task definition takes.
const SLOW: Duration = Duration::from_secs(10);

impl Cloud for World {
    fn surroundings(&self) -> BoxFuture<'_, Result<Surroundings>> {
        unreachable!("nobody asks")
    }

    fn find<'a>(&'a self, _: &'a Given) -> BoxFuture<'a, Result<Found>> {
        unreachable!("nobody asks")
    }

    fn observe<'a>(
        &'a self,
        _: &'static Registered,
        _: Sought<'a>,
    ) -> BoxFuture<'a, Result<Vec<Live>>> {
        unreachable!("nobody asks")
    }

    fn perform<'a>(&'a self, _: &'a StackId, deed: &'a Deed) -> BoxFuture<'a, Result<Done>> {
        Box::pin(async {
            self.asked.lock().unwrap().push(deed.address.clone());
            if deed.address.kind == "task-definition" {
                #[expect(clippy::disallowed_methods, reason = "it takes its time")]
                tokio::time::sleep(SLOW).await;
            }
            self.refuses.map_or_else(|| Ok(Done::default()), |class| Err(Error::new(class, "no")))
        })
    }

    fn ready<'a>(
        &'a self,
        _: &'a StackId,
        _: &'a Deed,
        _: &'a Done,
    ) -> BoxFuture<'a, Result<Ready>> {
        Box::pin(async { Ok(Ready::Yes) })
    }

    fn health<'a>(&'a self, _: &'a [String]) -> BoxFuture<'a, Result<BTreeMap<String, Health>>> {
        unreachable!("nobody asks")
    }

    fn stacks(&self) -> BoxFuture<'_, Result<BTreeSet<(String, String)>>> {
        unreachable!("nobody asks")
    }
}

/// Creates that wait for nothing.
fn plan(kinds: &[(&str, usize)]) -> Plan {
    let all = kinds.iter().flat_map(|(kind, count)| (0..*count).map(move |n| (kind, n)));
    let step = |(kind, n): (&&str, usize)| Step {
        address: Address::new(*kind, format!("n{n}")),
        action: Action::Create { replaces: None },
        spec: Value::Null,
        edits: Vec::new(),
        tags: Tags::new(),
        after: Vec::new(),
        seconds: 1,
    };
    Plan {
        stack: StackId { stack: "s".into(), env: "e".into(), region: "r".into() },
        account: String::new(),
        purpose: Purpose::Apply,
        steps: all.map(step).collect(),
        unchanged: 0,
        images: BTreeMap::new(),
    }
}

/// Carries a plan out in a world, and is told of each event.
async fn carry_out(
    plan: &Plan,
    cloud: &World,
    interrupt: watch::Receiver<Interrupt>,
    watch: &mut (dyn FnMut(&Event) + Send),
) -> Outcome {
    let run = Run {
        name: "run".into(),
        at: String::new(),
        plan,
        cloud,
        known: Known::new(),
        journal: &mut InMemory::default(),
        watch,
        interrupt,
    };
    run.execute().await.expect("the journal is in memory")
}

/// How long a service is tried to be made, and how it ends.
async fn tried(class: Class) -> (Duration, Error) {
    let (_never, interrupt) = watch::channel(Interrupt::None);
    let world = World { refuses: Some(class), ..World::default() };
    let started = Instant::now();
    let outcome = carry_out(&plan(&[("service", 1)]), &world, interrupt, &mut |_| {}).await;
    (started.elapsed(), outcome.failed[&0].clone())
}

/// B41: what AWS lets pass slowly holds up nothing of another kind.
#[tokio::test(start_paused = true)]
async fn a_slow_kind_keeps_no_other_waiting() {
    let (_never, interrupt) = watch::channel(Interrupt::None);
    let (plan, started) = (plan(&[("task-definition", 40), ("log-group", 40)]), Instant::now());
    let mut last = Duration::ZERO;
    let mut watch = |event: &Event| {
        if let Event::StepDone { step, .. } = event
            && plan.steps[*step].address.kind == "log-group"
        {
            last = started.elapsed();
        }
    };
    let outcome = carry_out(&plan, &World::default(), interrupt, &mut watch).await;
    assert_eq!(outcome.done.len(), 80);
    assert!(last < SLOW, "the last log group was made after {last:?}");
}

/// Ctrl-C lets calls in flight finish, and begins none of those that wait for their turn.
#[tokio::test(start_paused = true)]
async fn what_waits_for_its_turn_is_not_begun_after_an_interrupt() {
    let (sender, interrupt) = watch::channel(Interrupt::None);
    let (plan, world) = (plan(&[("task-definition", 40)]), World::default());
    let mut watch = |event: &Event| {
        if matches!(event, Event::StepStarted { step: 39, .. }) {
            sender.send_replace(Interrupt::Stop);
        }
    };
    let outcome = carry_out(&plan, &world, interrupt, &mut watch).await;
    let asked = world.asked.lock().unwrap().len();
    assert_eq!((outcome.done.len(), outcome.interrupted.len()), (asked, 40 - asked));
    assert!(asked <= 8, "{asked} calls");
}

/// B12: what is not visible is waited for as long as AWS may take, and not for half an hour.
#[tokio::test(start_paused = true)]
async fn what_never_becomes_visible_is_given_up_and_explained() {
    let (took, error) = tried(Class::Eventual).await;
    assert!((150..=180).contains(&took.as_secs()), "{took:?}");
    assert!(error.message.starts_with("gave up after 1"), "{error:?}");
    assert!(error.hint.unwrap().contains("see that what it names is there"));
}

#[tokio::test(start_paused = true)]
async fn what_is_in_use_is_waited_for_as_long_as_the_step_may_take() {
    let (took, _) = tried(Class::InUse).await;
    assert!((28 * 60..=30 * 60).contains(&took.as_secs()), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_is_not_tried_again() {
    let (took, error) = tried(Class::Other).await;
    assert_eq!((took, error.message.as_str()), (Duration::ZERO, "no"));
}

/// Whoever leaves at once leaves what was under way undone, and is told so.
#[tokio::test(start_paused = true)]
async fn what_was_under_way_when_a_run_was_left_is_not_done() {
    let (sender, interrupt) = watch::channel(Interrupt::None);
    let mut watch = |event: &Event| {
        if matches!(event, Event::StepStarted { .. }) {
            sender.send_replace(Interrupt::Now);
        }
    };
    let plan = plan(&[("task-definition", 1)]);
    let outcome = carry_out(&plan, &World::default(), interrupt, &mut watch).await;
    assert_eq!((outcome.done.len(), outcome.interrupted.as_slice()), (0, [0].as_slice()));
    assert!(outcome.was_interrupted && !outcome.is_complete());
}
