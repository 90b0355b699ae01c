//! How a task ended that was run by hand, for programs.

use serde_json::json;

use crate::kind::{End, How, StackId};

/// One document. There is no end where nobody waited for it.
pub fn json(stack: &StackId, task: &str, end: Option<&End>) -> String {
    let end = end.map(|end| {
        let result = match end.how {
            How::Exited => "exited",
            How::NeverStarted => "never-started",
            How::Stopped => "stopped",
        };
        json!({ "result": result, "exit-code": end.code, "reason": end.why })
    });
    let document = json!({ "format": 1, "stack": stack, "task": task, "end": end });
    format!("{document:#}\n")
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
          "end": {
            "exit-code": 3,
            "reason": "because",
            "result": "exited"
          },
          "format": 1,
          "stack": {
            "env": "dev",
            "region": "eu-west-1",
            "stack": "shop"
          },
          "task": "arn:…:task/shop-dev-main/0a"
        }
        "#);
        assert!(json(&stack, "arn", None).contains("\"end\": null"));
    }
}
