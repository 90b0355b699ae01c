//! What holds for every stack.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::{example, line, made};
use crate::blueprint::sheet::{may_declare, section_of};
use crate::blueprint::{Declaration, Document, Options, expand, shorthands};
use crate::kind::{Check, StackId};
use crate::kinds;
use crate::spec::Unread;
use crate::value::Value;

/// What every expansion must be: declarations of known kinds that pass their own checks, with names
/// that are names, references that lead somewhere, and no circle among them.
fn hold(declarations: &[Declaration]) -> Result<(), String> {
    let stack = StackId { stack: "shop".into(), env: "default".into(), region: "eu-west-1".into() };
    let addresses: BTreeSet<_> = declarations.iter().map(|one| &one.address).collect();
    let mut edges = BTreeMap::new();
    for Declaration { address, spec, origins, section, .. } in declarations {
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if address.name.is_empty() || !address.name.chars().all(is_name) {
            return Err(format!("{address} is not a name"));
        }
        let from = Unread::from(section_of(section));
        if !may_declare(&from, address) {
            return Err(format!("{section} is not known to declare {address}"));
        }
        let kind = kinds::find(&address.kind).ok_or(format!("{address}: no such kind"))?;
        let full = kind.parse(spec.clone()).map_err(|error| format!("{address}: {error}"))?;
        let mut check = Check { stack: &stack, address, found: Vec::new() };
        kind.check(&full, &mut check);
        if let Some(found) = check.found.first() {
            return Err(format!("{address}: {}", line(found)));
        }
        if let Some(way) = origins.keys().find(|way| kind.shape().at(way).is_none()) {
            return Err(format!("{address}: an origin of `{way}`, which is no field"));
        }
        let value = Value::lift(spec.clone()).map_err(|error| format!("{address}: {error}"))?;
        let mut needs = BTreeSet::new();
        for output in value.outputs().into_iter().filter(|output| !output.is_surroundings()) {
            let of = kinds::find(&output.of.kind).ok_or(format!("{address}: {output}"))?;
            let known = of.outputs();
            if !addresses.contains(&output.of)
                || !known.fields().is_some_and(|fields| fields.contains_key(&output.name))
            {
                return Err(format!("{address}: {output} is nowhere"));
            }
            needs.insert(output.of.clone());
        }
        edges.insert(address.clone(), needs);
    }
    while let Some(free) = edges.iter().find(|(_, needs)| needs.is_empty()).map(|(a, _)| a.clone())
    {
        edges.remove(&free);
        for needs in edges.values_mut() {
            needs.remove(&free);
        }
    }
    edges.is_empty().then_some(()).ok_or_else(|| format!("a circle: {:?}", edges.keys()))
}

#[test]
fn the_examples_hold() {
    let examples = [
        ("hello-world.toml", None),
        ("hello-world-ecr/ecsctl.toml", None),
        ("scorekeep/ecsctl.toml", None),
        ("scorekeep/ecsctl.toml", Some("dev")),
        ("scorekeep/ecsctl.toml", Some("prod")),
        ("shop/ecsctl.toml", None),
        ("autoscaling/ecsctl.toml", None),
        ("batch/ecsctl.toml", None),
        ("mqtt/ecsctl.toml", None),
        ("private/ecsctl.toml", None),
        ("existing-network/ecsctl.toml", None),
    ];
    for (path, env) in examples {
        assert_eq!(hold(&made(&example(path, env))), Ok(()), "{path} {env:?}");
    }
}

prop_compose! {
    /// A service that uses some of the keys.
    fn any_service()(
        port in prop::option::of(1u16..),
        public: Option<bool>,
        spot in prop::option::of(0u32..=100),
        size in prop::sample::select(vec!["0.25vcpu/512MB", "1vcpu/2GB", "4vcpu/8GB"]),
        sidecar in prop::option::of("[a-z]{1,6}"),
        xray: bool,
        exec: Option<bool>,
        own: bool,
        volume: bool,
        secrets: bool,
        health in prop::sample::select(vec!["/", "/ok", "curl localhost"]),
        count in 2u32..=9,
        most in prop::option::of(10u32..=20),
        follows in prop::sample::subsequence(vec!["cpu", "memory", "requests"], 0..=3),
        domain in prop::option::of(prop::sample::select(vec!["a.test", "b.test"])),
        max in 150u32..=200,
    ) -> Json {
        let short = |name: &str, scalar: &str| {
            let rule = shorthands().iter().find(|rule| rule.name == name).unwrap();
            (rule.parse)(&scalar.into()).unwrap()
        };
        let mut service = json!({
            "image": if own { "${repository.own.uri}:1" } else { "httpd" },
            "public": port.is_some() && public != Some(false),
            "size": short("size", size),
            "xray": xray,
            "count": { "tasks": count },
            "health": short("health", health),
            "deploy": { "max": max },
            "allow": { "my-tables": { "actions": ["dynamodb:*"], "on": ["*"] } },
        });
        let is_public = port.is_some() && public != Some(false);
        let counted = |key: &&&str| is_public || **key != "requests";
        if let Some(most) = most {
            service["count"] = json!({ "min": count, "max": most });
            for key in follows.iter().filter(counted) {
                service["count"][*key] = 60.into();
                if *key != "requests" {
                    service["alarms"][*key] = 90.into();
                } else {
                    service["alarms"]["latency"] = "2s".into();
                }
            }
        }
        if let Some(port) = port {
            service["port"] = port.into();
            if let Some(domain) = domain.filter(|_| public != Some(false)) {
                service["domain"] = short("domain", domain);
            }
        }
        if let Some(spot) = spot {
            service["spot"] = format!("{spot}%").into();
        }
        if let Some(exec) = exec {
            service["exec"] = exec.into();
        }
        if let Some(name) = sidecar {
            service["container"] = json!({ format!("x-{name}"): { "image": "i", "udp": 9999 } });
        }
        if volume {
            service["volume"] = json!({ "data": { "mount": "/data" }, "files": {
                "mount": "/files", "type": "efs", "id": "fs-1", "access-point": "fsap-1", "iam": own,
            } });
        }
        if secrets {
            service["secrets"] = json!({ "A": "ssm:/a", "B": "sm:b#c" });
        }
        service
    }
}

