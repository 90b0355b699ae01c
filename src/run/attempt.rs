//! One step on its way: attempts until the call succeeds, then looks until the thing is ready. Here is all
//! waiting, and all trying again.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit, mpsc, watch};
use tokio::time::Instant;

use super::executor::Interrupt;
use crate::cloud::Cloud;
use crate::kind::{Act, Class, Deed, Done, Error, Ready, StackId};
use crate::kinds;
use crate::plan::StepId;

/// The first pause after a failed attempt; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest pause between attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// The longest pause between two looks, whatever a kind says.
const RAREST_LOOK: Duration = Duration::from_secs(60);

/// What a step says while it runs.
pub(super) enum Report {
    Retrying(StepId, Error, u32),
    Performed(StepId, Done),
    Waiting(StepId, String),
}

/// How a step ended.
pub(super) enum End {
    Done(Duration),
    Failed(Error),
    Interrupted,
}

/// One step on its way: attempts until the call succeeds, then looks until the thing is ready.
pub(super) struct Attempt<'a> {
    pub(super) id: StepId,
    pub(super) deed: Deed,
    pub(super) cloud: &'a dyn Cloud,
    pub(super) stack: &'a StackId,
    pub(super) gate: &'a Semaphore,
    pub(super) reports: mpsc::UnboundedSender<Report>,
    pub(super) interrupt: watch::Receiver<Interrupt>,
}

impl<'a> Attempt<'a> {
    /// To its end.
    pub(super) async fn run(mut self) -> (StepId, End) {
        // A step's time begins when it is its turn.
        let Some(first) = self.turn().await else { return (self.id, End::Interrupted) };
        let started = Instant::now();
        let kind = kinds::find(&self.deed.address.kind);
        let most = kind.map(|kind| match &self.deed.act {
            Act::Create { spec, .. }
            | Act::Update { spec: Some(spec), .. }
            | Act::Settle { spec, .. } => kind.deadline(spec),
            Act::Update { spec: None, .. } | Act::Delete { .. } => kind.about().deadline,
        });
        let deadline = started + most.unwrap_or(Duration::from_secs(300));
        let end = match self.perform(first, deadline).await {
            Ok(Some(done)) => {
                self.say(Report::Performed(self.id, done.clone()));
                self.settled(done, deadline).await
            }
            Ok(None) => Ok(None),
            Err(error) => Err(error),
        };
        let end = match end {
            Ok(Some(())) => End::Done(started.elapsed()),
            Ok(None) => End::Interrupted,
            Err(error) => End::Failed(error),
        };
        (self.id, end)
    }

    /// `None` when the run was interrupted between two attempts.
    async fn perform(
        &mut self,
        first: SemaphorePermit<'_>,
        deadline: Instant,
    ) -> Result<Option<Done>, Error> {
        let (mut permit, mut pause) = (Some(first), FIRST_PAUSE);
        let mut since = (Class::Other, Instant::now());
        for attempt in 1.. {
            let turn = match permit.take() {
                Some(first) => first,
                None => match self.turn().await {
                    Some(turn) => turn,
                    None => return Ok(None),
                },
            };
            let made = self.cloud.perform(self.stack, &self.deed).await;
            drop(turn);
            let error = match made {
                Ok(done) => return Ok(Some(done)),
                Err(error) if !error.class.is_retryable() => return Err(error),
                Err(error) => error,
            };
            if since.0 != error.class {
                since = (error.class, Instant::now());
            }
            let limit =
                error.class.patience().map_or(deadline, |most| deadline.min(since.1 + most));
            if Instant::now() + pause >= limit {
                return Err(gave_up(&error, since.1.elapsed()));
            }
            self.say(Report::Retrying(self.id, error, attempt));
            if self.sleep(pause).await.is_none() {
                return Ok(None);
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        unreachable!("attempts are not counted to an end")
    }

    /// Waits until the thing is ready, and says what has become known by that alone.
    async fn settled(&mut self, done: Done, deadline: Instant) -> Result<Option<()>, Error> {
        let Some(found) = self.settle(&done, deadline).await? else { return Ok(None) };
        if !found.is_empty() {
            self.say(Report::Performed(self.id, Done { outputs: found, ..done }));
        }
        Ok(Some(()))
    }

    /// Looks until the thing is ready. `None` when the run was interrupted meanwhile.
    async fn settle(
        &mut self,
        done: &Done,
        deadline: Instant,
    ) -> Result<Option<BTreeMap<String, String>>, Error> {
        let mut said = String::new();
        // The first looks come soon: nobody waits longer than what he waits for.
        let mut soon = FIRST_PAUSE;
        loop {
            let (why, pause) = match self.cloud.ready(self.stack, &self.deed, done).await {
                Ok(Ready::Yes) => return Ok(Some(BTreeMap::new())),
                Ok(Ready::Found(outputs)) => return Ok(Some(outputs)),
                Ok(Ready::NotYet { why, look_again }) => (why, look_again.min(soon)),
                // A look that failed in passing says nothing about the thing.
                Err(error) if error.class.is_retryable() => (error.to_string(), LONGEST_PAUSE),
                Err(error) => return Err(error),
            };
            if Instant::now() >= deadline {
                let error = Error::new(Class::Other, format!("gave up waiting: {why}"));
                return Err(error.hinted("run the same command again: it goes on waiting"));
            }
            if why != said {
                self.say(Report::Waiting(self.id, why.clone()));
                said = why;
            }
            if self.sleep(pause).await.is_none() {
                return Ok(None);
            }
            // Bounded: a wait may take hundreds of looks.
            soon = soon.mul_f64(1.5).min(RAREST_LOOK);
        }
    }

    /// The right to make a call. `None` when the run is interrupted before it is the step's turn.
    async fn turn(&mut self) -> Option<SemaphorePermit<'a>> {
        let gate = self.gate;
        tokio::select! {
            biased;
            Ok(_) = self.interrupt.wait_for(|interrupt| *interrupt > Interrupt::None) => None,
            turn = gate.acquire() => Some(turn.expect("the gate is never closed")),
        }
    }

    /// `None` when the run is interrupted before the time is over.
    async fn sleep(&mut self, pause: Duration) -> Option<()> {
        #[expect(clippy::disallowed_methods, reason = "here is where waiting is done")]
        let pause = tokio::time::sleep(pause);
        tokio::select! {
            () = pause => Some(()),
            Ok(_) = self.interrupt.wait_for(|interrupt| *interrupt > Interrupt::None) => None,
        }
    }

    fn say(&self, report: Report) {
        // Nobody listens any more only when the run is being dropped.
        drop(self.reports.send(report));
    }
}

/// What the step waited for did not come.
fn gave_up(error: &Error, after: Duration) -> Error {
    let mut error = error.clone();
    error.message = format!("gave up after {} s: {}", after.as_secs(), error.message);
    if error.class == Class::Eventual && error.hint.is_none() {
        let hint = "what is new is visible by now: see that what it names is there, in this account and \
                    region, and may be used";
        error = error.hinted(hint);
    }
    error
}
