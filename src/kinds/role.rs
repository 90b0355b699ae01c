//! `role`: an IAM role with its inline and attached policies.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_iam::types::{EntityType, Role as Description, RoleDetail, Tag};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::types::outputs::Named as Outputs;
use super::types::{Names, Policy, forms};
use crate::cloud::aws::{Aws, concurrently, tags};
use crate::kind::{
    About, Check, Class, Condition, Cx, Error, Forgive as _, Kind, Made, NameStyle, Naming,
    Observed, Result, Sought, TagChange, Tags, Unit,
};

/// An IAM role.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Role {
    /// Its name: up to 64 letters, digits and `+=,.@_-`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(extend("x-replaces" = true))]
    pub name: String,
    /// Its path. A new role has `/ecsctl/<stack>/<env>/` if this is left out; any other begins with
    /// that and ends with `/`, for it is there that a stack's roles are looked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-replaces" = true))]
    pub path: Option<String>,
    /// What it is for, up to 1000 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Who may assume it.
    pub trust: Policy,
    /// Its own policies by name.
    #[serde(default)]
    pub inline: BTreeMap<String, Policy>,
    /// The ARNs of managed policies that are attached to it.
    #[serde(default)]
    pub policies: BTreeSet<String>,
    /// Seconds that a session may last, 3600 to 43200; AWS's default is 3600.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_session_duration: Option<u32>,
    /// The ARN of the policy that bounds what the role may do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions_boundary: Option<String>,
}

/// The quotas of IAM, in characters; white space does not count.
const TRUST_MAX: usize = 2048;
const INLINE_MAX: usize = 10_240;
/// From so many roles on all of the account's are read at once: one by itself takes four calls and more.
const MANY: usize = 3;

impl Kind for Role {
    const NAME: &'static str = "role";
    const ABOUT: About = About {
        seconds: 3,
        exclusive: &["name"],
        naming: Some(Naming { max: 64, style: NameStyle::Dashed, suffix: true }),
        ..About::DEFAULT
    };

    type Outputs = Outputs;

    fn check(&self, check: &mut Check<'_>) {
        self.check_words(check);
        if let Some(flaw) = self.trust.flaw(Names::Principals) {
            check.error("E0234", "trust", flaw);
        }
        for (name, policy) in &self.inline {
            if let Some(flaw) = policy.flaw(Names::Resources) {
                check.error("E0234", &format!("inline.{name}"), flaw);
            }
        }
        let inline = self.inline.values().map(Policy::text).collect::<String>();
        for (field, text, max) in
            [("trust", self.trust.text(), TRUST_MAX), ("inline", inline, INLINE_MAX)]
        {
            let length = text.chars().count();
            // How long a text with outputs in it becomes is not known yet.
            if length > max && !text.contains("${") {
                let title = format!("the policy has {length} characters; IAM takes {max}");
                check.error("E0234", field, title);
            }
        }
    }

    /// A stack's roles are those under its path; wanted ones elsewhere are asked for by name.
    async fn observe(aws: &Aws, sought: &Sought<'_>) -> Result<Vec<Observed<Self>>> {
        let pages = aws.iam.list_roles().path_prefix(sought.stack.iam_path()).max_items(1000);
        let listed = pages.into_paginator().items().send().try_collect();
        let listed: Vec<Description> = listed.await.map_err(Error::from)?;
        let mut names = sought.names(listed.iter().map(Description::role_name));
        let mut found = Vec::new();
        if listed.len() >= MANY
            && let Some(details) = details(aws, listed.len()).await?
        {
            for role in &listed {
                let Some(detail) = details.get(role.role_name()) else { continue };
                found.push(detailed(role, detail)?);
                names.retain(|name| name != role.role_name());
            }
        }
        let rest = concurrently(&names, |name| single(aws, name, sought)).await?;
        Ok(found.into_iter().chain(rest.into_iter().flatten()).collect())
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        let path = self.path.clone().unwrap_or_else(|| cx.stack.iam_path());
        let call = cx.aws.iam.create_role().role_name(&self.name).path(path);
        let made = call
            .assume_role_policy_document(self.trust.text())
            .set_description(self.description.clone())
            .set_max_session_duration(self.max_session_duration.map(seconds))
            .set_permissions_boundary(self.permissions_boundary.clone())
            .set_tags(Some(tag_list(cx.tags)?))
            .send()
            .await
            .map_err(Error::from);
        let role = match made.exists_is_fine()? {
            Some(made) => made.role,
            None => {
                let there = read(cx.aws, &self.name).await?;
                let tags = there.as_ref().map(|role| tags_of(role.tags()));
                cx.require_ours(&tags.unwrap_or_default())?;
                there
            }
        };
        let role = role.ok_or_else(|| Error::incomplete("the role"))?;
        self.put_policies(&BTreeMap::new(), &BTreeSet::new(), cx.aws).await?;
        Ok(Made::new(role.arn(), Outputs::of(role.arn())))
    }

