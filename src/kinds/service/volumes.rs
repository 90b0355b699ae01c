//! The EBS volumes that ECS makes for the tasks of a service: one for each task, which goes with it. Pages
//! "ServiceManagedEBSVolumeConfiguration" and "EBSTagSpecification".

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use aws_sdk_ecs::types as sdk;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::api::primary;
use super::{LaunchType, PropagateTags, SchedulingStrategy, Service};
use crate::cloud::aws::numbers::{int, number};
use crate::kind::{Check, Error, Result, Unit};
use crate::kinds::types::words::words;

/// An EBS volume that ECS makes for each task. It is sent whole, and so it is owned. `remote` lets the derived
/// reading be followed by [`EbsVolume::canonical`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", remote = "Self")]
#[schemars(extend("x-whole" = true))]
pub struct EbsVolume {
    /// The ARN of the role with which ECS makes, attaches and deletes the volumes.
    #[schemars(extend("examples" = ["${role.cache-volumes.arn}"]))]
    pub role_arn: String,
    /// GiB; the snapshot's when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_in_gib: Option<u32>,
    /// What it is made of.
    #[serde(default = "gp3")]
    pub volume_type: VolumeType,
    /// I/O operations a second; must be said of `io1` and `io2`, and 3000 for `gp3` when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iops: Option<u32>,
    /// MiB a second, of `gp3` only, for which it is 125 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throughput: Option<u32>,
    /// The snapshot that it begins with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot_id: Option<String>,
    /// MiB a second at which it is filled from the snapshot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume_initialization_rate: Option<u32>,
    /// Whether it is encrypted; where the account encrypts all volumes, it is all the same.
    #[serde(default)]
    pub encrypted: bool,
    /// The key that it is encrypted with; the account's key for EBS when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kms_key_id: Option<String>,
    /// The file system; of a volume from a snapshot, that which it has.
    #[serde(default = "xfs")]
    pub filesystem_type: FileSystem,
    /// Tags of the volumes.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// Whose tags they get besides.
    #[serde(default = "super::nobodys")]
    pub propagate_tags: PropagateTags,
}

fn gp3() -> VolumeType {
    VolumeType::Gp3
}

fn xfs() -> FileSystem {
    FileSystem::Xfs
}

words! {
    /// What a volume is made of.
    VolumeType as "a type of volume" {
        /// SSD.
        Gp2 = "gp2",
        /// SSD whose speed is set apart from its size.
        Gp3 = "gp3",
        /// SSD with a speed of its own.
        Io1 = "io1",
        /// The same, faster and more durable.
        Io2 = "io2",
        /// Magnetic, for streams.
        St1 = "st1",
        /// Magnetic, for what is read seldom.
        Sc1 = "sc1",
        /// Magnetic, of the first generation. Not on Fargate.
        Standard = "standard",
    }
}

words! {
    /// A file system.
    FileSystem as "a file system" {
        /// ext3.
        Ext3 = "ext3",
        /// ext4.
        Ext4 = "ext4",
        /// XFS.
        Xfs = "xfs",
        /// NTFS, on Windows.
        Ntfs = "ntfs",
    }
}

/// What `gp3` has when nothing is said.
const GP3: (u32, u32) = (3_000, 125);
/// The keys of tags that are ECS's own.
const RESERVED: [&str; 2] = ["AmazonECSCreated", "AmazonECSManaged"];

impl VolumeType {
    /// How large a volume can be, in GiB.
    fn sizes(self) -> RangeInclusive<u32> {
        match self {
            Self::Gp2 | Self::Gp3 => 1..=16_384,
            Self::Io1 | Self::Io2 => 4..=16_384,
            Self::St1 | Self::Sc1 => 125..=16_384,
            Self::Standard => 1..=1_024,
        }
    }

    /// How fast a volume can be made, in operations a second; `None` where its size says it.
    fn speeds(self) -> Option<RangeInclusive<u32>> {
        match self {
            Self::Gp3 => Some(3_000..=16_000),
            Self::Io1 => Some(100..=64_000),
            Self::Io2 => Some(100..=256_000),
            Self::Gp2 | Self::St1 | Self::Sc1 | Self::Standard => None,
        }
    }
}

