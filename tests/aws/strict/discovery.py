"""AWS Cloud Map, as far as Service Connect and service discovery need it: written anew, because moto's operations are over
at once, its namespaces go though services are in them, and ECS makes none.

Sources: https://docs.aws.amazon.com/cloud-map/latest/api/, the page of each operation, and
developerguide/service-connect.html where a comment says so.
"""

import json
import random
import re
import string
import sys
import traceback
import uuid

from moto.ec2.models import ec2_backends

from . import paging, zones
from .errors import AwsError
from .model import drop_nulls, fault

SERVICE = "servicediscovery"
PROTOCOL = {"Content-Type": "application/x-amz-json-1.1"}
NAME = re.compile(r"(?!arn:)[!-~]{1,1024}")
DOMAIN = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*")
LABEL = r"([a-zA-Z0-9_][a-zA-Z0-9-_]{0,61}[a-zA-Z0-9_]|[a-zA-Z0-9])"
SERVICE_NAME = re.compile(rf"(?=^.{{1,127}}$){LABEL}(\.{LABEL})*")
# API_DnsRecord.html: "in the following combinations"
COMBINATIONS = ({"A"}, {"AAAA"}, {"A", "AAAA"}, {"SRV"}, {"CNAME"})
# What Service Connect makes is marked. developerguide/service-connect-concepts.html
MADE_BY_ECS = {"AmazonECSManaged": "true"}


def invalid(message: str) -> AwsError:
    return AwsError("InvalidInput", message)


class Refusal(AwsError):
    """An error that says more than a sentence."""

    def __init__(self, code: str, message: str, status: int = 400, **more):
        super().__init__(code, message, status)
        self.more = more


def new_id(prefix: str) -> str:
    return prefix + "".join(random.choices(string.ascii_lowercase + string.digits, k=16))


class Namespace:
    def __init__(self, discovery, params: dict):
        self.kind, self.vpc, self.zone = ("DNS_PRIVATE" if "Vpc" in params else "HTTP"), params.get("Vpc"), None
        self.id = new_id("ns-")
        self.arn = discovery.arn(f"namespace/{self.id}")
        self.name, self.description = params["Name"], params.get("Description", "")
        self.request = params.get("CreatorRequestId")
        self.tags = {tag["Key"]: tag["Value"] for tag in params.get("Tags", [])}
        self.made = discovery.world.now
        self.deleting = False

    def described(self, services: int) -> dict:
        return {
            "Id": self.id,
            "Arn": self.arn,
            "Name": self.name,
            "Type": self.kind,
            "Description": self.description or None,
            "ServiceCount": services,
            "Properties": {
                # API_DnsProperties.html. A new zone's SOA is 15 seconds: CreatePrivateDnsNamespace's example.
                "DnsProperties": {"HostedZoneId": self.zone, "SOA": {"TTL": 15}} if self.zone else {"SOA": {}},
                "HttpProperties": {"HttpName": self.name},
            },
            "CreateDate": self.made,
        }


class Service:
    """What ECS makes for a discovery name."""

    def __init__(self, discovery, namespace: Namespace, name: str, owner: str):
        self.id = new_id("srv-")
        self.arn = discovery.arn(f"service/{self.id}")
        self.namespace, self.name, self.owner = namespace, name, owner
        self.tags = dict(MADE_BY_ECS)

    def described(self) -> dict:
        return {"Id": self.id, "Arn": self.arn, "Name": self.name, "Type": "HTTP"}


class Name(Service):
    """What somebody has made by CreateService, for tasks to be found under."""

    def __init__(self, discovery, namespace: Namespace, params: dict):
        super().__init__(discovery, namespace, params["Name"], "")
        self.tags = {tag["Key"]: tag["Value"] for tag in params.get("Tags", [])}
        self.request, self.description = params.get("CreatorRequestId"), params.get("Description", "")
        self.dns = {"RoutingPolicy": "MULTIVALUE", **params["DnsConfig"]}
        self.health = params.get("HealthCheckCustomConfig")
        self.made = discovery.world.now
        self.instances: dict[str, dict] = {}

    def described(self) -> dict:
        return {
            "Id": self.id,
            "Arn": self.arn,
            "Name": self.name,
            "Type": "DNS_HTTP",
            "Description": self.description or None,
            "InstanceCount": len(self.instances),
            "DnsConfig": self.dns,
            # "no longer supported and is always set to 1"
            "HealthCheckCustomConfig": None if self.health is None else {"FailureThreshold": 1},
            "CreateDate": self.made,
        }


class Operation:
    def __init__(self, kind: str, target: str, now: float):
        self.id, self.kind, self.target = new_id("") + new_id("-"), kind, target
        self.status, self.created = "SUBMITTED", now


