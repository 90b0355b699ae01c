"""Capacity providers, and container instances.

API_CreateCapacityProvider.html and its neighbours; developerguide/asg-capacity-providers.html
"""

from ..errors import AwsError
from . import managed, placing
from .clusters import BUILT_IN
from .state import Ecs, invalid, limit, refused, short

SCALING = {
    "status": "DISABLED",
    "targetCapacity": 100,
    "minimumScalingStepSize": 1,
    "maximumScalingStepSize": 10000,
    "instanceWarmupPeriod": 300,
}
PROTECTION = "The managed termination protection setting for the capacity provider is invalid. "


def check_protection(ecs: Ecs, provider: dict) -> None:
    if provider["managedTerminationProtection"] != "ENABLED":
        return
    if provider["managedScaling"]["status"] != "ENABLED":
        raise refused(f"{PROTECTION}Managed scaling must be enabled.")
    group = placing.group_of(ecs, provider["autoScalingGroupArn"])
    if not group.given.get("NewInstancesProtectedFromScaleIn"):
        raise refused(
            f"{PROTECTION}To enable managed termination protection for a capacity provider, the Auto Scaling group must have "
            "instance protection from scale in enabled."
        )


def create_capacity_provider(ecs: Ecs, params: dict) -> dict:
    name = params["name"]
    if name.lower().startswith(("aws", "ecs", "fargate")):
        raise refused("The capacity provider name cannot start with aws, ecs or fargate.")
    if ecs.providers.get(name, {}).get("status") in ("PROVISIONING", "ACTIVE", "DEPROVISIONING"):
        raise refused(
            "The specified capacity provider already exists. To change the configuration of an existing capacity provider, "
            "update the capacity provider."
        )
    if bool(params.get("autoScalingGroupProvider")) == bool(params.get("managedInstancesProvider")):
        raise refused("Exactly one of autoScalingGroupProvider and managedInstancesProvider must be specified.")
    if params.get("managedInstancesProvider"):
        return managed.create(ecs, params)
    if params.get("cluster"):
        raise refused("A cluster cannot be specified for a capacity provider of an Auto Scaling group.")
    given = dict(params["autoScalingGroupProvider"])
    group = placing.group_of(ecs, given.get("autoScalingGroupArn"))
    if group is None or group.status:
        raise refused("The specified Auto Scaling group ARN is not valid. Specify a valid ARN and try again.")
    others = [p for p in ecs.providers.values() if not managed.is_managed(p)]
    if any(p["status"] == "ACTIVE" and group_of(ecs, p) is group for p in others):
        raise refused("The specified Auto Scaling group ARN is already being used by another capacity provider.")
    given["autoScalingGroupArn"] = group.arn
    given["managedScaling"] = SCALING | given.get("managedScaling", {})
    given.setdefault("managedTerminationProtection", "DISABLED")
    given.setdefault("managedDraining", "ENABLED")
    check_protection(ecs, given)
    group.tags.setdefault("AmazonECSManaged", {"Value": "", "PropagateAtLaunch": True})
    provider = {
        "capacityProviderArn": ecs.arn(f"capacity-provider/{name}"),
        "name": name,
        "status": "ACTIVE",
        "autoScalingGroupProvider": given,
        "updateStatus": "CREATE_COMPLETE",
    }
    ecs.providers[name] = provider
    ecs.tags.pop(provider["capacityProviderArn"], None)
    ecs.set_tags(provider["capacityProviderArn"], params.get("tags"))
    return {"capacityProvider": provider | {"tags": params.get("tags", [])}}


def group_of(ecs: Ecs, provider: dict):
    return placing.group_of(ecs, provider["autoScalingGroupProvider"]["autoScalingGroupArn"])


def describe_capacity_providers(ecs: Ecs, params: dict) -> dict:
    built_in = [
        {"capacityProviderArn": ecs.arn(f"capacity-provider/{name}"), "name": name, "status": "ACTIVE"}
        for name in BUILT_IN
    ]
    everything = {p["name"]: p for p in [*built_in, *ecs.providers.values()]}
    if params.get("cluster"):
        attached = ecs.cluster(params["cluster"])["capacityProviders"]
        everything = {name: provider for name, provider in everything.items() if name in attached}
    wanted = params.get("capacityProviders") or list(everything)
    limit(wanted, 100, "capacityProviders")
    found = [everything[short(n)] for n in wanted if short(n) in everything]
    if "TAGS" in params.get("include", []):
        found = [p | {"tags": ecs.tags.get(p["capacityProviderArn"], [])} for p in found]
    failures = [
        {"arn": ecs.arn(f"capacity-provider/{short(n)}"), "reason": "MISSING"}
        for n in wanted
        if short(n) not in everything
    ]
    return {"capacityProviders": found, "failures": failures}


