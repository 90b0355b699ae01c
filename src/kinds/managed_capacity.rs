//! `managed-capacity`: instances that ECS itself chooses, starts, looks after and ends, as a cluster's capacity
//! (ECS Managed Instances). It belongs to one cluster for good, and needs no Auto Scaling group.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_ecs::types as sdk;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::capacity_provider::{self, check_name, condition, describe, wait_for};
use super::types::outputs::Named as Outputs;
use super::types::words::words;
use crate::cloud::aws::numbers::{int, number};
use crate::cloud::aws::{Aws, batched, linked, tags};
use crate::kind::{
    About, After, Check, Cx, Error, Forgive as _, Kind, Made, NameStyle, Naming, Observed, Ready,
    Result, Sought, TagChange, Unit,
};

/// Instances that ECS itself starts and ends. Page "CreateManagedInstancesProviderConfiguration".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ManagedCapacity {
    /// Its name: up to 255 letters, digits, `-` and `_`; not beginning with `aws`, `ecs` or `fargate`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(extend("x-replaces" = true))]
    pub name: String,
    /// The ARN of the cluster whose services may use it.
    #[schemars(extend("x-replaces" = true, "x-within" = true))]
    #[schemars(extend("examples" = ["${cluster.main.arn}"]))]
    pub cluster: String,
    /// The ARN of the role with which ECS starts and ends instances.
    #[schemars(extend("examples" = ["${role.gpu-infrastructure.arn}"]))]
    pub infrastructure_role_arn: String,
    /// The ARN of the profile that hands the instances their role.
    #[schemars(extend("examples" = ["${instance-profile.gpu.arn}"]))]
    pub instance_profile_arn: String,
    /// Ids of the subnets that instances are started in.
    pub subnets: BTreeSet<String>,
    /// Ids of the instances' security groups.
    pub security_groups: BTreeSet<String>,
    /// What the instances must be like.
    pub requirements: Requirements,
    /// GiB of the disk that the tasks of an instance share; 80 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_size_gib: Option<u32>,
    /// How often CloudWatch hears of the instances.
    #[serde(default = "basic")]
    pub monitoring: Monitoring,
    /// How the instances are paid.
    #[serde(default = "on_demand")]
    #[schemars(extend("x-replaces" = true))]
    pub capacity_option: CapacityOption,
    /// Whether the instances get its tags.
    #[serde(default)]
    pub propagate_tags: bool,
    /// Seconds for which an instance may have too little to do before it is ended, up to an hour; -1 lets it
    /// stay. Left out, whatever is set stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale_in_after: Option<i32>,
}

/// What instances must be like. It is sent whole, and so it is owned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("x-whole" = true))]
pub struct Requirements {
    /// Their vCPUs.
    pub vcpus: Span,
    /// Their MiB of memory.
    pub memory_mib: Span,
    /// Who makes their processors: `intel`, `amd`, `amazon-web-services`.
    #[serde(default)]
    pub cpu_manufacturers: BTreeSet<String>,
    /// What accelerators they have: `gpu`, `fpga`, `inference`.
    #[serde(default)]
    pub accelerator_types: BTreeSet<String>,
    /// Who makes their accelerators: `nvidia`, `amd`, `amazon-web-services`, `xilinx`, `habana`.
    #[serde(default)]
    pub accelerator_manufacturers: BTreeSet<String>,
    /// Which accelerators they are, such as `a10g`.
    #[serde(default)]
    pub accelerator_names: BTreeSet<String>,
    /// How many accelerators they have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accelerator_count: Option<Span>,
    /// The types of instances that there may be, `*` for any text: `m7g.*`; any when left out.
    #[serde(default)]
    pub allowed_instance_types: BTreeSet<String>,
    /// The types of instances that there may not be.
    #[serde(default)]
    pub excluded_instance_types: BTreeSet<String>,
}

/// From how many to how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Span {
    /// The least.
    pub min: u32,
    /// The most; no bound when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
}

fn basic() -> Monitoring {
    Monitoring::Basic
}

