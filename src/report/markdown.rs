//! The plan as Markdown, for a comment on a change request: the counts in sight, the rest folded.

use super::entries::entries;
use super::human::last_line;
use super::{Look, words};
use crate::plan::Plan;

/// The plan.
pub fn plan(plan: &Plan) -> String {
    let stack = &plan.stack;
    let title = format!("### `{}/{}` in {}", stack.stack, stack.env, stack.region);
    let mut text = format!("{title} ({})\n\n**{}**\n", plan.account, last_line(plan));
    if plan.is_empty() {
        return text;
    }
    text.push_str("\n<details><summary>The plan</summary>\n\n");
    let mut body = String::new();
    for entry in entries(plan, Look::PLAIN) {
        // In a diff fence `+` is green, `-` red and `!` orange; nothing else has a colour.
        let sign = match entry.symbol {
            sign @ ("+" | "-") => sign,
            _ => "!",
        };
        let line =
            format!("{sign} {} {}  {}", entry.verb, words::address(entry.address), entry.facts);
        body.push_str(&format!("{}\n", line.trim_end()));
        for edit in &entry.edits {
            body.push_str(format!("    {}  {}", edit.label, edit.beside).trim_end());
            body.push('\n');
            for line in &edit.below {
                // Diff colours need the sign in the first column.
                let (sign, rest) = line.split_at(line.chars().next().map_or(0, char::len_utf8));
                body.push_str(&format!("{sign}     {rest}\n"));
            }
        }
    }
    let fence = fence(&body);
    text.push_str(&format!("{fence}diff\n{body}{fence}\n\n</details>\n"));
    text
}

/// A fence that is longer than any within `body`.
fn fence(body: &str) -> String {
    let mut fence = "```".to_owned();
    while body.contains(&fence) {
        fence.push('`');
    }
    fence
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::report::sample;

    #[test]
    fn the_counts_are_in_sight_and_the_rest_is_folded() {
        assert_snapshot!(plan(&sample::change()), @r#"
        ### `shop/prod` in eu-west-1 (123456789012)

        **0 to create, 3 to change, 1 to replace, 1 to destroy, 1 to take over, 1 to wait for. 23 others are as declared.**

        <details><summary>The plan</summary>

        ```diff
        ! change task definition web
            containers.web.environment  + LEVEL = "info"
            containers.web.image  httpd:2.4 → httpd:2.5
        ! change service web  rolls :41 → a new revision
            task-definition  …task-definition/shop-prod-web:41 → (known after task-definition.web is updated)
        ! replace target group web  a change of port forces it
            port  80 → 8080  (forces the replacement)
        ! change role web
            policies.notify
                 "Statement": [
                   {
        -            "Action": "sns:Publish",
        +            "Action": "sqs:SendMessage",
                     "Effect": "Allow"
                   }
            tags  + team = "games"
            tags  - squad
        - destroy log group old  …log-group:old  no longer declared  with all its logs
        ! take over log group web  not ours so far: …log-group:test-log
        ! wait NAT gateway main  pending
        ```

        </details>
        "#);
    }

    #[test]
    fn an_empty_plan_has_nothing_to_fold() {
        assert_snapshot!(plan(&sample::nothing()), @"
        ### `shop/prod` in eu-west-1 (123456789012)

        **Nothing to do: live AWS is as declared (30 resources).**
        ");
    }

    #[test]
    fn a_fence_in_the_plan_does_not_end_it() {
        assert_eq!(fence("a ``` b"), "````");
    }
}
