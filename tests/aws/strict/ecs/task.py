"""A task: PROVISIONING, PENDING, RUNNING, DEACTIVATING, STOPPING, DEPROVISIONING, STOPPED.

developerguide/task-lifecycle-explanation.html

An image whose name holds one of these marks does not do well:

    :bad-pull    cannot be pulled
    :bad-exit    exits with code 1 as soon as it runs
    :bad-oom     is killed for its use of memory (137)
    :bad-health  runs, and fails the health checks
    :bad-late    exits with code 1 a second after it was healthy
    :good-exit   exits with code 0 as soon as it has run, as a one-off job does

A task of no service does what its command says (its own, or that of an override) and exits: with N if the command has the
words `exit N`, else with 0; after a second more for each word `wait`; never with the word `sleep`.  It logs its command, and
its environment with the word `env`.
"""

import random

from .. import interfaces, names, targets
from ..logs import backend_of as logs_of
from . import checks, placing, volumes
from .state import Ecs, new_id


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
        self.instance = None  # the container instance, not on Fargate
        self.waits = False  # for an instance that takes it
        self.bindings: dict[tuple[str, int], int] = {}  # ports of the containers -> of the instance
        self.attachment = new_id()
        self.details: list[dict] = []
        self.target_groups: list[tuple[str, int]] = []
        self.registered: dict[tuple[str, int], str] = {}  # what it is called in each of them
        self.names: list = []
        self.disks = volumes.Disks(self)
        ecs.tasks[self.arn] = self

    # -- starting -----------------------------------------------------------------------------

    def start(self) -> None:
        world = self.ecs.world
        if self.config["launchType"] != "FARGATE" and self.instance is None:
            # With a capacity provider it stays PROVISIONING until there is an instance for it.
            self.waits = True
            return placing.look(self.ecs)
        if self.definition["networkMode"] == "awsvpc" and not self.attach():
            return
        configurations = self.config.get("volumeConfigurations") or []
        if configurations and (problem := self.disks.attach(configurations, self.zone())):
            return self.fail(problem)
        delay = world.settings["task-start"]
        world.after(delay / 3, lambda: self.move("PENDING", "PROVISIONING"))
        world.after(delay, self.run)

    def put_on(self, instance) -> None:
        self.instance, self.waits = instance, False
        taken = {port for t in instance.tasks() for port in t.bindings.values()}
        for mapping in (m for c in self.definition["containerDefinitions"] for m in c["portMappings"]):
            port = mapping.get("hostPort") or next(p for p in range(32768, 65536) if p not in taken)
            taken.add(port)
            self.bindings[(mapping["protocol"], mapping["containerPort"])] = port
        self.start()

    def place(self, port: int) -> tuple[str, int, str] | None:
        """What a target group knows the task by: an id, a port, and the address behind them."""
        if self.eni:
            return self.eni.private_ip_address, port, self.eni.private_ip_address
        if self.instance:
            host = self.instance.host
            return host.id, self.bindings[("tcp", port)], host.eni.private_ip_address
        return None

    def attach(self) -> bool:
        """Gives the task an interface of its own, in the subnet that has fewest of this service's tasks."""
        backend = interfaces.backend_of(self.ecs.account, self.ecs.region)
        network = self.config["networkConfiguration"]["awsvpcConfiguration"]
        mates = [
            t.subnet_id()
            for t in self.ecs.tasks.values()
            if t.service and t.service is self.service and t.desired == "RUNNING"
        ]
        subnets = [s for s in (interfaces.subnet_of(backend, i) for i in network["subnets"]) if s]
        if self.instance:
            # An interface can only be where its instance is.
            zone = self.instance.host.subnet.availability_zone
            subnets = [subnet for subnet in subnets if subnet.availability_zone == zone]
        subnets.sort(key=lambda subnet: mates.count(subnet.id))
        public = network.get("assignPublicIp") == "ENABLED"
        for subnet in subnets:
            description = self.ecs.arn(f"attachment/{self.attachment}")
            self.eni = interfaces.add(
                backend, subnet, network.get("securityGroups"), description, "amazon-ecs", "interface", public
            )
            if self.eni:
                self.details = [
                    {"name": "subnetId", "value": subnet.id},
                    {"name": "networkInterfaceId", "value": self.eni.id},
                    {"name": "macAddress", "value": self.eni.mac_address},
                    {
                        "name": "privateDnsName",
                        "value": f"ip-{self.eni.private_ip_address.replace('.', '-')}.ec2.internal",
                    },
                    {"name": "privateIPv4Address", "value": self.eni.private_ip_address},
                ]
                return True
        subnet = (network["subnets"] or ["?"])[0]
        self.fail("unexpected EC2 error while attempting to Create Network Interface in subnet "
                  f"'{subnet}': InsufficientFreeAddressesInSubnet")  # fmt: skip
        return False

    def zone(self) -> str:
        return self.instance.attributes[placing.ZONE] if self.instance else self.eni.subnet.availability_zone

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
        problem = checks.problem(self)
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
        elif self.service is None and (words := self.words()):
            self.obey(words, soon)
        self.register()
        self.register_name()
        checked = self.target_groups or any(c.get("healthCheck") for c in self.definition["containerDefinitions"])
        if checked:
            world.after(world.settings["target-healthy"], self.check_health)
        elif not (self.images(":bad-exit") or self.images(":bad-oom")):
            self.became_healthy()
        if self.service:
            self.service.reconcile()

    def override(self) -> dict:
        """What RunTask said of the first container otherwise."""
        return next(iter(self.overrides.get("containerOverrides", [])), {})

    def words(self) -> list[str]:
        return self.override().get("command") or self.definition["containerDefinitions"][0].get("command") or []

    def obey(self, words: list[str], soon: float) -> None:
        container = self.definition["containerDefinitions"][0]
        self.log(container, "$ " + " ".join(words))
        if "env" in words:
            given = {e["name"]: e["value"] for e in container.get("environment", [])}
            given |= {e["name"]: e["value"] for e in self.override().get("environment", [])}
            for name, value in sorted(given.items()):
                self.log(container, f"{name}={value}")
        if "sleep" in words:
            return
        code = int(words[words.index("exit") + 1]) if "exit" in words else 0
        self.ecs.world.after(soon + words.count("wait"), lambda: self.exit(code, None, "done" if code == 0 else "failed"))

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
            place = self.place(port)
            if group is None or place is None:
                self.service.event(f"was unable to register targets in (target-group {arn}): TARGET GROUP IS NOT FOUND")
                continue
            target, port_there, address = place
            sick = self.images(":bad-health")
            self.registered[(arn, port)] = targets.register(self.ecs.world, group, target, port_there, sick, address)
            self.target_groups.append((arn, port))
            self.service.event(f"registered 1 targets in (target-group {arn})")

    def register_name(self) -> None:
        """Service discovery: the task is an instance of its Cloud Map service while it runs."""
        for registry in self.deployment.revision.get("serviceRegistries", []) if self.deployment else []:
            if found := names.register(self, registry):
                self.names.append(found)

    def check_health(self) -> None:
        world = self.ecs.world
        if self.desired == "STOPPED" or self.status != "RUNNING":
            return
        backend = targets.backend_of(self.ecs.account, self.ecs.region)
        for arn, port in self.target_groups:
            group = backend.target_groups.get(arn)
            target = group.targets.get(self.registered[(arn, port)]) if group else None
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
        for arn, port in self.target_groups:
            group = backend.target_groups.get(arn)
            if group:
                delay = max(delay, targets.deregister(world, group, self.registered[(arn, port)]))
                self.service.event(f"deregistered 1 targets in (target-group {arn})")
        for found in self.names:
            lag = world.settings["discovery-deregistration"]
            world.after(lag, lambda found=found: found.instances.pop(self.id, None))
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
        self.disks.detach()
        if self.exit_code is None and self.started:
            # Whatever does not take its SIGTERM to heart is killed by it.
            self.exit_code = 143 if self.stop_code == "UserInitiated" and self.service is None else 0
        if self.eni:
            backend, eni = interfaces.backend_of(self.ecs.account, self.ecs.region), self.eni
            world.after(world.settings["eni-release"], lambda: interfaces.remove(backend, eni.id))
        # Stopped tasks stay visible for an hour.
        world.after(3600, lambda: self.ecs.tasks.pop(self.arn, None))
        if self.instance:
            placing.look(self.ecs)
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
            "overrides": {
                "containerOverrides": [{"name": c["name"]} for c in definition["containerDefinitions"]],
                "inferenceAcceleratorOverrides": [],
            }
            | self.overrides,
            "attributes": [{"name": "ecs.cpu-architecture", "value": "x86_64"}],
            "containers": [self.container(c) for c in definition["containerDefinitions"]],
            "attachments": [],
            "tags": [],
            "inferenceAccelerators": [],
        }
        if self.eni:
            status = (
                "DELETED" if self.status == "STOPPED" else "ATTACHED" if self.status != "PROVISIONING" else "PRECREATED"
            )
            answer["attachments"] = [
                {"id": self.attachment, "type": "ElasticNetworkInterface", "status": status, "details": self.details}
            ]
            answer["availabilityZone"] = self.eni.subnet.availability_zone
        if self.config.get("volumeConfigurations"):
            answer["attachments"] += self.disks.described()
        if config["launchType"] == "FARGATE":
            given = config.get("platformVersion") or "LATEST"
            answer |= {
                "platformVersion": "1.4.0" if given == "LATEST" else given,
                "platformFamily": "Linux",
                "ephemeralStorage": definition.get("ephemeralStorage") or {"sizeInGiB": 20},
            }
        if self.instance:
            answer["containerInstanceArn"] = self.instance.arn
            answer["availabilityZone"] = self.instance.attributes[placing.ZONE]
        if config.get("capacityProvider"):
            answer["capacityProviderName"] = config["capacityProvider"]
        if self.started_by:
            answer["startedBy"] = self.started_by
        if self.status not in ("PROVISIONING", "PENDING"):
            answer |= {"connectivity": "CONNECTED", "connectivityAt": self.created}
        for name, value in (
            ("startedAt", self.started),
            ("stoppingAt", self.stopping),
            ("stoppedAt", self.stopped),
            ("executionStoppedAt", self.stopped),
        ):
            if value:
                answer[name] = value
        if self.stop_code:
            answer |= {"stopCode": self.stop_code, "stoppedReason": self.reason}
        if "TAGS" in include:
            answer["tags"] = self.ecs.tags.get(self.arn, [])
        return answer

    def network_bindings(self, definition: dict) -> list[dict]:
        if self.eni or not self.started:
            return []
        return [
            {
                "bindIP": "0.0.0.0",
                "containerPort": mapping["containerPort"],
                "hostPort": self.bindings[(mapping["protocol"], mapping["containerPort"])],
                "protocol": mapping["protocol"],
            }
            for mapping in definition["portMappings"]
            if (mapping["protocol"], mapping["containerPort"]) in self.bindings
        ]

    def health_status(self) -> str:
        if not any(c.get("healthCheck") for c in self.definition["containerDefinitions"]) or self.status != "RUNNING":
            return "UNKNOWN"
        return "HEALTHY" if self.healthy else "UNHEALTHY" if self.images(":bad-health") else "UNKNOWN"

    def container(self, definition: dict) -> dict:
        status = {
            "RUNNING": "RUNNING",
            "DEACTIVATING": "RUNNING",
            "STOPPING": "RUNNING",
            "DEPROVISIONING": "STOPPED",
            "STOPPED": "STOPPED",
        }.get(self.status, "PENDING")
        container = {
            "containerArn": self.arn.replace(":task/", ":container/") + "/" + definition["name"],
            "taskArn": self.arn,
            "name": definition["name"],
            "image": definition["image"],
            "lastStatus": status,
            "healthStatus": self.health_status() if definition.get("healthCheck") else "UNKNOWN",
            "cpu": str(definition.get("cpu", 0)),
            "networkBindings": self.network_bindings(definition),
            "networkInterfaces": [],
        }
        if definition.get("memory"):
            container["memory"] = str(definition["memory"])
        if self.eni:
            container["networkInterfaces"] = [
                {"attachmentId": self.attachment, "privateIpv4Address": self.eni.private_ip_address}
            ]
        if self.started:
            container["runtimeId"] = f"{self.id}-{random.Random(self.id).randrange(10**9, 10**10)}"
            container["imageDigest"] = checks.digest_of(definition["image"])
            if self.config.get("enableExecuteCommand"):
                container["managedAgents"] = [
                    {
                        "name": "ExecuteCommandAgent",
                        "lastStatus": "RUNNING" if status == "RUNNING" else "STOPPED",
                        "lastStartedAt": self.started,
                    }
                ]
        if status == "STOPPED":
            if self.exit_code is not None:
                container["exitCode"] = self.exit_code
            if self.container_reason:
                container["reason"] = self.container_reason
        return container
