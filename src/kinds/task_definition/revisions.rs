//! The revisions of families: finding the newest, registering, deleting.
//!
//! A revision never changes, so each is read once and then remembered by its ARN; a plan of a stack
//! that stands asks for none of them.

use std::collections::{BTreeMap, BTreeSet};

use aws_config::retry::RetryConfig;
use aws_sdk_ecs::types::{Failure, SortOrder, TaskDefinitionField, TaskDefinitionStatus};
use serde::{Deserialize, Serialize};

use super::{Outputs, TaskDefinition, api};
use crate::cloud::aws::{Aws, concurrently, tags};
use crate::kind::{
    Class, Condition, Cx, Error, Made, Observed, Result, Sought, TAG_ENV, TAG_ID, TAG_STACK,
    TagChange, Tags,
};

/// A revision as it is remembered.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Known {
    spec: TaskDefinition,
    tags: Tags,
}

/// What is known about a family before any call: the revision that a service runs, and the newest
/// one that the tagging index knows.
#[derive(Debug, Default, Clone, PartialEq)]
struct Traces {
    in_service: Option<u64>,
    /// All revisions that services run, by ARN.
    running: BTreeSet<String>,
    in_index: Option<u64>,
    /// The ARN without the revision.
    stem: Option<String>,
}

/// So many revisions of a family stay, whoever runs them: the newest ones (B22).
const WINDOW: usize = 10;
/// So many are deleted by one call. Page "DeleteTaskDefinitions".
const BATCH: usize = 10;

/// One object a family: its newest revision.
pub(super) async fn observe(
    aws: &Aws,
    sought: &Sought<'_>,
) -> Result<Vec<Observed<TaskDefinition>>> {
    let owned = aws.owned(sought.stack).await?;
    let running = sought.before.iter().filter_map(|live| live.spec.text("task-definition"));
    let traces = traces(running, owned.arns("ecs", "task-definition/"));
    let mine: BTreeSet<&str> =
        owned.arns("ecs", "task-definition/").filter_map(|arn| Some(parts(arn)?.1)).collect();
    let names: Vec<String> = sought.names(mine.iter().copied());
    let owned = &owned;
    let traces = &traces;
    let found = concurrently(&names, |family| async move {
        let trace = traces.get(family).cloned().unwrap_or_default();
        let Some((arn, known)) = newest(aws, family, &trace).await? else { return Ok(None) };
        let tags = owned.tags(&arn).cloned().unwrap_or(known.tags);
        let mut earlier = Vec::new();
        for old in trace.running.iter().filter(|old| **old != arn) {
            earlier.extend(recall(aws, old).await?.map(|(old, known)| (old, known.spec)));
        }
        Ok(Some(Observed {
            earlier,
            outputs: outputs(&arn),
            id: arn,
            live: known.spec,
            tags,
            condition: Condition::Ready,
        }))
    });
    Ok(found.await?.into_iter().flatten().collect())
}

/// By family, what services and index tell.
fn traces<'a>(
    running: impl Iterator<Item = &'a str>,
    indexed: impl Iterator<Item = &'a str>,
) -> BTreeMap<String, Traces> {
    let mut traces: BTreeMap<String, Traces> = BTreeMap::new();
    for (stem, family, revision) in running.filter_map(parts) {
        let trace = traces.entry(family.to_owned()).or_default();
        trace.in_service = trace.in_service.max(Some(revision));
        trace.running.insert(format!("{stem}:{revision}"));
        trace.stem = Some(stem.to_owned());
    }
    for (stem, family, revision) in indexed.filter_map(parts) {
        let trace = traces.entry(family.to_owned()).or_default();
        trace.in_index = trace.in_index.max(Some(revision));
        trace.stem = Some(stem.to_owned());
    }
    traces
}

