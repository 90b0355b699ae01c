"""EventBridge Scheduler, written anew: groups, schedules, and what a schedule does when it is its time.

Sources: https://docs.aws.amazon.com/scheduler/latest/APIReference/, the page of each operation; the user guide's
"Schedule types" and "Setting up the execution role" where a comment names them.
"""

import json
import re
import sys
import traceback
import uuid
from functools import cache
from urllib.parse import parse_qs, unquote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from . import iam, paging
from .ecs import checks, task_api
from .errors import AwsError

NAME = re.compile(r"[0-9a-zA-Z-_.]{1,64}")
RATE = re.compile(r"rate\([1-9][0-9]* (minutes?|hours?|days?)\)")
AT = re.compile(r"at\(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\)")
CRON = re.compile(r"cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)")
# Method and kind of path -> operation, by whether a name follows.
PATHS = {
    ("POST", "schedules"): "CreateSchedule",
    ("PUT", "schedules"): "UpdateSchedule",
    ("GET", "schedules"): "GetSchedule",
    ("DELETE", "schedules"): "DeleteSchedule",
    ("POST", "schedule-groups"): "CreateScheduleGroup",
    ("GET", "schedule-groups"): "GetScheduleGroup",
    ("DELETE", "schedule-groups"): "DeleteScheduleGroup",
    ("GET", "tags"): "ListTagsForResource",
    ("POST", "tags"): "TagResource",
    ("DELETE", "tags"): "UntagResource",
}
LISTS = {"schedules": "ListSchedules", "schedule-groups": "ListScheduleGroups"}
# The names that members have in the query string.
QUERY = {"groupName": "GroupName", "ScheduleGroup": "GroupName", "clientToken": "ClientToken"}


def steps(environ: dict) -> tuple[str, str]:
    kind, _, name = environ["RAW_URI"].split("?")[0].strip("/").partition("/")
    return kind, unquote(name)


def operation_in(environ: dict) -> str:
    kind, name = steps(environ)
    method = environ["REQUEST_METHOD"]
    if not name and method == "GET":
        return LISTS.get(kind, "?")
    return PATHS.get((method, kind), "?")


def parameters(environ: dict, operation: str, body: bytes) -> dict:
    params = {k: v for k, v in json.loads(body or b"{}").items() if v is not None}
    for name, values in parse_qs(environ["QUERY_STRING"]).items():
        name = QUERY.get(name, name)
        params[name] = values if name == "TagKeys" else int(values[0]) if name == "MaxResults" else values[0]
    _, own = steps(environ)
    if own:
        params["ResourceArn" if "Tag" in operation else "Name"] = own
    return params


def sent_in(environ: dict, body: bytes) -> bytes:
    """What a request says, for the list of calls: a part of it stands in the path."""
    return json.dumps(parameters(environ, operation_in(environ), body)).encode()


@cache
def model() -> ServiceModel:
    return ServiceModel(Loader().load_service_model("scheduler", "service-2"), "scheduler")


def invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)


def absent(what: str, name: str) -> AwsError:
    return AwsError("ResourceNotFoundException", f"{what} {name} does not exist.", 404)


def conflict(message: str) -> AwsError:
    return AwsError("ConflictException", message, 409)


