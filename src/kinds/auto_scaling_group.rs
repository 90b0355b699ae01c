//! `auto-scaling-group`: EC2 instances, as many as are wanted, that give a cluster its capacity.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_autoscaling::types::{
    AutoScalingGroup as Description, Filter, InstancesDistribution,
    LaunchTemplate as MixedTemplate, LaunchTemplateOverrides, LaunchTemplateSpecification,
    MixedInstancesPolicy, Tag,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::types::outputs::Named as Outputs;
use super::types::words::words;
use crate::cloud::aws::ec2::filter;
use crate::cloud::aws::numbers::int;
use crate::cloud::aws::{Aws, batched, linked, tags};
use crate::kind::{
    About, After, Awaits, Check, Class, Condition, Cx, Error, Forgive as _, Kind, Made, MovedBy,
    Moves, NameStyle, Naming, Observed, Ready, Result, Sought, StackId, TAG_ENV, TAG_STACK,
    TagChange, Tags,
};

/// EC2 instances, as many as are wanted, started from a launch template. They carry the group's tags.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AutoScalingGroup {
    /// Its name: up to 255 characters, no colon.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(extend("x-replaces" = true))]
    pub name: String,
    /// The ARN of the cluster that its instances join, as a tag says: what the cluster is made of goes
    /// before the cluster. Left out, whatever is said stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["${cluster.main.arn}"]))]
    pub cluster: Option<String>,
    /// The least number of instances.
    #[serde(default)]
    pub min_size: u32,
    /// The greatest number of instances.
    pub max_size: u32,
    /// With how many instances it begins, and how many there shall be where no capacity provider scales it; left
    /// out, whatever is set stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub desired_capacity: Option<u32>,
    /// The ids of the subnets that instances are started in.
    #[schemars(extend("examples" = [["${subnet.private-a.id}", "${subnet.private-b.id}"]]))]
    pub subnets: BTreeSet<String>,
    /// The launch template's id.
    #[schemars(extend("examples" = ["${launch-template.general.id}"]))]
    pub launch_template: String,
    /// Which of its versions; instances that run stay as they are.
    #[schemars(extend("examples" = ["${launch-template.general.version}"]))]
    pub launch_template_version: String,
    /// The types of instances, those to be preferred first; none means that of the launch template.
    #[serde(default)]
    pub instance_types: Vec<String>,
    /// How many instances are on demand before any share is counted.
    #[serde(default)]
    pub on_demand_base: u32,
    /// The share of the others that are spot instances, in percent.
    #[serde(default)]
    pub spot_percentage: u32,
    /// From which pools spot instances are taken.
    #[serde(default = "balanced")]
    pub spot_allocation_strategy: SpotAllocation,
    /// Whether a spot instance that may be interrupted soon is replaced before it is.
    #[serde(default)]
    pub capacity_rebalance: bool,
    /// Whether new instances are not ended when the group shrinks; what the termination protection of a
    /// capacity provider needs.
    #[serde(default)]
    pub new_instances_protected_from_scale_in: bool,
}

words! {
    /// From which pools spot instances are taken.
    SpotAllocation as "a way to take spot instances" {
        /// Those that are cheap and least likely to be interrupted.
        Balanced = "price-capacity-optimized",
        /// Those that are least likely to be interrupted.
        Capacity = "capacity-optimized",
        /// The same, and of these the preferred ones.
        Prioritized = "capacity-optimized-prioritized",
        /// The cheapest.
        LowestPrice = "lowest-price",
    }
}

fn balanced() -> SpotAllocation {
    SpotAllocation::Balanced
}

/// The tag that says which cluster a group's instances join.
const TAG_CLUSTER: &str = "ecsctl:cluster";
/// The tag by which ECS knows that a capacity provider scales the group. It puts it there itself, and must
/// find it there; so it is none of the stack's.
const TAG_MANAGED: &str = "AmazonECSManaged";
/// How many names DescribeAutoScalingGroups takes.
const NAMES: usize = 50;
/// The largest page of DescribeAutoScalingGroups.
const PAGE: i32 = 100;
/// How long to wait between two looks: instances take a minute or two to end.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

