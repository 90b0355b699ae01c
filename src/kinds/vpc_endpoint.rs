//! `vpc-endpoint`: a door of a VPC to a service of AWS that does not lead through the internet.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_ec2::types::{
    ResourceType, UnsuccessfulItem, VpcEndpoint as Description, VpcEndpointType,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::types::Policy;
use super::types::outputs::Id as Outputs;
use crate::cloud::aws::ec2::{PAGE, filter};
use crate::cloud::aws::{Aws, classify, tags};
use crate::kind::{
    About, After, Check, Class, Condition, Cx, Error, Forgive as _, Kind, Made, Observed, Ready,
    Result, Sought, TagChange,
};

/// A door of a VPC to a service of AWS that does not lead through the internet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct VpcEndpoint {
    /// The VPC's id.
    #[schemars(extend("x-replaces" = true, "x-within" = true))]
    #[schemars(extend("examples" = ["${vpc.main.id}"]))]
    pub vpc_id: String,
    /// The service's name.
    #[schemars(extend("x-replaces" = true))]
    #[schemars(extend("examples" = ["com.amazonaws.${aws.region}.logs"]))]
    pub service_name: String,
    /// How it is reached: by addresses in subnets, or by routes.
    #[serde(rename = "type", default)]
    #[schemars(extend("x-replaces" = true))]
    pub kind: EndpointType,
    /// The ids of the subnets in which an `interface` has an address, one a zone.
    #[serde(default)]
    #[schemars(extend("examples" = [["${subnet.private-a.id}", "${subnet.private-b.id}"]]))]
    pub subnets: BTreeSet<String>,
    /// The ids of the security groups of an `interface`; left out, those it has stay: of a new one, the
    /// VPC's default group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security_groups: Option<BTreeSet<String>>,
    /// The ids of the route tables that get the routes of a `gateway`.
    #[serde(default)]
    #[schemars(extend("examples" = [["${route-table.private.id}"]]))]
    pub route_tables: BTreeSet<String>,
    /// Whether the service's usual name leads to an `interface`. The VPC must answer names and give
    /// hostnames.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private_dns_enabled: Option<bool>,
    /// Who may do what through it; left out, what it has stays: of a new one, everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
}

/// How an endpoint is reached. Those of load balancers of appliances and of VPC Lattice are not made here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EndpointType {
    /// By addresses of its own.
    #[default]
    Interface,
    /// By routes: S3 and DynamoDB.
    Gateway,
}

/// How long to wait between two looks: an interface takes one to three minutes.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// What EC2 takes of a policy: "AWS PrivateLink quotas".
const POLICY_MAX: usize = 20_480;

impl Kind for VpcEndpoint {
    const NAME: &'static str = "vpc-endpoint";
    const ABOUT: About = About {
        seconds: 90,
        deadline: Duration::from_secs(15 * 60),
        // The private name of a service leads to one endpoint of a VPC, and a route table to one gateway.
        exclusive: &["vpc-id", "service-name"],
        ..About::DEFAULT
    };

    type Outputs = Outputs;

    fn check(&self, check: &mut Check<'_>) {
        let is_gateway = self.kind == EndpointType::Gateway;
        let of_interfaces = [
            ("subnets", !self.subnets.is_empty()),
            ("security-groups", self.security_groups.is_some()),
            ("private-dns-enabled", self.private_dns_enabled == Some(true)),
        ];
        let of_gateways = [("route-tables", !self.route_tables.is_empty())];
        let (strange, what): (&[(&str, bool)], _) = match is_gateway {
            true => (&of_interfaces, "an endpoint of the type `interface`"),
            false => (&of_gateways, "an endpoint of the type `gateway`"),
        };
        for (field, _) in strange.iter().filter(|(_, is_said)| *is_said) {
            let title = format!("only {what} has `{field}`");
            check.error_with("E0330", field, title, "leave it out, or write another `type`");
        }
        let Some(policy) = &self.policy else { return };
        let length = policy.text().len();
        if policy.statements().next().is_none() {
            check.error("E0330", "policy", "a policy needs a `Statement`");
        } else if length > POLICY_MAX {
            let title = format!("the policy has {length} characters; EC2 takes {POLICY_MAX}");
            check.error("E0330", "policy", title);
        }
    }

