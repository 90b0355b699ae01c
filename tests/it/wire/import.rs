//! `ecsctl import`: what it makes of task definitions and services is what they are. The documents lie
//! in `tests/import`.

use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use super::life::{HTTP, Life};
use crate::harness::Session;

/// The ECS service of the API, for calls in its own words.
const API: &str = "AmazonEC2ContainerServiceV20141113";
/// So many revisions may be registered at once: AWS's burst is 20.
const PORTION: usize = 15;

/// The documents of a folder below `tests/import`: name and file.
fn documents(folder: &str) -> Vec<(String, PathBuf)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/import").join(folder);
    let mut files: Vec<PathBuf> = fs_err::read_dir(&folder)
        .expect("a folder of documents")
        .map(|entry| entry.expect("a document").path())
        .collect();
    files.sort();
    let name = |file: &Path| file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    files.into_iter().map(|file| (name(&file), file)).collect()
}

fn read(file: &Path) -> Json {
    let text = fs_err::read_to_string(file).expect("a document");
    let document: Json = serde_json::from_str(&text).expect("JSON");
    document.get("taskDefinition").cloned().unwrap_or(document)
}

/// All of them in one spec, each imported by itself. They differ in their families.
fn import_all(session: &Session, documents: &[(String, PathBuf)]) {
    let mut spec = "ecsctl = 1\nstack = \"imported\"\nregion = \"us-east-1\"\n".to_owned();
    for (name, file) in documents {
        let output = session.run(&["import", "taskdef", &file.display().to_string()]).exits(0);
        assert_eq!(output.stderr, "", "{name}");
        let at = output.stdout.find("\n[aws.").expect("a declaration");
        spec.push_str(&output.stdout[at..]);
    }
    session.write("ecsctl.toml", &spec);
}

/// Runs `act` with a portion of the documents each, side by side, each in an account of its own.
fn in_portions(act: impl Fn(&Session, &[(String, PathBuf)]) + Sync) {
    let documents = documents("task-definitions");
    assert!(documents.len() >= 30, "only {} documents", documents.len());
    std::thread::scope(|scope| {
        for portion in documents.chunks(PORTION) {
            let act = &act;
            scope.spawn(move || act(&Session::new(), portion));
        }
    });
}

fn described(session: &Session, family: &str) -> Json {
    let target = format!("{API}.DescribeTaskDefinition");
    let told = session.call("ecs", &target, &json!({ "taskDefinition": family }));
    told["taskDefinition"].clone()
}

/// Whoever imports a task definition and applies the spec gets the same task definition, and
/// nothing is left to do.
#[test]
fn b1_an_imported_task_definition_is_registered_as_it_was() {
    in_portions(|session, documents| {
        import_all(session, documents);
        session.run(&["apply", "--yes"]).exits(0);
        for (name, file) in documents {
            let was = read(file);
            let is = described(session, was["family"].as_str().expect("a family"));
            assert_eq!(normalised(&is), normalised(&was), "{name}");
        }
        session.run(&["plan", "--detailed-exitcode"]).exits(0);
    });
}

/// What stands already is taken over as it is: only its tags change, and then nothing is left to do.
/// Import reads what describe tells like what was registered.
#[test]
fn b1_an_imported_task_definition_that_stands_is_taken_over_as_it_is() {
    in_portions(|session, documents| {
        for (_, file) in documents {
            let mut call = read(file);
            for own in OWN {
                call.as_object_mut().expect("an object").remove(own);
            }
            session.call("ecs", &format!("{API}.RegisterTaskDefinition"), &call);
        }
        import_all(session, documents);
        let spec = fs_err::read_to_string(session.folder.join("ecsctl.toml")).expect("the spec");
        let names = spec.lines().filter_map(|line| {
            let name = line.strip_prefix("[aws.task-definition.")?.strip_suffix(']')?;
            (!name.contains('.')).then(|| format!("task-definition.{name}"))
        });
        let mut line = vec!["apply".to_owned(), "--yes".to_owned()];
        line.extend(names.flat_map(|name| ["--adopt".to_owned(), name]));
        session.forget_calls();
        session.run(&line.iter().map(String::as_str).collect::<Vec<_>>()).exits(0);
        let calls = session.calls();
        assert_eq!(calls.count("RegisterTaskDefinition"), 0, "{calls:?}");
        assert_eq!(calls.count("TagResource"), documents.len(), "{calls:?}");
        session.run(&["plan", "--detailed-exitcode"]).exits(0);
        for (name, file) in documents {
            let family = read(file)["family"].clone();
            let told = described(session, family.as_str().expect("a family"));
            session.write("told.json", &json!({ "taskDefinition": told }).to_string());
            let own = session.run(&["import", "taskdef", &file.display().to_string()]);
            let again = session.run(&["import", "taskdef", "told.json"]).exits(0);
            let below_the_head =
                |text: &str| text.split_once("\n[aws.").map(|(_, it)| it.to_owned());
            assert_eq!(below_the_head(&again.stdout), below_the_head(&own.stdout), "{name}");
        }
    });
}

