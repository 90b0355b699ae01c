//! `capacity-provider`: an Auto Scaling group as a cluster's capacity.
//!
//! It stands in the list of its cluster, and writes itself there: the cluster stands before the group whose
//! instances join it, and cannot name what comes later.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_ecs::operation::create_capacity_provider::builders::CreateCapacityProviderFluentBuilder;
use aws_sdk_ecs::types::{
    AutoScalingGroupProvider, AutoScalingGroupProviderUpdate, CapacityProvider as Description,
    CapacityProviderField, CapacityProviderStatus, CapacityProviderUpdateStatus as Update,
    ManagedDraining, ManagedScaling as SdkScaling, ManagedScalingStatus,
    ManagedTerminationProtection,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cluster;
use super::types::capacity::is_fargate;
use super::types::outputs::Named as Outputs;
use crate::cloud::aws::{Aws, batched, tags};
use crate::kind::{
    About, After, Awaits, Check, Class, Condition, Cx, Error, Forgive as _, Kind, Made, NameStyle,
    Naming, Observed, Ready, Result, Sought, TagChange, Unfit, Unit,
};

/// An Auto Scaling group as a cluster's capacity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CapacityProvider {
    /// Its name: up to 255 letters, digits, `-` and `_`; not beginning with `aws`, `ecs` or `fargate`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(extend("x-replaces" = true))]
    pub name: String,
    /// The ARN of the cluster whose services may use it.
    #[schemars(extend("examples" = ["${cluster.main.arn}"]))]
    pub cluster: String,
    /// The ARN of the Auto Scaling group, which is no other provider's.
    #[schemars(extend("x-replaces" = true))]
    #[schemars(extend("examples" = ["${auto-scaling-group.general.arn}"]))]
    pub auto_scaling_group_arn: String,
    /// How ECS scales the group.
    #[serde(default)]
    pub managed_scaling: ManagedScaling,
    /// Whether ECS keeps instances that run tasks when the group shrinks. Needs managed scaling, and
    /// `new-instances-protected-from-scale-in` of the group.
    #[serde(default)]
    pub managed_termination_protection: bool,
    /// Whether ECS moves tasks away from an instance before it ends.
    #[serde(default = "yes")]
    pub managed_draining: bool,
}

/// How ECS scales the group. Page "ManagedScaling".
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ManagedScaling {
    /// Whether it does.
    pub enabled: bool,
    /// How much of the group the tasks shall fill, in percent.
    pub target_capacity: u32,
    /// How many instances at least are started at a time.
    pub minimum_scaling_step_size: u32,
    /// How many instances at most are started at a time.
    pub maximum_scaling_step_size: u32,
    /// Seconds until a new instance counts.
    pub instance_warmup_period: u32,
}

impl Default for ManagedScaling {
    fn default() -> Self {
        Self {
            enabled: false,
            target_capacity: 100,
            minimum_scaling_step_size: 1,
            maximum_scaling_step_size: 10_000,
            instance_warmup_period: 300,
        }
    }
}

fn yes() -> bool {
    true
}

/// How long to wait between two looks: a change takes seconds.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

impl Kind for CapacityProvider {
    const NAME: &'static str = "capacity-provider";
    const ABOUT: About = About {
        seconds: 10,
        deadline: Duration::from_secs(15 * 60),
        // ECS takes a group for one provider only.
        exclusive: &["auto-scaling-group-arn"],
        built_on: Some("auto-scaling-group-arn"),
        naming: Some(Naming { max: 255, style: NameStyle::Dashed, suffix: true }),
        observed_after: &["cluster"],
        // A service's strategy names it.
        mentioned_as: &["id", "name"],
        // The list of the cluster is written as a whole. What ECS itself puts into it and takes out of it does
        // not come or go meanwhile.
        awaits: &[Awaits { of: &["cluster"], by: &["managed-capacity"] }],
        ..About::DEFAULT
    };

    type Outputs = Outputs;

