"""Application Auto Scaling of ECS services, written anew: scalable targets, their policies and scheduled actions.

https://docs.aws.amazon.com/autoscaling/application/APIReference/
"""

import json
import re
import sys
import traceback
import uuid

from . import alarms, iam, paging
from .errors import AwsError
from .model import drop_nulls, fault

SERVICE = "application-autoscaling"
DIMENSION = "ecs:service:DesiredCount"
# API_PutScheduledAction.html: rates, moments, and cron expressions of six fields.
SCHEDULE = re.compile(r"(rate\(\d+ (minute|hour|day)s?\)|at\(\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?\)|cron\(\S+( \S+){5}\))")
# API_PredefinedMetricSpecification.html
LABEL = re.compile(r"app/[^/]+/[^/]+/(targetgroup/[^/]+/[^/]+)")
REQUESTS = "ALBRequestCountPerTarget"
PREDEFINED = {
    "ECSServiceAverageCPUUtilization": ("AWS/ECS", "CPUUtilization"),
    "ECSServiceAverageMemoryUtilization": ("AWS/ECS", "MemoryUtilization"),
    "ECSServiceAverageCPUUtilizationHighResolution": ("AWS/ECS", "CPUUtilization"),
    "ECSServiceAverageMemoryUtilizationHighResolution": ("AWS/ECS", "MemoryUtilization"),
    REQUESTS: ("AWS/ApplicationELB", "RequestCountPerTarget"),
}


def invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)


def missing(what: str, resource: str) -> AwsError:
    where = f"service namespace: ecs, resource ID: {resource}, scalable dimension: {DIMENSION}"
    return AwsError("ObjectNotFoundException", f"No {what} found for {where}")


class Scaling:
    """What one account has in one region."""

    def __init__(self, world, region: str):
        self.world, self.region = world, region
        self.targets: dict[str, dict] = {}  # by resource id
        self.policies: dict[tuple[str, str], dict] = {}  # by resource id and name
        self.actions: dict[tuple[str, str], dict] = {}
        self.tags: dict[str, dict] = {}  # by the target's ARN

    def service(self, resource: str):
        """The ECS service of a resource id, unless it is gone."""
        ecs = self.world.regions.get(self.region)
        kind, _, rest = resource.partition("/")
        service = ecs.services.get(tuple(rest.split("/"))) if ecs and kind == "service" else None
        return service if service and service.status == "ACTIVE" else None

    def target(self, params: dict, what: str = "scalable target") -> dict:
        found = self.targets.get(params["ResourceId"])
        if found is None:
            raise missing(what, params["ResourceId"])
        return found

    def arn(self, service: str, rest: str) -> str:
        return f"arn:aws:{service}:{self.region}:{self.world.account}:{rest}"

    def existing(self):
        """(kind, id, arn, tags) of everything; for the leak check."""
        for resource, target in self.targets.items():
            arn = target["ScalableTargetARN"]
            yield "scalable-target", resource, arn, self.tags.get(arn, {})
        for policy in self.policies.values():
            yield "scaling-policy", policy["PolicyName"], policy["PolicyARN"], {}
        for action in self.actions.values():
            yield "scheduled-action", action["ScheduledActionName"], action["ScheduledActionARN"], {}


def state_of(world, region: str) -> Scaling:
    return world.scaling.setdefault(region, Scaling(world, region))


# -- scalable targets ---------------------------------------------------------------------------------


