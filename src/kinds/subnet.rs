//! `subnet`: a subnet of a VPC, in one availability zone.

use std::time::Duration;

use aws_sdk_ec2::types::{AttributeBooleanValue, ResourceType, Subnet as Description, SubnetState};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::types::Cidr;
use crate::cloud::aws::ec2::{PAGE, filter};
use crate::cloud::aws::once::alone;
use crate::cloud::aws::{Aws, tags};
use crate::kind::{
    About, After, Check, Condition, Cx, Error, Forgive as _, Kind, Made, Observed, Ready, Result,
    Sought, TagChange,
};

/// A subnet of a VPC, in one availability zone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Subnet {
    /// The VPC's id.
    #[schemars(extend("x-replaces" = true, "x-within" = true))]
    #[schemars(extend("examples" = ["${vpc.main.id}"]))]
    pub vpc_id: String,
    /// Its part of the VPC's IPv4 block, from /16 to /28; AWS keeps five addresses to itself.
    #[schemars(extend("x-replaces" = true))]
    pub cidr_block: Cidr,
    /// The zone's name, such as `us-east-1a`.
    #[schemars(extend("x-replaces" = true))]
    #[schemars(extend("examples" = ["${aws.zone-1}"]))]
    pub availability_zone: String,
    /// Whether instances get a public address when they start. Fargate tasks do not heed it.
    #[serde(default)]
    pub map_public_ip_on_launch: bool,
}

/// What others may refer to.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Outputs {
    /// Its id, `subnet-…`.
    pub id: String,
    /// Its IPv4 block.
    pub cidr_block: String,
    /// The zone's name.
    pub availability_zone: String,
}

impl Kind for Subnet {
    const NAME: &'static str = "subnet";
    const ABOUT: About = About {
        // Network interfaces of tasks and load balancers go minutes after their owners.
        deadline: Duration::from_secs(20 * 60),
        // Two subnets of a VPC cannot overlap.
        exclusive: &["vpc-id", "cidr-block"],
        ..About::DEFAULT
    };

    type Outputs = Outputs;

    fn check(&self, check: &mut Check<'_>) {
        self.cidr_block.check_network(check, "cidr-block", "subnet");
        check_zone(&self.availability_zone, check);
    }

    async fn observe(aws: &Aws, sought: &Sought<'_>) -> Result<Vec<Observed<Self>>> {
        let call = aws.ec2.describe_subnets().set_filters(Some(tags::ec2::filters(sought.stack)));
        let found = call.into_paginator().page_size(PAGE).items().send().try_collect().await?;
        found.iter().map(observed).collect()
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        let id = cx.aws.once::<Self>(cx, self.make(cx)).await?;
        if self.map_public_ip_on_launch {
            self.put_public_ip(cx.aws, &id).await?;
        }
        Ok(Made::new(&id, self.outputs(&id)))
    }

    async fn update(&self, _was: &Self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        self.put_public_ip(cx.aws, cx.id).await?;
        Ok(Made::new(cx.id, self.outputs(cx.id)))
    }

    async fn delete(_was: &Self, cx: &Cx<'_>) -> Result<()> {
        let call = cx.aws.ec2.delete_subnet().subnet_id(cx.id);
        call.send().await.map_err(Error::from).absent_is_fine()
    }

    async fn tag(cx: &Cx<'_>, change: &TagChange) -> Result<()> {
        tags::ec2::change(cx.aws, cx.id, change).await
    }

    async fn ready(cx: &Cx<'_>, after: After) -> Result<Ready> {
        if after == After::Delete {
            return Ok(Ready::Yes);
        }
        let call = cx.aws.ec2.describe_subnets().filters(filter("subnet-id", [cx.id]));
        let found = call.send().await?;
        let why = match found.subnets().first().map(condition) {
            Some(Condition::Ready) => return Ok(Ready::Yes),
            Some(_) => "pending",
            None => "not visible yet",
        };
        Ok(Ready::NotYet { why: why.to_owned(), look_again: Duration::from_secs(1) })
    }
}

impl Subnet {
    fn outputs(&self, id: &str) -> Outputs {
        Outputs {
            id: id.to_owned(),
            cidr_block: self.cidr_block.to_string(),
            availability_zone: self.availability_zone.clone(),
        }
    }

