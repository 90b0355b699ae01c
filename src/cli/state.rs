//! `ecsctl state`: what is kept between runs. None of it is truth.

use clap::{Args, Subcommand};

use super::context::Context;
use super::options::Format;
use super::stack::load;
use super::world::{Door, block_on, store};
use super::{Exit, Failure};
use crate::run::event::Event;
use crate::snapshot::observe;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Lists the runs, and what came of them
    Show,
    /// Reads from AWS what the cache should hold; deleting the folder does the same
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
    let stack = load(cx)?;
    let store = store(cx, &stack.desired.stack);
    let mut runs = Vec::new();
    for name in store.runs()? {
        runs.push((told(&store.events(&name)?), name));
    }
    let text = match cx.options.format {
        Format::Json => {
            let runs: Vec<_> = runs
                .iter()
                .map(|(told, name)| serde_json::json!({"run": name, "result": told}))
                .collect();
            format!("{:#}\n", serde_json::json!({"format": 1, "runs": runs}))
        }
        Format::Human | Format::Markdown if runs.is_empty() => "no run is recorded\n".to_owned(),
        Format::Human | Format::Markdown => {
            runs.iter().map(|(told, name)| format!("{name}  {told}\n")).collect()
        }
    };
    cx.print(&text)?;
    Ok(Exit::Done)
}

/// A run in a line.
fn told(events: &[Event]) -> String {
    let purpose = events.iter().find_map(|event| match event {
        Event::RunStarted { purpose, steps, .. } => Some(match purpose {
            crate::plan::Purpose::Apply => format!("apply, {steps} steps"),
            crate::plan::Purpose::Destroy => format!("destroy, {steps} steps"),
        }),
        _ => None,
    });
    let end = events.iter().find_map(|event| match event {
        Event::RunFinished { done, failed, left, .. } => {
            Some(format!("{done} done, {failed} failed, {left} left"))
        }
        _ => None,
    });
    let end = end.unwrap_or_else(|| "cut off: the next apply goes on from there".to_owned());
    format!("{}: {end}", purpose.unwrap_or_else(|| "unreadable".to_owned()))
}

fn rebuild(cx: &mut Context) -> Result<Exit, Failure> {
    let mut desired = load(cx)?.desired;
    // Trouble with a cache that is to go anyway is no trouble, unless the new one cannot be written.
    drop(fs_err::remove_file(store(cx, &desired.stack).cache_file()));
    let count = block_on(async {
        let door = Door::open(cx, &mut desired.stack).await?;
        let snapshot = observe(door.cloud(), &desired).await?;
        door.keep_cache();
        Ok(snapshot.ours(&desired.stack).count())
    })?;
    cx.say(&format!("rebuilt from {count} live resources"))?;
    Ok(Exit::Done)
}
