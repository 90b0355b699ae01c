//! Every field that replaces its resource does, on the wire: the new one is like the spec, the old one is
//! gone, and nothing is left to do.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use ecsctl::kinds;

use super::capacity::{CAPACITY, SERVICES};
use super::life::{Life, RUNNING};

/// A field, by the resource whose it is, and the edits of the spec that change it.
type Case = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

/// Fields that are changed elsewhere: in `tasks::a_schedule_group_is_replaced`, `domains::certificate`,
/// `domains::dns_record`, `managed::managed_capacity_is_replaced`, `dashboards::dashboard`, `names::dns_namespace`,
/// `names::discovery_service` and `ports::a_load_balancer_of_another_type_is_another_one`.
const ELSEWHERE: [(&str, &str); 19] = [
    ("dashboard", "name"),
    ("dns-namespace", "name"),
    ("dns-namespace", "vpc-id"),
    ("discovery-service", "name"),
    ("discovery-service", "namespace"),
    ("discovery-service", "records"),
    ("discovery-service", "routing-policy"),
    ("discovery-service", "custom-health-check"),
    ("load-balancer", "type"),
    ("schedule-group", "name"),
    ("schedule", "group"),
    ("certificate", "names"),
    ("certificate", "key-algorithm"),
    ("dns-record", "name"),
    ("dns-record", "type"),
    ("dns-record", "zone-id"),
    ("managed-capacity", "name"),
    ("managed-capacity", "cluster"),
    ("managed-capacity", "capacity-option"),
];

/// Two networks with what stands in them.
const NETWORK: &str = r#"
[aws.vpc.main]
cidr = "10.0.0.0/16"

[aws.vpc.other]
cidr = "10.0.0.0/16"

[aws.vpc.lonely]
cidr = "10.8.0.0/16"

[aws.internet-gateway.main]
vpc-id = "${vpc.main.id}"

[aws.internet-gateway.lonely]
vpc-id = "${vpc.lonely.id}"

[aws.subnet.a]
vpc-id = "${vpc.main.id}"
cidr-block = "10.0.0.0/24"
availability-zone = "us-east-1a"

[aws.subnet.b]
vpc-id = "${vpc.main.id}"
cidr-block = "10.0.1.0/24"
availability-zone = "us-east-1b"

[aws.subnet.moving]
cidr-block = "10.0.2.0/24"
vpc-id = "${vpc.main.id}"
availability-zone = "us-east-1c"

[aws.route-table.moving]
routes = {}
vpc-id = "${vpc.main.id}"

[aws.vpc-endpoint.moving]
service-name = "com.amazonaws.us-east-1.s3"
type = "gateway"
vpc-id = "${vpc.main.id}"

[aws.elastic-ip.one]

[aws.elastic-ip.two]

[aws.nat-gateway.main]
subnet-id = "${subnet.a.id}"
allocation-id = "${elastic-ip.one.id}"

[aws.security-group.a]
vpc-id = "${vpc.main.id}"

[aws.security-group.b]
vpc-id = "${vpc.main.id}"

[aws.security-group.moving]
description = "one"
vpc-id = "${vpc.main.id}"

[aws.security-group-rule.it]
security-group-id = "${security-group.a.id}"
direction = "ingress"
protocol = "tcp"
from-port = 80
to-port = 80
cidr = "192.0.2.0/24"
"#;

