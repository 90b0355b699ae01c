//! A run as it goes: on a terminal a few lines that are redrawn, elsewhere a line now and then.
//!
//! Takes events as they come. The caller says what time it is, by [`Progress::tick`].

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Look, Tone, words};
use crate::kind::STAGE;
use crate::plan::{Plan, Step, StepId};
use crate::run::event::Event;

/// How long a step waits before a word is said of it: most are ready at once.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long nothing is said about something that is still waited for.
const STILL: Duration = Duration::from_secs(30);
/// The most steps that a terminal shows at once.
const ROWS: usize = 12;
/// How often the moving parts move.
const BEAT: Duration = Duration::from_millis(120);

/// Where progress is told.
pub enum Display {
    /// Nowhere.
    Quiet,
    /// Line by line.
    Lines(Box<dyn Write + Send>),
    /// On a terminal, redrawn in place.
    Terminal,
}

/// The progress of one run.
pub struct Progress {
    steps: Vec<Named>,
    running: BTreeMap<StepId, Running>,
    done: usize,
    now: Duration,
    told: Duration,
    screen: Screen,
    look: Look,
}

struct Named {
    of: String,
    past: &'static str,
}

struct Running {
    since: Duration,
    waits_for: Option<String>,
    is_told: Said,
    row: Option<ProgressBar>,
}

/// Whether something has been said of a step's wait.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Said {
    Yes,
    No,
}

enum Screen {
    Quiet,
    Lines(Box<dyn Write + Send>),
    Terminal { rows: MultiProgress, head: ProgressBar },
}

impl Progress {
    /// The progress of carrying `plan` out.
    pub fn new(plan: &Plan, display: Display, look: Look) -> Self {
        let named = |step: &Step| Named { of: words::address(&step.address), past: past(step) };
        let screen = match display {
            Display::Quiet => Screen::Quiet,
            Display::Lines(writer) => Screen::Lines(writer),
            Display::Terminal => terminal(plan.steps.len()),
        };
        Self {
            steps: plan.steps.iter().map(named).collect(),
            running: BTreeMap::new(),
            done: 0,
            now: Duration::ZERO,
            told: Duration::ZERO,
            screen,
            look,
        }
    }

    /// Tells what happened.
    pub fn event(&mut self, event: &Event) {
        match event {
            Event::StepStarted { step, .. } => {
                let (since, is_told) = (self.now, Said::No);
                self.running.insert(*step, Running { since, waits_for: None, is_told, row: None });
                self.fill_rows();
            }
            Event::StepWaiting { step, why } => self.waits(*step, why),
            Event::StepRetrying { step, error, attempt } => {
                let why = format!("attempt {attempt}: {}", error.message);
                self.waits(*step, &why);
            }
            Event::StepDone { step, milliseconds } => {
                self.done += 1;
                let took = words::duration(Duration::from_millis(*milliseconds));
                let Some(Named { of, past }) = self.steps.get(*step) else { return };
                let past = self.look.paint(Tone::Good, past);
                self.end(*step, &format!("{past} {of} ({took})"));
            }
            Event::StepFailed { step, error } => {
                let Some(Named { of, .. }) = self.steps.get(*step) else { return };
                let failed = self.look.paint(Tone::Error, "failed");
                self.end(*step, &format!("{failed} {of}: {}", error.message));
            }
            Event::StepInterrupted { step } => self.remove(*step),
            Event::Interrupted => {
                let text = "interrupted: nothing new is begun, calls in flight are finished";
                self.say(&self.look.paint(Tone::Warning, text));
            }
            Event::RunFinished { .. } => self.finish(),
            Event::RunStarted { .. }
            | Event::StepPerformed { .. }
            | Event::StepSkipped { .. }
            | Event::Unknown => {}
        }
    }

    /// Says what is waited for, and that it still is when nothing was said for a while. `now` is the
    /// time since the run began.
    pub fn tick(&mut self, now: Duration) {
        self.now = now;
        if !matches!(self.screen, Screen::Lines(_)) {
            return;
        }
        let mut news = Vec::new();
        for (step, running) in &mut self.running {
            let Some(why) = &running.waits_for else { continue };
            if running.is_told == Said::No && now.saturating_sub(running.since) >= PATIENCE {
                running.is_told = Said::Yes;
                news.push(format!("waiting for {}: {why}", self.steps[*step].of));
            }
        }
        news.iter().for_each(|line| self.say(line));
        if now.saturating_sub(self.told) < STILL {
            return;
        }
        let waiting = self.running.iter().filter_map(|(step, running)| {
            Some(format!("{} ({})", self.steps[*step].of, running.waits_for.as_ref()?))
        });
        let waiting: Vec<String> = waiting.collect();
        if !waiting.is_empty() {
            let took = words::duration(now);
            self.say(&format!("still waiting after {took}: {}", waiting.join(", ")));
        }
    }

    /// Takes the moving lines off the terminal.
    pub fn finish(&mut self) {
        for running in std::mem::take(&mut self.running).into_values() {
            running.row.inspect(ProgressBar::finish_and_clear);
        }
        if let Screen::Terminal { rows, head } = &self.screen {
            head.finish_and_clear();
            // A terminal that cannot be cleared keeps its last lines; nothing is lost.
            drop(rows.clear());
        }
    }

