//! The kinds of load balancing, each by itself with what it needs.

use std::time::{Duration, Instant};

use aws_sdk_elasticloadbalancingv2::types::{LoadBalancerAttribute, TargetGroupAttribute};

use super::life::Life;
use crate::harness::Session;

const NETWORK: &str = r#"
[aws.vpc.main]
cidr = "10.0.0.0/16"

[aws.internet-gateway.main]
vpc-id = "${vpc.main.id}"

[aws.subnet.a]
vpc-id = "${vpc.main.id}"
cidr-block = "10.0.0.0/24"
availability-zone = "us-east-1a"

[aws.subnet.b]
vpc-id = "${vpc.main.id}"
cidr-block = "10.0.1.0/24"
availability-zone = "us-east-1b"

[aws.subnet.c]
vpc-id = "${vpc.main.id}"
cidr-block = "10.0.2.0/24"
availability-zone = "us-east-1c"

[aws.route-table.public]
vpc-id = "${vpc.main.id}"
routes = { "0.0.0.0/0" = "${internet-gateway.main.id}" }
subnets = ["${subnet.a.id}", "${subnet.b.id}", "${subnet.c.id}"]

[aws.security-group.one]
vpc-id = "${vpc.main.id}"

[aws.security-group.two]
vpc-id = "${vpc.main.id}"
"#;

const BALANCER: &str = r#"
[aws.load-balancer.main]
subnets = ["${subnet.a.id}", "${subnet.b.id}"]
security-groups = ["${security-group.one.id}"]
"#;

const LISTENER: &str = r#"
[aws.listener.main]
load-balancer-arn = "${load-balancer.main.arn}"
port = 80
protocol = "HTTP"
default-action = { fixed-response = { status = 404 } }
"#;

const GROUPS: &str = r#"
[aws.target-group.one]
port = 80
vpc-id = "${vpc.main.id}"

[aws.target-group.two]
port = 8080
vpc-id = "${vpc.main.id}"
health-check = { path = "/ready", interval-seconds = 10, timeout-seconds = 4, healthy-threshold = 2, matcher = "200-299" }
deregistration-delay-seconds = 30
"#;

#[test]
fn load_balancer() {
    let life = Life::begin(&format!("{NETWORK}{BALANCER}"));
    let balancer = "load-balancer.main";
    life.changes(
        balancer,
        &[(
            "security-groups = [\"${security-group.one.id}\"]",
            "security-groups = [\"${security-group.two.id}\"]\nidle-timeout = 120\n\
             client-keep-alive = 600\ndeletion-protection = false\nhttp2 = false\n\
             drop-invalid-header-fields = true\npreserve-host-header = true",
        )],
        &["ModifyLoadBalancerAttributes", "SetSecurityGroups"],
    );
    life.changes(
        balancer,
        &[(
            "subnets = [\"${subnet.a.id}\", \"${subnet.b.id}\"]\nsec",
            "subnets = [\"${subnet.b.id}\", \"${subnet.c.id}\"]\nsec",
        )],
        &["SetSubnets"],
    );
    life.replaces(
        balancer,
        &[("idle-timeout = 120", "idle-timeout = 120\nscheme = \"internal\"")],
        &["CreateLoadBalancer", "DeleteLoadBalancer"],
    );
    for (from, to) in [("false", "true"), ("true", "false")] {
        let [from, to] = [from, to].map(|it| format!("deletion-protection = {it}"));
        life.changes(balancer, &[(&from, &to)], &["ModifyLoadBalancerAttributes"]);
    }
    let arn = life.object(balancer).arn;
    life.drifts("update load-balancer.main", async |aws| {
        let short =
            LoadBalancerAttribute::builder().key("idle_timeout.timeout_seconds").value("61");
        let call = aws.elb.modify_load_balancer_attributes().load_balancer_arn(&arn);
        call.attributes(short.build()).send().await.expect("a change");
    });
    life.drifts("create load-balancer.main", async |aws| {
        aws.elb.delete_load_balancer().load_balancer_arn(&arn).send().await.expect("a deletion");
    });
    life.ends();
}

