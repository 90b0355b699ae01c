"""What every corrected moto service shares: the account's world, dispatch and paging."""

import re
import sys
import traceback

from moto.core.exceptions import HTTPException, ServiceException
from moto.core.responses import ActionResult, BaseResponse
from moto.core.utils import camelcase_to_underscores

from . import paging
from .world import World, world_of

CREDENTIAL = re.compile(r"Credential=([^/]+)/[^/]*/([^/]+)/([^/]+)/")
ACCOUNT = re.compile(r"(\d{12})")
DEFAULT_ACCOUNT = "123456789012"


def account_of(access_key: str | None) -> str:
    """The account an access key id names: its twelve digits, if it has them."""
    found = ACCOUNT.search(access_key or "")
    return found.group(1) if found else DEFAULT_ACCOUNT


def _current_account(response: BaseResponse) -> str:
    found = CREDENTIAL.search(response.headers.get("Authorization", ""))
    return account_of(found.group(1) if found else None)


# moto finds the account through the IAM access keys it has handed out.  Here the key id *is* the
# account, so that a test has an account of its own by choosing a number.
BaseResponse.get_current_account = _current_account


class Corrected(BaseResponse):
    """Mixed in before a moto response class; subclasses override the operations that moto gets wrong."""

    boto_name = ""

    @property
    def world(self) -> World:
        return world_of(self.current_account)

    def before(self, operation: str) -> None:
        """Checks shared by all operations of the service."""

    def finish(self, operation: str, result: dict) -> None:
        """Changes to the result shared by all operations of the service."""

    def arguments(self) -> dict:
        return self.params

    def call_action(self):
        # moto lists the methods of the class by introspection for every request; a look-up will do.
        operation = self._get_action()
        method = getattr(self, camelcase_to_underscores(operation or ""), None)
        if method is None:
            return (
                400,
                {},
                f"<Response><Errors><Error><Code>InvalidAction</Code><Message>{operation}</Message></Error></Errors></Response>",
            )
        status = None
        try:
            self.before(operation)
            response = method()
            if isinstance(response, ActionResult) and isinstance(response.result, dict):
                self.finish(operation, response.result)
                paging.cut(
                    self.boto_name, operation, self.arguments(), response.result, self.world.settings["page-size-max"]
                )
        except ServiceException as error:
            response, self.error_code = ActionResult(error), error.code
            status = getattr(error, "status", None)
        except HTTPException as error:
            headers = dict(error.get_headers() or [])
            headers["status"] = error.code
            self.error_code = getattr(error, "error_type", None) or str(error.code)
            response = error.description, headers
        if isinstance(response, ActionResult):
            code, headers, body = self.serialized(response)
            if status and status != 400:
                code = status
        elif isinstance(response, str):
            code, headers, body = 200, self.response_headers, response
        else:
            code, headers, body = self._transform_response(self.response_headers, response)
        headers, body = self._enrich_response(headers, body)
        return code, headers, body

    error_code: str | None = None

    @classmethod
    def serve(cls, request) -> tuple[int, dict, bytes, str | None]:
        response = cls()
        try:
            status, headers, body = response._dispatch(request)
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            response.error_code = "InternalFailure"
            return 500, {}, repr(error).encode(), response.error_code
        return status, headers, body.encode() if isinstance(body, str) else body or b"", response.error_code
