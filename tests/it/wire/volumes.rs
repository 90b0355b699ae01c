//! Volumes of tasks: EBS volumes that ECS makes for each of them, EFS, Docker's, paths of the instance.

use std::sync::LazyLock;

use aws_sdk_ecs::types::{ServiceManagedEbsVolumeConfiguration, ServiceVolumeConfiguration};
use serde_json::json;

use super::life::{HEAD, Life, RUNNING};
use crate::harness::Session;

/// One service, each task of which has a disk.
static DISKS: LazyLock<String> = LazyLock::new(|| {
    let plain = "containers.app = { image = \"httpd:2.4\",";
    let mounting = "volumes.data = { configured-at-launch = true }\n\
                    containers.app = { image = \"httpd:2.4\", mount-points = \
                    [{ source-volume = \"data\", container-path = \"/data\" }],";
    assert!(RUNNING.contains(plain));
    let disk = r#"
[aws.service.web.volumes.data]
role-arn = "${role.volumes.arn}"
size-in-gib = 20

[aws.role.volumes]
policies = ["arn:aws:iam::aws:policy/service-role/AmazonECSInfrastructureRolePolicyForVolumes"]
trust = { Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ecs.amazonaws.com" } }] }
"#;
    format!("{}{disk}", RUNNING.replace(plain, mounting))
});

fn disks(session: &Session) -> usize {
    session.objects().iter().filter(|object| object.kind == "volume").count()
}

#[test]
fn a_disk_for_each_task() {
    let life = Life::begin(&DISKS);
    assert_eq!(disks(&life.session), 1);
    let service = "service.web";
    // B1: what a disk has anyway may be said.
    life.edit(&[(
        "size-in-gib = 20",
        "size-in-gib = 20\nvolume-type = \"gp3\"\niops = 3000\nthroughput = 125\nfilesystem-type = \"xfs\"",
    )]);
    life.nothing_is_left();
    for (old, new) in [
        ("size-in-gib = 20", "size-in-gib = 30"),
        ("iops = 3000", "iops = 4000"),
        ("throughput = 125", "throughput = 250"),
        ("filesystem-type = \"xfs\"", "filesystem-type = \"ext4\""),
        ("iops = 4000\nthroughput = 250", "encrypted = true"),
        ("\"gp3\"", "\"io2\"\niops = 500"),
        ("encrypted = true", "encrypted = true\nkms-key-id = \"arn:aws:kms:us-east-1:1:key/k\""),
        ("\nkms-key-id = \"arn:aws:kms:us-east-1:1:key/k\"", ""),
        ("encrypted = true", "propagate-tags = \"SERVICE\"\ntags = { team = \"a\" }"),
    ] {
        // A key needs rights that the role does not have, and is only said.
        if new.contains("kms") {
            life.edit(&[(old, new), ("desired-count = 1", "desired-count = 0")]);
            life.apply();
            life.nothing_is_left();
            continue;
        }
        life.changes(service, &[(old, new)], &["UpdateService"]);
        if old.contains("kms") {
            life.changes(
                service,
                &[("desired-count = 0", "desired-count = 1")],
                &["UpdateService"],
            );
        }
    }
    let found = life.session.objects();
    let disk = found.iter().find(|it| it.kind == "volume").expect("a disk");
    assert_eq!(disk.tags.get("team").map(String::as_str), Some("a"));
    assert_eq!(disk.tags.get("ecsctl:stack").map(String::as_str), Some("life"));
    life.ends();
}

/// B6: another disk behind its back is seen, in the deployment, where alone it is told.
#[test]
fn b6_another_disk_is_seen() {
    let life = Life::begin(&DISKS);
    let service = life.object("service.web").arn;
    let role = life.object("role.volumes").arn;
    life.drifts("update service.web", async |aws| {
        let disk = ServiceManagedEbsVolumeConfiguration::builder().role_arn(role).size_in_gib(99);
        let volume = ServiceVolumeConfiguration::builder().name("data");
        let volume = volume.managed_ebs_volume(disk.build().expect("a role")).build();
        let cluster = service.split('/').nth(1).expect("a cluster");
        let call = aws.ecs.update_service().cluster(cluster).service(&service);
        call.volume_configurations(volume.expect("a name")).send().await.expect("a change");
    });
    let output = life.session.run(&[
        "import",
        "service",
        "--cluster",
        "life-default-main",
        "--service",
        "life-default-web",
    ]);
    let told = output.exits(0).stdout;
    assert!(told.contains("volumes.data") && told.contains("size-in-gib"), "{told}");
    // The disk goes from the task definition and the service at once.
    life.edit(&[
        ("volumes.data = { configured-at-launch = true }\n", ""),
        (" mount-points = [{ source-volume = \"data\", container-path = \"/data\" }],", ""),
        ("[aws.service.web.volumes.data]\nrole-arn = \"${role.volumes.arn}\"\nsize-in-gib = 20\n", ""),
    ]);
    let calls = life.apply();
    assert_eq!(calls.count("UpdateService"), 1, "{calls:?}");
    life.nothing_is_left();
    assert_eq!(disks(&life.session), 0);
    life.ends();
}

/// All types in one stack, on Fargate and on instances.
const ALL: &str = r#"
[network]
mode = "public"

[capacity.own]
type      = "ec2"
instances = ["t3.large"]

[service.db]
image = "postgres:17"

[service.db.volume.data]
type       = "ebs"
size       = "20GB"
class      = "io2"
iops       = 1000
filesystem = "ext4"
kms-key    = "arn:aws:kms:us-east-1:123456789012:key/1234abcd"
mount      = "/data"

[service.db.volume.files]
type         = "efs"
id           = "fs-0123456789abcdef0"
access-point = "fsap-0123456789abcdef0"
iam          = true
mount        = "/files"

[service.local]
image        = "acme/local:1"
capacity     = "own"
network-mode = "bridge"
memory       = "128MB"

[service.local.container.proxy]
image = "acme/proxy:1"
size.memory = "64MB"

[service.local.volume.disk]
type  = "ebs"
size  = "10GB"
mount = "/disk"
at    = { proxy = "/srv" }

[service.local.volume.socket]
type     = "bind"
path     = "/var/run/docker.sock"
mount    = "/var/run/docker.sock"
readonly = ["proxy", "local"]

[service.local.volume.cache]
type          = "docker"
scope         = "shared"
autoprovision = true
driver-opts   = { type = "tmpfs", device = "tmpfs" }
labels        = { team = "a" }
mount         = "/cache"
containers    = ["proxy"]
"#;

#[test]
fn volumes_of_all_types_come_and_go() {
    let life = Life::begin(ALL);
    assert_eq!(disks(&life.session), 2, "{:#?}", life.session.objects());
    // Rights come before the tasks that need them.
    life.edit(&[("iam          = true", "iam          = false")]);
    life.apply();
    life.nothing_is_left();
    life.ends();
}

/// The mount targets' group lets in whoever mounts, tasks and instances, before they start, and for as long as they
/// mount.
#[test]
fn mount_targets_let_tasks_in() {
    let key = "security-group = \"${security-group.files.id}\"\n";
    let other = key.replace(" = ", "  = ");
    let both =
        ALL.replace("access-point = \"fsap-", &format!("{key}access-point = \"fsap-")).replace(
            "[service.local.volume.cache]",
            &format!(
                "[service.local.volume.files]\ntype = \"efs\"\nid = \"fs-0123456789abcdef0\"\n\
                 mount = \"/files\"\n{other}\n[service.local.volume.cache]"
            ),
        );
    let files = "\n[aws.security-group.files]\nvpc-id = \"${vpc.main.id}\"\n";
    let life = Life::begin(&format!("{both}{files}"));
    let group = life.object("security-group.files").id;
    let rules = || {
        life.session.behind_its_back(async |aws| {
            let own = aws_sdk_ec2::types::Filter::builder().name("group-id").values(&group).build();
            let found = aws.ec2.describe_security_group_rules().filters(own).send().await;
            let found = found.expect("rules").security_group_rules.unwrap_or_default();
            let lets_in = |rule: &&aws_sdk_ec2::types::SecurityGroupRule| {
                rule.is_egress() == Some(false)
                    && (rule.from_port(), rule.to_port()) == (Some(2049), Some(2049))
                    && rule.referenced_group_info().is_some()
            };
            found.iter().filter(lets_in).count()
        })
    };
    assert_eq!(rules(), 2);
    for (key, left) in [(key, 1), (other.as_str(), 0)] {
        life.edit(&[(key, "")]);
        life.apply();
        life.nothing_is_left();
        assert_eq!(rules(), left);
    }
    life.ends();
}

/// B12: a role that ECS cannot assume yet is waited for.
#[test]
fn b12_a_new_role_for_disks_is_waited_for() {
    let life = Life::bare(&DISKS);
    life.session.set(&json!({ "role-visible-after": 1.0 }));
    life.session.run(&["apply", "--yes"]).exits(0);
    life.nothing_is_left();
    life.ends();
}

/// A task of a service's container would need a disk of its own; where another container has it, it does not.
#[test]
fn a_task_has_no_disk() {
    let spec = |containers: &str| {
        format!(
            "{HEAD}\n[service.db]\nimage = \"postgres:17\"\n\n[service.db.container.dump]\nimage = \"acme/dump:1\"\n\n\
             [service.db.volume.data]\ntype = \"ebs\"\nsize = \"20GB\"\nmount = \"/data\"\n{containers}\n\
             [task.dump]\nfrom = \"db/dump\"\n"
        )
    };
    let session = Session::with(&spec(""));
    session.run(&["check"]).exits(64).says("E0362");
    session.write("ecsctl.toml", &spec("containers = [\"db\"]\n"));
    session.run(&["check"]).exits(0);
}
