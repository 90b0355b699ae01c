"""Whether requests that reach a load balancer are answered.

With the setting `check-ingress`: a target whose security groups do not let its load balancer in fails its health checks
(application/target-group-health-checks.html, Target.Timeout), and every moment is noted at which a rule that had healthy
targets behind all that it forwards to has lost them.
"""

import ipaddress

from moto.elbv2.models import elbv2_backends

from . import interfaces, targets


def lets_in(world, group, target: dict) -> bool:
    """Whether the load balancers of the group reach the target at its port."""
    if not world.settings["check-ingress"]:
        return True
    backend = interfaces.backend_of(group.account_id, group.region_name)
    eni = next((e for e in interfaces.existing(backend) if e.private_ip_address == target["address"]), None)
    if eni is None:
        return False
    balancers = [
        elbv2_backends[group.account_id][group.region_name].load_balancers[arn] for arn in group.load_balancer_arns
    ]
    rules = [rule for one in eni.group_set for rule in one.ingress_rules]

    def open_to(balancer, protocol: str, port: int) -> bool:
        return any(covers(rule, protocol, port) and admits(backend, rule, balancer) for rule in rules)

    return all(open_to(balancer, *door) for balancer in balancers for door in doors(group, target["Port"]))


def doors(group, port: int) -> list[tuple[str, int]]:
    """What comes to a target: its traffic, and the question whether it is healthy, which is over TCP."""
    asked = port if group.health_check_port == "traffic-port" else int(group.health_check_port)
    spoken = {"UDP": ["udp"], "TCP_UDP": ["tcp", "udp"]}.get(group.protocol, ["tcp"])
    return [(protocol, port) for protocol in spoken] + [("tcp", asked)]


def covers(rule, protocol: str, port: int) -> bool:
    return rule.ip_protocol == "-1" or (rule.ip_protocol == protocol and rule.from_port <= port <= rule.to_port)


def admits(backend, rule, balancer) -> bool:
    if rule.source_group.get("GroupId"):
        return rule.source_group["GroupId"] in balancer.security_groups
    cidr = rule.ip_range.get("CidrIp")
    if not cidr:
        return False
    inside = ipaddress.ip_network(cidr, strict=False)
    subnets = [interfaces.subnet_of(backend, subnet) for subnet in balancer.subnets]
    return all(ipaddress.ip_network(subnet.cidr_block).subnet_of(inside) for subnet in subnets if subnet)


def note(world) -> None:
    """Notes which rules have stopped being answered since it last looked."""
    if not world.settings["check-ingress"]:
        return
    answered = {}
    for region, backend in elbv2_backends[world.account].items():
        for balancer in backend.load_balancers.values():
            for listener in balancer.listeners.values():
                for rule in listener.rules.values():
                    groups = [arn for action in rule.actions for arn in carrying(action.data)]
                    if groups:
                        answered[rule.arn] = all(is_healthy(world, backend.target_groups.get(arn)) for arn in groups)
    for arn, now in answered.items():
        if world.answered.get(arn) and not now:
            world.gaps.append({"rule": arn, "calls": len(world.calls)})
    world.answered = answered


def carrying(action: dict) -> list[str]:
    """The target groups that get requests."""
    weighted = (action.get("ForwardConfig") or {}).get("TargetGroups") or []
    if weighted:
        return [group["TargetGroupArn"] for group in weighted if int(group.get("Weight", 1)) > 0]
    return targets.forwarded_to(action)


def is_healthy(world, group) -> bool:
    return group is not None and any(
        targets.health(world, group, target)[0] == "healthy" for target in group.targets.values()
    )
