//! `[capacity.x]`: instances that services run on. Of the type `ec2` a launch template, an Auto Scaling group and
//! a capacity provider, and what the instances need: a role, a security group, and to know their cluster. Those
//! of the type `managed` are in `managed`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::balancers::Balancer;
use super::cluster::CLUSTER;
use super::declaration::Declaration;
use super::managed::{self, Need};
use super::measure::{Gigabytes, Percent};
use super::network::{Layout, VPC};
use super::service::Arch;
use super::sheet::Sheet;
use crate::address::Path;
use crate::diag::Diagnostic;

/// Instances that services run on: an Auto Scaling group that ECS scales by the tasks there are, or instances that
/// ECS itself chooses, starts and ends.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Capacity {
    /// What it is made of.
    #[serde(rename = "type")]
    pub kind: CapacityKind,
    /// The types of instances, those to be preferred first: `["m7g.large", "m6g.large"]`. Of `managed`, those that
    /// ECS may choose from, `*` for any text.
    #[serde(default)]
    pub instances: Vec<String>,
    /// Of `managed`: what the instances must be like.
    pub need: Option<Need>,
    /// Of `managed`: the disk that the tasks of an instance share; 80 GB when left out.
    pub storage: Option<Gigabytes>,
    /// How many instances there may be; between 0 and 4 when left out.
    #[serde(default)]
    pub count: Instances,
    /// The share of spot instances, which are cheaper and may be interrupted. Of `managed`, all or none.
    pub spot: Option<Percent>,
    /// The image: `al2023`, `al2023-arm64`, `al2023-gpu`, an id, or `ssm:` and the name of a parameter.
    /// Left out, the newest ECS-optimised Amazon Linux 2023 for the types of instances.
    pub ami: Option<String>,
    /// Settings of the ECS agent, such as `ECS_ENABLE_TASK_IAM_ROLE`.
    #[serde(default)]
    pub agent: BTreeMap<String, String>,
}

/// What capacity is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CapacityKind {
    /// EC2 instances of an Auto Scaling group.
    Ec2,
    /// Instances that ECS chooses, starts and ends.
    Managed,
}

/// How many instances there may be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Instances {
    /// The least number; 0 when left out.
    pub min: Option<u32>,
    /// The greatest number; 4 when left out.
    #[schemars(range(min = 1))]
    pub max: Option<u32>,
    /// How much of them tasks shall fill, in per cent; 100 when left out, less keeps some in reserve.
    #[schemars(range(min = 1, max = 100))]
    pub target: Option<u32>,
}

/// The greatest number of instances when nothing is said.
const MOST: u32 = 4;
/// The attribute of container instances that names their capacity: placement can ask for it.
pub(super) const ATTRIBUTE: &str = "ecsctl.capacity";
/// What instances need to join a cluster, fetch images and write logs.
const POLICY: &str =
    "arn:${aws.partition}:iam::aws:policy/service-role/AmazonEC2ContainerServiceforEC2Role";
/// Where the ids of the ECS-optimised images are published.
const IMAGES: &str = "/aws/service/ecs/optimized-ami/amazon-linux-2023";

/// Traffic that instances let in for the tasks that share their addresses.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Opening {
    /// Who sends it: a network, or the security group of a load balancer.
    pub(super) source: Source,
    /// The protocol.
    pub(super) protocol: &'static str,
    /// The first and the last port.
    pub(super) ports: (u16, u16),
}

/// Who sends traffic.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    /// A network.
    Network(String),
    /// A load balancer.
    Balancer(Balancer),
}

impl Opening {
    /// The rule of a security group.
    pub(super) fn rule(&self) -> Json {
        let mut rule = json!({
            "protocol": self.protocol,
            "from-port": self.ports.0,
            "to-port": self.ports.1,
        });
        match &self.source {
            Source::Network(cidr) => {
                rule["cidr"] = cidr.as_str().into();
                rule["description"] = "clients".into();
            }
            Source::Balancer(balancer) => {
                let sort = if matches!(balancer, Balancer::Network(_)) { "network " } else { "" };
                let group = format!("${{security-group.{}.id}}", balancer.group());
                rule["security-group"] = group.into();
                rule["description"] = format!("{sort}load balancer {}", balancer.name()).into();
            }
        }
        rule
    }
}

impl Capacity {
    /// Whether ECS itself chooses, starts and ends the instances.
    pub(super) fn is_managed(&self) -> bool {
        self.kind == CapacityKind::Managed
    }

    /// The capacity provider's name, by which services say that they run there.
    pub(super) fn provider_of(&self, name: &str) -> String {
        match self.kind {
            CapacityKind::Ec2 => format!("${{capacity-provider.{name}.name}}"),
            CapacityKind::Managed => format!("${{managed-capacity.{name}.name}}"),
        }
    }

