"""A service: its scheduler, the circuit breaker, the rollback.

developerguide/deployment-type-ecs.html (rolling), .../deployment-circuit-breaker.html,
.../deployment-type-blue-green.html.
"""

import math
import uuid
from collections import deque

from .. import alarms, targets
from . import connect, definitions, managed, placing
from .checks import unassumable
from .deployment import REVISED, Deployment, Record
from .shifting import rule_named
from .state import Ecs
from .task import Task

LAST_WORDS = "tasks failed to start."


class Service:
    def __init__(self, ecs: Ecs, cluster: dict, name: str, config: dict):
        self.ecs, self.cluster, self.name, self.config = ecs, cluster, name, config
        self.arn = ecs.arn(f"service/{cluster['clusterName']}/{name}")
        self.status = "ACTIVE"
        self.desired = config.pop("desiredCount", 0)
        self.created = ecs.world.now
        self.deployments: list[Deployment] = []
        self.history: list[Deployment] = []
        self.task_sets: list[dict] = []
        self.completed: Deployment | None = None  # the last one that reached COMPLETED
        self.events: deque = deque(maxlen=100)
        self.hold_until = 0.0
        self.live: set[str] = set()  # the target groups with the tasks that serve

    # -- the configuration in words ---------------------------------------------------------------

    @property
    def tasks(self) -> list[Task]:
        return [task for task in self.ecs.tasks.values() if task.service is self]

    @property
    def primary(self) -> Deployment | None:
        return next((d for d in self.deployments if d.status == "PRIMARY"), None)

    @property
    def strategy(self) -> str:
        return self.config["deploymentConfiguration"].get("strategy", "ROLLING")

    @property
    def controller(self) -> str:
        return self.config["deploymentController"]["type"]

    @property
    def breaker(self) -> dict:
        return self.config["deploymentConfiguration"].get("deploymentCircuitBreaker") or {}

    @property
    def daemon(self) -> bool:
        return self.config["schedulingStrategy"] == "DAEMON"

    def threshold(self) -> int:
        """Half of the desired count, between 3 and 200, unless the service says otherwise."""
        given = self.breaker.get("thresholdConfiguration") or {}
        kind, value = given.get("type", "BOUNDED_PERCENT"), given.get("value", 50)
        if kind == "COUNT":
            return max(1, value)
        share = math.ceil(self.desired * value / 100)
        return max(1, share) if kind == "UNBOUNDED_PERCENT" else min(max(share, 3), 200)

    def bounds(self) -> tuple[int, int]:
        config = self.config["deploymentConfiguration"]
        low = math.ceil(self.desired * config["minimumHealthyPercent"] / 100)
        return low, self.desired * config["maximumPercent"] // 100

    def on_fargate(self, revision: dict) -> bool:
        strategy = revision.get("capacityProviderStrategy")
        return (
            strategy[0]["capacityProvider"].startswith("FARGATE")
            if strategy
            else revision.get("launchType") == "FARGATE"
        )

    def definitions_in_use(self) -> set[str]:
        return {d.revision.get("taskDefinition") for d in self.deployments} | {
            t.definition["taskDefinitionArn"] for t in self.tasks if t.status != "STOPPED"
        }

    def event(self, message: str) -> None:
        text = f"(service {self.name}) {message}"
        if self.events and self.events[0]["message"] == text:
            return  # a repeated message is not shown again
        self.events.appendleft({"id": str(uuid.uuid4()), "createdAt": self.ecs.world.now, "message": text})

    # -- deployments ------------------------------------------------------------------------------

    def deploy(self) -> None:
        """Starts a deployment of the present configuration; one that was under way is superseded."""
        sources = []
        for earlier in self.deployments:
            if earlier.tasks():
                sources.append(earlier)
            earlier.status = "ACTIVE"
            if not earlier.record.over:
                earlier.record.move("STOP_REQUESTED")
                earlier.record.move(
                    "STOPPED", "Service deployment was stopped because a new service deployment was started."
                )
        deployment = Deployment(self, sources)
        if not deployment.green:
            self.live = set(filter(None, deployment.groups))
        self.deployments.insert(0, deployment)
        self.history.insert(0, deployment)
        self.hold_until = 0.0
        connect.announce(self)
        self.ecs.world.after(0.01, lambda: self.begin(deployment))

    def begin(self, deployment: Deployment) -> None:
        if self.status != "ACTIVE" or deployment.record.status != "PENDING":
            return
        deployment.record.move("IN_PROGRESS")
        if deployment.course:
            # What another deployment had begun is undone first.
            self.route(self.completed)
            for task in self.tasks:
                if task.deployment not in (deployment, self.completed) and task.desired == "RUNNING":
                    self.stop(task, "Scaling activity initiated by deployment " + deployment.id)
            return deployment.course.enter("PRE_SCALE_UP")
        deployment.record.stage = "SCALE_UP"
        self.reconcile()

    def reconcile(self) -> None:
        """One look at the service by the scheduler: stop what is too much, start what is missing."""
        deployment = self.primary
        if self.status != "ACTIVE" or deployment is None or deployment.record.status == "PENDING":
            return
        if self.daemon:
            self.desired = sum(
                i.cluster is self.cluster and placing.allowed(i, placing.asked(self))
                for i in self.ecs.instances.values()
            )
        live = [task for task in self.tasks if task.desired == "RUNNING"]
        mine = [task for task in live if task.deployment is deployment]
        others = [task for task in live if task.deployment is not deployment]
        low, high = self.bounds()
        for task in sorted(mine, key=lambda t: (t.healthy, -t.created))[: max(0, len(mine) - self.desired)]:
            self.stop(task, "Scaling activity initiated by deployment " + deployment.id)
            mine.remove(task)
        if deployment.rollout == "FAILED":
            return
        if deployment.green and not deployment.shifted:
            if deployment.course.stage in (None, "PRE_SCALE_UP"):
                return
            high = len(others) + self.desired
            if len(mine) == self.desired and all(task.healthy for task in mine):
                deployment.course.scaled()
        else:
            healthy = sum(task.healthy for task in mine + others)
            for task in sorted(others, key=lambda t: t.healthy):
                if task.healthy and not deployment.green:
                    if healthy - 1 < low:
                        continue
                    healthy -= 1
                self.stop(task, "Scaling activity initiated by deployment " + deployment.id)
        remaining = sum(task.desired == "RUNNING" for task in mine + others)
        missing, room = self.desired - len(mine), high - remaining
        if missing > 0 >= room and all(task.healthy for task in live) and remaining == len(live):
            self.event(
                "was unable to stop or start tasks during a deployment because of the service deployment configuration. "
                "Update the minimumHealthyPercent or maximumPercent value and try again."
            )
        self.launch(deployment, min(missing, room))
        self.consider_finished(deployment)

    def launch(self, deployment: Deployment, count: int) -> None:
        world, revision = self.ecs.world, deployment.revision
        if count <= 0 or world.now < self.hold_until:
            return
        definition = definitions.find(self.ecs, revision["taskDefinition"])
        problem = unassumable(self.ecs, definition)
        if problem:
            self.event(f"failed to launch a task with (error {problem}).")
            deployment.failed += 1
            # Slow enough for a role that is only new not to trip the circuit breaker.
            self.retry_in(max(0.5, 0.6 * world.settings["role-visible-after"]))
            return self.judge(deployment)
        started = []
        for number in range(count):
            task = Task(
                self.ecs, self.cluster, definition, self.task_config(revision, len(deployment.tasks()) + number),
                service=self, deployment=deployment, group=f"service:{self.name}", started_by=deployment.id,
            )  # fmt: skip
            if task.config["launchType"] == "EC2" and not task.config.get("capacityProvider"):
                instances = [i for i in self.ecs.instances.values() if placing.takes(i, task)]
                if not instances:
                    self.ecs.tasks.pop(task.arn)
                    self.event(unplaced(self))
                    break
                task.instance = instances[0]  # and holds its place there until it starts
            self.tag(task)
            started.append(task)
        if not started:
            return
        self.event(f"has started {len(started)} tasks: " + " ".join(f"(task {task.id})" for task in started) + ".")
        for task in started:
            if task.instance:
                task.put_on(task.instance)
            else:
                task.start()

    def task_config(self, revision: dict, number: int) -> dict:
        launch = "FARGATE" if self.on_fargate(revision) else "EC2"
        config = {"launchType": launch, "enableExecuteCommand": self.config.get("enableExecuteCommand", False)}
        config |= {key: revision[key] for key in ("platformVersion", "networkConfiguration", "volumeConfigurations") if key in revision}
        strategy = revision.get("capacityProviderStrategy")
        if strategy:
            # The base first, the rest by weight.
            order = [item["capacityProvider"] for item in strategy for _ in range(item.get("base", 0))]
            weighted = [item["capacityProvider"] for item in strategy for _ in range(item.get("weight", 0))]
            config["capacityProvider"] = (
                order[number] if number < len(order) else weighted[(number - len(order)) % len(weighted)]
            )
            if managed.is_managed(self.ecs.providers.get(config["capacityProvider"])):
                config["launchType"] = "MANAGED_INSTANCES"
        return config

    def tag(self, task: Task) -> None:
        source = {"SERVICE": self.arn, "TASK_DEFINITION": task.definition["taskDefinitionArn"]}.get(
            self.config.get("propagateTags")
        )
        tags = list(self.ecs.tags.get(source, [])) if source else []
        if self.config.get("enableECSManagedTags"):
            tags += [
                {"key": "aws:ecs:serviceName", "value": self.name},
                {"key": "aws:ecs:clusterName", "value": self.cluster["clusterName"]},
            ]
        self.ecs.tags[task.arn] = tags

    def stop(self, task: Task, reason: str) -> None:
        self.event(f"has stopped 1 running tasks: (task {task.id}).")
        task.stop("ServiceSchedulerInitiated", reason)

    def retry_in(self, delay: float) -> None:
        self.hold_until = self.ecs.world.now + delay
        self.ecs.world.after(delay, self.reconcile)

    # -- what tasks report ------------------------------------------------------------------------

    def on_healthy(self, task: Task) -> None:
        if self.breaker.get("resetOnHealthyTask", True):
            task.deployment.failed = 0
        self.reconcile()

    def on_stopped(self, task: Task) -> None:
        if task.stop_code in ("TaskFailedToStart", "EssentialContainerExited"):
            if task.stop_code == "EssentialContainerExited":
                self.event(f"(task {task.id}) stopped: {task.reason}")
            self.count_failure(task, task.reason)
        if self.status == "DRAINING":
            self.consider_drained()
        self.reconcile()

    def count_failure(self, task: Task, reason: str) -> None:
        deployment = task.deployment
        if deployment.status != "PRIMARY" or self.status != "ACTIVE":
            return
        deployment.failed += 1
        deployment.updated = self.ecs.world.now
        # Failing tasks are started again ever more slowly: developerguide/service-throttle-logic.html
        self.retry_in(min(0.05 * 2**deployment.failed, 10))
        if deployment.failed > 3:
            self.event(
                "is unable to consistently start tasks successfully. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide."
            )
        self.judge(deployment)

    def judge(self, deployment: Deployment) -> None:
        """The circuit breaker."""
        if (
            not (self.breaker.get("enable") or deployment.course)
            or deployment.rollout != "IN_PROGRESS"
            or deployment.failed < self.threshold()
        ):
            return
        if deployment.record.status in ("ROLLBACK_IN_PROGRESS", "ROLLBACK_REQUESTED"):
            return
        if deployment.course:
            return deployment.course.give_up(f"Service deployment rolled back because {LAST_WORDS}")
        record, reason = deployment.record, f"ECS deployment circuit breaker: {LAST_WORDS}"
        deployment.rollout, deployment.reason, deployment.updated = "FAILED", reason, self.ecs.world.now
        record.breaker = "TRIGGERED"
        self.event(f"(deployment {deployment.id}) deployment failed: {LAST_WORDS}")
        if self.breaker.get("rollback") and self.completed:
            self.roll_back(
                deployment, "Service deployment rolled back because the circuit breaker threshold was exceeded."
            )
        else:
            record.move("STOPPED", "Service deployment stopped because the circuit breaker threshold was exceeded.")

    # -- alarms -----------------------------------------------------------------------------------

    def in_alarm(self, name: str) -> bool:
        state = alarms.state_of(self.ecs.world, self.ecs.region)
        return state.alarms.get(name, {}).get("StateValue") == "ALARM"

    def on_alarm(self, name: str) -> None:
        """An alarm has gone off.  developerguide/deployment-alarm-failure.html"""
        deployment = self.primary
        record = deployment.record if deployment else None
        if record is None or record.status != "IN_PROGRESS" or name not in record.alarm_names() or name in record.ignored:
            return
        record.triggered = [name]
        reason = f"Service deployment rolled back because alarm(s) detected: {name}."
        deployment.rollout, deployment.reason = "FAILED", f"ECS deployment {deployment.id} failed: alarm(s) detected."
        self.event(f"(deployment {deployment.id}) deployment failed: alarm detected: {name}.")
        if record.configuration["alarms"]["rollback"]:
            return self.give_up(deployment, reason)
        record.move("STOPPED", f"Service deployment stopped because alarm(s) detected: {name}.")

    def give_up(self, deployment: Deployment, reason: str) -> None:
        if self.completed:
            return self.roll_back(deployment, reason)
        deployment.record.move("STOPPED", reason)

    def roll_back(self, failed: Deployment, reason: str) -> None:
        """Puts the last completed deployment back into service."""
        target = self.completed
        self.config.update({key: target.revision.get(key) for key in REVISED})
        self.config = {key: value for key, value in self.config.items() if value is not None}
        failed.status = "ACTIVE"
        target.status, target.rollout, target.finishing, target.failed = "PRIMARY", "IN_PROGRESS", False, 0
        target.reason = f"ECS deployment circuit breaker: rolling back to deploymentId {target.id}."
        target.updated = self.ecs.world.now
        if target in self.deployments:
            self.deployments.remove(target)
        self.deployments.insert(0, target)
        target.shifted = True
        if failed.course:
            self.route(target)
        self.hold_until = 0.0
        failed.record.rollback = {
            "reason": reason,
            "startedAt": self.ecs.world.now,
            "serviceRevisionArn": target.revision_arn,
        }
        failed.record.move("ROLLBACK_IN_PROGRESS", reason)
        self.rolling_back = failed.record
        self.event(f"rolling back to deployment {target.id}.")
        self.reconcile()

    rolling_back: Record | None = None

    # -- the end of a deployment ----------------------------------------------------------------

    def consider_finished(self, deployment: Deployment) -> None:
        if deployment.rollout == "IN_PROGRESS" and not deployment.finishing and self.is_done(deployment):
            deployment.finishing = True
            deployment.record.stage = "CLEAN_UP" if deployment.course else "BAKE_TIME"
            self.ecs.world.after(self.ecs.world.settings["deployment-bake"], lambda: self.finish(deployment))

    def is_done(self, deployment: Deployment) -> bool:
        alive = [task for task in self.tasks if task.status != "STOPPED"]
        mine = [task for task in alive if task.deployment is deployment and task.desired == "RUNNING"]
        return (
            deployment.shifted
            and len(mine) == self.desired
            and all(t.healthy for t in mine)
            and len(mine) == len(alive)
        )

    def finish(self, deployment: Deployment) -> None:
        deployment.finishing = False
        if deployment.status != "PRIMARY" or deployment.rollout != "IN_PROGRESS" or self.status != "ACTIVE":
            return
        if not self.is_done(deployment):
            return self.reconcile()
        deployment.rollout, deployment.reason = "COMPLETED", f"ECS deployment {deployment.id} completed."
        deployment.updated = self.ecs.world.now
        self.deployments = [deployment]
        self.completed = deployment
        connect.withdraw(self)
        if self.rolling_back:
            self.rolling_back.move("ROLLBACK_SUCCESSFUL")
            self.rolling_back = None
        if not deployment.record.over:
            deployment.record.move("SUCCESSFUL")
        self.event(f"(deployment {deployment.id}) deployment completed.")
        self.event("has reached a steady state.")

    # -- requests that move -----------------------------------------------------------------------

    def place(self, balancer: dict, green: bool) -> str | None:
        """The target group of a pair in which the tasks of a new deployment are: where no others serve."""
        own = balancer.get("targetGroupArn")
        other = (balancer.get("advancedConfiguration") or {}).get("alternateTargetGroupArn")
        return other if green and other and own in self.live else own

    def shift(self, deployment: Deployment) -> None:
        """All requests reach the new tasks, and the old ones go.  What serves is from then on the service's own
        target group; with the setting `swap-target-groups` at 0 only the rule's weights tell which it is."""
        deployment.shifted = True
        self.live = set(filter(None, deployment.groups))
        balancers = []
        for group, balancer in zip(deployment.groups, deployment.revision.get("loadBalancers", [])):
            advanced = balancer.get("advancedConfiguration")
            if advanced and group != balancer["targetGroupArn"] and self.ecs.world.settings["swap-target-groups"]:
                swapped = advanced | {"alternateTargetGroupArn": balancer["targetGroupArn"]}
                balancer = balancer | {"targetGroupArn": group, "advancedConfiguration": swapped}
            balancers.append(balancer)
        if balancers:
            deployment.revision["loadBalancers"] = self.config["loadBalancers"] = balancers
        self.reconcile()

    def route(self, deployment: Deployment | None) -> None:
        """All requests to a deployment."""
        if deployment:
            self.live = set(filter(None, deployment.groups))
            self.lead(deployment, "productionListenerRule", 100.0)
            self.lead(deployment, "testListenerRule", 100.0)

    def lead(self, deployment: Deployment, by: str, share: float) -> None:
        """Leads a share of the requests that come by a rule to a deployment."""
        for group, balancer in zip(deployment.groups, deployment.revision.get("loadBalancers", [])):
            advanced = balancer.get("advancedConfiguration") or {}
            pair = (balancer["targetGroupArn"], advanced.get("alternateTargetGroupArn"))
            rule = rule_named(self.ecs, advanced.get(by))
            if rule is None or pair[1] is None:
                continue
            # A weight is a whole number of at most 999.
            groups = [
                {"TargetGroupArn": arn, "Weight": round(share if arn == group else 100 - share)} for arn in pair
            ]
            for action in rule.actions:
                if action.type == "forward":
                    forward = {"TargetGroups": groups, "TargetGroupStickinessConfig": {"Enabled": False}}
                    action.data.pop("TargetGroupArn", None)
                    action.__dict__.pop("TargetGroupArn", None)
                    action.data["ForwardConfig"] = action.__dict__["ForwardConfig"] = forward

    # -- deletion ---------------------------------------------------------------------------------

    def drain(self) -> None:
        self.status, self.desired = "DRAINING", 0
        for deployment in self.deployments:
            if not deployment.record.over:
                deployment.record.move("STOPPED", "Service deployment was stopped because the service was deleted.")
        for task in self.tasks:
            if task.desired == "RUNNING":
                self.stop(task, f"Service {self.name} was deleted")
        self.consider_drained()

    def consider_drained(self) -> None:
        if all(task.status == "STOPPED" for task in self.tasks):
            self.ecs.world.after(self.ecs.world.settings["drain"], self.vanish)

    def vanish(self) -> None:
        # Its deployments and revisions go with it.
        self.status, self.deployments, self.history, self.task_sets = "INACTIVE", [], [], []
        connect.withdraw(self)

    # -- describing -------------------------------------------------------------------------------

    def described(self, include=()) -> dict:
        config = self.config
        live = [task for task in self.tasks if task.desired == "RUNNING"]
        answer = {
            "serviceArn": self.arn,
            "serviceName": self.name,
            "clusterArn": self.cluster["clusterArn"],
            "status": self.status,
            "desiredCount": self.desired,
            "runningCount": sum(t.status == "RUNNING" for t in live),
            "pendingCount": sum(t.status in ("PROVISIONING", "PENDING") for t in live),
            "loadBalancers": [],
            "serviceRegistries": [],
            "placementConstraints": [],
            "placementStrategy": [],
            "deployments": [d.described() for d in self.deployments]
            if self.controller == "ECS" or self.deployments
            else [],
            "events": list(self.events),
            "createdAt": self.created,
            "createdBy": f"arn:aws:iam::{self.ecs.account}:root",
            "roleArn": f"arn:aws:iam::{self.ecs.account}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",
        }
        # These three are shown in the deployments only.
        hidden = ("serviceConnectConfiguration", "volumeConfigurations", "vpcLatticeConfigurations")
        answer |= {key: value for key, value in config.items() if key not in hidden}
        if self.task_sets:
            answer["taskSets"] = self.task_sets
        if self.on_fargate(config):
            answer |= {"platformVersion": config.get("platformVersion", "LATEST"), "platformFamily": "Linux"}
        if self.deployments:
            current = self.rolling_back or self.deployments[0].record
            answer["currentServiceDeployment"] = current.arn
            answer["currentServiceRevisions"] = [d.summary() for d in self.deployments]
        if "TAGS" in include:
            answer["tags"] = self.ecs.tags.get(self.arn, [])
        return answer


def unplaced(service: Service) -> str:
    mine = [i for i in service.ecs.instances.values() if i.cluster is service.cluster]
    reason = (
        f"The closest matching (container-instance {mine[0].arn.rsplit('/', 1)[-1]}) has insufficient resources available."
        if mine
        else "No Container Instances were found in your cluster."
    )
    return (
        "was unable to place a task because no container instance met all of its requirements. "
        f"Reason: {reason} For more information, see the Troubleshooting section."
    )
