//! Runs that do not come to their end: killed, interrupted, shut out.

use std::process::{Child, Stdio};
use std::time::Duration;

use super::life::{HTTP, Life, RUNNING};
use crate::harness::proxy::{Fault, Proxy};

/// N1, B35, B36: killed again and again at any moment, the same command goes on; nothing is made twice,
/// nothing is lost, and a destroy finds everything.
#[test]
fn n1_a_killed_apply_is_taken_up_and_loses_nothing() {
    let life = Life::bare(&HTTP);
    for milliseconds in [150, 250, 350, 500, 700, 900, 1200, 1500] {
        let mut run = begin(&life, "apply");
        std::thread::sleep(Duration::from_millis(milliseconds));
        run.kill().expect("it can be killed");
        run.wait().expect("it has ended");
    }
    life.session.run(&["apply", "--yes"]).exits(0);
    life.nothing_is_left();
    let objects = life.session.objects();
    let mut addresses: Vec<&String> = objects
        .iter()
        .filter(|object| {
            !["task", "network-interface", "task-definition"].contains(&object.kind.as_str())
        })
        .map(|object| {
            object.tags.get("ecsctl:id").unwrap_or_else(|| panic!("not tagged: {object:?}"))
        })
        .collect();
    addresses.sort();
    let all = addresses.len();
    addresses.dedup();
    assert_eq!(addresses.len(), all, "made twice: {objects:#?}");
    life.ends();
}

/// B32: a destroy that is killed is taken up by the next.
#[test]
fn b32_a_killed_destroy_is_taken_up() {
    let life = Life::begin(&HTTP);
    for milliseconds in [200, 300, 500, 800] {
        let mut run = begin(&life, "destroy");
        std::thread::sleep(Duration::from_millis(milliseconds));
        run.kill().expect("it can be killed");
        run.wait().expect("it has ended");
    }
    life.ends();
}

/// B16: an interrupt leaves the rollout to ECS, says so with exit code 6, and the same command goes on.
#[test]
fn b16_an_interrupt_stops_no_deployment() {
    let life = Life::begin(RUNNING);
    life.session.set(&serde_json::json!({"task-start": 3.0}));
    life.edit(&[("httpd:2.4", "httpd:2.5")]);
    life.session.forget_calls();
    let run = begin(&life, "apply");
    while life.session.calls().count("UpdateService") == 0 {
        std::thread::sleep(Duration::from_millis(20));
    }
    interrupt(&run);
    let output = run.wait_with_output().expect("it has ended");
    assert_eq!(output.status.code(), Some(6), "{output:?}");
    let calls = life.session.calls();
    assert_eq!(calls.count("StopServiceDeployment"), 0);
    assert_eq!(calls.changes(), ["RegisterTaskDefinition", "UpdateService"], "{calls:?}");
    // The rollout goes on; the next run waits for its end and changes nothing.
    let calls = life.apply();
    assert!(calls.changes().is_empty(), "{calls:?}");
    assert!(life.serving("web").ends_with(":2"));
    life.nothing_is_left();
    life.ends();
}

/// An interrupt before anything is changed ends the run at once, and the lock is given back.
#[test]
fn an_interrupt_before_the_first_change_leaves_no_lock() {
    let life = Life::bare(RUNNING);
    let store = life.session.bucket();
    let upstream = life.session.endpoint();
    let proxy = Proxy::start(upstream.trim_start_matches("http://")).expect("a proxy");
    proxy.plan(Box::new(|seen| {
        (seen.operation == "DescribeVpcs").then_some(Fault::Delay(Duration::from_secs(60)))
    }));
    let mut command = life.session.command(&["apply", "--yes", "--store", &store]);
    command.env("AWS_ENDPOINT_URL", &proxy.url);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let run = command.spawn().expect("the binary starts");
    while proxy.struck().is_empty() {
        std::thread::sleep(Duration::from_millis(20));
    }
    interrupt(&run);
    let output = run.wait_with_output().expect("it has ended");
    assert_eq!(output.status.code(), Some(6), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said, "interrupted: nothing has been changed\n");
    assert!(life.session.calls().changes().is_empty());
    life.session.run(&["lock", "show", "--store", &store]).exits(0).says("nobody holds the lock");
}

/// B15: whoever waits for a rollout that somebody else began takes a rollback for what it is.
#[test]
fn b15_a_rollout_that_is_taken_up_and_rolled_back_exits_with_4() {
    for count in ["desired-count = 1", "desired-count = 2"] {
        let life = Life::begin(RUNNING);
        life.session.set(&serde_json::json!({"task-start": 1.0}));
        life.edit(&[("httpd:2.4", "httpd:bad-exit")]);
        life.session.forget_calls();
        let run = begin(&life, "apply");
        while life.session.calls().count("UpdateService") == 0 {
            std::thread::sleep(Duration::from_millis(20));
        }
        interrupt(&run);
        assert_eq!(run.wait_with_output().expect("it has ended").status.code(), Some(6));
        life.edit(&[("desired-count = 1", count)]);
        let output = life.session.run(&["apply", "--yes"]).exits(4);
        output.says("life-default-web:2").says("life-default-web:1");
        assert!(life.serving("web").ends_with(":1"), "{count}");
        life.ends();
    }
}

fn begin(life: &Life, command: &str) -> Child {
    let mut command = life.session.command(&[command, "--yes"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("the binary starts")
}

fn interrupt(run: &Child) {
    let status = std::process::Command::new("kill").args(["-INT", &run.id().to_string()]).status();
    assert!(status.expect("kill").success());
}