    async fn observe(aws: &Aws, sought: &Sought<'_>) -> Result<Vec<Observed<Self>>> {
        let call = aws.ec2.describe_vpc_endpoints();
        let call = call.set_filters(Some(tags::ec2::filters(sought.stack)));
        let found: Vec<Description> =
            call.into_paginator().page_size(PAGE).items().send().try_collect().await?;
        found.iter().filter_map(|endpoint| observed(endpoint).transpose()).collect()
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        let call = cx.aws.ec2.create_vpc_endpoint().client_token(cx.token);
        let call = call.vpc_id(&self.vpc_id).service_name(&self.service_name);
        let call = call.vpc_endpoint_type(self.kind.into());
        let call = call.set_subnet_ids(listed(&self.subnets));
        let call = call.set_security_group_ids(self.security_groups.as_ref().and_then(listed));
        let call = call.set_route_table_ids(listed(&self.route_tables));
        // A gateway has no private name, and to say so is refused.
        let dns = self.private_dns_enabled.filter(|_| self.kind == EndpointType::Interface);
        let call = call.set_private_dns_enabled(dns);
        let call = call.set_policy_document(self.policy.as_ref().map(Policy::text));
        let tags = tags::ec2::specification(ResourceType::VpcEndpoint, cx.tags);
        let made = call.tag_specifications(tags).send().await;
        let made = made.map_err(|error| Error::from(error).while_creating())?;
        let id = made.vpc_endpoint().and_then(Description::vpc_endpoint_id);
        let id = id.ok_or_else(|| Error::incomplete("the new endpoint's id"))?;
        Ok(Made::new(id, Outputs::of(id)))
    }

    /// Goes by the endpoint as it is now and not as it was: what is there already is refused when it is
    /// added once more.
    async fn update(&self, _was: &Self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        let Some(now) = read(cx).await?.as_ref().map(observed).transpose()?.flatten() else {
            return Err(Error::new(Class::Eventual, "the endpoint is not visible"));
        };
        self.converge(&now.live, cx).await?;
        Ok(Made::new(cx.id, Outputs::of(cx.id)))
    }

    /// DeleteVpcEndpoints, which tells what it did not do in an answer that says that all is well.
    async fn delete(_was: &Self, cx: &Cx<'_>) -> Result<()> {
        let call = cx.aws.ec2.delete_vpc_endpoints().vpc_endpoint_ids(cx.id);
        let done = call.send().await.map_err(Error::from);
        let failed = done.and_then(|done| match done.unsuccessful().first() {
            Some(item) => Err(unsuccessful(item)),
            None => Ok(()),
        });
        failed.absent_is_fine()
    }

    async fn tag(cx: &Cx<'_>, change: &TagChange) -> Result<()> {
        tags::ec2::change(cx.aws, cx.id, change).await
    }

    async fn ready(cx: &Cx<'_>, after: After) -> Result<Ready> {
        let endpoint = read(cx).await?;
        match after {
            After::Change => is_up(endpoint.as_ref()),
            After::Delete => match endpoint.as_ref().map(state) {
                Some(state) if state != "deleted" => Ok(not_yet(&state)),
                _ => interfaces_gone(cx).await,
            },
        }
    }
}

