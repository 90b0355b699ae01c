"""Elastic addresses and NAT gateways.  The operation pages of AWSEC2/latest/APIReference."""

from moto.core.responses import ActionResult
from moto.ec2.models.nat_gateways import NatGateway

from . import interfaces
from .ec2_errors import not_found
from .errors import AwsError


class Gateways:
    # -- elastic addresses --------------------------------------------------------------------

    def release_address(self):
        for address in self.ec2_backend.addresses:
            if (
                self._get_param("AllocationId") == address.allocation_id
                or self._get_param("PublicIp") == address.public_ip
            ):
                if address.association_id:
                    raise AwsError(
                        "InvalidIPAddress.InUse",
                        f"Address with allocation id [{address.allocation_id}] cannot be released because it is in use.",
                    )
        return super().release_address()

    def disassociate_address(self):
        for address in self.ec2_backend.addresses:
            # The address of a NAT gateway belongs to the gateway until that is deleted.
            if address.association_id and address.association_id == self._get_param("AssociationId"):
                if address.eni and address.eni.requester_managed:
                    raise AwsError("AuthFailure", "You do not have permission to access the specified resource.")
        return super().disassociate_address()

    # -- NAT gateways -------------------------------------------------------------------------
    # https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-basics.html and
    # .../nat-gateway-troubleshooting.html (the failure codes)

    def create_nat_gateway(self):
        return self.once(self._create_nat_gateway)

    def _create_nat_gateway(self):
        backend, world = self.ec2_backend, self.world
        subnet_id, allocation = self._get_param("SubnetId"), self._get_param("AllocationId")
        subnet = interfaces.subnet_of(backend, subnet_id)
        if not subnet:
            raise not_found(subnet_id)
        public = (self._get_param("ConnectivityType") or "public") == "public"
        if public and not allocation:
            raise AwsError("MissingParameter", "The request must include the AllocationId parameter.")
        address = backend.address_by_allocation([allocation])[0] if public else None
        tags = {t["Key"]: t["Value"] for s in self._get_param("TagSpecifications", []) for t in s.get("Tags", [])}
        gateway = NatGateway(backend, subnet_id, None, tags, "public" if public else "private")
        interfaces.remove(backend, gateway._eni.id)  # moto gives it an address outside the subnet
        gateway.state, gateway.address_set = "pending", []
        failure = None
        if public and not any(g.vpc and g.vpc.id == subnet.vpc_id for g in backend.internet_gateways.values()):
            failure = ("Gateway.NotAttached", f"Network {subnet.vpc_id} has no Internet gateway attached")
        elif address and address.association_id:
            failure = ("Resource.AlreadyAssociated", f"Elastic IP address [{allocation}] is already associated")
        elif not interfaces.free_address(backend, subnet):
            failure = (
                "InsufficientFreeAddressesInSubnet",
                f"Subnet {subnet_id} has insufficient free addresses to create this NAT gateway",
            )
        if failure:
            gateway.address_set = [{"allocationId": allocation}]
        else:
            eni = interfaces.add(
                backend, subnet, None, f"Interface for NAT Gateway {gateway.id}", "amazon-nat", "nat_gateway"
            )
            gateway._eni = eni
            entry = {
                "networkInterfaceId": eni.id,
                "privateIp": eni.private_ip_address,
                "isPrimary": True,
                "status": "succeeded",
            }
            if address:
                backend.associate_address(eni=eni, allocation_id=allocation)
                entry |= {
                    "allocationId": allocation,
                    "publicIp": address.public_ip,
                    "associationId": address.association_id,
                }
            gateway.address_set = [entry]
        backend.nat_gateways[gateway.id] = gateway

        def settle():
            if gateway.state == "pending" and failure:
                gateway.state, (gateway.failure_code, gateway.failure_message) = "failed", failure
            elif gateway.state == "pending":
                gateway.state = "available"

        world.after(world.settings["nat-pending"], settle)
        return ActionResult({"NatGateway": gateway, "ClientToken": self._get_param("ClientToken")})

    def describe_nat_gateways(self):
        self._filters_from_querystring()
        gateways = self.ec2_backend.nat_gateways
        wanted = self._get_param("NatGatewayIds", [])
        for gateway_id in wanted:
            if gateway_id not in gateways:
                raise not_found(gateway_id)
        return ActionResult({"NatGateways": [gateways[i] for i in wanted] if wanted else list(gateways.values())})

    def delete_nat_gateway(self):
        backend, world = self.ec2_backend, self.world
        gateway = backend.nat_gateways.get(self._get_param("NatGatewayId"))
        if not gateway or gateway.state == "deleted":
            raise not_found(self._get_param("NatGatewayId"))

        # Deleting takes a minute; the address stays associated, and the interface in its subnet,
        # until it is done.  The deleted gateway stays visible for about an hour.
        def settle():
            gateway.state, gateway.delete_time = "deleted", world.now
            for address in backend.addresses:
                if address.eni and address.eni.id == gateway._eni.id:
                    address.eni = address.association_id = None
            interfaces.remove(backend, gateway._eni.id)

        if gateway.state != "deleting":
            gateway.state = "deleting"
            world.after(world.settings["nat-deleting"], settle)
        return ActionResult({"NatGatewayId": gateway.id})
