//! What is kept between runs, and the lock under which a stack is changed.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::complaint::held;
use super::context::Context;
use super::git;
use super::options::World;
use super::signals::Signals;
use super::world::Door;
use super::{Exit, Failure};
use crate::kind::StackId;
use crate::plan::Purpose;
use crate::spec::{self, Spec, State};
use crate::store::{Held, Holder, Lease, Store, TERM};

/// Variables in which CI systems tell the address or the number of a run.
const CI: [&str; 7] = [
    "CI_JOB_URL",
    "BUILDKITE_BUILD_URL",
    "CIRCLE_BUILD_URL",
    "CODEBUILD_BUILD_URL",
    "BUILD_URL",
    "CODEBUILD_BUILD_ID",
    "BITBUCKET_BUILD_NUMBER",
];

/// How long the lock's return may take.
const PARTING: Duration = Duration::from_secs(10);

/// What a command wants to do under the lock, and how long it waits for it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish {
    /// What it does.
    pub(super) purpose: Purpose,
    /// How long it waits for another run's end.
    pub(super) patience: Duration,
}

/// A run that holds the lock.
pub(super) struct Keep {
    /// What is kept.
    pub(super) store: Store,
    /// The run's name.
    pub(super) run: String,
    lease: Lease,
    /// From then on the run itself hears what is wished.
    has_begun: AtomicBool,
}

impl Keep {
    /// Says that the run hears signals from now on, because there is something to finish.
    pub(super) fn begins(&self) {
        self.has_begun.store(true, Ordering::Relaxed);
    }

    /// Waits for a signal that nobody else hears.
    async fn given_up(&self, mut signals: Signals) {
        signals.next().await;
        if self.has_begun.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
    }

    /// Waits until the lock is somebody else's.
    pub(super) fn lost(&self) -> impl Future<Output = ()> + Send + 'static {
        let right = self.lease.right();
        async move { right.lost().await }
    }
}

/// What is kept of the stack on this machine.
pub(super) fn local(cx: &Context, stack: &StackId) -> Store {
    Store::local(&cx.options.state, stack)
}

/// What is kept of the stack: where the command line says, the environment or the spec. A simulated
/// account is this machine's own, and so is what is kept of it.
fn store(cx: &Context, door: &Door, stack: &StackId, state: &State) -> Result<Store, Failure> {
    let local = local(cx, stack);
    let (Door::Aws(aws), Some(place)) = (door, place(cx, state)) else { return Ok(local) };
    let (bucket, prefix) = spec::place(&place).map_err(Failure::Usage)?;
    Ok(local.sharing(Arc::new(aws.bucket(bucket, prefix))))
}

/// What is kept of the stack of a spec, for those who only look. Nobody needs AWS for what lies on this
/// machine.
pub(super) async fn kept(cx: &Context, spec: &mut Spec) -> Result<Store, Failure> {
    if cx.world()? == World::Sim || place(cx, &spec.state).is_none() {
        return Ok(local(cx, &spec.id));
    }
    let door = Door::open(cx, &mut spec.id).await?;
    store(cx, &door, &spec.id, &spec.state)
}

/// Where lock and journals lie that machines share, if they do.
pub(super) fn place(cx: &Context, state: &State) -> Option<String> {
    let set = || cx.environment.get("ECSCTL_STORE").filter(|place| !place.is_empty()).cloned();
    cx.options.store.clone().or_else(set).or_else(|| state.store.clone())
}

/// Does something under the lock of a stack, and gives the lock back.
pub(super) async fn locked(
    cx: &mut Context,
    door: &Door,
    stack: &StackId,
    state: &State,
    wish: Wish,
    act: impl AsyncFnOnce(&mut Context, &Keep) -> Result<Exit, Failure>,
) -> Result<Exit, Failure> {
    let store = store(cx, door, stack, state)?;
    let holder = holder(cx, wish.purpose);
    let run = holder.run.clone();
    let claim = store.claim(holder, state.term().unwrap_or(TERM));
    let mut wait = |other: &Held| {
        let (who, _) = held(other, jiff::Timestamp::now());
        // Whoever cannot be told waits all the same.
        drop(writeln!(cx.err, "waiting: {who}"));
    };
    let lease = claim.take(wish.patience, &mut wait).await;
    let signals = Signals::new()?;
    let lease = lease.map_err(|error| Failure::lock(&cx.options.state, error))?;
    door.guard(lease.right());
    let keep = Keep { store, run, lease, has_begun: AtomicBool::new(false) };
    let done = tokio::select! {
        done = act(cx, &keep) => done,
        () = keep.given_up(signals) => Err(Failure::Interrupted),
    };
    let taken = keep.lease.right().taken();
    // A store that does not answer is not waited for: the lease runs out.
    drop(tokio::time::timeout(PARTING, keep.lease.release()).await);
    if matches!(done, Err(Failure::Interrupted)) {
        // What was pressed stands in the last line.
        let end = if cx.is_interactive { "\n" } else { "" };
        cx.say(&format!("{end}interrupted: nothing has been changed"))?;
    }
    match (&done, taken) {
        // What was done was done while the lock was held.
        (Ok(Exit::Done), _) | (_, None) => done,
        (_, Some(taken)) => Err(Failure::taken(&taken)),
    }
}

fn holder(cx: &Context, purpose: Purpose) -> Holder {
    Holder {
        run: run_name(),
        owner: owner(cx),
        process: std::process::id(),
        since: jiff::Timestamp::now().to_string(),
        purpose: match purpose {
            Purpose::Apply => "apply".to_owned(),
            Purpose::Destroy => "destroy".to_owned(),
        },
        commit: git::commit(&cx.options.file),
        ci: ci(cx),
    }
}

/// `ada@laptop`, as far as the machine tells.
fn owner(cx: &Context) -> String {
    let named = |names: &[&str]| names.iter().find_map(|name| cx.environment.get(*name)).cloned();
    // Few shells export HOSTNAME; Linux has it in files.
    let in_files = || {
        let files = ["/proc/sys/kernel/hostname", "/etc/hostname"];
        files.iter().find_map(|file| fs_err::read_to_string(file).ok())
    };
    let user = named(&["USER", "LOGNAME", "USERNAME"]).unwrap_or_else(|| "somebody".to_owned());
    match named(&["HOSTNAME", "COMPUTERNAME"]).or_else(in_files) {
        Some(host) => format!("{user}@{}", host.trim()),
        None => user,
    }
}

/// The run of the CI system that this is a part of.
fn ci(cx: &Context) -> Option<String> {
    let set = |name: &str| cx.environment.get(name).filter(|text| !text.is_empty()).cloned();
    let github = || {
        let server = set("GITHUB_SERVER_URL")?;
        let (repository, run) = (set("GITHUB_REPOSITORY")?, set("GITHUB_RUN_ID")?);
        Some(format!("{server}/{repository}/actions/runs/{run}"))
    };
    github().or_else(|| CI.iter().find_map(|name| set(name)))
}

/// Unique among all machines, and sorted by time: `20261121T061959123Z-5f2c9e01d4a7b386`.
fn run_name() -> String {
    let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%S%3fZ");
    // Processes of two containers may well have the same number.
    let random = RandomState::new().build_hasher().finish();
    format!("{now}-{random:016x}")
}
