"""ECS Managed Instances: capacity providers of one cluster, for whose tasks ECS itself starts instances.

developerguide/ManagedInstances.html, API_CreateManagedInstancesProviderConfiguration.html
"""

import fnmatch
import json
import random
from types import SimpleNamespace

from .. import iam, interfaces
from . import checks, clusters, placing
from .state import Ecs, refused

ACTIONS = ("ec2:CreateFleet", "ec2:RunInstances", "ec2:CreateLaunchTemplate", "ec2:DescribeInstanceTypes")
HANDS = ("vCpuCount", "memoryMiB")


def is_managed(provider: dict | None) -> bool:
    return bool(provider) and "managedInstancesProvider" in provider


def check(ecs: Ecs, given: dict) -> None:
    """What CreateCapacityProvider and UpdateCapacityProvider refuse."""
    template = given.get("instanceLaunchTemplate") or {}
    role = given["infrastructureRoleArn"]
    if not iam.assumable_by(ecs.world, role, "ecs.amazonaws.com"):
        raise refused(f"Unable to assume the infrastructure role '{role}'. Verify its trust policy and try again.")
    for action in ACTIONS:
        if not checks.allows(ecs, role, action):
            raise refused(f"The infrastructure role '{role}' is not authorized to perform: {action}")
    profile = iam.profile_named(ecs.account, template.get("ec2InstanceProfileArn"))
    if profile is None or not profile.roles:
        raise refused("The specified EC2 instance profile is not valid. Specify a valid ARN and try again.")
    if not may_pass(ecs, role, profile.roles[0].arn):
        raise refused(f"The infrastructure role '{role}' is not authorized to perform: iam:PassRole on {profile.roles[0].arn}")
    network = template.get("networkConfiguration") or {}
    backend = interfaces.backend_of(ecs.account, ecs.region)
    if not network.get("subnets"):
        raise refused("At least one subnet must be specified in the network configuration.")
    for subnet in network["subnets"]:
        if interfaces.subnet_of(backend, subnet) is None:
            raise refused(f"The subnet ID '{subnet}' does not exist.")
    for group in network.get("securityGroups", []):
        if backend.get_security_group_from_id(group) is None:
            raise refused(f"The security group '{group}' does not exist.")
    needs = template.get("instanceRequirements") or {}
    for member in HANDS:
        if (needs.get(member) or {}).get("min") is None:
            raise refused(f"instanceRequirements.{member}.min must be specified.")
        if needs[member].get("max", needs[member]["min"]) < needs[member]["min"]:
            raise refused(f"instanceRequirements.{member}.max is less than its min.")
    if needs.get("allowedInstanceTypes") and needs.get("excludedInstanceTypes"):
        raise refused("Only one of allowedInstanceTypes and excludedInstanceTypes can be specified.")


def may_pass(ecs: Ecs, arn: str, target: str) -> bool:
    """Whether the role may hand over the other one.  The managed policy names roles of its own choice."""
    role = iam.role_named(ecs.account, arn)
    documents = [
        *role.policies.values(),
        *(checks.default_document(policy) for policy in role.managed_policies.values()),
    ]
    for document in documents:
        for statement in (json.loads(document) if isinstance(document, str) else document).get("Statement", []):
            actions, resources = statement.get("Action", []), statement.get("Resource", [])
            actions = [actions] if isinstance(actions, str) else actions
            resources = [resources] if isinstance(resources, str) else resources
            if "iam:PassRole" in actions and any(fnmatch.fnmatchcase(target, one) for one in resources):
                return True
    return False


def create(ecs: Ecs, params: dict) -> dict:
    if not params.get("cluster"):
        raise refused("A cluster must be specified for a capacity provider with Amazon ECS Managed Instances.")
    cluster = ecs.cluster(params["cluster"])
    # developerguide/using-service-linked-roles-instances.html
    clusters.check_service_linked_role(ecs, "ecs-compute.amazonaws.com")
    given = {"propagateTags": "NONE"} | params["managedInstancesProvider"]
    check(ecs, given)
    given["instanceLaunchTemplate"] = {
        "monitoring": "BASIC",
        "capacityOptionType": "ON_DEMAND",
        "storageConfiguration": {"storageSizeGiB": 80},
    } | given["instanceLaunchTemplate"]
    arn = ecs.arn(f"capacity-provider/{params['name']}")
    provider = {
        "capacityProviderArn": arn,
        "name": params["name"],
        "cluster": cluster["clusterArn"],
        "status": "PROVISIONING",
        "type": "MANAGED_INSTANCES",
        "managedInstancesProvider": given,
        "updateStatus": "CREATE_IN_PROGRESS",
    }
    ecs.providers[params["name"]] = provider
    ecs.tags.pop(arn, None)
    ecs.set_tags(arn, params.get("tags"))
    cluster["capacityProviders"] = [*cluster["capacityProviders"], params["name"]]

    def stands():
        provider.update({"status": "ACTIVE", "updateStatus": "CREATE_COMPLETE"})

    ecs.world.after(ecs.world.settings["provider-update"], stands)
    return {"capacityProvider": provider | {"tags": params.get("tags", [])}}


def of_cluster(ecs: Ecs, provider: dict, reference: str | None) -> None:
    if not reference or ecs.cluster(reference)["clusterArn"] != provider["cluster"]:
        raise refused("The specified capacity provider does not belong to the specified cluster.")


