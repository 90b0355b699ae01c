//! `route-table`: where the traffic of subnets goes, and the subnets it is for.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::{
    ResourceType, Route, RouteOrigin, RouteTable as Description, RouteTableAssociation,
    RouteTableAssociationStateCode,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::types::Cidr;
use super::types::outputs::Id as Outputs;
use crate::cloud::aws::ec2::{ROUTE_TABLES_PAGE, filter};
use crate::cloud::aws::{Aws, tags};
use crate::kind::{
    About, Check, Class, Condition, Cx, Error, Forgive as _, Kind, Made, Observed, Result, Sought,
    TagChange,
};

/// A route table with its routes and the subnets it is for. Routes within the VPC, to gateway
/// endpoints and those that a VPN gateway propagates come by themselves and are left alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RouteTable {
    /// The VPC's id.
    #[schemars(extend("x-replaces" = true, "x-within" = true))]
    #[schemars(extend("examples" = ["${vpc.main.id}"]))]
    pub vpc_id: String,
    /// Destination (a CIDR block, or the id of a prefix list) to target, which is the id of a gateway,
    /// a VPC endpoint, a peering connection or a network interface.
    #[serde(default)]
    pub routes: BTreeMap<Cidr, String>,
    /// The ids of the subnets that it is for.
    #[serde(default)]
    pub subnets: BTreeSet<String>,
}

impl Kind for RouteTable {
    const NAME: &'static str = "route-table";
    const ABOUT: About = About { hands_over: &["subnets"], ..About::DEFAULT };

    type Outputs = Outputs;

    fn check(&self, check: &mut Check<'_>) {
        for (destination, target) in &self.routes {
            if !destination.as_str().starts_with("pl-") && destination.net().is_none() {
                check
                    .error_with(
                        "E0221",
                        "routes",
                        format!("`{destination}` is not a destination of routes"),
                        "write a CIDR block such as `0.0.0.0/0`, or the id of a prefix list",
                    )
                    .alone = true;
            }
            if !target.contains("${") && Target::read(target).is_none() {
                let prefixes: Vec<&str> = TARGETS.iter().map(|(prefix, _)| *prefix).collect();
                check.error_with(
                    "E0225",
                    "routes",
                    format!("`{target}` is not a target that `{destination}` can be routed to"),
                    format!("write an id that begins with one of: {}", prefixes.join(", ")),
                );
            }
        }
    }

    async fn observe(aws: &Aws, sought: &Sought<'_>) -> Result<Vec<Observed<Self>>> {
        let call = aws.ec2.describe_route_tables();
        let call = call.set_filters(Some(tags::ec2::filters(sought.stack)));
        let pages = call.into_paginator().page_size(ROUTE_TABLES_PAGE);
        let found: Vec<Description> = pages.items().send().try_collect().await?;
        found.iter().map(observed).collect()
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        let call = cx.aws.ec2.create_route_table().client_token(cx.token).vpc_id(&self.vpc_id);
        let tags = tags::ec2::specification(ResourceType::RouteTable, cx.tags);
        let call = call.tag_specifications(tags);
        let made = call.send().await.map_err(|error| Error::from(error).while_creating())?;
        let table = made.route_table().ok_or_else(|| Error::incomplete("the new route table"))?;
        self.converge(cx.aws, table).await
    }

    /// Goes by the table as it is now and not as it was: a subnet may have gone over to another table
    /// a moment ago, and associations have ids of their own.
    async fn update(&self, _was: &Self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        match read(cx.aws, cx.id).await? {
            Some(table) => self.converge(cx.aws, &table).await,
            None => Err(Error::new(Class::Eventual, "the route table is not visible")),
        }
    }

    async fn delete(_was: &Self, cx: &Cx<'_>) -> Result<()> {
        let Some(table) = read(cx.aws, cx.id).await? else { return Ok(()) };
        for association in associations(&table).into_values() {
            disassociate(cx.aws, association).await?;
        }
        let call = cx.aws.ec2.delete_route_table().route_table_id(cx.id);
        call.send().await.map_err(Error::from).absent_is_fine()
    }

    async fn tag(cx: &Cx<'_>, change: &TagChange) -> Result<()> {
        tags::ec2::change(cx.aws, cx.id, change).await
    }
}