class Discovery:
    """The namespaces of one account and region."""

    def __init__(self, world, region: str):
        self.world, self.region = world, region
        self.namespaces: dict[str, Namespace] = {}
        self.services: dict[str, Service] = {}
        self.operations: dict[str, Operation] = {}

    def arn(self, rest: str) -> str:
        return f"arn:aws:servicediscovery:{self.region}:{self.world.account}:{rest}"

    def begin(self, kind: str, target: str, done) -> dict:
        """An operation goes through its states; what it is for is there at its end."""
        operation = Operation(kind, target, self.world.now)
        self.operations[operation.id] = operation
        delay = self.world.settings["namespace-operation"]

        def end():
            done()
            operation.status = "SUCCESS"

        def pend():
            operation.status = "PENDING"

        self.world.after(delay / 2, pend)
        self.world.after(delay, end)
        return {"OperationId": operation.id}

    def under_way(self, target: str) -> Operation | None:
        found = (o for o in self.operations.values() if o.target == target and o.status in ("SUBMITTED", "PENDING"))
        return next(found, None)

    def one(self, reference: str) -> Namespace:
        found = self.namespaces.get(reference.rsplit("/", 1)[-1])
        if found is None:
            raise AwsError("NamespaceNotFound", f"Namespace {reference} not found.", 404)
        return found

    def refuse_while_busy(self, namespace: Namespace) -> None:
        if busy := self.under_way(namespace.id):
            message = "Another operation of type UpdateNamespace and id is in progress."
            raise Refusal("DuplicateRequest", message, 409, DuplicateOperationId=busy.id)

    def create_private_dns_namespace(self, params: dict) -> dict:
        network = ec2_backends[self.world.account][self.region]
        if params["Vpc"] not in network.vpcs:
            raise invalid(f"VPC {params['Vpc']} is not found in {self.region}.")
        if not DOMAIN.fullmatch(params["Name"]):
            raise invalid(f"{params['Name']} is not a valid domain name.")
        return self.create_http_namespace(params)

    def create_http_namespace(self, params: dict) -> dict:
        if not NAME.fullmatch(params["Name"]):
            raise invalid(f"Value '{params['Name']}' at 'name' failed to satisfy constraint.")
        check_tags(params.get("Tags", []))
        for operation in self.operations.values():
            if operation.status in ("SUBMITTED", "PENDING") and operation.kind == "CREATE_NAMESPACE":
                if operation.request == params.get("CreatorRequestId") or operation.name == params["Name"]:
                    message = "Another operation of type CreateNamespace is in progress."
                    raise Refusal("DuplicateRequest", message, 409, DuplicateOperationId=operation.id)
        for there in self.namespaces.values():
            if (there.name, there.vpc) == (params["Name"], params.get("Vpc")):
                raise Refusal(
                    "NamespaceAlreadyExists",
                    "Namespace already exists.",
                    CreatorRequestId=there.request,
                    NamespaceId=there.id,
                )
        namespace = Namespace(self, params)

        def made():
            self.namespaces[namespace.id] = namespace
            if namespace.vpc:
                namespace.zone = zones.make(self.world.account, namespace.name, namespace.vpc, self.region)

        begun = self.begin("CREATE_NAMESPACE", namespace.id, made)
        operation = self.operations[begun["OperationId"]]
        operation.request, operation.name = params.get("CreatorRequestId"), namespace.name
        return begun

    def update_http_namespace(self, params: dict) -> dict:
        namespace = self.one(params["Id"])
        if namespace.kind != "HTTP":
            raise invalid("The namespace is not an HTTP namespace.")
        return self.update_namespace(params)

    def update_private_dns_namespace(self, params: dict) -> dict:
        namespace = self.one(params["Id"])
        if namespace.kind != "DNS_PRIVATE":
            raise invalid("The namespace is not a private DNS namespace.")
        return self.update_namespace(params)

    def update_namespace(self, params: dict) -> dict:
        namespace = self.one(params["Id"])
        self.refuse_while_busy(namespace)
        description = params["Namespace"]["Description"]
        return self.begin("UPDATE_NAMESPACE", namespace.id, lambda: setattr(namespace, "description", description))

    def delete_namespace(self, params: dict) -> dict:
        namespace = self.one(params["Id"])
        self.refuse_while_busy(namespace)
        if any(service.namespace is namespace for service in self.services.values()):
            message = "The namespace contains one or more services, so it can't be deleted."
            raise AwsError("ResourceInUse", message, 409)
        namespace.deleting = True

        def gone():
            self.namespaces.pop(namespace.id)
            if namespace.zone:
                zones.drop(self.world.account, namespace.zone)

        return self.begin("DELETE_NAMESPACE", namespace.id, gone)

    def get_namespace(self, params: dict) -> dict:
        namespace = self.one(params["Id"])
        return {"Namespace": {**namespace.described(self.count(namespace)), "CreatorRequestId": namespace.request}}

    def list_namespaces(self, params: dict) -> dict:
        found = list(self.namespaces.values())
        for wanted in params.get("Filters", []):
            values = wanted["Values"]
            if wanted["Name"] == "TYPE":
                found = [n for n in found if n.kind in values]
            elif wanted["Name"] in ("NAME", "HTTP_NAME"):
                starts = wanted.get("Condition") == "BEGINS_WITH"
                found = [n for n in found if any(n.name.startswith(v) if starts else n.name == v for v in values)]
        return {"Namespaces": [namespace.described(self.count(namespace)) for namespace in found]}

    def list_services(self, params: dict) -> dict:
        found = list(self.services.values())
        for wanted in params.get("Filters", []):
            if wanted["Name"] == "NAMESPACE_ID":
                # API_ServiceFilter.html: of EQ "you can specify only one value"
                if len(wanted["Values"]) != 1:
                    raise invalid("Only one value can be specified for the filter NAMESPACE_ID.")
                found = [s for s in found if s.namespace.id in wanted["Values"] or s.namespace.arn in wanted["Values"]]
        return {"Services": [s.described() for s in found]}

    def service(self, reference: str) -> Service:
        found = self.services.get(reference.rsplit("/", 1)[-1])
        if found is None:
            raise AwsError("ServiceNotFound", f"Service {reference} not found.", 404)
        return found

    def create_service(self, params: dict) -> dict:
        if "NamespaceId" not in params:
            raise invalid("A namespace is required.")
        namespace = self.one(params["NamespaceId"])
        if namespace.deleting:
            raise AwsError("NamespaceNotFound", f"Namespace {namespace.id} not found.", 404)
        check_tags(params.get("Tags", []))
        if not SERVICE_NAME.fullmatch(params["Name"]):
            raise invalid(f"Value '{params['Name']}' at 'name' failed to satisfy constraint.")
        check_dns(namespace, params)
        for there in self.services.values():
            # API_CreateService.html: names that differ only by case cannot both be found by DNS
            if there.namespace is namespace and there.name.lower() == params["Name"].lower():
                request = getattr(there, "request", None)
                if request and request == params.get("CreatorRequestId"):
                    return {"Service": {**there.described(), "NamespaceId": namespace.id}}
                raise Refusal(
                    "ServiceAlreadyExists",
                    "Service already exists.",
                    CreatorRequestId=request,
                    ServiceId=there.id,
                    ServiceArn=there.arn,
                )
        made = Name(self, namespace, params)
        self.services[made.id] = made
        return {"Service": {**made.described(), "NamespaceId": namespace.id}}

    def get_service(self, params: dict) -> dict:
        found = self.service(params["Id"])
        return {"Service": {**found.described(), "NamespaceId": found.namespace.id}}

    def update_service(self, params: dict) -> dict:
        found, change = self.service(params["Id"]), params["Service"]
        if not isinstance(found, Name):
            raise invalid("Services in HTTP namespaces cannot be updated.")
        if busy := self.under_way(found.id):
            message = "Another operation of type UpdateService and id is in progress."
            raise Refusal("DuplicateRequest", message, 409, DuplicateOperationId=busy.id)
        records = change.get("DnsConfig", {}).get("DnsRecords", [])
        # "The record type of a service specified in a DnsRecord object can't be updated."
        was = {record["Type"] for record in found.dns["DnsRecords"]}
        if {record["Type"] for record in records} - was:
            raise invalid("The record type of a service can't be updated.")
        if not records:
            raise invalid("DnsRecords may not be empty.")

        def changed():
            # "If you omit any existing DnsRecords […], the configurations are deleted from the service."
            found.dns = {**found.dns, "DnsRecords": records}
            found.description = change.get("Description", found.description)

        return self.begin("UPDATE_SERVICE", found.id, changed)

    def delete_service(self, params: dict) -> dict:
        found = self.service(params["Id"])
        if getattr(found, "instances", None):
            message = "The service contains one or more instances, so it can't be deleted."
            raise AwsError("ResourceInUse", message, 409)
        self.services.pop(found.id)
        return {}

    def list_instances(self, params: dict) -> dict:
        found = getattr(self.service(params["ServiceId"]), "instances", {})
        return {"Instances": [{"Id": key, "Attributes": attributes} for key, attributes in found.items()]}

    def get_operation(self, params: dict) -> dict:
        operation = self.operations.get(params["OperationId"])
        if operation is None:
            raise AwsError("OperationNotFound", f"Operation {params['OperationId']} not found.", 404)
        answer = {
            "Id": operation.id,
            "Type": operation.kind,
            "Status": operation.status,
            "CreateDate": operation.created,
            "UpdateDate": self.world.now,
        }
        # Nothing says that a target is told before the end; so it is not.
        if operation.status == "SUCCESS":
            kind = "SERVICE" if operation.kind == "UPDATE_SERVICE" else "NAMESPACE"
            answer["Targets"] = {kind: operation.target}
        return {"Operation": answer}

    def count(self, namespace: Namespace) -> int:
        return sum(service.namespace is namespace for service in self.services.values())

    def tagged(self, arn: str) -> dict:
        for one in (*self.namespaces.values(), *self.services.values()):
            if one.arn == arn:
                return one.tags
        raise AwsError("ResourceNotFoundException", f"Resource {arn} not found.")

    def tag_resource(self, params: dict) -> dict:
        check_tags(params["Tags"])
        self.tagged(params["ResourceARN"]).update({tag["Key"]: tag["Value"] for tag in params["Tags"]})
        return {}

    def untag_resource(self, params: dict) -> dict:
        tags = self.tagged(params["ResourceARN"])
        for key in params["TagKeys"]:
            tags.pop(key, None)
        return {}

    def list_tags_for_resource(self, params: dict) -> dict:
        return {"Tags": [{"Key": k, "Value": v} for k, v in self.tagged(params["ResourceARN"]).items()]}

    OPERATIONS = {
        "CreateHttpNamespace": create_http_namespace,
        "CreatePrivateDnsNamespace": create_private_dns_namespace,
        "UpdatePrivateDnsNamespace": update_private_dns_namespace,
        "CreateService": create_service,
        "GetService": get_service,
        "UpdateService": update_service,
        "DeleteService": delete_service,
        "ListInstances": list_instances,
        "UpdateHttpNamespace": update_http_namespace,
        "DeleteNamespace": delete_namespace,
        "GetNamespace": get_namespace,
        "ListNamespaces": list_namespaces,
        "ListServices": list_services,
        "GetOperation": get_operation,
        "TagResource": tag_resource,
        "UntagResource": untag_resource,
        "ListTagsForResource": list_tags_for_resource,
    }

    @staticmethod
    def serve(world, region: str, operation: str, body: bytes) -> tuple[int, dict, bytes, str | None]:
        headers = {**PROTOCOL, "x-amzn-RequestId": str(uuid.uuid4())}
        try:
            params = drop_nulls(json.loads(body or b"{}"))
            function = Discovery.OPERATIONS.get(operation)
            if function is None:
                raise AwsError("UnknownOperationException", f"{operation} is not made here.")
            if wrong := fault(SERVICE, operation, params):
                raise invalid(wrong)
            result = function(of(world, region), params)
            paging.cut(SERVICE, operation, params, result, world.settings["page-size-max"])
        except AwsError as error:
            said = {"__type": error.code, "Message": error.message, **getattr(error, "more", {})}
            return error.status, {**headers, "x-amzn-ErrorType": error.code}, json.dumps(said).encode(), error.code
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            content = json.dumps({"__type": "InternalFailure", "Message": repr(error)}).encode()
            return 500, headers, content, "InternalFailure"
        return 200, headers, json.dumps(drop_nulls(result)).encode(), None


