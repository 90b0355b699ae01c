//! Tasks that run once: by hand, before a service rolls, by a schedule.

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value as Json, json};

use super::life::{HEAD, Life};
use crate::harness::Session;
use crate::harness::proxy::{Fault, Proxy, Side};

/// A task with an image of its own, in public subnets.
const HELLO: &str = r#"
[network]
mode = "public"

[task.hello]
image   = "busybox:1"
command = ["env"]
env     = { LEVEL = "info" }
secrets = { KEY = "ssm:/shop/key" }
"#;

fn hello() -> Session {
    let session = Session::with(&format!("{HEAD}{HELLO}"));
    let parameter = json!({"Name": "/shop/key", "Value": "hunter2", "Type": "SecureString"});
    session.call("ssm", "AmazonSSM.PutParameter", &parameter);
    session.run(&["apply", "--yes"]).exits(0);
    session.forget_calls();
    session
}

fn ends(session: &Session) {
    session.run(&["destroy", "--yes"]).exits(0);
    let left = session.objects();
    assert!(left.is_empty(), "left behind: {left:#?}");
}

#[test]
fn a_task_runs_says_what_it_says_and_ends_as_its_container_does() {
    let session = hello();
    session.run(&["plan", "--detailed-exitcode"]).exits(0);
    let output = session.run(&["run", "hello"]).exits(0);
    assert_eq!(output.stdout, "started\n$ env\nLEVEL=info\ndone\n");
    assert!(!format!("{output:?}").contains("hunter2"), "a secret is told: {output:?}");
    let output = session.run(&[
        "run",
        "hello",
        "--set-env",
        "LEVEL=debug",
        "--set-env",
        "MORE=1",
        "--",
        "env",
        "exit",
        "3",
    ]);
    let output = output.exits(3);
    assert!(output.stdout.contains("LEVEL=debug\nMORE=1\n"), "{output:?}");
    assert!(output.stdout.contains("$ env exit 3\n"), "{output:?}");
    session.run(&["run", "hello", "--size", "1vcpu/2GB"]).exits(0);
    assert_eq!(session.calls().count("RunTask"), 3);
    ends(&session);
}

#[test]
fn a_program_reads_how_a_task_ended() {
    let session = hello();
    let output = session.run(&["run", "hello", "--format", "json", "--", "exit", "7"]).exits(7);
    let told: Json = serde_json::from_str(&output.stdout).expect("one document");
    assert_eq!((&told["end"]["exit-code"], &told["end"]["result"]), (&7.into(), &"exited".into()));
    assert!(output.stderr.contains("$ exit 7"), "{output:?}");
    let output = session.run(&["run", "hello", "--no-wait", "--", "sleep"]).exits(0);
    assert!(output.stdout.starts_with("arn:aws:ecs:"), "{output:?}");
    // It runs for ever: a destroy stops what is the stack's.
    ends(&session);
}

#[test]
fn whatever_is_not_the_containers_own_end_is_125() {
    let session = Session::with(&format!("{HEAD}{HELLO}"));
    let output = session.run(&["run", "hello"]).exits(125);
    output.says("the stack has not been applied");
    session.run(&["run", "helo"]).exits(64).says("did you mean `hello`?");
    session.run(&["run", "hello", "--size", "1vcpu/1GB"]).exits(64);
    session.run(&["apply", "--yes"]).exits(0);
    // Nobody made the parameter.
    let output = session.run(&["run", "hello"]).exits(125);
    output.says("did not start: ResourceInitializationError").says("/shop/key");
    let spec = HELLO.replace("secrets = { KEY = \"ssm:/shop/key\" }", "timeout = \"1s\"");
    session.write("ecsctl.toml", &format!("{HEAD}{}", spec.replace("busybox:1", "busybox:2")));
    session.run(&["apply", "--yes"]).exits(0);
    let output = session.run(&["run", "hello", "--", "sleep"]).exits(125);
    output.says("took longer than 1 s and was stopped");
    assert_eq!(session.calls().count("StopTask"), 1);
    session
        .write("ecsctl.toml", &format!("{HEAD}{}", spec.replace("busybox:1", "busybox:bad-pull")));
    session.run(&["apply", "--yes"]).exits(0);
    session.run(&["run", "hello"]).exits(125).says("CannotPullContainerError");
    ends(&session);
}

