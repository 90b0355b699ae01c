//! The lock in a place in memory whose clock the tests turn, and in a folder; journals.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use futures::future::BoxFuture;
use tokio::time::Instant;

use super::*;
use crate::run::event::Event;
use crate::run::journal::Journal as _;

const LASTS: Duration = Duration::from_secs(40);
const NEVER: Duration = Duration::ZERO;

/// What it says, how often it was written, and when last.
type Object = (Vec<u8>, u32, Instant);

/// Objects in memory. Calls may fail, or do what they should and lose the reply.
#[derive(Debug, Default)]
struct Memory {
    objects: std::sync::Mutex<BTreeMap<String, Object>>,
    /// So many of the next calls fail.
    fails: AtomicU32,
    /// So many of the next writes lose their reply.
    loses: AtomicU32,
    /// So many of the next writes meet another one, as S3's 409 says, and write nothing.
    meets: AtomicU32,
    /// The answers to writes take so many milliseconds.
    slow: AtomicU32,
    /// So many writes met a record that was another than they thought.
    overtaken: AtomicU32,
    /// Nothing grows older by this place's clock.
    stands_still: AtomicBool,
}

impl Memory {
    fn fails(&self) -> Result<()> {
        let left = |left: u32| left.checked_sub(1);
        match self.fails.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left) {
            Ok(_) => Err(io::Error::other("the line is dead").into()),
            Err(_) => Ok(()),
        }
    }

    fn write(&self, key: &str, since: Option<&Version>, body: Vec<u8>) -> Result<Written> {
        self.fails()?;
        let left = |left: u32| left.checked_sub(1);
        if self.meets.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left).is_ok() {
            return Ok(Written::Overtaken);
        }
        let mut objects = self.objects.lock().unwrap();
        let found = objects.get(key).map(|(_, number, _)| *number);
        if found.map(|number| Version(number.to_string())).as_ref() != since {
            self.overtaken.fetch_add(1, Ordering::Relaxed);
            return Ok(Written::Overtaken);
        }
        let number = found.unwrap_or(0) + 1;
        objects.insert(key.to_owned(), (body, number, Instant::now()));
        match self.loses.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left) {
            Ok(_) => Err(io::Error::other("the reply is lost").into()),
            Err(_) => Ok(Written::Done(Version(number.to_string()))),
        }
    }
}

impl Objects for Memory {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Found>>> {
        Box::pin(async move {
            self.fails()?;
            let objects = self.objects.lock().unwrap();
            Ok(objects.get(key).map(|(body, number, at)| Found {
                body: body.clone(),
                version: Version(number.to_string()),
                age: if self.stands_still.load(Ordering::Relaxed) {
                    Duration::ZERO
                } else {
                    at.elapsed()
                },
            }))
        })
    }

    fn put<'a>(&'a self, _: &'a str, _: Vec<u8>) -> BoxFuture<'a, Result<()>> {
        unreachable!("the lock is never overwritten")
    }

    fn replace<'a>(
        &'a self,
        key: &'a str,
        version: Option<&'a Version>,
        body: Vec<u8>,
    ) -> BoxFuture<'a, Result<Written>> {
        Box::pin(async move {
            let written = self.write(key, version, body);
            pass(Duration::from_millis(self.slow.load(Ordering::Relaxed).into())).await;
            written
        })
    }

    fn list<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Vec<String>>> {
        unreachable!("there is one lock")
    }
}

fn holder(run: &str) -> Holder {
    Holder {
        run: run.into(),
        owner: "somebody@here".into(),
        process: 1,
        since: "2026-01-01T00:00:00Z".into(),
        purpose: "apply".into(),
        commit: None,
        ci: None,
    }
}

fn claim(place: &Arc<Memory>, run: &str) -> Claim {
    let objects = Arc::clone(place) as Arc<dyn Objects>;
    Claim { objects, folder: "shop/dev".into(), holder: holder(run), term: LASTS }
}

async fn take(claim: Claim, patience: Duration) -> std::result::Result<Lease, LockError> {
    claim.take(patience, &mut |_| {}).await
}

/// The name of the run that holds the lock in spite of a try to take it.
async fn holds(claim: Claim) -> String {
    match take(claim, NEVER).await {
        Err(LockError::Held(held)) => held.record.holder.expect("somebody holds it").run,
        other => panic!("not held: {other:?}"),
    }
}

async fn pass(time: Duration) {
    #[expect(clippy::disallowed_methods, reason = "the clock is paused")]
    tokio::time::sleep(time).await;
}

