"""EC2 filters, by the names the API reference gives them; an unknown name is an error.

moto ignores some (a tag filter on NAT gateways matches everything) and fails on others.
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Filter.html
"""

from fnmatch import fnmatchcase

from .errors import AwsError


def each(items, *names):
    """The named attributes or members of every item, absent ones left out."""
    values = []
    for item in items:
        for name in names:
            value = item.get(name) if isinstance(item, dict) else getattr(item, name, None)
            if value is not None:
                values.append(value)
    return values


def peers(rules, name):
    return [rule.source_group.get(name) for rule in rules if rule.source_group]


def cidrs(rules, name):
    return [rule.ip_range.get(name) for rule in rules]


def permissions(prefix, rules_name):
    def rules(group):
        return getattr(group, rules_name)

    return {
        f"{prefix}ip-permission.cidr": lambda g: cidrs(rules(g), "CidrIp"),
        f"{prefix}ip-permission.ipv6-cidr": lambda g: cidrs(rules(g), "CidrIpv6"),
        f"{prefix}ip-permission.from-port": lambda g: each(rules(g), "from_port"),
        f"{prefix}ip-permission.to-port": lambda g: each(rules(g), "to_port"),
        f"{prefix}ip-permission.protocol": lambda g: each(rules(g), "ip_protocol"),
        f"{prefix}ip-permission.group-id": lambda g: peers(rules(g), "GroupId"),
        f"{prefix}ip-permission.group-name": lambda g: peers(rules(g), "GroupName"),
        f"{prefix}ip-permission.user-id": lambda g: peers(rules(g), "UserId"),
        f"{prefix}ip-permission.prefix-list-id": lambda g: each(rules(g), "prefix_list_id"),
    }


def routes(name):
    return lambda table: each(table.routes, name)


def associations(name):
    return lambda table: each(table.associations, name)