/// The newest revision of a family that is not INACTIVE.
///
/// What a service runs is there, and need not be asked for again. The index remembers the deleted, so
/// a revision that only the index knows is looked at; and a family of which nothing is known, too:
/// it may be somebody else's.
async fn newest(aws: &Aws, family: &str, trace: &Traces) -> Result<Option<(String, Known)>> {
    let arn = |revision: u64| trace.stem.as_ref().map(|stem| format!("{stem}:{revision}"));
    if trace.in_service >= trace.in_index
        && let Some(arn) = trace.in_service.and_then(arn)
        && let Some(found) = recall(aws, &arn).await?
    {
        return Ok(Some(found));
    }
    if let Some(arn) = trace.in_index.and_then(arn)
        && let Some(found) = describe(aws, &arn).await?
    {
        return Ok(Some(found));
    }
    if let Some(found) = describe(aws, family).await? {
        return Ok(Some(found));
    }
    match trace.in_service.and_then(arn) {
        Some(arn) => recall(aws, &arn).await,
        None => Ok(None),
    }
}

/// The revision from memory, or else DescribeTaskDefinition.
async fn recall(aws: &Aws, arn: &str) -> Result<Option<(String, Known)>> {
    match remembered(aws, arn) {
        Some(known) => Ok(Some((arn.to_owned(), known))),
        None => describe(aws, arn).await,
    }
}

/// What is remembered. Only what was ACTIVE when it was read is.
fn remembered(aws: &Aws, arn: &str) -> Option<Known> {
    aws.cache.get(arn).and_then(|document| serde_json::from_value(document).ok())
}

/// DescribeTaskDefinition of one revision, or of a family's newest one that is ACTIVE. INACTIVE
/// revisions are not there.
async fn describe(aws: &Aws, name: &str) -> Result<Option<(String, Known)>> {
    let found = read(aws, name).await?;
    let active = found.filter(|(_, _, status)| *status == TaskDefinitionStatus::Active);
    Ok(active.map(|(arn, known, _)| (arn, known)))
}

async fn read(aws: &Aws, name: &str) -> Result<Option<(String, Known, TaskDefinitionStatus)>> {
    let call = aws.ecs.describe_task_definition().task_definition(name);
    let found = match call.include(TaskDefinitionField::Tags).send().await.map_err(Error::from) {
        Ok(found) => found,
        Err(error) if is_absent(&error) => return Ok(None),
        Err(error) => return Err(error),
    };
    let Some(definition) = found.task_definition() else { return Ok(None) };
    let arn = api::arn(definition)?;
    let spec = TaskDefinition::read(definition)?;
    let known = Known { spec, tags: tags::ecs::read(found.tags()) };
    let status = definition.status().cloned().unwrap_or(TaskDefinitionStatus::Active);
    if status == TaskDefinitionStatus::Active {
        remember(aws, arn, &known);
    }
    Ok(Some((arn.to_owned(), known, status)))
}

/// DescribeTaskDefinition has no error of its own for a family that is not there.
fn is_absent(error: &Error) -> bool {
    let unknown = error.message.to_lowercase().contains("unable to describe task definition");
    error.class == Class::Absent || (error.is("ClientException") && unknown)
}

fn remember(aws: &Aws, arn: &str, known: &Known) {
    if let Ok(document) = serde_json::to_value(known) {
        aws.cache.put(arn, document);
    }
}

/// RegisterTaskDefinition, unless the family's newest revision is this very one: registering takes no
/// token, and an attempt whose reply was lost must not leave a second revision behind.
pub(super) async fn register(spec: &TaskDefinition, cx: &Cx<'_>) -> Result<Made<Outputs>> {
    let earlier = newest_first(cx.aws, &spec.name).await?;
    if let Some(latest) = earlier.first()
        && let Some((arn, known)) = recall(cx.aws, latest).await?
        && known.spec == *spec
        && known.tags == *cx.tags
    {
        return Ok(Made::new(&arn, outputs(&arn)));
    }
    let call = api::call(&cx.aws.ecs, spec).set_tags(tags::some(cx.tags, tags::ecs::tag));
    // Not by the SDK either: the next attempt looks first.
    let once = aws_sdk_ecs::config::Config::builder().retry_config(RetryConfig::disabled());
    let made = call.customize().config_override(once).send().await;
    let made = made.map_err(|error| Error::from(error).while_creating())?;
    let definition = made.task_definition();
    let definition = definition.ok_or_else(|| Error::incomplete("the task definition"))?;
    let arn = api::arn(definition)?;
    let known = Known { spec: TaskDefinition::read(definition)?, tags: cx.tags.clone() };
    remember(cx.aws, arn, &known);
    // It is no part of what was asked for: trouble with it is left to the next revision.
    if let Err(error) = clear_away(&earlier, cx).await {
        tracing::warn!(%error, family = spec.name, "old revisions were not cleared away");
    }
    Ok(Made::new(arn, outputs(arn)))
}

