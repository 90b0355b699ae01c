//! `ecsctl explain CODE`.

use clap::Args;

use super::context::Context;
use super::{Exit, Failure};
use crate::report::explain;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The code, such as E0107; without one, all codes are listed
    code: Option<String>,
}

pub(super) fn run(cx: &mut Context, arguments: &Arguments) -> Result<Exit, Failure> {
    cx.refuse_markdown("explain")?;
    let Some(code) = &arguments.code else {
        cx.print(&explain::list())?;
        return Ok(Exit::Done);
    };
    // The number alone is enough.
    let number = code.trim_start_matches(['E', 'e']).parse::<u32>();
    let full = number.as_ref().map_or_else(|_| code.to_uppercase(), |it| format!("E{it:04}"));
    if let Some(page) = explain::page(&full) {
        cx.print(page)?;
        return Ok(Exit::Done);
    }
    let near = match number.map(explain::around) {
        Ok(near) => format!("did you mean {}?", near.join(" or ")),
        Err(_) => "`ecsctl explain` lists those that there are".to_owned(),
    };
    Err(Failure::Usage(format!("there is no error `{code}`; {near}")))
}
