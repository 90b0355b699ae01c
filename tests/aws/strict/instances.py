"""EC2 instances of Auto Scaling groups, from their start to their end, and how they join a cluster.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html,
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/launch_container_instance.html
"""

import base64
import random
import re
import uuid

from . import iam, interfaces
from .ecs import checks, placing
from .ecs.state import Ecs

# vCPUs and MiB; what ECS has of them is a little less memory.
SIZES = {"nano": (2, 512), "micro": (2, 1024), "small": (2, 2048), "medium": (2, 4096), "large": (2, 8192)}


def hexadecimal(digits: int = 17) -> str:
    return "".join(random.choices("0123456789abcdef", k=digits))


def ecs_of(world, region: str) -> Ecs:
    ecs = world.regions.get(region)
    if ecs is None:
        ecs = world.regions[region] = Ecs(world, region)
    return ecs


class Group:
    """An Auto Scaling group."""

    def __init__(self, world, region: str, name: str, given: dict):
        self.world, self.region, self.name, self.given = world, region, name, given
        base = f"arn:aws:autoscaling:{region}:{world.account}:autoScalingGroup"
        self.arn = f"{base}:{uuid.uuid4()}:autoScalingGroupName/{name}"
        self.created = world.now
        self.status = None
        self.tags: dict[str, dict] = {}
        self.instances: list[Instance] = []

    @property
    def desired(self) -> int:
        return int(self.given["DesiredCapacity"])

    def live(self) -> list:
        return [i for i in self.instances if i.state in ("pending", "running")]

    def template(self) -> tuple[str, str]:
        mixed = (self.given.get("MixedInstancesPolicy") or {}).get("LaunchTemplate") or {}
        chosen = mixed.get("LaunchTemplateSpecification") or self.given.get("LaunchTemplate") or {}
        return chosen.get("LaunchTemplateId"), str(chosen.get("Version") or "$Default")

    def types(self) -> list[str]:
        mixed = (self.given.get("MixedInstancesPolicy") or {}).get("LaunchTemplate") or {}
        return [o["InstanceType"] for o in mixed.get("Overrides") or [] if o.get("InstanceType")]

    def want(self, desired: int) -> None:
        """What managed scaling does: never beyond the group's own bounds."""
        self.given["DesiredCapacity"] = min(max(desired, int(self.given["MinSize"])), int(self.given["MaxSize"]))
        self.adjust()

    def adjust(self) -> None:
        """Starts what is missing; ends what is too much, unless it is protected from scale-in."""
        if self.status:
            return
        while len(self.live()) < self.desired:
            self.start()
        for instance in sorted(self.live(), key=lambda i: len(i.tasks())):
            if len(self.live()) > self.desired and not instance.protected:
                instance.terminate()

    def start(self) -> None:
        backend = interfaces.backend_of(self.world.account, self.region)
        template_id, version = self.template()
        data = self.world.templates[template_id].data(version)
        subnets = [interfaces.subnet_of(backend, s) for s in self.given["VPCZoneIdentifier"].split(",")]
        here = [i.subnet.id for i in self.live()]
        subnet = min((s for s in subnets if s), key=lambda s: here.count(s.id))
        kind = (self.types() or [data.get("InstanceType")])[0]
        self.instances.append(Instance(self, subnet, kind, data))

    def delete(self) -> None:
        self.status = "Delete in progress"
        for instance in self.live():
            instance.terminate()
        self.consider_gone()

    def consider_gone(self) -> None:
        if self.status and not any(i.state != "terminated" for i in self.instances):
            self.world.groups.pop((self.region, self.name), None)


class Instance:
    """An EC2 instance; a container instance too, once its agent has registered it."""

    def __init__(self, group: Group, subnet, kind: str, data: dict):
        world = group.world
        self.group, self.subnet, self.kind, self.data = group, subnet, kind, data
        self.id = f"i-{hexadecimal()}"
        self.state = "pending"
        self.protected = bool(group.given.get("NewInstancesProtectedFromScaleIn"))
        self.tags = {k: t["Value"] for k, t in group.tags.items() if t["PropagateAtLaunch"]}
        self.tags["aws:autoscaling:groupName"] = group.name
        self.container = None
        backend = interfaces.backend_of(world.account, group.region)
        nics = data.get("NetworkInterfaces") or [{}]
        groups = nics[0].get("Groups") or data.get("SecurityGroupIds")
        public = str(nics[0].get("AssociatePublicIpAddress", subnet.map_public_ip_on_launch)).lower() == "true"
        self.eni = interfaces.add(backend, subnet, groups, f"Primary interface of {self.id}", None, public=public)
        world.after(world.settings["instance-start"], self.run)

    def tasks(self) -> list:
        return self.container.tasks() if self.container else []

    def run(self) -> None:
        if self.state != "pending":
            return
        self.state = "running"
        self.group.world.after(self.group.world.settings["instance-join"], self.join)

    def user_data(self) -> dict[str, str]:
        text = base64.b64decode(self.data.get("UserData") or "").decode()
        if not text.startswith("#!") or "/etc/ecs/ecs.config" not in text:
            return {}
        return dict(re.findall(r"^(ECS_\w+)=(.*)$", text, re.MULTILINE))

    def join(self) -> None:
        """The agent registers the instance, if it may and its cluster is there; else it tries again."""
        world, settings = self.group.world, self.user_data()
        if self.state != "running":
            return
        ecs = ecs_of(world, self.group.region)
        cluster = ecs.clusters.get(settings.get("ECS_CLUSTER") or "default")
        profile = iam.profile_named(world.account, (self.data.get("IamInstanceProfile") or {}).get("Arn"))
        role = profile.roles[0] if profile and profile.roles else None
        may = (
            role
            and iam.assumable_by(world, role.arn, "ec2.amazonaws.com")
            and checks.allows(ecs, role.arn, "ecs:RegisterContainerInstance")
        )
        if not may or cluster is None or cluster["status"] != "ACTIVE":
            return world.after(0.3, self.join)
        self.container = placing.ContainerInstance(ecs, cluster, self, settings)

    def size(self) -> tuple[int, int]:
        vcpus, memory = SIZES.get(self.kind.rsplit(".", 1)[-1], (4, 16384))
        return vcpus * 1024, memory - memory // 16

    def terminate(self) -> None:
        """Draining lets tasks end first; those that nobody else ends go down with the instance."""
        if self.state in ("shutting-down", "terminated"):
            return
        world = self.group.world
        self.state = "shutting-down"
        if self.container:
            self.container.drain()
        world.after(world.settings["instance-stop"], self.end)

    def end(self) -> None:
        self.state = "terminated"
        if self.container:
            self.container.deregister(f"Host EC2 (instance {self.id}) terminated.")
        backend = interfaces.backend_of(self.group.world.account, self.group.region)
        interfaces.remove(backend, self.eni.id)
        self.group.consider_gone()
        self.group.adjust()

    def described(self) -> dict:
        return {
            "InstanceId": self.id,
            "InstanceType": self.kind,
            "State": {"Code": 0, "Name": self.state},
            "PrivateIpAddress": self.eni.private_ip_address,
            "SubnetId": self.subnet.id,
            "VpcId": self.subnet.vpc_id,
            "ImageId": self.data.get("ImageId"),
            "Tags": [{"Key": key, "Value": value} for key, value in self.tags.items()],
        }
