//! Each import is a spec that is sound, and says what it leaves out.

use std::collections::BTreeMap;
use std::path::PathBuf;

use insta::assert_snapshot;

use super::{About, Imported, compose, dockerrun, legalised, task_definition};
use crate::blueprint;
use crate::desired;
use crate::diag::Severity;
use crate::spec::{self, Request};

pub(super) fn about(source: &str) -> About {
    About {
        source: source.to_owned(),
        command: "import it".to_owned(),
        region: Some("eu-west-1".to_owned()),
        folder: Some("Shop_2".to_owned()),
    }
}

/// The text, which is a sound spec.
pub(super) fn sound(imported: Result<Imported, crate::diag::Diagnostic>) -> String {
    let imported = imported.expect("it can be imported");
    let file = PathBuf::from("ecsctl.toml");
    let files = BTreeMap::from([(file.clone(), imported.text.clone())]);
    let environment = BTreeMap::from([("TAG".to_owned(), "7".to_owned())]);
    let request = Request { file, environment, ..Request::default() };
    let found = match desired::of(spec::load(&request, &blueprint::language(), &files)) {
        Ok(_) => Vec::new(),
        Err(rejected) => rejected.diagnostics,
    };
    let errors: Vec<_> = found.iter().filter(|it| it.severity == Severity::Error).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{}", imported.text);
    for note in &imported.notes {
        assert!(
            imported.text.contains(&note.line().replace('\n', " ")),
            "{note:?}\n{}",
            imported.text
        );
    }
    imported.text
}

#[test]
fn a_dockerrun_of_version_1() {
    let text = r#"{
      "AWSEBDockerrunVersion": "1",
      "Image": { "Name": "janedoe/image", "Update": "true" },
      "Ports": [{ "ContainerPort": "1234" }],
      "Volumes": [{ "HostDirectory": "/var/app/mydb", "ContainerDirectory": "/etc/mysql" }],
      "Logging": "/var/log/nginx",
      "Entrypoint": "/app/bin/myapp",
      "Command": "--argument"
    }"#;
    assert_snapshot!(sound(dockerrun(text, &about("Dockerrun.aws.json"))), @r#"
    # Made of Dockerrun.aws.json by `ecsctl import it`.
    ecsctl = 1
    stack  = "shop-2"
    region = "eu-west-1"

    [service.app]
    # not taken over: Logging = "/var/log/nginx": output goes to CloudWatch Logs; see `logs`
    # not taken over: Volumes = [{"ContainerDirectory":"/etc/mysql","HostDirectory":"/var/app/mydb"}]: Fargate has no host whose paths could be mounted
    command    = ["--argument"]
    entrypoint = ["/app/bin/myapp"]
    image      = "janedoe/image"
    port       = 1234
    "#);
}

#[test]
fn a_dockerrun_of_version_2() {
    let text = r#"{
      "AWSEBDockerrunVersion": 2,
      "volumes": [
        { "name": "php-app", "host": { "sourcePath": "/var/app/current/php-app" } },
        { "name": "sockets" }
      ],
      "containerDefinitions": [
        {
          "name": "php-app", "image": "php:fpm", "essential": true, "memory": 128,
          "environment": [{ "name": "Container", "value": "PHP ${x}" }],
          "mountPoints": [
            { "sourceVolume": "php-app", "containerPath": "/var/www/html", "readOnly": true },
            { "sourceVolume": "sockets", "containerPath": "/run/php" }
          ]
        },
        {
          "name": "nginx-proxy", "image": "nginx", "essential": true, "memory": 128,
          "portMappings": [{ "hostPort": 80, "containerPort": 80 }],
          "links": ["php-app"],
          "mountPoints": [
            { "sourceVolume": "awseb-logs-nginx-proxy", "containerPath": "/var/log/nginx" },
            { "sourceVolume": "sockets", "containerPath": "/run/php", "readOnly": true }
          ]
        }
      ]
    }"#;
    assert_snapshot!(sound(dockerrun(text, &about("Dockerrun.aws.json"))), @r#"
    # Made of Dockerrun.aws.json by `ecsctl import it`.
    ecsctl = 1
    stack  = "shop-2"
    region = "eu-west-1"

    [service.app]
    # not taken over: volumes.php-app = "/var/app/current/php-app": Fargate has no host whose paths could be mounted
    http = { container = "nginx-proxy", path = "/*" }
    size = "0.25vcpu/512MB"
    [service.app.container]
    # not taken over: containerDefinitions.nginx-proxy.mountPoints.awseb-logs-nginx-proxy = {"containerPath":"/var/log/nginx","sourceVolume":"awseb-logs-nginx-proxy"}: output goes to CloudWatch Logs
    # not taken over: containerDefinitions.nginx-proxy.links = ["php-app"]: the containers of a task reach each other at `localhost`
    nginx-proxy = { image = "nginx", port = 80 }
    [service.app.container.php-app]
    # not taken over: containerDefinitions.php-app.mountPoints.php-app = {"containerPath":"/var/www/html","readOnly":true,"sourceVolume":"php-app"}: Fargate has no host whose paths could be mounted
    env   = { Container = "PHP $${x}" }
    image = "php:fpm"
    [service.app.volume.sockets]
    containers = ["php-app", "nginx-proxy"]
    mount      = "/run/php"
    readonly   = ["nginx-proxy"]
    "#);
}

