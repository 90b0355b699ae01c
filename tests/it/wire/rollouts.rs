//! Rollouts: what is asked for serves, or the exit code and the words say what serves instead.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use aws_sdk_ecs::types::{ContainerDefinition, TaskDefinitionField};
use serde_json::Value as Json;

use super::life::{HTTP, Life, RUNNING};
use crate::harness::proxy::{Fault, Proxy, Side};
use crate::harness::{Object, Session};

/// What `status` says of the only service.
fn service(life: &Life) -> Json {
    let said = life.session.run(&["status", "--format", "json"]).exits(0);
    let status: Json = serde_json::from_str(&said.stdout).expect("a document");
    status["status"]["services"][0].clone()
}

/// B1, B22: an image change is one new revision, one update of the service, and nothing else.
#[test]
fn b1_b22_an_image_change_rolls_one_new_revision() {
    let life = Life::begin(RUNNING);
    life.edit(&[("httpd:2.4", "httpd:2.5")]);
    assert_eq!(life.planned(), ["update task-definition.web", "update service.web"]);
    let calls = life.apply();
    assert_eq!(calls.changes(), ["RegisterTaskDefinition", "UpdateService"], "{calls:?}");
    assert!(life.serving("web").ends_with(":2"), "{}", life.serving("web"));
    let service = service(&life);
    assert_eq!((&service["running"], &service["pending"]), (&1.into(), &0.into()), "{service}");
    assert_eq!(service["deployment"]["state"], "serves", "{service}");
    assert_eq!(service["deployment"]["requested"], "life-default-web:2", "{service}");
    life.nothing_is_left();
    life.ends();
}

