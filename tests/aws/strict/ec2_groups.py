"""Security groups and their rules.  The operation pages of AWSEC2/latest/APIReference."""

from moto.core.responses import ActionResult
from moto.ec2.models.security_groups import SecurityGroupRule

from . import interfaces
from .ec2_errors import not_found
from .errors import AwsError

# A rule's description is that of its one peer, whatever kind of peer it is.
SecurityGroupRule.description = property(
    lambda rule: rule.ip_range.get("Description") or rule.source_group.get("Description")
)


def ports(rule) -> tuple:
    return rule.ip_protocol, rule.from_port, rule.to_port


def peer_of(rule) -> str | None:
    return rule.prefix_list_id or named(rule.ip_range) or named(rule.source_group)


def named(peer: dict) -> str | None:
    return next((peer[key] for key in ("CidrIp", "CidrIpv6", "GroupId", "PrefixListId") if peer.get(key)), None)


class Groups:
    def authorize(self, direction: str) -> ActionResult:
        """All of the rules or none of them, and the answer has them all."""
        backend, group_id = self.ec2_backend, self._get_param("GroupId")
        group = backend.get_security_group_from_id(group_id) if group_id else None
        before = list(getattr(group, f"{direction}_rules")) if group else []
        made = []
        try:
            for rule in self._process_rules_from_querystring():
                rules, _ = getattr(backend, f"authorize_security_group_{direction}")(**rule)
                made += rules
        except Exception:
            if group:
                setattr(group, f"{direction}_rules", before)
            raise
        return ActionResult({"Return": True, "SecurityGroupRules": made})

    def authorize_security_group_ingress(self):
        return self.authorize("ingress")

    def authorize_security_group_egress(self):
        return self.authorize("egress")

    def revoke(self, direction: str) -> ActionResult:
        """By id, or by protocol, ports and peer.  The description is no part of what identifies a rule."""
        group = self.ec2_backend.get_security_group_from_id(self._get_param("GroupId"))
        if group is None:
            raise not_found(self._get_param("GroupId"))
        rules = getattr(group, f"{direction}_rules")
        gone = []
        for rule_id in self._get_param("SecurityGroupRuleIds", []):
            found = [rule for rule in rules if rule.id == rule_id]
            if not found:
                raise AwsError(
                    "InvalidSecurityGroupRuleId.NotFound", f"The security group rule ID '{rule_id}' does not exist"
                )
            gone += found
        gone += [rule for rule, _ in self.meant(group, rules)]
        setattr(group, f"{direction}_rules", [rule for rule in rules if rule not in gone])
        return ActionResult({"Return": True})

    def meant(self, group, rules: list) -> list[tuple]:
        """The rules that the request describes, and the peer as it describes each."""
        meant = []
        for asked in self._process_rules_from_querystring():
            for peer in (*asked["ip_ranges"], *asked["source_groups"], *asked["prefix_list_ids"]):
                wanted = SecurityGroupRule(
                    self.ec2_backend, asked["ip_protocol"], group.id, asked["from_port"], asked["to_port"], None
                )
                found = [rule for rule in rules if ports(rule) == ports(wanted) and peer_of(rule) == named(peer)]
                if not found:
                    raise AwsError(
                        "InvalidPermission.NotFound", "The specified rule does not exist in this security group."
                    )
                meant += [(rule, peer) for rule in found]
        return meant

    def describe_rules(self, direction: str) -> ActionResult:
        """UpdateSecurityGroupRuleDescriptions…: by id or by what the rule says; one left out is removed."""
        group = self.ec2_backend.get_security_group_from_id(self._get_param("GroupId"))
        if group is None:
            raise not_found(self._get_param("GroupId"))
        rules = getattr(group, f"{direction}_rules")
        by_id = {text["SecurityGroupRuleId"]: text for text in self._get_param("SecurityGroupRuleDescriptions", [])}
        texts = [(rule, by_id[rule.id]) for rule in rules if rule.id in by_id]
        for rule, text in (*texts, *self.meant(group, rules)):
            (rule.ip_range or rule.source_group)["Description"] = text.get("Description")
        return ActionResult({"Return": True})

    def update_security_group_rule_descriptions_ingress(self):
        return self.describe_rules("ingress")

    def update_security_group_rule_descriptions_egress(self):
        return self.describe_rules("egress")

    def revoke_security_group_ingress(self):
        return self.revoke("ingress")

    def revoke_security_group_egress(self):
        return self.revoke("egress")

    def delete_security_group(self):
        backend, group_id = self.ec2_backend, self._get_param("GroupId")
        group = backend.get_security_group_from_id(group_id) if group_id else None
        if group is None:
            return super().delete_security_group()
        if group.name == "default":
            raise AwsError(
                "CannotDelete", f'the specified group: "{group_id}" name: "default" cannot be deleted by a user'
            )
        others = [g for groups in backend.groups.values() for g in groups.values() if g.id != group_id]
        referenced = any(
            rule.source_group.get("GroupId") == group_id
            for other in others
            for rule in (*other.ingress_rules, *other.egress_rules)
        )
        used = any(group_id == g.id for eni in interfaces.existing(backend) for g in eni.group_set)
        if referenced or used:
            raise AwsError("DependencyViolation", f"resource {group_id} has a dependent object")
        return super().delete_security_group()
