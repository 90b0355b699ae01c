//! `ecsctl policy`: what people must be allowed who work with a stack, as a policy of IAM.
//!
//! The ARNs follow from the spec: nothing has to be there yet, and nothing is looked at.

use std::collections::BTreeSet;

use clap::{Args, Subcommand};
use serde_json::{Value as Json, json};

use super::context::Context;
use super::run::{is_sought, kinds_of};
use super::stack::{Stack, load};
use super::world::{Door, block_on};
use super::{Exit, Failure};
use crate::address::Address;
use crate::cloud::Surroundings;
use crate::desired::Desired;
use crate::diag::Diagnostic;
use crate::snapshot;
use crate::value::Value;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    whom: Whom,
}

#[derive(Debug, Subcommand)]
enum Whom {
    /// For whoever runs the stack's tasks by hand, sees what runs, reads logs and stops tasks
    Run(Account),
}

#[derive(Debug, Args)]
struct Account {
    /// The account's number; then no network is needed [default: the profile's]
    #[arg(long, value_name = "NUMBER", value_parser = number)]
    account: Option<String>,
}

fn number(text: &str) -> Result<String, String> {
    match text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => Ok(text.to_owned()),
        false => Err("an account has a number of 12 digits".to_owned()),
    }
}

/// IAM takes so many characters in a managed policy, white space not counted.
const LONGEST: usize = 6144;

pub(super) fn run(cx: &mut Context, arguments: &Arguments) -> Result<Exit, Failure> {
    cx.refuse_markdown("policy")?;
    let Whom::Run(Account { account }) = &arguments.whom;
    let mut stack = load(cx)?;
    let place = match account {
        Some(account) => offline(&stack.desired.stack.region, account)?,
        None => block_on(async {
            let door = Door::open(cx, &mut stack.desired.stack).await?;
            Ok(door.cloud().surroundings().await?)
        })?,
    };
    let policy = running(&stack, &Arns { place: &place, desired: &stack.desired })?;
    let length = policy.to_string().len();
    if length > LONGEST {
        let text =
            format!("the policy has {length} characters; IAM takes {LONGEST} in one: split it");
        cx.say(&text)?;
    }
    cx.print(&format!("{policy:#}\n"))?;
    Ok(Exit::Done)
}

/// Where a stack is by its region and the account's number alone.
fn offline(region: &str, account: &str) -> Result<Surroundings, Failure> {
    if region.is_empty() {
        return Err(crate::cloud::aws::ConnectError::NoRegion.into());
    }
    let partition = match region {
        china if china.starts_with("cn-") => "aws-cn",
        government if government.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    };
    let (account, region) = (account.to_owned(), region.to_owned());
    Ok(Surroundings { account, region, partition: partition.to_owned(), zones: Vec::new() })
}

/// The ARNs of what a stack declares.
struct Arns<'a> {
    place: &'a Surroundings,
    desired: &'a Desired,
}

impl Arns<'_> {
    fn arn(&self, service: &str, resource: &str) -> String {
        let Surroundings { account, region, partition, .. } = self.place;
        format!("arn:{partition}:{service}:{region}:{account}:{resource}")
    }

    /// The declarations of one kind.
    fn specs<'s>(&'s self, kind: &'s str) -> impl Iterator<Item = &'s Value> {
        self.desired.specs().filter(move |(at, _)| at.kind == kind).map(|(_, spec)| spec)
    }

    /// The names of what is declared of one kind.
    fn names<'s>(&'s self, kind: &'s str) -> impl Iterator<Item = &'s str> {
        self.specs(kind).filter_map(|spec| spec.text("name"))
    }

    /// Those whose resource part is made of a name.
    fn each(&self, kind: &str, service: &str, resource: impl Fn(&str) -> String) -> Vec<String> {
        self.names(kind).map(|name| self.arn(service, &resource(name))).collect()
    }

    /// What `forms` come to for each of the clusters.
    fn of_clusters(&self, forms: &[&str]) -> Vec<String> {
        let each = |form: &&str| self.each("cluster", "ecs", |name| form.replace("{}", name));
        forms.iter().flat_map(each).collect()
    }

    /// The log groups. Those with names of the stack's own are one pattern.
    fn log_groups(&self) -> Vec<String> {
        let stack = &self.desired.stack;
        let own = format!("/ecsctl/{}/{}/", stack.stack, stack.env);
        let pattern = |name: &str| match name.starts_with(&own) {
            true => format!("log-group:{own}*:*"),
            false => format!("log-group:{name}:*"),
        };
        let all: BTreeSet<String> = self.each("log-group", "logs", pattern).into_iter().collect();
        all.into_iter().collect()
    }

    /// The role that a field of a task definition names: one of the stack's, or one that exists already.
    fn role(&self, field: &Value) -> Option<String> {
        if let Value::Text(arn) = field {
            return Some(arn.clone());
        }
        let outputs = field.outputs();
        let address = &outputs.first()?.of;
        let spec = &self.desired.resources.get(address)?.spec;
        let own = self.desired.stack.iam_path();
        let (path, name) = (spec.text("path").unwrap_or(&own), spec.text("name")?);
        let Surroundings { account, partition, .. } = self.place;
        Some(format!("arn:{partition}:iam::{account}:role{path}{name}"))
    }
}

/// A statement.
fn allow(name: &str, actions: &[&str], on: impl Into<Json>) -> Json {
    let on: Json = on.into();
    json!({ "Sid": name, "Effect": "Allow", "Action": actions, "Resource": on })
}

/// The statement where `key` is `value`, by the operator `test`.
fn only(mut statement: Json, test: &str, key: &str, value: impl Into<Json>) -> Json {
    let value: Json = value.into();
    statement["Condition"] = json!({ (test): { (key): value } });
    statement
}

