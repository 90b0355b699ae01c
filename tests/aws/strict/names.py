"""Service discovery: what CreateService of ECS refuses of registries, and the tasks that are instances of their Cloud Map
service.

developerguide/service-discovery.html and API_ServiceRegistry.html.
"""

from . import discovery
from .errors import AwsError


def refused(message: str) -> AwsError:
    return AwsError("InvalidParameterException", message)


def check(ecs, config: dict, definition: dict) -> None:
    registries = config.get("serviceRegistries", [])
    if len(registries) > 1:
        raise refused("service registries can have at most 1 items.")
    for registry in registries:
        found = discovery.of(ecs.world, ecs.region).services.get(registry["registryArn"].rsplit("/", 1)[-1])
        if found is None or found.arn != registry["registryArn"] or not isinstance(found, discovery.Name):
            raise refused(f"The specified service registry {registry['registryArn']} was not found.")
        types = {record["Type"] for record in found.dns["DnsRecords"]}
        container, port = registry.get("containerName"), registry.get("containerPort")
        if types & {"A", "AAAA"} and definition["networkMode"] != "awsvpc":
            raise refused("Service registries with A or AAAA records need the network mode awsvpc.")
        if "CNAME" in types:
            raise refused("Service registries with CNAME records are not supported.")
        if (container is None) != (port is None) or (port and registry.get("port")):
            raise refused("Specify either containerName and containerPort, or port.")
        if "SRV" in types and not port and not (registry.get("port") and definition["networkMode"] == "awsvpc"):
            raise refused("containerName and containerPort are needed for SRV records.")
        if "SRV" not in types and port:
            raise refused("containerName and containerPort are for SRV records.")
        if container:
            check_container(definition, container, port)


def check_container(definition: dict, container: str, port: int) -> None:
    named = [one for one in definition["containerDefinitions"] if one["name"] == container]
    if not named:
        raise refused(f"The container {container} does not exist in the task definition.")
    if port not in [mapping.get("containerPort") for mapping in named[0].get("portMappings", [])]:
        raise refused(f"The container {container} did not have a container port {port} defined.")


def register(task, registry: dict):
    """The task is an instance of its Cloud Map service while it runs."""
    found = discovery.of(task.ecs.world, task.ecs.region).services.get(registry["registryArn"].rsplit("/", 1)[-1])
    if found is None:
        return None
    address, port = None, registry.get("port")
    if registry.get("containerPort"):
        _, port, address = task.place(registry["containerPort"]) or (None, port, None)
    if task.eni:
        address = task.eni.private_ip_address
    attributes = {"AWS_INSTANCE_IPV4": address, "AWS_INSTANCE_PORT": port and str(port)}
    found.instances[task.id] = {key: value for key, value in attributes.items() if value}
    return found
