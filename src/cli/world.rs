//! The world a command works in, and the way from what is declared to a plan.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp, Unit};

use super::Failure;
use super::context::Context;
use super::locked::local;
use super::options::World;
use super::stack::Stack;
use crate::cloud::aws::{Aws, Cache, ConnectError, Connection};
use crate::cloud::sim::Sim;
use crate::cloud::{Cloud, Pauses, Tasks};
use crate::desired::Desired;
use crate::kind::{StackId, TAG_EXPIRES, TAG_TTL};
use crate::nearest::nearest;
use crate::plan::{self, Plan, Purpose, Standing};
use crate::report::summary::listed;
use crate::snapshot::{self, Snapshot};
use crate::spec::Sources;
use crate::store::Right;

/// So many stacks are named to whoever may have mistyped one.
const STACKS: usize = 20;

/// How long a second of AWS lasts in the simulator, unless ECSCTL_SIM_SCALE says otherwise.
const SCALE: f64 = 0.02;

/// An open door.
pub(super) enum Door {
    /// AWS.
    Aws(Box<Aws>),
    /// The simulator.
    Sim(Box<Sim>),
}

impl Door {
    /// Opens the door to the world that the options mean, and completes `stack` where nobody but the
    /// profile says which region is meant. No call is made.
    pub(super) async fn open(cx: &Context, stack: &mut StackId) -> Result<Self, Failure> {
        match cx.world()? {
            World::Aws => {
                let cache = Cache::at(local(cx, stack).cache_file());
                let aws = connect(cx, &stack.region, cache).await?;
                stack.region = aws.region();
                Ok(Self::Aws(Box::new(aws)))
            }
            World::Sim => {
                let scale = cx.environment.get("ECSCTL_SIM_SCALE").map(|scale| scale.parse());
                let scale = scale.unwrap_or(Ok(SCALE)).map_err(|_| {
                    Failure::Usage("ECSCTL_SIM_SCALE is a number such as 0.02".to_owned())
                })?;
                if stack.region.is_empty() {
                    return Err(ConnectError::NoRegion.into());
                }
                let file = cx.options.state.join(format!("sim-{}.json", stack.region));
                let sim = Sim::at(file.clone(), &stack.region, Arc::new(seconds), scale);
                let state = &cx.options.state;
                let sim = sim.map_err(|error| Failure::simulated(state, &file, &error))?;
                Ok(Self::Sim(Box::new(sim)))
            }
        }
    }

    /// What is behind the door.
    pub(super) fn cloud(&self) -> &dyn Cloud {
        match self {
            Self::Aws(aws) => &**aws,
            Self::Sim(sim) => &**sim,
        }
    }

    /// Where deployments wait for somebody's word.
    pub(super) fn pauses(&self) -> &dyn Pauses {
        match self {
            Self::Aws(aws) => &**aws,
            Self::Sim(sim) => &**sim,
        }
    }

    /// Where tasks are run by hand.
    pub(super) fn tasks(&self) -> &dyn Tasks {
        match self {
            Self::Aws(aws) => &**aws,
            Self::Sim(sim) => &**sim,
        }
    }

    /// From now on nothing goes out unless the lock is still held. The simulated account is this
    /// process's own.
    pub(super) fn guard(&self, right: Arc<Right>) {
        if let Self::Aws(aws) = self {
            aws.guard(right);
        }
    }

    /// Says that there is nothing of `stack`, and which stacks there are.
    pub(super) async fn say_what_else(
        &self,
        cx: &mut Context,
        stack: &StackId,
    ) -> Result<(), Failure> {
        let there = self.cloud().stacks().await?;
        let names: Vec<String> =
            there.iter().map(|(stack, env)| format!("{stack}/{env}")).collect();
        let own = format!("{}/{}", stack.stack, stack.env);
        cx.say(&match (names.as_slice(), nearest(&own, names.iter().map(String::as_str))) {
            ([], _) => format!("there is no stack at all in {}", stack.region),
            (_, Some(near)) => format!("did you mean `{near}`? It is in {}", stack.region),
            (names, None) => format!("stacks in {}: {}", stack.region, listed(names, STACKS)),
        })
    }