    async fn update(&self, was: &Self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        self.put_words(was, cx.aws).await?;
        self.put_policies(&was.inline, &was.policies, cx.aws).await?;
        self.drop_policies(was, cx.aws).await?;
        Ok(Made::new(cx.id, Outputs::of(cx.id)))
    }

    /// What was attached when the plan was made is the plan's to detach; what came later is
    /// somebody else's, and the role stays until it is gone (B30).
    async fn delete(was: &Self, cx: &Cx<'_>) -> Result<()> {
        let bare = Self { inline: BTreeMap::new(), policies: BTreeSet::new(), ..was.clone() };
        bare.drop_policies(was, cx.aws).await?;
        let call = cx.aws.iam.delete_role().role_name(&was.name);
        match call.send().await.map_err(Error::from).absent_is_fine() {
            Err(error) if error.is("DeleteConflict") => Err(was.explain(error, cx).await),
            other => other,
        }
    }

    async fn tag(cx: &Cx<'_>, change: &TagChange) -> Result<()> {
        let (iam, name) = (&cx.aws.iam, name_of(cx.id));
        if !change.set.is_empty() {
            let tags = Some(tag_list(&change.set)?);
            iam.tag_role().role_name(name).set_tags(tags).send().await?;
        }
        if !change.unset.is_empty() {
            let keys = Some(tags::unset(change));
            iam.untag_role().role_name(name).set_tag_keys(keys).send().await?;
        }
        Ok(())
    }
}

/// What is wrong with the name, of so many letters at most, and the path of a role or an instance profile.
pub(super) fn check_identity(
    name: &str,
    longest: usize,
    path: Option<&str>,
    check: &mut Check<'_>,
) {
    let legal = |c: char| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c);
    if !name.contains("${") && (name.len() > longest || !name.chars().all(legal)) {
        let title =
            format!("`{name}` is not a name of up to {longest} letters, digits and `+=,.@_-`");
        check.error("E0230", "name", title).alone = true;
    }
    let root = check.stack.iam_path();
    let ours = |path: &str| path.starts_with(&root) && path.ends_with('/');
    if let Some(path) = path.filter(|path| !ours(path) && !path.contains("${")) {
        let title = format!("the path `{path}` is not one of this stack's");
        let hint =
            format!("leave it out, or write one that begins with `{root}` and ends with `/`");
        check.error_with("E0230", "path", title, hint).alone = true;
    }
}

impl Role {
    fn check_words(&self, check: &mut Check<'_>) {
        check_identity(&self.name, 64, self.path.as_deref(), check);
        let session = (self.max_session_duration, Unit::Seconds);
        check.within("E0238", "max-session-duration", session, 3600..=43_200);
        for policy in &self.policies {
            check.form("E0234", "policies", policy, forms::managed_policy);
        }
        if let Some(policy) = &self.permissions_boundary {
            check.form("E0234", "permissions-boundary", policy, forms::managed_policy);
        }
    }

