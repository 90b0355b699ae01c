//! Volumes: what they come to in the task definition, in the service and in the roles.

use super::{load, made, policies, show};
use crate::blueprint::Declaration;

fn service(volume: &str) -> Vec<Declaration> {
    let text = format!(
        "ecsctl = 1\nstack = \"s\"\n[capacity.own]\ntype = \"ec2\"\ninstances = [\"t3.large\"]\n\
         [service.web]\nimage = \"i\"\n[service.web.container.log]\nimage = \"j\"\n\
         [service.web.volume.data]\nmount = \"/data\"\n{volume}"
    );
    made(&load(&text, None))
}

/// The lines of a declaration that speak of volumes.
fn lines(declarations: &[Declaration], address: &str) -> String {
    let text = show(declarations, address);
    let of_volumes = |line: &&str| ["volume", "mount"].iter().any(|word| line.contains(word));
    text.lines().filter(of_volumes).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_disk_is_what_the_service_says() {
    let made = service(
        "type = \"ebs\"\nsize = \"20GB\"\nclass = \"io2\"\niops = 500\nkms-key = \"arn:aws:kms:r:1:key/k\"\nat = { log = \"/srv\" }\nreadonly = [\"log\"]\n",
    );
    insta::assert_snapshot!(lines(&made, "task-definition.web"), @r#"
    containers.log.mount-points = [{"container-path":"/srv","read-only":true,"source-volume":"data"}]
    containers.web.mount-points = [{"container-path":"/data","read-only":false,"source-volume":"data"}]
    volumes.data.configured-at-launch = true
    containers.log.mount-points <- service.web.volume
    containers.web.mount-points <- service.web.volume
    volumes <- service.web.volume
    volumes.data <- service.web.volume.data
    volumes.data.configured-at-launch <- service.web.volume.data.type
    "#);
    insta::assert_snapshot!(lines(&made, "service.web"), @r#"
    volumes.data.encrypted = true
    volumes.data.iops = 500
    volumes.data.kms-key-id = "arn:aws:kms:r:1:key/k"
    volumes.data.propagate-tags = "SERVICE"
    volumes.data.role-arn = "${role.web-volumes.arn}"
    volumes.data.size-in-gib = 20
    volumes.data.volume-type = "io2"
    volumes <- service.web.volume
    volumes.data <- service.web.volume.data
    volumes.data.iops <- service.web.volume.data.iops
    volumes.data.kms-key-id <- service.web.volume.data.kms-key
    volumes.data.size-in-gib <- service.web.volume.data.size
    volumes.data.volume-type <- service.web.volume.data.class
    "#);
    insta::assert_snapshot!(show(&made, "role.web-volumes"), @r#"
    description = "makes the volumes of web"
    inline.keys.Statement = [{"Action":["kms:Decrypt","kms:DescribeKey","kms:GenerateDataKeyWithoutPlaintext"],"Effect":"Allow","Resource":["arn:aws:kms:r:1:key/k"]},{"Action":["kms:CreateGrant"],"Condition":{"Bool":{"kms:GrantIsForAWSResource":"true"}},"Effect":"Allow","Resource":["arn:aws:kms:r:1:key/k"]}]
    inline.keys.Version = "2012-10-17"
    policies = ["arn:${aws.partition}:iam::aws:policy/service-role/AmazonECSInfrastructureRolePolicyForVolumes"]
    trust.Statement = [{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":"ecs.amazonaws.com"}}]
    trust.Version = "2012-10-17"
    "#);
}

#[test]
fn a_file_system_asks_the_task_role() {
    let made = service(
        "type = \"efs\"\nid = \"fs-1\"\npath = \"/a\"\niam = true\nreadonly = [\"log\", \"web\"]\n",
    );
    insta::assert_snapshot!(lines(&made, "task-definition.web"), @r#"
    containers.log.mount-points = [{"container-path":"/data","read-only":true,"source-volume":"data"}]
    containers.web.mount-points = [{"container-path":"/data","read-only":true,"source-volume":"data"}]
    volumes.data.efs.file-system-id = "fs-1"
    volumes.data.efs.iam = "ENABLED"
    volumes.data.efs.root-directory = "/a"
    volumes.data.efs.transit-encryption = "ENABLED"
    containers.log.mount-points <- service.web.volume
    containers.web.mount-points <- service.web.volume
    volumes <- service.web.volume
    volumes.data <- service.web.volume.data
    volumes.data.efs.file-system-id <- service.web.volume.data.id
    volumes.data.efs.iam <- service.web.volume.data.iam
    volumes.data.efs.root-directory <- service.web.volume.data.path
    "#);
    insta::assert_snapshot!(policies(&made, "web-task"), @r#"
    inline.exec.Statement = [{"Action":["ssmmessages:CreateControlChannel","ssmmessages:CreateDataChannel","ssmmessages:OpenControlChannel","ssmmessages:OpenDataChannel"],"Effect":"Allow","Resource":"*"}]
    inline.exec.Version = "2012-10-17"
    inline.volumes.Statement = [{"Action":["elasticfilesystem:ClientMount"],"Effect":"Allow","Resource":["arn:${aws.partition}:elasticfilesystem:${aws.region}:${aws.account}:file-system/fs-1"]}]
    inline.volumes.Version = "2012-10-17"
    inline.exec <- service.web.exec
    inline.volumes <- service.web.volume
    "#);
    let made = service("type = \"efs\"\nid = \"fs-1\"\naccess-point = \"fsap-1\"\niam = true\n");
    insta::assert_snapshot!(policies(&made, "web-task"), @r#"
    inline.exec.Statement = [{"Action":["ssmmessages:CreateControlChannel","ssmmessages:CreateDataChannel","ssmmessages:OpenControlChannel","ssmmessages:OpenDataChannel"],"Effect":"Allow","Resource":"*"}]
    inline.exec.Version = "2012-10-17"
    inline.volumes.Statement = [{"Action":["elasticfilesystem:ClientMount","elasticfilesystem:ClientWrite"],"Condition":{"StringEquals":{"elasticfilesystem:AccessPointArn":"arn:${aws.partition}:elasticfilesystem:${aws.region}:${aws.account}:access-point/fsap-1"}},"Effect":"Allow","Resource":["arn:${aws.partition}:elasticfilesystem:${aws.region}:${aws.account}:file-system/fs-1"]}]
    inline.volumes.Version = "2012-10-17"
    inline.exec <- service.web.exec
    inline.volumes <- service.web.volume
    "#);
}

#[test]
fn instances_have_volumes_of_their_own() {
    let made = service(
        "type = \"docker\"\nscope = \"shared\"\nautoprovision = true\ndriver-opts = { type = \"nfs\" }\n\
         [service.web.volume.etc]\ntype = \"bind\"\npath = \"/etc\"\nmount = \"/host\"\n\
         [aws.task-definition.web]\nrequires-compatibilities = [\"EC2\"]\n",
    );
    insta::assert_snapshot!(lines(&made, "task-definition.web"), @r#"
    containers.log.mount-points = [{"container-path":"/data","read-only":false,"source-volume":"data"},{"container-path":"/host","read-only":false,"source-volume":"etc"}]
    containers.web.mount-points = [{"container-path":"/data","read-only":false,"source-volume":"data"},{"container-path":"/host","read-only":false,"source-volume":"etc"}]
    volumes.data.docker.autoprovision = true
    volumes.data.docker.driver-opts.type = "nfs"
    volumes.data.docker.scope = "shared"
    volumes.etc.host-path = "/etc"
    containers.log.mount-points <- service.web.volume
    containers.web.mount-points <- service.web.volume
    volumes <- service.web.volume
    volumes.data <- service.web.volume.data
    volumes.data.docker.autoprovision <- service.web.volume.data.autoprovision
    volumes.data.docker.driver-opts <- service.web.volume.data.driver-opts
    volumes.data.docker.scope <- service.web.volume.data.scope
    volumes.etc <- service.web.volume.etc
    volumes.etc.host-path <- service.web.volume.etc.path
    "#);
}

/// The mount targets' group lets in who mounts, tasks or instances, in a rule that goes with them.
#[test]
fn mount_targets_let_tasks_in() {
    let made = service("type = \"efs\"\nid = \"fs-1\"\nsecurity-group = \"sg-1\"\n");
    insta::assert_snapshot!(show(&made, "security-group-rule.sg-1-from-web-tcp-2049"), @r#"
    description = "files for web"
    direction = "ingress"
    from-port = 2049
    protocol = "tcp"
    security-group = "${security-group.web.id}"
    security-group-id = "sg-1"
    to-port = 2049
    security-group-id <- service.web.volume.data.security-group
    "#);
}
