"""Task definitions: what AWS refuses, and what it fills in.

developerguide/task_definition_parameters.html and .../fargate-tasks-services.html
"""

import json
import re

from .state import Ecs, invalid, limit, refused

GB = 1024
# developerguide/fargate-tasks-services.html#fargate-tasks-size
FARGATE_SIZES = {
    256: [512, 1 * GB, 2 * GB],
    512: [n * GB for n in range(1, 5)],
    1024: [n * GB for n in range(2, 9)],
    2048: [n * GB for n in range(4, 17)],
    4096: [n * GB for n in range(8, 31)],
    8192: [n * GB for n in range(16, 61, 4)],
    16384: [n * GB for n in range(32, 121, 8)],
    32768: [60 * GB, 120 * GB, 244 * GB],
}
FARGATE_LOG_DRIVERS = ("awslogs", "splunk", "awsfirelens")
FARGATE_REFUSES = (
    "disableNetworking",
    "dnsServers",
    "dnsSearchDomains",
    "dockerSecurityOptions",
    "extraHosts",
    "links",
    "privileged",
)
ECR_IMAGE = re.compile(r"^\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com/")


def units(text: str, unit: str, factor: int) -> int:
    """`1 vCPU` and `2 GB` are stored as whole numbers of CPU units and MiB."""
    found = re.fullmatch(rf"\s*([0-9.]+)\s*({unit})?\s*", str(text), re.IGNORECASE)
    if not found:
        raise refused(f"Invalid value '{text}' specified for task size.")
    return int(float(found.group(1)) * (factor if found.group(2) else 1))


def register_task_definition(ecs: Ecs, params: dict) -> dict:
    definition = {name: value for name, value in params.items() if name != "tags"}
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,255}", definition["family"]):
        raise refused("Family contains invalid characters.")
    if len(json.dumps(definition)) > 64 * 1024:
        raise refused("Actual length of the task definition exceeds the maximum of 65536 bytes.")
    if "cpu" in definition:
        definition["cpu"] = str(units(definition["cpu"], "vcpu", 1024))
    if "memory" in definition:
        definition["memory"] = str(units(definition["memory"], "gb", 1024))
    for role in ("taskRoleArn", "executionRoleArn"):
        if role in definition and not definition[role].startswith("arn:"):
            definition[role] = f"arn:aws:iam::{ecs.account}:role/{definition[role]}"
    fargate = "FARGATE" in definition.get("requiresCompatibilities", [])
    definition.setdefault("networkMode", "bridge")
    check_containers(definition)
    check_volumes(definition)
    if fargate:
        check_fargate(definition)
    if "MANAGED_INSTANCES" in definition.get("requiresCompatibilities", []):
        if definition["networkMode"] not in ("awsvpc", "host"):
            raise refused("Managed Instances only support the network modes 'awsvpc' and 'host'.")
    if not fargate and not definition.get("memory"):
        for container in definition["containerDefinitions"]:
            if not container.get("memory") and not container.get("memoryReservation"):
                raise refused(
                    f"Invalid setting for container '{container['name']}'. At least one of 'memory' or 'memoryReservation' must be specified."
                )
    definition["containerDefinitions"] = [
        completed(c, definition["networkMode"]) for c in definition["containerDefinitions"]
    ]
    definition.setdefault("volumes", [])
    definition.setdefault("placementConstraints", [])

    family = definition["family"]
    revision = ecs.revisions[family] = ecs.revisions.get(family, 0) + 1  # never given twice
    definition |= {
        "taskDefinitionArn": ecs.arn(f"task-definition/{family}:{revision}"),
        "revision": revision,
        "status": "ACTIVE",
        "compatibilities": compatible(definition),
        "requiresAttributes": attributes(definition),
        "registeredAt": ecs.world.now,
        "registeredBy": f"arn:aws:iam::{ecs.account}:root",
    }
    ecs.set_tags(definition["taskDefinitionArn"], params.get("tags"))
    ecs.families.setdefault(family, {})[revision] = definition
    return {"taskDefinition": definition, "tags": params.get("tags", [])}


