"""A customer's environments, all deployed into one moto: the graph that the programs made, and AWS's own word (boto3) for it."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from moto import mock_aws

from localcloud.aws import Clouds
from localcloud.rehearsal import STACK_REFERENCE, Resource
from ops.projects import projects
from payments.functions import FUNCTIONS
from shared import packages
from shared import page as pages
from shared.environment import Environment, environment_of
from tests.briefs.requirements import BRIEFS
from tests.projects.harness import Cloud


@dataclass(frozen=True)
class Deployed:
    """One environment: its page's name, and what its four programs made."""

    name: str
    cloud: Cloud

    @property
    def environment(self) -> Environment:
        """What the page says."""
        return self.cloud.environment

    @property
    def stage(self) -> str:
        """dev, staging or prod."""
        return self.environment.platform.stage

    def client(self, service: str) -> Any:
        """The boto3 client of a service in the environment's account and region."""
        return self.cloud.client(service)

    def output(self, project: str, name: str) -> Any:
        """An output of one of the stacks."""
        return self.cloud.runs[project].outputs[name]

    def resources(self, project: str = "") -> Iterator[Resource]:
        """Everything of the AWS provider that was made, by one project or by all."""
        for of, run in self.cloud.runs.items():
            if project in {"", of}:
                yield from (resource for resource in run.resources if resource.type.startswith("aws:"))

    def of(self, type_: str) -> list[Resource]:
        """The resources of a type, such as `aws:rds/instance:Instance`."""
        return [resource for resource in self.resources() if resource.type == type_]

    def only(self, type_: str) -> Resource:
        """The one resource of a type."""
        [found] = self.of(type_)
        return found

    def named(self, type_: str, name: str) -> Resource:
        """The resource of a type with this logical name."""
        [found] = [resource for resource in self.of(type_) if resource.name == name]
        return found

    def inputs(self, type_: str, name: str = "") -> dict[str, Any]:
        """What the program asked for, camelCase."""
        return (self.named(type_, name) if name else self.only(type_)).inputs

    def shape(self) -> set[str]:
        """Each resource as its project, types and logical name."""
        return {
            f"{project} {resource.urn.split('::', 2)[2]}"
            for project, run in self.cloud.runs.items()
            for resource in run.resources
            if resource.type != STACK_REFERENCE
        }


@dataclass(frozen=True)
class Family:
    """The environments of a brief, in the order dev, staging, prod."""

    members: tuple[Deployed, ...]

    def __iter__(self) -> Iterator[Deployed]:
        return iter(self.members)

    def __getitem__(self, stage: str) -> Deployed:
        return next(member for member in self.members if member.stage == stage)


@contextmanager
def family(brief: str, folder: Path) -> Generator[Family]:
    """Deploys a customer's environments; AWS goes on to answer until the end. `folder` gets small packages: what functions hold is no matter here."""
    for function in FUNCTIONS:
        file = folder / "lambda-arm64" / f"{function.name}.zip"
        file.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("handler.py", "")
    with patch.object(packages, "PACKAGES", folder), patch.dict(os.environ, {"MOTO_EC2_LOAD_DEFAULT_AMIS": "false"}), mock_aws():
        clouds = Clouds()
        members: list[Deployed] = []
        for name in BRIEFS[brief]:
            page = pages.read(name)
            cloud = Cloud(page, environment_of(page), _clouds=clouds)
            for project in projects():
                cloud.deploy(project)
            members.append(Deployed(name, cloud))
        yield Family(tuple(members))
