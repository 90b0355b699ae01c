//! The task definition in the SDK's types, both ways.
//!
//! What is written and read back is the same again (B1): defaults that the API fills in are the
//! defaults of the fields, and lists whose order it does not keep are sets and maps.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_ecs::client::Client;
use aws_sdk_ecs::operation::register_task_definition::builders::RegisterTaskDefinitionFluentBuilder;
use aws_sdk_ecs::types as sdk;

use super::container::{
    AppProtocol, Capabilities, Container, ContainerCondition, Device, DevicePermission, Firelens,
    HealthCheck, LinuxParameters, LogConfiguration, LogDriver, LogRouter, MountPoint, Port,
    Protocol, ResourceType, RestartPolicy, Tmpfs, Ulimit, UlimitName, VersionConsistency,
    VolumesFrom,
};
use super::{
    Compatibility, CpuArchitecture, DockerVolume, Efs, EphemeralStorage, Fsx, IpcMode, NetworkMode,
    OperatingSystem, PidMode, ProxyConfiguration, RuntimePlatform, S3Files, Switch, TaskDefinition,
    Volume,
};
use crate::cloud::aws::numbers::{int, number};
use crate::kind::{Error, Result};
use crate::kinds::types::cpu_memory::{Cpu, Memory};

/// Why building cannot fail.
pub(super) const SET: &str = "every required member is set";

/// RegisterTaskDefinition, but for the tags.
pub(super) fn call(ecs: &Client, spec: &TaskDefinition) -> RegisterTaskDefinitionFluentBuilder {
    let containers = spec.containers.iter().map(|(name, container)| container.write(name));
    let compatibilities = spec.requires_compatibilities.iter().map(|c| c.word().into());
    let platform = Some(spec.runtime_platform).filter(|p| *p != RuntimePlatform::default());
    let volumes = spec.volumes.iter().map(|(name, volume)| volume.write(name));
    ecs.register_task_definition()
        .family(&spec.name)
        .set_cpu(spec.cpu.map(|cpu| cpu.0.to_string()))
        .set_memory(spec.memory.map(|memory| memory.0.to_string()))
        .set_execution_role_arn(spec.execution_role_arn.clone())
        .set_task_role_arn(spec.task_role_arn.clone())
        .set_network_mode(spec.spoken_mode().map(|mode| mode.word().into()))
        .set_requires_compatibilities(some(compatibilities))
        .set_runtime_platform(platform.map(|platform| {
            sdk::RuntimePlatform::builder()
                .cpu_architecture(platform.cpu_architecture.word().into())
                .operating_system_family(platform.operating_system_family.word().into())
                .build()
        }))
        .set_ephemeral_storage(spec.ephemeral_storage.map(|storage| {
            sdk::EphemeralStorage::builder().size_in_gib(int(storage.size_in_gib)).build()
        }))
        .set_volumes(some(volumes))
        .set_pid_mode(spec.pid_mode.map(|mode| mode.word().into()))
        .set_ipc_mode(spec.ipc_mode.map(|mode| mode.word().into()))
        .set_enable_fault_injection(yes(spec.enable_fault_injection))
        .set_placement_constraints(some(spec.placement_constraints.iter().map(constraint)))
        .set_proxy_configuration(spec.proxy_configuration.as_ref().map(ProxyConfiguration::write))
        .set_container_definitions(Some(containers.collect()))
}

