//! Rollouts that move requests: blue/green, canary, linear; what ends them, what holds them, and that no
//! plan ever moves requests back.

use std::process::{Child, Stdio};
use std::time::Duration;

use aws_sdk_cloudwatch::types::StateValue;
use serde_json::json;

use super::life::Life;
use crate::harness::Session;

/// A service behind a load balancer.
const WEB: &str = r#"
[network]
mode = "public"
nat = "none"

[service.web]
image = "httpd:2.4"
port = 80
count = 2
deploy = "rolling"
alarms.errors = 10
"#;

/// The same, with another way to deploy.
fn deploying(how: &str) -> String {
    WEB.replace("\"rolling\"", how)
}

const CANARY: &str = r#"{ strategy = "canary", percent = 10, step = "5m", alarms = ["errors"] }"#;

/// The weights of the service's rule, by the names of the target groups.
fn weights(session: &Session, rule: &str) -> Vec<(String, i32)> {
    let arn = session.object(&format!("listener-rule.{rule}")).arn;
    session.behind_its_back(async |aws| {
        let found = aws.elb.describe_rules().rule_arns(arn).send().await.expect("a rule");
        let action = &found.rules()[0].actions()[0];
        let groups = action.forward_config().expect("it forwards").target_groups();
        let mut weights: Vec<(String, i32)> = groups
            .iter()
            .map(|group| {
                let arn = group.target_group_arn().expect("a target group");
                let name = arn.split('/').nth(1).expect("an ARN holds the name");
                (name.trim_start_matches("life-default-").to_owned(), group.weight().unwrap_or(1))
            })
            .collect();
        weights.sort();
        weights
    })
}

/// Where all requests go.
fn live(session: &Session) -> String {
    let weights = weights(session, "web");
    let mut heavy = weights.iter().filter(|(_, weight)| *weight > 0);
    let (name, _) = heavy.next().expect("requests go somewhere");
    assert!(heavy.next().is_none(), "{weights:?}");
    name.clone()
}

/// Applies in the background.
fn begin(session: &Session) -> Child {
    let mut command = session.command(&["apply", "--yes"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("the binary starts")
}

fn ended(run: Child) -> (Option<i32>, String) {
    let output = run.wait_with_output().expect("it has ended");
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).expect("text"))
}

