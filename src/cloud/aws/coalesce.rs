//! Many askers, one call: requests that arrive within a few milliseconds go to AWS together.
//!
//! While fifty services roll, fifty waits look at them, each for itself; what reaches ECS is a batch
//! call for ten.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::oneshot;

use crate::kind::{Class, Error, Result};

/// How long the first asker of a batch waits for others.
const WINDOW: Duration = Duration::from_millis(20);

type Call<V> = dyn Fn(Vec<String>) -> BoxFuture<'static, Result<BTreeMap<String, V>>> + Send + Sync;

/// One asker: what it asked for, and where its answer goes.
type Asker<V> = (String, oneshot::Sender<Result<Option<V>>>);

/// Reads things by their ARN through a batch call.
pub struct Coalesced<V>(Arc<Inner<V>>);

struct Inner<V> {
    size: usize,
    call: Box<Call<V>>,
    waiting: Mutex<Vec<Asker<V>>>,
}

impl<V: Clone + Send + Sync + 'static> Coalesced<V> {
    /// Reads by `call`, which takes up to `size` ARNs and answers for those that it finds.
    pub fn new<F>(size: usize, call: impl Fn(Vec<String>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<BTreeMap<String, V>>> + Send + 'static,
    {
        let call: Box<Call<V>> = Box::new(move |arns| Box::pin(call(arns)));
        Self(Arc::new(Inner { size, call, waiting: Mutex::default() }))
    }

    /// What `arn` is like; `None` if there is no such thing.
    ///
    /// The call is made by a task of its own, so that an asker who is dropped takes nobody along.
    pub async fn get(&self, arn: &str) -> Result<Option<V>> {
        let (reply, answer) = oneshot::channel();
        let (count, full) = self.0.enqueue(arn, reply);
        if !full.is_empty() {
            let inner = self.0.clone();
            tokio::spawn(async move { inner.answer(full).await });
        } else if count == 1 {
            let inner = self.0.clone();
            tokio::spawn(async move {
                pause().await;
                let batch = std::mem::take(&mut *inner.waiting.lock().expect("no holder panics"));
                inner.answer(batch).await;
            });
        }
        answer.await.unwrap_or_else(|_| Err(Error::new(Class::Transient, "the call was cut off")))
    }
}

#[expect(clippy::disallowed_methods, reason = "calls gather here; nothing is waited for")]
async fn pause() {
    tokio::time::sleep(WINDOW).await;
}

impl<V: Clone + Send + Sync + 'static> Inner<V> {
    /// How many wait now; and the whole batch, if it has become full.
    fn enqueue(
        &self,
        arn: &str,
        reply: oneshot::Sender<Result<Option<V>>>,
    ) -> (usize, Vec<Asker<V>>) {
        let mut waiting = self.waiting.lock().expect("no holder panics");
        waiting.push((arn.to_owned(), reply));
        let count = waiting.len();
        let full = if count >= self.size { std::mem::take(&mut *waiting) } else { Vec::new() };
        (count, full)
    }

    async fn answer(&self, batch: Vec<Asker<V>>) {
        if batch.is_empty() {
            return;
        }
        let mut arns: Vec<String> = batch.iter().map(|(arn, _)| arn.clone()).collect();
        arns.sort();
        arns.dedup();
        let found = (self.call)(arns).await;
        for (arn, reply) in batch {
            let answer = match &found {
                Ok(found) => Ok(found.get(&arn).cloned()),
                Err(error) => Err(error.clone()),
            };
            // An asker who has gone away needs no answer.
            drop(reply.send(answer));
        }
    }
}

impl<V> std::fmt::Debug for Coalesced<V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Coalesced").field("size", &self.0.size).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use futures::future::join_all;

    use super::*;

    /// A loader of lengths that writes down the batches it was asked for.
    fn lengths(size: usize, fail: &'static str) -> (Coalesced<usize>, Arc<Mutex<Vec<usize>>>) {
        let batches = Arc::new(Mutex::new(Vec::new()));
        let seen = batches.clone();
        let loader = Coalesced::new(size, move |arns: Vec<String>| {
            seen.lock().unwrap().push(arns.len());
            async move {
                if arns.iter().any(|arn| arn == fail) {
                    return Err(Error::new(Class::Throttled, "slow down"));
                }
                let known = arns.into_iter().filter(|arn| !arn.is_empty());
                Ok(known.map(|arn| (arn.clone(), arn.len())).collect())
            }
        });
        (loader, batches)
    }

    #[tokio::test(start_paused = true)]
    async fn askers_share_calls_and_get_their_own_answers() {
        let (loader, batches) = lengths(10, "!");
        let arns: Vec<String> = (0..23).map(|n| "x".repeat(n)).collect();
        let answers = join_all(arns.iter().map(|arn| loader.get(arn))).await;
        let expected: Vec<_> = (0..23).map(|n| Some(n).filter(|n| *n > 0)).collect();
        assert_eq!(answers.into_iter().map(Result::unwrap).collect::<Vec<_>>(), expected);
        assert_eq!(*batches.lock().unwrap(), [10, 10, 3]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_same_question_is_asked_once() {
        let (loader, batches) = lengths(10, "!");
        let answers = join_all((0..4).map(|_| loader.get("abc"))).await;
        assert!(answers.into_iter().all(|answer| answer.unwrap() == Some(3)));
        assert_eq!(*batches.lock().unwrap(), [1]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_reaches_every_asker() {
        let (loader, _) = lengths(10, "!");
        let answers = join_all(["a", "!", "b"].map(|arn| loader.get(arn))).await;
        assert!(answers.into_iter().all(|answer| answer.unwrap_err().class == Class::Throttled));
    }

    #[tokio::test(start_paused = true)]
    async fn an_asker_who_leaves_takes_nobody_along() {
        let (loader, batches) = lengths(10, "!");
        let first = tokio::time::timeout(Duration::from_millis(5), loader.get("abc"));
        let second = loader.get("de");
        let (first, second) = tokio::join!(first, second);
        assert!(first.is_err(), "the first asker gave up");
        assert_eq!(second.unwrap(), Some(2));
        assert_eq!(*batches.lock().unwrap(), [2]);
    }
}
