//! B5: the API's defaults are no difference. B7: what a change does. B15, N5: the verdict on a rollout.

use aws_sdk_ecs::config::{BehaviorVersion, Config};
use aws_sdk_ecs::types as sdk;
use aws_sdk_ecs::types::DeploymentRolloutState as State;
use aws_sdk_ecs::types::ServiceDeploymentStatus as Status;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::Service;
use super::api::{self, EFFECTS, Effect};
use super::check::bounds;
use super::rollout::{Verdict, Watch, judge, progress};
use crate::address::Address;
use crate::kind::{Check, Kind as _, Shape, StackId};

const OLD: &str = "arn:aws:ecs:eu-west-1:1:task-definition/web:41";
const NEW: &str = "arn:aws:ecs:eu-west-1:1:task-definition/web:42";

fn parse(spec: Json) -> Service {
    serde_json::from_value(spec).unwrap()
}

fn short() -> Json {
    json!({
        "name": "web", "cluster": "arn:aws:ecs:eu-west-1:1:cluster/main", "task-definition": NEW,
        "desired-count": 2, "launch-type": "FARGATE", "network": { "subnets": ["subnet-1"] },
    })
}

fn with(changes: &Json) -> Json {
    let mut spec = short();
    for (key, value) in changes.as_object().unwrap() {
        spec[key] = value.clone();
    }
    spec
}

fn client() -> aws_sdk_ecs::Client {
    let config = Config::builder().behavior_version(BehaviorVersion::latest()).build();
    aws_sdk_ecs::Client::from_conf(config)
}

/// The service that CreateService makes of a declaration: as sent.
fn stored(spec: &Service) -> sdk::Service {
    let sent = api::creation(&client(), spec).as_input().clone().build().unwrap();
    sdk::Service::builder()
        .set_service_name(sent.service_name.clone())
        .set_cluster_arn(sent.cluster.clone())
        .set_task_definition(sent.task_definition.clone())
        .desired_count(sent.desired_count.unwrap_or(0))
        .set_launch_type(sent.launch_type.clone())
        .set_capacity_provider_strategy(sent.capacity_provider_strategy.clone())
        .set_platform_version(sent.platform_version.clone())
        .set_placement_constraints(sent.placement_constraints.clone())
        .set_placement_strategy(sent.placement_strategy.clone())
        .set_network_configuration(sent.network_configuration.clone())
        .set_load_balancers(sent.load_balancers.clone())
        .set_service_registries(sent.service_registries.clone())
        .deployments(
            sdk::Deployment::builder()
                .status("PRIMARY")
                .rollout_state(State::Completed)
                .set_volume_configurations(sent.volume_configurations.clone())
                .set_service_connect_configuration(sent.service_connect_configuration.clone())
                .build(),
        )
        .set_health_check_grace_period_seconds(sent.health_check_grace_period_seconds)
        .set_deployment_configuration(sent.deployment_configuration.clone())
        .set_deployment_controller(sent.deployment_controller.clone())
        .set_scheduling_strategy(sent.scheduling_strategy.clone())
        .enable_execute_command(sent.enable_execute_command.unwrap_or(false))
        .enable_ecs_managed_tags(sent.enable_ecs_managed_tags.unwrap_or(false))
        .set_propagate_tags(sent.propagate_tags.clone())
        .set_availability_zone_rebalancing(sent.availability_zone_rebalancing)
        .build()
}

/// Compared as a plan compares: a field that the declaration leaves out is not looked at.
fn managed(spec: &Service, live: &Service) -> (Json, Json) {
    let spec = serde_json::to_value(spec).unwrap();
    let mut live = serde_json::to_value(live).unwrap();
    live.as_object_mut().unwrap().retain(|field, _| spec.get(field).is_some());
    (spec, live)
}

