//! `scheduled-action`: when the bounds of a scalable target change by the clock.

use aws_sdk_applicationautoscaling::primitives::{DateTime, DateTimeFormat};
use aws_sdk_applicationautoscaling::types::{
    ScalableDimension, ScalableTargetAction, ScheduledAction as Description, ServiceNamespace,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::scaling::Parts;
use super::types::outputs::Named as Outputs;
use crate::cloud::aws::numbers::{int, number};
use crate::cloud::aws::{Aws, concurrently};
use crate::kind::{
    About, Check, Condition, Cx, Error, Forgive as _, Kind, Made, NameStyle, Naming, Observed,
    Remains, Result, Sought, TagChange,
};

/// A scheduled action of a scalable target. It has no tags: whatever is on a scalable target of the stack
/// is the stack's, and goes when nobody declares it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("x-whole" = true))]
pub struct ScheduledAction {
    /// Its name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(extend("x-replaces" = true))]
    pub name: String,
    /// The resource id of its scalable target.
    #[schemars(extend("x-replaces" = true))]
    #[schemars(extend("examples" = ["${scalable-target.web.resource-id}"]))]
    pub resource_id: String,
    /// When: `cron(0 8 ? * MON-FRI *)`, `rate(1 hour)` or `at(2027-01-01T00:00:00)`.
    #[schemars(extend("examples" = ["cron(0 8 ? * MON-FRI *)"]))]
    pub schedule: String,
    /// The time zone of `cron` and `at`, such as `Europe/Berlin`.
    #[serde(default = "utc")]
    pub timezone: String,
    /// The moment from which on it acts, in UTC: `2027-01-01T00:00:00Z`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time: Option<String>,
    /// The moment from which on it acts no more, in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_time: Option<String>,
    /// The least count from then on; left out, it stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_capacity: Option<u32>,
    /// The greatest count from then on; left out, it stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_capacity: Option<u32>,
}

fn utc() -> String {
    "UTC".to_owned()
}

impl Kind for ScheduledAction {
    const NAME: &'static str = "scheduled-action";
    const ABOUT: About = About {
        exclusive: &["resource-id", "name"],
        naming: Some(Naming { max: 256, style: NameStyle::Dashed, suffix: false }),
        observed_after: &["scalable-target"],
        remains: Remains::Untagged,
        ..About::DEFAULT
    };

    type Outputs = Outputs;

    fn check(&self, check: &mut Check<'_>) {
        let is_form = ["cron(", "rate(", "at("].iter().any(|it| self.schedule.starts_with(it));
        let is_schedule = is_form && self.schedule.ends_with(')');
        if !(is_schedule || self.schedule.contains("${")) {
            let title = format!("`{}` is no schedule", self.schedule);
            let hint =
                "write `cron(0 8 ? * MON-FRI *)`, `rate(1 hour)` or `at(2027-01-01T00:00:00)`";
            check.error_with("E0282", "schedule", title, hint).alone = true;
        }
        if let Some(fields) =
            self.schedule.strip_prefix("cron(").and_then(|it| it.strip_suffix(')'))
            && fields.split_whitespace().count() != 6
            && !fields.contains("${")
        {
            let title = "a cron expression has six fields: minutes, hours, day of the month, month, day of the week, year";
            check.error("E0282", "schedule", title).alone = true;
        }
        for (field, time) in [("start-time", &self.start_time), ("end-time", &self.end_time)] {
            let is_moment = |text: &str| moment(text).and_then(told).as_deref() == Some(text);
            if time.as_deref().is_some_and(|text| !text.contains("${") && !is_moment(text)) {
                let hint = "write it in UTC, such as `2027-01-01T00:00:00Z`";
                let title = format!("`{field}` is no moment");
                check.error_with("E0282", field, title, hint).alone = true;
            }
        }
        match (self.min_capacity, self.max_capacity) {
            (None, None) => {
                let title = "the action changes nothing";
                let hint = "write `min-capacity`, `max-capacity` or both";
                check.error_with("E0282", "", title, hint);
            }
            (Some(least), Some(most)) if most < least => {
                let title = format!("a count from {least} to {most} is none");
                check.error("E0282", "max-capacity", title);
            }
            _ => {}
        }
    }

    async fn observe(aws: &Aws, sought: &Sought<'_>) -> Result<Vec<Observed<Self>>> {
        let parts = Parts::new(sought);
        let listings = parts.listings();
        let found = concurrently(&listings, |resource| list(aws, resource.clone())).await?.concat();
        let found = found.iter().filter(|one| parts.concern(one.resource_id()));
        let observed = found.map(|one| {
            let (arn, name) = (one.scheduled_action_arn(), one.scheduled_action_name());
            Observed {
                earlier: Vec::new(),
                id: arn.to_owned(),
                live: Self::from(one),
                outputs: Outputs::new(arn, name),
                tags: parts.tags::<Self>(one.resource_id(), name),
                condition: Condition::Ready,
            }
        });
        Ok(observed.collect())
    }

    /// PutScheduledAction changes the one that is there. One that this takes the place of goes first.
    async fn create(&self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        if !cx.beside.is_empty()
            && let Some(there) = find(cx.aws, self).await?
            && cx.beside.contains(&there)
        {
            remove(cx.aws, self).await?;
        }
        self.put(cx.aws).await?;
        let arn = find(cx.aws, self).await?;
        let arn = arn.ok_or_else(|| Error::new(crate::kind::Class::Eventual, "not visible yet"))?;
        let outputs = Outputs::new(&arn, &self.name);
        Ok(Made::new(arn, outputs))
    }

    async fn update(&self, _was: &Self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        self.put(cx.aws).await?;
        Ok(Made::new(cx.id, Outputs::new(cx.id, &self.name)))
    }

    /// DeleteScheduledAction, unless another one has taken its place.
    async fn delete(was: &Self, cx: &Cx<'_>) -> Result<()> {
        match find(cx.aws, was).await? {
            Some(there) if there == cx.id => remove(cx.aws, was).await,
            _ => Ok(()),
        }
    }

    async fn tag(_cx: &Cx<'_>, _change: &TagChange) -> Result<()> {
        Ok(())
    }
}

impl ScheduledAction {
    /// PutScheduledAction erases the times that it is not told.
    async fn put(&self, aws: &Aws) -> Result<()> {
        let action = ScalableTargetAction::builder()
            .set_min_capacity(self.min_capacity.map(int))
            .set_max_capacity(self.max_capacity.map(int))
            .build();
        let call = aws.scaling.put_scheduled_action();
        call.service_namespace(ServiceNamespace::Ecs)
            .scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
            .resource_id(&self.resource_id)
            .scheduled_action_name(&self.name)
            .schedule(&self.schedule)
            .timezone(&self.timezone)
            .set_start_time(self.start_time.as_deref().and_then(moment))
            .set_end_time(self.end_time.as_deref().and_then(moment))
            .scalable_target_action(action)
            .send()
            .await
            .map_err(|error| Error::from(error).while_creating())?;
        Ok(())
    }
}

impl From<&Description> for ScheduledAction {
    fn from(one: &Description) -> Self {
        let action = one.scalable_target_action();
        Self {
            name: one.scheduled_action_name().to_owned(),
            resource_id: one.resource_id().to_owned(),
            schedule: one.schedule().to_owned(),
            timezone: one.timezone().map_or_else(utc, str::to_owned),
            start_time: one.start_time().copied().and_then(told),
            end_time: one.end_time().copied().and_then(told),
            min_capacity: action.and_then(ScalableTargetAction::min_capacity).map(number),
            max_capacity: action.and_then(ScalableTargetAction::max_capacity).map(number),
        }
    }
}

/// Reads `2027-01-01T00:00:00Z`.
fn moment(text: &str) -> Option<DateTime> {
    DateTime::from_str(text, DateTimeFormat::DateTime).ok()
}

/// Writes `2027-01-01T00:00:00Z`.
fn told(moment: DateTime) -> Option<String> {
    moment.fmt(DateTimeFormat::DateTime).ok()
}

/// DescribeScheduledActions, of one resource or of all.
async fn list(aws: &Aws, resource: Option<String>) -> Result<Vec<Description>> {
    let call = aws.scaling.describe_scheduled_actions().service_namespace(ServiceNamespace::Ecs);
    let call = call.set_resource_id(resource);
    call.into_paginator().items().send().try_collect().await.map_err(Error::from)
}

/// The ARN of the action that has the name now.
async fn find(aws: &Aws, action: &ScheduledAction) -> Result<Option<String>> {
    let there = list(aws, Some(action.resource_id.clone())).await?;
    let there = there.into_iter().find(|one| one.scheduled_action_name() == action.name);
    Ok(there.map(|one| one.scheduled_action_arn().to_owned()))
}

async fn remove(aws: &Aws, action: &ScheduledAction) -> Result<()> {
    let call = aws.scaling.delete_scheduled_action().service_namespace(ServiceNamespace::Ecs);
    let call = call.scalable_dimension(ScalableDimension::EcsServiceDesiredCount);
    let call = call.resource_id(&action.resource_id).scheduled_action_name(&action.name);
    call.send().await.map_err(Error::from).absent_is_fine()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::checked::{flaws, reads_back};

    #[test]
    fn declarations_read_back() {
        reads_back::<ScheduledAction>(json!({
            "name": "night", "resource-id": "service/main/web", "schedule": "cron(0 20 * * ? *)",
            "timezone": "Europe/Berlin", "start-time": "2027-01-01T00:00:00Z", "min-capacity": 1,
        }));
    }

    #[test]
    fn what_aws_would_refuse_is_said_offline() {
        insta::assert_snapshot!(flaws::<ScheduledAction>(json!({
            "resource-id": "r", "schedule": "every day", "start-time": "2027-01-01T00:00:00+01:00",
        })), @"
        E0282 schedule: `every day` is no schedule
        E0282 start-time: `start-time` is no moment
        E0282 : the action changes nothing
        ");
        insta::assert_snapshot!(flaws::<ScheduledAction>(json!({
            "resource-id": "r", "schedule": "cron(0 20 * * *)", "min-capacity": 2, "max-capacity": 1,
        })), @"
        E0282 schedule: a cron expression has six fields: minutes, hours, day of the month, month, day of the week, year
        E0282 max-capacity: a count from 2 to 1 is none
        ");
    }
}
