//! The right to change a stack: a lease that runs out unless it is renewed, so that it cannot stick, and
//! that whoever has lost it notices before the next call (N9, B37).
//!
//! The record says who holds it. It is only ever replaced if it is still the one that was read, so of
//! several who reach for it one gets it, and one who was away for too long finds it gone. Its age is
//! told by the place that keeps it; and what stands unchanged for a whole lease has run out, whatever the
//! place says.

use std::fs::File;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use tokio::sync::{Mutex as AsyncMutex, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::objects::{Found, Objects, Result, StoreError, Version, Written};
use super::record::{Held, Holder, Record, alive, body, held, key, record};

/// The pause after a write that met another one.
const SOON: Duration = Duration::from_millis(100);
/// So long a renewal that is under way is waited for before the lock is given back.
const UNDER_WAY: Duration = Duration::from_secs(2);
/// So many writes may be met in a row.
const CONFLICTS: u32 = 20;
/// The longest pause between two looks at a lock that somebody else holds.
const RAREST_LOOK: Duration = Duration::from_secs(1);

/// What the operating system takes back when this process dies.
type Vouch = Option<File>;

/// Why there is no lock.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Somebody else has it.
    #[error("another run holds the lock")]
    Held(Box<Held>),
    /// The place cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The lock ran out, and somebody else has taken it; who, if they still have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken(pub Option<Holder>);

/// Why nothing may be changed now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Lost {
    /// The lock is somebody else's.
    #[error("the lease ran out, and another run has taken the lock")]
    Taken(Taken),
    /// It may have run out: the store does not answer.
    #[error("the lock cannot be renewed: {0}")]
    Unsure(String),
}

/// A lock to take.
#[derive(Debug)]
pub struct Claim {
    pub(super) objects: Arc<dyn Objects>,
    pub(super) folder: String,
    /// Who takes it.
    pub holder: Holder,
    /// How long it lasts without being renewed.
    pub term: Duration,
}

/// A point in time by the clock that never jumps and by the one that goes on while the machine sleeps.
#[derive(Debug, Clone, Copy)]
struct Moment {
    steady: Instant,
    wall: SystemTime,
}

impl Moment {
    fn now() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "nobody else knows how long the machine slept"
        )]
        let wall = SystemTime::now();
        Self { steady: Instant::now(), wall }
    }

    /// By the clock that says more.
    fn elapsed(self) -> Duration {
        self.steady.elapsed().max(self.wall.elapsed().unwrap_or_default())
    }
}

/// What is written down about the lock of somebody else, and since when this process has seen it so.
struct Seen {
    version: Version,
    since: Instant,
}

impl Claim {
    /// Takes the lock; where somebody else holds it, tries again for as long as `patience` lasts, and says
    /// to `wait` who it is.
    pub async fn take(
        self,
        patience: Duration,
        wait: &mut (dyn FnMut(&Held) + Send),
    ) -> std::result::Result<Lease, LockError> {
        let until = Instant::now() + patience;
        let (mut told, mut seen) = (None, None);
        loop {
            let found = self.objects.get(&key(&self.folder)).await?;
            let standing = found.as_ref().and_then(|found| self.standing(found, &mut seen));
            let Some(held) = standing else {
                match self.grab(found.as_ref()).await? {
                    Some((fence, version, began, vouch)) => {
                        return Ok(self.lease(fence, version, began, vouch));
                    }
                    None => pause(SOON).await,
                }
                continue;
            };
            if Instant::now() >= until {
                return Err(LockError::Held(Box::new(held)));
            }
            if told.as_ref() != held.record.holder.as_ref() {
                wait(&held);
                told.clone_from(&held.record.holder);
            }
            pause((self.term / 5).min(RAREST_LOOK)).await;
        }
    }

