//! A token bucket that goes slower when AWS says so.

use std::time::Duration;

use tokio::time::Instant;

/// A bucket never gets slower than this share of its documented rate.
const SLOWEST: f64 = 1.0 / 16.0;
/// By which share of the documented rate a call that is served makes a slowed bucket faster.
const RECOVERY: f64 = 0.02;

/// Tokens that calls take; they come back with time.
#[derive(Debug)]
pub(super) struct Bucket {
    burst: f64,
    /// Tokens a second as documented, and as things stand.
    documented: f64,
    per_second: f64,
    /// Tokens there are; below zero, calls wait for theirs.
    tokens: f64,
    at: Instant,
}

impl Bucket {
    /// A full one.
    pub(super) fn new(burst: f64, per_second: f64) -> Self {
        let at = Instant::now();
        Self { burst, documented: per_second, per_second, tokens: burst, at }
    }

    /// Takes a token: how long until it is there.
    pub(super) fn take(&mut self) -> Duration {
        let now = Instant::now();
        let grown = now.duration_since(self.at).as_secs_f64() * self.per_second;
        self.tokens = (self.tokens + grown).min(self.burst) - 1.0;
        self.at = now;
        Duration::from_secs_f64((-self.tokens / self.per_second).max(0.0))
    }

    /// A call was refused: the bucket at AWS is empty, and slower than ours.
    pub(super) fn refused(&mut self) {
        self.tokens = self.tokens.min(0.0);
        self.per_second = (self.per_second / 2.0).max(self.documented * SLOWEST);
    }

    /// A call was served.
    pub(super) fn served(&mut self) {
        self.per_second = (self.per_second + self.documented * RECOVERY).min(self.documented);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_goes_at_once_and_the_rest_at_the_rate() {
        let mut bucket = Bucket::new(2.0, 4.0);
        let waits: Vec<Duration> = (0..4).map(|_| bucket.take()).collect();
        assert_eq!(waits, [0, 0, 250, 500].map(Duration::from_millis));
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(bucket.take(), Duration::ZERO, "it fills up again");
    }

    #[tokio::test(start_paused = true)]
    async fn refusals_slow_it_down_and_answers_speed_it_up() {
        let mut bucket = Bucket::new(10.0, 4.0);
        bucket.refused();
        assert_eq!(bucket.take(), Duration::from_millis(500));
        (0..100).for_each(|_| bucket.refused());
        assert!(bucket.take() < Duration::from_secs(20), "it never stands still");
        (0..100).for_each(|_| bucket.served());
        tokio::time::advance(Duration::from_secs(10)).await;
        assert!((0..10).all(|_| bucket.take().is_zero()));
        assert_eq!(bucket.take(), Duration::from_millis(250), "as documented again");
    }
}
