"""A deployment of a service: the revision it puts into service, and the record of how that went.

developerguide/service-deployment.html
"""

import random
import string

from . import definitions
from .checks import digest_of
from .shifting import Course

# What a deployment puts into effect; a change of any other member starts none.
REVISED = (
    "taskDefinition",
    "launchType",
    "capacityProviderStrategy",
    "platformVersion",
    "networkConfiguration",
    "loadBalancers",
    "serviceRegistries",
    "serviceConnectConfiguration",
    "volumeConfigurations",
    "vpcLatticeConfigurations",
)


class Deployment:
    """One service revision on its way into service, and the record of that."""

    def __init__(self, service, sources: list):
        ecs = service.ecs
        self.service = service
        self.number = str(next(ecs.numbers))
        self.id = f"ecs-svc/{self.number}"
        self.revision = {key: service.config[key] for key in REVISED if service.config.get(key)}
        self.revision_arn = ecs.arn(f"service-revision/{service.cluster['clusterName']}/{service.name}/{self.number}")
        self.created = self.updated = ecs.world.now
        self.status, self.rollout = "PRIMARY", "IN_PROGRESS"
        self.reason = f"ECS deployment {self.id} in progress."
        self.failed = 0
        self.finishing = False
        self.green = bool(sources) and service.strategy != "ROLLING"
        self.shifted = not self.green
        self.groups = [service.place(balancer, self.green) for balancer in self.revision.get("loadBalancers", [])]
        self.course = Course(self) if self.green else None
        self.record = Record(self, sources)

    def load_balancers(self) -> list[tuple[str, int]]:
        """(target group, port) for the tasks.  A green deployment takes the groups that are not live."""
        balancers = self.revision.get("loadBalancers", [])
        return [(arn, b["containerPort"]) for arn, b in zip(self.groups, balancers) if arn]

    def shares(self) -> dict:
        """The requests that are led to it, in percent."""
        newest = self.service.primary
        course = newest.course if newest else None
        if course is None or self.service.strategy == "ROLLING" or newest.shifted:
            mine = (100.0, 100.0) if self is newest else (0.0, 0.0)
        elif self is newest:
            mine = (course.production, course.tests)
        else:
            live = self.service.completed is self
            mine = (100.0 - course.production, 100.0 - course.tests) if live else (0.0, 0.0)
        return {"requestedProductionTrafficWeight": mine[0], "requestedTestTrafficWeight": mine[1]}

    def tasks(self) -> list:
        return [task for task in self.service.tasks if task.deployment is self]

    def running(self) -> int:
        return sum(t.status == "RUNNING" and t.desired == "RUNNING" for t in self.tasks())

    def pending(self) -> int:
        return sum(t.status in ("PROVISIONING", "PENDING") and t.desired == "RUNNING" for t in self.tasks())

    def described(self) -> dict:
        revision = self.revision
        answer = {
            "id": self.id,
            "status": self.status,
            "taskDefinition": revision.get("taskDefinition"),
            "desiredCount": self.service.desired if self.status == "PRIMARY" and self.rollout != "FAILED" else 0,
            "pendingCount": self.pending(),
            "runningCount": self.running(),
            "failedTasks": self.failed,
            "createdAt": self.created,
            "updatedAt": self.updated,
            "rolloutState": self.rollout,
            "rolloutStateReason": self.reason,
        }
        for key in (
            "launchType",
            "capacityProviderStrategy",
            "networkConfiguration",
            "serviceConnectConfiguration",
            "volumeConfigurations",
            "vpcLatticeConfigurations",
        ):
            if revision.get(key):
                answer[key] = revision[key]
        if self.service.on_fargate(revision):
            answer |= {"platformVersion": fargate_version(revision), "platformFamily": "Linux"}
        return {key: value for key, value in answer.items() if value is not None}

    def described_revision(self) -> dict:
        service = self.service
        definition = (
            definitions.find(service.ecs, self.revision["taskDefinition"])
            if "taskDefinition" in self.revision
            else None
        )
        answer = {
            "serviceRevisionArn": self.revision_arn,
            "serviceArn": service.arn,
            "clusterArn": service.cluster["clusterArn"],
            "createdAt": self.created,
            "guardDutyEnabled": False,
            "containerImages": [
                {"containerName": c["name"], "image": c["image"], "imageDigest": digest_of(c["image"])}
                for c in (definition or {}).get("containerDefinitions", [])
            ],
        } | self.revision
        if service.on_fargate(self.revision):
            answer |= {"platformVersion": fargate_version(self.revision), "platformFamily": "Linux"}
        return answer

    def summary(self) -> dict:
        requested = self.service.desired if self.status == "PRIMARY" else 0
        return {
            "arn": self.revision_arn,
            "requestedTaskCount": requested,
            "runningTaskCount": self.running(),
            "pendingTaskCount": self.pending(),
        } | self.shares()


