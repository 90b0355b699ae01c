//! Random stacks over time on the simulator: resources come, go, change, are replaced and rewired; calls
//! fail, replies are lost, runs crash at any journal write and are interrupted. It always converges,
//! nothing leaks, and the simulator never has a reason to refuse a step.
//!
//! Proves N1, N2, N11, B6, B9, B14, B32, B35, B36 on the whole core; the wire tests do on AWS's API.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use ecsctl::address::{Address, Path};
use ecsctl::blueprint::Declaration;
use ecsctl::cloud::Cloud as _;
use ecsctl::cloud::sim::{Fault, Sim};
use ecsctl::desired::Desired;
use ecsctl::kind::{Class, Error, StackId};
use ecsctl::plan::{Options, Plan, Purpose, plan};
use ecsctl::run::event::{Event, Outcome};
use ecsctl::run::executor::{Interrupt, Run};
use ecsctl::run::journal::Journal;
use ecsctl::snapshot::{Snapshot, observe};
use ecsctl::spec::Unread;
use serde_json::json;
use tokio::sync::watch;

use crate::harness::chosen;

/// Stacks, unless `ECSCTL_TEST_STACKS` says otherwise; each lives through [`ROUNDS`] changes.
const STACKS: u64 = 2_000;
const ROUNDS: u64 = 2;

/// A small linear congruential generator (Knuth's MMIX constants): the same stacks on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn flip(&mut self) -> bool {
        self.roll(2) == 0
    }
}

fn stack() -> StackId {
    StackId { stack: "random".into(), env: "test".into(), region: "us-east-1".into() }
}

/// A stack's declarations, drawn at random.
fn declare(dice: &mut Dice) -> Vec<Declaration> {
    let mut found = Vec::new();
    let mut put = |kind: &str, name: &str, spec: serde_json::Value| {
        let section = Path::of(["aws", kind, name]);
        found.push(Declaration { spec, ..Declaration::new(kind, name, &section) });
    };
    let net = dice.roll(2);
    put("vpc", "main", json!({"cidr": format!("10.{net}.0.0/16")}));
    put("internet-gateway", "main", json!({"vpc-id": "${vpc.main.id}"}));
    for (index, name) in ["a", "b"].iter().enumerate() {
        put(
            "subnet",
            name,
            json!({
                "vpc-id": "${vpc.main.id}",
                "cidr-block": format!("10.{net}.{index}.0/24"),
                "availability-zone": format!("${{aws.zone-{}}}", index + 1),
            }),
        );
    }
    put(
        "route-table",
        "public",
        json!({
            "vpc-id": "${vpc.main.id}",
            "routes": {"0.0.0.0/0": "${internet-gateway.main.id}"},
            "subnets": ["${subnet.a.id}", "${subnet.b.id}"],
        }),
    );
    if dice.flip() {
        let home = ["a", "b"][dice.roll(2) as usize];
        put("elastic-ip", "nat", json!({}));
        put(
            "nat-gateway",
            "main",
            json!({
                "subnet-id": format!("${{subnet.{home}.id}}"),
                "allocation-id": "${elastic-ip.nat.id}",
            }),
        );
        put(
            "route-table",
            "private",
            json!({
                "vpc-id": "${vpc.main.id}",
                "routes": {"0.0.0.0/0": "${nat-gateway.main.id}"},
            }),
        );
    }
    if dice.flip() {
        declare_endpoints(dice, &mut put);
    }
    declare_services(dice, &mut put);
    found
}