impl Kind for AutoScalingGroup {
    const NAME: &'static str = "auto-scaling-group";
    const ABOUT: About = About {
        seconds: 5,
        // Its instances drain and end first.
        deadline: Duration::from_secs(30 * 60),
        exclusive: &["name"],
        naming: Some(Naming { max: 255, style: NameStyle::Dashed, suffix: true }),
        // Instances that cannot get out never join.
        awaits: &[
            Awaits { of: &["security-group"], by: &["security-group-rule"] },
            Awaits { of: &["subnet"], by: &["route-table"] },
            Awaits { of: &["subnet", "vpc"], by: &["vpc-endpoint"] },
        ],
        moved_by: &[MovedBy {
            field: "desired-capacity",
            by: "capacity-provider",
            how: Moves::Within {
                bounds: ("min-size", "max-size"),
                on: ("managed-scaling", "enabled"),
            },
        }],
        ..About::DEFAULT
    };

    type Outputs = Outputs;

    fn check(&self, check: &mut Check<'_>) {
        if self.name.contains(':') || self.name.len() > 255 {
            let title = format!("`{}` is not a name of up to 255 characters, no colon", self.name);
            check.error("E0230", "name", title).alone = !self.name.contains("${");
        }
        let rules = [
            ("max-size", self.max_size == 0, "a group needs room for one instance at least"),
            ("min-size", self.min_size > self.max_size, "`min-size` is more than `max-size`"),
            (
                "desired-capacity",
                self.desired_capacity.is_some_and(|n| n < self.min_size || n > self.max_size),
                "`desired-capacity` is from `min-size` to `max-size`",
            ),
            ("subnets", self.subnets.is_empty(), "a group needs a subnet"),
            ("spot-percentage", self.spot_percentage > 100, "`spot-percentage` is at most 100"),
            (
                "instance-types",
                self.instance_types.len() > 40,
                "a group has at most 40 types of instances",
            ),
        ];
        for (field, _, title) in rules.into_iter().filter(|(_, broken, _)| *broken) {
            check.error("E0258", field, title);
        }
    }

    async fn observe(aws: &Aws, sought: &Sought<'_>) -> Result<Vec<Observed<Self>>> {
        let call = aws.autoscaling.describe_auto_scaling_groups().max_records(PAGE);
        let pages = call.set_filters(Some(filters(sought.stack))).into_paginator();
        let mut found: Vec<Description> =
            pages.items().send().try_collect().await.map_err(Error::from)?;
        let own: BTreeSet<&str> =
            found.iter().filter_map(Description::auto_scaling_group_name).collect();
        let others: Vec<String> =
            sought.names([]).into_iter().filter(|name| !own.contains(name.as_str())).collect();
        found.extend(batched(&others, NAMES, |names| describe(aws, names)).await?);
        found.iter().map(observed).collect()
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        let (template, mixed) = self.templates();
        let call = cx.aws.autoscaling.create_auto_scaling_group();
        let call = call
            .auto_scaling_group_name(&self.name)
            .min_size(int(self.min_size))
            .max_size(int(self.max_size))
            .set_desired_capacity(self.desired_capacity.map(int))
            .vpc_zone_identifier(self.zones())
            .set_launch_template(template)
            .set_mixed_instances_policy(mixed)
            .capacity_rebalance(self.capacity_rebalance)
            .new_instances_protected_from_scale_in(self.new_instances_protected_from_scale_in)
            .set_tags(Some(self.tag_list(cx.tags)));
        let make = async { call.send().await.map_err(|error| Error::from(error).while_creating()) };
        let made = cx.aws.linked(self.roles(), make).await;
        let fresh = made.exists_is_fine()?.is_some();
        let found = describe(cx.aws, std::slice::from_ref(&self.name)).await?;
        let Some(group) = found.first() else {
            return Err(Error::new(Class::Eventual, "the group is not visible yet"));
        };
        let there = observed(group)?;
        if !fresh {
            cx.require_ours(&there.tags)?;
            if there.live != *self {
                self.put(&there.live, cx.aws).await?;
            }
        }
        Ok(Made::new(there.id, there.outputs))
    }

    async fn update(&self, was: &Self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        let roles: &[&str] = if self.roles() == was.roles() { &[] } else { self.roles() };
        cx.aws.linked(roles, self.put(was, cx.aws)).await?;
        Ok(Made::new(cx.id, outputs(cx.id)))
    }

