//! What is written down about the lock, and where.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::RUNS;
use super::objects::Found;

/// The format of the record.
const FORMAT: u32 = 1;
/// How exactly places know an object's age: S3 tells whole seconds.
const GRAIN: Duration = Duration::from_secs(1);

/// Who holds the lock, for those who find it held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Holder {
    /// The run's name.
    pub run: String,
    /// The user and the machine.
    pub owner: String,
    /// The process.
    pub process: u32,
    /// Since when, RFC 3339.
    pub since: String,
    /// What it does: `apply` or `destroy`.
    pub purpose: String,
    /// The commit that the spec stands at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The run of the CI system: its address, or its number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ci: Option<String>,
}

/// What is written down about the lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Record {
    format: u32,
    /// How often the lock was taken: a greater number is a later holder.
    pub fence: u64,
    /// Seconds after which it runs out unless it is renewed.
    pub seconds: u64,
    /// When it was renewed last, RFC 3339, by the holder's clock.
    pub heartbeat: String,
    /// Who holds it; nobody when it was given back.
    pub holder: Option<Holder>,
}

/// A lock that is held, and how it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// What is written down.
    pub record: Record,
    /// How long it lasts unless it is renewed; zero when it has run out.
    pub left: Duration,
    /// How long it lasts from one renewal on.
    pub whole: Duration,
}

/// How the lock stands; `None` when nobody holds it. What cannot be read was written by somebody: it
/// lasts as long as a lease of ours.
pub(super) fn held(found: &Found, term: Duration) -> Option<Held> {
    let record = record(found).unwrap_or_else(|| Record {
        format: 0,
        fence: 0,
        seconds: term.as_secs(),
        heartbeat: String::new(),
        holder: Some(Holder {
            run: String::new(),
            owner: "somebody".into(),
            process: 0,
            since: String::new(),
            purpose: "another version".into(),
            commit: None,
            ci: None,
        }),
    });
    record.holder.as_ref()?;
    let whole = Duration::from_secs(record.seconds).saturating_add(GRAIN);
    Some(Held { left: whole.saturating_sub(found.age), whole, record })
}

pub(super) fn record(found: &Found) -> Option<Record> {
    serde_json::from_slice(&found.body).ok().filter(|record: &Record| record.format == FORMAT)
}

pub(super) fn body(fence: u64, term: Duration, holder: Option<&Holder>) -> Vec<u8> {
    let heartbeat = jiff::Timestamp::now().to_string();
    let (seconds, holder) = (term.as_secs(), holder.cloned());
    let record = Record { format: FORMAT, fence, seconds, heartbeat, holder };
    serde_json::to_vec_pretty(&record).expect("a record is a document")
}

/// The object that says who holds the lock.
pub(super) fn key(folder: &str) -> String {
    format!("{folder}/lock.json")
}

/// What the run vouches with that it lives.
pub(super) fn alive(folder: &str, run: &str) -> String {
    format!("{folder}/{RUNS}/{run}.alive")
}
