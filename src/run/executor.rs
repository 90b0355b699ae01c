//! Carries a plan out: the async shell round the pure schedule.
//!
//! It makes no decisions: the plan's steps, in an order that the plan allows. It alone waits and tries
//! again. It never prints; who wants to see reads the events.

use std::io;
use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt as _};
use sha2::{Digest as _, Sha256};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::Instant;

use super::event::{Event, Outcome};
use super::journal::Journal;
use super::schedule::{Schedule, opens_early};
use crate::address::Output;
use crate::cloud::Cloud;
use crate::kind::{Act, Class, Deed, Done, Error, Ready, TagChange};
use crate::kinds;
use crate::plan::{Action, Plan, Step, StepId};
use crate::value::Known;

/// How many calls that change something are under way at once.
const WIDTH: usize = 16;
/// The first pause after a failed attempt; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest pause between attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// The longest pause between two looks, whatever a kind says.
const RAREST_LOOK: Duration = Duration::from_secs(60);

/// Whether the user wants the run to stop.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Interrupt {
    /// Go on.
    #[default]
    None,
    /// Begin nothing new; let calls in flight finish; wait for nothing.
    Stop,
    /// Leave at once: the journal is enough.
    Now,
}

/// One carrying out of a plan.
pub struct Run<'a> {
    /// The run's name: unique, part of every idempotency token.
    pub name: String,
    /// When it begins, RFC 3339, for the journal.
    pub at: String,
    /// What to do.
    pub plan: &'a Plan,
    /// The world to do it in.
    pub cloud: &'a dyn Cloud,
    /// Outputs that are known beforehand: those of the snapshot.
    pub known: Known,
    /// Told about each event before it takes effect.
    pub journal: &'a mut dyn Journal,
    /// Told about each event after the journal.
    pub watch: &'a mut (dyn FnMut(&Event) + Send),
    /// Whether to stop.
    pub interrupt: watch::Receiver<Interrupt>,
}

/// What a step says while it runs.
enum Report {
    Retrying(StepId, Error, u32),
    Performed(StepId, Done),
    Waiting(StepId, String),
}

/// How a step ended.
enum End {
    Done(Duration),
    Failed(Error),
    Interrupted,
}

impl Run<'_> {
    /// Carries the plan out. An `Err` means that the journal could not be written: nothing has been
    /// begun since.
    pub async fn execute(mut self) -> io::Result<Outcome> {
        let started = Instant::now();
        self.tell(&Event::RunStarted {
            format: 1,
            run: self.name.clone(),
            at: self.at.clone(),
            stack: self.plan.stack.clone(),
            purpose: self.plan.purpose,
            steps: self.plan.steps.len(),
        })?;
        let mut outcome = self.work().await?;
        outcome.known = std::mem::take(&mut self.known);
        self.tell(&Event::RunFinished {
            done: outcome.done.len(),
            failed: outcome.failed.len(),
            left: outcome.skipped.len() + outcome.interrupted.len(),
            milliseconds: milliseconds(started.elapsed()),
        })?;
        Ok(outcome)
    }

    async fn work(&mut self) -> io::Result<Outcome> {
        let (cloud, plan, name) = (self.cloud, self.plan, self.name.clone());
        let mut interrupt = self.interrupt.clone();
        let mut schedule = Schedule::new(plan);
        let mut outcome = Outcome::default();
        let gate = Semaphore::new(WIDTH);
        let (reports, mut inbox) = mpsc::unbounded_channel();
        let mut running = FuturesUnordered::new();
        loop {
            while !outcome.was_interrupted {
                let Some(id) = schedule.begin() else { break };
                let step = &plan.steps[id];
                let deed = match self.deed(step, &name) {
                    Ok(deed) => deed,
                    Err(error) => {
                        self.fail(&mut schedule, &mut outcome, id, error)?;
                        continue;
                    }
                };
                self.tell(&Event::StepStarted {
                    step: id,
                    address: step.address.clone(),
                    verb: step.verb().to_owned(),
                    token: deed.token.clone(),
                })?;
                let attempt = Attempt {
                    id,
                    deed,
                    cloud,
                    stack: &plan.stack,
                    gate: &gate,
                    reports: reports.clone(),
                    interrupt: interrupt.clone(),
                };
                running.push(attempt.run());
            }
            if running.is_empty() {
                break;
            }
            tokio::select! {
                biased;
                Some(report) = inbox.recv() => self.hear(&mut schedule, report)?,
                Some((id, end)) = running.next() => {
                    // What the step said last comes before its end.
                    while let Ok(report) = inbox.try_recv() {
                        self.hear(&mut schedule, report)?;
                    }
                    self.end(&mut schedule, &mut outcome, id, end)?;
                }
                Ok(()) = interrupt.changed() => match *interrupt.borrow_and_update() {
                    Interrupt::None => {}
                    Interrupt::Stop => {
                        outcome.was_interrupted = true;
                        self.tell(&Event::Interrupted)?;
                    }
                    Interrupt::Now => {
                        outcome.was_interrupted = true;
                        break;
                    }
                },
            }
        }
        outcome.interrupted.extend(schedule.waiting());
        Ok(outcome)
    }

    /// The step with everything filled in that has become known. What the plan knew stays as it is.
    fn deed(&self, step: &Step, run: &str) -> Result<Deed, Error> {
        let lower = |value: &crate::value::Value| {
            value.resolve(&self.known).lower().map_err(|output| {
                Error::new(Class::Other, format!("${{{output}}} is still unknown"))
            })
        };
        let act = match &step.action {
            Action::Create { .. } => Act::Create {
                spec: lower(&step.spec)?,
                beside: self.plan.deleted_at(&step.address),
            },
            Action::Update { id, was, tags, .. } => Act::Update {
                id: id.clone(),
                was: lower(was)?,
                spec: if step.edits.is_empty() { None } else { Some(lower(&step.spec)?) },
                tags: tags.clone(),
            },
            Action::Widen { id, was } => Act::Update {
                id: id.clone(),
                was: lower(was)?,
                spec: Some(lower(&step.spec)?),
                tags: TagChange::default(),
            },
            Action::Delete { id, was, .. } => Act::Delete { id: id.clone(), was: lower(was)? },
            Action::Settle { id, .. } => Act::Settle { id: id.clone() },
        };
        let (address, tags) = (step.address.clone(), step.tags.clone());
        Ok(Deed { address, act, tags, token: token(run, step) })
    }

    fn hear(&mut self, schedule: &mut Schedule, report: Report) -> io::Result<()> {
        match report {
            Report::Retrying(step, error, attempt) => {
                self.tell(&Event::StepRetrying { step, error, attempt })
            }
            Report::Waiting(step, why) => self.tell(&Event::StepWaiting { step, why }),
            Report::Performed(step, done) => {
                let plan = self.plan;
                if !matches!(plan.steps[step].action, Action::Delete { .. }) {
                    let address = &plan.steps[step].address;
                    for (name, text) in &done.outputs {
                        self.known.insert(Output::new(address.clone(), name), text.clone());
                    }
                }
                self.tell(&Event::StepPerformed { step, done })?;
                if opens_early(&plan.steps[step]) {
                    schedule.exists(step);
                }
                Ok(())
            }
        }
    }

    fn end(
        &mut self,
        schedule: &mut Schedule,
        outcome: &mut Outcome,
        step: StepId,
        end: End,
    ) -> io::Result<()> {
        match end {
            End::Done(took) => {
                schedule.done(step);
                outcome.done.push(step);
                self.tell(&Event::StepDone { step, milliseconds: milliseconds(took) })
            }
            End::Failed(error) => self.fail(schedule, outcome, step, error),
            End::Interrupted => {
                // A step may notice before the run does.
                outcome.was_interrupted = true;
                outcome.interrupted.push(step);
                self.tell(&Event::StepInterrupted { step })
            }
        }
    }

    fn fail(
        &mut self,
        schedule: &mut Schedule,
        outcome: &mut Outcome,
        step: StepId,
        error: Error,
    ) -> io::Result<()> {
        self.tell(&Event::StepFailed { step, error: error.clone() })?;
        outcome.failed.insert(step, error);
        for skipped in schedule.failed(step) {
            outcome.skipped.insert(skipped, step);
            self.tell(&Event::StepSkipped { step: skipped, because: step })?;
        }
        Ok(())
    }

    fn tell(&mut self, event: &Event) -> io::Result<()> {
        self.journal.record(event)?;
        (self.watch)(event);
        Ok(())
    }
}

