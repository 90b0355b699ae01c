//! Carries a plan out: the async shell round the pure schedule.
//!
//! It makes no decisions: the plan's steps, in an order that the plan allows; [`super::attempt`] tries each.
//! It never prints; who wants to see reads the events.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt as _};
use sha2::{Digest as _, Sha256};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::Instant;

use super::attempt::{Attempt, End, Report};
use super::event::{Event, Outcome};
use super::journal::Journal;
use super::schedule::{Schedule, opens_early};
use crate::cloud::Cloud;
use crate::kind::{Act, Class, Deed, Error, TagChange};
use crate::plan::{Action, Plan, Step, StepId};
use crate::value::{Known, Value};

/// How many steps of one kind make their calls at once. Each kind has its own measure: task definitions
/// that are registered one a second keep no listener rule waiting.
const WIDTH: usize = 8;

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
        let kinds = plan.steps.iter().map(|step| step.address.kind.as_str());
        let gates: BTreeMap<&str, Semaphore> =
            kinds.map(|kind| (kind, Semaphore::new(WIDTH))).collect();
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
                    gate: &gates[step.address.kind.as_str()],
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
                    Interrupt::Stop => self.stop(&mut outcome)?,
                    Interrupt::Now => {
                        outcome.was_interrupted = true;
                        break;
                    }
                },
            }
        }
        // Those that were under way when the run was left at once are not done, either.
        outcome.interrupted.extend(schedule.unfinished());
        Ok(outcome)
    }

    /// The step with everything filled in that has become known. What the plan knew stays as it is.
    fn deed(&self, step: &Step, run: &str) -> Result<Deed, Error> {
        let fill = |value: &Value| {
            value.fill(&self.known).map_err(|output| {
                Error::new(Class::Other, format!("${{{output}}} is still unknown"))
            })
        };
        let act = match &step.action {
            Action::Create { .. } => {
                Act::Create { spec: fill(&step.spec)?, beside: self.plan.deleted_at(&step.address) }
            }
            Action::Update { id, was, tags, .. } => Act::Update {
                id: id.clone(),
                // What it was widened to may mention what was made meanwhile.
                was: fill(was)?,
                spec: if step.edits.is_empty() { None } else { Some(fill(&step.spec)?) },
                tags: tags.clone(),
            },
            Action::Widen { id, was } => Act::Update {
                id: id.clone(),
                was: was.clone(),
                spec: Some(fill(&step.spec)?),
                tags: TagChange::default(),
            },
            Action::Delete { id, was, .. } => Act::Delete { id: id.clone(), was: was.clone() },
            Action::Settle { id, .. } => Act::Settle { id: id.clone(), spec: fill(&step.spec)? },
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
                    self.known.learn(address, done.outputs.clone());
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
                self.stop(outcome)?;
                self.tell(&Event::StepInterrupted { step })
            }
        }
    }

    /// Begins nothing new, and says so once: a step may notice before the run does.
    fn stop(&mut self, outcome: &mut Outcome) -> io::Result<()> {
        if std::mem::replace(&mut outcome.was_interrupted, true) {
            return Ok(());
        }
        self.tell(&Event::Interrupted)
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

/// The same for each attempt at a step of a run, and for no other: 32 characters, which every API
/// accepts (CreateService allows 36).
fn token(run: &str, step: &Step) -> String {
    let hash = Sha256::digest(format!("{run} {} {}", step.verb(), step.address).as_bytes());
    let half = hash.first_chunk().expect("SHA-256 has 32 bytes");
    format!("{:032x}", u128::from_be_bytes(*half))
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
