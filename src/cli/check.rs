//! `ecsctl check`: the spec and all it stands for, without the network.

use super::context::Context;
use super::options::Format;
use super::stack::load;
use super::{Exit, Failure};
use crate::report::json;

pub(super) fn run(cx: &mut Context) -> Result<Exit, Failure> {
    cx.refuse_markdown("check")?;
    let stack = load(cx)?;
    let (id, count) = (&stack.desired.stack, stack.desired.resources.len());
    let noun = if count == 1 { "resource" } else { "resources" };
    let text = match cx.options.format {
        Format::Json => json::diagnostics(&stack.warnings, &stack.sources),
        Format::Human | Format::Markdown => {
            format!("{}/{} is in order: it declares {count} {noun}\n", id.stack, id.env)
        }
    };
    cx.print(&text)?;
    Ok(Exit::Done)
}