#[test]
fn a_task_definition() {
    let text = r#"{
      "family": "Order_API", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"],
      "cpu": "256", "memory": "512", "hibernation": "enabled", "executionRoleArn": "arn:aws:iam::1:role/e",
      "tags": [{ "key": "team", "value": "orders" }, { "key": "aws:x", "value": "y" }],
      "containerDefinitions": [{
        "name": "api", "image": "acme/api:7", "essential": true, "portMappings": [{ "containerPort": 80 }],
        "environment": [{ "name": "A", "value": "1" }, { "name": "A", "value": "${2}" }, { "name": "E" }],
        "logConfiguration": { "logDriver": "quantum" },
        "restartPolicy": { "enabled": false, "restartAttemptPeriod": 60 },
        "healthCheck": { "command": ["CMD-SHELL", "true"], "jitter": { "seconds": 3 } },
        "secrets": [{ "name": "KEY", "valueFrom": "arn:aws:ssm:eu-west-1:1:parameter/key" }]
      }]
    }"#;
    assert_snapshot!(sound(task_definition(text, &about("api.json"))), @r#"
    # Made of api.json by `ecsctl import it`.
    ecsctl = 1
    stack  = "order-api"
    region = "eu-west-1"

    [tags]
    team = "orders"

    # Where it is there already, it is taken over by
    #   ecsctl apply --adopt task-definition.order-api
    [aws.task-definition.order-api]
    # not taken over: hibernation = "enabled": ecsctl does not know it
    cpu                = 256
    execution-role-arn = "arn:aws:iam::1:role/e"
    memory             = 512
    name               = "Order_API"
    [aws.task-definition.order-api.containers.api]
    # not taken over: containerDefinitions.api.environment.A = "1": it is there twice, and the last one counts
    # not taken over: containerDefinitions.api.logConfiguration.logDriver = "quantum": ecsctl knows awslogs, awsfirelens, splunk, fluentd, gelf, json-file, journald or syslog
    # not taken over: containerDefinitions.api.logConfiguration = {"logDriver":"quantum"}: without `driver` it means nothing
    environment = { A = "$${2}", E = "" }
    image       = "acme/api:7"
    ports       = [{ container-port = 80 }]
    secrets     = { KEY = "arn:aws:ssm:eu-west-1:1:parameter/key" }
    [aws.task-definition.order-api.containers.api.health-check]
    # not taken over: containerDefinitions.api.healthCheck.jitter = {"seconds":3}: ecsctl does not know it
    command = ["CMD-SHELL", "true"]
    "#);
}

