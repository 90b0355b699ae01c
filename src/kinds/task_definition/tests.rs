//! B1: what is written is what is read; order and omitted defaults are nothing. And every offline rule.

use aws_sdk_ecs::config::{BehaviorVersion, Config};
use aws_sdk_ecs::types as sdk;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::{NetworkMode, TaskDefinition, api};
use crate::address::Address;
use crate::diag::Severity;
use crate::kind::{Check, Kind as _, Shape, StackId};
use crate::plan::{Edit, diff};
use crate::value::Value;

fn parse(spec: Json) -> TaskDefinition {
    serde_json::from_value(spec).unwrap()
}

/// What AWS stores of a registration, and tells again: as sent, with its defaults filled in and its
/// lists in another order.
fn stored(spec: &TaskDefinition) -> sdk::TaskDefinition {
    let config = Config::builder().behavior_version(BehaviorVersion::latest()).build();
    let call = api::call(&aws_sdk_ecs::Client::from_conf(config), spec);
    let sent = call.as_input().clone().build().unwrap();
    let bridge = spec.network_mode == NetworkMode::Bridge;
    let containers = sent.container_definitions().iter().rev().map(|container| {
        let mut container = container.clone();
        let host_port = |mut port: sdk::PortMapping| {
            let same = if bridge { Some(0) } else { port.container_port };
            port.host_port = port.host_port.or(same);
            port
        };
        container.port_mappings =
            Some(container.port_mappings().iter().rev().cloned().map(host_port).collect());
        container.environment = Some(container.environment().iter().rev().cloned().collect());
        container.secrets = Some(container.secrets().iter().rev().cloned().collect());
        // Empty lists where nothing was sent, as DescribeTaskDefinition answers.
        container.mount_points.get_or_insert_default();
        container.volumes_from.get_or_insert_default();
        container.system_controls.get_or_insert_default();
        container
    });
    sdk::TaskDefinition::builder()
        .set_container_definitions(Some(containers.collect()))
        .set_family(sent.family.clone())
        .set_task_role_arn(sent.task_role_arn.clone())
        .set_execution_role_arn(sent.execution_role_arn.clone())
        .set_network_mode(sent.network_mode.clone())
        .set_volumes(Some(sent.volumes().to_vec()))
        .set_requires_compatibilities(sent.requires_compatibilities.clone())
        .set_cpu(sent.cpu.clone())
        .set_memory(sent.memory.clone())
        .set_pid_mode(sent.pid_mode.clone())
        .set_ipc_mode(sent.ipc_mode.clone())
        .set_ephemeral_storage(sent.ephemeral_storage)
        .set_runtime_platform(sent.runtime_platform.clone())
        .set_enable_fault_injection(sent.enable_fault_injection)
        .set_placement_constraints(sent.placement_constraints.clone())
        .set_proxy_configuration(sent.proxy_configuration.clone())
        .build()
}

