"""Clusters."""

import re

from .. import iam
from ..errors import AwsError
from .state import Ecs, invalid, limit, short

BUILT_IN = ("FARGATE", "FARGATE_SPOT")


def check_service_linked_role(ecs: Ecs, service: str = "ecs.amazonaws.com") -> None:
    """The first ECS call in an account makes the service-linked role, which then takes a while to be usable.
    developerguide/using-service-linked-roles.html"""
    if not iam.may_act(ecs.world, service):
        raise invalid(
            "Unable to assume the service linked role. Please verify that the ECS service linked role exists."
        )


def check_providers(ecs: Ecs, names: list[str]) -> None:
    for name in names:
        known = name in BUILT_IN or ecs.providers.get(short(name), {}).get("status") == "ACTIVE"
        if not known:
            raise invalid(
                f"The specified capacity provider '{name}' was not found. Specify a valid name or ARN and try again."
            )


def check_strategy(strategy: list[dict], attached: list[str]) -> None:
    for item in strategy:
        if item["capacityProvider"] not in attached:
            raise invalid(
                f"The specified capacity provider strategy cannot contain a capacity provider that is not associated with the cluster: {item['capacityProvider']}."
            )
    if len([item for item in strategy if item.get("base")]) > 1:
        raise invalid("Only one capacity provider in a capacity provider strategy can have a base defined.")
    if strategy and not any(item.get("weight") for item in strategy):
        raise invalid(
            "The specified capacity provider strategy must contain at least one capacity provider with a weight greater than 0."
        )
    if len({item["capacityProvider"] in BUILT_IN for item in strategy}) > 1:
        raise invalid(
            "A capacity provider strategy cannot contain a mix of Fargate and Auto Scaling group capacity providers."
        )


def completed(strategy: list[dict]) -> list[dict]:
    return [{"weight": 0, "base": 0, **item} for item in strategy]


def create_cluster(ecs: Ecs, params: dict) -> dict:
    check_service_linked_role(ecs)
    name = params.get("clusterName") or "default"
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,255}", name):
        raise invalid("Invalid identifier: Identifier is too long or contains invalid characters.")
    present = ecs.clusters.get(name)
    if present and present["status"] == "ACTIVE":
        return {"cluster": shown(ecs, present, everything=True)}  # an existing name is not an error
    providers = params.get("capacityProviders", [])
    strategy = params.get("defaultCapacityProviderStrategy", [])
    check_providers(ecs, providers)
    check_strategy(strategy, providers)
    arn = ecs.arn(f"cluster/{name}")
    cluster = {
        "clusterArn": arn,
        "clusterName": name,
        "status": "ACTIVE",
        "settings": params.get("settings")
        or [{"name": "containerInsights", "value": ecs.account_settings.get("containerInsights", "disabled")}],
        "configuration": params.get("configuration"),
        "serviceConnectDefaults": params.get("serviceConnectDefaults"),
        "capacityProviders": providers,
        "defaultCapacityProviderStrategy": completed(strategy),
    }
    ecs.tags.pop(arn, None)
    ecs.set_tags(arn, params.get("tags"))
    ecs.clusters[name] = cluster
    return {"cluster": shown(ecs, cluster, everything=True)}


def shown(ecs: Ecs, cluster: dict, include=(), everything: bool = False) -> dict:
    """A cluster as described; settings, configuration and tags only when asked for."""
    tasks = [t for t in ecs.tasks_in(cluster["clusterName"]) if t.status != "STOPPED"]
    running = sum(t.status == "RUNNING" for t in tasks)
    services = [s for s in ecs.services_in(cluster["clusterName"]) if s.status == "ACTIVE"]
    answer = {
        "clusterArn": cluster["clusterArn"],
        "clusterName": cluster["clusterName"],
        "status": cluster["status"],
        "registeredContainerInstancesCount": sum(i.cluster is cluster for i in ecs.instances.values()),
        "runningTasksCount": running,
        "pendingTasksCount": sum(t.desired == "RUNNING" and t.status != "RUNNING" for t in tasks),
        "activeServicesCount": len(services),
        "statistics": [],
        "tags": [],
        "settings": [],
        "capacityProviders": cluster["capacityProviders"],
        "defaultCapacityProviderStrategy": cluster["defaultCapacityProviderStrategy"],
    }
    if cluster["serviceConnectDefaults"]:
        answer["serviceConnectDefaults"] = cluster["serviceConnectDefaults"]
    if everything or "SETTINGS" in include:
        answer["settings"] = cluster["settings"]
    if cluster["configuration"] and (everything or "CONFIGURATIONS" in include):
        answer["configuration"] = cluster["configuration"]
    if everything or "TAGS" in include:
        answer["tags"] = ecs.tags.get(cluster["clusterArn"], [])
    if "STATISTICS" in include:
        on_instances = sum(t.status == "RUNNING" and t.instance is not None for t in tasks)
        counts = {
            "runningEC2TasksCount": on_instances,
            "runningFargateTasksCount": running - on_instances,
            "activeServiceCount": len(services),
        }
        answer["statistics"] = [{"name": name, "value": str(value)} for name, value in counts.items()]
    if "ATTACHMENTS" in include:
        answer["attachments"] = []
        if "attachingUntil" in cluster:
            answer["attachmentsStatus"] = (
                "UPDATE_IN_PROGRESS" if ecs.world.now < cluster["attachingUntil"] else "UPDATE_COMPLETE"
            )
    return answer


