//! The kinds of the network, each by itself with what it needs.

use aws_sdk_ec2::types::{AttributeBooleanValue, IpPermission, IpRange};

use super::life::Life;

const VPC: &str = r#"
[aws.vpc.main]
cidr = "10.0.0.0/16"
"#;

#[test]
fn vpc() {
    let life = Life::begin(VPC);
    life.changes(
        "vpc.main",
        &[("cidr = \"10.0.0.0/16\"", "cidr = \"10.0.0.0/16\"\nenable-dns-hostnames = false")],
        &["ModifyVpcAttribute"],
    );
    life.changes(
        "vpc.main",
        &[(
            "enable-dns-hostnames = false",
            "enable-dns-hostnames = false\nenable-dns-support = false",
        )],
        &["ModifyVpcAttribute"],
    );
    life.replaces("vpc.main", &[("10.0.0.0/16", "10.1.0.0/16")], &["CreateVpc", "DeleteVpc"]);
    let id = life.object("vpc.main").id;
    life.drifts("update vpc.main", async |aws| {
        let on = AttributeBooleanValue::builder().value(true).build();
        let call = aws.ec2.modify_vpc_attribute().vpc_id(&id).enable_dns_support(on);
        call.send().await.expect("a change");
    });
    life.ends();
}

#[test]
fn subnet() {
    let life = Life::begin(&format!(
        "{VPC}{}",
        r#"
[aws.subnet.a]
vpc-id = "${vpc.main.id}"
cidr-block = "10.0.0.0/24"
availability-zone = "us-east-1a"
"#
    ));
    life.changes(
        "subnet.a",
        &[("\"us-east-1a\"", "\"us-east-1a\"\nmap-public-ip-on-launch = true")],
        &["ModifySubnetAttribute"],
    );
    // One that overlaps can only follow; one that does not stands beside the old one.
    life.replaces("subnet.a", &[("us-east-1a", "us-east-1b")], &["DeleteSubnet", "CreateSubnet"]);
    life.replaces("subnet.a", &[("10.0.0.0/24", "10.0.4.0/24")], &["CreateSubnet", "DeleteSubnet"]);
    let id = life.object("subnet.a").id;
    life.drifts("update subnet.a", async |aws| {
        let off = AttributeBooleanValue::builder().value(false).build();
        let call = aws.ec2.modify_subnet_attribute().subnet_id(&id).map_public_ip_on_launch(off);
        call.send().await.expect("a change");
    });
    life.ends();
}

#[test]
fn internet_gateway() {
    let life = Life::begin(&format!(
        "{VPC}{}",
        "\n[aws.internet-gateway.main]\nvpc-id = \"${vpc.main.id}\"\n"
    ));
    let (gateway, vpc) = (life.object("internet-gateway.main").id, life.object("vpc.main").id);
    life.drifts("replace internet-gateway.main", async |aws| {
        let call = aws.ec2.detach_internet_gateway().internet_gateway_id(&gateway).vpc_id(&vpc);
        call.send().await.expect("a change");
    });
    life.replaces(
        "internet-gateway.main",
        &[("10.0.0.0/16", "10.1.0.0/16")],
        &[
            "CreateInternetGateway",
            "AttachInternetGateway",
            "DetachInternetGateway",
            "DeleteInternetGateway",
        ],
    );
    life.ends();
}

#[test]
fn elastic_ip() {
    let life = Life::begin("\n[aws.elastic-ip.a]\n\n[aws.elastic-ip.b]\n");
    let id = life.object("elastic-ip.a").id;
    life.drifts("create elastic-ip.a", async |aws| {
        aws.ec2.release_address().allocation_id(&id).send().await.expect("a release");
    });
    life.edit(&[("[aws.elastic-ip.b]", "")]);
    assert_eq!(life.planned(), ["delete elastic-ip.b"]);
    life.apply();
    life.nothing_is_left();
    life.ends();
}

const ROUTED: &str = r#"
[aws.vpc.main]
cidr = "10.0.0.0/16"

[aws.internet-gateway.main]
vpc-id = "${vpc.main.id}"

[aws.subnet.a]
vpc-id = "${vpc.main.id}"
cidr-block = "10.0.0.0/24"
availability-zone = "us-east-1a"

[aws.subnet.b]
vpc-id = "${vpc.main.id}"
cidr-block = "10.0.1.0/24"
availability-zone = "us-east-1b"

[aws.route-table.public]
vpc-id = "${vpc.main.id}"
routes = { "0.0.0.0/0" = "${internet-gateway.main.id}" }
subnets = ["${subnet.a.id}"]
"#;

