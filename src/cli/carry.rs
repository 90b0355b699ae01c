//! Carries a plan out with everything around it: the question, the journal, progress, Ctrl-C, the
//! summary.

use std::io::IsTerminal as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{oneshot, watch};

use super::context::Context;
use super::locked::Keep;
use super::options::Format;
use super::signals::Signals;
use super::stack::Urls;
use super::world::{Door, Looked};
use super::{Exit, Failure};
use crate::plan::{Plan, Purpose};
use crate::report::progress::{Display, Progress};
use crate::report::{human, json, summary};
use crate::run::event::{Event, Outcome};
use crate::run::executor::{Interrupt, Run};
use crate::snapshot::learn;
use crate::store::Store;

/// How often progress may say that it is still waiting.
const TICK: Duration = Duration::from_secs(1);
/// How often the journal is copied to where others read it.
const PUBLISHED: Duration = Duration::from_secs(10);

/// Whether somebody has to be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Consent {
    /// `--yes` was given.
    Given,
    /// Somebody has to say yes.
    Needed,
}

/// Shows the plan, asks, carries it out, tells what came of it.
pub(super) async fn carry_out(
    cx: &mut Context,
    door: &Door,
    keep: &Keep,
    looked: &Looked,
    urls: &Urls,
    consent: Consent,
) -> Result<Exit, Failure> {
    let plan = &looked.plan;
    match cx.options.format {
        Format::Human | Format::Markdown => cx.print(&human::plan(plan, cx.look))?,
        // Whoever is asked has to see what about.
        Format::Json if consent == Consent::Needed => cx.say(&human::plan(plan, cx.err_look))?,
        Format::Json => {}
    }
    if !plan.is_empty() {
        ask(cx, plan, consent).await?;
    }
    let started = Instant::now();
    let outcome = match plan.is_empty() {
        true => Outcome { known: known(looked), ..Outcome::default() },
        false => run(cx, door, keep, looked).await?,
    };
    let outputs = match plan.purpose {
        Purpose::Apply => urls.outputs(&outcome.known),
        Purpose::Destroy => Vec::new(),
    };
    let text = match cx.options.format {
        Format::Json => json::outcome(plan, &outcome, &outputs, started.elapsed()),
        Format::Human | Format::Markdown if plan.is_empty() => String::new(),
        _ if outcome.was_interrupted && !cx.is_resumable => String::new(),
        Format::Human | Format::Markdown => {
            let text = summary::summary(plan, &outcome, &outputs, started.elapsed(), cx.look);
            format!("\n{text}")
        }
    };
    cx.print(&text)?;
    Ok(exit(&outcome))
}

fn exit(outcome: &Outcome) -> Exit {
    let rolled = outcome.failed.values().any(|error| error.rollout.is_some());
    match outcome.is_complete() {
        true => Exit::Done,
        false if rolled => Exit::Rollout,
        false if outcome.was_interrupted => Exit::Interrupted,
        false => Exit::Failed,
    }
}

fn known(looked: &Looked) -> crate::value::Known {
    let mut known = looked.snapshot.surroundings.known();
    for live in looked.snapshot.ours(&looked.plan.stack) {
        learn(live, &mut known);
    }
    known
}

/// Fails unless somebody says yes.
async fn ask(cx: &mut Context, plan: &Plan, given: Consent) -> Result<(), Failure> {
    let (question, nobody) = match plan.purpose {
        Purpose::Apply => ("Apply these changes?", "nothing is applied without a yes"),
        Purpose::Destroy => ("Destroy all of this?", "nothing is destroyed without a yes"),
    };
    consent(cx, question, nobody, given).await
}

/// Fails unless the answer to `question` is yes; `nobody` says what comes of any other.
pub(super) async fn consent(
    cx: &mut Context,
    question: &str,
    nobody: &str,
    given: Consent,
) -> Result<(), Failure> {
    if given == Consent::Given {
        return Ok(());
    }
    if !cx.is_interactive {
        let hint = "look at the plan, then add `--yes`".to_owned();
        return Err(Failure::Refused(format!("{nobody}, and nobody is here to give it"), hint));
    }
    write!(cx.err, "\n{question} [y/N] ")?;
    cx.err.flush()?;
    // Whoever reads is not waited for when Ctrl-C is the answer.
    let read = tokio::task::spawn_blocking(|| std::io::stdin().lines().next().transpose());
    let answer = read.await.map_err(std::io::Error::other)??.unwrap_or_default();
    match answer.trim().to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Failure::Refused(nobody.to_owned(), "answer `y` to go on".to_owned())),
    }
}

