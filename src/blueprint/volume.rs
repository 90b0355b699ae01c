//! `[service.x.volume.y]`: what the containers of a task share and keep. Scratch space, a disk that ECS makes for
//! each task, a file system that is there already, a path of the instance, a volume of its Docker.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::declaration::Declaration;
use super::measure::Gigabytes;
use super::member::Members;
use super::roles::{policy, statement};
use super::service::Service;
use super::sheet::Sheet;
use crate::address::Path;
use crate::diag::Diagnostic;
use crate::kinds::service::volumes::{FileSystem, VolumeType};
use crate::kinds::task_definition::volume::Scope;

/// A volume of a service's tasks.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Volume {
    /// What it is; `"scratch"` when left out.
    #[serde(default, rename = "type")]
    pub kind: VolumeKind,
    /// Where it appears in containers.
    #[schemars(extend("x-format" = "directory"))]
    pub mount: String,
    /// Where it appears in some of them instead, by their names.
    #[serde(default)]
    #[schemars(extend("additionalProperties" = {"type": "string", "x-format": "directory"}))]
    pub at: BTreeMap<String, String>,
    /// The containers it appears in; all of the service's own when left out.
    pub containers: Option<BTreeSet<String>>,
    /// Those of them that can only read it.
    #[serde(default)]
    pub readonly: BTreeSet<String>,
    /// Of `ebs`: how large it is; as large as the snapshot when left out.
    pub size: Option<Gigabytes>,
    /// Of `ebs`: what it is made of; `"gp3"` when left out.
    pub class: Option<VolumeType>,
    /// Of `ebs`: I/O operations a second.
    pub iops: Option<u32>,
    /// Of `ebs`: MiB a second.
    pub throughput: Option<u32>,
    /// Of `ebs`: the id of the snapshot that it begins with.
    pub snapshot: Option<String>,
    /// Of `ebs`: the ARN of the key that it is encrypted with; the account's key for EBS when left out.
    pub kms_key: Option<String>,
    /// Of `ebs`: the file system; `"xfs"` when left out.
    pub filesystem: Option<FileSystem>,
    /// Of `efs`: the file system's id.
    pub id: Option<String>,
    /// Of `efs`: the id of an access point.
    pub access_point: Option<String>,
    /// Of `efs`: the id of its mount targets' security group, which lets the tasks in as long as they mount it.
    /// Left out, somebody else sees to that.
    pub security_group: Option<String>,
    /// Of `efs`: whether the task role decides on access, and is given it; false when left out.
    pub iam: Option<bool>,
    /// Of `efs`: the directory that becomes the volume, `"/"` when left out. Of `bind`: the instance's path.
    #[schemars(extend("x-format" = "directory"))]
    pub path: Option<String>,
    /// Of `docker`: whether it lives as long as its `task`, or is `shared` by all tasks of the instance.
    pub scope: Option<Scope>,
    /// Of `docker`: the driver; `"local"` when left out.
    pub driver: Option<String>,
    /// Of `docker`, shared: whether it is made where it is not there; false when left out.
    pub autoprovision: Option<bool>,
    /// Of `docker`: options of the driver.
    #[serde(default)]
    pub driver_opts: BTreeMap<String, String>,
    /// Of `docker`: labels of the volume.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}

/// What a volume is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum VolumeKind {
    /// An empty directory that lives as long as its task.
    #[default]
    Scratch,
    /// An EBS volume that ECS makes for each task, and that goes with it.
    Ebs,
    /// An EFS file system that is there already.
    Efs,
    /// A path of the instance.
    Bind,
    /// A volume of the instance's Docker.
    Docker,
}

impl VolumeKind {
    /// The word for it.
    fn word(self) -> &'static str {
        match self {
            Self::Scratch => "scratch",
            Self::Ebs => "ebs",
            Self::Efs => "efs",
            Self::Bind => "bind",
            Self::Docker => "docker",
        }
    }
}

/// What ECS needs to make, attach and delete volumes.
const POLICY: &str =
    "arn:${aws.partition}:iam::aws:policy/service-role/AmazonECSInfrastructureRolePolicyForVolumes";