def check_containers(definition: dict) -> None:
    containers = definition["containerDefinitions"]
    if not containers:
        raise refused("Container list cannot be empty.")
    if len(containers) > 10:
        raise refused("A task definition can have at most 10 containers.")
    names = [container.get("name", "") for container in containers]
    volumes = {volume["name"] for volume in definition.get("volumes", [])}
    if not any(container.get("essential", True) for container in containers):
        raise refused("At least one container in the task definition must be essential.")
    for container in containers:
        name = container.get("name", "")
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,255}", name):
            raise refused(
                "Container.name should not be null or empty." if not name else f"Invalid container name '{name}'."
            )
        if names.count(name) > 1:
            raise refused(f"Duplicate container name: {name}")
        if not container.get("image"):
            raise refused("Container.image should not be null or empty.")
        for mount in container.get("mountPoints", []):
            if mount.get("sourceVolume") not in volumes:
                raise refused(f"Unknown volume '{mount.get('sourceVolume')}'.")
        for dependency in container.get("dependsOn", []):
            check_dependency(definition, container, dependency)
        for port in container.get("portMappings", []):
            if definition["networkMode"] in ("awsvpc", "host") and port.get("hostPort") not in (
                None,
                0,
                port.get("containerPort"),
            ):
                raise refused(
                    f"When networkMode={definition['networkMode']}, the host ports and container ports in port mappings must match."
                )
        if definition["networkMode"] == "awsvpc" and container.get("links"):
            raise refused("Links are not supported when networkMode=awsvpc.")
        if container.get("memory") and container.get("memoryReservation", 0) > container["memory"]:
            raise refused(
                f"Invalid setting for container '{name}'. The 'memory' value must be greater than or equal to 'memoryReservation'."
            )
        options = (container.get("logConfiguration") or {}).get("options", {})
        if (container.get("logConfiguration") or {}).get("logDriver") == "awslogs":
            for option in ("awslogs-group", "awslogs-region"):
                if not options.get(option):
                    raise refused(f"Log driver awslogs requires options: {option}")


def check_volumes(definition: dict) -> None:
    """API_Volume.html: a volume is one thing; API_ProxyConfiguration.html: the proxy is a container."""
    forms = ("efsVolumeConfiguration", "dockerVolumeConfiguration", "s3filesVolumeConfiguration")
    forms += ("fsxWindowsFileServerVolumeConfiguration", "configuredAtLaunch")
    for volume in definition.get("volumes", []):
        given = [form for form in forms if volume.get(form)] + ["host"] * bool(volume.get("host"))
        if len(given) > 1:
            raise refused(f"Volume '{volume['name']}' can have only one of {', '.join(sorted(given))}.")
        if volume.get("s3filesVolumeConfiguration") and not definition.get("taskRoleArn"):
            raise refused("A task role is required for S3 Files volumes.")
        efs = volume.get("efsVolumeConfiguration") or {}
        access = efs.get("authorizationConfig") or {}
        guarded = access.get("accessPointId") or access.get("iam") == "ENABLED"
        if guarded and efs.get("transitEncryption") != "ENABLED":
            raise refused("EFS IAM authorization and EFS access points require transit encryption to be enabled.")
        if access.get("accessPointId") and efs.get("rootDirectory", "/") != "/":
            raise refused("The root directory must either be omitted or set to / when an EFS access point is specified.")
        if access.get("iam") == "ENABLED" and not definition.get("taskRoleArn"):
            raise refused("A task role is required to use EFS IAM authorization.")
        docker = volume.get("dockerVolumeConfiguration") or {}
        if docker.get("autoprovision") and docker.get("scope") != "shared":
            raise refused("autoprovision can be set only for Docker volumes with the scope shared.")
    if sum(bool(volume.get("configuredAtLaunch")) for volume in definition.get("volumes", [])) > 1:
        raise refused("At most one volume of a task definition can be configured at launch.")
    proxy = definition.get("proxyConfiguration")
    if proxy and proxy["containerName"] not in [c.get("name") for c in definition["containerDefinitions"]]:
        raise refused(f"Proxy container '{proxy['containerName']}' does not exist.")
    if proxy and definition["networkMode"] != "awsvpc":
        raise refused("A proxy configuration requires networkMode=awsvpc.")
    if len(definition.get("placementConstraints", [])) > 10:
        raise refused("A task definition can have at most 10 placement constraints.")
    for container in definition["containerDefinitions"]:
        if len(container.get("credentialSpecs", [])) > 1:
            raise refused("At most one credential spec can be specified for a container.")


def check_dependency(definition: dict, container: dict, dependency: dict) -> None:
    others = {c["name"]: c for c in definition["containerDefinitions"] if c is not container}
    on = others.get(dependency["containerName"])
    if on is None:
        raise refused(
            f"Container '{container['name']}' depends on a non existent container: '{dependency['containerName']}'."
        )
    if dependency["condition"] == "HEALTHY" and not on.get("healthCheck"):
        raise refused(
            f"Container '{container['name']}' depends on the health of '{on['name']}', which has no health check."
        )
    if dependency["condition"] in ("COMPLETE", "SUCCESS") and on.get("essential", True):
        raise refused(f"A dependency on an essential container cannot have the condition {dependency['condition']}.")