def known(ecs: Ecs, reference: str) -> dict:
    provider = ecs.providers.get(short(reference))
    if not provider or provider["status"] != "ACTIVE":
        raise refused("The specified capacity provider does not exist. Specify a valid name or ARN and try again.")
    return provider


def free(provider: dict) -> None:
    if provider["updateStatus"].endswith("_IN_PROGRESS"):
        raise AwsError(
            "UpdateInProgressException", "The specified capacity provider is busy: an update is in progress already."
        )


def update_capacity_provider(ecs: Ecs, params: dict) -> dict:
    provider = known(ecs, params["name"])
    free(provider)
    if managed.is_managed(provider):
        return managed.update(ecs, provider, params)
    group, change = provider["autoScalingGroupProvider"], dict(params.get("autoScalingGroupProvider") or {})
    changed = group | change | {"managedScaling": group["managedScaling"] | change.get("managedScaling", {})}
    check_protection(ecs, changed)
    provider["autoScalingGroupProvider"], provider["updateStatus"] = changed, "UPDATE_IN_PROGRESS"
    ecs.world.after(
        ecs.world.settings["provider-update"], lambda: provider.update({"updateStatus": "UPDATE_COMPLETE"})
    )
    return {"capacityProvider": provider}


def delete_capacity_provider(ecs: Ecs, params: dict) -> dict:
    provider = known(ecs, params["capacityProvider"])
    free(provider)
    if managed.is_managed(provider):
        return managed.delete(ecs, provider, params)
    name = provider["name"]
    for cluster in ecs.clusters.values():
        busy = ecs.world.now < cluster.get("attachingUntil", 0) and name in cluster.get("attaching", ())
        if cluster["status"] == "ACTIVE" and (name in cluster["capacityProviders"] or busy):
            raise refused("The specified capacity provider is in use and cannot be removed.")
    provider["updateStatus"] = "DELETE_IN_PROGRESS"

    def gone():
        provider["status"], provider["updateStatus"] = "INACTIVE", "DELETE_COMPLETE"

    ecs.world.after(ecs.world.settings["provider-update"], gone)
    return {"capacityProvider": provider}


# -- container instances ----------------------------------------------------------------------


def instances_in(ecs: Ecs, params: dict) -> list:
    cluster = ecs.cluster(params.get("cluster"))
    return [i for i in ecs.instances.values() if i.cluster is cluster]


def list_container_instances(ecs: Ecs, params: dict) -> dict:
    wanted = params.get("status")
    found = [i for i in instances_in(ecs, params) if wanted in (None, i.status)]
    return {"containerInstanceArns": [i.arn for i in found]}


def describe_container_instances(ecs: Ecs, params: dict) -> dict:
    limit(params["containerInstances"], 100, "containerInstances")
    if not params["containerInstances"]:
        raise invalid("Container instances cannot be empty.")
    known = {short(i.arn): i for i in instances_in(ecs, params)}
    return {
        "containerInstances": [known[short(r)].described() for r in params["containerInstances"] if short(r) in known],
        "failures": [
            {"arn": r, "reason": "MISSING"} for r in params["containerInstances"] if short(r) not in known
        ],
    }


def deregister_container_instance(ecs: Ecs, params: dict) -> dict:
    known = {short(i.arn): i for i in instances_in(ecs, params)}
    instance = known.get(short(params["containerInstance"]))
    if instance is None:
        raise invalid("Referenced container instance not found.")
    if instance.tasks() and not params.get("force"):
        raise invalid("Found running tasks on the instance.")
    instance.deregister("Container instance was deregistered.")
    return {"containerInstance": instance.described()}


def update_container_instances_state(ecs: Ecs, params: dict) -> dict:
    known = {short(i.arn): i for i in instances_in(ecs, params)}
    found = [known[short(r)] for r in params["containerInstances"] if short(r) in known]
    for instance in found:
        if params["status"] == "DRAINING":
            instance.drain()
        else:
            instance.status = params["status"]
            placing.look(ecs)
    return {"containerInstances": [i.described() for i in found], "failures": []}


OPERATIONS = {
    "CreateCapacityProvider": create_capacity_provider,
    "DescribeCapacityProviders": describe_capacity_providers,
    "UpdateCapacityProvider": update_capacity_provider,
    "DeleteCapacityProvider": delete_capacity_provider,
    "ListContainerInstances": list_container_instances,
    "DescribeContainerInstances": describe_container_instances,
    "DeregisterContainerInstance": deregister_container_instance,
    "UpdateContainerInstancesState": update_container_instances_state,
}
