"""IAM: the policies AWS provides, and the conflicts it reports.

Sources: the operation pages under https://docs.aws.amazon.com/IAM/latest/APIReference/.
"""

import datetime
import json
from functools import cache

from moto.core.responses import ActionResult
from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, iam_backends
from moto.iam.responses import IamResponse

from .base import Corrected
from .errors import AwsError

PROVIDED = ":iam::aws:policy/"
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-services-that-work-with-iam.html
SERVICE_LINKED_ROLES = {
    "ecs.amazonaws.com": "AWSServiceRoleForECS",
    "ecs-compute.amazonaws.com": "AWSServiceRoleForECSCompute",
    "elasticloadbalancing.amazonaws.com": "AWSServiceRoleForElasticLoadBalancing",
    "autoscaling.amazonaws.com": "AWSServiceRoleForAutoScaling",
    "ecs.application-autoscaling.amazonaws.com": "AWSServiceRoleForApplicationAutoScaling_ECSService",
    "spot.amazonaws.com": "AWSServiceRoleForEC2Spot",
}


LINKED = "/aws-service-role/"


@cache
def provided_policies() -> dict:
    """Every policy AWS provides, by ARN, as moto's data has it."""
    policies = json.loads(aws_managed_policies_data)
    return {f"arn:aws:iam::aws:policy{data['Path']}{name}": (name, data) for name, data in policies.items()}


def backend_of(account: str):
    return iam_backends[account]["aws"]


def role_named(account: str, arn: str):
    """The role with this ARN, if the account has it."""
    for role in backend_of(account).roles.values():
        if role.arn == arn:
            return role
    return None


def profile_named(account: str, arn: str | None):
    """The instance profile with this ARN, if the account has it."""
    return next((p for p in backend_of(account).instance_profiles.values() if p.arn == arn), None)


def is_new(world, role, setting: str) -> bool:
    """Whether the role is younger than the setting says it must be to be seen."""
    return max(0.0, world.now - role.create_date.timestamp()) < world.settings[setting]


def assumable_by(world, arn: str, principal: str) -> bool:
    """Whether a service could assume the role now.  A new role takes a while to reach the other services.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_general.html#troubleshoot_general_eventual-consistency"""
    role = role_named(world.account, arn)
    if role is None:
        return False
    if is_new(world, role, "role-visible-after"):
        return False
    trust = role.assume_role_policy_document
    document = json.loads(trust) if isinstance(trust, str) else trust
    statements = document.get("Statement", [])
    for statement in statements if isinstance(statements, list) else [statements]:
        services = statement.get("Principal", {})
        services = services.get("Service", []) if isinstance(services, dict) else []
        if statement.get("Effect") == "Allow" and principal in ([services] if isinstance(services, str) else services):
            return True
    return False


