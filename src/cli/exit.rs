//! How the process ends.

use std::process::ExitCode;

/// What the exit code says. Scripts depend on the numbers; they do not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, or nothing to do.
    Done = 0,
    /// An error: of AWS, of the network, of a file.
    Failed = 1,
    /// Changes are pending; only with `--detailed-exitcode`.
    Pending = 2,
    /// Refused: by a guard, or because nobody was there to say yes.
    Refused = 3,
    /// A rollout failed or was rolled back.
    Rollout = 4,
    /// Another run holds the lock.
    Locked = 5,
    /// Interrupted: the same command goes on from there.
    Interrupted = 6,
    /// The command line or the spec is wrong.
    Usage = 64,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
