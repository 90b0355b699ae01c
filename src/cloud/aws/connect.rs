//! From the standard chain of aws-config to clients: region, profile, SSO, assumed roles, endpoint.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};

use super::{Aws, Cache, pace};

/// What the user says besides the standard chain; all of it optional.
#[derive(Debug, Clone, Default)]
pub struct Connection {
    /// The profile, instead of `AWS_PROFILE`.
    pub profile: Option<String>,
    /// The region: the spec's. It wins over `AWS_REGION`, because a stack lives where it says.
    pub region: Option<String>,
}

impl Aws {
    /// Reads the standard chain and makes the clients. No call is made yet.
    pub async fn connect(connection: Connection, cache: Cache) -> Self {
        // Few attempts: what is lost for longer is tried again by the executor, which knows the step's
        // deadline, and what AWS throttles by `pace`.
        let retries = RetryConfig::standard().with_max_attempts(3);
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(5))
            .read_timeout(Duration::from_secs(30))
            // Of which most may be waiting for a call's turn: see `pace`.
            .operation_attempt_timeout(Duration::from_secs(180))
            .build();
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .retry_config(retries)
            .timeout_config(timeouts)
            .http_client(pace::client());
        if let Some(profile) = connection.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(region) = connection.region {
            loader = loader.region(Region::new(region));
        }
        Self::new(&loader.load().await, cache)
    }
}
