//! Network load balancers, access logs, and services behind several target groups.

use std::sync::LazyLock;

use aws_sdk_elasticloadbalancingv2::types::{LoadBalancerAttribute, TargetGroupAttribute};

use super::life::{HTTP, Life, RUNNING};
use crate::harness::Session;

/// The service of [`RUNNING`] behind a network load balancer: TCP, and UDP that is asked over TCP.
static PORTS: LazyLock<String> = LazyLock::new(|| {
    let balanced = r#"
[aws.load-balancer.net]
type = "network"
subnets = ["${subnet.a.id}", "${subnet.b.id}"]
security-groups = ["${security-group.other.id}"]

[aws.listener.tcp]
load-balancer-arn = "${load-balancer.net.arn}"
port = 1883
protocol = "TCP"
default-action = { forward = "${target-group.tcp.arn}" }

[aws.listener.udp]
load-balancer-arn = "${load-balancer.net.arn}"
port = 5683
protocol = "UDP"
default-action = { forward = "${target-group.udp.arn}" }

[aws.target-group.tcp]
port = 80
protocol = "TCP"
vpc-id = "${vpc.main.id}"
health-check = { protocol = "TCP", interval-seconds = 10, healthy-threshold = 2 }
deregistration-delay-seconds = 30

[aws.target-group.udp]
port = 80
protocol = "UDP"
vpc-id = "${vpc.main.id}"
health-check = { protocol = "HTTP", port = "8080", path = "/up", matcher = "200-399", interval-seconds = 10 }

[aws.target-group.spare]
port = 81
protocol = "TCP"
vpc-id = "${vpc.main.id}"
"#;
    let ports =
        "ports = [{ container-port = 8080 }, { container-port = 5683, protocol = \"udp\" }]";
    let joins = "desired-count = 1\nload-balancers = [\
                 { target-group-arn = \"${target-group.tcp.arn}\", container-name = \"app\", container-port = 8080 }, \
                 { target-group-arn = \"${target-group.udp.arn}\", container-name = \"app\", container-port = 5683 }]";
    let running = RUNNING.replace("ports = [{ container-port = 8080 }]", ports);
    format!("{}{balanced}", running.replace("desired-count = 1", joins))
});

#[test]
fn network_load_balancer() {
    let life = Life::begin(&PORTS);
    let balancer = "load-balancer.net";
    life.changes(
        balancer,
        &[(
            "security-groups = [\"${security-group.other.id}\"]\n\n[aws.listener.tcp]",
            "security-groups = [\"${security-group.tasks.id}\"]\ncross-zone = true\n\n[aws.listener.tcp]",
        )],
        &["ModifyLoadBalancerAttributes", "SetSecurityGroups"],
    );
    life.changes(
        balancer,
        &[(
            "type = \"network\"\nsubnets = [\"${subnet.a.id}\", \"${subnet.b.id}\"]",
            "type = \"network\"\nsubnets = [\"${subnet.a.id}\"]",
        )],
        &["SetSubnets"],
    );
    let arn = life.object(balancer).arn;
    assert!(arn.contains(":loadbalancer/net/"), "{arn}");
    life.drifts("update load-balancer.net", async |aws| {
        let alone = LoadBalancerAttribute::builder().key("load_balancing.cross_zone.enabled");
        let call = aws.elb.modify_load_balancer_attributes().load_balancer_arn(&arn);
        call.attributes(alone.value("false").build()).send().await.expect("a change");
    });
    // Its listeners and target groups move with it, and the service to these.
    life.replaces(
        balancer,
        &[("cross-zone = true", "cross-zone = true\nscheme = \"internal\"")],
        &["CreateLoadBalancer", "CreateListener", "UpdateService", "DeleteLoadBalancer"],
    );
    life.ends();
}

#[test]
fn a_load_balancer_of_another_type_is_another_one() {
    let life = Life::begin(&format!(
        "{RUNNING}\n[aws.load-balancer.net]\ntype = \"network\"\n\
         subnets = [\"${{subnet.a.id}}\", \"${{subnet.b.id}}\"]\n\
         security-groups = [\"${{security-group.tasks.id}}\"]\n"
    ));
    life.replaces(
        "load-balancer.net",
        &[("type = \"network\"\n", "")],
        &["CreateLoadBalancer", "DeleteLoadBalancer"],
    );
    life.ends();
}

