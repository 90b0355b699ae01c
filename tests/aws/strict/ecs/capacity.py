"""Capacity providers of Auto Scaling groups; nothing scales here, they only exist.  Container instances: none."""

from .clusters import BUILT_IN
from .state import Ecs, limit, refused, short

SCALING = {
    "status": "DISABLED",
    "targetCapacity": 100,
    "minimumScalingStepSize": 1,
    "maximumScalingStepSize": 10000,
    "instanceWarmupPeriod": 300,
}


def create_capacity_provider(ecs: Ecs, params: dict) -> dict:
    name = params["name"]
    if name.lower().startswith(("aws", "ecs", "fargate")):
        raise refused("The capacity provider name cannot start with aws, ecs or fargate.")
    if ecs.providers.get(name, {}).get("status") == "ACTIVE":
        raise refused(f"The specified capacity provider '{name}' already exists.")
    group = dict(params.get("autoScalingGroupProvider") or {})
    group["managedScaling"] = SCALING | group.get("managedScaling", {})
    group.setdefault("managedTerminationProtection", "DISABLED")
    group.setdefault("managedDraining", "ENABLED")
    if group["managedTerminationProtection"] == "ENABLED" and group["managedScaling"]["status"] != "ENABLED":
        raise refused(
            "The managed termination protection setting for the capacity provider is invalid. Managed scaling must be enabled."
        )
    provider = {
        "capacityProviderArn": ecs.arn(f"capacity-provider/{name}"),
        "name": name,
        "status": "ACTIVE",
        "autoScalingGroupProvider": group,
        "updateStatus": "CREATE_COMPLETE",
    }
    ecs.providers[name] = provider
    ecs.set_tags(provider["capacityProviderArn"], params.get("tags"))
    return {"capacityProvider": provider | {"tags": params.get("tags", [])}}


def describe_capacity_providers(ecs: Ecs, params: dict) -> dict:
    built_in = [
        {"capacityProviderArn": ecs.arn(f"capacity-provider/{name}"), "name": name, "status": "ACTIVE"}
        for name in BUILT_IN
    ]
    everything = {p["name"]: p for p in [*built_in, *ecs.providers.values()]}
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


def update_capacity_provider(ecs: Ecs, params: dict) -> dict:
    provider = known(ecs, params["name"])
    group = provider["autoScalingGroupProvider"]
    change = dict(params.get("autoScalingGroupProvider") or {})
    group["managedScaling"] |= change.pop("managedScaling", {})
    group |= change
    provider["updateStatus"] = "UPDATE_COMPLETE"
    return {"capacityProvider": provider}


def delete_capacity_provider(ecs: Ecs, params: dict) -> dict:
    provider = known(ecs, params["capacityProvider"])
    name = provider["name"]
    if any(name in c["capacityProviders"] for c in ecs.clusters.values() if c["status"] == "ACTIVE"):
        raise refused("The specified capacity provider is in use and cannot be removed.")
    provider["status"], provider["updateStatus"] = "INACTIVE", "DELETE_COMPLETE"
    return {"capacityProvider": provider}


def list_container_instances(ecs: Ecs, params: dict) -> dict:
    ecs.cluster(params.get("cluster"))
    return {"containerInstanceArns": []}


def describe_container_instances(ecs: Ecs, params: dict) -> dict:
    ecs.cluster(params.get("cluster"))
    return {
        "containerInstances": [],
        "failures": [{"arn": a, "reason": "MISSING"} for a in params["containerInstances"]],
    }


OPERATIONS = {
    "CreateCapacityProvider": create_capacity_provider,
    "DescribeCapacityProviders": describe_capacity_providers,
    "UpdateCapacityProvider": update_capacity_provider,
    "DeleteCapacityProvider": delete_capacity_provider,
    "ListContainerInstances": list_container_instances,
    "DescribeContainerInstances": describe_container_instances,
}
