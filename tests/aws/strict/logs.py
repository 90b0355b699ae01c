"""CloudWatch Logs.  https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/"""

import json

from moto.core.responses import ActionResult
from moto.logs.exceptions import ResourceNotFoundException
from moto.logs.models import logs_backends
from moto.logs.responses import LogsResponse

from .base import Corrected
from .errors import AwsError

# API_PutRetentionPolicy.html
RETENTION = {1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}


def backend_of(account: str, region: str):
    return logs_backends[account][region]


class Logs(Corrected, LogsResponse):
    boto_name = "logs"

    def arguments(self):
        return json.loads(self.body or "{}")

    def before(self, operation):
        # The tag operations want the group's ARN without the trailing `:*` that DescribeLogGroups shows.
        # API_TagResource.html: "The ARN format of a log group is arn:aws:logs:Region:account-id:log-group:log-group-name"
        arn = self._get_param("resourceArn") or ""
        if arn.endswith(":*"):
            raise AwsError("InvalidParameterException", "The resource ARN is not valid.")
        if arn and operation in ("TagResource", "UntagResource", "ListTagsForResource") and ":log-group:" in arn:
            if arn.split(":log-group:")[1] not in self.logs_backend.groups:
                raise AwsError("ResourceNotFoundException", "The specified resource does not exist.")

    def put_retention_policy(self):
        days = self._get_param("retentionInDays")
        if days not in RETENTION:
            listed = ", ".join(map(str, sorted(RETENTION)))
            raise AwsError(
                "InvalidParameterException",
                f"1 validation error detected: Value '{days}' at 'retentionInDays' failed to satisfy constraint: "
                f"Member must satisfy enum value set: [{listed}]",
            )
        return super().put_retention_policy()

    def delete_log_group(self):
        if self._get_param("logGroupName") not in self.logs_backend.groups:
            raise ResourceNotFoundException()
        return super().delete_log_group()

    def describe_log_groups(self):
        # moto knows neither the pattern nor the identifiers.  API_DescribeLogGroups.html
        prefix, pattern = self._get_param("logGroupNamePrefix"), self._get_param("logGroupNamePattern")
        wanted = self._get_param("logGroupIdentifiers") or []
        if prefix and pattern:
            raise AwsError(
                "InvalidParameterException",
                "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.",
            )
        groups = [g.to_describe_dict() for _, g in sorted(self.logs_backend.groups.items())]
        if prefix:
            groups = [g for g in groups if g["logGroupName"].startswith(prefix)]
        if pattern:
            groups = [g for g in groups if pattern.lower() in g["logGroupName"].lower()]
        if wanted:
            groups = [g for g in groups if g["logGroupName"] in wanted or g["logGroupArn"] in wanted]
        for group in groups:
            group.setdefault("logGroupClass", "STANDARD")
        return ActionResult({"logGroups": groups})
