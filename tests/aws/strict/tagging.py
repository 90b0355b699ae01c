"""The Resource Groups Tagging API over every object here.

https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html
"""

from moto.core.responses import ActionResult
from moto.resourcegroupstaggingapi.responses import ResourceGroupsTaggingAPIResponse

from . import objects
from .base import Corrected


class Tagging(Corrected, ResourceGroupsTaggingAPIResponse):
    boto_name = "resourcegroupstaggingapi"

    def get_resources(self):
        found = [o for o in objects.listed(self.world, self.region) if o["tags"] and self.matches(o)]
        return ActionResult(
            {
                "ResourceTagMappingList": [
                    {"ResourceARN": o["arn"], "Tags": [{"Key": k, "Value": v} for k, v in o["tags"].items()]}
                    for o in found
                ]
            }
        )

    def matches(self, found: dict) -> bool:
        if found["arn"].startswith(("arn:aws:iam:", "arn:aws:autoscaling:")):
            return False  # roles and groups are not covered; nothing should count on policies and profiles being
        if found["arn"].startswith("arn:aws:cloudwatch::"):
            return False  # a region's index knows no dashboards; nothing should count on that of us-east-1
        if found["arn"].startswith("arn:aws:route53:"):
            return False  # records have no tags
        for wanted in self._get_param("TagFilters", []):
            values = wanted.get("Values") or []
            value = found["tags"].get(wanted["Key"])
            if value is None or (values and value not in values):
                return False
        kinds = self._get_param("ResourceTypeFilters", [])
        service, resource = found["arn"].split(":")[2], found["arn"].split(":", 5)[5]
        return not kinds or any(
            kind in (service, f"{service}:{resource.split('/')[0].split(':')[0]}") for kind in kinds
        )
