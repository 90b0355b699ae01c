"""CloudWatch alarms and the tags of CloudWatch, written anew, in the protocols of today's clients: JSON, and RPC v2 with CBOR, which moto
lacks.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/
https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
"""

import datetime
import json
import sys
import traceback
import uuid

from botocore.parsers import RpcV2CBORParser
from botocore.serialize import RpcV2CBORSerializer

from . import dashboards, paging
from .errors import AwsError
from .model import drop_nulls, fault, model

SERVICE = "cloudwatch"


def refused(message: str, code: str = "ValidationError") -> AwsError:
    return AwsError(code, message)


class Alarms:
    """What one account has in one region."""

    def __init__(self, world, region: str):
        self.world, self.region = world, region
        self.alarms: dict[str, dict] = {}
        self.tags: dict[str, dict] = {}

    def arn(self, name: str) -> str:
        return f"arn:aws:cloudwatch:{self.region}:{self.world.account}:alarm:{name}"

    @property
    def now(self):
        return datetime.datetime.fromtimestamp(self.world.now, datetime.timezone.utc)

    def existing(self):
        """(kind, id, arn, tags) of every alarm; for the leak check."""
        for name, alarm in self.alarms.items():
            yield "alarm", name, alarm["AlarmArn"], self.tags.get(alarm["AlarmArn"], {})

    def drop(self, name: str) -> None:
        alarm = self.alarms.pop(name)
        self.tags.pop(alarm["AlarmArn"], None)


def state_of(world, region: str) -> Alarms:
    return world.alarms.setdefault(region, Alarms(world, region))


# -- what Application Auto Scaling does ---------------------------------------------------------------


def track(scaling, policy: dict) -> list[dict]:
    """The alarms of a target tracking policy: one to add tasks, one to take some away."""
    config = policy["TargetTrackingScalingPolicyConfiguration"]
    state = state_of(scaling.world, scaling.region)
    names = ["AlarmHigh"] if config.get("DisableScaleIn") else ["AlarmHigh", "AlarmLow"]
    made = []
    for which in names:
        name = f"TargetTracking-{policy['ResourceId']}-{which}-{uuid.uuid4()}"
        state.alarms[name] = {
            "AlarmName": name,
            "AlarmArn": state.arn(name),
            "AlarmDescription": f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {policy['PolicyARN']}.",
            "ActionsEnabled": True,
            "AlarmActions": [policy["PolicyARN"]],
            "EvaluationPeriods": 3 if which == "AlarmHigh" else 15,
            "ComparisonOperator": "GreaterThanThreshold" if which == "AlarmHigh" else "LessThanThreshold",
            "Threshold": config["TargetValue"] * (1.0 if which == "AlarmHigh" else 0.9),
            "StateValue": "INSUFFICIENT_DATA",
        }
        made.append({"AlarmName": name, "AlarmARN": state.arn(name)})
    return made


def remove(scaling, policy: dict) -> None:
    """Takes the alarms of a policy away. An alarm of one's own stays, whatever its actions are."""
    state = state_of(scaling.world, scaling.region)
    for alarm in policy.get("Alarms", []):
        if alarm["AlarmName"] in state.alarms:
            state.drop(alarm["AlarmName"])


# -- operations ---------------------------------------------------------------------------------------


def put(state: Alarms, params: dict) -> dict:
    check_alarm(params)
    name = params["AlarmName"]
    present = state.alarms.get(name)
    alarm = {key: value for key, value in params.items() if key != "Tags"}
    alarm |= {
        "AlarmArn": state.arn(name),
        "ActionsEnabled": params.get("ActionsEnabled", True),
        "AlarmConfigurationUpdatedTimestamp": state.now,
        "StateValue": present["StateValue"] if present else "INSUFFICIENT_DATA",
        "StateReason": "Unchecked: Initial alarm creation",
        "StateUpdatedTimestamp": state.now,
    }
    # "This operation overwrites the previous configuration": nothing of it stays.
    state.alarms[name] = alarm
    # "If you are using this operation to update an existing alarm, any tags you specify are ignored."
    if not present:
        tag(state, {"ResourceARN": alarm["AlarmArn"], "Tags": params.get("Tags", [])})
    return {}


