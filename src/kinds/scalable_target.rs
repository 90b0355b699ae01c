//! `scalable-target`: that the task count of an ECS service is scaled, and within which bounds.

use std::collections::BTreeSet;

use aws_sdk_applicationautoscaling::types as sdk;
use aws_sdk_applicationautoscaling::types::{
    ScalableDimension, ScalableTarget as Description, ServiceNamespace,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::listing::own;
use super::scaling::resource_id;
use crate::cloud::aws::numbers::{int, number};
use crate::cloud::aws::{Aws, batched, concurrently, linked, tags};
use crate::kind::{
    About, Check, Condition, Cx, Error, Forgive as _, Heed, Kind, Made, MovedBy, Moves, Observed,
    Result, Sought, TagChange, Tags,
};

/// The bounds within which the task count of an ECS service is scaled: of Application Auto Scaling the
/// service namespace `ecs` and the dimension `ecs:service:DesiredCount`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ScalableTarget {
    /// The ARN of the service.
    #[schemars(extend("x-replaces" = true))]
    #[schemars(extend("examples" = ["${service.web.arn}"]))]
    pub service: String,
    /// The least count; may be 0. What a `scheduled-action` has made of it stays.
    pub min_capacity: u32,
    /// The greatest count. What a `scheduled-action` has made of it stays.
    pub max_capacity: u32,
    /// What does not scale for now.
    #[serde(default)]
    pub suspended_state: Suspended,
}

/// What does not scale for now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Suspended {
    /// Policies take no tasks away.
    pub dynamic_scaling_in_suspended: bool,
    /// Policies add no tasks.
    pub dynamic_scaling_out_suspended: bool,
    /// Scheduled actions do nothing.
    pub scheduled_scaling_suspended: bool,
}

/// What others may refer to.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Outputs {
    /// Its ARN.
    pub id: String,
    /// Its ARN.
    pub arn: String,
    /// `service/<cluster>/<service>`: what policies and scheduled actions belong to.
    pub resource_id: String,
}

const fn by_schedule(field: &'static str) -> MovedBy {
    let how = Moves::Number { within: (field, field), heed: Heed::Declared };
    MovedBy { field, by: "scheduled-action", how }
}

impl Kind for ScalableTarget {
    const NAME: &'static str = "scalable-target";
    const ABOUT: About = About {
        exclusive: &["service"],
        observed_after: &["service"],
        mentioned_as: &["id", "arn", "resource-id"],
        moved_by: &[by_schedule("min-capacity"), by_schedule("max-capacity")],
        ..About::DEFAULT
    };

    type Outputs = Outputs;

    fn check(&self, check: &mut Check<'_>) {
        let (least, most) = (self.min_capacity, self.max_capacity);
        if most < least {
            let title = format!("a count from {least} to {most} is none");
            check.error_with("E0280", "max-capacity", title, "write the greater number last");
        }
    }

    /// By the services they scale, fifty a call. Only what the index of tags knows besides, because its
    /// service is gone, takes a listing of everything.
    async fn observe(aws: &Aws, sought: &Sought<'_>) -> Result<Vec<Observed<Self>>> {
        let owned = aws.owned(sought.stack).await?;
        let wanted = sought.wanted.iter().filter_map(|want| want.spec.text("service"));
        let wanted: BTreeSet<&str> = wanted.map(resource_id).collect();
        let services = own(sought, "service").into_iter().map(resource_id);
        let ids: BTreeSet<&str> = services.chain(wanted.iter().copied()).collect();
        let ids: Vec<String> = ids.into_iter().map(str::to_owned).collect();
        let mut found = batched(&ids, PORTION, |ids| describe(aws, ids)).await?;
        let known = || owned.arns("application-autoscaling", "scalable-target/");
        if known().any(|arn| found.iter().all(|one| one.scalable_target_arn() != Some(arn))) {
            let mut rest = describe(aws, &[]).await?;
            let is_new = |one: &Description| ids.iter().all(|id| id != one.resource_id());
            rest.retain(|one| {
                is_new(one) && known().any(|it| one.scalable_target_arn() == Some(it))
            });
            found.extend(rest);
        }
        let owned = &owned;
        let observed = concurrently(&found, |one| async move {
            let arn = arn(one)?;
            let tags = match owned.tags(arn) {
                Some(tags) => tags.clone(),
                None => read_tags(aws, arn).await?,
            };
            Ok(Observed {
                earlier: Vec::new(),
                id: arn.to_owned(),
                live: Self::from(one),
                outputs: outputs(arn, one.resource_id()),
                tags,
                condition: Condition::Ready,
            })
        });
        let mut observed = observed.await?;
        observed.retain(|one| {
            sought.is_ours(&one.tags) || wanted.contains(one.outputs.resource_id.as_str())
        });
        Ok(observed)
    }