impl VpcEndpoint {
    /// ModifyVpcEndpoint, in one call: a subnet and the one of its zone that it takes the place of never stand
    /// beside each other.
    async fn converge(&self, now: &Self, cx: &Cx<'_>) -> Result<()> {
        let groups = self.security_groups.as_ref();
        let theirs = now.security_groups.clone().unwrap_or_default();
        let groups = groups.unwrap_or(&theirs);
        let dns = self
            .private_dns_enabled
            .filter(|_| self.private_dns_enabled != now.private_dns_enabled);
        let policy = self.policy.as_ref().filter(|_| self.policy != now.policy);
        let call = cx.aws.ec2.modify_vpc_endpoint().vpc_endpoint_id(cx.id);
        let call = call
            .set_add_subnet_ids(beyond(&self.subnets, &now.subnets))
            .set_remove_subnet_ids(beyond(&now.subnets, &self.subnets))
            .set_add_security_group_ids(beyond(groups, &theirs))
            .set_remove_security_group_ids(beyond(&theirs, groups))
            .set_add_route_table_ids(beyond(&self.route_tables, &now.route_tables))
            .set_remove_route_table_ids(beyond(&now.route_tables, &self.route_tables))
            .set_private_dns_enabled(dns)
            .set_policy_document(policy.map(Policy::text));
        let is_same = self.subnets == now.subnets
            && *groups == theirs
            && self.route_tables == now.route_tables
            && dns.is_none()
            && policy.is_none();
        if is_same {
            return Ok(());
        }
        call.send().await.map_err(|error| Error::from(error).while_creating())?;
        Ok(())
    }
}

/// DescribeVpcEndpoints for one.
async fn read(cx: &Cx<'_>) -> Result<Option<Description>> {
    let call = cx.aws.ec2.describe_vpc_endpoints().filters(filter("vpc-endpoint-id", [cx.id]));
    Ok(call.send().await?.vpc_endpoints.unwrap_or_default().pop())
}

/// Whether subnets and security groups are free of it: its interfaces go by themselves.
async fn interfaces_gone(cx: &Cx<'_>) -> Result<Ready> {
    let description = format!("VPC Endpoint Interface {}", cx.id);
    let call = cx.aws.ec2.describe_network_interfaces();
    let found = call.filters(filter("description", [description])).send().await?;
    match found.network_interfaces().is_empty() {
        true => Ok(Ready::Yes),
        false => Ok(not_yet("its network interfaces are still there")),
    }
}

/// Whether it carries traffic.
fn is_up(endpoint: Option<&Description>) -> Result<Ready> {
    let Some(endpoint) = endpoint else { return Ok(not_yet("not visible yet")) };
    match state(endpoint).as_str() {
        "available" => Ok(Ready::Yes),
        "pendingacceptance" => Ok(not_yet("waiting for the service's owner to accept it")),
        "deleting" | "deleted" => {
            Err(Error::new(Class::Other, "it is being deleted by somebody else")
                .hinted("apply again, which makes a new one"))
        }
        state if FAILED.contains(&state) => Err(failure(endpoint)),
        state => Ok(not_yet(state)),
    }
}

/// States from which it does not come back.
const FAILED: [&str; 3] = ["failed", "rejected", "expired"];

/// The state. The API's model writes it with a capital, the API itself without.
fn state(endpoint: &Description) -> String {
    endpoint.state().map_or("pending", |state| state.as_str()).to_lowercase()
}

fn not_yet(why: &str) -> Ready {
    Ready::NotYet { why: why.to_owned(), look_again: LOOK_AGAIN }
}

/// Creation fails long after the call: what AWS says then.
fn failure(endpoint: &Description) -> Error {
    let last = endpoint.last_error();
    let message = last.and_then(|error| error.message()).or(endpoint.failure_reason());
    let message = message.map_or_else(|| "AWS gives no reason".to_owned(), str::to_owned);
    let text = format!("the endpoint is {}: {message}", state(endpoint));
    let code = last.and_then(|error| error.code()).map(str::to_owned);
    Error { code, ..Error::new(Class::Other, text) }
}

fn unsuccessful(item: &UnsuccessfulItem) -> Error {
    let error = item.error();
    let code = error.and_then(|error| error.code()).unwrap_or_default();
    let message = error.and_then(|error| error.message()).unwrap_or("AWS gives no reason");
    Error { code: Some(code.to_owned()), ..Error::new(classify(code, message, None), message) }
}

/// What of `these` is not among `those`, as the API takes it: an empty list is none.
fn beyond(these: &BTreeSet<String>, those: &BTreeSet<String>) -> Option<Vec<String>> {
    listed(&these.difference(those).cloned().collect())
}