fn on_demand() -> CapacityOption {
    CapacityOption::OnDemand
}

words! {
    /// How often CloudWatch hears of instances.
    Monitoring as "a way of monitoring" {
        /// Every five minutes.
        Basic = "BASIC",
        /// Every minute.
        Detailed = "DETAILED",
    }
}

words! {
    /// How instances are paid.
    CapacityOption as "a way to pay for instances" {
        /// As long as they run.
        OnDemand = "ON_DEMAND",
        /// Less, and AWS may take them back.
        Spot = "SPOT",
    }
}

impl Kind for ManagedCapacity {
    const NAME: &'static str = "managed-capacity";
    const ABOUT: About = About {
        seconds: 20,
        // It goes when its instances have.
        deadline: Duration::from_secs(30 * 60),
        exclusive: &["name"],
        // Other capacity providers have the same names in other kinds.
        naming: Some(Naming { max: 255, style: NameStyle::Managed, suffix: true }),
        observed_after: &["cluster"],
        mentioned_as: &["id", "name"],
        ..About::DEFAULT
    };

    type Outputs = Outputs;

    fn check(&self, check: &mut Check<'_>) {
        check_name(&self.name, check);
        if self.subnets.is_empty() {
            check.error("E0363", "subnets", "instances stand in a subnet");
        }
        let needs = &self.requirements;
        let spans = [
            ("vcpus", Some(needs.vcpus)),
            ("memory-mib", Some(needs.memory_mib)),
            ("accelerator-count", needs.accelerator_count),
        ];
        let crossed = |span: &Span| span.max.is_some_and(|max| max < span.min);
        for (field, span) in spans {
            if span.as_ref().is_some_and(crossed) {
                let title = "the most is less than the least";
                check.error("E0363", &format!("requirements.{field}"), title);
            }
        }
        if !needs.allowed_instance_types.is_empty() && !needs.excluded_instance_types.is_empty() {
            let title = "types of instances are either allowed or excluded";
            check.error("E0363", "requirements.excluded-instance-types", title);
        }
        let storage = (self.storage_size_gib, Unit::Times);
        check.within("E0363", "storage-size-gib", storage, 1..=16_384);
        if self.scale_in_after.is_some_and(|seconds| !(-1..=3600).contains(&seconds)) {
            let title = "`scale-in-after` is 0 to 3600 seconds, or -1 for never";
            check.error("E0363", "scale-in-after", title).alone = true;
        }
    }

    async fn observe(aws: &Aws, sought: &Sought<'_>) -> Result<Vec<Observed<Self>>> {
        let owned = aws.owned(sought.stack).await?;
        let arns: Vec<&str> = owned.arns("ecs", "capacity-provider/").collect();
        // What is ours is asked for by its ARN, which needs no cluster, and not by its name as well.
        let is_ours = |name: &String| arns.iter().any(|arn| arn.rsplit('/').next() == Some(name));
        let mut names = sought.names(std::iter::empty());
        names.retain(|name| !is_ours(name));
        names.extend(arns.iter().map(|arn| (*arn).to_owned()));
        let found = batched(&names, 100, |names| describe(aws, names)).await?;
        found.iter().filter_map(|it| observed(it).transpose()).collect()
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        let call = cx.aws.ecs.create_capacity_provider().cluster(&self.cluster);
        let call = call.managed_instances_provider(self.provider());
        let create = capacity_provider::create(call, &self.name, cx);
        let arn = cx.aws.linked(self.roles(), create).await?;
        Ok(Made::new(&arn, Outputs::of(&arn)))
    }

    /// What runs goes on as it is: a change is for instances to come.
    async fn update(&self, _was: &Self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        let call = cx.aws.ecs.update_capacity_provider().name(&self.name).cluster(&self.cluster);
        let sent = call.managed_instances_provider(self.change()).send().await;
        sent.map_err(|error| Error::from(error).while_creating())?;
        Ok(Made::new(cx.id, Outputs::of(cx.id)))
    }