    /// The role itself, without its policies.
    fn describe(role: &Description) -> Result<Self> {
        let trust = role.assume_role_policy_document().unwrap_or_default();
        let seconds = role.max_session_duration().and_then(|seconds| u32::try_from(seconds).ok());
        let boundary = role.permissions_boundary().and_then(|b| b.permissions_boundary_arn());
        Ok(Self {
            name: role.role_name().to_owned(),
            path: Some(role.path().to_owned()),
            description: role.description().map(str::to_owned),
            trust: parse(trust, role.role_name())?,
            inline: BTreeMap::new(),
            policies: BTreeSet::new(),
            max_session_duration: seconds,
            permissions_boundary: boundary.map(str::to_owned),
        })
    }

    /// UpdateAssumeRolePolicy, UpdateRole and PutRolePermissionsBoundary, as far as something
    /// differs.
    async fn put_words(&self, was: &Self, aws: &Aws) -> Result<()> {
        if self.trust != was.trust {
            let call = aws.iam.update_assume_role_policy().role_name(&self.name);
            call.policy_document(self.trust.text()).send().await?;
        }
        let description = self.description.clone().or_else(|| was.description.clone());
        let duration = self.max_session_duration.or(was.max_session_duration);
        if description != was.description || duration != was.max_session_duration {
            // UpdateRole puts back to the default what it is not told.
            let call = aws.iam.update_role().role_name(&self.name).set_description(description);
            call.set_max_session_duration(duration.map(seconds)).send().await?;
        }
        if let Some(boundary) = &self.permissions_boundary
            && self.permissions_boundary != was.permissions_boundary
        {
            let call = aws.iam.put_role_permissions_boundary().role_name(&self.name);
            call.permissions_boundary(boundary).send().await?;
        }
        Ok(())
    }

    /// PutRolePolicy and AttachRolePolicy for what is not there yet.
    async fn put_policies(
        &self,
        inline: &BTreeMap<String, Policy>,
        attached: &BTreeSet<String>,
        aws: &Aws,
    ) -> Result<()> {
        let put: Vec<(&String, &Policy)> =
            self.inline.iter().filter(|(name, policy)| inline.get(*name) != Some(policy)).collect();
        concurrently(&put, |(name, policy)| async move {
            let call = aws.iam.put_role_policy().role_name(&self.name).policy_name(*name);
            let put = call.policy_document(policy.text()).send().await;
            put.map_err(|error| Error::from(error).while_creating())
        })
        .await?;
        let attach: Vec<&String> = self.policies.difference(attached).collect();
        concurrently(&attach, |arn| async move {
            let call = aws.iam.attach_role_policy().role_name(&self.name).policy_arn(*arn);
            call.send().await.map_err(Error::from).map_err(|error| no_such_policy(error, arn))
        })
        .await?;
        Ok(())
    }

    /// Says which policies of somebody else keep the role from being deleted. These will not go by
    /// themselves; what this step has detached may still be shown for a while.
    async fn explain(&self, error: Error, cx: &Cx<'_>) -> Error {
        let now = tokio::try_join!(attached(cx.aws, &self.name), inline_names(cx.aws, &self.name));
        let Ok((attached, inline)) = now else { return error };
        let own = |name: &String| self.policies.contains(name) || self.inline.contains_key(name);
        let foreign: Vec<String> =
            attached.into_iter().chain(inline).filter(|name| !own(name)).collect();
        if foreign.is_empty() {
            return error;
        }
        let message = format!("the role has policies of somebody else: {}", foreign.join(", "));
        Error { class: Class::Other, message, ..error }
            .hinted("detach them, or plan again: the plan will show them")
    }

