//! `ecsctl man`: the manual page, with a section a command.

use super::context::Context;
use super::{Exit, Failure};

pub(super) fn run(cx: &mut Context) -> Result<Exit, Failure> {
    let mut page = Vec::new();
    let definition = super::definition();
    clap_mangen::Man::new(definition.clone()).render(&mut page)?;
    for command in definition.get_subcommands().filter(|command| !command.is_hide_set()) {
        let name = format!("ecsctl {}", command.get_name());
        let command = command.clone().bin_name(&name).display_name(&name);
        let page_of = clap_mangen::Man::new(command);
        page.extend(format!(".SH \"{}\"\n", name.to_uppercase()).bytes());
        page_of.render_synopsis_section(&mut page)?;
        page_of.render_description_section(&mut page)?;
        page_of.render_options_section(&mut page)?;
    }
    cx.print(&String::from_utf8_lossy(&page))?;
    Ok(Exit::Done)
}