    async fn delete(was: &Self, cx: &Cx<'_>) -> Result<()> {
        let call = cx.aws.ecs.delete_capacity_provider().capacity_provider(cx.id);
        call.cluster(&was.cluster).send().await.map_err(Error::from).absent_is_fine()
    }

    async fn tag(cx: &Cx<'_>, change: &TagChange) -> Result<()> {
        tags::ecs::change(cx.aws, cx.id, change).await
    }

    async fn ready(cx: &Cx<'_>, after: After) -> Result<Ready> {
        let found = describe(cx.aws, &[cx.id.to_owned()]).await?;
        wait_for(after, found.iter().find_map(condition))
    }
}

fn observed(found: &sdk::CapacityProvider) -> Result<Option<Observed<ManagedCapacity>>> {
    let Some(managed) = found.managed_instances_provider() else { return Ok(None) };
    let Some(condition) = condition(found) else { return Ok(None) };
    let arn = found.capacity_provider_arn();
    let arn = arn.ok_or_else(|| Error::incomplete("a capacity provider's ARN"))?;
    Ok(Some(Observed {
        earlier: Vec::new(),
        id: arn.to_owned(),
        live: ManagedCapacity::read(found, managed)?,
        outputs: Outputs::of(arn),
        tags: tags::ecs::read(found.tags()),
        condition,
    }))
}

impl ManagedCapacity {
    /// The service-linked roles with which ECS starts instances.
    fn roles(&self) -> &'static [&'static str] {
        match self.capacity_option {
            CapacityOption::OnDemand => &[linked::ECS, linked::ECS_COMPUTE],
            CapacityOption::Spot => &[linked::ECS, linked::ECS_COMPUTE, linked::SPOT],
        }
    }

    fn network(&self) -> sdk::ManagedInstancesNetworkConfiguration {
        sdk::ManagedInstancesNetworkConfiguration::builder()
            .set_subnets(Some(self.subnets.iter().cloned().collect()))
            .set_security_groups(Some(self.security_groups.iter().cloned().collect()))
            .build()
    }

    fn storage(&self) -> Option<sdk::ManagedInstancesStorageConfiguration> {
        let size = i32::try_from(self.storage_size_gib?).ok()?;
        let storage = sdk::ManagedInstancesStorageConfiguration::builder();
        Some(storage.storage_size_gib(size).build())
    }

    fn propagation(&self) -> sdk::PropagateMiTags {
        match self.propagate_tags {
            true => sdk::PropagateMiTags::CapacityProvider,
            false => sdk::PropagateMiTags::None,
        }
    }

    fn optimization(&self) -> Option<sdk::InfrastructureOptimization> {
        let seconds = self.scale_in_after?;
        Some(sdk::InfrastructureOptimization::builder().scale_in_after(seconds).build())
    }

    fn provider(&self) -> sdk::CreateManagedInstancesProviderConfiguration {
        let template = sdk::InstanceLaunchTemplate::builder()
            .ec2_instance_profile_arn(&self.instance_profile_arn)
            .network_configuration(self.network())
            .set_storage_configuration(self.storage())
            .monitoring(self.monitoring.word().into())
            .capacity_option_type(self.capacity_option.word().into())
            .instance_requirements(self.requirements.write())
            .build()
            .expect("the profile is set");
        sdk::CreateManagedInstancesProviderConfiguration::builder()
            .infrastructure_role_arn(&self.infrastructure_role_arn)
            .instance_launch_template(template)
            .propagate_tags(self.propagation())
            .set_infrastructure_optimization(self.optimization())
            .build()
            .expect("the role is set")
    }

    fn change(&self) -> sdk::UpdateManagedInstancesProviderConfiguration {
        let template = sdk::InstanceLaunchTemplateUpdate::builder()
            .ec2_instance_profile_arn(&self.instance_profile_arn)
            .network_configuration(self.network())
            .set_storage_configuration(self.storage())
            .monitoring(self.monitoring.word().into())
            .instance_requirements(self.requirements.write())
            .build();
        sdk::UpdateManagedInstancesProviderConfiguration::builder()
            .infrastructure_role_arn(&self.infrastructure_role_arn)
            .instance_launch_template(template)
            .propagate_tags(self.propagation())
            .set_infrastructure_optimization(self.optimization())
            .build()
            .expect("the role is set")
    }

    fn read(
        found: &sdk::CapacityProvider,
        managed: &sdk::ManagedInstancesProvider,
    ) -> Result<Self> {
        let template = managed.instance_launch_template();
        let template = template.ok_or_else(|| Error::incomplete("an instance launch template"))?;
        let network = template.network_configuration();
        let storage = template.storage_configuration().and_then(|it| it.storage_size_gib());
        let monitoring = template.monitoring().map_or("BASIC", |word| word.as_str());
        let option = template.capacity_option_type().map_or("ON_DEMAND", |word| word.as_str());
        let needs = template.instance_requirements();
        let needs = needs.ok_or_else(|| Error::incomplete("instance requirements"))?;
        let optimization = managed.infrastructure_optimization();
        let own = |ids: Option<&[String]>| ids.unwrap_or_default().iter().cloned().collect();
        Ok(Self {
            name: found.name().unwrap_or_default().to_owned(),
            cluster: found.cluster().unwrap_or_default().to_owned(),
            infrastructure_role_arn: managed
                .infrastructure_role_arn()
                .unwrap_or_default()
                .to_owned(),
            instance_profile_arn: template.ec2_instance_profile_arn().to_owned(),
            subnets: own(network.map(|network| network.subnets())),
            security_groups: own(network.map(|network| network.security_groups())),
            requirements: Requirements::read(needs)?,
            storage_size_gib: storage.map(number),
            monitoring: Monitoring::read(monitoring)?,
            capacity_option: CapacityOption::read(option)?,
            propagate_tags: managed.propagate_tags()
                == Some(&sdk::PropagateMiTags::CapacityProvider),
            scale_in_after: optimization.and_then(|it| it.scale_in_after()),
        })
    }
}

