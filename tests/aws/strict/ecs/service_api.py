"""Operations on services, and what CreateService refuses."""

import re

from .. import iam, interfaces, names, targets
from ..errors import AwsError
from . import connect, definitions, managed, shifting, volumes
from .clusters import check_service_linked_role, check_strategy, completed
from .service import Service
from .state import Ecs, invalid, limit, refused, short

# API_UpdateService.html: these start a deployment when they change.
TRIGGERS = (
    "taskDefinition",
    "networkConfiguration",
    "platformVersion",
    "loadBalancers",
    "serviceRegistries",
    "serviceConnectConfiguration",
    "volumeConfigurations",
    "vpcLatticeConfigurations",
)
# With the CODE_DEPLOY controller nothing else can be updated.
CODE_DEPLOY_ALLOWS = {
    "cluster", "service", "desiredCount", "deploymentConfiguration", "healthCheckGracePeriodSeconds", "enableExecuteCommand",
    "enableECSManagedTags", "propagateTags", "placementConstraints", "placementStrategy", "availabilityZoneRebalancing", "deploymentController",
}  # fmt: skip


def create_service(ecs: Ecs, params: dict) -> dict:
    check_service_linked_role(ecs)
    cluster = ecs.cluster(params.get("cluster"))
    name = params["serviceName"]
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,255}", name):
        raise invalid("Service name contains invalid characters.")
    present = ecs.services.get((cluster["clusterName"], name))
    token = params.get("clientToken")
    if present and present.status != "INACTIVE":
        if token and token == present.token:
            return {"service": present.described(("TAGS",))}
        # DRAINING blocks the name as well as ACTIVE does.
        raise invalid("Creation of service was not idempotent.")
    config = {
        key: value
        for key, value in params.items()
        if key not in ("cluster", "serviceName", "clientToken", "tags", "role")
    }
    fill_in(cluster, config)
    validate(ecs, cluster, config)
    service = Service(ecs, cluster, name, config)
    service.token = token
    ecs.services[(cluster["clusterName"], name)] = service
    ecs.tags.pop(service.arn, None)
    ecs.set_tags(service.arn, params.get("tags"))
    if service.controller != "EXTERNAL":
        service.deploy()
    return {"service": service.described(("TAGS",))}


def fill_in(cluster: dict, config: dict) -> None:
    """What AWS writes where the caller wrote nothing."""
    daemon = config.setdefault("schedulingStrategy", "REPLICA") == "DAEMON"
    config.setdefault("deploymentController", {"type": "ECS"})
    if not config.get("launchType") and not config.get("capacityProviderStrategy"):
        if cluster["defaultCapacityProviderStrategy"] and not daemon:
            config["capacityProviderStrategy"] = cluster["defaultCapacityProviderStrategy"]
        else:
            config["launchType"] = "EC2"
    if config.get("capacityProviderStrategy"):
        config["capacityProviderStrategy"] = completed(config["capacityProviderStrategy"])
    strategy = config.get("capacityProviderStrategy")
    if strategy[0]["capacityProvider"].startswith("FARGATE") if strategy else config["launchType"] == "FARGATE":
        config.setdefault("platformVersion", "LATEST")
    config["deploymentConfiguration"] = default_deployment(daemon) | config.get("deploymentConfiguration", {})
    config.setdefault("healthCheckGracePeriodSeconds", 0)
    config.setdefault("enableECSManagedTags", False)
    config.setdefault("enableExecuteCommand", False)
    config.setdefault("propagateTags", "NONE")
    config["placementStrategy"] = [upper_field(item) for item in config.get("placementStrategy", [])]
    network(config)
    # ENABLED for services created since 2025-09-05, where the service can have it.
    # developerguide/service-rebalancing.html
    config.setdefault("availabilityZoneRebalancing", "DISABLED" if cannot_rebalance(config) else "ENABLED")


def default_deployment(daemon: bool) -> dict:
    return {
        "deploymentCircuitBreaker": {"enable": False, "rollback": False},
        "maximumPercent": 100 if daemon else 200,
        "minimumHealthyPercent": 0 if daemon else 100,
        "strategy": "ROLLING",
        "bakeTimeInMinutes": 0,
    }


def upper_field(item: dict) -> dict:
    # binpack fields read back as CPU and MEMORY, `host` as instanceId.
    field = item.get("field", "")
    if item.get("type") == "binpack":
        field = field.upper()
    return item | ({"field": "instanceId" if field == "host" else field} if field else {})


def network(config: dict) -> None:
    inner = (config.get("networkConfiguration") or {}).get("awsvpcConfiguration")
    if inner is not None:
        config["networkConfiguration"] = {
            "awsvpcConfiguration": {"securityGroups": [], "assignPublicIp": "DISABLED"} | inner
        }


