"""AWS Certificate Manager, written anew: moto issues a certificate when it is a minute old, whoever its names
belong to, and lets go of one that a load balancer shows.

Sources: https://docs.aws.amazon.com/acm/latest/APIReference/, the page of each operation, and the user guide
where a comment names the page.
"""

import hashlib
import json
import re
import sys
import traceback
import uuid
from functools import cache

from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator
from moto.elbv2 import models as elbv2

from . import paging, route53
from .errors import AwsError

# DomainNameString
NAME = re.compile(r"(\*\.)?(((?!-)[A-Za-z0-9-]{0,62}[A-Za-z0-9])\.)+((?!-)[A-Za-z0-9-]{1,62}[A-Za-z0-9])")
NAMES = 10  # "Quotas": domain names in a certificate
LISTED = {"RSA_1024", "RSA_2048"}  # API_ListCertificates.html: "default filtering"
PROTOCOL = {"Content-Type": "application/x-amz-json-1.1"}


@cache
def model() -> ServiceModel:
    return ServiceModel(Loader().load_service_model("acm", "service-2"), "acm")


class Certificate:
    def __init__(self, world, region: str, params: dict):
        self.arn = f"arn:aws:acm:{region}:{world.account}:certificate/{uuid.uuid4()}"
        self.name = params["DomainName"]
        self.names = list(dict.fromkeys([self.name, *params.get("SubjectAlternativeNames", [])]))
        self.key = params.get("KeyAlgorithm", "RSA_2048")
        self.tags = {tag["Key"]: tag.get("Value", "") for tag in params.get("Tags", [])}
        self.token = params.get("IdempotencyToken")
        self.status, self.made = "PENDING_VALIDATION", world.now
        self.account = world.account

    def proof(self, name: str) -> dict:
        """The record that proves a name: the same for all certificates of an account, and for a wildcard.
        https://docs.aws.amazon.com/acm/latest/userguide/dns-validation.html"""
        bare = name.removeprefix("*.")
        one, two = (hashlib.md5(f"{self.account} {bare} {end}".encode()).hexdigest() for end in ("name", "value"))
        return {"Name": f"_{one}.{bare}.", "Type": "CNAME", "Value": f"_{two}.acm-validations.aws."}

    def is_proved(self) -> bool:
        return all(route53.answers(self.account, **self.proof(name)) for name in self.names)