impl Requirements {
    fn write(&self) -> sdk::InstanceRequirementsRequest {
        let Self {
            vcpus,
            memory_mib,
            cpu_manufacturers,
            accelerator_types,
            accelerator_manufacturers,
            accelerator_names,
            accelerator_count,
            allowed_instance_types,
            excluded_instance_types,
        } = self;
        let memory = sdk::MemoryMiBRequest::builder().min(int(memory_mib.min));
        let cpus = sdk::VCpuCountRangeRequest::builder().min(int(vcpus.min));
        let count = accelerator_count.map(|count| {
            let request = sdk::AcceleratorCountRequest::builder().min(int(count.min));
            request.set_max(count.max.map(int)).build()
        });
        sdk::InstanceRequirementsRequest::builder()
            .v_cpu_count(cpus.set_max(vcpus.max.map(int)).build().expect("the least is set"))
            .memory_mib(memory.set_max(memory_mib.max.map(int)).build().expect("the least is set"))
            .set_cpu_manufacturers(all(cpu_manufacturers))
            .set_accelerator_types(all(accelerator_types))
            .set_accelerator_manufacturers(all(accelerator_manufacturers))
            .set_accelerator_names(all(accelerator_names))
            .set_accelerator_count(count)
            .set_allowed_instance_types(all(allowed_instance_types))
            .set_excluded_instance_types(all(excluded_instance_types))
            .build()
    }

    fn read(found: &sdk::InstanceRequirementsRequest) -> Result<Self> {
        let cpus = found.v_cpu_count().ok_or_else(|| Error::incomplete("vCPUs"))?;
        let memory = found.memory_mib().ok_or_else(|| Error::incomplete("memory"))?;
        let count = found.accelerator_count();
        Ok(Self {
            vcpus: Span::read(cpus.min(), cpus.max()),
            memory_mib: Span::read(memory.min(), memory.max()),
            cpu_manufacturers: texts(found.cpu_manufacturers(), |it| it.as_str()),
            accelerator_types: texts(found.accelerator_types(), |it| it.as_str()),
            accelerator_manufacturers: texts(found.accelerator_manufacturers(), |it| it.as_str()),
            accelerator_names: texts(found.accelerator_names(), |it| it.as_str()),
            accelerator_count: count.map(|it| Span::read(it.min().unwrap_or(0), it.max())),
            allowed_instance_types: texts(found.allowed_instance_types(), String::as_str),
            excluded_instance_types: texts(found.excluded_instance_types(), String::as_str),
        })
    }
}

