//! One run at a time changes a stack, on one machine or on many, whoever dies or sleeps when (N9, B37).

use std::collections::BTreeSet;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::life::{HEAD, Life, RUNNING};
use crate::harness::Session;
use crate::harness::proxy::{Fault, Proxy};

/// The lease of these tests; a holder that is gone blocks nobody for longer.
const LEASE: Duration = Duration::from_secs(2);

/// A stack whose service rolls, with its lock in `store`, or in the folder.
fn rolling(store: Option<&str>) -> String {
    let store = store.map(|store| format!("store = \"{store}\"\n")).unwrap_or_default();
    format!("[state]\nlease = \"2s\"\n{store}{RUNNING}")
}

/// A run that calls itself `name`.
fn begin(session: &Session, name: &str, arguments: &[&str]) -> Child {
    let mut command = session.command(&[&["apply", "--yes"], arguments].concat());
    command.env("AWS_SDK_UA_APP_ID", name);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("the binary starts")
}

fn signal(run: &Child, signal: &str) {
    let status = Command::new("kill").args([signal, &run.id().to_string()]).status();
    assert!(status.expect("kill").success());
}

fn wait_for(session: &Session, operation: &str) {
    while session.calls().count(operation) == 0 {
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A holder in the midst of a rollout that does not end.
fn holding(life: &Life) -> Child {
    life.session.set(&serde_json::json!({"task-start": 60.0}));
    life.edit(&[("httpd:2.4", "httpd:2.5")]);
    life.session.forget_calls();
    let run = begin(&life.session, "holder", &[]);
    wait_for(&life.session, "UpdateService");
    run
}

fn keeps_others_out(store: impl Fn(&Session) -> Option<String>) {
    let session = Session::new();
    let store = store(&session);
    let life = Life::begin_in(session, &rolling(store.as_deref()));
    let mut holder = holding(&life);
    let other = life.session.run(&["apply", "--yes"]).exits(5);
    other.says("error[E0408]: `ecsctl apply` of somebody@").says("holds the lock");
    // It is renewed for as long as its holder lives.
    std::thread::sleep(LEASE * 2);
    life.session.run(&["destroy", "--yes"]).exits(5);
    life.session.run(&["lock", "show"]).exits(0).says("`ecsctl apply` of somebody@");
    let shown = life.session.run(&["lock", "show", "--format", "json"]).exits(0).stdout;
    let shown: serde_json::Value = serde_json::from_str(&shown).expect("a document");
    assert_eq!(shown["lock"]["holder"]["process"], holder.id(), "{shown}");
    life.session.run(&["plan"]).exits(0);
    holder.kill().expect("it can be killed");
    holder.wait().expect("it has ended");
    life.session.set(&serde_json::json!({"task-start": 0.1}));
    life.edit(&[("httpd:2.5", "httpd:2.6")]);
    // No more than the lease is left of it.
    life.session.run(&["apply", "--yes", "--lock-timeout", "4s"]).exits(0);
    life.session.run(&["lock", "show"]).exits(0).says("nobody holds the lock");
    life.nothing_is_left();
    life.ends();
}

#[test]
fn n9_the_lock_in_a_folder_keeps_others_out_and_does_not_outlive_its_holder() {
    keeps_others_out(|_| None);
}

#[test]
fn n9_the_lock_in_s3_keeps_others_out_and_does_not_outlive_its_holder() {
    keeps_others_out(|session| Some(session.bucket()));
}

/// A holder stands still for longer than its lease, and another run takes the lock: it changes nothing
/// more when it wakes up.
fn wakes_up_too_late(store: impl Fn(&Session) -> Option<String>) {
    let session = Session::new();
    let store = store(&session);
    let life = Life::begin_in(session, &rolling(store.as_deref()));
    let holder = holding(&life);
    signal(&holder, "-STOP");
    life.session.set(&serde_json::json!({"task-start": 0.1}));
    life.edit(&[("httpd:2.5", "httpd:2.6")]);
    let other = begin(&life.session, "other", &["--lock-timeout", "6s"]);
    let other = other.wait_with_output().expect("it has ended");
    assert_eq!(other.status.code(), Some(0), "{other:?}");
    signal(&holder, "-CONT");
    let holder = holder.wait_with_output().expect("it has ended");
    assert_eq!(holder.status.code(), Some(5), "{holder:?}");
    let said = String::from_utf8_lossy(&holder.stderr);
    assert!(said.contains("error[E0412]: the lock ran out, and another run took it"), "{said}");
    assert_eq!(life.session.calls().callers(), ["holder", "other"]);
    life.nothing_is_left();
    life.ends();
}

#[test]
fn n9_who_wakes_up_after_its_lease_in_a_folder_changes_nothing_more() {
    wakes_up_too_late(|_| None);
}

#[test]
fn n9_who_wakes_up_after_its_lease_in_s3_changes_nothing_more() {
    wakes_up_too_late(|session| Some(session.bucket()));
}

/// Twenty runs at once, each with something to change; a third of them is killed, a third stands still
/// for longer than the lease. No two of them ever change things by turns.
fn contend(store: impl Fn(&Session) -> Option<String>) {
    const RUNS: usize = 20;
    let session = Session::new();
    let store = store(&session).map(|store| format!("store = \"{store}\"\n")).unwrap_or_default();
    let groups = (0..6).map(|n| format!("[aws.log-group.g{n}]\nname = \"/${{var.run}}/{n}\"\n"));
    let groups: String = groups.collect();
    session.write(
        "ecsctl.toml",
        &format!(
            "{HEAD}[state]\nlease = \"2s\"\n{store}[vars]\nrun = {{ type = \"string\" }}\n{groups}"
        ),
    );
    let runs: Vec<_> = (0..RUNS)
        .map(|number| {
            let (name, own) = (format!("run-{number}"), format!("run=r{number}"));
            let run = begin(&session, &name, &["--var", &own, "--lock-timeout", "5m"]);
            std::thread::spawn(move || {
                let mut run = run;
                // Spread over the time that all of them take.
                std::thread::sleep(Duration::from_millis(400 + 700 * number as u64));
                let is_running = run.try_wait().expect("it can be asked").is_none();
                match number % 3 {
                    0 if is_running => run.kill().expect("it can be killed"),
                    1 if is_running => {
                        signal(&run, "-STOP");
                        std::thread::sleep(LEASE * 2);
                        signal(&run, "-CONT");
                    }
                    _ => {}
                }
                (number, run.wait_with_output().expect("it has ended"))
            })
        })
        .collect();
    let ends = runs.into_iter().map(|run| run.join().expect("it was waited for"));
    for (number, output) in ends {
        let code = output.status.code();
        // A run that stood still may have lost the lock; nobody else may.
        let is_well = code == Some(0)
            || number % 3 == 0 && code.is_none()
            || number % 3 == 1 && code == Some(5);
        assert!(is_well, "run {number}: {output:?}");
    }
    let calls = session.calls();
    let callers = calls.callers();
    let distinct: BTreeSet<&str> = callers.iter().copied().collect();
    assert_eq!(distinct.len(), callers.len(), "two at once: {callers:?}");
    assert!(distinct.len() >= RUNS / 3, "{callers:?}");
    session.run(&["lock", "show"]).exits(0).says("nobody holds the lock");
    session.run(&["destroy", "--yes"]).exits(0);
    assert!(session.objects().is_empty(), "{:?}", session.objects());
}

#[test]
fn n9_twenty_contend_for_a_lock_in_a_folder() {
    contend(|_| None);
}

#[test]
fn n9_twenty_contend_for_a_lock_in_s3() {
    contend(|session| Some(session.bucket()));
}

/// What one machine has done, the other sees.
#[test]
fn machines_that_share_a_store_share_their_history() {
    let session = Session::new();
    let store = session.bucket();
    session.write("ecsctl.toml", &format!("{HEAD}\n[aws.log-group.web]\nretention-in-days = 5\n"));
    session.run(&["apply", "--yes", "--state", "one", "--store", &store]).exits(0);
    session.replace("days = 5", "days = 7");
    session.run(&["apply", "--yes", "--state", "two", "--store", &store]).exits(0);
    let shown = session.run(&["state", "show", "--state", "three", "--store", &store]).exits(0);
    assert_eq!(shown.stdout.matches("1 of 1 step done").count(), 2, "{shown:?}");
    session.run(&["state", "show", "--state", "three"]).exits(0).says("no run is recorded");
    let nowhere = ["apply", "--yes", "--store", "s3://there-is-none"];
    session.run(&nowhere).exits(1).says("NoSuchBucket").says("aws s3 mb s3://there-is-none");
    // A plan may lie there, too.
    let kept = format!("{store}/next.plan");
    session.replace("days = 7", "days = 14");
    session.run(&["plan", "--out", &kept, "--store", &store]).exits(0);
    session.run(&["apply", "--yes", &kept, "--state", "four", "--store", &store]).exits(0);
    session.run(&["apply", "--yes", &format!("{store}/none")]).exits(1).says("E0403");
    session.run(&["destroy", "--yes", "--store", &store]).exits(0);
}

/// A copy of the journal that takes its time does not come after the last one.
#[test]
fn a_slow_copy_of_the_journal_is_not_the_last() {
    let session = Session::new();
    let store = session.bucket();
    session.write("ecsctl.toml", &format!("{HEAD}\n[aws.log-group.web]\n"));
    let proxy = Proxy::start(session.endpoint().trim_start_matches("http://")).expect("a proxy");
    let mut is_first = true;
    proxy.plan(Box::new(move |seen| {
        let is_copy = seen.operation == "PutObject" && !seen.input.contains("fence");
        (is_copy && std::mem::take(&mut is_first)).then_some(Fault::Delay(Duration::from_secs(2)))
    }));
    session.run_through(&proxy, &["apply", "--yes", "--store", &store]).exits(0);
    assert_eq!(proxy.struck().len(), 1);
    session.run(&["state", "show", "--store", &store]).exits(0).says("1 of 1 step done");
    session.run(&["destroy", "--yes", "--store", &store]).exits(0);
}

/// One bucket serves the stacks of several regions.
#[test]
fn a_store_may_lie_in_another_region() {
    let session = Session::new();
    let store = session.bucket();
    let spec = format!("{HEAD}[state]\nstore = \"{store}\"\n[aws.log-group.web]\n");
    session.write("ecsctl.toml", &spec.replace("us-east-1", "eu-west-1"));
    session.run(&["apply", "--yes"]).exits(0);
    session.run(&["state", "show"]).exits(0).says("1 of 1 step done");
    session.run(&["lock", "show"]).exits(0).says("nobody holds the lock");
    session.run(&["destroy", "--yes"]).exits(0);
    assert!(session.objects().is_empty());
}

/// A destroy without a spec does not pass by the lock that the spec names.
#[test]
fn a_destroy_by_tags_needs_the_lock_that_the_spec_names() {
    let session = Session::new();
    let store = session.bucket();
    let spec = format!("{HEAD}[state]\nstore = \"{store}\"\n[aws.log-group.web]\n");
    session.write("ecsctl.toml", &spec);
    session.run(&["apply", "--yes"]).exits(0);
    session.run(&["plan", "--detailed-exitcode"]).exits(0);
    let by_tags = ["destroy", "--yes", "--stack", "life"];
    session.run(&by_tags).exits(3).says("error[E0413]").says(&format!("--store {store}"));
    session.run(&[&by_tags[..], &["--store", &store]].concat()).exits(0);
    assert!(session.objects().is_empty());
}

/// Looking at the lock of a dead run changes nothing about it; S3 may refuse a write while another is
/// under way.
#[test]
fn n9_looking_and_conflicts_change_nothing() {
    let session = Session::new();
    let store = session.bucket();
    session.write("ecsctl.toml", &format!("{HEAD}[state]\nlease = \"15m\"\n[aws.log-group.web]\n"));
    let mut dead = begin(&session, "dead", &[]);
    wait_for(&session, "GetCallerIdentity");
    dead.kill().expect("it can be killed");
    dead.wait().expect("it has ended");
    for _ in 0..2 {
        session.run(&["lock", "show"]).exits(0).says("nobody holds the lock");
    }
    session.run(&["apply", "--yes"]).exits(0);
    session.set(&serde_json::json!({"write-conflicts": 3}));
    session.run(&["destroy", "--yes", "--store", &store]).exits(0);
}

/// A disk that would fill up, or that nobody may write, is found out before anything is changed.
#[cfg(unix)]
#[test]
fn a_disk_without_room_is_refused_before_anything_is_changed() {
    let life = Life::bare(RUNNING);
    // Files may not grow beyond 16 or 32 KiB: the lock fits, the journal does not.
    let script = "trap '' XFSZ; ulimit -f 32; exec \"$0\" apply --yes";
    let own = life.session.command(&[]);
    let binary = own.get_program().to_string_lossy().into_owned();
    let shell = std::path::Path::new("/bin/sh");
    let output = life.session.command_of(shell, &["-c", script, &binary]).output();
    let output = output.expect("the shell runs");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("error[E0401]: the state folder `state` cannot be used: "), "{said}");
    let unwritable = life.session.run(&["apply", "--yes", "--state", "/proc/ecsctl"]).exits(1);
    unwritable.says("error[E0401]");
    assert!(life.session.calls().changes().is_empty(), "{:?}", life.session.calls());
    life.session.run(&["apply", "--yes"]).exits(0);
    life.ends();
}