    fn check(&self, check: &mut Check<'_>) {
        check_name(&self.name, check);
        let scaling = &self.managed_scaling;
        let numbers = [
            ("target-capacity", scaling.target_capacity, Unit::Times, 1..=100),
            (
                "minimum-scaling-step-size",
                scaling.minimum_scaling_step_size,
                Unit::Times,
                1..=10_000,
            ),
            (
                "maximum-scaling-step-size",
                scaling.maximum_scaling_step_size,
                Unit::Times,
                1..=10_000,
            ),
            ("instance-warmup-period", scaling.instance_warmup_period, Unit::Seconds, 0..=10_000),
        ];
        for (field, value, unit, legal) in numbers {
            check.within("E0258", &format!("managed-scaling.{field}"), (Some(value), unit), legal);
        }
        if self.managed_termination_protection && !scaling.enabled {
            check.error_with(
                "E0258",
                "managed-termination-protection",
                "termination protection needs managed scaling",
                "set `managed-scaling.enabled = true`",
            );
        }
    }

    async fn observe(aws: &Aws, sought: &Sought<'_>) -> Result<Vec<Observed<Self>>> {
        let owned = aws.owned(sought.stack).await?;
        let by_tag = owned.arns("ecs", "capacity-provider/");
        let names = sought.names(by_tag.filter_map(|arn| arn.rsplit('/').next()));
        let found = batched(&names, 100, |names| describe(aws, names)).await?;
        let found: Vec<&Description> = found.iter().filter(|it| is_of_a_group(it)).collect();
        if found.is_empty() {
            return Ok(Vec::new());
        }
        let clusters = clusters_of(aws, sought).await?;
        found.into_iter().filter_map(|it| observed(it, &clusters).transpose()).collect()
    }

    /// A cluster that is taking another of its providers makes this be tried again: so there is a look first.
    async fn create(&self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        let there = own(&self.name, cx).await?.and_then(|it| it.capacity_provider_arn);
        let arn = match there {
            Some(arn) => arn,
            None => {
                let call = cx.aws.ecs.create_capacity_provider();
                create(call.auto_scaling_group_provider(self.provider()), &self.name, cx).await?
            }
        };
        self.attach(cx.aws).await?;
        Ok(Made::new(&arn, Outputs::of(&arn)))
    }

    async fn update(&self, was: &Self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        if self.cluster != was.cluster {
            was.detach(cx.aws).await?;
            self.attach(cx.aws).await?;
        }
        if *self != (Self { cluster: self.cluster.clone(), ..was.clone() }) {
            let call = cx.aws.ecs.update_capacity_provider().name(&self.name);
            call.auto_scaling_group_provider(self.change()).send().await?;
        }
        Ok(Made::new(cx.id, Outputs::of(cx.id)))
    }

    /// Only what stands in no cluster's list can be deleted, and a cluster takes some seconds to let go.
    async fn delete(was: &Self, cx: &Cx<'_>) -> Result<()> {
        was.detach(cx.aws).await?;
        let found = cluster::describe(cx.aws, std::slice::from_ref(&was.cluster));
        if !was.cluster.is_empty() && found.await?.iter().any(is_attaching) {
            return Err(Error::new(Class::InUse, "its cluster has not let go of it yet"));
        }
        let call = cx.aws.ecs.delete_capacity_provider().capacity_provider(cx.id);
        call.send().await.map_err(Error::from).absent_is_fine()
    }

    async fn tag(cx: &Cx<'_>, change: &TagChange) -> Result<()> {
        tags::ecs::change(cx.aws, cx.id, change).await
    }

    async fn ready(cx: &Cx<'_>, after: After) -> Result<Ready> {
        let name = Outputs::of(cx.id).name;
        let found = describe(cx.aws, std::slice::from_ref(&name)).await?;
        wait_for(after, found.iter().find_map(condition))
    }
}

/// Whether a provider in such a condition, if it is there, has come to the end of a step.
pub(super) fn wait_for(after: After, found: Option<Condition>) -> Result<Ready> {
    let wait = |why: &str| Ok(Ready::NotYet { why: why.to_owned(), look_again: LOOK_AGAIN });
    match (after, found) {
        (_, Some(Condition::Broken(why) | Condition::Unfit(Unfit { why, .. }))) => {
            Err(Error::new(Class::Other, why))
        }
        (After::Delete, None) | (After::Change, Some(Condition::Ready)) => Ok(Ready::Yes),
        (After::Delete, Some(_)) => wait("being deleted"),
        (After::Change, Some(Condition::Settling(why))) => wait(&why),
        (After::Change, Some(Condition::Leaving(_))) => {
            let why = "it is being deleted by somebody else";
            Err(Error::new(Class::Other, why).hinted("apply again, which makes a new one"))
        }
        (After::Change, None) => wait("not visible yet"),
    }
}

