"""VPC endpoints.  The operation pages of AWSEC2/latest/APIReference, and the AWS PrivateLink guide:
vpc/latest/privatelink/create-interface-endpoint.html, .../gateway-endpoints.html, .../manage-dns-names.html.
"""

from moto.core.responses import ActionResult
from moto.ec2.models.vpcs import VPCEndPoint
from moto.ec2.utils import random_vpc_ep_id

from . import interfaces
from .ec2_errors import not_found
from .errors import AwsError

GATEWAYS = {"s3", "dynamodb"}
# vpc/latest/privatelink/aws-services-privatelink-support.html, a part of it.
INTERFACES = GATEWAYS | {
    *("ecr.api", "ecr.dkr", "ecs", "ecs-agent", "ecs-telemetry", "logs", "monitoring", "events", "ssm", "ssmmessages"),
    *("ec2messages", "secretsmanager", "kms", "sts", "sqs", "sns", "xray", "execute-api", "kinesis-streams", "lambda"),
}


def invalid(message: str) -> AwsError:
    return AwsError("InvalidParameter", message)


class Endpoints:
    def create_vpc_endpoint(self):
        return self.once(self._create_vpc_endpoint)

    def _create_vpc_endpoint(self):
        backend, world = self.ec2_backend, self.world
        vpc_id, name = self._get_param("VpcId"), self._get_param("ServiceName")
        # "Default: Gateway".
        kind = self._get_param("VpcEndpointType") or "Gateway"
        if vpc_id not in backend.vpcs:
            raise not_found(vpc_id)
        prefix = f"com.amazonaws.{self.region}."
        service = (name or "").removeprefix(prefix)
        if not (name or "").startswith(prefix) or service not in INTERFACES:
            raise AwsError("InvalidServiceName", f"The Vpc Endpoint Service '{name}' does not exist")
        subnets, groups = self._get_param("SubnetIds", []), self._get_param("SecurityGroupIds", [])
        tables, dns = self._get_param("RouteTableIds", []), self._get_param("PrivateDnsEnabled")
        if kind == "Gateway":
            if service not in GATEWAYS:
                raise invalid(f"The specified service does not support endpoints of type Gateway: {name}")
            if subnets or groups or dns is not None:
                raise invalid("SubnetIds, SecurityGroupIds and PrivateDnsEnabled are not supported for Gateway endpoints")
        elif tables:
            raise invalid("Route table IDs are only supported for Gateway type VPC Endpoint.")
        endpoint = VPCEndPoint(
            backend, random_vpc_ep_id(), vpc_id, name, kind, self._get_param("PolicyDocument"), [], [],
            tags={t["Key"]: t["Value"] for s in self._get_param("TagSpecifications", []) for t in s.get("Tags", [])},
        )  # fmt: skip
        is_interface = kind == "Interface"
        # "Default: true", of interface endpoints.
        endpoint.private_dns_enabled = is_interface and dns is not False and dns != "false"
        self._check(endpoint, subnets, groups, tables)
        if is_interface and not groups:
            groups = [g.id for g in backend.groups[vpc_id].values() if g.name == "default"]
        endpoint.security_group_ids = groups
        backend.vpc_end_points[endpoint.id] = endpoint
        self._enter(endpoint, subnets)
        self._route(endpoint, tables)
        if is_interface:
            endpoint.state = "pending"

            def settle():
                if endpoint.state == "pending":
                    endpoint.state = "available"

            world.after(world.settings["endpoint-pending"], settle)
        return ActionResult({"VpcEndpoint": endpoint, "ClientToken": self._get_param("ClientToken")})

    def modify_vpc_endpoint(self):
        endpoint = self._endpoint(self._get_param("VpcEndpointId"))
        if endpoint.state not in ("available", "pending"):
            raise AwsError("InvalidState", f"The Vpc Endpoint '{endpoint.id}' is in the state {endpoint.state}")
        added = {
            what: self._get_param(f"Add{what}Ids", []) for what in ("Subnet", "SecurityGroup", "RouteTable")
        }
        gone = {what: self._get_param(f"Remove{what}Ids", []) for what in added}
        dns = self._get_param("PrivateDnsEnabled")
        strange = ("Subnet", "SecurityGroup") if endpoint.vpc_endpoint_type == "Gateway" else ("RouteTable",)
        if any(added[what] or gone[what] for what in strange):
            raise invalid(f"{' and '.join(strange)} cannot be changed of a {endpoint.vpc_endpoint_type} endpoint")
        if endpoint.vpc_endpoint_type == "Gateway" and dns is not None:
            raise invalid("Private DNS can only be set for interface endpoints")
        wanted = dns is True or dns == "true"
        turned_on = dns is not None and wanted and not endpoint.private_dns_enabled
        groups = [g for g in endpoint.security_group_ids if g not in gone["SecurityGroup"]]
        if endpoint.vpc_endpoint_type == "Interface" and not groups + added["SecurityGroup"]:
            raise invalid("A Vpc Endpoint of type Interface needs a security group")
        before = endpoint.subnet_ids
        endpoint.subnet_ids = [s for s in before if s not in gone["Subnet"]]
        try:
            self._check(endpoint, added["Subnet"], added["SecurityGroup"], added["RouteTable"], turned_on)
        except AwsError:
            endpoint.subnet_ids = before
            raise
        endpoint.security_group_ids = groups + [g for g in added["SecurityGroup"] if g not in groups]
        self._leave(endpoint, gone["Subnet"])
        self._enter(endpoint, added["Subnet"])
        for eni in self._interfaces(endpoint):
            eni._group_set = [self.ec2_backend.get_security_group_from_id(g) for g in endpoint.security_group_ids]
        self._unroute(endpoint, gone["RouteTable"])
        self._route(endpoint, added["RouteTable"])
        if dns is not None:
            endpoint.private_dns_enabled = wanted
        if self._get_param("PolicyDocument"):
            endpoint.policy_document = self._get_param("PolicyDocument")
        elif self._get_param("ResetPolicy"):
            endpoint.policy_document = None
        return ActionResult({"Return": True})

    def delete_vpc_endpoints(self):
        # Failures come inside a successful answer.
        known, world = self.ec2_backend.vpc_end_points, self.world
        failures = []
        for endpoint_id in self._get_param("VpcEndpointIds", []):
            endpoint = known.get(endpoint_id)
            if not endpoint:
                error = {"Code": "InvalidVpcEndpoint.NotFound", "Message": f"The Vpc Endpoint Id '{endpoint_id}' does not exist"}
                failures.append({"ResourceId": endpoint_id, "Error": error})
            elif endpoint.vpc_endpoint_type == "Gateway":
                self._unroute(endpoint, list(endpoint.route_table_ids))
                known.pop(endpoint_id)
            elif endpoint.state != "deleting":
                endpoint.state = "deleting"
                # Its interfaces, which hold subnets and security groups, and its names go with it.
                world.after(world.settings["endpoint-deleting"], lambda endpoint=endpoint: self._gone(known, endpoint))
        return ActionResult({"Unsuccessful": failures})

    def _gone(self, known, endpoint):
        self._leave(endpoint, list(endpoint.subnet_ids))
        endpoint.state = "deleted"
        known.pop(endpoint.id, None)

    # -- what an endpoint stands on -----------------------------------------------------------

    def _endpoint(self, endpoint_id):
        endpoint = self.ec2_backend.vpc_end_points.get(endpoint_id)
        if not endpoint:
            raise not_found(endpoint_id)
        return endpoint

    def _check(self, endpoint, subnets, groups, tables, dns=None):
        backend = self.ec2_backend
        zones = {interfaces.subnet_of(backend, s).availability_zone for s in endpoint.subnet_ids}
        for subnet_id in subnets:
            subnet = interfaces.subnet_of(backend, subnet_id)
            if not subnet:
                raise not_found(subnet_id)
            if subnet.vpc_id != endpoint.vpc_id:
                raise invalid(f"Subnet {subnet_id} does not belong to VPC {endpoint.vpc_id}")
            if subnet.availability_zone in zones:
                raise AwsError(
                    "DuplicateSubnetsInSameZone",
                    f"Found another VPC endpoint subnet in the availability zone of {subnet_id}. "
                    "VPC endpoint subnets should be in different availability zones supported by the VPC endpoint service.",
                )
            zones.add(subnet.availability_zone)
            if not interfaces.free_address(backend, subnet):
                raise AwsError("InsufficientFreeAddressesInSubnet", f"There are no free addresses in {subnet_id}")
        for group in groups:
            if group not in backend.groups.get(endpoint.vpc_id, {}):
                raise not_found(group)
        for table_id in tables:
            table = backend.route_tables.get(table_id)
            if not table:
                raise not_found(table_id)
            if table.vpc_id != endpoint.vpc_id:
                raise invalid(f"Route table {table_id} does not belong to VPC {endpoint.vpc_id}")
            if any(self._is_of(route, endpoint.service_name) for route in table.routes):
                raise AwsError(
                    "RouteAlreadyExists",
                    f"route table {table_id} already has a route with destination-prefix-list-id of {endpoint.service_name}",
                )
        if endpoint.private_dns_enabled if dns is None else dns:
            self._check_dns(endpoint)

    def _check_dns(self, endpoint):
        vpc = self.ec2_backend.vpcs[endpoint.vpc_id]
        if not all(str(on).lower() == "true" for on in (vpc.enable_dns_support, vpc.enable_dns_hostnames)):
            raise invalid(
                "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true "
                f"for {vpc.id}"
            )
        for other in self.ec2_backend.vpc_end_points.values():
            same = other.vpc_id == vpc.id and other.service_name == endpoint.service_name and other is not endpoint
            if same and other.private_dns_enabled:
                raise invalid(
                    "private-dns-enabled cannot be set because there is already a conflicting DNS domain "
                    f"for {endpoint.service_name} in the VPC {vpc.id}"
                )

    @staticmethod
    def _is_of(route, service_name) -> bool:
        return bool(route.destination_prefix_list and route.destination_prefix_list.prefix_list_name == service_name)

    def _prefix_list(self, endpoint):
        lists = self.ec2_backend.managed_prefix_lists.values()
        return next(one.id for one in lists if one.prefix_list_name == endpoint.service_name)

    def _route(self, endpoint, tables):
        for table in tables:
            self.ec2_backend.create_route(
                table, None, gateway_id=endpoint.id, destination_prefix_list_id=self._prefix_list(endpoint)
            )
            endpoint.route_table_ids.append(table)

    def _unroute(self, endpoint, tables):
        for table in tables:
            if table in endpoint.route_table_ids:
                endpoint.route_table_ids.remove(table)
                if table in self.ec2_backend.route_tables:
                    self.ec2_backend.delete_route(table, self._prefix_list(endpoint))

    def _interfaces(self, endpoint) -> list:
        enis = self.ec2_backend.enis
        return [enis[eni] for eni in endpoint.network_interface_ids if eni in enis]

    def _enter(self, endpoint, subnets):
        for subnet_id in subnets:
            subnet = interfaces.subnet_of(self.ec2_backend, subnet_id)
            description = f"VPC Endpoint Interface {endpoint.id}"
            eni = interfaces.add(
                self.ec2_backend, subnet, endpoint.security_group_ids, description, "amazon-vpce", "vpc_endpoint"
            )
            endpoint.network_interface_ids.append(eni.id)
            endpoint.subnet_ids.append(subnet_id)

    def _leave(self, endpoint, subnets):
        for eni in self._interfaces(endpoint):
            if eni.subnet.id in subnets:
                interfaces.remove(self.ec2_backend, eni.id)
                endpoint.network_interface_ids.remove(eni.id)
        endpoint.subnet_ids = [s for s in endpoint.subnet_ids if s not in subnets]
