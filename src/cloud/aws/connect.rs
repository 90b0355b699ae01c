//! From the standard chain of aws-config to clients: region, profile, SSO, assumed roles, endpoint.

use std::time::Duration;

use aws_config::profile::{self, ProfileFileCredentialsProvider};
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_types::os_shim_internal::{Env, Fs};

use super::{Aws, Cache, pace};

/// What the user says besides the standard chain; all of it optional.
#[derive(Debug, Clone, Default)]
pub struct Connection {
    /// The profile, instead of `AWS_PROFILE`. It wins over keys in the environment.
    pub profile: Option<String>,
    /// What `AWS_PROFILE` says, where it counts: without keys in the environment.
    pub usual_profile: Option<String>,
    /// The region: the spec's. It wins over `AWS_REGION`, because a stack lives where it says.
    pub region: Option<String>,
}

/// Why there are no clients.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// The profile is in none of the configuration files.
    #[error("there is no profile `{name}` in the AWS configuration")]
    UnknownProfile {
        /// The profile that was asked for.
        name: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// The configuration files cannot be read.
    #[error("the AWS configuration cannot be read: {0}")]
    Configuration(String),
    /// Nobody says which region is meant.
    #[error("nobody says which AWS region is meant")]
    NoRegion,
}

impl Aws {
    /// Reads the standard chain and makes the clients. No call is made yet.
    pub async fn connect(connection: Connection, cache: Cache) -> Result<Self, ConnectError> {
        // Few attempts: what is lost for longer is tried again by the executor, which knows the step's
        // deadline, and what AWS throttles by `pace`.
        let gate = pace::Gate::default();
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
            // A call that waits for its turn is no stalled upload.
            .stalled_stream_protection(
                StalledStreamProtectionConfig::enabled().upload_enabled(false).build(),
            )
            .http_client(pace::client(gate.clone()));
        let Connection { profile, usual_profile, region } = connection;
        if let Some(name) = profile.as_ref().or(usual_profile.as_ref()) {
            require(name).await?;
        }
        let region = region.map(Region::new);
        if let Some(name) = profile {
            // The chain would look at the keys in the environment first: whoever names a profile on
            // the command line does not mean those.
            let surroundings = ProviderConfig::default().with_region(region.clone());
            let credentials = ProfileFileCredentialsProvider::builder()
                .configure(&surroundings)
                .profile_name(&name)
                .build();
            loader = loader.profile_name(name).credentials_provider(credentials);
        }
        if let Some(region) = region {
            loader = loader.region(region);
        }
        let config = loader.load().await;
        if config.region().is_none() {
            return Err(ConnectError::NoRegion);
        }
        Ok(Self::behind(&config, cache, gate))
    }

    /// The region that the clients speak to.
    pub fn region(&self) -> String {
        self.ec2.config().region().map(ToString::to_string).unwrap_or_default()
    }
}

/// Fails unless there is a profile of that name. The chain would pass over it without a word.
async fn require(name: &str) -> Result<(), ConnectError> {
    let usual_files = Default::default();
    let profiles = profile::load(&Fs::real(), &Env::real(), &usual_files, None).await;
    let profiles = profiles.map_err(|error| ConnectError::Configuration(error.to_string()))?;
    if profiles.get_profile(name).is_some() {
        return Ok(());
    }
    let mut known: Vec<String> = profiles.profiles().map(str::to_owned).collect();
    known.sort();
    Err(ConnectError::UnknownProfile { name: name.to_owned(), known })
}
