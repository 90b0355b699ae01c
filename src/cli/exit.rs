//! How the process ends.

use std::process::ExitCode;

/// What the exit code says. Scripts depend on the numbers; they do not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, or nothing to do.
    Done,
    /// An error: of AWS, of the network, of a file.
    Failed,
    /// Changes are pending; only with `--detailed-exitcode`.
    Pending,
    /// Refused: by a guard, or because nobody was there to say yes.
    Refused,
    /// A rollout failed or was rolled back.
    Rollout,
    /// Another run holds the lock.
    Locked,
    /// Interrupted: the same command goes on from there.
    Interrupted,
    /// The command line or the spec is wrong.
    Usage,
    /// Of `run`: the task did not come to an end of its own, or nobody knows which. The number is that of
    /// other tools that run containers.
    NotRun,
    /// Of `run`: what the container exited with.
    Task(u8),
}

impl Exit {
    /// The number.
    fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Pending => 2,
            Self::Refused => 3,
            Self::Rollout => 4,
            Self::Locked => 5,
            Self::Interrupted => 6,
            Self::Usage => 64,
            Self::NotRun => 125,
            Self::Task(code) => code,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
