//! The kinds of ECS: cluster, task definition, service.

use super::life::{HTTP, Life, RUNNING};

#[test]
fn cluster() {
    let life = Life::begin("\n[aws.cluster.main]\n");
    let cluster = "cluster.main";
    life.changes(
        cluster,
        &[("[aws.cluster.main]\n", "[aws.cluster.main]\ninsights = \"enhanced\"\n")],
        &["UpdateClusterSettings"],
    );
    life.changes(
        cluster,
        &[(
            "insights = \"enhanced\"",
            "insights = \"disabled\"\ncapacity-providers = [\"FARGATE\", \"FARGATE_SPOT\"]\n\
             default-capacity-provider-strategy = [{ capacity-provider = \"FARGATE\", base = 1, weight = 1 }, { capacity-provider = \"FARGATE_SPOT\", weight = 3 }]",
        )],
        &["PutClusterCapacityProviders", "UpdateClusterSettings"],
    );
    let name = life.object(cluster).arn;
    life.drifts("update cluster.main", async |aws| {
        let call = aws.ecs.put_cluster_capacity_providers().cluster(&name);
        let call =
            call.capacity_providers("FARGATE").set_default_capacity_provider_strategy(Some(vec![]));
        call.send().await.expect("a change");
    });
    life.replaces(
        cluster,
        &[("insights", "name = \"elsewhere\"\ninsights")],
        &["CreateCluster", "DeleteCluster"],
    );
    life.ends();
}

