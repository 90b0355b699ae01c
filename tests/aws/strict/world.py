"""One account: its lock, its clock, its settings and the calls it received.

Nothing runs in the background.  Whatever AWS does over time is an event on the account's
queue, and the events that have come due are run, in the order of their time, before the
account's next request is answered.  So a state depends only on the clock, and an account
that nobody asks about costs nothing.
"""

import heapq
import itertools
import os
import threading
import time
from collections import deque
from typing import NamedTuple

from . import traffic

# Times in seconds.  Where AWS takes minutes these take a fraction of a second, but every state
# a caller can meet on AWS is still there to be met.
DEFAULTS = {
    "nat-pending": 0.3,  # NAT gateway pending -> available
    "nat-deleting": 0.3,  # NAT gateway deleting -> deleted
    "endpoint-pending": 0.3,  # interface endpoint pending -> available
    "endpoint-deleting": 0.3,  # interface endpoint deleting -> gone, its network interfaces with it
    "lb-provisioning": 0.4,  # load balancer provisioning -> active
    "lb-eni-release": 0.3,  # load balancer deleted -> its network interfaces gone
    "eni-release": 0.05,  # task stopped -> its network interface gone
    "role-visible-after": 0.0,  # role created -> other services can assume it
    "fresh": 0,  # 1 = an account without service-linked roles; 2 = whose callers may not make any, either
    "service-linked-role-after": 0.0,  # service-linked role made -> its service can assume it
    "ec2-visible-after": 0.0,  # EC2 object created -> other calls see it
    "task-start": 0.15,  # task created -> RUNNING
    "target-healthy": 0.1,  # target registered -> healthy (or unhealthy)
    "deregistration-scale": 0.005,  # share of deregistration_delay that really passes
    "stop": 0.1,  # SIGTERM -> STOPPED
    "deployment-bake": 0.05,  # last old task gone -> deployment COMPLETED
    "deployment-minute": 0.02,  # a minute of a canary, a step, a bake or a pause
    "swap-target-groups": 1,  # 0 = only a rule's weights tell which target group of a pair is live
    "drain": 0.1,  # last task gone -> deleted service INACTIVE
    "namespace-operation": 0.2,  # Cloud Map namespace made, changed or deleted
    "discovery-deregistration": 0.05,  # a task stops -> Cloud Map has forgotten it
    "discovery-sweep": 0.0,  # nobody offers a Service Connect name any more -> its Cloud Map service gone
    "schedule-group-deleting": 0.2,  # DeleteScheduleGroup -> it and its schedules gone
    "instance-start": 0.1,  # instance pending -> running
    "instance-join": 0.15,  # instance running -> registered with its cluster
    "instance-stop": 0.3,  # instance shutting-down -> terminated
    "provider-update": 0.1,  # capacity provider UPDATE_IN_PROGRESS, DELETE_IN_PROGRESS; attached to a cluster
    "check-egress": 0,  # 1 = a task that cannot reach its registry does not start
    "check-ingress": 0,  # 1 = a load balancer must be let in; gaps in what it answers are noted
    "page-size-max": 0,  # 0 = AWS's own page sizes; n = never more than n items a page
    "certificate-described": 0.1,  # certificate requested -> ACM says how its names are proved
    "certificate-issued": 0.3,  # the records that prove its names are there -> issued
    "dns-everywhere": 0.2,  # records changed -> all name servers answer so
    "developer-pushes": 0.3,  # an image was asked for that is not there -> somebody pushes it; -1 = nobody does
    "hide-images": 0,  # 1 = the caller may not look at images
    "write-conflicts": 0,  # n = the next n conditional writes to S3 meet another one
}


class Settings:
    """The defaults, the environment over them, and the account's own over those."""

    def __init__(self):
        self.values = {
            name: type(default)(os.environ.get("ECSCTL_AWS_" + name.replace("-", "_").upper(), default))
            for name, default in DEFAULTS.items()
        }

    def __getitem__(self, name: str):
        return self.values[name]

    def update(self, new: dict) -> None:
        unknown = set(new) - set(DEFAULTS)
        if unknown:
            raise KeyError(f"unknown settings: {', '.join(sorted(unknown))}")
        for name, value in new.items():
            self.values[name] = type(DEFAULTS[name])(value)


class Call(NamedTuple):
    n: int
    service: str
    operation: str
    status: int
    error: str | None
    body: bytes
    caller: str | None  # the application the caller says it is
    time: float


class World:
    def __init__(self, account: str):
        self.account = account
        self.lock = threading.RLock()
        self.settings = Settings()
        self.called_in: set[str] = set()  # regions
        self.now = time.time()
        self.regions: dict[str, object] = {}  # region -> Ecs
        self.scaling: dict[str, object] = {}  # region -> Scaling
        self.alarms: dict[str, object] = {}  # region -> Alarms
        self.dashboards: dict[str, object] = {}  # by name, of all regions
        self.schedulers: dict[str, object] = {}  # region -> Scheduler
        self.namespaces: dict[str, object] = {}  # region -> Discovery
        self.certificates: dict[str, object] = {}  # region -> Acm
        self.changes: dict[str, float] = {}  # change of DNS records -> time all name servers have it
        self.dns_watchers: list = []  # called when DNS records have changed
        self.groups: dict[tuple[str, str], object] = {}  # (region, name) -> Auto Scaling group
        self.templates: dict[str, object] = {}  # launch templates
        self.hidden: dict[str, float] = {}  # EC2 id -> time it becomes visible
        self.tokens: dict[tuple, object] = {}  # (operation, client token) -> result
        self.calls: deque = deque(maxlen=20_000)
        self.answered: dict[str, bool] = {}  # listener rule -> whether its requests are answered
        self.gaps: list[dict] = []  # when that stopped
        self._numbers = itertools.count(1)
        self._queue: list = []
        self._order = itertools.count()

    def after(self, delay: float, event) -> None:
        """Runs `event` once `delay` seconds have passed since the present event or request."""
        heapq.heappush(self._queue, (self.now + delay, next(self._order), event))

    def catch_up(self) -> None:
        """Runs every event that has come due, each at its own time."""
        present = time.time()
        while self._queue and self._queue[0][0] <= present:
            self.now, _, event = heapq.heappop(self._queue)
            event()
            traffic.note(self)
        self.now = present
        traffic.note(self)

    def record(
        self, service: str, operation: str, status: int, error: str | None, body: bytes, caller: str | None
    ) -> None:
        self.calls.append(Call(next(self._numbers), service, operation, status, error, body, caller, self.now))


_worlds: dict[str, World] = {}
_worlds_lock = threading.Lock()


def world_of(account: str) -> World:
    world = _worlds.get(account)
    if world is None:
        with _worlds_lock:
            world = _worlds.setdefault(account, World(account))
    return world