/// To run the stack's tasks as `ecsctl run` does; and to see, stop and, where that is on, enter what runs.
fn running(stack: &Stack, arns: &Arns<'_>) -> Result<Json, Failure> {
    if arns.names("cluster").next().is_none() {
        let title = "nothing of this stack ever runs: it has no cluster";
        let fault = Diagnostic::error("E0396", title).hint("declare a service or a task");
        return Err(Failure::told(Exit::Usage, fault));
    }
    let statements = [starting(stack, arns), following(arns)].concat();
    Ok(json!({ "Version": "2012-10-17", "Statement": statements }))
}

/// To start the tasks that the stack declares: nothing, where it has none.
fn starting(stack: &Stack, arns: &Arns<'_>) -> Vec<Json> {
    let definition = |name: &String| {
        let address = Address::new("task-definition", name);
        arns.desired.resources.get(&address).map(|declared| &declared.spec)
    };
    let definitions: Vec<&Value> = stack.launches.keys().filter_map(definition).collect();
    if definitions.is_empty() {
        return Vec::new();
    }
    let names = definitions.iter().filter_map(|spec| spec.text("name"));
    let family = |name| arns.arn("ecs", &format!("task-definition/{name}:*"));
    let families: Vec<String> = names.map(family).collect();
    let fields = ["execution-role-arn", "task-role-arn"];
    let roles = definitions.iter().flat_map(|spec| fields.map(|field| spec.get(field)));
    let roles: BTreeSet<String> = roles.flatten().filter_map(|role| arns.role(role)).collect();
    let mut statements = vec![
        allow("Find", &finds(stack), json!(["*"])),
        allow(
            "Look",
            &["ecs:DescribeClusters", "ecs:DescribeServices"],
            arns.of_clusters(&["cluster/{}", "service/{}/*"]),
        ),
    ];
    let providers = ["capacity-provider", "managed-capacity"];
    let provider = |name: &str| format!("capacity-provider/{name}");
    let providers = providers.map(|kind| arns.each(kind, "ecs", provider)).concat();
    if !providers.is_empty() {
        statements.push(allow("Choose", &["ecs:DescribeCapacityProviders"], providers));
    }
    let clusters = arns.of_clusters(&["cluster/{}"]);
    let run = allow("Run", &["ecs:RunTask"], families);
    statements.push(only(run, "ArnEquals", "ecs:cluster", clusters));
    let mark = allow("Mark", &["ecs:TagResource"], arns.of_clusters(&["task/{}/*"]));
    statements.push(only(mark, "StringEquals", "ecs:CreateAction", "RunTask"));
    let pass = allow("Pass", &["iam:PassRole"], roles.into_iter().collect::<Vec<_>>());
    statements.push(only(pass, "StringEquals", "iam:PassedToService", "ecs-tasks.amazonaws.com"));
    statements
}

/// To see what runs in the stack's clusters and what it says, and to stop it.
fn following(arns: &Arns<'_>) -> Vec<Json> {
    let clusters = arns.of_clusters(&["cluster/{}"]);
    let tasks = arns.of_clusters(&["task/{}/*"]);
    let list = allow("List", &["ecs:ListTasks"], json!(["*"]));
    let mut statements = vec![
        only(list, "ArnEquals", "ecs:cluster", clusters),
        allow("Follow", &["ecs:DescribeTasks", "ecs:StopTask"], tasks),
    ];
    let groups = arns.log_groups();
    if !groups.is_empty() {
        statements.push(allow("Read", &["logs:GetLogEvents"], groups));
    }
    let can_be_entered =
        |spec: &Value| spec.get("enable-execute-command") == Some(&Value::Bool(true));
    if arns.specs("service").any(can_be_entered) {
        let inside = arns.of_clusters(&["cluster/{}", "task/{}/*"]);
        statements.push(allow("Enter", &["ecs:ExecuteCommand"], inside));
    }
    statements
}

/// What tells of all of a kind at once, by the kinds that `ecsctl run` looks at.
const LOOKS: &[(&str, &[&str])] = &[
    ("security-group", &["ec2:DescribeSecurityGroupRules", "ec2:DescribeSecurityGroups"]),
    ("subnet", &["ec2:DescribeSubnets"]),
    ("task-definition", &["ecs:DescribeTaskDefinition", "ecs:ListTaskDefinitions"]),
];

/// The actions by which a run finds its way, and that know no resources.
fn finds(stack: &Stack) -> Vec<&'static str> {
    let kinds: BTreeSet<String> = stack.launches.values().flat_map(kinds_of).collect();
    let kinds = snapshot::with_what_they_are_found_through(&kinds);
    let own = LOOKS.iter().filter(|(kind, _)| kinds.contains(kind));
    let mut finds = vec!["ec2:DescribeAvailabilityZones", "tag:GetResources"];
    finds.extend(own.flat_map(|(_, actions)| actions.iter().copied()));
    if stack.launches.values().any(is_sought) {
        finds.extend(["ec2:DescribeSubnets", "ec2:DescribeVpcs"]);
    }
    finds.sort_unstable();
    finds.dedup();
    finds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_twelve_digits() {
        assert!(number("123456789012").is_ok());
        assert!(number("12345678901").is_err());
        assert!(number("12345678901x").is_err());
    }

    #[test]
    fn the_partition_follows_from_the_region() {
        let partition = |region| offline(region, "123456789012").unwrap().partition;
        assert_eq!(partition("eu-west-1"), "aws");
        assert_eq!(partition("cn-north-1"), "aws-cn");
        assert_eq!(partition("us-gov-west-1"), "aws-us-gov");
        assert!(offline("", "123456789012").is_err());
    }
}