#[test]
fn target_group() {
    let life = Life::begin(&format!("{NETWORK}{GROUPS}"));
    let group = "target-group.two";
    life.changes(
        group,
        &[("path = \"/ready\", interval-seconds = 10, timeout-seconds = 4, healthy-threshold = 2, matcher = \"200-299\"",
           "path = \"/well\", interval-seconds = 12, timeout-seconds = 5, healthy-threshold = 3, unhealthy-threshold = 4, port = \"8081\", matcher = \"200\"")],
        &["ModifyTargetGroup"],
    );
    life.changes(
        group,
        &[(
            "deregistration-delay-seconds = 30",
            "deregistration-delay-seconds = 31\nslow-start = 60\nstickiness = true\n\
             stickiness-seconds = 600\nalgorithm = \"round_robin\"",
        )],
        &["ModifyTargetGroupAttributes"],
    );
    life.changes(
        group,
        &[(
            "slow-start = 60\nstickiness = true\nstickiness-seconds = 600\nalgorithm = \"round_robin\"",
            "slow-start = 0\nstickiness = false\nalgorithm = \"least_outstanding_requests\"",
        )],
        &["ModifyTargetGroupAttributes"],
    );
    let arn = life.object(group).arn;
    life.drifts("update target-group.two", async |aws| {
        let long = TargetGroupAttribute::builder().key("deregistration_delay.timeout_seconds");
        let call = aws.elb.modify_target_group_attributes().target_group_arn(&arn);
        call.attributes(long.value("300").build()).send().await.expect("a change");
    });
    for edit in [
        ("port = 8080", "port = 8081"),
        (
            "deregistration-delay-seconds = 31",
            "protocol-version = \"HTTP2\"\nderegistration-delay-seconds = 31",
        ),
    ] {
        life.replaces(group, &[edit], &["CreateTargetGroup", "DeleteTargetGroup"]);
    }
    life.ends();
}

#[test]
fn listener() {
    let life = Life::begin(&format!("{NETWORK}{BALANCER}{LISTENER}{GROUPS}"));
    let listener = "listener.main";
    for (old, new) in [
        ("{ fixed-response = { status = 404 } }", "{ forward = \"${target-group.one.arn}\" }"),
        ("{ forward = \"${target-group.one.arn}\" }", "{ forward = \"${target-group.two.arn}\" }"),
        (
            "{ forward = \"${target-group.two.arn}\" }",
            "{ redirect = { protocol = \"HTTPS\", port = \"443\", status = 302 } }",
        ),
        (
            "{ redirect = { protocol = \"HTTPS\", port = \"443\", status = 302 } }",
            "{ fixed-response = { status = 503, content-type = \"text/html\", body = \"soon\" } }",
        ),
    ] {
        life.changes(listener, &[(old, new)], &["ModifyListener"]);
    }
    life.replaces(
        listener,
        &[("port = 80\nprotocol", "port = 81\nprotocol")],
        &["CreateListener", "DeleteListener"],
    );
    let arn = life.object(listener).arn;
    life.drifts("create listener.main", async |aws| {
        aws.elb.delete_listener().listener_arn(&arn).send().await.expect("a deletion");
    });
    life.ends();
}

