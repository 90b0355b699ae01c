//! `vpc`: a virtual private cloud.

use std::time::Duration;

use aws_sdk_ec2::types::{
    AttributeBooleanValue, ResourceType, Tag, Vpc as Description, VpcAttributeName, VpcState,
};
use futures::TryFutureExt as _;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::types::Cidr;
use crate::cloud::aws::ec2::{PAGE, filter};
use crate::cloud::aws::once::alone;
use crate::cloud::aws::{Aws, concurrently, tags};
use crate::kind::{
    About, After, Check, Class, Condition, Cx, Error, Forgive as _, Kind, Made, Observed, Ready,
    Result, Sought, TagChange,
};

/// A virtual private cloud. Its main route table, default network ACL and default security group come
/// and go with it and are left alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Vpc {
    /// Its IPv4 block, from /16 to /28.
    #[schemars(extend("x-replaces" = true))]
    pub cidr: Cidr,
    /// Whether Amazon's name server answers in it.
    #[serde(default = "yes")]
    pub enable_dns_support: bool,
    /// Whether instances get public DNS names; private names of interface endpoints need it.
    #[serde(default = "yes")]
    pub enable_dns_hostnames: bool,
}

fn yes() -> bool {
    true
}

/// What others may refer to.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Outputs {
    /// Its id, `vpc-…`.
    pub id: String,
    /// Its IPv4 block.
    pub cidr: String,
}

impl Kind for Vpc {
    const NAME: &'static str = "vpc";
    const ABOUT: About = About {
        // Whatever stands in it must be gone, and AWS lets go of network interfaces late.
        deadline: Duration::from_secs(20 * 60),
        ..About::DEFAULT
    };

    type Outputs = Outputs;

    fn check(&self, check: &mut Check<'_>) {
        self.cidr.check_network(check, "cidr", "VPC");
        if self.enable_dns_hostnames && !self.enable_dns_support {
            check.error_with(
                "E0227",
                "enable-dns-support",
                "DNS hostnames need DNS support",
                "write `enable-dns-hostnames = false` too, or keep DNS support",
            );
        }
    }

    async fn observe(aws: &Aws, sought: &Sought<'_>) -> Result<Vec<Observed<Self>>> {
        let call = aws.ec2.describe_vpcs().set_filters(Some(tags::ec2::filters(sought.stack)));
        let found = call.into_paginator().page_size(PAGE).items().send().try_collect().await?;
        concurrently(&found, |vpc| async move {
            let id = vpc.vpc_id().ok_or_else(|| Error::incomplete("a VPC's id"))?;
            let live = Self {
                cidr: Cidr::from(vpc.cidr_block().unwrap_or_default()),
                enable_dns_support: attribute(aws, id, VpcAttributeName::EnableDnsSupport).await?,
                enable_dns_hostnames: attribute(aws, id, VpcAttributeName::EnableDnsHostnames)
                    .await?,
            };
            Ok(Observed {
                earlier: Vec::new(),
                id: id.to_owned(),
                outputs: live.outputs(id),
                live,
                tags: tags::ec2::read(vpc.tags()),
                condition: condition(vpc),
            })
        })
        .await
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        let id = cx.aws.once::<Self>(cx, self.make(cx)).await?;
        // What AWS gives a new one: names are answered, hostnames are not given out.
        let new = Self { enable_dns_support: true, enable_dns_hostnames: false, ..self.clone() };
        self.put_attributes(&new, cx.aws, &id).await?;
        Ok(Made::new(&id, self.outputs(&id)))
    }

    async fn update(&self, was: &Self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        self.put_attributes(was, cx.aws, cx.id).await?;
        Ok(Made::new(cx.id, self.outputs(cx.id)))
    }

    async fn delete(_was: &Self, cx: &Cx<'_>) -> Result<()> {
        let call = cx.aws.ec2.delete_vpc().vpc_id(cx.id);
        match call.send().await.map_err(Error::from).absent_is_fine() {
            Err(error) if error.class == Class::InUse => Err(explain(error, cx).await),
            result => result,
        }
    }

    async fn tag(cx: &Cx<'_>, change: &TagChange) -> Result<()> {
        tags::ec2::change(cx.aws, cx.id, change).await
    }

    async fn ready(cx: &Cx<'_>, after: After) -> Result<Ready> {
        if after == After::Delete {
            return Ok(Ready::Yes);
        }
        let call = cx.aws.ec2.describe_vpcs().filters(filter("vpc-id", [cx.id]));
        let found = call.send().await?;
        Ok(match found.vpcs().first().map(condition) {
            Some(Condition::Ready) => Ready::Yes,
            Some(_) => not_yet("pending"),
            None => not_yet("not visible yet"),
        })
    }
}

