//! `instance-profile`: what hands a role to EC2 instances.

use aws_sdk_iam::types::{InstanceProfile as Description, Tag};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::role::check_identity;
use super::types::outputs::Named as Outputs;
use crate::cloud::aws::{Aws, concurrently, tags};
use crate::kind::{
    About, Check, Class, Condition, Cx, Error, Forgive as _, Kind, Made, NameStyle, Naming,
    Observed, Result, Sought, TagChange, Tags,
};

/// What hands a role to EC2 instances.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct InstanceProfile {
    /// Its name: up to 128 letters, digits and `+=,.@_-`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(extend("x-replaces" = true))]
    pub name: String,
    /// Its path. A new profile has `/ecsctl/<stack>/<env>/` if this is left out; any other begins with
    /// that and ends with `/`, for it is there that a stack's profiles are looked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-replaces" = true))]
    pub path: Option<String>,
    /// The ARN of the role that the instances have; an instance that runs gets another one too.
    #[schemars(extend("examples" = ["${role.instances.arn}"]))]
    pub role: String,
}

impl Kind for InstanceProfile {
    const NAME: &'static str = "instance-profile";
    const ABOUT: About = About {
        seconds: 3,
        exclusive: &["name"],
        naming: Some(Naming { max: 128, style: NameStyle::Dashed, suffix: true }),
        ..About::DEFAULT
    };

    type Outputs = Outputs;

    fn check(&self, check: &mut Check<'_>) {
        check_identity(&self.name, 128, self.path.as_deref(), check);
        if !self.role.contains("${") && !self.role.starts_with("arn:") {
            let hint = "write `${role.<name>.arn}` or the whole ARN";
            check.error_with("E0254", "role", "`role` is not an ARN", hint);
        }
    }

    /// A stack's profiles are those under its path; wanted ones elsewhere are asked for by name.
    async fn observe(aws: &Aws, sought: &Sought<'_>) -> Result<Vec<Observed<Self>>> {
        let pages = aws.iam.list_instance_profiles().path_prefix(sought.stack.iam_path());
        let listed = pages.max_items(1000).into_paginator().items().send().try_collect();
        let listed: Vec<Description> = listed.await.map_err(Error::from)?;
        let names = sought.names(listed.iter().map(Description::instance_profile_name));
        let found = concurrently(&names, |name| read(aws, name)).await?;
        Ok(found.iter().flatten().map(observed).collect())
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        let path = self.path.clone().unwrap_or_else(|| cx.stack.iam_path());
        let call = cx.aws.iam.create_instance_profile().instance_profile_name(&self.name);
        let made = call.path(path).set_tags(Some(tag_list(cx.tags)?)).send().await;
        let profile = match made.map_err(Error::from).exists_is_fine()? {
            Some(made) => made.instance_profile,
            None => {
                let there = read(cx.aws, &self.name).await?;
                cx.require_ours(&there.as_ref().map(tags_of).unwrap_or_default())?;
                there
            }
        };
        let profile = profile.ok_or_else(|| Error::incomplete("the instance profile"))?;
        self.put_role(&role_of(&profile), cx.aws).await?;
        Ok(Made::new(profile.arn(), Outputs::of(profile.arn())))
    }

    async fn update(&self, was: &Self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        self.put_role(&was.role, cx.aws).await?;
        Ok(Made::new(cx.id, Outputs::of(cx.id)))
    }

    /// Only a profile without a role can be deleted.
    async fn delete(was: &Self, cx: &Cx<'_>) -> Result<()> {
        was.drop_role(&was.role, cx.aws).await?;
        let call = cx.aws.iam.delete_instance_profile().instance_profile_name(&was.name);
        call.send().await.map_err(Error::from).absent_is_fine()
    }

