//! `repository`: an ECR repository for container images.

use std::collections::BTreeSet;

use aws_sdk_ecr::types::{
    EncryptionConfiguration, EncryptionType, ImageScanningConfiguration, ImageTagMutability,
    Repository as Description, Tag,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::listing::Pick;
use super::types::Json;
use crate::cloud::aws::{Aws, concurrently, tags};
use crate::kind::{
    About, Check, Class, Condition, Cx, Error, Forgive as _, Kind, Made, NameStyle, Naming,
    Observed, Result, Sought, TAG_ID, TagChange, Tags,
};

/// An ECR repository. Deleting it deletes its images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Repository {
    /// Its name: 2 to 256 lower-case letters, digits and `._-`, in parts between `/`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(extend("x-replaces" = true))]
    pub name: String,
    /// Whether a tag may be moved to another image; AWS's default is `MUTABLE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["IMMUTABLE", "MUTABLE", null]))]
    pub image_tag_mutability: Option<String>,
    /// Whether an image is scanned for known faults when it is pushed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scan_on_push: Option<bool>,
    /// Which images expire; left out, whatever is set stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifecycle_policy: Option<Json>,
    /// How images are encrypted; AWS's default is `AES256`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-replaces" = true))]
    pub encryption: Option<Encryption>,
}

/// The encryption of a repository.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Encryption {
    /// Whose key it is.
    #[schemars(extend("enum" = ["AES256", "KMS", "KMS_DSSE"]))]
    pub r#type: String,
    /// The ARN of the key; left out, it is the key that AWS keeps for ECR.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kms_key: Option<String>,
}

/// What others may refer to.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Outputs {
    /// Its ARN.
    pub id: String,
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// What images are pushed to and pulled from, without a tag.
    pub uri: String,
}

impl Kind for Repository {
    const NAME: &'static str = "repository";
    const ABOUT: About = About {
        naming: Some(Naming { max: 256, style: NameStyle::Slashed, suffix: false }),
        exclusive: &["name"],
        ..About::DEFAULT
    };

    type Outputs = Outputs;