def check_alarm(params: dict) -> None:
    single, several = "MetricName" in params, "Metrics" in params
    if single == several:
        raise refused("Exactly one of MetricName and Metrics must be specified.", "InvalidParameterCombination")
    one = ("Namespace", "Period", "Statistic", "ExtendedStatistic", "Dimensions", "Unit")
    if several and any(key in params for key in one):
        raise refused("Metrics cannot be used with the parameters of one metric.", "InvalidParameterCombination")
    if single:
        if "Namespace" not in params or "Period" not in params:
            raise refused("An alarm on a metric needs Namespace and Period.", "MissingParameter")
        if ("Statistic" in params) == ("ExtendedStatistic" in params):
            raise refused("Exactly one of Statistic and ExtendedStatistic must be specified.", "InvalidParameterCombination")
        if params["Period"] not in (10, 20, 30) and params["Period"] % 60:
            raise refused("Period must be 10, 20, 30 or a multiple of 60.")
    else:
        check_queries(params)
    if "ComparisonOperator" not in params or "EvaluationPeriods" not in params:
        raise refused("An alarm needs ComparisonOperator and EvaluationPeriods.", "MissingParameter")
    if ("Threshold" in params) == ("ThresholdMetricId" in params):
        raise refused("Exactly one of Threshold and ThresholdMetricId must be specified.", "InvalidParameterCombination")
    if params.get("DatapointsToAlarm", 1) > params["EvaluationPeriods"]:
        raise refused("DatapointsToAlarm must not be greater than EvaluationPeriods.")
    if params.get("TreatMissingData", "missing") not in ("breaching", "notBreaching", "ignore", "missing"):
        raise refused("Option of TreatMissingData is not supported.")
    if "EvaluateLowSampleCountPercentile" in params and "ExtendedStatistic" not in params:
        raise refused("EvaluateLowSampleCountPercentile belongs to percentiles.", "InvalidParameterCombination")
    for key in ("AlarmActions", "OKActions", "InsufficientDataActions"):
        actions = params.get(key, [])
        if len(actions) > 5 or not all(action.startswith("arn:") for action in actions):
            raise refused(f"Invalid arn syntax, or too many actions, in {key}.")


def check_queries(params: dict) -> None:
    queries = params["Metrics"]
    for query in queries:
        if ("Expression" in query) == ("MetricStat" in query):
            raise refused("A metric data query has either an Expression or a MetricStat.")
        if "MetricStat" in query and "Period" in query:
            raise refused("The period of a metric stands in its MetricStat.")
    if "ThresholdMetricId" not in params and sum(query.get("ReturnData", True) for query in queries) != 1:
        raise refused("Exactly one element of the metrics list should return data.")


def describe(state: Alarms, params: dict) -> dict:
    names, prefix = params.get("AlarmNames"), params.get("AlarmNamePrefix")
    if names and prefix:
        raise refused("AlarmNames and AlarmNamePrefix cannot both be specified.", "InvalidParameterCombination")
    found = [alarm for _, alarm in sorted(state.alarms.items())]
    if names:
        found = [alarm for alarm in found if alarm["AlarmName"] in names]
    if prefix:
        found = [alarm for alarm in found if alarm["AlarmName"].startswith(prefix)]
    return {"MetricAlarms": found, "CompositeAlarms": []}


def delete(state: Alarms, params: dict) -> dict:
    # "If you specify even one incorrect alarm name, none are deleted."
    if any(name not in state.alarms for name in params["AlarmNames"]):
        raise AwsError("ResourceNotFound", "Unknown alarm", 404)
    for name in params["AlarmNames"]:
        state.drop(name)
    return {}


def set_state(state: Alarms, params: dict) -> dict:
    if params["AlarmName"] not in state.alarms:
        raise AwsError("ResourceNotFound", "Unknown alarm", 404)
    state.alarms[params["AlarmName"]] |= {"StateValue": params["StateValue"], "StateReason": params["StateReason"]}
    ecs = state.world.regions.get(state.region)
    if ecs and params["StateValue"] == "ALARM":
        for service in ecs.services.values():
            service.on_alarm(params["AlarmName"])
    return {}


