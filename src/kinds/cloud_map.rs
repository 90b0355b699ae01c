//! What the kinds of AWS Cloud Map share: listings of namespaces, operations that take their time, tags.

use std::time::Duration;

use aws_sdk_servicediscovery::types::{
    NamespaceFilter, NamespaceFilterName, NamespaceSummary, NamespaceType, OperationStatus,
    OperationTargetType, Tag,
};

use super::listing::Pick;
use crate::cloud::aws::{Aws, Owned, concurrently, tags};
use crate::kind::{After, Class, Cx, Error, Forgive as _, Ready, Result, TagChange, Tags};

/// What stands before an operation's id, where an ARN could stand as well.
const OPERATION: &str = "operation:";

/// An operation that makes a namespace, as [`finished`] takes it.
pub(super) fn begun(operation: Option<String>) -> Result<String> {
    let operation = operation.ok_or_else(|| Error::incomplete("an operation's id"))?;
    Ok(format!("{OPERATION}{operation}"))
}

/// The ARN of what the operation has made: only its end says it. An ARN is that of what is there already.
pub(super) async fn finished(aws: &Aws, begun: String) -> Result<String> {
    match begun.strip_prefix(OPERATION) {
        Some(operation) => arn(aws, &made_by(aws, operation).await?).await,
        // Its answer was lost, and the namespace is there.
        None => Ok(begun),
    }
}

/// The ARN of the namespace with the id, if it is this very one.
pub(super) async fn standing(cx: &Cx<'_>, id: &str) -> Result<String> {
    let arn = arn(cx.aws, id).await?;
    cx.require_ours(&read_tags(cx.aws, &arn).await?)?;
    Ok(arn)
}

/// ListNamespaces, a hundred a page: those of one type that are the stack's or stand under a wanted name. Their
/// tags are in the tagging API's listing, or are asked for.
pub(super) async fn namespaces(
    aws: &Aws,
    pick: &Pick<'_>,
    owned: &Owned,
    kind: NamespaceType,
) -> Result<Vec<(NamespaceSummary, Tags)>> {
    let filter = NamespaceFilter::builder().name(NamespaceFilterName::Type).values(kind.as_str());
    let filter = filter.build().expect("name and values are set");
    let mut pages = aws.discovery.list_namespaces().filters(filter).into_paginator().send();
    let mut candidates = Vec::new();
    while let Some(page) = pages.next().await {
        let found = page.map_err(Error::from)?.namespaces.unwrap_or_default();
        candidates.extend(found.into_iter().filter(|one| {
            one.arn().zip(one.name()).is_some_and(|(arn, name)| pick.may_concern(arn, name))
        }));
    }
    let arns: Vec<&str> = candidates.iter().map(|one| one.arn().unwrap_or_default()).collect();
    let tagged = all_tags(aws, owned, &arns).await?;
    let both = candidates.into_iter().zip(tagged);
    let concerns = |(one, tags): &(NamespaceSummary, Tags)| {
        one.name().is_some_and(|name| pick.concerns(name, tags))
    };
    Ok(both.filter(concerns).collect())
}

/// The tags of things of Cloud Map, in their order.
pub(super) async fn all_tags(aws: &Aws, owned: &Owned, arns: &[&str]) -> Result<Vec<Tags>> {
    concurrently(arns, |arn| async {
        match owned.tags(arn) {
            Some(tags) => Ok(tags.clone()),
            None => read_tags(aws, arn).await,
        }
    })
    .await
}

/// DeleteNamespace. While a service is in it: `ResourceInUse`.
pub(super) async fn delete_namespace(cx: &Cx<'_>) -> Result<()> {
    let call = cx.aws.discovery.delete_namespace().id(short(cx.id));
    match call.send().await.map_err(Error::from) {
        // An earlier attempt has begun it.
        Err(error) if error.is("DuplicateRequest") => Ok(()),
        sent => sent.absent_is_fine(),
    }
}