    fn check(&self, check: &mut Check<'_>) {
        if !self.name.is_empty() && !self.name.contains("${") && !is_legal(&self.name) {
            let rule = "2 to 256 lower-case letters, digits and `._-`, in parts between `/`";
            check
                .error("E0230", "name", format!("`{}` is not a name of {rule}", self.name))
                .alone = true;
        }
        if let Some(flaw) = self.lifecycle_policy.as_ref().and_then(lifecycle_flaw) {
            check.error("E0237", "lifecycle-policy", flaw);
        }
        let Some(encryption) = &self.encryption else { return };
        let key = encryption.kms_key.as_deref();
        if encryption.r#type == "AES256" && key.is_some() {
            check.error("E0239", "encryption.kms-key", "AES256 takes no key of its own");
        }
        if key.is_some_and(|key| !key.starts_with("arn:") && !key.contains("${")) {
            let title =
                "ECR names the key by its ARN, and another name for it would read as a change";
            let hint = "write the key's ARN, `arn:aws:kms:…:key/…`";
            check.error_with("E0239", "encryption.kms-key", title, hint);
        }
    }

    async fn observe(aws: &Aws, sought: &Sought<'_>) -> Result<Vec<Observed<Self>>> {
        let owned = aws.owned(sought.stack).await?;
        let pick = Pick::new(sought, &owned, NameStyle::Slashed);
        let mut found = list(aws).await?;
        found.retain(|one| pick.may_concern(arn(one), name(one)));
        let (owned, pick) = (&owned, &pick);
        let observed = concurrently(&found, |one| async move {
            let tags = match owned.tags(arn(one)) {
                Some(tags) => tags.clone(),
                None => read_tags(aws, arn(one)).await?,
            };
            if !pick.concerns(name(one), &tags) {
                return Ok(None);
            }
            let mut live = Self::from(one);
            if says_what_expires(sought, &tags) {
                live.lifecycle_policy = read_lifecycle_policy(aws, name(one)).await?;
            }
            let (id, outputs) = (arn(one).to_owned(), outputs(one));
            Ok(Some(Observed {
                earlier: Vec::new(),
                id,
                live,
                outputs,
                tags,
                condition: Condition::Ready,
            }))
        });
        Ok(observed.await?.into_iter().flatten().collect())
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        let call = cx.aws.ecr.create_repository().repository_name(&self.name);
        let mutability = self.image_tag_mutability.as_deref().map(ImageTagMutability::from);
        let made = call
            .set_image_tag_mutability(mutability)
            .set_image_scanning_configuration(self.scan_on_push.map(scanning))
            .set_encryption_configuration(self.encryption.as_ref().map(encryption).transpose()?)
            .set_tags(Some(tag_list(cx.tags)?))
            .send()
            .await
            .map_err(Error::from);
        let there = match made.exists_is_fine()? {
            Some(made) => made.repository,
            None => {
                let there = by_name(cx.aws, &self.name).await?;
                cx.require_ours(&read_tags(cx.aws, arn(&there)).await?)?;
                Some(there)
            }
        };
        let there = there.ok_or_else(|| Error::incomplete("the repository"))?;
        self.put_lifecycle_policy(cx.aws).await?;
        Ok(Made::new(arn(&there), outputs(&there)))
    }

    async fn update(&self, was: &Self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        let ecr = &cx.aws.ecr;
        if let Some(mutability) = &self.image_tag_mutability
            && self.image_tag_mutability != was.image_tag_mutability
        {
            let call = ecr.put_image_tag_mutability().repository_name(&self.name);
            call.image_tag_mutability(mutability.as_str().into()).send().await?;
        }
        if let Some(scan) = self.scan_on_push.filter(|_| self.scan_on_push != was.scan_on_push) {
            let call = ecr.put_image_scanning_configuration().repository_name(&self.name);
            call.image_scanning_configuration(scanning(scan)).send().await?;
        }
        if self.lifecycle_policy != was.lifecycle_policy {
            self.put_lifecycle_policy(cx.aws).await?;
        }
        Ok(Made::new(cx.id, outputs(&by_name(cx.aws, &self.name).await?)))
    }

    /// With its images: whoever confirms the plan has read that they go too.
    async fn delete(was: &Self, cx: &Cx<'_>) -> Result<()> {
        let call = cx.aws.ecr.delete_repository().repository_name(&was.name).force(true);
        call.send().await.map_err(Error::from).absent_is_fine()
    }

    async fn tag(cx: &Cx<'_>, change: &TagChange) -> Result<()> {
        let ecr = &cx.aws.ecr;
        if !change.set.is_empty() {
            let tags = Some(tag_list(&change.set)?);
            ecr.tag_resource().resource_arn(cx.id).set_tags(tags).send().await?;
        }
        if !change.unset.is_empty() {
            let keys = Some(tags::unset(change));
            ecr.untag_resource().resource_arn(cx.id).set_tag_keys(keys).send().await?;
        }
        Ok(())
    }
}

/// Lower-case words of letters and digits, joined by `.`, `-`, `_` or `__`, in parts between `/`.
/// CreateRepository in the API reference gives the pattern.
fn is_legal(name: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let part = |part: &str| {
        part.starts_with(alphanumeric)
            && part.ends_with(alphanumeric)
            && part.chars().all(|c| alphanumeric(c) || "._-".contains(c))
    };
    (2..=256).contains(&name.len()) && name.split('/').all(part)
}

