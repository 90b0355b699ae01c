//! The examples, as they stand, from nothing to nothing; and a stack in the weather that AWS has.

use std::collections::BTreeSet;

use ecsctl::kinds;
use serde_json::{Value as Json, json};

use super::life::{HTTP, Life, RUNNING, only_lookups_refused};
use crate::harness::session::is_change;
use crate::harness::stack::{OBJECTS_PER_SERVICE, OBJECTS_SHARED, with_every_kind, with_services};
use crate::harness::{Calls, Session};

/// Applies, finds nothing left with and without memory, changes, and destroys from the tags alone.
fn lives(session: &Session, arguments: &[&str], stack: &str, env: &str, region: &str) {
    begins(session, arguments);
    ready_before_it_is_used(&session.calls());
    ends(session, arguments, stack, env, region);
}

fn begins(session: &Session, arguments: &[&str]) {
    let run = |command: &[&str]| session.run(&[command, arguments].concat());
    run(&["check"]).exits(0);
    run(&["apply", "--yes"]).exits(0);
    only_lookups_refused(&session.calls());
}

fn ends(session: &Session, arguments: &[&str], stack: &str, env: &str, region: &str) {
    let run = |command: &[&str]| session.run(&[command, arguments].concat());
    run(&["plan", "--detailed-exitcode"]).exits(0);
    fs_err::remove_dir_all(session.folder.join("state")).expect("a state that is there");
    run(&["plan", "--detailed-exitcode"]).exits(0);
    // N8: nothing but the tags is needed, and nothing but what was there before stays.
    session.forget_calls();
    fs_err::remove_dir_all(session.folder.join("state")).expect("a state that is there");
    fs_err::remove_file(session.folder.join("ecsctl.toml")).expect("a spec that is there");
    session.run(&["destroy", "--stack", stack, "--env", env, "--region", region, "--yes"]).exits(0);
    only_lookups_refused(&session.calls());
    assert!(session.objects().is_empty(), "left behind: {:#?}", session.objects());
}

/// B9: no service is made before a listener or a rule forwards to its target group.
fn ready_before_it_is_used(calls: &Calls) {
    if let (Some(group), Some(service)) =
        (calls.position("CreateTargetGroup"), calls.position("CreateService"))
    {
        let forwards = ["CreateRule", "CreateListener"].map(|op| calls.position(op));
        assert!(group < service);
        assert!(forwards.iter().flatten().any(|forward| *forward < service), "{calls:?}");
    }
}

#[test]
fn hello_world_lives() {
    let session = Session::new();
    session.copy("examples/hello-world.toml", "ecsctl.toml");
    lives(&session, &[], "hello-world", "default", "us-east-1");
}

#[test]
fn hello_world_with_a_repository_lives() {
    let session = Session::new();
    session.copy("examples/hello-world-ecr/ecsctl.toml", "ecsctl.toml");
    lives(&session, &[], "hello-world", "default", "us-east-1");
}

#[test]
fn scorekeep_lives() {
    let session = Session::new();
    session.copy("examples/scorekeep/ecsctl.toml", "ecsctl.toml");
    session.copy("examples/scorekeep/tasks.toml", "tasks.toml");
    session.secrets("/scorekeep/session-key", "scorekeep/db");
    lives(&session, &["--var", "tag=v1"], "scorekeep", "default", "us-east-1");
}

#[test]
fn scorekeep_lives_in_dev() {
    let session = Session::new();
    session.copy("examples/scorekeep/ecsctl.toml", "ecsctl.toml");
    session.copy("examples/scorekeep/tasks.toml", "tasks.toml");
    session.secrets("/scorekeep/session-key", "scorekeep/db");
    lives(&session, &["--var", "tag=v1", "-e", "dev"], "scorekeep", "dev", "us-east-1");
}

/// Under a domain, whose zone is somebody else's.
#[test]
fn scorekeep_lives_in_prod() {
    let session = Session::new();
    session.copy("examples/scorekeep/ecsctl.toml", "ecsctl.toml");
    session.copy("examples/scorekeep/tasks.toml", "tasks.toml");
    // What is protected would not be destroyed.
    session.replace("protect = true\n", "");
    session.secrets("/scorekeep/session-key", "scorekeep/db");
    session.zone("example.com");
    lives(&session, &["--var", "tag=v1", "-e", "prod"], "scorekeep", "prod", "us-east-1");
}

