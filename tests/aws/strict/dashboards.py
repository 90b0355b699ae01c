"""CloudWatch dashboards: of the account, not of a region.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/, the page of each operation, and
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

import json
import re

from .errors import AwsError

NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")


class Dashboard:
    def __init__(self, world, name: str):
        self.name, self.body, self.tags = name, "", {}
        self.arn = f"arn:aws:cloudwatch::{world.account}:dashboard/{name}"


def invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterInput", f"The dashboard body is invalid, there are 1 validation errors: {message}")


def existing(world):
    """(kind, id, arn, tags) of every dashboard; for the leak check."""
    for name, dashboard in world.dashboards.items():
        yield "dashboard", name, dashboard.arn, dashboard.tags


def find(world, name: str) -> Dashboard:
    found = world.dashboards.get(name)
    if found is None:
        raise AwsError("ResourceNotFound", f"Dashboard {name} does not exist", 404)
    return found


def tags_of(world, arn: str) -> dict:
    """The tags of the dashboard with this ARN, to be changed in place."""
    found = world.dashboards.get(arn.split("dashboard/")[-1])
    if found is None or found.arn != arn:
        raise AwsError("ResourceNotFoundException", "Unknown resource", 404)
    return found.tags


def check(text: str) -> None:
    try:
        body = json.loads(text)
    except ValueError:
        raise invalid("The field dashboard must be valid JSON")
    widgets = body.get("widgets") if isinstance(body, dict) else None
    if not isinstance(widgets, list):
        raise invalid("Should have property widgets")
    if len(widgets) > 500:
        raise invalid("Should NOT have more than 500 widgets")
    for at, widget in enumerate(widgets):
        check_widget(f"/widgets/{at}", widget)


def check_widget(place: str, widget: dict) -> None:
    properties = widget.get("properties") or {}
    if widget.get("type") == "text":
        if not properties.get("markdown"):
            raise invalid(f"{place}/properties Should have property markdown")
    elif widget.get("type") == "metric":
        if not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d", properties.get("region", "")):
            raise invalid(f"{place}/properties/region Should be a region")
        for metric in properties.get("metrics", []):
            check_metric(place, metric)
        if not properties.get("metrics") and not properties.get("annotations"):
            raise invalid(f"{place}/properties Should have property metrics or annotations")
    else:
        raise invalid(f"{place}/type Should be equal to one of the allowed values")
    if ("x" in widget) != ("y" in widget):
        raise invalid(f"{place} Should have both x and y, or neither")
    for key, least, most in (("x", 0, 23), ("y", 0, 10**6), ("width", 1, 24), ("height", 1, 1000)):
        if not least <= widget.get(key, least) <= most:
            raise invalid(f"{place}/{key} Should be between {least} and {most}")
    if widget.get("x", 0) + widget.get("width", 6) > 24:
        raise invalid(f"{place} Should not be wider than the grid")


def check_metric(place: str, metric: list) -> None:
    """Namespace, name, and pairs of dimensions; then options, if there are any."""
    texts = metric[:-1] if isinstance(metric[-1], dict) else metric
    if len(texts) < 2 or len(texts) % 2 or not all(isinstance(text, str) and text for text in texts):
        raise invalid(f"{place}/properties/metrics Invalid metric field type, only \"String\" type is allowed")


# -- operations ---------------------------------------------------------------------------------------


def put(state, params: dict) -> dict:
    name, world = params["DashboardName"], state.world
    if not NAME.fullmatch(name):
        raise AwsError("InvalidParameterValue", f"The value {name} for field DashboardName contains invalid characters")
    check(params["DashboardBody"])
    present = world.dashboards.get(name)
    # "You can use this parameter only when creating a new dashboard."
    dashboard = present or Dashboard(world, name)
    if not present:
        dashboard.tags = {tag["Key"]: tag["Value"] for tag in params.get("Tags", [])}
    dashboard.body = params["DashboardBody"]
    world.dashboards[name] = dashboard
    return {"DashboardValidationMessages": []}


def get(state, params: dict) -> dict:
    found = find(state.world, params["DashboardName"])
    return {"DashboardArn": found.arn, "DashboardBody": found.body, "DashboardName": found.name}


def listed(state, params: dict) -> dict:
    prefix = params.get("DashboardNamePrefix", "")
    found = [one for name, one in sorted(state.world.dashboards.items()) if name.startswith(prefix)]
    entries = [{"DashboardName": one.name, "DashboardArn": one.arn, "Size": len(one.body)} for one in found]
    return {"DashboardEntries": entries}


def delete(state, params: dict) -> dict:
    for name in params["DashboardNames"]:
        find(state.world, name)
    for name in params["DashboardNames"]:
        del state.world.dashboards[name]
    return {}


OPERATIONS = {"PutDashboard": put, "GetDashboard": get, "ListDashboards": listed, "DeleteDashboards": delete}
