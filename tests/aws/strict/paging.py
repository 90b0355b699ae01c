"""Pages: moto mostly returns everything at once, AWS does not.

The names of the paging members come from botocore's own paginators, so every list operation
that an SDK can page is paged here, in one place.
"""

import base64
from functools import cache

from botocore.loaders import Loader

from .errors import AwsError

# Operations which take MaxResults or MaxItems and whose paginator botocore does not list, or lists otherwise.
EXTRA = {
    ("ecs", "ListServiceDeployments"): ("nextToken", "nextToken", "maxResults", "serviceDeployments", None),
    ("ecs", "DescribeCapacityProviders"): ("nextToken", "nextToken", "maxResults", "capacityProviders", None),
    # Four lists in one; only that of the roles is asked for.
    ("iam", "GetAccountAuthorizationDetails"): ("Marker", "Marker", "MaxItems", "RoleDetailList", "IsTruncated"),
}
# Page size when the caller names none.  Absent: everything in one page.
# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListServices.html (10), and so on.
DEFAULT_SIZE = {
    "autoscaling": 50,
    ("ecs", "ListServices"): 10,
    ("ecs", "ListServiceDeployments"): 20,
    ("ecs", "DescribeCapacityProviders"): 10,
    "ecs": 100,
    ("application-autoscaling", "DescribeScalingPolicies"): 10,
    "application-autoscaling": 50,
    "cloudwatch": 100,
    "iam": 100,
    "elbv2": 400,
    "logs": 50,
    "ecr": 100,
    "resourcegroupstaggingapi": 50,
    "scheduler": 50,
    "acm": 1000,
    "route53": 100,
    "servicediscovery": 100,
}
# Smallest and largest size AWS accepts.
LIMITS = {
    "autoscaling": (1, 100),
    "ec2": (5, 1000),
    "ecs": (1, 100),
    "application-autoscaling": (1, 50),
    "cloudwatch": (1, 100),
    "iam": (1, 1000),
    "elbv2": (1, 400),
    "logs": (1, 50),
    "ecr": (1, 1000),
    "resourcegroupstaggingapi": (1, 100),
    "scheduler": (1, 100),
    "route53": (1, 100),
    "servicediscovery": (1, 100),
}
# What stands for "no more": no token, except where an empty one does.
LAST = {"resourcegroupstaggingapi": ""}
REFUSED = {
    "ec2": "InvalidParameterValue",
    "ecs": "InvalidParameterException",
    "application-autoscaling": "ValidationException",
    "logs": "InvalidParameterException",
    "ecr": "InvalidParameterException",
    "scheduler": "ValidationException",
    "servicediscovery": "InvalidInput",
}


@cache
def paginators(service: str) -> dict:
    return Loader().load_service_model(service, "paginators-1")["pagination"]


@cache
def paging_of(service: str, operation: str) -> tuple[str, str, str, str, str | None] | None:
    """The names (token in, token out, size, list, more) of an operation's paging members."""
    if (service, operation) in EXTRA:
        return EXTRA[(service, operation)]
    config = paginators(service).get(operation)
    if config and isinstance(config["input_token"], list):
        return None  # several tokens: the operation pages by itself
    if not config or "limit_key" not in config:
        return _markers(config)
    lists = config["result_key"]
    return (
        config["input_token"],
        config["output_token"],
        config["limit_key"],
        lists[0] if isinstance(lists, list) else lists,
        config.get("more_results"),
    )


def _markers(config):
    # The ELB paginators name no size; the operations all call it PageSize.
    if config and config["input_token"] == "Marker" and isinstance(config["result_key"], str):
        return ("Marker", config["output_token"], "PageSize", config["result_key"], config.get("more_results"))
    return None


def cut(service: str, operation: str, params: dict, result: dict, cap: int) -> None:
    """Keeps one page of the operation's list in `result` and adds the token for the next."""
    names = paging_of(service, operation)
    if not names or not isinstance(result, dict):
        return
    token_in, token_out, size_key, key, more = names
    items = result.get(key)
    if items is None or result.get(token_out):
        return  # nothing to page, or paged already
    items = list(items)
    low, high = LIMITS.get(service, (1, 1000))
    size = params.get(size_key)
    if size is not None and not low <= int(size) <= high:
        message = f"Value ( {size} ) for parameter {size_key} is invalid. Expecting a value between {low} and {high}."
        raise AwsError(REFUSED.get(service, "ValidationError"), message)
    size = int(size or DEFAULT_SIZE.get((service, operation)) or DEFAULT_SIZE.get(service) or 0)
    if cap:
        size = min(size or cap, cap)
    start = offset(service, operation, params.get(token_in))
    page = items[start : start + size] if size else items[start:]
    result[key] = page
    following = start + len(page)
    truncated = following < len(items)
    result[token_out] = token(operation, following) if truncated else LAST.get(service)
    if more:
        result[more] = truncated


def token(operation: str, at: int) -> str:
    return base64.urlsafe_b64encode(f"{operation}:{at}".encode()).decode()


def offset(service: str, operation: str, value: str | None) -> int:
    if not value:
        return 0
    try:
        name, at = base64.urlsafe_b64decode(value.encode()).decode().split(":")
        if name == operation:
            return int(at)
    except ValueError:
        pass
    code = {"application-autoscaling": "InvalidNextTokenException", "cloudwatch": "InvalidNextToken", "ec2": "InvalidNextToken", "iam": "ValidationError", "elbv2": "ValidationError"}
    raise AwsError(code.get(service, "InvalidParameterException"), "The token is not valid.")
