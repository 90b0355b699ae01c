//! `ecsctl apply`: from the spec, or from a plan that was kept.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use super::carry::{Consent, carry_out};
use super::context::Context;
use super::git;
use super::locked::{Wish, locked};
use super::options::duration;
use super::saved::Saved;
use super::stack::load;
use super::world::{Door, block_on, look, look_at};
use super::{Exit, Failure};
use crate::address::Address;
use crate::diag::Diagnostic;
use crate::plan::{Options, Purpose};
use crate::spec::Sources;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A plan that `plan --out` has kept; applied if the same would be planned now
    #[arg(value_name = "PLANFILE")]
    pub(super) plan: Option<PathBuf>,
    /// Does not ask
    #[arg(short, long)]
    pub(super) yes: bool,
    /// Waits so long for another run that holds the lock: 90s, 5m, 1h
    #[arg(long, value_name = "TIME", default_value = "0s", hide_default_value = true, value_parser = duration)]
    pub(super) lock_timeout: Duration,
    /// Takes over what has the name already and is nobody's; may be repeated
    #[arg(long, value_name = "ADDRESS", conflicts_with = "plan")]
    pub(super) adopt: Vec<Address>,
}

pub(super) fn run(cx: &mut Context, arguments: &Arguments) -> Result<Exit, Failure> {
    cx.refuse_markdown("apply")?;
    match &arguments.plan {
        Some(file) => saved(cx, file, arguments),
        None => from_spec(cx, arguments),
    }
}

fn from_spec(cx: &mut Context, arguments: &Arguments) -> Result<Exit, Failure> {
    let consent = arguments.consent();
    let options = Options { adopt: BTreeSet::from_iter(arguments.adopt.clone()) };
    let mut stack = load(cx)?;
    stack.require_declared(&arguments.adopt)?;
    let wish = arguments.wish();
    block_on(async {
        let door = Door::open(cx, &mut stack.desired.stack).await?;
        let (id, state) = (stack.desired.stack.clone(), stack.state.clone());
        locked(cx, &door, &id, &state, wish, async |cx, keep| {
            let looked = look_at(&door, &mut stack, Purpose::Apply, &options).await?;
            carry_out(cx, &door, keep, &looked, &stack.urls, consent).await
        })
        .await
    })
}

impl Arguments {
    fn wish(&self) -> Wish {
        Wish { purpose: Purpose::Apply, patience: self.lock_timeout }
    }

    fn consent(&self) -> Consent {
        if self.yes { Consent::Given } else { Consent::Needed }
    }
}

fn saved(cx: &mut Context, file: &Path, arguments: &Arguments) -> Result<Exit, Failure> {
    refuse_spec_options(cx)?;
    let (consent, wish) = (arguments.consent(), arguments.wish());
    block_on(async {
        let mut saved = Saved::read(cx, file).await?;
        saved.require_commit(git::commit(&cx.options.file).as_deref())?;
        let door = Door::open(cx, &mut saved.desired.stack).await?;
        let (id, state) = (saved.desired.stack.clone(), saved.state.clone());
        locked(cx, &door, &id, &state, wish, async |cx, keep| {
            let (options, sources) = (saved.options(), Box::<Sources>::default());
            let purpose = saved.plan.purpose;
            let looked = look(&door, &mut saved.desired, None, purpose, &options, sources).await?;
            saved.require_same(&looked.plan)?;
            carry_out(cx, &door, keep, &looked, &saved.urls, consent).await
        })
        .await
    })
}

/// Fails if an option speaks of the spec: the plan was made without it, and whoever gives it expects
/// to get it.
fn refuse_spec_options(cx: &Context) -> Result<(), Failure> {
    let options = &cx.options;
    let given = [
        ("--env", options.env.is_some()),
        ("--set", !options.set.is_empty()),
        ("--var", !options.var.is_empty()),
    ];
    let Some((option, _)) = given.into_iter().find(|(_, is_given)| *is_given) else {
        return Ok(());
    };
    let title = format!("`{option}` cannot be used with a plan file: the plan says it already");
    let hint =
        format!("leave `{option}` out, or plan again with it: `ecsctl plan {option} … --out FILE`");
    Err(Failure::told(Exit::Usage, Diagnostic::error("E0411", title).hint(hint)))
}