    /// Keeps what never changes of all that was read. Trouble with the file costs time and no more.
    pub(super) fn keep_cache(&self) {
        if let Self::Aws(aws) = self
            && let Err(error) = aws.cache.save()
        {
            tracing::warn!(%error, "the cache cannot be written");
        }
    }
}

/// Clients for the region, or for that of the profile if it is empty. No call is made.
pub(super) async fn connect(cx: &Context, region: &str, cache: Cache) -> Result<Aws, Failure> {
    let has_keys = cx.environment.contains_key("AWS_ACCESS_KEY_ID");
    let usual_profile = cx.environment.get("AWS_PROFILE").filter(|_| !has_keys);
    let connection = Connection {
        profile: cx.options.profile.clone(),
        usual_profile: usual_profile.cloned(),
        region: Some(region.to_owned()).filter(|region| !region.is_empty()),
    };
    Ok(Aws::connect(connection, cache).await?)
}

/// Wall time: the simulated account outlives the process.
fn seconds() -> f64 {
    Timestamp::now().as_duration().as_secs_f64()
}

/// What is, and what has to be done.
pub(super) struct Looked {
    /// What is.
    pub(super) snapshot: Snapshot,
    /// What has to be done.
    pub(super) plan: Plan,
}

/// Looks at what there is and plans.
pub(super) async fn look(
    door: &Door,
    desired: &mut Desired,
    ttl: Option<Duration>,
    purpose: Purpose,
    options: &plan::Options,
    sources: Box<Sources>,
) -> Result<Looked, Failure> {
    // What is destroyed needs no network that is in order.
    let standing = match purpose {
        Purpose::Apply => stand(door, desired, &sources).await?,
        Purpose::Destroy => Standing::default(),
    };
    let snapshot = snapshot::observe(door.cloud(), &standing.settle(desired)).await?;
    door.keep_cache();
    set_expiry(desired, ttl, &snapshot);
    match plan::plan(&standing.settle(desired), &snapshot, purpose, options) {
        Ok(plan) => Ok(Looked { snapshot, plan }),
        Err(found) => Err(Failure::Blocked(found, sources)),
    }
}

/// What the tags mean by which the spec names a network that exists already; fails if the network is not in
/// order.
pub(super) async fn stand(
    door: &Door,
    desired: &Desired,
    sources: &Sources,
) -> Result<Standing, Failure> {
    let Some(given) = &desired.given else { return Ok(Standing::default()) };
    let found = door.cloud().find(given).await?;
    plan::stand(given, &found, &desired.stack)
        .map_err(|wrong| Failure::Blocked(wrong, Box::new(sources.clone())))
}

/// Writes down how long the environment may live, and until when. The moment follows from the ttl once:
/// set anew by each plan, it would be a change each time. Another ttl counts from now.
fn set_expiry(desired: &mut Desired, ttl: Option<Duration>, snapshot: &Snapshot) {
    let Some(ttl) = ttl.and_then(|ttl| SignedDuration::try_from(ttl).ok()) else { return };
    let lifetime = format!("{ttl:#}");
    let of_this_ttl = snapshot
        .ours(&desired.stack)
        .filter(|live| live.tags.get(TAG_TTL) == Some(&lifetime))
        .filter_map(|live| live.tags.get(TAG_EXPIRES))
        .max();
    let expiry = of_this_ttl.cloned().or_else(|| {
        let now = Timestamp::now().round(Unit::Second).ok()?;
        Some(now.checked_add(ttl).ok()?.to_string())
    });
    if let Some(expiry) = expiry {
        desired.tags.insert(TAG_TTL.to_owned(), lifetime);
        desired.tags.insert(TAG_EXPIRES.to_owned(), expiry);
    }
}

/// [`look`], for a stack with a spec.
pub(super) async fn look_at(
    door: &Door,
    stack: &mut Stack,
    purpose: Purpose,
    options: &plan::Options,
) -> Result<Looked, Failure> {
    look(door, &mut stack.desired, stack.ttl, purpose, options, stack.sources.clone()).await
}

/// Runs what has to wait for the network. Nobody waits for a line that is still read when it has ended.
pub(super) fn block_on<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = runtime.block_on(future);
    runtime.shutdown_background();
    done
}