async fn run(
    cx: &mut Context,
    door: &Door,
    keep: &Keep,
    looked: &Looked,
) -> Result<Outcome, Failure> {
    if cx.options.format != Format::Json {
        cx.say("")?;
    }
    let plan = &looked.plan;
    let state = |error: std::io::Error| Failure::state(&cx.options.state, &error);
    let mut journal = keep.store.journal(&keep.run, plan.steps.len()).map_err(state)?;
    let progress = Arc::new(Mutex::new(Progress::new(plan, display(cx), cx.err_look)));
    let heard = Arc::clone(&progress);
    let mut watch = move |event: &Event| locked(&heard).event(event);
    let (interrupt, interrupted) = watch::channel(Interrupt::None);
    let aside = [
        tokio::spawn(listen(Signals::new()?, interrupt.clone())),
        tokio::spawn(leave(keep.lost(), interrupt)),
    ];
    let (end, ended) = oneshot::channel();
    let publishing = tokio::spawn(publish(keep.store.clone(), keep.run.clone(), ended));
    keep.begins();
    let run = Run {
        name: keep.run.clone(),
        at: jiff::Timestamp::now().to_string(),
        plan,
        cloud: door.cloud(),
        known: known(looked),
        journal: &mut journal,
        watch: &mut watch,
        interrupt: interrupted,
    };
    let outcome = ticking(run.execute(), &progress).await;
    aside.iter().for_each(tokio::task::JoinHandle::abort);
    locked(&progress).finish();
    door.keep_cache();
    drop(end);
    drop(tokio::time::timeout(PUBLISHED, publishing).await);
    outcome.map_err(state)
}

fn locked(progress: &Mutex<Progress>) -> std::sync::MutexGuard<'_, Progress> {
    progress.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for `run`, and lets progress know what time it is.
async fn ticking<T>(run: impl Future<Output = T>, progress: &Mutex<Progress>) -> T {
    let started = Instant::now();
    let mut beat = tokio::time::interval(TICK);
    let mut run = std::pin::pin!(run);
    loop {
        tokio::select! {
            outcome = &mut run => return outcome,
            _ = beat.tick() => locked(progress).tick(started.elapsed()),
        }
    }
}

fn display(cx: &Context) -> Display {
    let is_terminal = std::io::stderr().is_terminal() && cx.options.log.is_none();
    match cx.options.format {
        Format::Json => Display::Quiet,
        Format::Human | Format::Markdown if is_terminal => Display::Terminal,
        Format::Human | Format::Markdown => Display::Lines(Box::new(std::io::stderr())),
    }
}

/// Leaves at once when the lock is somebody else's: no call would go out any more.
async fn leave(lost: impl Future<Output = ()>, interrupt: watch::Sender<Interrupt>) {
    lost.await;
    interrupt.send_replace(Interrupt::Now);
}

/// Keeps the copy of the journal up to date that others read, and copies it whole when the run has ended.
/// One write follows the other, so that an old one cannot come after the last.
async fn publish(store: Store, run: String, mut ended: oneshot::Receiver<()>) {
    let mut beat = tokio::time::interval(PUBLISHED);
    loop {
        let is_last = tokio::select! {
            _ = beat.tick() => false,
            _ = &mut ended => true,
        };
        // Trouble with the copy costs a history and nothing else.
        if let Err(error) = store.publish(&run).await {
            tracing::warn!(%error, "the journal could not be copied to the shared store");
        }
        if is_last {
            return;
        }
    }
}

/// The first Ctrl-C or SIGTERM stops, the second leaves at once.
async fn listen(mut signals: Signals, interrupt: watch::Sender<Interrupt>) {
    for wish in [Interrupt::Stop, Interrupt::Now] {
        signals.next().await;
        if interrupt.send(wish).is_err() {
            return;
        }
    }
}
