//! Six lines, and an image of one's own without a load balancer.

use super::{addresses, example, made, policies, show};
use crate::blueprint::{Document, Options};

fn hello_world() -> (Document, Options) {
    example("hello-world.toml", None)
}

#[test]
fn six_lines_are_a_whole_stack() {
    insta::assert_snapshot!(addresses(&made(&hello_world())), @"
    cluster: main
    elastic-ip: nat-a
    internet-gateway: main
    listener: main-http
    listener-rule: web
    load-balancer: main
    log-group: web
    nat-gateway: a
    role: web-execution web-task
    route-table: private public
    security-group: alb-main web
    service: web
    subnet: private-a private-b public-a public-b
    target-group: web
    task-definition: web
    vpc: main
    22 in all
    ");
}

#[test]
fn the_service_of_six_lines() {
    let declarations = made(&hello_world());
    insta::assert_snapshot!(show(&declarations, "service.web"), @r#"
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
    load-balancers = [{"container-name":"web","container-port":80,"target-group-arn":"${target-group.web.arn}"}]
    network.assign-public-ip = false
    network.security-groups = ["${security-group.web.id}"]
    network.subnets = ["${subnet.private-a.id}","${subnet.private-b.id}"]
    propagate-tags = "SERVICE"
    task-definition = "${task-definition.web.arn}"
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
    "#);
    insta::assert_snapshot!(show(&declarations, "task-definition.web"), @r#"
    containers.web.image = "httpd:2.4"
    containers.web.linux-parameters.init-process-enabled = true
    containers.web.log-configuration.driver = "awslogs"
    containers.web.log-configuration.options.awslogs-group = "${log-group.web.name}"
    containers.web.log-configuration.options.awslogs-region = "${aws.region}"
    containers.web.log-configuration.options.awslogs-stream-prefix = "web"
    containers.web.ports = [{"container-port":80,"protocol":"tcp"}]
    cpu = 256
    execution-role-arn = "${role.web-execution.arn}"
    memory = 512
    network-mode = "awsvpc"
    requires-compatibilities = ["FARGATE"]
    runtime-platform.cpu-architecture = "X86_64"
    runtime-platform.operating-system-family = "LINUX"
    task-role-arn = "${role.web-task.arn}"
    containers.web <- service.web
    containers.web.image <- service.web.image
    containers.web.linux-parameters.init-process-enabled <- service.web.init
    containers.web.log-configuration <- service.web
    containers.web.log-configuration.options.awslogs-stream-prefix <- service.web.logs.prefix
    containers.web.ports <- service.web.port
    cpu <- service.web.size.cpu
    memory <- service.web.size.memory
    network-mode <- service.web.network-mode
    requires-compatibilities <- service.web.capacity
    runtime-platform.cpu-architecture <- service.web.arch
    "#);
}

#[test]
fn what_lies_between_clients_and_the_service() {
    let declarations = made(&hello_world());
    insta::assert_snapshot!(show(&declarations, "security-group.alb-main"), @r#"
    description = "load balancer main"
    ingress = [{"cidr":"0.0.0.0/0","description":"clients","from-port":80,"protocol":"tcp","to-port":80}]
    vpc-id = "${vpc.main.id}"
    ingress <- alb.main.from
    "#);
    insta::assert_snapshot!(show(&declarations, "security-group.web"), @r#"
    description = "service web"
    ingress = [{"description":"load balancer main","from-port":80,"protocol":"tcp","security-group":"${security-group.alb-main.id}","to-port":80}]
    vpc-id = "${vpc.main.id}"
    ingress <- service.web.from
    "#);
    insta::assert_snapshot!(show(&declarations, "listener.main-http"), @r#"
    default-action.fixed-response.body = "no service answers here"
    default-action.fixed-response.content-type = "text/plain"
    default-action.fixed-response.status = 404
    load-balancer-arn = "${load-balancer.main.arn}"
    port = 80
    protocol = "HTTP"
    "#);
    insta::assert_snapshot!(show(&declarations, "listener-rule.web"), @r#"
    action.forward = "${target-group.web.arn}"
    conditions.paths = ["/*"]
    listener-arn = "${listener.main-http.arn}"
    priority = 49484
    conditions.paths <- service.web.http.path
    listener-arn <- service.web.http.alb
    priority <- service.web.http.priority
    "#);
    insta::assert_snapshot!(show(&declarations, "target-group.web"), @r#"
    deregistration-delay-seconds = 30
    health-check.healthy-threshold = 2
    health-check.interval-seconds = 10
    health-check.matcher = "200-399"
    health-check.path = "/"
    health-check.port = "traffic-port"
    health-check.timeout-seconds = 5
    health-check.unhealthy-threshold = 2
    port = 80
    protocol = "HTTP"
    target-type = "ip"
    vpc-id = "${vpc.main.id}"
    deregistration-delay-seconds <- service.web.deregistration
    health-check.healthy-threshold <- service.web.health.healthy
    health-check.interval-seconds <- service.web.health.interval
    health-check.matcher <- service.web.health.codes
    health-check.path <- service.web.health.path
    health-check.port <- service.web.health.port
    health-check.timeout-seconds <- service.web.health.timeout
    health-check.unhealthy-threshold <- service.web.health.unhealthy
    target-type <- service.web.network-mode
    "#);
}

/// B31: neither role may create log groups, and each may do no more than the spec implies.
#[test]
fn roles_are_narrow() {
    let declarations = made(&hello_world());
    insta::assert_snapshot!(policies(&declarations, "web-execution"), @r#"
    inline.logs.Statement = [{"Action":["logs:CreateLogStream","logs:PutLogEvents"],"Effect":"Allow","Resource":["${log-group.web.arn}:*"]}]
    inline.logs.Version = "2012-10-17"
    "#);
    insta::assert_snapshot!(policies(&declarations, "web-task"), @r#"
    inline.exec.Statement = [{"Action":["ssmmessages:CreateControlChannel","ssmmessages:CreateDataChannel","ssmmessages:OpenControlChannel","ssmmessages:OpenDataChannel"],"Effect":"Allow","Resource":"*"}]
    inline.exec.Version = "2012-10-17"
    inline.exec <- service.web.exec
    "#);
    let trust = show(&declarations, "role.web-task");
    let trust = trust.lines().find(|line| line.starts_with("trust.Statement")).unwrap();
    insta::assert_snapshot!(trust, @r#"trust.Statement = [{"Action":"sts:AssumeRole","Condition":{"ArnLike":{"aws:SourceArn":"arn:${aws.partition}:ecs:${aws.region}:${aws.account}:*"},"StringEquals":{"aws:SourceAccount":"${aws.account}"}},"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"}}]"#);
}

#[test]
fn an_image_of_ones_own_without_a_load_balancer() {
    let declarations = made(&example("hello-world-ecr/ecsctl.toml", None));
    insta::assert_snapshot!(addresses(&declarations), @"
    cluster: main
    image: hello-world-v1
    internet-gateway: main
    log-group: test-service
    repository: hello-world
    role: test-service-execution test-service-task
    route-table: public
    security-group: test-service
    service: test-service
    subnet: public-a public-b
    task-definition: test-service
    vpc: main
    14 in all
    ");
    insta::assert_snapshot!(show(&declarations, "repository.hello-world"), @r#"
    image-tag-mutability = "IMMUTABLE"
    scan-on-push = true
    image-tag-mutability <- repo.hello-world.immutable
    scan-on-push <- repo.hello-world.scan
    "#);
    insta::assert_snapshot!(show(&declarations, "log-group.test-service"), @r#"
    name = "test-log"
    retention-in-days = 7
    name <- service.test-service.logs.group
    retention-in-days <- service.test-service.logs.keep
    "#);
    insta::assert_snapshot!(show(&declarations, "task-definition.test-service"), @r#"
    containers.test-service.entry-point = ["/usr/sbin/apache2","-D","FOREGROUND"]
    containers.test-service.image = "${image.hello-world-v1.uri}"
    containers.test-service.linux-parameters.init-process-enabled = true
    containers.test-service.log-configuration.driver = "awslogs"
    containers.test-service.log-configuration.options.awslogs-group = "${log-group.test-service.name}"
    containers.test-service.log-configuration.options.awslogs-region = "${aws.region}"
    containers.test-service.log-configuration.options.awslogs-stream-prefix = "api"
    containers.test-service.ports = [{"container-port":80,"protocol":"tcp"}]
    cpu = 256
    execution-role-arn = "${role.test-service-execution.arn}"
    memory = 512
    network-mode = "awsvpc"
    requires-compatibilities = ["FARGATE"]
    runtime-platform.cpu-architecture = "X86_64"
    runtime-platform.operating-system-family = "LINUX"
    task-role-arn = "${role.test-service-task.arn}"
    containers.test-service <- service.test-service
    containers.test-service.entry-point <- service.test-service.entrypoint
    containers.test-service.image <- service.test-service.image
    containers.test-service.linux-parameters.init-process-enabled <- service.test-service.init
    containers.test-service.log-configuration <- service.test-service
    containers.test-service.log-configuration.options.awslogs-stream-prefix <- service.test-service.logs.prefix
    containers.test-service.ports <- service.test-service.port
    cpu <- service.test-service.size.cpu
    memory <- service.test-service.size.memory
    network-mode <- service.test-service.network-mode
    requires-compatibilities <- service.test-service.capacity
    runtime-platform.cpu-architecture <- service.test-service.arch
    "#);
    let service = show(&declarations, "service.test-service");
    assert!(service.contains("assign-public-ip = true"), "{service}");
}