impl Span {
    fn read(min: i32, max: Option<i32>) -> Self {
        Self { min: number(min), max: max.map(number) }
    }
}

/// A list as the API wants it: none rather than an empty one.
fn all<T: for<'s> From<&'s str>>(texts: &BTreeSet<String>) -> Option<Vec<T>> {
    (!texts.is_empty()).then(|| texts.iter().map(|text| T::from(text.as_str())).collect())
}

fn texts<T>(found: &[T], word: impl Fn(&T) -> &str) -> BTreeSet<String> {
    found.iter().map(|one| word(one).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::kinds::checked::{flaws, reads_back};

    fn plain() -> Json {
        json!({
            "name": "shop", "cluster": "c", "infrastructure-role-arn": "arn:i",
            "instance-profile-arn": "arn:p", "subnets": ["subnet-1"], "security-groups": ["sg-1"],
            "requirements": { "vcpus": { "min": 4 }, "memory-mib": { "min": 1024 } },
        })
    }

    fn full() -> Json {
        let mut full = plain();
        full["requirements"] = json!({
            "vcpus": { "min": 4, "max": 16 }, "memory-mib": { "min": 16_384, "max": 65_536 },
            "cpu-manufacturers": ["intel"], "accelerator-types": ["gpu"],
            "accelerator-manufacturers": ["nvidia"], "accelerator-names": ["a10g"],
            "accelerator-count": { "min": 1, "max": 4 }, "allowed-instance-types": ["g5.*"],
        });
        for (field, value) in [
            ("storage-size-gib", json!(200)),
            ("monitoring", json!("DETAILED")),
            ("capacity-option", json!("SPOT")),
            ("propagate-tags", json!(true)),
            ("scale-in-after", json!(600)),
        ] {
            full[field] = value;
        }
        full
    }

    #[test]
    fn b1_what_is_written_is_read_again() {
        for spec in [plain(), full()] {
            reads_back::<ManagedCapacity>(spec.clone());
            let spec: ManagedCapacity = serde_json::from_value(spec).unwrap();
            let sent = spec.provider();
            let managed = sdk::ManagedInstancesProvider::builder()
                .infrastructure_role_arn(sent.infrastructure_role_arn())
                .set_instance_launch_template(sent.instance_launch_template().cloned())
                .set_propagate_tags(sent.propagate_tags().cloned())
                .set_infrastructure_optimization(sent.infrastructure_optimization().cloned())
                .build();
            let found = sdk::CapacityProvider::builder().name("shop").cluster("c").build();
            assert_eq!(ManagedCapacity::read(&found, &managed).unwrap(), spec);
        }
    }

    #[test]
    fn what_aws_would_refuse_is_said_offline() {
        let mut wrong = full();
        wrong["name"] = json!("ecs-shop");
        wrong["subnets"] = json!([]);
        wrong["requirements"]["vcpus"]["max"] = json!(2);
        wrong["requirements"]["excluded-instance-types"] = json!(["t3.*"]);
        wrong["scale-in-after"] = json!(4000);
        insta::assert_snapshot!(flaws::<ManagedCapacity>(wrong), @"
        E0258 name: `ecs-shop` begins with `aws`, `ecs` or `fargate`, as no capacity provider's name does
        E0363 subnets: instances stand in a subnet
        E0363 requirements.vcpus: the most is less than the least
        E0363 requirements.excluded-instance-types: types of instances are either allowed or excluded
        E0363 scale-in-after: `scale-in-after` is 0 to 3600 seconds, or -1 for never
        ");
        assert_eq!(flaws::<ManagedCapacity>(full()), "");
    }
}
