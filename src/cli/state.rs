//! `ecsctl state`: what is kept between runs. None of it is truth.

use clap::{Args, Subcommand};
use futures::future::try_join_all;
use serde::Serialize;

use super::context::Context;
use super::locked::{kept, local};
use super::options::Format;
use super::stack::{identify, load};
use super::world::{Door, block_on};
use super::{Exit, Failure};
use crate::diag::Diagnostic;
use crate::plan::Purpose;
use crate::report::{diagnostics, words};
use crate::run::event::Event;
use crate::snapshot::observe;
use crate::store::Recorded;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Lists the runs, and what came of them
    Show,
    /// Reads anew what the cache should hold; nothing else that is kept is touched
    Rebuild,
}

pub(super) fn run(cx: &mut Context, arguments: &Arguments) -> Result<Exit, Failure> {
    cx.refuse_markdown("state")?;
    match arguments.command {
        Command::Show => show(cx),
        Command::Rebuild => rebuild(cx),
    }
}

fn show(cx: &mut Context) -> Result<Exit, Failure> {
    let (names, runs, present) = block_on(recorded(cx))?;
    for Recorded { place, damaged, events: _ } in &runs {
        let Some(line) = damaged else { continue };
        let title = format!("the journal `{place}` is damaged in line {line}");
        let hint = "delete it if you like: no plan depends on it";
        let warning = Diagnostic::warning("E0409", title).hint(hint);
        cx.say(diagnostics::plain(&warning, cx.err_look).trim_end())?;
    }
    let told = |(name, it): (String, &Recorded)| told(name, it, present.as_deref());
    let runs: Vec<Told> = names.into_iter().zip(&runs).map(told).collect();
    let text = match cx.options.format {
        Format::Json => format!("{:#}\n", serde_json::json!({"format": 1, "runs": runs})),
        Format::Human | Format::Markdown if runs.is_empty() => "no run is recorded\n".to_owned(),
        Format::Human | Format::Markdown => runs.iter().map(Told::line).collect(),
    };
    cx.print(&text)?;
    Ok(Exit::Done)
}

/// The recorded runs, by name; and the one that is under way.
async fn recorded(cx: &Context) -> Result<(Vec<String>, Vec<Recorded>, Option<String>), Failure> {
    let mut spec = identify(cx)?;
    let store = kept(cx, &mut spec).await?;
    let failed = |error| Failure::store(&cx.options.state, error);
    let names = store.runs().await.map_err(failed)?;
    let runs = try_join_all(names.iter().map(|name| store.recorded(name))).await.map_err(failed)?;
    let held = store.held().await.map_err(failed)?;
    let present = held.and_then(|held| Some(held.record.holder?.run));
    Ok((names, runs, present))
}

/// What the journal says of a run.
#[derive(Serialize)]
struct Told {
    run: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purpose: Option<Purpose>,
    result: String,
}

impl Told {
    /// `2026-11-21 08:12 UTC  apply    22 of 22 steps done`.
    fn line(&self) -> String {
        let Self { run, at, purpose, result } = self;
        let at = at.as_ref().and_then(|at| at.parse().ok()).map(words::moment);
        let purpose = match purpose {
            Some(Purpose::Apply) => "apply  ",
            Some(Purpose::Destroy) => "destroy",
            None => "unknown",
        };
        format!("{}  {purpose}  {result}\n", at.unwrap_or_else(|| run.clone()))
    }
}

/// What came of a run; `present` is the one that is under way.
fn told(run: String, recorded: &Recorded, present: Option<&str>) -> Told {
    let (mut at, mut purpose, mut steps) = (None, None, 0);
    let mut result = match recorded.damaged {
        Some(_) => "the journal is damaged".to_owned(),
        None if present == Some(&run) => "under way".to_owned(),
        None => "cut off: the next apply goes on from there".to_owned(),
    };
    for event in &recorded.events {
        match event {
            Event::RunStarted { at: began, purpose: what, steps: all, .. } => {
                (at, purpose, steps) = (Some(began.clone()), Some(*what), *all);
            }
            Event::RunFinished { done, failed, left, .. } => {
                let rest = [(*failed, "failed"), (*left, "left")];
                let rest = rest.into_iter().filter(|(count, _)| *count > 0);
                let rest: String = rest.map(|(count, what)| format!(", {count} {what}")).collect();
                result = format!("{done} of {} done{rest}", words::count(steps, "step"));
            }
            _ => {}
        }
    }
    Told { run, at, purpose, result }
}

fn rebuild(cx: &mut Context) -> Result<Exit, Failure> {
    let mut desired = load(cx)?.desired;
    // Trouble with a cache that is to go anyway is no trouble, unless the new one cannot be written.
    drop(fs_err::remove_file(local(cx, &desired.stack).cache_file()));
    let count = block_on(async {
        let door = Door::open(cx, &mut desired.stack).await?;
        let snapshot = observe(door.cloud(), &desired).await?;
        door.keep_cache();
        Ok(snapshot.ours(&desired.stack).count())
    })?;
    match cx.options.format {
        Format::Json => {
            cx.print(&format!("{:#}\n", serde_json::json!({"format": 1, "resources": count})))?;
        }
        Format::Human | Format::Markdown => {
            cx.say(&format!("rebuilt from {}", words::count(count, "live resource")))?;
        }
    }
    Ok(Exit::Done)
}
