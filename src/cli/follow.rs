//! Following a task that was run by hand to its end: what it does, what it says, and Ctrl-C.

use std::time::{Duration, Instant};

use futures::future::BoxFuture;

use super::context::Context;
use super::options::Format;
use super::signals::Signals;
use super::{Exit, Failure};
use crate::blueprint::Launch;
use crate::cloud::Tasks;
use crate::diag::Diagnostic;
use crate::kind::{End, Error, How, Result as CloudResult, Stream, Task};
use crate::report::words;

/// The first looks come soon, later ones seldom: a short task is not waited for longer than it takes.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// How long a task may be invisible, or AWS in trouble: RunTask is eventually consistent ("API_RunTask").
const PATIENCE: Duration = Duration::from_secs(300);

/// Looks at the output after the end that find nothing new before it is taken for complete. The driver
/// delivers what a container says within seconds.
const QUIET_LOOKS: u32 = 4;

/// The exit code of what Ctrl-C ended, as shells tell it.
const INTERRUPTED: u8 = 130;

/// A task that is followed.
pub(super) struct Follow<'a> {
    /// Where it runs.
    pub(super) tasks: &'a dyn Tasks,
    /// Its ARN.
    pub(super) arn: &'a str,
    /// How it was started.
    pub(super) launch: &'a Launch,
    /// Where its container writes to; `None` if that is no log group.
    pub(super) stream: Option<Stream>,
    /// When it was started.
    pub(super) began: Instant,
}

/// How it ended, and who had asked for it.
pub(super) struct Ended {
    /// How it ended.
    pub(super) end: End,
    asked: Option<Asked>,
}

/// Why it was stopped from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// Somebody pressed Ctrl-C.
    Interrupt,
    /// It took too long.
    Timeout(u32),
}

