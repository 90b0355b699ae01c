//! The stacks that are measured. One has a number of services, as explicit declarations: a network with two public and two private
//! subnets and a NAT gateway, a load balancer, two roles and a cluster, and a number of services, each
//! with a repository, a log group, a task definition, a target group, a listener rule and a service. The other has every kind.

use std::fmt::Write as _;

use super::Session;

/// What the stack has once, however many services there are.
const SHARED: &str = r#"ecsctl = 1
stack  = "measured"
region = "us-east-1"

[aws.vpc.main]
cidr = "10.0.0.0/16"

[aws.internet-gateway.main]
vpc-id = "${vpc.main.id}"

[aws.subnet.public-a]
vpc-id = "${vpc.main.id}"
cidr-block = "10.0.0.0/20"
availability-zone = "us-east-1a"
map-public-ip-on-launch = true

[aws.subnet.public-b]
vpc-id = "${vpc.main.id}"
cidr-block = "10.0.16.0/20"
availability-zone = "us-east-1b"
map-public-ip-on-launch = true

[aws.subnet.private-a]
vpc-id = "${vpc.main.id}"
cidr-block = "10.0.32.0/20"
availability-zone = "us-east-1a"

[aws.subnet.private-b]
vpc-id = "${vpc.main.id}"
cidr-block = "10.0.48.0/20"
availability-zone = "us-east-1b"

[aws.elastic-ip.nat]

[aws.nat-gateway.main]
subnet-id = "${subnet.public-a.id}"
allocation-id = "${elastic-ip.nat.id}"

[aws.route-table.public]
vpc-id = "${vpc.main.id}"
routes = { "0.0.0.0/0" = "${internet-gateway.main.id}" }
subnets = ["${subnet.public-a.id}", "${subnet.public-b.id}"]

[aws.route-table.private]
vpc-id = "${vpc.main.id}"
routes = { "0.0.0.0/0" = "${nat-gateway.main.id}" }
subnets = ["${subnet.private-a.id}", "${subnet.private-b.id}"]

[aws.security-group.alb]
vpc-id = "${vpc.main.id}"
ingress = [{ protocol = "tcp", from-port = 80, to-port = 80, cidr = "0.0.0.0/0" }]

[aws.security-group.tasks]
vpc-id = "${vpc.main.id}"
ingress = [{ protocol = "tcp", from-port = 8080, to-port = 8080, security-group = "${security-group.alb.id}" }]

[aws.load-balancer.main]
subnets = ["${subnet.public-a.id}", "${subnet.public-b.id}"]
security-groups = ["${security-group.alb.id}"]

[aws.listener.http]
load-balancer-arn = "${load-balancer.main.arn}"
port = 80
protocol = "HTTP"
default-action = { fixed-response = { status = 404 } }

[aws.role.execution]
policies = ["arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"]
trust = { Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ecs-tasks.amazonaws.com" } }] }

[aws.role.task]
trust = { Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ecs-tasks.amazonaws.com" } }] }
inline.work = { Statement = [{ Effect = "Allow", Action = "sqs:SendMessage", Resource = "*" }] }

[aws.cluster.main]
capacity-providers = ["FARGATE", "FARGATE_SPOT"]
"#;

/// What the stack has once: VPC, gateway, four subnets, address, NAT gateway, two tables with a route and
/// two associations each, two groups with a rule each, load balancer, listener, a role with an attached
/// policy and one with a policy of its own, cluster.
pub(crate) const OBJECTS_SHARED: usize = 27;

/// What each service adds.
pub(crate) const OBJECTS_PER_SERVICE: usize = 6;

/// The spec of the stack with `services` services.
pub(crate) fn with_services(services: usize) -> String {
    let mut spec = SHARED.to_owned();
    for number in 1..=services {
        write!(
            spec,
            r#"
[aws.repository.s{number}]
scan-on-push = true

[aws.log-group.s{number}]

[aws.task-definition.s{number}]
cpu = "0.25 vCPU"
memory = "512 MB"
execution-role-arn = "${{role.execution.arn}}"
task-role-arn = "${{role.task.arn}}"

[aws.task-definition.s{number}.containers.app]
image = "httpd:2.4"
ports = [{{ container-port = 8080 }}]
environment = {{ SERVICE = "s{number}" }}

[aws.task-definition.s{number}.containers.app.log-configuration]
driver = "awslogs"
options = {{ awslogs-group = "${{log-group.s{number}.name}}", awslogs-region = "us-east-1", awslogs-stream-prefix = "s{number}" }}

[aws.target-group.s{number}]
port = 8080
vpc-id = "${{vpc.main.id}}"
health-check = {{ path = "/health", interval-seconds = 10, healthy-threshold = 2 }}
deregistration-delay-seconds = 30

[aws.listener-rule.s{number}]
listener-arn = "${{listener.http.arn}}"
priority = {number}
conditions = {{ paths = ["/s{number}/*"] }}
action = {{ forward = "${{target-group.s{number}.arn}}" }}

[aws.service.s{number}]
cluster = "${{cluster.main.arn}}"
task-definition = "${{task-definition.s{number}.arn}}"
desired-count = 1
launch-type = "FARGATE"
network = {{ subnets = ["${{subnet.private-a.id}}", "${{subnet.private-b.id}}"], security-groups = ["${{security-group.tasks.id}}"] }}
load-balancers = [{{ target-group-arn = "${{target-group.s{number}.arn}}", container-name = "app", container-port = 8080 }}]
"#
        )
        .expect("text can be written to");
    }
    spec
}

/// An account with what the stack needs in which every kind stands, and its spec.
pub(crate) fn with_every_kind() -> Session {
    let session = Session::with(include_str!("../../specs/everything.toml"));
    session.zone("example.com");
    session.secrets("/shop/none", "shop/db");
    session
}
