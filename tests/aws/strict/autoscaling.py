"""EC2 Auto Scaling: groups, written anew, because moto's start instances that join nothing.

https://docs.aws.amazon.com/autoscaling/ec2/APIReference/, the page of each operation.
"""

from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult, EmptyResult

from . import iam, interfaces
from .base import Corrected
from .errors import AwsError
from .instances import Group

# What UpdateAutoScalingGroup changes when it is told.
CHANGED = (
    "MinSize", "MaxSize", "DesiredCapacity", "VPCZoneIdentifier", "CapacityRebalance", "NewInstancesProtectedFromScaleIn",
    "HealthCheckType", "HealthCheckGracePeriod", "DefaultCooldown",
)  # fmt: skip


def refused(message: str) -> AwsError:
    return AwsError("ValidationError", message)


class Autoscaling(Corrected, AutoScalingResponse):
    boto_name = "autoscaling"

    def group(self, missing_is_fine: bool = False):
        name = self._get_param("AutoScalingGroupName")
        group = self.world.groups.get((self.region, name))
        if group is None and not missing_is_fine:
            raise refused("AutoScalingGroup name not found - null")
        return group

    def given(self) -> dict:
        params = {key: value for key, value in self.params.items() if key not in ("Action", "Version", "Tags")}
        for key in ("CapacityRebalance", "NewInstancesProtectedFromScaleIn"):
            if key in params:
                params[key] = str(params[key]).lower() == "true"
        return params

    # -- groups ---------------------------------------------------------------------------------

    def create_auto_scaling_group(self):
        world, given = self.world, self.given()
        name = given["AutoScalingGroupName"]
        if (self.region, name) in world.groups:
            raise AwsError(
                "AlreadyExists",
                f"AutoScalingGroup by this name already exists - A group with the name {name} already exists",
            )
        if iam.linked_role(world, "autoscaling.amazonaws.com") is None:
            raise iam.not_authorized(world, "autoscaling.amazonaws.com")
        if not iam.may_act(world, "autoscaling.amazonaws.com"):
            raise AwsError("ServiceLinkedRoleFailure", "The service-linked role is not yet ready for use.", 500)
        given.setdefault("DesiredCapacity", given.get("MinSize", 0))
        group = Group(world, self.region, name, given)
        self.check(group)
        self.put_tags(self._get_param("Tags", []), group)
        world.groups[(self.region, name)] = group
        group.adjust()
        return EmptyResult()

    def update_auto_scaling_group(self):
        group, given = self.group(), self.given()
        if group.status:
            raise AwsError("ScalingActivityInProgress", "The group is pending delete.")
        changed = dict(group.given)
        changed.update({key: given[key] for key in CHANGED if key in given})
        # One takes the place of the other.
        for one, other in (("LaunchTemplate", "MixedInstancesPolicy"), ("MixedInstancesPolicy", "LaunchTemplate")):
            if one in given:
                changed[one] = given[one]
                changed.pop(other, None)
        if "DesiredCapacity" not in given:
            least, most = int(changed["MinSize"]), int(changed["MaxSize"])
            changed["DesiredCapacity"] = min(max(int(changed["DesiredCapacity"]), least), most)
        before, group.given = group.given, changed
        try:
            self.check(group)
        except AwsError:
            group.given = before
            raise
        group.adjust()
        return EmptyResult()

    def check(self, group: Group) -> None:
        given, world = group.given, self.world
        least, most, desired = (int(given.get(key, 0)) for key in ("MinSize", "MaxSize", "DesiredCapacity"))
        if not least <= desired <= most:
            raise refused(f"Desired capacity:{desired} must be between the specified min size:{least} and max size:{most}")
        backend = interfaces.backend_of(world.account, self.region)
        for subnet in (given.get("VPCZoneIdentifier") or "").split(","):
            if not interfaces.subnet_of(backend, subnet) or world.hidden.get(subnet, 0) > world.now:
                raise refused(f"The subnet ID '{subnet}' does not exist")
        template_id, version = group.template()
        template = world.templates.get(template_id)
        unformed = "You must use a valid fully-formed launch template. "
        if template is None or world.hidden.get(template_id, 0) > world.now or not template.has(version):
            raise refused(f"{unformed}The specified launch template, with template ID {template_id}, does not exist.")
        data = template.data(version)
        arn = (data.get("IamInstanceProfile") or {}).get("Arn")
        profile = iam.profile_named(world.account, arn)
        if arn and (profile is None or iam.is_new(world, profile, "role-visible-after")):
            raise refused(f"{unformed}Value ({arn}) for parameter iamInstanceProfile.arn is invalid. "
                          "Invalid IAM Instance Profile ARN")  # fmt: skip
        nics = data.get("NetworkInterfaces") or [{}]
        if nics[0] and data.get("SecurityGroupIds"):
            raise refused(f"{unformed}Network interfaces and an instance-level security groups may not be specified "
                          "on the same request")  # fmt: skip
        for one in nics[0].get("Groups") or data.get("SecurityGroupIds") or []:
            if backend.get_security_group_from_id(one) is None or world.hidden.get(one, 0) > world.now:
                raise refused(f"{unformed}The security group '{one}' does not exist")
        if not data.get("ImageId"):
            raise refused(f"{unformed}The request must contain the parameter ImageId")
        if not group.types() and not data.get("InstanceType"):
            raise refused(f"{unformed}The request must contain the parameter InstanceType")

    def delete_auto_scaling_group(self):
        group = self.group()
        force = str(self._get_param("ForceDelete", False)).lower() == "true"
        if group.live() and not force:
            raise AwsError(
                "ResourceInUse",
                "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) "
                "still in the group.",
            )
        group.delete()
        return EmptyResult()

    def describe_auto_scaling_groups(self):
        names, filters = self._get_param("AutoScalingGroupNames", []), self._get_param("Filters", [])
        if len(names) > max(50, int(self._get_param("MaxRecords") or 0)):
            raise refused("The number of Auto Scaling group names that may be passed in is limited to 50")
        found = [g for (region, _), g in sorted(self.world.groups.items()) if region == self.region]
        found = [g for g in found if (not names or g.name in names) and all(has(g, one) for one in filters)]
        return ActionResult({"AutoScalingGroups": [described(group) for group in found]})

    def set_instance_protection(self):
        group, wanted = self.group(), self._get_param("InstanceIds", [])
        for instance in group.instances:
            if instance.id in wanted:
                instance.protected = str(self._get_param("ProtectedFromScaleIn")).lower() == "true"
        return EmptyResult()

    def set_desired_capacity(self):
        group, desired = self.group(), int(self._get_param("DesiredCapacity"))
        if not int(group.given["MinSize"]) <= desired <= int(group.given["MaxSize"]):
            raise refused(f"New SetDesiredCapacity value {desired} is outside of the group's bounds")
        group.want(desired)
        return EmptyResult()

    # -- tags -------------------------------------------------------------------------------------

    def put_tags(self, tags: list[dict], group: Group | None = None) -> None:
        for tag in tags:
            of = group or self.world.groups.get((self.region, tag.get("ResourceId")))
            if of is None:
                raise refused(f"Failed to find AutoScalingGroup with the name {tag.get('ResourceId')}")
            if tag["Key"].lower().startswith("aws:"):
                raise refused("Tag keys starting with 'aws:' are reserved for internal use")
            propagate = str(tag.get("PropagateAtLaunch", False)).lower() == "true"
            of.tags[tag["Key"]] = {"Value": tag.get("Value", ""), "PropagateAtLaunch": propagate}

    def create_or_update_tags(self):
        self.put_tags(self._get_param("Tags", []))
        return EmptyResult()

    def delete_tags(self):
        for tag in self._get_param("Tags", []):
            group = self.world.groups.get((self.region, tag.get("ResourceId")))
            if group:
                group.tags.pop(tag["Key"], None)
        return EmptyResult()