/// ListTaskDefinitions: the newest ACTIVE revisions of exactly this family, and of those behind the window as many as
/// are cleared away at once. However many there are, one page tells.
async fn newest_first(aws: &Aws, family: &str) -> Result<Vec<String>> {
    let call = aws.ecs.list_task_definitions().family_prefix(family).sort(SortOrder::Desc);
    let most = i32::try_from(WINDOW + BATCH).unwrap_or(i32::MAX);
    let listed = call.status(TaskDefinitionStatus::Active).max_results(most).send().await?;
    let mut arns = listed.task_definition_arns.unwrap_or_default();
    arns.retain(|arn| parts(arn).is_some_and(|(_, found, _)| found == family));
    Ok(arns)
}

/// Clears away what lies behind the newest revisions, one of which was just registered. What a service or a schedule of
/// the stack names stays, and what carries no tags of ours; no call is made to find out.
async fn clear_away(earlier: &[String], cx: &Cx<'_>) -> Result<()> {
    let behind = earlier.iter().skip(WINDOW - 1);
    let used = cx.aws.spared().await;
    let owned = cx.aws.owned(cx.stack).await?;
    let is_ours = |arn: &str| owned.tags(arn).is_some_and(|tags| cx.require_ours(tags).is_ok());
    let old = behind.filter(|arn| !used.contains(*arn) && is_ours(arn));
    let old: Vec<String> = old.take(BATCH).cloned().collect();
    deregister(cx.aws, &old).await?;
    delete_inactive(cx.aws, &old).await
}

async fn deregister(aws: &Aws, arns: &[String]) -> Result<()> {
    let each = concurrently(arns, |arn| async move {
        aws.ecs.deregister_task_definition().task_definition(arn).send().await?;
        Ok(())
    });
    each.await.map(drop)
}

/// DeleteTaskDefinitions. What somebody still runs goes when they are done with it.
async fn delete_inactive(aws: &Aws, arns: &[String]) -> Result<()> {
    for chunk in arns.chunks(BATCH) {
        let call = aws.ecs.delete_task_definitions();
        let reply = call.set_task_definitions(Some(chunk.to_vec())).send().await?;
        // What is gone already was deleted by an attempt whose reply was lost.
        let gone = |failure: &&Failure| failure.reason().is_some_and(|it| it.contains(GONE));
        if let Some(failure) = reply.failures().iter().find(|failure| !gone(failure)) {
            let reason = failure.detail().or(failure.reason()).unwrap_or("no reason given");
            let arn = failure.arn().unwrap_or("a task definition");
            return Err(Error::new(Class::Other, format!("{arn} was not deleted: {reason}")));
        }
    }
    Ok(())
}

/// Deregisters and then deletes every revision of the family that carries this resource's tags.
/// Deregistered ones are listed too: an earlier attempt may have come only so far.
pub(super) async fn delete(family: &str, cx: &Cx<'_>) -> Result<()> {
    let active = ours(list(cx.aws, family, TaskDefinitionStatus::Active).await?, cx).await?;
    deregister(cx.aws, &active).await?;
    let inactive = list(cx.aws, family, TaskDefinitionStatus::Inactive).await?;
    let inactive: Vec<String> = inactive.into_iter().filter(|arn| !active.contains(arn)).collect();
    let mut doomed = ours(inactive, cx).await?;
    doomed.extend(active);
    delete_inactive(cx.aws, &doomed).await
}

/// What DeleteTaskDefinitions says of a revision that it does not find.
const GONE: &str = "task definition does not exist";

