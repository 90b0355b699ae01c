//! The plan for people: one entry a resource, its edits below it, the counts at the end.

use super::edits::Shown;
use super::entries::{Entry, entries};
use super::{Look, Tone, words};
use crate::kind::StackId;
use crate::plan::{Action, Plan, Purpose, Step};
use crate::value::Value;

/// The whole plan.
pub fn plan(plan: &Plan, look: Look) -> String {
    let mut text = format!("{}\n", header(plan, look));
    let entries = entries(plan, look);
    if !entries.is_empty() {
        text.push('\n');
    }
    let verb = entries.iter().map(|entry| entry.verb.len()).max().unwrap_or(0);
    let widest = entries.iter().map(|entry| words::address(entry.address).len());
    let name = widest.max().unwrap_or(0).min(40);
    for entry in &entries {
        push_entry(&mut text, entry, verb, name, look);
    }
    format!("{text}\n{}\n{}", last_line(plan), prices(plan))
}

/// What surprises people on their bill. Prices: us-east-1, by the hour, without traffic.
fn prices(plan: &Plan) -> String {
    let new = |kind: &'static str| {
        let steps = plan.steps.iter().filter(move |step| step.address.kind == kind);
        steps.filter(|step| matches!(step.action, Action::Create { replaces: None }))
    };
    let gateways = match new("nat-gateway").count() {
        0 => String::new(),
        count => format!(
            "note: {}, about {} USD a month; `network.mode = 'public'` needs none\n",
            words::count(count, "NAT gateway"),
            33 * count,
        ),
    };
    let zones = |step: &Step| match step.spec.get("subnets") {
        Some(Value::List(subnets)) => subnets.len(),
        _ => 0,
    };
    let addresses: Vec<usize> = new("vpc-endpoint").map(zones).filter(|zones| *zones > 0).collect();
    let endpoints = match addresses.iter().max() {
        None => String::new(),
        Some(zones) => format!(
            "note: {} in {}, about {} USD a month; a NAT gateway is about 33\n",
            words::count(addresses.len(), "interface endpoint"),
            words::count(*zones, "zone"),
            // 7.30 a month each.
            addresses.iter().sum::<usize>() * 73 / 10,
        ),
    };
    gateways + &endpoints
}

/// `scorekeep/prod  us-east-1  123456789012`.
fn header(plan: &Plan, look: Look) -> String {
    let StackId { stack, env, region } = &plan.stack;
    let name = look.paint(Tone::Heading, &format!("{stack}/{env}"));
    let mut header = format!("{name}  {region}  {}", plan.account);
    if plan.purpose == Purpose::Destroy && !plan.is_empty() {
        header.push_str(&look.paint(Tone::Delete, "  everything is destroyed"));
    }
    header
}

/// `2 to create, 1 to change, 0 to replace, 0 to destroy.`
pub fn last_line(plan: &Plan) -> String {
    let same = words::count(plan.unchanged, "resource");
    if plan.is_empty() {
        return match plan.purpose {
            Purpose::Apply => format!("Nothing to do: live AWS is as declared ({same})."),
            Purpose::Destroy => {
                let StackId { stack, env, region } = &plan.stack;
                let at = format!("account {} in {region}", plan.account);
                format!("Nothing to do: there is no stack `{stack}/{env}` in {at}.")
            }
        };
    }
    let counts = plan.counts();
    let mut parts = vec![
        format!("{} to create", counts.create),
        format!("{} to change", counts.update),
        format!("{} to replace", counts.replace),
        format!("{} to destroy", counts.delete),
    ];
    let rare = [(counts.adopt, "to take over"), (counts.settle, "to wait for")];
    let rare = rare.into_iter().filter(|(count, _)| *count > 0);
    parts.extend(rare.map(|(count, what)| format!("{count} {what}")));
    let rest = match (plan.unchanged, plan.purpose) {
        (0, _) | (_, Purpose::Destroy) => String::new(),
        (1, Purpose::Apply) => " 1 other is as declared.".to_owned(),
        (count, Purpose::Apply) => format!(" {count} others are as declared."),
    };
    format!("{}.{rest}", parts.join(", "))
}

