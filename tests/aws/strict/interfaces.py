"""Network interfaces that AWS services make in a customer's subnets.

They are why subnets, security groups and internet gateways cannot be deleted at once.
"""

import ipaddress

from moto.ec2.models import ec2_backends
from moto.ec2.utils import random_public_ip


def backend_of(account: str, region: str):
    return ec2_backends[account][region]


def subnet_of(backend, subnet_id: str):
    for subnets in backend.subnets.values():
        if subnet_id in subnets:
            return subnets[subnet_id]
    return None


def interfaces_in(backend, subnet_id: str) -> list:
    return [eni for eni in existing(backend) if eni.subnet.id == subnet_id]


def existing(backend) -> list:
    """Every interface; those of terminated instances, which moto keeps, are gone."""
    return [eni for eni in backend.enis.values() if not (eni.instance and eni.instance.state == "terminated")]


def free_address(backend, subnet) -> str | None:
    """The lowest free address.  AWS keeps the first four and the last of a subnet for itself.
    https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html"""
    taken = {eni.private_ip_address for eni in interfaces_in(backend, subnet.id)}
    network = ipaddress.ip_network(subnet.cidr_block, strict=False)
    for number in range(4, network.num_addresses - 1):
        address = str(network[number])
        if address not in taken:
            return address
    return None


def add(backend, subnet, groups, description, requester, kind="interface", public=False):
    """A managed interface: in use, not the customer's to delete.  None when the subnet is full."""
    address = free_address(backend, subnet)
    if address is None:
        return None
    eni = backend.create_network_interface(subnet, address, group_ids=groups or None, description=description)
    eni.requester_id = requester
    eni.requester_managed = True
    eni.interface_type = kind
    eni.status = "in-use"
    if kind == "nat_gateway":
        eni._group_set = []
    if public:
        eni.public_ip = random_public_ip()
    return eni


def remove(backend, eni_id: str) -> None:
    backend.enis.pop(eni_id, None)