impl Volume {
    /// The keys that only some types have and that are written, with these types.
    fn written(&self) -> impl Iterator<Item = (&'static str, &'static [VolumeKind])> {
        use VolumeKind::{Bind, Docker, Ebs, Efs};
        let keys: [(&str, &[VolumeKind], bool); 17] = [
            ("size", &[Ebs], self.size.is_some()),
            ("class", &[Ebs], self.class.is_some()),
            ("iops", &[Ebs], self.iops.is_some()),
            ("throughput", &[Ebs], self.throughput.is_some()),
            ("snapshot", &[Ebs], self.snapshot.is_some()),
            ("kms-key", &[Ebs], self.kms_key.is_some()),
            ("filesystem", &[Ebs], self.filesystem.is_some()),
            ("id", &[Efs], self.id.is_some()),
            ("access-point", &[Efs], self.access_point.is_some()),
            ("security-group", &[Efs], self.security_group.is_some()),
            ("iam", &[Efs], self.iam.is_some()),
            ("path", &[Efs, Bind], self.path.is_some()),
            ("scope", &[Docker], self.scope.is_some()),
            ("driver", &[Docker], self.driver.is_some()),
            ("autoprovision", &[Docker], self.autoprovision.is_some()),
            ("driver-opts", &[Docker], !self.driver_opts.is_empty()),
            ("labels", &[Docker], !self.labels.is_empty()),
        ];
        keys.into_iter().filter(|(.., written)| *written).map(|(key, kinds, _)| (key, kinds))
    }

    /// E0361: what goes with its type, and what its type cannot do without.
    fn check(&self, keys: &Path, sheet: &mut Sheet) {
        let word = self.kind.word();
        let mut wrong = |place: Path, title: String, hint: &str| {
            sheet.fault(Diagnostic::error("E0361", title).at_key(place, "").hint(hint));
        };
        for (key, kinds) in self.written().filter(|(_, kinds)| !kinds.contains(&self.kind)) {
            let title = format!("a volume of the type `{word}` has no `{key}`");
            let kinds: Vec<&str> = kinds.iter().map(|kind| kind.word()).collect();
            let types = kinds.join("\"` or `type = \"");
            let hint = format!("leave it out, or write `type = \"{types}\"`");
            wrong(keys.join(key), title, &hint);
        }
        if self.kind == VolumeKind::Efs && self.id.is_none() {
            let title = "which file system it is, is not said".to_owned();
            wrong(keys.clone(), title, "add for example `id = \"fs-0123456789abcdef0\"`");
        }
        if self.kind == VolumeKind::Bind && self.path.is_none() {
            let title = "which path of the instance it is, is not said".to_owned();
            wrong(keys.clone(), title, "add for example `path = \"/var/cache\"`");
        }
        let is_group =
            |text: &str| text.starts_with("sg-") || text.starts_with("${security-group.");
        if let Some(group) = self.security_group.as_deref().filter(|group| !is_group(group)) {
            let title = format!("`{group}` is not the id of a security group");
            let hint = "write that of the mount targets, such as `sg-0123456789abcdef0`";
            wrong(keys.join("security-group"), title, hint);
        }
        let is_key = |text: &str| text.starts_with("arn:") || text.contains("${");
        if let Some(key) = self.kms_key.as_deref().filter(|key| !is_key(key)) {
            let title = format!("`{key}` is not the ARN of a key");
            wrong(keys.join("kms-key"), title, "write `arn:aws:kms:REGION:ACCOUNT:key/ID`");
        }
    }

