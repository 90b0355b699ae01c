//! `ecsctl version`.

use super::context::Context;
use super::options::Format;
use super::{Exit, Failure};

/// This version.
const VERSION: &str = env!("CARGO_PKG_VERSION");

pub(super) fn run(cx: &mut Context) -> Result<Exit, Failure> {
    cx.refuse_markdown("version")?;
    let text = match cx.options.format {
        Format::Json => format!("{{\"format\": 1, \"version\": \"{VERSION}\"}}\n"),
        Format::Human | Format::Markdown => format!("ecsctl {VERSION}\n"),
    };
    cx.print(&text)?;
    Ok(Exit::Done)
}
