//! What can go wrong with a call, in the classes that the engine acts on.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What an error means for whoever made the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Too many calls: the same call succeeds later.
    Throttled,
    /// A fault on the way or at AWS. Whether the call took effect is not known.
    Transient,
    /// Nobody answers: the network, the endpoint or the region is wrong.
    Unreachable,
    /// Something just made is not visible yet: the same call succeeds soon.
    Eventual,
    /// Something else still uses it, or is changing it: the same call succeeds when that has let go.
    InUse,
    /// It is not there.
    Absent,
    /// Something else already has the name.
    Exists,
    /// The caller may not.
    Denied,
    /// A quota is used up.
    Quota,
    /// The credentials are missing, or AWS does not take them.
    Credentials,
    /// The credentials were good once and are no more.
    Expired,
    /// A rollout failed or was rolled back.
    Rollout,
    /// The call is wrong, or anything else that trying again will not mend.
    Other,
}

impl Class {
    /// Whether the same step may be tried again within its deadline.
    pub fn is_retryable(self) -> bool {
        match self {
            Self::Throttled
            | Self::Transient
            | Self::Unreachable
            | Self::Eventual
            | Self::InUse => true,
            Self::Absent
            | Self::Exists
            | Self::Denied
            | Self::Quota
            | Self::Credentials
            | Self::Expired
            | Self::Rollout
            | Self::Other => false,
        }
    }
}

impl Class {
    /// How long errors of this class may go on before they are taken for good; `None` for as long as
    /// the step may take.
    pub fn patience(self) -> Option<Duration> {
        match self {
            // AWS shows what is new within seconds, seldom within minutes.
            Self::Eventual => Some(Duration::from_secs(180)),
            Self::Transient | Self::Unreachable => Some(Duration::from_secs(300)),
            _ => None,
        }
    }
}

/// How a rollout ended that did not end well (B15).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct RolloutFailure {
    /// The task definition revision that was asked for, `family:revision`.
    pub requested: String,
    /// The revision that serves now, if any does.
    pub serving: Option<String>,
    /// Whether ECS has put the earlier revision back.
    pub rolled_back: bool,
    /// The reason that ECS gives.
    pub reason: String,
    /// Further facts: stopped tasks' reasons, exit codes, newest events.
    pub evidence: Vec<String>,
}

/// A call, or a wait, that did not succeed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Error {
    /// What it means.
    pub class: Class,
    /// AWS's error code, such as `DependencyViolation`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<String>,
    /// What AWS says, or what went wrong.
    pub message: String,
    /// The AWS operation, such as `DeleteSubnet`, where it is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub operation: Option<String>,
    /// AWS's request id, for a support case.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub request_id: Option<String>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hint: Option<String>,
    /// How the rollout ended, for [`Class::Rollout`].
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rollout: Option<Box<RolloutFailure>>,
}

/// The result of a call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of our own finding.
    pub fn new(class: Class, message: impl Into<String>) -> Self {
        Self {
            class,
            code: None,
            message: message.into(),
            operation: None,
            request_id: None,
            hint: None,
            rollout: None,
        }
    }

    /// A rollout that did not end with the requested revision serving.
    pub fn rollout(failure: RolloutFailure) -> Self {
        let verb = if failure.rolled_back { "was rolled back" } else { "failed" };
        let message = format!("the rollout of {} {verb}: {}", failure.requested, failure.reason);
        Self { rollout: Some(Box::new(failure)), ..Self::new(Class::Rollout, message) }
    }

    /// A reply of AWS that lacks a part which the API page says is always there.
    pub fn incomplete(what: &str) -> Self {
        Self::new(Class::Other, format!("AWS answered without {what}"))
    }

    /// Says what to do about it.
    #[must_use]
    pub fn hinted(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Whether AWS's code is `code`.
    pub fn is(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(operation) = &self.operation {
            write!(f, "{operation}: ")?;
        }
        if let Some(code) = &self.code {
            write!(f, "{code}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// Turns errors that say *the work is done already* into success.
pub trait Forgive<T> {
    /// For deletes: `Ok(())` when the error's class is [`Class::Absent`].
    fn absent_is_fine(self) -> Result<()>;

    /// For creates: `Ok(None)` when the error's class is [`Class::Exists`]. Whose it is must then be
    /// looked at: see [`super::Cx::require_ours`].
    fn exists_is_fine(self) -> Result<Option<T>>;
}

impl<T> Forgive<T> for Result<T> {
    fn absent_is_fine(self) -> Result<()> {
        match self {
            Err(error) if error.class != Class::Absent => Err(error),
            _ => Ok(()),
        }
    }

    fn exists_is_fine(self) -> Result<Option<T>> {
        match self {
            Ok(made) => Ok(Some(made)),
            Err(error) if error.class == Class::Exists => Ok(None),
            Err(error) => Err(error),
        }
    }
}
