//! Instances that ECS manages.

use super::{example, made, policies, show};

#[test]
fn a_capacity_that_ecs_manages() {
    let made = made(&example("batch/ecsctl.toml", None));
    insta::assert_snapshot!(show(&made, "managed-capacity.gpu"), @r#"
    capacity-option = "ON_DEMAND"
    cluster = "${cluster.main.arn}"
    infrastructure-role-arn = "${role.gpu-infrastructure.arn}"
    instance-profile-arn = "${instance-profile.gpu.arn}"
    propagate-tags = true
    requirements.accelerator-count.min = 1
    requirements.accelerator-manufacturers = ["nvidia"]
    requirements.accelerator-types = ["gpu"]
    requirements.memory-mib.min = 16384
    requirements.vcpus.max = 16
    requirements.vcpus.min = 4
    security-groups = ["${security-group.capacity-gpu.id}"]
    storage-size-gib = 80
    subnets = ["${subnet.private-a.id}","${subnet.private-b.id}"]
    capacity-option <- capacity.gpu.spot
    requirements.accelerator-count <- capacity.gpu.need.gpu
    requirements.accelerator-manufacturers <- capacity.gpu.need.gpu
    requirements.accelerator-types <- capacity.gpu.need.gpu
    requirements.memory-mib <- capacity.gpu.need.memory
    requirements.vcpus <- capacity.gpu.need.vcpu
    storage-size-gib <- capacity.gpu.storage
    "#);
    insta::assert_snapshot!(show(&made, "role.gpu-infrastructure"), @r#"
    description = "starts and ends the instances of the capacity gpu"
    inline.pass.Statement = [{"Action":["iam:PassRole"],"Condition":{"StringLike":{"iam:PassedToService":"ec2.*"}},"Effect":"Allow","Resource":["${role.gpu-instances.arn}"]}]
    inline.pass.Version = "2012-10-17"
    policies = ["arn:${aws.partition}:iam::aws:policy/AmazonECSInfrastructureRolePolicyForManagedInstances"]
    trust.Statement = [{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":"ecs.amazonaws.com"}}]
    trust.Version = "2012-10-17"
    "#);
    let task = show(&made, "task-definition.render");
    assert!(task.contains("requires-compatibilities = [\"MANAGED_INSTANCES\"]"), "{task}");
    let service = show(&made, "service.render");
    assert!(service.contains("${managed-capacity.gpu.name}"), "{service}");
    assert!(policies(&made, "gpu-instances").is_empty(), "the managed policy says it all");
}