def cannot_rebalance(config: dict) -> bool:
    first = (config.get("placementStrategy") or [{}])[0]
    zone = "attribute:ecs.availability-zone"
    return (
        config["schedulingStrategy"] == "DAEMON"
        or config.get("launchType") == "EXTERNAL"
        or config["deploymentController"]["type"] != "ECS"
        or config["deploymentConfiguration"]["maximumPercent"] <= 100
        or bool(first and (first.get("type"), first.get("field")) != ("spread", zone))
        or any(zone in (c.get("expression") or "") for c in config.get("placementConstraints", []))
    )


def validate(ecs: Ecs, cluster: dict, config: dict, service: Service | None = None) -> None:
    controller = config["deploymentController"]["type"]
    daemon = config["schedulingStrategy"] == "DAEMON"
    if config.get("launchType") and config.get("capacityProviderStrategy"):
        raise invalid(
            "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again."
        )
    if daemon and (config.get("capacityProviderStrategy") or config.get("launchType") == "FARGATE"):
        raise invalid(
            "The daemon scheduling strategy is not supported for AWS Fargate or with a capacity provider strategy."
        )
    if daemon and config.get("desiredCount"):
        raise invalid("The daemon scheduling strategy does not support a desired count for services.")
    if not daemon and "desiredCount" not in config:
        raise invalid("The desired count must be specified when the scheduling strategy is REPLICA.")
    check_strategy(config.get("capacityProviderStrategy", []), cluster["capacityProviders"])
    if config["availabilityZoneRebalancing"] == "ENABLED" and cannot_rebalance(config):
        raise invalid("Availability Zone rebalancing cannot be used with this service configuration.")
    if controller == "EXTERNAL":
        return
    if not config.get("taskDefinition"):
        raise refused("TaskDefinition can not be blank.")
    definition = definitions.usable(ecs, config["taskDefinition"])
    config["taskDefinition"] = definition["taskDefinitionArn"]
    if config.get("launchType") == "FARGATE" and "FARGATE" not in definition["compatibilities"]:
        raise invalid("Task definition does not support launch_type FARGATE.")
    check_network(ecs, definition, config.get("networkConfiguration"))
    check_capacity(ecs, definition, config)
    volumes.check(ecs, definition, config, on_fargate(config))
    vpc_balancers(ecs, definition, config)
    connect.check(ecs, cluster, config, definition, service)
    names.check(ecs, config, definition)
    check_infrastructure_roles(ecs, config)
    shifting.check(ecs, config)


def on_fargate(config: dict) -> bool:
    strategy = config.get("capacityProviderStrategy")
    provider = strategy[0]["capacityProvider"] if strategy else config.get("launchType")
    return provider.startswith("FARGATE")


def check_capacity(ecs: Ecs, definition: dict, config: dict) -> None:
    """What Fargate has, and what instances have."""
    if on_fargate(config):
        if config.get("placementConstraints") or config.get("placementStrategy"):
            raise invalid("Placement constraints and strategies are not supported on FARGATE launch type.")
        return
    network = (config.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}
    if network.get("assignPublicIp") == "ENABLED":
        raise invalid("Assign public IP is not supported for this launch type.")
    needed = definition.get("requiresCompatibilities") or ["EC2"]
    providers = [ecs.providers.get(item["capacityProvider"]) for item in config.get("capacityProviderStrategy", [])]
    if any(managed.is_managed(provider) for provider in providers):
        if not all(managed.is_managed(provider) for provider in providers):
            raise invalid("A capacity provider strategy cannot mix Managed Instances with other capacity providers.")
        if "MANAGED_INSTANCES" not in needed:
            raise invalid("Task definition does not support launch_type MANAGED_INSTANCES.")
        if config.get("placementStrategy"):
            raise invalid("Placement strategies are not supported for Managed Instances.")
        return
    if "EC2" not in needed:
        raise invalid("Task definition does not support launch_type EC2.")
    if config["schedulingStrategy"] == "DAEMON":
        if config.get("placementStrategy"):
            raise invalid("The daemon scheduling strategy does not support placement strategies.")
        if config["deploymentConfiguration"]["maximumPercent"] != 100:
            raise invalid("The daemon scheduling strategy does not support a maximum percent other than 100.")
    for constraint in config.get("placementConstraints", []):
        if (constraint["type"] == "memberOf") != bool(constraint.get("expression")):
            raise invalid("Placement constraint expression is invalid.")