/// Endpoints that move between services, subnets and types.
fn declare_endpoints(dice: &mut Dice, put: &mut impl FnMut(&str, &str, serde_json::Value)) {
    let description = ["one", "two"][dice.roll(2) as usize];
    put(
        "security-group",
        "endpoints",
        json!({"vpc-id": "${vpc.main.id}", "description": description}),
    );
    let service = ["logs", "sqs"][dice.roll(2) as usize];
    let home = ["a", "b"][dice.roll(2) as usize];
    put(
        "vpc-endpoint",
        "main",
        json!({"vpc-id": "${vpc.main.id}", "type": "interface",
            "service-name": format!("com.amazonaws.us-east-1.{service}"),
            "subnets": [format!("${{subnet.{home}.id}}")], "private-dns-enabled": dice.flip(),
            "security-groups": ["${security-group.endpoints.id}"]}),
    );
    let s3 = match dice.flip() {
        true => json!({"type": "gateway", "route-tables": ["${route-table.public.id}"]}),
        false => json!({"type": "interface", "subnets": ["${subnet.a.id}"]}),
    };
    let mut endpoint =
        json!({"vpc-id": "${vpc.main.id}", "service-name": "com.amazonaws.us-east-1.s3"});
    let fields = s3.as_object().expect("a table").clone();
    endpoint.as_object_mut().expect("a table").extend(fields);
    put("vpc-endpoint", "s3", endpoint);
}