fn full() -> Json {
    json!({
        "name": "web", "cluster": "arn:aws:ecs:eu-west-1:1:cluster/main", "task-definition": NEW,
        "desired-count": 4,
        "capacity-provider-strategy": [
            { "capacity-provider": "FARGATE_SPOT", "weight": 3 },
            { "capacity-provider": "FARGATE", "base": 1, "weight": 1 },
        ],
        "platform-version": "1.4.0",
        "network": {
            "subnets": ["subnet-2", "subnet-1"], "security-groups": ["sg-2", "sg-1"],
            "assign-public-ip": true,
        },
        "load-balancers": [
            { "target-group-arn": "arn:b", "container-name": "app", "container-port": 8080 },
            { "target-group-arn": "arn:a", "container-name": "app", "container-port": 8080 },
        ],
        "volumes": { "data": {
            "role-arn": "arn:aws:iam::1:role/volumes", "size-in-gib": 20, "volume-type": "io2",
            "iops": 4000, "snapshot-id": "snap-1", "volume-initialization-rate": 200,
            "encrypted": true, "kms-key-id": "arn:aws:kms:eu-west-1:1:key/k",
            "filesystem-type": "ext4", "tags": { "b": "2", "a": "1" }, "propagate-tags": "SERVICE",
        } },
        "service-registries": [
            { "registry-arn": "arn:c", "container-name": "app", "container-port": 8080 },
        ],
        "health-check-grace-period-seconds": 60,
        "deployment": {
            "minimum-healthy-percent": 50, "maximum-percent": 150,
            "circuit-breaker": { "enable": true, "rollback": true },
        },
        "enable-execute-command": true, "enable-ecs-managed-tags": true,
        "propagate-tags": "SERVICE", "availability-zone-rebalancing": "DISABLED",
        "service-connect-configuration": {
            "enabled": true, "namespace": "arn:aws:servicediscovery:eu-west-1:1:namespace/ns-1",
            "services": { "web-http": {
                "discovery-name": "web", "dns-name": "web", "port": 80,
                "ingress-port-override": 8081, "timeout": { "per-request-timeout-seconds": 30 },
                "tls": { "aws-pca-authority-arn": "arn:pca", "role-arn": "arn:role" },
            } },
            "log-configuration": { "driver": "awslogs", "options": { "awslogs-group": "web" } },
        },
    })
}

#[test]
fn b1_what_is_created_reads_back_as_it_was_declared() {
    for spec in [short(), full()] {
        let spec = parse(spec);
        let (spec, live) = managed(&spec, &Service::read(&stored(&spec)).unwrap());
        assert_eq!(spec, live);
    }
}