/// Makes a call until it succeeds or time will not mend it.
pub(super) async fn settled<'a, T>(
    call: impl Fn() -> BoxFuture<'a, CloudResult<T>>,
) -> Result<T, Error> {
    let (began, mut pause) = (Instant::now(), FIRST_PAUSE);
    loop {
        match call().await {
            Err(error) if error.class.is_retryable() && began.elapsed() < PATIENCE => {
                sleep(pause).await;
            }
            other => return other,
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn sleep(pause: Duration) {
    #[expect(clippy::disallowed_methods, reason = "nothing else waits for a task run by hand")]
    tokio::time::sleep(pause).await;
}

impl Follow<'_> {
    /// To its end. The first Ctrl-C asks ECS to stop it, the second leaves it to itself.
    pub(super) async fn run(self, cx: &mut Context) -> Result<Ended, Failure> {
        let mut signals = Signals::new()?;
        let (mut from, mut said, mut asked) = (None, String::new(), None);
        let (mut pause, mut seen) = (FIRST_PAUSE, Instant::now());
        loop {
            let task = self.look().await?;
            if let Some(task) = &task {
                seen = Instant::now();
                self.tell(cx, task, &mut said)?;
            }
            self.print(cx, &mut from).await?;
            if let Some(end) = task.and_then(|task| task.end) {
                self.print_rest(cx, &mut from).await?;
                return Ok(Ended { end, asked });
            }
            if seen.elapsed() > PATIENCE {
                return Err(self.lost());
            }
            if asked.is_none() {
                asked = self.stop_in_time(cx).await?;
            }
            tokio::select! {
                () = sleep(pause) => pause = pause.mul_f64(1.3).min(LONGEST_PAUSE),
                () = signals.next() => {
                    if asked == Some(Asked::Interrupt) {
                        cx.say(&format!("left to itself: {}", self.arn))?;
                        return Err(Failure::Interrupted);
                    }
                    asked = Some(Asked::Interrupt);
                    cx.say("asking ECS to stop the task; press Ctrl-C again to leave it to itself")?;
                    self.stop("somebody pressed Ctrl-C").await?;
                    pause = FIRST_PAUSE;
                }
            }
        }
    }

    /// Asks for its end when it has taken too long.
    async fn stop_in_time(&self, cx: &mut Context) -> Result<Option<Asked>, Failure> {
        let is_over = |limit: &u32| self.began.elapsed() > Duration::from_secs((*limit).into());
        let Some(limit) = self.launch.timeout.filter(is_over) else { return Ok(None) };
        cx.say(&format!("it takes longer than its timeout of {limit} s: asking ECS to stop it"))?;
        self.stop("it took longer than its timeout").await?;
        Ok(Some(Asked::Timeout(limit)))
    }

    /// A look that failed in passing says nothing about the task.
    async fn look(&self) -> Result<Option<Task>, Failure> {
        match self.tasks.task(self.arn, &self.launch.container).await {
            Err(error) if error.class.is_retryable() => Ok(None),
            other => Ok(other?),
        }
    }

    async fn stop(&self, why: &str) -> Result<(), Failure> {
        let why = format!("ecsctl run: {why}");
        Ok(settled(|| self.tasks.stop(self.arn, &why)).await?)
    }

    /// Says what the task is doing, when that has changed.
    fn tell(&self, cx: &mut Context, task: &Task, said: &mut String) -> Result<(), Failure> {
        if cx.options.format == Format::Json || *said == task.status {
            return Ok(());
        }
        let is_first = said.is_empty();
        said.clone_from(&task.status);
        if is_first {
            let revision = self.launch.task_definition.rsplit('/').next().unwrap_or_default();
            cx.say(&format!("{revision} as {}", self.arn))?;
            if self.stream.is_none() {
                cx.say("its output is not in CloudWatch Logs: it is not shown here")?;
            }
        }
        cx.say(&format!("{} after {}", task.status, words::duration(self.began.elapsed())))
    }

    /// Writes what the container has said since. Trouble with it is no reason to end.
    async fn print(&self, cx: &mut Context, from: &mut Option<String>) -> Result<bool, Failure> {
        let Some(stream) = &self.stream else { return Ok(false) };
        let mut is_new = false;
        loop {
            let Ok(page) = self.tasks.lines(stream, from.clone()).await else { return Ok(is_new) };
            let (is_last, lines) = (page.next == *from || page.lines.is_empty(), page.lines);
            *from = page.next;
            for line in &lines {
                match cx.options.format {
                    Format::Json => cx.say(line)?,
                    Format::Human | Format::Markdown => cx.print(&format!("{line}\n"))?,
                }
            }
            is_new |= !lines.is_empty();
            if is_last {
                return Ok(is_new);
            }
        }
    }

    /// Writes what comes after the end.
    async fn print_rest(&self, cx: &mut Context, from: &mut Option<String>) -> Result<(), Failure> {
        let mut quiet = 0;
        while self.stream.is_some() && quiet < QUIET_LOOKS {
            sleep(FIRST_PAUSE).await;
            quiet = if self.print(cx, from).await? { 0 } else { quiet + 1 };
        }
        Ok(())
    }

    fn lost(&self) -> Failure {
        let title = format!("nobody knows how the task ended: ECS does not show {}", self.arn);
        let hint = "look for it in the console, and in its log";
        Failure::told(Exit::NotRun, Diagnostic::error("E0323", title).hint(hint))
    }
}

impl Ended {
    /// How the process ends for it. What a program reads has been written already.
    pub(super) fn exit(&self, cx: &mut Context, name: &str) -> Result<Exit, Failure> {
        let is_json = cx.options.format == Format::Json;
        match self.verdict(name) {
            Ok(exit @ Exit::Task(code)) if !is_json => {
                cx.say(&format!("exited with {code}"))?;
                Ok(exit)
            }
            Ok(exit) => Ok(exit),
            Err(told) if is_json => {
                cx.say(&told.title)?;
                Ok(Exit::NotRun)
            }
            Err(told) => Err(Failure::told(Exit::NotRun, told)),
        }
    }

    fn verdict(&self, name: &str) -> Result<Exit, Diagnostic> {
        let End { how, code, why } = &self.end;
        let own = code.and_then(|code| u8::try_from(code).ok());
        let (code, title, hint) = match (how, own, self.asked) {
            (How::NeverStarted, ..) => (
                "E0322",
                format!("the task `{name}` did not start: {why}"),
                "mend what it says, apply if that is in the spec, and run again",
            ),
            (_, _, Some(Asked::Timeout(limit))) => (
                "E0323",
                format!("the task `{name}` took longer than {limit} s and was stopped"),
                "give it more time: `timeout` of the task",
            ),
            (_, own, Some(Asked::Interrupt)) => {
                return Ok(Exit::Task(own.filter(|code| *code != 0).unwrap_or(INTERRUPTED)));
            }
            (How::Exited, Some(code), None) => return Ok(Exit::Task(code)),
            _ => (
                "E0323",
                format!("the task `{name}` was stopped: {why}"),
                "run it again, if it bears that",
            ),
        };
        Err(Diagnostic::error(code, title).hint(hint))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::Class;

    #[tokio::test(start_paused = true)]
    async fn what_time_mends_is_tried_again_and_nothing_else() {
        let tries = std::cell::Cell::new(0);
        let call = |class| {
            let tries = &tries;
            move || -> BoxFuture<'_, CloudResult<u32>> {
                tries.set(tries.get() + 1);
                let made = match tries.get() {
                    1 => Err(Error::new(class, "no")),
                    again => Ok(again),
                };
                Box::pin(async move { made })
            }
        };
        assert_eq!(settled(call(Class::Eventual)).await.unwrap(), 2);
        tries.set(0);
        assert!(settled(call(Class::Denied)).await.is_err());
    }
}