def update(ecs: Ecs, provider: dict, params: dict) -> dict:
    of_cluster(ecs, provider, params.get("cluster"))
    was, change = provider["managedInstancesProvider"], params["managedInstancesProvider"]
    if "capacityOptionType" in (change.get("instanceLaunchTemplate") or {}):
        raise refused("capacityOptionType cannot be updated.")
    template = was["instanceLaunchTemplate"] | (change.get("instanceLaunchTemplate") or {})
    changed = was | change | {"instanceLaunchTemplate": template}
    check(ecs, changed)
    provider |= {"managedInstancesProvider": changed, "updateStatus": "UPDATE_IN_PROGRESS"}
    ecs.world.after(
        ecs.world.settings["provider-update"], lambda: provider.update({"updateStatus": "UPDATE_COMPLETE"})
    )
    return {"capacityProvider": provider}


def delete(ecs: Ecs, provider: dict, params: dict) -> dict:
    """Its instances go first."""
    of_cluster(ecs, provider, params.get("cluster"))
    for service in ecs.services.values():
        used = [item["capacityProvider"] for item in service.config.get("capacityProviderStrategy", [])]
        if service.status != "INACTIVE" and provider["name"] in used:
            raise refused("The specified capacity provider is in use and cannot be removed.")
    provider |= {"status": "DEPROVISIONING", "updateStatus": "DELETE_IN_PROGRESS"}
    for host in hosts(ecs, provider):
        host.terminate()
    ecs.world.after(ecs.world.settings["provider-update"], lambda: consider_gone(ecs, provider))
    return {"capacityProvider": provider}


def consider_gone(ecs: Ecs, provider: dict) -> None:
    if provider["status"] != "DEPROVISIONING" or hosts(ecs, provider):
        return
    provider |= {"status": "INACTIVE", "updateStatus": "DELETE_COMPLETE"}
    for cluster in ecs.clusters.values():
        if cluster["clusterArn"] == provider["cluster"]:
            cluster["capacityProviders"] = [name for name in cluster["capacityProviders"] if name != provider["name"]]


def hosts(ecs: Ecs, provider: dict) -> list:
    return [host for host in ecs.hosts if host.of is provider]


def scale_out(ecs: Ecs, provider: dict) -> None:
    """One more, once those that were asked for have come."""
    if provider["status"] == "ACTIVE" and not any(host.container is None for host in hosts(ecs, provider)):
        ecs.hosts.append(Host(ecs, provider))


class Host:
    """An instance that ECS manages; a container instance too, once its agent has registered it."""

    def __init__(self, ecs: Ecs, provider: dict):
        self.ecs, self.of = ecs, provider
        template = provider["managedInstancesProvider"]["instanceLaunchTemplate"]
        needs = template["instanceRequirements"]
        self.id = "i-" + "".join(random.choices("0123456789abcdef", k=17))
        self.kind = (needs.get("allowedInstanceTypes") or ["m7i.large"])[0].replace("*", "large")
        self.cpu, self.memory = max(needs["vCpuCount"]["min"], 2), max(needs["memoryMiB"]["min"], 8192)
        self.group = SimpleNamespace(arn=None)
        self.provider, self.container, self.state = provider["name"], None, "pending"
        self.profile = template["ec2InstanceProfileArn"]
        backend = interfaces.backend_of(ecs.account, ecs.region)
        network = template["networkConfiguration"]
        here = [host.subnet.id for host in hosts(ecs, provider)]
        subnets = [interfaces.subnet_of(backend, subnet) for subnet in network["subnets"]]
        self.subnet = min((s for s in subnets if s), key=lambda s: here.count(s.id))
        self.eni = interfaces.add(
            backend, self.subnet, network.get("securityGroups"), f"Primary interface of {self.id}", None
        )
        self.tags = {"AmazonECSManaged": "true"}
        if provider["managedInstancesProvider"].get("propagateTags") == "CAPACITY_PROVIDER":
            self.tags |= {tag["key"]: tag["value"] for tag in ecs.tags.get(provider["capacityProviderArn"], [])}
        ecs.world.after(ecs.world.settings["instance-start"] + ecs.world.settings["instance-join"], self.join)

    def join(self) -> None:
        profile = iam.profile_named(self.ecs.account, self.profile)
        role = profile.roles[0].arn if profile and profile.roles else None
        may = role and checks.allows(self.ecs, role, "ecs:RegisterContainerInstance")
        if self.state != "pending":
            return
        if not may or not iam.assumable_by(self.ecs.world, role, "ec2.amazonaws.com"):
            return self.ecs.world.after(0.3, self.join)
        self.state = "running"
        self.container = placing.ContainerInstance(self.ecs, self.ecs.cluster(self.of["cluster"]), self, {})

    def size(self) -> tuple[int, int]:
        return self.cpu * 1024, self.memory - self.memory // 16

    def terminate(self) -> None:
        self.state = "shutting-down"
        if self.container:
            self.container.drain()
        self.ecs.world.after(self.ecs.world.settings["instance-stop"], self.end)

    def end(self) -> None:
        self.state = "terminated"
        if self.container:
            self.container.deregister(f"Host EC2 (instance {self.id}) terminated.")
        interfaces.remove(interfaces.backend_of(self.ecs.account, self.ecs.region), self.eni.id)
        self.ecs.hosts.remove(self)
        consider_gone(self.ecs, self.of)
