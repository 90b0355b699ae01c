//! `internet-gateway`: the door of a VPC to the internet.

use std::time::Duration;

use aws_sdk_ec2::types::{AttachmentStatus, InternetGateway as Description, ResourceType};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::types::outputs::Id as Outputs;
use crate::cloud::aws::ec2::{PAGE, filter};
use crate::cloud::aws::once::alone;
use crate::cloud::aws::{Aws, tags};
use crate::kind::{
    About, Condition, Cx, Error, Forgive as _, Kind, Made, Observed, Result, Sought, TagChange,
};

/// The door of a VPC to the internet. A VPC has at most one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct InternetGateway {
    /// The id of the VPC that it is attached to. It is never moved to another one: it could not leave
    /// before all public addresses in the old one are gone.
    #[schemars(extend("x-replaces" = true, "x-within" = true))]
    #[schemars(extend("examples" = ["${vpc.main.id}"]))]
    pub vpc_id: String,
}

impl Kind for InternetGateway {
    const NAME: &'static str = "internet-gateway";
    const ABOUT: About = About {
        // It cannot be detached before the last public address in the VPC is gone.
        deadline: Duration::from_secs(20 * 60),
        exclusive: &["vpc-id"],
        ..About::DEFAULT
    };

    type Outputs = Outputs;

    async fn observe(aws: &Aws, sought: &Sought<'_>) -> Result<Vec<Observed<Self>>> {
        let call = aws.ec2.describe_internet_gateways();
        let call = call.set_filters(Some(tags::ec2::filters(sought.stack)));
        let found = call.into_paginator().page_size(PAGE).items().send().try_collect().await?;
        found.iter().map(observed).collect()
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        let id = cx.aws.once::<Self>(cx, make(cx)).await?;
        self.attach(cx.aws, &id).await?;
        Ok(Made::new(&id, Outputs::of(&id)))
    }

    /// Its one field replaces it: there is nothing to change.
    async fn update(&self, _was: &Self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        Ok(Made::new(cx.id, Outputs::of(cx.id)))
    }

    async fn delete(was: &Self, cx: &Cx<'_>) -> Result<()> {
        was.detach(cx.aws, cx.id).await?;
        let call = cx.aws.ec2.delete_internet_gateway().internet_gateway_id(cx.id);
        call.send().await.map_err(Error::from).absent_is_fine()
    }

    async fn tag(cx: &Cx<'_>, change: &TagChange) -> Result<()> {
        tags::ec2::change(cx.aws, cx.id, change).await
    }
}

impl InternetGateway {
    /// AttachInternetGateway. Success also when an attempt whose reply was lost has attached it.
    async fn attach(&self, aws: &Aws, id: &str) -> Result<()> {
        let vpc = &self.vpc_id;
        let call = aws.ec2.attach_internet_gateway().internet_gateway_id(id).vpc_id(vpc);
        match call.send().await.map_err(|error| Error::from(error).while_creating()) {
            Err(error) if error.is("Resource.AlreadyAssociated") => {
                let call = aws.ec2.describe_internet_gateways();
                let found = call.filters(filter("internet-gateway-id", [id])).send().await?;
                match found.internet_gateways().first().and_then(vpc_of) {
                    Some(attached) if attached == vpc => Ok(()),
                    _ => Err(error),
                }
            }
            result => result.map(drop),
        }
    }

    /// DetachInternetGateway, unless it hangs in the air already.
    async fn detach(&self, aws: &Aws, id: &str) -> Result<()> {
        if self.vpc_id.is_empty() {
            return Ok(());
        }
        let call = aws.ec2.detach_internet_gateway().internet_gateway_id(id).vpc_id(&self.vpc_id);
        call.send().await.map_err(Error::from).absent_is_fine()
    }
}

/// CreateInternetGateway.
async fn make(cx: &Cx<'_>) -> Result<String> {
    let tags = tags::ec2::specification(ResourceType::InternetGateway, cx.tags);
    let call = cx.aws.ec2.create_internet_gateway().tag_specifications(tags);
    let made = call.customize().config_override(alone()).send().await?;
    let id = made.internet_gateway().and_then(Description::internet_gateway_id);
    id.map(str::to_owned).ok_or_else(|| Error::incomplete("the new internet gateway's id"))
}

fn observed(gateway: &Description) -> Result<Observed<InternetGateway>> {
    let id = gateway
        .internet_gateway_id()
        .ok_or_else(|| Error::incomplete("an internet gateway's id"))?;
    Ok(Observed {
        earlier: Vec::new(),
        id: id.to_owned(),
        live: InternetGateway { vpc_id: vpc_of(gateway).unwrap_or_default().to_owned() },
        outputs: Outputs::of(id),
        tags: tags::ec2::read(gateway.tags()),
        condition: Condition::Ready,
    })
}

/// The VPC it is attached to. AWS says `available` where the API page says `attached`, so only what
/// is on its way out is left aside.
fn vpc_of(gateway: &Description) -> Option<&str> {
    let leaving = [AttachmentStatus::Detaching, AttachmentStatus::Detached];
    let mut attachments = gateway.attachments().iter();
    let here = attachments.find(|at| !at.state().is_some_and(|state| leaving.contains(state)));
    here.and_then(|attachment| attachment.vpc_id())
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::InternetGatewayAttachment;

    use super::*;

    #[test]
    fn an_attachment_on_its_way_out_is_none() {
        let attached = |state: &str| {
            let attachment = InternetGatewayAttachment::builder().vpc_id("vpc-1");
            let attachment = attachment.state(AttachmentStatus::from(state)).build();
            let gateway = Description::builder().internet_gateway_id("igw-1");
            observed(&gateway.attachments(attachment).build()).unwrap().live.vpc_id
        };
        assert_eq!(attached("available"), "vpc-1");
        assert_eq!(attached("attaching"), "vpc-1");
        assert_eq!(attached("detaching"), "");
    }

    #[test]
    fn a_declaration_reads_back() {
        let text =
            crate::kinds::types::sample::in_full::<InternetGateway>("vpc-id = '${vpc.main.id}'");
        insta::assert_snapshot!(text, @r#"
        {
          "vpc-id": "${vpc.main.id}"
        }
        "#);
    }
}
