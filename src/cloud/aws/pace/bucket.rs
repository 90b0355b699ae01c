//! A token bucket, and the queue before it.

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use tokio::time::Instant;

use super::rates::Rate;
use super::sleep;

/// Tokens that calls take; they come back with time.
#[derive(Debug)]
pub(super) struct Bucket {
    rate: &'static Rate,
    level: Mutex<Level>,
    /// Held by the first in the queue, who waits for the next token; the others wait for their turn.
    first: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct Level {
    tokens: f64,
    per_second: f64,
    at: Instant,
}

impl Bucket {
    /// A full one.
    pub(super) fn new(rate: &'static Rate) -> Self {
        let (tokens, per_second) = (rate.burst, rate.per_second);
        let level = Mutex::new(Level { tokens, per_second, at: Instant::now() });
        Self { rate, level, first: tokio::sync::Mutex::default() }
    }

    /// Takes a token, as soon as there is one. Whoever stops waiting leaves it to the next.
    pub(super) async fn take(&self) {
        let _first = self.first.lock().await;
        // A refusal may empty it during the wait.
        while let Some(wait) = self.missing() {
            sleep(wait).await;
        }
    }

    /// Takes a token if there is one; else, how long until there is.
    fn missing(&self) -> Option<Duration> {
        let mut level = self.level();
        level.refill(self.rate.burst);
        if level.tokens < 1.0 {
            return Some(Duration::from_secs_f64((1.0 - level.tokens) / level.per_second));
        }
        level.tokens -= 1.0;
        None
    }

    /// AWS's own bucket is empty: another run or another caller had tokens of it, or it is as small as the
    /// most cautious of AWS's pages says.
    pub(super) fn refused(&self) {
        let mut level = self.level();
        level.refill(self.rate.burst);
        level.tokens = level.tokens.min(0.0);
        level.per_second = self.rate.per_second_at_least;
    }

    fn level(&self) -> MutexGuard<'_, Level> {
        self.level.lock().expect("no holder panics")
    }
}

impl Level {
    fn refill(&mut self, burst: f64) {
        let now = Instant::now();
        let grown = now.duration_since(self.at).as_secs_f64() * self.per_second;
        self.tokens = (self.tokens + grown).min(burst);
        self.at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate {
        service: "",
        operations: &[],
        burst: 2.0,
        per_second: 4.0,
        per_second_at_least: 1.0,
    };

    /// Takes that many tokens at once; when they came, in milliseconds.
    async fn taken(bucket: &Bucket, count: usize) -> Vec<u128> {
        let started = Instant::now();
        let takes = (0..count).map(|_| async {
            bucket.take().await;
            started.elapsed().as_millis()
        });
        futures::future::join_all(takes).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_goes_at_once_and_the_rest_at_the_rate() {
        let bucket = Bucket::new(&RATE);
        assert_eq!(taken(&bucket, 4).await, [0, 0, 250, 500]);
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(taken(&bucket, 3).await, [0, 0, 250], "it fills up again, and not over");
    }

    /// B41: those who wait already wait for the rate that there is, not for the one that was hoped for.
    #[tokio::test(start_paused = true)]
    async fn a_refusal_empties_it_and_slows_it_down() {
        let bucket = Bucket::new(&RATE);
        let refusal = async {
            sleep(Duration::from_millis(100)).await;
            bucket.refused();
        };
        let (taken, ()) = tokio::join!(taken(&bucket, 4), refusal);
        assert_eq!(taken, [0, 0, 1100, 2100]);
    }

    /// Who gives up waiting makes nobody else wait longer.
    #[tokio::test(start_paused = true)]
    async fn a_turn_that_is_not_taken_is_the_next_ones() {
        let bucket = Bucket::new(&RATE);
        taken(&bucket, 2).await;
        for _ in 0..10 {
            let short = Duration::from_millis(10);
            assert!(tokio::time::timeout(short, bucket.take()).await.is_err());
        }
        assert_eq!(taken(&bucket, 1).await, [150]);
    }
}