    /// RegisterScalableTarget changes the one that is there, so it is looked at first. One that this takes
    /// the place of goes first: it may stand for a service of the same name that is no more.
    async fn create(&self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        let resource = resource_id(&self.service);
        if let Some(there) = find(cx.aws, resource).await? {
            let arn = arn(&there)?;
            if !cx.beside.iter().any(|old| old == arn) {
                cx.require_ours(&read_tags(cx.aws, arn).await?)?;
                return Ok(Made::new(arn, outputs(arn, resource)));
            }
            deregister(cx.aws, resource).await?;
        }
        let call = cx.aws.scaling.register_scalable_target();
        let call = call
            .service_namespace(ServiceNamespace::Ecs)
            .scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
            .resource_id(resource)
            .min_capacity(int(self.min_capacity))
            .max_capacity(int(self.max_capacity))
            .suspended_state(self.suspended_state.write())
            .set_tags(Some(cx.tags.clone().into_iter().collect()));
        let make = async { call.send().await.map_err(|error| Error::from(error).while_creating()) };
        let made = cx.aws.linked(&[linked::SCALING], make).await?;
        let arn = made.scalable_target_arn().ok_or_else(incomplete)?;
        Ok(Made::new(arn, outputs(arn, resource)))
    }

    /// RegisterScalableTarget leaves alone what it is not told.
    async fn update(&self, was: &Self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        let resource = resource_id(&self.service);
        let suspended =
            (self.suspended_state != was.suspended_state).then_some(self.suspended_state);
        let min = Some(self.min_capacity).filter(|min| *min != was.min_capacity);
        let max = Some(self.max_capacity).filter(|max| *max != was.max_capacity);
        let call = cx.aws.scaling.register_scalable_target();
        call.service_namespace(ServiceNamespace::Ecs)
            .scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
            .resource_id(resource)
            .set_min_capacity(min.map(int))
            .set_max_capacity(max.map(int))
            .set_suspended_state(suspended.map(Suspended::write))
            .send()
            .await
            .map_err(|error| Error::from(error).while_creating())?;
        Ok(Made::new(cx.id, outputs(cx.id, resource)))
    }

    /// DeregisterScalableTarget, unless another one has taken its place.
    async fn delete(was: &Self, cx: &Cx<'_>) -> Result<()> {
        let resource = resource_id(&was.service);
        match find(cx.aws, resource).await? {
            Some(there) if arn(&there)? == cx.id => deregister(cx.aws, resource).await,
            _ => Ok(()),
        }
    }

    async fn tag(cx: &Cx<'_>, change: &TagChange) -> Result<()> {
        let scaling = &cx.aws.scaling;
        if !change.set.is_empty() {
            let set = Some(change.set.clone().into_iter().collect());
            scaling.tag_resource().resource_arn(cx.id).set_tags(set).send().await?;
        }
        if !change.unset.is_empty() {
            let keys = Some(tags::unset(change));
            scaling.untag_resource().resource_arn(cx.id).set_tag_keys(keys).send().await?;
        }
        Ok(())
    }
}

impl Suspended {
    fn write(self) -> sdk::SuspendedState {
        sdk::SuspendedState::builder()
            .dynamic_scaling_in_suspended(self.dynamic_scaling_in_suspended)
            .dynamic_scaling_out_suspended(self.dynamic_scaling_out_suspended)
            .scheduled_scaling_suspended(self.scheduled_scaling_suspended)
            .build()
    }
}

impl From<&Description> for ScalableTarget {
    fn from(one: &Description) -> Self {
        let suspended = one.suspended_state();
        let is = |told: fn(&sdk::SuspendedState) -> Option<bool>| {
            suspended.and_then(told).unwrap_or_default()
        };
        Self {
            service: service(one),
            min_capacity: number(one.min_capacity()),
            max_capacity: number(one.max_capacity()),
            suspended_state: Suspended {
                dynamic_scaling_in_suspended: is(|it| it.dynamic_scaling_in_suspended()),
                dynamic_scaling_out_suspended: is(|it| it.dynamic_scaling_out_suspended()),
                scheduled_scaling_suspended: is(|it| it.scheduled_scaling_suspended()),
            },
        }
    }
}

