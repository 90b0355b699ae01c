"""The hosted zones that Cloud Map's private namespaces consist of.

cloud-map/latest/dg/creating-namespaces.html
"""

from moto.route53.models import route53_backends


def make(account: str, name: str, vpc: str, region: str) -> str:
    """Cloud Map "automatically creates an Amazon Route 53 private hosted zone that has the same name"."""
    backend = route53_backends[account]["aws"]
    return backend.create_hosted_zone(name + ".", True, vpcid=vpc, vpcregion=region).resource_id


def drop(account: str, zone: str) -> None:
    route53_backends[account]["aws"].zones.pop(zone, None)