    /// CreateSubnet.
    async fn make(&self, cx: &Cx<'_>) -> Result<String> {
        let call = cx.aws.ec2.create_subnet().vpc_id(&self.vpc_id);
        let call = call.cidr_block(self.cidr_block.as_str());
        let call = call.availability_zone(&self.availability_zone);
        let call = call.tag_specifications(tags::ec2::specification(ResourceType::Subnet, cx.tags));
        let made = call.customize().config_override(alone()).send().await;
        let made = made.map_err(|error| Error::from(error).while_creating())?;
        let id = made.subnet().and_then(Description::subnet_id);
        id.map(str::to_owned).ok_or_else(|| Error::incomplete("the new subnet's id"))
    }

    /// ModifySubnetAttribute, which takes one attribute a call.
    async fn put_public_ip(&self, aws: &Aws, id: &str) -> Result<()> {
        let value = AttributeBooleanValue::builder().value(self.map_public_ip_on_launch).build();
        let call = aws.ec2.modify_subnet_attribute().subnet_id(id).map_public_ip_on_launch(value);
        call.send().await.map_err(|error| Error::from(error).while_creating())?;
        Ok(())
    }
}

fn observed(subnet: &Description) -> Result<Observed<Subnet>> {
    let id = subnet.subnet_id().ok_or_else(|| Error::incomplete("a subnet's id"))?;
    let live = Subnet {
        vpc_id: subnet.vpc_id().unwrap_or_default().to_owned(),
        cidr_block: Cidr::from(subnet.cidr_block().unwrap_or_default()),
        availability_zone: subnet.availability_zone().unwrap_or_default().to_owned(),
        map_public_ip_on_launch: subnet.map_public_ip_on_launch().unwrap_or(false),
    };
    Ok(Observed {
        earlier: Vec::new(),
        id: id.to_owned(),
        outputs: live.outputs(id),
        live,
        tags: tags::ec2::read(subnet.tags()),
        condition: condition(subnet),
    })
}

fn condition(subnet: &Description) -> Condition {
    match subnet.state() {
        Some(SubnetState::Pending) => Condition::Settling("pending".to_owned()),
        _ => Condition::Ready,
    }
}

/// A zone's name is the region's name with a letter, or with more behind it for local zones.
fn check_zone(zone: &str, check: &mut Check<'_>) {
    if zone.contains("${") {
        return;
    }
    let region = &check.stack.region;
    let beyond = zone.strip_prefix(region.as_str()).is_some_and(|rest| !rest.is_empty());
    let shaped = zone.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-')
        && zone.matches('-').count() >= 2;
    if beyond && shaped {
        return;
    }
    let of = if region.is_empty() { String::new() } else { format!(" of {region}") };
    check.error_with(
        "E0226",
        "availability-zone",
        format!("`{zone}` is not an availability zone{of}"),
        "write `${aws.zone-1}`, `${aws.zone-2}` …, or a zone's name such as `us-east-1a`",
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Address;
    use crate::kind::StackId;

    #[test]
    fn a_zone_belongs_to_the_region() {
        let stack = StackId { stack: "s".into(), env: "e".into(), region: "us-east-1".to_owned() };
        let address = Address::new("subnet", "a");
        let is_fine = |zone: &str| {
            let mut check = Check { stack: &stack, address: &address, found: Vec::new() };
            check_zone(zone, &mut check);
            check.found.is_empty()
        };
        for zone in ["us-east-1a", "us-east-1-bos-1a", "us-east-1-wl1-bos-wlz-1", "${aws.zone-1}"] {
            assert!(is_fine(zone), "{zone}");
        }
        for zone in ["us-east-1", "use1-az1", "us-west-2a", "US-EAST-1A", ""] {
            assert!(!is_fine(zone), "{zone}");
        }
    }

    #[test]
    fn a_declaration_reads_back() {
        let text = crate::kinds::types::sample::in_full::<Subnet>(
            "vpc-id = '${vpc.main.id}'
             cidr-block = '10.0.1.5/24'
             availability-zone = '${aws.zone-1}'",
        );
        insta::assert_snapshot!(text, @r#"
        {
          "vpc-id": "${vpc.main.id}",
          "cidr-block": "10.0.1.0/24",
          "availability-zone": "${aws.zone-1}",
          "map-public-ip-on-launch": false
        }
        "#);
    }
}