/// Whether a namespace is as it should be, or gone.
pub(super) async fn namespace_ready(cx: &Cx<'_>, after: After) -> Result<Ready> {
    match after {
        After::Change => changed(cx).await,
        After::Delete => match arn(cx.aws, short(cx.id)).await {
            Err(error) if error.class == Class::Absent => Ok(Ready::Yes),
            Err(error) => Err(error),
            Ok(_) => Ok(not_yet("being deleted")),
        },
    }
}

/// Whether the operation has come to its end that an update has begun.
pub(super) async fn changed(cx: &Cx<'_>) -> Result<Ready> {
    let Some(operation) = cx.watch else { return Ok(Ready::Yes) };
    match status(cx.aws, operation).await? {
        Status::Succeeded(_) => Ok(Ready::Yes),
        Status::UnderWay => Ok(not_yet("being changed")),
    }
}

fn not_yet(why: &str) -> Ready {
    Ready::NotYet { why: why.to_owned(), look_again: Duration::from_secs(2) }
}

/// How an operation of Cloud Map stands.
enum Status {
    /// It is done; with the namespace that it was about.
    Succeeded(Option<String>),
    /// It is not.
    UnderWay,
}

/// GetOperation.
async fn status(aws: &Aws, operation: &str) -> Result<Status> {
    let found = aws.discovery.get_operation().operation_id(operation).send().await;
    let found = found.map_err(Error::from)?.operation;
    let found = found.ok_or_else(|| Error::incomplete("the operation"))?;
    match found.status() {
        Some(OperationStatus::Success) => {
            let targets = found.targets();
            let target = targets.and_then(|all| all.get(&OperationTargetType::Namespace));
            Ok(Status::Succeeded(target.cloned()))
        }
        Some(OperationStatus::Fail) => {
            let why = found.error_message().unwrap_or("Cloud Map does not say why");
            Err(Error::new(Class::Other, why))
        }
        _ => Ok(Status::UnderWay),
    }
}

/// The id of the namespace that an operation has made.
async fn made_by(aws: &Aws, operation: &str) -> Result<String> {
    match status(aws, operation).await? {
        Status::Succeeded(id) => id.ok_or_else(|| Error::incomplete("the namespace's id")),
        // Only the operation's end says what others may refer to.
        Status::UnderWay => Err(Error::new(Class::Eventual, "Cloud Map is making the namespace")),
    }
}

/// GetNamespace: the ARN of the namespace with the id.
async fn arn(aws: &Aws, id: &str) -> Result<String> {
    let found = aws.discovery.get_namespace().id(id).send().await.map_err(Error::from)?;
    let arn = found.namespace.and_then(|namespace| namespace.arn);
    arn.ok_or_else(|| Error::incomplete("the namespace's ARN"))
}

/// The id at the end of the ARN.
pub(super) fn short(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or_default()
}

/// ListTagsForResource. What is asked about may have gone since it was listed.
pub(super) async fn read_tags(aws: &Aws, arn: &str) -> Result<Tags> {
    let call = aws.discovery.list_tags_for_resource().resource_arn(arn);
    match call.send().await.map_err(Error::from) {
        Ok(found) => Ok(tags::collect(found.tags().iter().map(|tag| (tag.key(), tag.value())))),
        Err(error) if error.class == Class::Absent => Ok(Tags::new()),
        Err(error) => Err(error),
    }
}

/// Tags of a create call.
pub(super) fn created(tags: &Tags) -> Option<Vec<Tag>> {
    tags::some(tags, tag)
}

/// TagResource and UntagResource.
pub(super) async fn change_tags(cx: &Cx<'_>, change: &TagChange) -> Result<()> {
    let discovery = &cx.aws.discovery;
    if !change.set.is_empty() {
        let set = tags::some(&change.set, tag);
        discovery.tag_resource().resource_arn(cx.id).set_tags(set).send().await?;
    }
    if !change.unset.is_empty() {
        let keys = Some(tags::unset(change));
        discovery.untag_resource().resource_arn(cx.id).set_tag_keys(keys).send().await?;
    }
    Ok(())
}

fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build().expect("key and value are set")
}