const TASK: &str = r#"
[aws.role.execution]
policies = ["arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"]
trust = { Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ecs-tasks.amazonaws.com" } }] }

[aws.role.other]
policies = ["arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"]
trust = { Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ecs-tasks.amazonaws.com" } }] }

[aws.log-group.app]

[aws.task-definition.app]
cpu = "0.5 vCPU"
memory = "1 GB"
execution-role-arn = "${role.execution.arn}"
ephemeral-storage = { size-in-gib = 30 }
runtime-platform = { cpu-architecture = "ARM64" }
volumes = { scratch = {} }

[aws.task-definition.app.containers.app]
image = "httpd:2.4"
cpu = 128
memory-reservation = "256 MB"
command = ["httpd-foreground"]
entry-point = ["sh", "-c"]
working-directory = "/srv"
user = "www"
ports = [{ container-port = 443 }, { container-port = 80, protocol = "tcp", host-port = 80 }]
environment = { ZED = "26", ALPHA = "1" }
secrets = { KEY = "arn:aws:ssm:us-east-1:123456789012:parameter/key" }
depends-on = { init = "SUCCESS" }
health-check = { command = ["CMD-SHELL", "true"], interval = 10 }
mount-points = [{ source-volume = "scratch", container-path = "/scratch" }]
ulimits = { nofile = { soft-limit = 1024, hard-limit = 4096 } }
docker-labels = { one = "1" }
stop-timeout = 20
linux-parameters = { init-process-enabled = true }

[aws.task-definition.app.containers.app.log-configuration]
driver = "awslogs"
options = { awslogs-group = "${log-group.app.name}", awslogs-region = "us-east-1", awslogs-stream-prefix = "app" }

[aws.task-definition.app.containers.init]
image = "busybox:1"
essential = false
"#;

/// B1: neither AWS's defaults nor another order is a change; any other change is one revision.
#[test]
fn task_definition() {
    let life = Life::begin(TASK);
    for (old, new) in [
        (
            "[{ container-port = 443 }, { container-port = 80, protocol = \"tcp\", host-port = 80 }]",
            "[{ container-port = 80 }, { container-port = 443, protocol = \"tcp\" }]",
        ),
        ("{ ZED = \"26\", ALPHA = \"1\" }", "{ ALPHA = \"1\", ZED = \"26\" }"),
        ("cpu = \"0.5 vCPU\"", "cpu = 512"),
        ("essential = false", "essential = false\ncommand = []"),
        ("interval = 10", "interval = 10, timeout = 5, retries = 3"),
    ] {
        life.edit(&[(old, new)]);
        life.nothing_is_left();
    }
    for (old, new) in [
        ("httpd:2.4", "httpd:2.5"),
        ("ALPHA = \"1\"", "ALPHA = \"2\""),
        ("stop-timeout = 20\n", ""),
        ("memory = \"1 GB\"", "memory = \"2 GB\""),
        ("size-in-gib = 30", "size-in-gib = 40"),
        ("cpu = 512", "cpu = 1024"),
        (
            "execution-role-arn = \"${role.execution.arn}\"",
            "execution-role-arn = \"${role.other.arn}\"",
        ),
        ("cpu = 1024", "task-role-arn = \"${role.other.arn}\"\ncpu = 1024"),
        ("\"ARM64\"", "\"X86_64\""),
        ("cpu = 1024", "enable-fault-injection = true\npid-mode = \"task\"\ncpu = 1024"),
        ("volumes = { scratch = {} }", "volumes = { scratch = {}, more = {} }"),
        (
            "enable-fault-injection = true\npid-mode = \"task\"",
            "network-mode = \"bridge\"\nrequires-compatibilities = [\"EC2\"]\nipc-mode = \"task\"",
        ),
    ] {
        life.edit(&[(old, new)]);
        assert_eq!(life.planned(), ["update task-definition.app"]);
        let calls = life.apply();
        let mut changes = calls.changes();
        // What lies behind the newest ten goes along (B22).
        changes.retain(|call| !call.starts_with("De"));
        assert_eq!(changes, ["RegisterTaskDefinition"], "{calls:?}");
        life.nothing_is_left();
    }
    // All revisions go, the earlier ones too.
    life.ends();
}

/// B7: everything about a service is changed in place; a launch type becomes a strategy by a rollout.
#[test]
fn b7_service() {
    let life = Life::begin(RUNNING);
    let service = "service.web";
    life.changes(service, &[("desired-count = 1", "desired-count = 3")], &["UpdateService"]);
    life.changes(
        service,
        &[
            (
                "desired-count = 3",
                "desired-count = 2\nenable-execute-command = true\nenable-ecs-managed-tags = true\n\
                 propagate-tags = \"SERVICE\"\navailability-zone-rebalancing = \"DISABLED\"\n\
                 platform-version = \"1.4.0\"\ndeployment.minimum-healthy-percent = 50\n\
                 deployment.maximum-percent = 150",
            ),
            ("{ enable = true, rollback = true }", "{ enable = false, rollback = false }"),
        ],
        &["UpdateService"],
    );
    life.changes(
        service,
        &[("launch-type = \"FARGATE\"", "capacity-provider-strategy = [{ capacity-provider = \"FARGATE\", base = 1, weight = 1 }, { capacity-provider = \"FARGATE_SPOT\", weight = 1 }]")],
        &["UpdateService"],
    );
    life.changes(
        service,
        &[("capacity-provider-strategy = [{ capacity-provider = \"FARGATE\", base = 1, weight = 1 }, { capacity-provider = \"FARGATE_SPOT\", weight = 1 }]", "launch-type = \"FARGATE\"")],
        &["UpdateService"],
    );
    life.changes(
        service,
        &[(
            "security-groups = [\"${security-group.tasks.id}\"]",
            "security-groups = [\"${security-group.other.id}\"]",
        )],
        &["UpdateService"],
    );
    let arn = life.object(service).arn;
    life.drifts("update service.web", async |aws| {
        let call = aws.ecs.update_service().cluster(cluster_of(&arn)).service(&arn);
        call.desired_count(0).send().await.expect("a change");
    });
    life.ends();
}

/// A service keeps its name and its place when it moves to another cluster, and one run does it (B8).
#[test]
fn b8_a_service_moves_to_another_cluster() {
    let life = Life::begin(RUNNING);
    life.replaces(
        "service.web",
        &[("cluster = \"${cluster.main.arn}\"", "cluster = \"${cluster.other.arn}\"")],
        &["CreateService", "DeleteService"],
    );
    life.ends();
}

/// A service behind a load balancer: made after the rule that forwards to its group (B9), moved with a
/// group that is replaced (B10), and gone before the roles that its tasks have (B14).
#[test]
fn b9_b10_b14_service_behind_a_load_balancer() {
    let life = Life::begin(&HTTP);
    life.changes(
        "service.web",
        &[("desired-count = 1", "desired-count = 1\nhealth-check-grace-period-seconds = 45")],
        &["UpdateService"],
    );
    life.replaces(
        "target-group.web",
        &[("port = 8080\nvpc", "port = 8081\nvpc")],
        &["CreateTargetGroup", "ModifyRule", "UpdateService", "DeleteTargetGroup"],
    );
    let session = life.ends();
    let calls = session.calls();
    let place = |operation| calls.position(operation).expect("it was called");
    assert!(place("DeleteService") < place("DeleteRule"), "{calls:?}");
    assert!(place("DeleteService") < place("DeleteRole"), "{calls:?}");
    assert!(place("DeleteService") < place("DetachRolePolicy"), "{calls:?}");
}

/// `arn:aws:ecs:<region>:<account>:service/<cluster>/<name>`.
fn cluster_of(service: &str) -> &str {
    service.split('/').nth(1).expect("a service's ARN names its cluster")
}