/// A definition in which every field of Fargate's is something else than its default.
fn full() -> Json {
    let volumes = json!({
        "scratch": {},
        "data": { "configured-at-launch": true },
        "objects": { "s3-files": {
            "file-system-arn": "arn:aws:s3files:r:1:file-system/fs-2", "root-directory": "/in",
            "transit-encryption-port": 2998,
        } },
        "shared": { "efs": {
            "file-system-id": "fs-1", "transit-encryption": "ENABLED",
            "transit-encryption-port": 2999, "access-point-id": "fsap-1", "iam": "ENABLED",
        } },
    });
    let router = json!({
        "image": "fluent-bit:3",
        "firelens": { "type": "fluentbit", "options": { "enable-ecs-log-metadata": "true" } },
    });
    let proxy = json!({
        "container-name": "router", "properties": { "AppPorts": "8080", "IgnoredUID": "1337" },
    });
    let app = json!({
        "image": "web:7",
        "repository-credentials": "arn:aws:secretsmanager:r:1:secret:hub",
        "cpu": 512,
        "memory": 1024,
        "memory-reservation": 512,
        "restart-policy": { "ignored-exit-codes": [0, 3], "restart-attempt-period": 90 },
        "ports": [
            { "container-port": 8080, "name": "http", "app-protocol": "http2" },
            { "container-port": 5353, "protocol": "udp" },
            { "container-port-range": "9000-9010" },
        ],
        "entry-point": ["/bin/sh", "-c"],
        "command": ["serve", "--now"],
        "working-directory": "/srv",
        "user": "1000:1000",
        "environment": { "B": "2", "A": "1", "EMPTY": "" },
        "environment-files": ["arn:aws:s3:::b/z.env", "arn:aws:s3:::b/a.env"],
        "secrets": { "S": "arn:aws:ssm:r:1:parameter/s", "R": "arn:aws:ssm:r:1:parameter/r" },
        "depends-on": { "init": "SUCCESS", "router": "START" },
        "start-timeout": 60,
        "stop-timeout": 90,
        "health-check": { "command": ["CMD-SHELL", "true"], "start-period": 10 },
        "mount-points": [
            { "source-volume": "shared", "container-path": "/shared", "read-only": true },
            { "source-volume": "scratch", "container-path": "/tmp" },
        ],
        "volumes-from": [{ "source-container": "init", "read-only": true }],
        "log-configuration": {
            "driver": "awsfirelens",
            "options": { "Name": "http" },
            "secret-options": { "token": "arn:aws:ssm:r:1:parameter/t" },
        },
        "linux-parameters": {
            "init-process-enabled": true,
            "capabilities": { "add": ["SYS_PTRACE"], "drop": ["NET_RAW", "CHOWN"] },
        },
        "ulimits": { "nofile": { "soft-limit": 1024, "hard-limit": 2048 } },
        "system-controls": { "net.core.somaxconn": "1024" },
        "readonly-root-filesystem": true,
        "docker-labels": { "b": "2", "a": "1" },
        "version-consistency": "disabled",
        "interactive": true,
        "pseudo-terminal": true,
    });
    json!({
        "name": "shop-prod-web",
        "cpu": "1 vCPU",
        "memory": "2 GB",
        "execution-role-arn": "arn:aws:iam::1:role/exec",
        "task-role-arn": "arn:aws:iam::1:role/task",
        "runtime-platform": { "cpu-architecture": "ARM64" },
        "ephemeral-storage": { "size-in-gib": 50 },
        "pid-mode": "task",
        "enable-fault-injection": true,
        "proxy-configuration": proxy,
        "volumes": volumes,
        "containers": {
            "app": app,
            "router": router,
            "init": { "image": "init:1", "essential": false },
        },
    })
}

/// Fields that only other capacity than Fargate allows.
fn beyond_fargate() -> Json {
    json!({
        "name": "gpu", "network-mode": "bridge", "requires-compatibilities": ["EC2"],
        "ipc-mode": "host",
        "volumes": {
            "etc": { "host-path": "/etc" },
            "cache": { "docker": {
                "scope": "shared", "autoprovision": true, "driver": "rexray/ebs",
                "driver-opts": { "size": "5" }, "labels": { "team": "a" },
            } },
            "share": { "fsx": {
                "file-system-id": "fs-3", "root-directory": "share", "domain": "example.com",
                "credentials-parameter": "arn:aws:secretsmanager:r:1:secret:ad",
            } },
        },
        "placement-constraints": ["attribute:ecs.os-type == linux", "agentConnected == true"],
        "containers": { "app": {
            "image": "gpu:1", "memory": 512,
            "ports": [{ "container-port": 80, "host-port": 8080 }, { "container-port": 81 }],
            "resource-requirements": { "GPU": "1" },
            "privileged": true, "hostname": "h", "disable-networking": true, "links": ["x:y"],
            "dns-servers": ["10.0.0.2"], "dns-search-domains": ["b", "a"],
            "extra-hosts": { "db": "10.0.0.3" }, "docker-security-options": ["label:x"],
            "stop-timeout": 30,
            "credential-specs": ["credentialspecdomainless:arn:aws:ssm:r:1:parameter/spec"],
            "linux-parameters": {
                "devices": [{ "host-path": "/dev/fuse", "permissions": ["read", "write"] }],
                "shared-memory-size": 64, "max-swap": 10, "swappiness": 5,
                "tmpfs": { "/run": { "size": 16, "mount-options": ["noexec"] } },
            },
        } },
    })
}

#[test]
fn b1_what_is_registered_reads_back_as_it_was_declared() {
    for spec in [full(), beyond_fargate()] {
        let spec = parse(spec);
        assert_eq!(TaskDefinition::read(&stored(&spec)).unwrap(), spec);
    }
}