/// One step on its way: attempts until the call succeeds, then looks until the thing is ready.
struct Attempt<'a> {
    id: StepId,
    deed: Deed,
    cloud: &'a dyn Cloud,
    stack: &'a crate::kind::StackId,
    gate: &'a Semaphore,
    reports: mpsc::UnboundedSender<Report>,
    interrupt: watch::Receiver<Interrupt>,
}

impl Attempt<'_> {
    async fn run(mut self) -> (StepId, End) {
        let started = Instant::now();
        let seconds = kinds::find(&self.deed.address.kind).map(|kind| kind.about().deadline);
        let deadline = started + seconds.unwrap_or(Duration::from_secs(300));
        let end = match self.perform(deadline).await {
            Ok(Some(done)) => {
                self.say(Report::Performed(self.id, done.clone()));
                self.settle(&done, deadline).await
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
    async fn perform(&mut self, deadline: Instant) -> Result<Option<Done>, Error> {
        let mut pause = FIRST_PAUSE;
        for attempt in 1.. {
            let permit = self.gate.acquire().await.expect("the gate is never closed");
            let made = self.cloud.perform(self.stack, &self.deed).await;
            drop(permit);
            let error = match made {
                Ok(done) => return Ok(Some(done)),
                Err(error) if !error.class.is_retryable() => return Err(error),
                Err(error) => error,
            };
            if Instant::now() + pause >= deadline {
                return Err(gave_up(&error));
            }
            self.say(Report::Retrying(self.id, error, attempt));
            if self.sleep(pause).await.is_none() {
                return Ok(None);
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        unreachable!("attempts are not counted to an end")
    }

    /// Looks until the thing is ready. `None` when the run was interrupted meanwhile.
    async fn settle(&mut self, done: &Done, deadline: Instant) -> Result<Option<()>, Error> {
        let mut said = String::new();
        // The first looks come soon: nobody waits longer than what he waits for.
        let mut soon = FIRST_PAUSE;
        loop {
            let (why, pause) = match self.cloud.ready(self.stack, &self.deed, done).await {
                Ok(Ready::Yes) => return Ok(Some(())),
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

    /// `None` when the run is interrupted before the time is over.
    async fn sleep(&mut self, pause: Duration) -> Option<()> {
        #[expect(clippy::disallowed_methods, reason = "the executor is where waiting is done")]
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

fn gave_up(error: &Error) -> Error {
    let mut error = error.clone();
    error.message = format!("gave up after trying again and again: {}", error.message);
    error
}

/// The same for each attempt at a step of a run, and for no other: 32 characters, which every API
/// accepts (CreateService allows 36).
fn token(run: &str, step: &Step) -> String {
    let hash = Sha256::digest(format!("{run} {} {}", step.verb(), step.address).as_bytes());
    hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