/// Why ECR would refuse a lifecycle policy, if so.
fn lifecycle_flaw(policy: &Json) -> Option<String> {
    let Some(rules) = policy.value().get("rules").and_then(serde_json::Value::as_array) else {
        return Some("a lifecycle policy is a table with a list `rules`".to_owned());
    };
    if !(1..=50).contains(&rules.len()) {
        return Some(format!("a lifecycle policy has 1 to 50 rules, not {}", rules.len()));
    }
    for (index, rule) in rules.iter().enumerate() {
        let missing =
            ["rulePriority", "selection", "action"].into_iter().find(|key| rule.get(key).is_none());
        if let Some(key) = missing {
            return Some(format!("rule {} needs `{key}`", index + 1));
        }
    }
    let mut priorities = BTreeSet::new();
    let twice = rules.iter().find(|rule| !priorities.insert(rule["rulePriority"].to_string()));
    if let Some(rule) = twice {
        return Some(format!("two rules have the priority {}", rule["rulePriority"]));
    }
    let (text, max) = (policy.text(), 30_720);
    let length = text.chars().count();
    (length > max && !text.contains("${"))
        .then(|| format!("the lifecycle policy has {length} characters; ECR takes {max}"))
}

impl Repository {
    /// PutLifecyclePolicy.
    async fn put_lifecycle_policy(&self, aws: &Aws) -> Result<()> {
        let Some(policy) = &self.lifecycle_policy else { return Ok(()) };
        let call = aws.ecr.put_lifecycle_policy().repository_name(&self.name);
        let put = call.lifecycle_policy_text(policy.text()).send().await;
        put.map_err(|error| Error::from(error).while_creating())?;
        Ok(())
    }
}

impl From<&Description> for Repository {
    fn from(one: &Description) -> Self {
        let encryption = one.encryption_configuration().map(|told| Encryption {
            r#type: told.encryption_type().as_str().to_owned(),
            kms_key: told.kms_key().map(str::to_owned),
        });
        Self {
            name: name(one).to_owned(),
            image_tag_mutability: one.image_tag_mutability().map(|m| m.as_str().to_owned()),
            scan_on_push: Some(
                one.image_scanning_configuration()
                    .is_some_and(ImageScanningConfiguration::scan_on_push),
            ),
            lifecycle_policy: None,
            encryption,
        }
    }
}

/// DescribeRepositories, all of the registry, 1000 a page.
async fn list(aws: &Aws) -> Result<Vec<Description>> {
    let pages = aws.ecr.describe_repositories().max_results(1000).into_paginator();
    pages.items().send().try_collect().await.map_err(Error::from)
}

async fn by_name(aws: &Aws, name: &str) -> Result<Description> {
    let found = aws.ecr.describe_repositories().repository_names(name).send().await?;
    let found = found.repositories.unwrap_or_default().into_iter().next();
    found.ok_or_else(|| Error::incomplete("the repository"))
}

/// Whether the repository with these tags is ours, and declared with a lifecycle policy to compare.
fn says_what_expires(sought: &Sought<'_>, tags: &Tags) -> bool {
    let mut wanted = sought.wanted.iter();
    let is_it = |id: &String| {
        wanted.any(|it| it.address.to_string() == *id && it.spec.get("lifecycle-policy").is_some())
    };
    sought.is_ours(tags) && tags.get(TAG_ID).is_some_and(is_it)
}

/// GetLifecyclePolicy.
async fn read_lifecycle_policy(aws: &Aws, name: &str) -> Result<Option<Json>> {
    let told = match aws.ecr.get_lifecycle_policy().repository_name(name).send().await {
        Ok(told) => told.lifecycle_policy_text,
        Err(error) => match Error::from(error) {
            none if none.class == Class::Absent => None,
            error => return Err(error),
        },
    };
    let parsed = told.map(|text| Json::parse(&text)).transpose();
    parsed.map_err(|error| {
        Error::new(Class::Other, format!("the lifecycle policy of {name} cannot be read: {error}"))
    })
}

