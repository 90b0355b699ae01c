"""A task: PROVISIONING, PENDING, RUNNING, DEACTIVATING, STOPPING, DEPROVISIONING, STOPPED.

developerguide/task-lifecycle-explanation.html; the words of failures are from
developerguide/stopped-task-error-codes.html and .../stopped-task-errors.html.

An image whose name holds one of these marks does not do well:

    :bad-pull    cannot be pulled
    :bad-exit    exits with code 1 as soon as it runs
    :bad-oom     is killed for its use of memory (137)
    :bad-health  runs, and fails the health checks
    :bad-late    exits with code 1 a second after it was healthy
    :good-exit   exits with code 0 as soon as it has run, as a one-off job does
"""

import fnmatch
import hashlib
import json
import random

from .. import iam, interfaces, targets
from ..logs import backend_of as logs_of
from .definitions import ECR_IMAGE
from .state import Ecs, new_id

ASSUME = (
    "ECS was unable to assume the role '{}' that was provided for this task. Please verify that the role being passed "
    "has the proper trust relationship and permissions and that your IAM user has permissions to pass this role."
)


class Task:
    def __init__(self, ecs: Ecs, cluster: dict, definition: dict, config: dict, **more):
        self.ecs, self.cluster, self.definition, self.config = ecs, cluster, definition, config
        self.id = new_id()
        self.arn = ecs.arn(f"task/{cluster['clusterName']}/{self.id}")
        self.service = more.get("service")
        self.deployment = more.get("deployment")
        self.group = more.get("group")
        self.started_by = more.get("started_by")
        self.overrides = more.get("overrides") or {}
        self.status, self.desired = "PROVISIONING", "RUNNING"
        self.healthy = self.was_healthy = False
        self.created, self.started, self.stopping, self.stopped = ecs.world.now, None, None, None
        self.stop_code = self.reason = None
        self.container_reason = self.exit_code = None
        self.version = 1
        self.eni = None
        self.attachment = new_id()
        self.details: list[dict] = []
        self.target_groups: list[tuple[str, int]] = []
        ecs.tasks[self.arn] = self

    # -- starting -----------------------------------------------------------------------------

    def start(self) -> None:
        world = self.ecs.world
        if self.definition["networkMode"] == "awsvpc" and not self.attach():
            return
        delay = world.settings["task-start"]
        world.after(delay / 3, lambda: self.move("PENDING", "PROVISIONING"))
        world.after(delay, self.run)

    def attach(self) -> bool:
        """Gives the task an interface of its own, in the subnet that has fewest of this service's tasks."""
        backend = interfaces.backend_of(self.ecs.account, self.ecs.region)
        network = self.config["networkConfiguration"]["awsvpcConfiguration"]
        mates = [t.subnet_id() for t in self.ecs.tasks.values() if t.service and t.service is self.service and t.desired == "RUNNING"]
        subnets = [s for s in (interfaces.subnet_of(backend, i) for i in network["subnets"]) if s]
        subnets.sort(key=lambda subnet: mates.count(subnet.id))
        public = network.get("assignPublicIp") == "ENABLED"
        for subnet in subnets:
            description = self.ecs.arn(f"attachment/{self.attachment}")
            self.eni = interfaces.add(backend, subnet, network.get("securityGroups"), description, "amazon-ecs", "interface", public)
            if self.eni:
                self.details = [
                    {"name": "subnetId", "value": subnet.id},
                    {"name": "networkInterfaceId", "value": self.eni.id},
                    {"name": "macAddress", "value": self.eni.mac_address},
                    {"name": "privateDnsName", "value": f"ip-{self.eni.private_ip_address.replace('.', '-')}.ec2.internal"},
                    {"name": "privateIPv4Address", "value": self.eni.private_ip_address},
                ]
                return True
        subnet = (network["subnets"] or ["?"])[0]
        self.fail("unexpected EC2 error while attempting to Create Network Interface in subnet "
                  f"'{subnet}': InsufficientFreeAddressesInSubnet")  # fmt: skip
        return False

    def subnet_id(self) -> str | None:
        return self.eni.subnet.id if self.eni else None

    def move(self, status: str, *only_from: str) -> None:
        if not only_from or self.status in only_from:
            self.status = status
            self.version += 1

    def images(self, mark: str) -> bool:
        return any(mark in container["image"] for container in self.definition["containerDefinitions"])

    def run(self) -> None:
        world = self.ecs.world
        if self.desired == "STOPPED":
            return
        problem = self.problem()
        if problem:
            return self.fail(problem)
        self.move("RUNNING")
        self.started = world.now
        for container in self.definition["containerDefinitions"]:
            self.log(container, "started")
        soon = world.settings["stop"] / 2
        if self.images(":bad-exit"):
            world.after(soon, lambda: self.exit(1, None, "error: exit status 1"))
        elif self.images(":bad-oom"):
            world.after(soon, lambda: self.exit(137, "OutOfMemoryError: Container killed due to memory usage", None))
        elif self.images(":good-exit"):
            world.after(soon, lambda: self.exit(0, None, "done"))
        self.register()
        checked = self.target_groups or any(c.get("healthCheck") for c in self.definition["containerDefinitions"])
        if checked:
            world.after(world.settings["target-healthy"], self.check_health)
        elif not (self.images(":bad-exit") or self.images(":bad-oom")):
            self.became_healthy()
        if self.service:
            self.service.reconcile()

    def problem(self) -> str | None:
        """Why the task cannot start, in AWS's words."""
        for container in self.definition["containerDefinitions"]:
            image = container["image"]
            if ":bad-pull" in image or not self.in_registry(image):
                return f"CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref {image}: not found"
            log = container.get("logConfiguration") or {}
            if log.get("logDriver") == "awslogs":
                problem = self.log_problem(log["options"])
                if problem:
                    return problem
            role = self.role("executionRoleArn")
            for secret in container.get("secrets", []):
                action = "secretsmanager:GetSecretValue" if ":secretsmanager:" in secret["valueFrom"] else "ssm:GetParameters"
                if role and not allows(self.ecs, role, action):
                    return (
                        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
                        f"unable to retrieve secret: AccessDeniedException: {role} is not authorized to perform: {action}"
                    )
            if role and ECR_IMAGE.match(image) and not allows(self.ecs, role, "ecr:GetAuthorizationToken"):
                return (
                    "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
                    f"unable to get registry auth from asm: AccessDeniedException: {role} is not authorized to perform: ecr:GetAuthorizationToken"
                )
        return None

    def in_registry(self, image: str) -> bool:
        """Whether this account's registry, if the image is from there, has it.  A repository without
        any image passes, so that a test need not push one."""
        host, _, path = image.partition("/")
        if not ECR_IMAGE.match(image) or not host.startswith(self.ecs.account):
            return True
        from ..ecr import backend_of

        name, _, digest = path.partition("@")
        name, _, tag = name.partition(":")
        repository = backend_of(self.ecs.account, host.split(".")[3]).repositories.get(name)
        if repository is None or not repository.images:
            return repository is not None
        return any(image.get_image_digest() == digest if digest else (tag or "latest") in image.image_tags for image in repository.images)

    def log_problem(self, options: dict) -> str | None:
        group = options["awslogs-group"]
        role = self.role("executionRoleArn")
        failed = "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to create Cloudwatch log stream: "
        if role and not allows(self.ecs, role, "logs:CreateLogStream"):
            return failed + f"AccessDeniedException: {role} is not authorized to perform: logs:CreateLogStream on resource: {group} : exit status 1"
        backend = logs_of(self.ecs.account, options["awslogs-region"])
        if group not in backend.groups:
            if options.get("awslogs-create-group") != "true":
                return failed + "ResourceNotFoundException: The specified log group does not exist. : exit status 1"
            backend.create_log_group(group, {})
        return None

    def role(self, member: str) -> str | None:
        return self.overrides.get(member) or self.definition.get(member)

    def log(self, container: dict, message: str) -> None:
        options = (container.get("logConfiguration") or {}).get("options", {})
        if (container.get("logConfiguration") or {}).get("logDriver") != "awslogs":
            return
        backend = logs_of(self.ecs.account, options["awslogs-region"])
        group = backend.groups.get(options["awslogs-group"])
        if group is None:
            return
        stream = f"{options.get('awslogs-stream-prefix', 'ecs')}/{container['name']}/{self.id}"
        if stream not in group.streams:
            group.create_log_stream(stream)
        group.streams[stream].put_log_events([{"timestamp": int(self.ecs.world.now * 1000), "message": message}])

    # -- health -------------------------------------------------------------------------------

    def register(self) -> None:
        balancers = self.deployment.load_balancers() if self.deployment else []
        backend = targets.backend_of(self.ecs.account, self.ecs.region)
        for arn, port in balancers:
            group = backend.target_groups.get(arn)
            if group is None or self.eni is None:
                self.service.event(f"was unable to register targets in (target-group {arn}): TARGET GROUP IS NOT FOUND")
                continue
            targets.register(self.ecs.world, group, self.eni.private_ip_address, port, self.images(":bad-health"))
            self.target_groups.append((arn, port))
            self.service.event(f"registered 1 targets in (target-group {arn})")

    def check_health(self) -> None:
        world = self.ecs.world
        if self.desired == "STOPPED" or self.status != "RUNNING":
            return
        backend = targets.backend_of(self.ecs.account, self.ecs.region)
        for arn, port in self.target_groups:
            group = backend.target_groups.get(arn)
            target = group.targets.get(self.eni.private_ip_address) if group else None
            state, _ = targets.health(world, group, target) if target else ("unused", None)
            if state == "unhealthy":
                self.service.event(
                    f"(task {self.id}) (port {port}) is unhealthy in (target-group {arn}) due to "
                    "(reason Health checks failed with these codes: [502])"
                )
                return self.unhealthy(f"Task failed ELB health checks in (target-group {arn})")
            if state != "healthy":
                return world.after(max(world.settings["target-healthy"], 0.2), self.check_health)
        if self.images(":bad-health"):
            return self.unhealthy("Task failed container health checks")
        self.became_healthy()

    def unhealthy(self, reason: str) -> None:
        if self.service:
            self.service.count_failure(self, reason)
        self.stop("ServiceSchedulerInitiated", reason)

    def became_healthy(self) -> None:
        self.healthy = self.was_healthy = True
        self.version += 1
        if self.images(":bad-late"):
            self.ecs.world.after(1.0, lambda: self.exit(1, None, "error: exit status 1"))
        if self.service:
            self.service.on_healthy(self)

    # -- stopping -----------------------------------------------------------------------------

    def fail(self, reason: str) -> None:
        self.container_reason = reason
        self.stop("TaskFailedToStart", reason, at_once=True)

    def exit(self, code: int, reason: str | None, last_words: str | None) -> None:
        if self.desired == "STOPPED":
            return
        self.exit_code, self.container_reason = code, reason
        if last_words:
            for container in self.definition["containerDefinitions"]:
                self.log(container, last_words)
        self.stop("EssentialContainerExited", "Essential container in task exited", at_once=True)

    def stop(self, code: str, reason: str, at_once: bool = False) -> None:
        """Deregisters, waits for that, then stops the containers and gives up the interface."""
        if self.desired == "STOPPED":
            return
        world = self.ecs.world
        self.desired, self.healthy = "STOPPED", False
        self.stop_code, self.reason, self.stopping = code, reason, world.now
        delay = 0.0
        backend = targets.backend_of(self.ecs.account, self.ecs.region)
        for arn, _ in self.target_groups:
            group = backend.target_groups.get(arn)
            if group:
                delay = max(delay, targets.deregister(world, group, self.eni.private_ip_address))
                self.service.event(f"deregistered 1 targets in (target-group {arn})")
        if at_once:
            delay, rest = 0.0, 0.0
        else:
            rest = world.settings["stop"]
            if self.target_groups:
                self.service.event("has begun draining connections on 1 tasks.")
        self.move("DEACTIVATING")
        world.after(delay, lambda: self.move("STOPPING", "DEACTIVATING"))
        world.after(delay + rest * 0.8, lambda: self.move("DEPROVISIONING"))
        world.after(delay + rest, self.end)

    def end(self) -> None:
        world = self.ecs.world
        self.move("STOPPED")
        self.stopped = world.now
        if self.exit_code is None and self.started:
            self.exit_code = 0
        if self.eni:
            backend, eni = interfaces.backend_of(self.ecs.account, self.ecs.region), self.eni
            world.after(world.settings["eni-release"], lambda: interfaces.remove(backend, eni.id))
        # Stopped tasks stay visible for an hour.
        world.after(3600, lambda: self.ecs.tasks.pop(self.arn, None))
        if self.service:
            self.service.on_stopped(self)

    # -- describing -----------------------------------------------------------------------------

    def described(self, include=()) -> dict:
        definition, config = self.definition, self.config
        answer = {
            "taskArn": self.arn,
            "clusterArn": self.cluster["clusterArn"],
            "taskDefinitionArn": definition["taskDefinitionArn"],
            "lastStatus": self.status,
            "desiredStatus": self.desired,
            "healthStatus": self.health_status(),
            "createdAt": self.created,
            "cpu": self.overrides.get("cpu") or definition.get("cpu") or "0",
            "memory": self.overrides.get("memory") or definition.get("memory") or "0",
            "group": self.group,
            "launchType": config["launchType"],
            "version": self.version,
            "enableExecuteCommand": config.get("enableExecuteCommand", False),
            "overrides": {"containerOverrides": [{"name": c["name"]} for c in definition["containerDefinitions"]], "inferenceAcceleratorOverrides": []} | self.overrides,
            "attributes": [{"name": "ecs.cpu-architecture", "value": "x86_64"}],
            "containers": [self.container(c) for c in definition["containerDefinitions"]],
            "attachments": [],
            "tags": [],
            "inferenceAccelerators": [],
        }
        if self.eni:
            status = "DELETED" if self.status == "STOPPED" else "ATTACHED" if self.status != "PROVISIONING" else "PRECREATED"
            answer["attachments"] = [{"id": self.attachment, "type": "ElasticNetworkInterface", "status": status, "details": self.details}]
            answer["availabilityZone"] = self.eni.subnet.availability_zone
        if config["launchType"] == "FARGATE":
            given = config.get("platformVersion") or "LATEST"
            answer |= {"platformVersion": "1.4.0" if given == "LATEST" else given, "platformFamily": "Linux", "ephemeralStorage": definition.get("ephemeralStorage") or {"sizeInGiB": 20}}
        if config.get("capacityProvider"):
            answer["capacityProviderName"] = config["capacityProvider"]
        if self.started_by:
            answer["startedBy"] = self.started_by
        if self.status not in ("PROVISIONING", "PENDING"):
            answer |= {"connectivity": "CONNECTED", "connectivityAt": self.created}
        for name, value in (("startedAt", self.started), ("stoppingAt", self.stopping), ("stoppedAt", self.stopped), ("executionStoppedAt", self.stopped)):
            if value:
                answer[name] = value
        if self.stop_code:
            answer |= {"stopCode": self.stop_code, "stoppedReason": self.reason}
        if "TAGS" in include:
            answer["tags"] = self.ecs.tags.get(self.arn, [])
        return answer

    def health_status(self) -> str:
        if not any(c.get("healthCheck") for c in self.definition["containerDefinitions"]) or self.status != "RUNNING":
            return "UNKNOWN"
        return "HEALTHY" if self.healthy else "UNHEALTHY" if self.images(":bad-health") else "UNKNOWN"

    def container(self, definition: dict) -> dict:
        status = {"RUNNING": "RUNNING", "DEACTIVATING": "RUNNING", "STOPPING": "RUNNING", "DEPROVISIONING": "STOPPED", "STOPPED": "STOPPED"}.get(self.status, "PENDING")
        container = {
            "containerArn": self.arn.replace(":task/", ":container/") + "/" + definition["name"],
            "taskArn": self.arn,
            "name": definition["name"],
            "image": definition["image"],
            "lastStatus": status,
            "healthStatus": self.health_status() if definition.get("healthCheck") else "UNKNOWN",
            "cpu": str(definition.get("cpu", 0)),
            "networkBindings": [],
            "networkInterfaces": [],
        }
        if definition.get("memory"):
            container["memory"] = str(definition["memory"])
        if self.eni:
            container["networkInterfaces"] = [{"attachmentId": self.attachment, "privateIpv4Address": self.eni.private_ip_address}]
        if self.started:
            container["runtimeId"] = f"{self.id}-{random.Random(self.id).randrange(10**9, 10**10)}"
            container["imageDigest"] = digest_of(definition["image"])
            if self.config.get("enableExecuteCommand"):
                container["managedAgents"] = [{"name": "ExecuteCommandAgent", "lastStatus": "RUNNING" if status == "RUNNING" else "STOPPED", "lastStartedAt": self.started}]
        if status == "STOPPED":
            if self.exit_code is not None:
                container["exitCode"] = self.exit_code
            if self.container_reason:
                container["reason"] = self.container_reason
        return container


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
            if statement.get("Effect") == "Allow" and any(fnmatch.fnmatchcase(action.lower(), a.lower()) for a in actions):
                return True
    return False


def default_document(policy):
    for version in policy.versions:
        if version.version_id == policy.default_version_id:
            return version.document
    return policy.versions[-1].document