    /// The processor of its instances; `None` where ECS chooses them by what the tasks need.
    pub(super) fn processor(&self) -> Option<Arch> {
        (!self.is_managed()).then(|| self.arch())
    }

    /// The processor of its instances, as their types tell.
    fn arch(&self) -> Arch {
        match self.instances.iter().any(|kind| is_graviton(kind)) {
            true => Arch::Arm64,
            false => Arch::X86,
        }
    }

    /// What the capacity `name` stands for.
    pub(super) fn expand(
        &self,
        name: &str,
        network: &Layout,
        openings: &BTreeSet<Opening>,
        sheet: &mut Sheet,
    ) {
        let section = Path::of(["capacity", name]);
        managed::check(self, &section, sheet);
        if self.is_managed() {
            return managed::expand(self, name, network, openings, sheet);
        }
        self.check(&section, sheet);
        let role = role(name, &section, POLICY);
        let profile =
            Declaration::new("instance-profile", name, &section).with("role", role.output("arn"));
        let group = security_group(name, &section, openings);
        let template = Declaration::new("launch-template", name, &section)
            .from("image-id", self.image(), section.join("ami"))
            .with("instance-profile", profile.output("arn"))
            .with("security-groups", vec![group.output("id")])
            .with("public-ip", network.gives_public_addresses())
            .from("user-data", self.user_data(name), section.join("agent"));
        let instances = self.group(name, &section, network, &template);
        let provider = self.provider(name, &section, &instances);
        for declaration in [role, profile, group, template, instances, provider] {
            sheet.add(declaration);
        }
    }

    fn group(
        &self,
        name: &str,
        section: &Path,
        network: &Layout,
        template: &Declaration,
    ) -> Declaration {
        let count = section.join("count");
        let spot = self.spot.map_or(0, |share| share.0);
        Declaration::new("auto-scaling-group", name, section)
            .with("cluster", CLUSTER)
            .from("min-size", self.count.min.unwrap_or(0), count.join("min"))
            .from("max-size", self.count.max.unwrap_or(MOST), count.join("max"))
            .with("subnets", network.task_subnets())
            .with("launch-template", template.output("id"))
            .with("launch-template-version", template.output("version"))
            .from("instance-types", json!(self.instances), section.join("instances"))
            .from("spot-percentage", spot, section.join("spot"))
            .from("capacity-rebalance", spot > 0, section.join("spot"))
            .with("new-instances-protected-from-scale-in", true)
    }

    fn provider(&self, name: &str, section: &Path, group: &Declaration) -> Declaration {
        let target = self.count.target.unwrap_or(100);
        Declaration::new("capacity-provider", name, section)
            .with("cluster", CLUSTER)
            .with("auto-scaling-group-arn", group.output("arn"))
            .with("managed-scaling", json!({ "enabled": true, "target-capacity": target }))
            .decided(["managed-scaling", "target-capacity"], section.join("count").join("target"))
            .with("managed-termination-protection", true)
    }

    /// E0259: what the types of instances, the image and the agent's settings say together.
    fn check(&self, section: &Path, sheet: &mut Sheet) {
        let mut wrong = |key: &str, title: String, hint: &str| {
            let fault = Diagnostic::error("E0259", title).at(section.join(key), "");
            sheet.fault(fault.hint(hint));
        };
        let shaped =
            |kind: &str| kind.split_once('.').is_some_and(|(a, b)| !a.is_empty() && !b.is_empty());
        match self.instances.iter().find(|kind| !shaped(kind)) {
            _ if self.instances.is_empty() => {
                let title = "instances of no type cannot be started".to_owned();
                wrong("instances", title, "write types of instances such as [\"m7g.large\"]");
            }
            Some(kind) => {
                let title = format!("`{kind}` is not a type of instance");
                wrong("instances", title, "write types of instances such as [\"m7g.large\"]");
            }
            None => {}
        }
        let graviton = self.instances.iter().filter(|kind| is_graviton(kind)).count();
        if graviton > 0 && graviton < self.instances.len() {
            let title = "some of these are arm64 and some x86_64, and no image runs on both";
            wrong("instances", title.to_owned(), "make a capacity of each");
        }
        let arm = self.ami.as_deref().is_some_and(|ami| ami == "al2023-arm64");
        let named = self.ami.as_deref().is_some_and(|ami| ami.starts_with("al2023"));
        if named && arm != (graviton > 0) && !self.instances.is_empty() {
            let title = format!("the instances are {}, the image is not", self.arch().word());
            wrong(
                "ami",
                title,
                "leave `ami` out: the types of instances say which image they need",
            );
        }
        if let Some(ami) = self.ami.as_deref().filter(|ami| !is_image(ami)) {
            let hint = "write `al2023`, `al2023-arm64`, `al2023-gpu`, an id, or `ssm:` and the name \
                        of a parameter";
            wrong("ami", format!("`{ami}` is no image"), hint);
        }
        for (key, value) in &self.agent {
            let place = format!("`{key}` is no setting of the agent that could be made here");
            if key == "ECS_CLUSTER" || key == "ECS_INSTANCE_ATTRIBUTES" {
                wrong("agent", place, "leave it out: it is said already");
            } else if !is_setting(key) || value.contains(['\n', '\r']) {
                wrong("agent", place, "write for example `ECS_RESERVED_MEMORY = \"256\"`");
            }
        }
    }

