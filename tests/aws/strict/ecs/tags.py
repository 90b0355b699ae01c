"""Tags, and the account's settings."""

from ..errors import AwsError
from .state import Ecs, invalid


def check_exists(ecs: Ecs, arn: str) -> None:
    kind, rest = arn.split(":", 5)[5].split("/", 1)
    found = {
        "cluster": lambda: ecs.clusters.get(rest, {}).get("status") == "ACTIVE",
        "service": lambda: getattr(ecs.services.get(tuple(rest.split("/"))), "status", "INACTIVE") != "INACTIVE",
        "task-definition": lambda: any(
            arn == d["taskDefinitionArn"] for f in ecs.families.values() for d in f.values()
        ),
        "task": lambda: arn in ecs.tasks,
        "capacity-provider": lambda: rest in ecs.providers,
    }.get(kind)
    if not found:
        raise invalid(f"Unsupported resource type {kind}.")
    if not found():
        code = {"cluster": "ClusterNotFoundException", "service": "ServiceNotFoundException"}.get(kind)
        raise AwsError(code, f"{kind.title()} not found.") if code else invalid(f"The specified {kind} is not found.")


def tag_resource(ecs: Ecs, params: dict) -> dict:
    check_exists(ecs, params["resourceArn"])
    ecs.set_tags(params["resourceArn"], params["tags"])
    return {}


def untag_resource(ecs: Ecs, params: dict) -> dict:
    arn = params["resourceArn"]
    check_exists(ecs, arn)
    ecs.tags[arn] = [tag for tag in ecs.tags.get(arn, []) if tag["key"] not in params["tagKeys"]]
    return {}


def list_tags_for_resource(ecs: Ecs, params: dict) -> dict:
    check_exists(ecs, params["resourceArn"])
    return {"tags": ecs.tags.get(params["resourceArn"], [])}


def put_account_setting(ecs: Ecs, params: dict) -> dict:
    ecs.account_settings[params["name"]] = params["value"]
    return {
        "setting": {
            "name": params["name"],
            "value": params["value"],
            "principalArn": f"arn:aws:iam::{ecs.account}:root",
        }
    }


def list_account_settings(ecs: Ecs, params: dict) -> dict:
    settings = {
        "containerInsights": "disabled",
        "serviceLongArnFormat": "enabled",
        "taskLongArnFormat": "enabled",
    } | ecs.account_settings
    wanted = params.get("name")
    return {
        "settings": [
            {"name": name, "value": value, "principalArn": f"arn:aws:iam::{ecs.account}:root"}
            for name, value in settings.items()
            if wanted in (None, name)
        ]
    }


OPERATIONS = {
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
    "ListTagsForResource": list_tags_for_resource,
    "PutAccountSetting": put_account_setting,
    "PutAccountSettingDefault": put_account_setting,
    "ListAccountSettings": list_account_settings,
}