/// B15, N5: a rollout that the circuit breaker rolls back is no success, whatever the service looks like.
#[test]
fn b15_a_rollout_that_is_rolled_back_exits_with_4() {
    let life = Life::begin(RUNNING);
    life.edit(&[("httpd:2.4", "httpd:bad-exit")]);
    let output = life.session.run(&["apply", "--yes"]).exits(4);
    let output = output.says("life-default-web:2").says("life-default-web:1");
    assert!(output.stdout.len() + output.stderr.len() < 4000, "too many words: {output:?}");
    assert!(life.serving("web").ends_with(":1"), "{}", life.serving("web"));
    let service = service(&life);
    assert_eq!(service["state"], "steady", "{service}");
    let deployment = &service["deployment"];
    assert_eq!(deployment["state"], "rolled-back", "{service}");
    assert_eq!(deployment["requested"], "life-default-web:2", "{service}");
    assert_eq!(deployment["serving"], "life-default-web:1", "{service}");
    assert!(deployment["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{service}");
    // B16: the verdict is ECS's; ecsctl stops no deployment.
    assert_eq!(life.session.calls().count("StopServiceDeployment"), 0);
    // What was asked for is still not so.
    life.session.run(&["plan", "--detailed-exitcode"]).exits(2);
    // One apply with a good image is all it takes.
    life.edit(&[("httpd:bad-exit", "httpd:2.6")]);
    life.apply();
    life.nothing_is_left();
    life.ends();
}

/// B15: without a rollback the old revision may go on; the words say so.
#[test]
fn b15_a_rollout_that_fails_without_rollback_exits_with_4() {
    let life = Life::begin(&RUNNING.replace("rollback = true", "rollback = false"));
    life.edit(&[("httpd:2.4", "httpd:bad-pull")]);
    let output = life.session.run(&["apply", "--yes"]).exits(4);
    output.says("life-default-web:2").says("CannotPullContainerError");
    life.edit(&[("httpd:bad-pull", "httpd:2.4")]);
    life.apply();
    life.nothing_is_left();
    life.ends();
}

/// B15: a first rollout that fails leaves nothing serving, and is mended by the next.
#[test]
fn b15_a_first_rollout_that_fails_exits_with_4() {
    let life = Life::bare(&RUNNING.replace("httpd:2.4", "httpd:bad-oom"));
    life.session.run(&["apply", "--yes"]).exits(4).says("life-default-web:1");
    let service = service(&life);
    assert_eq!((&service["state"], &service["running"]), (&"nothing serves".into(), &0.into()));
    assert_eq!(service["deployment"]["state"], "failed", "{service}");
    assert_eq!(service["deployment"]["serving"], Json::Null, "{service}");
    life.edit(&[("httpd:bad-oom", "httpd:2.4")]);
    life.apply();
    life.nothing_is_left();
    life.ends();
}

/// B15: tasks that run but never become healthy are no success.
#[test]
fn b15_tasks_that_fail_their_health_check_exit_with_4() {
    let life = Life::begin(&HTTP);
    life.edit(&[("httpd:2.4", "httpd:bad-health")]);
    life.session.run(&["apply", "--yes"]).exits(4).says("life-default-web:2");
    assert!(life.serving("web").ends_with(":1"));
    life.ends();
}

/// Behind a load balancer that must be let in.
fn balanced() -> String {
    let let_in = "[aws.security-group.tasks]\nvpc-id = \"${vpc.main.id}\"\n\
                  ingress = [{ protocol = \"tcp\", from-port = 8080, to-port = 8080, \
                  security-group = \"${security-group.other.id}\" }]";
    HTTP.replace("[aws.security-group.tasks]\nvpc-id = \"${vpc.main.id}\"", let_in)
}

/// The edits by which the containers listen at another port, and are let in there.
const ANOTHER_PORT: [(&str, &str); 2] = [
    ("from-port = 8080, to-port = 8080", "from-port = 9090, to-port = 9090"),
    ("container-port = 8080", "container-port = 9090"),
];

/// B10: a service that moves to another port answers all the time.
#[test]
fn b10_another_port_leaves_no_gap() {
    let session = Session::new();
    session.watch_traffic();
    let life = Life::begin_in(session, &balanced());
    life.edit(&ANOTHER_PORT);
    let planned = life.planned();
    let place = |step: &str| planned.iter().position(|planned| planned == step);
    assert!(place("widen security-group.tasks") < place("update service.web"), "{planned:?}");
    assert!(place("update service.web") < place("update security-group.tasks"), "{planned:?}");
    life.apply();
    life.nothing_is_left();
    assert!(life.session.gaps().is_empty(), "{:?}", life.session.gaps());
    life.ends();
}

/// B10: a target group is replaced, and requests are answered all the time.
#[test]
fn b10_another_target_group_leaves_no_gap() {
    let session = Session::new();
    session.watch_traffic();
    let life = Life::begin_in(session, &balanced());
    life.edit(&ANOTHER_PORT);
    life.replaces(
        "target-group.web",
        &[("port = 8080\nvpc-id", "port = 9090\nvpc-id")],
        &[
            "CreateTargetGroup",
            "ModifyRule",
            "UpdateService",
            "ModifyRule",
            "UpdateService",
            "DeleteTargetGroup",
        ],
    );
    assert!(life.session.gaps().is_empty(), "{:?}", life.session.gaps());
    life.ends();
}

/// A load balancer besides that of [`HTTP`].
const SECOND_BALANCER: &str = r#"
[aws.load-balancer.second]
subnets = ["${subnet.a.id}", "${subnet.b.id}"]
security-groups = ["${security-group.other.id}"]

[aws.listener.second]
load-balancer-arn = "${load-balancer.second.arn}"
port = 80
protocol = "HTTP"
default-action = { fixed-response = { status = 404 } }
"#;

/// B10: a load balancer is replaced under a service. A target group belongs to one load balancer, so it
/// is replaced as well; requests are answered all the time, by the one or the other.
#[test]
fn b10_another_load_balancer_leaves_no_gap() {
    let session = Session::new();
    session.watch_traffic();
    let life = Life::begin_in(session, &balanced());
    life.replaces(
        "load-balancer.main",
        &[("[aws.load-balancer.main]", "[aws.load-balancer.main]\nscheme = \"internal\"")],
        &[
            "CreateLoadBalancer",
            "CreateTargetGroup",
            "CreateRule",
            "UpdateService",
            "DeleteRule",
            "UpdateService",
            "DeleteTargetGroup",
        ],
    );
    assert!(life.session.gaps().is_empty(), "{:?}", life.session.gaps());
    life.ends();
}

/// B10: a service moves from one load balancer to another that stands already.
#[test]
fn b10_a_move_between_load_balancers_leaves_no_gap() {
    let session = Session::new();
    session.watch_traffic();
    let life = Life::begin_in(session, &format!("{}{SECOND_BALANCER}", balanced()));
    life.replaces(
        "listener-rule.web",
        &[("listener-arn = \"${listener.main.arn}\"", "listener-arn = \"${listener.second.arn}\"")],
        &["CreateTargetGroup", "CreateRule", "UpdateService", "DeleteRule", "UpdateService"],
    );
    assert!(life.session.gaps().is_empty(), "{:?}", life.session.gaps());
    life.ends();
}

/// B10: the log group of the revision that serves stays until another one does.
#[test]
fn b10_a_log_group_goes_after_those_who_log_to_it() {
    let logs = "httpd:2.4\", log-configuration = { driver = \"awslogs\", options = { \
                awslogs-group = \"${log-group.web.name}\", awslogs-region = \"us-east-1\", \
                awslogs-stream-prefix = \"app\" } },";
    let spec = RUNNING.replace("httpd:2.4\",", logs);
    let life = Life::begin(&format!("{spec}\n[aws.log-group.web]\nname = \"/one\"\n"));
    life.edit(&[("\"/one\"", "\"/two\""), ("httpd:2.4", "httpd:bad-exit")]);
    life.session.run(&["apply", "--yes"]).exits(4);
    let groups = life.session.objects().into_iter().filter(|it| it.kind == "log-group");
    let groups: Vec<String> = groups.map(|group| group.id).collect();
    assert_eq!(groups, ["/one", "/two"]);
    life.edit(&[("httpd:bad-exit", "httpd:2.5")]);
    life.apply();
    life.nothing_is_left();
    life.ends();
}

/// B10: a rollout into a new target group that fails leaves the requests where they were answered.
#[test]
fn b10_a_failed_move_to_another_target_group_leaves_no_gap() {
    let session = Session::new();
    session.watch_traffic();
    let life = Life::begin_in(session, &balanced());
    life.edit(&[("port = 8080\nvpc-id", "port = 9090\nvpc-id"), ("httpd:2.4", "httpd:bad-exit")]);
    life.session.run(&["apply", "--yes"]).exits(4);
    assert!(life.session.gaps().is_empty(), "{:?}", life.session.gaps());
    // From half way on, too.
    life.edit(&[("httpd:bad-exit", "httpd:2.6")]);
    life.apply();
    life.nothing_is_left();
    assert!(life.session.gaps().is_empty(), "{:?}", life.session.gaps());
    life.ends();
}

/// B10, N1: what nothing leads to any more is only let go of, though a run died just before, and whatever else
/// changes by then.
#[test]
fn b10_a_move_cut_short_at_its_end_goes_on_from_there() {
    let scaled = "\n[aws.scalable-target.web]\nservice = \"${service.web.arn}\"\n\
                  min-capacity = 1\nmax-capacity = 4\n";
    let session = Session::new();
    session.watch_traffic();
    let life = Life::begin_in(session, &format!("{}{scaled}", balanced()));
    let proxy = Proxy::start(life.session.endpoint().trim_start_matches("http://"));
    let (proxy, mut updates) = (proxy.expect("a proxy"), 0);
    proxy.plan(Box::new(move |seen| {
        updates += usize::from(seen.operation == "UpdateService");
        (updates == 2).then_some(Fault::Kill(Side::Before))
    }));
    life.edit(&[("port = 8080\nvpc-id", "port = 9090\nvpc-id")]);
    assert_eq!(life.session.run_through(&proxy, &["apply", "--yes"]).code, None);
    life.edit(&[("httpd:2.4", "httpd:2.5"), ("max-capacity = 4", "max-capacity = 5")]);
    let planned = life.planned();
    assert!(planned.contains(&"update service.web".to_owned()), "{planned:?}");
    assert!(!planned.contains(&"widen service.web".to_owned()), "{planned:?}");
    life.apply();
    life.nothing_is_left();
    assert!(life.session.gaps().is_empty(), "{:?}", life.session.gaps());
    life.ends();
}

/// B18: several services roll at the same time: three cost about as much as one.
#[test]
fn rollouts_do_not_wait_for_each_other() {
    let mut spec = RUNNING.to_owned();
    let services = RUNNING.find("[aws.task-definition.web]").expect("the service's part");
    for name in ["two", "three"] {
        let part =
            RUNNING[services..].replace("task-definition.web", &format!("task-definition.{name}"));
        spec.push_str(&part.replace("service.web", &format!("service.{name}")));
    }
    let life = Life::begin(&spec);
    let started = Instant::now();
    life.edit(&[("httpd:2.4", "httpd:2.5")]);
    let calls = life.apply();
    assert_eq!(calls.count("UpdateService"), 3, "{calls:?}");
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
    life.ends();
}

/// B22: the newest ten revisions stay, and what serves, whatever its age; the rest goes without being asked for.
#[test]
fn b22_the_newest_ten_revisions_stay_and_what_serves() {
    let spec = "[network]\nmode = \"public\"\n[service.web]\nimage = \"httpd:2.4\"\n";
    let life = Life::begin(spec);
    let first = life.object("task-definition.web");
    let family = first.arn.rsplit_once(':').expect("a revision").0.to_owned();
    // Twelve deployments that never came to serve.
    life.session.behind_its_back(async |aws| {
        for _ in 0..12 {
            let told = aws.ecs.describe_task_definition().task_definition(&first.arn);
            let told = told.include(TaskDefinitionField::Tags).send().await.expect("a description");
            let call = aws.ecs.register_task_definition().set_tags(told.tags);
            let call = call.family("life-default-web").container_definitions(
                ContainerDefinition::builder().name("web").image("httpd:1").memory(128).build(),
            );
            call.send().await.expect("a revision");
        }
    });
    let revisions = || {
        let objects = life.session.objects().into_iter();
        let ours = objects.filter(|object| object.kind == "task-definition");
        let number = |object: Object| {
            let number = object.arn.strip_prefix(&family)?.strip_prefix(':')?;
            number.parse::<u32>().ok()
        };
        ours.filter_map(number).collect::<BTreeSet<_>>()
    };
    life.edit(&[("httpd:2.4", "httpd:2.5")]);
    let calls = life.apply();
    assert_eq!(revisions(), (5..=14).chain([1]).collect());
    let counts = ["ListTaskDefinitions", "DeregisterTaskDefinition", "DeleteTaskDefinitions"];
    assert_eq!(counts.map(|operation| calls.count(operation)), [1, 3, 1]);
    life.edit(&[("httpd:2.5", "httpd:2.6")]);
    let calls = life.apply();
    assert_eq!(revisions(), (6..=15).collect());
    assert_eq!(counts.map(|operation| calls.count(operation)), [1, 2, 1]);
    life.nothing_is_left();
    life.ends();
}
