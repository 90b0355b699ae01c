//! Volumes that are more than a directory, and the SDK's form of them. Pages
//! "DockerVolumeConfiguration", "FSxWindowsFileServerVolumeConfiguration" and
//! "S3FilesVolumeConfiguration".

use std::collections::BTreeMap;

use aws_sdk_ecs::types as sdk;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::api::{SET, hash, sorted, yes};
use crate::kind::Result;
use crate::kinds::types::words::words;

/// A volume that Docker makes. Not on Fargate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct DockerVolume {
    /// How long it lives: as long as the task, or as long as its instance.
    pub scope: Scope,
    /// Whether it is made where it is not there; for the scope `shared`.
    pub autoprovision: bool,
    /// Docker's driver.
    pub driver: String,
    /// Options of the driver.
    pub driver_opts: BTreeMap<String, String>,
    /// Labels of the volume.
    pub labels: BTreeMap<String, String>,
}

impl Default for DockerVolume {
    fn default() -> Self {
        Self {
            scope: Scope::Task,
            autoprovision: false,
            driver: "local".to_owned(),
            driver_opts: BTreeMap::new(),
            labels: BTreeMap::new(),
        }
    }
}

words! {
    /// How long a Docker volume lives.
    Scope as "a scope of a Docker volume" {
        /// As long as its task.
        Task = "task",
        /// As long as its instance.
        Shared = "shared",
    }
}

/// A file system of FSx for Windows File Server. Not on Fargate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Fsx {
    /// The file system's id.
    pub file_system_id: String,
    /// The directory that becomes the volume's root, such as `share`.
    pub root_directory: String,
    /// The ARN of the secret or parameter with the user and password of the domain.
    pub credentials_parameter: String,
    /// The directory's domain.
    pub domain: String,
}

/// A file system of S3 Files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct S3Files {
    /// The file system's ARN.
    pub file_system_arn: String,
    /// The directory that becomes the volume's root.
    #[serde(default = "super::root")]
    pub root_directory: String,
    /// The port of encrypted traffic; any when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transit_encryption_port: Option<u16>,
    /// An access point's ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_point_arn: Option<String>,
}

impl DockerVolume {
    pub(super) fn write(&self) -> sdk::DockerVolumeConfiguration {
        let Self { scope, autoprovision, driver, driver_opts, labels } = self;
        sdk::DockerVolumeConfiguration::builder()
            .scope(scope.word().into())
            .set_autoprovision(yes(*autoprovision))
            .driver(driver)
            .set_driver_opts(hash(driver_opts))
            .set_labels(hash(labels))
            .build()
    }

    pub(super) fn read(found: &sdk::DockerVolumeConfiguration) -> Result<Self> {
        let usual = Self::default();
        Ok(Self {
            scope: found.scope().map_or(Ok(usual.scope), |word| Scope::read(word.as_str()))?,
            autoprovision: found.autoprovision().unwrap_or(false),
            driver: found.driver().map_or(usual.driver, str::to_owned),
            driver_opts: sorted(found.driver_opts()),
            labels: sorted(found.labels()),
        })
    }
}

impl Fsx {
    pub(super) fn write(&self) -> sdk::FSxWindowsFileServerVolumeConfiguration {
        let authorisation = sdk::FSxWindowsFileServerAuthorizationConfig::builder()
            .credentials_parameter(&self.credentials_parameter)
            .domain(&self.domain)
            .build()
            .expect(SET);
        sdk::FSxWindowsFileServerVolumeConfiguration::builder()
            .file_system_id(&self.file_system_id)
            .root_directory(&self.root_directory)
            .authorization_config(authorisation)
            .build()
            .expect(SET)
    }

    pub(super) fn read(found: &sdk::FSxWindowsFileServerVolumeConfiguration) -> Self {
        let authorisation = found.authorization_config();
        let credentials = authorisation.map(|it| it.credentials_parameter().to_owned());
        Self {
            file_system_id: found.file_system_id().to_owned(),
            root_directory: found.root_directory().to_owned(),
            credentials_parameter: credentials.unwrap_or_default(),
            domain: authorisation.map(|it| it.domain().to_owned()).unwrap_or_default(),
        }
    }
}

impl S3Files {
    pub(super) fn write(&self) -> sdk::S3FilesVolumeConfiguration {
        sdk::S3FilesVolumeConfiguration::builder()
            .file_system_arn(&self.file_system_arn)
            .root_directory(&self.root_directory)
            .set_transit_encryption_port(self.transit_encryption_port.map(i32::from))
            .set_access_point_arn(self.access_point_arn.clone())
            .build()
            .expect(SET)
    }

    pub(super) fn read(found: &sdk::S3FilesVolumeConfiguration) -> Self {
        let root = found.root_directory().filter(|path| !path.is_empty());
        let port = found.transit_encryption_port().and_then(|port| u16::try_from(port).ok());
        Self {
            file_system_arn: found.file_system_arn().to_owned(),
            root_directory: root.unwrap_or("/").to_owned(),
            transit_encryption_port: port.filter(|port| *port != 0),
            access_point_arn: found.access_point_arn().map(str::to_owned),
        }
    }
}