#[test]
fn shop_lives() {
    let session = Session::new();
    session.copy("examples/shop/ecsctl.toml", "ecsctl.toml");
    lives(&session, &[], "shop", "default", "eu-west-1");
}

#[test]
fn autoscaling_lives() {
    let session = Session::new();
    session.copy("examples/autoscaling/ecsctl.toml", "ecsctl.toml");
    lives(&session, &[], "autoscaling", "default", "eu-west-1");
}

#[test]
fn canary_lives() {
    let session = Session::new();
    session.copy("examples/canary/ecsctl.toml", "ecsctl.toml");
    lives(&session, &[], "canary", "default", "eu-west-1");
}

/// TCP, TLS and UDP beside HTTP, and requests that two services share.
#[test]
fn mqtt_lives() {
    let session = Session::new();
    session.copy("examples/mqtt/ecsctl.toml", "ecsctl.toml");
    session.set(&json!({"check-ingress": 1}));
    session.zone("example.com");
    lives(&session, &[], "mqtt", "default", "eu-west-1");
}

/// B28: instances and what runs on them come and go in one pass.
#[test]
fn batch_lives() {
    let session = Session::new();
    session.copy("examples/batch/ecsctl.toml", "ecsctl.toml");
    lives(&session, &[], "batch", "default", "eu-west-1");
}

/// Tasks that see nothing of the internet start all the same: endpoints lead to whatever they need.
#[test]
fn private_lives() {
    let session = Session::new();
    session.copy("examples/private/ecsctl.toml", "ecsctl.toml");
    session.set(&json!({"check-egress": 1}));
    session.secrets("/private-shop/session-key", "private-shop/db");
    lives(&session, &[], "private-shop", "default", "us-east-1");
}

/// A network of somebody else's: its VPC, its public subnets and its private ones, each of another zone.
pub(super) fn foreign_network(session: &Session) -> (String, Vec<String>) {
    session.behind_its_back(async |aws| {
        let made = aws.ec2.create_vpc().cidr_block("10.20.0.0/16").send().await.expect("a VPC");
        let vpc = made.vpc().and_then(|vpc| vpc.vpc_id()).expect("its id").to_owned();
        let made = aws.ec2.create_internet_gateway().send().await.expect("a gateway");
        let gateway = made.internet_gateway().and_then(|it| it.internet_gateway_id());
        let call = aws.ec2.attach_internet_gateway().vpc_id(&vpc);
        call.set_internet_gateway_id(gateway.map(str::to_owned)).send().await.expect("attached");
        let mut subnets = Vec::new();
        for (number, zone) in ["a", "b", "a", "b"].iter().enumerate() {
            let call = aws.ec2.create_subnet().vpc_id(&vpc);
            let call = call.cidr_block(format!("10.20.{number}.0/24"));
            let call = call.availability_zone(format!("us-east-1{zone}"));
            let made = call.send().await.expect("a subnet");
            let id = made.subnet().and_then(|subnet| subnet.subnet_id());
            subnets.push(id.expect("its id").to_owned());
        }
        (vpc, subnets)
    })
}

