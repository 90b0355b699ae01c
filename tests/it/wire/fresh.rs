//! An account in which nobody has used ECS, ELB or Auto Scaling before (B13).

use serde_json::json;

use super::life::{HEAD, Life, only_lookups_refused};
use crate::harness::{Calls, Session};

/// On Fargate and on instances, behind a load balancer, scaled: all that needs a service-linked role.
const EVERYTHING: &str = r#"
[capacity.general]
type      = "ec2"
instances = ["t3.medium", "t3a.medium"]
count     = { min = 0, max = 3 }
spot      = "50%"

[capacity.own]
type = "managed"
need = { vcpu = "2..4", memory = "4GB.." }

[service.web]
image = "httpd:2.4"
port  = 80
count = { min = 1, max = 3, cpu = 60 }

[service.worker]
image    = "acme/worker:1"
public   = false
capacity = "general"
size     = "0.25vcpu/256MB"

[service.render]
image    = "acme/render:1"
public   = false
capacity = "own"
size     = "1vcpu/2GB"
"#;

const ROLES: [&str; 6] = [
    "AWSServiceRoleForApplicationAutoScaling_ECSService",
    "AWSServiceRoleForAutoScaling",
    "AWSServiceRoleForEC2Spot",
    "AWSServiceRoleForECS",
    "AWSServiceRoleForECSCompute",
    "AWSServiceRoleForElasticLoadBalancing",
];

fn roles(session: &Session) -> Vec<String> {
    session.behind_its_back(async |aws| {
        let found = aws.iam.list_roles().path_prefix("/aws-service-role/").send().await;
        found.expect("a list").roles().iter().map(|role| role.role_name().to_owned()).collect()
    })
}

/// How often an account was asked for its service-linked roles.
fn looks(session: &Session) -> usize {
    let asked = session.inputs("ListRoles");
    asked.iter().filter(|input| input["PathPrefix"] == "/aws-service-role/").count()
}

/// Whatever was refused only said that a role cannot be used yet.
fn only_roles_refused(calls: &Calls) {
    let refused: Vec<_> = calls.refused().into_iter().map(|call| call.operation.as_str()).collect();
    for operation in ["CreateCluster", "CreateAutoScalingGroup", "RegisterScalableTarget"] {
        assert!(refused.contains(&operation), "{operation} was never refused: {calls:?}");
    }
    let reasons = [
        ("CreateCluster", "InvalidParameterException"),
        ("CreateCapacityProvider", "InvalidParameterException"),
        ("CreateAutoScalingGroup", "ServiceLinkedRoleFailure"),
        ("RegisterScalableTarget", "ValidationException"),
    ];
    for call in calls.refused() {
        let is_look = ["Describe", "Get"].iter().any(|it| call.operation.starts_with(it));
        let reason = (call.operation.as_str(), call.error.as_deref().unwrap_or_default());
        assert!(is_look || reasons.contains(&reason), "{call:?}");
    }
}

/// B13: the account gets its roles before anything needs them, and what needs one is tried again until AWS can
/// use it. They are the account's: they stay, and no empty plan asks for them.
#[test]
fn b13_an_account_without_service_linked_roles_takes_one_run() {
    let life = Life::bare(EVERYTHING);
    life.session.set(&json!({ "fresh": 1, "service-linked-role-after": 0.8 }));
    assert_eq!(roles(&life.session), [""; 0]);
    life.session.forget_calls();
    life.session
        .run(&["apply", "--yes"])
        .exits(0)
        .says("made AWSServiceRoleForECS for the account");
    let calls = life.session.calls();
    only_roles_refused(&calls);
    assert_eq!(calls.count("CreateServiceLinkedRole"), ROLES.len(), "{calls:?}");
    assert_eq!(looks(&life.session), 1, "{calls:?}");
    life.session.forget_calls();
    life.nothing_is_left();
    life.forget();
    life.nothing_is_left();
    assert_eq!(looks(&life.session), 0);
    let session = life.ends();
    assert_eq!(looks(&session), 0);
    assert_eq!(roles(&session), ROLES);
    // In an account that has them nothing is made, and nothing refused.
    session.forget_calls();
    session.run(&["apply", "--yes"]).exits(0);
    let calls = session.calls();
    only_lookups_refused(&calls);
    assert_eq!(calls.count("CreateServiceLinkedRole"), 0, "{calls:?}");
    assert_eq!(looks(&session), 1);
}

/// Whoever may not make a role is told whom to ask, and for what.
#[test]
fn b13_who_may_not_make_a_role_learns_whom_to_ask() {
    let session = Session::with(&format!("{HEAD}\n[alb.main]\n"));
    session.set(&json!({ "fresh": 2 }));
    session
        .run(&["apply", "--yes"])
        .exits(1)
        .says("is not authorized to perform: iam:CreateServiceLinkedRole")
        .says("--aws-service-name elasticloadbalancing.amazonaws.com`, once for good");
    // An administrator has done it.
    session.set(&json!({ "fresh": 1 }));
    session.run(&["apply", "--yes"]).exits(0);
    session.run(&["destroy", "--yes"]).exits(0);
}