/// Every field is in one of the two specs above with something else than its default: a field that is
/// forgotten in `api.rs` would pass the round trip otherwise.
#[test]
fn the_round_trip_covers_every_field() {
    let Shape::Struct { fields, .. } = Shape::of::<TaskDefinition>() else { panic!("a struct") };
    let Shape::Map(container) = &fields["containers"].shape else { panic!("a map") };
    let written = [full(), beyond_fargate()];
    for field in fields.keys() {
        assert!(written.iter().any(|spec| spec.get(field).is_some()), "{field}");
    }
    for field in container.fields().expect("a struct").keys() {
        let has = |spec: &Json| spec["containers"]["app"].get(field).is_some();
        let elsewhere = ["essential", "firelens"].contains(&field.as_str());
        assert!(elsewhere || written.iter().any(has), "{field}");
    }
}

#[test]
fn b1_defaults_may_be_written_or_left_out() {
    let short = parse(json!({
        "name": "web", "cpu": 256, "memory": 512,
        "containers": { "app": {
            "image": "web:7", "ports": [{ "container-port": 80 }],
            "health-check": { "command": ["CMD", "true"] },
        } },
    }));
    let long = parse(json!({
        "name": "web", "cpu": "0.25 vCPU", "memory": "512 MB", "execution-role-arn": "",
        "network-mode": "awsvpc", "requires-compatibilities": ["FARGATE"], "volumes": {},
        "runtime-platform": { "cpu-architecture": "X86_64", "operating-system-family": "LINUX" },
        "enable-fault-injection": false, "pid-mode": null, "ephemeral-storage": null,
        "containers": { "app": {
            "image": "web:7", "cpu": 0, "memory": null, "essential": true, "user": "",
            "ports": [{ "container-port": 80, "host-port": 80, "protocol": "tcp" }],
            "environment": {}, "secrets": {}, "command": [], "entry-point": [],
            "mount-points": [], "volumes-from": [], "ulimits": {}, "stop-timeout": 30,
            "health-check": {
                "command": ["CMD", "true"], "interval": 30, "timeout": 5, "retries": 3,
                "start-period": 0,
            },
            "version-consistency": "enabled", "readonly-root-filesystem": false,
            "linux-parameters": { "init-process-enabled": false, "capabilities": {} },
        } },
    }));
    assert_eq!(short, long);
    let document = serde_json::to_value(&short).unwrap();
    assert_eq!(document, serde_json::to_value(&long).unwrap());
    assert_eq!(parse(document), short);
}

/// What is not there is not written, neither as null nor as anything else.
#[test]
fn what_is_left_out_is_left_out() {
    let spec =
        json!({ "containers": { "a": { "image": "i", "ports": [{ "container-port": 1 }] } } });
    let document = serde_json::to_value(parse(spec)).unwrap();
    let container = &document["containers"]["a"];
    assert_eq!(container["command"], json!([]));
    assert_eq!(container["ports"], json!([{ "container-port": 1, "protocol": "tcp" }]));
    assert!(container.get("health-check").is_none() && document.get("pid-mode").is_none());
}

fn edits(new: &TaskDefinition, old: &TaskDefinition) -> Vec<Edit> {
    let document = |spec| Value::plain(serde_json::to_value(spec).unwrap());
    diff(&Shape::of::<TaskDefinition>(), &document(new), &document(old))
}

/// The ways to every field and entry in a document.
fn ways(document: &Json, way: &str, found: &mut Vec<String>) {
    let steps: Vec<(String, &Json)> = match document {
        Json::Object(fields) => fields.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Json::Array(items) => {
            items.iter().enumerate().map(|(index, item)| (index.to_string(), item)).collect()
        }
        _ => return,
    };
    for (step, value) in steps {
        let way = format!("{way}/{}", step.replace('/', "~1"));
        ways(value, &way, found);
        found.push(way);
    }
}

/// The document without what stands at `way`.
fn without(document: &Json, way: &str) -> Json {
    let mut document = document.clone();
    let (parent, step) = way.rsplit_once('/').unwrap();
    match document.pointer_mut(parent).unwrap() {
        Json::Array(items) => drop(items.remove(step.parse().unwrap())),
        fields => drop(fields.as_object_mut().unwrap().remove(&step.replace("~1", "/"))),
    }
    document
}