/// What stands in somebody else's network comes and goes; the network stays as it was.
#[test]
fn existing_network_lives() {
    let session = Session::new();
    session.copy("examples/existing-network/ecsctl.toml", "ecsctl.toml");
    let (vpc, subnets) = foreign_network(&session);
    let names = [("vpc-0123456789abcdef0", &vpc)];
    let given =
        ["a", "b", "c", "d"].map(|letter| format!("subnet-0{letter}00000000000000{letter}"));
    for (old, new) in names.into_iter().chain(given.iter().map(String::as_str).zip(&subnets)) {
        session.replace(old, new);
    }
    let before = session.objects();
    session.forget_calls();
    session.run(&["apply", "--yes"]).exits(0);
    let calls = session.calls();
    only_lookups_refused(&calls);
    let of_networks = ["Vpc", "Subnet", "InternetGateway", "RouteTable", "NatGateway"];
    let touched =
        |call: &&str| is_change(call) && of_networks.iter().any(|noun| call.ends_with(noun));
    assert_eq!(calls.changes().into_iter().find(touched), None, "{calls:?}");
    session.run(&["plan", "--detailed-exitcode"]).exits(0);
    // A subnet that is not there, two of one zone, and one of another VPC are told before anything is done.
    session.forget_calls();
    session.replace(&subnets[3], "subnet-0a1b2c3d");
    session.run(&["plan"]).exits(3).says("there is no subnet subnet-0a1b2c3d in us-east-1");
    session.replace("subnet-0a1b2c3d", &subnets[3]);
    session.replace(&subnets[1], &subnets[2]);
    session.run(&["apply", "--yes"]).exits(3).says("are both in us-east-1a");
    session.replace(&format!("vpc = \"{vpc}\""), "vpc = \"vpc-0a1b2c3d\"");
    session.run(&["plan"]).exits(3).says(&format!("is in {vpc}, and not in vpc-0a1b2c3d"));
    assert_eq!(session.calls().changes(), [""; 0]);
    session.run(&["destroy", "--yes"]).exits(0);
    assert_eq!(session.objects(), before, "somebody else's network is another one");
}

/// The address of the load balancer is the first that a user wants to know.
#[test]
fn hello_world_tells_its_url_and_rolls_a_new_image() {
    let session = Session::new();
    session.copy("examples/hello-world.toml", "ecsctl.toml");
    session.run(&["apply", "--yes"]).exits(0).says("http://");
    session.replace("httpd:2.4", "httpd:2.5");
    session.forget_calls();
    session.run(&["apply", "--yes"]).exits(0).says("http://");
    assert_eq!(session.calls().changes(), ["RegisterTaskDefinition", "UpdateService"]);
    session.run(&["destroy", "--yes"]).exits(0);
    assert!(session.objects().is_empty());
}

/// B12, B13: new roles, new service-linked roles and new objects are not there at once for everybody: one
/// apply goes through all the same.
#[test]
fn b12_b13_what_is_not_visible_at_once_is_waited_for() {
    let life = Life::bare(&HTTP);
    life.session.set(&json!({
        "role-visible-after": 1.0, "fresh": 1, "service-linked-role-after": 0.5, "ec2-visible-after": 0.4,
    }));
    life.session.run(&["apply", "--yes"]).exits(0);
    assert!(!life.session.calls().refused().is_empty(), "the server did not hide anything");
    life.nothing_is_left();
    life.ends();
}

/// Lists come in pages.
#[test]
fn b41_pages_are_read_to_the_end() {
    let life = Life { session: Session::with(&with_services(3)) };
    life.session.set(&json!({"page-size-max": 1}));
    life.apply();
    life.nothing_is_left();
    life.ends();
}

/// Issue §5: an empty plan is at most 60 + 2.2 N calls, an apply at most 1.3 changing calls an object.
#[test]
fn b41_calls_keep_to_their_budget() {
    for services in [1, 10] {
        let session = Session::with(&with_services(services));
        session.run(&["apply", "--yes"]).exits(0);
        let applied = session.calls();
        only_lookups_refused(&applied);
        let objects = OBJECTS_SHARED + OBJECTS_PER_SERVICE * services;
        let changes = applied.changes().len();
        assert!(
            changes * 10 <= objects * 13,
            "{changes} changes for {objects} objects: {applied:?}"
        );
        // The very first plan knows what the apply registered.
        session.forget_calls();
        session.run(&["plan", "--detailed-exitcode"]).exits(0);
        let calls = session.calls();
        let budget = 60 + 22 * services / 10;
        assert!(calls.len() <= budget, "{} calls, not {budget}: {calls:?}", calls.len());
        assert!(calls.changes().is_empty(), "{calls:?}");
        session.run(&["destroy", "--yes"]).exits(0);
        assert!(session.objects().is_empty(), "{:?}", session.objects());
    }
}

