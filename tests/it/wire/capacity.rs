//! EC2 capacity: instance profile, launch template, Auto Scaling group, capacity provider, and what runs on
//! instances.

use serde_json::json;

use super::life::{HEAD, Life};
use crate::harness::Session;

pub(super) const CAPACITY: &str = r#"
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

[aws.route-table.public]
vpc-id = "${vpc.main.id}"
routes = { "0.0.0.0/0" = "${internet-gateway.main.id}" }
subnets = ["${subnet.a.id}", "${subnet.b.id}"]

[aws.security-group.instances]
vpc-id = "${vpc.main.id}"

[aws.cluster.main]
capacity-providers = ["FARGATE"]

[aws.role.instances]
policies = ["arn:aws:iam::aws:policy/service-role/AmazonEC2ContainerServiceforEC2Role"]
trust = { Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }] }

[aws.role.others]
policies = ["arn:aws:iam::aws:policy/service-role/AmazonEC2ContainerServiceforEC2Role"]
trust = { Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }] }

[aws.instance-profile.general]
role = "${role.instances.arn}"

[aws.launch-template.general]
image-id = "resolve:ssm:/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id"
instance-type = "t3.medium"
instance-profile = "${instance-profile.general.arn}"
security-groups = ["${security-group.instances.id}"]
public-ip = true
user-data = """
#!/bin/bash
echo ECS_CLUSTER=${cluster.main.name} >> /etc/ecs/ecs.config
ECS_CLUSTER=${cluster.main.name}
"""

[aws.auto-scaling-group.general]
cluster = "${cluster.main.arn}"
max-size = 3
subnets = ["${subnet.a.id}", "${subnet.b.id}"]
launch-template = "${launch-template.general.id}"
launch-template-version = "${launch-template.general.version}"
new-instances-protected-from-scale-in = true

[aws.capacity-provider.general]
cluster = "${cluster.main.arn}"
auto-scaling-group-arn = "${auto-scaling-group.general.arn}"
managed-scaling = { enabled = true }
managed-termination-protection = true
"#;

/// Two services and a daemon on it: one behind a load balancer in bridge mode, one with addresses of its own.
pub(super) const SERVICES: &str = r#"
[aws.task-definition.web]
network-mode = "bridge"
requires-compatibilities = ["EC2"]
containers.app = { image = "httpd:2.4", memory = 256, ports = [{ container-port = 80 }] }

[aws.load-balancer.main]
subnets = ["${subnet.a.id}", "${subnet.b.id}"]
security-groups = ["${security-group.instances.id}"]

[aws.listener.main]
load-balancer-arn = "${load-balancer.main.arn}"
port = 80
protocol = "HTTP"
default-action = { forward = "${target-group.web.arn}" }

[aws.target-group.web]
port = 80
vpc-id = "${vpc.main.id}"
target-type = "instance"
health-check = { interval-seconds = 10, healthy-threshold = 2 }
deregistration-delay-seconds = 30

[aws.service.web]
cluster = "${cluster.main.arn}"
task-definition = "${task-definition.web.arn}"
desired-count = 3
capacity-provider-strategy = [{ capacity-provider = "${capacity-provider.general.name}", base = 1, weight = 1 }]
placement-strategy = [{ type = "spread", field = "attribute:ecs.availability-zone" }]
load-balancers = [{ target-group-arn = "${target-group.web.arn}", container-name = "app", container-port = 80 }]

[aws.task-definition.agent]
network-mode = "host"
requires-compatibilities = ["EC2"]
containers.app = { image = "acme/agent:1", memory = 64, ports = [{ container-port = 2000, protocol = "udp" }] }

[aws.service.agent]
cluster = "${cluster.main.arn}"
task-definition = "${task-definition.agent.arn}"
launch-type = "EC2"
scheduling-strategy = "DAEMON"
availability-zone-rebalancing = "DISABLED"
deployment = { minimum-healthy-percent = 0, maximum-percent = 100 }
"#;

