"""Service Connect: what CreateService and UpdateService refuse, and the Cloud Map services that ECS makes and
takes away.

developerguide/service-connect-concepts.html, API_ServiceConnectConfiguration.html and the pages it leads to.
"""

import re

from .. import discovery
from ..errors import AwsError
from . import definitions
from .state import Ecs, invalid

DISCOVERY_NAME = re.compile(r"[a-z0-9_][a-z0-9_-]{0,63}")
DNS_NAME = re.compile(r"[a-z0-9_.][a-z0-9_.-]{0,126}")


def configured(config: dict) -> dict | None:
    connect = config.get("serviceConnectConfiguration") or {}
    return connect if connect.get("enabled") else None


def namespace_of(ecs: Ecs, cluster: dict, connect: dict) -> discovery.Namespace:
    """By name or ARN; of the cluster, when none is named."""
    reference = connect.get("namespace") or (cluster.get("serviceConnectDefaults") or {}).get("namespace")
    if not reference:
        raise invalid("A namespace is required for Service Connect.")
    for namespace in discovery.of(ecs.world, ecs.region).namespaces.values():
        if reference in (namespace.name, namespace.arn) and not namespace.deleting:
            return namespace
    raise AwsError("NamespaceNotFoundException", f"The specified namespace {reference} was not found.")


def ports_of(definition: dict) -> dict[str, dict]:
    return {
        port["name"]: port
        for container in definition["containerDefinitions"]
        for port in container.get("portMappings", [])
        if port.get("name")
    }


def check(ecs: Ecs, cluster: dict, config: dict, definition: dict, service=None) -> None:
    connect = configured(config)
    if connect is None:
        return
    if definition["networkMode"] not in ("awsvpc", "bridge"):
        raise invalid(f"Service Connect does not support the network mode {definition['networkMode']}.")
    if config["deploymentController"]["type"] != "ECS":
        raise invalid("Service Connect is only supported with the ECS deployment controller.")
    namespace = namespace_of(ecs, cluster, connect)
    ports, seen = ports_of(definition), set()
    taken = aliases(ecs, namespace, service)
    for offered in connect.get("services", []):
        name = offered["portName"]
        if name not in ports:
            raise invalid(f"portName({name}) does not refer to any named PortMapping in the task definition.")
        port = ports[name]
        if port.get("protocol", "tcp") != "tcp":
            raise invalid(f"Service Connect does not support the protocol of the port {name}.")
        found = offered.get("discoveryName", name)
        if not DISCOVERY_NAME.fullmatch(found):
            raise invalid(f"discoveryName {found} is invalid.")
        if found in seen:
            raise invalid(f"Duplicate discoveryName {found}.")
        seen.add(found)
        for other in discovery.of(ecs.world, ecs.region).services.values():
            if other.namespace is namespace and other.name == found and (service is None or other.owner != service.arn):
                raise invalid(f"discoveryName {found} is already in use in the namespace.")
        if len(offered.get("clientAliases", [])) != 1:
            raise invalid("Exactly one clientAlias is required for each Service Connect service.")
        for alias in offered["clientAliases"]:
            dns = alias.get("dnsName", f"{found}.{namespace.name}")
            if not DNS_NAME.fullmatch(dns):
                raise invalid(f"dnsName {dns} is invalid.")
            if (dns, alias["port"]) in taken:
                raise invalid(f"The client alias {dns}:{alias['port']} is already in use in the namespace.")
        if not port.get("appProtocol") and (offered.get("timeout") or {}).get("perRequestTimeoutSeconds") is not None:
            raise invalid("perRequestTimeoutSeconds is not supported for the TCP appProtocol.")
    if service:
        unchanged(ecs, service, ports)


def aliases(ecs: Ecs, namespace, service) -> set:
    """Names and ports by which clients in the namespace reach other services."""
    found = set()
    for other in ecs.services.values():
        connect = configured(other.config)
        if other is service or other.status != "ACTIVE" or connect is None:
            continue
        if connect.get("namespace") in (namespace.name, namespace.arn):
            for offered in connect.get("services", []):
                name = offered.get("discoveryName", offered["portName"])
                for alias in offered["clientAliases"]:
                    found.add((alias.get("dnsName", f"{name}.{namespace.name}"), alias["port"]))
    return found


def unchanged(ecs: Ecs, service, ports: dict) -> None:
    """API_PortMapping.html: `protocol` and `appProtocol` are "immutable in a Service Connect service"."""
    before = configured(service.config)
    definition = definitions.find(ecs, service.config["taskDefinition"])
    if before is None or definition is None:
        return
    was = ports_of(definition)
    for offered in before.get("services", []):
        name = offered["portName"]
        if name in was and name in ports:
            for key, default in (("protocol", "tcp"), ("appProtocol", None)):
                if was[name].get(key, default) != ports[name].get(key, default):
                    raise invalid(f"The {key} of the port {name} of a Service Connect service cannot be changed.")


def offered_by(revision: dict) -> list[str]:
    return [one.get("discoveryName", one["portName"]) for one in (configured(revision) or {}).get("services", [])]


def announce(service) -> None:
    """A deployment makes the Cloud Map services that are not there yet."""
    ecs, connect = service.ecs, configured(service.config)
    if connect is None:
        return
    cloud_map = discovery.of(ecs.world, ecs.region)
    namespace = namespace_of(ecs, service.cluster, connect)
    for name in offered_by(service.config):
        there = cloud_map.services.values()
        if not any(s.owner == service.arn and s.namespace is namespace and s.name == name for s in there):
            made = discovery.Service(cloud_map, namespace, name, service.arn)
            cloud_map.services[made.id] = made


def withdraw(service) -> None:
    """They go when the last deployment is over that offers them, some time later."""
    ecs = service.ecs
    cloud_map = discovery.of(ecs.world, ecs.region)

    def wanted() -> set:
        found = set()
        for deployment in service.deployments if service.status == "ACTIVE" else []:
            connect = configured(deployment.revision)
            if connect:
                namespace = (connect.get("namespace") or "").rsplit("/", 1)[-1]
                found |= {(namespace, name) for name in offered_by(deployment.revision)}
        return found

    def sweep():
        keep = wanted()
        for made in list(cloud_map.services.values()):
            places = {(made.namespace.id, made.name), (made.namespace.name, made.name)}
            if made.owner == service.arn and not places & keep:
                cloud_map.services.pop(made.id)

    delay = ecs.world.settings["discovery-sweep"]
    ecs.world.after(delay, sweep) if delay else sweep()
