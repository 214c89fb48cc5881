"""What `invoke rehearse --json` writes: all of an environment, and none of its secrets."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest
from moto import mock_aws

from localcloud.aws import Clouds
from localcloud.rehearsal import STACK_REFERENCE, Program, run
from ops.masks import MASK, Masks
from ops.rehearsal import Rehearsal, rehearse, write
from ops.workspace import open_workspace
from shared.variables import TARGET

CALLERS, CACHE = "api-keys-1", "cache"
SECRET_VERSION = "aws:secretsmanager/secretVersion:SecretVersion"


@pytest.fixture(scope="module")
def containers() -> Rehearsal:
    return rehearse(open_workspace("containers-prod", target="local"))


@pytest.fixture(scope="module")
def dev() -> Rehearsal:
    """In the shell of somebody who deploys to AWS."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(TARGET, "aws")
        made = rehearse(open_workspace("dev", target="local"))
        assert os.environ[TARGET] == "aws"
    return made


@pytest.fixture(scope="module")
def written(containers: Rehearsal, tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("rehearsed") / "containers-prod.json"
    write(containers, file)
    return file.read_text()


def inputs(rehearsal: Rehearsal, type_: str, name: str) -> dict[str, Any]:
    """As whoever rehearses in this process has them."""
    [found] = [one.inputs for stack in rehearsal.stacks for one in stack.run.resources if (one.type, one.name) == (type_, name)]
    return found


def in_file(written: str) -> dict[tuple[str, str], Mapping[str, Any]]:
    return {(one["type"], one["name"]): one for stack in json.loads(written)["stacks"] for one in stack["resources"] if one["type"] != STACK_REFERENCE}


def test_no_secret_is_anywhere_in_the_file(containers: Rehearsal, written: str) -> None:
    callers: str = inputs(containers, SECRET_VERSION, CALLERS)["secretString"]
    url: str = inputs(containers, SECRET_VERSION, CACHE)["secretString"]
    token: str = inputs(containers, "aws:elasticache/replicationGroup:ReplicationGroup", CACHE)["authToken"]
    key = json.loads(callers)["payments"]
    assert len(token) > 16
    assert len(key) > 16
    assert token in url
    assert {key} == {stack.run.outputs["apiKey"] for stack in containers.stacks if stack.project == "app"}
    assert [secret for secret in (key, token, url, callers, json.dumps(callers)[1:-1]) if secret in written] == []


def test_every_value_that_is_secret_in_a_stack_is_masked_in_all(containers: Rehearsal, written: str) -> None:
    secrets = {secret for stack in containers.stacks for secret in stack.secrets()}
    assert len(secrets) >= 4
    assert [secret for secret in secrets if json.dumps(secret)[1:-1] in written] == []


def test_what_the_program_or_the_provider_calls_secret_is_masked_by_its_name(written: str) -> None:
    found = in_file(written)
    for name in (CALLERS, CACHE):
        assert found[SECRET_VERSION, name]["inputs"]["secretString"] == found[SECRET_VERSION, name]["outputs"]["secretString"] == MASK
    group = found["aws:elasticache/replicationGroup:ReplicationGroup", CACHE]
    assert group["inputs"]["authToken"] == group["outputs"]["authToken"] == MASK
    assert group["inputs"]["engine"] == "redis"


def test_what_refers_to_a_stack_shows_its_secret_outputs_no_more_than_the_stack(written: str) -> None:
    for stack in json.loads(written)["stacks"]:
        for one in stack["resources"]:
            if one["type"] == STACK_REFERENCE and one["name"].startswith("organization/app/"):
                assert one["outputs"]["outputs"]["apiKey"] == MASK
                assert one["outputs"]["outputs"]["endpointUrls"]
                return
    pytest.fail("no stack refers to app")


def test_few_values_are_masked_and_names_none(containers: Rehearsal, written: str) -> None:
    # Of a secret that is a common word, every other value would be masked.
    assert 6 <= written.count(json.dumps(MASK)) <= 20
    assert len(in_file(written)) == len({(one.type, one.name) for stack in containers.stacks for one in stack.run.resources if one.type != STACK_REFERENCE})


def test_whatever_the_callers_target_is_the_local_packages_are_rehearsed(dev: Rehearsal) -> None:
    found = [one.inputs["code"] for stack in dev.stacks for one in stack.run.resources if one.type == "aws:lambda/function:Function"]
    assert {Path(code.path).parent.name for code in found} == {"lambda-arm64"}


def test_a_value_that_the_sdk_was_asked_to_keep_secret_is_masked(dev: Rehearsal, tmp_path: Path) -> None:
    write(dev, tmp_path / "dev.json")
    text = (tmp_path / "dev.json").read_text()
    [key] = [one.outputs["value"] for stack in dev.stacks for one in stack.run.resources if one.type == "aws:apigateway/apiKey:ApiKey"]
    assert key not in text
    assert in_file(text)["aws:apigateway/usagePlanKey:UsagePlanKey", "payments"]["outputs"]["value"] == MASK


def test_what_a_program_marks_is_kept_with_the_resource_at_whatever_depth() -> None:
    def main() -> None:
        owner = pulumi.ComponentResource("payments:app:Owner", "owner")
        owner.register_outputs({"plain": "seen", "word": pulumi.Output.secret("of the component")})
        aws.sns.Topic("topic", name="events", display_name=pulumi.Output.secret("the whole input"), opts=pulumi.ResourceOptions(parent=owner))
        aws.sqs.Queue("queue", name="work", tags={"Team": "payments", "Word": pulumi.Output.secret("one member")})

    with mock_aws():
        made = run(Program(main=main, project="app", stack="dev", config={"aws:region": "us-east-1"}), Clouds())
    assert {one.name: one.secrets for one in made.resources} == {"owner": ["of the component"], "topic": ["the whole input"], "queue": ["one member"]}
    queue = next(one for one in made.resources if one.name == "queue")
    assert Masks(queue.secrets)(queue.as_json())["inputs"] == {"name": "work", "tags": {"Team": "payments", "Word": MASK}}
    assert queue.inputs["tags"]["Word"] == "one member"