/// What is wrong with the name of a capacity provider.
pub(super) fn check_name(name: &str, check: &mut Check<'_>) {
    if name.is_empty() || name.contains("${") {
        return;
    }
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.len() > 255 || !name.chars().all(legal) {
        let title = format!("`{name}` is not a name of up to 255 letters, digits, `-` and `_`");
        check.error("E0230", "name", title).alone = true;
    }
    let lower = name.to_ascii_lowercase();
    if ["aws", "ecs", "fargate"].iter().any(|reserved| lower.starts_with(reserved)) {
        let title = format!(
            "`{name}` begins with `aws`, `ecs` or `fargate`, as no capacity provider's name does"
        );
        let address = check.address;
        let hint = format!(
            "write `name` in `[aws.{}.{}]`, or call the stack something else",
            address.kind, address.name
        );
        check.error_with("E0258", "name", title, hint).alone = true;
    }
}

impl CapacityProvider {
    fn scaling(&self) -> SdkScaling {
        let ManagedScaling {
            enabled,
            target_capacity,
            minimum_scaling_step_size,
            maximum_scaling_step_size,
            instance_warmup_period,
        } = self.managed_scaling;
        let int = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
        let status = match enabled {
            true => ManagedScalingStatus::Enabled,
            false => ManagedScalingStatus::Disabled,
        };
        SdkScaling::builder()
            .status(status)
            .target_capacity(int(target_capacity))
            .minimum_scaling_step_size(int(minimum_scaling_step_size))
            .maximum_scaling_step_size(int(maximum_scaling_step_size))
            .instance_warmup_period(int(instance_warmup_period))
            .build()
    }

    fn protection(&self) -> ManagedTerminationProtection {
        match self.managed_termination_protection {
            true => ManagedTerminationProtection::Enabled,
            false => ManagedTerminationProtection::Disabled,
        }
    }

    fn draining(&self) -> ManagedDraining {
        match self.managed_draining {
            true => ManagedDraining::Enabled,
            false => ManagedDraining::Disabled,
        }
    }

    fn provider(&self) -> AutoScalingGroupProvider {
        AutoScalingGroupProvider::builder()
            .auto_scaling_group_arn(&self.auto_scaling_group_arn)
            .managed_scaling(self.scaling())
            .managed_termination_protection(self.protection())
            .managed_draining(self.draining())
            .build()
            .expect("the group is set")
    }

    fn change(&self) -> AutoScalingGroupProviderUpdate {
        AutoScalingGroupProviderUpdate::builder()
            .managed_scaling(self.scaling())
            .managed_termination_protection(self.protection())
            .managed_draining(self.draining())
            .build()
    }

    /// Writes it into its cluster's list.
    async fn attach(&self, aws: &Aws) -> Result<()> {
        let put = cluster::put_providers(aws, &self.cluster, |mut present| {
            if !present.contains(&self.name) {
                present.push(self.name.clone());
            }
            (present, None)
        });
        put.await.map_err(Error::while_creating)
    }

    /// Takes it out of its cluster's list.
    async fn detach(&self, aws: &Aws) -> Result<()> {
        if self.cluster.is_empty() {
            return Ok(());
        }
        let put = cluster::put_providers(aws, &self.cluster, |mut present| {
            present.retain(|name| *name != self.name);
            (present, None)
        });
        put.await.absent_is_fine()
    }

