"""The one exception every correction raises."""

from moto.core.exceptions import ServiceException


class AwsError(ServiceException):
    """An error as AWS names it: a code on the wire and a sentence."""

    def __init__(self, code: str, message: str, status: int = 400):
        super().__init__(code, message)
        self.status = status
