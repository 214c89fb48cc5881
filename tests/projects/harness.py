"""Programs and components on a moto of their own, so that a test asks AWS (boto3) what is there, and not the inputs again.

    with empty_aws("prod") as cloud:
        cloud.published("networking", network(cloud))
        cloud.deploy("data")
        assert cloud.client("dynamodb").describe_table(...)

Each `deploy` and each `make` has an event loop and a monitor of its own.
"""

from __future__ import annotations

import json
import os
import runpy
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar, get_args
from unittest.mock import patch

import pulumi
from moto import mock_aws
from pulumi.runtime.settings import SETTINGS

from localcloud.aws import Aws, Clouds
from localcloud.rehearsal import Program, Run, run
from shared import page as pages
from shared.contracts import CONTRACTS, VERSION_OUTPUT, Contract, Tier
from shared.environment import Environment, environment_of
from shared.page import Page
from shared.tags import tag_everything

C = TypeVar("C", bound=Contract)


@dataclass
class Cloud:
    """An AWS account that starts empty, and the stacks of one environment in it.

    runs: what each project's program made, by project.
    """

    page: Page
    environment: Environment
    runs: dict[str, Run] = field(default_factory=dict[str, Run])
    _clouds: Clouds = field(default_factory=Clouds)

    @property
    def aws(self) -> Aws:
        """The environment's account and region, as the table sees them."""
        return self._clouds.get(self.environment.account, self.environment.region)

    def client(self, service: str) -> Any:
        """The boto3 client of a service in the environment's account and region."""
        return self.aws.client(service)

    def deploy(self, project: str) -> Run:
        """Runs a project's program; it takes the outputs of those that were deployed, or `published`, before."""
        self.runs[project] = self._run(project, lambda: runpy.run_module(f"projects.{project}.__main__"))
        return self.runs[project]

    def make(self, components: Callable[[Environment], object]) -> Run:
        """Runs a function that makes components, in a stack that tags as every program does."""

        def main() -> None:
            tag_everything(self.environment.tags)
            components(self.environment)

        return self._run("example", main)

    def published(self, project: str, outputs: Mapping[str, Any]) -> None:
        """Stands in for a project that is not deployed: `outputs` are its contract's, by their exported names."""
        contract = next(contract for contract in CONTRACTS if project == contract.PROJECT)
        found = {**outputs, VERSION_OUTPUT: contract.VERSION}
        if problems := contract.problems(found):
            raise ValueError(f"that is no {contract.__name__}: {'; '.join(problems)}")
        self.runs[project] = Run(outputs=found, secrets=contract.secrets())

    def take(self, contract: type[C]) -> C:
        """The outputs of a project that was deployed or `published`, as a program takes them; to be called within `make`."""
        outputs = self.runs[contract.PROJECT].outputs
        return contract.read(lambda name: pulumi.Output.from_input(outputs.get(name)))

    def _run(self, project: str, main: Callable[[], object]) -> Run:
        # What a program that failed left unfinished belongs to a loop that is closed; the SDK would wait for it in the next one.
        SETTINGS.outputs.clear()  # pyright: ignore[reportAttributeAccessIssue] - typed for the SDK's inside
        organization, stack = self.environment.platform.organization, self.page.name
        program = Program(
            main=main,
            project=project,
            stack=stack,
            config={key: value if isinstance(value, str) else json.dumps(value) for key, value in self.page.config.items()},
            references={f"{organization}/{name}/{stack}": made for name, made in self.runs.items()},
            organization=organization,
        )
        return run(program, self._clouds)


@contextmanager
def empty_aws(environment: str, **changed: Any) -> Generator[Cloud]:
    """An empty AWS for an environment's page; `changed` are keys of the page with other values: `**{"data:tables": {...}}`."""
    page = pages.read(environment).with_values(changed)
    # moto would make 1,300 images each time that it starts anew, half a second; programs find theirs through SSM's parameters.
    with patch.dict(os.environ, {"MOTO_EC2_LOAD_DEFAULT_AMIS": "false"}), mock_aws():
        yield Cloud(page, environment_of(page))


def network(cloud: Cloud) -> dict[str, Any]:
    """The least network that other projects can stand in, made with boto3; the outputs of `networking`."""
    ec2 = cloud.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    zones = [zone["ZoneName"] for zone in ec2.describe_availability_zones()["AvailabilityZones"]][:3]

    def subnets(first: int) -> list[str]:
        made = [ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.9.{first + i}.0/24", AvailabilityZone=zone) for i, zone in enumerate(zones)]
        return [one["Subnet"]["SubnetId"] for one in made]

    def group(name: str) -> str:
        made: str = ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]
        return made

    return {
        "vpcId": vpc,
        "vpcCidr": "10.9.0.0/16",
        "publicSubnetIds": subnets(0),
        "privateSubnetIds": subnets(128),
        "securityGroupIds": {tier: group(tier) for tier in get_args(Tier)},
        "logKeyArn": cloud.client("kms").create_key()["KeyMetadata"]["Arn"],
        "natGatewayIds": [],
        "natInstanceIds": [],
    }
