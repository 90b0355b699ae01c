"""Everything that exists in an account, apart from what moto or AWS put there unasked.

Used to prove that a destroy left nothing, and to answer the tagging API.
"""

from moto.ecr.models import ecr_backends
from moto.elbv2.models import elbv2_backends
from moto.logs.models import logs_backends

from . import dashboards, discovery, iam, interfaces, route53
from .world import World


def listed(world: World, region: str) -> list[dict]:
    """{kind, id, arn, tags} of every object of a region, and of all; `state` where a kind has one that matters."""
    return [
        *network(world, region),
        *balancing(world, region),
        *roles(world),
        *capacity(world, region),
        *stores(world, region),
        *containers(world, region),
        *watchers(world, region),
        *schedules(world, region),
        *names(world, region),
        *discovered(world, region),
    ]


def everywhere(world: World) -> list[dict]:
    """The same of all regions in which the account was called."""
    found = {}
    for region in sorted(world.called_in):
        found |= {(it["kind"], it["arn"]): it for it in listed(world, region)}
    return list(found.values())


def entry(kind: str, object_id: str, arn: str, tags: dict, **more) -> dict:
    return {"kind": kind, "id": object_id, "arn": arn, "tags": dict(tags), **more}


def network(world: World, region: str):
    backend = interfaces.backend_of(world.account, region)
    default = backend.default_vpc.id if backend.default_vpc else None

    def one(kind, item, **more):
        arn = f"arn:aws:ec2:{region}:{world.account}:{kind}/{item.id}"
        return entry(kind, item.id, arn, backend.tags.get(item.id, {}), **more)

    for vpc in backend.vpcs.values():
        if vpc.id != default:
            yield one("vpc", vpc)
    for subnets in backend.subnets.values():
        yield from (one("subnet", s) for s in subnets.values() if s.vpc_id != default)
    for gateway in backend.internet_gateways.values():
        yield one("internet-gateway", gateway)
    for address in backend.addresses:
        yield one("elastic-ip", address)
    for nat in backend.nat_gateways.values():
        if nat.state != "deleted":
            yield one("natgateway", nat, state=nat.state)
    for table in backend.route_tables.values():
        if not table.main_association_id:
            yield one("route-table", table)
    for groups in backend.groups.values():
        yield from (one("security-group", g) for g in groups.values() if g.name != "default")
    for endpoint in backend.vpc_end_points.values():
        if endpoint.state != "deleted":
            yield one("vpc-endpoint", endpoint, state=endpoint.state)
    for volume in backend.volumes.values():
        yield one("volume", volume, state=volume.status)
    for eni in interfaces.existing(backend):
        yield one("network-interface", eni, description=eni.description)


def capacity(world: World, region: str):
    backend = interfaces.backend_of(world.account, region)
    for template in world.templates.values():
        arn = f"arn:aws:ec2:{region}:{world.account}:launch-template/{template.id}"
        yield entry("launch-template", template.id, arn, backend.tags.get(template.id, {}))
    for (of, name), group in world.groups.items():
        if of == region:
            tags = {key: tag["Value"] for key, tag in group.tags.items()}
            yield entry("auto-scaling-group", name, group.arn, tags, state=group.status)
            for instance in group.instances:
                if instance.state != "terminated":
                    arn = f"arn:aws:ec2:{region}:{world.account}:instance/{instance.id}"
                    yield entry("instance", instance.id, arn, instance.tags, state=instance.state)
    ecs = world.regions.get(region)
    for host in ecs.hosts if ecs else ():
        arn = f"arn:aws:ec2:{region}:{world.account}:instance/{host.id}"
        yield entry("instance", host.id, arn, host.tags, state=host.state)


def balancing(world: World, region: str):
    backend = elbv2_backends[world.account][region]

    def one(kind, arn, object_id):
        return entry(kind, object_id, arn, backend.tagging_service.get_tag_dict_for_resource(arn))

    for balancer in backend.load_balancers.values():
        yield one("loadbalancer", balancer.arn, balancer.name)
        for listener in balancer.listeners.values():
            yield one("listener", listener.arn, listener.arn)
            yield from (one("listener-rule", r.arn, r.arn) for r in listener.rules.values() if not r.is_default)
    for group in backend.target_groups.values():
        yield one("targetgroup", group.arn, group.name)


def roles(world: World):
    backend = iam.backend_of(world.account)
    for role in backend.roles.values():
        if not role.path.startswith("/aws-service-role/"):
            yield entry("role", role.name, role.arn, as_map(role.tags))
    for policy in backend.managed_policies.values():
        if iam.PROVIDED not in policy.arn:
            yield entry("policy", policy.name, policy.arn, as_map(policy.tags))
    for profile in backend.instance_profiles.values():
        yield entry("instance-profile", profile.name, profile.arn, as_map(profile.tags))


def as_map(tags) -> dict:
    if isinstance(tags, dict):
        tags = list(tags.values())
    return {tag["Key"]: tag["Value"] for tag in tags or []}


def stores(world: World, region: str):
    logs = logs_backends[world.account][region]
    for name, group in logs.groups.items():
        yield entry("log-group", name, group.arn, logs.list_tags_for_resource(group.arn))
    ecr = ecr_backends[world.account][region]
    for name, repository in ecr.repositories.items():
        yield entry("repository", name, repository.arn, ecr.tagger.get_tag_dict_for_resource(repository.arn))


def containers(world: World, region: str):
    ecs = world.regions.get(region)
    if ecs:
        for kind, object_id, arn, state in ecs.existing():
            yield entry(
                kind, object_id, arn, {t["key"]: t.get("value", "") for t in ecs.tags.get(arn, [])}, state=state
            )


def watchers(world: World, region: str):
    for state in (world.scaling.get(region), world.alarms.get(region)):
        for kind, object_id, arn, tags in state.existing() if state else ():
            yield entry(kind, object_id, arn, tags)
    for kind, object_id, arn, tags in dashboards.existing(world):
        yield entry(kind, object_id, arn, tags)


def schedules(world: World, region: str):
    scheduler = world.schedulers.get(region)
    if scheduler:
        for name, group in scheduler.groups.items():
            if name != "default":
                yield entry("schedule-group", name, group["Arn"], scheduler.tags[group["Arn"]], state=group["State"])
        for (_, name), schedule in scheduler.schedules.items():
            yield entry("schedule", name, schedule["Arn"], {})


def names(world: World, region: str):
    """Certificates; and the records of zones, with the tags that a record beside them gives them."""
    if region in world.certificates:
        for one in world.certificates[region].certificates.values():
            yield entry("certificate", one.arn, one.arn, one.tags, state=one.status)
    # Those that prove a certificate's names are part of it.
    tags = {key: tags for key, tags in route53.tags_in(world.account).items() if "dns-record." in tags.get("ecsctl:id", "")}
    for zone in route53.zones_of(world.account).values():
        for record in zone.rrsets:
            if record.type not in ("NS", "SOA"):
                said = f"{record.type} {route53.key(record.name)}"
                place = f"{zone.resource_id}/{route53.key(record.name)}/{record.type}"
                arn = f"arn:aws:route53:::hostedzone/{place}"
                yield entry("dns-record", place, arn, tags.get((zone.resource_id, said), {}))


def discovered(world: World, region: str):
    """Namespaces of Cloud Map, and the services that ECS has made in them."""
    for kind, object_id, arn, tags in discovery.existing(world, region):
        yield entry(kind, object_id, arn, tags)