/// A definition is owned whole: whatever is taken out of it, or put into it, makes it another one, and
/// the differ says so. What only spells out a default is nothing (B1).
#[test]
fn whatever_is_taken_away_is_a_change_unless_it_is_a_default() {
    let mut removals = Vec::new();
    for document in [full(), beyond_fargate()] {
        let whole = parse(document.clone());
        let mut found = Vec::new();
        ways(&document, "", &mut found);
        for way in found {
            let Ok(less) = serde_json::from_value::<TaskDefinition>(without(&document, &way))
            else {
                continue;
            };
            assert_eq!(edits(&less, &whole).is_empty(), less == whole, "without {way}");
            assert_eq!(edits(&whole, &less).is_empty(), less == whole, "with {way}");
            removals.extend((less != whole).then_some(way));
        }
    }
    for field in [
        "cpu",
        "task-role-arn",
        "volumes/scratch",
        "volumes/shared/efs/access-point-id",
        "containers/app/command",
        "containers/app/environment/A",
        "containers/app/secrets/S",
        "containers/app/ports/0",
        "containers/app/ports/0/name",
        "containers/app/health-check",
        "containers/app/log-configuration",
        "containers/app/mount-points/1",
        "containers/router",
    ] {
        assert!(removals.contains(&format!("/{field}")), "{field}: {removals:#?}");
    }
}

/// The form is that of the value, so that differences within it are told field by field.
#[test]
fn the_form_of_an_optional_field_is_that_of_its_value() {
    let Shape::Struct { fields, .. } = Shape::of::<TaskDefinition>() else { panic!("a struct") };
    let Shape::Map(shape) = &fields["containers"].shape else { panic!("a map") };
    let container = shape.fields().unwrap();
    assert!(container["health-check"].shape.fields().is_some_and(|f| f.contains_key("interval")));
    assert!(!container["health-check"].required && !container["user"].required);
    assert!(matches!(container["user"].shape, Shape::Text { .. }));
}

#[test]
fn a_fixed_host_port_of_a_bridge_is_kept() {
    let spec = |host| {
        parse(json!({ "network-mode": "bridge", "containers": { "a": {
            "image": "i", "ports": [{ "container-port": 80, "host-port": host }],
        } } }))
    };
    assert_ne!(spec(80), spec(0));
    assert_eq!(spec(0).containers["a"].ports.first().unwrap().host_port, None);
}

#[test]
fn wrong_fields_are_found_by_name() {
    let parsed = serde_json::from_value::<TaskDefinition>(json!({ "containers": {}, "cpus": 1 }));
    assert!(parsed.unwrap_err().to_string().contains("unknown field `cpus`"));
}

/// A container in the declaration's form, with lists to permute.
fn any_container() -> impl Strategy<Value = Json> {
    let texts = || prop::collection::btree_map("[A-Z]{1,4}", "[a-z0-9]{0,6}", 0..5);
    let ports = prop::collection::btree_set(1u16..9000, 0..5);
    let words = prop::collection::vec("[a-z]{1,5}", 0..4);
    (texts(), texts(), ports, words, any::<bool>(), prop::option::of(2u32..120)).prop_map(
        |(environment, secrets, ports, command, essential, stop)| {
            let ports: Vec<Json> =
                ports.into_iter().map(|port| json!({ "container-port": port })).collect();
            json!({
                "image": "i:1", "environment": environment, "secrets": secrets, "ports": ports,
                "command": command, "essential": essential, "stop-timeout": stop,
            })
        },
    )
}

/// The same, with the ports turned round and spelled out.
fn permuted(spec: &Json) -> Json {
    let mut spec = spec.clone();
    for container in spec["containers"].as_object_mut().unwrap().values_mut() {
        let ports = container["ports"].as_array_mut().unwrap();
        ports.reverse();
        for port in ports {
            port["host-port"] = port["container-port"].clone();
            port["protocol"] = json!("tcp");
        }
    }
    spec
}

proptest! {
    /// B1: neither AWS's order and defaults nor the user's make a difference.
    #[test]
    fn b1_order_and_defaults_are_nothing(
        containers in prop::collection::btree_map("[a-z]{1,8}", any_container(), 1..5),
    ) {
        let declared = json!({ "name": "f", "cpu": 256, "memory": 512, "containers": containers });
        let spec = parse(declared.clone());
        prop_assert_eq!(&parse(permuted(&declared)), &spec);
        let live = TaskDefinition::read(&stored(&spec)).unwrap();
        prop_assert_eq!(&live, &spec);
        prop_assert_eq!(edits(&spec, &live), []);
        let document = serde_json::to_value(&spec).unwrap();
        prop_assert_eq!(&parse(document), &spec);
    }
}

