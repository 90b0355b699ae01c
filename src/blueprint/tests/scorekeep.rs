//! Three containers in a task, and environments.

use serde_json::json;

use super::{addresses, example, made, policies, show};
use crate::blueprint::{Document, Options};

fn scorekeep(env: Option<&str>) -> (Document, Options) {
    example("scorekeep/ecsctl.toml", env)
}

/// Each role may do no more than the spec implies.
#[test]
fn rights_follow_from_images_secrets_and_statements() {
    let declarations = made(&scorekeep(None));
    insta::assert_snapshot!(policies(&declarations, "scorekeep-execution"), @r#"
    inline.images.Statement = [{"Action":["ecr:GetAuthorizationToken"],"Effect":"Allow","Resource":"*"},{"Action":["ecr:BatchCheckLayerAvailability","ecr:BatchGetImage","ecr:GetDownloadUrlForLayer"],"Effect":"Allow","Resource":["${repository.api.arn}","${repository.frontend.arn}"]}]
    inline.images.Version = "2012-10-17"
    inline.logs.Statement = [{"Action":["logs:CreateLogStream","logs:PutLogEvents"],"Effect":"Allow","Resource":["${log-group.scorekeep.arn}:*"]}]
    inline.logs.Version = "2012-10-17"
    inline.secrets.Statement = [{"Action":["secretsmanager:GetSecretValue"],"Effect":"Allow","Resource":["arn:${aws.partition}:secretsmanager:${aws.region}:${aws.account}:secret:scorekeep/db-??????"]},{"Action":["ssm:GetParameters"],"Effect":"Allow","Resource":["arn:${aws.partition}:ssm:${aws.region}:${aws.account}:parameter/scorekeep/session-key"]}]
    inline.secrets.Version = "2012-10-17"
    inline.secrets <- service.scorekeep.secrets
    "#);
    insta::assert_snapshot!(policies(&declarations, "scorekeep-task"), @r#"
    inline.allow.Statement = [{"Action":["sns:Publish"],"Effect":"Allow","Resource":["arn:aws:sns:*:*:scorekeep-*"],"Sid":"Notify"},{"Action":["dynamodb:*Item","dynamodb:Query"],"Effect":"Allow","Resource":["arn:aws:dynamodb:*:*:table/scorekeep-*"],"Sid":"Tables"}]
    inline.allow.Version = "2012-10-17"
    inline.exec.Statement = [{"Action":["ssmmessages:CreateControlChannel","ssmmessages:CreateDataChannel","ssmmessages:OpenControlChannel","ssmmessages:OpenDataChannel"],"Effect":"Allow","Resource":"*"}]
    inline.exec.Version = "2012-10-17"
    inline.xray.Statement = [{"Action":["xray:GetSamplingRules","xray:GetSamplingStatisticSummaries","xray:GetSamplingTargets","xray:PutTelemetryRecords","xray:PutTraceSegments"],"Effect":"Allow","Resource":"*"}]
    inline.xray.Version = "2012-10-17"
    inline.allow <- service.scorekeep.allow
    inline.exec <- service.scorekeep.exec
    inline.xray <- service.scorekeep.xray
    "#);
}

#[test]
fn three_containers_in_a_task() {
    let declarations = made(&scorekeep(None));
    insta::assert_snapshot!(addresses(&declarations), @"
    cluster: main
    elastic-ip: nat-a
    image: api-v1 frontend-v1
    internet-gateway: main
    listener: main-http
    listener-rule: scorekeep
    load-balancer: main
    log-group: scorekeep
    nat-gateway: a
    repository: api frontend
    role: nightly-report-schedule scorekeep-execution scorekeep-task
    route-table: private public
    schedule: nightly-report
    schedule-group: main
    security-group: alb-main scorekeep
    service: scorekeep
    subnet: private-a private-b public-a public-b
    target-group: scorekeep
    task-definition: migrate nightly-report scorekeep
    task-run: migrate
    vpc: main
    32 in all
    ");
    insta::assert_snapshot!(show(&declarations, "task-definition.scorekeep"), @r#"
    containers.api.environment.AWS_REGION = "${aws.region}"
    containers.api.environment.AWS_XRAY_DAEMON_ADDRESS = "127.0.0.1:2000"
    containers.api.environment.NOTIFICATION_EMAIL = "ops@example.com"
    containers.api.health-check.command = ["CMD-SHELL","curl -f http://localhost:5000/api/health"]
    containers.api.health-check.interval = 10
    containers.api.health-check.retries = 3
    containers.api.health-check.start-period = 0
    containers.api.health-check.timeout = 5
    containers.api.image = "${image.api-v1.uri}"
    containers.api.linux-parameters.init-process-enabled = true
    containers.api.log-configuration.driver = "awslogs"
    containers.api.log-configuration.options.awslogs-group = "${log-group.scorekeep.name}"
    containers.api.log-configuration.options.awslogs-region = "${aws.region}"
    containers.api.log-configuration.options.awslogs-stream-prefix = "scorekeep"
    containers.api.ports = [{"container-port":5000,"protocol":"tcp"}]
    containers.api.secrets.DB_URL = "arn:${aws.partition}:secretsmanager:${aws.region}:${aws.account}:secret:scorekeep/db:url::"
    containers.api.secrets.SESSION_KEY = "arn:${aws.partition}:ssm:${aws.region}:${aws.account}:parameter/scorekeep/session-key"
    containers.frontend.environment.API_HOST = "localhost:5000"
    containers.frontend.environment.AWS_XRAY_DAEMON_ADDRESS = "127.0.0.1:2000"
    containers.frontend.image = "${image.frontend-v1.uri}"
    containers.frontend.linux-parameters.init-process-enabled = true
    containers.frontend.log-configuration.driver = "awslogs"
    containers.frontend.log-configuration.options.awslogs-group = "${log-group.scorekeep.name}"
    containers.frontend.log-configuration.options.awslogs-region = "${aws.region}"
    containers.frontend.log-configuration.options.awslogs-stream-prefix = "scorekeep"
    containers.frontend.ports = [{"container-port":8080,"protocol":"tcp"}]
    containers.xray-daemon.cpu = 32
    containers.xray-daemon.essential = false
    containers.xray-daemon.image = "public.ecr.aws/xray/aws-xray-daemon:3.x"
    containers.xray-daemon.linux-parameters.init-process-enabled = true
    containers.xray-daemon.log-configuration.driver = "awslogs"
    containers.xray-daemon.log-configuration.options.awslogs-group = "${log-group.scorekeep.name}"
    containers.xray-daemon.log-configuration.options.awslogs-region = "${aws.region}"
    containers.xray-daemon.log-configuration.options.awslogs-stream-prefix = "scorekeep"
    containers.xray-daemon.memory = 256
    containers.xray-daemon.ports = [{"container-port":2000,"protocol":"udp"}]
    cpu = 512
    execution-role-arn = "${role.scorekeep-execution.arn}"
    memory = 1024
    network-mode = "awsvpc"
    requires-compatibilities = ["FARGATE"]
    runtime-platform.cpu-architecture = "X86_64"
    runtime-platform.operating-system-family = "LINUX"
    task-role-arn = "${role.scorekeep-task.arn}"
    containers.api <- service.scorekeep.container.api
    containers.api.environment <- service.scorekeep.container.api.env
    containers.api.environment.AWS_REGION <- service.scorekeep.container.api.env.AWS_REGION
    containers.api.environment.AWS_XRAY_DAEMON_ADDRESS <- service.scorekeep.xray
    containers.api.environment.NOTIFICATION_EMAIL <- service.scorekeep.container.api.env.NOTIFICATION_EMAIL
    containers.api.health-check <- service.scorekeep.container.api.health
    containers.api.health-check.command <- service.scorekeep.container.api.health.command
    containers.api.health-check.interval <- service.scorekeep.container.api.health.interval
    containers.api.health-check.retries <- service.scorekeep.container.api.health.unhealthy
    containers.api.health-check.start-period <- service.scorekeep.container.api.health.start
    containers.api.health-check.timeout <- service.scorekeep.container.api.health.timeout
    containers.api.image <- service.scorekeep.container.api.image
    containers.api.linux-parameters.init-process-enabled <- service.scorekeep.init
    containers.api.log-configuration <- service.scorekeep
    containers.api.log-configuration.options.awslogs-stream-prefix <- service.scorekeep.logs.prefix
    containers.api.ports <- service.scorekeep.container.api.port
    containers.api.secrets <- service.scorekeep.container.api.secrets
    containers.api.secrets.DB_URL <- service.scorekeep.container.api.secrets.DB_URL
    containers.api.secrets.SESSION_KEY <- service.scorekeep.container.api.secrets.SESSION_KEY
    containers.frontend <- service.scorekeep.container.frontend
    containers.frontend.environment <- service.scorekeep.container.frontend.env
    containers.frontend.environment.API_HOST <- service.scorekeep.container.frontend.env.API_HOST
    containers.frontend.environment.AWS_XRAY_DAEMON_ADDRESS <- service.scorekeep.xray
    containers.frontend.image <- service.scorekeep.container.frontend.image
    containers.frontend.linux-parameters.init-process-enabled <- service.scorekeep.init
    containers.frontend.log-configuration <- service.scorekeep
    containers.frontend.log-configuration.options.awslogs-stream-prefix <- service.scorekeep.logs.prefix
    containers.frontend.ports <- service.scorekeep.container.frontend.port
    containers.xray-daemon <- service.scorekeep.xray
    containers.xray-daemon.cpu <- service.scorekeep.xray
    containers.xray-daemon.essential <- service.scorekeep.xray
    containers.xray-daemon.image <- service.scorekeep.xray
    containers.xray-daemon.linux-parameters.init-process-enabled <- service.scorekeep.xray
    containers.xray-daemon.log-configuration <- service.scorekeep
    containers.xray-daemon.log-configuration.options.awslogs-stream-prefix <- service.scorekeep.logs.prefix
    containers.xray-daemon.memory <- service.scorekeep.xray
    containers.xray-daemon.ports <- service.scorekeep.xray
    cpu <- service.scorekeep.size.cpu
    memory <- service.scorekeep.size.memory
    network-mode <- service.scorekeep.network-mode
    requires-compatibilities <- service.scorekeep.capacity
    runtime-platform.cpu-architecture <- service.scorekeep.arch
    "#);
}

#[test]
fn environments_differ_as_they_say() {
    let dev = made(&scorekeep(Some("dev")));
    insta::assert_snapshot!(addresses(&dev), @"
    cluster: main
    image: api-v1 frontend-v1
    internet-gateway: main
    listener: main-http
    listener-rule: scorekeep
    load-balancer: main
    log-group: scorekeep
    repository: api frontend
    role: nightly-report-schedule scorekeep-execution scorekeep-task
    route-table: public
    schedule: nightly-report
    schedule-group: main
    security-group: alb-main scorekeep
    service: scorekeep
    subnet: public-a public-b
    target-group: scorekeep
    task-definition: migrate nightly-report scorekeep
    task-run: migrate
    vpc: main
    27 in all
    ");
    insta::assert_snapshot!(show(&dev, "service.scorekeep"), @r#"
    availability-zone-rebalancing = "ENABLED"
    capacity-provider-strategy = [{"capacity-provider":"FARGATE_SPOT","weight":1}]
    cluster = "${cluster.main.arn}"
    deployment.circuit-breaker.enable = true
    deployment.circuit-breaker.rollback = true
    deployment.maximum-percent = 200
    deployment.minimum-healthy-percent = 100
    desired-count = 1
    enable-execute-command = true
    health-check-grace-period-seconds = 60
    load-balancers = [{"container-name":"frontend","container-port":8080,"target-group-arn":"${target-group.scorekeep.arn}"}]
    network.assign-public-ip = true
    network.security-groups = ["${security-group.scorekeep.id}"]
    network.subnets = ["${subnet.public-a.id}","${subnet.public-b.id}"]
    propagate-tags = "SERVICE"
    task-definition = "${task-definition.scorekeep.arn}"
    availability-zone-rebalancing <- service.scorekeep.deploy.max
    capacity-provider-strategy <- service.scorekeep.spot
    deployment.circuit-breaker.rollback <- service.scorekeep.deploy.rollback
    deployment.maximum-percent <- service.scorekeep.deploy.max
    deployment.minimum-healthy-percent <- service.scorekeep.deploy.min
    desired-count <- service.scorekeep.count
    enable-execute-command <- service.scorekeep.exec
    health-check-grace-period-seconds <- service.scorekeep.grace
    load-balancers <- service.scorekeep.http
    network.assign-public-ip <- network.mode
    network.subnets <- network.mode
    "#);
    let prod = made(&scorekeep(Some("prod")));
    let of = |kind: &str| {
        let kinds = prod.iter().filter(|one| one.address.kind == kind);
        kinds.map(|one| one.address.name.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(of("nat-gateway"), ["a", "b"]);
    assert_eq!(of("route-table"), ["private-a", "private-b", "public"]);
    let service = prod.iter().find(|one| one.address.kind == "service").unwrap();
    assert_eq!(service.spec["desired-count"], 3);
    insta::assert_snapshot!(show(&prod, "scalable-target.scorekeep"), @r#"
    max-capacity = 12
    min-capacity = 3
    service = "${service.scorekeep.arn}"
    max-capacity <- service.scorekeep.count.max
    min-capacity <- service.scorekeep.count.min
    "#);
    insta::assert_snapshot!(show(&prod, "scaling-policy.scorekeep-requests"), @r#"
    resource-id = "${scalable-target.scorekeep.resource-id}"
    target-tracking.predefined-metric.resource-label = "${load-balancer.main.arn-suffix}/${target-group.scorekeep.arn-suffix}"
    target-tracking.predefined-metric.type = "ALBRequestCountPerTarget"
    target-tracking.target-value = 800
    target-tracking <- service.scorekeep.count.requests
    "#);
    assert_eq!(of("scaling-policy"), ["scorekeep-cpu", "scorekeep-requests"]);
    let share = |provider: &str| json!({ "capacity-provider": provider, "weight": 1 });
    let shares = json!([share("FARGATE"), share("FARGATE_SPOT")]);
    assert_eq!(service.spec["capacity-provider-strategy"], shares);
    assert_eq!(service.spec["enable-execute-command"], false, "no shells where it is protected");
}

/// What a task has of a container, what it says itself, and when it runs.
#[test]
fn a_task_has_all_of_its_container_and_its_own_command() {
    let made = made(&scorekeep(None));
    insta::assert_snapshot!(show(&made, "task-definition.nightly-report"), @r#"
    containers.api.command = ["bin/report"]
    containers.api.environment.AWS_REGION = "${aws.region}"
    containers.api.environment.NOTIFICATION_EMAIL = "ops@example.com"
    containers.api.image = "${image.api-v1.uri}"
    containers.api.linux-parameters.init-process-enabled = true
    containers.api.log-configuration.driver = "awslogs"
    containers.api.log-configuration.options.awslogs-group = "${log-group.scorekeep.name}"
    containers.api.log-configuration.options.awslogs-region = "${aws.region}"
    containers.api.log-configuration.options.awslogs-stream-prefix = "nightly-report"
    containers.api.secrets.DB_URL = "arn:${aws.partition}:secretsmanager:${aws.region}:${aws.account}:secret:scorekeep/db:url::"
    containers.api.secrets.SESSION_KEY = "arn:${aws.partition}:ssm:${aws.region}:${aws.account}:parameter/scorekeep/session-key"
    cpu = 1024
    execution-role-arn = "${role.scorekeep-execution.arn}"
    memory = 2048
    network-mode = "awsvpc"
    requires-compatibilities = ["FARGATE"]
    runtime-platform.cpu-architecture = "X86_64"
    runtime-platform.operating-system-family = "LINUX"
    task-role-arn = "${role.scorekeep-task.arn}"
    containers.api <- service.scorekeep.container.api
    containers.api.command <- task.nightly-report.command
    containers.api.environment <- service.scorekeep.container.api.env
    containers.api.environment.AWS_REGION <- service.scorekeep.container.api.env.AWS_REGION
    containers.api.environment.NOTIFICATION_EMAIL <- service.scorekeep.container.api.env.NOTIFICATION_EMAIL
    containers.api.image <- service.scorekeep.container.api.image
    containers.api.linux-parameters.init-process-enabled <- service.scorekeep.init
    containers.api.log-configuration <- task.nightly-report
    containers.api.secrets <- service.scorekeep.container.api.secrets
    containers.api.secrets.DB_URL <- service.scorekeep.container.api.secrets.DB_URL
    containers.api.secrets.SESSION_KEY <- service.scorekeep.container.api.secrets.SESSION_KEY
    cpu <- task.nightly-report.size.cpu
    memory <- task.nightly-report.size.memory
    network-mode <- service.scorekeep.network-mode
    requires-compatibilities <- service.scorekeep.capacity
    runtime-platform.cpu-architecture <- service.scorekeep.arch
    "#);
    insta::assert_snapshot!(show(&made, "schedule.nightly-report"), @r#"
    cluster = "${cluster.main.arn}"
    expression = "cron(0 3 * * ? *)"
    group = "${schedule-group.main.name}"
    launch-type = "FARGATE"
    maximum-retry-attempts = 2
    network.assign-public-ip = false
    network.security-groups = ["${security-group.scorekeep.id}"]
    network.subnets = ["${subnet.private-a.id}","${subnet.private-b.id}"]
    propagate-tags = "TASK_DEFINITION"
    role-arn = "${role.nightly-report-schedule.arn}"
    task-definition = "${task-definition.nightly-report.arn}"
    timezone = "Europe/Berlin"
    expression <- task.nightly-report.schedule
    maximum-retry-attempts <- task.nightly-report.retry
    timezone <- task.nightly-report.timezone
    "#);
    insta::assert_snapshot!(show(&made, "role.nightly-report-schedule"), @r#"
    description = "runs the task nightly-report by its schedule"
    inline.run.Statement = [{"Action":["ecs:RunTask"],"Condition":{"ArnEquals":{"ecs:cluster":"${cluster.main.arn}"}},"Effect":"Allow","Resource":["arn:${aws.partition}:ecs:${aws.region}:${aws.account}:task-definition/${task-definition.nightly-report.family}:*"]},{"Action":["ecs:TagResource"],"Condition":{"StringEquals":{"ecs:CreateAction":"RunTask"}},"Effect":"Allow","Resource":["arn:${aws.partition}:ecs:${aws.region}:${aws.account}:task/${cluster.main.name}/*"]},{"Action":["iam:PassRole"],"Condition":{"StringEquals":{"iam:PassedToService":"ecs-tasks.amazonaws.com"}},"Effect":"Allow","Resource":["${role.scorekeep-execution.arn}","${role.scorekeep-task.arn}"]}]
    inline.run.Version = "2012-10-17"
    trust.Statement = [{"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:SourceAccount":"${aws.account}","aws:SourceArn":"${schedule-group.main.arn}"}},"Effect":"Allow","Principal":{"Service":"scheduler.amazonaws.com"}}]
    trust.Version = "2012-10-17"
    "#);
    insta::assert_snapshot!(show(&made, "task-run.migrate"), @r#"
    before = "${task-definition.scorekeep.arn}"
    cluster = "${cluster.main.arn}"
    container = "api"
    family = "${task-definition.migrate.family}"
    log.group = "${log-group.scorekeep.name}"
    log.prefix = "migrate"
    network.assign-public-ip = false
    network.security-groups = ["${security-group.scorekeep.id}"]
    network.subnets = ["${subnet.private-a.id}","${subnet.private-b.id}"]
    service = "scorekeep"
    timeout = 600
    timeout <- task.migrate.timeout
    "#);
}
