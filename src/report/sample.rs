//! Plans made by hand, for the tests of all reports.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::address::Path;
use crate::kind::{StackId, TagChange, Tags};
use crate::plan::{Action, Because, Edit, Plan, Purpose, Step};
use crate::value::Value;

pub(super) fn value(json: Json) -> Value {
    Value::lift(json).unwrap()
}

pub(super) fn step(address: &str, action: Action, spec: Json) -> Step {
    Step {
        address: address.parse().unwrap(),
        action,
        spec: value(spec),
        edits: Vec::new(),
        tags: Tags::new(),
        after: Vec::new(),
        seconds: 1,
    }
}

fn edit(path: &str, old: Json, new: Json) -> Edit {
    let side = |json: Json| (!json.is_null()).then(|| value(json));
    Edit { path: Path::of(path.split('.')), old: side(old), new: side(new), replaces: false }
}

fn stack(steps: Vec<Step>, purpose: Purpose, unchanged: usize) -> Plan {
    let [stack, env, region] = ["shop", "prod", "eu-west-1"].map(str::to_owned);
    let stack = StackId { stack, env, region };
    let images = BTreeMap::new();
    Plan { stack, account: "123456789012".into(), purpose, steps, unchanged, images }
}

fn create() -> Action {
    Action::Create { replaces: None }
}

fn update(id: &str) -> Action {
    let tags = TagChange::default();
    Action::Update { id: id.into(), was: Value::Null, tags, adopts: false }
}

fn delete(id: &str, because: Because) -> Action {
    Action::Delete { id: id.into(), was: Value::Null, because }
}

pub(super) fn nothing() -> Plan {
    stack(Vec::new(), Purpose::Apply, 30)
}

pub(super) fn creation() -> Plan {
    let mut steps = vec![
        step("vpc.main", create(), json!({"cidr": "10.0.0.0/16"})),
        step(
            "subnet.public-a",
            create(),
            json!({"vpc": "${vpc.main.id}", "cidr-block": "10.0.0.0/20", "availability-zone": "eu-west-1a"}),
        ),
        step("cluster.main", create(), json!({"name": "shop-prod-main"})),
        step(
            "subnet.public-b",
            create(),
            json!({"vpc": "${vpc.main.id}", "cidr-block": "10.0.16.0/20", "availability-zone": "eu-west-1b"}),
        ),
        step(
            "task-definition.web",
            create(),
            json!({"cpu": 256, "memory": 512,
                   "containers": {"web": {"image": "httpd:2.4"}, "xray": {"image": "xray:3"}}}),
        ),
        step(
            "service.web",
            create(),
            json!({"task-definition": "${task-definition.web.arn}", "desired-count": 2}),
        ),
    ];
    steps[1].after = vec![0];
    steps[3].after = vec![0];
    steps[5].after = vec![1, 2, 3, 4];
    stack(steps, Purpose::Apply, 0)
}

pub(super) fn change() -> Plan {
    let arn = "arn:aws:ecs:eu-west-1:123456789012:task-definition/shop-prod-web:41";
    let mut definition = step("task-definition.web", update(arn), json!({"cpu": 256}));
    definition.edits = vec![
        edit("containers.web.environment.LEVEL", json!(null), json!("info")),
        edit("containers.web.image", json!("httpd:2.4"), json!("httpd:2.5")),
    ];
    let mut service = step("service.web", update("arn:aws:ecs:::service/web"), json!({}));
    service.edits = vec![edit("task-definition", json!(arn), json!("${task-definition.web.arn}"))];
    service.after = vec![0];
    let replaces = Action::Create { replaces: Some("arn:tg-old".into()) };
    let mut group = step("target-group.web", replaces, json!({"port": 8080}));
    group.edits = vec![Edit { replaces: true, ..edit("port", json!(80), json!(8080)) }];
    let mut role = step("role.web", update("shop-prod-web"), json!({}));
    role.edits = vec![edit(
        "policies.notify",
        json!(r#"{"Statement":[{"Action":"sns:Publish","Effect":"Allow"}]}"#),
        json!(r#"{"Statement":[{"Action":"sqs:SendMessage","Effect":"Allow"}]}"#),
    )];
    if let Action::Update { tags, .. } = &mut role.action {
        tags.set.insert("team".into(), "games".into());
        tags.unset.insert("squad".into());
    }
    let adopts = Action::Update {
        id: "arn:aws:logs:eu-west-1:123456789012:log-group:test-log".into(),
        was: Value::Null,
        tags: TagChange::default(),
        adopts: true,
    };
    let settles = Action::Settle { id: "nat-1".into(), why: "pending".into() };
    let steps = vec![
        definition,
        service,
        group,
        step("target-group.web", delete("arn:tg-old", Because::Replaced), json!(null)),
        role,
        step("log-group.web", adopts, json!({})),
        step(
            "log-group.old",
            delete("arn:aws:logs:::log-group:old", Because::Undeclared),
            json!(null),
        ),
        step("nat-gateway.main", settles, json!({})),
    ];
    stack(steps, Purpose::Apply, 23)
}

pub(super) fn destruction() -> Plan {
    let steps = vec![
        step("subnet.public-a", delete("subnet-1", Because::Destroyed), json!(null)),
        step("vpc.main", delete("vpc-1", Because::Destroyed), json!(null)),
    ];
    stack(steps, Purpose::Destroy, 0)
}
