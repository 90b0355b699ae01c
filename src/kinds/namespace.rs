//! `namespace`: an HTTP namespace of AWS Cloud Map, in which the services of Service Connect find each other.
//! What ECS makes in it for a service, it takes away again with the service.

use std::time::Duration;

use aws_sdk_servicediscovery::operation::create_http_namespace::CreateHttpNamespaceError as Refusal;
use aws_sdk_servicediscovery::types::{
    HttpNamespaceChange, NamespaceFilter, NamespaceFilterName, NamespaceSummary, OperationStatus,
    OperationTargetType, Tag,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::listing::Pick;
use super::types::outputs::Named as Outputs;
use crate::cloud::aws::{Aws, concurrently, tags};
use crate::kind::{
    About, After, Check, Class, Condition, Cx, Error, Forgive as _, Kind, Made, NameStyle, Naming,
    Observed, Ready, Result, Sought, TagChange, Tags,
};

/// An HTTP namespace of AWS Cloud Map, in which the services of Service Connect find each other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Namespace {
    /// Its name, which no other HTTP namespace of the account has in the region: letters, digits and
    /// punctuation, no blanks.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(extend("x-replaces" = true))]
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
}

/// The longest name. Page "CreateHttpNamespace".
const LONGEST: usize = 1024;
/// The longest description. Same page.
const LONGEST_DESCRIPTION: usize = 1024;

impl Kind for Namespace {
    const NAME: &'static str = "namespace";
    const ABOUT: About = About {
        seconds: 10,
        // Cloud Map lets go of a namespace when ECS has taken its services out of it.
        deadline: Duration::from_secs(15 * 60),
        exclusive: &["name"],
        naming: Some(Naming { max: 253, style: NameStyle::Dashed, suffix: false }),
        ..About::DEFAULT
    };

    type Outputs = Outputs;

    fn check(&self, check: &mut Check<'_>) {
        let is_legal = |c: char| c.is_ascii_graphic();
        let name = &self.name;
        if !name.contains("${")
            && (name.len() > LONGEST || !name.chars().all(is_legal) || name.starts_with("arn:"))
        {
            let title = format!("`{name}` is no name of a namespace");
            let hint = format!(
                "write up to {LONGEST} letters, digits and punctuation, without blanks, and not an ARN"
            );
            check.error_with("E0340", "name", title, hint).alone = true;
        }
        if self.description.chars().count() > LONGEST_DESCRIPTION {
            let title = format!("a description has at most {LONGEST_DESCRIPTION} characters");
            check.error("E0340", "description", title).alone = true;
        }
    }

    /// ListNamespaces, a hundred a page; their tags are in the tagging API's listing, or are asked for.
    async fn observe(aws: &Aws, sought: &Sought<'_>) -> Result<Vec<Observed<Self>>> {
        let owned = aws.owned(sought.stack).await?;
        let pick = Pick::new(sought, &owned, NameStyle::Dashed);
        let mut pages = aws.discovery.list_namespaces().filters(of_http()).into_paginator().send();
        let mut candidates = Vec::new();
        while let Some(page) = pages.next().await {
            let found = page.map_err(Error::from)?.namespaces.unwrap_or_default();
            candidates.extend(found.into_iter().filter(|one| {
                one.arn().zip(one.name()).is_some_and(|(arn, name)| pick.may_concern(arn, name))
            }));
        }
        let tagged = concurrently(&candidates, |one| async {
            let arn = one.arn().unwrap_or_default();
            match owned.tags(arn) {
                Some(tags) => Ok(tags.clone()),
                None => read_tags(aws, arn).await,
            }
        });
        let tagged = tagged.await?;
        let both = candidates.iter().zip(tagged);
        let ours = both
            .filter(|(one, tags)| one.name().is_some_and(|name| pick.concerns(name, tags)))
            .map(|(one, tags)| observed(one, tags));
        Ok(ours.collect())
    }

    /// CreateHttpNamespace begins an operation, and its end says which namespace it has made.
    async fn create(&self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        let begun = cx.aws.once::<Self>(cx, self.begin(cx)).await?;
        let arn = match begun.strip_prefix(OPERATION) {
            Some(operation) => arn(cx.aws, &made_by(cx.aws, operation).await?).await?,
            // Its answer was lost, and the namespace is there.
            None => begun,
        };
        Ok(Made::new(&arn, Outputs::new(&arn, &self.name)))
    }

    /// UpdateHttpNamespace.
    async fn update(&self, _was: &Self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        let change = HttpNamespaceChange::builder().description(&self.description).build();
        let change = change.expect("the description is set");
        let call = cx.aws.discovery.update_http_namespace().id(short(cx.id)).namespace(change);
        let begun = call.updater_request_id(cx.token).send().await.map_err(Error::from)?;
        let made = Made::new(cx.id, Outputs::new(cx.id, &self.name));
        Ok(Made { watch: begun.operation_id, ..made })
    }