class Iam(Corrected, IamResponse):
    boto_name = "iam"

    def before(self, operation):
        # Policies that AWS provides exist in every account.  moto can load all 1,600 of them into
        # each; it is enough to load those that are asked for.
        arn = self._get_param("PolicyArn") or ""
        if PROVIDED in arn and arn not in self.backend.managed_policies and arn in provided_policies():
            name, data = provided_policies()[arn]
            policy = AWSManagedPolicy.from_data(name, self.backend.account_id, self.backend.region_name, data)
            self.backend.managed_policies[arn] = policy
        for tag in self._get_param("Tags", []) or []:
            if str(tag.get("Key", "")).lower().startswith("aws:"):
                raise AwsError("InvalidInput", "System tags cannot be added/updated by requester.")

    def check_trust(self, text: str) -> None:
        try:
            document = json.loads(text)
        except ValueError:
            raise AwsError("MalformedPolicyDocument", "This policy contains invalid Json")
        if not isinstance(document, dict) or "Statement" not in document:
            raise AwsError("MalformedPolicyDocument", "Syntax errors in policy.")
        statements = document["Statement"]
        for statement in statements if isinstance(statements, list) else [statements]:
            if "Principal" not in statement and "NotPrincipal" not in statement:
                raise AwsError("MalformedPolicyDocument", "Missing required field Principal")

    def create_role(self):
        self.check_trust(self._get_param("AssumeRolePolicyDocument"))
        return super().create_role()

    def update_assume_role_policy(self):
        self.check_trust(self._get_param("PolicyDocument"))
        return super().update_assume_role_policy()

    def list_roles(self):
        # moto cuts its own pages; the shared paging does it after us.
        prefix = self._get_param("PathPrefix", "/")
        if prefix.startswith(LINKED) and not self.world.settings["fresh"]:
            for service in SERVICE_LINKED_ROLES:
                linked_role(self.world, service)
        roles = sorted((r for r in self.backend.get_roles() if r.path.startswith(prefix)), key=lambda r: r.name)
        return ActionResult({"Roles": roles})

    def get_account_authorization_details(self):
        # moto knows the filter as numbered members of a query, and puts descriptions in, which AWS does not.
        if self._get_param("Filter", []) != ["Role"]:
            return super().get_account_authorization_details()
        roles = sorted(self.backend.get_roles(), key=lambda r: r.name)
        return ActionResult({"RoleDetailList": [self.detail(role) for role in roles]})

    def detail(self, role) -> dict:
        """Everything but description and session length.  APIReference/API_RoleDetail.html"""
        told = ("RoleName", "RoleId", "Arn", "Path", "CreateDate", "AssumeRolePolicyDocument", "Tags")
        values = (role.name, role.id, role.arn, role.path, role.create_date, role.assume_role_policy_document, role.tags)
        boundary = role.permissions_boundary_arn
        return {
            **dict(zip(told, values)),
            "RolePolicyList": [
                {"PolicyName": name, "PolicyDocument": text} for name, text in sorted(role.policies.items())
            ],
            "AttachedManagedPolicies": [
                {"PolicyName": p.name, "PolicyArn": p.arn} for p in role.managed_policies.values()
            ],
            "PermissionsBoundary": boundary
            and {"PermissionsBoundaryType": "PermissionsBoundaryPolicy", "PermissionsBoundaryArn": boundary},
        }

    def remove_role_from_instance_profile(self):
        profile = self.backend.get_instance_profile(self._get_param("InstanceProfileName"))
        name = self._get_param("RoleName")
        if all(role.name != name for role in profile.roles):
            raise AwsError("NoSuchEntity", f"The role with name {name} cannot be found in the instance profile.", 404)
        return super().remove_role_from_instance_profile()

    def list_instance_profiles(self):
        prefix = self._get_param("PathPrefix", "/")
        found = [p for p in self.backend.get_instance_profiles() if p.path.startswith(prefix)]
        # Tags are told by GetInstanceProfile only.
        told = ("InstanceProfileName", "InstanceProfileId", "Arn", "Path", "CreateDate", "Roles")
        shown = [dict(zip(told, (p.name, p.id, p.arn, p.path, p.create_date, p.roles))) for p in found]
        return ActionResult({"InstanceProfiles": sorted(shown, key=lambda p: p["InstanceProfileName"])})

    def list_policies(self):
        scope, attached = self._get_param("Scope") or "All", self._get_param("OnlyAttached")
        prefix = self._get_param("PathPrefix", "/")
        if scope in ("All", "AWS"):
            for arn, (name, data) in provided_policies().items():
                if arn not in self.backend.managed_policies:
                    policy = AWSManagedPolicy.from_data(name, self.backend.account_id, self.backend.region_name, data)
                    self.backend.managed_policies[arn] = policy
        policies = [
            p
            for p in self.backend.managed_policies.values()
            if p.path.startswith(prefix)
            and (scope == "All" or (PROVIDED in p.arn) == (scope == "AWS"))
            and (not attached or p.attachment_count)
        ]
        return ActionResult({"Policies": policies})

    def list_attached_role_policies(self):
        role = self.backend.get_role(self._get_param("RoleName"))
        prefix = self._get_param("PathPrefix", "/")
        attached = [p for p in role.managed_policies.values() if p.path.startswith(prefix)]
        return ActionResult({"AttachedPolicies": [{"PolicyName": p.name, "PolicyArn": p.arn} for p in attached]})

    def delete_policy(self):
        policy = self.backend.get_policy(self._get_param("PolicyArn"))
        if policy.attachment_count:
            raise AwsError("DeleteConflict", "Cannot delete a policy attached to entities.", 409)
        if len(policy.versions) > 1:
            raise AwsError(
                "DeleteConflict",
                "This policy has more than one version. Before you delete a policy, you must delete the policy's versions.",
                409,
            )
        return super().delete_policy()

    def create_service_linked_role(self):
        service = self._get_param("AWSServiceName")
        name = SERVICE_LINKED_ROLES.get(service)
        if not name:
            return super().create_service_linked_role()
        if any(role.name == name for role in self.backend.get_roles()):
            # Not EntityAlreadyExists, as for every other name in IAM.
            raise AwsError(
                "InvalidInput",
                f"Service role name {name} has been taken in this account, please try a different suffix.",
            )
        if self.world.settings["fresh"] > 1:
            raise not_authorized(self.world, service)
        return ActionResult({"Role": make_service_linked_role(self.backend, service)})


def not_authorized(world, service: str) -> AwsError:
    arn = f"arn:aws:iam::{world.account}:role{LINKED}{service}/{SERVICE_LINKED_ROLES[service]}"
    return AwsError(
        "AccessDenied",
        f"User: arn:aws:iam::{world.account}:user/tester is not authorized to perform: iam:CreateServiceLinkedRole on "
        f"resource: {arn} because no identity-based policy allows the iam:CreateServiceLinkedRole action",
        403,
    )


def linked_role(world, service: str):
    """The role with which a service acts in the account. Without one the service makes it, with its caller's rights;
    None if those do not suffice.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create-service-linked-role.html"""
    backend, name = backend_of(world.account), SERVICE_LINKED_ROLES[service]
    role = next((role for role in backend.roles.values() if role.name == name), None)
    if role is None and world.settings["fresh"] < 2:
        role = make_service_linked_role(backend, service)
        if not world.settings["fresh"]:
            role.create_date -= datetime.timedelta(days=1000)
    return role


def may_act(world, service: str) -> bool:
    """Whether a service can assume its role by now."""
    role = linked_role(world, service)
    return role is not None and not is_new(world, role, "service-linked-role-after")


def make_service_linked_role(backend, service: str):
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}],
    }
    return backend.create_role(
        SERVICE_LINKED_ROLES[service],
        json.dumps(trust),
        f"{LINKED}{service}/",
        None,
        "",
        [],
        "3600",
        linked_service=service,
    )
