"""What stops a task from starting: roles, images, log groups, the way to the registry.

The words are those of developerguide/stopped-task-error-codes.html and .../resource-initialization-error.html.
"""

import fnmatch
import hashlib
import json

from moto.secretsmanager.models import secretsmanager_backends
from moto.ssm.models import ssm_backends

from .. import iam
from ..ecr import backend_of as ecr_of
from ..logs import backend_of as logs_of
from . import reach, volumes
from .definitions import ECR_IMAGE
from .state import Ecs

ASSUME = (
    "ECS was unable to assume the role '{}' that was provided for this task. Please verify that the role being passed "
    "has the proper trust relationship and permissions and that your IAM user has permissions to pass this role."
)
NO_SECRETS = (
    "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
)
NO_LOGGER = (
    "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: "
    "failed to create Cloudwatch log stream: "
)


def problem(task) -> str | None:
    """Why the task cannot start, in AWS's words."""
    ecs, role = task.ecs, task.overrides.get("executionRoleArn") or task.definition.get("executionRoleArn")
    if ecs.world.settings["check-egress"] and (unreachable := reach.problem(task)):
        return unreachable
    for container in task.definition["containerDefinitions"]:
        image, log = container["image"], container.get("logConfiguration") or {}
        found = registry_problem(ecs, role, image)
        if not found and log.get("logDriver") == "awslogs":
            found = log_problem(ecs, role, log["options"])
        for secret in container.get("secrets", []):
            found = found or secret_problem(ecs, role, secret["valueFrom"])
        if found:
            return found
    return volumes.problem(task)


def registry_problem(ecs: Ecs, role: str | None, image: str) -> str | None:
    if role and ECR_IMAGE.match(image) and not allows(ecs, role, "ecr:GetAuthorizationToken"):
        return (
            f"{NO_SECRETS}unable to get registry auth from asm: AccessDeniedException: "
            f"{role} is not authorized to perform: ecr:GetAuthorizationToken"
        )
    if ":bad-pull" in image or not in_registry(ecs, image):
        return (
            "CannotPullContainerError: pull image manifest has been retried 1 time(s): "
            f"failed to resolve ref {image}: not found"
        )
    return None


def in_registry(ecs: Ecs, image: str) -> bool:
    """Whether this account's registry, if the image is from there, has it.  A repository without
    any image passes, so that a test need not push one."""
    host, _, path = image.partition("/")
    if not ECR_IMAGE.match(image) or not host.startswith(ecs.account):
        return True
    name, _, digest = path.partition("@")
    name, _, tag = name.partition(":")
    repository = ecr_of(ecs.account, host.split(".")[3]).repositories.get(name)
    if repository is None or not repository.images:
        return repository is not None
    if digest:
        return any(pushed.get_image_digest() == digest for pushed in repository.images)
    return any((tag or "latest") in pushed.image_tags for pushed in repository.images)


def log_problem(ecs: Ecs, role: str | None, options: dict) -> str | None:
    group = options["awslogs-group"]
    if role and not allows(ecs, role, "logs:CreateLogStream"):
        return (
            f"{NO_LOGGER}AccessDeniedException: {role} is not authorized to perform: "
            f"logs:CreateLogStream on resource: {group} : exit status 1"
        )
    backend = logs_of(ecs.account, options["awslogs-region"])
    if group not in backend.groups:
        if options.get("awslogs-create-group") != "true":
            return f"{NO_LOGGER}ResourceNotFoundException: The specified log group does not exist. : exit status 1"
        backend.create_log_group(group, {})
    return None


def secret_problem(ecs: Ecs, role: str | None, source: str) -> str | None:
    manager = ":secretsmanager:" in source
    action = "secretsmanager:GetSecretValue" if manager else "ssm:GetParameters"
    if role and not allows(ecs, role, action):
        return f"{NO_SECRETS}unable to retrieve secret: AccessDeniedException: {role} is not authorized to perform: {action}"
    if manager:
        # arn:aws:secretsmanager:region:account:secret:name-suffix[:key:stage:version]; GetSecretValue also
        # takes the ARN without the suffix.
        # https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
        arn = ":".join(source.split(":")[:7])
        secrets = secretsmanager_backends[ecs.account][ecs.region].secrets.values()
        if not any(arn in (secret.arn, secret.arn[:-7]) for secret in secrets):
            return (
                f"{NO_SECRETS}unable to retrieve secret from asm: service call has been retried 1 time(s): "
                "ResourceNotFoundException: Secrets Manager can't find the specified secret."
            )
    else:
        name = source.split(":parameter", 1)[1] if ":parameter" in source else source
        backend = ssm_backends[ecs.account][ecs.region]
        if not backend.get_parameters([name, name.lstrip("/")]):
            return (
                f"{NO_SECRETS}unable to retrieve secrets from ssm: service call has been retried 1 time(s): "
                f"invalid ssm parameters: {name}"
            )
    return None


def digest_of(image: str) -> str:
    """The digest an image resolves to: its own, if it names one."""
    return image.split("@")[1] if "@" in image else "sha256:" + hashlib.sha256(image.encode()).hexdigest()


def unassumable(ecs: Ecs, definition: dict, overrides: dict | None = None) -> str | None:
    """The message, if a role of the task cannot be assumed by ECS tasks now."""
    for member in ("executionRoleArn", "taskRoleArn"):
        role = (overrides or {}).get(member) or definition.get(member)
        if role and not iam.assumable_by(ecs.world, role, "ecs-tasks.amazonaws.com"):
            return ASSUME.format(role)
    return None


def allows(ecs: Ecs, role_arn: str, action: str) -> bool:
    """Whether a policy of the role allows the action on anything at all."""
    role = iam.role_named(ecs.account, role_arn)
    if role is None:
        return False
    documents = [*role.policies.values(), *(default_document(policy) for policy in role.managed_policies.values())]
    for document in documents:
        statements = (json.loads(document) if isinstance(document, str) else document).get("Statement", [])
        for statement in statements if isinstance(statements, list) else [statements]:
            actions = statement.get("Action", [])
            actions = [actions] if isinstance(actions, str) else actions
            if statement.get("Effect") == "Allow" and any(
                fnmatch.fnmatchcase(action.lower(), a.lower()) for a in actions
            ):
                return True
    return False


def default_document(policy):
    for version in policy.versions:
        if version.version_id == policy.default_version_id:
            return version.document
    return policy.versions[-1].document
