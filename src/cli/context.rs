//! What a command works with: where it writes, how that looks, the process's environment.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _, Write};

use super::Failure;
use super::options::{ColourChoice, Format, Options, World};
use crate::report::{Colour, Detail, Look};

/// The width of lines where nobody says how wide the terminal is.
const WIDTH: usize = 100;

/// What a command works with.
pub(super) struct Context {
    /// Data.
    pub(super) out: Box<dyn Write + Send>,
    /// Everything else.
    pub(super) err: Box<dyn Write + Send>,
    /// How stdout looks.
    pub(super) look: Look,
    /// How stderr looks.
    pub(super) err_look: Look,
    /// Whether somebody is there who can be asked and can watch.
    pub(super) is_interactive: bool,
    /// Whether what an interrupt leaves is there afterwards, to go on with.
    pub(super) is_resumable: bool,
    /// The process's environment, read once.
    pub(super) environment: BTreeMap<String, String>,
    /// What the command line says to all commands.
    pub(super) options: Options,
}

impl Context {
    /// The process's own.
    pub(super) fn of_process(options: Options) -> Self {
        let text = |text: std::ffi::OsString| text.into_string().ok();
        let environment: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(key, value)| Some((text(key)?, text(value)?)))
            .collect();
        let (stdout, stderr) = (io::stdout(), io::stderr());
        let width = environment.get("COLUMNS").and_then(|columns| columns.parse().ok());
        let look = |is_terminal| Look {
            colour: colour(options.color, is_terminal, &environment),
            detail: if options.verbose { Detail::Full } else { Detail::Short },
            width: width.unwrap_or(WIDTH),
        };
        Self {
            look: look(Terminal::of(&stdout)),
            err_look: look(Terminal::of(&stderr)),
            is_interactive: io::stdin().is_terminal() && stderr.is_terminal(),
            is_resumable: true,
            out: Box::new(stdout),
            err: Box::new(stderr),
            environment,
            options,
        }
    }

    /// Which world is meant.
    pub(super) fn world(&self) -> Result<World, Failure> {
        if let Some(world) = self.options.cloud {
            return Ok(world);
        }
        match self.environment.get("ECSCTL_CLOUD").map(String::as_str) {
            None | Some("" | "aws") => Ok(World::Aws),
            Some("sim") => Ok(World::Sim),
            Some(other) => {
                Err(Failure::Usage(format!("ECSCTL_CLOUD is `{other}`: write `aws` or `sim`")))
            }
        }
    }

    /// Writes data.
    pub(super) fn print(&mut self, text: &str) -> Result<(), Failure> {
        self.out.write_all(text.as_bytes())?;
        Ok(self.out.flush()?)
    }

    /// Says something beside the data.
    pub(super) fn say(&mut self, text: &str) -> Result<(), Failure> {
        Ok(writeln!(self.err, "{text}")?)
    }

    /// For commands whose output has no Markdown form.
    pub(super) fn refuse_markdown(&self, command: &str) -> Result<(), Failure> {
        match self.options.format {
            Format::Human | Format::Json => Ok(()),
            Format::Markdown => {
                Err(Failure::Usage(format!("`{command}` has no Markdown form; only `plan` has")))
            }
        }
    }
}

/// Whether a stream is a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Terminal {
    Yes,
    No,
}

impl Terminal {
    fn of(stream: &impl io::IsTerminal) -> Self {
        if stream.is_terminal() { Self::Yes } else { Self::No }
    }
}

fn colour(
    choice: ColourChoice,
    terminal: Terminal,
    environment: &BTreeMap<String, String>,
) -> Colour {
    let is_forbidden = environment.get("NO_COLOR").is_some_and(|value| !value.is_empty());
    let is_dumb = environment.get("TERM").is_some_and(|term| term == "dumb");
    match (choice, terminal) {
        (ColourChoice::Always, _) => Colour::On,
        (ColourChoice::Auto, Terminal::Yes) if !is_forbidden && !is_dumb => Colour::On,
        (ColourChoice::Auto | ColourChoice::Never, _) => Colour::Off,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_color_is_obeyed_unless_colours_are_asked_for() {
        let none = BTreeMap::new();
        let no_color = BTreeMap::from([("NO_COLOR".to_owned(), "1".to_owned())]);
        assert_eq!(colour(ColourChoice::Auto, Terminal::Yes, &none), Colour::On);
        assert_eq!(colour(ColourChoice::Auto, Terminal::No, &none), Colour::Off);
        assert_eq!(colour(ColourChoice::Auto, Terminal::Yes, &no_color), Colour::Off);
        assert_eq!(colour(ColourChoice::Always, Terminal::No, &no_color), Colour::On);
        assert_eq!(colour(ColourChoice::Never, Terminal::Yes, &none), Colour::Off);
    }
}