#[test]
fn listener_with_a_certificate() {
    let session = Session::new();
    let [one, two] = ["one", "two"].map(|name| {
        session.behind_its_back(async |aws| {
            let call = aws.iam.upload_server_certificate().server_certificate_name(name);
            let made = call.certificate_body("body").private_key("key").send().await;
            let made = made.expect("a certificate");
            made.server_certificate_metadata().expect("its description").arn().to_owned()
        })
    });
    let secure = format!("protocol = \"HTTPS\"\ncertificate-arn = \"{one}\"");
    let listener = LISTENER.replace("protocol = \"HTTP\"", &secure);
    let life = Life::begin_in(session, &format!("{NETWORK}{BALANCER}{listener}"));
    let policy = format!("{two}\"\nssl-policy = \"ELBSecurityPolicy-TLS13-1-2-2021-06\"");
    life.changes("listener.main", &[(&format!("{one}\""), &policy)], &["ModifyListener"]);
    life.changes(
        "listener.main",
        &[(&format!("\"HTTPS\"\ncertificate-arn = \"{policy}"), "\"HTTP\"")],
        &["ModifyListener"],
    );
    let secure = format!("\"HTTPS\"\ncertificate-arn = \"{two}\"");
    life.changes("listener.main", &[("\"HTTP\"", &secure)], &["ModifyListener"]);
    // One that is not there will not come by waiting: it is somebody else's to make.
    life.edit(&[(
        &two,
        "arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-0000-0000-000000000000",
    )]);
    let started = Instant::now();
    life.session.run(&["apply", "--yes"]).exits(1).says("CertificateNotFound");
    assert!(started.elapsed() < Duration::from_secs(30), "waited for it");
    life.edit(&[(
        "arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-0000-0000-000000000000",
        &two,
    )]);
    life.nothing_is_left();
    life.ends();
}

const RULES: &str = r#"
[aws.listener-rule.first]
listener-arn = "${listener.main.arn}"
priority = 1
conditions = { paths = ["/first", "/first/*"] }
action = { forward = "${target-group.one.arn}" }

[aws.listener-rule.second]
listener-arn = "${listener.main.arn}"
priority = 2
conditions = { hosts = ["second.example.com"] }
action = { forward = "${target-group.two.arn}" }
"#;

#[test]
fn listener_rule() {
    let life = Life::begin(&format!("{NETWORK}{BALANCER}{LISTENER}{GROUPS}{RULES}"));
    let rule = "listener-rule.first";
    life.changes(
        rule,
        &[(
            "{ paths = [\"/first\", \"/first/*\"] }",
            "{ paths = [\"/1\"], methods = [\"GET\"], headers = { X-Beta = [\"yes\"] }, \
             queries = [\"beta=1\"], sources = [\"192.0.2.0/24\"] }",
        )],
        &["ModifyRule"],
    );
    life.changes(
        rule,
        &[(
            "action = { forward = \"${target-group.one.arn}\" }",
            "action = { fixed-response = { status = 410 } }",
        )],
        &["ModifyRule"],
    );
    life.changes(rule, &[("priority = 1", "priority = 7")], &["SetRulePriorities"]);
    let arn = life.object(rule).arn;
    life.drifts("create listener-rule.first", async |aws| {
        aws.elb.delete_rule().rule_arn(&arn).send().await.expect("a deletion");
    });
    // Two rules change places; whoever comes first is told that the place is taken, and trades.
    life.edit(&[
        ("priority = 7", "priority = 0"),
        ("priority = 2", "priority = 7"),
        ("priority = 0", "priority = 2"),
    ]);
    let before = ["first", "second"].map(|name| life.object(&format!("listener-rule.{name}")).arn);
    life.session.run(&["apply", "--yes"]).exits(0);
    let after = ["first", "second"].map(|name| life.object(&format!("listener-rule.{name}")).arn);
    assert_eq!(before, after);
    life.nothing_is_left();
    life.ends();
}

/// B10: any change of a target group's immutable field makes the new one, points the rules at it, and
/// only then removes the old one.
#[test]
fn b10_a_target_group_in_use_is_replaced_without_a_gap() {
    let life = Life::begin(&format!("{NETWORK}{BALANCER}{LISTENER}{GROUPS}{RULES}"));
    life.replaces(
        "target-group.two",
        &[("port = 8080", "port = 9090")],
        &["CreateTargetGroup", "ModifyRule", "DeleteTargetGroup"],
    );
    life.ends();
}