#[test]
fn nat_gateway() {
    let life = Life::begin(&format!(
        "{ROUTED}{}",
        r#"
[aws.elastic-ip.nat]
[aws.elastic-ip.other]

[aws.nat-gateway.main]
subnet-id = "${subnet.a.id}"
allocation-id = "${elastic-ip.nat.id}"

[aws.route-table.private]
vpc-id = "${vpc.main.id}"
routes = { "0.0.0.0/0" = "${nat-gateway.main.id}" }
subnets = ["${subnet.b.id}"]
"#
    ));
    // The address can only be had once: the old one goes first.
    life.replaces(
        "nat-gateway.main",
        &[("subnet-id = \"${subnet.a.id}\"", "subnet-id = \"${subnet.b.id}\"")],
        &["DeleteNatGateway", "CreateNatGateway", "ReplaceRoute"],
    );
    // With another address it stands beside the old one until the route has moved.
    life.replaces(
        "nat-gateway.main",
        &[("elastic-ip.nat.id", "elastic-ip.other.id")],
        &["CreateNatGateway", "ReplaceRoute", "DeleteNatGateway"],
    );
    // The other table takes over the subnet, which is never without a table of its own.
    life.edit(&[
        ("\nsubnets = [\"${subnet.b.id}\"]\n", "\n"),
        ("subnets = [\"${subnet.a.id}\"]", "subnets = [\"${subnet.a.id}\", \"${subnet.b.id}\"]"),
    ]);
    life.session.forget_calls();
    life.session.run(&["apply", "--yes"]).exits(0);
    let calls = life.session.calls();
    assert_eq!(calls.count("ReplaceRouteTableAssociation"), 1, "{calls:?}");
    assert_eq!(calls.count("DisassociateRouteTable"), 0, "{calls:?}");
    life.nothing_is_left();
    let id = life.object("nat-gateway.main").id;
    life.drifts("create nat-gateway.main", async |aws| {
        aws.ec2.delete_nat_gateway().nat_gateway_id(&id).send().await.expect("a deletion");
        // Gone from the API's point of view: deleting ones are waited for, deleted ones are not there.
        std::thread::sleep(std::time::Duration::from_secs(1));
    });
    life.ends();
}

#[test]
fn route_table() {
    let life = Life::begin(ROUTED);
    let table = "route-table.public";
    life.changes(
        table,
        &[("[\"${subnet.a.id}\"]", "[\"${subnet.b.id}\"]")],
        &["AssociateRouteTable", "DisassociateRouteTable"],
    );
    life.changes(
        table,
        &[("{ \"0.0.0.0/0\"", "{ \"192.0.2.0/24\"")],
        &["CreateRoute", "DeleteRoute"],
    );
    let id = life.object(table).id;
    life.drifts("update route-table.public", async |aws| {
        let call = aws.ec2.delete_route().route_table_id(&id);
        call.destination_cidr_block("192.0.2.0/24").send().await.expect("a deletion");
    });
    life.drifts("update route-table.public", async |aws| {
        let gateways = aws.ec2.describe_internet_gateways().send().await.expect("gateways");
        let gateway = gateways.internet_gateways()[0].internet_gateway_id().expect("an id");
        let call = aws.ec2.create_route().route_table_id(&id).gateway_id(gateway);
        call.destination_cidr_block("198.51.100.0/24").send().await.expect("a route too many");
    });
    life.ends();
}

const ENDPOINTS: &str = r#"
[aws.route-table.private]
vpc-id = "${vpc.main.id}"

[aws.security-group.one]
vpc-id = "${vpc.main.id}"
description = "one"

[aws.security-group.two]
vpc-id = "${vpc.main.id}"

[aws.vpc-endpoint.logs]
vpc-id = "${vpc.main.id}"
service-name = "com.amazonaws.${aws.region}.logs"
subnets = ["${subnet.a.id}"]
security-groups = ["${security-group.one.id}"]
private-dns-enabled = true

[aws.vpc-endpoint.s3]
vpc-id = "${vpc.main.id}"
service-name = "com.amazonaws.${aws.region}.s3"
type = "gateway"
route-tables = ["${route-table.public.id}"]
"#;

#[test]
fn vpc_endpoint() {
    let life = Life::begin(&format!("{ROUTED}{ENDPOINTS}"));
    let (logs, s3) = ("vpc-endpoint.logs", "vpc-endpoint.s3");
    let modified = ["ModifyVpcEndpoint"];
    life.changes(
        logs,
        &[("subnets = [\"${subnet.a.id}\"]\nsec", "subnets = [\"${subnet.b.id}\"]\nsec")],
        &modified,
    );
    let both = "groups = [\"${security-group.one.id}\", \"${security-group.two.id}\"]";
    life.changes(logs, &[("groups = [\"${security-group.one.id}\"]", both)], &modified);
    life.changes(logs, &[("dns-enabled = true", "dns-enabled = false")], &modified);
    life.changes(s3, &[("route-table.public.id", "route-table.private.id")], &modified);
    let policy = "type = \"gateway\"\npolicy = { Statement = [{ Effect = \"Allow\", Principal = \"*\", \
                  Action = \"s3:GetObject\", Resource = \"*\" }] }";
    life.changes(s3, &[("type = \"gateway\"", policy)], &modified);
    // Its subnet gives way to another one of the same zone, in which it can have one only.
    life.replaces(
        "subnet.b",
        &[("10.0.1.0/24", "10.0.2.0/24")],
        &["CreateSubnet", "ModifyVpcEndpoint", "DeleteSubnet"],
    );
    life.replaces(
        "security-group.one",
        &[("\"one\"", "\"another\"")],
        &["CreateSecurityGroup", "ModifyVpcEndpoint", "DeleteSecurityGroup"],
    );
    // The other service stands beside the old one; another type of the same takes its place.
    let moves = &["CreateVpcEndpoint", "DeleteVpcEndpoints"];
    life.replaces(logs, &[("region}.logs", "region}.sqs")], moves);
    let interface = [("type = \"gateway\"", "type = \"interface\""), ("route-tables = [", "# [")];
    life.replaces(s3, &interface, &["DeleteVpcEndpoints", "CreateVpcEndpoint"]);
    let (id, group) = (life.object(logs).id, life.object("security-group.two").id);
    life.drifts("update vpc-endpoint.logs", async |aws| {
        let call = aws.ec2.modify_vpc_endpoint().vpc_endpoint_id(&id);
        call.remove_security_group_ids(&group).send().await.expect("a change");
    });
    life.drifts("create vpc-endpoint.logs", async |aws| {
        aws.ec2.delete_vpc_endpoints().vpc_endpoint_ids(&id).send().await.expect("a deletion");
        std::thread::sleep(std::time::Duration::from_secs(1));
    });
    life.ends();
}

