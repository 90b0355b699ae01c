//! `ecsctl destroy`: everything with the stack's tags, whatever the spec says by now.

use clap::Args;

use super::carry::{Consent, carry_out, lock};
use super::context::Context;
use super::stack::{Urls, load, named};
use super::world::{Door, block_on, look};
use super::{Exit, Failure};
use crate::desired::Desired;
use crate::plan::{Options, Purpose};
use crate::spec::Sources;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The stack, when there is no spec; needs --region, and --env unless it is `default`
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
            let stack = load(cx)?;
            if stack.desired.protect {
                let id = &stack.desired.stack;
                let why = format!("`{}/{}` is protected", id.stack, id.env);
                let hint = "take `protect = true` out of the spec and apply that first".to_owned();
                return Err(Failure::Refused(why, hint));
            }
            (stack.desired.stack, stack.sources)
        }
    };
    let _lock = lock(cx, &id, Purpose::Destroy)?;
    block_on(async {
        let door = Door::open(cx, &mut id).await?;
        let mut nothing = Desired::nothing(id);
        let options = Options::default();
        let looked = look(&door, &mut nothing, None, Purpose::Destroy, &options, sources).await?;
        carry_out(cx, &door, &looked, &Urls::default(), consent).await
    })
}
