//! `nat-gateway`: the way of private subnets to the internet.

use std::time::Duration;

use aws_sdk_ec2::types::{
    ConnectivityType, NatGateway as Description, NatGatewayState, ResourceType,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::types::outputs::Id as Outputs;
use crate::cloud::aws::ec2::{PAGE, filter};
use crate::cloud::aws::{Aws, tags};
use crate::kind::{
    About, After, Awaits, Check, Class, Condition, Cx, Error, Forgive as _, Kind, Made, Observed,
    Ready, Result, Sought, TagChange,
};

/// The way of private subnets to the internet. It stands in a public subnet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NatGateway {
    /// The id of the subnet that it stands in: a public one, unless `connectivity-type` is `private`.
    #[schemars(extend("x-replaces" = true, "x-within" = true))]
    #[schemars(extend("examples" = ["${subnet.public-a.id}"]))]
    pub subnet_id: String,
    /// The id of the elastic IP that it shows to the internet; only for `public`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-replaces" = true))]
    pub allocation_id: Option<String>,
    /// Where it leads: to the internet, or only to other networks.
    #[serde(default)]
    #[schemars(extend("x-replaces" = true))]
    pub connectivity_type: Connectivity,
}

/// Where a NAT gateway leads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Connectivity {
    /// To the internet, by an elastic IP.
    #[default]
    Public,
    /// To other VPCs and networks, by a private address.
    Private,
}

/// How long to wait between two looks: it takes one to two minutes to come and to go.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// Why a NAT gateway failed, and what to do: `FailureCode` of the API page.
const FAILURES: &[(&str, &str)] = &[
    (
        "InsufficientFreeAddressesInSubnet",
        "free some addresses in its subnet, or give it a larger one",
    ),
    ("Gateway.NotAttached", "attach an internet gateway to the VPC and apply again"),
    ("InvalidAllocationID.NotFound", "the elastic IP is gone: plan and apply again"),
    ("Resource.AlreadyAssociated", "the elastic IP is in use elsewhere: give it one of its own"),
    ("InvalidSubnetID.NotFound", "the subnet is gone: plan and apply again"),
    ("InternalError", "a fault at AWS: apply again, which replaces it"),
];

impl Kind for NatGateway {
    const NAME: &'static str = "nat-gateway";
    const ABOUT: About = About {
        seconds: 100,
        deadline: Duration::from_secs(15 * 60),
        // An elastic IP cannot be in two. Routes to the old one are black holes until they follow.
        exclusive: &["allocation-id"],
        dangles: true,
        // Its creation fails, a minute later, unless its VPC has an internet gateway that its subnet leads to.
        awaits: &[
            Awaits { of: &["subnet"], by: &["route-table"] },
            Awaits { of: &["subnet", "vpc"], by: &["internet-gateway"] },
        ],
        ..About::DEFAULT
    };

    type Outputs = Outputs;

    fn check(&self, check: &mut Check<'_>) {
        let (title, hint) = match (self.connectivity_type, &self.allocation_id) {
            (Connectivity::Public, None) => (
                "a public NAT gateway needs an elastic IP",
                "write `allocation-id = \"${elastic-ip.<name>.id}\"`",
            ),
            (Connectivity::Private, Some(_)) => {
                ("a private NAT gateway has no elastic IP", "leave out `allocation-id`")
            }
            (Connectivity::Public, Some(_)) | (Connectivity::Private, None) => return,
        };
        check.error_with("E0228", "allocation-id", title, hint);
    }

