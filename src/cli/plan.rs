//! `ecsctl plan`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;

use super::context::Context;
use super::git;
use super::options::Format;
use super::saved::Saved;
use super::stack::load;
use super::world::{Door, Looked, block_on, look_at};
use super::{Exit, Failure};
use crate::address::Address;
use crate::plan::{Options, Purpose};
use crate::report::{human, json, markdown};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Keeps the plan for `apply FILE`: in a file, or as s3://BUCKET/KEY
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// Exits with 2 when there is something to do
    #[arg(long)]
    pub(super) detailed_exitcode: bool,
    /// Takes over what has the name already and is nobody's; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    pub(super) adopt: Vec<Address>,
}

pub(super) fn run(cx: &mut Context, arguments: &Arguments) -> Result<Exit, Failure> {
    let options = Options { adopt: BTreeSet::from_iter(arguments.adopt.clone()) };
    arguments.out.as_deref().map_or(Ok(()), Saved::require_folder)?;
    let mut stack = load(cx)?;
    stack.require_declared(&arguments.adopt)?;
    let Looked { plan, .. } = block_on(async {
        let door = Door::open(cx, &mut stack.desired.stack).await?;
        look_at(&door, &mut stack, Purpose::Apply, &options).await
    })?;
    let text = match cx.options.format {
        Format::Human => human::plan(&plan, cx.look),
        Format::Json => json::plan(&plan),
        Format::Markdown => markdown::plan(&plan),
    };
    cx.print(&text)?;
    let is_empty = plan.is_empty();
    if let Some(file) = &arguments.out {
        let git = git::commit(&cx.options.file);
        let saved = Saved::new(plan, stack.desired, stack.urls, &options);
        let saved = saved.at_commit(git).sharing(stack.state);
        block_on(saved.write(cx, file))?;
        cx.say(&format!("the plan is kept in {}", file.display()))?;
    }
    Ok(if arguments.detailed_exitcode && !is_empty { Exit::Pending } else { Exit::Done })
}