fn listed(ids: &BTreeSet<String>) -> Option<Vec<String>> {
    Some(ids.iter().cloned().collect::<Vec<_>>()).filter(|ids| !ids.is_empty())
}

/// `None` for one that is deleted, and for types that are not made here.
fn observed(endpoint: &Description) -> Result<Option<Observed<VpcEndpoint>>> {
    let kind = match endpoint.vpc_endpoint_type() {
        Some(VpcEndpointType::Interface) => EndpointType::Interface,
        Some(VpcEndpointType::Gateway) => EndpointType::Gateway,
        _ => return Ok(None),
    };
    let condition = match state(endpoint).as_str() {
        "deleted" => return Ok(None),
        "available" => Condition::Ready,
        "deleting" => Condition::Leaving("deleting".to_owned()),
        state if FAILED.contains(&state) => Condition::Broken(failure(endpoint).to_string()),
        state => Condition::Settling(state.to_owned()),
    };
    let id = endpoint.vpc_endpoint_id().ok_or_else(|| Error::incomplete("an endpoint's id"))?;
    let groups = endpoint.groups().iter().filter_map(|group| group.group_id());
    let policy = endpoint.policy_document().and_then(|text| serde_json::from_str(text).ok());
    let is_interface = kind == EndpointType::Interface;
    let live = VpcEndpoint {
        vpc_id: endpoint.vpc_id().unwrap_or_default().to_owned(),
        service_name: endpoint.service_name().unwrap_or_default().to_owned(),
        kind,
        subnets: endpoint.subnet_ids().iter().cloned().collect(),
        security_groups: is_interface.then(|| groups.map(str::to_owned).collect()),
        route_tables: endpoint.route_table_ids().iter().cloned().collect(),
        private_dns_enabled: endpoint.private_dns_enabled().filter(|_| is_interface),
        policy: policy.map(Policy::new),
    };
    Ok(Some(Observed {
        earlier: Vec::new(),
        id: id.to_owned(),
        live,
        outputs: Outputs::of(id),
        tags: tags::ec2::read(endpoint.tags()),
        condition,
    }))
}