/// The service on instances, without what only Fargate has.
fn on_instances(service: &mut Json, mode: &str) {
    service["capacity"] = json!({ "own": { "base": 1, "weight": 2 } });
    service["network-mode"] = mode.into();
    service["place"] = json!({
        "spread": ["az", "instance"], "binpack": "cpu", "random": true, "distinct": true,
        "where": "attribute:ecs.instance-type == t3.small",
    });
    service["memory"] = "64MB..128MB".into();
    service["xray"] = (service["xray"] == true && mode != "bridge").into();
    service.as_object_mut().unwrap().remove("spot");
}

proptest! {
    #[test]
    fn any_stack_holds(
        services in prop::collection::btree_map("[a-z][a-z0-9-]{0,20}[a-z0-9]", any_service(), 0..5),
        cidr in prop::sample::select(vec!["10.0.0.0/16", "192.168.1.0/24", "172.16.0.0/20"]),
        mode in prop::sample::select(vec!["public", "private"]),
        mutual: bool,
        certificate: bool,
        expires: bool,
        protected: bool,
        scheduled: bool,
        endpoints in prop::sample::subsequence(vec!["dynamodb", "s3", "sqs"], 0..=3),
        grounds in prop::collection::vec(prop::option::of("awsvpc|bridge|host"), 5),
        routed in prop::collection::vec(0u16..3, 5),
    ) {
        let mut services = services;
        for (service, ground) in services.values_mut().zip(&grounds) {
            if let Some(mode) = ground {
                on_instances(service, mode);
            }
        }
        let names: Vec<String> = services.keys().cloned().collect();
        for (index, (name, service)) in services.iter_mut().enumerate() {
            let transport = ["tcp", "tls", "udp"][usize::from(routed[index])];
            let is_bridge = service["network-mode"] == "bridge";
            if service["public"] == true && routed[index] > 0 && !(is_bridge && transport == "udp") {
                let listens = 9000 + u16::try_from(index).unwrap();
                service["route"] = json!({
                    "feed": { (transport): listens, "port": 40_000, "container": name },
                    "more": { "path": format!("/more/{name}"), "methods": ["GET"], "port": 40_001 },
                });
            }
        }
        for (name, service) in &mut services {
            service["http"] = json!({ "path": format!("/{name}/*"), "enabled": service["public"] });
            // A task of the service's would need a disk, too.
            if !scheduled && service["volume"].is_object() {
                service["volume"]["disk"] =
                    json!({ "mount": "/disk", "type": "ebs", "size": "20GB", "class": "gp2" });
            }
            if mutual {
                service["from"] = names.iter().filter(|other| *other != name).cloned().collect();
            }
        }
        let mut tasks = serde_json::Map::new();
        if scheduled {
            // Tasks run on Fargate, and so do the services whose containers they have.
            let on_fargate = services.iter().filter(|(_, service)| service.get("capacity").is_none());
            for (name, _) in on_fargate {
                tasks.insert(format!("t-{name}"), json!({
                    "from": name, "command": ["run"], "env": { "MORE": "1" }, "when": "before-deploy",
                    "schedule": "rate(1 hour)", "retry": 3,
                }));
            }
            tasks.insert("o-own".to_owned(), json!({ "image": "i", "secrets": { "A": "ssm:/a" } }));
        }
        let mut document = json!({
            "task": tasks,
            "service": services,
            "repo": { "own": {} },
            "capacity": { "own": {
                "type": "ec2", "instances": ["t3.small"], "ami": "al2023", "spot": "10%",
            } },
            "daemon": { "own-agent": {
                "image": "i", "udp": 2000, "capacity": "own", "env": { "A": "1" },
            } },
            "network": { "cidr": cidr, "mode": mode, "endpoints": endpoints },
            "nlb": { "main": {
                "certificate": "arn:aws:acm:eu-west-1:1:certificate/0", "logs": "s3://my-logs/own",
            } },
        });
        if certificate {
            document["alb"] = json!({ "edge": { "certificate": "arn:aws:acm:eu-west-1:1:certificate/0" } });
        }
        let document: Document = serde_json::from_value(document).unwrap();
        let expansion = expand(&document, Options { protected, expires }, &Unread::default());
        prop_assert_eq!(expansion.faults.iter().map(line).collect::<String>(), "");
        prop_assert_eq!(hold(&expansion.declarations), Ok(()));
    }
}
