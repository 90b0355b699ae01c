//! `ecsctl completions`.

use clap::Args;
use clap_complete::Shell;

use super::context::Context;
use super::{Exit, Failure};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The shell
    shell: Shell,
}

pub(super) fn run(cx: &mut Context, arguments: &Arguments) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut super::definition(), "ecsctl", &mut script);
    cx.print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