def check_dns(namespace: Namespace, params: dict) -> None:
    dns = params.get("DnsConfig")
    if (namespace.kind == "HTTP") != (dns is None):
        raise invalid("DnsConfig goes with DNS namespaces.")
    if "HealthCheckConfig" in params:
        raise invalid("HealthCheckConfig is not supported for private DNS namespaces.")
    types = [record["Type"] for record in dns["DnsRecords"]] if dns else []
    if dns and (len(set(types)) != len(types) or set(types) not in COMBINATIONS):
        raise invalid(f"Invalid combination of record types: {types}.")
    if types == ["CNAME"] and dns.get("RoutingPolicy", "MULTIVALUE") != "WEIGHTED":
        raise invalid("CNAME records need the routing policy WEIGHTED.")


def check_tags(tags: list[dict]) -> None:
    if any(tag["Key"].lower().startswith("aws:") for tag in tags):
        raise invalid("Tag keys starting with 'aws:' are reserved for system use")


def of(world, region: str) -> Discovery:
    if region not in world.namespaces:
        world.namespaces[region] = Discovery(world, region)
    return world.namespaces[region]


def existing(world, region: str):
    """(kind, id, arn, tags) of what is there; for the leak check."""
    if region in world.namespaces:
        discovery = world.namespaces[region]
        for namespace in discovery.namespaces.values():
            yield "namespace", namespace.name, namespace.arn, namespace.tags
        for service in discovery.services.values():
            yield "discovery-service", service.name, service.arn, service.tags
