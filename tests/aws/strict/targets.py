"""Targets of a target group, and their health over time.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
"""

from moto.elbv2.models import FakeTargetGroup, elbv2_backends

from . import traffic

REASONS = {
    "Elb.RegistrationInProgress": "Target registration is in progress",
    "Target.NotInUse": "Target group is not configured to receive traffic from the load balancer",
    "Target.ResponseCodeMismatch": "Health checks failed with these codes: [502]",
    "Target.Timeout": "Request timed out",
    "Target.DeregistrationInProgress": "Target deregistration is in progress",
    "Target.NotRegistered": "Target is not registered to the target group",
}


def backend_of(account: str, region: str):
    return elbv2_backends[account][region]


def load_balancers_of(backend, group_arn: str) -> list[str]:
    """The load balancers with a listener or a rule that forwards to the group."""
    found = []
    for balancer in backend.load_balancers.values():
        for listener in balancer.listeners.values():
            for rule in listener.rules.values():
                if any(group_arn in forwarded_to(action.data) for action in rule.actions):
                    found.append(balancer.arn)
    return list(dict.fromkeys(found))


def forwarded_to(action: dict) -> list[str]:
    weighted = (action.get("ForwardConfig") or {}).get("TargetGroups") or []
    arns = [group["TargetGroupArn"] for group in weighted]
    if action.get("TargetGroupArn"):
        arns.append(action["TargetGroupArn"])
    return arns


# DescribeTargetGroups shows the load balancers that forward to the group now; moto remembers
# every one that ever did.
FakeTargetGroup.load_balancer_arns = property(
    lambda group: load_balancers_of(elbv2_backends[group.account_id][group.region_name], group.arn),
    lambda group, value: None,
)


def key(group, target_id: str, port: int | None) -> str:
    """An instance is a target once for each of its ports; moto has one target an id."""
    return f"{target_id}:{port}" if group.target_type == "instance" else target_id


def register(world, group, target_id: str, port: int | None, sick: bool = False, address: str | None = None) -> str:
    port = int(port or group.port or 0)
    target = {"Id": target_id, "Port": port, "since": world.now, "sick": sick, "address": address or target_id}
    group.targets[key(group, target_id, port)] = target
    return key(group, target_id, port)


def delay_of(world, group) -> float:
    """How long a target drains: deregistration_delay.timeout_seconds, scaled."""
    return (
        float(group.attributes.get("deregistration_delay.timeout_seconds", 300))
        * world.settings["deregistration-scale"]
    )


def deregister(world, group, target_id: str) -> float:
    """Starts draining; returns how long it takes.  A target no load balancer used goes at once."""
    target = group.targets.get(target_id)
    if target is None:
        return 0.0
    delay = delay_of(world, group) if group.load_balancer_arns else 0.0
    target["draining"] = True

    def gone():
        if group.targets.get(target_id) is target:
            group.targets.pop(target_id)

    world.after(delay, gone)
    return delay


def health(world, group, target: dict) -> tuple[str, str | None]:
    if target.get("draining"):
        return "draining", "Target.DeregistrationInProgress"
    if not group.load_balancer_arns:
        return "unused", "Target.NotInUse"
    # A hair of tolerance: the event that waits for this moment is set for exactly this moment.
    if world.now - target["since"] + 1e-6 < world.settings["target-healthy"]:
        return "initial", "Elb.RegistrationInProgress"
    if target["sick"]:
        return "unhealthy", "Target.ResponseCodeMismatch"
    if not traffic.lets_in(world, group, target):
        return "unhealthy", "Target.Timeout"
    return "healthy", None
