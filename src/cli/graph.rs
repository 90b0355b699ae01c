//! `ecsctl graph`.

use clap::{Args, ValueEnum};

use super::context::Context;
use super::options::Format;
use super::stack::load;
use super::{Exit, Failure};
use crate::report::json;
use crate::report::picture::Picture;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Language {
    // Each resource, and what it needs.
    Text,
    // A flowchart that code hosts draw.
    Mermaid,
    // For Graphviz.
    Dot,
}

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// How it is drawn
    #[arg(long = "as", value_enum, default_value = "text")]
    language: Language,
}

pub(super) fn run(cx: &mut Context, arguments: &Arguments) -> Result<Exit, Failure> {
    cx.refuse_markdown("graph")?;
    let stack = load(cx)?;
    let picture = Picture {
        nodes: stack.graph.order().to_vec(),
        edges: stack.graph.edges().map(|(from, to)| (from.clone(), to.clone())).collect(),
    };
    let text = match (cx.options.format, arguments.language) {
        (Format::Json, _) => json::graph(&stack.desired.stack, &picture),
        (Format::Human | Format::Markdown, Language::Text) => picture.text(),
        (Format::Human | Format::Markdown, Language::Mermaid) => picture.mermaid(),
        (Format::Human | Format::Markdown, Language::Dot) => picture.dot(),
    };
    cx.print(&text)?;
    Ok(Exit::Done)
}