/// The first Ctrl-C asks ECS to stop the task and waits for that, the second leaves it to itself.
#[cfg(unix)]
#[test]
fn ctrl_c_stops_the_task_and_again_leaves_it() {
    let session = hello();
    for (stop, code) in [(0.1, 143), (5.0, 6)] {
        session.set(&json!({ "stop": stop }));
        session.forget_calls();
        let mut command = session.command(&["run", "hello", "--", "sleep"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let run = command.spawn().expect("the binary starts");
        let wait_for = |operation: &str, times: usize| {
            while session.calls().count(operation) < times {
                std::thread::sleep(Duration::from_millis(20));
            }
        };
        wait_for("DescribeTasks", 2);
        interrupt(run.id());
        wait_for("StopTask", 1);
        if code == 6 {
            std::thread::sleep(Duration::from_millis(500));
            interrupt(run.id());
        }
        let output = run.wait_with_output().expect("it has ended");
        assert_eq!(output.status.code(), Some(code), "{output:?}");
    }
    session.set(&json!({ "stop": 0.1 }));
    std::thread::sleep(Duration::from_secs(5));
    ends(&session);
}

#[cfg(unix)]
fn interrupt(process: u32) {
    let status = std::process::Command::new("kill").args(["-INT", &process.to_string()]).status();
    assert!(status.expect("kill").success());
}

/// N1: a reply that is lost starts no second task.
#[test]
fn n1_a_lost_reply_starts_no_second_task() {
    let session = hello();
    let proxy = Proxy::start(session.endpoint().trim_start_matches("http://")).expect("a proxy");
    for fault in [Fault::Drop(Side::After), Fault::Fail(Side::After), Fault::Fail(Side::Before)] {
        proxy.plan(Box::new(move |seen| {
            (seen.operation == "RunTask" && seen.attempt == 1).then_some(fault)
        }));
        session.run_through(&proxy, &["run", "hello"]).exits(0);
    }
    assert_eq!(tasks(&session, "life-default-hello"), 3);
    ends(&session);
}

/// A service, and a task that has to succeed before it gets another version.
const GATED: &str = r#"
[network]
mode = "public"

[service.web]
image  = "httpd:2.4"
public = false
env    = { LEVEL = "info" }

[task.migrate]
from    = "web"
command = ["migrate"]
when    = "before-deploy"
"#;

/// How many tasks of a family there have been.
fn tasks(session: &Session, family: &str) -> usize {
    let cluster = session.object("cluster.main").arn;
    session.behind_its_back(async |aws| {
        let mut count = 0;
        for status in ["RUNNING", "STOPPED"] {
            let call = aws.ecs.list_tasks().cluster(&cluster).family(family);
            let found = call.desired_status(status.into()).send().await.expect("a list");
            count += found.task_arns().len();
        }
        count
    })
}

#[test]
fn a_service_gets_another_version_when_its_task_has_succeeded() {
    let life = Life::begin(GATED);
    assert_eq!(tasks(&life.session, "life-default-migrate"), 1);
    life.edit(&[("httpd:2.4", "httpd:2.5")]);
    let planned = life.planned();
    assert_eq!(planned[2..], ["update task-run.migrate", "update service.web"], "{planned:?}");
    assert_eq!(planned.len(), 4, "{planned:?}");
    let calls = life.apply();
    assert!(calls.position("RunTask") < calls.position("UpdateService"), "{calls:?}");
    assert_eq!(calls.count("RunTask"), 1, "{calls:?}");
    life.nothing_is_left();
    // What rolls nothing needs no task.
    life.edit(&[("public = false", "public = false\ncount = 2")]);
    assert_eq!(life.planned(), ["update service.web"]);
    life.edit(&[("command = [\"migrate\"]", "command = [\"migrate\", \"up\"]")]);
    life.apply();
    assert_eq!(tasks(&life.session, "life-default-migrate"), 2);
    life.nothing_is_left();
    life.ends();
}

/// B15: what the task fails at keeps the rollout from happening, and is told.
#[test]
fn b15_a_task_that_fails_stops_the_rollout() {
    let life = Life::begin(GATED);
    life.edit(&[("httpd:2.4", "httpd:2.5"), ("[\"migrate\"]", "[\"migrate\", \"exit\", \"9\"]")]);
    life.session.forget_calls();
    let output = life.session.run(&["apply", "--yes"]).exits(4);
    let output = output.says("the task `migrate` before it exited with 9");
    output.says("$ migrate exit 9").says("life-default-web:1 serves");
    let calls = life.session.calls();
    assert_eq!((calls.count("RunTask"), calls.count("UpdateService")), (1, 0), "{calls:?}");
    assert!(life.serving("web").ends_with(":1"));
    // One that failed is run again, and once it has succeeded the rollout happens.
    life.session.run(&["apply", "--yes"]).exits(4);
    life.edit(&[("[\"migrate\", \"exit\", \"9\"]", "[\"migrate\"]")]);
    life.apply();
    assert_eq!(tasks(&life.session, "life-default-migrate"), 4);
    assert!(life.serving("web").ends_with(":2"));
    life.nothing_is_left();
    // One that cannot start, and one that takes too long.
    life.edit(&[("httpd:2.5", "httpd:bad-pull")]);
    life.session.run(&["apply", "--yes"]).exits(4).says("did not start").says("CannotPull");
    life.edit(&[
        ("httpd:bad-pull", "httpd:2.6"),
        ("[\"migrate\"]", "[\"sleep\"]\ntimeout = \"1s\""),
    ]);
    life.session.run(&["apply", "--yes"]).exits(4).says("it took longer than 1 s");
    assert!(life.serving("web").ends_with(":2"));
    life.ends();
}

/// N1: neither a lost reply nor a crash runs the task twice for one revision.
#[test]
fn n1_a_task_before_a_rollout_runs_once_a_revision() {
    let life = Life::begin(GATED);
    let session = &life.session;
    let proxy = Proxy::start(session.endpoint().trim_start_matches("http://")).expect("a proxy");
    let faults = [
        Fault::Drop(Side::After),
        Fault::Fail(Side::After),
        Fault::Kill(Side::After),
        Fault::Kill(Side::Before),
    ];
    for (round, fault) in faults.into_iter().enumerate() {
        let image = |number: usize| format!("httpd:2.{number}");
        life.edit(&[(&image(round + 4), &image(round + 5))]);
        let mut is_done = false;
        proxy.plan(Box::new(move |seen| {
            let now = seen.operation == "RunTask" && !std::mem::replace(&mut is_done, true);
            now.then_some(fault)
        }));
        let output = session.run_through(&proxy, &["apply", "--yes"]);
        if matches!(fault, Fault::Kill(_)) {
            assert_eq!(output.code, None, "{output:?}");
            session.run(&["apply", "--yes"]).exits(0);
        } else {
            output.exits(0);
        }
        assert_eq!(tasks(session, "life-default-migrate"), round + 2, "{fault:?}");
        life.nothing_is_left();
    }
    // Nor does a run that was cut short after the task and before the service.
    life.edit(&[("httpd:2.8", "httpd:3.0")]);
    proxy.plan(Box::new(|seen| {
        (seen.operation == "UpdateService").then_some(Fault::Kill(Side::Before))
    }));
    session.run_through(&proxy, &["apply", "--yes"]);
    session.run(&["apply", "--yes"]).exits(0);
    assert_eq!(tasks(session, "life-default-migrate"), 6);
    life.ends();
}

/// A schedule, written out.
const SCHEDULED: &str = r#"
[network]
mode = "public"

[task.report]
image    = "busybox:1"
command  = ["bin/report"]
schedule = "cron(0 3 * * ? *)"
timezone = "Europe/Berlin"
retry    = 2
"#;

#[test]
fn a_schedule_runs_its_task() {
    let life = Life::begin(SCHEDULED);
    let fired = life.session.fire("report");
    assert_eq!(fired.as_array().map(Vec::len), Some(1), "{fired}");
    std::thread::sleep(Duration::from_millis(400));
    assert_eq!(tasks(&life.session, "life-default-report"), 1);
    // Another revision: the schedule runs that.
    life.edit(&[("bin/report", "bin/other")]);
    assert_eq!(life.planned(), ["update task-definition.report", "update schedule.report"]);
    life.apply();
    let fired = life.session.fire("report");
    assert_eq!(fired.as_array().map(Vec::len), Some(1), "{fired}");
    life.nothing_is_left();
    // Without the schedule the task stays.
    life.edit(&[(
        "schedule = \"cron(0 3 * * ? *)\"\ntimezone = \"Europe/Berlin\"\nretry    = 2\n",
        "",
    )]);
    let planned = life.planned();
    assert!(planned.contains(&"delete schedule.report".to_owned()), "{planned:?}");
    assert!(planned.contains(&"delete schedule-group.main".to_owned()), "{planned:?}");
    life.apply();
    life.nothing_is_left();
    life.ends();
}

/// Two tasks on instances, of which there are none before: one of a service, in bridge mode, and one with an
/// image and an address of its own. A third runs on Fargate Spot.
const ON_INSTANCES: &str = r#"
[network]
mode = "public"

[capacity.general]
type      = "ec2"
instances = ["t3.medium"]
count     = { min = 0, max = 3 }

[service.worker]
image        = "acme/worker:1"
count        = 0
capacity     = "general"
network-mode = "bridge"
memory       = "64MB..128MB"

[task.sweep]
from     = "worker"
command  = ["bin/sweep"]
schedule = "rate(1 day)"
when     = "before-deploy"

[task.own]
image    = "busybox:1"
command  = ["env"]
capacity = "general"
size     = "128cpu/64MB"

[task.spare]
image    = "busybox:1"
command  = ["env"]
capacity = "fargate-spot"
schedule = "rate(1 day)"
"#;

#[test]
fn tasks_run_on_instances_and_spot() {
    let life = Life::begin(ON_INSTANCES);
    for name in ["sweep", "own", "spare"] {
        let output = life.session.run(&["run", name]).exits(0);
        assert!(output.stdout.contains("started"), "{output:?}");
    }
    life.session.run(&["run", "own", "--size", "256cpu/100MB"]).exits(0);
    let output = life.session.run(&["run", "spare", "--size", "256cpu/100MB"]).exits(64);
    assert!(output.stderr.contains("E0240"), "{output:?}");
    for name in ["sweep", "spare"] {
        let fired = life.session.fire(name);
        assert_eq!(fired.as_array().map(Vec::len), Some(1), "{fired}");
    }
    life.edit(&[("acme/worker:1", "acme/worker:2")]);
    let calls = life.apply();
    assert_eq!(calls.count("RunTask"), 1, "the gate is passed");
    life.nothing_is_left();
    let shares = "{ fargate-spot = { weight = 3 }, fargate = { weight = 1 } }";
    life.edit(&[("\"fargate-spot\"", shares)]);
    assert_eq!(life.planned(), ["update schedule.spare"]);
    assert_eq!(life.apply().changes(), ["UpdateSchedule"]);
    life.nothing_is_left();
    life.ends();
}

/// B7: every field of a schedule is changed in place, and drift is mended.
#[test]
fn b7_a_schedule_is_changed_in_place() {
    let life = Life::begin(SCHEDULED);
    let changes = [
        ("cron(0 3 * * ? *)", "rate(2 hours)"),
        ("Europe/Berlin", "UTC"),
        ("retry    = 2", "retry    = 0"),
        ("retry    = 0", "\n[aws.schedule.report]\nstate = \"DISABLED\""),
        ("\"DISABLED\"", "\"ENABLED\"\nflexible-window-minutes = 15"),
        ("\nflexible-window-minutes = 15", "\ndescription = \"what happened\""),
        ("\ndescription = \"what happened\"", "\ninput = { cpu = \"512\" }"),
        ("\ninput = { cpu = \"512\" }", "\ntask-count = 2\nmaximum-event-age-in-seconds = 600"),
    ];
    for edit in changes {
        life.edit(&[edit]);
        assert_eq!(life.planned(), ["update schedule.report"], "{edit:?}");
        let calls = life.apply();
        assert_eq!(calls.changes(), ["UpdateSchedule"], "{edit:?}");
        life.nothing_is_left();
    }
    // B6: somebody's change is taken back, somebody's schedule in the stack's group goes.
    life.drifts("update schedule.report", async |aws| {
        let group = "life-default-main";
        let seen = aws.scheduler.get_schedule().group_name(group).name("report").send().await;
        let seen = seen.expect("a schedule");
        let call = aws.scheduler.update_schedule().group_name(group).name("report");
        let call = call.schedule_expression("rate(1 day)").set_target(seen.target);
        let call = call.set_flexible_time_window(seen.flexible_time_window);
        call.send().await.expect("a changed schedule");
    });
    life.drifts("create schedule.report", async |aws| {
        let call = aws.scheduler.delete_schedule().group_name("life-default-main");
        call.name("report").send().await.expect("a deleted schedule");
    });
    // Tags lie on the group alone.
    life.edit(&[("stack = \"life\"", "stack = \"life\"\ntags = { team = \"games\" }")]);
    let planned = life.planned();
    assert!(planned.contains(&"update schedule-group.main".to_owned()), "{planned:?}");
    assert!(!planned.contains(&"update schedule.report".to_owned()), "{planned:?}");
    life.apply();
    life.nothing_is_left();
    life.ends();
}

/// B11: a group with another name takes the place of the old one, and its schedules move.
#[test]
fn a_schedule_group_is_replaced() {
    let life = Life::begin(SCHEDULED);
    let renamed = "\n[aws.schedule-group.main]\nname = \"life-default-nightly\"\n";
    life.edit(&[("retry    = 2\n", &format!("retry    = 2\n{renamed}"))]);
    let planned = life.planned();
    assert!(planned.contains(&"replace schedule-group.main".to_owned()), "{planned:?}");
    assert!(planned.contains(&"replace schedule.report".to_owned()), "{planned:?}");
    life.apply();
    life.nothing_is_left();
    life.ends();
}

/// B12: a role that was made a moment ago is waited for.
#[test]
fn b12_a_new_role_is_waited_for() {
    let session = Session::with(&format!("{HEAD}{SCHEDULED}"));
    session.set(&json!({ "role-visible-after": 1.5 }));
    session.run(&["apply", "--yes"]).exits(0);
    session.run(&["plan", "--detailed-exitcode"]).exits(0);
    ends(&session);
}

/// A group that is somebody else's is not taken.
#[test]
fn b8_a_group_of_the_same_name_is_not_taken_over_unasked() {
    let session = Session::with(&format!("{HEAD}{SCHEDULED}"));
    session.behind_its_back(async |aws| {
        let call = aws.scheduler.create_schedule_group().name("life-default-main");
        call.send().await.expect("a group");
    });
    session.run(&["apply", "--yes"]).exits(3).says("schedule-group.main");
    session.run(&["apply", "--yes", "--adopt", "schedule-group.main"]).exits(0);
    session.run(&["plan", "--detailed-exitcode"]).exits(0);
    ends(&session);
}
