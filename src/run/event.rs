//! What happens in a run, as it happens. The journal, the progress display and the summary are all
//! folds over this one stream.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::kind::{Done, Error, StackId};
use crate::plan::{Purpose, StepId};

/// One thing that happened.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Event {
    /// A run begins.
    RunStarted {
        /// The format of these lines.
        format: u32,
        /// The run's name, unique.
        run: String,
        /// When, RFC 3339.
        at: String,
        /// The stack.
        stack: StackId,
        /// What it is to bring about.
        purpose: Purpose,
        /// How many steps.
        steps: usize,
    },
    /// A step is about to act.
    StepStarted {
        /// Which step.
        step: StepId,
        /// The resource.
        address: Address,
        /// `create`, `update`, `delete` ….
        verb: String,
        /// The idempotency token.
        token: String,
    },
    /// An attempt failed in a way that time mends; the step is tried again.
    StepRetrying {
        /// Which step.
        step: StepId,
        /// Why.
        error: Error,
        /// The attempt's number, from 1.
        attempt: u32,
    },
    /// The call has been made; what is left is waiting.
    StepPerformed {
        /// Which step.
        step: StepId,
        /// What came of it.
        done: Done,
    },
    /// What a step is waiting for.
    StepWaiting {
        /// Which step.
        step: StepId,
        /// The fact that is waited for.
        why: String,
    },
    /// A step is done, and what it made is ready.
    StepDone {
        /// Which step.
        step: StepId,
        /// Milliseconds since it started.
        milliseconds: u64,
    },
    /// A step cannot be done.
    StepFailed {
        /// Which step.
        step: StepId,
        /// Why.
        error: Error,
    },
    /// A step cannot be done, because one before it failed.
    StepSkipped {
        /// Which step.
        step: StepId,
        /// The step that failed.
        because: StepId,
    },
    /// A step was left where it was, because the run was interrupted.
    StepInterrupted {
        /// Which step.
        step: StepId,
    },
    /// The user wants to stop: nothing new is begun.
    Interrupted,
    /// The run is over.
    RunFinished {
        /// Steps done.
        done: usize,
        /// Steps that failed.
        failed: usize,
        /// Steps that were not begun or not brought to their end.
        left: usize,
        /// Milliseconds since the run began.
        milliseconds: u64,
    },
    /// Something that a newer version has written.
    #[serde(other)]
    Unknown,
}

/// How a run ended.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// Steps done.
    pub done: Vec<StepId>,
    /// Steps that failed, and why.
    pub failed: BTreeMap<StepId, Error>,
    /// Steps that were skipped, and the failed step that is to blame.
    pub skipped: BTreeMap<StepId, StepId>,
    /// Steps that an interrupt left undone.
    pub interrupted: Vec<StepId>,
    /// Whether the user interrupted it.
    pub was_interrupted: bool,
    /// The outputs of everything that is known at the end.
    pub known: crate::value::Known,
}

impl Outcome {
    /// Whether everything was done.
    pub fn is_complete(&self) -> bool {
        self.failed.is_empty() && self.skipped.is_empty() && self.interrupted.is_empty()
    }
}
