//! `log-group`: a CloudWatch Logs log group.

use aws_sdk_cloudwatchlogs::types::LogGroup as Description;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::types::forms;
use super::types::outputs::Named as Outputs;
use crate::cloud::aws::{Aws, concurrently, tags};
use crate::kind::{
    About, Check, Class, Condition, Cx, Error, Forgive as _, Kind, Made, NameStyle, Naming,
    Observed, Result, Sought, StackId, TagChange, Tags,
};

/// A CloudWatch Logs log group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LogGroup {
    /// Its name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(extend("x-replaces" = true))]
    pub name: String,
    /// Days after which events expire; left out, whatever is set stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention_in_days: Option<u32>,
}

/// The retentions that PutRetentionPolicy accepts, in days.
const RETENTIONS: [u32; 23] = [
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653, 0,
];

impl Kind for LogGroup {
    const NAME: &'static str = "log-group";
    const ABOUT: About = About {
        naming: Some(Naming { max: 512, style: NameStyle::Rooted, suffix: false }),
        exclusive: &["name"],
        mentioned_as: &["id", "arn", "name"],
        ..About::DEFAULT
    };

    type Outputs = Outputs;

    fn check(&self, check: &mut Check<'_>) {
        if !self.name.is_empty() {
            check.form("E0230", "name", &self.name, forms::log_group);
        }
        if let Some(days) = self.retention_in_days.filter(|days| !RETENTIONS.contains(days)) {
            let next = RETENTIONS.iter().filter(|legal| **legal > days).min().unwrap_or(&3653);
            check
                .error_with(
                    "E0220",
                    "retention-in-days",
                    format!("log groups cannot keep events for {days} days"),
                    format!("{next} days are the next that CloudWatch Logs accepts"),
                )
                .alone = true;
        }
    }

    async fn observe(aws: &Aws, sought: &Sought<'_>) -> Result<Vec<Observed<Self>>> {
        let owned = aws.owned(sought.stack).await?;
        let by_tag = owned.arns("logs", "log-group:").filter_map(name_of);
        let found = describe(aws, sought.stack, &sought.names(by_tag)).await?;
        let owned = &owned;
        concurrently(&found, |group| async move {
            let arn = arn(group)?;
            // The tagging index lags: what it does not know yet is asked for itself.
            let tags = match owned.tags(arn) {
                Some(tags) => tags.clone(),
                None => read_tags(aws, arn).await?,
            };
            Ok(Observed {
                earlier: Vec::new(),
                id: arn.to_owned(),
                outputs: outputs(arn),
                live: Self::from(group),
                tags,
                condition: Condition::Ready,
            })
        })
        .await
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        let call = cx.aws.logs.create_log_group().log_group_name(&self.name);
        let call = call.set_tags(Some(cx.tags.clone().into_iter().collect()));
        let created = call.send().await.map_err(Error::from).exists_is_fine()?;
        let found = describe(cx.aws, cx.stack, std::slice::from_ref(&self.name)).await?;
        let group = found.first().ok_or_else(|| Error::new(Class::Eventual, "not visible yet"))?;
        let arn = arn(group)?;
        if created.is_none() {
            cx.require_ours(&read_tags(cx.aws, arn).await?)?;
        }
        self.put_retention(cx.aws).await?;
        Ok(Made::new(arn, outputs(arn)))
    }

    async fn update(&self, _was: &Self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        self.put_retention(cx.aws).await?;
        Ok(Made::new(cx.id, outputs(cx.id)))
    }

    async fn delete(was: &Self, cx: &Cx<'_>) -> Result<()> {
        let call = cx.aws.logs.delete_log_group().log_group_name(&was.name);
        call.send().await.map_err(Error::from).absent_is_fine()
    }

    async fn tag(cx: &Cx<'_>, change: &TagChange) -> Result<()> {
        let logs = &cx.aws.logs;
        if !change.set.is_empty() {
            let set = Some(change.set.clone().into_iter().collect());
            logs.tag_resource().resource_arn(cx.id).set_tags(set).send().await?;
        }
        if !change.unset.is_empty() {
            let keys = Some(tags::unset(change));
            logs.untag_resource().resource_arn(cx.id).set_tag_keys(keys).send().await?;
        }
        Ok(())
    }
}

impl LogGroup {
    /// PutRetentionPolicy, or DeleteRetentionPolicy for 0, *never expire*.
    async fn put_retention(&self, aws: &Aws) -> Result<()> {
        match self.retention_in_days {
            None => {}
            Some(0) => {
                aws.logs.delete_retention_policy().log_group_name(&self.name).send().await?;
            }
            Some(days) => {
                let days = i32::try_from(days).unwrap_or(i32::MAX);
                let call = aws.logs.put_retention_policy().log_group_name(&self.name);
                call.retention_in_days(days).send().await?;
            }
        }
        Ok(())
    }
}

impl From<&Description> for LogGroup {
    fn from(group: &Description) -> Self {
        let days = group.retention_in_days().unwrap_or(0);
        Self {
            name: group.log_group_name().unwrap_or_default().to_owned(),
            retention_in_days: Some(u32::try_from(days).unwrap_or(0)),
        }
    }
}

/// DescribeLogGroups: one listing for the stack's own prefix, and a call for each name elsewhere.
async fn describe(aws: &Aws, stack: &StackId, names: &[String]) -> Result<Vec<Description>> {
    let own = format!("/ecsctl/{}/{}/", stack.stack, stack.env);
    let mut prefixes: Vec<&str> = names.iter().map(String::as_str).collect();
    if names.len() > 1 && names.iter().any(|name| name.starts_with(&own)) {
        prefixes.retain(|name| !name.starts_with(&own));
        prefixes.push(&own);
    }
    let listings = concurrently(&prefixes, |prefix| async move {
        let call = aws.logs.describe_log_groups().log_group_name_prefix(*prefix);
        let mut pages = call.into_paginator().send();
        let mut groups = Vec::new();
        while let Some(page) = pages.next().await {
            groups.extend(page.map_err(Error::from)?.log_groups.unwrap_or_default());
        }
        Ok(groups)
    });
    let mut groups = listings.await?.concat();
    groups.retain(|group| names.iter().any(|name| Some(name.as_str()) == group.log_group_name()));
    Ok(groups)
}

/// ListTagsForResource.
async fn read_tags(aws: &Aws, arn: &str) -> Result<Tags> {
    let found = aws.logs.list_tags_for_resource().resource_arn(arn).send().await?;
    let pairs = found.tags().into_iter().flatten();
    Ok(tags::collect(pairs.map(|(key, value)| (key.as_str(), value.as_str()))))
}

/// The ARN as the tagging calls want it: DescribeLogGroups puts `:*` behind it.
fn arn(group: &Description) -> Result<&str> {
    let arn = group.log_group_arn().or_else(|| group.arn());
    arn.map(|arn| arn.trim_end_matches(":*")).ok_or_else(|| Error::incomplete("a log group's ARN"))
}

/// The name in `arn:aws:logs:<region>:<account>:log-group:<name>`.
fn name_of(arn: &str) -> Option<&str> {
    arn.trim_end_matches(":*").split_once(":log-group:").map(|(_, name)| name)
}

fn outputs(arn: &str) -> Outputs {
    Outputs::new(arn, name_of(arn).unwrap_or_default())
}