fn declare_services(dice: &mut Dice, put: &mut impl FnMut(&str, &str, serde_json::Value)) {
    let scheme = ["internet-facing", "internal"][dice.roll(2) as usize];
    let description = ["one", "two"][dice.roll(2) as usize];
    put(
        "security-group",
        "lb",
        json!({"vpc-id": "${vpc.main.id}", "description": description,
        "ingress": [{"protocol": "tcp", "from-port": 80, "to-port": 80, "cidr": "0.0.0.0/0"}]}),
    );
    // A certificate is replaced when its names change, the record when its own does; either may lead to
    // a load balancer that is replaced itself.
    let domain = format!("d{}.example.com", dice.roll(2));
    let secure = dice.flip();
    if secure {
        let names = [domain.clone(), format!("www{}.example.com", dice.roll(2))];
        put("certificate", "main", json!({"names": names, "validated-by": "route-53"}));
    }
    if dice.flip() {
        let target = ["main", "second"][dice.roll(2) as usize];
        put(
            "dns-record",
            "main",
            json!({"name": domain, "type": "A", "alias": {
                "dns-name": format!("${{load-balancer.{target}.dns}}"),
                "zone-id": format!("${{load-balancer.{target}.zone-id}}")}}),
        );
    }
    for (name, scheme) in [("main", scheme), ("second", "internal")] {
        put(
            "load-balancer",
            name,
            json!({"scheme": scheme, "vpc-id": "${vpc.main.id}",
            "subnets": ["${subnet.a.id}", "${subnet.b.id}"],
            "security-groups": ["${security-group.lb.id}"]}),
        );
        let mut listener = json!({"load-balancer-arn": format!("${{load-balancer.{name}.arn}}"),
            "port": 80 + dice.roll(2), "protocol": "HTTP",
            "default-action": {"fixed-response": {"status": 404}}});
        // The simulator keeps what an update leaves out: what has a certificate has another port.
        if secure && dice.flip() {
            listener["port"] = (443 + dice.roll(2)).into();
            listener["protocol"] = "HTTPS".into();
            listener["certificate-arn"] = "${certificate.main.arn}".into();
        }
        put("listener", name, listener);
    }
    declare_network_balancer(dice, put);
    put("cluster", "main", json!({}));
    // The images of a repository that may be replaced, the tags of which move on.
    put("repository", "main", json!({"name": format!("random/test/{}", dice.roll(2))}));
    put(
        "image",
        "main",
        json!({"repository": "${repository.main.uri}", "tag": format!("v{}", dice.roll(3)),
            "platforms": ["linux/amd64"]}),
    );
    if dice.flip() {
        let shown = ["main", "second"][dice.roll(2) as usize];
        let line = json!([
            "AWS/ApplicationELB",
            "RequestCount",
            "LoadBalancer",
            format!("${{load-balancer.{shown}.arn-suffix}}")
        ]);
        let body = json!({"widgets": [{"type": "metric", "properties": {"metrics": [line]}}]});
        put("dashboard", "main", json!({ "body": body }));
    }
    let instances = dice.flip().then(|| declare_instances(dice, put));
    let has_managed = dice.flip();
    if has_managed {
        declare_managed(dice, put);
    }
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Action": "sts:AssumeRole", "Principal": {"Service": "ecs-tasks.amazonaws.com"}}]});
    let scheduler = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Action": "sts:AssumeRole", "Principal": {"Service": "scheduler.amazonaws.com"}}]});
    put("role", "schedule", json!({"trust": scheduler}));
    let makers = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Action": "sts:AssumeRole", "Principal": {"Service": "ecs.amazonaws.com"}}]});
    let path = ["/ecsctl/random/test/", "/ecsctl/random/test/disks/"][dice.roll(2) as usize];
    put("role", "disks", json!({"trust": makers, "path": path}));
    let night = ["main", "night"][dice.roll(2) as usize];
    put("schedule-group", "main", json!({"name": format!("random-test-{night}")}));
    let network = json!({"subnets": ["${subnet.a.id}", "${subnet.b.id}"],
        "security-groups": ["${security-group.lb.id}"]});
    let first = dice.roll(3);
    // A service offers a name in the namespace, those behind it may look for it; the namespace may be replaced.
    let connects = dice.flip();
    if connects {
        let name = format!("random-test-{}", dice.roll(2));
        put("namespace", "main", json!({"name": name, "description": description}));
    }
    if let Some(provider) = instances.as_deref().filter(|_| dice.flip()) {
        declare_of_host(dice, provider, put);
    }
    let discovers = dice.flip();
    if discovers {
        let name = format!("random-{}.test", dice.roll(2));
        let zone = json!({"name": name, "vpc-id": "${vpc.main.id}", "description": description});
        put("dns-namespace", "main", zone);
    }
    let mut sharing: Vec<(String, &str)> = Vec::new();
    for index in first..first + dice.roll(4) {
        let name = format!("s{index}");
        let role = format!("r{}", dice.roll(2));
        let listener = ["main", "second"][dice.roll(2) as usize];
        put("role", &role, json!({"trust": trust}));
        let group = format!("/random/{name}/{}", dice.roll(2));
        put(
            "log-group",
            &name,
            json!({"name": group, "retention-in-days": 7 * (1 + dice.roll(2))}),
        );
        put(
            "target-group",
            &name,
            json!({"vpc-id": "${vpc.main.id}", "protocol": "HTTP",
            "port": 8000 + dice.roll(2), "target-type": "ip"}),
        );
        let shifted = dice.roll(3) == 0;
        if shifted {
            declare_alternate(dice, &name, put);
        }
        put(
            "listener-rule",
            &name,
            json!({"listener-arn": format!("${{listener.{listener}.arn}}"),
            "priority": 10 + index, "conditions": {"paths": [format!("/{name}/*")]},
            "action": action(&name, shifted)}),
        );
        let has_disk = dice.flip();
        let volumes = match has_disk {
            true => json!({"data": {"configured-at-launch": true}}),
            false => json!({"data": {}}),
        };
        let mut balancers = vec![balancer(&name, shifted)];
        if !shifted && dice.flip() {
            declare_port(dice, &name, index, put);
            balancers.push(balancer(&format!("{name}-port"), false));
        }
        if !shifted {
            sharing.push((name.clone(), listener));
        }
        let image = match dice.flip() {
            true => "${image.main.uri}".to_owned(),
            false => format!("app:v{}", dice.roll(3)),
        };
        put(
            "task-definition",
            &name,
            json!({"cpu": "256", "memory": "512", "volumes": volumes,
            "requires-compatibilities": ["EC2", "FARGATE", "MANAGED_INSTANCES"],
            "execution-role-arn": format!("${{role.{role}.arn}}"),
            "containers": {"app": {"image": image,
                "log-configuration": {"driver": "awslogs", "options": {
                    "awslogs-group": format!("${{log-group.{name}.name}}"),
                    "awslogs-region": "us-east-1", "awslogs-stream-prefix": "app"}},
                "ports": [{"container-port": 8000, "name": name}]}}}),
        );
        let provider = match dice.roll(3) {
            0 if instances.is_some() => instances.as_deref().unwrap_or_default(),
            1 if has_managed => "${managed-capacity.ecs.name}",
            _ => "FARGATE",
        };
        let connect = match (connects, dice.roll(3)) {
            (false, _) | (true, 0) => json!({}),
            (true, 1) => json!({"enabled": true, "namespace": "${namespace.main.arn}"}),
            (true, _) => json!({"enabled": true, "namespace": "${namespace.main.arn}", "services":
                {&name: {"discovery-name": name, "dns-name": name, "port": 8000}}}),
        };
        let is_found = discovers && dice.flip();
        if is_found {
            declare_name(dice, &name, put);
        }
        let registry = json!([{"registry-arn": format!("${{discovery-service.{name}.arn}}")}]);
        // Instances whose group keeps its name make room before they are replaced: who leaves them late, and
        // comes after who joins them, has to be applied in two goes (E0206).
        let before = (first..index).filter(|_| instances.is_none() && dice.flip());
        let after: Vec<_> = before.map(|other| format!("${{service.s{other}.arn}}")).collect();
        let disk =
            json!({"data": {"role-arn": "${role.disks.arn}", "size-in-gib": 1 + dice.roll(2)}});
        put(
            "service",
            &name,
            json!({"cluster": "${cluster.main.arn}", "after": after,
            "volumes": if has_disk { disk } else { json!({}) },
            "service-connect-configuration": connect,
            "service-registries": if is_found { registry } else { json!([]) },
            "capacity-provider-strategy": [{"capacity-provider": provider, "weight": 1}],
            "task-definition": format!("${{task-definition.{name}.arn}}"),
            "desired-count": dice.roll(3),
            "network": {"subnets": ["${subnet.a.id}", "${subnet.b.id}"],
                "security-groups": ["${security-group.lb.id}"]},
            "load-balancers": balancers,
            "deployment": deployment(dice, shifted)}),
        );
        if dice.flip() {
            declare_scaling(dice, &name, put);
        }
        if dice.flip() {
            put(
                "task-run",
                &name,
                json!({"service": name, "container": "app", "cluster": "${cluster.main.arn}",
                "before": format!("${{task-definition.{name}.arn}}"),
                "family": format!("${{task-definition.{name}.family}}"), "network": network}),
            );
        }
        if dice.flip() {
            put(
                "schedule",
                &name,
                json!({"group": "${schedule-group.main.name}", "expression": "rate(1 hour)",
                "cluster": "${cluster.main.arn}", "role-arn": "${role.schedule.arn}",
                "task-definition": format!("${{task-definition.{name}.arn}}"),
                "maximum-retry-attempts": dice.roll(3), "network": network}),
            );
        }
    }
    declare_sharing(dice, &sharing, put);
}

