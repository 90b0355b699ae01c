"""What one account has in one region."""

import itertools
import random
import uuid

from ..errors import AwsError


def invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterException", message)


def refused(message: str) -> AwsError:
    return AwsError("ClientException", message)


class Ecs:
    def __init__(self, world, region: str):
        self.world, self.region = world, region
        self.clusters: dict[str, dict] = {}
        self.providers: dict[str, dict] = {}
        self.families: dict[str, dict[int, dict]] = {}
        self.revisions: dict[str, int] = {}  # family -> last revision number ever given
        self.services: dict[tuple[str, str], object] = {}
        self.tasks: dict[str, object] = {}
        self.instances: dict[str, object] = {}  # container instances
        self.hosts: list = []  # the instances that ECS manages
        self.looking = False  # whether the scheduler is about to look for places
        self.tags: dict[str, list[dict]] = {}
        self.account_settings: dict[str, str] = {}
        self.numbers = itertools.count(random.randrange(10**18, 9 * 10**18))

    @property
    def account(self) -> str:
        return self.world.account

    def arn(self, rest: str) -> str:
        return f"arn:aws:ecs:{self.region}:{self.account}:{rest}"

    def cluster(self, reference: str | None) -> dict:
        """An ACTIVE cluster by name or ARN; `default` when none is named."""
        cluster = self.clusters.get(short(reference or "default"))
        if cluster is None or cluster["status"] != "ACTIVE":
            raise AwsError(
                "ClusterNotFoundException",
                "Cluster not found." if cluster is None else "The referenced cluster was inactive.",
            )
        return cluster

    def service(self, cluster: dict, reference: str):
        return self.services.get((cluster["clusterName"], short(reference)))

    def services_in(self, name: str) -> list:
        return [service for (cluster, _), service in self.services.items() if cluster == name]

    def tasks_in(self, name: str) -> list:
        return [task for task in self.tasks.values() if task.cluster["clusterName"] == name]

    def set_tags(self, arn: str, tags: list[dict] | None) -> None:
        """Adds tags, replacing those with the same key."""
        if not tags:
            return
        for tag in tags:
            if tag.get("key", "").lower().startswith("aws:"):
                raise invalid("The tag key cannot start with 'aws:'. This prefix is reserved for AWS use.")
        merged = {t["key"]: t for t in self.tags.get(arn, [])} | {t["key"]: t for t in tags}
        if len(merged) > 50:
            raise invalid("The maximum number of tags that can be applied to a resource is 50.")
        self.tags[arn] = list(merged.values())

    def existing(self):
        """(kind, id, arn, state) of what is not deleted; for the leak check."""
        for cluster in self.clusters.values():
            if cluster["status"] != "INACTIVE":
                yield "cluster", cluster["clusterName"], cluster["clusterArn"], cluster["status"]
        for provider in self.providers.values():
            if provider["status"] != "INACTIVE":
                yield "capacity-provider", provider["name"], provider["capacityProviderArn"], provider["status"]
        for instance in self.instances.values():
            yield "container-instance", instance.host.id, instance.arn, instance.status
        for service in self.services.values():
            if service.status != "INACTIVE":
                yield "service", service.name, service.arn, service.status
        for task in self.tasks.values():
            if task.status != "STOPPED":
                yield "task", task.id, task.arn, task.status
        for family in self.families.values():
            for definition in family.values():
                if definition["status"] == "ACTIVE":
                    yield (
                        "task-definition",
                        short(definition["taskDefinitionArn"]),
                        definition["taskDefinitionArn"],
                        "ACTIVE",
                    )


def short(reference: str) -> str:
    """The last part of an ARN, or the name itself."""
    return reference.rsplit("/", 1)[-1]


def new_id() -> str:
    return uuid.uuid4().hex


def limit(values: list, most: int, name: str) -> None:
    if len(values) > most:
        raise invalid(f"{name} can have at most {most} items.")