impl TaskDefinition {
    /// What a revision is like.
    pub(super) fn read(found: &sdk::TaskDefinition) -> Result<Self> {
        let compatibilities = found.requires_compatibilities().iter();
        let containers = found.container_definitions().iter().map(|container| {
            Ok((container.name().unwrap_or_default().to_owned(), Container::read(container)?))
        });
        let volumes = found.volumes().iter().map(|volume| {
            Ok((volume.name().unwrap_or_default().to_owned(), Volume::read(volume)?))
        });
        let parsed = |text: Option<&str>| text.and_then(|text| text.parse().ok());
        let read = Self {
            name: found.family().unwrap_or_default().to_owned(),
            cpu: parsed(found.cpu()).map(Cpu),
            memory: parsed(found.memory()).map(Memory),
            execution_role_arn: found.execution_role_arn().map(str::to_owned),
            task_role_arn: found.task_role_arn().map(str::to_owned),
            // Left out, it is Docker's bridge.
            network_mode: found
                .network_mode()
                .map_or(Ok(NetworkMode::Bridge), |mode| NetworkMode::read(mode.as_str()))?,
            requires_compatibilities: compatibilities
                .map(|compatibility| Compatibility::read(compatibility.as_str()))
                .collect::<Result<_>>()?,
            runtime_platform: RuntimePlatform::read(found.runtime_platform())?,
            ephemeral_storage: found
                .ephemeral_storage()
                .map(|storage| EphemeralStorage { size_in_gib: number(storage.size_in_gib()) }),
            volumes: volumes.collect::<Result<_>>()?,
            pid_mode: found.pid_mode().map(|mode| PidMode::read(mode.as_str())).transpose()?,
            ipc_mode: found.ipc_mode().map(|mode| IpcMode::read(mode.as_str())).transpose()?,
            enable_fault_injection: found.enable_fault_injection().unwrap_or(false),
            placement_constraints: found
                .placement_constraints()
                .iter()
                .filter_map(|constraint| constraint.expression().map(str::to_owned))
                .collect(),
            proxy_configuration: found.proxy_configuration().map(ProxyConfiguration::read),
            containers: containers.collect::<Result<_>>()?,
        };
        Ok(read.canonical())
    }
}

impl ProxyConfiguration {
    fn write(&self) -> sdk::ProxyConfiguration {
        sdk::ProxyConfiguration::builder()
            .r#type(sdk::ProxyConfigurationType::Appmesh)
            .container_name(&self.container_name)
            .set_properties(some(self.properties.iter().map(variable)))
            .build()
            .expect(SET)
    }

    fn read(found: &sdk::ProxyConfiguration) -> Self {
        Self {
            container_name: found.container_name().to_owned(),
            properties: found.properties().iter().filter_map(read_variable).collect(),
        }
    }
}

impl RuntimePlatform {
    fn read(found: Option<&sdk::RuntimePlatform>) -> Result<Self> {
        let usual = Self::default();
        let architecture = found.and_then(sdk::RuntimePlatform::cpu_architecture);
        let system = found.and_then(sdk::RuntimePlatform::operating_system_family);
        Ok(Self {
            cpu_architecture: architecture
                .map_or(Ok(usual.cpu_architecture), |word| CpuArchitecture::read(word.as_str()))?,
            operating_system_family: system.map_or(Ok(usual.operating_system_family), |word| {
                OperatingSystem::read(word.as_str())
            })?,
        })
    }
}

impl Volume {
    fn write(&self, name: &str) -> sdk::Volume {
        let Self { efs, host_path, docker, fsx, s3_files, configured_at_launch } = self;
        let host = host_path
            .as_ref()
            .map(|path| sdk::HostVolumeProperties::builder().source_path(path).build());
        sdk::Volume::builder()
            .name(name)
            .set_host(host)
            .set_efs_volume_configuration(efs.as_ref().map(Efs::write))
            .set_docker_volume_configuration(docker.as_ref().map(DockerVolume::write))
            .set_fsx_windows_file_server_volume_configuration(fsx.as_ref().map(Fsx::write))
            .set_s3files_volume_configuration(s3_files.as_ref().map(S3Files::write))
            .set_configured_at_launch(yes(*configured_at_launch))
            .build()
    }

    fn read(found: &sdk::Volume) -> Result<Self> {
        let host_path = found.host().and_then(|host| host.source_path());
        Ok(Self {
            efs: found.efs_volume_configuration().map(Efs::read).transpose()?,
            host_path: host_path.filter(|path| !path.is_empty()).map(str::to_owned),
            docker: found.docker_volume_configuration().map(DockerVolume::read).transpose()?,
            fsx: found.fsx_windows_file_server_volume_configuration().map(Fsx::read),
            s3_files: found.s3files_volume_configuration().map(S3Files::read),
            configured_at_launch: found.configured_at_launch().unwrap_or(false),
        })
    }
}