impl RouteTable {
    /// Makes routes and associations of `table` the declared ones. A subnet gets the table when its
    /// routes stand, and loses it before they go.
    async fn converge(&self, aws: &Aws, table: &Description) -> Result<Made<Outputs>> {
        let id = table.route_table_id().ok_or_else(|| Error::incomplete("a route table's id"))?;
        let (routes, subnets) = (routes(table), associations(table));
        for (destination, target) in &self.routes {
            match routes.get(destination) {
                Some(now) if now == target => {}
                Some(_) => replace_route(aws, id, destination, target).await?,
                None => create_route(aws, id, destination, target).await?,
            }
        }
        for subnet in self.subnets.iter().filter(|id| !subnets.contains_key(id.as_str())) {
            associate(aws, id, subnet).await?;
        }
        for (subnet, association) in subnets {
            if !self.subnets.contains(subnet) {
                disassociate(aws, association).await?;
            }
        }
        for destination in routes.keys().filter(|key| !self.routes.contains_key(*key)) {
            delete_route(aws, id, destination).await?;
        }
        Ok(Made::new(id, Outputs::of(id)))
    }
}

/// What a route leads to. EC2 has a parameter for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    Gateway,
    EgressOnly,
    Nat,
    Transit,
    Peering,
    Endpoint,
    Interface,
    LocalGateway,
    Carrier,
}

/// Which prefix of an id stands for what.
const TARGETS: [(&str, Target); 10] = [
    ("igw-", Target::Gateway),
    ("vgw-", Target::Gateway),
    ("eigw-", Target::EgressOnly),
    ("nat-", Target::Nat),
    ("tgw-", Target::Transit),
    ("pcx-", Target::Peering),
    ("vpce-", Target::Endpoint),
    ("eni-", Target::Interface),
    ("lgw-", Target::LocalGateway),
    ("cagw-", Target::Carrier),
];

impl Target {
    /// What the id `text` stands for.
    fn read(text: &str) -> Option<Self> {
        TARGETS.iter().find(|(prefix, _)| text.starts_with(prefix)).map(|(_, target)| *target)
    }

    /// The same for a text that comes from outputs, which `check` could not judge.
    fn of(text: &str) -> Result<Self> {
        Self::read(text)
            .ok_or_else(|| Error::new(Class::Other, format!("`{text}` is not a target of routes")))
    }
}

/// The destination's parameter: an IPv4 block, an IPv6 block or a prefix list.
struct Destination {
    v4: Option<String>,
    v6: Option<String>,
    list: Option<String>,
}

impl From<&Cidr> for Destination {
    fn from(cidr: &Cidr) -> Self {
        let text = cidr.to_string();
        match cidr.net() {
            Some(ipnet::IpNet::V4(_)) => Self { v4: Some(text), v6: None, list: None },
            Some(ipnet::IpNet::V6(_)) => Self { v4: None, v6: Some(text), list: None },
            None => Self { v4: None, v6: None, list: Some(text) },
        }
    }
}

/// CreateRoute. A route that is there already is made to lead where it should.
async fn create_route(aws: &Aws, table: &str, to: &Cidr, target: &str) -> Result<()> {
    let kind = Target::of(target)?;
    let via = |wanted: Target| (kind == wanted).then(|| target.to_owned());
    let Destination { v4, v6, list } = Destination::from(to);
    let call = aws.ec2.create_route().route_table_id(table);
    let call = call.set_destination_cidr_block(v4).set_destination_ipv6_cidr_block(v6);
    let call = call
        .set_destination_prefix_list_id(list)
        .set_gateway_id(via(Target::Gateway))
        .set_egress_only_internet_gateway_id(via(Target::EgressOnly))
        .set_nat_gateway_id(via(Target::Nat))
        .set_transit_gateway_id(via(Target::Transit))
        .set_vpc_peering_connection_id(via(Target::Peering))
        .set_vpc_endpoint_id(via(Target::Endpoint))
        .set_network_interface_id(via(Target::Interface))
        .set_local_gateway_id(via(Target::LocalGateway))
        .set_carrier_gateway_id(via(Target::Carrier));
    let made = call.send().await.map_err(|error| Error::from(error).while_creating());
    match made.exists_is_fine()? {
        Some(_) => Ok(()),
        None => replace_route(aws, table, to, target).await,
    }
}

