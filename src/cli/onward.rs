//! `ecsctl continue`: the word that a paused rollout waits for.

use clap::Args;

use super::carry::{Consent, consent};
use super::context::Context;
use super::options::Format;
use super::stack::load;
use super::world::{Door, block_on};
use super::{Exit, Failure};
use crate::address::Address;
use crate::diag::Diagnostic;
use crate::kind::{Onward, Pause};
use crate::nearest::nearest;
use crate::report::onward::json;
use crate::report::summary::listed;
use crate::snapshot::{Snapshot, observe};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The service: NAME of a table `[service.NAME]`
    #[arg(value_name = "SERVICE")]
    service: String,
    /// Puts the earlier version back
    #[arg(long)]
    rollback: bool,
    /// Does not ask
    #[arg(short, long)]
    yes: bool,
}

pub(super) fn run(cx: &mut Context, arguments: &Arguments) -> Result<Exit, Failure> {
    cx.refuse_markdown("continue")?;
    let mut stack = load(cx)?;
    let onward = if arguments.rollback { Onward::RollBack } else { Onward::Continue };
    let given = if arguments.yes { Consent::Given } else { Consent::Needed };
    block_on(async {
        let door = Door::open(cx, &mut stack.desired.stack).await?;
        // The lock is not taken: the run that waits holds it.
        let snapshot = observe(door.cloud(), &stack.desired).await?;
        door.keep_cache();
        let service = service(&snapshot, &stack.desired.stack, &arguments.service)?;
        let Some(pause) = door.pauses().pause(&service).await? else {
            let title = format!("no rollout of `{}` waits for anybody", arguments.service);
            let hint = "see how it stands: `ecsctl status`";
            let found = Diagnostic::error("E0359", title).hint(hint);
            return Err(Failure::told(Exit::Refused, found));
        };
        let Pause { stage, requested, until, .. } = &pause;
        let name = &arguments.service;
        let until = until.as_ref().map(|until| format!(" until {until}")).unwrap_or_default();
        cx.say(&format!("service {name}: {requested} waits at {stage}{until}"))?;
        let (question, nobody) = match onward {
            Onward::Continue => ("Let it go on?", "nothing goes on without a yes"),
            Onward::RollBack => {
                ("Put the earlier version back?", "nothing goes back without a yes")
            }
        };
        consent(cx, question, nobody, given).await?;
        door.pauses().end(&service, &pause, onward).await?;
        match (cx.options.format, onward) {
            (Format::Json, _) => cx.print(&json(&stack.desired.stack, name, &pause, onward))?,
            (_, Onward::Continue) => cx.print(&format!("service {name}: {requested} goes on\n"))?,
            (_, Onward::RollBack) => {
                cx.print(&format!("service {name}: {requested} goes back\n"))?;
            }
        }
        Ok(Exit::Done)
    })
}

/// The ARN of the service with this name.
fn service(
    snapshot: &Snapshot,
    stack: &crate::kind::StackId,
    name: &str,
) -> Result<String, Failure> {
    let ours = || snapshot.ours(stack).filter(|live| live.kind == "service");
    let address = Address::new("service", name);
    if let Some(live) = ours().find(|live| live.address.as_ref() == Some(&address)) {
        return Ok(live.id.clone());
    }
    let known: Vec<String> =
        ours().filter_map(|live| Some(live.address.as_ref()?.name.clone())).collect();
    let hint = match (nearest(name, known.iter().map(String::as_str)), known.as_slice()) {
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, []) => "apply the stack first: `ecsctl apply`".to_owned(),
        (None, known) => format!("choose one that there is: {}", listed(known, 8)),
    };
    let title = format!("there is no service `{name}` in this stack");
    Err(Failure::told(Exit::Usage, Diagnostic::error("E0359", title).hint(hint)))
}
