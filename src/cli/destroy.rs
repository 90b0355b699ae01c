//! `ecsctl destroy`: everything with the stack's tags, whatever the spec says by now.

use std::time::Duration;

use clap::Args;

use super::carry::{Consent, carry_out};
use super::context::Context;
use super::locked::{Wish, locked, place};
use super::options::duration;
use super::stack::{Urls, identify, named};
use super::world::{Door, Looked, block_on, look};
use super::{Exit, Failure};
use crate::desired::Desired;
use crate::diag::Diagnostic;
use crate::kind::TAG_STORE;
use crate::plan::{Options, Purpose, protected};
use crate::spec::{Sources, State};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The stack, when there is no spec; with --env unless that is `default`
    #[arg(long, value_name = "NAME")]
    pub(super) stack: Option<String>,
    /// Does not ask
    #[arg(short, long)]
    pub(super) yes: bool,
    /// Waits so long for another run that holds the lock: 90s, 5m, 1h
    #[arg(long, value_name = "TIME", default_value = "0s", hide_default_value = true, value_parser = duration)]
    pub(super) lock_timeout: Duration,
}

pub(super) fn run(cx: &mut Context, arguments: &Arguments) -> Result<Exit, Failure> {
    cx.refuse_markdown("destroy")?;
    let consent = if arguments.yes { Consent::Given } else { Consent::Needed };
    let (mut id, state, sources) = match &arguments.stack {
        Some(stack) => (named(cx, stack)?, State::default(), Box::<Sources>::default()),
        None => {
            let spec = identify(cx)?;
            if spec.protect {
                return Err(Failure::told(Exit::Refused, protected(&spec.id)));
            }
            (spec.id, spec.state, Box::new(spec.sources))
        }
    };
    let wish = Wish { purpose: Purpose::Destroy, patience: arguments.lock_timeout };
    block_on(async {
        let door = Door::open(cx, &mut id).await?;
        let mut nothing = Desired::nothing(id.clone());
        locked(cx, &door, &id, &state, wish, async |cx, keep| {
            let options = Options::default();
            let looked = look(&door, &mut nothing, None, wish.purpose, &options, sources).await?;
            require_store(cx, &state, &looked)?;
            let exit = carry_out(cx, &door, keep, &looked, &Urls::default(), consent).await?;
            if looked.plan.is_empty() && arguments.stack.is_some() {
                door.say_what_else(cx, &nothing.stack).await?;
            }
            Ok(exit)
        })
        .await
    })
}

/// Fails if the stack's lock lies elsewhere than the one that is held: without a spec nobody says where.
fn require_store(cx: &Context, state: &State, looked: &Looked) -> Result<(), Failure> {
    let mut ours = looked.snapshot.ours(&looked.plan.stack);
    let told = ours.find_map(|live| live.tags.get(TAG_STORE));
    let Some(store) = told.filter(|store| place(cx, state).as_ref() != Some(store)) else {
        return Ok(());
    };
    let title = format!("the lock of this stack lies in `{store}`");
    let hint = format!("add `--store {store}`, so that nobody else changes it meanwhile");
    Err(Failure::told(Exit::Refused, Diagnostic::error("E0413", title).hint(hint)))
}