#[test]
fn instance_profile() {
    let life = Life::begin(CAPACITY);
    let profile = "instance-profile.general";
    let arn = life.object(profile).arn;
    assert!(arn.contains(":instance-profile/ecsctl/life/default/"), "{arn}");
    life.changes(
        profile,
        &[("\"${role.instances.arn}\"", "\"${role.others.arn}\"")],
        &["AddRoleToInstanceProfile", "RemoveRoleFromInstanceProfile"],
    );
    let name = life.object(profile).id;
    life.drifts(&format!("update {profile}"), async |aws| {
        let role = "life-default-others";
        let call = aws.iam.remove_role_from_instance_profile().instance_profile_name(&name);
        call.role_name(role).send().await.expect("a change");
    });
    life.replaces(
        profile,
        &[("\"${role.others.arn}\"", "\"${role.others.arn}\"\npath = \"/ecsctl/life/default/x/\"")],
        &["CreateInstanceProfile", "DeleteInstanceProfile"],
    );
    life.ends();
}

#[test]
fn launch_template_and_group() {
    let life = Life::begin(CAPACITY);
    let (template, group) = ("launch-template.general", "auto-scaling-group.general");
    let before = life.object(template).arn;
    // A change makes another version, and the group goes on with that.
    life.edit(&[("t3.medium", "t3.large")]);
    assert_eq!(life.planned(), [format!("update {template}"), format!("update {group}")]);
    let made = life.apply();
    assert_eq!(made.changes(), ["CreateLaunchTemplateVersion", "UpdateAutoScalingGroup"]);
    assert_eq!(life.object(template).arn, before);
    life.nothing_is_left();
    life.changes(
        group,
        &[("max-size = 3", "max-size = 4\nmin-size = 1\ncapacity-rebalance = true")],
        &["UpdateAutoScalingGroup"],
    );
    life.changes(
        group,
        &[(
            "max-size = 4",
            "max-size = 4\ninstance-types = [\"t3.large\", \"t3a.large\"]\nspot-percentage = 50",
        )],
        &["UpdateAutoScalingGroup"],
    );
    life.changes(
        group,
        &[("\ninstance-types = [\"t3.large\", \"t3a.large\"]\nspot-percentage = 50", "")],
        &["UpdateAutoScalingGroup"],
    );
    // How many instances there are is nobody's business but the capacity provider's.
    let name = life.object(group).id;
    life.session.behind_its_back(async |aws| {
        let call = aws.autoscaling.set_desired_capacity().auto_scaling_group_name(&name);
        call.desired_capacity(2).send().await.expect("a change");
    });
    life.nothing_is_left();
    // B3: nor when it is said with how many it begins.
    life.edit(&[("max-size = 4", "max-size = 4\ndesired-capacity = 1")]);
    life.nothing_is_left();
    life.drifts(&format!("update {group}"), async |aws| {
        let call = aws.autoscaling.update_auto_scaling_group().auto_scaling_group_name(&name);
        call.max_size(7).send().await.expect("a change");
    });
    let id = life.object(template).id;
    life.drifts(&format!("update {template}"), async |aws| {
        let data = aws_sdk_ec2::types::RequestLaunchTemplateData::builder().image_id("ami-1");
        let call = aws.ec2.create_launch_template_version().launch_template_id(&id);
        call.launch_template_data(data.build()).send().await.expect("a change");
    });
    // A group that nobody scales has as many as are declared.
    let scaled = "managed-scaling = { enabled = true }\nmanaged-termination-protection = true";
    life.edit(&[(scaled, "managed-scaling = { enabled = false }")]);
    assert!(life.planned().contains(&format!("update {group}")), "{:?}", life.planned());
    life.apply();
    life.nothing_is_left();
    life.ends();
}

