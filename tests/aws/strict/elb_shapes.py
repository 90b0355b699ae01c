"""How load balancing reads back: default attributes, and actions and conditions with what AWS adds.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/
"""

# API_LoadBalancerAttribute.html
APPLICATION_ATTRIBUTES = {
    "access_logs.s3.enabled": "false",
    "access_logs.s3.bucket": "",
    "access_logs.s3.prefix": "",
    "client_keep_alive.seconds": "3600",
    "connection_logs.s3.bucket": "",
    "connection_logs.s3.enabled": "false",
    "connection_logs.s3.prefix": "",
    "deletion_protection.enabled": "false",
    "idle_timeout.timeout_seconds": "60",
    "ipv6.deny_all_igw_traffic": "false",
    "load_balancing.cross_zone.enabled": "true",
    "routing.http.desync_mitigation_mode": "defensive",
    "routing.http.drop_invalid_header_fields.enabled": "false",
    "routing.http.preserve_host_header.enabled": "false",
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "false",
    "routing.http.xff_client_port.enabled": "false",
    "routing.http.xff_header_processing.mode": "append",
    "routing.http2.enabled": "true",
    "waf.fail_open.enabled": "false",
    "zonal_shift.config.enabled": "false",
}
NETWORK_ATTRIBUTES = {
    "access_logs.s3.enabled": "false",
    "access_logs.s3.bucket": "",
    "access_logs.s3.prefix": "",
    "deletion_protection.enabled": "false",
    "dns_record.client_routing_policy": "any_availability_zone",
    "ipv6.deny_all_igw_traffic": "false",
    "load_balancing.cross_zone.enabled": "false",
    "zonal_shift.config.enabled": "false",
}
# API_TargetGroupAttribute.html
GROUP_ATTRIBUTES = {
    "deregistration_delay.timeout_seconds": "300",
    "stickiness.enabled": "false",
    "stickiness.type": "lb_cookie",
    "stickiness.lb_cookie.duration_seconds": "86400",
    "stickiness.app_cookie.cookie_name": "",
    "stickiness.app_cookie.duration_seconds": "86400",
    "slow_start.duration_seconds": "0",
    "load_balancing.algorithm.type": "round_robin",
    "load_balancing.algorithm.anomaly_mitigation": "off",
    "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
    "target_group_health.dns_failover.minimum_healthy_targets.count": "1",
    "target_group_health.dns_failover.minimum_healthy_targets.percentage": "off",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": "1",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "off",
}
REDIRECT = {"Host": "#{host}", "Path": "/#{path}", "Query": "#{query}", "Port": "#{port}", "Protocol": "#{protocol}"}


def complete(actions: list[dict]) -> list[dict]:
    """The actions as they read back: API_Action.html.

    A plain forward shows both as TargetGroupArn and as a ForwardConfig of weight 1, every action
    has its order, and a redirect names all its parts."""
    completed = []
    for number, given in enumerate(actions, 1):
        action = {"Order": number, **given}
        if action["Type"] == "forward":
            arn = action.get("TargetGroupArn")
            forward = dict(action.get("ForwardConfig") or {"TargetGroups": [{"TargetGroupArn": arn}]})
            forward["TargetGroups"] = [{"Weight": 1, **group} for group in forward.get("TargetGroups") or []]
            forward.setdefault("TargetGroupStickinessConfig", {"Enabled": False})
            action["ForwardConfig"] = forward
            if len(forward["TargetGroups"]) == 1:
                action["TargetGroupArn"] = forward["TargetGroups"][0]["TargetGroupArn"]
        if action["Type"] == "redirect":
            action["RedirectConfig"] = {**REDIRECT, **action["RedirectConfig"]}
        completed.append(action)
    return completed


def both_ways(conditions: list[dict]) -> list[dict]:
    """Host and path conditions read back both as Values and as their own configuration."""
    shown = []
    for given in conditions:
        condition = dict(given)
        key = {"host-header": "HostHeaderConfig", "path-pattern": "PathPatternConfig"}.get(condition.get("Field"))
        if key:
            values = (condition.get(key) or {}).get("Values") or condition.get("Values")
            condition["Values"], condition[key] = list(values), {"Values": list(values)}
        shown.append(condition)
    return shown