    fn image(&self) -> String {
        let published = |way: &str| format!("resolve:ssm:{IMAGES}/{way}recommended/image_id");
        match self.ami.as_deref() {
            Some("al2023") => published(""),
            Some("al2023-arm64") => published("arm64/"),
            Some("al2023-gpu") => published("gpu/"),
            Some(other) if other.starts_with("ssm:") => format!("resolve:{other}"),
            Some(id) => id.to_owned(),
            None if self.arch() == Arch::Arm64 => published("arm64/"),
            None if self.instances.iter().any(|kind| has_gpu(kind)) => published("gpu/"),
            None => published(""),
        }
    }

    /// What `/etc/ecs/ecs.config` gets before the agent starts.
    fn user_data(&self, name: &str) -> String {
        let mut text = String::from("#!/bin/bash\ncat >> /etc/ecs/ecs.config <<'END'\n");
        text.push_str("ECS_CLUSTER=${cluster.main.name}\n");
        let mut line = |key: &str, value: &str| {
            writeln!(text, "{key}={value}").expect("text can be written to");
        };
        line("ECS_INSTANCE_ATTRIBUTES", &format!("{{\"{ATTRIBUTE}\":\"{name}\"}}"));
        for (key, value) in &self.agent {
            line(key, value);
        }
        text.push_str("END\n");
        text
    }
}

impl Arch {
    /// The word for it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::X86 => "x86_64",
            Self::Arm64 => "arm64",
        }
    }
}

/// The name of the security group of the instances.
pub(super) fn group_of(name: &str) -> String {
    format!("${{security-group.capacity-{name}.id}}")
}

/// Instances of this account may take the role.
pub(super) fn role(name: &str, section: &Path, policy: &str) -> Declaration {
    let trust = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": { "Service": "ec2.amazonaws.com" },
        "Action": "sts:AssumeRole",
    }] });
    Declaration::new("role", format!("{name}-instances"), section)
        .with("description", format!("the instances of the capacity {name}"))
        .with("trust", trust)
        .with("policies", json!([policy]))
}

/// The security group of the instances.
pub(super) fn security_group(
    name: &str,
    section: &Path,
    openings: &BTreeSet<Opening>,
) -> Declaration {
    Declaration::new("security-group", format!("capacity-{name}"), section)
        .with("description", format!("instances of the capacity {name}"))
        .with("vpc-id", VPC)
        .with("ingress", openings.iter().map(Opening::rule).collect::<Vec<Json>>())
}

/// The letters before and behind the generation: `m7gd.large` is `("m", "gd")`.
fn family(kind: &str) -> (&str, &str) {
    let family = kind.split('.').next().unwrap_or_default();
    let digit = |c: char| c.is_ascii_digit();
    let start = family.find(digit).unwrap_or(family.len());
    (&family[..start], family[start..].trim_start_matches(digit))
}

/// Whether instances of the type have AWS's own processor: a `g` behind the generation, and the first ones.
fn is_graviton(kind: &str) -> bool {
    kind.starts_with("a1.") || family(kind).1.contains('g')
}

fn has_gpu(kind: &str) -> bool {
    matches!(family(kind).0, "g" | "gr" | "p")
}

fn is_image(ami: &str) -> bool {
    matches!(ami, "al2023" | "al2023-arm64" | "al2023-gpu")
        || ami.starts_with("ami-")
        || ami.starts_with("ssm:/")
        || ami.contains("${")
}

fn is_setting(key: &str) -> bool {
    let legal = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    key.chars().all(legal) && key.starts_with(|c: char| c.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_of_instances_tell_what_they_are() {
        let arm =
            ["m7g.large", "c6gn.xlarge", "t4g.small", "a1.medium", "g5g.xlarge", "x2gd.large"];
        assert!(arm.iter().all(|kind| is_graviton(kind)));
        let other = ["m7i.large", "g4dn.xlarge", "t3.small", "p4d.24xlarge", "m7a.large"];
        assert!(!other.iter().any(|kind| is_graviton(kind)));
        assert!(["g4dn.xlarge", "p4d.24xlarge", "gr6.4xlarge"].iter().all(|kind| has_gpu(kind)));
        assert!(!["m7g.large", "t3.small"].iter().any(|kind| has_gpu(kind)));
    }
}