impl Efs {
    fn write(&self) -> sdk::EfsVolumeConfiguration {
        let authorised = self.access_point_id.is_some() || self.iam == Switch::Enabled;
        let authorisation = authorised.then(|| {
            sdk::EfsAuthorizationConfig::builder()
                .set_access_point_id(self.access_point_id.clone())
                .iam(self.iam.word().into())
                .build()
        });
        sdk::EfsVolumeConfiguration::builder()
            .file_system_id(&self.file_system_id)
            .root_directory(&self.root_directory)
            .transit_encryption(self.transit_encryption.word().into())
            .set_transit_encryption_port(self.transit_encryption_port.map(i32::from))
            .set_authorization_config(authorisation)
            .build()
            .expect(SET)
    }

    fn read(found: &sdk::EfsVolumeConfiguration) -> Result<Self> {
        let switch = |word: Option<&str>| word.map_or(Ok(Switch::Disabled), Switch::read);
        let authorisation = found.authorization_config();
        let root = found.root_directory().filter(|path| !path.is_empty());
        Ok(Self {
            file_system_id: found.file_system_id().to_owned(),
            root_directory: root.unwrap_or("/").to_owned(),
            transit_encryption: switch(found.transit_encryption().map(|word| word.as_str()))?,
            transit_encryption_port: found
                .transit_encryption_port()
                .and_then(|port| u16::try_from(port).ok())
                .filter(|port| *port != 0),
            access_point_id: authorisation.and_then(|a| a.access_point_id()).map(str::to_owned),
            iam: switch(authorisation.and_then(|a| a.iam()).map(|word| word.as_str()))?,
        })
    }
}

impl Container {
    fn write(&self, name: &str) -> sdk::ContainerDefinition {
        let basics = sdk::ContainerDefinition::builder()
            .name(name)
            .image(&self.image)
            .cpu(int(self.cpu.0))
            .set_memory(self.memory.map(|memory| int(memory.0)))
            .set_memory_reservation(self.memory_reservation.map(|memory| int(memory.0)))
            .essential(self.essential)
            .set_entry_point(some(self.entry_point.iter().cloned()))
            .set_command(some(self.command.iter().cloned()))
            .set_working_directory(self.working_directory.clone())
            .set_user(self.user.clone())
            .set_start_timeout(self.start_timeout.map(int))
            .set_stop_timeout(self.stop_timeout.map(int))
            .set_readonly_root_filesystem(yes(self.readonly_root_filesystem))
            .set_interactive(yes(self.interactive))
            .set_pseudo_terminal(yes(self.pseudo_terminal))
            .set_privileged(yes(self.privileged))
            .set_hostname(self.hostname.clone())
            .set_disable_networking(yes(self.disable_networking))
            .set_links(some(self.links.iter().cloned()))
            .set_dns_servers(some(self.dns_servers.iter().cloned()))
            .set_dns_search_domains(some(self.dns_search_domains.iter().cloned()))
            .set_docker_security_options(some(self.docker_security_options.iter().cloned()))
            .set_credential_specs(some(self.credential_specs.iter().cloned()))
            .set_docker_labels(hash(&self.docker_labels))
            .set_version_consistency(
                // The default needs no word, and older partitions do not know the member.
                (self.version_consistency == VersionConsistency::Disabled)
                    .then_some(sdk::VersionConsistency::Disabled),
            );
        self.write_parts(basics).build()
    }