#[test]
fn capacity_provider() {
    let life = Life::begin(CAPACITY);
    let provider = "capacity-provider.general";
    life.changes(
        provider,
        &[("{ enabled = true }", "{ enabled = true, target-capacity = 80 }")],
        &["UpdateCapacityProvider"],
    );
    life.changes(
        provider,
        &[(
            "termination-protection = true",
            "termination-protection = false\nmanaged-draining = false",
        )],
        &["UpdateCapacityProvider"],
    );
    // The cluster leaves it alone, and misses it in its own list no more than it finds it there.
    life.changes(
        "cluster.main",
        &[("[\"FARGATE\"]", "[\"FARGATE\", \"FARGATE_SPOT\"]")],
        &["PutClusterCapacityProviders"],
    );
    let cluster = life.object("cluster.main").arn;
    life.drifts(&format!("update {provider}"), async |aws| {
        let call = aws.ecs.put_cluster_capacity_providers().cluster(&cluster);
        let call = call.capacity_providers("FARGATE").capacity_providers("FARGATE_SPOT");
        let call = call.set_default_capacity_provider_strategy(Some(Vec::new()));
        call.send().await.expect("a change");
    });
    life.ends();
}

/// B28: with tasks running, and instances that are protected, all goes in one pass and in order.
#[test]
fn b28_instances_go_in_one_pass() {
    let life = Life::begin(&format!("{CAPACITY}{SERVICES}"));
    let running =
        |kind: &str| life.session.objects().iter().filter(|object| object.kind == kind).count();
    assert!(running("container-instance") >= 2, "{:#?}", life.session.objects());
    assert_eq!(running("task"), 3 + running("container-instance"), "a daemon on each instance");
    life.changes(
        "service.web",
        &[("desired-count = 3\n", "desired-count = 3\nplacement-constraints = [{ type = \"memberOf\", expression = \"attribute:ecs.instance-type == t3.medium\" }]\n")],
        &["UpdateService"],
    );
    let session = life.ends();
    let calls = session.calls();
    let order = [
        "DeleteService",
        "PutClusterCapacityProviders",
        "DeleteCapacityProvider",
        "DeleteAutoScalingGroup",
        "DeleteLaunchTemplate",
    ];
    let places = order.map(|operation| calls.position(operation).expect("the call is made"));
    assert!(places.is_sorted(), "{calls:?}");
    assert!(
        calls.position("DeleteAutoScalingGroup") < calls.position("DeleteCluster"),
        "{calls:?}"
    );
}

/// A service moves from Fargate to instances and back, and its tasks with it.
#[test]
fn a_service_moves_to_instances() {
    let head = HEAD.replace("life", "moves");
    let session = Session::with(&format!(
        "{head}\n[capacity.own]\ntype = \"ec2\"\ninstances = [\"t3.medium\"]\n\n\
         [service.web]\nimage = \"httpd:2.4\"\nport = 80\n"
    ));
    session.run(&["apply", "--yes"]).exits(0);
    let instances = || session.objects().iter().filter(|it| it.kind == "instance").count();
    assert_eq!(instances(), 0, "nothing asks for an instance");
    session.replace("port = 80\n", "port = 80\ncapacity = \"own\"\n");
    session.run(&["apply", "--yes"]).exits(0);
    assert!(instances() > 0, "{:#?}", session.objects());
    session.run(&["plan", "--detailed-exitcode"]).exits(0);
    session.replace("capacity = \"own\"\n", "");
    session.run(&["apply", "--yes"]).exits(0);
    session.run(&["plan", "--detailed-exitcode"]).exits(0);
    session.run(&["destroy", "--yes"]).exits(0);
    assert!(session.objects().is_empty(), "{:#?}", session.objects());
}

/// A provider stays while a service runs on it, and its group is no other's meanwhile: another name, or another
/// table of the spec, brings another group along. The service moves over in place.
#[test]
fn a_provider_in_use_is_renamed() {
    let life = Life::begin(&format!("{CAPACITY}{SERVICES}"));
    let service = life.object("service.web").arn;
    let order = [
        "CreateAutoScalingGroup",
        "CreateCapacityProvider",
        "UpdateService",
        "DeleteCapacityProvider",
        "DeleteAutoScalingGroup",
    ];
    let provider = "capacity-provider.general";
    let old = "managed-termination-protection = true";
    life.edit(&[(old, &format!("{old}\nname = \"renamed\""))]);
    let group = "auto-scaling-group.general";
    let planned = life.planned();
    for step in [format!("replace {group}"), format!("replace {provider}")] {
        assert!(planned.contains(&step), "{planned:?}");
    }
    let moved = |life: &Life| {
        let calls = life.apply();
        let places = order.map(|operation| calls.position(operation).expect("the call is made"));
        assert!(places.is_sorted(), "{calls:?}");
        assert_eq!(life.object("service.web").arn, service, "it is changed in place");
        life.nothing_is_left();
    };
    moved(&life);
    assert_eq!(life.object(provider).id, "renamed");
    life.edit(&[
        ("[aws.capacity-provider.general]", "[aws.capacity-provider.other]"),
        ("${capacity-provider.general.name}", "${capacity-provider.other.name}"),
        ("\nname = \"renamed\"", ""),
    ]);
    moved(&life);
    life.ends();
}

