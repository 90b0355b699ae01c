//! `schedule-group`: a group of EventBridge Scheduler. It carries the tags that schedules cannot have.

use std::time::Duration;

use aws_sdk_scheduler::types::{ScheduleGroupState as State, Tag};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::types::outputs::Named as Outputs;
use crate::cloud::aws::{Aws, concurrently, tags};
use crate::kind::{
    About, After, Check, Class, Condition, Cx, Error, Forgive as _, Kind, Made, NameStyle, Naming,
    Observed, Ready, Result, Sought, StackId, TagChange, Tags,
};

/// A group of EventBridge Scheduler, in which a stack's schedules lie.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ScheduleGroup {
    /// Its name: up to 64 letters, digits and `-_.`. It begins with `<stack>-<env>`, for it is there that
    /// a stack's groups are looked for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(extend("x-replaces" = true))]
    pub name: String,
}

/// The longest name. Page "CreateScheduleGroup".
const LONGEST: usize = 64;

impl Kind for ScheduleGroup {
    const NAME: &'static str = "schedule-group";
    const ABOUT: About = About {
        exclusive: &["name"],
        naming: Some(Naming { max: LONGEST, style: NameStyle::Dashed, suffix: false }),
        mentioned_as: &["id", "arn", "name"],
        ..About::DEFAULT
    };

    type Outputs = Outputs;

    fn check(&self, check: &mut Check<'_>) {
        let legal = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if self.name.contains("${") || self.name.is_empty() {
            return;
        }
        if self.name.len() > LONGEST || !self.name.chars().all(legal) {
            let title =
                format!("`{}` is not a name of up to 64 letters, digits and `-_.`", self.name);
            check.error("E0230", "name", title).alone = true;
        }
        let root = start(check.stack);
        if !self.name.starts_with(&root) {
            let title = format!("the name `{}` is not one of this stack's", self.name);
            let hint = format!("leave it out, or write one that begins with `{root}`");
            check.error_with("E0230", "name", title, hint).alone = true;
        }
    }

    /// ListScheduleGroups: a stack's groups are those that begin with its name and carry its tags; a
    /// wanted one may be somebody else's.
    async fn observe(aws: &Aws, sought: &Sought<'_>) -> Result<Vec<Observed<Self>>> {
        let pages = aws.scheduler.list_schedule_groups().name_prefix(start(sought.stack));
        let mut pages = pages.into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(group) = pages.next().await {
            let group = group.map_err(Error::from)?;
            found.extend(group.arn.zip(group.name).map(|it| (it, group.state)));
        }
        concurrently(&found, |((arn, name), state)| async move {
            Ok(Observed {
                earlier: Vec::new(),
                id: arn.clone(),
                live: Self { name: name.clone() },
                outputs: Outputs::of(arn),
                tags: read_tags(aws, arn).await?,
                condition: condition(state.as_ref()),
            })
        })
        .await
    }

    /// CreateScheduleGroup. The name is free again only when a namesake is gone with all its schedules.
    async fn create(&self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        let scheduler = &cx.aws.scheduler;
        let call = scheduler.create_schedule_group().name(&self.name).client_token(cx.token);
        let sent = call.set_tags(tags::some(cx.tags, tag)).send().await.map_err(Error::from);
        let taken = |error: &Error| error.is("ConflictException");
        let arn = match sent {
            Ok(made) => made.schedule_group_arn,
            Err(error) if taken(&error) => self.standing(cx, error).await?,
            Err(error) => return Err(error),
        };
        Ok(Made::new(&arn, Outputs::of(&arn)))
    }

    async fn update(&self, _was: &Self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        Ok(Made::new(cx.id, Outputs::of(cx.id)))
    }

    async fn delete(was: &Self, cx: &Cx<'_>) -> Result<()> {
        let call = cx.aws.scheduler.delete_schedule_group().name(&was.name);
        call.client_token(cx.token).send().await.map_err(Error::from).absent_is_fine()
    }

    async fn tag(cx: &Cx<'_>, change: &TagChange) -> Result<()> {
        let scheduler = &cx.aws.scheduler;
        if !change.set.is_empty() {
            let set = tags::some(&change.set, tag);
            scheduler.tag_resource().resource_arn(cx.id).set_tags(set).send().await?;
        }
        if !change.unset.is_empty() {
            let keys = Some(tags::unset(change));
            scheduler.untag_resource().resource_arn(cx.id).set_tag_keys(keys).send().await?;
        }
        Ok(())
    }

    /// DeleteScheduleGroup takes the schedules with it, one after the other.
    async fn ready(cx: &Cx<'_>, after: After) -> Result<Ready> {
        let name = cx.id.rsplit('/').next().unwrap_or_default();
        let why = match (after, state(cx.aws, name).await?) {
            (After::Change, Some((_, State::Active))) | (After::Delete, None) => {
                return Ok(Ready::Yes);
            }
            (After::Delete, Some(_)) => "being deleted",
            (After::Change, _) => "not visible yet",
        };
        Ok(Ready::NotYet { why: why.to_owned(), look_again: Duration::from_secs(2) })
    }
}

impl ScheduleGroup {
    /// The group that has the name already, if it is this very one.
    async fn standing(&self, cx: &Cx<'_>, taken: Error) -> Result<String> {
        match state(cx.aws, &self.name).await? {
            Some((arn, State::Active)) => {
                cx.require_ours(&read_tags(cx.aws, &arn).await?)?;
                Ok(arn)
            }
            _ => Err(Error { class: Class::InUse, ..taken }),
        }
    }
}

/// GetScheduleGroup: its ARN and how it is.
async fn state(aws: &Aws, name: &str) -> Result<Option<(String, State)>> {
    let call = aws.scheduler.get_schedule_group().name(name);
    match call.send().await.map_err(Error::from) {
        Ok(found) => Ok(found.arn.zip(found.state)),
        Err(error) if error.class == Class::Absent => Ok(None),
        Err(error) => Err(error),
    }
}

/// ListTagsForResource. A group may have gone since it was listed.
async fn read_tags(aws: &Aws, arn: &str) -> Result<Tags> {
    let call = aws.scheduler.list_tags_for_resource().resource_arn(arn);
    match call.send().await.map_err(Error::from) {
        Ok(found) => Ok(tags::collect(found.tags().iter().map(|tag| (tag.key(), tag.value())))),
        Err(error) if error.class == Class::Absent => Ok(Tags::new()),
        Err(error) => Err(error),
    }
}

fn condition(state: Option<&State>) -> Condition {
    match state {
        Some(State::Deleting) => Condition::Leaving("being deleted".to_owned()),
        _ => Condition::Ready,
    }
}

/// What a stack's names begin with. What AWS's limit bites is cut further on and ends in a digest.
fn start(stack: &StackId) -> String {
    let mut start = stack.prefix();
    start.truncate(20);
    start
}

fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build().expect("key and value are set")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::checked::{flaws, reads_back};

    #[test]
    fn it_reads_back() {
        reads_back::<ScheduleGroup>(json!({ "name": "shop-prod-main" }));
    }

    #[test]
    fn what_would_not_be_found_again_is_refused() {
        insta::assert_snapshot!(flaws::<ScheduleGroup>(json!({ "name": "nightly jobs" })), @"
        E0230 name: `nightly jobs` is not a name of up to 64 letters, digits and `-_.`
        E0230 name: the name `nightly jobs` is not one of this stack's
        ");
        assert_eq!(flaws::<ScheduleGroup>(json!({ "name": "shop-prod-nightly" })), "");
    }
}