    fn waits(&mut self, step: StepId, why: &str) {
        let Some(running) = self.running.get_mut(&step) else { return };
        let stage = |why: &str| why.split_once(STAGE).map(|(stage, _)| stage.to_owned());
        let was = running.waits_for.replace(why.to_owned());
        let is_news = stage(why).is_some_and(|now| was.and_then(|was| stage(&was)) != Some(now));
        if let Some(row) = &running.row {
            row.set_message(why.to_owned());
        }
        // Somebody may have to do something about it, or will want to know it afterwards.
        if is_news {
            running.is_told = Said::Yes;
            let line = format!("waiting for {}: {why}", self.steps[step].of);
            self.say(&line);
        }
    }

    fn end(&mut self, step: StepId, line: &str) {
        self.remove(step);
        if matches!(self.screen, Screen::Lines(_)) {
            self.say(line);
        }
        if let Screen::Terminal { head, .. } = &self.screen {
            head.set_position(self.done as u64);
        }
        self.fill_rows();
    }

    fn remove(&mut self, step: StepId) {
        if let Some(Running { row: Some(row), .. }) = self.running.remove(&step) {
            row.finish_and_clear();
            if let Screen::Terminal { rows, .. } = &self.screen {
                rows.remove(&row);
            }
        }
    }

    /// Gives rows to running steps that have none, as long as there is room.
    fn fill_rows(&mut self) {
        let Screen::Terminal { rows, .. } = &self.screen else { return };
        let used = self.running.values().filter(|running| running.row.is_some()).count();
        let without = self.running.iter_mut().filter(|(_, running)| running.row.is_none());
        for (step, running) in without.take(ROWS.saturating_sub(used)) {
            let row = rows.add(ProgressBar::new_spinner());
            row.set_style(style("  {prefix}  {wide_msg} {elapsed}"));
            row.set_prefix(self.look.paint(Tone::Address, &self.steps[*step].of));
            row.set_message(running.waits_for.clone().unwrap_or_default());
            row.enable_steady_tick(BEAT);
            running.row = Some(row);
        }
    }

    fn say(&mut self, line: &str) {
        self.told = self.now;
        // Progress that cannot be written must not stop a run.
        match &mut self.screen {
            Screen::Quiet => {}
            Screen::Lines(writer) => drop(writeln!(writer, "{line}")),
            Screen::Terminal { rows, .. } => drop(rows.println(line)),
        }
    }
}

fn terminal(steps: usize) -> Screen {
    let rows = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
    let head = rows.add(ProgressBar::new(steps as u64));
    head.set_style(style("{spinner} {pos} of {len} steps done, {elapsed}"));
    head.enable_steady_tick(BEAT);
    Screen::Terminal { rows, head }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the templates above are well formed")
}

fn past(step: &Step) -> &'static str {
    match step.verb() {
        "create" => "created",
        "replace" => "replaced",
        "adopt" => "took over",
        "update" => "changed",
        "widen" => "widened",
        "delete" => "destroyed",
        _ => "ready:",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use insta::assert_snapshot;

    use super::*;
    use crate::kind::{Class, Error};
    use crate::report::sample;

    #[derive(Clone, Default)]
    struct Heard(Arc<Mutex<Vec<u8>>>);

    impl Write for Heard {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn started(step: StepId) -> Event {
        let address = "vpc.main".parse().unwrap();
        Event::StepStarted { step, address, verb: "create".into(), token: String::new() }
    }

    #[test]
    fn lines_tell_what_is_waited_for_and_what_is_done() {
        let heard = Heard::default();
        let display = Display::Lines(Box::new(heard.clone()));
        let mut progress = Progress::new(&sample::creation(), display, Look::PLAIN);
        let waiting = |step, why: &str| Event::StepWaiting { step, why: why.into() };
        progress.event(&started(0));
        progress.event(&started(2));
        progress.event(&waiting(0, "pending"));
        progress.event(&Event::StepDone { step: 2, milliseconds: 900 });
        progress.tick(Duration::from_secs(4));
        progress.tick(Duration::from_secs(5));
        progress.tick(Duration::from_secs(34));
        progress.event(&waiting(0, "nearly there"));
        progress.tick(Duration::from_secs(35));
        progress.tick(Duration::from_secs(64));
        progress.event(&Event::StepFailed { step: 0, error: Error::new(Class::Other, "broke") });
        progress.event(&Event::Interrupted);
        let heard = String::from_utf8(heard.0.lock().unwrap().clone()).unwrap();
        assert_snapshot!(heard, @"
        created cluster main (0.9 s)
        waiting for VPC main: pending
        still waiting after 35 s: VPC main (nearly there)
        failed VPC main: broke
        interrupted: nothing new is begun, calls in flight are finished
        ");
    }

    #[test]
    fn a_terminal_shows_a_dozen_steps_and_ends_clean() {
        let mut progress = Progress::new(&sample::creation(), Display::Quiet, Look::PLAIN);
        let rows = MultiProgress::with_draw_target(ProgressDrawTarget::hidden());
        let head = rows.add(ProgressBar::new(6));
        progress.screen = Screen::Terminal { rows, head: head.clone() };
        (0..6).for_each(|step| progress.event(&started(step)));
        progress.event(&Event::StepDone { step: 0, milliseconds: 1 });
        assert_eq!((head.position(), progress.running.len()), (1, 5));
        assert!(progress.running.values().all(|running| running.row.is_some()));
        progress.event(&Event::RunFinished { done: 1, failed: 0, left: 5, milliseconds: 1 });
        assert!(progress.running.is_empty() && head.is_finished());
    }
}
