//! The plan for people: one entry a resource, its edits below it, the counts at the end.

use std::collections::BTreeMap;

use super::edits::{self, Shown, Unknowns};
use super::{Detail, Look, Tone, telling, words};
use crate::address::Address;
use crate::kind::{StackId, TagChange};
use crate::plan::{Action, Because, Edit, Plan, Purpose, Step};
use crate::value::Value;

/// What a plan does to one resource.
pub(super) struct Entry<'a> {
    /// `+`, `~`, `±`, `-`, `>` or `…`.
    pub(super) symbol: &'static str,
    /// What the symbol means, in a word.
    pub(super) verb: &'static str,
    /// How both look.
    pub(super) tone: Tone,
    /// The resource.
    pub(super) address: &'a Address,
    /// What tells a reader what it is, or why it happens.
    pub(super) facts: String,
    /// What changes.
    pub(super) edits: Vec<Shown>,
}

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
    format!("{text}\n{}\n{}", last_line(plan), price_of_nat(plan))
}

/// What surprises people on their bill. Price: us-east-1, by the hour, without traffic.
fn price_of_nat(plan: &Plan) -> String {
    let is_new = |step: &&Step| {
        step.address.kind == "nat-gateway"
            && matches!(step.action, Action::Create { replaces: None })
    };
    match plan.steps.iter().filter(is_new).count() {
        0 => String::new(),
        count => format!(
            "note: {}, about {} USD a month; `network.mode = 'public'` needs none\n",
            words::count(count, "NAT gateway"),
            33 * count,
        ),
    }
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

/// The entries: by kind in the order in which the plan meets the kinds, then by name.
pub(super) fn entries<'a>(plan: &'a Plan, look: Look) -> Vec<Entry<'a>> {
    let mut kinds: Vec<&str> = Vec::new();
    for step in &plan.steps {
        if !kinds.contains(&step.address.kind.as_str()) {
            kinds.push(&step.address.kind);
        }
    }
    let unknowns = Unknowns::of(plan);
    let mut by_address: BTreeMap<&Address, Vec<&Step>> = BTreeMap::new();
    for step in &plan.steps {
        by_address.entry(&step.address).or_default().push(step);
    }
    let mut entries: Vec<Entry<'a>> =
        by_address.values().flat_map(|steps| of_resource(steps, &unknowns, look)).collect();
    entries.sort_by_key(|entry| kinds.iter().position(|kind| *kind == entry.address.kind));
    entries
}

/// A resource has one step; a replaced one has two or more, of which the create speaks for all.
fn of_resource<'a>(steps: &[&'a Step], unknowns: &Unknowns<'_>, look: Look) -> Vec<Entry<'a>> {
    let replaced_because = steps.iter().find_map(|step| match &step.action {
        Action::Delete { because, .. } => Some(*because),
        Action::Create { .. } | Action::Update { .. } | Action::Settle { .. } => None,
    });
    let told = steps.iter().filter(|step| {
        !matches!(&step.action, Action::Delete { because: Because::Replaced, .. })
            || steps.len() == 1
    });
    told.map(|step| of_step(step, replaced_because, unknowns, look)).collect()
}

fn of_step<'a>(
    step: &'a Step,
    replaced_because: Option<Because>,
    unknowns: &Unknowns<'_>,
    look: Look,
) -> Entry<'a> {
    let kind = step.address.kind.as_str();
    let facts = || telling::facts(kind, &step.spec, unknowns, look);
    let entry = |symbol, verb, tone, facts| Entry {
        symbol,
        verb,
        tone,
        address: &step.address,
        facts,
        edits: edits_of(step, unknowns, look),
    };
    match &step.action {
        Action::Create { replaces: None } => entry("+", "create", Tone::Create, facts()),
        Action::Create { replaces: Some(_) } => {
            let why = why_replaced(step, replaced_because);
            entry("±", "replace", Tone::Replace, look.paint(Tone::Replace, &why))
        }
        Action::Update { adopts: true, id, .. } => {
            let facts = format!("not ours so far: {}", words::shortened(id, look));
            entry(">", "take over", Tone::Settle, facts)
        }
        Action::Update { .. } => {
            entry("~", "change", Tone::Update, rolls(step).unwrap_or_default())
        }
        Action::Delete { id, because, .. } => {
            let facts = format!("{}{}", words::shortened(id, look), why_deleted(*because));
            entry("-", "destroy", Tone::Delete, facts)
        }
        Action::Settle { why, .. } => entry("…", "wait", Tone::Settle, why.clone()),
    }
}

