"""Contracts: what is published is what is read, and what is missing, null or of another version is said."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, ClassVar

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts import CONTRACTS, VERSION_OUTPUT, AppOutputs, Contract, DataOutputs, NetworkingOutputs, ObservabilityOutputs
from shared.environment import Environment
from tests.projects.harness import empty_aws

EACH = pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.__name__)


def found(contract: type[Contract], **changed: Any) -> dict[str, Any]:
    """A producer's outputs, as they stand in its state."""
    return {**{name: f"value of {name}" for name in contract.outputs()}, VERSION_OUTPUT: contract.VERSION, **changed}


def made(contract: type[Contract]) -> Contract:
    return contract(**{field.name: pulumi.Output.from_input(f"value of {field.name}") for field in dataclasses.fields(contract)})


def in_a_program(run: Callable[[], dict[str, Any]]) -> tuple[dict[str, Any], set[str]]:
    """The outputs that a program exports, and which of them are secret."""

    def components(_: Environment) -> None:
        for name, value in run().items():
            pulumi.export(name, value)

    with empty_aws("dev") as cloud:
        done = cloud.make(components)
    return done.outputs, done.secrets


def test_every_project_has_one_contract() -> None:
    assert [contract.PROJECT for contract in CONTRACTS] == ["networking", "data", "app", "observability"]
    assert [NetworkingOutputs, DataOutputs, AppOutputs, ObservabilityOutputs] == list(CONTRACTS)


@EACH
def test_what_is_published_has_every_field_in_camel_case_and_the_version(contract: type[Contract]) -> None:
    outputs, secrets = in_a_program(lambda: made(contract).exports())
    fields = {field.name for field in dataclasses.fields(contract)}
    assert {value.removeprefix("value of ") for name, value in outputs.items() if name != VERSION_OUTPUT} == fields
    assert all(name[0].islower() and "_" not in name for name in outputs)
    assert outputs[VERSION_OUTPUT] == contract.VERSION
    assert contract.problems(outputs) == []
    assert secrets == contract.secrets() == ({"apiKey"} if contract is AppOutputs else set[str]())


@EACH
def test_what_is_read_is_what_was_published_and_secrets_stay_secret(contract: type[Contract]) -> None:
    def relayed() -> dict[str, Any]:
        published = made(contract).exports()
        read = contract.read(lambda name: published[name])
        return {field.name: getattr(read, field.name) for field in dataclasses.fields(contract)}

    outputs, secrets = in_a_program(relayed)
    assert outputs == {field.name: f"value of {field.name}" for field in dataclasses.fields(contract)}
    assert secrets == {field.name for field in dataclasses.fields(contract) if field.metadata.get("secret")}


@EACH
@given(st.data())
def test_every_missing_and_every_null_output_is_named(contract: type[Contract], data: st.DataObject) -> None:
    names = list(contract.outputs())
    missing = data.draw(st.sets(st.sampled_from(names)))
    null = data.draw(st.sets(st.sampled_from(names))) - missing
    outputs = {name: None if name in null else value for name, value in found(contract).items() if name not in missing}
    told = contract.problems(outputs)
    needed = set(names) - contract.optional()
    assert set(told) == {f"output {name} is missing" for name in missing & needed} | {f"output {name} is null" for name in null & needed}


@EACH
def test_a_stack_without_outputs_was_never_deployed(contract: type[Contract]) -> None:
    assert contract.problems({}) == ["it has no outputs: it was never deployed, or was destroyed"]


@EACH
@pytest.mark.parametrize("version", [None, 0, 99, "1"])
def test_another_version_is_told_alone_whatever_else_differs(contract: type[Contract], version: object) -> None:
    outputs = found(contract, **{VERSION_OUTPUT: version})
    outputs.pop(next(iter(contract.outputs())))
    assert contract.problems(outputs) == [f"contractVersion is {version!r}, this code reads {contract.VERSION}"]


@EACH
def test_outputs_that_a_newer_producer_adds_are_no_problem(contract: type[Contract]) -> None:
    assert contract.problems(found(contract, somethingNew=1)) == []


@EACH
@pytest.mark.parametrize("value", ["", 0, False, [], {}])
def test_an_empty_value_is_a_value(contract: type[Contract], value: object) -> None:
    assert contract.problems(found(contract, **{next(iter(contract.outputs())): value})) == []


def test_a_contract_cannot_be_changed_or_left_incomplete() -> None:
    unset: Any = None
    whole = NetworkingOutputs(**{field.name: unset for field in dataclasses.fields(NetworkingOutputs)})
    with pytest.raises(dataclasses.FrozenInstanceError):
        whole.vpc_id = unset  # type: ignore[misc]
    with pytest.raises(TypeError, match="vpc_cidr"):
        NetworkingOutputs(vpc_id=unset)  # type: ignore[call-arg]


def test_a_raised_version_refuses_what_an_older_producer_left() -> None:
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Later(Contract):
        PROJECT: ClassVar[str] = "networking"
        VERSION: ClassVar[int] = 2
        vpc_id: pulumi.Output[str]

    assert Later.problems({"vpcId": "vpc-1", VERSION_OUTPUT: 1}) == ["contractVersion is 1, this code reads 2"]
    assert Later.problems({"vpcId": "vpc-1", VERSION_OUTPUT: 2}) == []