fn push_entry(text: &mut String, entry: &Entry<'_>, verb: usize, name: usize, look: Look) {
    let mark = format!("{} {}", entry.symbol, words::padded(entry.verb, verb));
    let facts = if entry.facts.is_empty() { String::new() } else { format!("  {}", entry.facts) };
    let of = words::address(entry.address);
    // The last column needs no filling up.
    let of = if facts.is_empty() { of } else { words::padded(&of, name) };
    let line = [look.paint(entry.tone, &mark), look.paint(Tone::Address, &of)].join(" ");
    text.push_str(&format!("{line}{facts}\n"));
    let label = entry.edits.iter().map(|edit| edit.label.len()).max().unwrap_or(0).min(40);
    for Shown { label: field, beside, below } in &entry.edits {
        match beside.as_str() {
            "" => text.push_str(&format!("    {field}\n")),
            _ => text.push_str(&format!("    {}  {beside}\n", words::padded(field, label))),
        }
        for line in below {
            text.push_str(&format!("      {line}\n"));
        }
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::report::{Detail, sample};

    #[test]
    fn a_change_shows_what_rolls_and_what_forces_a_replacement() {
        assert_snapshot!(plan(&sample::change(), Look::PLAIN), @r#"
        shop/prod  eu-west-1  123456789012

        ~ change    task definition web
            containers.web.environment  + LEVEL = "info"
            containers.web.image        httpd:2.4 → httpd:2.5
        ~ change    service web          rolls :41 → a new revision
            task-definition  …task-definition/shop-prod-web:41 → (known after task-definition.web is updated)
        ± replace   target group web     a change of port forces it
            port  80 → 8080  (forces the replacement)
        ~ change    role web
            policies.notify
                  "Statement": [
                    {
              -       "Action": "sns:Publish",
              +       "Action": "sqs:SendMessage",
                      "Effect": "Allow"
                    }
            tags             + team = "games"
            tags             - squad
        - destroy   log group old        …log-group:old  no longer declared  with all its logs
        > take over log group web        not ours so far: …log-group:test-log
        … wait      NAT gateway main     pending

        0 to create, 3 to change, 1 to replace, 1 to destroy, 1 to take over, 1 to wait for. 23 others are as declared.
        "#);
    }

    #[test]
    fn a_first_rollout_that_failed_is_taken_up_from_nothing() {
        let mut failed = sample::change();
        failed.steps.drain(2..);
        failed.steps.remove(0);
        failed.steps[0].edits[0].old = Some(sample::value(serde_json::json!("")));
        assert_snapshot!(plan(&failed, Look::PLAIN), @"
        shop/prod  eu-west-1  123456789012

        ~ change service web  rolls out a new revision: nothing serves yet
            task-definition  nothing → (known after task-definition.web is known)

        0 to create, 1 to change, 0 to replace, 0 to destroy. 23 others are as declared.
        ");
    }

    #[test]
    fn creates_take_a_line_each() {
        assert_snapshot!(plan(&sample::creation(), Look::PLAIN), @"
        shop/prod  eu-west-1  123456789012

        + create VPC main             10.0.0.0/16
        + create subnet public-a      10.0.0.0/20  eu-west-1a
        + create subnet public-b      10.0.16.0/20  eu-west-1b
        + create cluster main         shop-prod-main
        + create task definition web  cpu 256  memory 512  httpd:2.4, xray:3
        + create service web          desired count 2

        6 to create, 0 to change, 0 to replace, 0 to destroy.
        ");
    }

    #[test]
    fn in_full_every_field_is_told() {
        let full = Look { detail: Detail::Full, ..Look::PLAIN };
        assert_snapshot!(plan(&sample::creation(), full), @r#"
        shop/prod  eu-west-1  123456789012

        + create VPC main             10.0.0.0/16
            cidr  10.0.0.0/16
        + create subnet public-a      10.0.0.0/20  eu-west-1a
            availability-zone  eu-west-1a
            cidr-block         10.0.0.0/20
            vpc                (known after vpc.main is created)
        + create subnet public-b      10.0.16.0/20  eu-west-1b
            availability-zone  eu-west-1b
            cidr-block         10.0.16.0/20
            vpc                (known after vpc.main is created)
        + create cluster main         shop-prod-main
            name  shop-prod-main
        + create task definition web  cpu 256  memory 512  httpd:2.4, xray:3
            containers
              {
                "web": {
                  "image": "httpd:2.4"
                },
                "xray": {
                  "image": "xray:3"
                }
              }
            cpu         256
            memory      512
        + create service web          desired count 2
            desired-count    2
            task-definition  (known after task-definition.web is created)

        6 to create, 0 to change, 0 to replace, 0 to destroy.
        "#);
    }

    #[test]
    fn an_empty_plan_says_so() {
        assert_snapshot!(plan(&sample::nothing(), Look::PLAIN), @"
        shop/prod  eu-west-1  123456789012

        Nothing to do: live AWS is as declared (30 resources).
        ");
    }

    #[test]
    fn destroying_says_so() {
        assert_snapshot!(plan(&sample::destruction(), Look::PLAIN), @"
        shop/prod  eu-west-1  123456789012  everything is destroyed

        - destroy subnet public-a  subnet-1
        - destroy VPC main         vpc-1

        0 to create, 0 to change, 0 to replace, 2 to destroy.
        ");
    }
}