def check_network(ecs: Ecs, definition: dict, configuration: dict | None) -> None:
    if definition["networkMode"] != "awsvpc":
        if configuration:
            raise invalid("Network Configuration is not valid for the given networkMode of this task definition.")
        return
    if not configuration or not configuration.get("awsvpcConfiguration"):
        raise invalid("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
    inner = configuration["awsvpcConfiguration"]
    subnets, groups = inner.get("subnets", []), inner.get("securityGroups", [])
    limit(subnets, 16, "subnets")
    limit(groups, 5, "securityGroups")
    if not subnets:
        raise invalid("subnets can not be empty.")
    backend, hidden, vpcs = interfaces.backend_of(ecs.account, ecs.region), ecs.world.hidden, set()
    for subnet_id in subnets:
        subnet = interfaces.subnet_of(backend, subnet_id)
        if subnet is None or hidden.get(subnet_id, 0) > ecs.world.now:
            raise invalid(
                f"Error retrieving subnet information for [{subnet_id}]: The subnet ID '{subnet_id}' does not exist (ErrorCode: InvalidSubnetID.NotFound)"
            )
        vpcs.add(subnet.vpc_id)
    for group_id in groups:
        group = backend.get_security_group_from_id(group_id)
        if group is None or hidden.get(group_id, 0) > ecs.world.now:
            raise invalid(
                f"Error retrieving security group information for [{group_id}]: The security group '{group_id}' does not exist (ErrorCode: InvalidGroup.NotFound)"
            )
        vpcs.add(group.vpc_id)
    if len(vpcs) > 1:
        raise invalid("The subnets and security groups of a network configuration must be in the same VPC.")


def vpc_balancers(ecs: Ecs, definition: dict, config: dict) -> None:
    balancers = config.get("loadBalancers", [])
    if len(balancers) > 5:
        raise invalid("load balancers can have at most 5 items.")
    backend = targets.backend_of(ecs.account, ecs.region)
    containers = {c["name"]: c for c in definition["containerDefinitions"]}
    for balancer in balancers:
        container = containers.get(balancer.get("containerName"))
        if container is None:
            raise invalid(f"The container {balancer.get('containerName')} does not exist in the task definition.")
        if balancer.get("containerPort") not in {port.get("containerPort") for port in container["portMappings"]}:
            raise invalid(
                f"The container {container['name']} did not have a container port {balancer.get('containerPort')} defined."
            )
        advanced = balancer.get("advancedConfiguration") or {}
        for arn in filter(None, (balancer.get("targetGroupArn"), advanced.get("alternateTargetGroupArn"))):
            group = backend.target_groups.get(arn)
            if group is None:
                raise invalid(f"The specified target group {arn} does not exist.")
            wanted = "ip" if definition["networkMode"] == "awsvpc" else "instance"
            if not group.load_balancer_arns:
                raise invalid(f"The target group with targetGroupArn {arn} does not have an associated load balancer.")
            if group.target_type != wanted:
                raise invalid(
                    f"The provided target group {arn} has target type {group.target_type}, which is incompatible with the "
                    f"{definition['networkMode']} network mode specified in the task definition."
                )


def check_infrastructure_roles(ecs: Ecs, config: dict) -> None:
    roles = [(b.get("advancedConfiguration") or {}).get("roleArn") for b in config.get("loadBalancers", [])]
    roles += [v.get("managedEBSVolume", {}).get("roleArn") for v in config.get("volumeConfigurations", [])]
    for arn in filter(None, roles):
        role = iam.role_named(ecs.account, arn)
        if role is None or iam.is_new(ecs.world, role, "role-visible-after"):
            raise invalid(
                "Unable to assume role and validate the specified targetGroupArn. "
                "Please verify that the ECS service role being passed has the proper permissions."
            )


def describe_services(ecs: Ecs, params: dict) -> dict:
    references = params["services"]
    limit(references, 10, "services")
    if not references:
        raise invalid("Services cannot be empty.")
    name = short(params.get("cluster") or "default")
    if name not in ecs.clusters:
        raise AwsError("ClusterNotFoundException", "Cluster not found.")
    found, failures = [], []
    for reference in references:
        service = ecs.service(ecs.clusters[name], reference)
        if service:
            found.append(service.described(params.get("include", [])))
        else:
            failures.append({"arn": ecs.arn(f"service/{name}/{short(reference)}"), "reason": "MISSING"})
    return {"services": found, "failures": failures}


def list_services(ecs: Ecs, params: dict) -> dict:
    cluster = ecs.cluster(params.get("cluster"))
    found = []
    for service in ecs.services_in(cluster["clusterName"]):
        kinds = {service.config.get("launchType") or "FARGATE", None}
        if (
            service.status == "ACTIVE"
            and params.get("launchType") in kinds
            and params.get("schedulingStrategy") in (None, service.config["schedulingStrategy"])
        ):
            found.append(service.arn)
    return {"serviceArns": found}


def active(ecs: Ecs, params: dict) -> Service:
    cluster = ecs.cluster(params.get("cluster"))
    service = ecs.service(cluster, params["service"])
    if service is None:
        raise AwsError("ServiceNotFoundException", "Service not found.")
    if service.status != "ACTIVE":
        raise AwsError("ServiceNotActiveException", "Service was not ACTIVE.")
    return service


def update_service(ecs: Ecs, params: dict) -> dict:
    """An absent member keeps its value; an empty list removes it."""
    service = active(ecs, params)
    if service.controller == "CODE_DEPLOY" and not set(params) <= CODE_DEPLOY_ALLOWS:
        refused_member = sorted(set(params) - CODE_DEPLOY_ALLOWS)[0]
        word = {"taskDefinition": "task definition", "loadBalancers": "load balancers"}.get(
            refused_member, refused_member
        )
        raise invalid(
            f"Unable to update {word} on services with a CODE_DEPLOY deployment controller. Use AWS CodeDeploy to trigger a new deployment."
        )
    change = {
        key: value
        for key, value in params.items()
        if key not in ("cluster", "service", "forceNewDeployment", "desiredCount")
    }
    config = dict(service.config) | change
    if "deploymentConfiguration" in change:
        config["deploymentConfiguration"] = (
            service.config["deploymentConfiguration"] | change["deploymentConfiguration"]
        )
    if "capacityProviderStrategy" in change:
        config["capacityProviderStrategy"] = completed(change["capacityProviderStrategy"])
        if change["capacityProviderStrategy"]:
            config.pop("launchType", None)
        else:
            config.setdefault("launchType", "FARGATE" if service.on_fargate(service.config) else "EC2")
            config.pop("capacityProviderStrategy")
    if "placementStrategy" in change:
        config["placementStrategy"] = [upper_field(item) for item in change["placementStrategy"]]
    network(config)
    wanted = params.get("desiredCount", service.desired)
    if service.config["schedulingStrategy"] == "DAEMON" and "desiredCount" in params:
        raise invalid("The daemon scheduling strategy does not support a desired count for services.")
    if service.controller != "EXTERNAL":
        unchanged = "taskDefinition" not in change
        checked = dict(config, **({} if service.config["schedulingStrategy"] == "DAEMON" else {"desiredCount": wanted}))
        if unchanged:
            # A service may go on with a definition that is INACTIVE by now.
            validate_rest(ecs, service, checked)
        else:
            validate(ecs, service.cluster, checked, service)
        config["taskDefinition"] = checked["taskDefinition"]
    before = service.config
    service.config, service.desired = config, wanted
    changed = any(before.get(key) != config.get(key) and (before.get(key) or config.get(key)) for key in TRIGGERS)
    if (params.get("forceNewDeployment") or changed) and service.controller == "ECS":
        service.deploy()
    else:
        service.reconcile()
    return {"service": service.described(("TAGS",))}


def validate_rest(ecs: Ecs, service: Service, config: dict) -> None:
    definition = definitions.find(ecs, config["taskDefinition"])
    check_strategy(config.get("capacityProviderStrategy", []), service.cluster["capacityProviders"])
    if config["availabilityZoneRebalancing"] == "ENABLED" and cannot_rebalance(config):
        raise invalid("Availability Zone rebalancing cannot be used with this service configuration.")
    if definition:
        check_network(ecs, definition, config.get("networkConfiguration"))
        check_capacity(ecs, definition, config)
        volumes.check(ecs, definition, config, on_fargate(config))
        vpc_balancers(ecs, definition, config)
        connect.check(ecs, service.cluster, config, definition, service)
        names.check(ecs, config, definition)
        check_infrastructure_roles(ecs, config)
        shifting.check(ecs, config)


def delete_service(ecs: Ecs, params: dict) -> dict:
    cluster = ecs.cluster(params.get("cluster"))
    service = ecs.service(cluster, params["service"])
    if service is None or service.status == "INACTIVE":
        raise AwsError("ServiceNotFoundException", "Service not found.")
    if service.status == "ACTIVE":
        if not params.get("force"):
            if service.desired > 0 and service.config["schedulingStrategy"] != "DAEMON":
                raise invalid("The service cannot be stopped while it is scaled above 0.")
            if len(service.deployments) > 1:
                raise invalid("The service cannot be stopped while deployments are active.")
        service.drain()
    return {"service": service.described(("TAGS",))}


OPERATIONS = {
    "CreateService": create_service,
    "DescribeServices": describe_services,
    "ListServices": list_services,
    "UpdateService": update_service,
    "DeleteService": delete_service,
}