def check_fargate(definition: dict) -> None:
    if definition["networkMode"] != "awsvpc":
        raise refused("Fargate only supports network mode 'awsvpc'.")
    for member in ("cpu", "memory"):
        if not definition.get(member):
            raise refused(f"Fargate requires that '{member}' be defined at the task level.")
    cpu, memory = int(definition["cpu"]), int(definition["memory"])
    if memory not in FARGATE_SIZES.get(cpu, []):
        raise refused(
            f"No Fargate configuration exists for given values: {cpu} CPU, {memory} memory. See the Amazon ECS documentation for the valid values."
        )
    size = (definition.get("ephemeralStorage") or {}).get("sizeInGiB", 21)
    if not 21 <= size <= 200:
        raise refused("Invalid value for ephemeralStorage.sizeInGiB: it must be between 21 and 200.")
    if definition.get("ipcMode") or definition.get("pidMode") == "host" or definition.get("placementConstraints"):
        raise refused("Fargate does not support ipcMode, pidMode 'host' or task placement constraints.")
    for volume in definition.get("volumes", []):
        if (volume.get("host") or {}).get("sourcePath"):
            raise refused("Fargate compatible task definitions do not support sourcePath.")
        for form in ("dockerVolumeConfiguration", "fsxWindowsFileServerVolumeConfiguration"):
            if volume.get(form):
                raise refused(f"Fargate compatible task definitions do not support {form}.")
    containers = definition["containerDefinitions"]
    if sum(c.get("cpu", 0) for c in containers) > cpu:
        raise refused("The total CPU of the containers exceeds the CPU of the task.")
    if sum(c.get("memory") or c.get("memoryReservation") or 0 for c in containers) > memory:
        raise refused("The total memory of the containers exceeds the memory of the task.")
    for container in containers:
        for member in FARGATE_REFUSES:
            if container.get(member):
                raise refused(f"Fargate does not support the container parameter '{member}'.")
        log = container.get("logConfiguration")
        if log and log["logDriver"] not in FARGATE_LOG_DRIVERS:
            raise refused(f"Log driver '{log['logDriver']}' is not supported with Fargate.")
        if log and log["logDriver"] == "awslogs" and not log.get("options", {}).get("awslogs-stream-prefix"):
            raise refused("Log driver awslogs requires the option awslogs-stream-prefix with Fargate.")
        if not definition.get("executionRoleArn"):
            if log and log["logDriver"] == "awslogs":
                raise refused(
                    "Fargate requires task definition to have execution role ARN to support log driver awslogs."
                )
            if ECR_IMAGE.match(container["image"]):
                raise refused("Fargate requires task definition to have execution role ARN to support ECR images.")
            if container.get("secrets"):
                raise refused(
                    "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'."
                )


def completed(given: dict, network_mode: str) -> dict:
    """A container as it reads back.  Registering is not the identity: defaults are written out, and
    the order of the environment is not kept."""
    container = {
        "cpu": 0,
        "essential": True,
        "portMappings": [],
        "environment": [],
        "mountPoints": [],
        "volumesFrom": [],
        "systemControls": [],
    }
    container |= given
    ports = []
    for port in container["portMappings"]:
        port = {"protocol": "tcp", **port}
        if "containerPortRange" not in port and not port.get("hostPort"):
            port["hostPort"] = port["containerPort"] if network_mode in ("awsvpc", "host") else 0
        ports.append(port)
    container["portMappings"] = ports
    container["environment"] = sorted(container["environment"], key=lambda e: e.get("name", ""), reverse=True)
    if "secrets" in container:
        container["secrets"] = sorted(container["secrets"], key=lambda e: e["name"], reverse=True)
    if "healthCheck" in container:
        container["healthCheck"] = {"interval": 30, "timeout": 5, "retries": 3, **container["healthCheck"]}
    return container


def compatible(definition: dict) -> list[str]:
    found = ["EC2", "MANAGED_INSTANCES"]
    if definition["networkMode"] == "awsvpc" and int(definition.get("memory") or 0) in FARGATE_SIZES.get(
        int(definition.get("cpu") or 0), []
    ):
        found.append("FARGATE")
    return found


def attributes(definition: dict) -> list[dict]:
    names = ["com.amazonaws.ecs.capability.docker-remote-api.1.18"]
    if definition["networkMode"] == "awsvpc":
        names.append("ecs.capability.task-eni")
    if definition.get("taskRoleArn"):
        names.append("com.amazonaws.ecs.capability.task-iam-role")
    for container in definition["containerDefinitions"]:
        if container.get("logConfiguration"):
            names.append(f"com.amazonaws.ecs.capability.logging-driver.{container['logConfiguration']['logDriver']}")
        if container.get("secrets"):
            names.append("ecs.capability.secrets.ssm.environment-variables")
    return [{"name": name} for name in dict.fromkeys(names)]