def register(scaling: Scaling, params: dict) -> dict:
    resource = params["ResourceId"]
    service = scaling.service(resource)
    if service is None:
        raise invalid(f"ECS service doesn't exist: {resource}")
    target = scaling.targets.get(resource)
    fresh = target is None
    role = (
        f"arn:aws:iam::{scaling.world.account}:role/aws-service-role/ecs.application-autoscaling.amazonaws.com/"
        "AWSServiceRoleForApplicationAutoScaling_ECSService"
    )
    if fresh:
        if not iam.may_act(scaling.world, "ecs.application-autoscaling.amazonaws.com"):
            raise invalid(f"Unable to assume IAM role: {role}")
        if "MinCapacity" not in params or "MaxCapacity" not in params:
            raise invalid("MinCapacity and MaxCapacity are required to register a new scalable target.")
        target = {
            **described(params),
            "RoleARN": role,
            "CreationTime": scaling.world.now,
            "ScalableTargetARN": scaling.arn(SERVICE, f"scalable-target/0ec5{uuid.uuid4().hex}"),
        }
    # What is left out stays as it is.
    changed = target | {key: params[key] for key in ("MinCapacity", "MaxCapacity") if key in params}
    suspended = {"DynamicScalingInSuspended": False, "DynamicScalingOutSuspended": False, "ScheduledScalingSuspended": False}
    changed["SuspendedState"] = target.get("SuspendedState", suspended) | params.get("SuspendedState", {})
    if changed["MaxCapacity"] < changed["MinCapacity"]:
        raise invalid("Maximum capacity cannot be less than minimum capacity.")
    scaling.targets[resource] = changed
    if fresh:
        tag(scaling, {"ResourceARN": changed["ScalableTargetARN"], "Tags": params.get("Tags", {})})
    # Every call moves the present count into the range, at once.
    service.desired = min(max(service.desired, changed["MinCapacity"]), changed["MaxCapacity"])
    service.reconcile()
    return {"ScalableTargetARN": changed["ScalableTargetARN"]}


def described(params: dict) -> dict:
    return {key: params[key] for key in ("ServiceNamespace", "ResourceId", "ScalableDimension")}


def describe_targets(scaling: Scaling, params: dict) -> dict:
    ids = params.get("ResourceIds")
    return {"ScalableTargets": [t for r, t in scaling.targets.items() if not ids or r in ids]}


def deregister(scaling: Scaling, params: dict) -> dict:
    target, resource = scaling.target(params), params["ResourceId"]
    # Its policies and scheduled actions go with it.
    for key in [key for key in scaling.policies if key[0] == resource]:
        alarms.remove(scaling, scaling.policies.pop(key))
    for key in [key for key in scaling.actions if key[0] == resource]:
        del scaling.actions[key]
    del scaling.targets[resource]
    scaling.tags.pop(target["ScalableTargetARN"], None)
    return {}


# -- policies -----------------------------------------------------------------------------------------


def put_policy(scaling: Scaling, params: dict) -> dict:
    scaling.target(params)
    resource, name = key = params["ResourceId"], params["PolicyName"]
    present = scaling.policies.get(key, {})
    kind = params.get("PolicyType") or present.get("PolicyType")
    member = {
        "TargetTrackingScaling": "TargetTrackingScalingPolicyConfiguration",
        "StepScaling": "StepScalingPolicyConfiguration",
    }.get(kind)
    if member is None or member not in params:
        raise invalid(f"A policy of type {kind} needs its configuration, and no other.")
    check_policy(scaling, key, kind, params[member])
    arn = f"scalingPolicy:{uuid.uuid4()}:resource/ecs/{resource}:policyName/{name}"
    policy = {
        **described(params),
        "PolicyName": name,
        "PolicyARN": present.get("PolicyARN") or scaling.arn("autoscaling", arn),
        "PolicyType": kind,
        member: params[member],
        "CreationTime": present.get("CreationTime", scaling.world.now),
    }
    if present:
        alarms.remove(scaling, present)
    policy["Alarms"] = alarms.track(scaling, policy) if kind == "TargetTrackingScaling" else []
    scaling.policies[key] = policy
    return {"PolicyARN": policy["PolicyARN"], "Alarms": policy["Alarms"]}