/// The volumes as CreateService and UpdateService take them.
pub(super) fn items(volumes: &BTreeMap<String, EbsVolume>) -> Vec<sdk::ServiceVolumeConfiguration> {
    let one = |(name, volume): (&String, &EbsVolume)| {
        sdk::ServiceVolumeConfiguration::builder()
            .name(name)
            .managed_ebs_volume(volume.write())
            .build()
            .expect("the name is set")
    };
    volumes.iter().map(one).collect()
}

/// A service tells of its volumes in its deployments only.
pub(super) fn read(found: &sdk::Service) -> Result<BTreeMap<String, EbsVolume>> {
    let deployments = primary(found).map(sdk::Deployment::volume_configurations);
    let one = |volume: &sdk::ServiceVolumeConfiguration| {
        let ebs = volume.managed_ebs_volume().ok_or_else(|| Error::incomplete("an EBS volume"))?;
        Ok((volume.name().to_owned(), EbsVolume::read(ebs)?))
    };
    deployments.unwrap_or_default().iter().map(one).collect()
}

/// E0360: what EBS and ECS have, and how it goes together.
pub(super) fn check(spec: &Service, check: &mut Check<'_>) {
    for (name, volume) in &spec.volumes {
        let at = format!("volumes.{name}");
        volume.check(&at, check);
        let mut wrong = |field: &str, title: &str, hint: &str| {
            check.error_with("E0360", field, title, hint);
        };
        if spec.scheduling_strategy == SchedulingStrategy::Daemon {
            let title = "ECS makes no volumes for the tasks of a daemon";
            wrong(&at, title, "let it write to a path of its instance");
        }
        if spec.launch_type == Some(LaunchType::External) {
            let title = "ECS makes no volumes for machines outside AWS";
            wrong(&at, title, "let the tasks write to a path of their machine");
        }
        if spec.is_fargate() && volume.volume_type == VolumeType::Standard {
            let title = "Fargate has no volumes of the type `standard`";
            wrong(&format!("{at}.volume-type"), title, "write `gp3`");
        }
        if spec.is_fargate() && spec.is_before_volumes() {
            let title = "Fargate attaches volumes from platform version 1.4.0 on";
            wrong("platform-version", title, "leave `platform-version` out");
        }
    }
}

impl Service {
    /// Whether the platform is older than EBS and EFS on Fargate.
    fn is_before_volumes(&self) -> bool {
        matches!(self.platform_version.as_str(), "1.0.0" | "1.1.0" | "1.2.0" | "1.3.0")
    }
}

impl EbsVolume {
    fn check(&self, at: &str, check: &mut Check<'_>) {
        let word = self.volume_type.word();
        let field = |name: &str| format!("{at}.{name}");
        if self.size_in_gib.is_none() && self.snapshot_id.is_none() {
            let title = "a volume has a size, or begins with a snapshot";
            check.error_with("E0360", at, title, "say how large it is, such as 20 GB");
        }
        let size = (self.size_in_gib, Unit::Times);
        check.within("E0360", &field("size-in-gib"), size, self.volume_type.sizes());
        match (self.iops, self.volume_type.speeds()) {
            (iops, Some(legal)) => {
                check.within("E0360", &field("iops"), (iops, Unit::Times), legal);
                let must = matches!(self.volume_type, VolumeType::Io1 | VolumeType::Io2);
                if must && iops.is_none() {
                    let title = format!("how fast a volume of the type `{word}` is, must be said");
                    check.error_with("E0360", at, title, "add `iops`, or leave the type out");
                }
            }
            (Some(_), None) => {
                let title = format!("how fast a volume of the type `{word}` is, its size says");
                check.error_with("E0360", &field("iops"), title, "leave `iops` out");
            }
            (None, None) => {}
        }
        let throughput = (self.throughput, Unit::Times);
        check.within("E0360", &field("throughput"), throughput, GP3.1..=1_000);
        let rules = [
            (
                "throughput",
                self.throughput.is_some() && self.volume_type != VolumeType::Gp3,
                "only volumes of the type `gp3` have a `throughput`",
            ),
            (
                "volume-initialization-rate",
                self.volume_initialization_rate.is_some() && self.snapshot_id.is_none(),
                "only what begins with a snapshot is filled from one",
            ),
            (
                "kms-key-id",
                self.kms_key_id.is_some() && !self.encrypted,
                "a key encrypts nothing unless the volume is `encrypted`",
            ),
            (
                "tags",
                RESERVED.iter().any(|key| self.tags.contains_key(*key)),
                "`AmazonECSCreated` and `AmazonECSManaged` are ECS's own tags",
            ),
        ];
        for (name, _, title) in rules.into_iter().filter(|(_, broken, _)| *broken) {
            check.error("E0360", &field(name), title);
        }
    }