    /// The volume of the task definition, and which keys decide its fields.
    fn definition(&self) -> (Json, &'static [(&'static [&'static str], &'static str)]) {
        match self.kind {
            VolumeKind::Scratch => (json!({}), &[]),
            VolumeKind::Ebs => {
                (json!({ "configured-at-launch": true }), &[(&["configured-at-launch"], "type")])
            }
            VolumeKind::Bind => (json!({ "host-path": self.path }), &[(&["host-path"], "path")]),
            VolumeKind::Efs => {
                let mut efs = json!({ "file-system-id": self.id, "transit-encryption": "ENABLED" });
                set(&mut efs, "root-directory", self.path.as_deref());
                set(&mut efs, "access-point-id", self.access_point.as_deref());
                set(&mut efs, "iam", (self.iam == Some(true)).then_some("ENABLED"));
                let keys: &[(&[&str], &str)] = &[
                    (&["efs", "file-system-id"], "id"),
                    (&["efs", "root-directory"], "path"),
                    (&["efs", "access-point-id"], "access-point"),
                    (&["efs", "iam"], "iam"),
                ];
                (json!({ "efs": efs }), keys)
            }
            VolumeKind::Docker => {
                let mut docker = json!({});
                set(&mut docker, "scope", self.scope.map(Scope::word));
                set(&mut docker, "driver", self.driver.as_deref());
                set(&mut docker, "autoprovision", self.autoprovision);
                let tables = [("driver-opts", &self.driver_opts), ("labels", &self.labels)];
                for (field, table) in tables.into_iter().filter(|(_, table)| !table.is_empty()) {
                    set(&mut docker, field, Some(json!(table)));
                }
                let keys: &[(&[&str], &str)] = &[
                    (&["docker", "scope"], "scope"),
                    (&["docker", "driver"], "driver"),
                    (&["docker", "autoprovision"], "autoprovision"),
                    (&["docker", "driver-opts"], "driver-opts"),
                    (&["docker", "labels"], "labels"),
                ];
                (json!({ "docker": docker }), keys)
            }
        }
    }

    /// What the service says of an EBS volume. It is encrypted, and carries the service's tags.
    fn disk(&self, role: &str) -> Json {
        let mut disk = json!({ "role-arn": role, "encrypted": true, "propagate-tags": "SERVICE" });
        set(&mut disk, "size-in-gib", self.size.map(|size| size.0));
        set(&mut disk, "volume-type", self.class.map(VolumeType::word));
        set(&mut disk, "iops", self.iops);
        set(&mut disk, "throughput", self.throughput);
        set(&mut disk, "snapshot-id", self.snapshot.as_deref());
        set(&mut disk, "kms-key-id", self.kms_key.as_deref());
        set(&mut disk, "filesystem-type", self.filesystem.map(FileSystem::word));
        disk
    }

    /// What the task role may do with an EFS file system that asks it.
    fn access(&self, own: &BTreeSet<String>) -> Option<Json> {
        let id = self.id.as_deref().filter(|_| self.iam == Some(true))?;
        let containers = self.containers.as_ref().unwrap_or(own);
        let mut actions = vec!["elasticfilesystem:ClientMount"];
        if !containers.is_subset(&self.readonly) {
            actions.push("elasticfilesystem:ClientWrite");
        }
        let place = "arn:${aws.partition}:elasticfilesystem:${aws.region}:${aws.account}";
        let mut access = statement(&actions, vec![format!("{place}:file-system/{id}")]);
        if let Some(point) = &self.access_point {
            let point = format!("{place}:access-point/{point}");
            access["Condition"] =
                json!({ "StringEquals": { "elasticfilesystem:AccessPointArn": point } });
        }
        Some(access)
    }
}

fn set(fields: &mut Json, field: &str, value: Option<impl Into<Json>>) {
    if let Some(value) = value {
        fields[field] = value.into();
    }
}

/// What is wrong with the volumes of a service.
pub(super) fn check(section: &Path, service: &Service, members: &Members, sheet: &mut Sheet) {
    for (name, volume) in &service.volume {
        let keys = section.join("volume").join(name);
        volume.check(&keys, sheet);
        let elsewhere: BTreeSet<String> = volume.at.keys().cloned().collect();
        let named = [
            ("containers", volume.containers.as_ref()),
            ("readonly", Some(&volume.readonly)),
            ("at", Some(&elsewhere)),
        ];
        for (key, names) in named {
            let strangers = names.into_iter().flatten().filter(|name| !members.contains_key(*name));
            for stranger in strangers {
                sheet.unknown("container", stranger, keys.join(key), members.keys());
            }
        }
    }
}