const IN_THE_NETWORK: &[Case] = &[
    ("vpc.lonely", "cidr", &[("10.8.0.0/16", "10.9.0.0/16")]),
    (
        "internet-gateway.lonely",
        "vpc-id",
        &[("vpc-id = \"${vpc.lonely.id}\"", "vpc-id = \"${vpc.other.id}\"")],
    ),
    ("subnet.moving", "availability-zone", &[("us-east-1c", "us-east-1d")]),
    ("subnet.moving", "cidr-block", &[("10.0.2.0/24", "10.0.3.0/24")]),
    (
        "subnet.moving",
        "vpc-id",
        &[(
            "\"10.0.3.0/24\"\nvpc-id = \"${vpc.main.id}\"",
            "\"10.0.3.0/24\"\nvpc-id = \"${vpc.other.id}\"",
        )],
    ),
    (
        "route-table.moving",
        "vpc-id",
        &[(
            "routes = {}\nvpc-id = \"${vpc.main.id}\"",
            "routes = {}\nvpc-id = \"${vpc.other.id}\"",
        )],
    ),
    ("vpc-endpoint.moving", "service-name", &[("us-east-1.s3", "us-east-1.dynamodb")]),
    ("vpc-endpoint.moving", "type", &[("\"gateway\"", "\"interface\"")]),
    (
        "vpc-endpoint.moving",
        "vpc-id",
        &[(
            "\"interface\"\nvpc-id = \"${vpc.main.id}\"",
            "\"interface\"\nvpc-id = \"${vpc.other.id}\"",
        )],
    ),
    ("nat-gateway.main", "subnet-id", &[("\"${subnet.a.id}\"", "\"${subnet.b.id}\"")]),
    ("nat-gateway.main", "allocation-id", &[("elastic-ip.one.id", "elastic-ip.two.id")]),
    (
        "nat-gateway.main",
        "connectivity-type",
        &[("allocation-id = \"${elastic-ip.two.id}\"", "connectivity-type = \"private\"")],
    ),
    ("security-group.moving", "description", &[("\"one\"", "\"two\"")]),
    ("security-group.moving", "name", &[("\"two\"", "\"two\"\nname = \"renamed\"")]),
    (
        "security-group.moving",
        "vpc-id",
        &[(
            "\"renamed\"\nvpc-id = \"${vpc.main.id}\"",
            "\"renamed\"\nvpc-id = \"${vpc.other.id}\"",
        )],
    ),
    ("security-group-rule.it", "from-port", &[("from-port = 80", "from-port = 79")]),
    ("security-group-rule.it", "to-port", &[("to-port = 80", "to-port = 81")]),
    ("security-group-rule.it", "protocol", &[("\"tcp\"", "\"udp\"")]),
    ("security-group-rule.it", "direction", &[("\"ingress\"", "\"egress\"")]),
    ("security-group-rule.it", "cidr", &[("192.0.2.0/24", "198.51.100.0/24")]),
    (
        "security-group-rule.it",
        "cidr-ipv6",
        &[("cidr = \"198.51.100.0/24\"", "cidr-ipv6 = \"2001:db8::/32\"")],
    ),
    (
        "security-group-rule.it",
        "security-group",
        &[("cidr-ipv6 = \"2001:db8::/32\"", "security-group = \"${security-group.b.id}\"")],
    ),
    (
        "security-group-rule.it",
        "prefix-list",
        &[("security-group = \"${security-group.b.id}\"", "prefix-list = \"PREFIX-LIST\"")],
    ),
    (
        "security-group-rule.it",
        "security-group-id",
        &[(
            "security-group-id = \"${security-group.a.id}\"",
            "security-group-id = \"${security-group.b.id}\"",
        )],
    ),
];

#[test]
fn what_stands_in_a_network_is_replaced() {
    let life = Life::begin(NETWORK);
    let list = life.session.behind_its_back(async |aws| {
        let call = aws.ec2.create_managed_prefix_list().prefix_list_name("them");
        let made = call.max_entries(1).address_family("IPv4").send().await.expect("a prefix list");
        made.prefix_list().and_then(|it| it.prefix_list_id()).expect("its id").to_owned()
    });
    replaced(&life, IN_THE_NETWORK, &[("PREFIX-LIST", &list)]);
}

/// Two networks with a load balancer each.
const BALANCING: &str = r#"
[aws.vpc.main]
cidr = "10.0.0.0/16"

[aws.vpc.other]
cidr = "10.0.0.0/16"

[aws.internet-gateway.main]
vpc-id = "${vpc.main.id}"

[aws.internet-gateway.other]
vpc-id = "${vpc.other.id}"

[aws.subnet.a]
vpc-id = "${vpc.main.id}"
cidr-block = "10.0.0.0/24"
availability-zone = "us-east-1a"

[aws.subnet.b]
vpc-id = "${vpc.main.id}"
cidr-block = "10.0.1.0/24"
availability-zone = "us-east-1b"

[aws.subnet.other-a]
vpc-id = "${vpc.other.id}"
cidr-block = "10.0.0.0/24"
availability-zone = "us-east-1a"

[aws.subnet.other-b]
vpc-id = "${vpc.other.id}"
cidr-block = "10.0.1.0/24"
availability-zone = "us-east-1b"

[aws.route-table.public]
vpc-id = "${vpc.main.id}"
routes = { "0.0.0.0/0" = "${internet-gateway.main.id}" }
subnets = ["${subnet.a.id}", "${subnet.b.id}"]

[aws.route-table.other]
vpc-id = "${vpc.other.id}"
routes = { "0.0.0.0/0" = "${internet-gateway.other.id}" }
subnets = ["${subnet.other-a.id}", "${subnet.other-b.id}"]

