"""The JSON 1.1 front of ECS: find the operation, check the members, answer."""

import json
import sys
import traceback
import uuid

from .. import paging
from ..errors import AwsError
from ..model import drop_nulls, fault
from . import capacity, clusters, definitions, deployments, service_api, tags, task_api, task_sets
from .state import Ecs, invalid

MODULES = (capacity, clusters, definitions, deployments, service_api, tags, task_api, task_sets)
OPERATIONS = {name: function for module in MODULES for name, function in module.OPERATIONS.items()}


def check(operation: str, params: dict) -> None:
    if refused := fault("ecs", operation, params):
        raise invalid(refused)


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