    /// DeleteNamespace. While a service is in it: `ResourceInUse`.
    async fn delete(_was: &Self, cx: &Cx<'_>) -> Result<()> {
        let call = cx.aws.discovery.delete_namespace().id(short(cx.id));
        match call.send().await.map_err(Error::from) {
            // An earlier attempt has begun it.
            Err(error) if error.is("DuplicateRequest") => Ok(()),
            sent => sent.absent_is_fine(),
        }
    }

    async fn tag(cx: &Cx<'_>, change: &TagChange) -> Result<()> {
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

    async fn ready(cx: &Cx<'_>, after: After) -> Result<Ready> {
        let why = match (after, cx.watch) {
            (After::Change, None) => return Ok(Ready::Yes),
            (After::Change, Some(operation)) => match status(cx.aws, operation).await? {
                Status::Succeeded(_) => return Ok(Ready::Yes),
                Status::UnderWay => "being changed",
            },
            (After::Delete, _) => match arn(cx.aws, short(cx.id)).await {
                Err(error) if error.class == Class::Absent => return Ok(Ready::Yes),
                Err(error) => return Err(error),
                Ok(_) => "being deleted",
            },
        };
        Ok(Ready::NotYet { why: why.to_owned(), look_again: Duration::from_secs(2) })
    }
}

/// What stands before an operation's id, where an ARN could stand as well.
const OPERATION: &str = "operation:";

impl Namespace {
    /// The operation that makes it; or the ARN of the one that has the name, if it is this very one.
    async fn begin(&self, cx: &Cx<'_>) -> Result<String> {
        let call = cx.aws.discovery.create_http_namespace().name(&self.name);
        let call = call.creator_request_id(cx.token).description(&self.description);
        let operation = match call.set_tags(tags::some(cx.tags, tag)).send().await {
            Ok(begun) => begun.operation_id,
            Err(error) => match error.as_service_error() {
                Some(Refusal::DuplicateRequest(same)) => {
                    same.duplicate_operation_id().map(str::to_owned)
                }
                Some(Refusal::NamespaceAlreadyExists(there)) => {
                    let id = there.namespace_id().map(str::to_owned);
                    return standing(cx, &id.ok_or_else(|| Error::from(error))?).await;
                }
                _ => return Err(error.into()),
            },
        };
        let operation = operation.ok_or_else(|| Error::incomplete("an operation's id"))?;
        Ok(format!("{OPERATION}{operation}"))
    }
}

async fn standing(cx: &Cx<'_>, id: &str) -> Result<String> {
    let arn = arn(cx.aws, id).await?;
    cx.require_ours(&read_tags(cx.aws, &arn).await?)?;
    Ok(arn)
}

fn observed(found: &NamespaceSummary, tags: Tags) -> Observed<Namespace> {
    let (arn, name) = (found.arn().unwrap_or_default(), found.name().unwrap_or_default());
    Observed {
        earlier: Vec::new(),
        id: arn.to_owned(),
        live: Namespace {
            name: name.to_owned(),
            description: found.description().unwrap_or_default().to_owned(),
        },
        outputs: Outputs::new(arn, name),
        tags,
        condition: Condition::Ready,
    }
}

fn of_http() -> NamespaceFilter {
    let filter = NamespaceFilter::builder().name(NamespaceFilterName::Type).values("HTTP");
    filter.build().expect("name and values are set")
}

/// How an operation of Cloud Map stands.
enum Status {
    /// It is done; with what it was about.
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
fn short(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or_default()
}

/// ListTagsForResource. A namespace may have gone since it was listed.
async fn read_tags(aws: &Aws, arn: &str) -> Result<Tags> {
    let call = aws.discovery.list_tags_for_resource().resource_arn(arn);
    match call.send().await.map_err(Error::from) {
        Ok(found) => Ok(tags::collect(found.tags().iter().map(|tag| (tag.key(), tag.value())))),
        Err(error) if error.class == Class::Absent => Ok(Tags::new()),
        Err(error) => Err(error),
    }
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
        reads_back::<Namespace>(json!({ "name": "shop-prod-main", "description": "shop" }));
    }

    #[test]
    fn what_cloud_map_would_refuse_is_refused() {
        insta::assert_snapshot!(flaws::<Namespace>(json!({ "name": "my shop" })), @"E0340 name: `my shop` is no name of a namespace");
        insta::assert_snapshot!(flaws::<Namespace>(json!({ "name": "arn:x", "description": "x".repeat(1025) })), @"
        E0340 name: `arn:x` is no name of a namespace
        E0340 description: a description has at most 1024 characters
        ");
        assert_eq!(flaws::<Namespace>(json!({ "name": "shop.local" })), "");
    }
}