    /// The instances go with it, whether they are protected or not: whoever used them has been deleted
    /// before (B28).
    async fn delete(was: &Self, cx: &Cx<'_>) -> Result<()> {
        let found = describe(cx.aws, std::slice::from_ref(&was.name)).await?;
        if found.first().is_none_or(|group| group.status().is_some()) {
            return Ok(());
        }
        let call = cx.aws.autoscaling.delete_auto_scaling_group();
        let call = call.auto_scaling_group_name(&was.name).force_delete(true);
        call.send().await.map_err(Error::from).absent_is_fine()
    }

    /// CreateOrUpdateTags and DeleteTags.
    async fn tag(cx: &Cx<'_>, change: &TagChange) -> Result<()> {
        let name = name_of(cx.id);
        if !change.set.is_empty() {
            let set = tags::some(&change.set, |key, value| tag(name, key, value));
            cx.aws.autoscaling.create_or_update_tags().set_tags(set).send().await?;
        }
        if !change.unset.is_empty() {
            let unset = change.unset.iter().map(|key| tag(name, key, "")).collect();
            cx.aws.autoscaling.delete_tags().set_tags(Some(unset)).send().await?;
        }
        Ok(())
    }

    /// A group is there at once. It is gone when its instances are, which hold on to subnets and security
    /// groups, and are registered with the cluster.
    async fn ready(cx: &Cx<'_>, after: After) -> Result<Ready> {
        if after == After::Change {
            return Ok(Ready::Yes);
        }
        let wait = |why: String| Ok(Ready::NotYet { why, look_again: LOOK_AGAIN });
        let name = name_of(cx.id).to_owned();
        if !describe(cx.aws, std::slice::from_ref(&name)).await?.is_empty() {
            return wait("its instances are being terminated".to_owned());
        }
        let states = ["pending", "running", "shutting-down", "stopping", "stopped"];
        let call = cx.aws.ec2.describe_instances();
        let call = call.filters(filter("tag:aws:autoscaling:groupName", [name]));
        let found = call.filters(filter("instance-state-name", states)).send().await?;
        match found.reservations().iter().map(|one| one.instances().len()).sum() {
            0 => Ok(Ready::Yes),
            1 => wait("1 instance is being terminated".to_owned()),
            count => wait(format!("{count} instances are being terminated")),
        }
    }
}

impl AutoScalingGroup {
    /// UpdateAutoScalingGroup, and CreateOrUpdateTags for the cluster.
    async fn put(&self, was: &Self, aws: &Aws) -> Result<()> {
        if let Some(cluster) = self.cluster.as_ref().filter(|_| self.cluster != was.cluster) {
            let tags = Some(vec![tag(&self.name, TAG_CLUSTER, cluster)]);
            aws.autoscaling.create_or_update_tags().set_tags(tags).send().await?;
        }
        if *self == (Self { cluster: self.cluster.clone(), ..was.clone() }) {
            return Ok(());
        }
        let (template, mixed) = self.templates();
        // Whoever scales the group may have moved on since the plan.
        let desired =
            self.desired_capacity.filter(|_| self.desired_capacity != was.desired_capacity);
        let call = aws.autoscaling.update_auto_scaling_group();
        let call = call
            .auto_scaling_group_name(&self.name)
            .min_size(int(self.min_size))
            .max_size(int(self.max_size))
            .set_desired_capacity(desired.map(int))
            .vpc_zone_identifier(self.zones())
            .set_launch_template(template)
            .set_mixed_instances_policy(mixed)
            .capacity_rebalance(self.capacity_rebalance)
            .new_instances_protected_from_scale_in(self.new_instances_protected_from_scale_in);
        call.send().await.map_err(|error| Error::from(error).while_creating())?;
        Ok(())
    }

    fn zones(&self) -> String {
        self.subnets.iter().map(String::as_str).collect::<Vec<_>>().join(",")
    }