/// What this version does not know is a comment and a warning, and the rest is a sound spec.
#[test]
fn what_is_not_known_is_said() {
    let session = Session::new();
    let mut told = String::new();
    for (name, file) in documents("unknown") {
        let output = session.run(&["import", "taskdef", &file.display().to_string()]).exits(0);
        session.write("ecsctl.toml", &output.stdout);
        session.run(&["check"]).exits(0);
        let comments = output.stdout.lines().filter(|line| line.contains("not taken over"));
        let comments: Vec<&str> = comments.collect();
        let warnings = output.stderr.matches("is not taken over").count();
        assert_eq!(warnings, comments.len(), "{name}: {output:?}");
        told.push_str(&format!("{name}\n{}\n", comments.join("\n")));
    }
    insta::assert_snapshot!(told, @r#"
    elastic-inference
    # not taken over: inferenceAccelerators = [{"deviceName":"device_1","deviceType":"eia1.medium"}]: ecsctl does not know it
    shared-gpu
    # not taken over: containerDefinitions.embedder.resourceRequirements.GPU.sharingStrategy = {"nvidiaMps":{"maxComputePercent":50,"memory":4096}}: ecsctl does not know it
    trusted-execution
    # not taken over: trustedExecutionConfiguration = {"isolationMode":"ISOLATED_SANDBOX"}: ecsctl does not know it
    unknown-words
    # not taken over: hibernation = "enabled": ecsctl does not know it
    # not taken over: containerDefinitions.app.environment.LEVEL = "info": it is there twice, and the last one counts
    # not taken over: containerDefinitions.app.logConfiguration.logDriver = "quantum": ecsctl knows awslogs, awsfirelens, splunk, fluentd, gelf, json-file, journald or syslog
    # not taken over: containerDefinitions.app.logConfiguration = {"logDriver":"quantum","options":{"entangled":"true"}}: without `driver` it means nothing
    # not taken over: containerDefinitions.app.mountPoints.0.propagation = "shared": ecsctl does not know it
    # not taken over: containerDefinitions.app.warmPool = {"size":2}: ecsctl does not know it
    # not taken over: containerDefinitions.app.healthCheck.jitter = 3: ecsctl does not know it
    "#);
}

/// A service that stands is taken over with its task definition: no task is touched, and then nothing
/// is left to do.
#[test]
fn b7_an_imported_service_is_taken_over_as_it_is() {
    let life = Life::begin(&HTTP);
    taken_over(&life, "web", &[]);
}

/// The same of services that are rolled out in steps, that have hooks, alarms, disks, names for others, and instances
/// of their own.
#[test]
fn b7_whatever_a_service_has_is_taken_over() {
    let canary = r#"{ strategy = "canary", percent = 12.5, step = "7m", bake = "3m", alarms = ["errors"], test-port = 9000, pause = "post-scale-up", pause-timeout = "2h", hooks.smoke = { at = ["post-test-traffic", "pre-scale-up"], lambda = "arn:aws:lambda:us-east-1:123456789012:function:good" } }"#;
    let linear = r#"{ strategy = "linear", percent = 25, step = "2m" }"#;
    for (spec, says) in [
        (
            web(&format!("deploy = {canary}\nalarms.errors = 10\n")),
            &[
                "\"CANARY\"",
                "bake-time-in-minutes",
                "percent = 12.5",
                "\"POST_SCALE_UP\"",
                "timeout-in-minutes = 120",
                "alarm-names",
                "test-listener-rule",
                "production-listener-rule",
            ][..],
        ),
        (web(&format!("deploy = {linear}\n")), &["step-percent", "\"LINEAR\""][..]),
        (web("deploy = \"blue-green\"\n"), &["\"BLUE_GREEN\""][..]),
        (
            web("deploy = { min = 50, max = 150, alarms = [\"errors\"], rollback = false }\n\
                 alarms.errors = 10\nspot = \"50%\"\n"),
            &["alarm-names", "FARGATE_SPOT"][..],
        ),
        (
            web("public = false\nconnect = true\n\n[service.web.volume.data]\ntype = \"ebs\"\n\
                 size = \"20GB\"\nmount = \"/data\"\n"),
            &["size-in-gib", "service-connect-configuration"][..],
        ),
        (
            web("public = false\ncapacity = \"own\"\nnetwork-mode = \"bridge\"\n\
                 place = { spread = [\"az\"], binpack = \"memory\", distinct = true, \
                 where = \"attribute:ecs.instance-type =~ t3.*\" }\n\n[capacity.own]\n\
                 type = \"ec2\"\ninstances = [\"t3.medium\"]\ncount = { max = 6 }\n"),
            &["placement-strategy", "distinctInstance", "memberOf"][..],
        ),
    ] {
        taken_over(&Life::begin(&spec), "web", says);
    }
}

fn web(keys: &str) -> String {
    format!(
        "\n[network]\nmode = \"public\"\nnat = \"none\"\n\n[service.web]\nimage = \"httpd:2.4\"\n\
         port = 80\ncount = 2\n{keys}"
    )
}

/// Lets go of the service `name`, imports it, and takes it over: nothing is lost, and the spec has these words.
fn taken_over(life: &Life, name: &str, says: &[&str]) {
    let session = &life.session;
    let service = life.object(&format!("service.{name}"));
    let (_, place) = service.arn.split_once(":service/").expect("a service's ARN");
    let (cluster, full) = place.split_once('/').expect("a cluster and a name");
    let both = [service.clone(), life.object(&format!("task-definition.{name}"))];
    session.behind_its_back(async |aws| {
        for object in &both {
            let keys = object.tags.keys().cloned().collect();
            let call = aws.ecs.untag_resource().resource_arn(&object.arn);
            call.set_tag_keys(Some(keys)).send().await.expect("tags go");
            let tag = |key: &str, value: &str| {
                aws_sdk_ecs::types::Tag::builder().key(key).value(value).build()
            };
            let call = aws.ecs.tag_resource().resource_arn(&object.arn);
            call.tags(tag("team", "shop")).send().await.expect("a tag");
        }
    });
    let place = ["--cluster", cluster, "--service", full];
    let line = [&["import", "service"], &place[..], &["--out", "web.toml"]].concat();
    let output = session.run(&line).exits(0);
    let text = fs_err::read_to_string(session.folder.join("web.toml")).expect("a spec");
    assert!(!output.stderr.contains("not taken over"), "{output:?}");
    for words in says {
        assert!(text.contains(words), "no `{words}` in {text}");
    }
    session.run(&line).exits(3).says("`web.toml` exists already");
    let hint = output.stderr.split('`').nth(1).expect("a command").replace("ecsctl ", "");
    let plan: Vec<&str> = hint.split(' ').collect();
    session.run(&plan).exits(0).says("2 to take over");
    let apply: Vec<&str> = plan
        .iter()
        .map(|word| if *word == "plan" { "apply" } else { word })
        .chain(["--yes"])
        .collect();
    session.forget_calls();
    session.run(&apply).exits(0);
    let calls = session.calls();
    let tags_alone = calls.changes().into_iter().all(|call| call == "TagResource");
    assert!(tags_alone, "{calls:?} of\n{text}");
    session.run(&["plan", "-f", "web.toml", "--detailed-exitcode"]).exits(0);
}

#[test]
fn a_service_that_is_not_there_is_told_from_those_that_are() {
    let session = Session::new();
    session
        .run(&["import", "service", "--cluster", "none", "--service", "web"])
        .exits(1)
        .says("E0317");
    session.call("ecs", &format!("{API}.CreateCluster"), &json!({ "clusterName": "main" }));
    let line = ["import", "service", "--cluster", "main", "--service", "web"];
    session.run(&line).exits(1).says("there is no service `web` in the cluster `main`");
}

/// What AWS says of a task definition besides what it is.
const OWN: [&str; 8] = [
    "taskDefinitionArn",
    "revision",
    "status",
    "requiresAttributes",
    "compatibilities",
    "registeredAt",
    "registeredBy",
    "tags",
];

/// Lists whose order counts.
const ORDERED: [&str; 6] = [
    "command",
    "entryPoint",
    "environmentFiles",
    "dnsServers",
    "dnsSearchDomains",
    "credentialSpecs",
];

/// What each member is when it is left out: "Task definition parameters" of the developer guide.
fn usual(member: &str) -> Option<Json> {
    Some(match member {
        "essential" => json!(true),
        "protocol" => json!("tcp"),
        "cpu" | "hostPort" | "containerPort" | "startPeriod" => json!(0),
        "interval" => json!(30),
        "timeout" => json!(5),
        "retries" => json!(3),
        "restartAttemptPeriod" => json!(300),
        "versionConsistency" => json!("enabled"),
        "rootDirectory" => json!("/"),
        "transitEncryption" | "iam" => json!("DISABLED"),
        "cpuArchitecture" => json!("X86_64"),
        "operatingSystemFamily" => json!("LINUX"),
        "driver" => json!("local"),
        "scope" => json!("task"),
        "networkMode" => json!("bridge"),
        _ => return None,
    })
}

/// A task definition without what AWS adds, without defaults, its unordered lists sorted.
fn normalised(document: &Json) -> Json {
    let mut document = document.clone();
    let members = document.as_object_mut().expect("an object");
    members.retain(|member, _| !OWN.contains(&member.as_str()));
    for (member, unit, factor) in [("cpu", "vCPU", 1024.0), ("memory", "GB", 1024.0)] {
        let Some(text) = members.get(member).and_then(Json::as_str) else { continue };
        if let Some(number) = text.strip_suffix(unit) {
            let number: f64 = number.trim().parse().expect("a number");
            members.insert(member.to_owned(), json!(format!("{}", number * factor)));
        }
    }
    let shared =
        matches!(members.get("networkMode").and_then(Json::as_str), Some("awsvpc" | "host"));
    let fargate =
        members.get("requiresCompatibilities").is_some_and(|it| it.to_string().contains("FARGATE"));
    for container in members["containerDefinitions"].as_array_mut().expect("containers") {
        if fargate && container["stopTimeout"] == 30 {
            container["stopTimeout"] = Json::Null;
        }
        if container["restartPolicy"]["enabled"] == false {
            container["restartPolicy"] = Json::Null;
        }
        for port in container["portMappings"].as_array_mut().into_iter().flatten() {
            if shared && port["hostPort"] == port["containerPort"] {
                port["hostPort"] = Json::Null;
            }
        }
    }
    lean("", &document).expect("something is left")
}

fn lean(member: &str, value: &Json) -> Option<Json> {
    match value {
        Json::Null | Json::Bool(false) => None,
        Json::String(text) if text.is_empty() => None,
        value if usual(member).as_ref() == Some(value) => None,
        Json::Array(items) => {
            let mut items: Vec<Json> = items.iter().filter_map(|item| lean("", item)).collect();
            if !ORDERED.contains(&member) && items.first() != Some(&json!("CMD-SHELL")) {
                items.sort_by_key(Json::to_string);
            }
            (!items.is_empty()).then_some(Json::Array(items))
        }
        Json::Object(members) => {
            let left = members
                .iter()
                .filter_map(|(member, value)| Some((member.clone(), lean(member, value)?)));
            let left: serde_json::Map<String, Json> = left.collect();
            (!left.is_empty()).then_some(Json::Object(left))
        }
        value => Some(value.clone()),
    }
}
