//! What is said of the state folder, of files, of the lock and of the way to AWS, when they fail.

use std::io;
use std::path::Path;

use jiff::Timestamp;

use super::{Exit, Failure};
use crate::cloud::aws::ConnectError;
use crate::diag::{Diagnostic, reason};
use crate::report::summary::listed;
use crate::report::words;
use crate::store::local::{Holder, LockError};

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
            LockError::Io(error) => Self::state(folder, &error),
            LockError::Held(holder) => {
                let (title, hint) = held(holder.as_deref(), Timestamp::now());
                Self::told(Exit::Locked, Diagnostic::error("E0408", title).hint(hint))
            }
        }
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
fn held(holder: Option<&Holder>, now: Timestamp) -> (String, String) {
    let Some(Holder { owner, process, since, purpose, format: _, run: _ }) = holder else {
        let title = "another run holds the lock of this stack".to_owned();
        return (title, "wait for its end".to_owned());
    };
    let since = match since.parse::<Timestamp>() {
        Ok(then) => {
            let ago = now.duration_since(then).unsigned_abs();
            format!("{} ago, at {}", words::duration(ago), words::moment(then))
        }
        Err(_) => since.clone(),
    };
    (
        format!("`ecsctl {purpose}` of {owner} (process {process}) holds the lock, begun {since}"),
        format!("wait for its end, or end process {process} there: the lock goes with it"),
    )
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    #[test]
    fn whoever_waits_hears_who_holds_the_lock_and_since_when() {
        let holder = Holder {
            format: 1,
            run: "one".into(),
            owner: "ada@laptop".into(),
            process: 4711,
            since: "2026-11-21T08:12:07.123456789Z".into(),
            purpose: "apply".into(),
        };
        let now = "2026-11-21T08:15:27Z".parse().unwrap();
        let (title, hint) = held(Some(&holder), now);
        assert_snapshot!(title, @"`ecsctl apply` of ada@laptop (process 4711) holds the lock, begun 3 min 19 s ago, at 2026-11-21 08:12 UTC");
        assert_snapshot!(hint, @"wait for its end, or end process 4711 there: the lock goes with it");
        assert_snapshot!(held(None, now).0, @"another run holds the lock of this stack");
    }
}
