//! `launch-template`: what EC2 instances are like that an Auto Scaling group starts.
//!
//! A version cannot be changed, so an update makes another one, and whatever refers to the output
//! `version` follows. Earlier versions stay: instances may still run by them.

use std::collections::BTreeSet;

use aws_sdk_ec2::operation::describe_launch_template_versions::DescribeLaunchTemplateVersionsOutput;
use aws_sdk_ec2::types::{
    LaunchTemplate as Description, LaunchTemplateHttpTokensState,
    LaunchTemplateIamInstanceProfileSpecificationRequest as ProfileRequest,
    LaunchTemplateInstanceMetadataOptionsRequest as MetadataRequest,
    LaunchTemplateInstanceNetworkInterfaceSpecificationRequest as InterfaceRequest,
    RequestLaunchTemplateData, ResourceType, ResponseLaunchTemplateData,
};
use aws_smithy_types::base64;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::types::words::words;
use crate::cloud::aws::ec2::filter;
use crate::cloud::aws::{Aws, concurrently, tags};
use crate::kind::{
    About, Check, Class, Condition, Cx, Error, Forgive as _, Kind, Made, NameStyle, Naming,
    Observed, Result, Sought, TagChange,
};

/// What EC2 instances are like that an Auto Scaling group starts: the newest version of it.
///
/// A version is made whole, and so it is owned: a field that is left out means *none*.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("x-whole" = true))]
pub struct LaunchTemplate {
    /// Its name: 3 to 128 letters, digits and `().-/_`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(extend("x-replaces" = true))]
    pub name: String,
    /// The image: its id, or `resolve:ssm:` and the name of a parameter that holds it when an instance
    /// starts.
    #[schemars(extend("examples" = ["resolve:ssm:/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id"]))]
    pub image_id: String,
    /// The type of instance, if the Auto Scaling group names none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_type: Option<String>,
    /// The ARN of the instance profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["${instance-profile.general.arn}"]))]
    pub instance_profile: Option<String>,
    /// The ids of the instances' security groups; none means the VPC's default group.
    #[serde(default)]
    pub security_groups: BTreeSet<String>,
    /// Whether instances get public addresses; left out, as their subnet says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_ip: Option<bool>,
    /// The key pair for SSH.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_name: Option<String>,
    /// What an instance runs when it first starts, as text: at most 16 KB.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub user_data: String,
    /// Whether the instances' metadata is given only to callers with a session token (IMDSv2).
    #[serde(default = "required")]
    pub http_tokens: Tokens,
    /// Over how many hops metadata is given: 2 reaches containers in bridge mode.
    #[serde(default = "two")]
    pub http_hop_limit: u32,
}

words! {
    /// Whether metadata is given only to callers with a session token.
    Tokens as "a setting of metadata tokens" {
        /// Only to them (IMDSv2).
        Required = "required",
        /// To all.
        Optional = "optional",
    }
}

fn required() -> Tokens {
    Tokens::Required
}

fn two() -> u32 {
    2
}

/// What others may refer to.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Outputs {
    /// Its id, `lt-…`.
    pub id: String,
    /// The newest version's number.
    pub version: String,
}

/// The largest page of DescribeLaunchTemplates.
const PAGE: i32 = 200;
/// The most user data that EC2 takes, before it is encoded.
const USER_DATA_MAX: usize = 16 * 1024;

impl Kind for LaunchTemplate {
    const NAME: &'static str = "launch-template";
    const ABOUT: About = About {
        exclusive: &["name"],
        naming: Some(Naming { max: 128, style: NameStyle::Dashed, suffix: true }),
        renews: &["version"],
        ..About::DEFAULT
    };

    type Outputs = Outputs;

    fn check(&self, check: &mut Check<'_>) {
        let legal = |c: char| c.is_ascii_alphanumeric() || "().-/_".contains(c);
        let fits = (3..=128).contains(&self.name.len()) && self.name.chars().all(legal);
        if !fits && !self.name.is_empty() && !self.name.contains("${") {
            let title =
                format!("`{}` is not a name of 3 to 128 letters, digits and `().-/_`", self.name);
            check.error("E0230", "name", title).alone = true;
        }
        let image = self.image_id.as_str();
        if !image.contains("${") && !image.starts_with("ami-") && !image.starts_with("resolve:ssm:")
        {
            let title = format!("`{image}` is no image");
            let hint = "write an id such as `ami-0123456789abcdef0`, or `resolve:ssm:` and the name \
                        of a parameter";
            check.error_with("E0257", "image-id", title, hint).alone = true;
        }
        if self.user_data.len() > USER_DATA_MAX {
            let title = format!(
                "`user-data` has {} bytes; EC2 takes {USER_DATA_MAX}",
                self.user_data.len()
            );
            check.error("E0257", "user-data", title);
        }
        if !(1..=64).contains(&self.http_hop_limit) {
            check.error("E0257", "http-hop-limit", "`http-hop-limit` is from 1 to 64").alone = true;
        }
    }