class Scheduler:
    """What one account has in one region."""

    def __init__(self, world, region: str):
        self.world, self.region = world, region
        self.groups: dict[str, dict] = {}
        self.tags: dict[str, dict] = {}
        self.schedules: dict[tuple[str, str], dict] = {}
        self.tokens: dict[tuple[str, str], tuple[dict, dict]] = {}
        self.groups["default"] = self.group("default")

    @staticmethod
    def of(world, region: str) -> "Scheduler":
        return world.schedulers.setdefault(region, Scheduler(world, region))

    @staticmethod
    def serve(world, region: str, environ: dict, body: bytes) -> tuple[int, dict, bytes, str | None]:
        headers = {"Content-Type": "application/json", "x-amzn-RequestId": str(uuid.uuid4())}
        operation = operation_in(environ)
        try:
            params = parameters(environ, operation, body)
            if operation == "?":
                raise AwsError("UnknownOperationException", "There is no such operation.", 404)
            report = ParamValidator().validate(params, model().operation_model(operation).input_shape)
            if report.has_errors():
                raise invalid(report.generate_report())
            own = Scheduler.of(world, region)
            result = own.once(operation, params)
            paging.cut("scheduler", operation, params, result, world.settings["page-size-max"])
        except AwsError as error:
            content = json.dumps({"Message": error.message}).encode()
            return error.status, {**headers, "x-amzn-ErrorType": error.code}, content, error.code
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            content = json.dumps({"Message": repr(error)}).encode()
            return 500, {**headers, "x-amzn-ErrorType": "InternalServerException"}, content, "InternalServerException"
        result = {name: value for name, value in result.items() if value is not None}
        return 200, headers, json.dumps(result).encode(), None

    def once(self, operation: str, params: dict) -> dict:
        """The same call with the same token has the same answer, and no other effect."""
        token = params.pop("ClientToken", None)
        if token and (operation, token) in self.tokens:
            earlier, result = self.tokens[(operation, token)]
            if earlier != params:
                raise conflict("The client token was used with other parameters.")
            return result
        result = getattr(self, re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower())(params)
        if token:
            self.tokens[(operation, token)] = (params, result)
        return result

    def arn(self, rest: str) -> str:
        return f"arn:aws:scheduler:{self.region}:{self.world.account}:{rest}"

    # -- groups -------------------------------------------------------------------------------

    def group(self, name: str) -> dict:
        now = self.world.now
        arn = self.arn(f"schedule-group/{name}")
        return {"Arn": arn, "Name": name, "State": "ACTIVE", "CreationDate": now, "LastModificationDate": now}

    def found(self, name: str) -> dict:
        if name not in self.groups:
            raise absent("Schedule group", name)
        return self.groups[name]

    def create_schedule_group(self, params: dict) -> dict:
        name = legal(params["Name"])
        if name in self.groups:
            state = "is being deleted" if self.groups[name]["State"] == "DELETING" else "already exists"
            raise conflict(f"Schedule group {name} {state}.")
        self.groups[name] = self.group(name)
        arn = self.groups[name]["Arn"]
        self.tags[arn] = {}
        self.tag(arn, params.get("Tags", []))
        return {"ScheduleGroupArn": arn}

    def get_schedule_group(self, params: dict) -> dict:
        return self.found(params["Name"])

    def list_schedule_groups(self, params: dict) -> dict:
        prefix = params.get("NamePrefix", "")
        return {"ScheduleGroups": [g for name, g in sorted(self.groups.items()) if name.startswith(prefix)]}

    def delete_schedule_group(self, params: dict) -> dict:
        name = params["Name"]
        group = self.found(name)
        if name == "default":
            raise invalid("The default schedule group cannot be deleted.")
        if group["State"] == "DELETING":
            raise conflict(f"Schedule group {name} is being deleted.")
        # "... EventBridge Scheduler deletes all the schedules in it.  This operation is eventually consistent."
        group["State"] = "DELETING"
        self.world.after(self.world.settings["schedule-group-deleting"], lambda: self.forget(name))
        return {}

    def forget(self, name: str) -> None:
        group = self.groups.pop(name)
        self.tags.pop(group["Arn"], None)
        for key in [key for key in self.schedules if key[0] == name]:
            del self.schedules[key]

    def tag(self, arn: str, tags: list[dict]) -> None:
        for tag in tags:
            if tag["Key"].lower().startswith("aws:"):
                raise invalid("The tag key cannot start with aws:.")
            self.tags[arn][tag["Key"]] = tag["Value"]
        if len(self.tags[arn]) > 50:
            raise invalid("A schedule group has at most 50 tags.")

    def tagged(self, params: dict) -> str:
        arn = params["ResourceArn"]
        if arn not in self.tags:
            raise absent("Schedule group", arn)
        return arn

    def list_tags_for_resource(self, params: dict) -> dict:
        return {"Tags": [{"Key": k, "Value": v} for k, v in self.tags[self.tagged(params)].items()]}

    def tag_resource(self, params: dict) -> dict:
        self.tag(self.tagged(params), params["Tags"])
        return {}

    def untag_resource(self, params: dict) -> dict:
        arn = self.tagged(params)
        for key in params["TagKeys"]:
            self.tags[arn].pop(key, None)
        return {}

    # -- schedules ----------------------------------------------------------------------------

    def create_schedule(self, params: dict) -> dict:
        key = (params.get("GroupName", "default"), legal(params["Name"]))
        if self.found(key[0])["State"] == "DELETING":
            raise conflict(f"Schedule group {key[0]} is being deleted.")
        if key in self.schedules:
            raise conflict(f"Schedule {key[1]} already exists.")
        return self.put(key, params, self.world.now)

    def update_schedule(self, params: dict) -> dict:
        """What is not said is at its default afterwards."""
        key = (params.get("GroupName", "default"), params["Name"])
        return self.put(key, params, self.schedule(*key)["CreationDate"])

    def put(self, key: tuple[str, str], params: dict, created: float) -> dict:
        group, name = key
        self.check(params)
        target = dict(params["Target"])
        # API_RetryPolicy.html
        target["RetryPolicy"] = {"MaximumRetryAttempts": 185, "MaximumEventAgeInSeconds": 86400} | target.get(
            "RetryPolicy", {}
        )
        if "EcsParameters" in target:
            target["EcsParameters"] = {"TaskCount": 1} | target["EcsParameters"]
        self.schedules[key] = params | {
            "Arn": self.arn(f"schedule/{group}/{name}"),
            "GroupName": group,
            "Target": target,
            "ScheduleExpressionTimezone": params.get("ScheduleExpressionTimezone", "UTC"),
            "State": params.get("State", "ENABLED"),
            "ActionAfterCompletion": params.get("ActionAfterCompletion", "NONE"),
            "CreationDate": created,
            "LastModificationDate": self.world.now,
        }
        return {"ScheduleArn": self.schedules[key]["Arn"]}

    def check(self, params: dict) -> None:
        expression = params["ScheduleExpression"]
        cron = CRON.fullmatch(expression)
        if cron and (cron[3] == "?") == (cron[5] == "?"):
            cron = None
        if not (cron or RATE.fullmatch(expression) or AT.fullmatch(expression)):
            raise invalid(f"Invalid Schedule Expression {expression}.")
        try:
            ZoneInfo(params.get("ScheduleExpressionTimezone", "UTC"))
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise invalid("Provided ScheduleExpressionTimezone is not valid.")
        window = params["FlexibleTimeWindow"]
        if (window["Mode"] == "FLEXIBLE") != ("MaximumWindowInMinutes" in window):
            raise invalid("MaximumWindowInMinutes is required if, and only if, the mode is FLEXIBLE.")
        target = params["Target"]
        # User guide, "Troubleshooting": the sentence that tools match on.
        if not iam.assumable_by(self.world, target["RoleArn"], "scheduler.amazonaws.com"):
            raise invalid("The execution role you provide must allow AWS EventBridge Scheduler to assume the role.")
        ecs = target.get("EcsParameters")
        if not ecs or ":cluster/" not in target["Arn"]:
            raise invalid("Only targets of Amazon ECS are made here.")
        if ecs.get("LaunchType") and ecs.get("CapacityProviderStrategy"):
            raise invalid("A launch type and a capacity provider strategy are not supported together.")
        if "Input" in target:
            json.loads(target["Input"])

    def schedule(self, group: str, name: str) -> dict:
        self.found(group)
        if (group, name) not in self.schedules:
            raise absent("Schedule", name)
        return self.schedules[(group, name)]

    def get_schedule(self, params: dict) -> dict:
        return self.schedule(params.get("GroupName", "default"), params["Name"])

    def delete_schedule(self, params: dict) -> dict:
        key = (params.get("GroupName", "default"), params["Name"])
        self.schedule(*key)
        del self.schedules[key]
        return {}

    def list_schedules(self, params: dict) -> dict:
        wanted, prefix = params.get("GroupName"), params.get("NamePrefix", "")
        if wanted:
            self.found(wanted)
        shown = ("Arn", "Name", "GroupName", "State", "CreationDate", "LastModificationDate")
        found = [
            {key: s[key] for key in shown} | {"Target": {"Arn": s["Target"]["Arn"]}}
            for (group, name), s in sorted(self.schedules.items())
            if wanted in (None, group) and name.startswith(prefix)
        ]
        return {"Schedules": found}

    # -- firing -------------------------------------------------------------------------------

    def fire(self, name: str) -> list[dict]:
        """Does what the schedule does when it is its time, with the rights of its role."""
        [schedule] = [s for (_, own), s in self.schedules.items() if own == name]
        if schedule["State"] != "ENABLED":
            raise conflict("The schedule is disabled.")
        target, ecs = schedule["Target"], self.world.regions[self.region]
        for action in ("ecs:RunTask", "iam:PassRole"):
            if not checks.allows(ecs, target["RoleArn"], action):
                raise AwsError("AccessDeniedException", f"{target['RoleArn']} may not {action}", 403)
        given = target["EcsParameters"]
        network = given.get("NetworkConfiguration", {}).get("awsvpcConfiguration")
        params = {
            "cluster": target["Arn"],
            "taskDefinition": given["TaskDefinitionArn"],
            "count": given["TaskCount"],
            "startedBy": "chronos-schedule/" + schedule["Name"],
            "overrides": json.loads(target.get("Input", "{}")),
        }
        if network:
            params["networkConfiguration"] = {"awsvpcConfiguration": {k[0].lower() + k[1:]: v for k, v in network.items()}}
        passed = {
            "LaunchType": "launchType",
            "CapacityProviderStrategy": "capacityProviderStrategy",
            "PropagateTags": "propagateTags",
        }
        for theirs, ours in passed.items():
            if theirs in given:
                params[ours] = given[theirs]
        return task_api.run_task(ecs, params)["tasks"]


def legal(name: str) -> str:
    if not NAME.fullmatch(name):
        raise invalid(f"Value '{name}' failed to satisfy constraint: [0-9a-zA-Z-_.]+, up to 64.")
    return name
