//! `ecsctl demo`: the whole story on a simulated account in a temporary folder.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;

use super::context::Context;
use super::options::{Format, World};
use super::{Exit, Failure, apply, destroy, init, plan, status};
use crate::report::Tone;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Keeps the folder with spec and state
    #[arg(long)]
    keep: bool,
}

pub(super) fn run(cx: &mut Context, arguments: &Arguments) -> Result<Exit, Failure> {
    let folder = tempfile::Builder::new().prefix("ecsctl-demo-").tempdir()?;
    cx.options.file = folder.path().join("ecsctl.toml");
    cx.options.state = folder.path().join("state");
    cx.options.cloud = Some(World::Sim);
    cx.options.format = Format::Human;
    // Slow enough to watch, quick enough to stay for.
    cx.environment.entry("ECSCTL_SIM_SCALE".to_owned()).or_insert_with(|| "0.05".to_owned());
    (cx.options.env, cx.options.var, cx.options.set) = (None, Vec::new(), Vec::new());
    cx.is_resumable = arguments.keep;
    let told = Story { cx, started: Instant::now() }.tell();
    if arguments.keep {
        cx.say(&format!("kept: {}", folder.keep().display()))?;
    } else {
        folder.close()?;
    }
    told
}

struct Story<'a> {
    cx: &'a mut Context,
    started: Instant,
}

impl Story<'_> {
    fn tell(mut self) -> Result<Exit, Failure> {
        self.title(
            "1  A spec of six lines",
            "init",
            "nothing here touches AWS or needs an account",
        )?;
        init::run(self.cx, &init::Arguments { stack: "hello-world".into() })?;
        let spec = fs_err::read_to_string(self.file())?;
        self.cx.print(&spec)?;

        self.title(
            "2  What it stands for",
            "plan",
            "compared with live AWS, here a simulated account",
        )?;
        self.plan()?;

        self.title("3  Make it true", "apply", "steps run as soon as what they need is ready")?;
        self.apply(Exit::Done)?;

        self.title("4  Plan again", "plan", "after every apply the plan is empty")?;
        self.plan()?;

        self.title(
            "5  Roll out another image",
            "apply",
            "image = \"httpd:2.4\" becomes \"httpd:2.5\"",
        )?;
        self.change("httpd:2.4", "httpd:2.5")?;
        self.apply(Exit::Done)?;

        self.title("6  Roll out a bad image", "apply", "its container exits at once")?;
        self.change("httpd:2.5", "httpd:bad-exit")?;
        self.apply(Exit::Rollout)?;
        self.cx.say("exit code 4: what was asked for does not serve; the old revision does")?;
        self.change("httpd:bad-exit", "httpd:2.5")?;
        self.command("status", "what serves, and how the last deployment went")?;
        status::run(self.cx, &status::Arguments { stack: None })?;

        self.title("7  Leave nothing behind", "destroy", "in one pass, from the tags")?;
        let arguments = destroy::Arguments { stack: None, yes: true, lock_timeout: Duration::ZERO };
        self.expect(Exit::Done, |cx| destroy::run(cx, &arguments))?;
        let took = self.started.elapsed().as_secs();
        self.cx.say(&format!(
            "\nThat was the whole story, in {took} s. `ecsctl init` begins yours."
        ))?;
        Ok(Exit::Done)
    }

    fn file(&self) -> PathBuf {
        self.cx.options.file.clone()
    }

    fn title(&mut self, title: &str, command: &str, about: &str) -> Result<(), Failure> {
        let title = self.cx.look.paint(Tone::Heading, title);
        self.cx.print(&format!("\n{title}"))?;
        self.command(command, about)
    }

    fn command(&mut self, command: &str, about: &str) -> Result<(), Failure> {
        let command = self.cx.look.paint(Tone::Hint, &format!("$ ecsctl {command}"));
        let about = self.cx.look.paint(Tone::Dim, &format!("# {about}"));
        self.cx.print(&format!("\n{command}   {about}\n"))
    }

    fn plan(&mut self) -> Result<(), Failure> {
        let arguments = plan::Arguments { out: None, detailed_exitcode: false, adopt: Vec::new() };
        self.expect(Exit::Done, |cx| plan::run(cx, &arguments))
    }

    fn apply(&mut self, expected: Exit) -> Result<(), Failure> {
        let arguments = apply::Arguments {
            plan: None,
            yes: true,
            lock_timeout: Duration::ZERO,
            adopt: Vec::new(),
        };
        self.expect(expected, |cx| apply::run(cx, &arguments))
    }

    /// Runs a command that must end as the story says.
    fn expect(
        &mut self,
        expected: Exit,
        command: impl FnOnce(&mut Context) -> Result<Exit, Failure>,
    ) -> Result<(), Failure> {
        let exit = command(self.cx)?;
        if exit == expected {
            return Ok(());
        }
        if exit == Exit::Interrupted {
            return Err(Failure::Interrupted);
        }
        let why = format!("the demo expected {expected:?} here and got {exit:?}");
        Err(Failure::Io(std::io::Error::other(why)))
    }

    /// Puts another text into the spec.
    fn change(&self, old: &str, new: &str) -> Result<(), Failure> {
        let file: &Path = &self.cx.options.file;
        let text = fs_err::read_to_string(file)?;
        Ok(crate::store::write_atomic(file, text.replace(old, new).as_bytes())?)
    }
}