def has(group: Group, wanted: dict) -> bool:
    name, values = wanted["Name"], wanted.get("Values") or []
    if name.startswith("tag:"):
        return group.tags.get(name[4:], {}).get("Value") in values
    if name == "tag-key":
        return any(value in group.tags for value in values)
    raise refused(f"Filter type {name} is not correct.")


def described(group: Group) -> dict:
    given = group.given
    version = {"DefaultCooldown": 300, "HealthCheckType": "EC2", "HealthCheckGracePeriod": 0}
    answer = {
        "AutoScalingGroupName": group.name,
        "AutoScalingGroupARN": group.arn,
        "CreatedTime": group.created,
        "AvailabilityZones": [],
        "LoadBalancerNames": [],
        "TargetGroupARNs": [],
        "Instances": [
            {
                "InstanceId": i.id,
                "InstanceType": i.kind,
                "AvailabilityZone": i.subnet.availability_zone,
                "LifecycleState": {"pending": "Pending", "running": "InService"}.get(i.state, "Terminating"),
                "HealthStatus": "Healthy",
                "ProtectedFromScaleIn": i.protected,
            }
            for i in group.instances
            if i.state != "terminated"
        ],
        "SuspendedProcesses": [],
        "EnabledMetrics": [],
        "TerminationPolicies": ["Default"],
        "NewInstancesProtectedFromScaleIn": False,
        "Tags": [
            {"ResourceId": group.name, "ResourceType": "auto-scaling-group", "Key": key, **tag}
            for key, tag in group.tags.items()
        ],
    }
    answer |= {key: int(given.get(key, version.get(key, 0))) for key in ("MinSize", "MaxSize", "DesiredCapacity")}
    answer |= {key: given.get(key, value) for key, value in version.items()}
    for key in ("VPCZoneIdentifier", "NewInstancesProtectedFromScaleIn", "LaunchTemplate", "CapacityRebalance"):
        if key in given:
            answer[key] = given[key]
    if mixed := given.get("MixedInstancesPolicy"):
        # What is left out of the distribution reads back at its default.
        usual = {"OnDemandAllocationStrategy": "prioritized", "OnDemandBaseCapacity": 0,
                 "OnDemandPercentageAboveBaseCapacity": 100, "SpotAllocationStrategy": "lowest-price"}  # fmt: skip
        answer["MixedInstancesPolicy"] = mixed | {"InstancesDistribution": usual | (mixed.get("InstancesDistribution") or {})}
    if group.status:
        answer["Status"] = group.status
    return answer
