"""Task sets of services with the EXTERNAL controller: kept, but no tasks run in them."""

import math

from .service_api import active
from .state import Ecs, invalid


def computed(service, task_set: dict) -> None:
    task_set["computedDesiredCount"] = math.ceil(service.desired * task_set["scale"].get("value", 100) / 100)


def find(service, reference: str) -> dict:
    for task_set in service.task_sets:
        if reference in (task_set["taskSetArn"], task_set["id"]):
            return task_set
    raise invalid("The specified task set was not found.")


def create_task_set(ecs: Ecs, params: dict) -> dict:
    service = active(ecs, params)
    if service.controller != "EXTERNAL":
        raise invalid("Task sets can only be created for services with the EXTERNAL deployment controller.")
    name = f"ecs-svc/{next(ecs.numbers)}"
    task_set = {key: value for key, value in params.items() if key not in ("cluster", "service", "clientToken", "tags")}
    task_set |= {
        "id": name,
        "taskSetArn": ecs.arn(f"task-set/{service.cluster['clusterName']}/{service.name}/{name}"),
        "serviceArn": service.arn,
        "clusterArn": service.cluster["clusterArn"],
        "status": "ACTIVE",
        "scale": params.get("scale") or {"value": 100.0, "unit": "PERCENT"},
        "stabilityStatus": "STABILIZING",
        "runningCount": 0,
        "pendingCount": 0,
        "createdAt": ecs.world.now,
        "updatedAt": ecs.world.now,
    }
    computed(service, task_set)
    service.task_sets.append(task_set)
    return {"taskSet": task_set}


def update_task_set(ecs: Ecs, params: dict) -> dict:
    service = active(ecs, params)
    task_set = find(service, params["taskSet"])
    task_set["scale"] = params["scale"]
    computed(service, task_set)
    return {"taskSet": task_set}


def update_service_primary_task_set(ecs: Ecs, params: dict) -> dict:
    service = active(ecs, params)
    chosen = find(service, params["primaryTaskSet"])
    for task_set in service.task_sets:
        task_set["status"] = "PRIMARY" if task_set is chosen else "ACTIVE"
    return {"taskSet": chosen}


def describe_task_sets(ecs: Ecs, params: dict) -> dict:
    service = active(ecs, params)
    wanted = params.get("taskSets")
    return {"taskSets": [find(service, w) for w in wanted] if wanted else service.task_sets, "failures": []}


def delete_task_set(ecs: Ecs, params: dict) -> dict:
    service = active(ecs, params)
    task_set = find(service, params["taskSet"])
    service.task_sets.remove(task_set)
    return {"taskSet": task_set | {"status": "DRAINING"}}


OPERATIONS = {
    "CreateTaskSet": create_task_set,
    "UpdateTaskSet": update_task_set,
    "UpdateServicePrimaryTaskSet": update_service_primary_task_set,
    "DescribeTaskSets": describe_task_sets,
    "DeleteTaskSet": delete_task_set,
}