/// Waits until the newest deployment of the service has come to `stage`.
fn comes_to(session: &Session, stage: &str) {
    for _ in 0..600 {
        let found = session.behind_its_back(async |aws| {
            let call = aws.ecs.list_service_deployments().cluster("life-default-main");
            let listed = call.service("life-default-web").send().await.expect("a list");
            let newest = listed.service_deployments().first()?.service_deployment_arn()?.to_owned();
            let call = aws.ecs.describe_service_deployments().service_deployment_arns(newest);
            let found = call.send().await.expect("a description");
            Some(found.service_deployments()[0].lifecycle_stage()?.as_str().to_owned())
        });
        if found.as_deref() == Some(stage) {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("no deployment comes to {stage}");
}

/// B4: ECS moves the requests to the other target group and back; no plan sees a difference, none is
/// rewritten, and what changes for other reasons leaves them where they are.
fn moves(how: &str, swaps: u32) {
    let session = Session::new();
    session.set(&json!({ "swap-target-groups": swaps }));
    session.watch_traffic();
    let life = Life::begin_in(session, &deploying(how));
    assert_eq!(live(&life.session), "web");
    for (old, new, group) in
        [("httpd:2.4", "httpd:2.5", "web-other"), ("httpd:2.5", "httpd:2.6", "web")]
    {
        life.edit(&[(old, new)]);
        let calls = life.apply();
        assert_eq!(calls.changes(), ["RegisterTaskDefinition", "UpdateService"], "{calls:?}");
        assert_eq!(live(&life.session), group);
        life.nothing_is_left();
        life.forget();
        life.nothing_is_left();
    }
    life.edit(&[("httpd:2.6", "httpd:2.7")]);
    life.apply();
    let path = [("port = 80", "port = 80\nhttp = \"/app/*\"")];
    life.edit(&path);
    let calls = life.apply();
    assert!(!calls.changes().contains(&"UpdateService"), "{calls:?}");
    assert_eq!(live(&life.session), "web-other", "the requests stay where they were");
    life.nothing_is_left();
    assert!(life.session.gaps().is_empty(), "{:?}", life.session.gaps());
    life.ends();
}

#[test]
fn b4_blue_green_moves_the_requests_and_no_plan_moves_them_back() {
    moves("\"blue-green\"", 1);
}

#[test]
fn b4_canary_moves_the_requests_and_no_plan_moves_them_back() {
    moves(CANARY, 0);
}

#[test]
fn b4_linear_moves_the_requests_and_no_plan_moves_them_back() {
    moves("\"linear 40% 3m\"", 1);
}

/// B4: while a deployment runs, its half-moved requests are no difference, either.
#[test]
fn b4_a_deployment_under_way_is_waited_for_and_left_alone() {
    let life = Life::begin(&deploying(CANARY));
    life.session.set(&json!({ "deployment-minute": 0.4 }));
    life.edit(&[("httpd:2.4", "httpd:2.5")]);
    let run = begin(&life.session);
    comes_to(&life.session, "PRODUCTION_TRAFFIC_SHIFT");
    let under_way = weights(&life.session, "web");
    assert_eq!(under_way, [("web".to_owned(), 90), ("web-other".to_owned(), 10)]);
    assert_eq!(life.planned(), ["settle service.web"]);
    let (code, said) = ended(run);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("canary: 10 % of the requests for 5m"), "{said}");
    assert!(said.contains("bake: all requests for 5m"), "{said}");
    life.nothing_is_left();
    life.ends();
}

/// B15: whatever takes a rollout back, the exit code is 4, both revisions are named, and the reason; and the
/// requests are where they were.
fn fails(how: &str, image: &str, reason: &str) {
    let session = Session::new();
    session.watch_traffic();
    let life = Life::begin_in(session, &deploying(how));
    life.edit(&[("httpd:2.4", image)]);
    let output = life.session.run(&["apply", "--yes"]).exits(4);
    output
        .says("life-default-web:2 was rolled back")
        .says("life-default-web:1 serves")
        .says(reason);
    assert_eq!(live(&life.session), "web");
    assert!(life.session.gaps().is_empty(), "{:?}", life.session.gaps());
    life.session.run(&["plan", "--detailed-exitcode"]).exits(2);
    life.ends();
}

#[test]
fn b15_tasks_that_fail_take_a_canary_back() {
    fails(CANARY, "httpd:bad-health", "tasks failed to start");
}

#[test]
fn b15_a_hook_that_fails_takes_a_rollout_back() {
    let hooks = "{ strategy = \"blue-green\", hooks.smoke = { at = [\"post-test-traffic\"], lambda = \
                 \"arn:aws:lambda:us-east-1:123456789012:function:bad\" } }";
    fails(hooks, "httpd:2.5", "lifecycle hook");
}

#[test]
fn b15_nobody_answers_and_the_rollout_is_taken_back() {
    let pause = "{ strategy = \"blue-green\", pause = \"post-scale-up\", pause-timeout = \"5m\" }";
    fails(pause, "httpd:2.5", "timed out");
}

#[test]
fn b15_an_alarm_takes_a_canary_back() {
    let life = Life::begin(&deploying(CANARY));
    life.session.set(&json!({ "deployment-minute": 2.0 }));
    life.edit(&[("httpd:2.4", "httpd:2.5")]);
    let run = begin(&life.session);
    comes_to(&life.session, "PRODUCTION_TRAFFIC_SHIFT");
    // The new tasks are in the other group.
    life.session.behind_its_back(async |aws| {
        let call = aws.cloudwatch.set_alarm_state().alarm_name("life-default-web-other-errors");
        let call = call.state_value(StateValue::Alarm).state_reason("a test");
        call.send().await.expect("an alarm");
    });
    let (code, said) = ended(run);
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("alarm(s) detected: life-default-web-other-errors"), "{said}");
    assert!(said.contains("life-default-web:2 was rolled back"), "{said}");
    assert_eq!(live(&life.session), "web");
    life.ends();
}