impl From<EndpointType> for VpcEndpointType {
    fn from(kind: EndpointType) -> Self {
        match kind {
            EndpointType::Interface => Self::Interface,
            EndpointType::Gateway => Self::Gateway,
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::{LastError, SecurityGroupIdentifier, State, UnsuccessfulItemError};

    use super::*;
    use crate::address::Address;
    use crate::kind::StackId;

    fn endpoint(state: &str) -> Description {
        Description::builder()
            .vpc_endpoint_id("vpce-1")
            .vpc_endpoint_type(VpcEndpointType::Interface)
            .vpc_id("vpc-1")
            .service_name("com.amazonaws.us-east-1.logs")
            .state(State::from(state))
            .subnet_ids("subnet-2")
            .subnet_ids("subnet-1")
            .groups(SecurityGroupIdentifier::builder().group_id("sg-1").build())
            .private_dns_enabled(true)
            .policy_document(r#"{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}"#)
            .last_error(LastError::builder().code("Limit").message("no more").build())
            .build()
    }

    /// AWS writes states without capitals, its model with them.
    #[test]
    fn states_are_read_however_they_are_written() {
        let told = |state: &str| match is_up(Some(&endpoint(state))) {
            Ok(Ready::Yes | Ready::Found(_)) => "ready".to_owned(),
            Ok(Ready::NotYet { why, .. }) => why,
            Err(error) => error.to_string(),
        };
        assert_eq!((told("available"), told("Available")), ("ready".into(), "ready".into()));
        assert_eq!(told("pending"), "pending");
        insta::assert_snapshot!(told("pendingAcceptance"), @"waiting for the service's owner to accept it");
        insta::assert_snapshot!(told("Failed"), @"Limit: the endpoint is failed: no more");
        insta::assert_snapshot!(told("deleting"), @"it is being deleted by somebody else");
        assert!(observed(&endpoint("deleted")).unwrap().is_none());
        let condition = |state| observed(&endpoint(state)).unwrap().unwrap().condition;
        assert_eq!(condition("Deleting"), Condition::Leaving("deleting".to_owned()));
        assert!(matches!(condition("rejected"), Condition::Broken(_)));
    }

    #[test]
    fn what_is_observed_is_what_would_be_declared() {
        let live = observed(&endpoint("available")).unwrap().unwrap().live;
        insta::assert_snapshot!(serde_json::to_string_pretty(&live).unwrap(), @r#"
        {
          "vpc-id": "vpc-1",
          "service-name": "com.amazonaws.us-east-1.logs",
          "type": "interface",
          "subnets": [
            "subnet-1",
            "subnet-2"
          ],
          "security-groups": [
            "sg-1"
          ],
          "route-tables": [],
          "private-dns-enabled": true,
          "policy": {
            "Statement": [
              {
                "Action": [
                  "*"
                ],
                "Effect": "Allow",
                "Principal": "*",
                "Resource": [
                  "*"
                ]
              }
            ],
            "Version": "2008-10-17"
          }
        }
        "#);
    }

    /// What AWS did not do, it says in an answer that says that all is well.
    #[test]
    fn an_answer_of_success_may_hold_failures() {
        let item = |code: &str| {
            let error = UnsuccessfulItemError::builder().code(code).message("…").build();
            unsuccessful(&UnsuccessfulItem::builder().error(error).build()).class
        };
        assert_eq!(item("InvalidVpcEndpoint.NotFound"), Class::Absent);
        assert_eq!(item("UnauthorizedOperation"), Class::Denied);
    }

    #[test]
    fn what_an_endpoint_has_is_its_type_s() {
        let stack = StackId { stack: "s".into(), env: "e".into(), region: "r".into() };
        let address = Address::new("vpc-endpoint", "s3");
        let faults = |more: &str| {
            let text = format!("vpc-id = 'vpc-1'\nservice-name = 's3'\n{more}");
            let endpoint: VpcEndpoint = toml::from_str(&text).unwrap();
            let mut check = Check { stack: &stack, address: &address, found: Vec::new() };
            endpoint.check(&mut check);
            check.found.into_iter().map(|found| found.title).collect::<Vec<_>>().join("; ")
        };
        assert_eq!(faults("type = 'gateway'\nroute-tables = ['rtb-1']"), "");
        insta::assert_snapshot!(faults("route-tables = ['rtb-1']"), @"only an endpoint of the type `gateway` has `route-tables`");
        insta::assert_snapshot!(faults("type = 'gateway'\nsubnets = ['subnet-1']\nprivate-dns-enabled = true"), @"only an endpoint of the type `interface` has `subnets`; only an endpoint of the type `interface` has `private-dns-enabled`");
        insta::assert_snapshot!(faults("policy = {}"), @"a policy needs a `Statement`");
    }

    #[test]
    fn a_declaration_reads_back() {
        let text = crate::kinds::types::sample::in_full::<VpcEndpoint>(
            "vpc-id = '${vpc.main.id}'
             service-name = 'com.amazonaws.${aws.region}.s3'
             type = 'gateway'
             route-tables = ['${route-table.b.id}', '${route-table.a.id}']
             policy = { Statement = { Effect = 'Allow', Principal = '*', Action = 's3:GetObject', Resource = '*' } }",
        );
        insta::assert_snapshot!(text, @r#"
        {
          "vpc-id": "${vpc.main.id}",
          "service-name": "com.amazonaws.${aws.region}.s3",
          "type": "gateway",
          "subnets": [],
          "route-tables": [
            "${route-table.a.id}",
            "${route-table.b.id}"
          ],
          "policy": {
            "Statement": [
              {
                "Action": [
                  "s3:GetObject"
                ],
                "Effect": "Allow",
                "Principal": "*",
                "Resource": [
                  "*"
                ]
              }
            ],
            "Version": "2012-10-17"
          }
        }
        "#);
    }
}