    /// The one form of many that mean the same (B1): what `gp3` has anyway is not said.
    fn canonical(mut self) -> Self {
        if self.volume_type == VolumeType::Gp3 {
            self.iops = self.iops.filter(|iops| *iops != GP3.0);
            self.throughput = self.throughput.filter(|rate| *rate != GP3.1);
        }
        self
    }

    fn write(&self) -> sdk::ServiceManagedEbsVolumeConfiguration {
        let Self {
            role_arn,
            size_in_gib,
            volume_type,
            iops,
            throughput,
            snapshot_id,
            volume_initialization_rate,
            encrypted,
            kms_key_id,
            filesystem_type,
            tags: _,
            propagate_tags: _,
        } = self;
        sdk::ServiceManagedEbsVolumeConfiguration::builder()
            .role_arn(role_arn)
            .set_size_in_gib(size_in_gib.map(int))
            .volume_type(volume_type.word())
            .set_iops(iops.map(int))
            .set_throughput(throughput.map(int))
            .set_snapshot_id(snapshot_id.clone())
            .set_volume_initialization_rate(volume_initialization_rate.map(int))
            .encrypted(*encrypted)
            .set_kms_key_id(kms_key_id.clone())
            .filesystem_type(filesystem_type.word().into())
            .set_tag_specifications(self.tagging().map(|tagging| vec![tagging]))
            .build()
            .expect("the role is set")
    }

    /// Which tags its volumes get; `None` where they get none.
    fn tagging(&self) -> Option<sdk::EbsTagSpecification> {
        if self.tags.is_empty() && self.propagate_tags == PropagateTags::None {
            return None;
        }
        let tag =
            |(key, value): (&String, &String)| sdk::Tag::builder().key(key).value(value).build();
        let tags: Vec<sdk::Tag> = self.tags.iter().map(tag).collect();
        let tagging = sdk::EbsTagSpecification::builder()
            .resource_type(sdk::EbsResourceType::Volume)
            .set_tags(Some(tags).filter(|tags| !tags.is_empty()))
            .propagate_tags(self.propagate_tags.word().into());
        Some(tagging.build().expect("the type is set"))
    }

    fn read(found: &sdk::ServiceManagedEbsVolumeConfiguration) -> Result<Self> {
        let kind = found.volume_type().map_or(Ok(gp3()), VolumeType::read);
        let files = found.filesystem_type().map(|word| FileSystem::read(word.as_str()));
        let tagging = found.tag_specifications().first();
        let tag = |tag: &sdk::Tag| Some((tag.key()?.to_owned(), tag.value()?.to_owned()));
        let propagate = tagging.and_then(sdk::EbsTagSpecification::propagate_tags);
        let volume = Self {
            role_arn: found.role_arn().to_owned(),
            size_in_gib: found.size_in_gib().map(number),
            volume_type: kind?,
            iops: found.iops().map(number),
            throughput: found.throughput().map(number),
            snapshot_id: found.snapshot_id().map(str::to_owned),
            volume_initialization_rate: found.volume_initialization_rate().map(number),
            encrypted: found.encrypted().unwrap_or(false),
            kms_key_id: found.kms_key_id().map(str::to_owned),
            filesystem_type: files.unwrap_or(Ok(FileSystem::Xfs))?,
            tags: tagging.into_iter().flat_map(|it| it.tags()).filter_map(tag).collect(),
            propagate_tags: PropagateTags::read(propagate.map_or("NONE", |word| word.as_str()))?,
        };
        Ok(volume.canonical())
    }
}

impl Serialize for EbsVolume {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for EbsVolume {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::deserialize(deserializer)?.canonical())
    }
}