def find(ecs: Ecs, reference: str) -> dict | None:
    """`family` (its latest ACTIVE revision), `family:revision` or an ARN."""
    family, _, revision = reference.rsplit("/", 1)[-1].partition(":")
    revisions = ecs.families.get(family, {})
    if revision:
        return revisions.get(int(revision)) if revision.isdigit() else None
    active = [number for number, definition in revisions.items() if definition["status"] == "ACTIVE"]
    return revisions[max(active)] if active else None


def usable(ecs: Ecs, reference: str) -> dict:
    """The definition for a new service or task."""
    definition = find(ecs, reference)
    if definition is None:
        raise refused("TaskDefinition not found.")
    if definition["status"] != "ACTIVE":
        raise refused("TaskDefinition is inactive")
    return definition


def describe_task_definition(ecs: Ecs, params: dict) -> dict:
    definition = find(ecs, params["taskDefinition"])
    if definition is None:
        raise refused("Unable to describe task definition.")
    answer = {"taskDefinition": definition}
    if "TAGS" in params.get("include", []):
        answer["tags"] = ecs.tags.get(definition["taskDefinitionArn"], [])
    return answer


def deregister_task_definition(ecs: Ecs, params: dict) -> dict:
    reference = params["taskDefinition"]
    if ":" not in reference.rsplit("/", 1)[-1]:
        raise refused(f"Invalid revision number. Number: {reference}")
    definition = find(ecs, reference)
    if definition is None:
        raise refused(
            "The specified task definition does not exist. Specify a valid account, family, revision and try again."
        )
    if definition["status"] == "DELETE_IN_PROGRESS":
        raise invalid("The specified task definition is being deleted.")
    definition["status"], definition["deregisteredAt"] = "INACTIVE", ecs.world.now
    return {"taskDefinition": definition}


def delete_task_definitions(ecs: Ecs, params: dict) -> dict:
    """INACTIVE -> DELETE_IN_PROGRESS -> gone, once nothing uses it."""
    references = params["taskDefinitions"]
    limit(references, 10, "taskDefinitions")
    deleted, failures = [], []
    for reference in references:
        definition = find(ecs, reference)
        if definition is None:
            failures.append(
                {
                    "arn": reference,
                    "reason": "The specified task definition does not exist. Specify a valid account, family, revision and try again.",
                }
            )
        elif definition["status"] == "ACTIVE":
            failures.append(
                {
                    "arn": definition["taskDefinitionArn"],
                    "reason": "The specified task definition is still in ACTIVE status. Please deregister the target and try again.",
                }
            )
        else:
            definition["status"], definition["deleteRequestedAt"] = "DELETE_IN_PROGRESS", ecs.world.now
            deleted.append(dict(definition))
            finish_deletion(ecs, definition)
    return {"taskDefinitions": deleted, "failures": failures}


def finish_deletion(ecs: Ecs, definition: dict) -> None:
    arn = definition["taskDefinitionArn"]

    def attempt():
        used = any(s.status != "INACTIVE" and arn in s.definitions_in_use() for s in ecs.services.values())
        used = used or any(t.status != "STOPPED" and t.definition is definition for t in ecs.tasks.values())
        if used:
            ecs.world.after(1.0, attempt)
        else:
            ecs.families[definition["family"]].pop(definition["revision"], None)

    ecs.world.after(ecs.world.settings["drain"], attempt)


def list_task_definitions(ecs: Ecs, params: dict) -> dict:
    """familyPrefix is the whole family name here, unlike in ListTaskDefinitionFamilies."""
    status, family = params.get("status", "ACTIVE"), params.get("familyPrefix")
    found = [
        (name, number, definition["taskDefinitionArn"])
        for name, revisions in ecs.families.items()
        for number, definition in revisions.items()
        if definition["status"] == status and family in (None, name)
    ]
    found.sort(reverse=params.get("sort") == "DESC")
    return {"taskDefinitionArns": [arn for _, _, arn in found]}


def list_task_definition_families(ecs: Ecs, params: dict) -> dict:
    prefix, status = params.get("familyPrefix", ""), params.get("status", "ALL")
    found = []
    for name, revisions in sorted(ecs.families.items()):
        active = any(d["status"] == "ACTIVE" for d in revisions.values())
        if name.startswith(prefix) and revisions and (status == "ALL" or (status == "ACTIVE") == active):
            found.append(name)
    return {"families": found}


OPERATIONS = {
    "RegisterTaskDefinition": register_task_definition,
    "DescribeTaskDefinition": describe_task_definition,
    "DeregisterTaskDefinition": deregister_task_definition,
    "DeleteTaskDefinitions": delete_task_definitions,
    "ListTaskDefinitions": list_task_definitions,
    "ListTaskDefinitionFamilies": list_task_definition_families,
}
