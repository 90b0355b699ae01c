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
    let Some(code) = &arguments.code else {
        cx.print(&explain::list())?;
        return Ok(Exit::Done);
    };
    // The number alone is enough.
    let full = match code.parse::<u32>() {
        Ok(number) => format!("E{number:04}"),
        Err(_) => code.to_uppercase(),
    };
    match explain::page(&full) {
        Some(page) => {
            cx.print(page)?;
            Ok(Exit::Done)
        }
        None => Err(Failure::Usage(format!(
            "there is no error `{code}`; `ecsctl explain` lists those that there are"
        ))),
    }
}