/// What a service has that its declaration here does not know, and the tags that only one of the two has.
#[test]
fn a_service() {
    let service = r#"{
      "serviceArn": "arn:aws:ecs:eu-west-1:1:service/main/web", "serviceName": "web", "status": "ACTIVE",
      "clusterArn": "arn:aws:ecs:eu-west-1:1:cluster/main", "desiredCount": 2, "runningCount": 2,
      "taskDefinition": "arn:aws:ecs:eu-west-1:1:task-definition/web:7",
      "roleArn": "arn:aws:iam::1:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",
      "launchType": "EC2", "schedulingStrategy": "REPLICA", "enableECSManagedTags": true,
      "loadBalancers": [
        { "loadBalancerName": "classic", "containerName": "web", "containerPort": 80 },
        { "targetGroupArn": "arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/web/1",
          "containerName": "web", "containerPort": 80 }
      ],
      "networkConfiguration": { "awsvpcConfiguration": {
        "subnets": ["subnet-1"], "securityGroups": ["sg-1"], "assignPublicIp": "DISABLED"
      } },
      "deployments": [{ "status": "PRIMARY", "serviceConnectConfiguration": {
        "enabled": true, "namespace": "shop",
        "services": [{ "portName": "web", "clientAliases": [{ "port": 80, "dnsName": "web" }],
          "timeout": { "idleTimeoutSeconds": 60 } }],
        "logConfiguration": { "logDriver": "awslogs", "options": { "awslogs-group": "web" } }
      } }],
      "deploymentController": { "type": "CODE_DEPLOY" },
      "deploymentConfiguration": {
        "maximumPercent": 200, "minimumHealthyPercent": 50, "bakeTimeInMinutes": 0,
        "alarms": { "alarmNames": [], "enable": false, "rollback": false },
        "deploymentCircuitBreaker": { "enable": true, "rollback": true }
      },
      "tags": [{ "key": "team", "value": "shop" }, { "key": "tier", "value": "front" }]
    }"#;
    let definition = r#"{
      "taskDefinition": {
        "family": "web", "networkMode": "awsvpc", "requiresCompatibilities": ["EC2"],
        "containerDefinitions": [{
          "name": "web", "image": "httpd", "memory": 64, "portMappings": [{ "containerPort": 80, "name": "web" }]
        }]
      },
      "tags": [{ "key": "team", "value": "shop" }]
    }"#;
    let service: serde_json::Value = serde_json::from_str(service).unwrap();
    let read = service.as_object().unwrap();
    assert_snapshot!(sound(super::service(read, definition, &about("service web"))), @r#"
    # Made of service web by `ecsctl import it`.
    ecsctl = 1
    stack  = "web"
    region = "eu-west-1"

    [tags]
    team = "shop"

    # It is there already, and is taken over by
    #   ecsctl apply --adopt service.web --adopt task-definition.web
    # Where autoscaling holds the number of its tasks, leave `desired-count` out.
    [aws.service.web]
    # not taken over: deploymentController = {"type":"CODE_DEPLOY"}: ecsctl does not know it
    # not taken over: loadBalancers.0.loadBalancerName = "classic": ecsctl does not know it
    # not taken over: loadBalancers.0 = {"containerName":"web","containerPort":80,"loadBalancerName":"classic"}: without `target-group-arn` it means nothing
    # not taken over: tags.tier = "front": only one of the two carries it; the tags of a stack are those of all that is in it
    availability-zone-rebalancing = "DISABLED"
    cluster                       = "arn:aws:ecs:eu-west-1:1:cluster/main"
    desired-count                 = 2
    enable-ecs-managed-tags       = true
    launch-type                   = "EC2"
    load-balancers                = [{ container-name = "web", container-port = 80, target-group-arn = "arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/web/1" }]
    name                          = "web"
    task-definition               = "${task-definition.web.arn}"
    [aws.service.web.deployment]
    circuit-breaker         = { enable = true, rollback = true }
    minimum-healthy-percent = 50
    [aws.service.web.network]
    security-groups = ["sg-1"]
    subnets         = ["subnet-1"]
    [aws.service.web.service-connect-configuration]
    enabled   = true
    namespace = "shop"
    [aws.service.web.service-connect-configuration.log-configuration]
    driver  = "awslogs"
    options = { awslogs-group = "web" }
    [aws.service.web.service-connect-configuration.services.web]
    discovery-name = "web"
    dns-name       = "web"
    port           = 80
    timeout        = { idle-timeout-seconds = 60 }

    [aws.task-definition.web]
    name                     = "web"
    requires-compatibilities = ["EC2"]
    [aws.task-definition.web.containers.web]
    image  = "httpd"
    memory = 64
    ports  = [{ container-port = 80, name = "web" }]
    "#);
}

#[test]
fn what_is_something_else_is_said_to_be() {
    let wrong = [
        task_definition("{", &about("x")),
        task_definition("[]", &about("x")),
        task_definition("{}", &about("x")),
        task_definition(r#"{"containerDefinitions": [{"name": "a"}]}"#, &about("x")),
        task_definition(
            r#"{"containerDefinitions": [{"name": "a", "image": "i", "portMappings": [{"containerPort": 70000}]}]}"#,
            &about("x"),
        ),
        compose("services: [", &about("x")),
        compose("a: 1", &about("x")),
        dockerrun("{}", &about("x")),
        dockerrun(r#"{"AWSEBDockerrunVersion": "3"}"#, &about("x")),
        dockerrun(r#"{"AWSEBDockerrunVersion": "1"}"#, &about("x")),
    ];
    let told = wrong.map(|wrong| {
        let wrong = wrong.expect_err("it is something else");
        let title = wrong.title.lines().next().unwrap_or_default().to_owned();
        format!("{} {title}", wrong.code)
    });
    assert_snapshot!(told.join("\n"), @"
    E0290 `x` is not a task definition: EOF while parsing an object at line 1 column 1
    E0290 `x` is not a task definition: it is no JSON object
    E0290 `x` is not a task definition: it has no `containerDefinitions`
    E0291 `x` is not a task definition that can be: containers.a: missing field `image`
    E0291 `x` is not a task definition that can be: containers.a.ports.[0].container-port: invalid value: integer `70000`, expected u16
    E0290 `x` is not a compose file: while parsing a node, did not find expected node content at byte 11 line 2 column 1
    E0290 `x` is not a compose file: it has no `services`
    E0290 `x` is not a Dockerrun.aws.json: its `AWSEBDockerrunVersion` is neither 1 nor 2
    E0290 `x` is not a Dockerrun.aws.json: version 3 is beside a compose file
    E0290 `x` is not a Dockerrun.aws.json: it has no image
    ");
}

#[test]
fn a_legal_name_is_made_of_any() {
    for (name, legal) in [("Bad_Name", Some("bad-name")), ("--x--", Some("x")), ("_", None)] {
        assert_eq!(legalised(name).as_deref(), legal);
    }
}
