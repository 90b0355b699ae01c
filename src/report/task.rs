//! How a task ended that was run by hand, for programs.

use serde::Serialize;

use crate::kind::{End, How, StackId};

#[derive(Serialize)]
struct Document<'a> {
    format: u32,
    stack: &'a StackId,
    task: &'a str,
    end: Option<Told<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Told<'a> {
    result: &'static str,
    exit_code: Option<i32>,
    reason: &'a str,
}

/// One document. There is no end where nobody waited for it.
pub fn json(stack: &StackId, task: &str, end: Option<&End>) -> String {
    let end = end.map(|end| {
        let result = match end.how {
            How::Exited => "exited",
            How::NeverStarted => "never-started",
            How::Stopped => "stopped",
        };
        Told { result, exit_code: end.code, reason: &end.why }
    });
    let document = Document { format: 1, stack, task, end };
    let text = serde_json::to_string_pretty(&document).expect("texts and numbers are JSON");
    format!("{text}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_reads_how_it_ended() {
        let stack = StackId { stack: "shop".into(), env: "dev".into(), region: "eu-west-1".into() };
        let end = End { how: How::Exited, code: Some(3), why: "because".into() };
        insta::assert_snapshot!(json(&stack, "arn:…:task/shop-dev-main/0a", Some(&end)), @r#"
        {
          "format": 1,
          "stack": {
            "stack": "shop",
            "env": "dev",
            "region": "eu-west-1"
          },
          "task": "arn:…:task/shop-dev-main/0a",
          "end": {
            "result": "exited",
            "exit-code": 3,
            "reason": "because"
          }
        }
        "#);
        assert!(json(&stack, "arn", None).contains("\"end\": null"));
    }
}
