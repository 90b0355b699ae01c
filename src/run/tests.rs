//! How long the executor tries.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::watch;
use tokio::time::Instant;

use super::executor::{Interrupt, Run};
use super::journal::InMemory;
use crate::address::Address;
use crate::cloud::{Cloud, Surroundings};
use crate::kind::{
    Class, Deed, Done, Error, Health, Live, Ready, Registered, Result, Sought, StackId, Tags,
};
use crate::plan::{Action, Plan, Purpose, Step};
use crate::value::{Known, Value};

/// A world that always gives the same answer.
struct Refusing(Class);

impl Cloud for Refusing {
    fn surroundings(&self) -> BoxFuture<'_, Result<Surroundings>> {
        unreachable!("nobody asks")
    }

    fn observe<'a>(
        &'a self,
        _: &'static Registered,
        _: Sought<'a>,
    ) -> BoxFuture<'a, Result<Vec<Live>>> {
        unreachable!("nobody asks")
    }

    fn perform<'a>(&'a self, _: &'a StackId, _: &'a Deed) -> BoxFuture<'a, Result<Done>> {
        Box::pin(async { Err(Error::new(self.0, "no")) })
    }

    fn ready<'a>(
        &'a self,
        _: &'a StackId,
        _: &'a Deed,
        _: &'a Done,
    ) -> BoxFuture<'a, Result<Ready>> {
        unreachable!("nobody asks")
    }

    fn health<'a>(&'a self, _: &'a [String]) -> BoxFuture<'a, Result<BTreeMap<String, Health>>> {
        unreachable!("nobody asks")
    }

    fn stacks(&self) -> BoxFuture<'_, Result<BTreeSet<(String, String)>>> {
        unreachable!("nobody asks")
    }
}

/// How long a service is tried to be made, and how it ends.
async fn tried(class: Class) -> (Duration, Error) {
    let step = Step {
        address: Address::new("service", "web"),
        action: Action::Create { replaces: None },
        spec: Value::Null,
        edits: Vec::new(),
        tags: Tags::new(),
        after: Vec::new(),
        seconds: 1,
    };
    let plan = Plan {
        stack: StackId { stack: "s".into(), env: "e".into(), region: "r".into() },
        account: String::new(),
        purpose: Purpose::Apply,
        steps: vec![step],
        unchanged: 0,
    };
    let (_never, interrupt) = watch::channel(Interrupt::None);
    let run = Run {
        name: "run".into(),
        at: String::new(),
        plan: &plan,
        cloud: &Refusing(class),
        known: Known::new(),
        journal: &mut InMemory::default(),
        watch: &mut |_| {},
        interrupt,
    };
    let started = Instant::now();
    let outcome = run.execute().await.unwrap();
    (started.elapsed(), outcome.failed[&0].clone())
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