/// A network load balancer, whose listeners are those of the services.
fn declare_network_balancer(dice: &mut Dice, put: &mut impl FnMut(&str, &str, serde_json::Value)) {
    let scheme = ["internet-facing", "internal"][dice.roll(2) as usize];
    let logs =
        [json!({}), json!({"bucket": "logs", "prefix": "net"})][dice.roll(2) as usize].clone();
    put(
        "load-balancer",
        "net",
        json!({"type": "network", "scheme": scheme, "vpc-id": "${vpc.main.id}",
        "subnets": ["${subnet.a.id}"], "security-groups": ["${security-group.lb.id}"],
        "cross-zone": dice.flip(), "access-logs": logs}),
    );
}

/// A port of that which leads to a service. What it speaks may change, and the target group with it.
fn declare_port(
    dice: &mut Dice,
    name: &str,
    index: u64,
    put: &mut impl FnMut(&str, &str, serde_json::Value),
) {
    let (speaks, hears) = [("TCP", "TCP"), ("UDP", "UDP"), ("TCP", "TCP_UDP"), ("UDP", "TCP_UDP")]
        [dice.roll(4) as usize];
    let name = format!("{name}-port");
    put(
        "target-group",
        &name,
        json!({"vpc-id": "${vpc.main.id}", "protocol": hears, "port": 8000 + dice.roll(2),
        "target-type": "ip", "health-check": {"protocol": "TCP"}}),
    );
    put(
        "listener",
        &name,
        json!({"load-balancer-arn": "${load-balancer.net.arn}", "port": 9000 + 10 * dice.roll(2) + index,
        "protocol": speaks,
        "default-action": {"forward": format!("${{target-group.{name}.arn}}")}}),
    );
}

