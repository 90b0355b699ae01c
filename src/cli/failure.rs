//! Why a command did not do what it was asked, and how that is told.

use std::io;

use super::Exit;
use super::context::Context;
use super::options::Format;
use crate::diag::Diagnostic;
use crate::kind::Error;
use crate::report::{Tone, diagnostics, json, trouble};
use crate::spec::Sources;

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(super) enum Failure {
    /// The spec, or what it declares, is wrong. The texts show where.
    Wrong(Vec<Diagnostic>, Box<Sources>),
    /// The plan is refused: what is live stands in its way.
    Blocked(Vec<Diagnostic>, Box<Sources>),
    /// AWS says no.
    Cloud(Error),
    /// One thing that stands in no spec, and how the process ends for it.
    Told(Exit, Box<Diagnostic>),
    /// The terminal, or whatever else is no matter of ours.
    Io(io::Error),
    /// A guard says no: why, and what to do.
    Refused(String, String),
    /// The command line is wrong.
    Usage(String),
    /// Somebody has stopped it, and knows.
    Interrupted,
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

impl Failure {
    /// A command is told to write JSON and something else.
    pub(super) fn two_forms(word: &str) -> Self {
        Self::Usage(format!("`--format json` and `--as {word}` are two forms: leave one out"))
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Wrong(..) | Self::Usage(_) => Exit::Usage,
            Self::Blocked(..) | Self::Refused(..) => Exit::Refused,
            Self::Cloud(_) => Exit::Failed,
            Self::Interrupted => Exit::Interrupted,
            Self::Told(exit, _) => *exit,
            // Whoever reads our output has seen enough: `ecsctl render | head`.
            Self::Io(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
            Self::Io(_) => Exit::Failed,
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
                Some(json::diagnostics(found, sources))
            }
            Self::Told(_, diagnostic) => {
                Some(json::diagnostics(std::slice::from_ref(diagnostic), &Sources::default()))
            }
            Self::Cloud(error) => Some(json::error(error)),
            Self::Io(_) | Self::Refused(..) | Self::Usage(_) | Self::Interrupted => None,
        }
    }

    fn text(&self, cx: &Context) -> String {
        let look = cx.err_look;
        let (title, hint) = match self {
            Self::Wrong(found, sources) | Self::Blocked(found, sources) => {
                return diagnostics::render(found, sources, look);
            }
            Self::Cloud(error) => return diagnostics::plain(&trouble::diagnostic(error), look),
            Self::Told(_, diagnostic) => return diagnostics::plain(diagnostic, look),
            Self::Interrupted => return String::new(),
            Self::Io(error) => (error.to_string(), None),
            Self::Refused(why, hint) => (format!("refused: {why}"), Some(hint.clone())),
            Self::Usage(why) => (why.clone(), Some("see `ecsctl help`".to_owned())),
        };
        let mut text = format!("{} {title}\n", look.paint(Tone::Error, "error:"));
        if let Some(hint) = hint {
            text.push_str(&format!("  {} {hint}\n", look.paint(Tone::Hint, "hint:")));
        }
        text
    }
}