    /// DeleteRolePolicy and DetachRolePolicy for what is there and not wanted any more.
    async fn drop_policies(&self, was: &Self, aws: &Aws) -> Result<()> {
        let inline: Vec<&String> =
            was.inline.keys().filter(|name| !self.inline.contains_key(*name)).collect();
        concurrently(&inline, |name| async move {
            let call = aws.iam.delete_role_policy().role_name(&self.name).policy_name(*name);
            call.send().await.map_err(Error::from).absent_is_fine()
        })
        .await?;
        let attached: Vec<&String> = was.policies.difference(&self.policies).collect();
        concurrently(&attached, |arn| async move {
            let call = aws.iam.detach_role_policy().role_name(&self.name).policy_arn(*arn);
            call.send().await.map_err(Error::from).absent_is_fine()
        })
        .await?;
        Ok(())
    }
}

/// A policy that is not there will not come; the role, made a moment ago, will.
fn no_such_policy(error: Error, arn: &str) -> Error {
    if error.class != Class::Absent || !error.message.to_lowercase().contains("policy") {
        return error.while_creating();
    }
    let hint = format!("look for a mistake in the ARN `{arn}`");
    Error { class: Class::Other, ..error }.hinted(hint)
}

/// GetAccountAuthorizationDetails: tags, boundaries and policies of all roles of the account by their names.
/// Nothing where the caller may not ask, or where so many roles are told of sooner one by one.
async fn details(aws: &Aws, roles: usize) -> Result<Option<BTreeMap<String, RoleDetail>>> {
    let call = aws.iam.get_account_authorization_details().filter(EntityType::Role);
    let mut pages = call.max_items(1000).into_paginator().send();
    let (mut found, mut read) = (BTreeMap::new(), 0);
    while let Some(page) = pages.next().await {
        read += 1;
        match page.map_err(Error::from) {
            Err(error) if error.class == Class::Denied => return Ok(None),
            _ if read > roles => return Ok(None),
            page => {
                let details = page?.role_detail_list.unwrap_or_default().into_iter();
                let named = details.filter_map(|it| Some((it.role_name.clone()?, it)));
                found.extend(named);
            }
        }
    }
    Ok(Some(found))
}

/// A role as ListRoles and GetAccountAuthorizationDetails together tell of it.
fn detailed(role: &Description, detail: &RoleDetail) -> Result<Observed<Role>> {
    let name = role.role_name();
    let mut live = Role::describe(role)?;
    let boundary = detail.permissions_boundary().and_then(|it| it.permissions_boundary_arn());
    live.permissions_boundary = boundary.map(str::to_owned);
    let attached = detail.attached_managed_policies().iter();
    live.policies = attached.filter_map(|policy| policy.policy_arn.clone()).collect();
    for policy in detail.role_policy_list() {
        let read = parse(policy.policy_document().unwrap_or_default(), name)?;
        live.inline.insert(policy.policy_name().unwrap_or_default().to_owned(), read);
    }
    Ok(observed(role, live, tags_of(detail.tags())))
}

/// GetRole, which tells tags and boundary where ListRoles does not.
async fn read(aws: &Aws, name: &str) -> Result<Option<Description>> {
    match aws.iam.get_role().role_name(name).send().await.map_err(Error::from) {
        Ok(found) => Ok(found.role),
        Err(error) if error.class == Class::Absent => Ok(None),
        Err(error) => Err(error),
    }
}

/// A role read by itself, with its policies if it is ours.
async fn single(aws: &Aws, name: &str, sought: &Sought<'_>) -> Result<Option<Observed<Role>>> {
    let Some(role) = read(aws, name).await? else { return Ok(None) };
    let tags = tags_of(role.tags());
    let mut live = Role::describe(&role)?;
    // Of what is not ours only the name counts.
    if sought.is_ours(&tags) {
        (live.policies, live.inline) = tokio::try_join!(attached(aws, name), inline(aws, name))?;
    }
    Ok(Some(observed(&role, live, tags)))
}

fn observed(role: &Description, live: Role, tags: Tags) -> Observed<Role> {
    let (id, outputs) = (role.arn().to_owned(), Outputs::of(role.arn()));
    Observed { earlier: Vec::new(), id, live, outputs, tags, condition: Condition::Ready }
}

