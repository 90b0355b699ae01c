//! The roles of a service: one with which ECS starts its tasks, one that the tasks have, and one with which ECS
//! makes their volumes, where there are any.
//!
//! Both are as narrow as the spec lets them be: the repositories, log groups and secrets that the
//! service names, and nothing else. Neither may create log groups: a log group that came back after
//! it was deleted would be nobody's (B31).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

use super::Options;
use super::declaration::Declaration;
use super::member::Members;
use super::secret::Secret;
use super::service::{Allow, Service};
use super::sheet::Sheet;
use super::volume;
use crate::address::{Output, Path};
use crate::value;

/// Whether `ecs execute-command` works on the service's tasks.
pub(super) fn exec(service: &Service, options: Options) -> bool {
    service.exec.unwrap_or(!options.protected)
}

/// The roles of the service or task `name`.
pub(super) fn expand(
    name: &str,
    section: &Path,
    service: &Service,
    members: &Members,
    options: Options,
    sheet: &mut Sheet,
) {
    let execution = Declaration::new("role", format!("{name}-execution"), section)
        .with("description", format!("starts the tasks of {name}"))
        .with("trust", trust())
        .with("inline", execution_policies(name, members))
        .decided(["inline", "secrets"], section.join("secrets"));
    sheet.add(execution);
    let mut task = Declaration::new("role", format!("{name}-task"), section)
        .with("description", format!("what the tasks of {name} may do"))
        .with("trust", trust())
        .with("inline", task_policies(name, service, options))
        .decided(["inline", "allow"], section.join("allow"))
        .decided(["inline", "exec"], section.join("exec"))
        .decided(["inline", "xray"], section.join("xray"))
        .decided(["inline", "volumes"], section.join("volume"));
    if !service.policies.is_empty() {
        let policies: Vec<&String> = service.policies.iter().collect();
        task = task.from("policies", json!(policies), section.join("policies"));
    }
    sheet.add(task);
    if let Some(role) = volume::role(name, section, service) {
        sheet.add(role);
    }
}

/// Sets bounds to what all roles may do that have none of their own.
pub(super) fn bound(boundary: Option<&str>, sheet: &mut Sheet) {
    const FIELD: &str = "permissions-boundary";
    let Some(boundary) = boundary else { return };
    for role in sheet.declarations.values_mut().filter(|one| one.address.kind == "role") {
        if !role.says(&Path::of([FIELD])) {
            let bounded = role.clone().from(FIELD, boundary, Path::of([FIELD]));
            *role = bounded;
        }
    }
}

/// Tasks of this account may take the role, and ECS on behalf of nobody else.
fn trust() -> Json {
    let account = "${aws.account}";
    let source = "arn:${aws.partition}:ecs:${aws.region}:${aws.account}:*";
    json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": { "Service": "ecs-tasks.amazonaws.com" },
        "Action": "sts:AssumeRole",
        "Condition": {
            "StringEquals": { "aws:SourceAccount": account },
            "ArnLike": { "aws:SourceArn": source },
        },
    }] })
}

/// ECS itself may take the role. Page "Amazon ECS infrastructure IAM role".
pub(super) fn of_ecs() -> Json {
    json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": { "Service": "ecs.amazonaws.com" },
        "Action": "sts:AssumeRole",
    }] })
}

/// What it takes to call these functions.
pub(super) fn calling<'f>(functions: impl Iterator<Item = &'f str>) -> Json {
    let functions: BTreeSet<&str> = functions.collect();
    policy(vec![statement(&["lambda:InvokeFunction"], functions.into_iter().collect::<Vec<_>>())])
}

pub(super) fn policy(statements: impl Into<Json>) -> Json {
    json!({ "Version": "2012-10-17", "Statement": statements.into() })
}

pub(super) fn statement(actions: &[&str], resources: impl Into<Json>) -> Json {
    json!({ "Effect": "Allow", "Action": actions, "Resource": resources.into() })
}