def fargate_version(revision: dict) -> str:
    """A deployment shows the version that LATEST stood for."""
    given = revision.get("platformVersion", "LATEST")
    return "1.4.0" if given == "LATEST" else given


class Record:
    """A service deployment, as DescribeServiceDeployments tells of it."""

    def __init__(self, deployment: Deployment, sources: list):
        service = deployment.service
        name = "".join(random.choices(string.ascii_letters + string.digits, k=21))
        self.deployment, self.sources = deployment, sources
        self.arn = service.ecs.arn(f"service-deployment/{service.cluster['clusterName']}/{service.name}/{name}")
        self.status, self.status_reason, self.stage = "PENDING", None, None
        self.created = self.updated = service.ecs.world.now
        self.started = self.finished = self.stopped = None
        self.rollback = None
        self.breaker = "MONITORING" if service.breaker.get("enable") else "DISABLED"
        self.configuration = dict(service.config["deploymentConfiguration"])
        # "Ignored for that deployment if already in ALARM at its start".
        self.ignored = {name for name in self.alarm_names() if service.in_alarm(name)}
        self.triggered: list[str] = []

    def move(self, status: str, reason: str | None = None) -> None:
        now = self.deployment.service.ecs.world.now
        self.status, self.updated = status, now
        if reason:
            self.status_reason = reason
        if status == "IN_PROGRESS" and not self.started:
            self.started = now
        if status in ("SUCCESSFUL", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED"):
            self.finished = now
        if status == "STOPPED":
            self.stopped = self.finished = now
        if status in ("SUCCESSFUL", "STOPPED") and self.breaker == "MONITORING":
            self.breaker = "MONITORING_COMPLETE"

    @property
    def over(self) -> bool:
        return self.status in ("SUCCESSFUL", "STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED")

    def alarm_names(self) -> list[str]:
        """The alarms that end it."""
        given = self.configuration.get("alarms") or {}
        return given.get("alarmNames", []) if given.get("enable") else []

    def alarms(self) -> dict:
        given = self.configuration.get("alarms") or {}
        watched = "MONITORING_COMPLETE" if self.over else "MONITORING"
        watched = "TRIGGERED" if self.triggered else watched
        return {
            "status": watched if given.get("enable") else "DISABLED",
            "alarmNames": given.get("alarmNames", []),
            "triggeredAlarmNames": self.triggered,
        }

    def brief(self) -> dict:
        service = self.deployment.service
        answer = {
            "serviceDeploymentArn": self.arn,
            "serviceArn": service.arn,
            "clusterArn": service.cluster["clusterArn"],
            "createdAt": self.created,
            "targetServiceRevisionArn": self.deployment.revision_arn,
            "status": self.status,
            "startedAt": self.started,
            "finishedAt": self.finished,
            "statusReason": self.status_reason,
        }
        return {key: value for key, value in answer.items() if value is not None}

    def described(self) -> dict:
        answer = self.brief()
        answer.pop("targetServiceRevisionArn")
        answer |= {
            "updatedAt": self.updated,
            "sourceServiceRevisions": [source.summary() for source in self.sources],
            "targetServiceRevision": self.deployment.summary(),
            "deploymentConfiguration": self.configuration,
            "deploymentCircuitBreaker": {
                "status": self.breaker,
                "failureCount": self.deployment.failed,
                "threshold": self.deployment.service.threshold(),
            },
            "alarms": self.alarms(),
        }
        if self.stopped:
            answer["stoppedAt"] = self.stopped
        if self.stage and not self.over:
            answer["lifecycleStage"] = self.stage
            course = self.deployment.course
            if course and course.hooks:
                answer["lifecycleHookDetails"] = course.hooks
        if self.rollback:
            answer["rollback"] = self.rollback
        return answer