[aws.load-balancer.main]
subnets = ["${subnet.a.id}", "${subnet.b.id}"]

[aws.load-balancer.moving]
idle-timeout = 61
vpc-id = "${vpc.main.id}"
subnets = ["${subnet.a.id}", "${subnet.b.id}"]

[aws.target-group.web]
port = 80
vpc-id = "${vpc.main.id}"

[aws.target-group.moved]
port = 81
vpc-id = "${vpc.main.id}"

[aws.listener.main]
load-balancer-arn = "${load-balancer.main.arn}"
port = 80
protocol = "HTTP"
default-action = { fixed-response = { status = 404 } }

[aws.listener.second]
load-balancer-arn = "${load-balancer.main.arn}"
port = 81
protocol = "HTTP"
default-action = { forward = "${target-group.moved.arn}" }

[aws.listener-rule.web]
listener-arn = "${listener.main.arn}"
priority = 1
conditions = { paths = ["/*"] }
action = { fixed-response = { status = 410 } }
"#;

const IN_BALANCING: &[Case] = &[
    ("load-balancer.moving", "name", &[("timeout = 61", "timeout = 61\nname = \"renamed\"")]),
    ("load-balancer.moving", "scheme", &[("timeout = 61", "timeout = 61\nscheme = \"internal\"")]),
    (
        "load-balancer.moving",
        "vpc-id",
        &[(
            "vpc-id = \"${vpc.main.id}\"\nsubnets = [\"${subnet.a.id}\", \"${subnet.b.id}\"]",
            "vpc-id = \"${vpc.other.id}\"\nsubnets = [\"${subnet.other-a.id}\", \"${subnet.other-b.id}\"]",
        )],
    ),
    (
        "listener.second",
        "load-balancer-arn",
        &[(
            "load-balancer-arn = \"${load-balancer.main.arn}\"\nport = 81\nprotocol",
            "load-balancer-arn = \"${load-balancer.moving.arn}\"\nport = 81\nprotocol",
        )],
    ),
    ("listener.second", "port", &[("port = 81\nprotocol", "port = 82\nprotocol")]),
    // It goes where the listener goes that forwards to it.
    (
        "target-group.moved",
        "load-balancer-arn",
        &[(
            "load-balancer-arn = \"${load-balancer.moving.arn}\"\nport = 82",
            "load-balancer-arn = \"${load-balancer.main.arn}\"\nport = 82",
        )],
    ),
    (
        "listener-rule.web",
        "listener-arn",
        &[("\"${listener.main.arn}\"", "\"${listener.second.arn}\"")],
    ),
    ("target-group.web", "port", &[("port = 80\nvpc-id", "port = 8080\nvpc-id")]),
    (
        "target-group.web",
        "name",
        &[("port = 8080\nvpc-id", "name = \"renamed\"\nport = 8080\nvpc-id")],
    ),
    (
        "target-group.web",
        "vpc-id",
        &[(
            "port = 8080\nvpc-id = \"${vpc.main.id}\"",
            "port = 8080\nvpc-id = \"${vpc.other.id}\"",
        )],
    ),
    ("target-group.web", "protocol", &[("port = 8080", "protocol = \"HTTPS\"\nport = 8080")]),
    (
        "target-group.web",
        "protocol-version",
        &[("port = 8080", "protocol-version = \"HTTP2\"\nport = 8080")],
    ),
    (
        "target-group.web",
        "ip-address-type",
        &[("port = 8080", "ip-address-type = \"ipv6\"\nport = 8080")],
    ),
    (
        "target-group.web",
        "target-type",
        &[("ip-address-type = \"ipv6\"\nport = 8080", "target-type = \"instance\"\nport = 8080")],
    ),
];

#[test]
fn what_balances_is_replaced() {
    replaced(&Life::begin(BALANCING), IN_BALANCING, &[]);
}

/// What else there is.
const STORES: &str = r#"
[aws.log-group.all]

[aws.repository.web]

[aws.namespace.main]
description = "ours"

