"""S3, by paths (`/bucket/key`).

Sources: https://docs.aws.amazon.com/AmazonS3/latest/API/, the page of each operation, and
https://docs.aws.amazon.com/AmazonS3/latest/userguide/ where a comment names the page.
"""

import json
import uuid
from urllib.parse import parse_qsl, unquote

from moto.core.exceptions import ServiceException
from moto.core.request import Request
from moto.core.routing import get_service_router
from moto.s3.exceptions import InvalidContinuationToken
from moto.s3.models import s3_backends
from moto.s3.responses import S3Response
from werkzeug.exceptions import NotFound

from . import s3_bodies, s3_errors
from .base import Corrected
from .s3_errors import Refused

CONDITIONAL = ("PutObject", "CopyObject", "CompleteMultipartUpload", "DeleteObject")
CONDITIONS = {"HTTP_IF_MATCH": "IfMatch", "HTTP_IF_NONE_MATCH": "IfNoneMatch"}
PAGE = 1000  # API_ListObjectsV2.html: "up to 1,000 key names"
# Of a request, not of an answer to one; moto keeps them as the object's metadata.
NEVER_ANSWERED = ("x-amz-sdk-checksum-algorithm", "x-amz-content-sha256")


def operation_in(environ: dict) -> str:
    try:
        return get_service_router("s3").match(Request(environ))[0].name
    except (NotFound, NotImplementedError):
        return f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"


def place_in(environ: dict) -> tuple[str, str]:
    """The bucket and the key of a request."""
    bucket, _, key = environ["RAW_URI"].split("?")[0].lstrip("/").partition("/")
    return bucket, unquote(key)


def sent_in(environ: dict, body: bytes) -> bytes:
    """What a request says, for the list of calls: S3 has most of it in the address and the headers."""
    bucket, key = place_in(environ)
    said = {"Bucket": bucket, "Key": key, **dict(parse_qsl(environ["QUERY_STRING"], keep_blank_values=True))}
    said |= {name: environ[header] for header, name in CONDITIONS.items() if header in environ}
    said["Body"] = body.decode(errors="replace")
    return json.dumps({name: value for name, value in said.items() if value}).encode()


class S3(Corrected, S3Response):
    boto_name = "s3"
    redirected_to: str | None = None

    def _dispatch(self, request):
        self.environ = request.environ
        self.operation = operation_in(self.environ)
        answer = self.key_response if place_in(self.environ)[1] else self.bucket_response
        status, headers, body = answer(request, request.raw_url, request.headers)
        # RESTCommonResponseHeaders.html: S3 has its own name for this.
        headers["x-amz-request-id"] = headers.pop("x-amzn-requestid", "")
        if self.redirected_to:
            headers["x-amz-bucket-region"] = self.redirected_to
        if int(status) == 404 and not self.error_code:
            self.error_code = "NotFound"  # API_HeadObject.html: what a HEAD cannot say in a body
        kept = {name: value for name, value in headers.items() if name.lower() not in NEVER_ANSWERED}
        return status, kept, body

    def serialized(self, action_result):
        status, headers, body = super().serialized(action_result)
        if isinstance(action_result.result, ServiceException):
            self.error_code = action_result.result.code
            status = getattr(action_result.result, "status", status)
        return status, headers, body

    def _bucket_response(self, request, full_url):
        self.check_request()
        if request.method == "GET":
            self.limit_page()
        if self.operation == "DeleteObjects" and b"<ETag>" in self.body:
            raise s3_errors.not_implemented()  # better than deleting without a look at the condition
        return super()._bucket_response(request, full_url)

    def _key_response(self, request, full_url):
        self.check_request()
        if self.operation in CONDITIONAL:
            self.check_conditions()
        return super()._key_response(request, full_url)

    def check_request(self):
        s3_bodies.check(self.environ, self.body or b"")
        if self.operation == "CreateBucket" or not self.bucket_name:
            return
        # moto opens every bucket to every account.  access-policy-language-overview.html: nobody but
        # the owner has a right that no policy gave.
        _, owner = s3_backends.bucket_accounts.get(self.bucket_name, (None, self.current_account))
        if owner != self.current_account:
            raise s3_errors.access_denied()
        # Redirects.html: a bucket answers at the endpoint of its own region.
        bucket = self.backend.buckets.get(self.bucket_name)
        if bucket and bucket.region_name != self.region and self.operation != "GetBucketLocation":
            self.redirected_to = bucket.region_name
            raise s3_errors.elsewhere()

    def check_conditions(self):
        """conditional-writes.html and conditional-deletes.html, "Conditional write behavior".

        The account's lock, held for the whole request, makes check and write one.
        """
        match, none_match = (self.environ.get(header) for header in CONDITIONS)
        if not (match or none_match):
            return
        # API_PutObject.html: If-None-Match "expects the '*' (asterisk) character", If-Match "the ETag
        # value"; only DeleteObject takes If-Match: *.  S3 answers 501 to the rest, and to both at once.
        deleting = self.operation == "DeleteObject"
        if (match and none_match) or none_match not in (None, "*") or (match == "*" and not deleting):
            raise s3_errors.not_implemented()
        found = self.backend.get_object(self.bucket_name, self.parse_key_name())
        if match and not found:
            raise s3_errors.no_such_key()
        if match not in (None, "*") and match.strip('"') != found.etag.strip('"'):
            raise s3_errors.precondition_failed("If-Match")
        if none_match and found:
            raise s3_errors.precondition_failed("If-None-Match")
        self.meet_another_write()
        for header in CONDITIONS:  # they hold; moto would read them again, and some of them otherwise
            self.environ.pop(header, None)

    def meet_another_write(self):
        # API_PutObject.html: "If a conflicting operation occurs during the upload S3 returns a 409
        # ConditionalRequestConflict response."  Behind the lock none does, so a test asks for it.
        remaining = self.world.settings["write-conflicts"]
        if remaining > 0:
            self.world.settings.update({"write-conflicts": remaining - 1})
            raise s3_errors.conflict()

    def limit_page(self):
        asked = self.querystring.get("max-keys", [str(PAGE)])[0]
        if not asked.isdecimal():
            raise Refused("InvalidArgument", "Provided max-keys not an integer or within integer range")
        size = min(int(asked), PAGE)  # moto gives as many as are asked for
        if cap := self.world.settings["page-size-max"]:
            size = min(size, cap)
        self.querystring["max-keys"] = [str(size)]
        token = self.querystring.get("continuation-token", [None])[0]
        if token and token not in self.backend._pagination_tokens:
            raise InvalidContinuationToken()

    def put_object(self):
        bucket = self.backend.get_bucket(self.bucket_name)
        if not bucket.encryption:
            # default-encryption-faq.html: whatever is stored is encrypted, with keys of S3 if nothing else is said.
            self.environ.setdefault("HTTP_X_AMZ_SERVER_SIDE_ENCRYPTION", "AES256")
        status, headers, body = super().put_object()
        stored = self.backend.get_object(self.bucket_name, self.parse_key_name())
        if stored.encryption == "aws:kms":
            # API_Object.html: the ETag of what KMS encrypts is no MD5 of it, so the same again has another.
            stored._etag = uuid.uuid4().hex
            headers["ETag"] = stored.etag
        if stored.checksum_algorithm:
            stored.checksum_type = headers["x-amz-checksum-type"] = "FULL_OBJECT"
        # API_PutObject.html, "Response Syntax": when it was modified is for GetObject to say.
        headers.pop("last-modified", None)
        return status, headers, body
