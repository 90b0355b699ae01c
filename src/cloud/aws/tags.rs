//! Tags in the forms of the SDK crates.

use crate::kind::{TagChange, Tags};

/// Tags out of a listing, without those that belong to AWS.
pub fn collect<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Tags {
    let own = pairs.into_iter().filter(|(key, _)| !key.starts_with("aws:"));
    own.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// Tags in the form of one SDK crate: `list(cx.tags, |k, v| Tag::builder().key(k).value(v).build())`.
pub fn list<T>(tags: &Tags, tag: impl Fn(&str, &str) -> T) -> Vec<T> {
    tags.iter().map(|(key, value)| tag(key, value)).collect()
}

/// What [`list`] gives, for the `set_tags` of builders.
pub fn some<T>(tags: &Tags, tag: impl Fn(&str, &str) -> T) -> Option<Vec<T>> {
    Some(list(tags, tag)).filter(|tags| !tags.is_empty())
}

/// The keys that a change removes, in the form that the SDK wants.
pub fn unset(change: &TagChange) -> Vec<String> {
    change.unset.iter().cloned().collect()
}

/// EC2: tags for the create call itself. `Name` is added for the console's sake.
pub mod ec2 {
    use aws_sdk_ec2::types::{Filter, ResourceType, Tag, TagSpecification};

    use crate::cloud::aws::Aws;
    use crate::kind::{Result, StackId, TAG_ENV, TAG_STACK, TagChange, Tags};

    /// `TagSpecification` of a create call.
    pub fn specification(kind: ResourceType, tags: &Tags) -> TagSpecification {
        let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build();
        TagSpecification::builder().resource_type(kind).set_tags(super::some(tags, tag)).build()
    }

    /// Filters for everything of the stack and environment.
    pub fn filters(stack: &StackId) -> Vec<Filter> {
        let pairs = [(TAG_STACK, &stack.stack), (TAG_ENV, &stack.env)];
        let filter = |(key, value): (&str, &String)| {
            Filter::builder().name(format!("tag:{key}")).values(value).build()
        };
        pairs.into_iter().map(filter).collect()
    }

    /// The tags of a description.
    pub fn read(tags: &[Tag]) -> Tags {
        super::collect(tags.iter().filter_map(|tag| Some((tag.key()?, tag.value()?))))
    }

    /// CreateTags and DeleteTags.
    pub async fn change(aws: &Aws, id: &str, change: &TagChange) -> Result<()> {
        let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build();
        if !change.set.is_empty() {
            let tags = super::some(&change.set, tag);
            aws.ec2.create_tags().resources(id).set_tags(tags).send().await?;
        }
        if !change.unset.is_empty() {
            let keys = change.unset.iter().map(|key| Tag::builder().key(key).build()).collect();
            aws.ec2.delete_tags().resources(id).set_tags(Some(keys)).send().await?;
        }
        Ok(())
    }
}

/// Elastic Load Balancing v2.
pub mod elb {
    use aws_sdk_elasticloadbalancingv2::types::Tag;

    use crate::cloud::aws::Aws;
    use crate::kind::{Error, Result, TagChange, Tags};

    /// One tag. The key is always there, so building cannot fail.
    pub fn tag(key: &str, value: &str) -> Tag {
        Tag::builder().key(key).value(value).build()
    }

    /// DescribeTags, twenty ARNs a call.
    pub async fn read(aws: &Aws, arns: &[String]) -> Result<Vec<(String, Tags)>> {
        crate::cloud::aws::batched(arns, 20, |chunk| async move {
            let found = aws
                .elb
                .describe_tags()
                .set_resource_arns(Some(chunk.to_vec()))
                .send()
                .await
                .map_err(Error::from)?;
            let of = found.tag_descriptions().iter().filter_map(|description| {
                let pairs =
                    description.tags().iter().filter_map(|tag| Some((tag.key()?, tag.value()?)));
                Some((description.resource_arn()?.to_owned(), super::collect(pairs)))
            });
            Ok(of.collect())
        })
        .await
    }

    /// AddTags and RemoveTags.
    pub async fn change(aws: &Aws, arn: &str, change: &TagChange) -> Result<()> {
        if !change.set.is_empty() {
            let tags = super::some(&change.set, tag);
            aws.elb.add_tags().resource_arns(arn).set_tags(tags).send().await?;
        }
        if !change.unset.is_empty() {
            let keys = Some(super::unset(change));
            aws.elb.remove_tags().resource_arns(arn).set_tag_keys(keys).send().await?;
        }
        Ok(())
    }
}

/// CloudWatch.
pub mod cloudwatch {
    use aws_sdk_cloudwatch::types::Tag;

    use crate::cloud::aws::Aws;
    use crate::kind::{Result, TagChange, Tags};

    /// One tag.
    pub fn tag(key: &str, value: &str) -> Tag {
        Tag::builder().key(key).value(value).build()
    }

    /// ListTagsForResource.
    pub async fn read(aws: &Aws, arn: &str) -> Result<Tags> {
        let found = aws.cloudwatch.list_tags_for_resource().resource_arn(arn).send().await?;
        let pairs = found.tags().iter().filter_map(|tag| Some((tag.key()?, tag.value()?)));
        Ok(super::collect(pairs))
    }

    /// TagResource and UntagResource.
    pub async fn change(aws: &Aws, arn: &str, change: &TagChange) -> Result<()> {
        if !change.set.is_empty() {
            let tags = super::some(&change.set, tag);
            aws.cloudwatch.tag_resource().resource_arn(arn).set_tags(tags).send().await?;
        }
        if !change.unset.is_empty() {
            let keys = Some(super::unset(change));
            aws.cloudwatch.untag_resource().resource_arn(arn).set_tag_keys(keys).send().await?;
        }
        Ok(())
    }
}

/// Amazon ECS.
pub mod ecs {
    use aws_sdk_ecs::types::Tag;

    use crate::cloud::aws::Aws;
    use crate::kind::{Result, TagChange, Tags};

    /// One tag.
    pub fn tag(key: &str, value: &str) -> Tag {
        Tag::builder().key(key).value(value).build()
    }

    /// The tags of a description.
    pub fn read(tags: &[Tag]) -> Tags {
        super::collect(tags.iter().filter_map(|tag| Some((tag.key()?, tag.value()?))))
    }

    /// TagResource and UntagResource.
    pub async fn change(aws: &Aws, arn: &str, change: &TagChange) -> Result<()> {
        if !change.set.is_empty() {
            let tags = super::some(&change.set, tag);
            aws.ecs.tag_resource().resource_arn(arn).set_tags(tags).send().await?;
        }
        if !change.unset.is_empty() {
            let keys = Some(super::unset(change));
            aws.ecs.untag_resource().resource_arn(arn).set_tag_keys(keys).send().await?;
        }
        Ok(())
    }
}
