"""Volumes of tasks: what can be said of them, the EBS volumes that ECS makes, and the way to EFS.

developerguide/ebs-volumes.html, .../efs-volumes.html, API_ServiceManagedEBSVolumeConfiguration.html
"""

from .. import iam, interfaces
from . import checks
from .state import Ecs, invalid

# GiB, and I/O operations a second where they can be said.
SIZES = {
    "gp2": (1, 16384), "gp3": (1, 16384), "io1": (4, 16384), "io2": (4, 16384),
    "st1": (125, 16384), "sc1": (125, 16384), "standard": (1, 1024),
}  # fmt: skip
IOPS = {"gp3": (3000, 16000), "io1": (100, 64000), "io2": (100, 256000)}
OLD_PLATFORMS = ("1.0.0", "1.1.0", "1.2.0", "1.3.0")
ATTACH = ("ec2:CreateVolume", "ec2:CreateTags", "ec2:AttachVolume", "ec2:DescribeVolumes")


def check(ecs: Ecs, definition: dict, config: dict, fargate: bool) -> None:
    """What CreateService, UpdateService and RunTask refuse."""
    given = config.get("volumeConfigurations") or []
    left = [v["name"] for v in definition.get("volumes", []) if v.get("configuredAtLaunch")]
    if fargate and config.get("platformVersion") in OLD_PLATFORMS:
        if left or any(v.get("efsVolumeConfiguration") for v in definition.get("volumes", [])):
            raise invalid("The platform version must be 1.4.0 or higher to use Amazon EFS or Amazon EBS volumes.")
    if len(given) > 1:
        raise invalid("Only one volume configuration can be specified.")
    for name in left:
        if name not in [one["name"] for one in given]:
            raise invalid(f"The volume '{name}' is configured at launch, but no volume configuration was provided for it.")
    for one in given:
        if one["name"] not in left:
            raise invalid(f"The volume '{one['name']}' is not a volume that is configured at launch in the task definition.")
        if config.get("schedulingStrategy") == "DAEMON":
            raise invalid("The daemon scheduling strategy does not support volume configurations.")
        if config.get("launchType") == "EXTERNAL":
            raise invalid("Volume configurations are not supported for the EXTERNAL launch type.")
        check_disk(one.get("managedEBSVolume") or {}, fargate)


def check_disk(disk: dict, fargate: bool) -> None:
    kind, size, iops = disk.get("volumeType", "gp3"), disk.get("sizeInGiB"), disk.get("iops")
    if kind not in SIZES or (fargate and kind == "standard"):
        raise invalid(f"The volume type '{kind}' is not supported.")
    if size is None and not disk.get("snapshotId"):
        raise invalid("Either sizeInGiB or snapshotId must be specified.")
    if size is not None and not SIZES[kind][0] <= size <= SIZES[kind][1]:
        raise invalid(f"The volume size {size} is not supported for the volume type '{kind}'.")
    if iops is not None and not (kind in IOPS and IOPS[kind][0] <= iops <= IOPS[kind][1]):
        raise invalid(f"{iops} iops are not supported for the volume type '{kind}'.")
    if iops is None and kind in ("io1", "io2"):
        raise invalid(f"iops must be specified for the volume type '{kind}'.")
    throughput = disk.get("throughput")
    if throughput is not None and (kind != "gp3" or not 125 <= throughput <= 1000):
        raise invalid(f"The throughput {throughput} is not supported for the volume type '{kind}'.")
    if disk.get("volumeInitializationRate") and not disk.get("snapshotId"):
        raise invalid("volumeInitializationRate can be specified only with a snapshotId.")
    if disk.get("kmsKeyId") and disk.get("encrypted") is False:
        raise invalid("A kmsKeyId cannot be specified for a volume that is not encrypted.")
    for tagging in disk.get("tagSpecifications", []):
        if {"AmazonECSCreated", "AmazonECSManaged"} & {tag.get("key") for tag in tagging.get("tags", [])}:
            raise invalid("AmazonECSCreated and AmazonECSManaged are reserved tags.")


def problem(task) -> str | None:
    """Why the file systems of a task cannot be mounted."""
    definition = task.definition
    role = task.overrides.get("taskRoleArn") or definition.get("taskRoleArn")
    for volume in definition.get("volumes", []):
        efs = volume.get("efsVolumeConfiguration") or {}
        if (efs.get("authorizationConfig") or {}).get("iam") != "ENABLED":
            continue
        if not role or not checks.allows(task.ecs, role, "elasticfilesystem:ClientMount"):
            return (
                "ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes: stderr: "
                "b'mount.nfs4: access denied by server while mounting 127.0.0.1:/'"
            )
    return None


class Disks:
    """The EBS volumes of a task: made before it runs, deleted when it has stopped."""

    def __init__(self, task):
        self.task, self.ids = task, []
        self.backend = interfaces.backend_of(task.ecs.account, task.ecs.region)

    def attach(self, configurations: list[dict], zone: str) -> str | None:
        """Why they cannot be made.  developerguide/troubleshoot-ebs-volumes.html"""
        ecs = self.task.ecs
        for one in configurations:
            disk = one["managedEBSVolume"]
            role = disk["roleArn"]
            if not iam.assumable_by(ecs.world, role, "ecs.amazonaws.com"):
                return (
                    f"ECS was unable to assume the configured ECS Infrastructure Role '{role}'. Please verify that the role "
                    "being passed has the proper trust relationship with Amazon ECS"
                )
            if not all(checks.allows(ecs, role, action) for action in ATTACH):
                return f"UnauthorizedOperation: {role} is not authorized to make, tag and attach volumes."
            if disk.get("kmsKeyId") and not checks.allows(ecs, role, "kms:CreateGrant"):
                return f"UnauthorizedOperation: {role} is not authorized to use the key {disk['kmsKeyId']}."
            snapshot = disk.get("snapshotId")
            if snapshot and snapshot not in self.backend.snapshots:
                return f"InvalidSnapshot.NotFound: The snapshot '{snapshot}' does not exist."
            volume = self.backend.create_volume(
                disk.get("sizeInGiB"),
                zone,
                snapshot_id=snapshot,
                volume_type=disk.get("volumeType", "gp3"),
                iops=disk.get("iops"),
            )
            volume.add_tags({tag["key"]: tag["value"] for tag in self.tags(disk)})
            self.ids.append(volume.id)
        return None

    def tags(self, disk: dict) -> list[dict]:
        task = self.task
        found = [{"key": "AmazonECSCreated", "value": task.arn}, {"key": "AmazonECSManaged", "value": "true"}]
        for tagging in disk.get("tagSpecifications", []):
            source = {
                "SERVICE": task.service and task.service.arn,
                "TASK_DEFINITION": task.definition["taskDefinitionArn"],
            }.get(tagging.get("propagateTags"))
            found += tagging.get("tags", []) + (task.ecs.tags.get(source, []) if source else [])
        return found

    def detach(self) -> None:
        for volume in self.ids:
            self.backend.delete_volume(volume)
        self.ids = []

    def described(self) -> list[dict]:
        status = "ATTACHED" if self.ids else "DELETED"
        details = [{"name": "volumeId", "value": volume} for volume in self.ids]
        return [{"id": self.task.attachment, "type": "AmazonElasticBlockStorage", "status": status, "details": details}]