/// How many resource ids DescribeScalableTargets takes.
const PORTION: usize = 50;

/// DescribeScalableTargets; without ids, all there are of ECS.
async fn describe(aws: &Aws, ids: &[String]) -> Result<Vec<Description>> {
    let call = aws.scaling.describe_scalable_targets().service_namespace(ServiceNamespace::Ecs);
    let call = call.set_resource_ids(Some(ids.to_vec()).filter(|ids| !ids.is_empty()));
    let mut found: Vec<Description> =
        call.into_paginator().items().send().try_collect().await.map_err(Error::from)?;
    found.retain(|one| *one.scalable_dimension() == ScalableDimension::EcsServiceDesiredCount);
    Ok(found)
}

async fn find(aws: &Aws, resource: &str) -> Result<Option<Description>> {
    Ok(describe(aws, &[resource.to_owned()]).await?.pop())
}

/// Its policies and scheduled actions go with it.
async fn deregister(aws: &Aws, resource: &str) -> Result<()> {
    let call = aws.scaling.deregister_scalable_target();
    let call = call.service_namespace(ServiceNamespace::Ecs).resource_id(resource);
    let call = call.scalable_dimension(ScalableDimension::EcsServiceDesiredCount);
    call.send().await.map_err(Error::from).absent_is_fine()
}

async fn read_tags(aws: &Aws, arn: &str) -> Result<Tags> {
    let found = aws.scaling.list_tags_for_resource().resource_arn(arn).send().await?;
    let pairs = found.tags().into_iter().flatten();
    Ok(tags::collect(pairs.map(|(key, value)| (key.as_str(), value.as_str()))))
}

/// The ARN of the service: in the account, region and partition of the scalable target's own.
fn service(one: &Description) -> String {
    let arn = one.scalable_target_arn().unwrap_or_default();
    match arn.splitn(6, ':').collect::<Vec<_>>().as_slice() {
        [arn, partition, _, region, account, _] => {
            format!("{arn}:{partition}:ecs:{region}:{account}:{}", one.resource_id())
        }
        _ => one.resource_id().to_owned(),
    }
}

fn arn(one: &Description) -> Result<&str> {
    one.scalable_target_arn().ok_or_else(incomplete)
}

fn incomplete() -> Error {
    Error::incomplete("the scalable target's ARN")
}

fn outputs(arn: &str, resource: &str) -> Outputs {
    Outputs { id: arn.to_owned(), arn: arn.to_owned(), resource_id: resource.to_owned() }
}

#[cfg(test)]
mod tests {
    use aws_sdk_applicationautoscaling::primitives::DateTime;
    use serde_json::json;

    use super::*;
    use crate::kinds::checked::{flaws, reads_back};

    #[test]
    fn declarations_read_back() {
        let service = "arn:aws:ecs:eu-west-1:1:service/main/web";
        reads_back::<ScalableTarget>(
            json!({ "service": service, "min-capacity": 0, "max-capacity": 1 }),
        );
        reads_back::<ScalableTarget>(json!({
            "service": service, "min-capacity": 3, "max-capacity": 12,
            "suspended-state": { "scheduled-scaling-suspended": true },
        }));
    }

    #[test]
    fn bounds_have_an_order() {
        insta::assert_snapshot!(
            flaws::<ScalableTarget>(json!({ "service": "s", "min-capacity": 3, "max-capacity": 2 })),
            @"E0280 max-capacity: a count from 3 to 2 is none"
        );
    }

    #[test]
    fn the_service_is_found_by_its_resource_id() {
        let told = Description::builder()
            .service_namespace(ServiceNamespace::Ecs)
            .scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
            .resource_id("service/main/web")
            .min_capacity(1)
            .max_capacity(2)
            .role_arn("role")
            .creation_time(DateTime::from_secs(0))
            .scalable_target_arn(
                "arn:aws-cn:application-autoscaling:cn-north-1:1:scalable-target/0a",
            )
            .build()
            .unwrap();
        let live = ScalableTarget::from(&told);
        assert_eq!(live.service, "arn:aws-cn:ecs:cn-north-1:1:service/main/web");
        assert_eq!(resource_id(&live.service), told.resource_id());
    }
}
