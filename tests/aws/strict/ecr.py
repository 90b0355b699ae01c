"""ECR.  https://docs.aws.amazon.com/AmazonECR/latest/APIReference/"""

import hashlib
import json

from moto.core.responses import ActionResult
from moto.ecr.models import Image, ecr_backends
from moto.ecr.responses import ECRResponse

from .base import Corrected
from .errors import AwsError


def backend_of(account: str, region: str):
    return ecr_backends[account][region]


def is_asked_for(image, wanted: dict) -> bool:
    by_tag = "imageTag" not in wanted or wanted["imageTag"] in image.image_tags
    by_digest = "imageDigest" not in wanted or wanted["imageDigest"] == image.get_image_digest()
    return by_tag and by_digest


def _create_digest(image) -> None:
    # An image's digest is the SHA-256 of its manifest.
    # https://github.com/opencontainers/image-spec/blob/main/descriptor.md#digests
    image._image_digest = "sha256:" + hashlib.sha256(image.image_manifest.encode()).hexdigest()


Image._create_digest = _create_digest


# What a developer pushes is for both processors, and says which: one manifest each, and an index of them.
INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def index_of(name: str, tag: str, platforms: list[str], version: int) -> str:
    """An index as docker buildx writes it, with the attestation beside the images."""

    def entry(platform: str) -> dict:
        digest = hashlib.sha256(f"{name}:{tag} {platform} {version}".encode()).hexdigest()
        system, processor = platform.split("/")
        described = {"os": system, "architecture": processor}
        return {"mediaType": MANIFEST, "digest": f"sha256:{digest}", "size": 1234, "platform": described}

    manifests = [entry(platform) for platform in [*platforms, "unknown/unknown"]]
    return json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests})


def push(account: str, region: str, name: str, tag: str, platforms=("linux/amd64", "linux/arm64"), version=0) -> str | None:
    """What `docker push` leaves behind: the tag stands for this image from now on."""
    ecr = backend_of(account, region)
    repository = ecr.repositories.get(name)
    if repository is None:
        return None
    manifest = index_of(name, tag, list(platforms), version)
    for image in repository.images:
        image.remove_tag(tag)
    image = Image(account, tag, manifest, name, INDEX)
    repository.images.append(image)
    return image.get_image_digest()


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

    def batch_get_image(self):
        # API_BatchGetImage.html: at most 100; each image under the tag or digest it was asked for by, and a failure
        # for each that is not there.
        name, asked = self._get_param("repositoryName"), self._get_param("imageIds") or []
        if not 1 <= len(asked) <= 100:
            raise AwsError(
                "InvalidParameterException",
                "Invalid parameter at 'imageIds' failed to satisfy constraint: 'Member must have length between 1 and 100'",
            )
        registry = self._get_param("registryId") or self.current_account
        if self.world.settings["hide-images"]:
            raise AwsError(
                "AccessDeniedException",
                f"User: arn:aws:iam::{self.current_account}:user/test is not authorized to perform: ecr:BatchGetImage",
            )
        repository = backend_of(registry, self.region).repositories.get(name)
        if repository is None:
            raise AwsError(
                "RepositoryNotFoundException",
                f"The repository with name '{name}' does not exist in the registry with id '{registry}'",
            )
        found, failures = [], []
        for wanted in asked:
            image = next((image for image in repository.images if is_asked_for(image, wanted)), None)
            if image is not None:
                found.append(
                    {
                        "registryId": registry,
                        "repositoryName": name,
                        "imageId": {**wanted, "imageDigest": image.get_image_digest()},
                        "imageManifest": image.image_manifest,
                        "imageManifestMediaType": image.image_manifest_media_type,
                    }
                )
                continue
            failures.append(
                {"imageId": wanted, "failureCode": "ImageNotFound", "failureReason": "Requested image not found"}
            )
            self.summon(name, wanted.get("imageTag"))
        return ActionResult({"images": found, "failures": failures})

    def summon(self, name: str, tag: str | None) -> None:
        """Somebody pushes what was asked for, a moment later: see the README."""
        delay = self.world.settings["developer-pushes"]
        if tag and delay >= 0:
            account, region = self.current_account, self.region

            def come() -> None:
                repository = backend_of(account, region).repositories.get(name)
                if repository is not None and not any(tag in image.image_tags for image in repository.images):
                    push(account, region, name, tag)

            self.world.after(delay, come)

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