    /// The members that are more than text, numbers and switches.
    fn write_parts(
        &self,
        definition: sdk::builders::ContainerDefinitionBuilder,
    ) -> sdk::builders::ContainerDefinitionBuilder {
        let linux = Some(&self.linux_parameters).filter(|l| **l != LinuxParameters::default());
        definition
            .set_repository_credentials(self.repository_credentials.as_ref().map(credentials))
            .set_restart_policy(self.restart_policy.as_ref().map(RestartPolicy::write))
            .set_port_mappings(some(self.ports.iter().map(Port::write)))
            .set_environment(some(self.environment.iter().map(variable)))
            .set_environment_files(some(self.environment_files.iter().map(environment_file)))
            .set_secrets(some(self.secrets.iter().map(secret)))
            .set_depends_on(some(self.depends_on.iter().map(dependency)))
            .set_health_check(self.health_check.as_ref().map(HealthCheck::write))
            .set_mount_points(some(self.mount_points.iter().map(MountPoint::write)))
            .set_volumes_from(some(self.volumes_from.iter().map(VolumesFrom::write)))
            .set_log_configuration(self.log_configuration.as_ref().map(LogConfiguration::write))
            .set_firelens_configuration(self.firelens.as_ref().map(Firelens::write))
            .set_linux_parameters(linux.map(LinuxParameters::write))
            .set_ulimits(some(self.ulimits.iter().map(ulimit)))
            .set_system_controls(some(self.system_controls.iter().map(control)))
            .set_resource_requirements(some(self.resource_requirements.iter().map(requirement)))
            .set_extra_hosts(some(self.extra_hosts.iter().map(host)))
    }

    fn read(found: &sdk::ContainerDefinition) -> Result<Self> {
        let text = |text: Option<&str>| text.map(str::to_owned);
        let consistency = found.version_consistency();
        let restart = found.restart_policy().filter(|policy| policy.enabled());
        let linux = found.linux_parameters().map(LinuxParameters::read).transpose()?;
        Ok(Self {
            image: found.image().unwrap_or_default().to_owned(),
            repository_credentials: found
                .repository_credentials()
                .map(|credentials| credentials.credentials_parameter().to_owned()),
            cpu: Cpu(number(found.cpu())),
            memory: found.memory().map(|memory| Memory(number(memory))),
            memory_reservation: found.memory_reservation().map(|memory| Memory(number(memory))),
            essential: found.essential().unwrap_or(true),
            restart_policy: restart.map(RestartPolicy::read),
            ports: found.port_mappings().iter().map(Port::read).collect::<Result<_>>()?,
            entry_point: found.entry_point().to_vec(),
            command: found.command().to_vec(),
            working_directory: text(found.working_directory()),
            user: text(found.user()),
            environment: found.environment().iter().filter_map(read_variable).collect(),
            environment_files: found
                .environment_files()
                .iter()
                .map(|file| file.value().to_owned())
                .collect(),
            secrets: secrets(found.secrets()),
            depends_on: found.depends_on().iter().map(read_dependency).collect::<Result<_>>()?,
            start_timeout: found.start_timeout().map(number),
            stop_timeout: found.stop_timeout().map(number),
            health_check: found.health_check().map(HealthCheck::read),
            mount_points: found.mount_points().iter().map(MountPoint::read).collect(),
            volumes_from: found.volumes_from().iter().map(VolumesFrom::read).collect(),
            log_configuration: found.log_configuration().map(LogConfiguration::read).transpose()?,
            firelens: found.firelens_configuration().map(Firelens::read).transpose()?,
            linux_parameters: linux.unwrap_or_default(),
            ulimits: found.ulimits().iter().map(read_ulimit).collect::<Result<_>>()?,
            system_controls: found.system_controls().iter().filter_map(read_control).collect(),
            readonly_root_filesystem: found.readonly_root_filesystem().unwrap_or(false),
            docker_labels: sorted(found.docker_labels()),
            version_consistency: consistency.map_or(Ok(VersionConsistency::Enabled), |word| {
                VersionConsistency::read(word.as_str())
            })?,
            interactive: found.interactive().unwrap_or(false),
            pseudo_terminal: found.pseudo_terminal().unwrap_or(false),
            resource_requirements: found
                .resource_requirements()
                .iter()
                .map(read_requirement)
                .collect::<Result<_>>()?,
            privileged: found.privileged().unwrap_or(false),
            hostname: text(found.hostname()),
            disable_networking: found.disable_networking().unwrap_or(false),
            links: found.links().iter().cloned().collect(),
            dns_servers: found.dns_servers().to_vec(),
            dns_search_domains: found.dns_search_domains().to_vec(),
            extra_hosts: found.extra_hosts().iter().map(read_host).collect(),
            docker_security_options: found.docker_security_options().iter().cloned().collect(),
            credential_specs: found.credential_specs().to_vec(),
        })
    }
}