def check_policy(scaling: Scaling, key: tuple[str, str], kind: str, config: dict) -> None:
    if kind == "StepScaling":
        if not config.get("AdjustmentType") or not 1 <= len(config.get("StepAdjustments", [])) <= 20:
            raise invalid("A step scaling policy needs an adjustment type and 1 to 20 step adjustments.")
        if "MinAdjustmentMagnitude" in config and config["AdjustmentType"] != "PercentChangeInCapacity":
            raise invalid("MinAdjustmentMagnitude is only valid for PercentChangeInCapacity.")
        return
    metric = metric_of(config)
    if len(metric) != 1:
        raise invalid("Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification must be specified.")
    others = (p for k, p in scaling.policies.items() if k[0] == key[0] and k != key)
    if any(metric_of(p.get("TargetTrackingScalingPolicyConfiguration", {})) == metric for p in others):
        raise invalid("Only one TargetTrackingScaling policy for a given metric specification is allowed.")
    predefined = config.get("PredefinedMetricSpecification")
    if not predefined:
        return
    kind, label = predefined["PredefinedMetricType"], predefined.get("ResourceLabel")
    if kind not in PREDEFINED:
        raise invalid(f"{kind} cannot be used with ecs.")
    if (kind == REQUESTS) != bool(label):
        raise invalid(f"ResourceLabel is required for {REQUESTS}, and for nothing else.")
    if label:
        found, service = LABEL.fullmatch(label), scaling.service(key[0])
        groups = [item.get("targetGroupArn", "") for item in service.config.get("loadBalancers", [])] if service else []
        if not found or not any(group.endswith(":" + found.group(1)) for group in groups):
            raise invalid(f"The target group of the resource label {label} is not attached to {key[0]}.")


def metric_of(config: dict) -> dict:
    names = ("PredefinedMetricSpecification", "CustomizedMetricSpecification")
    return {name: config[name] for name in names if config.get(name)}


def describe_policies(scaling: Scaling, params: dict) -> dict:
    names = params.get("PolicyNames")
    return {"ScalingPolicies": [p for p in of(scaling.policies, params) if not names or p["PolicyName"] in names]}


def of(parts: dict, params: dict) -> list[dict]:
    resource = params.get("ResourceId")
    return [part for (owner, _), part in parts.items() if not resource or owner == resource]


def delete_policy(scaling: Scaling, params: dict) -> dict:
    policy = scaling.policies.pop((params["ResourceId"], params["PolicyName"]), None)
    if policy is None:
        raise missing("scaling policy", params["ResourceId"])
    alarms.remove(scaling, policy)
    return {}


# -- scheduled actions --------------------------------------------------------------------------------


def put_action(scaling: Scaling, params: dict) -> dict:
    scaling.target(params)
    resource, name = key = params["ResourceId"], params["ScheduledActionName"]
    present = scaling.actions.get(key, {})
    schedule = params.get("Schedule") or present.get("Schedule")
    if not schedule or not SCHEDULE.fullmatch(schedule):
        raise invalid(f"Schedule expression is not valid: {schedule}")
    action = params.get("ScalableTargetAction") or present.get("ScalableTargetAction")
    if not action:
        raise invalid("A scheduled action needs a minimum or a maximum capacity.")
    if action.get("MaxCapacity", 2**31) < action.get("MinCapacity", 0):
        raise invalid("Maximum capacity cannot be less than minimum capacity.")
    arn = f"scheduledAction:{uuid.uuid4()}:resource/ecs/{resource}:scheduledActionName/{name}"
    made = {
        **described(params),
        "ScheduledActionName": name,
        "ScheduledActionARN": present.get("ScheduledActionARN") or scaling.arn("autoscaling", arn),
        "Schedule": schedule,
        "Timezone": params.get("Timezone") or present.get("Timezone"),
        "ScalableTargetAction": action,
        "CreationTime": present.get("CreationTime", scaling.world.now),
    }
    # These are erased when they are left out.
    made |= {key: params[key] for key in ("StartTime", "EndTime") if key in params}
    scaling.actions[key] = {name: value for name, value in made.items() if value is not None}
    return {}