FILTERS = {
    "DescribeVpcs": {
        "vpc-id": lambda v: v.id,
        "cidr": lambda v: v.cidr_block,
        "cidr-block-association.cidr-block": lambda v: each(v.get_cidr_block_association_set(), "cidr_block"),
        "dhcp-options-id": lambda v: v.dhcp_options.id if v.dhcp_options else None,
        "is-default": lambda v: v.is_default,
        "isDefault": lambda v: v.is_default,
        "owner-id": lambda v: v.owner_id,
        "state": lambda v: "available",
    },
    "DescribeSubnets": {
        "availability-zone": lambda s: s.availability_zone,
        "availabilityZone": lambda s: s.availability_zone,
        "availability-zone-id": lambda s: s.availability_zone_id,
        "availabilityZoneId": lambda s: s.availability_zone_id,
        "cidr-block": lambda s: s.cidr_block,
        "cidr": lambda s: s.cidr_block,
        "cidrBlock": lambda s: s.cidr_block,
        "default-for-az": lambda s: s.default_for_az,
        "defaultForAz": lambda s: s.default_for_az,
        "map-public-ip-on-launch": lambda s: s.map_public_ip_on_launch,
        "owner-id": lambda s: s.owner_id,
        "state": lambda s: s.state,
        "subnet-arn": lambda s: s.arn,
        "subnet-id": lambda s: s.id,
        "vpc-id": lambda s: s.vpc_id,
    },
    "DescribeInternetGateways": {
        "attachment.state": lambda g: each(g.attachments, "State"),
        "attachment.vpc-id": lambda g: each(g.attachments, "VpcId"),
        "internet-gateway-id": lambda g: g.id,
        "owner-id": lambda g: g.owner_id,
    },
    "DescribeNatGateways": {
        "nat-gateway-id": lambda n: n.id,
        "state": lambda n: n.state,
        "subnet-id": lambda n: n.subnet_id,
        "vpc-id": lambda n: n.vpc_id,
    },
    "DescribeAddresses": {
        "allocation-id": lambda a: a.allocation_id,
        "association-id": lambda a: a.association_id,
        "domain": lambda a: a.domain,
        "instance-id": lambda a: a.instance_id,
        "network-interface-id": lambda a: a.network_interface_id,
        "private-ip-address": lambda a: a.private_ip_address,
        "public-ip": lambda a: a.public_ip,
    },
    "DescribeRouteTables": {
        "association.gateway-id": associations("gatewayId"),
        "association.main": lambda t: "true" if t.main_association_id else "false",
        "association.route-table-association-id": lambda t: list(t.all_associations_ids),
        "association.route-table-id": lambda t: t.id,
        "association.subnet-id": lambda t: list(t._associations.values()),
        "owner-id": lambda t: t.owner_id,
        "route-table-id": lambda t: t.id,
        "route.destination-cidr-block": routes("destination_cidr_block"),
        "route.destination-prefix-list-id": routes("destination_prefix_list_id"),
        "route.gateway-id": routes("gateway_id"),
        "route.instance-id": routes("instance_id"),
        "route.nat-gateway-id": routes("nat_gateway_id"),
        "route.origin": routes("origin"),
        "route.state": routes("state"),
        "vpc-id": lambda t: t.vpc_id,
    },
    "DescribeSecurityGroups": {
        "description": lambda g: g.description,
        "group-id": lambda g: g.id,
        "group-name": lambda g: g.name,
        "owner-id": lambda g: g.owner_id,
        "vpc-id": lambda g: g.vpc_id,
        **permissions("", "ingress_rules"),
        **permissions("egress.", "egress_rules"),
    },
    "DescribeSecurityGroupRules": {
        "group-id": lambda r: r.group_id,
        "security-group-rule-id": lambda r: r.id,
    },
    "DescribeVpcEndpoints": {
        "service-name": lambda e: e.service_name,
        "vpc-id": lambda e: e.vpc_id,
        "vpc-endpoint-id": lambda e: e.id,
        "vpc-endpoint-state": lambda e: e.state,
        "vpc-endpoint-type": lambda e: e.vpc_endpoint_type,
    },
    "DescribeNetworkInterfaces": {
        "addresses.private-ip-address": lambda i: i.private_ip_address,
        "association.allocation-id": lambda i: i.association.get("allocationId"),
        "association.public-ip": lambda i: i.public_ip,
        "attachment.attachment-id": lambda i: i.attachment_id,
        "attachment.instance-id": lambda i: i.instance.id if i.instance else None,
        "availability-zone": lambda i: i.availability_zone,
        "description": lambda i: i.description,
        "group-id": lambda i: [group.id for group in i.group_set],
        "group-name": lambda i: [group.name for group in i.group_set],
        "interface-type": lambda i: i.interface_type,
        "network-interface-id": lambda i: i.id,
        "owner-id": lambda i: i.owner_id,
        "private-ip-address": lambda i: i.private_ip_address,
        "requester-id": lambda i: i.requester_id,
        "requester-managed": lambda i: i.requester_managed,
        "status": lambda i: i.status,
        "subnet-id": lambda i: i.subnet_id,
        "vpc-id": lambda i: i.vpc_id,
    },
    "DescribeLaunchTemplates": {
        "create-time": lambda t: t.created,
        "launch-template-name": lambda t: t.name,
    },
    "DescribeInstances": {
        "instance-id": lambda i: i.id,
        "instance-state-name": lambda i: i.state,
        "instance-type": lambda i: i.kind,
        "subnet-id": lambda i: i.subnet.id,
        "vpc-id": lambda i: i.subnet.vpc_id,
    },
}
KEYS = {
    "DescribeVpcs": "Vpcs",
    "DescribeSubnets": "Subnets",
    "DescribeInternetGateways": "InternetGateways",
    "DescribeNatGateways": "NatGateways",
    "DescribeAddresses": "Addresses",
    "DescribeRouteTables": "RouteTables",
    "DescribeSecurityGroups": "SecurityGroups",
    "DescribeSecurityGroupRules": "SecurityGroupRules",
    "DescribeVpcEndpoints": "VpcEndpoints",
    "DescribeNetworkInterfaces": "NetworkInterfaces",
}


def keep(operation: str, wanted: dict, items: list, tags_of) -> list:
    """The items that match: every filter, each by any of its values."""
    for name, patterns in wanted.items():
        value_of = accessor(operation, name, tags_of)
        items = [item for item in items if matches(value_of(item), patterns)]
    return items


def accessor(operation: str, name: str, tags_of):
    if name == "tag-key":
        return lambda item: list(tags_of(item))
    if name.startswith("tag:"):
        return lambda item: tags_of(item).get(name[4:])
    found = FILTERS[operation].get(name)
    if not found:
        raise AwsError("InvalidParameterValue", f"The filter '{name}' is invalid")
    return found


def matches(value, patterns: list) -> bool:
    values = value if isinstance(value, (list, tuple, set)) else [value]
    return any(like(v, str(pattern)) for v in values if v is not None for pattern in patterns)


def like(value, pattern: str) -> bool:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text == pattern or fnmatchcase(text, pattern.replace("[", "[[]"))