class Acm:
    """The certificates of one account and region."""

    def __init__(self, world, region: str):
        self.world, self.region = world, region
        self.certificates: dict[str, Certificate] = {}
        world.dns_watchers.append(self.look_again)

    def look_again(self) -> None:
        for certificate in self.certificates.values():
            self.look(certificate)

    def look(self, certificate: Certificate) -> None:
        """ACM asks for the records from time to time, and issues when it has seen them all."""

        def issue():
            if certificate.status == "PENDING_VALIDATION" and certificate.is_proved():
                certificate.status = "ISSUED"

        self.world.after(self.world.settings["certificate-issued"], issue)

    def one(self, params: dict) -> Certificate:
        arn = params["CertificateArn"]
        if arn not in self.certificates:
            raise AwsError("ResourceNotFoundException", f"Could not find certificate {arn}.")
        return self.certificates[arn]

    def users(self, certificate: Certificate) -> list[str]:
        balancers = elbv2.elbv2_backends[self.world.account][self.region].load_balancers.values()
        shown = {it.certificate: balancer.arn for balancer in balancers for it in balancer.listeners.values()}
        return [shown[certificate.arn]] if certificate.arn in shown else []

    def request_certificate(self, params: dict) -> dict:
        names = [params["DomainName"], *params.get("SubjectAlternativeNames", [])]
        for name in names:
            if not NAME.fullmatch(name):
                raise AwsError("ValidationException", f"Value '{name}' failed to satisfy constraint: {NAME.pattern}")
        if len(params["DomainName"]) > 64:
            raise AwsError("InvalidDomainValidationOptionsException", "The first domain name is too long.")
        if len(set(names)) > NAMES:
            raise AwsError("LimitExceededException", "Error: the maximum number of domain names has been reached.")
        if params.get("ValidationMethod") != "DNS":
            raise AwsError("InvalidParameterException", "Only DNS validation is made here.")
        # "If you call RequestCertificate multiple times with the same idempotency token within one hour, ACM
        # recognizes that you are requesting only one certificate".
        for made in self.certificates.values():
            if made.token and made.token == params.get("IdempotencyToken") and self.world.now - made.made < 3600:
                return {"CertificateArn": made.arn}
        self.check_tags(params)
        certificate = Certificate(self.world, self.region, params)
        self.certificates[certificate.arn] = certificate
        self.look(certificate)
        return {"CertificateArn": certificate.arn}

    def describe_certificate(self, params: dict) -> dict:
        found = self.one(params)
        # "there is a delay of several seconds before information about it can be retrieved"
        is_known = self.world.now >= found.made + self.world.settings["certificate-described"]

        def option(name: str) -> dict:
            status = "SUCCESS" if found.status == "ISSUED" else "PENDING_VALIDATION"
            option = {"DomainName": name, "ValidationDomain": name, "ValidationStatus": status, "ValidationMethod": "DNS"}
            return {**option, "ResourceRecord": found.proof(name)} if is_known else option

        return {
            "Certificate": {
                "CertificateArn": found.arn,
                "DomainName": found.name,
                "SubjectAlternativeNames": found.names,
                "DomainValidationOptions": [option(name) for name in found.names] if is_known else None,
                "CreatedAt": found.made,
                "Status": found.status,
                # With a hyphen, unlike everywhere else: see the example of the page.
                "KeyAlgorithm": found.key.replace("_", "-", 1) if found.key.startswith("RSA") else found.key,
                "InUseBy": self.users(found),
                "Type": "AMAZON_ISSUED",
            }
        }

    def list_certificates(self, params: dict) -> dict:
        wanted = set(params.get("Includes", {}).get("keyTypes", LISTED))
        statuses = params.get("CertificateStatuses")
        found = [
            {
                "CertificateArn": one.arn,
                "DomainName": one.name,
                "SubjectAlternativeNameSummaries": one.names[:100],
                "Status": one.status,
                "KeyAlgorithm": one.key,
                "InUse": bool(self.users(one)),
                "CreatedAt": one.made,
            }
            for one in self.certificates.values()
            if one.key in wanted and (not statuses or one.status in statuses)
        ]
        return {"CertificateSummaryList": found}

    def delete_certificate(self, params: dict) -> dict:
        found = self.one(params)
        if self.users(found):
            raise AwsError("ResourceInUseException", f"Certificate {found.arn} in account {found.account} is in use.")
        del self.certificates[found.arn]
        return {}

    def check_tags(self, params: dict, present: tuple = ()) -> None:
        keys = {tag["Key"] for tag in params.get("Tags", [])}
        if any(key.lower().startswith("aws:") for key in keys):
            raise AwsError("InvalidTagException", "aws: prefixed tag key names are not allowed for external use.")
        if len(keys | set(present)) > 50:
            raise AwsError("TooManyTagsException", "The TagSet contains too many Tags")

    def add_tags_to_certificate(self, params: dict) -> dict:
        found = self.one(params)
        self.check_tags(params, tuple(found.tags))
        found.tags |= {tag["Key"]: tag.get("Value", "") for tag in params["Tags"]}
        return {}

    def remove_tags_from_certificate(self, params: dict) -> dict:
        found = self.one(params)
        for tag in params["Tags"]:
            # "If you specify a value for the tag, the tag is removed only if it is associated with that value."
            if tag.get("Value") in (None, found.tags.get(tag["Key"])):
                found.tags.pop(tag["Key"], None)
        return {}

    def list_tags_for_certificate(self, params: dict) -> dict:
        return {"Tags": [{"Key": key, "Value": value} for key, value in self.one(params).tags.items()]}

    OPERATIONS = {
        "RequestCertificate": request_certificate,
        "DescribeCertificate": describe_certificate,
        "ListCertificates": list_certificates,
        "DeleteCertificate": delete_certificate,
        "AddTagsToCertificate": add_tags_to_certificate,
        "RemoveTagsFromCertificate": remove_tags_from_certificate,
        "ListTagsForCertificate": list_tags_for_certificate,
    }

    @staticmethod
    def serve(world, region: str, operation: str, body: bytes) -> tuple[int, dict, bytes, str | None]:
        headers = {**PROTOCOL, "x-amzn-RequestId": str(uuid.uuid4())}
        try:
            params = json.loads(body or b"{}")
            function = Acm.OPERATIONS.get(operation)
            if function is None:
                raise AwsError("UnknownOperationException", f"{operation} is not made here.")
            report = ParamValidator().validate(params, model().operation_model(operation).input_shape)
            if report.has_errors():
                raise AwsError("ValidationException", report.generate_report())
            result = function(of(world, region), params)
            paging.cut("acm", operation, params, result, world.settings["page-size-max"])
        except AwsError as error:
            content = json.dumps({"__type": error.code, "message": error.message}).encode()
            return error.status, {**headers, "x-amzn-ErrorType": error.code}, content, error.code
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            content = json.dumps({"__type": "InternalFailure", "message": repr(error)}).encode()
            return 500, headers, content, "InternalFailure"
        return 200, headers, json.dumps(without_nulls(result)).encode(), None


def without_nulls(value):
    """A member that is not there is left out."""
    if isinstance(value, dict):
        return {name: without_nulls(inner) for name, inner in value.items() if inner is not None}
    return [without_nulls(inner) for inner in value] if isinstance(value, list) else value


def of(world, region: str) -> Acm:
    if region not in world.certificates:
        world.certificates[region] = Acm(world, region)
    return world.certificates[region]


def check_shown(world, region: str, arns: list[str]) -> None:
    """A listener shows certificates that are there and issued.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateListener.html"""
    for arn in arns:
        if ":acm:" not in arn:
            continue
        found = of(world, region).certificates.get(arn)
        if found is None:
            raise AwsError("CertificateNotFound", f"Certificate '{arn}' not found")
        if found.status != "ISSUED":
            raise AwsError(
                "UnsupportedCertificate",
                f"The certificate '{arn}' must have a fully-qualified domain name, a supported signature, "
                "and a supported key size.",
            )


# Those of ACM are here, and who uses them is read off the listeners; IAM's are moto's own.
elbv2.register_certificate = lambda *_, **__: None
known_to_moto = elbv2.ELBv2Backend._certificate_exists
elbv2.ELBv2Backend._certificate_exists = lambda backend, certificate_arn: (
    ":acm:" in certificate_arn or known_to_moto(backend, certificate_arn)
)