/// The codes and titles that a declaration gets.
fn complaints(spec: Json) -> Vec<String> {
    let stack =
        StackId { stack: "s".to_owned(), env: "e".to_owned(), region: "eu-west-1".to_owned() };
    let address = Address::new("task-definition", "web");
    let mut check = Check { stack: &stack, address: &address, found: Vec::new() };
    parse(spec).check(&mut check);
    let line = |found: &crate::diag::Diagnostic| {
        let warning = if found.severity == Severity::Warning { " (warning)" } else { "" };
        let hint = found.hint.as_ref().map(|hint| format!(" — {hint}")).unwrap_or_default();
        format!("{}{warning}: {}{hint}", found.code, found.title)
    };
    check.found.iter().map(line).collect()
}

/// A sound definition with some fields of the task and of its container `app` changed.
fn with(task: &Json, app: &Json) -> Json {
    let mut spec = json!({
        "name": "web", "cpu": 512, "memory": 1024,
        "execution-role-arn": "${role.exec.arn}",
        "containers": { "app": { "image": "${repository.web.uri}:7" } },
    });
    let merge = |into: &mut Json, from: &Json| {
        for (key, value) in from.as_object().unwrap() {
            into[key] = value.clone();
        }
    };
    merge(&mut spec["containers"]["app"], app);
    merge(&mut spec, task);
    spec
}

#[test]
fn sound_definitions_pass() {
    assert_eq!(complaints(with(&json!({}), &json!({}))), Vec::<String>::new());
    assert_eq!(complaints(full()), Vec::<String>::new());
}

#[test]
fn e0240_fargate_sizes() {
    insta::assert_snapshot!(
        complaints(with(&json!({ "memory": "5 GB" }), &json!({}))).join("\n"),
        @"E0240: 0.5 vCPU cannot have 5 GB on Fargate — choose 0.5vcpu/4GB or 1vcpu/5GB; 0.5 vCPU goes with 1 GB to 4 GB"
    );
    insta::assert_snapshot!(
        complaints(with(&json!({ "cpu": 300 }), &json!({}))).join("\n"),
        @"E0240: Fargate has no size of 0.29296875 vCPU — choose one of 0.25vcpu, 0.5vcpu, 1vcpu, 2vcpu, 4vcpu, 8vcpu, 16vcpu, 32vcpu"
    );
    insta::assert_snapshot!(
        complaints(with(&json!({ "cpu": null }), &json!({}))).join("\n"),
        @"E0240: a task on Fargate needs `cpu` — write `cpu` and `memory` for the task, such as 256 and 512"
    );
    let newest = json!({ "cpu": 32768, "memory": 65536 });
    insta::assert_snapshot!(
        complaints(with(&newest, &json!({}))).join("\n"),
        @"E0240 (warning): 32 vCPU cannot have 64 GB on Fargate"
    );
}