/// A rule by which services behind one listener share requests.
fn declare_sharing(
    dice: &mut Dice,
    sharing: &[(String, &str)],
    put: &mut impl FnMut(&str, &str, serde_json::Value),
) {
    for listener in ["main", "second"] {
        let behind = sharing.iter().filter(|(_, own)| *own == listener);
        let names: Vec<&String> = behind.map(|(name, _)| name).collect();
        if names.len() < 2 || dice.flip() {
            continue;
        }
        let share = |name: &&String| json!({"target-group-arn": format!("${{target-group.{name}.arn}}"), "weight": 1 + dice.roll(3)});
        let shares: Vec<_> = names.iter().map(share).collect();
        put(
            "listener-rule",
            &format!("{listener}-shared"),
            json!({"listener-arn": format!("${{listener.{listener}.arn}}"), "priority": 100,
            "conditions": {"paths": ["/shared"]}, "action": {"weighted": shares}}),
        );
    }
}

/// A name under which a service is found. With other records it has another name: of two with the same one, the
/// old one would have to go first, and the service with it.
fn declare_name(dice: &mut Dice, name: &str, put: &mut impl FnMut(&str, &str, serde_json::Value)) {
    let (suffix, records) =
        [("", json!(["A"])), ("-6", json!(["A", "AAAA"]))][dice.roll(2) as usize].clone();
    put(
        "discovery-service",
        name,
        json!({"name": format!("{name}{suffix}"), "namespace": "${dns-namespace.main.arn}",
            "records": records, "ttl": 5 + dice.roll(2)}),
    );
}

/// What ECS moves requests with.
fn declare_alternate(
    dice: &mut Dice,
    name: &str,
    put: &mut impl FnMut(&str, &str, serde_json::Value),
) {
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Action": "sts:AssumeRole", "Principal": {"Service": "ecs.amazonaws.com"}}]});
    put("role", &format!("{name}-traffic"), json!({"trust": trust}));
    put(
        "target-group",
        &format!("{name}-alternate"),
        json!({"vpc-id": "${vpc.main.id}", "protocol": "HTTP",
        "port": 8000 + dice.roll(2), "target-type": "ip"}),
    );
}

fn action(name: &str, shifted: bool) -> serde_json::Value {
    let group = |name: String| format!("${{target-group.{name}.arn}}");
    if !shifted {
        return json!({ "forward": group(name.to_owned()) });
    }
    json!({ "weighted": [
        {"target-group-arn": group(name.to_owned()), "weight": 100},
        {"target-group-arn": group(format!("{name}-alternate")), "weight": 0}]})
}

fn balancer(name: &str, shifted: bool) -> serde_json::Value {
    let mut balancer = json!({"target-group-arn": format!("${{target-group.{name}.arn}}"),
        "container-name": "app", "container-port": 8000});
    if shifted {
        balancer["advanced"] = json!({
            "alternate-target-group-arn": format!("${{target-group.{name}-alternate.arn}}"),
            "production-listener-rule": format!("${{listener-rule.{name}.arn}}"),
            "role-arn": format!("${{role.{name}-traffic.arn}}")});
    }
    balancer
}

fn deployment(dice: &mut Dice, shifted: bool) -> serde_json::Value {
    if !shifted {
        return json!({});
    }
    match dice.roll(3) {
        0 => json!({"strategy": "BLUE_GREEN", "bake-time-in-minutes": dice.roll(2)}),
        1 => json!({"strategy": "CANARY", "bake-time-in-minutes": 0,
            "canary": {"percent": 10, "bake-time-in-minutes": 1}}),
        _ => json!({"strategy": "LINEAR", "bake-time-in-minutes": 0,
            "linear": {"step-percent": 50, "step-bake-time-in-minutes": 1}}),
    }
}