    async fn observe(aws: &Aws, sought: &Sought<'_>) -> Result<Vec<Observed<Self>>> {
        let states = ["pending", "available", "deleting", "failed"];
        let call = aws.ec2.describe_nat_gateways();
        let call = call.set_filter(Some(tags::ec2::filters(sought.stack)));
        let call = call.filter(filter("state", states));
        let found: Vec<Description> =
            call.into_paginator().page_size(PAGE).items().send().try_collect().await?;
        found.iter().filter_map(|gateway| observed(gateway).transpose()).collect()
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        let call = cx.aws.ec2.create_nat_gateway().client_token(cx.token);
        let call = call.subnet_id(&self.subnet_id).set_allocation_id(self.allocation_id.clone());
        let call = call.connectivity_type(self.connectivity_type.into());
        let call =
            call.tag_specifications(tags::ec2::specification(ResourceType::Natgateway, cx.tags));
        let made = call.send().await.map_err(|error| Error::from(error).while_creating())?;
        let id = made.nat_gateway().and_then(Description::nat_gateway_id);
        let id = id.ok_or_else(|| Error::incomplete("the new NAT gateway's id"))?;
        Ok(Made::new(id, Outputs::of(id)))
    }

    /// Nothing can be changed: every field replaces.
    async fn update(&self, _was: &Self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        Ok(Made::new(cx.id, Outputs::of(cx.id)))
    }

    async fn delete(_was: &Self, cx: &Cx<'_>) -> Result<()> {
        let call = cx.aws.ec2.delete_nat_gateway().nat_gateway_id(cx.id);
        call.send().await.map_err(Error::from).absent_is_fine()
    }

    async fn tag(cx: &Cx<'_>, change: &TagChange) -> Result<()> {
        tags::ec2::change(cx.aws, cx.id, change).await
    }

    async fn ready(cx: &Cx<'_>, after: After) -> Result<Ready> {
        let call = cx.aws.ec2.describe_nat_gateways().filter(filter("nat-gateway-id", [cx.id]));
        let found = call.send().await?;
        match after {
            After::Change => is_up(found.nat_gateways().first()),
            After::Delete => Ok(is_gone(found.nat_gateways().first())),
        }
    }
}

/// Whether it carries traffic.
fn is_up(gateway: Option<&Description>) -> Result<Ready> {
    let Some(gateway) = gateway else { return Ok(not_yet("not visible yet")) };
    match gateway.state() {
        Some(NatGatewayState::Available) => Ok(Ready::Yes),
        Some(NatGatewayState::Failed) => Err(failure(gateway)),
        Some(NatGatewayState::Deleting | NatGatewayState::Deleted) => {
            Err(Error::new(Class::Other, "it is being deleted by somebody else")
                .hinted("apply again, which makes a new one"))
        }
        state => Ok(not_yet(state.map_or("pending", NatGatewayState::as_str))),
    }
}

/// Whether subnet, internet gateway and elastic IP are free of it. One that failed holds nothing.
fn is_gone(gateway: Option<&Description>) -> Ready {
    match gateway.and_then(Description::state) {
        None | Some(NatGatewayState::Deleted | NatGatewayState::Failed) => Ready::Yes,
        Some(state) => not_yet(state.as_str()),
    }
}

fn not_yet(why: &str) -> Ready {
    Ready::NotYet { why: why.to_owned(), look_again: LOOK_AGAIN }
}

/// Creation fails long after the call: what AWS says then.
fn failure(gateway: &Description) -> Error {
    let code = gateway.failure_code().unwrap_or("unknown");
    let message = gateway.failure_message().unwrap_or("AWS gives no reason");
    let error = Error {
        code: Some(code.to_owned()),
        ..Error::new(Class::Other, format!("the NAT gateway failed: {message}"))
    };
    match FAILURES.iter().find(|(known, _)| *known == code) {
        Some((_, hint)) => error.hinted(*hint),
        None => error,
    }
}

