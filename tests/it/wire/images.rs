//! Images of private registries: looked up before anything is changed, waited for, run by their digests.

use std::collections::BTreeSet;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use super::life::{HEAD, Life};
use crate::harness::Session;

/// A service whose tag may be moved to another image.
const PINNED: &str = r#"
[network]
mode = "public"

[repo.api]
immutable = false

[service.api]
image = "${repo.api}:1.4"
"#;

/// What the tests' repository is called.
const REPOSITORY: &str = "life/default/api";

fn push(session: &Session, more: &Json) -> String {
    let mut asked = json!({ "repository": REPOSITORY, "tag": "1.4" });
    let more = more.as_object().expect("a table").clone();
    asked.as_object_mut().expect("a table").extend(more);
    session.push(&asked)["digest"].as_str().expect("a digest").to_owned()
}

/// The image of the only container that the service runs.
fn runs(life: &Life, service: &str) -> String {
    let revision = life.serving(service);
    life.session.behind_its_back(async |aws| {
        let told = aws.ecs.describe_task_definition().task_definition(revision).send().await;
        let told = told.expect("a description").task_definition.expect("a revision");
        told.container_definitions()[0].image().expect("an image").to_owned()
    })
}

/// The lines of the plan for people that name an image by its digest.
fn told(life: &Life) -> Vec<String> {
    let plan = life.session.run(&["plan"]).exits(0).stdout;
    plan.lines().filter(|line| line.contains("@sha256:")).map(|it| it.trim().to_owned()).collect()
}

fn pinned() -> Life {
    Life::begin(PINNED)
}

#[test]
fn b23_n11_tasks_run_by_digest_and_a_moved_tag_is_one_line() {
    let life = pinned();
    let session = &life.session;
    let first = push(session, &json!({}));
    assert!(runs(&life, "api").ends_with(&format!("{REPOSITORY}@{first}")));
    let second = push(session, &json!({ "version": 1 }));
    assert_ne!(first, second);
    let rolls = ["update task-definition.api", "update service.api"];
    assert_eq!(BTreeSet::from_iter(life.planned()), BTreeSet::from(rolls.map(str::to_owned)));
    let short = |digest: &str| format!("@{}…", &digest[..19]);
    let lines = told(&life);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains(&format!("api{}", short(&first))), "{lines:?}");
    assert!(lines[0].contains(&format!("api:1.4{}", short(&second))), "{lines:?}");
    life.apply();
    assert!(runs(&life, "api").ends_with(&second));
    life.nothing_is_left();
    life.ends();
}

#[test]
fn a_tag_that_is_not_there_is_refused_before_anything_is_changed() {
    let life = pinned();
    life.edit(&[("repo.api}:1.4", "repo.api}:1.5")]);
    life.session.set(&json!({ "developer-pushes": -1 }));
    life.session.forget_calls();
    let refused = life.session.run(&["apply", "--yes"]).exits(3).says("E0390");
    refused.says("there is no image `life/default/api:1.5`").says("did you mean `1.4`?");
    assert!(life.session.calls().changes().is_empty());
    life.session.run(&["status"]).exits(0);
    push(&life.session, &json!({ "tag": "1.5" }));
    life.apply();
    life.nothing_is_left();
    // By hand it is left to ECS, and then it is no matter whether it is there.
    life.edit(&[("repo.api}:1.5\"", "repo.api}:1.6\"\npin = false")]);
    life.session.forget_calls();
    assert_eq!(life.planned().len(), 2);
    assert_eq!(life.session.calls().count("BatchGetImage"), 0);
    push(&life.session, &json!({ "tag": "1.6" }));
    life.apply();
    assert!(runs(&life, "api").ends_with(":1.6"));
    life.nothing_is_left();
    life.ends();
}

#[test]
fn a_new_repository_is_waited_for_until_somebody_pushes() {
    let session = Session::with(&format!("{HEAD}{PINNED}"));
    session.set(&json!({ "developer-pushes": -1 }));
    let plan = session.run(&["plan"]).exits(0);
    plan.says("… wait   image api-1-4").says("until it is pushed").says("1 to wait for.");
    let run = |until: &dyn Fn()| {
        let mut command = session.command(&["apply", "--yes"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let run = command.spawn().expect("the binary starts");
        let since = Instant::now();
        while session.calls().count("BatchGetImage") < 2 {
            assert!(since.elapsed() < Duration::from_secs(60), "nothing is waited for");
            std::thread::sleep(Duration::from_millis(20));
        }
        (run, until()).0
    };
    let mut first = run(&|| {});
    first.kill().expect("it runs");
    let first = first.wait_with_output().expect("it has ended");
    let said = String::from_utf8_lossy(&first.stderr);
    assert!(said.contains("docker push") && said.contains("/life/default/api:1.4`"), "{said}");
    assert_eq!(session.calls().count("RegisterTaskDefinition"), 0);
    session.forget_calls();
    let second = run(&|| drop(push(&session, &json!({}))));
    let second = second.wait_with_output().expect("it has ended");
    assert_eq!(second.status.code(), Some(0), "{second:?}");
    let life = Life { session };
    life.nothing_is_left();
    life.ends();
}

/// A registry of others, in another region; what is there is told, and stays there.
#[test]
fn an_image_for_another_processor_is_refused_before_anything_is_changed() {
    let session = Session::new();
    let made = json!({ "repositoryName": "base" });
    let target = "AmazonEC2ContainerRegistry_V20150921.CreateRepository";
    session.call("ecr", target, &made);
    session.push(&json!({ "repository": "base", "tag": "3", "platforms": ["linux/arm64"] }));
    let image = format!("{}.dkr.ecr.us-east-1.amazonaws.com/base:3", session.account);
    session.write(
        "ecsctl.toml",
        &format!("{HEAD}[network]\nmode = \"public\"\n[service.api]\nimage = \"{image}\"\n"),
    );
    let refused = session.run(&["apply", "--yes"]).exits(3).says("E0391");
    refused.says("`base:3` is not for linux/amd64, but for linux/arm64");
    assert!(session.calls().changes().iter().all(|call| *call == "CreateRepository"));
    session.replace(":3\"", ":3\"\narch = \"arm64\"");
    session.run(&["apply", "--yes"]).exits(0);
    session.run(&["plan", "--detailed-exitcode"]).exits(0);
    session.set(&json!({ "hide-images": 1 }));
    session.run(&["plan"]).exits(3).says("E0392").says("ecr:BatchGetImage");
    session.run(&["status"]).exits(0);
    session.run(&["destroy", "--yes"]).exits(0);
    let left = session.objects();
    assert!(left.iter().all(|object| object.kind == "repository") && left.len() == 1, "{left:?}");
}

/// However many containers have images of a repository, it is asked once.
#[test]
fn a_repository_is_asked_once() {
    let spec = r#"
[network]
mode = "public"

[repo.api]

[service.api]
image = "${repo.api}:1"

[service.api.container.side]
image = "${repo.api}:2"

[service.worker]
image = "${repo.api}:1"

[task.hello]
image = "${repo.api}:2"
"#;
    let session = Session::with(&format!("{HEAD}{spec}"));
    session.run(&["apply", "--yes"]).exits(0);
    session.forget_calls();
    session.run(&["plan", "--detailed-exitcode"]).exits(0);
    let calls = session.calls();
    assert_eq!((calls.count("BatchGetImage"), calls.count("DescribeImages")), (1, 0));
    let life = Life { session };
    life.ends();
}