    async fn tag(cx: &Cx<'_>, change: &TagChange) -> Result<()> {
        let (iam, name) = (&cx.aws.iam, last(cx.id));
        if !change.set.is_empty() {
            let tags = Some(tag_list(&change.set)?);
            iam.tag_instance_profile().instance_profile_name(name).set_tags(tags).send().await?;
        }
        if !change.unset.is_empty() {
            let keys = Some(tags::unset(change));
            let call = iam.untag_instance_profile().instance_profile_name(name);
            call.set_tag_keys(keys).send().await?;
        }
        Ok(())
    }
}

impl InstanceProfile {
    /// RemoveRoleFromInstanceProfile and AddRoleToInstanceProfile: a profile has one role at most.
    async fn put_role(&self, was: &str, aws: &Aws) -> Result<()> {
        if was == self.role {
            return Ok(());
        }
        self.drop_role(was, aws).await?;
        let call = aws.iam.add_role_to_instance_profile().instance_profile_name(&self.name);
        let added = call.role_name(last(&self.role)).send().await;
        match added.map_err(|error| Error::from(error).while_creating()) {
            // A call whose reply was lost may have added it: there is room for one role.
            Err(error) if error.is("LimitExceeded") => match read(aws, &self.name).await? {
                Some(there) if role_of(&there) == self.role => Ok(()),
                _ => Err(error),
            },
            added => added.map(|_| ()),
        }
    }

    async fn drop_role(&self, role: &str, aws: &Aws) -> Result<()> {
        if role.is_empty() {
            return Ok(());
        }
        let call = aws.iam.remove_role_from_instance_profile().instance_profile_name(&self.name);
        call.role_name(last(role)).send().await.map_err(Error::from).absent_is_fine()
    }
}

/// GetInstanceProfile, which tells tags where ListInstanceProfiles does not.
async fn read(aws: &Aws, name: &str) -> Result<Option<Description>> {
    let call = aws.iam.get_instance_profile().instance_profile_name(name);
    match call.send().await.map_err(Error::from) {
        Ok(found) => Ok(found.instance_profile),
        Err(error) if error.class == Class::Absent => Ok(None),
        Err(error) => Err(error),
    }
}

fn observed(profile: &Description) -> Observed<InstanceProfile> {
    Observed {
        earlier: Vec::new(),
        id: profile.arn().to_owned(),
        live: InstanceProfile {
            name: profile.instance_profile_name().to_owned(),
            path: Some(profile.path().to_owned()),
            role: role_of(profile),
        },
        outputs: Outputs::of(profile.arn()),
        tags: tags_of(profile),
        condition: Condition::Ready,
    }
}

/// Its role's ARN; empty while it has none.
fn role_of(profile: &Description) -> String {
    profile.roles().first().map(|role| role.arn().to_owned()).unwrap_or_default()
}

fn tags_of(profile: &Description) -> Tags {
    tags::collect(profile.tags().iter().map(|tag| (tag.key(), tag.value())))
}

fn tag_list(tags: &Tags) -> Result<Vec<Tag>> {
    let tag = |(key, value): (&String, &String)| Tag::builder().key(key).value(value).build();
    let built: Result<Vec<Tag>, _> = tags.iter().map(tag).collect();
    built.map_err(|error| Error::new(Class::Other, error.to_string()))
}

/// The name in `arn:aws:iam::<account>:role/<path>/<name>`.
fn last(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::checked::{flaws, reads_back};

    #[test]
    fn declarations_read_back() {
        reads_back::<InstanceProfile>(json!({ "role": "${role.a.arn}" }));
        reads_back::<InstanceProfile>(json!({
            "name": "shop", "path": "/ecsctl/shop/prod/", "role": "arn:aws:iam::1:role/a",
        }));
    }

    #[test]
    fn what_aws_would_refuse_is_said_offline() {
        let wrong = json!({ "name": "a b", "path": "/", "role": "a" });
        insta::assert_snapshot!(flaws::<InstanceProfile>(wrong), @r"
        E0230 name: `a b` is not a name of up to 128 letters, digits and `+=,.@_-`
        E0230 path: the path `/` is not one of this stack's
        E0254 role: `role` is not an ARN
        ");
    }
}