/// Which change forces a replacement; without one, what is wrong with the old object.
fn why_replaced(step: &Step, because: Option<Because>) -> String {
    let forcing = step.edits.iter().filter(|edit| edit.replaces);
    let fields: Vec<String> = forcing.map(|edit| edit.path.to_string()).collect();
    match (fields.as_slice(), because) {
        ([], Some(Because::Broken)) => "it failed and will not come back".to_owned(),
        ([], _) => "what it is made of is replaced".to_owned(),
        ([one], _) => format!("a change of {one} forces it"),
        (many, _) => format!("changes of {} force it", many.join(", ")),
    }
}

fn why_deleted(because: Because) -> &'static str {
    match because {
        Because::Destroyed | Because::Replaced => "",
        Because::Undeclared => "  no longer declared",
        Because::LeftOver => "  left behind by an interrupted run",
        Because::Broken => "  failed and will not come back",
        Because::Leaving => "  on its way out already: its end is waited for",
    }
}

/// `rolls :41 → :42`, for whatever runs a task definition.
fn rolls(step: &Step) -> Option<String> {
    let edit = step.edits.iter().find(|edit| edit.path.0 == ["task-definition"])?;
    let revision = |value: &Value| {
        let (_, revision) = value.as_text()?.rsplit_once(':')?;
        revision.parse::<u64>().ok()
    };
    let new = match edit.new.as_ref().and_then(revision) {
        Some(new) => format!(":{new}"),
        None => "a new revision".to_owned(),
    };
    match edit.old.as_ref()? {
        old if is_nothing(old) => Some(format!("rolls out {new}: nothing serves yet")),
        old => Some(format!("rolls :{} → {new}", revision(old)?)),
    }
}

/// What a service shows as its revision when its first rollout has failed.
fn is_nothing(value: &Value) -> bool {
    value.as_text() == Some("")
}

fn edits_of(step: &Step, unknowns: &Unknowns<'_>, look: Look) -> Vec<Shown> {
    let mut shown: Vec<Shown> = step
        .edits
        .iter()
        .map(|edit| {
            let mut shown = match &edit.old {
                Some(old) if edit.path.0 == ["task-definition"] && is_nothing(old) => {
                    let edit = Edit { old: Some(Value::Null), ..edit.clone() };
                    edits::show(&edit, unknowns, look)
                }
                _ => edits::show(edit, unknowns, look),
            };
            if edit.replaces {
                shown.beside.push_str(&look.paint(Tone::Replace, "  (forces the replacement)"));
            }
            shown
        })
        .collect();
    match &step.action {
        Action::Update { tags, .. } => shown.extend(tag_edits(tags, look)),
        Action::Create { .. } if look.detail == Detail::Full && step.edits.is_empty() => {
            shown.extend(all_fields(&step.spec, unknowns, look));
        }
        Action::Create { .. } | Action::Delete { .. } | Action::Settle { .. } => {}
    }
    shown
}

fn tag_edits(change: &TagChange, look: Look) -> Vec<Shown> {
    let set = change.set.iter().map(|(key, value)| {
        look.paint(Tone::Added, &format!("+ {key} = {:?}", words::shortened(value, look)))
    });
    let unset = change.unset.iter().map(|key| look.paint(Tone::Removed, &format!("- {key}")));
    let beside = set.chain(unset);
    beside.map(|beside| Shown { label: "tags".to_owned(), beside, below: Vec::new() }).collect()
}

/// Every field of what is created.
fn all_fields(spec: &Value, unknowns: &Unknowns<'_>, look: Look) -> Vec<Shown> {
    let Value::Map(fields) = spec else { return Vec::new() };
    let show = |(name, value): (&String, &Value)| match value {
        Value::Null => None,
        Value::Map(_) | Value::List(_) => {
            let below = edits::pretty(value, unknowns).lines().map(str::to_owned).collect();
            Some(Shown { label: name.clone(), beside: String::new(), below })
        }
        leaf => {
            let beside = edits::inline(leaf, unknowns, look);
            Some(Shown { label: name.clone(), beside, below: Vec::new() })
        }
    };
    fields.iter().filter_map(show).collect()
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::report::sample;

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
        - destroy   log group old        …log-group:old  no longer declared
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