/// Lays the volumes into a task definition.
pub(super) fn of_task(mut task: Declaration, section: &Path, service: &Service) -> Declaration {
    if service.volume.is_empty() {
        return task;
    }
    let mut volumes = Map::new();
    for (name, volume) in &service.volume {
        let keys = section.join("volume").join(name);
        let (fields, decided) = volume.definition();
        volumes.insert(name.clone(), fields);
        task = task.decided(["volumes", name], keys.clone());
        for (way, key) in decided {
            let way = ["volumes", name.as_str()].into_iter().chain(way.iter().copied());
            task = task.decided(way, keys.join(*key));
        }
    }
    task.from("volumes", volumes, section.join("volume"))
}

/// Where volumes appear in the container `own` of the service `name`.
pub(super) fn mounts(name: &str, own: &str, service: &Service) -> Vec<Json> {
    let here = service.volume.iter().filter(|(_, volume)| match &volume.containers {
        Some(containers) => containers.contains(own),
        // A container that the spec does not name asked for nothing.
        None => service.container.contains_key(own) || own == name,
    });
    let mount = |(name, volume): (&String, &Volume)| {
        json!({
            "source-volume": name,
            "container-path": volume.at.get(own).unwrap_or(&volume.mount),
            "read-only": volume.readonly.contains(own),
        })
    };
    here.map(mount).collect()
}

/// Which of the volumes ECS makes.
pub(super) fn disks(service: &Service) -> impl Iterator<Item = (&String, &Volume)> {
    service.volume.iter().filter(|(_, volume)| volume.kind == VolumeKind::Ebs)
}

/// Says in the ECS service `name` what the volumes are that ECS makes for its tasks.
pub(super) fn of_service(
    mut ecs: Declaration,
    name: &str,
    section: &Path,
    service: &Service,
) -> Declaration {
    let role = format!("${{role.{name}-volumes.arn}}");
    let mut volumes = Map::new();
    let fields = [
        ("size-in-gib", "size"),
        ("volume-type", "class"),
        ("iops", "iops"),
        ("throughput", "throughput"),
        ("snapshot-id", "snapshot"),
        ("kms-key-id", "kms-key"),
        ("filesystem-type", "filesystem"),
    ];
    for (own, volume) in disks(service) {
        let keys = section.join("volume").join(own);
        volumes.insert(own.clone(), volume.disk(&role));
        ecs = ecs.decided(["volumes", own], keys.clone());
        for (field, key) in fields {
            ecs = ecs.decided(["volumes", own, field], keys.join(key));
        }
    }
    match volumes.is_empty() {
        true => ecs,
        false => ecs.from("volumes", volumes, section.join("volume")),
    }
}

/// The role with which ECS makes, attaches and deletes volumes, if there are any.
pub(super) fn role(name: &str, section: &Path, service: &Service) -> Option<Declaration> {
    disks(service).next()?;
    let trust = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": { "Service": "ecs.amazonaws.com" },
        "Action": "sts:AssumeRole",
    }] });
    let mut role = Declaration::new("role", format!("{name}-volumes"), section)
        .with("description", format!("makes the volumes of {name}"))
        .with("trust", trust)
        .with("policies", json!([POLICY]));
    let keys: BTreeSet<&String> =
        disks(service).filter_map(|(_, disk)| disk.kms_key.as_ref()).collect();
    if !keys.is_empty() {
        // "Customer managed KMS key policy" in the developer guide, under "EBS volumes".
        let read = ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext"];
        let mut grant = statement(&["kms:CreateGrant"], json!(keys));
        grant["Condition"] = json!({ "Bool": { "kms:GrantIsForAWSResource": "true" } });
        let statements = vec![statement(&read, json!(keys)), grant];
        role = role.with("inline", json!({ "keys": policy(statements) }));
    }
    Some(role)
}

/// What the task role may do with the file systems that ask it.
pub(super) fn access(name: &str, service: &Service) -> Option<Json> {
    let own: BTreeSet<String> =
        service.container.keys().cloned().chain([name.to_owned()]).collect();
    let statements: Vec<Json> =
        service.volume.values().filter_map(|volume| volume.access(&own)).collect();
    (!statements.is_empty()).then(|| policy(statements))
}
