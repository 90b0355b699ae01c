"""Container instances, which tasks they take, and the managed scaling that brings more of them.

developerguide/task-placement.html, .../cluster-auto-scaling.html, .../managed-scaling-behavior.html
"""

import json
import re

from . import managed
from .state import Ecs, new_id

ZONE, TYPE = "ecs.availability-zone", "ecs.instance-type"


class ContainerInstance:
    def __init__(self, ecs: Ecs, cluster: dict, host, settings: dict):
        self.ecs, self.cluster, self.host = ecs, cluster, host
        self.arn = ecs.arn(f"container-instance/{cluster['clusterName']}/{new_id()}")
        self.status, self.connected, self.registered = "ACTIVE", True, ecs.world.now
        self.cpu, self.memory = host.size()
        self.provider = getattr(host, "provider", None) or next(
            (
                name
                for name in cluster["capacityProviders"]
                if (ecs.providers.get(name) or {}).get("autoScalingGroupProvider", {}).get("autoScalingGroupArn")
                == host.group.arn
            ),
            None,
        )
        self.attributes = {ZONE: host.subnet.availability_zone, TYPE: host.kind, "ecs.os-type": "linux"}
        self.attributes |= json.loads(settings.get("ECS_INSTANCE_ATTRIBUTES") or "{}")
        ecs.instances[self.arn] = self
        look(ecs)

    def tasks(self) -> list:
        return [t for t in self.ecs.tasks.values() if t.instance is self and t.status != "STOPPED"]

    def drain(self) -> None:
        self.status = "DRAINING"
        for task in [t for t in self.tasks() if t.desired == "RUNNING"]:
            task.stop("ServiceSchedulerInitiated", f"Host EC2 (instance {self.host.id}) is draining.")
        look(self.ecs)

    def deregister(self, reason: str) -> None:
        self.status = "INACTIVE"
        for task in self.tasks():
            task.stop("TerminationNotice", reason, at_once=True)
        self.ecs.instances.pop(self.arn, None)
        look(self.ecs)

    def left(self) -> tuple[int, int]:
        taken = [size_of(t.definition) for t in self.tasks()]
        return self.cpu - sum(cpu for cpu, _ in taken), self.memory - sum(memory for _, memory in taken)

    def ports(self) -> set[tuple[str, int]]:
        return {port for task in self.tasks() for port in fixed_ports(task.definition)}

    def described(self) -> dict:
        cpu, memory = self.left()

        def resources(cpu, memory):
            return [
                {"name": "CPU", "type": "INTEGER", "integerValue": cpu},
                {"name": "MEMORY", "type": "INTEGER", "integerValue": memory},
            ]

        answer = {
            "containerInstanceArn": self.arn,
            "ec2InstanceId": self.host.id,
            "status": self.status,
            "agentConnected": self.connected,
            "runningTasksCount": sum(t.status == "RUNNING" for t in self.tasks()),
            "pendingTasksCount": sum(t.status == "PENDING" for t in self.tasks()),
            "registeredResources": resources(self.cpu, self.memory),
            "remainingResources": resources(cpu, memory),
            "registeredAt": self.registered,
            "attributes": [{"name": name, "value": value} for name, value in self.attributes.items()],
            "tags": [],
        }
        return answer | ({"capacityProviderName": self.provider} if self.provider else {})


def size_of(definition: dict) -> tuple[int, int]:
    containers = definition["containerDefinitions"]
    cpu = int(definition.get("cpu") or 0) or sum(c.get("cpu", 0) for c in containers)
    memory = sum(c.get("memoryReservation") or c.get("memory") or 0 for c in containers)
    return cpu, int(definition.get("memory") or 0) or memory


def fixed_ports(definition: dict) -> set[tuple[str, int]]:
    """The ports of the host that a task takes; those of bridge mode with host port 0 are any free ones."""
    if definition["networkMode"] not in ("bridge", "host"):
        return set()
    mappings = [m for c in definition["containerDefinitions"] for m in c["portMappings"]]
    return {(m["protocol"], m["hostPort"]) for m in mappings if m.get("hostPort")}


def matches(expression: str, instance: ContainerInstance) -> bool:
    """The cluster query language, without brackets.  developerguide/cluster-query-language.html"""
    for alternative in re.split(r"\s+(?:or|\|\|)\s+", expression.strip()):
        if all(one(term, instance) for term in re.split(r"\s+(?:and|&&)\s+", alternative)):
            return True
    return False


