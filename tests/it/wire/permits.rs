//! Rights: the policy for people that `ecsctl policy` prints, and the bounds of a stack's roles.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::life::{HEAD, Life};
use crate::harness::Session;

/// A task on Fargate with an image of its own, and one on instances with that of a service.
const TASKS: &str = r#"
network.mode = "public"

[capacity.general]
type      = "ec2"
instances = ["t3.medium"]
count     = { min = 0, max = 3 }

[service.web]
image        = "httpd:2.4"
capacity     = "general"
network-mode = "bridge"
memory       = "64MB..128MB"

[service.bare]
image = "httpd:2.4"
exec  = false
logs  = { group = "their-log" }

[task.hello]
image   = "busybox:1"
command = ["env"]

[task.reindex]
from    = "web"
command = ["env"]
"#;

pub(super) fn policy(session: &Session, arguments: &[&str]) -> Json {
    let output = session.run(&[&["policy", "run"][..], arguments].concat()).exits(0);
    serde_json::from_str(&output.stdout).expect("a policy")
}

/// What a policy allows: actions, and on what.
fn allowed(policy: &Json) -> Vec<(String, Vec<String>)> {
    let texts = |list: &Json| -> Vec<String> {
        let all = list.as_array().expect("a list").iter();
        all.map(|text| text.as_str().expect("text").to_owned()).collect()
    };
    let statements = policy["Statement"].as_array().expect("statements").iter();
    let each = statements.flat_map(|statement| {
        let resources = texts(&statement["Resource"]);
        texts(&statement["Action"]).into_iter().map(move |action| (action, resources.clone()))
    });
    each.collect()
}

fn resources(policy: &Json, action: &str) -> BTreeSet<String> {
    let found = allowed(policy).into_iter().filter(|(own, _)| own == action);
    found.flat_map(|(_, resources)| resources).collect()
}

pub(super) fn actions(policy: &Json) -> BTreeSet<String> {
    allowed(policy).into_iter().map(|(action, _)| action).collect()
}

/// The actions that runs of tasks call which remember nothing.
pub(super) fn runs(session: &Session, tasks: &[&str]) -> BTreeSet<String> {
    session.forget_calls();
    for task in tasks {
        drop(fs_err::remove_dir_all(session.folder.join("state")));
        session.run(&["run", task]).exits(0);
    }
    session.calls().actions()
}

pub(super) fn is_allowed(called: &BTreeSet<String>, actions: &BTreeSet<String>) {
    // Everybody may ask who he is.
    let free = BTreeSet::from(["sts:GetCallerIdentity".to_owned()]);
    let lacking: Vec<_> = called.difference(actions).filter(|one| !free.contains(*one)).collect();
    assert!(lacking.is_empty(), "not allowed: {lacking:?}");
}

/// Whoever has the policy can do all that `ecsctl run` does, and it has little besides.
#[test]
fn the_policy_for_runs_names_what_a_run_calls() {
    let session = Session::with(&format!("{HEAD}{TASKS}"));
    let early = policy(&session, &[]);
    session.run(&["apply", "--yes"]).exits(0);
    let policy = policy(&session, &[]);
    assert_eq!(policy, early, "nothing has to be there");
    let called = runs(&session, &["hello", "reindex"]);
    let actions = actions(&policy);
    is_allowed(&called, &actions);
    // What is checked beside a call; what Ctrl-C does; and what people do without ecsctl.
    let besides: BTreeSet<&str> = actions.difference(&called).map(String::as_str).collect();
    let usual = [
        "ecs:ExecuteCommand",
        "ecs:ListTaskDefinitions",
        "ecs:ListTasks",
        "ecs:StopTask",
        "ecs:TagResource",
        "iam:PassRole",
    ];
    assert!(besides.is_subset(&usual.into()), "more than it takes: {besides:?}");
    // The ARNs are those of what there is.
    let roles = ["hello-execution", "hello-task", "web-execution", "web-task"];
    let roles = roles.map(|role| session.object(&format!("role.{role}")).arn);
    assert_eq!(resources(&policy, "iam:PassRole"), BTreeSet::from(roles));
    let cluster = session.object("cluster.main").arn;
    let tasks = format!("{}/*", cluster.replace(":cluster/", ":task/"));
    assert_eq!(resources(&policy, "ecs:StopTask"), BTreeSet::from([tasks.clone()]));
    assert_eq!(resources(&policy, "ecs:ExecuteCommand"), BTreeSet::from([cluster, tasks]));
    for run in session.inputs("RunTask") {
        let revision = run["taskDefinition"].as_str().expect("a revision");
        let family = format!("{}:*", revision.rsplit_once(':').expect("a revision").0);
        assert!(resources(&policy, "ecs:RunTask").contains(&family), "{family}: {policy:#}");
    }
    for group in ["log-group.hello", "log-group.bare"] {
        let arn = session.object(group).arn.trim_end_matches(":*").to_owned();
        let read = resources(&policy, "logs:GetLogEvents");
        let is_it =
            |one: &String| arn.starts_with(one.trim_end_matches(":*").trim_end_matches('*'));
        assert!(read.iter().any(is_it), "{arn}: {read:?}");
    }
    session.run(&["destroy", "--yes"]).exits(0);
}

/// Every role that a stack makes is bounded, whatever it is for; and each can be given more by hand.
#[test]
fn all_roles_are_bounded() {
    const STACK: &str = r#"
permissions-boundary = "arn:aws:iam::aws:policy/PowerUserAccess"

[capacity.general]
type      = "ec2"
instances = ["t3.medium"]
count     = { min = 0, max = 3 }

[capacity.own]
type = "managed"
need = { vcpu = "2..4", memory = "4GB.." }

[service.web]
image  = "httpd:2.4"
port   = 80
deploy = "blue-green"

[service.store]
image  = "valkey/valkey:8"
volume = { data = { type = "ebs", size = "20GB", mount = "/data" } }

[task.nightly]
from     = "web"
schedule = "rate(1 day)"

[aws.role.web-execution.inline.more]
Statement = [{ Effect = "Allow", Action = "kms:Decrypt", Resource = "*" }]

[aws.role.store-task]
permissions-boundary = "arn:aws:iam::aws:policy/ReadOnlyAccess"
"#;
    let life = Life::begin(STACK);
    let roles: Vec<(String, String)> = {
        let objects = life.session.objects();
        let roles = objects.into_iter().filter(|object| object.kind == "role");
        roles.map(|role| (role.tags["ecsctl:id"].clone(), role.id)).collect()
    };
    let bounded = life.session.behind_its_back(async |aws| {
        let mut bounded = Vec::new();
        for (address, name) in roles {
            let found = aws.iam.get_role().role_name(name).send().await.expect("a role");
            let role = found.role().expect("a role");
            let boundary = role.permissions_boundary().and_then(|it| it.permissions_boundary_arn());
            let policy = boundary.and_then(|arn| arn.rsplit('/').next()).unwrap_or("nothing");
            bounded.push(format!("{address}: {policy}"));
        }
        bounded.sort();
        bounded
    });
    insta::assert_snapshot!(bounded.join("\n"), @"
    role.general-instances: PowerUserAccess
    role.nightly-schedule: PowerUserAccess
    role.own-infrastructure: PowerUserAccess
    role.own-instances: PowerUserAccess
    role.store-execution: PowerUserAccess
    role.store-task: ReadOnlyAccess
    role.store-volumes: PowerUserAccess
    role.web-execution: PowerUserAccess
    role.web-task: PowerUserAccess
    role.web-traffic: PowerUserAccess
    ");
    life.ends();
}