/// A snapshot of a volume; its id.
fn snapshot(session: &Session) -> String {
    session.behind_its_back(async |aws| {
        let volume = aws.ec2.create_volume().availability_zone("us-east-1a").size(8).send().await;
        let volume = volume.expect("a volume").volume_id.expect("an id");
        let made = aws.ec2.create_snapshot().volume_id(&volume).send().await.expect("a snapshot");
        aws.ec2.delete_volume().volume_id(volume).send().await.expect("nobody uses it");
        made.snapshot_id.expect("an id")
    })
}

/// What no example has and users may write.
#[test]
fn rarely_used_keys_do_what_they_say() {
    let session = Session::with(include_str!("../../specs/keys.toml"));
    session.secrets("/keys/token", "keys/none");
    session.replace("snap-0123456789abcdef0", &snapshot(&session));
    begins(&session, &[]);
    ends(&session, &[], "keys", "default", "us-east-1");
}

/// Issue §5: so does a stack with every kind in it.
#[test]
fn b41_every_kind_in_one_stack_keeps_to_the_budget() {
    let session = with_every_kind();
    let plan = session.run(&["plan", "--format", "json"]).exits(0);
    let plan: Json = serde_json::from_str(&plan.stdout).expect("a plan");
    let addresses = plan["steps"].as_array().expect("steps").iter();
    let addresses = addresses.filter_map(|step| step["address"].as_str());
    let there: BTreeSet<&str> = addresses.filter_map(|at| at.split('.').next()).collect();
    let all: BTreeSet<&str> = kinds::all().iter().map(|kind| kind.name_of()).collect();
    assert_eq!(there, all, "not every kind is in the stack");
    session.run(&["apply", "--yes"]).exits(0);
    session.forget_calls();
    session.run(&["plan", "--detailed-exitcode"]).exits(0);
    let calls = session.calls();
    let services = there_are(&session, "service");
    let budget = 60 + 22 * services / 10;
    assert!(calls.len() <= budget, "{} calls, not {budget}: {calls:?}", calls.len());
    assert!(calls.changes().is_empty(), "{calls:?}");
    session.run(&["destroy", "--yes"]).exits(0);
    assert!(
        session.objects().iter().all(|object| object.kind == "task"),
        "{:?}",
        session.objects()
    );
}

fn there_are(session: &Session, kind: &str) -> usize {
    session.objects().iter().filter(|object| object.kind == kind).count()
}

/// B41: AWS registers one task definition a second after the first twenty; who waits for that has not
/// stalled, and fails for nothing.
#[test]
fn b41_what_waits_for_its_turn_has_not_stalled() {
    let definition = |number| {
        format!(
            "\n[aws.task-definition.t{number}]\ncpu = 256\nmemory = 512\n\
             containers.app = {{ image = \"httpd:2.4\" }}\n"
        )
    };
    let life = Life::bare(&(0..30).map(definition).collect::<String>());
    let calls = life.apply();
    assert_eq!(calls.changes(), ["RegisterTaskDefinition"; 30], "{calls:?}");
    life.nothing_is_left();
}

/// B26, B27: whatever else holds a network is waited for or named, never deleted.
#[test]
fn b26_a_network_in_use_by_somebody_else_is_not_torn_down() {
    let life = Life::begin(RUNNING);
    let subnet = life.object("subnet.a").id;
    let interface = life.session.behind_its_back(async |aws| {
        let made = aws.ec2.create_network_interface().subnet_id(&subnet).description("mine");
        let made = made.send().await.expect("an interface");
        made.network_interface().and_then(|it| it.network_interface_id()).expect("an id").to_owned()
    });
    let mut destroy =
        life.session.command(&["destroy", "--yes"]).spawn().expect("the binary starts");
    std::thread::sleep(std::time::Duration::from_secs(8));
    assert!(destroy.try_wait().expect("a status").is_none(), "it gave up at once");
    life.session.behind_its_back(async |aws| {
        let call = aws.ec2.delete_network_interface().network_interface_id(&interface);
        call.send().await.expect("nobody else has deleted it");
    });
    assert!(destroy.wait().expect("an end").success());
    assert!(life.session.objects().is_empty(), "{:#?}", life.session.objects());
}