#[test]
fn listener_of_a_network_load_balancer() {
    let session = Session::new();
    let certificate = session.behind_its_back(async |aws| {
        let call = aws.iam.upload_server_certificate().server_certificate_name("mqtt");
        let made = call.certificate_body("body").private_key("key").send().await;
        let made = made.expect("a certificate");
        made.server_certificate_metadata().expect("its description").arn().to_owned()
    });
    let life = Life::begin_in(session, &PORTS);
    let listener = "listener.tcp";
    life.changes(
        listener,
        &[(
            "{ forward = \"${target-group.tcp.arn}\" }",
            "{ weighted = [{ target-group-arn = \"${target-group.tcp.arn}\", weight = 9 }, \
             { target-group-arn = \"${target-group.spare.arn}\", weight = 1 }] }",
        )],
        &["ModifyListener"],
    );
    let secure = format!(
        "protocol = \"TLS\"\ncertificate-arn = \"{certificate}\"\nssl-policy = \"ELBSecurityPolicy-TLS13-1-2-2021-06\""
    );
    let bare = "protocol = \"TCP\"\ndefault-action";
    let shown = format!("{secure}\ndefault-action");
    life.changes(listener, &[(bare, &shown)], &["ModifyListener"]);
    life.changes(listener, &[(&shown, bare)], &["ModifyListener"]);
    life.replaces(
        listener,
        &[("port = 1883", "port = 1884")],
        &["CreateListener", "DeleteListener"],
    );
    let arn = life.object(listener).arn;
    life.drifts("create listener.tcp", async |aws| {
        aws.elb.delete_listener().listener_arn(&arn).send().await.expect("a deletion");
    });
    life.ends();
}

#[test]
fn target_group_of_a_network_load_balancer() {
    let life = Life::begin(&PORTS);
    let group = "target-group.tcp";
    life.changes(
        group,
        &[(
            "{ protocol = \"TCP\", interval-seconds = 10, healthy-threshold = 2 }",
            "{ protocol = \"HTTP\", path = \"/up\", matcher = \"200\", interval-seconds = 10, healthy-threshold = 3 }",
        )],
        &["ModifyTargetGroup"],
    );
    life.changes(
        group,
        &[(
            "{ protocol = \"HTTP\", path = \"/up\", matcher = \"200\", interval-seconds = 10, healthy-threshold = 3 }",
            "{ protocol = \"TCP\", interval-seconds = 10, healthy-threshold = 3 }",
        )],
        &["ModifyTargetGroup"],
    );
    life.changes(
        group,
        &[(
            "deregistration-delay-seconds = 30",
            "deregistration-delay-seconds = 31\nstickiness = true\npreserve-client-ip = true\n\
             proxy-protocol-v2 = true\nconnection-termination = true",
        )],
        &["ModifyTargetGroupAttributes"],
    );
    let arn = life.object(group).arn;
    life.drifts("update target-group.tcp", async |aws| {
        let hidden = TargetGroupAttribute::builder().key("preserve_client_ip.enabled");
        let call = aws.elb.modify_target_group_attributes().target_group_arn(&arn);
        call.attributes(hidden.value("false").build()).send().await.expect("a change");
    });
    life.ends();
}

/// B10: another target group takes the place of one among several, and the others are not touched.
#[test]
fn b10_one_of_several_target_groups_is_replaced() {
    let life = Life::begin(&PORTS);
    let other = life.object("target-group.udp").arn;
    life.replaces(
        "target-group.tcp",
        &[("[aws.target-group.tcp]\nport = 80", "[aws.target-group.tcp]\nport = 82")],
        &[
            "CreateTargetGroup",
            "ModifyListener",
            "UpdateService",
            "ModifyListener",
            "DeleteTargetGroup",
        ],
    );
    assert_eq!(life.object("target-group.udp").arn, other);
    life.ends();
}

/// What comes over TCP comes over UDP instead: the listener speaks otherwise at once, and the target group is another
/// one.
#[test]
fn another_protocol_goes_with_another_target_group() {
    let life = Life::begin(&PORTS);
    life.replaces(
        "target-group.udp",
        &[
            ("protocol = \"UDP\"\nvpc-id", "protocol = \"TCP\"\nvpc-id"),
            ("protocol = \"UDP\"\ndefault-action", "protocol = \"TCP\"\ndefault-action"),
            ("container-port = 5683, protocol = \"udp\"", "container-port = 5683"),
        ],
        &["CreateTargetGroup", "ModifyListener", "UpdateService", "DeleteTargetGroup"],
    );
    life.ends();
}