    /// Who else holds the lock; `None` when it may be taken: it is nobody's, it has run out, its holder is
    /// known to be dead, or the record is this run's own, of an attempt whose reply was lost.
    fn standing(&self, found: &Found, seen: &mut Option<Seen>) -> Option<Held> {
        let mut held = held(found, self.term)?;
        let same = seen.take().filter(|seen| seen.version == found.version);
        let new = || Seen { version: found.version.clone(), since: Instant::now() };
        let same = seen.insert(same.unwrap_or_else(new));
        // Whatever the place's clock says: what nobody renews for as long as it lasts has run out.
        held.left = held.left.min(held.whole.saturating_sub(same.since.elapsed()));
        let holder = held.record.holder.as_ref()?;
        let is_own = holder.run == self.holder.run;
        let is_dead = self.objects.is_dead(&alive(&self.folder, &holder.run));
        (!is_own && !is_dead && !held.left.is_zero()).then_some(held)
    }

    /// Writes this run down as the holder; `None` when somebody else was quicker.
    async fn grab(&self, found: Option<&Found>) -> Result<Option<(u64, Version, Moment, Vouch)>> {
        let before = found.and_then(record);
        let fence = before.as_ref().map_or(0, |record| record.fence) + 1;
        let (own, began) = (alive(&self.folder, &self.holder.run), Moment::now());
        let vouch = self.objects.vouch(&own);
        let written =
            self.write(fence, found.map(|found| &found.version), Some(&self.holder)).await;
        match written {
            Ok(Written::Done(version)) => {
                if let Some(holder) = before.and_then(|record| record.holder) {
                    self.objects.unvouch(&alive(&self.folder, &holder.run));
                }
                Ok(Some((fence, version, began, vouch)))
            }
            other => {
                self.objects.unvouch(&own);
                other.map(|_| None)
            }
        }
    }

    async fn write(
        &self,
        fence: u64,
        since: Option<&Version>,
        holder: Option<&Holder>,
    ) -> Result<Written> {
        let body = body(fence, self.term, holder);
        self.objects.replace(&key(&self.folder), since, body).await
    }

    fn lease(self, fence: u64, version: Version, renewed: Moment, vouch: Vouch) -> Lease {
        let right = Arc::new(Right {
            claim: self,
            fence,
            version: AsyncMutex::new(Some(version)),
            renewed: Mutex::new(renewed),
            taken: watch::Sender::new(None),
        });
        let beat = tokio::spawn(Arc::clone(&right).beat());
        Lease { right, beat, _vouch: vouch }
    }
}

/// The lock, for as long as this lives. Give it back with [`Lease::release`]; otherwise it runs out.
#[derive(Debug)]
pub struct Lease {
    right: Arc<Right>,
    beat: JoinHandle<()>,
    _vouch: Vouch,
}

impl Lease {
    /// The right to change things, for those who make the calls.
    pub fn right(&self) -> Arc<Right> {
        Arc::clone(&self.right)
    }

    /// Gives the lock back. Where that fails it runs out by itself, or with this process.
    pub async fn release(self) {
        // A renewal whose answer is about to come is waited for: cut off, it may be written all the same, and
        // the record would be met as another's.
        tokio::select! {
            _ = self.right.version.lock() => {}
            () = pause(UNDER_WAY) => {}
        }
        self.beat.abort();
        match self.right.give_back().await {
            Ok(_) => {
                let Claim { objects, folder, holder, .. } = &self.right.claim;
                objects.unvouch(&alive(folder, &holder.run));
            }
            Err(error) => {
                tracing::warn!(%error, "the lock could not be given back; it will run out");
            }
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.beat.abort();
    }
}

/// The right to change a stack.
#[derive(Debug)]
pub struct Right {
    claim: Claim,
    fence: u64,
    /// Of the record as this run wrote it last. Held while it is renewed.
    version: AsyncMutex<Option<Version>>,
    renewed: Mutex<Moment>,
    taken: watch::Sender<Option<Taken>>,
}

impl Right {
    /// Fails if somebody else may have the lock by now. Quick, unless the last renewal is long ago: then
    /// this process was stopped or the machine slept, and the lock is looked at first.
    pub async fn check(&self) -> std::result::Result<(), Lost> {
        if let Some(taken) = self.taken() {
            return Err(Lost::Taken(taken));
        }
        if self.since_renewal() < self.claim.term / 2 {
            return Ok(());
        }
        self.renew().await
    }