impl Port {
    fn write(&self) -> sdk::PortMapping {
        let Self { container_port, container_port_range, host_port, protocol, name, app_protocol } =
            self;
        sdk::PortMapping::builder()
            .set_container_port(container_port.map(i32::from))
            .set_container_port_range(container_port_range.clone())
            .set_host_port(host_port.map(i32::from))
            .protocol(protocol.word().into())
            .set_name(name.clone())
            .set_app_protocol(app_protocol.map(|protocol| protocol.word().into()))
            .build()
    }

    fn read(found: &sdk::PortMapping) -> Result<Self> {
        let port = |port: Option<i32>| port.and_then(|port| u16::try_from(port).ok());
        let protocol = found.protocol();
        let spoken = found.app_protocol();
        let range = found.container_port_range().map(str::to_owned);
        Ok(Self {
            // A range comes back with a port of 0 beside it.
            container_port: port(found.container_port()).filter(|_| range.is_none()),
            container_port_range: range,
            host_port: port(found.host_port()),
            protocol: protocol.map_or(Ok(Protocol::Tcp), |word| Protocol::read(word.as_str()))?,
            name: found.name().map(str::to_owned),
            app_protocol: spoken.map(|word| AppProtocol::read(word.as_str())).transpose()?,
        })
    }
}

impl RestartPolicy {
    fn write(&self) -> sdk::ContainerRestartPolicy {
        let Self { ignored_exit_codes, restart_attempt_period } = self;
        sdk::ContainerRestartPolicy::builder()
            .enabled(true)
            .set_ignored_exit_codes(some(ignored_exit_codes.iter().copied()))
            .restart_attempt_period(int(*restart_attempt_period))
            .build()
            .expect(SET)
    }

    fn read(found: &sdk::ContainerRestartPolicy) -> Self {
        Self {
            ignored_exit_codes: found.ignored_exit_codes().iter().copied().collect(),
            restart_attempt_period: found.restart_attempt_period().map_or(300, number),
        }
    }
}

impl HealthCheck {
    fn write(&self) -> sdk::HealthCheck {
        let Self { command, interval, timeout, retries, start_period } = self;
        let check = sdk::HealthCheck::builder().set_command(Some(command.clone()));
        check
            .interval(int(*interval))
            .timeout(int(*timeout))
            .retries(int(*retries))
            .set_start_period(Some(int(*start_period)).filter(|period| *period != 0))
            .build()
            .expect(SET)
    }

    fn read(found: &sdk::HealthCheck) -> Self {
        Self {
            command: found.command().to_vec(),
            interval: found.interval().map_or(30, number),
            timeout: found.timeout().map_or(5, number),
            retries: found.retries().map_or(3, number),
            start_period: found.start_period().map_or(0, number),
        }
    }
}

impl MountPoint {
    fn write(&self) -> sdk::MountPoint {
        sdk::MountPoint::builder()
            .source_volume(&self.source_volume)
            .container_path(&self.container_path)
            .read_only(self.read_only)
            .build()
    }

    fn read(found: &sdk::MountPoint) -> Self {
        Self {
            source_volume: found.source_volume().unwrap_or_default().to_owned(),
            container_path: found.container_path().unwrap_or_default().to_owned(),
            read_only: found.read_only().unwrap_or(false),
        }
    }
}

impl VolumesFrom {
    fn write(&self) -> sdk::VolumeFrom {
        let from = sdk::VolumeFrom::builder().source_container(&self.source_container);
        from.read_only(self.read_only).build()
    }

    fn read(found: &sdk::VolumeFrom) -> Self {
        Self {
            source_container: found.source_container().unwrap_or_default().to_owned(),
            read_only: found.read_only().unwrap_or(false),
        }
    }
}

impl LogConfiguration {
    /// Also that of a service's proxy.
    pub(in crate::kinds) fn write(&self) -> sdk::LogConfiguration {
        let Self { driver, options, secret_options } = self;
        sdk::LogConfiguration::builder()
            .log_driver(driver.word().into())
            .set_options(hash(options))
            .set_secret_options(some(secret_options.iter().map(secret)))
            .build()
            .expect(SET)
    }