/// What keeps the VPC from being deleted, in words. What is not the stack's stays, however long one waits;
/// network interfaces go by themselves, some time after what they belonged to.
async fn explain(error: Error, cx: &Cx<'_>) -> Error {
    let within = || filter("vpc-id", [cx.id]);
    let found = tokio::try_join!(
        cx.aws.ec2.describe_security_groups().filters(within()).send().map_err(Error::from),
        cx.aws.ec2.describe_subnets().filters(within()).send().map_err(Error::from),
        cx.aws.ec2.describe_network_interfaces().filters(within()).send().map_err(Error::from),
    );
    // Why it cannot be said what is in it is no better than what AWS said first.
    let Ok((groups, subnets, interfaces)) = found else { return error };
    let is_foreign = |given: &[Tag]| !cx.stack.owns(&tags::ec2::read(given));
    let groups = groups
        .security_groups()
        .iter()
        .filter(|group| group.group_name() != Some("default") && is_foreign(group.tags()));
    let groups = groups.map(|group| ("security group", group.group_id()));
    let subnets = subnets.subnets().iter().filter(|subnet| is_foreign(subnet.tags()));
    let subnets = subnets.map(|subnet| ("subnet", subnet.subnet_id()));
    let name = |(what, id): (&str, Option<&str>)| format!("the {what} {}", id.unwrap_or("?"));
    let foreign: Vec<String> = groups.chain(subnets).map(name).collect();
    let interfaces = interfaces.network_interfaces().iter();
    let interfaces: Vec<String> =
        interfaces.map(|one| name(("network interface", one.network_interface_id()))).collect();
    let first = |names: &[String]| names.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
    match (foreign.as_slice(), interfaces.as_slice()) {
        ([], []) => error,
        ([], interfaces) => {
            Error { message: format!("{} is still in it", first(interfaces)), ..error }
        }
        (foreign, _) => {
            let message = format!("what is not this stack's is in it: {}", first(foreign));
            let hint = "delete that, or move it to another VPC, and destroy again";
            Error { class: Class::Other, message, ..error }.hinted(hint)
        }
    }
}

impl Vpc {
    fn outputs(&self, id: &str) -> Outputs {
        Outputs { id: id.to_owned(), cidr: self.cidr.to_string() }
    }

    /// CreateVpc.
    async fn make(&self, cx: &Cx<'_>) -> Result<String> {
        let call = cx.aws.ec2.create_vpc().cidr_block(self.cidr.as_str());
        let call = call.tag_specifications(tags::ec2::specification(ResourceType::Vpc, cx.tags));
        let made = call.customize().config_override(alone()).send().await?;
        let id = made.vpc().and_then(Description::vpc_id);
        id.map(str::to_owned).ok_or_else(|| Error::incomplete("the new VPC's id"))
    }

    /// ModifyVpcAttribute, which takes one attribute a call. Hostnames need support, so support comes
    /// first when it is turned on and last when it is turned off.
    async fn put_attributes(&self, was: &Self, aws: &Aws, id: &str) -> Result<()> {
        let support = self.enable_dns_support != was.enable_dns_support;
        if support && self.enable_dns_support {
            self.put_support(aws, id).await?;
        }
        if self.enable_dns_hostnames != was.enable_dns_hostnames {
            let call = aws.ec2.modify_vpc_attribute().vpc_id(id);
            let call = call.enable_dns_hostnames(value(self.enable_dns_hostnames));
            call.send().await.map_err(|error| Error::from(error).while_creating())?;
        }
        if support && !self.enable_dns_support {
            self.put_support(aws, id).await?;
        }
        Ok(())
    }

    async fn put_support(&self, aws: &Aws, id: &str) -> Result<()> {
        let call = aws.ec2.modify_vpc_attribute().vpc_id(id);
        let call = call.enable_dns_support(value(self.enable_dns_support));
        call.send().await.map_err(|error| Error::from(error).while_creating())?;
        Ok(())
    }
}

fn value(on: bool) -> AttributeBooleanValue {
    AttributeBooleanValue::builder().value(on).build()
}

/// DescribeVpcAttribute, which tells one attribute a call.
async fn attribute(aws: &Aws, id: &str, name: VpcAttributeName) -> Result<bool> {
    let found = aws.ec2.describe_vpc_attribute().vpc_id(id).attribute(name).send().await?;
    let told = found.enable_dns_support().or_else(|| found.enable_dns_hostnames());
    told.and_then(AttributeBooleanValue::value)
        .ok_or_else(|| Error::incomplete("the attribute of a VPC"))
}

fn condition(vpc: &Description) -> Condition {
    match vpc.state() {
        Some(VpcState::Pending) => Condition::Settling("pending".to_owned()),
        _ => Condition::Ready,
    }
}

fn not_yet(why: &str) -> Ready {
    Ready::NotYet { why: why.to_owned(), look_again: Duration::from_secs(1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declaration_reads_back() {
        let text = crate::kinds::types::sample::in_full::<Vpc>("cidr = '10.0.1.5/16'");
        insta::assert_snapshot!(text, @r#"
        {
          "cidr": "10.0.0.0/16",
          "enable-dns-support": true,
          "enable-dns-hostnames": true
        }
        "#);
    }

    /// Hostnames need support: AWS refuses the one without the other.
    #[test]
    fn hostnames_without_support_are_refused() {
        let stack = crate::kind::StackId { stack: "s".into(), env: "e".into(), region: "r".into() };
        let address = crate::address::Address::new("vpc", "main");
        let codes = |cidr: &str, enable_dns_support| {
            let mut check = Check { stack: &stack, address: &address, found: Vec::new() };
            let cidr = Cidr::from(cidr);
            Vpc { cidr, enable_dns_support, enable_dns_hostnames: true }.check(&mut check);
            check.found.iter().map(|found| found.code).collect::<Vec<_>>()
        };
        assert_eq!(codes("10.0.0.0/16", true), [""; 0]);
        assert_eq!(codes("10.0.0.0/16", false), ["E0227"]);
        assert_eq!(codes("10.0.0.0/8", true), ["E0221"]);
        assert_eq!(codes("10.0.0.0/29", true), ["E0221"]);
        assert_eq!(codes("fd00::/56", true), ["E0221"]);
    }
}