    fn read(found: &Description, cluster: &str) -> Self {
        let group = found.auto_scaling_group_provider();
        let number = |int: Option<i32>, usual| int.and_then(|n| n.try_into().ok()).unwrap_or(usual);
        let usual = ManagedScaling::default();
        let scaling = group.and_then(|group| group.managed_scaling());
        let enabled = Some(&ManagedScalingStatus::Enabled);
        let managed_scaling = scaling.map_or(usual, |scaling| ManagedScaling {
            enabled: scaling.status() == enabled,
            target_capacity: number(scaling.target_capacity(), usual.target_capacity),
            minimum_scaling_step_size: number(
                scaling.minimum_scaling_step_size(),
                usual.minimum_scaling_step_size,
            ),
            maximum_scaling_step_size: number(
                scaling.maximum_scaling_step_size(),
                usual.maximum_scaling_step_size,
            ),
            instance_warmup_period: number(
                scaling.instance_warmup_period(),
                usual.instance_warmup_period,
            ),
        });
        let protection = group.and_then(|group| group.managed_termination_protection());
        let draining = group.and_then(|group| group.managed_draining());
        let arn = group.map(AutoScalingGroupProvider::auto_scaling_group_arn);
        Self {
            name: found.name().unwrap_or_default().to_owned(),
            cluster: cluster.to_owned(),
            auto_scaling_group_arn: arn.unwrap_or_default().to_owned(),
            managed_scaling,
            managed_termination_protection: protection
                == Some(&ManagedTerminationProtection::Enabled),
            managed_draining: draining != Some(&ManagedDraining::Disabled),
        }
    }
}

fn is_attaching(found: &aws_sdk_ecs::types::Cluster) -> bool {
    found.attachments_status() == Some(cluster::ATTACHING)
}

/// Not one of Fargate's, nor one of instances that ECS manages.
fn is_of_a_group(found: &Description) -> bool {
    !is_fargate(found.name().unwrap_or_default()) && found.auto_scaling_group_provider().is_some()
}

/// CreateCapacityProvider. One that is there already is ours, from an attempt whose answer was lost, or it is
/// an error. Its ARN.
pub(super) async fn create(
    call: CreateCapacityProviderFluentBuilder,
    name: &str,
    cx: &Cx<'_>,
) -> Result<String> {
    let call = call.name(name).set_tags(tags::some(cx.tags, tags::ecs::tag));
    let made = call.send().await.map_err(|error| Error::from(error).while_creating());
    let provider = match made.exists_is_fine()? {
        Some(made) => made.capacity_provider,
        None => own(name, cx).await?,
    };
    let arn = provider.and_then(|provider| provider.capacity_provider_arn);
    arn.ok_or_else(|| Error::incomplete("the capacity provider's ARN"))
}

/// What stands under a name, which must be what an earlier attempt has made.
async fn own(name: &str, cx: &Cx<'_>) -> Result<Option<Description>> {
    let found = describe(cx.aws, &[name.to_owned()]).await?;
    let found = found.into_iter().find(|it| condition(it).is_some());
    if let Some(there) = &found {
        cx.require_ours(&tags::ecs::read(there.tags()))?;
    }
    Ok(found)
}

/// DescribeCapacityProviders, up to a hundred names or ARNs. Missing ones are failures in the reply and simply not
/// in the list.
pub(super) async fn describe(aws: &Aws, names: &[String]) -> Result<Vec<Description>> {
    let call = aws.ecs.describe_capacity_providers().include(CapacityProviderField::Tags);
    let call = call.set_capacity_providers(Some(names.to_vec())).max_results(100);
    Ok(call.send().await?.capacity_providers.unwrap_or_default())
}

/// The clusters of the stack, and those that are wanted, by the providers in their lists.
async fn clusters_of(aws: &Aws, sought: &Sought<'_>) -> Result<BTreeMap<String, String>> {
    let wanted = sought.wanted.iter().filter_map(|want| want.spec.text("cluster"));
    let own = sought.before.iter().filter(|live| live.kind == "cluster");
    let arns: BTreeSet<&str> = own.map(|live| live.id.as_str()).chain(wanted).collect();
    let arns: Vec<String> = arns.into_iter().map(str::to_owned).collect();
    let found = batched(&arns, 100, |chunk| cluster::describe(aws, chunk)).await?;
    let active = found.iter().filter(|cluster| cluster.status() != Some("INACTIVE"));
    let listed = active.flat_map(|cluster| {
        let arn = cluster.cluster_arn().unwrap_or_default();
        cluster.capacity_providers().iter().map(move |name| (name.clone(), arn.to_owned()))
    });
    Ok(listed.collect())
}