#[test]
fn security_group() {
    let life = Life::begin(&format!(
        "{VPC}{}",
        r#"
[aws.security-group.other]
vpc-id = "${vpc.main.id}"

[aws.security-group.web]
vpc-id = "${vpc.main.id}"
description = "one"
ingress = [
  { protocol = "tcp", from-port = 80, to-port = 80, cidr = "0.0.0.0/0" },
  { protocol = "tcp", from-port = 8080, to-port = 8090, security-group = "${security-group.other.id}", description = "inner" },
]
"#
    ));
    let group = "security-group.web";
    life.changes(
        group,
        &[("from-port = 80, to-port = 80,", "from-port = 443, to-port = 443,")],
        &["AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress"],
    );
    life.changes(
        group,
        &[("description = \"one\"", "description = \"one\"\negress = []")],
        &["RevokeSecurityGroupEgress"],
    );
    let inner = [("\"inner\"", "\"within\"")];
    life.changes(group, &inner, &["UpdateSecurityGroupRuleDescriptionsIngress"]);
    life.replaces(
        group,
        &[("description = \"one\"", "description = \"two\"")],
        &["CreateSecurityGroup", "DeleteSecurityGroup"],
    );
    let id = life.object(group).id;
    life.drifts("update security-group.web", async |aws| {
        let range = IpRange::builder().cidr_ip("0.0.0.0/0").build();
        let open = IpPermission::builder().ip_protocol("tcp").from_port(22).to_port(22);
        let call = aws.ec2.authorize_security_group_ingress().group_id(&id);
        call.ip_permissions(open.ip_ranges(range).build()).send().await.expect("a rule too many");
    });
    life.ends();
}

#[test]
fn security_group_rule() {
    let life = Life::begin(&format!(
        "{VPC}{}",
        r#"
[aws.security-group.a]
vpc-id = "${vpc.main.id}"

[aws.security-group.b]
vpc-id = "${vpc.main.id}"

[aws.security-group-rule.a-to-b]
security-group-id = "${security-group.a.id}"
direction = "ingress"
protocol = "tcp"
from-port = 80
to-port = 80
security-group = "${security-group.b.id}"

[aws.security-group-rule.b-to-a]
security-group-id = "${security-group.b.id}"
direction = "ingress"
protocol = "tcp"
from-port = 80
to-port = 80
security-group = "${security-group.a.id}"
"#
    ));
    // Two groups that name each other can be made, changed and removed.
    life.edit(&[(
        "from-port = 80\nto-port = 80\nsecurity-group = \"${security-group.a.id}\"",
        "from-port = 81\nto-port = 81\nsecurity-group = \"${security-group.a.id}\"",
    )]);
    life.apply();
    life.nothing_is_left();
    life.edit(&[("to-port = 81", "to-port = 81\ndescription = \"said\"")]);
    assert_eq!(life.planned(), ["update security-group-rule.b-to-a"]);
    let calls = life.apply();
    assert_eq!(calls.changes(), ["UpdateSecurityGroupRuleDescriptionsIngress"], "{calls:?}");
    life.nothing_is_left();
    life.ends();
}

/// B10: a subnet goes over from one route table to another, and is never without.
#[test]
fn b10_a_subnet_is_handed_over() {
    let network = r#"
[network]
nat = "single"

[service.web]
image = "httpd:2.4"
size = "0.25vcpu/0.5GB"
"#;
    let life = Life::begin(network);
    for (from, to) in [("single", "per-az"), ("per-az", "single")] {
        life.edit(&[(&format!("nat = \"{from}\""), &format!("nat = \"{to}\""))]);
        let calls = life.apply();
        assert_eq!(calls.count("DisassociateRouteTable"), 0, "{calls:?}");
        life.nothing_is_left();
    }
    life.ends();
}
