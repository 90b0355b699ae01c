//! What is said of the state folder, of files, of the lock and of the way to AWS, when they fail.

use std::io;
use std::path::Path;

use jiff::Timestamp;

use super::{Exit, Failure};
use crate::cloud::aws::ConnectError;
use crate::diag::{Diagnostic, reason};
use crate::report::summary::listed;
use crate::report::words;
use crate::store::{Held, Holder, LockError, StoreError, Taken};

impl Failure {
    /// One thing that stands in no spec.
    pub(super) fn told(exit: Exit, diagnostic: Diagnostic) -> Self {
        Self::Told(exit, Box::new(diagnostic))
    }

    /// The folder of `--state` cannot be used.
    pub(super) fn state(folder: &Path, error: &io::Error) -> Self {
        let why = match error.kind() {
            _ if folder.is_file() => "it is a file".to_owned(),
            io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
                "a file stands where a folder should be in it".to_owned()
            }
            _ => reason(error),
        };
        let title = format!("the state folder `{}` cannot be used: {why}", folder.display());
        let hint = "name a folder that you may write with `--state`, or mend this one";
        Self::told(Exit::Failed, Diagnostic::error("E0401", title).hint(hint))
    }

    /// The simulated account cannot be read.
    pub(super) fn simulated(folder: &Path, file: &Path, error: &io::Error) -> Self {
        if error.kind() != io::ErrorKind::InvalidData {
            return Self::state(folder, error);
        }
        let title = format!("`{}` is not a simulated account: {error}", file.display());
        let hint = "mend the file, or delete it to begin with an empty account";
        Self::told(Exit::Failed, Diagnostic::error("E0402", title).hint(hint))
    }

    /// A file that the user named cannot be written.
    pub(super) fn unwritable(file: &Path, error: &io::Error) -> Self {
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
        let missing = folder.filter(|folder| !folder.exists());
        let (why, hint) = match missing {
            Some(folder) => (
                format!("there is no folder `{}`", folder.display()),
                format!("make the folder first: `mkdir -p {}`", folder.display()),
            ),
            None => (reason(error), "name another file".to_owned()),
        };
        let title = format!("`{}` cannot be written: {why}", file.display());
        Self::told(Exit::Failed, Diagnostic::error("E0410", title).hint(hint))
    }

    /// There is no lock to be had.
    pub(super) fn lock(folder: &Path, error: LockError) -> Self {
        match error {
            LockError::Store(error) => Self::store(folder, error),
            LockError::Held(other) => {
                let (title, hint) = held(&other, Timestamp::now());
                Self::told(Exit::Locked, Diagnostic::error("E0408", title).hint(hint))
            }
        }
    }

    /// What is kept between runs cannot be read or written.
    pub(super) fn store(folder: &Path, error: StoreError) -> Self {
        match error {
            StoreError::Io(error) => Self::state(folder, &error),
            StoreError::Cloud(error) => Self::Cloud(error),
        }
    }

    /// The lock was lost while the run was under way.
    pub(super) fn taken(Taken(by): &Taken) -> Self {
        let title = match by {
            Some(Holder { purpose, owner, .. }) => {
                format!("the lock ran out, and `ecsctl {purpose}` of {owner} has it now")
            }
            None => "the lock ran out, and another run took it".to_owned(),
        };
        let hint = "nothing has been changed since; run again: the plan says what is left";
        Self::told(Exit::Locked, Diagnostic::error("E0412", title).hint(hint))
    }
}

impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Self {
        let (code, hint) = match &error {
            ConnectError::UnknownProfile { known, .. } if known.is_empty() => (
                "E0304",
                "make one with `aws configure sso`: no profile is configured here".to_owned(),
            ),
            ConnectError::UnknownProfile { known, .. } => {
                ("E0304", format!("choose one that there is: {}", listed(known, 8)))
            }
            ConnectError::Configuration(_) => {
                ("E0304", "mend `~/.aws/config` or `~/.aws/credentials`".to_owned())
            }
            ConnectError::NoRegion => ("E0306", "say `--region`, or set AWS_REGION".to_owned()),
        };
        Self::told(Exit::Failed, Diagnostic::error(code, error.to_string()).hint(hint))
    }
}

/// Who holds the lock, and what to do about it.
pub(super) fn held(held: &Held, now: Timestamp) -> (String, String) {
    let wait = "wait for its end, with `--lock-timeout 10m` if you like";
    let Some(holder) = held.record.holder.as_ref().filter(|holder| !holder.since.is_empty()) else {
        return ("another run holds the lock of this stack".to_owned(), wait.to_owned());
    };
    let since = match holder.since.parse::<Timestamp>() {
        Ok(then) => {
            let ago = now.duration_since(then).unsigned_abs();
            format!("{} ago, at {}", words::duration(ago), words::moment(then))
        }
        Err(_) => holder.since.clone(),
    };
    let (owner, process) = (&holder.owner, holder.process);
    let title = format!(
        "`ecsctl {}` of {owner} (process {process}) holds the lock, begun {since}",
        holder.purpose
    );
    (title, format!("{wait}; if it is dead, the lock runs out in {} s", held.left.as_secs()))
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    #[test]
    fn whoever_waits_hears_who_holds_the_lock_and_since_when() {
        let record = serde_json::json!({
            "format": 1, "fence": 7, "seconds": 60, "heartbeat": "2026-11-21T08:15:20Z",
            "holder": {
                "run": "one", "owner": "ada@laptop", "process": 4711, "purpose": "apply",
                "since": "2026-11-21T08:12:07.123456789Z",
            },
        });
        let left = std::time::Duration::from_secs(53);
        let record = serde_json::from_value(record).unwrap();
        let mut other = Held { record, left, whole: left };
        let now = "2026-11-21T08:15:27Z".parse().unwrap();
        let (title, hint) = held(&other, now);
        assert_snapshot!(title, @"`ecsctl apply` of ada@laptop (process 4711) holds the lock, begun 3 min 19 s ago, at 2026-11-21 08:12 UTC");
        assert_snapshot!(hint, @"wait for its end, with `--lock-timeout 10m` if you like; if it is dead, the lock runs out in 53 s");
        other.record.holder = None;
        assert_snapshot!(held(&other, now).0, @"another run holds the lock of this stack");
    }
}
