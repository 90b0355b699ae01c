//! A token bucket.

use std::time::Duration;

use tokio::time::Instant;

/// Tokens that calls take; they come back with time.
#[derive(Debug)]
pub(super) struct Bucket {
    burst: f64,
    per_second: f64,
    /// Tokens there are; below zero, calls wait for theirs.
    tokens: f64,
    at: Instant,
}

impl Bucket {
    /// A full one.
    pub(super) fn new(burst: f64, per_second: f64) -> Self {
        let at = Instant::now();
        Self { burst, per_second, tokens: burst, at }
    }

    /// Takes a token: how long until it is there.
    pub(super) fn take(&mut self) -> Duration {
        let now = Instant::now();
        let grown = now.duration_since(self.at).as_secs_f64() * self.per_second;
        self.tokens = (self.tokens + grown).min(self.burst) - 1.0;
        self.at = now;
        Duration::from_secs_f64((-self.tokens / self.per_second).max(0.0))
    }

    /// A token that was taken is not used.
    pub(super) fn give_back(&mut self) {
        self.tokens += 1.0;
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
}
