//! `ecsctl lock`: who holds the lock of the stack.

use clap::{Args, Subcommand};

use super::complaint::held;
use super::context::Context;
use super::locked::kept;
use super::options::Format;
use super::stack::identify;
use super::world::block_on;
use super::{Exit, Failure};
use crate::store::Held;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Shows who holds the lock. Nobody has to unlock anything: it runs out when its holder is gone
    Show,
}

pub(super) fn run(cx: &mut Context, arguments: &Arguments) -> Result<Exit, Failure> {
    cx.refuse_markdown("lock")?;
    match arguments.command {
        Command::Show => show(cx),
    }
}

fn show(cx: &mut Context) -> Result<Exit, Failure> {
    let mut spec = identify(cx)?;
    block_on(async {
        let held = kept(cx, &mut spec).await?.held().await;
        let held = held.map_err(|error| Failure::store(&cx.options.state, error))?;
        let text = match (cx.options.format, &held) {
            (Format::Json, held) => document(held.as_ref()),
            (Format::Human | Format::Markdown, Some(held)) => lines(held),
            (Format::Human | Format::Markdown, None) => "nobody holds the lock\n".to_owned(),
        };
        cx.print(&text)?;
        Ok(Exit::Done)
    })
}

fn document(held: Option<&Held>) -> String {
    let lock = held.map(|held| {
        serde_json::json!({
            "holder": held.record.holder,
            "fence": held.record.fence,
            "heartbeat": held.record.heartbeat,
            "seconds-left": held.left.as_secs(),
        })
    });
    format!("{:#}\n", serde_json::json!({ "format": 1, "lock": lock }))
}

fn lines(held_by: &Held) -> String {
    let (who, _) = held(held_by, jiff::Timestamp::now());
    let holder = held_by.record.holder.as_ref();
    let commit = holder.and_then(|holder| holder.commit.as_ref());
    let ci = holder.and_then(|holder| holder.ci.as_ref());
    let left = match held_by.left.as_secs() {
        0 => "has run out: the next run takes it".to_owned(),
        seconds => format!("runs out in {seconds} s unless its holder renews it"),
    };
    let told = [("commit", commit), ("CI run", ci)];
    let told = told.into_iter().filter_map(|(name, text)| Some(format!("  {name} {}\n", text?)));
    format!("{who}\n{}  {left}\n", told.collect::<String>())
}
