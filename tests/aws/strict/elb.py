"""Elastic Load Balancing v2.

Sources: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/, the page of each operation.
"""

import random
import re

from moto.core.responses import ActionResult, EmptyResult
from moto.elbv2.models import FakeLoadBalancer
from moto.elbv2.responses import ELBV2Response

from . import acm, elb_rules, iam, interfaces, targets
from .base import Corrected
from .elb_shapes import APPLICATION_ATTRIBUTES, GROUP_ATTRIBUTES, NETWORK_ATTRIBUTES, both_ways, complete
from .errors import AwsError

NAME = re.compile(r"^(?!-)(?!internal-)[A-Za-z0-9-]{1,32}(?<!-)$")
# moto makes a load balancer active when it is first described; here the clock does.
FakeLoadBalancer.activate = lambda balancer: None


class Elb(Corrected, ELBV2Response):
    boto_name = "elbv2"

    def balancer(self, arn: str):
        balancer = self.elbv2_backend.load_balancers.get(arn)
        if balancer is None:
            raise AwsError("LoadBalancerNotFound", f"Load balancers '[{arn}]' not found")
        return balancer

    # -- load balancers -------------------------------------------------------------------------

    def create_load_balancer(self):
        backend, world, params = self.elbv2_backend, self.world, self.params
        ec2 = interfaces.backend_of(self.current_account, self.region)
        name, kind = params["Name"], params.get("Type") or "application"
        if iam.linked_role(world, "elasticloadbalancing.amazonaws.com") is None:
            raise iam.not_authorized(world, "elasticloadbalancing.amazonaws.com")
        scheme = params.get("Scheme") or "internet-facing"
        if not NAME.match(name):
            raise AwsError(
                "ValidationError",
                f"The load balancer name '{name}' can only contain characters that are alphanumeric characters and hyphens(-), up to 32, not starting with 'internal-'",
            )
        subnet_ids = params.get("Subnets") or [m["SubnetId"] for m in params.get("SubnetMappings") or []]
        subnets = self.checked_subnets(ec2, subnet_ids, kind)
        vpc_id = subnets[0].vpc_id
        groups = params.get("SecurityGroups") or []
        for group in groups:
            if ec2.get_security_group_from_id(group) is None or world.hidden.get(group, 0) > world.now:
                raise AwsError("InvalidConfigurationRequest", f"One or more security groups are invalid: {group}")
        if not groups and kind == "application":
            groups = [ec2.get_default_security_group(vpc_id).id]
        if scheme == "internet-facing" and not any(
            g.vpc and g.vpc.id == vpc_id for g in ec2.internet_gateways.values()
        ):
            raise AwsError("InvalidSubnet", f"VPC {vpc_id} has no internet gateway")
        if kind == "network" and params.get("IpAddressType") == "dualstack-without-public-ipv4":
            raise AwsError("InvalidConfigurationRequest", f"IP address type is not supported on load balancers with type '{kind}'")
        # The same name with the same settings is the same load balancer; with others it is an error.
        for existing in backend.load_balancers.values():
            if existing.name == name:
                same = (existing.type, existing.scheme, {s.id for s in existing.subnets}, set(existing.security_groups))
                if same != (kind, scheme, set(subnet_ids), set(groups)):
                    raise AwsError(
                        "DuplicateLoadBalancerName",
                        f"A load balancer with the same name '{name}' exists, but with different settings",
                    )
                return ActionResult({"LoadBalancers": [existing]})
        balancer = backend.create_load_balancer(
            name, groups, subnet_ids, [], scheme, kind, params.get("IpAddressType") or "ipv4", params.get("Tags")
        )
        if kind == "network":
            balancer.arn, old = balancer.arn.replace(":loadbalancer/app/", ":loadbalancer/net/"), balancer.arn
            backend.load_balancers[balancer.arn] = backend.load_balancers.pop(old)
            backend.tagging_service.tag_resource(balancer.arn, params.get("Tags"))
        internal = "internal-" if scheme == "internal" else ""
        balancer.dns_name = f"{internal}{name}-{random.randrange(10**9, 2 * 10**9)}.{self.region}.elb.amazonaws.com"
        balancer.attrs = dict(APPLICATION_ATTRIBUTES if kind == "application" else NETWORK_ATTRIBUTES)
        balancer.state, balancer.interfaces = "provisioning", []
        self.place(ec2, balancer)

        # A few minutes on AWS: LoadBalancerState, API_LoadBalancerState.html.
        def activate():
            balancer.state = "active"

        world.after(world.settings["lb-provisioning"], activate)
        return ActionResult({"LoadBalancers": [balancer]})

    def checked_subnets(self, ec2, subnet_ids: list[str], kind: str) -> list:
        if not subnet_ids:
            raise AwsError("ValidationError", "At least one subnet must be specified")
        hidden = self.world.hidden  # what EC2 does not show yet, no other service sees either
        subnets = [
            interfaces.subnet_of(ec2, subnet_id) if hidden.get(subnet_id, 0) <= self.world.now else None
            for subnet_id in subnet_ids
        ]
        if None in subnets:
            missing = [i for i, s in zip(subnet_ids, subnets) if s is None]
            raise AwsError("SubnetNotFound", f"The subnet ID '{missing[0]}' does not exist")
        zones = [subnet.availability_zone for subnet in subnets]
        if kind == "application" and len(set(zones)) < 2:
            raise AwsError(
                "ValidationError", "At least two subnets in two different Availability Zones must be specified"
            )
        if len(set(zones)) < len(zones):
            raise AwsError(
                "InvalidConfigurationRequest",
                "A load balancer cannot be attached to multiple subnets in the same Availability Zone",
            )
        if len({subnet.vpc_id for subnet in subnets}) > 1:
            raise AwsError("InvalidConfigurationRequest", "All subnets must belong to the same VPC")
        return subnets

    def place(self, ec2, balancer) -> None:
        """One interface in every subnet.  They hold the subnet, the security groups and, with a
        public address, the internet gateway.
        https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html"""
        for eni in balancer.interfaces:
            interfaces.remove(ec2, eni.id)
        kind = "network_load_balancer" if balancer.type == "network" else "interface"
        label = "ELB " + balancer.arn.split(":loadbalancer/")[1]
        public = balancer.scheme == "internet-facing"
        balancer.interfaces = []
        for subnet in balancer.subnets:
            eni = interfaces.add(ec2, subnet, balancer.security_groups, label, "amazon-elb", kind, public)
            if eni is None:
                raise AwsError(
                    "InvalidSubnet",
                    f"Not enough IP space available in {subnet.id}. ELB requires at least 8 free IP addresses in each subnet.",
                )
            balancer.interfaces.append(eni)

    def describe_load_balancers(self):
        balancers = list(self.elbv2_backend.load_balancers.values())
        arns, names = self._get_param("LoadBalancerArns", []), self._get_param("Names", [])
        if arns or names:
            missing = [n for n in names if n not in {b.name for b in balancers}]
            missing += [a for a in arns if a not in {b.arn for b in balancers}]
            if missing:
                raise AwsError("LoadBalancerNotFound", f"Load balancers '[{', '.join(missing)}]' not found")
            balancers = [b for b in balancers if b.arn in arns or b.name in names]
        return ActionResult({"LoadBalancers": balancers})

    def set_security_groups(self):
        balancer = self.balancer(self._get_param("LoadBalancerArn"))
        # network/load-balancer-security-groups.html: only one that was created with groups can have others, and it
        # keeps one at least.
        if balancer.type == "network" and not (balancer.security_groups and self._get_param("SecurityGroups", [])):
            raise AwsError(
                "InvalidConfigurationRequest",
                "Security groups can be set on a load balancer of type 'network' only if it was created with some",
            )
        result = super().set_security_groups()
        balancer = self.balancer(self._get_param("LoadBalancerArn"))
        self.place(interfaces.backend_of(self.current_account, self.region), balancer)
        return result

    def modify_load_balancer_attributes(self):
        balancer = self.balancer(self._get_param("LoadBalancerArn"))
        asked = {it["Key"]: it["Value"] for it in self._get_param("Attributes", [])}
        elb_rules.check_balancer_attributes(balancer, asked, self.current_account, self.region)
        return super().modify_load_balancer_attributes()

    def set_subnets(self):
        ec2 = interfaces.backend_of(self.current_account, self.region)
        balancer = self.balancer(self._get_param("LoadBalancerArn"))
        subnet_ids = self.params.get("Subnets") or [m["SubnetId"] for m in self.params.get("SubnetMappings") or []]
        balancer.subnets = self.checked_subnets(ec2, subnet_ids, balancer.type)
        self.place(ec2, balancer)
        return ActionResult(
            {"AvailabilityZones": balancer.availability_zones, "IpAddressType": balancer.ip_address_type}
        )

    def delete_load_balancer(self):
        backend, world = self.elbv2_backend, self.world
        balancer = backend.load_balancers.get(self._get_param("LoadBalancerArn"))
        if balancer is None:
            return EmptyResult()  # deleting what is not there succeeds
        if balancer.attrs.get("deletion_protection.enabled") == "true":
            raise AwsError(
                "OperationNotPermitted",
                f"Load balancer '{balancer.arn}' cannot be deleted because deletion protection is enabled",
            )
        ec2 = interfaces.backend_of(self.current_account, self.region)

        # The load balancer is gone from the first describe; its interfaces linger.
        def release():
            for eni in balancer.interfaces:
                interfaces.remove(ec2, eni.id)

        world.after(world.settings["lb-eni-release"], release)
        return super().delete_load_balancer()

    # -- target groups --------------------------------------------------------------------------

    def create_target_group(self):
        for existing in self.elbv2_backend.target_groups.values():
            if existing.name == self.params["Name"]:
                if self.differs(existing):
                    raise AwsError(
                        "DuplicateTargetGroupName",
                        f"A target group with the same name '{existing.name}' exists, but with different settings",
                    )
                return ActionResult({"TargetGroups": [existing]})
        elb_rules.check_group(self.params)
        result = super().create_target_group()
        group = result.result["TargetGroups"][0]
        elb_rules.settle_health(group, bool(self._get_param("Matcher")))
        group.attributes = dict(GROUP_ATTRIBUTES)
        if group.protocol not in ("HTTP", "HTTPS"):
            group.attributes = {
                k: v
                for k, v in group.attributes.items()
                if not k.startswith(("stickiness", "slow", "load_balancing.algorithm"))
            }
            group.attributes |= {
                "stickiness.enabled": "false",
                "stickiness.type": "source_ip",
                # API_TargetGroupAttribute.html
                "deregistration_delay.connection_termination.enabled": "true" if "UDP" in group.protocol else "false",
                "preserve_client_ip.enabled": "true"
                if "UDP" in group.protocol or group.target_type != "ip"
                else "false",
                "proxy_protocol_v2.enabled": "false",
            }
        return result

    def describe_target_groups(self):
        balancer = self._get_param("LoadBalancerArn")
        if balancer and not self._get_param("TargetGroupArns", []) and not self._get_param("Names", []):
            self.balancer(balancer)
            # A load balancer without target groups is no error.
            groups = self.elbv2_backend.target_groups.values()
            return ActionResult({"TargetGroups": [g for g in groups if balancer in g.load_balancer_arns]})
        return super().describe_target_groups()

    def differs(self, group) -> bool:
        shown = {
            "Protocol": group.protocol,
            "ProtocolVersion": group.protocol_version,
            "Port": group.port,
            "VpcId": group.vpc_id,
            "TargetType": group.target_type,
            "IpAddressType": group.ip_address_type,
            "HealthCheckProtocol": group.health_check_protocol,
            "HealthCheckPort": group.health_check_port,
            "HealthCheckPath": group.health_check_path,
            "HealthCheckIntervalSeconds": group.health_check_interval_seconds,
            "HealthCheckTimeoutSeconds": group.health_check_timeout_seconds,
            "HealthyThresholdCount": group.healthy_threshold_count,
            "UnhealthyThresholdCount": group.unhealthy_threshold_count,
        }
        return any(str(self.params[key]) != str(value) for key, value in shown.items() if key in self.params)

    def modify_target_group(self):
        group = self.group()
        asks = self._get_param("HealthCheckProtocol") or group.health_check_protocol
        elb_rules.check_health(group.protocol, asks, self.params)
        result = super().modify_target_group()
        codes = (self._get_param("Matcher") or {}).get("HttpCode")
        if codes and group.protocol not in ("HTTP", "HTTPS"):
            group.matcher = {"HttpCode": codes}
        elb_rules.settle_health(group, bool(codes))
        return result

    def modify_target_group_attributes(self):
        asked = {it["Key"]: it["Value"] for it in self._get_param("Attributes", [])}
        elb_rules.check_group_attributes(self.group(), asked)
        super().modify_target_group_attributes()
        group = self.elbv2_backend.target_groups[self._get_param("TargetGroupArn")]
        return ActionResult({"Attributes": group.attributes})  # all of them, not only the changed

    # -- listeners and rules ----------------------------------------------------------------------

    def check_forwards(self, actions: list[dict], balancer_arn: str, protocol: str) -> None:
        for action in actions:
            elb_rules.check_action(protocol, action)
            for arn in targets.forwarded_to(action):
                if arn not in self.elbv2_backend.target_groups:
                    raise AwsError("TargetGroupNotFound", f"Target groups '{arn}' not found")
                elb_rules.check_protocols(protocol, self.elbv2_backend.target_groups[arn].protocol)
                # A target group serves one load balancer.
                # https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
                if set(targets.load_balancers_of(self.elbv2_backend, arn)) - {balancer_arn}:
                    raise AwsError(
                        "TargetGroupAssociationLimit",
                        f"The following target groups cannot be associated with more than one load balancer: {arn}",
                    )

    def create_listener(self):
        params = self.params
        balancer = self.balancer(params["LoadBalancerArn"])
        protocol, port = params.get("Protocol"), params.get("Port")
        params["DefaultActions"] = complete(params.get("DefaultActions") or [])
        if protocol in ("HTTPS", "TLS") and not params.get("Certificates"):
            raise AwsError("ValidationError", f"A certificate must be specified for {protocol} listeners")
        for listener in balancer.listeners.values():
            if int(listener.port) == int(port):
                same = (
                    listener.protocol == protocol
                    and [a.data for a in listener.default_actions] == params["DefaultActions"]
                )
                if not same:
                    raise AwsError("DuplicateListener", "A listener already exists on this port for this load balancer")
                return ActionResult({"Listeners": [listener]})
        elb_rules.check_listener(balancer.type, protocol, params)
        self.check_forwards(params["DefaultActions"], balancer.arn, protocol)
        self.check_certificates()
        return super().create_listener()

    def check_certificates(self) -> None:
        shown = self.params.get("Certificates") or []
        acm.check_shown(self.world, self.region, [it["CertificateArn"] for it in shown])

    def describe_listeners(self):
        known = {arn for b in self.elbv2_backend.load_balancers.values() for arn in b.listeners}
        missing = [arn for arn in self._get_param("ListenerArns", []) if arn not in known]
        if missing:
            raise AwsError("ListenerNotFound", f"One or more listeners not found: {missing}")
        return super().describe_listeners()

    def modify_listener(self):
        arn = self._get_param("ListenerArn")
        listener = self.elbv2_backend.describe_listeners(None, [arn])[0]
        balancer = self.balancer(listener.load_balancer_arn)
        protocol = self.params.get("Protocol") or listener.protocol
        certificates = self.params.get("Certificates") or []
        shown = certificates or (listener.certificates if listener.protocol in ("HTTPS", "TLS") else [])
        if protocol in ("HTTPS", "TLS") and not shown:
            raise AwsError("ValidationError", f"A certificate must be specified for {protocol} listeners")
        elb_rules.check_listener(balancer.type, protocol, self.params)
        if self.params.get("DefaultActions"):
            self.params["DefaultActions"] = complete(self.params["DefaultActions"])
        actions = self.params.get("DefaultActions") or [action.data for action in listener.default_actions]
        self.check_forwards(actions, listener.load_balancer_arn, protocol)
        self.check_certificates()
        if balancer.type == "network":
            # moto knows only HTTP, HTTPS and TCP here, and certificates of HTTPS alone.
            self.params.pop("Protocol", None)
            listener.protocol = protocol
            # API_ModifyListener.html: without TLS there is neither certificate nor policy.
            listener.certificates = [it["CertificateArn"] for it in certificates] or listener.certificates
            if protocol != "TLS":
                listener.certificates, listener.ssl_policy = [], None
            listener.certificate = next(iter(listener.certificates), None)
        result = super().modify_listener()
        # moto reads these and forgets them.
        listener.protocol = self.params.get("Protocol") or listener.protocol
        listener.port = self.params.get("Port") or listener.port
        listener.ssl_policy = self.params.get("SslPolicy") or listener.ssl_policy
        return result

    def create_rule(self):
        params = self.params
        params["Actions"] = complete(params["Actions"])
        listener = self.elbv2_backend.describe_listeners(None, [params["ListenerArn"]])[0]
        if ":loadbalancer/net/" in listener.load_balancer_arn:
            # network/load-balancer-listeners.html: the default action is all there is.
            raise AwsError("InvalidLoadBalancerAction", "Rules are not supported on load balancers with type 'network'")
        self.check_forwards(params["Actions"], listener.load_balancer_arn, listener.protocol)
        result = super().create_rule()
        rule = result.result["Rules"][0]
        rule.conditions = both_ways(rule.conditions)
        return result

    def modify_rule(self):
        if self.params.get("Actions"):
            self.params["Actions"] = complete(self.params["Actions"])
            rule = self.elbv2_backend.describe_rules(None, [self.params["RuleArn"]])[0]
            listener = self.elbv2_backend.describe_listeners(None, [rule.listener_arn])[0]
            self.check_forwards(self.params["Actions"], listener.load_balancer_arn, listener.protocol)
        result = super().modify_rule()
        rule = result.result["Rules"][0]
        rule.conditions = both_ways(rule.conditions)
        return result

    def describe_rules(self):
        rules = self.elbv2_backend.describe_rules(self._get_param("ListenerArn"), self._get_param("RuleArns"))
        # In order of priority, the default last.
        return ActionResult(
            {"Rules": sorted(rules, key=lambda rule: (rule.is_default, 0 if rule.is_default else int(rule.priority)))}
        )

    def set_rule_priorities(self):
        # API_SetRulePriorities.html: conflicts are those of the new order, so that rules can change places;
        # rules that are not named keep theirs.
        asked = {pair["RuleArn"]: pair["Priority"] for pair in self._get_param("RulePriorities", [])}
        chosen = {arn: self.elbv2_backend.describe_rules(listener_arn=None, rule_arns=[arn])[0] for arn in asked}
        for rule in chosen.values():
            listener = self.elbv2_backend.describe_listeners(None, [rule.listener_arn])[0]
            order = [asked.get(other.arn, other.priority) for other in listener.rules.values()]
            if any(order.count(priority) > 1 for priority in asked.values()):
                raise AwsError("PriorityInUse", "Some of the priorities are already in use")
        for arn, rule in chosen.items():
            rule.priority = asked[arn]
        return ActionResult({"Rules": list(chosen.values())})

    def delete_rule(self):
        arn = self._get_param("RuleArn")
        rule = self.elbv2_backend.describe_rules(None, [arn])[0]  # RuleNotFound
        if rule.is_default:
            raise AwsError("OperationNotPermitted", f"Default rule '{arn}' cannot be deleted")
        return super().delete_rule()

    # -- targets ----------------------------------------------------------------------------------

    def group(self):
        group = self.elbv2_backend.target_groups.get(self._get_param("TargetGroupArn"))
        if group is None:
            raise AwsError("TargetGroupNotFound", f"Target groups '{self._get_param('TargetGroupArn')}' not found")
        return group

    def register_targets(self):
        for target in self._get_param("Targets", []):
            targets.register(self.world, self.group(), target["Id"], target.get("Port"))
        return EmptyResult()

    def deregister_targets(self):
        group = self.group()
        for target in self._get_param("Targets", []):
            targets.deregister(self.world, group, targets.key(group, target["Id"], target.get("Port")))
        return EmptyResult()

    def describe_target_health(self):
        group, asked = self.group(), self._get_param("Targets", [])
        descriptions = []
        for asked_for in asked or list(group.targets.values()):
            target = group.targets.get(targets.key(group, asked_for["Id"], asked_for.get("Port")))
            state, reason = targets.health(self.world, group, target) if target else ("unused", "Target.NotRegistered")
            port = (target or asked_for).get("Port", group.port)
            descriptions.append(
                {
                    "Target": {"Id": asked_for["Id"], "Port": port},
                    "HealthCheckPort": str(port),
                    "TargetHealth": {"State": state, "Reason": reason, "Description": targets.REASONS.get(reason)},
                }
            )
        return ActionResult({"TargetHealthDescriptions": descriptions})

    # -- tags -------------------------------------------------------------------------------------

    def add_tags(self):
        backend = self.elbv2_backend
        for arn in self._get_param("ResourceArns", []):
            backend._get_resource_by_arn(arn)
            tags = self._get_param("Tags", [])
            present = set(backend.tagging_service.get_tag_dict_for_resource(arn)) | {t["Key"] for t in tags}
            # 50; moto stops at 10.
            if len(present) > 50:
                raise AwsError("TooManyTags", "You've reached the limit on the number of tags per resource")
            backend.tagging_service.tag_resource(arn, tags)
        return EmptyResult()

    def describe_tags(self):
        arns = self._get_param("ResourceArns", [])
        if len(arns) > 20:
            raise AwsError(
                "ValidationError",
                "1 validation error detected: Value at 'resourceArns' failed to satisfy constraint: Member must have length less than or equal to 20",
            )
        for arn in arns:
            self.elbv2_backend._get_resource_by_arn(arn)
        return super().describe_tags()