#[tokio::test(start_paused = true)]
async fn n9_one_holds_the_lock_and_the_other_hears_who() {
    let place = Arc::new(Memory::default());
    let first = take(claim(&place, "first"), NEVER).await.unwrap();
    // It is renewed for as long as it is held.
    for _ in 0..10 {
        pass(LASTS).await;
        assert_eq!(holds(claim(&place, "second")).await, "first");
        first.right().check().await.unwrap();
    }
    first.release().await;
    let third = take(claim(&place, "third"), NEVER).await.unwrap();
    assert_eq!(holds(claim(&place, "fourth")).await, "third");
    drop(third);
}

/// N9, B37: whoever dies keeps the lock for as long as the lease lasts, and no longer.
#[tokio::test(start_paused = true)]
async fn n9_the_lock_of_the_dead_runs_out() {
    let place = Arc::new(Memory::default());
    drop(take(claim(&place, "first"), NEVER).await.unwrap());
    pass(LASTS - Duration::from_secs(1)).await;
    assert_eq!(holds(claim(&place, "second")).await, "first");
    let waited = Instant::now();
    let second = take(claim(&place, "second"), LASTS).await.unwrap();
    assert!(waited.elapsed() <= Duration::from_secs(4), "{:?}", waited.elapsed());
    second.release().await;
}

/// N9: whoever was away for longer than the lease learns it before the next call.
#[tokio::test(start_paused = true)]
async fn n9_who_wakes_up_too_late_has_no_right_any_more() {
    let place = Arc::new(Memory::default());
    let sleeper = take(claim(&place, "sleeper"), NEVER).await.unwrap();
    let right = sleeper.right();
    // Nobody renews the lease: the process stands still.
    drop(sleeper);
    pass(LASTS * 2).await;
    right.check().await.expect("nobody has taken it: it is renewed");
    pass(LASTS * 2).await;
    let _other = take(claim(&place, "other"), NEVER).await.unwrap();
    let Err(Lost::Taken(Taken(Some(taker)))) = right.check().await else { panic!("it is lost") };
    assert_eq!(taker.run, "other");
    assert!(right.check().await.is_err(), "and stays lost");
}

#[tokio::test(start_paused = true)]
async fn n9_a_write_that_meets_another_is_written_again() {
    let place = Arc::new(Memory::default());
    place.meets.store(3, Ordering::Relaxed);
    let lease = take(claim(&place, "only"), NEVER).await.unwrap();
    let right = lease.right();
    for _ in 0..3 {
        place.meets.store(5, Ordering::Relaxed);
        pass(LASTS / 2).await;
        right.check().await.expect("nobody else has the lock");
    }
    place.meets.store(3, Ordering::Relaxed);
    lease.release().await;
    take(claim(&place, "next"), NEVER).await.expect("it was given back");
}

