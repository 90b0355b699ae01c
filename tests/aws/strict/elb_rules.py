"""What goes together in load balancing: types of load balancers, protocols, health checks, attributes.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/, and the guide of each type of load balancer,
https://docs.aws.amazon.com/elasticloadbalancing/latest/network/
"""

import json

from moto.s3.models import s3_backends

from .elb_shapes import APPLICATION_ATTRIBUTES, NETWORK_ATTRIBUTES
from .errors import AwsError

SPOKEN = {"application": ("HTTP", "HTTPS"), "network": ("TCP", "UDP", "TCP_UDP", "TLS")}
# network/load-balancer-listeners.html: which target groups a listener leads to.
LEADS_TO = {
    "HTTP": ("HTTP", "HTTPS"),
    "HTTPS": ("HTTP", "HTTPS"),
    "TCP": ("TCP", "TCP_UDP"),
    "UDP": ("UDP", "TCP_UDP"),
    "TCP_UDP": ("TCP_UDP",),
    "TLS": ("TCP", "TLS"),
}
# application/enable-access-logging.html: who writes the logs; in old regions the account of Elastic Load Balancing.
WRITERS = ("logdelivery.elasticloadbalancing.amazonaws.com", "delivery.logs.amazonaws.com", "127311923021")


def check_listener(kind: str, protocol: str, params: dict) -> None:
    legal = SPOKEN.get(kind, ())
    if protocol not in legal:
        raise AwsError("ValidationError", f"Listener protocol '{protocol}' must be one of '{', '.join(legal)}'")
    if protocol not in ("HTTPS", "TLS"):
        for key in ("Certificates", "SslPolicy"):
            if params.get(key):
                raise AwsError("ValidationError", f"{key} cannot be specified for {protocol} listeners")


def check_action(protocol: str, action: dict) -> None:
    if protocol not in SPOKEN["application"] and action["Type"] != "forward":
        raise AwsError("InvalidLoadBalancerAction", f"The action type '{action['Type']}' is not valid with {protocol} listeners")


def check_protocols(listener: str, group: str) -> None:
    if group not in LEADS_TO[listener]:
        raise AwsError(
            "IncompatibleProtocols", f"Target group protocol '{group}' is not compatible with listener protocol '{listener}'"
        )


def check_group(params: dict) -> None:
    """API_CreateTargetGroup.html"""
    protocol = params.get("Protocol")
    is_http = protocol in SPOKEN["application"]
    if params.get("ProtocolVersion") and not is_http:
        raise AwsError("ValidationError", f"Protocol version cannot be specified for target groups with protocol '{protocol}'")
    check_health(protocol, params.get("HealthCheckProtocol") or ("HTTP" if is_http else "TCP"), params)


def check_health(protocol: str, asks: str, params: dict) -> None:
    """API_CreateTargetGroup.html, API_ModifyTargetGroup.html: HealthCheckProtocol."""
    if asks not in ("HTTP", "HTTPS", "TCP") or (asks == "TCP" and protocol in SPOKEN["application"]):
        raise AwsError("ValidationError", f"Health check protocol '{asks}' is not supported for target groups with protocol '{protocol}'")
    if asks == "TCP":
        for key in ("HealthCheckPath", "Matcher"):
            if params.get(key):
                raise AwsError("ValidationError", f"{key} is not supported for health checks with protocol TCP")


def settle_health(group, has_codes: bool) -> None:
    """What a health check has besides what was said of it."""
    if group.health_check_protocol == "TCP":
        group.health_check_path, group.matcher = None, None
        return
    group.health_check_path = group.health_check_path or "/"
    matcher = getattr(group, "matcher", None)
    if group.protocol not in SPOKEN["application"] and not (has_codes or matcher):
        matcher = {"HttpCode": "200-399"}
    group.matcher = matcher or {"HttpCode": "200"}


def check_group_attributes(group, asked: dict) -> None:
    """API_TargetGroupAttribute.html"""
    for key, value in asked.items():
        if key not in group.attributes:
            raise AwsError("InvalidConfigurationRequest", f"Target group attribute key '{key}' is not recognized")
        if key == "preserve_client_ip.enabled" and value == "false" and "UDP" in group.protocol:
            raise AwsError("InvalidConfigurationRequest", f"Client IP preservation cannot be disabled for protocol {group.protocol}")
    if asked.get("stickiness.enabled") == "true" and group.protocol == "TLS":
        raise AwsError("InvalidConfigurationRequest", "You cannot enable stickiness on target groups with the TLS protocol")


def check_balancer_attributes(balancer, asked: dict, account: str, region: str) -> None:
    """API_LoadBalancerAttribute.html"""
    known = APPLICATION_ATTRIBUTES if balancer.type == "application" else NETWORK_ATTRIBUTES
    for key in asked:
        if key not in known:
            raise AwsError(
                "InvalidConfigurationRequest",
                f"Load balancer attribute key '{key}' is not supported on load balancers with type '{balancer.type}'",
            )
    if balancer.type == "application" and asked.get("load_balancing.cross_zone.enabled") == "false":
        raise AwsError("InvalidConfigurationRequest", "Cross zone load balancing cannot be turned off on load balancers with type 'application'")
    now = {**balancer.attrs, **asked}
    if now.get("access_logs.s3.enabled") == "true":
        check_bucket(now.get("access_logs.s3.bucket"), account, region)


def check_bucket(name: str | None, account: str, region: str) -> None:
    """ELB writes an object to the bucket at once: application/enable-access-logging.html."""
    if not name:
        raise AwsError("InvalidConfigurationRequest", "The value of 'access_logs.s3.bucket' cannot be empty")
    bucket = s3_backends[account]["aws"].buckets.get(name)
    if bucket is None:
        raise AwsError("InvalidConfigurationRequest", f"The specified bucket does not exist: {name}")
    if bucket.region_name != region:
        raise AwsError("InvalidConfigurationRequest", f"The bucket {name} is not located in the same region with your load balancer")
    policy = bucket.policy or b"{}"
    text = policy.decode() if isinstance(policy, bytes) else str(policy)
    statements = json.loads(text).get("Statement") or []
    if not any("s3:PutObject" in str(it.get("Action")) and any(w in str(it.get("Principal")) for w in WRITERS) for it in statements):
        raise AwsError("InvalidConfigurationRequest", f"Access Denied for bucket: {name}. Please check S3bucket permission")