/// A service joins another target group, and leaves it again.
#[test]
fn target_groups_of_a_service_come_and_go() {
    let life = Life::begin(&PORTS);
    let more = "container-port = 5683 }, { target-group-arn = \"${target-group.spare.arn}\", container-name = \"app\", \
                container-port = 8080 }]";
    let listener = "\n[aws.listener.spare]\nload-balancer-arn = \"${load-balancer.net.arn}\"\nport = 1999\n\
                    protocol = \"TCP\"\ndefault-action = { forward = \"${target-group.spare.arn}\" }\n\n\
                    [aws.target-group.spare]";
    let edits = [("container-port = 5683 }]", more), ("\n[aws.target-group.spare]", listener)];
    life.edit(&edits);
    assert_eq!(life.planned(), ["create listener.spare", "update service.web"]);
    let calls = life.apply();
    assert_eq!(calls.changes(), ["CreateListener", "UpdateService"], "{calls:?}");
    life.nothing_is_left();
    life.edit(&edits.map(|(old, new)| (new, old)));
    let calls = life.apply();
    assert!(calls.position("UpdateService") < calls.position("DeleteListener"), "{calls:?}");
    life.nothing_is_left();
    life.ends();
}

/// Logs go on, elsewhere, and off; into a bucket that ELB may not write to they do not.
#[test]
fn access_logs() {
    let session = Session::new();
    let bucket = session.bucket_for_logs();
    let life = Life::begin_in(session, &HTTP);
    let balancer = "load-balancer.main";
    let groups = "security-groups = [\"${security-group.other.id}\"]\n";
    let logs = |prefix: &str| {
        format!("{groups}access-logs = {{ bucket = \"{bucket}\", prefix = \"{prefix}\" }}\n")
    };
    let attributes = ["ModifyLoadBalancerAttributes"];
    life.changes(balancer, &[(groups, &logs("web"))], &attributes);
    life.changes(balancer, &[(&logs("web"), &logs("shop"))], &attributes);
    let arn = life.object(balancer).arn;
    life.drifts("update load-balancer.main", async |aws| {
        let off = LoadBalancerAttribute::builder().key("access_logs.s3.enabled").value("false");
        let call = aws.elb.modify_load_balancer_attributes().load_balancer_arn(&arn);
        call.attributes(off.build()).send().await.expect("a change");
    });
    life.changes(balancer, &[(&logs("shop"), groups)], &attributes);
    let closed = logs("web").replace(&bucket, "nobodys-bucket");
    life.edit(&[(groups, &closed)]);
    let output = life.session.run(&["apply", "--yes"]).exits(1);
    output
        .says("InvalidConfigurationRequest")
        .says("logdelivery.elasticloadbalancing.amazonaws.com");
    life.edit(&[(&closed, groups)]);
    life.nothing_is_left();
    life.ends();
}

const ROUTES: &str = r#"
[service.web]
image = "shop/web:7"
port  = 3000
http  = { path = "/*", weight = 9 }

[service.next]
image = "shop/web:8"
port  = 3000
http  = { path = "/*", weight = 1 }

[service.next.route.admin]
path    = "/admin/*"
port    = 3001
methods = ["GET"]

[service.next.route.feed]
tcp = 9000
"#;

/// The weights move in place; who shared with nobody any more has all; and a route goes.
#[test]
fn requests_are_shared_and_shared_no_more() {
    let session = Session::new();
    session.watch_traffic();
    let life = Life::begin_in(session, ROUTES);
    life.session.run(&["plan"]).exits(0);
    life.edit(&[("weight = 9", "weight = 1")]);
    assert_eq!(life.planned(), ["update listener-rule.next"]);
    let calls = life.apply();
    assert_eq!(calls.changes(), ["ModifyRule"], "{calls:?}");
    life.nothing_is_left();
    life.edit(&[(
        "path = \"/*\", weight = 1 }\n\n[service.next]",
        "path = \"/web/*\" }\n\n[service.next]",
    )]);
    life.edit(&[("http  = { path = \"/*\", weight = 1 }", "http  = \"/*\"")]);
    life.apply();
    life.nothing_is_left();
    assert!(life.session.gaps().is_empty(), "{:?}", life.session.gaps());
    life.edit(&[("\n[service.next.route.feed]\ntcp = 9000\n", "")]);
    life.apply();
    life.nothing_is_left();
    life.ends();
}
