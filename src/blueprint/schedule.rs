//! The schedule of a task: when EventBridge Scheduler runs it, and the role with which it does.

use serde_json::{Value as Json, json};

use super::cluster::CLUSTER;
use super::declaration::Declaration;
use super::ground::Ground;
use super::network::Layout;
use super::one_off::Task;
use super::roles;
use super::rollout::interface;
use super::sheet::Sheet;
use crate::address::Path;

/// The group of the stack's schedules.
const GROUP: &str = "main";

/// The group that the stack's schedules lie in. `first` is the first task that has one.
pub(super) fn expand_group(first: &str, sheet: &mut Sheet) {
    sheet.add(Declaration::new("schedule-group", GROUP, &Path::of(["task", first])));
}

/// The schedule of a task, and the role with which EventBridge Scheduler runs it.
pub(super) fn expand(
    name: &str,
    (task, expression): (&Task, &str),
    home: &str,
    ground: &Ground,
    network: &Layout,
    sheet: &mut Sheet,
) {
    let section = Path::of(["task", name]);
    let role = Declaration::new("role", format!("{name}-schedule"), &section)
        .with("description", format!("runs the task {name} by its schedule"))
        .with("trust", trust())
        .with("inline", json!({ "run": roles::policy(rights(name, home)) }));
    let on = match ground.shares() {
        Some(shares) => ("capacity-provider-strategy", shares.clone()),
        None => ("launch-type", "FARGATE".into()),
    };
    let mut schedule = Declaration::new("schedule", name, &section)
        .with("group", format!("${{schedule-group.{GROUP}.name}}"))
        .from("expression", expression, section.join("schedule"))
        .maybe("timezone", task.timezone.as_deref(), section.join("timezone"))
        .with("cluster", CLUSTER)
        .with("role-arn", role.output("arn"))
        .with("task-definition", format!("${{task-definition.{name}.arn}}"))
        .with(on.0, on.1)
        .with("propagate-tags", "TASK_DEFINITION")
        .maybe("maximum-retry-attempts", task.retry, section.join("retry"));
    if let Some(interface) = interface(home, ground, network) {
        schedule = schedule.with("network", interface);
    }
    sheet.add(role);
    sheet.add(schedule);
}

/// EventBridge Scheduler may take the role for the stack's schedules, and for nobody else's.
fn trust() -> Json {
    json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": { "Service": "scheduler.amazonaws.com" },
        "Action": "sts:AssumeRole",
        "Condition": { "StringEquals": {
            "aws:SourceAccount": "${aws.account}",
            "aws:SourceArn": format!("${{schedule-group.{GROUP}.arn}}"),
        } },
    }] })
}

/// To run this family in this cluster, to tag what runs, and to hand over the family's roles.
fn rights(name: &str, home: &str) -> Vec<Json> {
    let ecs =
        |rest: &str| format!("arn:${{aws.partition}}:ecs:${{aws.region}}:${{aws.account}}:{rest}");
    let family = ecs(&format!("task-definition/${{task-definition.{name}.family}}:*"));
    vec![
        json!({
            "Effect": "Allow", "Action": ["ecs:RunTask"], "Resource": [family],
            "Condition": { "ArnEquals": { "ecs:cluster": CLUSTER } },
        }),
        json!({
            "Effect": "Allow", "Action": ["ecs:TagResource"],
            "Resource": [ecs("task/${cluster.main.name}/*")],
            "Condition": { "StringEquals": { "ecs:CreateAction": "RunTask" } },
        }),
        json!({
            "Effect": "Allow", "Action": ["iam:PassRole"],
            "Resource": [
                format!("${{role.{home}-execution.arn}}"), format!("${{role.{home}-task.arn}}"),
            ],
            "Condition": { "StringEquals": { "iam:PassedToService": "ecs-tasks.amazonaws.com" } },
        }),
    ]
}
