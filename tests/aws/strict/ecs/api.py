"""The JSON 1.1 front of ECS: find the operation, check the members, answer."""

import json
import sys
import traceback
import uuid
from functools import cache

from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from .. import paging
from ..errors import AwsError
from . import capacity, clusters, definitions, deployments, service_api, tags, task_api, task_sets
from .state import Ecs, invalid

MODULES = (capacity, clusters, definitions, deployments, service_api, tags, task_api, task_sets)
OPERATIONS = {name: function for module in MODULES for name, function in module.OPERATIONS.items()}


@cache
def model() -> ServiceModel:
    return ServiceModel(Loader().load_service_model("ecs", "service-2"), "ecs")


def check(operation: str, params: dict) -> None:
    """Refuses what the API model refuses: missing or unknown members, wrong types, unknown enum values."""
    shape = model().operation_model(operation).input_shape
    report = ParamValidator().validate(params, shape)
    if report.has_errors():
        raise invalid(report.generate_report())
    check_enums(params, shape, "")


def check_enums(value, shape, name: str) -> None:
    if shape.type_name == "structure":
        for member, inner in value.items():
            check_enums(inner, shape.members[member], member)
    elif shape.type_name == "list":
        for inner in value:
            check_enums(inner, shape.member, name)
    elif shape.type_name == "string" and shape.enum and value not in shape.enum:
        raise invalid(f"{name} should be one of {', '.join(shape.enum)}.")


def drop_nulls(value):
    """A JSON null is an absent member."""
    if isinstance(value, dict):
        return {name: drop_nulls(member) for name, member in value.items() if member is not None}
    if isinstance(value, list):
        return [drop_nulls(member) for member in value]
    return value


class EcsApi:
    @staticmethod
    def serve(world, region: str, operation: str, body: bytes) -> tuple[int, dict, bytes, str | None]:
        headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-RequestId": str(uuid.uuid4())}
        ecs = world.regions.get(region)
        if ecs is None:
            ecs = world.regions[region] = Ecs(world, region)
        try:
            params = drop_nulls(json.loads(body or b"{}"))
            function = OPERATIONS.get(operation)
            if function is None:
                raise AwsError("UnknownOperationException", f"{operation} is not made here.")
            check(operation, params)
            result = function(ecs, params)
            paging.cut("ecs", operation, params, result, world.settings["page-size-max"])
        except AwsError as error:
            content = json.dumps({"__type": error.code, "message": error.message}).encode()
            return error.status, {**headers, "x-amzn-ErrorType": error.code}, content, error.code
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            return (
                500,
                headers,
                json.dumps({"__type": "ServerException", "message": repr(error)}).encode(),
                "ServerException",
            )
        result = {name: value for name, value in result.items() if value is not None}
        return 200, headers, json.dumps(result).encode(), None