fn observed(
    found: &Description,
    clusters: &BTreeMap<String, String>,
) -> Result<Option<Observed<CapacityProvider>>> {
    let Some(condition) = condition(found) else { return Ok(None) };
    let arn = found.capacity_provider_arn();
    let arn = arn.ok_or_else(|| Error::incomplete("a capacity provider's ARN"))?;
    let cluster = clusters.get(found.name().unwrap_or_default()).map_or("", String::as_str);
    Ok(Some(Observed {
        earlier: Vec::new(),
        id: arn.to_owned(),
        live: CapacityProvider::read(found, cluster),
        outputs: Outputs::of(arn),
        tags: tags::ecs::read(found.tags()),
        condition,
    }))
}

/// `None` for an INACTIVE provider: it is a ghost. What could not be deleted is there to be deleted again.
pub(super) fn condition(found: &Description) -> Option<Condition> {
    if found.status() == Some(&CapacityProviderStatus::Inactive) {
        return None;
    }
    let reason = || found.update_status_reason().unwrap_or("AWS gives no reason").to_owned();
    Some(match found.update_status() {
        Some(Update::CreateInProgress) => Condition::Settling("being created".to_owned()),
        Some(Update::UpdateInProgress) => Condition::Settling("being changed".to_owned()),
        Some(Update::DeleteInProgress) => Condition::Leaving("being deleted".to_owned()),
        Some(Update::CreateFailed) => Condition::Broken(reason()),
        _ => match found.status() {
            Some(CapacityProviderStatus::Provisioning) => {
                Condition::Settling("being provided".to_owned())
            }
            Some(CapacityProviderStatus::Deprovisioning) => {
                Condition::Leaving("its instances are going".to_owned())
            }
            _ => Condition::Ready,
        },
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::checked::{flaws, reads_back};

    #[test]
    fn declarations_read_back() {
        reads_back::<CapacityProvider>(json!({ "cluster": "c", "auto-scaling-group-arn": "a" }));
        reads_back::<CapacityProvider>(json!({
            "name": "shop", "cluster": "c", "auto-scaling-group-arn": "a",
            "managed-scaling": { "enabled": true, "target-capacity": 90,
                "minimum-scaling-step-size": 2, "maximum-scaling-step-size": 3,
                "instance-warmup-period": 0 },
            "managed-termination-protection": true, "managed-draining": false,
        }));
    }

    #[test]
    fn what_aws_would_refuse_is_said_offline() {
        let wrong = json!({
            "name": "ecs-shop", "cluster": "c", "auto-scaling-group-arn": "a",
            "managed-scaling": { "target-capacity": 0 }, "managed-termination-protection": true,
        });
        insta::assert_snapshot!(flaws::<CapacityProvider>(wrong), @r"
        E0258 name: `ecs-shop` begins with `aws`, `ecs` or `fargate`, as no capacity provider's name does
        E0258 managed-scaling.target-capacity: `target-capacity` is at least 1
        E0258 managed-termination-protection: termination protection needs managed scaling
        ");
    }

    #[test]
    fn what_is_written_is_read_again() {
        let spec = json!({
            "name": "shop", "cluster": "c", "auto-scaling-group-arn": "a",
            "managed-scaling": { "enabled": true, "target-capacity": 90 },
            "managed-termination-protection": true, "managed-draining": false,
        });
        let spec: CapacityProvider = serde_json::from_value(spec).unwrap();
        let told = Description::builder().name("shop").auto_scaling_group_provider(spec.provider());
        assert_eq!(CapacityProvider::read(&told.build(), "c"), spec);
    }

    #[test]
    fn states_are_conditions_and_the_deleted_are_not_there() {
        let of = |status: &str, update: &str| {
            let told = Description::builder().status(status.into()).update_status(update.into());
            condition(&told.build())
        };
        assert_eq!(of("ACTIVE", "UPDATE_COMPLETE"), Some(Condition::Ready));
        assert_eq!(of("ACTIVE", "DELETE_FAILED"), Some(Condition::Ready));
        assert!(matches!(of("ACTIVE", "UPDATE_IN_PROGRESS"), Some(Condition::Settling(_))));
        assert!(matches!(of("ACTIVE", "DELETE_IN_PROGRESS"), Some(Condition::Leaving(_))));
        assert!(matches!(of("ACTIVE", "CREATE_FAILED"), Some(Condition::Broken(_))));
        assert_eq!(of("INACTIVE", "DELETE_COMPLETE"), None);
    }
}