/// ListAttachedRolePolicies: the ARNs.
async fn attached(aws: &Aws, name: &str) -> Result<BTreeSet<String>> {
    let pages = aws.iam.list_attached_role_policies().role_name(name).into_paginator();
    let listed = pages.items().send().try_collect().await.map_err(Error::from)?;
    Ok(listed.into_iter().filter_map(|policy| policy.policy_arn).collect())
}

/// ListRolePolicies.
async fn inline_names(aws: &Aws, name: &str) -> Result<Vec<String>> {
    let pages = aws.iam.list_role_policies().role_name(name).into_paginator();
    pages.items().send().try_collect().await.map_err(Error::from)
}

/// ListRolePolicies, and GetRolePolicy for each.
async fn inline(aws: &Aws, role: &str) -> Result<BTreeMap<String, Policy>> {
    let names = inline_names(aws, role).await?;
    let read = concurrently(&names, |name| async move {
        let call = aws.iam.get_role_policy().role_name(role).policy_name(name);
        let told = call.send().await?;
        Ok((name.clone(), parse(told.policy_document(), role)?))
    });
    Ok(read.await?.into_iter().collect())
}

fn parse(document: &str, role: &str) -> Result<Policy> {
    Policy::read(document).map_err(|why| {
        Error::new(Class::Other, format!("a policy of the role {role} cannot be read: {why}"))
    })
}

fn tags_of(tags: &[Tag]) -> Tags {
    tags::collect(tags.iter().map(|tag| (tag.key(), tag.value())))
}

fn tag_list(tags: &Tags) -> Result<Vec<Tag>> {
    let tag = |(key, value): (&String, &String)| Tag::builder().key(key).value(value).build();
    let built: Result<Vec<Tag>, _> = tags.iter().map(tag).collect();
    built.map_err(|error| Error::new(Class::Other, error.to_string()))
}

fn seconds(seconds: u32) -> i32 {
    i32::try_from(seconds).unwrap_or(i32::MAX)
}

/// The name in `arn:aws:iam::<account>:role/<path>/<name>`.
fn name_of(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kind::Shape;
    use crate::kinds::checked::{flaws, reads_back};

    fn trust() -> serde_json::Value {
        json!({ "Statement": { "Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": { "Service": "ecs-tasks.amazonaws.com" } } })
    }

    #[test]
    fn declarations_read_back() {
        reads_back::<Role>(json!({ "trust": trust() }));
        reads_back::<Role>(json!({
            "name": "shop", "path": "/ecsctl/shop/prod/x/", "description": "y", "trust": trust(),
            "inline": { "read": { "Statement": {
                "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"
            } } },
            "policies": ["a", "b"], "max-session-duration": 3600, "permissions-boundary": "c",
        }));
    }

    /// Documents are compared as a whole, not as structs.
    #[test]
    fn policies_are_documents() {
        let shape = Shape::of::<Role>();
        let fields = shape.fields().unwrap();
        assert_eq!(fields["trust"].shape, Shape::Any);
        assert_eq!(fields["inline"].shape, Shape::Map(Box::new(Shape::Any)));
    }

    #[test]
    fn what_aws_would_refuse_is_said_offline() {
        insta::assert_snapshot!(flaws::<Role>(json!({
            "name": "shop/web", "path": "x", "trust": {}, "max-session-duration": 60,
            "policies": ["ReadOnlyAccess"], "permissions-boundary": "${role.a.arn}",
            "inline": { "read": { "Statement": {
                "Effect": "Allow", "Action": "s3:GetObject", "Resource": "x".repeat(10_240),
            } } },
        })), @r"
        E0230 name: `shop/web` is not a name of up to 64 letters, digits and `+=,.@_-`
        E0230 path: the path `x` is not one of this stack's
        E0238 max-session-duration: `max-session-duration` is at least 1h (3600 s)
        E0234 policies: `ReadOnlyAccess` is not the ARN of a managed policy
        E0234 trust: a policy needs a `Statement`
        E0234 inline: the policy has 10339 characters; IAM takes 10240
        ");
    }
}