/// `None` for one that is deleted, which AWS goes on listing for an hour.
fn observed(gateway: &Description) -> Result<Option<Observed<NatGateway>>> {
    let condition = match gateway.state() {
        Some(NatGatewayState::Deleted) => return Ok(None),
        Some(NatGatewayState::Available) => Condition::Ready,
        Some(NatGatewayState::Deleting) => Condition::Leaving("deleting".to_owned()),
        Some(NatGatewayState::Failed) => Condition::Broken(failure(gateway).to_string()),
        _ => Condition::Settling("pending".to_owned()),
    };
    let id = gateway.nat_gateway_id().ok_or_else(|| Error::incomplete("a NAT gateway's id"))?;
    let mut addresses = gateway.nat_gateway_addresses().iter();
    let primary = addresses.find(|address| address.is_primary() != Some(false));
    let live = NatGateway {
        subnet_id: gateway.subnet_id().unwrap_or_default().to_owned(),
        allocation_id: primary.and_then(|address| address.allocation_id()).map(str::to_owned),
        connectivity_type: gateway.connectivity_type().into(),
    };
    let tags = tags::ec2::read(gateway.tags());
    Ok(Some(Observed {
        earlier: Vec::new(),
        id: id.to_owned(),
        live,
        outputs: Outputs::of(id),
        tags,
        condition,
    }))
}

impl From<Connectivity> for ConnectivityType {
    fn from(connectivity: Connectivity) -> Self {
        match connectivity {
            Connectivity::Public => Self::Public,
            Connectivity::Private => Self::Private,
        }
    }
}

impl From<Option<&ConnectivityType>> for Connectivity {
    fn from(connectivity: Option<&ConnectivityType>) -> Self {
        match connectivity {
            Some(ConnectivityType::Private) => Self::Private,
            _ => Self::Public,
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::NatGatewayAddress;

    use super::*;

    fn gateway(state: NatGatewayState) -> Description {
        let address = NatGatewayAddress::builder().allocation_id("eipalloc-1").build();
        Description::builder()
            .nat_gateway_id("nat-1")
            .subnet_id("subnet-1")
            .nat_gateway_addresses(address)
            .failure_code("Gateway.NotAttached")
            .failure_message("Network vpc-1 has no Internet gateway attached")
            .state(state)
            .build()
    }

    #[test]
    fn states_are_conditions_and_the_deleted_are_not_there() {
        use NatGatewayState::{Available, Deleted, Deleting, Failed, Pending};
        let of = |state| observed(&gateway(state)).unwrap().map(|found| found.condition);
        assert_eq!(of(Available), Some(Condition::Ready));
        assert_eq!(of(Pending), Some(Condition::Settling("pending".into())));
        assert_eq!(of(Deleting), Some(Condition::Leaving("deleting".into())));
        assert!(matches!(of(Failed), Some(Condition::Broken(why)) if why.contains("vpc-1 has no")));
        assert_eq!(of(Deleted), None);
    }

    #[test]
    fn a_failure_says_why_and_what_to_do() {
        let error = is_up(Some(&gateway(NatGatewayState::Failed))).unwrap_err();
        assert_eq!(error.class, Class::Other);
        insta::assert_snapshot!(error, @"Gateway.NotAttached: the NAT gateway failed: Network vpc-1 has no Internet gateway attached");
        insta::assert_snapshot!(error.hint.unwrap(), @"attach an internet gateway to the VPC and apply again");
    }

    #[test]
    fn waits_end_when_the_state_says_so() {
        use NatGatewayState::{Available, Deleted, Deleting, Failed, Pending};
        assert_eq!(is_up(Some(&gateway(Available))).unwrap(), Ready::Yes);
        assert_eq!(is_up(Some(&gateway(Pending))).unwrap(), not_yet("pending"));
        assert_eq!(is_up(None).unwrap(), not_yet("not visible yet"));
        assert_eq!(is_gone(Some(&gateway(Deleting))), not_yet("deleting"));
        for state in [Deleted, Failed] {
            assert_eq!(is_gone(Some(&gateway(state))), Ready::Yes);
        }
        assert_eq!(is_gone(None), Ready::Yes);
    }

    #[test]
    fn a_declaration_reads_back() {
        let text = crate::kinds::types::sample::in_full::<NatGateway>(
            "subnet-id = '${subnet.a.id}'
             allocation-id = '${elastic-ip.nat.id}'",
        );
        insta::assert_snapshot!(text, @r#"
        {
          "subnet-id": "${subnet.a.id}",
          "allocation-id": "${elastic-ip.nat.id}",
          "connectivity-type": "public"
        }
        "#);
    }
}