/// A service moves from one capacity to another, and the first goes in the same run; or a capacity gets another
/// name.
#[test]
fn a_service_moves_between_capacities() {
    let life = Life::begin(
        "\n[capacity.a]\ntype = \"ec2\"\ninstances = [\"t3.medium\"]\n\n\
         [capacity.b]\ntype = \"ec2\"\ninstances = [\"t3.large\"]\n\n\
         [service.web]\nimage = \"httpd:2.4\"\nport = 80\ncapacity = \"a\"\n",
    );
    let service = life.object("service.web").arn;
    let goes = |edits: &[(&str, &str)], order: &[&str]| {
        life.edit(edits);
        let calls = life.apply();
        let places = order.iter().map(|it| calls.position(it).expect("the call is made"));
        assert!(places.is_sorted(), "{calls:?}");
        assert_eq!(life.object("service.web").arn, service, "it is changed in place");
        life.nothing_is_left();
    };
    goes(&[("capacity = \"a\"", "capacity = \"b\"")], &["UpdateService"]);
    let first = "\n[capacity.a]\ntype = \"ec2\"\ninstances = [\"t3.medium\"]\n";
    goes(&[(first, "")], &["DeleteCapacityProvider", "DeleteAutoScalingGroup"]);
    goes(
        &[("[capacity.b]", "[capacity.c]"), ("capacity = \"b\"", "capacity = \"c\"")],
        &["CreateCapacityProvider", "UpdateService", "DeleteCapacityProvider"],
    );
    life.ends();
}

/// A port of the instances is held by one task on each: what holds it goes before its successor comes, or before
/// another that takes it, and the plan says that nothing runs meanwhile.
#[test]
fn a_port_of_the_instances_is_let_go_first() {
    let life = Life::begin(&format!("{CAPACITY}{SERVICES}"));
    let (agent, order) = ("service.agent", ["DeleteService", "CreateService"]);
    let daemon = "launch-type = \"EC2\"\nscheduling-strategy = \"DAEMON\"\n";
    let replica = "desired-count = 1\ncapacity-provider-strategy = [{ capacity-provider = \
                   \"${capacity-provider.general.name}\", weight = 1 }]\n# agent\n";
    life.replaces(agent, &[(daemon, replica)], &order);
    life.edit(&[(replica, daemon)]);
    let told = life.session.run(&["plan"]).exits(0).stdout;
    assert!(told.contains("the old one goes first: none of its tasks runs meanwhile"), "{told}");
    life.edit(&[(daemon, replica)]);
    life.replaces(agent, &[(replica, daemon)], &order);
    life.edit(&[("[aws.service.agent]", "[aws.service.probe]")]);
    let told = life.session.run(&["plan"]).exits(0).stdout;
    assert!(told.contains("when service agent has gone, whose port it takes"), "{told}");
    let calls = life.apply();
    let places = order.map(|operation| calls.position(operation).expect("the call is made"));
    assert!(places.is_sorted(), "{calls:?}");
    life.nothing_is_left();
    life.ends();
}

/// B12: a profile that EC2 does not know yet is waited for.
#[test]
fn b12_a_new_profile_is_waited_for() {
    let life = Life::bare(&format!("{CAPACITY}{SERVICES}"));
    life.session.set(&json!({ "role-visible-after": 1.0, "ec2-visible-after": 0.3 }));
    life.session.run(&["apply", "--yes"]).exits(0);
    assert!(!life.session.calls().refused().is_empty(), "the server did not hide anything");
    life.nothing_is_left();
    life.ends();
}