def describe_clusters(ecs: Ecs, params: dict) -> dict:
    references = params.get("clusters") or ["default"]
    limit(references, 100, "clusters")
    found, failures = [], []
    for reference in references:
        cluster = ecs.clusters.get(short(reference))
        if cluster:
            found.append(shown(ecs, cluster, params.get("include", [])))
        else:
            failures.append({"arn": ecs.arn(f"cluster/{short(reference)}"), "reason": "MISSING"})
    return {"clusters": found, "failures": failures}


def list_clusters(ecs: Ecs, params: dict) -> dict:
    return {"clusterArns": [c["clusterArn"] for c in ecs.clusters.values() if c["status"] == "ACTIVE"]}


def update_cluster(ecs: Ecs, params: dict) -> dict:
    cluster = ecs.cluster(params["cluster"])
    for key in ("settings", "configuration", "serviceConnectDefaults"):
        if key in params:
            cluster[key] = params[key]
    return {"cluster": shown(ecs, cluster, everything=True)}


def put_cluster_capacity_providers(ecs: Ecs, params: dict) -> dict:
    """Replaces both lists; an empty one detaches."""
    cluster = ecs.cluster(params["cluster"])
    providers, strategy = params["capacityProviders"], params["defaultCapacityProviderStrategy"]
    if ecs.world.now < cluster.get("attachingUntil", 0):
        raise AwsError("UpdateInProgressException", "The specified cluster is in a busy state. Please try again later.")
    # What stands in the list already may be on its way in or out: managed instances take their time.
    check_providers(ecs, [name for name in providers if name not in cluster["capacityProviders"]])
    check_strategy(strategy, providers)
    gone = set(cluster["capacityProviders"]) - set(providers)
    if any("managedInstancesProvider" in ecs.providers.get(name, {}) for name in gone):
        raise invalid("A capacity provider with Amazon ECS Managed Instances goes with its deletion only.")
    for name in set(providers) - set(BUILT_IN) - set(cluster["capacityProviders"]):
        others = [c for c in ecs.clusters.values() if c is not cluster and c["status"] == "ACTIVE"]
        provider = ecs.providers[short(name)]
        if "managedInstancesProvider" in provider:
            raise invalid("A capacity provider with Amazon ECS Managed Instances belongs to the cluster that it was created in.")
        scaled = provider["autoScalingGroupProvider"]["managedScaling"]["status"] == "ENABLED"
        if scaled and any(name in c["capacityProviders"] for c in others):
            raise invalid("A capacity provider with managed scaling can only be associated with one cluster.")
    for service in ecs.services_in(cluster["clusterName"]):
        used = {item["capacityProvider"] for item in service.config.get("capacityProviderStrategy", [])}
        if service.status != "INACTIVE" and used & gone:
            raise AwsError("ResourceInUseException", "The specified capacity provider is in use and cannot be removed.")
    # What ECS makes for scaling and draining comes and goes with the association.
    changed = (gone | set(providers) - set(cluster["capacityProviders"])) - set(BUILT_IN)
    if changed:
        cluster["attaching"] = changed
        cluster["attachingUntil"] = ecs.world.now + ecs.world.settings["provider-update"]
    cluster["capacityProviders"], cluster["defaultCapacityProviderStrategy"] = providers, completed(strategy)
    answer = shown(ecs, cluster, everything=True)
    answer["attachmentsStatus"] = "UPDATE_IN_PROGRESS" if changed else "UPDATE_COMPLETE"
    return {"cluster": answer}


def delete_cluster(ecs: Ecs, params: dict) -> dict:
    cluster = ecs.clusters.get(short(params["cluster"]))
    if cluster is None:
        raise AwsError("ClusterNotFoundException", "Cluster not found.")
    name = cluster["clusterName"]
    if any(s.status != "INACTIVE" for s in ecs.services_in(name)):
        raise AwsError("ClusterContainsServicesException", "The Cluster cannot be deleted while Services are active.")
    if any(t.status != "STOPPED" for t in ecs.tasks_in(name)):
        raise AwsError("ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active.")
    if any(i.cluster is cluster for i in ecs.instances.values()):
        raise AwsError(
            "ClusterContainsContainerInstancesException",
            "The Cluster cannot be deleted while Container Instances are active or draining.",
        )
    if set(cluster["capacityProviders"]) - set(BUILT_IN):
        raise AwsError(
            "ClusterContainsCapacityProviderException",
            "The Cluster cannot be deleted while Capacity Providers are associated with it.",
        )
    cluster["status"] = "INACTIVE"  # and stays describable
    return {"cluster": shown(ecs, cluster, everything=True)}


OPERATIONS = {
    "CreateCluster": create_cluster,
    "DescribeClusters": describe_clusters,
    "ListClusters": list_clusters,
    "UpdateCluster": update_cluster,
    "UpdateClusterSettings": update_cluster,
    "PutClusterCapacityProviders": put_cluster_capacity_providers,
    "DeleteCluster": delete_cluster,
}
