"""The image that the tasks run, and the registry that it is in."""

from __future__ import annotations

import json
import os
from typing import Any

import pulumi
import pulumi_aws as aws

from projects.app.container_settings import repository_of
from shared.component import Component
from shared.environment import Environment
from shared.image import AWAITED, image_tag

# Of what nothing runs any more; the image before the present one is what a rollback needs.
_KEPT_IMAGES = 20
_UNTAGGED_DAYS = 1


class Image(Component):
    """Produces the environment's own ECR repository, unless the page names an image: tags that nobody can move, scans of what is pushed.

    Outputs: `uri` (of the image), `awaited` (whether somebody is going to push it first),
    `repository_arn` (None for a registry that is not ECR), `repository_url` (of the environment's own, else null).
    """

    uri: pulumi.Output[str]
    awaited: bool
    repository_arn: pulumi.Input[str] | None
    repository_url: pulumi.Output[Any]

    def __init__(
        self, name: str, environment: Environment, *, given: str | None, key_arn: pulumi.Input[str], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, environment, opts)
        self.awaited = given is None and AWAITED in os.environ
        if given is not None:
            self.uri, self.repository_arn = pulumi.Output.from_input(given), repository_of(given, environment)
            self.repository_url = pulumi.Output.from_input(None)
        else:
            repository = self._repository(name, key_arn)
            self.uri, self.repository_arn = pulumi.Output.concat(repository.repository_url, ":", image_tag()), repository.arn
            self.repository_url = repository.repository_url
        self.register_outputs({"uri": self.uri})

    def _repository(self, name: str, key_arn: pulumi.Input[str]) -> aws.ecr.Repository:
        repository = aws.ecr.Repository(
            name,
            name=self.environment.names(name),
            image_tag_mutability="IMMUTABLE",
            image_scanning_configuration={"scan_on_push": True},
            encryption_configurations=[{"encryption_type": "KMS", "kms_key": key_arn}],
            force_delete=True,
            opts=self.child(),
        )
        aws.ecr.LifecyclePolicy(name, repository=repository.name, policy=json.dumps({"rules": _LIFECYCLE}), opts=self.child())
        return repository


_LIFECYCLE = [
    {
        "rulePriority": 1,
        "description": "What no tag leads to",
        "selection": {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": _UNTAGGED_DAYS},
        "action": {"type": "expire"},
    },
    {
        "rulePriority": 2,
        "description": "Old images",
        "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": _KEPT_IMAGES},
        "action": {"type": "expire"},
    },
]
"""In the form that ECR gives back ("Lifecycle policy properties"); it asks for `any` to come last."""
