//! `elastic-ip`: a public IPv4 address of one's own.

use std::time::Duration;

use aws_sdk_ec2::types::{Address as Description, DomainType, ResourceType};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cloud::aws::once::alone;
use crate::cloud::aws::{Aws, tags};
use crate::kind::{
    About, Condition, Cx, Error, Forgive as _, Kind, Made, Observed, Result, Sought, TagChange,
};

/// A public IPv4 address of one's own, from Amazon's pool. It has nothing to set: who uses it says so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ElasticIp {}

/// What others may refer to.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Outputs {
    /// The id of the allocation, `eipalloc-…`.
    pub id: String,
    /// The address. An update of tags does not tell it again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_ip: Option<String>,
}

impl Kind for ElasticIp {
    const NAME: &'static str = "elastic-ip";
    const ABOUT: About = About {
        // A deleted NAT gateway lets go of it late.
        deadline: Duration::from_secs(15 * 60),
        ..About::DEFAULT
    };

    type Outputs = Outputs;

    /// DescribeAddresses has no pages.
    async fn observe(aws: &Aws, sought: &Sought<'_>) -> Result<Vec<Observed<Self>>> {
        let call = aws.ec2.describe_addresses().set_filters(Some(tags::ec2::filters(sought.stack)));
        let found = call.send().await?;
        found.addresses().iter().map(observed).collect()
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        let mut address = None;
        let make = async {
            let call = cx.aws.ec2.allocate_address().domain(DomainType::Vpc);
            let tags = tags::ec2::specification(ResourceType::ElasticIp, cx.tags);
            let call = call.tag_specifications(tags).customize().config_override(alone());
            let made = call.send().await?;
            address = made.public_ip;
            made.allocation_id.ok_or_else(|| Error::incomplete("the new address's id"))
        };
        let id = cx.aws.once::<Self>(cx, make).await?;
        if address.is_none() {
            let known = cx.aws.ec2.describe_addresses().allocation_ids(&id).send().await;
            let known = known.map_err(|error| Error::from(error).while_creating())?;
            address = known.addresses().first().and_then(|it| it.public_ip().map(str::to_owned));
        }
        let outputs = outputs(&id, address.as_deref());
        Ok(Made::new(id, outputs))
    }

    async fn update(&self, _was: &Self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        Ok(Made::new(cx.id, outputs(cx.id, None)))
    }

    async fn delete(_was: &Self, cx: &Cx<'_>) -> Result<()> {
        let call = cx.aws.ec2.release_address().allocation_id(cx.id);
        call.send().await.map_err(Error::from).absent_is_fine()
    }

    async fn tag(cx: &Cx<'_>, change: &TagChange) -> Result<()> {
        tags::ec2::change(cx.aws, cx.id, change).await
    }
}

fn observed(address: &Description) -> Result<Observed<ElasticIp>> {
    let id = address.allocation_id().ok_or_else(|| Error::incomplete("an address's id"))?;
    Ok(Observed {
        earlier: Vec::new(),
        id: id.to_owned(),
        live: ElasticIp {},
        outputs: outputs(id, address.public_ip()),
        tags: tags::ec2::read(address.tags()),
        condition: Condition::Ready,
    })
}

fn outputs(id: &str, public_ip: Option<&str>) -> Outputs {
    Outputs { id: id.to_owned(), public_ip: public_ip.map(str::to_owned) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declaration_reads_back() {
        let text = crate::kinds::types::sample::in_full::<ElasticIp>("");
        insta::assert_snapshot!(text, @"{}");
    }
}
