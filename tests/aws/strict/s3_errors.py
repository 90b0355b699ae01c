"""S3's errors that moto lacks, or answers with another status."""

from moto.s3.exceptions import S3ClientError

from .errors import AwsError


class Refused(AwsError, S3ClientError):
    """An error that moto's S3 writes as one of its own."""


# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
def no_such_key() -> Refused:
    return Refused("NoSuchKey", "The specified key does not exist.", 404)


def access_denied() -> Refused:
    return Refused("AccessDenied", "Access Denied", 403)


def elsewhere() -> Refused:
    return Refused(
        "PermanentRedirect",
        "The bucket you are attempting to access must be addressed using the specified endpoint. "
        "Please send all future requests to this endpoint.",
        301,
    )


def precondition_failed(condition: str) -> Refused:
    error = Refused("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", 412)
    error.condition = condition
    return error


def conflict() -> Refused:
    return Refused(
        "ConditionalRequestConflict",
        "The conditional request cannot succeed due to a conflicting operation against this resource.",
        409,
    )


def not_implemented() -> Refused:
    return Refused("NotImplemented", "A header you provided implies functionality that is not implemented", 501)
