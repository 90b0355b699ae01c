//! A cloud of our own: every kind at once, in memory or in one file, refusing what AWS refuses.
//!
//! A kind's declaration and its observation are one type, so a resource here is a declaration that
//! somebody has made. It is the embedded default of the demo and the bed of the random tests; nothing
//! in it touches the network.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures::future::BoxFuture;

use self::world::World;
use super::{Cloud, Pauses, Surroundings};
use crate::kind::{
    Act, Class, Deed, Done, Error, Found, Given, Health, Kind as _, Live, Onward, Pause, Ready,
    Registered, Remains, Result, Sought, StackId, TAG_ENV, TAG_STACK, Tags,
};
use crate::kinds::image::{self, Image};

mod given;
mod identity;
mod inherited;
mod moved;
mod phases;
mod protocols;
mod rollout;
mod seats;
mod task;
mod world;

/// Tells the time in seconds; only differences count.
pub type Clock = Arc<dyn Fn() -> f64 + Send + Sync>;

/// What a test does to a call.
pub type Faults = Arc<dyn Fn(&Deed) -> Option<Fault> + Send + Sync>;

/// How a call goes wrong.
#[derive(Debug, Clone)]
pub enum Fault {
    /// It fails and does nothing.
    Before(Error),
    /// It does what it should, and the reply is lost.
    After(Error),
}

/// A simulated account in one region.
pub struct Sim {
    world: Mutex<World>,
    file: Option<PathBuf>,
    clock: Clock,
    /// How long a second of AWS lasts here, in seconds.
    scale: f64,
    faults: Option<Faults>,
    surroundings: Surroundings,
    /// The tasks that this process has started: a simulated task does not outlive it.
    tasks: Mutex<Vec<task::Started>>,
}

impl Sim {
    /// An empty account that is gone with the process.
    pub fn in_memory(region: &str, clock: Clock, scale: f64) -> Self {
        let zones = ["a", "b", "c"].map(|zone| format!("{region}{zone}")).to_vec();
        Self {
            world: Mutex::default(),
            file: None,
            clock,
            scale,
            faults: None,
            tasks: Mutex::default(),
            surroundings: Surroundings {
                account: "123456789012".into(),
                region: region.into(),
                partition: "aws".into(),
                zones,
            },
        }
    }

    /// The account that is kept in `file`; empty if there is no such file.
    pub fn at(file: PathBuf, region: &str, clock: Clock, scale: f64) -> std::io::Result<Self> {
        let world = match fs_err::read(&file) {
            Ok(text) => serde_json::from_slice(&text)
                .map_err(|error| std::io::Error::new(std::io::ErrorKind::InvalidData, error))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => World::default(),
            Err(error) => return Err(error),
        };
        let (world, file) = (Mutex::new(world), Some(file));
        Ok(Self { world, file, ..Self::in_memory(region, clock, scale) })
    }

    /// The same account with calls that go wrong.
    #[must_use]
    pub fn with_faults(mut self, faults: Faults) -> Self {
        self.faults = Some(faults);
        self
    }

    /// What the account has refused so far, in words: a plan that is in order gives it no reason.
    pub fn refusals(&self) -> Vec<String> {
        self.world().refusals.clone()
    }

    /// How many resources there are, those on their way out included.
    pub fn count(&self) -> usize {
        let mut world = self.world();
        world.advance((self.clock)());
        world.objects.len()
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().expect("no holder of the simulated account panics")
    }