#[test]
fn every_rule_finds_what_it_is_for() {
    let check = json!({ "command": ["true"], "interval": 1, "retries": 99 });
    let cases: [(&str, Json, Json); 35] = [
        ("E0241: the containers' CPU", json!({}), json!({ "cpu": 600 })),
        ("E0241: the containers' memory", json!({}), json!({ "memory": 2048 })),
        ("E0241: `memory-res", json!({}), json!({ "memory": 64, "memory-reservation": 128 })),
        ("E0241: a container has", json!({}), json!({ "memory": 4 })),
        ("E0242: a port is a", json!({}), json!({ "ports": [{ "container-port": 0 }] })),
        ("E0242: a port needs", json!({}), json!({ "ports": [{}] })),
        (
            "E0242: port 80 is listed twice",
            json!({}),
            json!({ "ports": [{ "container-port": 80 }, { "container-port": 80, "name": "web" }] }),
        ),
        (
            "E0242: `host-port` differs",
            json!({}),
            json!({ "ports": [{ "container-port": 80, "host-port": 81 }] }),
        ),
        (
            "E0242: a range of ports",
            json!({}),
            json!({ "ports": [{ "container-port-range": "1-200" }] }),
        ),
        ("E0243: no container is ess", json!({}), json!({ "essential": false })),
        ("E0243: there is no", json!({}), json!({ "depends-on": { "db": "START" } })),
        ("E0243: container `app` has no", json!({}), json!({ "depends-on": { "app": "HEALTHY" } })),
        ("E0243: container `app` is ess", json!({}), json!({ "depends-on": { "app": "SUCCESS" } })),
        ("E0243: containers wait", json!({}), json!({ "depends-on": { "app": "START" } })),
        ("E0244: a health check's", json!({}), json!({ "health-check": check })),
        ("E0244: `interval` is at least 5s", json!({}), json!({ "health-check": check })),
        ("E0244: `stop-timeout` is at most", json!({}), json!({ "stop-timeout": 121 })),
        ("E0245: a task has 1 to 10", json!({ "containers": {} }), json!({})),
        ("E0245: an image's name", json!({}), json!({ "image": "" })),
        ("E0245: a task definition has", json!({}), json!({ "command": ["x".repeat(70_000)] })),
        (
            "E0246: the log driver `awslogs` needs the option `awslogs-group`",
            json!({}),
            json!({ "log-configuration": { "driver": "awslogs" } }),
        ),
        (
            "E0246: the log driver `awsfirelens`",
            json!({}),
            json!({ "log-configuration": { "driver": "awsfirelens" } }),
        ),
        (
            "E0247: `secrets` needs",
            json!({ "execution-role-arn": null }),
            json!({ "secrets": { "A": "arn:x" } }),
        ),
        (
            "E0247: `A` is in",
            json!({}),
            json!({ "secrets": { "A": "arn:x" }, "environment": { "A": "1" } }),
        ),
        ("E0248: ephemeral", json!({ "ephemeral-storage": { "size-in-gib": 20 } }), json!({})),
        ("E0249: Fargate does not know `privileged`", json!({}), json!({ "privileged": true })),
        ("E0254: `task-role-arn`", json!({ "task-role-arn": "app" }), json!({})),
        (
            "E0243: there is no container `envoy`",
            json!({ "proxy-configuration": { "container-name": "envoy" } }),
            json!({}),
        ),
        (
            "E0245: a container has at most one credential",
            json!({}),
            json!({ "credential-specs": ["credentialspec:a", "credentialspec:b"] }),
        ),
        (
            "E0249: `placement-constraints` cannot",
            json!({ "placement-constraints": ["agentConnected == true"] }),
            json!({}),
        ),
        (
            "E0249: Fargate does not know volumes of the form `docker`",
            json!({ "volumes": { "data": { "docker": {} } } }),
            json!({}),
        ),
        (
            "E0256: a volume is one thing",
            json!({ "volumes": { "data": { "docker": {}, "host-path": "/data" } } }),
            json!({}),
        ),
        (
            "E0256: a task has at most one volume that ECS makes for it",
            json!({ "volumes": {
                "a": { "configured-at-launch": true }, "b": { "configured-at-launch": true },
            } }),
            json!({}),
        ),
        (
            "E0256: there is no volume `data`",
            json!({}),
            json!({ "mount-points": [{ "source-volume": "data", "container-path": "/d" }] }),
        ),
        (
            "E0256: the mount `data` is not",
            json!({}),
            json!({ "mount-points": [{ "source-volume": "data", "container-path": "data" }] }),
        ),
    ];
    for (expected, task, app) in cases {
        let found = complaints(with(&task, &app));
        assert!(found.iter().any(|line| line.starts_with(expected)), "{expected}: {found:?}");
    }
}

#[test]
fn containers_of_one_task_share_their_ports() {
    let containers = json!({ "containers": {
        "a": { "image": "i", "ports": [{ "container-port": 80 }] },
        "b": { "image": "i", "ports": [{ "container-port": 80 }] },
    } });
    let found = complaints(with(&containers, &json!({})));
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("E0242: port 80 belongs to container `a`"), "{found:?}");
}

/// DNS answers at the same port over both.
#[test]
fn tcp_and_udp_have_ports_of_their_own() {
    let ports = json!([{ "container-port": 53 }, { "container-port": 53, "protocol": "udp" }]);
    assert!(complaints(with(&json!({}), &json!({ "ports": ports }))).is_empty());
}

#[test]
fn a_cycle_is_shown_as_a_path() {
    let depends = |on: &str| json!({ "image": "i", "depends-on": { on: "START" } });
    let containers =
        json!({ "containers": { "a": depends("b"), "b": depends("c"), "c": depends("b") } });
    let found = complaints(with(&containers, &json!({})));
    assert_eq!(found, ["E0243: containers wait for each other: b → c → b"]);
}