    /// Also that of a service's proxy.
    pub(in crate::kinds) fn read(found: &sdk::LogConfiguration) -> Result<Self> {
        Ok(Self {
            driver: LogDriver::read(found.log_driver().as_str())?,
            options: sorted(found.options()),
            secret_options: secrets(found.secret_options()),
        })
    }
}

impl Firelens {
    fn write(&self) -> sdk::FirelensConfiguration {
        let router = sdk::FirelensConfiguration::builder().r#type(self.router.word().into());
        router.set_options(hash(&self.options)).build().expect(SET)
    }

    fn read(found: &sdk::FirelensConfiguration) -> Result<Self> {
        let router = LogRouter::read(found.r#type().as_str())?;
        Ok(Self { router, options: sorted(found.options()) })
    }
}

impl LinuxParameters {
    fn write(&self) -> sdk::LinuxParameters {
        let capabilities =
            Some(&self.capabilities).filter(|found| **found != Capabilities::default());
        let capabilities = capabilities.map(|capabilities| {
            sdk::KernelCapabilities::builder()
                .set_add(some(capabilities.add.iter().cloned()))
                .set_drop(some(capabilities.drop.iter().cloned()))
                .build()
        });
        let tmpfs = |(path, tmpfs): (&String, &Tmpfs)| {
            let options = some(tmpfs.mount_options.iter().cloned());
            let builder = sdk::Tmpfs::builder().container_path(path).size(int(tmpfs.size));
            builder.set_mount_options(options).build().expect(SET)
        };
        sdk::LinuxParameters::builder()
            .set_init_process_enabled(yes(self.init_process_enabled))
            .set_capabilities(capabilities)
            .set_devices(some(self.devices.iter().map(Device::write)))
            .set_shared_memory_size(self.shared_memory_size.map(int))
            .set_tmpfs(some(self.tmpfs.iter().map(tmpfs)))
            .set_max_swap(self.max_swap.map(int))
            .set_swappiness(self.swappiness.map(int))
            .build()
    }

    fn read(found: &sdk::LinuxParameters) -> Result<Self> {
        let set = |list: &[String]| list.iter().cloned().collect();
        let tmpfs = |tmpfs: &sdk::Tmpfs| {
            let mount_options = set(tmpfs.mount_options());
            (tmpfs.container_path().to_owned(), Tmpfs { size: number(tmpfs.size()), mount_options })
        };
        let capabilities = found.capabilities();
        Ok(Self {
            init_process_enabled: found.init_process_enabled().unwrap_or(false),
            capabilities: Capabilities {
                add: capabilities.map(|c| set(c.add())).unwrap_or_default(),
                drop: capabilities.map(|c| set(c.drop())).unwrap_or_default(),
            },
            devices: found.devices().iter().map(Device::read).collect::<Result<_>>()?,
            shared_memory_size: found.shared_memory_size().map(number),
            tmpfs: found.tmpfs().iter().map(tmpfs).collect(),
            max_swap: found.max_swap().map(number),
            swappiness: found.swappiness().map(number),
        })
    }
}

impl Device {
    fn write(&self) -> sdk::Device {
        let permissions = self.permissions.iter().map(|permission| permission.word().into());
        sdk::Device::builder()
            .host_path(&self.host_path)
            .set_container_path(self.container_path.clone())
            .set_permissions(some(permissions))
            .build()
            .expect(SET)
    }