/// A pause holds the rollout until somebody says how it goes on, from another terminal.
#[test]
fn a_pause_holds_until_somebody_continues() {
    let pause = "{ strategy = \"blue-green\", pause = \"post-test-traffic\", test-port = 9000 }";
    let life = Life::begin(&deploying(pause));
    let session = &life.session;
    session.run(&["continue", "web", "--yes"]).exits(3).says("no rollout of `web` waits");
    session.run(&["continue", "wbe", "--yes"]).exits(64).says("did you mean `web`?");
    for (old, new, answer, code, group) in [
        ("httpd:2.4", "httpd:2.5", &["--yes"][..], 0, "web-other"),
        ("httpd:2.5", "httpd:2.6", &["--yes", "--rollback"][..], 4, "web-other"),
    ] {
        life.edit(&[(old, new)]);
        let before = live(session);
        let run = begin(session);
        comes_to(session, "POST_TEST_TRAFFIC_SHIFT");
        assert_eq!(live(session), before, "nobody but tests reaches the new tasks");
        let tests = weights(session, "web-test");
        assert!(
            tests.iter().all(|(name, weight)| (*weight == 0) == (*name == before)),
            "{tests:?}"
        );
        says_that_it_is_paused(session);
        session.run(&["continue", "web"]).exits(3).says("nothing goes on without a yes");
        session
            .run(&[&["continue", "web"][..], answer].concat())
            .exits(0)
            .says("waits at post-test-traffic");
        let (came, said) = ended(run);
        assert_eq!(came, Some(code), "{said}");
        assert!(said.contains("paused at post-test-traffic: `ecsctl continue web`"), "{said}");
        assert_eq!(live(session), group);
    }
    life.ends();
}

/// B21: the stage, until when, and the command.
fn says_that_it_is_paused(session: &Session) {
    let told = session.run(&["status"]).exits(0).stdout;
    assert!(told.contains("paused at post-test-traffic"), "{told}");
    let waits = told.lines().find(|line| line.contains("waits until 20"));
    assert!(waits.is_some_and(|line| line.ends_with(" for: ecsctl continue web")), "{told}");
    let told = session.run(&["status", "--format", "json"]).exits(0).stdout;
    let told: serde_json::Value = serde_json::from_str(&told).expect("JSON");
    let service = &told["status"]["services"][0];
    assert_eq!(service["state"], "paused at post-test-traffic");
    assert_eq!(service["continue"], "ecsctl continue web");
    assert_eq!(service["deployment"]["pause"]["stage"], "post-test-traffic");
    assert!(service["deployment"]["pause"]["until"].is_string(), "{told}");
}

/// B10: from tasks one by one to a canary and back, in place, and requests are answered all the time:
/// whichever target group has them when it goes.
fn there_and_back(swaps: u32, rolls: bool) {
    let session = Session::new();
    session.set(&json!({ "swap-target-groups": swaps }));
    session.watch_traffic();
    let life = Life::begin_in(session, WEB);
    let service = life.object("service.web").arn;
    life.edit(&[("\"rolling\"", CANARY)]);
    life.apply();
    life.nothing_is_left();
    assert_eq!(live(&life.session), "web-other", "the change itself is rolled out so");
    if rolls {
        life.edit(&[("httpd:2.4", "httpd:2.5")]);
        life.apply();
        assert_eq!(live(&life.session), "web");
    }
    life.edit(&[(CANARY, "\"rolling\"")]);
    life.apply();
    life.nothing_is_left();
    assert_eq!(life.object("service.web").arn, service);
    let gone = life.session.objects().into_iter().all(|it| !it.id.contains("web-other"));
    assert!(gone, "{:#?}", life.session.objects());
    assert!(life.session.gaps().is_empty(), "{:?}", life.session.gaps());
    life.ends();
}

#[test]
fn b10_to_a_canary_and_back() {
    there_and_back(1, false);
}

#[test]
fn b10_to_a_canary_and_back_where_groups_do_not_change_places() {
    there_and_back(0, false);
}

#[test]
fn b10_to_a_canary_and_back_after_a_rollout() {
    there_and_back(1, true);
}

/// Without a load balancer nobody's requests move; both versions stand for a while.
#[test]
fn a_service_without_requests_is_deployed_blue_green() {
    let life = Life::begin(
        &deploying("\"blue-green\"")
            .replace("port = 80\n", "port = 80\npublic = false\n")
            .replace("alarms.errors = 10\n", ""),
    );
    life.edit(&[("httpd:2.4", "httpd:2.5")]);
    life.apply();
    life.nothing_is_left();
    life.edit(&[("httpd:2.5", "httpd:bad-exit")]);
    life.session.run(&["apply", "--yes"]).exits(4).says("life-default-web:3 was rolled back");
    life.ends();
}