/// What is given back while it is renewed is not taken for another's; and a place that hangs is not waited for long.
#[tokio::test(start_paused = true)]
async fn a_renewal_under_way_is_waited_for() {
    let place = Arc::new(Memory::default());
    for (slow, met) in [(500, 0), (15_000, 1)] {
        let lease = take(claim(&place, "only"), NEVER).await.unwrap();
        place.slow.store(slow, Ordering::Relaxed);
        pass(LASTS / 4 + Duration::from_millis(100)).await;
        let waited = Instant::now();
        lease.release().await;
        place.slow.store(0, Ordering::Relaxed);
        assert_eq!(place.overtaken.load(Ordering::Relaxed), met);
        let answers = Duration::from_millis(slow.into()) * (1 + met);
        assert!(waited.elapsed() < answers + Duration::from_secs(3), "{:?}", waited.elapsed());
        take(claim(&place, "next"), NEVER).await.expect("it was given back").release().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_is_no_other_holder() {
    let place = Arc::new(Memory::default());
    place.loses.store(1, Ordering::Relaxed);
    take(claim(&place, "first"), NEVER).await.expect_err("the reply was lost");
    // The same run tries again.
    let first = take(claim(&place, "first"), NEVER).await.unwrap();
    place.loses.store(1, Ordering::Relaxed);
    pass(LASTS * 3).await;
    first.right().check().await.unwrap();
    assert_eq!(holds(claim(&place, "second")).await, "first");
}

/// N9: whatever a place says of its objects' age, what stands unchanged for a whole lease has run out.
#[tokio::test(start_paused = true)]
async fn n9_a_clock_that_stands_still_keeps_no_lock() {
    let place = Arc::new(Memory::default());
    place.stands_still.store(true, Ordering::Relaxed);
    drop(take(claim(&place, "first"), NEVER).await.unwrap());
    let waited = Instant::now();
    take(claim(&place, "second"), LASTS * 2).await.unwrap();
    assert!((LASTS..LASTS * 3 / 2).contains(&waited.elapsed()), "{:?}", waited.elapsed());
}

/// What is kept may be deleted at any time: the run that holds the lock writes it down again.
#[tokio::test(start_paused = true)]
async fn a_record_that_is_deleted_is_written_again() {
    let place = Arc::new(Memory::default());
    let first = take(claim(&place, "first"), NEVER).await.unwrap();
    place.objects.lock().unwrap().clear();
    pass(LASTS / 2).await;
    first.right().check().await.unwrap();
    assert_eq!(holds(claim(&place, "second")).await, "first");
    first.release().await;
    take(claim(&place, "second"), NEVER).await.unwrap();
}

/// A store that does not answer stops the run when somebody else may have the lock, and not before.
#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_stops_nothing_before_the_lease_may_have_run_out() {
    let place = Arc::new(Memory::default());
    let first = take(claim(&place, "first"), NEVER).await.unwrap();
    place.fails.store(1000, Ordering::Relaxed);
    pass(LASTS / 2).await;
    first.right().check().await.unwrap();
    pass(LASTS / 2).await;
    assert!(matches!(first.right().check().await, Err(Lost::Unsure(_))));
    place.fails.store(0, Ordering::Relaxed);
    first.right().check().await.unwrap();
}

/// N9: twenty contend, half of them die with the lock; there are never two, and the last one gets it.
#[tokio::test(start_paused = true)]
async fn n9_of_twenty_that_contend_one_has_the_right() {
    let place = Arc::new(Memory::default());
    let inside = Arc::new(std::sync::Mutex::new(None::<u32>));
    let runs = (0..20).map(|number: u32| {
        let (place, inside) = (Arc::clone(&place), Arc::clone(&inside));
        tokio::spawn(async move {
            let run = format!("run-{number}");
            let lease = take(claim(&place, &run), LASTS * 40).await.expect("its turn comes");
            for _ in 0..number % 5 {
                pass(Duration::from_secs(7)).await;
                lease.right().check().await.expect("nobody takes it from the living");
                let before = inside.lock().unwrap().replace(number);
                assert!(before.is_none(), "{number} and {before:?} at once");
                tokio::task::yield_now().await;
                *inside.lock().unwrap() = None;
            }
            if number.is_multiple_of(2) {
                lease.release().await;
            }
        })
    });
    for run in runs.collect::<Vec<_>>() {
        run.await.unwrap();
    }
}

/// A folder that is gone when it is dropped.
struct Root(PathBuf);

impl Root {
    fn new(name: &str) -> Self {
        let root = std::env::temp_dir().join(format!("ecsctl-{name}-{}", std::process::id()));
        drop(fs_err::remove_dir_all(&root));
        Self(root)
    }

    fn store(&self) -> Store {
        let (stack, env) = ("shop".into(), "dev".into());
        Store::local(&self.0, &StackId { stack, env, region: "us-east-1".into() })
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        drop(fs_err::remove_dir_all(&self.0));
    }
}

/// On one machine the operating system says who is dead: nobody waits for the lease.
#[tokio::test]
async fn n9_the_lock_of_the_dead_is_free_at_once_in_a_folder() {
    let root = Root::new("lock");
    let store = root.store();
    let first = take(store.claim(holder("first"), LASTS), NEVER).await.unwrap();
    assert_eq!(holds(store.claim(holder("second"), LASTS)).await, "first");
    assert_eq!(store.held().await.unwrap().unwrap().record.fence, 1);
    let right = first.right();
    drop(first);
    let second = take(store.claim(holder("second"), LASTS), NEVER).await.unwrap();
    assert_eq!(store.held().await.unwrap().unwrap().record.fence, 2);
    assert!(right.check().await.is_ok(), "it has been renewed a moment ago");
    second.release().await;
    assert_eq!(store.held().await.unwrap(), None);
    // Whatever has been written there: it runs out.
    let file = root.0.join("shop/dev/lock.json");
    fs_err::write(&file, "from another version").unwrap();
    assert_eq!(holds(store.claim(holder("third"), LASTS)).await, "");
}

/// B38: a journal that was cut, or that a newer version has written, is read as far as it goes.
#[tokio::test]
async fn a_cut_journal_is_read_as_far_as_it_goes() {
    let root = Root::new("journal");
    let store = root.store();
    let mut journal = store.journal("one", 3).unwrap();
    journal.record(&Event::Interrupted).unwrap();
    let recorded = root.0.join("shop/dev/runs/one.jsonl");
    let mut file = fs_err::OpenOptions::new().append(true).open(&recorded).unwrap();
    file.write_all(b"{\"event\":\"from-the-future\",\"x\":1}\n{\"event\":\"inter").unwrap();
    let read = store.recorded("one").await.unwrap();
    assert!(matches!(read.events.as_slice(), [Event::Interrupted, Event::Unknown]), "{read:?}");
    assert_eq!(read.damaged, None);
    file.write_all(b"\n{\"event\":\"interrupted\"}\n").unwrap();
    let read = store.recorded("one").await.unwrap();
    assert_eq!((read.events.len(), read.damaged), (2, Some(3)));
    assert_eq!(store.runs().await.unwrap(), ["one"]);
}