    /// The service-linked roles with which its instances are started.
    fn roles(&self) -> &'static [&'static str] {
        match self.spot_percentage {
            0 => &[linked::GROUPS],
            _ => &[linked::GROUPS, linked::SPOT],
        }
    }

    /// The launch template alone, or in a policy of several types and kinds of instances.
    fn templates(&self) -> (Option<LaunchTemplateSpecification>, Option<MixedInstancesPolicy>) {
        let template = LaunchTemplateSpecification::builder()
            .launch_template_id(&self.launch_template)
            .version(&self.launch_template_version)
            .build();
        if self.instance_types.is_empty() && self.spot_percentage == 0 && self.on_demand_base == 0 {
            return (Some(template), None);
        }
        let one = |kind: &String| LaunchTemplateOverrides::builder().instance_type(kind).build();
        let overrides = self.instance_types.iter().map(one).collect();
        let mixed = MixedTemplate::builder().launch_template_specification(template);
        let shares = InstancesDistribution::builder()
            .on_demand_base_capacity(int(self.on_demand_base))
            .on_demand_percentage_above_base_capacity(100 - int(self.spot_percentage))
            .spot_allocation_strategy(self.spot_allocation_strategy.word());
        let policy = MixedInstancesPolicy::builder()
            .launch_template(mixed.set_overrides(Some(overrides)).build())
            .instances_distribution(shares.build());
        (None, Some(policy.build()))
    }

    fn tag_list(&self, own: &Tags) -> Vec<Tag> {
        let mut list = tags::list(own, |key, value| tag(&self.name, key, value));
        if let Some(cluster) = &self.cluster {
            list.push(tag(&self.name, TAG_CLUSTER, cluster));
            list.push(tag(&self.name, TAG_MANAGED, ""));
        }
        list
    }

    fn read(group: &Description) -> Result<Self> {
        let mixed = group.mixed_instances_policy();
        let inner = mixed.and_then(|policy| policy.launch_template());
        let overrides = inner.map(|template| template.overrides()).unwrap_or_default();
        let template = inner.and_then(|it| it.launch_template_specification());
        let template = template.or(group.launch_template());
        let shares = mixed.and_then(|policy| policy.instances_distribution());
        let on_demand = shares.and_then(|it| it.on_demand_percentage_above_base_capacity());
        let spot = shares.and_then(|shares| shares.spot_allocation_strategy());
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let zones = group.vpc_zone_identifier().unwrap_or_default().split(',');
        let protected = group.new_instances_protected_from_scale_in();
        Ok(Self {
            name: text(group.auto_scaling_group_name()),
            cluster: tag_of(group, TAG_CLUSTER),
            min_size: number(group.min_size()),
            max_size: number(group.max_size()),
            desired_capacity: Some(number(group.desired_capacity())),
            subnets: zones.filter(|id| !id.is_empty()).map(str::to_owned).collect(),
            launch_template: text(template.and_then(|it| it.launch_template_id())),
            launch_template_version: text(template.and_then(|it| it.version())),
            instance_types: overrides
                .iter()
                .filter_map(|one| one.instance_type().map(str::to_owned))
                .collect(),
            on_demand_base: number(shares.and_then(|shares| shares.on_demand_base_capacity())),
            spot_percentage: 100 - number(on_demand.or(Some(100))).min(100),
            spot_allocation_strategy: spot.map_or(Ok(balanced()), SpotAllocation::read)?,
            capacity_rebalance: group.capacity_rebalance() == Some(true),
            new_instances_protected_from_scale_in: protected == Some(true),
        })
    }
}

/// DescribeAutoScalingGroups by name; those that are not there are not in the reply.
async fn describe(aws: &Aws, names: &[String]) -> Result<Vec<Description>> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let call = aws.autoscaling.describe_auto_scaling_groups();
    let found = call.set_auto_scaling_group_names(Some(names.to_vec())).send().await?;
    Ok(found.auto_scaling_groups.unwrap_or_default())
}

fn filters(stack: &StackId) -> Vec<Filter> {
    let one = |(key, value): (&str, &String)| {
        Filter::builder().name(format!("tag:{key}")).values(value).build()
    };
    [(TAG_STACK, &stack.stack), (TAG_ENV, &stack.env)].into_iter().map(one).collect()
}