def one(term: str, instance: ContainerInstance) -> bool:
    found = re.fullmatch(r"attribute:(\S+)\s+(\S+)(?:\s+(.+))?", term)
    if not found:
        return False
    name, operator, argument = found.groups()
    value = instance.attributes.get(name)
    if operator in ("exists", "!exists"):
        return (value is not None) == (operator == "exists")
    if operator in ("in", "!in"):
        return (value in [v.strip() for v in argument.strip("[]").split(",")]) == (operator == "in")
    if operator in ("=~", "!~"):
        return bool(value and re.fullmatch(argument, value)) == (operator == "=~")
    return (value == argument) == (operator == "==")


def asked(service) -> list[dict]:
    return service.config.get("placementConstraints", []) if service else []


def allowed(instance: ContainerInstance, constraints: list[dict]) -> bool:
    member = [c["expression"] for c in constraints if c["type"] == "memberOf"]
    return instance.status == "ACTIVE" and all(matches(expression, instance) for expression in member)


def takes(instance: ContainerInstance, task) -> bool:
    provider = task.config.get("capacityProvider")
    if instance.cluster is not task.cluster or (provider and instance.provider != provider):
        return False
    constraints = asked(task.service) + (task.definition.get("placementConstraints") or [])
    if not allowed(instance, constraints):
        return False
    mates = [t for t in instance.tasks() if task.service and t.service is task.service and t.desired == "RUNNING"]
    alone = any(c["type"] == "distinctInstance" for c in constraints) or (task.service and task.service.daemon)
    if alone and mates:
        return False
    (cpu, memory), (free_cpu, free_memory) = size_of(task.definition), instance.left()
    return cpu <= free_cpu and memory <= free_memory and not fixed_ports(task.definition) & instance.ports()


def preferred(instance: ContainerInstance, task):
    """The order in which strategies want instances; without any, zones are kept even."""
    rules = (task.service.config.get("placementStrategy") if task.service else None) or [
        {"type": "spread", "field": f"attribute:{ZONE}"}
    ]
    mates = [t.instance for t in task.ecs.tasks.values() if t.instance and t.service is task.service and t is not task]
    order = []
    for rule in rules:
        field = rule.get("field", "")
        if rule["type"] == "spread" and field == "instanceId":
            order.append(mates.count(instance))
        elif rule["type"] == "spread":
            name = field.removeprefix("attribute:")
            order.append(sum(m.attributes.get(name) == instance.attributes.get(name) for m in mates))
        elif rule["type"] == "binpack":
            order.append(instance.left()[field == "MEMORY"])
    return order


def look(ecs: Ecs) -> None:
    """One look by the scheduler: places what waits, asks for more instances, and tells the services."""
    if ecs.looking:
        return
    ecs.looking = True

    def go():
        ecs.looking = False
        for service in list(ecs.services.values()):
            service.reconcile()
        waiting = [t for t in ecs.tasks.values() if t.waits and t.desired == "RUNNING"]
        for task in waiting:
            fits = [i for i in ecs.instances.values() if takes(i, task)]
            if fits:
                task.put_on(min(fits, key=lambda i: preferred(i, task)))
        for name in {t.config.get("capacityProvider") for t in waiting if t.waits}:
            scale_out(ecs, ecs.providers.get(name))

    ecs.world.after(0.01, go)


def scale_out(ecs: Ecs, provider: dict | None) -> None:
    """From none to two, else by a step, once those that were asked for have come."""
    if managed.is_managed(provider):
        return managed.scale_out(ecs, provider)
    group = provider and group_of(ecs, provider["autoScalingGroupProvider"]["autoScalingGroupArn"])
    scaling = provider and provider["autoScalingGroupProvider"]["managedScaling"]
    if not group or group.status or scaling["status"] != "ENABLED":
        return
    if any(i.container is None for i in group.live()):
        return
    step = max(scaling["minimumScalingStepSize"], 1 if group.live() else 2)
    group.want(len(group.live()) + step)


def group_of(ecs: Ecs, reference: str):
    for (region, _), group in ecs.world.groups.items():
        if region == ecs.region and reference in (group.arn, group.name):
            return group
    return None