    /// Waits until the lock is somebody else's.
    pub async fn lost(&self) {
        // The sender lives as long as this, so that the wait has no other end.
        drop(self.taken.subscribe().wait_for(Option::is_some).await);
    }

    /// Who has taken the lock, if somebody has.
    pub fn taken(&self) -> Option<Taken> {
        self.taken.borrow().clone()
    }

    fn since_renewal(&self) -> Duration {
        self.renewed.lock().expect("no holder panics").elapsed()
    }

    /// Renews it a few times before it would run out, until it is lost.
    async fn beat(self: Arc<Self>) {
        loop {
            pause(self.claim.term / 4).await;
            if let Err(Lost::Taken(_)) = self.renew().await {
                return;
            }
        }
    }

    async fn renew(&self) -> std::result::Result<(), Lost> {
        let mut version = self.version.lock().await;
        if let Some(taken) = self.taken() {
            return Err(Lost::Taken(taken));
        }
        // Of several who found it long ago, the first has renewed it.
        if self.since_renewal() < self.claim.term / 8 {
            return Ok(());
        }
        let started = Moment::now();
        match self.replace(&mut version, Some(&self.claim.holder)).await {
            Ok(true) => {
                *self.renewed.lock().expect("no holder panics") = started;
                Ok(())
            }
            Ok(false) => {
                let taken = Taken(self.present().await);
                self.taken.send_replace(Some(taken.clone()));
                Err(Lost::Taken(taken))
            }
            // As long as nobody else can have taken it, a store that does not answer stops nothing.
            Err(_) if self.since_renewal() < self.claim.term * 3 / 4 => Ok(()),
            Err(error) => Err(Lost::Unsure(error.to_string())),
        }
    }

    /// Writes the record anew; false if it is another's by now.
    async fn replace(
        &self,
        version: &mut Option<Version>,
        holder: Option<&Holder>,
    ) -> Result<bool> {
        let key = key(&self.claim.folder);
        for _ in 0..CONFLICTS {
            let written = self.claim.write(self.fence, version.as_ref(), holder).await?;
            if let Written::Done(new) = written {
                *version = Some(new);
                return Ok(true);
            }
            match self.claim.objects.get(&key).await? {
                // Another write of ours is still under way: its answer was not waited for.
                Some(found) if self.is_own(&found) && Some(&found.version) == version.as_ref() => {
                    pause(SOON).await;
                }
                // The reply to an earlier attempt was lost.
                Some(found) if self.is_own(&found) => *version = Some(found.version),
                Some(_) => return Ok(false),
                // Somebody has deleted the record, and nobody has taken the lock since.
                None => *version = None,
            }
        }
        Err(io::Error::other("the lock cannot be written: each time another write is under way")
            .into())
    }

    fn is_own(&self, found: &Found) -> bool {
        let is_own = |record: &Record| {
            let run = record.holder.as_ref().map(|holder| &holder.run);
            record.fence == self.fence && run == Some(&self.claim.holder.run)
        };
        record(found).as_ref().is_some_and(is_own)
    }

    /// Who has the lock now.
    async fn present(&self) -> Option<Holder> {
        let found = self.claim.objects.get(&key(&self.claim.folder)).await.ok()??;
        record(&found)?.holder
    }

    /// False if it is another's by now, and no business of ours any more.
    async fn give_back(&self) -> Result<bool> {
        let mut version = self.version.lock().await;
        self.replace(&mut version, None).await
    }
}

/// Who holds the lock of a stack, if anybody does.
pub(super) async fn look(
    objects: &dyn Objects,
    folder: &str,
    term: Duration,
) -> Result<Option<Held>> {
    let Some(found) = objects.get(&key(folder)).await? else { return Ok(None) };
    let held = held(&found, term);
    let is_dead = |holder: &Holder| objects.is_dead(&alive(folder, &holder.run));
    Ok(held.filter(|held| !held.record.holder.as_ref().is_some_and(is_dead)))
}

async fn pause(time: Duration) {
    #[expect(clippy::disallowed_methods, reason = "a lease is a matter of time")]
    tokio::time::sleep(time).await;
}
