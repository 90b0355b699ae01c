//! `namespace`: an HTTP namespace of AWS Cloud Map, in which the services of Service Connect find each other.
//! What ECS makes in it for a service, it takes away again with the service.

use std::time::Duration;

use aws_sdk_servicediscovery::operation::create_http_namespace::CreateHttpNamespaceError as Refusal;
use aws_sdk_servicediscovery::types::{HttpNamespaceChange, NamespaceSummary, NamespaceType};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cloud_map::{self, short};
use super::listing::Pick;
use super::types::outputs::Named as Outputs;
use crate::cloud::aws::Aws;
use crate::kind::{
    About, After, Check, Condition, Cx, Error, Kind, Made, NameStyle, Naming, Observed, Ready,
    Result, Sought, TagChange, Tags,
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

    async fn observe(aws: &Aws, sought: &Sought<'_>) -> Result<Vec<Observed<Self>>> {
        let owned = aws.owned(sought.stack).await?;
        let pick = Pick::new(sought, &owned, NameStyle::Dashed);
        let found = cloud_map::namespaces(aws, &pick, &owned, NamespaceType::Http).await?;
        Ok(found.into_iter().map(|(one, tags)| observed(&one, tags)).collect())
    }

    /// CreateHttpNamespace begins an operation, and its end says which namespace it has made.
    async fn create(&self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        let begun = cx.aws.once::<Self>(cx, self.begin(cx)).await?;
        let arn = cloud_map::finished(cx.aws, begun).await?;
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

    async fn delete(_was: &Self, cx: &Cx<'_>) -> Result<()> {
        cloud_map::delete_namespace(cx).await
    }

    async fn tag(cx: &Cx<'_>, change: &TagChange) -> Result<()> {
        cloud_map::change_tags(cx, change).await
    }

    async fn ready(cx: &Cx<'_>, after: After) -> Result<Ready> {
        cloud_map::namespace_ready(cx, after).await
    }
}

impl Namespace {
    /// The operation that makes it; or the ARN of the one that has the name, if it is this very one.
    async fn begin(&self, cx: &Cx<'_>) -> Result<String> {
        let call = cx.aws.discovery.create_http_namespace().name(&self.name);
        let call = call.creator_request_id(cx.token).description(&self.description);
        let operation = match call.set_tags(cloud_map::created(cx.tags)).send().await {
            Ok(begun) => begun.operation_id,
            Err(error) => match error.as_service_error() {
                Some(Refusal::DuplicateRequest(same)) => {
                    same.duplicate_operation_id().map(str::to_owned)
                }
                Some(Refusal::NamespaceAlreadyExists(there)) => {
                    let id = there.namespace_id().map(str::to_owned);
                    let id = id.ok_or_else(|| Error::from(error))?;
                    return cloud_map::standing(cx, &id).await;
                }
                _ => return Err(error.into()),
            },
        };
        cloud_map::begun(operation)
    }
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
