"""Launch templates and the instances of Auto Scaling groups.  The operation pages of AWSEC2/latest/APIReference.

moto mixes a template's own tags into what it starts, and knows no client token here.
"""

import base64
import binascii
import re

from moto.core.responses import ActionResult, EmptyResult

from . import filters
from .ec2_errors import not_found
from .errors import AwsError
from .instances import hexadecimal


class Template:
    def __init__(self, name: str, data: dict, created: float):
        self.id, self.name, self.created = f"lt-{hexadecimal()}", name, created
        self.versions = [data]

    def number(self, version: str) -> int:
        return {"$Latest": len(self.versions), "$Default": 1}.get(version) or int(version)

    def has(self, version: str) -> bool:
        return 1 <= self.number(version) <= len(self.versions)

    def data(self, version: str) -> dict:
        return self.versions[self.number(version) - 1]


class Templates:
    def template(self) -> Template:
        wanted, name = self._get_param("LaunchTemplateId"), self._get_param("LaunchTemplateName")
        for template in self.world.templates.values():
            if template.id == wanted or (name and template.name == name):
                return template
        if wanted:
            raise AwsError(
                "InvalidLaunchTemplateId.NotFound", f"The specified launch template, with template ID {wanted}, does not exist."
            )
        raise AwsError("InvalidLaunchTemplateName.NotFoundException", "At least one of the launch templates specified in the request does not exist.")

    def template_data(self) -> dict:
        data = self._get_param("LaunchTemplateData", {}) or {}
        if not data:
            raise AwsError("MissingParameter", "The request must contain the parameter LaunchTemplateData")
        try:
            base64.b64decode(data.get("UserData") or "", validate=True)
        except binascii.Error:
            raise AwsError("InvalidUserData.Malformed", "Invalid BASE64 encoding of user data.")
        return data

    def shown_template(self, template: Template) -> dict:
        return {
            "LaunchTemplateId": template.id,
            "LaunchTemplateName": template.name,
            "CreateTime": template.created,
            "CreatedBy": f"arn:aws:iam::{self.current_account}:root",
            "DefaultVersionNumber": 1,
            "LatestVersionNumber": len(template.versions),
            "Tags": [{"Key": k, "Value": v} for k, v in self.ec2_backend.tags.get(template.id, {}).items()],
        }

    def shown_version(self, template: Template, number: int) -> dict:
        return {
            "LaunchTemplateId": template.id,
            "LaunchTemplateName": template.name,
            "VersionNumber": number,
            "CreateTime": template.created,
            "CreatedBy": f"arn:aws:iam::{self.current_account}:root",
            "DefaultVersion": number == 1,
            "LaunchTemplateData": template.versions[number - 1],
        }

    def create_launch_template(self):
        return self.once(self._create_launch_template)

    def _create_launch_template(self):
        name = self._get_param("LaunchTemplateName")
        if not re.fullmatch(r"[a-zA-Z0-9().\-/_]{3,128}", name or ""):
            raise AwsError("InvalidLaunchTemplateName.MalformedException", "The launch template name is malformed.")
        if any(t.name == name for t in self.world.templates.values()):
            raise AwsError("InvalidLaunchTemplateName.AlreadyExistsException", "Launch template name already in use.")
        template = Template(name, self.template_data(), self.world.now)
        self.world.templates[template.id] = template
        for specification in self._get_param("TagSpecifications", []):
            if specification.get("ResourceType") != "launch-template":
                raise AwsError("InvalidParameterValue", "Only the launch template itself can be tagged here.")
            self.ec2_backend.tags[template.id].update({t["Key"]: t["Value"] for t in specification.get("Tags", [])})
        return ActionResult({"LaunchTemplate": self.shown_template(template)})

    def create_launch_template_version(self):
        return self.once(self._create_launch_template_version)

    def _create_launch_template_version(self):
        template = self.template()
        template.versions.append(self.template_data())
        return ActionResult({"LaunchTemplateVersion": self.shown_version(template, len(template.versions))})

    def describe_launch_templates(self):
        ids, names = self._get_param("LaunchTemplateIds", []), self._get_param("LaunchTemplateNames", [])
        self._filters_from_querystring()
        found = list(self.world.templates.values())
        if (ids or names) and not [t for t in found if t.id in ids or t.name in names]:
            self.template()
        found = [t for t in found if (not ids and not names) or t.id in ids or t.name in names]
        found = [t for t in found if self.world.hidden.get(t.id, 0) <= self.world.now]
        found = filters.keep("DescribeLaunchTemplates", self.wanted, found, self.tags_of)
        return ActionResult({"LaunchTemplates": [self.shown_template(template) for template in found]})

    def describe_launch_template_versions(self):
        template, versions = self.template(), self._get_param("Versions", [])
        numbers = [template.number(v) for v in versions] or range(1, len(template.versions) + 1)
        if not all(1 <= number <= len(template.versions) for number in numbers):
            raise AwsError("InvalidLaunchTemplateId.VersionNotFound", "Could not find the launch template version.")
        return ActionResult({"LaunchTemplateVersions": [self.shown_version(template, number) for number in numbers]})

    def delete_launch_template(self):
        template = self.template()
        shown = self.shown_template(template)
        self.world.templates.pop(template.id)
        self.ec2_backend.tags.pop(template.id, None)
        return ActionResult({"LaunchTemplate": shown})

    def create_tags(self):
        ids = [i for i in self._get_param("Resources", []) if i.startswith("lt-")]
        if not ids:
            return super().create_tags()
        for template_id in ids:  # moto does not find these
            if template_id not in self.world.templates:
                raise not_found(template_id)
            self.ec2_backend.tags[template_id].update({t["Key"]: t["Value"] for t in self._get_param("Tags", [])})
        return EmptyResult()

    def delete_tags(self):
        ids = [i for i in self._get_param("Resources", []) if i.startswith("lt-")]
        if not ids:
            return super().delete_tags()
        for template_id in ids:
            for tag in self._get_param("Tags", []):
                self.ec2_backend.tags[template_id].pop(tag["Key"], None)
        return EmptyResult()

    # -- instances ----------------------------------------------------------------------------

    def describe_instances(self):
        self._filters_from_querystring()
        found = [i for (region, _), g in self.world.groups.items() if region == self.region for i in g.instances]
        found = filters.keep("DescribeInstances", self.wanted, found, lambda instance: instance.tags)
        return ActionResult({"Reservations": [{"ReservationId": "r-1", "Instances": [i.described()]} for i in found]})