/// ReplaceRoute.
async fn replace_route(aws: &Aws, table: &str, to: &Cidr, target: &str) -> Result<()> {
    let kind = Target::of(target)?;
    let via = |wanted: Target| (kind == wanted).then(|| target.to_owned());
    let Destination { v4, v6, list } = Destination::from(to);
    let call = aws.ec2.replace_route().route_table_id(table);
    let call = call.set_destination_cidr_block(v4).set_destination_ipv6_cidr_block(v6);
    let call = call
        .set_destination_prefix_list_id(list)
        .set_gateway_id(via(Target::Gateway))
        .set_egress_only_internet_gateway_id(via(Target::EgressOnly))
        .set_nat_gateway_id(via(Target::Nat))
        .set_transit_gateway_id(via(Target::Transit))
        .set_vpc_peering_connection_id(via(Target::Peering))
        .set_vpc_endpoint_id(via(Target::Endpoint))
        .set_network_interface_id(via(Target::Interface))
        .set_local_gateway_id(via(Target::LocalGateway))
        .set_carrier_gateway_id(via(Target::Carrier));
    call.send().await.map_err(|error| Error::from(error).while_creating())?;
    Ok(())
}

/// DeleteRoute.
async fn delete_route(aws: &Aws, table: &str, to: &Cidr) -> Result<()> {
    let Destination { v4, v6, list } = Destination::from(to);
    let call = aws.ec2.delete_route().route_table_id(table).set_destination_cidr_block(v4);
    let call = call.set_destination_ipv6_cidr_block(v6).set_destination_prefix_list_id(list);
    call.send().await.map_err(Error::from).absent_is_fine()
}

/// AssociateRouteTable, or ReplaceRouteTableAssociation when the subnet has another table: it is never
/// without one then.
async fn associate(aws: &Aws, table: &str, subnet: &str) -> Result<()> {
    let call = aws.ec2.associate_route_table().route_table_id(table).subnet_id(subnet);
    match call.send().await.map_err(|error| Error::from(error).while_creating()) {
        Err(error) if error.is("Resource.AlreadyAssociated") => {}
        result => return result.map(drop),
    }
    let call = aws.ec2.describe_route_tables().filters(filter("association.subnet-id", [subnet]));
    let found = call.send().await?;
    if found.route_tables().iter().any(|holder| holder.route_table_id() == Some(table)) {
        return Ok(());
    }
    let mut holders = found.route_tables().iter();
    let association = holders.find_map(|holder| associations(holder).remove(subnet));
    let association =
        association.ok_or_else(|| Error::new(Class::Eventual, "the association is not visible"))?;
    let call = aws.ec2.replace_route_table_association().route_table_id(table);
    let call = call.association_id(association);
    match call.send().await.map_err(|error| Error::from(error).while_creating()) {
        // It gets another id when it is replaced: an attempt whose reply was lost may have done so. The
        // next looks again.
        Err(error) if error.is("InvalidAssociationID.NotFound") => {
            Err(Error { class: Class::Eventual, ..error })
        }
        result => result.map(drop),
    }
}

/// DisassociateRouteTable.
async fn disassociate(aws: &Aws, association: &str) -> Result<()> {
    let call = aws.ec2.disassociate_route_table().association_id(association);
    call.send().await.map_err(Error::from).absent_is_fine()
}

/// DescribeRouteTables for one.
async fn read(aws: &Aws, id: &str) -> Result<Option<Description>> {
    let call = aws.ec2.describe_route_tables().filters(filter("route-table-id", [id]));
    Ok(call.send().await?.route_tables.unwrap_or_default().pop())
}

/// The routes that somebody has made.
fn routes(table: &Description) -> BTreeMap<Cidr, String> {
    table.routes().iter().filter_map(|route| Some((destination(route)?, target(route)?))).collect()
}

fn destination(route: &Route) -> Option<Cidr> {
    let by_itself = [
        RouteOrigin::CreateRouteTable,
        RouteOrigin::EnableVgwRoutePropagation,
        RouteOrigin::Advertisement,
    ];
    let gateway = route.gateway_id().unwrap_or_default();
    let list = route.destination_prefix_list_id();
    if gateway == "local"
        || (list.is_some() && gateway.starts_with("vpce-"))
        || route.origin().is_some_and(|origin| by_itself.contains(origin))
    {
        return None;
    }
    let block = route.destination_cidr_block().or_else(|| route.destination_ipv6_cidr_block());
    block.or(list).map(Cidr::from)
}

/// An instance's route names the instance and its interface: the interface is what a route leads to.
fn target(route: &Route) -> Option<String> {
    let target = route
        .egress_only_internet_gateway_id()
        .or_else(|| route.nat_gateway_id())
        .or_else(|| route.transit_gateway_id())
        .or_else(|| route.vpc_peering_connection_id())
        .or_else(|| route.network_interface_id())
        .or_else(|| route.instance_id())
        .or_else(|| route.local_gateway_id())
        .or_else(|| route.carrier_gateway_id())
        .or_else(|| route.core_network_arn())
        .or_else(|| route.gateway_id());
    target.map(str::to_owned)
}

