"""Route 53: zones are moto's, records are written anew; moto creates what is there and deletes what is not.

Sources: https://docs.aws.amazon.com/Route53/latest/APIReference/, the page of each operation, and the
developer guide where a comment names the page.
"""

import json
import re
import uuid

from moto.core.request import Request
from moto.core.responses import ActionResult
from moto.core.routing import get_service_router
from moto.core.utils import utcnow
from moto.elbv2.models import elbv2_backends
from moto.route53.models import RecordSet, route53_backends
from moto.route53.responses import Route53 as Moto
from werkzeug.exceptions import NotFound

from .base import Corrected
from .errors import AwsError

QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
STRING = 255  # "Supported DNS record types": of a TXT record
VALUE = 4000  # "Quotas": characters in a value
CHANGES = 1000  # "Quotas": ResourceRecord elements in a request
# "Naming conventions", developer guide: what of a name is shown as an octal code.
SHOWN = str.maketrans({"*": "\\052"})


def zones_of(account: str) -> dict:
    return route53_backends[account]["aws"].zones


def key(name: str) -> str:
    """A name as it is compared: without its case and the dot at its end."""
    return name.rstrip(".").replace("\\052", "*").lower()


def order(record) -> tuple:
    # API_ListResourceRecordSets.html: "sorts results first by DNS name with the labels reversed"
    return key(record.name).split(".")[::-1], record.type


def answers(account: str, Name: str, Type: str, Value: str) -> bool:
    """Whether the internet gets this answer: that of the public zone with the longest name."""
    above = [z for z in zones_of(account).values() if not z.private_zone and is_within(Name, z.name)]
    zone = max(above, key=lambda zone: len(zone.name), default=None)
    if zone is None:
        return False
    same = [r for r in zone.rrsets if key(r.name) == key(Name) and r.type == Type]
    return any(key(value) == key(Value) for record in same for value in record.records or [])


def is_within(name: str, domain: str) -> bool:
    return ("." + key(name)).endswith("." + key(domain))


def tags_in(account: str) -> dict[tuple[str, str], dict]:
    """What the records' marks say of them, by zone and record: `A shop.example.com`."""
    found = {}
    for zone in zones_of(account).values():
        for record in zone.rrsets:
            if record.type == "TXT" and "._ecsctl." in key(record.name):
                strings = QUOTED.findall(record.records[0])
                text = re.sub(r'\\([0-7]{3}|.)', unescaped, "".join(strings)).encode("latin-1")
                says = json.loads(text)
                found[(zone.resource_id, says["record"])] = says["tags"]
    return found


def unescaped(found: re.Match) -> str:
    code = found.group(1)
    return chr(int(code, 8)) if len(code) == 3 else code