def describe_actions(scaling: Scaling, params: dict) -> dict:
    names = params.get("ScheduledActionNames")
    found = of(scaling.actions, params)
    return {"ScheduledActions": [a for a in found if not names or a["ScheduledActionName"] in names]}


def delete_action(scaling: Scaling, params: dict) -> dict:
    if scaling.actions.pop((params["ResourceId"], params["ScheduledActionName"]), None) is None:
        raise missing("scheduled action", params["ResourceId"])
    return {}


# -- tags ---------------------------------------------------------------------------------------------


def tagged(scaling: Scaling, params: dict) -> str:
    arn = params["ResourceARN"]
    if all(target["ScalableTargetARN"] != arn for target in scaling.targets.values()):
        raise AwsError("ResourceNotFoundException", f"The resource {arn} does not exist.")
    return arn


def tag(scaling: Scaling, params: dict) -> dict:
    arn = tagged(scaling, params)
    if any(key.lower().startswith("aws:") for key in params["Tags"]):
        raise invalid("The tag key cannot start with 'aws:'.")
    merged = scaling.tags.get(arn, {}) | params["Tags"]
    if len(merged) > 50:
        raise AwsError("TooManyTagsException", "A resource has at most 50 tags.")
    scaling.tags[arn] = merged
    return {}


def untag(scaling: Scaling, params: dict) -> dict:
    arn = tagged(scaling, params)
    kept = {key: value for key, value in scaling.tags.get(arn, {}).items() if key not in params["TagKeys"]}
    scaling.tags[arn] = kept
    return {}


def list_tags(scaling: Scaling, params: dict) -> dict:
    return {"Tags": scaling.tags.get(tagged(scaling, params), {})}


OPERATIONS = {
    "RegisterScalableTarget": register,
    "DescribeScalableTargets": describe_targets,
    "DeregisterScalableTarget": deregister,
    "PutScalingPolicy": put_policy,
    "DescribeScalingPolicies": describe_policies,
    "DeleteScalingPolicy": delete_policy,
    "PutScheduledAction": put_action,
    "DescribeScheduledActions": describe_actions,
    "DeleteScheduledAction": delete_action,
    "TagResource": tag,
    "UntagResource": untag,
    "ListTagsForResource": list_tags,
}


def check(operation: str, params: dict) -> None:
    if refused := fault(SERVICE, operation, params):
        raise invalid(refused)
    if params.get("ServiceNamespace", "ecs") != "ecs" or params.get("ScalableDimension", DIMENSION) != DIMENSION:
        raise invalid("Unsupported service namespace, resource type or scalable dimension")
    # "If you specify a scalable dimension, you must also specify a resource ID."
    if "ScalableDimension" in params and not params.get("ResourceId") and not params.get("ResourceIds"):
        raise invalid("A scalable dimension needs a resource ID.")


class ScalingApi:
    @staticmethod
    def serve(world, region: str, operation: str, body: bytes) -> tuple[int, dict, bytes, str | None]:
        headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-RequestId": str(uuid.uuid4())}
        try:
            params = drop_nulls(json.loads(body or b"{}"))
            function = OPERATIONS.get(operation)
            if function is None:
                raise AwsError("UnknownOperationException", f"{operation} is not made here.")
            check(operation, params)
            result = function(state_of(world, region), params)
            paging.cut(SERVICE, operation, params, result, world.settings["page-size-max"])
        except AwsError as error:
            content = json.dumps({"__type": error.code, "message": error.message}).encode()
            return error.status, headers, content, error.code
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            content = json.dumps({"__type": "InternalServiceException", "message": repr(error)}).encode()
            return 500, headers, content, "InternalServiceException"
        return 200, headers, json.dumps(drop_nulls(result)).encode(), None
