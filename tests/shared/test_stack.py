"""A program's first and last lines: its page, what it takes from upstream, and what it publishes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest
from pulumi.runtime.settings import SETTINGS

from localcloud.aws import Clouds
from localcloud.rehearsal import Program, Refused, Run, run
from projects.app.settings import AppSettings
from shared.contracts import VERSION_OUTPUT, AppOutputs, NetworkingOutputs, ObservabilityOutputs
from shared.page import Page
from shared.stack import Stack
from shared.variables import CONFIRMED, TARGET, UNDEPLOYED
from tests.projects.harness import Cloud, empty_aws

SOME = {name: f"value of {name}" for name in NetworkingOutputs.outputs()}


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with empty_aws("dev") as cloud:
        yield cloud


def program(page: Page, main: Callable[[Stack[AppSettings]], object], networking: Run | None = None, *, organization: str = "organization") -> Run:
    """Runs `main` as the program of the project `app`; `networking`: what that stack holds, None when there is no such stack."""
    SETTINGS.outputs.clear()  # pyright: ignore[reportAttributeAccessIssue] - typed for the SDK's inside
    references = {f"{organization}/networking/{page.name}": networking} if networking else {}
    config = {key: value if isinstance(value, str) else json.dumps(value) for key, value in page.config.items()}
    described = Program(lambda: main(Stack(AppSettings)), "app", page.name, config, references, organization)
    return run(described, Clouds())


def relay(stack: Stack[AppSettings]) -> None:
    """Exports all that upstream gives."""
    network = stack.upstream(NetworkingOutputs)
    for name, field in NetworkingOutputs.outputs().items():
        pulumi.export(name, getattr(network, field.name))


def test_settings_and_environment_are_the_pages(cloud: Cloud) -> None:
    seen: list[Any] = []
    program(cloud.page, lambda stack: seen.extend([stack.project, stack.environment.account, stack.settings.queue.batch_size]))
    assert seen == ["app", "123456789012", 10]


def test_a_page_that_is_wrong_stops_the_program_with_all_that_is_wrong(cloud: Cloud) -> None:
    page = cloud.page.with_values({"platform:stage": "qa", "app:functions": {"memory": 1, "timeout": 28}, "aws:region": "here"})
    with pytest.raises(pulumi.RunError) as caught:
        program(page, lambda _: None)
    assert [line.split(": ")[1].split(" = ")[0] for line in str(caught.value).splitlines()] == ["platform:stage", "aws:region", "app:functions.memory"]


@pytest.mark.parametrize("named", ["", "dev"])
def test_a_protected_environment_is_not_updated_on_aws_before_somebody_gave_its_name(monkeypatch: pytest.MonkeyPatch, named: str) -> None:
    monkeypatch.setenv(TARGET, "aws")
    monkeypatch.setenv(CONFIRMED, named)
    touched: list[str] = []
    with empty_aws("prod") as cloud:
        with pytest.raises(pulumi.RunError, match=r"platform:protected.*`invoke deploy --env prod --only app`.*export PAYMENTS_CONFIRMED=prod"):
            program(cloud.page, lambda stack: touched.append(stack.project))
        assert touched == []
        monkeypatch.setenv(CONFIRMED, "prod")
        program(cloud.page, lambda stack: touched.append(stack.project))
    assert touched == ["app"]


def test_an_environment_that_is_not_protected_and_the_local_cloud_need_no_name(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    touched: list[str] = []
    monkeypatch.setenv(TARGET, "aws")
    program(cloud.page, lambda stack: touched.append(stack.environment.platform.stage))
    monkeypatch.setenv(TARGET, "local")
    program(cloud.page.with_values({"platform:protected": True}), lambda stack: touched.append(stack.environment.platform.stage))
    assert touched == ["dev", "dev"]


def test_upstream_outputs_arrive_typed_and_whole(cloud: Cloud) -> None:
    made = program(cloud.page, relay, Run(outputs={**SOME, VERSION_OUTPUT: NetworkingOutputs.VERSION}))
    assert made.outputs == SOME
    [reference] = [resource for resource in made.resources if resource.type == "pulumi:pulumi:StackReference"]
    assert reference.inputs["name"] == "organization/networking/dev"


def test_upstream_secrets_stay_secret(cloud: Cloud) -> None:
    made = program(cloud.page, relay, Run(outputs={**SOME, VERSION_OUTPUT: NetworkingOutputs.VERSION}, secrets={"logKeyArn"}))
    assert made.secrets == {"logKeyArn"}
    assert made.outputs["logKeyArn"] == SOME["logKeyArn"]


def test_the_organization_is_the_pages(cloud: Cloud) -> None:
    page = cloud.page.with_values({"platform:organization": "acme"})
    made = program(page, relay, Run(outputs={**SOME, VERSION_OUTPUT: NetworkingOutputs.VERSION}), organization="acme")
    assert made.outputs == SOME


@pytest.mark.parametrize(
    ("outputs", "told"),
    [
        # The SDK leaves out what is null before a program sees it.
        ({**SOME, "vpcId": None, VERSION_OUTPUT: NetworkingOutputs.VERSION}, "output vpcId is missing"),
        ({name: value for name, value in SOME.items() if name != "vpcId"} | {VERSION_OUTPUT: NetworkingOutputs.VERSION}, "output vpcId is missing"),
        ({**SOME, VERSION_OUTPUT: 0}, f"contractVersion is 0, this code reads {NetworkingOutputs.VERSION}"),
        (SOME, f"contractVersion is None, this code reads {NetworkingOutputs.VERSION}"),
        ({}, "it has no outputs: it was never deployed, or was destroyed"),
    ],
)
def test_what_upstream_lacks_is_said_with_field_producer_consumer_and_command(cloud: Cloud, outputs: dict[str, Any], told: str) -> None:
    with pytest.raises(pulumi.RunError) as caught:
        program(cloud.page, relay, Run(outputs=outputs))
    assert str(caught.value) == (
        f"app/dev takes NetworkingOutputs from organization/networking/dev, but of that stack {told}. "
        "Deploy it first: invoke deploy --env dev --target local --only networking"
    )


def test_the_command_for_a_copy_on_aws_names_its_original_and_its_suffix(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(TARGET)
    page = Page("dev-pr42", cloud.page.with_values({"platform:copyOf": "dev", "platform:environmentSuffix": "pr42"}).config)
    with pytest.raises(pulumi.RunError, match=r"invoke deploy --env dev --suffix pr42 --only networking$"):
        program(page, relay, Run(outputs={VERSION_OUTPUT: NetworkingOutputs.VERSION}))


def test_nothing_is_made_with_what_a_broken_upstream_gives(cloud: Cloud) -> None:
    def main(stack: Stack[AppSettings]) -> None:
        aws.sqs.Queue("queue", name=stack.upstream(NetworkingOutputs).vpc_cidr)

    outputs = {**SOME, "vpcCidr": "queue-name", "vpcId": None, VERSION_OUTPUT: NetworkingOutputs.VERSION}
    with pytest.raises(pulumi.RunError, match="output vpcId is missing"):
        program(cloud.page, main, Run(outputs=outputs))
    assert cloud.client("sqs").list_queues().get("QueueUrls", []) == []


def test_an_upstream_stack_that_is_not_there_is_an_error(cloud: Cloud) -> None:
    with pytest.raises(Refused, match="no stack named 'organization/networking/dev'"):
        program(cloud.page, relay)


@pytest.mark.parametrize("deployed", [None, Run(outputs={**SOME, VERSION_OUTPUT: NetworkingOutputs.VERSION})])
def test_an_update_never_takes_unknown_values_for_an_upstream(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, deployed: Run | None) -> None:
    monkeypatch.setenv(UNDEPLOYED, json.dumps(["networking"]))
    with pytest.raises(pulumi.RunError, match=r"PAYMENTS_UNDEPLOYED is set \(networking\): unknown upstream outputs are for previews only"):
        program(cloud.page, relay, deployed)


def test_a_preview_takes_the_outputs_of_an_undeployed_upstream_as_unknown(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(UNDEPLOYED, json.dumps(["networking"]))
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: True)
    known: list[bool] = []

    async def look(stack: Stack[AppSettings]) -> None:
        network = stack.upstream(NetworkingOutputs)
        known.extend([await getattr(network, field.name).is_known() for field in NetworkingOutputs.outputs().values()])

    program(cloud.page, lambda stack: pulumi.Output.from_input(look(stack)).apply(lambda _: None))
    assert known == [False] * len(SOME)


def test_a_preview_still_reads_the_upstreams_that_are_deployed(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(UNDEPLOYED, json.dumps(["data"]))
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: True)
    assert program(cloud.page, relay, Run(outputs={**SOME, VERSION_OUTPUT: NetworkingOutputs.VERSION})).outputs == SOME


def test_what_a_program_made_is_published_with_its_contract(cloud: Cloud) -> None:
    def main(stack: Stack[AppSettings]) -> None:
        queue = aws.sqs.Queue("queue", name="queue")
        values: dict[str, Any] = {field.name: queue.name for field in AppOutputs.outputs().values()}
        stack.publish(AppOutputs(**values))

    outputs = program(cloud.page, main).outputs
    assert set(outputs) == {*AppOutputs.outputs(), VERSION_OUTPUT, "inventory"}
    url = cloud.client("sqs").get_queue_url(QueueName="queue")["QueueUrl"]
    assert outputs["inventory"] == [{"type": "aws:sqs/queue:Queue", "name": "queue", "id": url, "arn": cloud.environment.arn("sqs", "queue")}]


def test_a_program_publishes_no_other_projects_contract(cloud: Cloud) -> None:
    def main(stack: Stack[AppSettings]) -> None:
        some: Any = pulumi.Output.from_input("x")
        stack.publish(ObservabilityOutputs(**{field.name: some for field in ObservabilityOutputs.outputs().values()}))

    with pytest.raises(pulumi.RunError, match="app publishes ObservabilityOutputs, which is the contract of observability"):
        program(cloud.page, main)