fn declare_scaling(
    dice: &mut Dice,
    name: &str,
    put: &mut impl FnMut(&str, &str, serde_json::Value),
) {
    let least = dice.roll(3);
    put(
        "scalable-target",
        name,
        json!({"service": format!("${{service.{name}.arn}}"), "min-capacity": least,
            "max-capacity": least + dice.roll(4)}),
    );
    let resource = format!("${{scalable-target.{name}.resource-id}}");
    put(
        "scaling-policy",
        name,
        json!({"resource-id": resource, "policy-type": "StepScaling", "step-scaling": {
            "adjustment-type": "ChangeInCapacity",
            "step-adjustments": [{"scaling-adjustment": 1 + dice.roll(2)}]}}),
    );
    if dice.flip() {
        put(
            "scheduled-action",
            name,
            json!({"resource-id": resource, "schedule": "cron(0 8 * * ? *)",
                "min-capacity": dice.roll(2)}),
        );
    }
    put(
        "alarm",
        name,
        json!({"namespace": "AWS/ECS", "metric-name": "CPUUtilization", "statistic": "Average",
            "period": 60, "comparison-operator": "GreaterThanThreshold",
            "threshold": 50 + dice.roll(2),
            "dimensions": {"ServiceName": format!("${{service.{name}.name}}")},
            "alarm-actions": [format!("${{scaling-policy.{name}.arn}}")]}),
    );
}

/// Instances that services may run on: gives their provider's name. Another provider of the same group takes its
/// place, or the same under another name.
fn declare_instances(
    dice: &mut Dice,
    put: &mut impl FnMut(&str, &str, serde_json::Value),
) -> String {
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}]});
    put("role", "own", json!({"trust": trust}));
    let path = ["/ecsctl/random/test/", "/ecsctl/random/test/own/"][dice.roll(2) as usize];
    put("instance-profile", "own", json!({"path": path, "role": "${role.own.arn}"}));
    put(
        "launch-template",
        "own",
        json!({"image-id": "ami-1", "user-data": format!("echo {}", dice.roll(2)),
        "instance-type": "t3.medium", "instance-profile": "${instance-profile.own.arn}",
        "security-groups": ["${security-group.lb.id}"]}),
    );
    let name = format!("random-own-{}", dice.roll(2));
    put(
        "auto-scaling-group",
        "own",
        json!({"name": name, "cluster": "${cluster.main.arn}", "max-size": 1 + dice.roll(2),
        "subnets": ["${subnet.a.id}", "${subnet.b.id}"],
        "launch-template": "${launch-template.own.id}",
        "launch-template-version": "${launch-template.own.version}"}),
    );
    let provider = ["own", "owned"][dice.roll(2) as usize];
    put(
        "capacity-provider",
        provider,
        json!({"cluster": "${cluster.main.arn}", "name": format!("random-{}", dice.roll(2)),
        "auto-scaling-group-arn": "${auto-scaling-group.own.arn}",
        "managed-scaling": {"enabled": true, "target-capacity": 50 + dice.roll(2)}}),
    );
    format!("${{capacity-provider.{provider}.name}}")
}