    /// The account as another process may have left it: whoever ends a pause sits at another terminal. What
    /// this process has done is in the file, too.
    fn reread(&self) -> Result<MutexGuard<'_, World>> {
        let mut world = self.world();
        let Some(file) = self.file.as_ref().filter(|file| file.exists()) else { return Ok(world) };
        let trouble = |error: &dyn std::fmt::Display| Error::new(Class::Other, error.to_string());
        let text = fs_err::read(file).map_err(|error| trouble(&error))?;
        let there: World = serde_json::from_slice(&text).map_err(|error| trouble(&error))?;
        let refusals = std::mem::replace(&mut *world, there).refusals;
        world.refusals = refusals;
        Ok(world)
    }

    fn save(&self, world: &World) -> Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let text = serde_json::to_vec_pretty(world).expect("a simulated account is a document");
        crate::store::write_state(file, &text)
            .map_err(|error| Error::new(Class::Other, format!("{}: {error}", file.display())))
    }

    fn seconds(&self, of_aws: u32) -> f64 {
        f64::from(of_aws) * self.scale
    }

    fn attempt(&self, stack: &StackId, deed: &Deed) -> Result<Done> {
        let fault = self.faults.as_ref().and_then(|faults| faults(deed));
        if let Some(Fault::Before(error)) = fault {
            return Err(error);
        }
        let now = (self.clock)();
        let mut world = self.world();
        world.advance(now);
        let kind = crate::kinds::find(&deed.address.kind)
            .ok_or_else(|| Error::new(Class::Other, "no such kind"))?;
        // What is there within seconds is there at once.
        let seconds = Some(kind.about().seconds).filter(|seconds| *seconds > 5).unwrap_or(0);
        let ready_at = now + self.seconds(seconds);
        let done = match &deed.act {
            _ if kind.about().remains == Remains::Nothing => return task::run(&world, deed),
            // What others make is there as soon as it can be.
            Act::Settle { id, spec } if kind.name() == Image::NAME => {
                let outputs = image::simulated(spec).unwrap_or_default();
                Ok(Done { id: id.clone(), outputs, watch: None })
            }
            Act::Create { spec, .. } => {
                world.create(kind, stack, &self.surroundings, deed, spec, ready_at)
            }
            Act::Update { id, spec, tags, .. } => {
                world.tag(id, tags);
                match spec {
                    Some(spec) => world.update(kind, &self.surroundings, id, spec),
                    None => Ok(Done { id: id.clone(), ..Done::default() }),
                }
            }
            Act::Delete { id, .. } => world.delete(kind, id, now + self.seconds(1)),
            Act::Settle { id, .. } => Ok(Done { id: id.clone(), ..Done::default() }),
        };
        if let Err(error) = &done {
            let refusal = format!("{}: {error}", deed.address);
            world.refusals.push(refusal);
        }
        rollout::begin(&mut world, &done, &deed.act, now, self.scale * rollout::SECONDS);
        self.save(&world)?;
        match fault {
            Some(Fault::After(error)) => Err(error),
            _ => done,
        }
    }

    fn look(&self, deed: &Deed, done: &Done) -> Result<Ready> {
        let now = (self.clock)();
        let mut world = self.world();
        if world.objects.get(&done.id).and_then(rollout::pause).is_some() {
            drop(world);
            world = self.reread()?;
        }
        if world.advance(now) {
            self.save(&world)?;
        }
        let pause = |seconds: f64| Duration::from_secs_f64(seconds.clamp(0.02, 5.0));
        let Some(object) = world.objects.get(&done.id) else { return Ok(Ready::Yes) };
        if let Act::Delete { .. } = deed.act {
            let left = object.gone_at.unwrap_or(now) - now;
            return Ok(Ready::NotYet { why: "being deleted".into(), look_again: pause(left) });
        }
        if let Some(rollout) = &object.rollout {
            return rollout.look(now, &deed.address.name);
        }
        match object.ready_at - now {
            left if left > 0.0 => {
                Ok(Ready::NotYet { why: "provisioning".into(), look_again: pause(left) })
            }
            _ => Ok(Ready::Yes),
        }
    }
}

impl Cloud for Sim {
    fn surroundings(&self) -> BoxFuture<'_, Result<Surroundings>> {
        Box::pin(async { Ok(self.surroundings.clone()) })
    }

    /// A simulated account has whatever network is asked for.
    fn find<'a>(&'a self, given: &'a Given) -> BoxFuture<'a, Result<Found>> {
        let found = given::found(given, &self.surroundings.zones);
        Box::pin(async { Ok(found) })
    }

    fn observe<'a>(
        &'a self,
        kind: &'static Registered,
        sought: Sought<'a>,
    ) -> BoxFuture<'a, Result<Vec<Live>>> {
        Box::pin(async move {
            let now = (self.clock)();
            let mut world = self.world();
            if world.advance(now) {
                self.save(&world)?;
            }
            Ok(world.observe(kind.name(), sought, now))
        })
    }

    fn perform<'a>(&'a self, stack: &'a StackId, deed: &'a Deed) -> BoxFuture<'a, Result<Done>> {
        Box::pin(async move { self.attempt(stack, deed) })
    }

    fn ready<'a>(
        &'a self,
        _stack: &'a StackId,
        deed: &'a Deed,
        done: &'a Done,
    ) -> BoxFuture<'a, Result<Ready>> {
        Box::pin(async move { self.look(deed, done) })
    }

    fn health<'a>(
        &'a self,
        services: &'a [String],
    ) -> BoxFuture<'a, Result<BTreeMap<String, Health>>> {
        Box::pin(async move {
            let (now, world) = ((self.clock)(), self.world());
            let found = services.iter().filter_map(|arn| Some((arn, world.objects.get(arn)?)));
            Ok(found.map(|(arn, object)| (arn.clone(), rollout::health(object, now))).collect())
        })
    }

    fn stacks(&self) -> BoxFuture<'_, Result<BTreeSet<(String, String)>>> {
        Box::pin(async move {
            let world = self.world();
            let tags = world.objects.values().map(|object| &object.tags);
            let named =
                |tags: &Tags| Some((tags.get(TAG_STACK)?.clone(), tags.get(TAG_ENV)?.clone()));
            Ok(tags.filter_map(named).collect())
        })
    }
}

impl Pauses for Sim {
    fn pause<'a>(&'a self, service: &'a str) -> BoxFuture<'a, Result<Option<Pause>>> {
        Box::pin(async move {
            let mut world = self.reread()?;
            world.advance((self.clock)());
            Ok(world.objects.get(service).and_then(rollout::pause))
        })
    }

    fn end<'a>(
        &'a self,
        service: &'a str,
        _pause: &'a Pause,
        onward: Onward,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let now = (self.clock)();
            let mut world = self.reread()?;
            world.advance(now);
            if let Some(object) = world.objects.get_mut(service) {
                rollout::resume(object, onward, now);
            }
            self.save(&world)
        })
    }
}
