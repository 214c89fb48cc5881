"""The engine's half of the provider protocol: real gRPC calls over loopback, as the Pulumi engine makes them."""

from __future__ import annotations

from collections.abc import Generator
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import grpc
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from localcloud import wire
from localcloud.aws import Clouds
from localcloud.journal import Journal
from localcloud.provider import Provider


@dataclass
class Engine:
    """Speaks to one provider as the engine does; each method is one call."""

    stub: Any
    clouds: Clouds
    account: str
    region: str

    def urn(self, type_: str, name: str = "example") -> str:
        """A URN as the engine makes them, below a component."""
        return f"urn:pulumi:dev::data::payments:data:Component${type_}::{name}"

    def check(self, type_: str, inputs: dict[str, Any]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        """The checked inputs, and the refusals as (property, reason)."""
        answer = self.stub.Check(provider_pb2.CheckRequest(urn=self.urn(type_), news=wire.dump(inputs)))
        return wire.load(answer.inputs), [(failure.property, failure.reason) for failure in answer.failures]

    def create(self, type_: str, inputs: dict[str, Any], *, preview: bool = False) -> tuple[str, dict[str, Any]]:
        """The id and the state."""
        answer = self.stub.Create(provider_pb2.CreateRequest(urn=self.urn(type_), properties=wire.dump(inputs), preview=preview))
        return answer.id, wire.load(answer.properties)

    def read(self, type_: str, id_: str, state: dict[str, Any], inputs: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """The state and the inputs as they are now; None when the resource is gone."""
        answer = self.stub.Read(provider_pb2.ReadRequest(id=id_, urn=self.urn(type_), properties=wire.dump(state), inputs=wire.dump(inputs)))
        return (wire.load(answer.properties), wire.load(answer.inputs)) if answer.id else None

    def diff(self, type_: str, id_: str, state: dict[str, Any], old: dict[str, Any], new: dict[str, Any]) -> tuple[set[str], set[str]]:
        """The inputs that changed, and those that force a replacement."""
        answer = self.stub.Diff(provider_pb2.DiffRequest(id=id_, urn=self.urn(type_), olds=wire.dump(state), old_inputs=wire.dump(old), news=wire.dump(new)))
        return set(answer.diffs), set(answer.replaces)

    def update(self, type_: str, id_: str, state: dict[str, Any], old: dict[str, Any], new: dict[str, Any], *, preview: bool = False) -> dict[str, Any]:
        """The state after the update."""
        answer = self.stub.Update(
            provider_pb2.UpdateRequest(id=id_, urn=self.urn(type_), olds=wire.dump(state), old_inputs=wire.dump(old), news=wire.dump(new), preview=preview)
        )
        return wire.load(answer.properties)

    def delete(self, type_: str, id_: str, state: dict[str, Any]) -> None:
        """Deletes the resource."""
        self.stub.Delete(provider_pb2.DeleteRequest(id=id_, urn=self.urn(type_), properties=wire.dump(state)))

    def invoke(self, token: str, args: dict[str, Any]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        """The answer of a look-up, and the refusals."""
        answer = self.stub.Invoke(provider_pb2.InvokeRequest(tok=token, args=wire.dump(args)))
        return wire.load(getattr(answer, "return")), [(failure.property, failure.reason) for failure in answer.failures]


@contextmanager
def serving(clouds: Clouds, journal: Journal | None = None) -> Generator[int]:
    """A provider served on loopback over in-process moto (`mock_aws` must be active when calls are made); its port."""
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Provider(clouds, journal or Journal()), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port
    finally:
        server.stop(None)


@contextmanager
def connected(port: int, clouds: Clouds, account: str = "345678901234", region: str = "us-east-1", **config: Any) -> Generator[Engine]:
    """An engine with a connection of its own, configured as that of an AWS provider instance is."""
    # Channels of one process would share a connection.
    with grpc.insecure_channel(f"127.0.0.1:{port}", [("grpc.use_local_subchannel_pool", 1)]) as channel:
        stub = provider_pb2_grpc.ResourceProviderStub(channel)
        args = wire.dump({"allowedAccountIds": f'["{account}"]', "region": region, **config})
        stub.Configure(provider_pb2.ConfigureRequest(args=args, acceptSecrets=True))
        yield Engine(stub, clouds, account, region)


@contextmanager
def attached(clouds: Clouds) -> Generator[Engine]:
    """A provider, and the one engine that is attached to it."""
    with serving(clouds) as port, connected(port, clouds) as engine:
        yield engine
