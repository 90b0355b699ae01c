//! Which resources carry the stack's tags: one listing for all services that have no tag filter of
//! their own.
//!
//! The Resource Groups Tagging API answers a page per hundred resources of a service, where ELB, ECR and
//! CloudWatch Logs would want a call per resource. It lags behind by seconds and remembers the deleted, so
//! each kind confirms what it finds here by its own describe call, and looks for wanted resources by name
//! as well.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_resourcegroupstagging::types::TagFilter;

use super::calls::concurrently;
use crate::kind::{Error, Result, StackId, TAG_ENV, TAG_STACK, Tags};

/// ARNs and tags of what belongs to one stack and environment.
#[derive(Debug, Default)]
pub struct Owned {
    by_arn: BTreeMap<String, Tags>,
}

/// The resource types that are found here. EC2 has tag filters of its own, IAM is not covered.
const TYPES: [&str; 8] = [
    "ecs",
    "elasticloadbalancing",
    "logs",
    "ecr",
    "acm",
    "application-autoscaling",
    "cloudwatch",
    "servicediscovery",
];

/// The stacks of which anything carries tags, in the first pages of one listing.
pub(super) async fn stacks(
    tagging: &aws_sdk_resourcegroupstagging::Client,
    pages: usize,
) -> Result<BTreeSet<(String, String)>> {
    let marked = TagFilter::builder().key(TAG_STACK).build();
    let listing = tagging.get_resources().tag_filters(marked).resources_per_page(100);
    let mut listing = listing.into_paginator().send();
    let mut found = BTreeSet::new();
    for _ in 0..pages {
        let Some(page) = listing.next().await else { break };
        for resource in page.map_err(Error::from)?.resource_tag_mapping_list() {
            let tags = resource.tags().iter().map(|tag| (tag.key(), tag.value()));
            let mut tags = super::tags::collect(tags);
            if let (Some(stack), Some(env)) = (tags.remove(TAG_STACK), tags.remove(TAG_ENV)) {
                found.insert((stack, env));
            }
        }
    }
    Ok(found)
}

/// What of one type of resource carries the stack's tags.
async fn list(
    tagging: &aws_sdk_resourcegroupstagging::Client,
    stack: &StackId,
    kind: &str,
) -> Result<BTreeMap<String, Tags>> {
    let filter = |key: &str, value: &str| TagFilter::builder().key(key).values(value).build();
    let mut pages = tagging
        .get_resources()
        .resource_type_filters(kind)
        .tag_filters(filter(TAG_STACK, &stack.stack))
        .tag_filters(filter(TAG_ENV, &stack.env))
        .resources_per_page(100)
        .into_paginator()
        .send();
    let mut by_arn = BTreeMap::new();
    while let Some(page) = pages.next().await {
        for found in page.map_err(Error::from)?.resource_tag_mapping_list() {
            let Some(arn) = found.resource_arn() else { continue };
            let tags = found.tags().iter().map(|tag| (tag.key(), tag.value()));
            by_arn.insert(arn.to_owned(), super::tags::collect(tags));
        }
    }
    Ok(by_arn)
}

impl Owned {
    /// GetResources, filtered by the stack's tags, page by page. Each page waits for the one before, so
    /// the types are listed side by side.
    pub(super) async fn read(
        tagging: &aws_sdk_resourcegroupstagging::Client,
        stack: &StackId,
    ) -> Result<Self> {
        let found = concurrently(&TYPES, |kind| list(tagging, stack, kind)).await?;
        Ok(Self { by_arn: found.into_iter().flatten().collect() })
    }

    /// The ARNs of one service (`ecs`, `elasticloadbalancing`, …) whose resource part begins with
    /// `prefix` (`service/`, `targetgroup/`, `log-group:`).
    pub fn arns<'a>(&'a self, service: &'a str, prefix: &'a str) -> impl Iterator<Item = &'a str> {
        self.by_arn.keys().map(String::as_str).filter(move |arn| {
            let mut parts = arn.splitn(6, ':').skip(2);
            let of_service = parts.next() == Some(service);
            of_service && parts.nth(2).is_some_and(|resource| resource.starts_with(prefix))
        })
    }

    /// The tags of `arn`, if it is one of the stack's.
    pub fn tags(&self, arn: &str) -> Option<&Tags> {
        self.by_arn.get(arn)
    }
}