    fn read(found: &sdk::Device) -> Result<Self> {
        let permissions = found.permissions().iter();
        Ok(Self {
            host_path: found.host_path().to_owned(),
            container_path: found.container_path().map(str::to_owned),
            permissions: permissions
                .map(|permission| DevicePermission::read(permission.as_str()))
                .collect::<Result<_>>()?,
        })
    }
}

fn credentials(arn: &String) -> sdk::RepositoryCredentials {
    sdk::RepositoryCredentials::builder().credentials_parameter(arn).build().expect(SET)
}

fn variable((name, value): (&String, &String)) -> sdk::KeyValuePair {
    sdk::KeyValuePair::builder().name(name).value(value).build()
}

fn read_variable(pair: &sdk::KeyValuePair) -> Option<(String, String)> {
    Some((pair.name()?.to_owned(), pair.value().unwrap_or_default().to_owned()))
}

fn environment_file(arn: &String) -> sdk::EnvironmentFile {
    let file = sdk::EnvironmentFile::builder().r#type(sdk::EnvironmentFileType::S3);
    file.value(arn).build().expect(SET)
}

fn dependency((name, condition): (&String, &ContainerCondition)) -> sdk::ContainerDependency {
    let dependency = sdk::ContainerDependency::builder().container_name(name);
    dependency.condition(condition.word().into()).build().expect(SET)
}

fn read_dependency(found: &sdk::ContainerDependency) -> Result<(String, ContainerCondition)> {
    let condition = ContainerCondition::read(found.condition().as_str())?;
    Ok((found.container_name().to_owned(), condition))
}

fn ulimit((name, limit): (&UlimitName, &Ulimit)) -> sdk::Ulimit {
    let ulimit = sdk::Ulimit::builder().name(name.word().into());
    ulimit.soft_limit(limit.soft_limit).hard_limit(limit.hard_limit).build().expect(SET)
}

fn read_ulimit(found: &sdk::Ulimit) -> Result<(UlimitName, Ulimit)> {
    let name = UlimitName::read(found.name().as_str())?;
    Ok((name, Ulimit { soft_limit: found.soft_limit(), hard_limit: found.hard_limit() }))
}

fn control((name, value): (&String, &String)) -> sdk::SystemControl {
    sdk::SystemControl::builder().namespace(name).value(value).build()
}

fn read_control(found: &sdk::SystemControl) -> Option<(String, String)> {
    Some((found.namespace()?.to_owned(), found.value().unwrap_or_default().to_owned()))
}

fn requirement((name, value): (&ResourceType, &String)) -> sdk::ResourceRequirement {
    let requirement = sdk::ResourceRequirement::builder().r#type(name.word().into());
    requirement.value(value).build().expect(SET)
}

fn read_requirement(found: &sdk::ResourceRequirement) -> Result<(ResourceType, String)> {
    Ok((ResourceType::read(found.r#type().as_str())?, found.value().to_owned()))
}

fn constraint(expression: &String) -> sdk::TaskDefinitionPlacementConstraint {
    sdk::TaskDefinitionPlacementConstraint::builder()
        .r#type(sdk::TaskDefinitionPlacementConstraintType::MemberOf)
        .expression(expression)
        .build()
}

fn host((name, address): (&String, &String)) -> sdk::HostEntry {
    sdk::HostEntry::builder().hostname(name).ip_address(address).build().expect(SET)
}

fn read_host(found: &sdk::HostEntry) -> (String, String) {
    (found.hostname().to_owned(), found.ip_address().to_owned())
}

/// The revision's ARN.
pub(super) fn arn(found: &sdk::TaskDefinition) -> Result<&str> {
    let arn = found.task_definition_arn();
    arn.ok_or_else(|| Error::incomplete("a task definition's ARN"))
}

fn secret((name, from): (&String, &String)) -> sdk::Secret {
    sdk::Secret::builder().name(name).value_from(from).build().expect(SET)
}

fn secrets(found: &[sdk::Secret]) -> BTreeMap<String, String> {
    let pair = |secret: &sdk::Secret| (secret.name().to_owned(), secret.value_from().to_owned());
    found.iter().map(pair).collect()
}

/// A list, left out when it is empty.
fn some<T>(items: impl Iterator<Item = T>) -> Option<Vec<T>> {
    Some(items.collect::<Vec<_>>()).filter(|items| !items.is_empty())
}

/// A switch, left out when it is off.
pub(super) fn yes(on: bool) -> Option<bool> {
    on.then_some(true)
}

pub(super) fn hash(map: &BTreeMap<String, String>) -> Option<HashMap<String, String>> {
    let pairs = map.iter().map(|(key, value)| (key.clone(), value.clone()));
    Some(pairs.collect::<HashMap<_, _>>()).filter(|map| !map.is_empty())
}

pub(super) fn sorted(map: Option<&HashMap<String, String>>) -> BTreeMap<String, String> {
    let pairs = map.into_iter().flatten();
    pairs.map(|(key, value)| (key.clone(), value.clone())).collect()
}
