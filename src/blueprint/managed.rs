//! `[capacity.x]` of the type `managed`: instances that ECS itself chooses by what is needed, starts and ends (ECS
//! Managed Instances). A capacity provider, and the roles with which ECS does it and that the instances have.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::capacity::{Capacity, Instances, Opening, role, security_group};
use super::cluster::CLUSTER;
use super::declaration::Declaration;
use super::measure::{MemorySpan, Vcpus};
use super::network::Layout;
use super::roles::{policy, statement};
use super::sheet::Sheet;
use crate::address::Path;
use crate::diag::Diagnostic;

/// What instances must be like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Need {
    /// Their vCPUs: `"4..16"`, `"4.."`, `"4"`; any number when left out.
    pub vcpu: Option<Vcpus>,
    /// Their memory: `"16GB..64GB"`, `"16GB.."`; any when left out.
    pub memory: Option<MemorySpan>,
    /// Whose GPUs they have; none are asked for when left out.
    pub gpu: Option<Gpu>,
}

/// Who makes GPUs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Gpu {
    /// NVIDIA.
    Nvidia,
    /// AMD.
    Amd,
}

/// How large an instance's disk is when nothing is said, in GiB: as AWS has it. It is always said, for nobody else
/// would take back another size.
const STORAGE: u32 = 80;

/// What ECS needs to start, look after and end instances.
const INFRASTRUCTURE: &str =
    "arn:${aws.partition}:iam::aws:policy/AmazonECSInfrastructureRolePolicyForManagedInstances";
/// What the instances need.
const INSTANCES: &str =
    "arn:${aws.partition}:iam::aws:policy/AmazonECSInstanceRolePolicyForManagedInstances";

/// E0363: what goes with the type of a capacity.
pub(super) fn check(capacity: &Capacity, section: &Path, sheet: &mut Sheet) {
    let managed = capacity.is_managed();
    let halved = |share: u32| share != 0 && share != 100;
    let rules = [
        (
            "need",
            !managed && capacity.need.is_some(),
            "only ECS chooses instances by what is needed",
        ),
        ("storage", !managed && capacity.storage.is_some(), "the image says how large the disk is"),
        (
            "count",
            managed && capacity.count != Instances::default(),
            "ECS itself counts its instances",
        ),
        ("ami", managed && capacity.ami.is_some(), "ECS itself chooses the image"),
        ("agent", managed && !capacity.agent.is_empty(), "ECS itself sets its agent"),
        (
            "spot",
            managed && capacity.spot.is_some_and(|share| halved(share.0)),
            "managed instances are all spot instances, or none is",
        ),
    ];
    for (key, _, title) in rules.into_iter().filter(|(_, broken, _)| *broken) {
        let fault = Diagnostic::error("E0363", title).at_key(section.join(key), "");
        let hint = match key {
            "spot" => "write \"100%\", or make a capacity of each",
            "need" | "storage" => "leave it out, or write `type = \"managed\"`",
            _ => "leave it out, or write `type = \"ec2\"`",
        };
        sheet.fault(fault.hint(hint));
    }
}

/// What the capacity `name` stands for.
pub(super) fn expand(
    capacity: &Capacity,
    name: &str,
    network: &Layout,
    openings: &BTreeSet<Opening>,
    sheet: &mut Sheet,
) {
    let section = Path::of(["capacity", name]);
    if network.gives_public_addresses() {
        let title =
            "instances that ECS manages have no public address, and public subnets have no NAT";
        let fault = Diagnostic::error("E0363", title).at(section.join("type"), "");
        sheet.fault(fault.hint("let tasks run in private subnets: `network.mode = \"private\"`"));
    }
    let instances = role(name, &section, INSTANCES);
    let profile =
        Declaration::new("instance-profile", name, &section).with("role", instances.output("arn"));
    let group = security_group(name, &section, openings);
    let infrastructure = infrastructure(name, &section, &instances);
    let spot = if capacity.spot.is_some_and(|share| share.0 > 0) { "SPOT" } else { "ON_DEMAND" };
    let needs = [
        ("vcpus", "vcpu"),
        ("memory-mib", "memory"),
        ("accelerator-types", "gpu"),
        ("accelerator-manufacturers", "gpu"),
        ("accelerator-count", "gpu"),
    ];
    let mut provider = Declaration::new("managed-capacity", name, &section)
        .with("cluster", CLUSTER)
        .with("infrastructure-role-arn", infrastructure.output("arn"))
        .with("instance-profile-arn", profile.output("arn"))
        .with("subnets", network.task_subnets())
        .with("security-groups", vec![group.output("id")])
        .with("requirements", requirements(capacity))
        .decided(["requirements", "allowed-instance-types"], section.join("instances"))
        .from(
            "storage-size-gib",
            capacity.storage.map_or(STORAGE, |size| size.0),
            section.join("storage"),
        )
        .from("capacity-option", spot, section.join("spot"))
        .with("propagate-tags", true);
    for (field, key) in needs {
        provider = provider.decided(["requirements", field], section.join("need").join(key));
    }
    for declaration in [instances, profile, group, infrastructure, provider] {
        sheet.add(declaration);
    }
}

fn requirements(capacity: &Capacity) -> Json {
    let need = capacity.need.unwrap_or_default();
    let span = |min: u32, max: Option<u32>| match max {
        Some(max) => json!({ "min": min, "max": max }),
        None => json!({ "min": min }),
    };
    let cpus = need.vcpu.map_or((1, None), |span| (span.min, span.max));
    let memory = need.memory.map_or((512, None), |span| (span.min.0, span.max.map(|max| max.0)));
    let mut requirements =
        json!({ "vcpus": span(cpus.0, cpus.1), "memory-mib": span(memory.0, memory.1) });
    if let Some(gpu) = need.gpu {
        let maker = match gpu {
            Gpu::Nvidia => "nvidia",
            Gpu::Amd => "amd",
        };
        requirements["accelerator-types"] = json!(["gpu"]);
        requirements["accelerator-manufacturers"] = json!([maker]);
        requirements["accelerator-count"] = span(1, None);
    }
    if !capacity.instances.is_empty() {
        requirements["allowed-instance-types"] = json!(capacity.instances);
    }
    requirements
}

/// The role with which ECS starts instances. The managed policy lets it hand over roles of one name only.
fn infrastructure(name: &str, section: &Path, instances: &Declaration) -> Declaration {
    let trust = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": { "Service": "ecs.amazonaws.com" },
        "Action": "sts:AssumeRole",
    }] });
    let mut pass = statement(&["iam:PassRole"], vec![instances.output("arn")]);
    pass["Condition"] = json!({ "StringLike": { "iam:PassedToService": "ec2.*" } });
    Declaration::new("role", format!("{name}-infrastructure"), section)
        .with("description", format!("starts and ends the instances of the capacity {name}"))
        .with("trust", trust)
        .with("policies", json!([INFRASTRUCTURE]))
        .with("inline", json!({ "pass": policy(vec![pass]) }))
}