/// ListTagsForResource.
async fn read_tags(aws: &Aws, arn: &str) -> Result<Tags> {
    let told = aws.ecr.list_tags_for_resource().resource_arn(arn).send().await?;
    Ok(tags::collect(told.tags().iter().map(|tag| (tag.key(), tag.value()))))
}

fn tag_list(tags: &Tags) -> Result<Vec<Tag>> {
    let tag = |(key, value): (&String, &String)| Tag::builder().key(key).value(value).build();
    let built: Result<Vec<Tag>, _> = tags.iter().map(tag).collect();
    built.map_err(|error| Error::new(Class::Other, error.to_string()))
}

fn scanning(on_push: bool) -> ImageScanningConfiguration {
    ImageScanningConfiguration::builder().scan_on_push(on_push).build()
}

fn encryption(encryption: &Encryption) -> Result<EncryptionConfiguration> {
    let call = EncryptionConfiguration::builder();
    let call = call.encryption_type(EncryptionType::from(encryption.r#type.as_str()));
    let built = call.set_kms_key(encryption.kms_key.clone()).build();
    built.map_err(|error| Error::new(Class::Other, error.to_string()))
}

fn outputs(one: &Description) -> Outputs {
    Outputs {
        id: arn(one).to_owned(),
        arn: arn(one).to_owned(),
        name: name(one).to_owned(),
        uri: one.repository_uri().unwrap_or_default().to_owned(),
    }
}

fn arn(one: &Description) -> &str {
    one.repository_arn().unwrap_or_default()
}

fn name(one: &Description) -> &str {
    one.repository_name().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::checked::{flaws, reads_back};

    #[test]
    fn names_are_those_that_ecr_takes() {
        for good in ["ab", "shop/prod/api", "a.b-c_d__e/f0"] {
            assert!(is_legal(good), "{good}");
        }
        for bad in ["a", "A/b", "a//b", "/ab", "ab/", "-ab", "ab."] {
            assert!(!is_legal(bad), "{bad}");
        }
    }

    #[test]
    fn flaws_of_lifecycle_policies_are_named() {
        let flaw = |policy: serde_json::Value| {
            lifecycle_flaw(&serde_json::from_value(policy).unwrap()).unwrap_or_default()
        };
        let rule = json!({ "rulePriority": 1, "selection": {}, "action": { "type": "expire" } });
        let flaws = [
            flaw(json!([])),
            flaw(json!({ "rules": [] })),
            flaw(json!({ "rules": [rule, { "rulePriority": 2, "action": {} }] })),
            flaw(json!({ "rules": [rule, rule] })),
        ];
        insta::assert_snapshot!(flaws.join("\n"), @r"
        a lifecycle policy is a table with a list `rules`
        a lifecycle policy has 1 to 50 rules, not 0
        rule 2 needs `selection`
        two rules have the priority 1
        ");
        assert_eq!(flaw(json!({ "rules": [rule] })), "");
    }

    #[test]
    fn declarations_read_back() {
        reads_back::<Repository>(json!({}));
        reads_back::<Repository>(json!({
            "name": "shop/web", "image-tag-mutability": "IMMUTABLE", "scan-on-push": true,
            "lifecycle-policy": { "rules": [] },
            "encryption": { "type": "KMS", "kms-key": "arn:aws:kms:eu-west-1:1:key/a" },
        }));
    }

    #[test]
    fn what_aws_would_refuse_is_said_offline() {
        insta::assert_snapshot!(flaws::<Repository>(json!({
            "name": "Shop", "lifecycle-policy": {},
            "encryption": { "type": "AES256", "kms-key": "alias/shop" },
        })), @r"
        E0230 name: `Shop` is not a name of 2 to 256 lower-case letters, digits and `._-`, in parts between `/`
        E0237 lifecycle-policy: a lifecycle policy is a table with a list `rules`
        E0239 encryption.kms-key: AES256 takes no key of its own
        E0239 encryption.kms-key: ECR names the key by its ARN, and another name for it would read as a change
        ");
    }
}
