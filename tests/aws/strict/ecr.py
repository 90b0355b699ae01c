"""ECR.  https://docs.aws.amazon.com/AmazonECR/latest/APIReference/"""

import hashlib
import json

from moto.ecr.models import Image, ecr_backends
from moto.ecr.responses import ECRResponse

from .base import Corrected
from .errors import AwsError


def backend_of(account: str, region: str):
    return ecr_backends[account][region]


def _create_digest(image) -> None:
    # An image's digest is the SHA-256 of its manifest.
    # https://github.com/opencontainers/image-spec/blob/main/descriptor.md#digests
    image._image_digest = "sha256:" + hashlib.sha256(image.image_manifest.encode()).hexdigest()


Image._create_digest = _create_digest


class Ecr(Corrected, ECRResponse):
    boto_name = "ecr"

    def arguments(self):
        return json.loads(self.body or "{}")

    def put_image(self):
        name, tag = self._get_param("repositoryName"), self._get_param("imageTag")
        manifest = self._get_param("imageManifest")
        repository = self.ecr_backend.repositories.get(name)
        if repository is None:
            raise AwsError(
                "RepositoryNotFoundException",
                f"The repository with name '{name}' does not exist in the registry with id '{self.current_account}'",
            )
        # API_PutImage.html: an immutable tag can be pushed once.
        if tag and repository.image_tag_mutability == "IMMUTABLE":
            for image in repository.images:
                if tag in image.image_tags and image.image_manifest != manifest:
                    raise AwsError(
                        "ImageTagAlreadyExistsException",
                        f"The image tag '{tag}' already exists in the '{name}' repository and cannot be overwritten "
                        "because the tag is immutable.",
                    )
        return super().put_image()

    def put_image_scanning_configuration(self):
        # API_ImageScanningConfiguration.html: scanOnPush is optional; left out, nothing is scanned.
        answer = super().put_image_scanning_configuration()
        repository = self.ecr_backend.repositories[self._get_param("repositoryName")]
        asked = self._get_param("imageScanningConfiguration") or {}
        repository.image_scanning_configuration = {"scanOnPush": bool(asked.get("scanOnPush"))}
        return answer

    def put_lifecycle_policy(self):
        # API_PutLifecyclePolicy.html: at least 100 characters, a list of rules with distinct priorities.
        text = self._get_param("lifecyclePolicyText") or ""
        try:
            rules = json.loads(text)["rules"]
            priorities = [rule["rulePriority"] for rule in rules]
            valid = (
                rules
                and len(set(priorities)) == len(priorities)
                and all("selection" in r and "action" in r for r in rules)
            )
        except (ValueError, KeyError, TypeError):
            valid = False
        if not valid:
            raise AwsError(
                "InvalidParameterException",
                "Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation failure'",
            )
        return super().put_lifecycle_policy()
