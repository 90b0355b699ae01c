//! Services that find each other.

use super::{addresses, example, load, made, show};

#[test]
fn a_service_that_mentions_another_is_its_client() {
    let declarations = made(&example("shop/ecsctl.toml", None));
    insta::assert_snapshot!(show(&declarations, "service.web"), @r#"
    after = ["${service.api.arn}"]
    availability-zone-rebalancing = "ENABLED"
    capacity-provider-strategy = [{"capacity-provider":"FARGATE","weight":1}]
    cluster = "${cluster.main.arn}"
    deployment.circuit-breaker.enable = true
    deployment.circuit-breaker.rollback = true
    deployment.maximum-percent = 200
    deployment.minimum-healthy-percent = 100
    desired-count = 1
    enable-execute-command = true
    health-check-grace-period-seconds = 60
    load-balancers = [{"container-name":"web","container-port":3000,"target-group-arn":"${target-group.web.arn}"}]
    network.assign-public-ip = false
    network.security-groups = ["${security-group.web.id}"]
    network.subnets = ["${subnet.private-a.id}","${subnet.private-b.id}"]
    propagate-tags = "SERVICE"
    service-connect-configuration.enabled = true
    service-connect-configuration.log-configuration.driver = "awslogs"
    service-connect-configuration.log-configuration.options.awslogs-group = "${log-group.web.name}"
    service-connect-configuration.log-configuration.options.awslogs-region = "${aws.region}"
    service-connect-configuration.log-configuration.options.awslogs-stream-prefix = "web"
    service-connect-configuration.namespace = "${namespace.main.arn}"
    task-definition = "${task-definition.web.arn}"
    after <- service.web.after
    availability-zone-rebalancing <- service.web.deploy.max
    capacity-provider-strategy <- service.web.spot
    deployment.circuit-breaker.rollback <- service.web.deploy.rollback
    deployment.maximum-percent <- service.web.deploy.max
    deployment.minimum-healthy-percent <- service.web.deploy.min
    desired-count <- service.web.count
    enable-execute-command <- service.web.exec
    health-check-grace-period-seconds <- service.web.grace
    load-balancers <- service.web.http
    network.assign-public-ip <- network.mode
    network.subnets <- network.mode
    service-connect-configuration <- service.web.connect
    "#);
    insta::assert_snapshot!(show(&declarations, "service.api"), @r#"
    after = ["${service.cache.arn}"]
    availability-zone-rebalancing = "ENABLED"
    capacity-provider-strategy = [{"capacity-provider":"FARGATE","weight":1}]
    cluster = "${cluster.main.arn}"
    deployment.circuit-breaker.enable = true
    deployment.circuit-breaker.rollback = true
    deployment.maximum-percent = 200
    deployment.minimum-healthy-percent = 100
    desired-count = 1
    enable-execute-command = true
    health-check-grace-period-seconds = 60
    load-balancers = [{"container-name":"api","container-port":8080,"target-group-arn":"${target-group.api.arn}"}]
    network.assign-public-ip = false
    network.security-groups = ["${security-group.api.id}"]
    network.subnets = ["${subnet.private-a.id}","${subnet.private-b.id}"]
    propagate-tags = "SERVICE"
    service-connect-configuration.enabled = true
    service-connect-configuration.log-configuration.driver = "awslogs"
    service-connect-configuration.log-configuration.options.awslogs-group = "${log-group.api.name}"
    service-connect-configuration.log-configuration.options.awslogs-region = "${aws.region}"
    service-connect-configuration.log-configuration.options.awslogs-stream-prefix = "api"
    service-connect-configuration.namespace = "${namespace.main.arn}"
    service-connect-configuration.services.api-http.discovery-name = "api"
    service-connect-configuration.services.api-http.dns-name = "api"
    service-connect-configuration.services.api-http.port = 8080
    task-definition = "${task-definition.api.arn}"
    after <- service.api.after
    availability-zone-rebalancing <- service.api.deploy.max
    capacity-provider-strategy <- service.api.spot
    deployment.circuit-breaker.rollback <- service.api.deploy.rollback
    deployment.maximum-percent <- service.api.deploy.max
    deployment.minimum-healthy-percent <- service.api.deploy.min
    desired-count <- service.api.count
    enable-execute-command <- service.api.exec
    health-check-grace-period-seconds <- service.api.grace
    load-balancers <- service.api.http
    network.assign-public-ip <- network.mode
    network.subnets <- network.mode
    service-connect-configuration <- service.api.connect
    "#);
    let task = show(&declarations, "task-definition.web");
    assert!(task.contains(r#"containers.web.environment.API = "http://api:8080""#), "{task}");
    let task = show(&declarations, "task-definition.api");
    assert!(
        task.contains(r#""app-protocol":"http""#) && task.contains(r#""name":"api-http""#),
        "{task}"
    );
    assert_eq!(show(&declarations, "namespace.main"), " = {}\n");
}

#[test]
fn nobody_connects_and_nothing_is_made_for_it() {
    let document = load(
        r#"
            ecsctl = 1
            stack = "shop"
            [service.web]
            image = "web"
            port = 80
            connect = false
            env.LITERAL = "$${service.web.url}"
        "#,
        None,
    );
    let declarations = made(&document);
    assert!(!addresses(&declarations).contains("namespace"));
    let task = show(&declarations, "task-definition.web");
    assert!(task.contains("$${service.web.url}"), "{task}");
    assert!(!show(&declarations, "service.web").contains("after"));
}

#[test]
fn others_may_know_it_by_another_name_and_port() {
    let document = load(
        r#"
            ecsctl = 1
            stack = "shop"
            [service.web]
            image = "web"
            public = false
            command = ["serve", "--api=${service.api.host}:${service.api.port}"]
            [service.api]
            image = "api"
            public = false
            connect = { name = "backend", port = 80, container = "proxy", protocol = "grpc", timeout = "1m" }
            [service.api.container.proxy]
            image = "envoy"
            port = 9000
        "#,
        None,
    );
    let declarations = made(&document);
    let task = show(&declarations, "task-definition.web");
    assert!(task.contains("--api=backend:80"), "{task}");
    insta::assert_snapshot!(show(&declarations, "service.api"), @r#"
    availability-zone-rebalancing = "ENABLED"
    capacity-provider-strategy = [{"capacity-provider":"FARGATE","weight":1}]
    cluster = "${cluster.main.arn}"
    deployment.circuit-breaker.enable = true
    deployment.circuit-breaker.rollback = true
    deployment.maximum-percent = 200
    deployment.minimum-healthy-percent = 100
    desired-count = 1
    enable-execute-command = true
    network.assign-public-ip = false
    network.security-groups = ["${security-group.api.id}"]
    network.subnets = ["${subnet.private-a.id}","${subnet.private-b.id}"]
    propagate-tags = "SERVICE"
    service-connect-configuration.enabled = true
    service-connect-configuration.log-configuration.driver = "awslogs"
    service-connect-configuration.log-configuration.options.awslogs-group = "${log-group.api.name}"
    service-connect-configuration.log-configuration.options.awslogs-region = "${aws.region}"
    service-connect-configuration.log-configuration.options.awslogs-stream-prefix = "api"
    service-connect-configuration.namespace = "${namespace.main.arn}"
    service-connect-configuration.services.api-grpc.discovery-name = "backend"
    service-connect-configuration.services.api-grpc.dns-name = "backend"
    service-connect-configuration.services.api-grpc.port = 80
    service-connect-configuration.services.api-grpc.timeout.per-request-timeout-seconds = 60
    task-definition = "${task-definition.api.arn}"
    availability-zone-rebalancing <- service.api.deploy.max
    capacity-provider-strategy <- service.api.spot
    deployment.circuit-breaker.rollback <- service.api.deploy.rollback
    deployment.maximum-percent <- service.api.deploy.max
    deployment.minimum-healthy-percent <- service.api.deploy.min
    desired-count <- service.api.count
    enable-execute-command <- service.api.exec
    network.assign-public-ip <- network.mode
    network.subnets <- network.mode
    service-connect-configuration <- service.api.connect
    "#);
    insta::assert_snapshot!(show(&declarations, "security-group-rule.api-from-web-tcp-9000"), @r#"
    description = "service web"
    direction = "ingress"
    from-port = 9000
    protocol = "tcp"
    security-group = "${security-group.web.id}"
    security-group-id = "${security-group.api.id}"
    to-port = 9000
    security-group <- service.api.from
    "#);
}
