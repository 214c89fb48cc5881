"""Each call to AWS that a creation or an update makes fails once; the next update mends what was left half done."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import grpc
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from google.rpc import status_pb2
from pulumi.runtime.proto import provider_pb2

from localcloud import catalogue, wire
from localcloud.fields import same
from tests.localcloud.engine import Engine
from tests.localcloud.examples import Example, everything
from tests.localcloud.life import Props, among, make_needs, make_one, merged, resolve
from tests.localcloud.test_table import named

_READS = ("Describe", "Get", "List", "Head")

# The AWS provider leaves it stopped, too: neither can tell whether somebody stopped it on purpose.
_STAYS_STOPPED = ("aws:ec2/instance:Instance", "StartInstances")

# Updates that cannot be taken back. gaps.py: moto starts the stream of a table once; and S3 never makes a versioned bucket an unversioned one.
_ONE_WAY = {"aws:dynamodb/table:Table", "s3/bucketVersioning:BucketVersioning (disabled)"}


@contextmanager
def failing(monkeypatch: pytest.MonkeyPatch, number: int) -> Generator[list[str]]:
    """Fails the call with this number among those that change something; gives the names of all that were made."""
    made: list[str] = []
    client_class: Any = BaseClient
    really = client_class._make_api_call  # the one door of all calls

    def call(client: Any, operation: str, arguments: dict[str, Any]) -> Any:
        if not operation.startswith(_READS):
            made.append(operation)
            if len(made) == number:
                raise ClientError({"Error": {"Code": "ServiceUnavailable", "Message": "try again"}}, operation)
        return really(client, operation, arguments)

    with monkeypatch.context() as patched:
        patched.setattr(client_class, "_make_api_call", call)
        yield made


def half_made(error: grpc.RpcError) -> tuple[str, Props] | None:
    """The id and the state of a resource whose creation failed half-way; None when there is no resource."""
    call: Any = error
    metadata: dict[str, bytes] = dict(call.trailing_metadata() or ())
    if "grpc-status-details-bin" not in metadata:
        return None
    status = status_pb2.Status.FromString(metadata["grpc-status-details-bin"])
    failed = provider_pb2.ErrorResourceInitFailed()
    assert status.details[0].Unpack(failed)
    assert failed.reasons[0] == call.details()
    return failed.id, wire.load(failed.properties)


def differing(example: Example, inputs: Props, state: Props) -> list[str]:
    fields = catalogue.kind(example.type).fields
    return [name for name, value in inputs.items() if not same(fields[name], value, state.get(name))]


@pytest.mark.parametrize("example", everything(), ids=named)
def test_a_creation_that_failed_is_mended(engine: Engine, example: Example, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make_needs(engine, example)
    inputs, _ = engine.check(example.type, resolve(dict(example.inputs), among(made)))
    for number in range(1, 30):
        with failing(monkeypatch, number) as calls:
            try:
                engine.create(example.type, inputs)
            except grpc.RpcError as error:
                left = half_made(error)
            else:
                assert len(calls) < number, f"the failure of {calls[-1]} went unnoticed"
                break
        if left is not None:
            id_, state = left
            state = engine.update(example.type, id_, state, inputs, inputs)
            assert differing(example, inputs, state) == [], f"not mended after {calls[-1]} failed"
            engine.delete(example.type, id_, state)
    else:
        pytest.fail("a creation of 30 calls?")


@pytest.mark.parametrize("example", [example for example in everything() if example.updates], ids=named)
def test_an_update_that_failed_is_done_by_the_next(engine: Engine, example: Example, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make_needs(engine, example)
    id_, state, inputs = make_one(engine, example, made)
    new = merged(inputs, resolve(dict(example.updates), among(made)))
    for number in range(1, 30):
        with failing(monkeypatch, number) as calls:
            try:
                engine.update(example.type, id_, state, inputs, new)
            except grpc.RpcError:
                pass
            else:
                assert len(calls) < number, f"the failure of {calls[-1]} went unnoticed"
                break
        after = engine.update(example.type, id_, state, inputs, new)
        if (example.type, calls[-1]) != _STAYS_STOPPED:
            assert differing(example, new, after) == [], f"not done after {calls[-1]} failed"
        if {example.type, named(example)} & _ONE_WAY:
            engine.delete(example.type, id_, after)
            id_, state, inputs = make_one(engine, example, made)
        else:
            state = engine.update(example.type, id_, after, new, inputs)
    else:
        pytest.fail("an update of 30 calls?")
