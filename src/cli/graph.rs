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

impl Language {
    /// As it is said on the command line.
    fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Mermaid => "mermaid",
            Self::Dot => "dot",
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// How it is drawn [default: text]
    #[arg(long = "as", value_enum)]
    language: Option<Language>,
}

pub(super) fn run(cx: &mut Context, arguments: &Arguments) -> Result<Exit, Failure> {
    cx.refuse_markdown("graph")?;
    let stack = load(cx)?;
    let picture = Picture {
        nodes: stack.graph.order().to_vec(),
        edges: stack.graph.edges().map(|(from, to)| (from.clone(), to.clone())).collect(),
    };
    let text = match (cx.options.format, arguments.language) {
        (Format::Json, Some(language)) => return Err(Failure::two_forms(language.word())),
        (Format::Json, None) => json::graph(&stack.desired.stack, &picture),
        (Format::Human | Format::Markdown, None | Some(Language::Text)) => picture.text(),
        (Format::Human | Format::Markdown, Some(Language::Mermaid)) => picture.mermaid(),
        (Format::Human | Format::Markdown, Some(Language::Dot)) => picture.dot(),
    };
    cx.print(&text)?;
    Ok(Exit::Done)
}
