"""From an HTTP request to an answer: which account, which service, under that account's lock."""

import io
import json
import re
from urllib.parse import unquote_plus

from moto.core.request import Request as MotoRequest
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from . import control, route53, s3_bodies, scheduler, traffic
from .acm import Acm
from .alarms import AlarmsApi
from .autoscaling import Autoscaling
from .base import CREDENTIAL, account_of
from .discovery import Discovery
from .ec2 import Ec2
from .ecr import Ecr
from .ecs.api import EcsApi
from .elb import Elb
from .iam import Iam
from .logs import Logs
from .s3 import S3, operation_in, sent_in
from .scaling import ScalingApi
from .scheduler import Scheduler
from .tagging import Tagging
from .world import world_of

SERVICES = {
    "application-autoscaling": ScalingApi,
    "acm": Acm,
    "autoscaling": Autoscaling,
    "ec2": Ec2,
    "ecr": Ecr,
    "ecs": EcsApi,
    "elasticloadbalancing": Elb,
    "iam": Iam,
    "logs": Logs,
    "monitoring": AlarmsApi,
    "route53": route53.Route53,
    "s3": S3,
    "scheduler": Scheduler,
    "servicediscovery": Discovery,
    "tagging": Tagging,
}
# Those that are written anew and not moto's.
OWN = (Acm, AlarmsApi, Discovery, EcsApi, ScalingApi)
ACTION = re.compile(rb"(?:^|&)Action=([^&]+)")
CODE = re.compile(rb"<Code>([^<]+)</Code>")
# AWS_SDK_UA_APP_ID: https://docs.aws.amazon.com/sdkref/latest/guide/feature-appid.html
CALLER = re.compile(r"(?:^|\s)app/(\S+)")
JSON_CODE = re.compile(rb'"__type": ?"(?:[^"#]*#)?([^"]+)"')


class Request(MotoRequest):
    from_wsgi_server = True


# Services that have no corrections here (STS, SSM and so on) are moto's own.
others = DomainDispatcherApplication(create_backend_app)


def answer(environ: dict, body: bytes) -> tuple[int, dict, bytes]:
    """The answer to one request: status, headers, body."""
    if environ["PATH_INFO"].startswith("/_ecsctl/"):
        return control.answer(environ, body)
    found = CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
    key, region, service = found.groups() if found else (None, "us-east-1", "")
    world = world_of(account_of(key))
    sent = body
    if service == "s3":
        body = s3_bodies.unwrapped(environ, body)
        sent = sent_in(environ, body)
    elif service == "scheduler":
        sent = scheduler.sent_in(environ, body)
    operation = operation_of(environ, body, service)
    with world.lock:
        world.called_in.add(region)
        world.catch_up()
        handler = SERVICES.get(service)
        environ["wsgi.input"] = io.BytesIO(body)
        if handler is None:
            status, headers, content = passed_on(environ)
            error = error_in(content) if status >= 400 else None
        elif handler is Scheduler:
            status, headers, content, error = Scheduler.serve(world, region, environ, body)
        elif handler in OWN:
            status, headers, content, error = handler.serve(world, region, operation, body)
        else:
            status, headers, content, error = handler.serve(Request(environ))
        world.record(service, operation, int(status), error, sent, caller_of(environ))
        traffic.note(world)
    return int(status), headers, content


def caller_of(environ: dict) -> str | None:
    for header in ("HTTP_USER_AGENT", "HTTP_X_AMZ_USER_AGENT"):
        if found := CALLER.search(environ.get(header, "")):
            return found.group(1)
    return None


def operation_of(environ: dict, body: bytes, service: str) -> str:
    if service == "s3":
        return operation_in(environ)
    if service == "scheduler":
        return scheduler.operation_in(environ)
    if service == "route53":
        return route53.operation_in(environ)
    target = environ.get("HTTP_X_AMZ_TARGET")
    if target:
        return target.rsplit(".", 1)[-1]
    if environ.get("HTTP_SMITHY_PROTOCOL") == "rpc-v2-cbor":
        return environ["PATH_INFO"].rsplit("/", 1)[-1]
    found = ACTION.search(body) or ACTION.search(environ.get("QUERY_STRING", "").encode())
    if found:
        return unquote_plus(found.group(1).decode())
    return f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"


def error_in(content: bytes) -> str | None:
    found = JSON_CODE.search(content) or CODE.search(content)
    return found.group(1).decode() if found else None


def passed_on(environ: dict) -> tuple[int, dict, bytes]:
    started = {}

    def start_response(status, headers, exc_info=None):
        started["status"], started["headers"] = int(status.split()[0]), dict(headers)

    try:
        content = b"".join(others(environ, start_response))
    except NotImplementedError as error:  # an operation that moto lacks
        return (
            501,
            {"Content-Type": "application/json"},
            json.dumps({"__type": "NotImplemented", "message": str(error)}).encode(),
        )
    return started["status"], started["headers"], content