fn observed(group: &Description) -> Result<Observed<AutoScalingGroup>> {
    let id = group.auto_scaling_group_arn();
    let id = id.ok_or_else(|| Error::incomplete("a group's ARN"))?;
    let pairs = group.tags().iter().filter_map(|tag| Some((tag.key()?, tag.value()?)));
    let mut tags = tags::collect(pairs);
    tags.retain(|key, _| key != TAG_CLUSTER && key != TAG_MANAGED);
    Ok(Observed {
        earlier: Vec::new(),
        id: id.to_owned(),
        live: AutoScalingGroup::read(group)?,
        outputs: outputs(id),
        tags,
        // Only a group that is being deleted has a status.
        condition: match group.status() {
            Some(status) => Condition::Leaving(status.to_lowercase()),
            None => Condition::Ready,
        },
    })
}

fn tag_of(group: &Description, key: &str) -> Option<String> {
    let found = group.tags().iter().find(|tag| tag.key() == Some(key))?;
    found.value().map(str::to_owned)
}

fn tag(group: &str, key: &str, value: &str) -> Tag {
    Tag::builder()
        .resource_id(group)
        .resource_type("auto-scaling-group")
        .key(key)
        .value(value)
        .propagate_at_launch(true)
        .build()
}

fn outputs(arn: &str) -> Outputs {
    Outputs::new(arn, name_of(arn))
}

/// The name in `arn:…:autoScalingGroup:<id>:autoScalingGroupName/<name>`, which may hold slashes.
fn name_of(arn: &str) -> &str {
    arn.split_once("autoScalingGroupName/").map_or(arn, |(_, name)| name)
}

fn number(int: Option<i32>) -> u32 {
    int.and_then(|int| u32::try_from(int).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::kinds::checked::{flaws, reads_back};

    fn group(more: &Json) -> Json {
        let mut spec = json!({
            "max-size": 2, "subnets": ["subnet-1"], "launch-template": "lt-1",
            "launch-template-version": "1",
        });
        for (field, value) in more.as_object().unwrap() {
            spec[field] = value.clone();
        }
        spec
    }

    #[test]
    fn declarations_read_back() {
        reads_back::<AutoScalingGroup>(group(&json!({})));
        reads_back::<AutoScalingGroup>(group(&json!({
            "name": "shop", "cluster": "c", "min-size": 1, "desired-capacity": 1,
            "instance-types": ["m7g.large", "m6g.large"], "on-demand-base": 1,
            "spot-percentage": 80, "spot-allocation-strategy": "lowest-price",
            "capacity-rebalance": true, "new-instances-protected-from-scale-in": true,
        })));
    }

    #[test]
    fn what_aws_would_refuse_is_said_offline() {
        let wrong = group(&json!({
            "name": "a:b", "max-size": 0, "min-size": 2, "desired-capacity": 1, "subnets": [],
            "spot-percentage": 101,
        }));
        insta::assert_snapshot!(flaws::<AutoScalingGroup>(wrong), @r"
        E0230 name: `a:b` is not a name of up to 255 characters, no colon
        E0258 max-size: a group needs room for one instance at least
        E0258 min-size: `min-size` is more than `max-size`
        E0258 desired-capacity: `desired-capacity` is from `min-size` to `max-size`
        E0258 subnets: a group needs a subnet
        E0258 spot-percentage: `spot-percentage` is at most 100
        ");
    }

    /// Only a group of several types or with spot instances has a policy of mixed instances.
    #[test]
    fn what_is_written_is_read_again() {
        for more in [
            json!({}),
            json!({ "spot-percentage": 100 }),
            json!({ "instance-types": ["b", "a"], "spot-percentage": 30, "on-demand-base": 2 }),
        ] {
            let spec: AutoScalingGroup = serde_json::from_value(group(&more)).unwrap();
            let (template, mixed) = spec.templates();
            assert_eq!(template.is_none(), mixed.is_some(), "{more}");
            let live = Description::builder()
                .set_launch_template(template)
                .set_mixed_instances_policy(mixed)
                .max_size(2)
                .vpc_zone_identifier("subnet-1")
                .build();
            let live = AutoScalingGroup::read(&live).unwrap();
            assert_eq!(AutoScalingGroup { desired_capacity: None, ..live }, spec, "{more}");
        }
    }

    #[test]
    fn a_name_may_hold_slashes() {
        let arn = "arn:aws:autoscaling:eu-west-1:1:autoScalingGroup:u-u:autoScalingGroupName/a/b";
        assert_eq!(outputs(arn).name, "a/b");
    }
}
