//! Why a command did not do what it was asked, and how that is told.

use std::io;

use super::Exit;
use super::context::Context;
use super::options::Format;
use crate::diag::Diagnostic;
use crate::kind::{Class, Error};
use crate::report::{Tone, diagnostics, json};
use crate::spec::Sources;
use crate::store::local::{Holder, LockError};

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(super) enum Failure {
    /// The spec, or what it declares, is wrong. The texts show where.
    Wrong(Vec<Diagnostic>, Box<Sources>),
    /// The plan is refused: what is live stands in its way.
    Blocked(Vec<Diagnostic>, Box<Sources>),
    /// AWS says no.
    Cloud(Error),
    /// A file, or the terminal.
    Io(io::Error),
    /// A guard says no: why, and what to do.
    Refused(String, String),
    /// Another run is under way.
    Locked(Option<Box<Holder>>),
    /// The command line is wrong.
    Usage(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Cloud(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<LockError> for Failure {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Held(holder) => Self::Locked(holder),
            LockError::Io(error) => Self::Io(error),
        }
    }
}

impl Failure {
    fn exit(&self) -> Exit {
        match self {
            Self::Wrong(..) | Self::Usage(_) => Exit::Usage,
            Self::Blocked(..) | Self::Refused(..) => Exit::Refused,
            Self::Cloud(_) => Exit::Failed,
            // Whoever reads our output has seen enough: `ecsctl render | head`.
            Self::Io(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
            Self::Io(_) => Exit::Failed,
            Self::Locked(_) => Exit::Locked,
        }
    }

    /// Tells it and says how the process ends.
    pub(super) fn tell(&self, cx: &mut Context) -> Exit {
        let exit = self.exit();
        if exit != Exit::Done {
            let text = self.text(cx);
            // When not even an error can be written, the exit code is all that is left to say.
            drop(cx.err.write_all(text.as_bytes()));
            if cx.options.format == Format::Json
                && let Some(document) = self.document()
            {
                drop(cx.out.write_all(document.as_bytes()));
            }
        }
        exit
    }

    /// What programs get on stdout.
    fn document(&self) -> Option<String> {
        match self {
            Self::Wrong(found, sources) | Self::Blocked(found, sources) => {
                let found = diagnostics::to_json(found, sources);
                let document = serde_json::json!({"format": 1, "diagnostics": found});
                Some(format!("{document:#}\n"))
            }
            Self::Cloud(error) => Some(json::error(error)),
            Self::Io(_) | Self::Refused(..) | Self::Locked(_) | Self::Usage(_) => None,
        }
    }

    fn text(&self, cx: &Context) -> String {
        let (title, hint) = match self {
            Self::Wrong(found, sources) | Self::Blocked(found, sources) => {
                return diagnostics::render(found, sources, cx.err_look);
            }
            Self::Cloud(error) => {
                let hint = error.hint.clone().or_else(|| advice(error.class).map(str::to_owned));
                (error.to_string(), hint)
            }
            Self::Io(error) => (error.to_string(), None),
            Self::Refused(why, hint) => (format!("refused: {why}"), Some(hint.clone())),
            Self::Locked(holder) => (held(holder.as_deref()), Some("wait for its end".to_owned())),
            Self::Usage(why) => (why.clone(), Some("see `ecsctl help`".to_owned())),
        };
        let mut text = format!("{} {title}\n", cx.err_look.paint(Tone::Error, "error:"));
        if let Some(hint) = hint {
            text.push_str(&format!("  {} {hint}\n", cx.err_look.paint(Tone::Hint, "hint:")));
        }
        text
    }
}

fn held(holder: Option<&Holder>) -> String {
    match holder {
        Some(Holder { owner, process, since, purpose, format: _, run: _ }) => format!(
            "another run holds the lock: {purpose} by {owner} (process {process}) since {since}"
        ),
        None => "another run holds the lock".to_owned(),
    }
}

fn advice(class: Class) -> Option<&'static str> {
    match class {
        Class::Credentials => Some("sign in (`aws sso login`), or set `AWS_PROFILE`"),
        Class::Denied => Some("let the caller do this in IAM, or use another profile"),
        Class::Throttled | Class::Transient => Some("run the same command again"),
        Class::Eventual
        | Class::InUse
        | Class::Absent
        | Class::Exists
        | Class::Quota
        | Class::Rollout
        | Class::Other => None,
    }
}
