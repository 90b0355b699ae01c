//! What became of a pause, for programs.

use serde::Serialize;

use crate::kind::{Onward, Pause, StackId};

#[derive(Serialize)]
struct Document<'a> {
    format: u32,
    stack: &'a StackId,
    service: &'a str,
    pause: &'a Pause,
    onward: &'static str,
}

/// One document.
pub fn json(stack: &StackId, service: &str, pause: &Pause, onward: Onward) -> String {
    let onward = match onward {
        Onward::Continue => "continue",
        Onward::RollBack => "rollback",
    };
    let document = Document { format: 1, stack, service, pause, onward };
    let text = serde_json::to_string_pretty(&document).expect("texts are JSON");
    format!("{text}\n")
}