/// Subnet to association, without the association with the VPC as its main table.
fn associations(table: &Description) -> BTreeMap<&str, &str> {
    use RouteTableAssociationStateCode::{Disassociated, Disassociating, Failed};
    let gone = |association: &RouteTableAssociation| {
        let state = association.association_state().and_then(|state| state.state());
        matches!(state, Some(Disassociated | Disassociating | Failed))
    };
    let standing = table.associations().iter().filter(|association| !gone(association));
    standing.filter_map(|at| Some((at.subnet_id()?, at.route_table_association_id()?))).collect()
}

fn observed(table: &Description) -> Result<Observed<RouteTable>> {
    let id = table.route_table_id().ok_or_else(|| Error::incomplete("a route table's id"))?;
    Ok(Observed {
        earlier: Vec::new(),
        id: id.to_owned(),
        live: RouteTable {
            vpc_id: table.vpc_id().unwrap_or_default().to_owned(),
            routes: routes(table),
            subnets: associations(table).into_keys().map(str::to_owned).collect(),
        },
        outputs: Outputs::of(id),
        tags: tags::ec2::read(table.tags()),
        condition: Condition::Ready,
    })
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::RouteTableAssociationState;

    use super::*;

    fn association(id: &str) -> aws_sdk_ec2::types::builders::RouteTableAssociationBuilder {
        RouteTableAssociation::builder().route_table_association_id(id)
    }

    /// B1, B5: what comes by itself is not a difference.
    #[test]
    fn what_comes_by_itself_is_not_seen() {
        let route = || Route::builder().origin(RouteOrigin::CreateRoute);
        let of_the_vpc = Route::builder().origin(RouteOrigin::CreateRouteTable);
        let propagated = Route::builder().origin(RouteOrigin::EnableVgwRoutePropagation);
        let disassociating = RouteTableAssociationState::builder()
            .state(RouteTableAssociationStateCode::Disassociating)
            .build();
        let table = Description::builder()
            .route_table_id("rtb-1")
            .vpc_id("vpc-1")
            .routes(of_the_vpc.destination_cidr_block("10.0.0.0/16").gateway_id("local").build())
            .routes(propagated.destination_cidr_block("10.9.0.0/16").gateway_id("vgw-1").build())
            .routes(route().destination_prefix_list_id("pl-1").gateway_id("vpce-1").build())
            .routes(route().destination_cidr_block("0.0.0.0/0").gateway_id("igw-1").build())
            .routes(route().destination_ipv6_cidr_block("::/0").nat_gateway_id("nat-1").build())
            .associations(association("rtbassoc-1").main(true).build())
            .associations(association("rtbassoc-2").subnet_id("subnet-2").build())
            .associations(
                association("rtbassoc-3")
                    .subnet_id("subnet-3")
                    .association_state(disassociating)
                    .build(),
            )
            .build();
        let live = serde_json::to_string_pretty(&observed(&table).unwrap().live).unwrap();
        insta::assert_snapshot!(live, @r#"
        {
          "vpc-id": "vpc-1",
          "routes": {
            "0.0.0.0/0": "igw-1",
            "::/0": "nat-1"
          },
          "subnets": [
            "subnet-2"
          ]
        }
        "#);
    }

    #[test]
    fn targets_are_known_by_the_shape_of_their_ids() {
        assert_eq!(Target::read("igw-0a"), Some(Target::Gateway));
        assert_eq!(Target::read("eigw-0a"), Some(Target::EgressOnly));
        assert_eq!(Target::read("nat-0a"), Some(Target::Nat));
        for wrong in ["local", "i-0a", "subnet-0a", ""] {
            assert_eq!(Target::read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_declaration_reads_back() {
        let text = crate::kinds::types::sample::in_full::<RouteTable>(
            "vpc-id = '${vpc.main.id}'
             routes = { '0.0.0.0/0' = '${nat-gateway.main.id}', 'FD00::1/8' = 'eigw-1' }
             subnets = ['${subnet.b.id}', '${subnet.a.id}']",
        );
        insta::assert_snapshot!(text, @r#"
        {
          "vpc-id": "${vpc.main.id}",
          "routes": {
            "0.0.0.0/0": "${nat-gateway.main.id}",
            "fd00::/8": "eigw-1"
          },
          "subnets": [
            "${subnet.a.id}",
            "${subnet.b.id}"
          ]
        }
        "#);
    }
}
