//! `ecsctl destroy`: everything with the stack's tags, whatever the spec says by now.

use clap::Args;

use super::carry::{Consent, carry_out, lock};
use super::context::Context;
use super::stack::{Urls, identify, named};
use super::world::{Door, block_on, look};
use super::{Exit, Failure};
use crate::desired::Desired;
use crate::plan::{Options, Purpose, protected};
use crate::spec::Sources;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The stack, when there is no spec; with --env unless that is `default`
    #[arg(long, value_name = "NAME")]
    pub(super) stack: Option<String>,
    /// Does not ask
    #[arg(short, long)]
    pub(super) yes: bool,
}

pub(super) fn run(cx: &mut Context, arguments: &Arguments) -> Result<Exit, Failure> {
    cx.refuse_markdown("destroy")?;
    let consent = if arguments.yes { Consent::Given } else { Consent::Needed };
    let (mut id, sources) = match &arguments.stack {
        Some(stack) => (named(cx, stack)?, Box::<Sources>::default()),
        None => {
            let spec = identify(cx)?;
            if spec.protect {
                return Err(Failure::told(Exit::Refused, protected(&spec.id)));
            }
            (spec.id, Box::new(spec.sources))
        }
    };
    block_on(async {
        let door = Door::open(cx, &mut id).await?;
        let _lock = lock(cx, &id, Purpose::Destroy)?;
        let mut nothing = Desired::nothing(id);
        let options = Options::default();
        let looked = look(&door, &mut nothing, None, Purpose::Destroy, &options, sources).await?;
        let exit = carry_out(cx, &door, &looked, &Urls::default(), consent).await?;
        if looked.plan.is_empty() && arguments.stack.is_some() {
            door.say_what_else(cx, &nothing.stack).await?;
        }
        Ok(exit)
    })
}