fn execution_policies(name: &str, members: &Members) -> Map<String, Json> {
    let group = format!("${{log-group.{name}.arn}}:*");
    let write = ["logs:CreateLogStream", "logs:PutLogEvents"];
    let mut policies = Map::new();
    policies.insert("logs".to_owned(), policy(vec![statement(&write, vec![group])]));
    let images = members.values().filter_map(|member| member.container.image.as_deref());
    let repositories: BTreeSet<String> = images.filter_map(repository).collect();
    if !repositories.is_empty() {
        let pull =
            ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];
        let repositories: Vec<String> = repositories.into_iter().collect();
        let statements =
            vec![statement(&["ecr:GetAuthorizationToken"], "*"), statement(&pull, repositories)];
        policies.insert("images".to_owned(), policy(statements));
    }
    let secrets = secrets(members);
    if !secrets.is_empty() {
        let read = |(action, resources): (&str, BTreeSet<String>)| {
            statement(&[action], resources.into_iter().collect::<Vec<_>>())
        };
        policies.insert(
            "secrets".to_owned(),
            policy(secrets.into_iter().map(read).collect::<Vec<_>>()),
        );
    }
    policies
}

/// The ARN of the ECR repository that an image lies in, if it does: one of the stack's own, or
/// `<account>.dkr.ecr.<region>.amazonaws.com/<name>`.
fn repository(image: &str) -> Option<String> {
    if let Some(output) = own_repository(image) {
        return Some(format!("${{{}.arn}}", output.of));
    }
    let (host, rest) = image.split_once('/')?;
    let (account, host) = host.split_once(".dkr.ecr.")?;
    let (region, _) = host.split_once(".amazonaws.com")?;
    let name = rest.split(['@', ':']).next()?;
    Some(format!("arn:${{aws.partition}}:ecr:{region}:{account}:repository/{name}"))
}

/// The repository of this stack that an image mentions.
fn own_repository(image: &str) -> Option<Output> {
    let image = value::parse_text(image).ok()?;
    image.outputs().into_iter().find(|output| output.of.kind == "repository").cloned()
}

/// What may be read, by the action that reads it.
fn secrets(members: &Members) -> BTreeMap<&'static str, BTreeSet<String>> {
    let mut found: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    let texts = members.values().flat_map(|member| member.container.secrets.values());
    for secret in texts.filter_map(|text| text.parse::<Secret>().ok()) {
        found.entry(secret.action).or_default().insert(secret.resource);
    }
    found
}

fn task_policies(name: &str, service: &Service, options: Options) -> Map<String, Json> {
    let mut policies = Map::new();
    if !service.allow.is_empty() {
        let statements = service.allow.iter().map(|(name, allow)| allowed(name, allow));
        policies.insert("allow".to_owned(), policy(statements.collect::<Vec<_>>()));
    }
    if exec(service, options) {
        // The session that a shell runs in; ECS Exec in the developer guide lists these.
        let open = [
            "ssmmessages:CreateControlChannel",
            "ssmmessages:CreateDataChannel",
            "ssmmessages:OpenControlChannel",
            "ssmmessages:OpenDataChannel",
        ];
        policies.insert("exec".to_owned(), policy(vec![statement(&open, "*")]));
    }
    if service.xray {
        // The managed policy AWSXRayDaemonWriteAccess, without the indexing rights of the console.
        let write = [
            "xray:GetSamplingRules",
            "xray:GetSamplingStatisticSummaries",
            "xray:GetSamplingTargets",
            "xray:PutTelemetryRecords",
            "xray:PutTraceSegments",
        ];
        policies.insert("xray".to_owned(), policy(vec![statement(&write, "*")]));
    }
    policies.extend(volume::access(name, service).map(|access| ("volumes".to_owned(), access)));
    policies
}

/// One statement of `allow`. Its `Sid` is the name, but for the hyphens that IAM does not take.
fn allowed(name: &str, allow: &Allow) -> Json {
    let capital = |word: &str| match word.split_at_checked(1) {
        Some((first, rest)) => first.to_uppercase() + rest,
        None => String::new(),
    };
    json!({
        "Sid": name.split('-').map(capital).collect::<String>(),
        "Effect": "Allow",
        "Action": allow.actions,
        "Resource": allow.on,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_images_in_ecr_need_a_right_to_pull() {
        assert_eq!(repository("httpd:2.4"), None);
        assert_eq!(repository("public.ecr.aws/xray/aws-xray-daemon:3.x"), None);
        let own = repository("${repository.api.uri}:v1");
        assert_eq!(own.as_deref(), Some("${repository.api.arn}"));
        let other = repository("210987654321.dkr.ecr.eu-west-1.amazonaws.com/team/api@sha256:00");
        insta::assert_snapshot!(other.unwrap(), @"arn:${aws.partition}:ecr:eu-west-1:210987654321:repository/team/api");
    }
}
