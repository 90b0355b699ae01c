"""EC2: the network part of it, with the dependencies that AWS enforces.

Sources, unless a comment names another: the operation's own page under
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/ and its list of error codes,
.../APIReference/errors-overview.html.
"""

import ipaddress

from moto.core.responses import ActionResult, EmptyResult
from moto.ec2.models.route_tables import Route
from moto.ec2.responses import EC2Response
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE

from . import filters, interfaces
from .base import Corrected
from .ec2_endpoints import Endpoints
from .ec2_errors import NOT_FOUND, dependencies, not_found
from .ec2_gateways import Gateways
from .ec2_groups import Groups
from .ec2_templates import Templates
from .errors import AwsError


def strings(value):
    """Every string anywhere in a request's parameters."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for member in value.values():
            yield from strings(member)
    elif isinstance(value, (list, tuple)):
        for member in value:
            yield from strings(member)


CIDR_MEMBERS = ("CidrBlock", "DestinationCidrBlock", "DestinationIpv6CidrBlock", "CidrIp", "CidrIpv6")


def canonical(value) -> None:
    """Address blocks are stored as networks: 10.0.0.5/24 becomes 10.0.0.0/24."""
    if isinstance(value, dict):
        for name, member in value.items():
            if name in CIDR_MEMBERS and isinstance(member, str):
                try:
                    value[name] = str(ipaddress.ip_network(member, strict=False))
                except ValueError:
                    pass  # moto says what is wrong with it
            else:
                canonical(member)
    elif isinstance(value, (list, tuple)):
        for member in value:
            canonical(member)


def _route_state(route) -> str:
    # A route whose NAT gateway or internet gateway is gone stays, as a black hole.
    # https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-working-with.html
    if route.nat_gateway and route.nat_gateway.state in ("deleted", "failed"):
        return "blackhole"
    gateway = route.gateway
    if gateway and gateway.id.startswith("igw-") and getattr(gateway, "vpc", None) is None:
        return "blackhole"
    return "active"


Route.state = property(_route_state)

# The resource types of DescribeTags, as the page "TagSpecification" has them; moto calls these two otherwise.
EC2_PREFIX_TO_RESOURCE.update({"eipalloc": "elastic-ip", "nat": "natgateway"})


class Ec2(Gateways, Endpoints, Groups, Templates, Corrected, EC2Response):
    boto_name = "ec2"
    RESPONSE_KEY_PATH_TO_TRANSFORMER = {
        **EC2Response.RESPONSE_KEY_PATH_TO_TRANSFORMER,
        # CreateVpc answers `pending`; the VPC is available by the first describe.
        "CreateVpcResult.Vpc.State": lambda _: "pending",
    }

    # -- all operations ---------------------------------------------------------------------

    def before(self, operation):
        self.wanted = {}
        # DryRun asks whether the caller may; HTTP 412 means "yes, but I did nothing".
        if self._get_param("DryRun", False):
            raise AwsError("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412)
        if (
            operation == "DescribeNetworkInterfaces"
            and self._get_param("MaxResults")
            and self._get_param("NetworkInterfaceIds")
        ):
            raise AwsError(
                "InvalidParameterCombination",
                "The parameter NetworkInterfaceIds cannot be used with the parameter MaxResults",
            )
        self.check_tags()
        canonical(self.params)
        # Reads are eventually consistent: for a while a new id is unknown to every other call.
        # https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html
        hidden = self.world.hidden
        if hidden:
            # A filter on a new id finds nothing, and is no error.
            asked = {name: value for name, value in self.params.items() if not name.startswith("Filter")}
            for value in strings(asked):
                if hidden.get(value, 0) > self.world.now:
                    raise not_found(value)

    def check_tags(self):
        tags = list(self._get_param("Tags", []))
        for specification in self._get_param("TagSpecifications", []):
            tags += specification.get("Tags", [])
        for tag in tags:
            # https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions
            if str(tag.get("Key", "")).lower().startswith("aws:"):
                raise AwsError("InvalidParameterValue", "Tag keys starting with 'aws:' are reserved for internal use")
        if len(tags) > 50:
            raise AwsError("TagLimitExceeded", "The maximum number of tags for a resource has been reached.")

    def _filters_from_querystring(self):
        wanted = super()._filters_from_querystring()
        if self._get_action() not in filters.FILTERS:
            return wanted
        self.wanted = wanted
        return {}

    def finish(self, operation, result):
        key = filters.KEYS.get(operation)
        if key:
            items = list(result.get(key) or [])
            items = [item for item in items if self.world.hidden.get(item.id, 0) <= self.world.now]
            result[key] = filters.keep(operation, self.wanted, items, self.tags_of)
        elif operation == "DescribeTags":
            hidden, now = self.world.hidden, self.world.now
            result["Tags"] = [tag for tag in result["Tags"] if hidden.get(tag["resource_id"], 0) <= now]
        elif operation.startswith(("Create", "Allocate")) and self.world.settings["ec2-visible-after"]:
            for value in result.values():
                created = getattr(value, "id", value)
                # An id, and not the `vpc` that AllocateAddress answers as its domain.
                if isinstance(created, str) and "-" in created and created.split("-")[0] in NOT_FOUND:
                    # A repeat with the same client token makes nothing new.
                    visible = self.world.now + self.world.settings["ec2-visible-after"]
                    self.world.hidden.setdefault(created, visible)

    def tags_of(self, item) -> dict:
        return self.ec2_backend.tags.get(item.id, {})

    def once(self, make) -> ActionResult:
        """Runs `make` once per client token; a repeat of the same request gets the same object.
        https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html"""
        token = self._get_param("ClientToken")
        if not token:
            return make()
        request = {
            name: value for name, value in self.params.items() if name not in ("ClientToken", "TagSpecifications")
        }
        key = (self._get_action(), self.region, token)
        if key in self.world.tokens:
            before, result = self.world.tokens[key]
            if before != request:
                raise AwsError(
                    "IdempotentParameterMismatch",
                    "The request uses the same client token as a previous, but non-identical request.",
                )
            return result
        result = make()
        self.world.tokens[key] = (request, result)
        return result

    # -- VPC ----------------------------------------------------------------------------------

    def delete_vpc(self):
        backend, vpc_id = self.ec2_backend, self._get_param("VpcId")
        if vpc_id not in backend.vpcs:
            raise not_found(vpc_id)
        holders = (
            [s for subnets in backend.subnets.values() for s in subnets.values() if s.vpc_id == vpc_id],
            [g for g in backend.internet_gateways.values() if g.vpc and g.vpc.id == vpc_id],
            [g for g in backend.groups.get(vpc_id, {}).values() if g.name != "default"],
            [t for t in backend.route_tables.values() if t.vpc_id == vpc_id and not t.main_association_id],
            [e for e in backend.vpc_end_points.values() if e.vpc_id == vpc_id and e.state != "deleted"],
            [n for n in backend.nat_gateways.values() if n.vpc_id == vpc_id and n.state not in ("deleted", "failed")],
        )
        if any(holders):
            raise dependencies("vpc", vpc_id)
        backend.delete_vpc(vpc_id)
        # The default network ACL dies with its VPC.
        for acl in [a for a in backend.network_acls.values() if a.vpc_id == vpc_id]:
            backend.network_acls.pop(acl.id)
        return EmptyResult()

    def one_attribute(self, *names: str) -> None:
        """The modify calls take one attribute at a time."""
        if sum(self._get_param(name) is not None for name in names) > 1:
            raise AwsError("InvalidParameterCombination", "Fields for multiple attribute types specified")

    def modify_vpc_attribute(self):
        self.one_attribute("EnableDnsHostnames", "EnableDnsSupport", "EnableNetworkAddressUsageMetrics")
        return super().modify_vpc_attribute()

    # -- subnets ------------------------------------------------------------------------------

    def create_subnet(self):
        result = super().create_subnet()
        # Only a default subnet maps public addresses unless it is told to.
        result.result["Subnet"].map_public_ip_on_launch = False
        result.result["Subnet"].default_for_az = False
        return result

    def delete_subnet(self):
        backend, subnet_id = self.ec2_backend, self._get_param("SubnetId")
        if interfaces.interfaces_in(backend, subnet_id):
            raise dependencies("subnet", subnet_id)
        backend.delete_subnet(subnet_id)
        # Its route table association goes with it.
        for table in backend.route_tables.values():
            for association, target in list(table._associations.items()):
                if target == subnet_id:
                    table._associations.pop(association)
        return EmptyResult()

    def modify_subnet_attribute(self):
        self.one_attribute("MapPublicIpOnLaunch", "AssignIpv6AddressOnCreation", "EnableDns64")
        backend = self.ec2_backend
        if not interfaces.subnet_of(backend, self._get_param("SubnetId")):
            raise not_found(self._get_param("SubnetId"))
        return super().modify_subnet_attribute()

    # -- internet gateways --------------------------------------------------------------------

    def attach_internet_gateway(self):
        vpc_id, gateway = self._get_param("VpcId"), self._get_param("InternetGatewayId")
        for other in self.ec2_backend.internet_gateways.values():
            # One gateway per VPC.
            if other.vpc and other.vpc.id == vpc_id and other.id != gateway:
                raise AwsError("InvalidParameterValue", f"Network {vpc_id} already has an internet gateway attached")
        return super().attach_internet_gateway()

    def detach_internet_gateway(self):
        vpc_id = self._get_param("VpcId")
        gateway = self.ec2_backend.get_internet_gateway(self._get_param("InternetGatewayId"))
        attached = gateway.vpc and gateway.vpc.id == vpc_id
        if attached and any(eni.public_ip for eni in interfaces.existing(self.ec2_backend) if eni.vpc_id == vpc_id):
            raise AwsError(
                "DependencyViolation",
                f"Network {vpc_id} has some mapped public address(es). "
                "Please unmap those public address(es) before detaching the gateway.",
            )
        return super().detach_internet_gateway()

    def delete_internet_gateway(self):
        gateway = self.ec2_backend.get_internet_gateway(self._get_param("InternetGatewayId"))
        if gateway.vpc:
            raise AwsError(
                "DependencyViolation", f"The internetGateway '{gateway.id}' has dependencies and cannot be deleted."
            )
        return super().delete_internet_gateway()

    # -- route tables -------------------------------------------------------------------------

    def create_route_table(self):
        return self.once(super().create_route_table)

    def delete_route_table(self):
        table = self.ec2_backend.get_route_table(self._get_param("RouteTableId"))
        if table.main_association_id or table._associations:
            raise dependencies("routeTable", table.id)
        return super().delete_route_table()

    def associate_route_table(self):
        subnet_id, wanted = self._get_param("SubnetId"), self._get_param("RouteTableId")
        for table in self.ec2_backend.route_tables.values():
            if subnet_id and table.id != wanted and subnet_id in table._associations.values():
                raise AwsError(
                    "Resource.AlreadyAssociated",
                    f"the specified association for route table {wanted} conflicts with an existing association",
                )
        return super().associate_route_table()

    def check_route(self):
        backend = self.ec2_backend
        table = backend.get_route_table(self._get_param("RouteTableId"))
        nat, gateway = self._get_param("NatGatewayId"), self._get_param("GatewayId")
        if nat and (nat not in backend.nat_gateways or backend.nat_gateways[nat].state in ("deleted", "failed")):
            raise AwsError("InvalidNatGatewayID.NotFound", f"The natGateway ID '{nat}' does not exist")
        if gateway and gateway.startswith("igw-"):
            igw = backend.get_internet_gateway(gateway)
            if not igw.vpc or igw.vpc.id != table.vpc_id:
                raise AwsError(
                    "InvalidParameterValue",
                    f"route table {table.id} and network gateway {gateway} belong to different networks",
                )

    def create_route(self):
        self.check_route()
        return super().create_route()

    def replace_route(self):
        self.check_route()
        return super().replace_route()

    # -- network interfaces -------------------------------------------------------------------

    def delete_network_interface(self):
        eni = self.ec2_backend.enis.get(self._get_param("NetworkInterfaceId"))
        if eni and eni.status == "in-use":
            raise AwsError("InvalidParameterValue", f"Network interface '{eni.id}' is currently in use.")
        return super().delete_network_interface()