/// ListTaskDefinitions, page by page. `familyPrefix` means exactly this family on AWS, and a prefix
/// elsewhere.
async fn list(aws: &Aws, family: &str, status: TaskDefinitionStatus) -> Result<Vec<String>> {
    let call = aws.ecs.list_task_definitions().family_prefix(family).status(status);
    let mut pages = call.into_paginator().send();
    let mut arns = Vec::new();
    while let Some(page) = pages.next().await {
        arns.extend(page.map_err(Error::from)?.task_definition_arns.unwrap_or_default());
    }
    arns.retain(|arn| parts(arn).is_some_and(|(_, found, _)| found == family));
    Ok(arns)
}

/// Those that are this resource's: by the index, or by a look at the revision.
async fn ours(arns: Vec<String>, cx: &Cx<'_>) -> Result<Vec<String>> {
    let owned = cx.aws.owned(cx.stack).await?;
    let owned = &owned;
    let address = cx.address.to_string();
    let marks = [(TAG_STACK, &cx.stack.stack), (TAG_ENV, &cx.stack.env), (TAG_ID, &address)];
    let is_ours = |tags: &Tags| marks.iter().all(|(key, mark)| tags.get(*key) == Some(mark));
    let is_ours = &is_ours;
    let checked = concurrently(&arns, |arn| async move {
        match owned.tags(arn) {
            Some(tags) => Ok(is_ours(tags)),
            // Not by `recall`, which passes over what is deregistered already.
            None => Ok(read(cx.aws, arn).await?.is_some_and(|(_, known, _)| is_ours(&known.tags))),
        }
    });
    let checked = checked.await?;
    Ok(arns.into_iter().zip(checked).filter(|(_, ours)| *ours).map(|(arn, _)| arn).collect())
}

/// TagResource and UntagResource on the revision, and the same in memory.
pub(super) async fn tag(cx: &Cx<'_>, change: &TagChange) -> Result<()> {
    tags::ecs::change(cx.aws, cx.id, change).await?;
    if let Some(known) = remembered(cx.aws, cx.id) {
        remember(cx.aws, cx.id, &Known { tags: cx.tags.clone(), ..known });
    }
    Ok(())
}

/// `(arn without revision, family, revision)` of `arn:…:task-definition/<family>:<revision>`.
fn parts(arn: &str) -> Option<(&str, &str, u64)> {
    let (stem, revision) = arn.rsplit_once(':')?;
    let family = stem.split_once(":task-definition/")?.1;
    Some((stem, family, revision.parse().ok()?))
}

fn outputs(arn: &str) -> Outputs {
    let revision = arn.rsplit('/').next().unwrap_or_default().to_owned();
    let family = revision.split(':').next().unwrap_or_default().to_owned();
    Outputs { id: arn.to_owned(), arn: arn.to_owned(), family, revision }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEM: &str = "arn:aws:ecs:eu-west-1:123456789012:task-definition/shop-prod-web";

    #[test]
    fn the_newest_revision_is_the_greatest_number_and_not_the_last_text() {
        let arns: Vec<String> = [9, 10, 2].map(|n| format!("{STEM}:{n}")).to_vec();
        let running = format!("{STEM}:9");
        let found = traces([running.as_str()].into_iter(), arns.iter().map(String::as_str));
        let trace = &found["shop-prod-web"];
        assert_eq!((trace.in_service, trace.in_index), (Some(9), Some(10)));
        assert_eq!(trace.stem.as_deref(), Some(STEM));
    }

    #[test]
    fn what_is_no_revision_leaves_no_trace() {
        let texts =
            ["", "web", "arn:aws:ecs:r:1:service/c/web", "arn:aws:ecs:r:1:task-definition/web"];
        assert_eq!(traces(texts.into_iter(), std::iter::empty()), BTreeMap::new());
    }

    #[test]
    fn outputs_name_family_and_revision() {
        let outputs = outputs(&format!("{STEM}:41"));
        assert_eq!(outputs.revision, "shop-prod-web:41");
        assert_eq!(outputs.family, "shop-prod-web");
    }
}