    /// DescribeLaunchTemplates, and DescribeLaunchTemplateVersions for each of the stack's own.
    async fn observe(aws: &Aws, sought: &Sought<'_>) -> Result<Vec<Observed<Self>>> {
        let call = aws.ec2.describe_launch_templates();
        let call = call.set_filters(Some(tags::ec2::filters(sought.stack)));
        let pages = call.max_results(PAGE).into_paginator().items().send().try_collect();
        let mut found: Vec<Description> = pages.await.map_err(Error::from)?;
        let own: BTreeSet<&str> =
            found.iter().filter_map(Description::launch_template_name).collect();
        let others: Vec<String> =
            sought.names([]).into_iter().filter(|name| !own.contains(name.as_str())).collect();
        found.extend(named(aws, &others).await?);
        concurrently(&found, |template| observed(aws, template)).await
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        let call = cx.aws.ec2.create_launch_template().client_token(cx.token);
        let call = call.launch_template_name(&self.name).launch_template_data(self.write());
        let tags = tags::ec2::specification(ResourceType::LaunchTemplate, cx.tags);
        let made = call.tag_specifications(tags).send().await;
        let made = made.map_err(|error| Error::from(error).while_creating());
        let (template, adjust) = match made.exists_is_fine()? {
            Some(made) => (made.launch_template, false),
            None => {
                let there = named(cx.aws, std::slice::from_ref(&self.name)).await?;
                let there = there.into_iter().next();
                let tags = there.as_ref().map(|it| tags::ec2::read(it.tags()));
                cx.require_ours(&tags.unwrap_or_default())?;
                (there, true)
            }
        };
        let template = template.ok_or_else(|| Error::incomplete("the new launch template"))?;
        let made = made_of(&template)?;
        // Somebody may have changed what an attempt whose reply was lost has made.
        if adjust && observed(cx.aws, &template).await?.live != *self {
            return self.version(&made.id, cx).await;
        }
        Ok(made)
    }

    async fn update(&self, _was: &Self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        self.version(cx.id, cx).await
    }

    async fn delete(_was: &Self, cx: &Cx<'_>) -> Result<()> {
        let call = cx.aws.ec2.delete_launch_template().launch_template_id(cx.id);
        call.send().await.map_err(Error::from).absent_is_fine()
    }

    async fn tag(cx: &Cx<'_>, change: &TagChange) -> Result<()> {
        tags::ec2::change(cx.aws, cx.id, change).await
    }
}

impl LaunchTemplate {
    /// CreateLaunchTemplateVersion. Whoever starts instances names the number, so that which version is the
    /// default is of no account.
    async fn version(&self, id: &str, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        let call = cx.aws.ec2.create_launch_template_version().client_token(cx.token);
        let made = call.launch_template_id(id).launch_template_data(self.write()).send().await;
        let made = made.map_err(|error| Error::from(error).while_creating())?;
        let number = made.launch_template_version().and_then(|version| version.version_number());
        let number = number.ok_or_else(|| Error::incomplete("the new version's number"))?;
        Ok(Made::new(id, Outputs { id: id.to_owned(), version: number.to_string() }))
    }

    fn write(&self) -> RequestLaunchTemplateData {
        let Self {
            name: _,
            image_id,
            instance_type,
            instance_profile,
            security_groups,
            public_ip,
            key_name,
            user_data,
            http_tokens,
            http_hop_limit,
        } = self;
        let profile =
            instance_profile.as_ref().map(|arn| ProfileRequest::builder().arn(arn).build());
        let metadata = MetadataRequest::builder()
            .http_tokens(http_tokens.word().into())
            .http_put_response_hop_limit(i32::try_from(*http_hop_limit).unwrap_or(i32::MAX));
        let groups: Vec<String> = security_groups.iter().cloned().collect();
        let groups = Some(groups).filter(|groups| !groups.is_empty());
        let data = RequestLaunchTemplateData::builder()
            .image_id(image_id)
            .set_instance_type(instance_type.as_deref().map(Into::into))
            .set_iam_instance_profile(profile)
            .set_key_name(key_name.clone())
            .set_user_data(Some(base64::encode(user_data)).filter(|text| !text.is_empty()))
            .metadata_options(metadata.build());
        // Who says anything of an interface says its groups there, and not beside it.
        match public_ip {
            None => data.set_security_group_ids(groups).build(),
            Some(public) => {
                let interface = InterfaceRequest::builder().device_index(0);
                let interface = interface.associate_public_ip_address(*public).set_groups(groups);
                data.network_interfaces(interface.build()).build()
            }
        }
    }