/// A service that holds a port of its instances: on each of them or on some, one of two names, on one port or
/// another.
fn declare_of_host(
    dice: &mut Dice,
    provider: &str,
    put: &mut impl FnMut(&str, &str, serde_json::Value),
) {
    let name = ["agent", "probe"][dice.roll(2) as usize];
    let port = 9000 + dice.roll(2);
    put(
        "task-definition",
        name,
        json!({"network-mode": "host", "requires-compatibilities": ["EC2"],
        "containers": {"app": {"image": "agent:1", "memory": 64, "ports": [{"container-port": port}]}}}),
    );
    let mut service = json!({"cluster": "${cluster.main.arn}",
        "task-definition": format!("${{task-definition.{name}.arn}}"),
        "availability-zone-rebalancing": "DISABLED",
        "deployment": {"minimum-healthy-percent": 0, "maximum-percent": 100}});
    match dice.flip() {
        true => {
            service["scheduling-strategy"] = "DAEMON".into();
            service["launch-type"] = "EC2".into();
        }
        false => {
            service["desired-count"] = 1.into();
            service["capacity-provider-strategy"] =
                json!([{"capacity-provider": provider, "weight": 1}]);
        }
    }
    let scaled = service["desired-count"].is_number() && dice.flip();
    put("service", name, service);
    if scaled {
        declare_scaling(dice, name, put);
    }
}

/// Instances that ECS manages.
fn declare_managed(dice: &mut Dice, put: &mut impl FnMut(&str, &str, serde_json::Value)) {
    let trust = |service: &str| {
        json!({"trust": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
            "Action": "sts:AssumeRole", "Principal": {"Service": service}}]}})
    };
    put("role", "ecs-instances", trust("ec2.amazonaws.com"));
    put("role", "ecs-infrastructure", trust("ecs.amazonaws.com"));
    put("instance-profile", "ecs", json!({"role": "${role.ecs-instances.arn}"}));
    let option = ["ON_DEMAND", "SPOT"][dice.roll(2) as usize];
    put(
        "managed-capacity",
        "ecs",
        json!({"cluster": "${cluster.main.arn}",
        "infrastructure-role-arn": "${role.ecs-infrastructure.arn}",
        "instance-profile-arn": "${instance-profile.ecs.arn}",
        "subnets": ["${subnet.a.id}", "${subnet.b.id}"],
        "security-groups": ["${security-group.lb.id}"], "capacity-option": option,
        "requirements": {"vcpus": {"min": 1 + dice.roll(2)}, "memory-mib": {"min": 512}}}),
    );
}

/// A journal whose disk fills up at some line: the process dies there.
struct Dying {
    lines: u64,
    dies_at: Option<u64>,
}

impl Journal for Dying {
    fn record(&mut self, _event: &Event) -> io::Result<()> {
        self.lines += 1;
        match self.dies_at {
            Some(line) if self.lines > line => Err(io::Error::other("the process dies here")),
            _ => Ok(()),
        }
    }
}

fn desired(drafts: &[Declaration]) -> Desired {
    let mut desired = Desired::nothing(stack());
    if let Err(found) = desired.assemble(drafts, &Unread::default()) {
        panic!("the random stack is not valid: {found:#?}");
    }
    desired
}

struct Account {
    sim: Sim,
    dice: Arc<Mutex<Dice>>,
    runs: AtomicU64,
}

impl Account {
    fn new(seed: u64) -> Self {
        let begun = tokio::time::Instant::now();
        let clock = Arc::new(move || begun.elapsed().as_secs_f64());
        let dice = Arc::new(Mutex::new(Dice(seed)));
        let faults = dice.clone();
        let sim = Sim::in_memory("us-east-1", clock, 0.1).with_faults(Arc::new(move |_| {
            let mut dice = faults.lock().expect("no holder panics");
            let error = || Error::new(Class::Transient, "the line is bad");
            match dice.roll(40) {
                0 => Some(Fault::Before(error())),
                1 => Some(Fault::After(error())),
                2 => Some(Fault::Before(Error::new(Class::Other, "no luck today"))),
                _ => None,
            }
        }));
        Self { sim, dice, runs: AtomicU64::new(0) }
    }

    async fn look(&self, desired: &Desired) -> Snapshot {
        observe(&self.sim, desired).await.expect("the simulator can be looked at")
    }

    fn plan(&self, desired: &Desired, snapshot: &Snapshot, purpose: Purpose) -> Plan {
        match plan(desired, snapshot, purpose, &Options::default()) {
            Ok(plan) => plan,
            Err(found) => panic!("there is always a way: {found:#?}"),
        }
    }