/// B5: field by field, what ECS fills in where CreateService was given nothing, and our form of it.
#[test]
fn b5_the_defaults_of_the_api_are_those_of_the_fields() {
    let filled = sdk::Service::builder()
        .service_name("web")
        .cluster_arn("arn:aws:ecs:eu-west-1:1:cluster/main")
        .task_definition(NEW)
        .desired_count(2)
        .launch_type(sdk::LaunchType::Fargate)
        .platform_version("LATEST")
        .platform_family("Linux")
        .scheduling_strategy(sdk::SchedulingStrategy::Replica)
        .deployment_controller(
            sdk::DeploymentController::builder()
                .r#type(sdk::DeploymentControllerType::Ecs)
                .build()
                .unwrap(),
        )
        .deployment_configuration(
            sdk::DeploymentConfiguration::builder()
                .deployment_circuit_breaker(
                    sdk::DeploymentCircuitBreaker::builder().enable(false).rollback(false).build(),
                )
                .maximum_percent(200)
                .minimum_healthy_percent(100)
                .strategy(sdk::DeploymentStrategy::Rolling)
                .bake_time_in_minutes(0)
                .build(),
        )
        .network_configuration(
            sdk::NetworkConfiguration::builder()
                .awsvpc_configuration(
                    sdk::AwsVpcConfiguration::builder()
                        .subnets("subnet-1")
                        .assign_public_ip(sdk::AssignPublicIp::Disabled)
                        .build()
                        .unwrap(),
                )
                .build(),
        )
        .set_load_balancers(Some(Vec::new()))
        .set_placement_constraints(Some(Vec::new()))
        .health_check_grace_period_seconds(0)
        .propagate_tags(sdk::PropagateTags::None)
        .availability_zone_rebalancing(sdk::AvailabilityZoneRebalancing::Enabled)
        .role_arn("arn:aws:iam::1:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS")
        .build();
    let live = Service::read(&filled).unwrap();
    let (spec, compared) = managed(&parse(short()), &live);
    assert_eq!(spec, compared);
    insta::assert_snapshot!(serde_json::to_string_pretty(&live).unwrap(), @r#"
    {
      "name": "web",
      "cluster": "arn:aws:ecs:eu-west-1:1:cluster/main",
      "task-definition": "arn:aws:ecs:eu-west-1:1:task-definition/web:42",
      "desired-count": 2,
      "launch-type": "FARGATE",
      "capacity-provider-strategy": [],
      "platform-version": "LATEST",
      "placement-constraints": [],
      "placement-strategy": [],
      "network": {
        "subnets": [
          "subnet-1"
        ],
        "security-groups": [],
        "assign-public-ip": false
      },
      "load-balancers": [],
      "volumes": {},
      "health-check-grace-period-seconds": 0,
      "deployment": {
        "minimum-healthy-percent": 100,
        "maximum-percent": 200,
        "circuit-breaker": {
          "enable": false,
          "rollback": false
        },
        "strategy": "ROLLING",
        "lifecycle-hooks": [],
        "alarms": {
          "alarm-names": [],
          "enable": false,
          "rollback": false
        }
      },
      "deployment-controller": "ECS",
      "scheduling-strategy": "REPLICA",
      "enable-execute-command": false,
      "enable-ecs-managed-tags": false,
      "propagate-tags": "NONE",
      "availability-zone-rebalancing": "ENABLED",
      "service-connect-configuration": {
        "enabled": false,
        "services": {}
      },
      "service-registries": [],
      "after": []
    }
    "#);
}

/// B24: what a declaration gets that says nothing.
#[test]
fn b24_a_rollout_never_lowers_the_count_unless_told() {
    let deployment = parse(short()).deployment;
    assert_eq!((deployment.minimum_healthy_percent, deployment.maximum_percent), (100, 200));
}

/// B7: every field either replaces or has an effect, and a change of launch type replaces nothing.
#[test]
fn b7_every_field_is_classified() {
    let Shape::Struct { fields, .. } = Shape::of::<Service>() else { panic!("a struct") };
    for (name, field) in &fields {
        let effect = EFFECTS.iter().find(|(of, _)| of == name);
        assert_eq!(field.replaces, effect.is_none(), "{name}");
    }
    let replacing = fields.iter().filter(|(_, field)| field.replaces).map(|(name, _)| name);
    assert_eq!(replacing.collect::<Vec<_>>(), ["cluster", "name", "scheduling-strategy"]);
    assert!(EFFECTS.iter().all(|(name, _)| fields.contains_key(*name)));
}

fn sent(
    spec: &Service,
    was: &Service,
) -> aws_sdk_ecs::operation::update_service::UpdateServiceInput {
    api::change(&client(), spec, was).as_input().clone().build().unwrap()
}

#[test]
fn b7_a_launch_type_becomes_a_strategy_by_a_forced_update() {
    let was = Service::read(&stored(&parse(short()))).unwrap();
    let mut spec = short();
    spec.as_object_mut().unwrap().remove("launch-type");
    spec["capacity-provider-strategy"] =
        json!([{ "capacity-provider": "FARGATE_SPOT", "weight": 1 }]);
    let spec = parse(spec);
    let there = sent(&spec, &was);
    assert_eq!(there.force_new_deployment(), Some(true));
    assert_eq!(there.capacity_provider_strategy().len(), 1);
    assert_eq!(there.task_definition(), None, "what does not differ is not sent");

    let back = sent(&parse(short()), &Service::read(&stored(&spec)).unwrap());
    assert_eq!(back.capacity_provider_strategy, Some(Vec::new()), "an empty list removes");
    assert_eq!(back.force_new_deployment(), Some(true));
}

#[test]
fn b3_a_count_that_is_left_out_is_never_sent() {
    let mut spec = with(&json!({ "enable-execute-command": true }));
    spec.as_object_mut().unwrap().remove("desired-count");
    let was = Service::read(&stored(&parse(full()))).unwrap();
    assert_eq!(sent(&parse(spec), &was).desired_count(), None);
}

#[test]
fn removing_the_last_target_group_sends_an_empty_list() {
    let was = Service::read(&stored(&parse(full()))).unwrap();
    let input = sent(&parse(short()), &was);
    assert_eq!(input.load_balancers, Some(Vec::new()));
    assert_eq!(input.health_check_grace_period_seconds(), Some(0));
}

/// What a plan calls a rollout is what UpdateService makes one of.
#[test]
fn b7_what_rolls_is_said() {
    let rolls = EFFECTS.iter().filter(|(_, effect)| *effect != Effect::Update);
    assert_eq!(rolls.map(|(field, _)| *field).collect::<Vec<_>>(), Service::ABOUT.rolls);
}

#[test]
fn nothing_differs_nothing_is_sent() {
    let spec = parse(full());
    let was = Service::read(&stored(&spec)).unwrap();
    let empty = client().update_service().as_input().clone().build().unwrap();
    assert_eq!(sent(&spec, &was), empty);
    assert!(EFFECTS.iter().any(|(_, effect)| *effect == Effect::Deploy));
}

/// A deployment of the service in the tests below.
fn deployment(
    id: &str,
    status: &str,
    revision: &str,
    state: State,
    running: i32,
) -> sdk::Deployment {
    let failed = state == State::Failed;
    let deployment = sdk::Deployment::builder()
        .id(format!("ecs-svc/{id}"))
        .status(status)
        .task_definition(revision)
        .desired_count(4)
        .running_count(running)
        .rollout_state(state);
    let reason =
        failed.then(|| "ECS deployment circuit breaker: tasks failed to start.".to_owned());
    deployment.set_rollout_state_reason(reason).build()
}

fn service(rollback: bool, deployments: Vec<sdk::Deployment>) -> sdk::Service {
    let breaker = sdk::DeploymentCircuitBreaker::builder().enable(true).rollback(rollback).build();
    let configuration =
        sdk::DeploymentConfiguration::builder().deployment_circuit_breaker(breaker).build();
    sdk::Service::builder()
        .service_arn("arn:aws:ecs:eu-west-1:1:service/main/web")
        .status("ACTIVE")
        .task_definition(deployments[0].task_definition().unwrap())
        .desired_count(4)
        .running_count(deployments.iter().map(|deployment| deployment.running_count()).sum())
        .deployment_configuration(configuration)
        .set_deployments(Some(deployments))
        .build()
}

fn record(status: Status, reason: &str) -> sdk::ServiceDeployment {
    let breaker =
        sdk::ServiceDeploymentCircuitBreaker::builder().failure_count(1).threshold(3).build();
    sdk::ServiceDeployment::builder()
        .status(status)
        .status_reason(reason)
        .deployment_circuit_breaker(breaker)
        .build()
}

fn watch() -> Watch {
    Watch { deployment: "ecs-svc/2".to_owned(), task_definition: NEW.to_owned(), is_earlier: false }
}

fn lost(rolled_back: bool, reason: &str) -> Verdict {
    Verdict::Lost { rolled_back, reason: reason.to_owned() }
}

#[test]
fn b15_success_is_the_requested_revision_serving() {
    let done = service(true, vec![deployment("2", "PRIMARY", NEW, State::Completed, 4)]);
    assert_eq!(judge(&watch(), &done, None), Verdict::Serves);
    let record = record(Status::Successful, "");
    assert_eq!(judge(&watch(), &done, Some(&record)), Verdict::Serves);
}

#[test]
fn n5_a_rollback_is_a_failure_however_stable_the_service_is() {
    let back = service(true, vec![deployment("1", "PRIMARY", OLD, State::Completed, 4)]);
    let why = "Service deployment rolled back because the circuit breaker threshold was exceeded.";
    let record = record(Status::RollbackSuccessful, why);
    assert_eq!(judge(&watch(), &back, Some(&record)), lost(true, why));
    // Without a record, the deployment that vanished is at least no success.
    let verdict = judge(&watch(), &back, None);
    assert_eq!(verdict, lost(false, "superseded by deployment ecs-svc/1"));
}

#[test]
fn a_rollback_under_way_is_waited_for() {
    let under_way = service(
        true,
        vec![
            deployment("1", "PRIMARY", OLD, State::InProgress, 2),
            deployment("2", "ACTIVE", NEW, State::Failed, 0),
        ],
    );
    let record = record(Status::RollbackInProgress, "x");
    for record in [Some(&record), None] {
        let verdict = judge(&watch(), &under_way, record);
        assert!(matches!(verdict, Verdict::Waiting(_)), "{verdict:?}");
    }
}

#[test]
fn between_failure_and_rollback_there_is_no_verdict_yet() {
    let failed = |rollback| {
        let failed = deployment("2", "PRIMARY", NEW, State::Failed, 0);
        service(rollback, vec![failed, deployment("1", "ACTIVE", OLD, State::Completed, 4)])
    };
    let why = "ECS deployment circuit breaker: tasks failed to start.";
    assert!(matches!(judge(&watch(), &failed(true), None), Verdict::Waiting(_)));
    assert_eq!(judge(&watch(), &failed(false), None), lost(false, why));
    assert_eq!(api::serving(&failed(false)), OLD, "what serves is what runs");
}

#[test]
fn a_first_deployment_that_fails_has_nothing_to_go_back_to() {
    let first = service(true, vec![deployment("2", "PRIMARY", NEW, State::Failed, 0)]);
    let why = "ECS deployment circuit breaker: tasks failed to start.";
    assert_eq!(judge(&watch(), &first, None), lost(false, why));
    let stopped = record(Status::Stopped, "stopped");
    assert_eq!(judge(&watch(), &first, Some(&stopped)), lost(false, why));
    assert_eq!(api::serving(&first), "", "nothing serves, so trying again is a change");
}

#[test]
fn a_later_deployment_of_the_same_revision_is_as_good() {
    let later = |revision, state| {
        let stopped = deployment("2", "ACTIVE", NEW, State::InProgress, 0);
        service(true, vec![deployment("3", "PRIMARY", revision, state, 4), stopped])
    };
    let stopped = record(Status::Stopped, "a new service deployment was started");
    let verdict = |service| judge(&watch(), &service, Some(&stopped));
    assert_eq!(verdict(later(NEW, State::Completed)), Verdict::Serves);
    assert!(matches!(verdict(later(NEW, State::InProgress)), Verdict::Waiting(_)));
    let other = verdict(later(OLD, State::Completed));
    assert_eq!(other, lost(false, "a new service deployment was started"));
}

#[test]
fn the_wait_says_how_far_it_is() {
    let rolling = service(
        true,
        vec![
            deployment("2", "PRIMARY", NEW, State::InProgress, 2),
            deployment("1", "ACTIVE", OLD, State::Completed, 3),
        ],
    );
    let expected = "2 of 4 tasks running, 3 of the earlier revision (deployment ecs-svc/2)";
    assert_eq!(progress(&rolling), expected);
    let record = record(Status::InProgress, "");
    assert_eq!(judge(&watch(), &rolling, Some(&record)), Verdict::Waiting(expected.to_owned()));
}

#[test]
fn what_is_watched_survives_the_journal() {
    let started = service(true, vec![deployment("2", "PRIMARY", NEW, State::InProgress, 0)]);
    let text = Watch::started(&started).unwrap();
    assert_eq!(serde_json::from_str::<Watch>(&text).unwrap(), watch());
}

fn complaints(spec: Json) -> Vec<String> {
    let stack =
        StackId { stack: "s".to_owned(), env: "e".to_owned(), region: "eu-west-1".to_owned() };
    let address = Address::new("service", "web");
    let mut check = Check { stack: &stack, address: &address, found: Vec::new() };
    parse(spec).check(&mut check);
    check.found.iter().map(|found| format!("{}: {}", found.code, found.title)).collect()
}

#[test]
fn sound_declarations_pass() {
    assert_eq!(complaints(short()), Vec::<String>::new());
    assert_eq!(complaints(full()), Vec::<String>::new());
}

#[test]
fn every_rule_finds_what_it_is_for() {
    let many: Vec<String> = (0..17).map(|n| format!("subnet-{n}")).collect();
    let groups: Vec<Json> = (0..6)
        .map(|n| json!({ "target-group-arn": n.to_string(), "container-name": "a", "container-port": 1 }))
        .collect();
    let cases = [
        ("E0249", json!({ "scheduling-strategy": "DAEMON" })),
        ("E0250", json!({ "deployment": { "maximum-percent": 100 } })),
        (
            "E0250",
            json!({ "desired-count": 1, "deployment": {
            "minimum-healthy-percent": 50, "maximum-percent": 100 } }),
        ),
        ("E0250", json!({ "desired-count": 3, "deployment": { "maximum-percent": 125 } })),
        ("E0251", json!({ "deployment": { "maximum-percent": 100 } })),
        ("E0252", shares(&json!([{ "capacity-provider": "FARGATE", "weight": 1 }]))),
        ("E0252", shares(&json!([{ "capacity-provider": "FARGATE" }]))),
        (
            "E0252",
            shares(&json!([
                { "capacity-provider": "FARGATE", "weight": 1 },
                { "capacity-provider": "own", "weight": 1 },
            ])),
        ),
        (
            "E0252",
            shares(&json!([
                { "capacity-provider": "FARGATE", "weight": 1, "base": 1 },
                { "capacity-provider": "FARGATE_SPOT", "base": 1 },
            ])),
        ),
        ("E0275", json!({ "placement-strategy": [{ "type": "random" }] })),
        ("E0276", json!({ "launch-type": "EC2", "scheduling-strategy": "DAEMON" })),
        ("E0350", json!({ "deployment": { "strategy": "CANARY" } })),
        ("E0350", json!({ "deployment": { "strategy": "LINEAR" } })),
        (
            "E0350",
            json!({ "scheduling-strategy": "DAEMON", "deployment": { "strategy": "BLUE_GREEN" } }),
        ),
        (
            "E0350",
            json!({ "deployment": { "strategy": "BLUE_GREEN" }, "load-balancers": [groups[0]] }),
        ),
        (
            "E0350",
            json!({ "deployment": {
            "strategy": "BLUE_GREEN", "circuit-breaker": { "enable": true, "rollback": true } } }),
        ),
        ("E0351", json!({ "deployment": { "canary": { "percent": 0.05 } } })),
        ("E0351", json!({ "deployment": { "canary": { "percent": 10.25 } } })),
        ("E0351", json!({ "deployment": { "linear": { "step-percent": 2.9 } } })),
        ("E0351", json!({ "deployment": { "linear": { "step-bake-time-in-minutes": 1441 } } })),
        ("E0351", json!({ "deployment": { "bake-time-in-minutes": 1441 } })),
        ("E0352", hook(&json!({ "target-type": "PAUSE", "lifecycle-stages": [] }))),
        ("E0352", hook(&json!({ "lifecycle-stages": ["PRE_SCALE_UP"] }))),
        (
            "E0352",
            hook(
                &json!({ "target-type": "PAUSE", "role-arn": "x", "lifecycle-stages": ["PRE_SCALE_UP"] }),
            ),
        ),
        (
            "E0352",
            hook(&json!({ "target-type": "PAUSE", "lifecycle-stages": ["PRE_SCALE_UP"],
                "timeout": { "timeout-in-minutes": 20161 } })),
        ),
        (
            "E0352",
            json!({ "deployment": { "lifecycle-hooks": [
                { "target-type": "PAUSE", "lifecycle-stages": ["PRE_SCALE_UP"] }] } }),
        ),
        ("E0353", json!({ "deployment": { "alarms": { "enable": true } } })),
        ("E0354", json!({ "deployment": { "strategy": "BLUE_GREEN" } })),
        ("E0355", json!({ "deployment-controller": "CODE_DEPLOY" })),
        ("E0253", json!({ "network": null })),
        ("E0253", json!({ "network": { "subnets": [] } })),
        ("E0253", json!({ "network": { "subnets": many } })),
        ("E0255", json!({ "load-balancers": groups })),
    ];
    for (code, changes) in cases {
        let found = complaints(with(&changes));
        assert!(found.iter().any(|line| line.starts_with(code)), "{code} {changes}: {found:?}");
    }
}

fn hook(hook: &Json) -> Json {
    json!({ "deployment": { "strategy": "BLUE_GREEN", "lifecycle-hooks": [hook] } })
}

/// What moves requests: a pair of target groups, steps, alarms, a function and a pause.
fn shifted() -> Json {
    with(&json!({
        "load-balancers": [{
            "target-group-arn": "arn:a", "container-name": "app", "container-port": 8080,
            "advanced": {
                "alternate-target-group-arn": "arn:b", "production-listener-rule": "arn:rule",
                "test-listener-rule": "arn:test", "role-arn": "arn:role",
            },
        }],
        "deployment": {
            "strategy": "CANARY", "bake-time-in-minutes": 5,
            "canary": { "percent": 12.5, "bake-time-in-minutes": 3 },
            "lifecycle-hooks": [
                { "hook-target-arn": "arn:lambda", "role-arn": "arn:r", "lifecycle-stages": ["PRE_SCALE_UP"] },
                { "target-type": "PAUSE", "lifecycle-stages": ["POST_TEST_TRAFFIC_SHIFT"],
                  "timeout": { "timeout-in-minutes": 60, "action": "ROLLBACK" } },
            ],
            "alarms": { "alarm-names": ["b", "a"], "enable": true, "rollback": true },
        },
    }))
}

#[test]
fn b1_what_moves_requests_reads_back_as_it_was_declared() {
    let spec = parse(shifted());
    assert_eq!(complaints(shifted()), [""; 0]);
    let live = Service::read(&stored(&spec)).unwrap();
    assert_eq!(live.deployment, spec.deployment);
    assert_eq!(live.load_balancers, spec.load_balancers);
    assert_eq!(live.deployment_controller, spec.deployment_controller);
}

/// Back to tasks one by one: hooks and alarms are taken away, and not merely left out.
#[test]
fn b7_a_strategy_changes_in_place() {
    let was = Service::read(&stored(&parse(shifted()))).unwrap();
    let input = sent(&parse(short()), &was);
    let configuration = input.deployment_configuration().expect("it differs");
    assert_eq!(configuration.strategy(), Some(&sdk::DeploymentStrategy::Rolling));
    assert_eq!(configuration.lifecycle_hooks, Some(Vec::new()));
    let alarms = configuration.alarms().expect("they go");
    assert_eq!((alarms.enable(), alarms.alarm_names().len()), (false, 0));
    let back = sent(&parse(shifted()), &Service::read(&stored(&parse(short()))).unwrap());
    assert!(back.load_balancers()[0].advanced_configuration().is_some());
}

/// What a wait for a deployment that moves requests says.
#[test]
fn b15_the_wait_says_at_which_stage_it_is() {
    use sdk::ServiceDeploymentLifecycleStage as Stage;
    let canary = sdk::CanaryConfiguration::builder().canary_bake_time_in_minutes(5).build();
    let configuration = sdk::DeploymentConfiguration::builder()
        .strategy(sdk::DeploymentStrategy::Canary)
        .canary_configuration(canary)
        .bake_time_in_minutes(90)
        .build();
    let told = |stage: Stage, share: f64, hook: Option<sdk::DeploymentLifecycleHookDetail>| {
        let target = sdk::ServiceRevisionSummary::builder();
        let record = sdk::ServiceDeployment::builder()
            .status(Status::InProgress)
            .lifecycle_stage(stage)
            .deployment_configuration(configuration.clone())
            .target_service_revision(target.requested_production_traffic_weight(share).build())
            .set_lifecycle_hook_details(hook.map(|hook| vec![hook]));
        super::stage::stage(&record.build(), "web").unwrap_or_default()
    };
    let pause = sdk::DeploymentLifecycleHookDetail::builder()
        .target_type(sdk::DeploymentLifecycleHookTargetType::Pause)
        .status(sdk::DeploymentLifecycleHookStatus::AwaitingAction);
    let pause = Some(pause.build());
    insta::assert_snapshot!(told(Stage::ScaleUp, 0.0, None), @"");
    insta::assert_snapshot!(told(Stage::PostTestTrafficShift, 0.0, pause), @"paused at post-test-traffic: `ecsctl continue web`");
    insta::assert_snapshot!(told(Stage::ProductionTrafficShift, 12.5, None), @"canary: 12.5 % of the requests for 5m");
    insta::assert_snapshot!(told(Stage::BakeTime, 100.0, None), @"bake: all requests for 90m");
    insta::assert_snapshot!(told(Stage::CleanUp, 100.0, None), @"clean-up");
}

fn shares(strategy: &Json) -> Json {
    json!({ "capacity-provider-strategy": strategy })
}

/// On instances of one's own: which they are, and one task on each.
#[test]
fn what_runs_on_instances_is_placed() {
    let replica = json!({
        "name": "web", "cluster": "c", "task-definition": NEW, "desired-count": 2,
        "capacity-provider-strategy": [{ "capacity-provider": "own", "weight": 1 }],
        "placement-constraints": [
            { "type": "memberOf", "expression": "attribute:ecs.instance-type =~ m7g.*" },
            { "type": "distinctInstance" },
        ],
        "placement-strategy": [
            { "type": "spread", "field": "attribute:ecs.availability-zone" },
            { "type": "spread", "field": "host" },
            { "type": "binpack", "field": "MEMORY" },
            { "type": "random" },
        ],
    });
    assert_eq!(complaints(replica.clone()), [""; 0]);
    let replica = parse(replica);
    let live = Service::read(&stored(&replica)).unwrap();
    assert_eq!(live.placement_constraints, replica.placement_constraints);
    assert_eq!(live.placement_strategy, replica.placement_strategy);
    let daemon = json!({
        "name": "agent", "cluster": "c", "task-definition": NEW, "launch-type": "EC2",
        "scheduling-strategy": "DAEMON", "availability-zone-rebalancing": "DISABLED",
        "deployment": { "minimum-healthy-percent": 0, "maximum-percent": 100 },
    });
    assert_eq!(complaints(daemon), [""; 0]);
}

fn disk(fields: &Json) -> Json {
    let mut disk = json!({ "role-arn": "arn:aws:iam::1:role/volumes" });
    for (field, value) in fields.as_object().unwrap() {
        disk[field] = value.clone();
    }
    with(&json!({ "volumes": { "data": disk } }))
}

/// B1: what EBS fills in is no difference, and a plain disk is sent plainly.
#[test]
fn b1_a_disk_is_what_it_is_anyway() {
    let plain = parse(disk(&json!({ "size-in-gib": 20 })));
    let told = json!({
        "size-in-gib": 20, "volume-type": "gp3", "iops": 3000, "throughput": 125,
        "filesystem-type": "xfs", "encrypted": false, "tags": {}, "propagate-tags": "NONE",
    });
    assert_eq!(parse(disk(&told)), plain);
    assert_eq!(Service::read(&stored(&plain)).unwrap().volumes, plain.volumes);
    let gone = sent(&parse(short()), &plain);
    assert_eq!(gone.volume_configurations, Some(Vec::new()), "an empty list removes");
}

#[test]
fn disks_that_ecs_could_not_make_are_refused() {
    let told = |fields: Json| complaints(disk(&fields)).join("; ");
    assert_eq!(told(json!({ "size-in-gib": 16_384 })), "");
    assert_eq!(told(json!({ "snapshot-id": "snap-1", "volume-type": "io1", "iops": 100 })), "");
    insta::assert_snapshot!(told(json!({})), @"E0360: a volume has a size, or begins with a snapshot");
    insta::assert_snapshot!(told(json!({ "size-in-gib": 100, "volume-type": "st1" })), @"E0360: `size-in-gib` is at least 125");
    insta::assert_snapshot!(told(json!({ "size-in-gib": 20, "volume-type": "io2" })), @"E0360: how fast a volume of the type `io2` is, must be said");
    insta::assert_snapshot!(told(json!({ "size-in-gib": 20, "iops": 20_000, "throughput": 100 })), @"E0360: `iops` is at most 16000; E0360: `throughput` is at least 125");
    insta::assert_snapshot!(told(json!({ "size-in-gib": 20, "volume-type": "standard", "iops": 100 })), @"E0360: how fast a volume of the type `standard` is, its size says; E0360: Fargate has no volumes of the type `standard`");
    insta::assert_snapshot!(told(json!({ "size-in-gib": 20, "volume-type": "gp2", "throughput": 125 })), @"E0360: only volumes of the type `gp3` have a `throughput`");
    insta::assert_snapshot!(told(json!({ "size-in-gib": 20, "volume-initialization-rate": 100, "kms-key-id": "k", "tags": { "AmazonECSManaged": "" } })), @"E0360: only what begins with a snapshot is filled from one; E0360: a key encrypts nothing unless the volume is `encrypted`; E0360: `AmazonECSCreated` and `AmazonECSManaged` are ECS's own tags");
    let mut old = disk(&json!({ "size-in-gib": 20 }));
    old["platform-version"] = json!("1.3.0");
    insta::assert_snapshot!(complaints(old).join("; "), @"E0360: Fargate attaches volumes from platform version 1.4.0 on");
    let daemon = json!({
        "name": "agent", "cluster": "c", "task-definition": NEW, "launch-type": "EC2",
        "scheduling-strategy": "DAEMON", "availability-zone-rebalancing": "DISABLED",
        "deployment": { "minimum-healthy-percent": 0, "maximum-percent": 100 },
        "volumes": { "data": { "role-arn": "r", "size-in-gib": 20 } },
    });
    insta::assert_snapshot!(complaints(daemon).join("; "), @"E0360: ECS makes no volumes for the tasks of a daemon");
}

#[test]
fn the_bounds_are_those_of_the_guide() {
    let cases = [
        ((4, 100, 200), (4, 8)),
        ((4, 50, 100), (2, 4)),
        ((1, 100, 200), (1, 2)),
        ((1, 50, 100), (1, 1)),
        ((3, 50, 125), (2, 3)),
        ((3, 100, 125), (3, 3)),
        ((1, 0, 100), (0, 1)),
    ];
    for ((desired, minimum, maximum), expected) in cases {
        assert_eq!(bounds(desired, minimum, maximum), expected);
    }
}

proptest! {
    /// B1: the order of subnets, groups and target groups is nothing.
    #[test]
    fn b1_order_is_nothing(mut subnets in prop::collection::vec("subnet-[a-f0-9]{1,4}", 1..16)) {
        let declared = parse(with(&json!({ "network": { "subnets": subnets } })));
        subnets.reverse();
        let turned = parse(with(&json!({ "network": { "subnets": subnets } })));
        prop_assert_eq!(&declared, &turned);
        let live = Service::read(&stored(&declared)).unwrap();
        prop_assert_eq!(live.network, declared.network);
    }

    /// A deadlock is found exactly where no task may stop and none may start.
    #[test]
    fn deadlocks_are_found(desired in 1u32..50, minimum in 0u32..=100, maximum in 0u32..=300) {
        let spec = with(&json!({ "desired-count": desired, "deployment": {
            "minimum-healthy-percent": minimum, "maximum-percent": maximum } }));
        let found = complaints(spec).iter().any(|line| line.starts_with("E0250"));
        let may_stop = (0..desired).any(|left| left * 100 >= desired * minimum);
        let may_start = (desired + 1) * 100 <= desired * maximum;
        prop_assert_eq!(found, !may_stop && !may_start);
    }
}