class Route53(Corrected, Moto):
    boto_name = "route53"

    def list_hosted_zones(self):
        size = self._get_int_param("MaxItems", 100)
        return ActionResult({"HostedZones": list(self.backend.zones.values()), "MaxItems": size})

    def zone(self):
        found = self._get_param("HostedZoneId") or self._get_param("Id")
        zone = zones_of(self.current_account).get(found.removeprefix("/hostedzone/"))
        if zone is None:
            raise AwsError("NoSuchHostedZone", f"No hosted zone found with ID: {found}", 404)
        return zone

    def list_resource_record_sets(self):
        start, kind = self._get_param("StartRecordName"), self._get_param("StartRecordType") or ""
        if kind and not start:
            raise AwsError("InvalidInput", "StartRecordName must be specified with StartRecordType")
        size = min(self._get_int_param("MaxItems", 300), 300)
        cap = self.world.settings["page-size-max"]
        size = min(size, cap) if cap else size
        records = sorted(self.zone().rrsets, key=order)
        if start:
            first = (key(start).split(".")[::-1], kind)
            records = [record for record in records if order(record) >= first]
        page, rest = records[:size], records[size:]
        return ActionResult(
            {
                "ResourceRecordSets": [shown(record) for record in page],
                "IsTruncated": bool(rest),
                "NextRecordName": shown(rest[0])["Name"] if rest else None,
                "NextRecordType": rest[0].type if rest else None,
                "MaxItems": size,
            }
        )

    def change_resource_record_sets(self):
        zone, changes = self.zone(), self._get_param("ChangeBatch.Changes")
        weight = sum(
            len(c["ResourceRecordSet"].get("ResourceRecords") or []) * (2 if c["Action"] == "UPSERT" else 1)
            for c in changes
        )
        if weight > CHANGES:
            raise AwsError("InvalidChangeBatch", f"[Number of records limit of {CHANGES} exceeded]")
        records, flaws = {identity(record): record for record in zone.rrsets}, []
        for change in changes:  # all of them or none
            asked = change["ResourceRecordSet"]
            flaw = self.flaw(zone, asked) or self.carry_out(change["Action"], asked, records)
            if flaw:
                flaws.append(flaw)
        if flaws:
            raise AwsError("InvalidChangeBatch", f"[{', '.join(flaws)}]")
        zone.rrsets = list(records.values())
        for look in self.world.dns_watchers:
            look()
        change_id = f"C{uuid.uuid4().hex[:20].upper()}"
        self.world.changes[change_id] = self.world.now + self.world.settings["dns-everywhere"]
        return ActionResult({"ChangeInfo": {"Id": f"/change/{change_id}", "Status": "PENDING", "SubmittedAt": utcnow()}})

    def flaw(self, zone, asked: dict) -> str | None:
        name, kind = asked["Name"], asked["Type"]
        here = f"[name='{name}', type='{kind}']"
        if not is_within(name, zone.name):
            return f"RRSet with DNS name {name} is not permitted in zone {zone.name}"
        if any(len(label) > 63 for label in key(name).split(".")) or len(name) > 255:
            return f"FATAL problem: DomainLabelTooLong encountered with '{name}'"
        alias, values = asked.get("AliasTarget"), [it["Value"] for it in asked.get("ResourceRecords") or []]
        if bool(alias) == bool(values) or bool(values) != ("TTL" in asked):
            return f"Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords]] in {here}"
        if kind == "CNAME" and (len(values) > 1 or key(name) == key(zone.name)):
            return f"RRSet of type CNAME with DNS name {name} is not permitted at apex, or has several values"
        if kind == "TXT":
            for value in values:
                strings = QUOTED.findall(value)
                if not strings or QUOTED.sub("", value).strip():
                    return f"Invalid Resource Record: 'FATAL problem: InvalidCharacterString' encountered with '{value}'"
                if len(value) > VALUE or any(len(re.sub(r"\\([0-7]{3}|.)", "x", it)) > STRING for it in strings):
                    return f"Invalid Resource Record: CharacterStringTooLong encountered with '{value}'"
        return self.alias_flaw(alias, here) if alias else None

    def alias_flaw(self, alias: dict, here: str) -> str | None:
        """The target must be there, and be in the zone that is named for it."""
        asked = key(alias["DNSName"]).removeprefix("dualstack.")
        for region in elbv2_backends[self.current_account].values():
            for balancer in region.load_balancers.values():
                if key(balancer.dns_name) == asked:
                    right = balancer.canonical_hosted_zone_id == alias["HostedZoneId"]
                    return None if right else f"Tried to create an alias that targets {asked}, type A in zone {alias['HostedZoneId']}, but the alias target name does not lie within the target zone"
        return f"Tried to create an alias {here} that targets {asked}, type A in zone {alias['HostedZoneId']}, but that target was not found"

    def carry_out(self, action: str, asked: dict, records: dict) -> str | None:
        asked = {**asked, "ResourceRecords": [it["Value"] for it in asked.get("ResourceRecords") or []]}
        wanted = RecordSet(asked)
        here = f"resource record set [name='{wanted.name}', type='{wanted.type}']"
        there = records.get(identity(wanted))
        if action == "DELETE":
            if there is None:
                return f"Tried to delete {here} but it was not found"
            if shown(there) != shown(wanted):
                return f"Tried to delete {here} but the values provided do not match the current values"
            if wanted.type in ("SOA", "NS"):
                return f"A HostedZone must contain at least one {wanted.type} record for the zone itself."
            del records[identity(wanted)]
            return None
        if action == "CREATE" and there is not None:
            return f"Tried to create {here} but it already exists"
        same = [record for record in records.values() if key(record.name) == key(wanted.name)]
        others = {record.type for record in same} - {wanted.type}
        if others and "CNAME" in others | {wanted.type}:
            return f"RRSet of type {wanted.type} with DNS name {wanted.name} is not permitted as it conflicts with other records with the same DNS name"
        records[identity(wanted)] = wanted
        return None

    def get_change(self):
        change = self._get_param("Id").removeprefix("/change/")
        due = self.world.changes.get(change)
        if due is None:
            raise AwsError("NoSuchChange", f"Could not find resource with ID: {change}", 404)
        status = "INSYNC" if self.world.now >= due else "PENDING"
        return ActionResult({"ChangeInfo": {"Id": f"/change/{change}", "Status": status, "SubmittedAt": utcnow()}})

    def delete_hosted_zone(self):
        if any(record.type not in ("NS", "SOA") for record in self.zone().rrsets):
            raise AwsError("HostedZoneNotEmpty", "The specified hosted zone contains non-required resource record sets")
        return super().delete_hosted_zone()


def identity(record) -> tuple:
    return key(record.name), record.type, record.set_identifier


def shown(record) -> dict:
    """A record set as it reads back: the name whole, and with a dot at its end."""
    name = key(record.name).translate(SHOWN) + "."
    told = {"Name": name, "Type": record.type}
    if record.alias_target:
        target = dict(record.alias_target)
        evaluates = str(target.get("EvaluateTargetHealth")).lower() == "true"
        told["AliasTarget"] = {**target, "DNSName": key(target["DNSName"]) + ".", "EvaluateTargetHealth": evaluates}
    else:
        # moto writes a zone's own SOA in another form.
        values = [value if isinstance(value, str) else value["Value"] for value in record.records]
        told |= {"TTL": int(record.ttl), "ResourceRecords": [{"Value": value} for value in values]}
    return told


def operation_in(environ: dict) -> str:
    try:
        return get_service_router("route53").match(Request(environ))[0].name
    except (NotFound, NotImplementedError):
        return f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