def tagged(state: Alarms, params: dict) -> dict:
    """The tags of an alarm or a dashboard, to be changed in place."""
    arn = params["ResourceARN"]
    if ":dashboard/" in arn:
        return dashboards.tags_of(state.world, arn)
    if all(alarm["AlarmArn"] != arn for alarm in state.alarms.values()):
        raise AwsError("ResourceNotFoundException", "Unknown resource", 404)
    return state.tags.setdefault(arn, {})


def tag(state: Alarms, params: dict) -> dict:
    tags, new = tagged(state, params), {item["Key"]: item["Value"] for item in params["Tags"]}
    if any(key.lower().startswith("aws:") for key in new):
        raise refused("Tag keys cannot begin with aws:.", "InvalidParameterValue")
    tags.update(new)
    return {}


def untag(state: Alarms, params: dict) -> dict:
    tags = tagged(state, params)
    for key in params["TagKeys"]:
        tags.pop(key, None)
    return {}


def list_tags(state: Alarms, params: dict) -> dict:
    return {"Tags": [{"Key": k, "Value": v} for k, v in tagged(state, params).items()]}


OPERATIONS = {
    "PutMetricAlarm": put,
    "DescribeAlarms": describe,
    "DeleteAlarms": delete,
    "SetAlarmState": set_state,
    "TagResource": tag,
    "UntagResource": untag,
    "ListTagsForResource": list_tags,
} | dashboards.OPERATIONS


# -- the protocol -------------------------------------------------------------------------------------


def text(value: str) -> bytes:
    """A text in CBOR: its major type and length, and then its bytes."""
    data = value.encode()
    return b"\x79" + len(data).to_bytes(2, "big") + data


class Cbor:
    HEADERS = {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}

    @staticmethod
    def decoded(body: bytes) -> dict:
        parser = RpcV2CBORParser()
        return parser.parse_data_item(parser.get_peekable_stream_from_bytes(body)) if body else {}

    @staticmethod
    def encoded(value: dict, operation: str) -> bytes:
        content, shape = bytearray(), model(SERVICE).operation_model(operation).output_shape
        if shape is None:
            return b"\xa0"
        RpcV2CBORSerializer()._serialize_data_item(content, value, shape)
        return bytes(content)

    @staticmethod
    def refusal(code: str, message: str) -> bytes:
        return b"\xa2" + text("__type") + text(code) + text("message") + text(message)


class Json:
    HEADERS = {"Content-Type": "application/x-amz-json-1.0"}

    @staticmethod
    def decoded(body: bytes) -> dict:
        return json.loads(body)

    @staticmethod
    def encoded(value: dict, operation: str) -> bytes:
        return json.dumps(value, default=lambda moment: moment.timestamp()).encode()

    @staticmethod
    def refusal(code: str, message: str) -> bytes:
        return json.dumps({"__type": code, "message": message}).encode()


class AlarmsApi:
    @staticmethod
    def serve(world, region: str, operation: str, body: bytes) -> tuple[int, dict, bytes, str | None]:
        protocol = Json if body.startswith(b"{") else Cbor
        headers = protocol.HEADERS | {"x-amzn-RequestId": str(uuid.uuid4())}
        try:
            params = drop_nulls(protocol.decoded(body))
            function = OPERATIONS.get(operation)
            if function is None:
                raise AwsError("UnknownOperationException", f"{operation} is not made here.")
            if wrong := fault(SERVICE, operation, params):
                raise refused(wrong)
            result = function(state_of(world, region), params)
            paging.cut(SERVICE, operation, params, result, world.settings["page-size-max"])
            return 200, headers, protocol.encoded(drop_nulls(result), operation), None
        except AwsError as error:
            code, message, status = error.code, error.message, error.status
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            code, message, status = "InternalServiceFault", repr(error), 500
        # "awsQueryCompatible": the code that the query protocol had.
        sender = "Sender" if status < 500 else "Receiver"
        return status, headers | {"x-amzn-query-error": f"{code};{sender}"}, protocol.refusal(code, message), code