[aws.role.web]
description = "one"
trust = { Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ecs-tasks.amazonaws.com" } }] }
"#;

const IN_STORES: &[Case] = &[
    ("log-group.all", "name", &[("log-group.all]", "log-group.all]\nname = \"/renamed\"")]),
    ("repository.web", "name", &[("repository.web]", "repository.web]\nname = \"renamed\"")]),
    (
        "repository.web",
        "encryption",
        &[(
            "\"renamed\"\n\n[aws.namespace",
            "\"renamed\"\nencryption = { type = \"KMS\" }\n\n[aws.namespace",
        )],
    ),
    ("namespace.main", "name", &[("\"ours\"", "\"ours\"\nname = \"shop.test\"")]),
    ("role.web", "path", &[("\"one\"", "\"one\"\npath = \"/ecsctl/life/default/special/\"")]),
    ("role.web", "name", &[("\"one\"", "\"one\"\nname = \"renamed\"")]),
];

#[test]
fn what_keeps_things_is_replaced() {
    replaced(&Life::begin(STORES), IN_STORES, &[]);
}

const IN_A_CLUSTER: &[Case] = &[
    (
        "task-definition.web",
        "name",
        &[("task-definition.web]", "task-definition.web]\nname = \"renamed\"")],
    ),
    ("service.web", "name", &[("service.web]", "service.web]\nname = \"renamed\"")]),
    ("service.web", "cluster", &[("\"${cluster.main.arn}\"", "\"${cluster.other.arn}\"")]),
    ("cluster.other", "name", &[("cluster.other]", "cluster.other]\nname = \"renamed\"")]),
];

#[test]
fn what_runs_is_replaced() {
    replaced(&Life::begin(RUNNING), IN_A_CLUSTER, &[]);
}

/// A service that is scaled, and another that is not.
static SCALED: LazyLock<String> = LazyLock::new(|| {
    let at = RUNNING.find("[aws.service.web]").expect("a service");
    let other = RUNNING[at..].replace("service.web", "service.other");
    let scaling = r#"
[aws.scalable-target.web]
service = "${service.web.arn}"
min-capacity = 1
max-capacity = 4

[aws.scalable-target.third]
service = "${service.other.arn}"
min-capacity = 1
max-capacity = 3

[aws.scaling-policy.cpu]
resource-id = "${scalable-target.web.resource-id}"
target-tracking = { target-value = 60, predefined-metric = { type = "ECSServiceAverageCPUUtilization" } }

[aws.scheduled-action.night]
resource-id = "${scalable-target.web.resource-id}"
schedule = "cron(0 20 * * ? *)"
max-capacity = 4

[aws.alarm.load]
namespace = "AWS/ECS"
metric-name = "CPUUtilization"
statistic = "Average"
period = 60
comparison-operator = "GreaterThanThreshold"
threshold = 70
"#;
    let third = other.replace("service.other", "service.third");
    format!("{RUNNING}\n{other}\n{third}{scaling}")
});

const IN_SCALING: &[Case] = &[
    (
        "scaling-policy.cpu",
        "name",
        &[("[aws.scaling-policy.cpu]", "[aws.scaling-policy.cpu]\nname = \"renamed\"")],
    ),
    (
        "scaling-policy.cpu",
        "policy-type",
        &[(
            "target-tracking = { target-value = 60, predefined-metric = { type = \"ECSServiceAverageCPUUtilization\" } }",
            "policy-type = \"StepScaling\"\nstep-scaling = { adjustment-type = \"ChangeInCapacity\", step-adjustments = [{ metric-interval-lower-bound = 0, scaling-adjustment = 1 }] }",
        )],
    ),
    (
        "scaling-policy.cpu",
        "resource-id",
        &[(
            "resource-id = \"${scalable-target.web.resource-id}\"\npolicy-type",
            "resource-id = \"${scalable-target.third.resource-id}\"\npolicy-type",
        )],
    ),
    (
        "scheduled-action.night",
        "name",
        &[("[aws.scheduled-action.night]", "[aws.scheduled-action.night]\nname = \"renamed\"")],
    ),
    (
        "scheduled-action.night",
        "resource-id",
        &[(
            "resource-id = \"${scalable-target.web.resource-id}\"\nschedule",
            "resource-id = \"${scalable-target.third.resource-id}\"\nschedule",
        )],
    ),
    (
        "scalable-target.web",
        "service",
        &[("service = \"${service.web.arn}\"", "service = \"${service.third.arn}\"")],
    ),
    ("alarm.load", "name", &[("[aws.alarm.load]", "[aws.alarm.load]\nname = \"renamed\"")]),
];

#[test]
fn what_scales_is_replaced() {
    replaced(&Life::begin(&SCALED), IN_SCALING, &[]);
}

const IN_CAPACITY: &[Case] = &[
    (
        "service.agent",
        "scheduling-strategy",
        &[
            (
                "scheduling-strategy = \"DAEMON\"",
                "scheduling-strategy = \"REPLICA\"\ndesired-count = 1",
            ),
            // The old tasks hold the port until they are gone.
            (", ports = [{ container-port = 2000, protocol = \"udp\" }]", ""),
        ],
    ),
    (
        "instance-profile.general",
        "path",
        &[(
            "[aws.instance-profile.general]",
            "[aws.instance-profile.general]\npath = \"/ecsctl/life/default/x/\"",
        )],
    ),
    (
        "instance-profile.general",
        "name",
        &[("[aws.instance-profile.general]", "[aws.instance-profile.general]\nname = \"renamed\"")],
    ),
    (
        "launch-template.general",
        "name",
        &[("[aws.launch-template.general]", "[aws.launch-template.general]\nname = \"renamed\"")],
    ),
    (
        "auto-scaling-group.general",
        "name",
        &[(
            "[aws.auto-scaling-group.general]",
            "[aws.auto-scaling-group.general]\nname = \"renamed\"",
        )],
    ),
    // One that a service runs on is not replaced by another of the same group: E0205.
    (
        "capacity-provider.other",
        "name",
        &[("[aws.capacity-provider.other]", "[aws.capacity-provider.other]\nname = \"another\"")],
    ),
    (
        "capacity-provider.other",
        "auto-scaling-group-arn",
        &[("\"${auto-scaling-group.other.arn}\"", "\"${auto-scaling-group.third.arn}\"")],
    ),
];

/// Another cluster with two groups, and a capacity provider of one of them.
const MORE_CAPACITY: &str = r#"
[aws.cluster.other]

[aws.auto-scaling-group.other]
cluster = "${cluster.other.arn}"
max-size = 3
subnets = ["${subnet.a.id}", "${subnet.b.id}"]
launch-template = "${launch-template.general.id}"
launch-template-version = "${launch-template.general.version}"

[aws.auto-scaling-group.third]
cluster = "${cluster.other.arn}"
max-size = 3
subnets = ["${subnet.a.id}", "${subnet.b.id}"]
launch-template = "${launch-template.general.id}"
launch-template-version = "${launch-template.general.version}"

[aws.capacity-provider.other]
cluster = "${cluster.other.arn}"
auto-scaling-group-arn = "${auto-scaling-group.other.arn}"
"#;

#[test]
fn what_provides_capacity_is_replaced() {
    replaced(&Life::begin(&format!("{CAPACITY}{SERVICES}{MORE_CAPACITY}")), IN_CAPACITY, &[]);
}

/// Each case in its turn; `filled` stands for what the cases cannot know.
fn replaced(life: &Life, cases: &[Case], filled: &[(&str, &str)]) {
    for (address, field, edits) in cases {
        for (old, new) in *edits {
            let new =
                filled.iter().fold((*new).to_owned(), |new, (key, text)| new.replace(key, text));
            life.edit(&[(old, &new)]);
        }
        let planned = life.planned();
        assert!(planned.contains(&format!("replace {address}")), "{address}.{field}: {planned:?}");
        let calls = life.apply();
        let made = ["Create", "Register", "Authorize", "Put"];
        let gone = ["Delete", "Deregister", "Revoke"];
        for verbs in [&made[..], &gone[..]] {
            let is_one = |call: &&str| verbs.iter().any(|verb| call.starts_with(verb));
            assert!(
                calls.changes().iter().any(is_one),
                "{address}.{field}: no {verbs:?}: {calls:?}"
            );
        }
        life.nothing_is_left();
    }
    life.session.run(&["destroy", "--yes"]).exits(0);
}

/// The law: whatever field of whatever kind is said to replace is among the cases.
#[test]
fn every_field_that_replaces_is_tried() {
    let kind = |address: &'static str| address.split('.').next().expect("a kind");
    let cases =
        [IN_THE_NETWORK, IN_BALANCING, IN_STORES, IN_A_CLUSTER, IN_SCALING, IN_CAPACITY].concat();
    let mut tried: BTreeSet<(&str, &str)> =
        cases.into_iter().map(|(address, field, _)| (kind(address), field)).collect();
    tried.extend(ELSEWHERE);
    let mut said = BTreeSet::new();
    for kind in kinds::all() {
        let fields = kind.shape().fields().expect("a kind has fields");
        said.extend(
            fields.iter().filter(|(_, f)| f.replaces).map(|(f, _)| (kind.name(), f.as_str())),
        );
    }
    assert_eq!(tried, said);
}
