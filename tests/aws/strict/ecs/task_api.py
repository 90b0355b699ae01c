"""Operations on tasks."""

import base64
import json

from ..errors import AwsError
from . import definitions, placing, volumes
from .checks import unassumable
from .clusters import check_strategy
from .service_api import check_network
from .state import Ecs, invalid, limit, new_id, refused, short
from .task import Task


def run_task(ecs: Ecs, params: dict) -> dict:
    cluster = ecs.cluster(params.get("cluster"))
    count = params.get("count", 1)
    if not 1 <= count <= 10:
        raise invalid("count should be between 1 and 10.")
    token = params.get("clientToken")
    if token and (key := (ecs.region, "RunTask", cluster["clusterName"], token)) in ecs.world.tokens:
        return {"tasks": [task.described() for task in ecs.world.tokens[key]], "failures": []}
    definition = definitions.usable(ecs, params["taskDefinition"])
    overrides = params.get("overrides", {})
    if len(json.dumps(overrides)) > 8192:
        raise invalid("The overrides are longer than 8192 characters.")
    launch, strategy = params.get("launchType"), params.get("capacityProviderStrategy", [])
    if launch and strategy:
        raise invalid(
            "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again."
        )
    if not launch and not strategy:
        strategy = cluster["defaultCapacityProviderStrategy"]
        launch = None if strategy else "EC2"
    check_strategy(strategy, cluster["capacityProviders"])
    provider = strategy[0]["capacityProvider"] if strategy else None
    fargate = provider.startswith("FARGATE") if provider else launch == "FARGATE"
    check_network(ecs, definition, params.get("networkConfiguration"))
    volumes.check(ecs, definition, params, fargate)
    problem = unassumable(ecs, definition, overrides)
    if problem:
        raise refused(problem)
    if params.get("propagateTags") == "SERVICE":
        raise invalid("propagateTags SERVICE is only valid for services.")
    if not fargate and not provider and not any(i.cluster is cluster for i in ecs.instances.values()):
        raise invalid("No Container Instances were found in your cluster.")
    config = {
        key: params[key]
        for key in ("platformVersion", "networkConfiguration", "enableExecuteCommand", "volumeConfigurations")
        if key in params
    }
    config |= {"launchType": "FARGATE" if fargate else "EC2", "capacityProvider": provider}
    tasks, failures = [], []
    for _ in range(count):
        group = params.get("group") or f"family:{definition['family']}"
        task = Task(
            ecs, cluster, definition, config, overrides=overrides, group=group, started_by=params.get("startedBy")
        )
        if not fargate and not provider and not any(placing.takes(i, task) for i in ecs.instances.values()):
            ecs.tasks.pop(task.arn)
            failures.append({"reason": "RESOURCE:MEMORY"})
            continue
        if params.get("propagateTags") == "TASK_DEFINITION":
            ecs.set_tags(task.arn, ecs.tags.get(definition["taskDefinitionArn"]))
        ecs.set_tags(task.arn, params.get("tags"))
        if params.get("enableECSManagedTags"):
            ecs.tags.setdefault(task.arn, []).append({"key": "aws:ecs:clusterName", "value": cluster["clusterName"]})
        tasks.append(task)
        task.start()
    if token:
        ecs.world.tokens[key] = tasks
    return {"tasks": [task.described(("TAGS",)) for task in tasks], "failures": failures}


def describe_tasks(ecs: Ecs, params: dict) -> dict:
    cluster = ecs.cluster(params.get("cluster"))
    limit(params["tasks"], 100, "tasks")
    if not params["tasks"]:
        raise invalid("Tasks cannot be empty.")
    known = {task.id: task for task in ecs.tasks_in(cluster["clusterName"])}
    found = [known[short(r)].described(params.get("include", [])) for r in params["tasks"] if short(r) in known]
    missing = [
        {"arn": ecs.arn(f"task/{cluster['clusterName']}/{short(r)}"), "reason": "MISSING"}
        for r in params["tasks"]
        if short(r) not in known
    ]
    return {"tasks": found, "failures": missing}


def list_tasks(ecs: Ecs, params: dict) -> dict:
    cluster = ecs.cluster(params.get("cluster"))
    wanted = params.get("desiredStatus", "RUNNING")
    if "serviceName" in params and ecs.service(cluster, params["serviceName"]) is None:
        raise AwsError("ServiceNotFoundException", "Service not found.")
    # API_ListTasks.html: "When you specify startedBy as the filter, it must be the only filter that you use."
    if "startedBy" in params and set(params) & {"family", "serviceName", "desiredStatus", "launchType", "containerInstance"}:
        raise invalid("startedBy cannot be combined with other filters.")
    found = []
    for task in ecs.tasks_in(cluster["clusterName"]):
        service = task.service
        if (
            task.desired == wanted
            and params.get("startedBy") in (None, task.started_by)
            and params.get("family") in (None, task.definition["family"])
            and params.get("launchType") in (None, task.config["launchType"])
            and ("serviceName" not in params or (service and service.name == short(params["serviceName"])))
            and params.get("containerInstance") in (None, task.instance and task.instance.arn)
        ):
            found.append(task.arn)
    return {"taskArns": found}


def one(ecs: Ecs, params: dict) -> Task:
    cluster = ecs.cluster(params.get("cluster"))
    for task in ecs.tasks_in(cluster["clusterName"]):
        if task.id == short(params["task"]):
            return task
    raise invalid("The referenced task was not found.")


def stop_task(ecs: Ecs, params: dict) -> dict:
    task = one(ecs, params)
    task.stop("UserInitiated", params.get("reason") or "Task stopped by user")
    return {"task": task.described()}


def execute_command(ecs: Ecs, params: dict) -> dict:
    task = one(ecs, params)
    if not task.config.get("enableExecuteCommand"):
        raise invalid(
            "The execute command failed because execute command was not enabled when the task was run or the execute command "
            "agent isn't running. Wait and try again or run a new task with execute command enabled and try again."
        )
    if task.status != "RUNNING":
        raise AwsError(
            "TargetNotConnectedException", "The execute command failed due to an internal error. Try again later."
        )
    names = [c["name"] for c in task.definition["containerDefinitions"]]
    name = params.get("container") or names[0]
    if name not in names:
        raise invalid(f"The container {name} does not exist in the task.")
    session = f"ecs-execute-command-{new_id()[:17]}"
    return {
        "clusterArn": task.cluster["clusterArn"],
        "taskArn": task.arn,
        "containerName": name,
        "containerArn": task.container(task.definition["containerDefinitions"][names.index(name)])["containerArn"],
        "interactive": params["interactive"],
        "session": {
            "sessionId": session,
            "streamUrl": f"wss://ssmmessages.{ecs.region}.amazonaws.com/v1/data-channel/{session}?role=publish_subscribe",
            "tokenValue": base64.b64encode(session.encode()).decode(),
        },
    }


OPERATIONS = {
    "RunTask": run_task,
    "DescribeTasks": describe_tasks,
    "ListTasks": list_tasks,
    "StopTask": stop_task,
    "ExecuteCommand": execute_command,
}