    fn read(name: &str, data: &ResponseLaunchTemplateData) -> Result<Self> {
        let interface = data.network_interfaces().first();
        let groups = interface.map_or(data.security_group_ids(), |interface| interface.groups());
        let metadata = data.metadata_options();
        let tokens = metadata.and_then(|options| options.http_tokens());
        let hops = metadata.and_then(|options| options.http_put_response_hop_limit());
        let optional = LaunchTemplateHttpTokensState::Optional;
        let user_data = base64::decode(data.user_data().unwrap_or_default()).map_err(|error| {
            Error::new(Class::Other, format!("the user data of {name} cannot be read: {error}"))
        })?;
        let profile = data.iam_instance_profile();
        Ok(Self {
            name: name.to_owned(),
            image_id: data.image_id().unwrap_or_default().to_owned(),
            instance_type: data.instance_type().map(|it| it.as_str().to_owned()),
            instance_profile: profile.and_then(|it| it.arn().or(it.name())).map(str::to_owned),
            security_groups: groups.iter().cloned().collect(),
            public_ip: interface.and_then(|interface| interface.associate_public_ip_address()),
            key_name: data.key_name().map(str::to_owned),
            user_data: String::from_utf8_lossy(&user_data).into_owned(),
            http_tokens: Tokens::read(tokens.unwrap_or(&optional).as_str())?,
            http_hop_limit: hops.and_then(|hops| u32::try_from(hops).ok()).unwrap_or(1),
        })
    }
}

/// DescribeLaunchTemplates by filter: an unknown name would fail the whole call.
async fn named(aws: &Aws, names: &[String]) -> Result<Vec<Description>> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let call = aws.ec2.describe_launch_templates();
    let call = call.filters(filter("launch-template-name", names)).max_results(PAGE);
    call.into_paginator().items().send().try_collect().await.map_err(Error::from)
}

/// DescribeLaunchTemplateVersions: the newest one, as it was written. What an image's parameter stands for
/// is not asked.
async fn observed(aws: &Aws, template: &Description) -> Result<Observed<LaunchTemplate>> {
    let Made { id, outputs, .. } = made_of(template)?;
    let call = aws.ec2.describe_launch_template_versions().launch_template_id(&id);
    let found: DescribeLaunchTemplateVersionsOutput =
        call.versions(&outputs.version).send().await?;
    let version = found.launch_template_versions().first();
    let data = version.and_then(|version| version.launch_template_data());
    let data = data.ok_or_else(|| Error::incomplete("a launch template's data"))?;
    Ok(Observed {
        earlier: Vec::new(),
        id,
        live: LaunchTemplate::read(template.launch_template_name().unwrap_or_default(), data)?,
        outputs,
        tags: tags::ec2::read(template.tags()),
        condition: Condition::Ready,
    })
}

fn made_of(template: &Description) -> Result<Made<Outputs>> {
    let id = template.launch_template_id();
    let id = id.ok_or_else(|| Error::incomplete("a launch template's id"))?;
    let version = template.latest_version_number().unwrap_or(1).to_string();
    Ok(Made::new(id, Outputs { id: id.to_owned(), version }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::checked::{flaws, reads_back};

    #[test]
    fn declarations_read_back() {
        reads_back::<LaunchTemplate>(json!({ "image-id": "ami-1" }));
        reads_back::<LaunchTemplate>(json!({
            "name": "shop", "image-id": "resolve:ssm:/a", "instance-type": "t3.small",
            "instance-profile": "a", "security-groups": ["sg-1"], "public-ip": false,
            "key-name": "k", "user-data": "#!/bin/sh\n", "http-tokens": "optional",
            "http-hop-limit": 1,
        }));
    }

    #[test]
    fn what_aws_would_refuse_is_said_offline() {
        let wrong = json!({
            "name": "a b", "image-id": "al2023", "user-data": "x".repeat(16_385), "http-hop-limit": 0,
        });
        insta::assert_snapshot!(flaws::<LaunchTemplate>(wrong), @r"
        E0230 name: `a b` is not a name of 3 to 128 letters, digits and `().-/_`
        E0257 image-id: `al2023` is no image
        E0257 user-data: `user-data` has 16385 bytes; EC2 takes 16384
        E0257 http-hop-limit: `http-hop-limit` is from 1 to 64
        ");
    }

    /// The groups stand with the interface when anything is said of that.
    #[test]
    fn what_is_written_is_read_again() {
        for public in [json!(null), json!(true), json!(false)] {
            let mut spec = json!({ "image-id": "ami-1", "security-groups": ["sg-1"] });
            spec["public-ip"] = public;
            let spec: LaunchTemplate = serde_json::from_value(spec).unwrap();
            let data = spec.write();
            let interface = data.network_interfaces().first();
            assert_eq!(interface.is_some(), spec.public_ip.is_some());
            let beside = data.security_group_ids();
            let groups = interface.map_or(beside, |interface| interface.groups());
            assert_eq!(groups, ["sg-1"]);
            assert!(interface.is_none() || beside.is_empty());
        }
    }
}
