"""The endpoints under /_ecsctl/ with which a test looks behind the API."""

import json
from urllib.parse import parse_qs, parse_qsl

from . import objects
from .ecr import push
from .errors import AwsError
from .scheduler import Scheduler
from .world import DEFAULTS, world_of


def answer(environ: dict, body: bytes) -> tuple[int, dict, bytes]:
    query = {name: values[0] for name, values in parse_qs(environ["QUERY_STRING"]).items()}
    account = query.get("account")
    if not account:
        return reply(400, {"error": "which account?  ?account=ID"})
    world = world_of(account)
    request = (environ["REQUEST_METHOD"], environ["PATH_INFO"])
    with world.lock:
        world.catch_up()
        if request == ("GET", "/_ecsctl/objects"):
            return reply(200, objects.everywhere(world))
        if request == ("GET", "/_ecsctl/calls"):
            return reply(200, [told(call, "input" in query) for call in world.calls])
        if request == ("DELETE", "/_ecsctl/calls"):
            world.calls.clear()
            return reply(200, {})
        if request == ("GET", "/_ecsctl/gaps"):
            return reply(200, world.gaps)
        if request == ("GET", "/_ecsctl/settings"):
            return reply(200, {name: world.settings[name] for name in DEFAULTS})
        if request == ("POST", "/_ecsctl/fire"):
            scheduler = Scheduler.of(world, query.get("region", "us-east-1"))
            try:
                return reply(200, [task["taskArn"] for task in scheduler.fire(json.loads(body)["schedule"])])
            except AwsError as error:
                return reply(200, {"error": f"{error.code}: {error.message}"})
        if request == ("POST", "/_ecsctl/push"):
            asked = {"region": "us-east-1", **json.loads(body)}
            digest = push(account, **{("name" if key == "repository" else key): asked[key] for key in asked})
            return reply(200, {"digest": digest}) if digest else reply(404, {"error": "no such repository"})
        if request == ("POST", "/_ecsctl/settings"):
            try:
                world.settings.update(json.loads(body or b"{}"))
            except (KeyError, ValueError, TypeError) as error:
                return reply(400, {"error": str(error)})
            return reply(200, {name: world.settings[name] for name in DEFAULTS})
    return reply(404, {"error": f"no {' '.join(request)}"})


def told(call, with_input: bool) -> dict:
    """A call as the caller made it; its input, if asked for, as the protocol wrote it."""
    shown = {
        "n": call.n,
        "service": call.service,
        "operation": call.operation,
        "status": call.status,
        "error": call.error,
        "caller": call.caller,
        "time": call.time,
    }
    if with_input:
        try:
            shown["input"] = json.loads(call.body)
        except ValueError:
            shown["input"] = dict(parse_qsl(call.body.decode(errors="replace"), keep_blank_values=True))
    return shown


def reply(status: int, value) -> tuple[int, dict, bytes]:
    return status, {"Content-Type": "application/json"}, json.dumps(value, default=str).encode()