    async fn carry_out(&self, plan: &Plan, snapshot: &Snapshot) -> io::Result<Outcome> {
        let number = self.runs.fetch_add(1, Ordering::Relaxed);
        let (dies_at, stops_at) = {
            let mut dice = self.dice.lock().expect("no holder panics");
            let lines = 4 * plan.steps.len() as u64 + 2;
            (dice.flip().then(|| dice.roll(lines)), (dice.roll(4) == 0).then(|| dice.roll(lines)))
        };
        let (sender, interrupt) = watch::channel(Interrupt::None);
        let mut seen = 0;
        let mut watch = |_: &Event| {
            seen += 1;
            if Some(seen) == stops_at {
                sender.send_replace(Interrupt::Stop);
            }
        };
        let run = Run {
            name: format!("run-{number}"),
            at: "2026-01-01T00:00:00Z".into(),
            plan,
            cloud: &self.sim,
            known: snapshot.known(&stack()),
            journal: &mut Dying { lines: 0, dies_at },
            watch: &mut watch,
            interrupt,
        };
        run.execute().await
    }

    /// Plans and carries out until there is nothing left to do. Gives the number of runs it took.
    async fn converge(&self, desired: &Desired, purpose: Purpose) -> u64 {
        for attempt in 0..60 {
            let snapshot = self.look(desired).await;
            let plan = self.plan(desired, &snapshot, purpose);
            if plan.is_empty() {
                return attempt;
            }
            // A crash is an error here, and nothing but the next round's business.
            let _ = self.carry_out(&plan, &snapshot).await;
            assert_eq!(self.sim.refusals(), [""; 0], "the plan was in order:\n{plan}");
        }
        let snapshot = self.look(desired).await;
        panic!("it does not converge:\n{}", self.plan(desired, &snapshot, purpose));
    }
}

async fn live_through(seed: u64) -> BTreeMap<&'static str, u64> {
    let account = Account::new(seed);
    let mut dice = Dice(seed ^ 0x5eed);
    let mut counts = BTreeMap::new();
    for _ in 0..ROUNDS {
        let desired = desired(&declare(&mut dice));
        *counts.entry("runs").or_default() += account.converge(&desired, Purpose::Apply).await;
        // Of a deed nothing stays, and what others make is theirs.
        let stays = |address: &&Address| !["task-run", "image"].contains(&address.kind.as_str());
        let stays = desired.resources.keys().filter(stays).count();
        assert_eq!(account.sim.count(), stays, "nothing leaks (seed {seed})");
    }
    let nothing = Desired::nothing(stack());
    *counts.entry("runs").or_default() += account.converge(&nothing, Purpose::Destroy).await;
    assert_eq!(account.sim.count(), 0, "nothing is left (seed {seed})");
    account.sim.surroundings().await.expect("the simulator tells where it is");
    counts
}

/// Two halves, a thread each; the clock is paused, so that waiting takes no time. With another number in
/// `ECSCTL_TEST_SEED` other stacks are drawn.
#[test]
fn random_stacks_converge_leak_nothing_and_are_never_refused() {
    let (stacks, first) = (chosen("ECSCTL_TEST_STACKS", STACKS), chosen("ECSCTL_TEST_SEED", 0));
    let half = |offset: u64| {
        std::thread::spawn(move || {
            let mut builder = tokio::runtime::Builder::new_current_thread();
            let runtime = builder.enable_time().start_paused(true).build().unwrap();
            let seeds = (0..stacks / 2).map(|seed| first + 2 * seed + offset);
            seeds.map(|seed| runtime.block_on(live_through(seed))["runs"]).sum::<u64>()
        })
    };
    let runs: u64 = [half(0), half(1)].map(|half| half.join().unwrap()).iter().sum();
    // Crashes and faults make more runs necessary than one a round; the figure shows that they happen.
    println!("{stacks} stacks, {runs} applies and destroys");
    let least = chosen("ECSCTL_TEST_RUNS", stacks * (ROUNDS + 1) + 1);
    assert!(runs >= least, "{runs} runs, not {least}");
}
