"""Whether a task can reach its registry and its log group from where it stands.

developerguide/fargate-task-networking.html, AmazonECR/latest/userguide/vpc-endpoints.html; the words of the failures from
developerguide/resource-initialization-error.html and .../task_cannot_pull_image.html.
"""

import ipaddress

from .. import interfaces
from ..traffic import covers
from .definitions import ECR_IMAGE

TIMEOUT = "dial tcp 52.46.128.10:443: i/o timeout"


def route_table_of(backend, subnet):
    """The table the subnet is associated with, else the main one of its VPC."""
    tables = [t for t in backend.route_tables.values() if t.vpc_id == subnet.vpc_id]
    explicit = [t for t in tables if subnet.id in t._associations.values()]
    return (explicit or [t for t in tables if t.main_association_id])[0]


def to_internet(backend, eni) -> bool:
    """Through an internet gateway with a public address, or through a NAT gateway that is available."""
    for route in route_table_of(backend, eni.subnet).routes:
        if route.destination_cidr_block == "0.0.0.0/0" and route.state == "active":
            if route.nat_gateway:
                return route.nat_gateway.state == "available"
            return bool(route.gateway and route.gateway.id.startswith("igw-") and eni.public_ip)
    return False


def endpoints(backend, eni) -> set[str]:
    """The services (`ecr.api`, `s3`, ...) that have an endpoint the task can use."""
    table = route_table_of(backend, eni.subnet)
    found = set()
    for endpoint in backend.vpc_end_points.values():
        if endpoint.vpc_id != eni.vpc_id or endpoint.state != "available":
            continue
        if endpoint.vpc_endpoint_type == "Gateway":
            usable = table.id in endpoint.route_table_ids
        else:
            usable = endpoint.private_dns_enabled and lets_in(backend, endpoint, eni)
        if usable:
            found.add(endpoint.service_name.split(".", 3)[3])
    return found


def lets_in(backend, endpoint, eni) -> bool:
    """Whether the endpoint's security groups take a connection at port 443 from the task."""
    groups = [backend.get_security_group_from_id(group) for group in endpoint.security_group_ids]
    theirs = {group.id for group in eni.group_set}
    address = ipaddress.ip_address(eni.private_ip_address)

    def admits(rule) -> bool:
        if not covers(rule, "tcp", 443):
            return False
        cidr = rule.ip_range.get("CidrIp")
        return rule.source_group.get("GroupId") in theirs or bool(cidr and address in ipaddress.ip_network(cidr))

    return any(admits(rule) for group in groups for rule in group.ingress_rules)


def problem(task) -> str | None:
    backend = interfaces.backend_of(task.ecs.account, task.ecs.region)
    if task.eni is None or to_internet(backend, task.eni):
        return None
    present = endpoints(backend, task.eni)
    for container in task.definition["containerDefinitions"]:
        image = container["image"]
        if not ECR_IMAGE.match(image):
            return (
                f"CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref {image}: "
                f'failed to do request: Head "https://registry-1.docker.io/v2/": {TIMEOUT}'
            )
        if not {"ecr.api", "ecr.dkr", "s3"} <= present:
            return (
                "ResourceInitializationError: unable to pull secrets or registry auth: The task cannot pull registry auth from "
                "Amazon ECR: There is a connection issue between the task and Amazon ECR. Check your task network configuration. "
                f'RequestError: send request failed caused by: Post "https://api.ecr.{task.ecs.region}.amazonaws.com/": {TIMEOUT}'
            )
        if (container.get("logConfiguration") or {}).get("logDriver") == "awslogs" and "logs" not in present:
            return (
                "ResourceInitializationError: failed to validate logger args: The task cannot find the Amazon CloudWatch log group "
                "defined in the task definition. There is a connection issue between the task and Amazon CloudWatch. "
                "Check your network configuration. : signal: killed"
            )
        for secret in container.get("secrets") or []:
            service = "secretsmanager" if ":secretsmanager:" in secret["valueFrom"] else "ssm"
            if service not in present:
                return (
                    "ResourceInitializationError: unable to pull secrets or registry auth: unable to retrieve secret from "
                    f"{service}: There is a connection issue between the task and {service}. Check your task network "
                    "configuration."
                )
    return None
