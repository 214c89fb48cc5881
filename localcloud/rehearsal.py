"""A Pulumi program run in this process: no engine, no provider process, but every resource really made in moto.

The resource monitor that the SDK talks to is replaced (as `pulumi.runtime.set_mocks` does) by one that makes each registered
resource through the table, and records it as the engine would.
"""

from __future__ import annotations

import asyncio
import atexit
import gc
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from google.protobuf import empty_pb2, json_format
from pulumi.asset import AssetArchive, FileArchive, FileAsset, StringAsset
from pulumi.runtime import mocks, settings
from pulumi.runtime.config import set_all_config
from pulumi.runtime.proto import provider_pb2, resource_pb2
from pulumi.runtime.stack import run_in_stack

from localcloud import catalogue, sdk_speed, wire
from localcloud.aws import Clouds
from localcloud.fields import secret_values
from localcloud.provider import settings_of

_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - the engine's mark for a secret, not one
_SELDOM = (3_000_000, 20, 100)
STACK_REFERENCE = "pulumi:pulumi:StackReference"


class Refused(ValueError):  # noqa: N818 - says what it is
    """An input that AWS would refuse, with the resource's name."""


class Failed(RuntimeError):  # noqa: N818 - says what it is
    """A resource could not be made, with its name and what moto said."""


@dataclass(frozen=True)
class Resource:
    """One resource as the engine would have recorded it; inputs and outputs in camelCase, resolved.

    secrets: those values among them, at whatever depth, that the program, the table or the SDK (`additionalSecretOutputs`) calls secret.
    """

    urn: str
    type: str
    name: str
    parent: str
    id: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    secrets: list[Any] = field(default_factory=list[Any], repr=False)

    def as_json(self) -> dict[str, Any]:
        """The resource for a file, with its secrets in clear: who writes it masks them."""
        return {name: _described(getattr(self, name)) for name in ("urn", "type", "name", "parent", "id", "inputs", "outputs")}


@dataclass
class Run:
    """What a program made: its resources in the order of their creation, its outputs, which of those are secret, and what it said."""

    resources: list[Resource] = field(default_factory=list[Resource])
    outputs: dict[str, Any] = field(default_factory=dict[str, Any])
    secrets: set[str] = field(default_factory=set[str])


@dataclass(frozen=True)
class Program:
    """A program to rehearse.

    main: runs it. config: the stack's configuration as the engine hands it over (strings; JSON for what is structured).
    references: the runs of the stacks that it may refer to, by `organization/project/stack`.
    """

    main: Callable[[], object]
    project: str
    stack: str
    config: Mapping[str, str]
    references: Mapping[str, Run] = field(default_factory=dict[str, Run])
    organization: str = "organization"


def run(program: Program, clouds: Clouds) -> Run:
    """Runs a program against moto, which must be active in this process; raises what the program raises, and Refused."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    sdk_speed.done_once()
    loop.set_default_executor(sdk_speed.AtOnce())  # and moto promises no thread safety
    monitor = _Monitor(program, clouds)
    set_all_config(dict(program.config), [])
    settings.configure(
        mocks.MockSettings(
            monitor=monitor,
            monitor_features=set(monitor.GetDeploymentInfo(empty_pb2.Empty()).supportedFeatures),
            engine=mocks.MockEngine(None),
            project=program.project,
            stack=program.stack,
            dry_run=False,
            organization=program.organization,
            callbacks=None,
        )
    )
    settings.set_root_resource(None)  # type: ignore[arg-type] # the SDK's own way to begin a new stack
    settings.SETTINGS.outputs.clear()  # pyright: ignore[reportAttributeAccessIssue]  # what a program that failed left behind belongs to its loop, which is closed
    collect_seldom()
    try:
        loop.run_until_complete(run_in_stack(lambda: _returning_nothing(program.main)))
    finally:
        settings.set_root_resource(None)  # type: ignore[arg-type]
        _end(loop)
        asyncio.set_event_loop(None)
    if monitor.error is not None:
        raise monitor.error
    return monitor.run


def collect_seldom() -> None:
    """The SDKs' classes and moto's records stay; looking through them for garbage at every 700 new objects costs a fifth of a rehearsal.

    Three million objects are what some twenty-five environments leave behind, at 20 MiB each. For the rest of the process: what set the
    thresholds back would look through everything at once. At its end, too, which takes a second.
    """
    if gc.get_threshold() != _SELDOM:
        gc.set_threshold(*_SELDOM)
        atexit.register(gc.freeze)


def _end(loop: asyncio.AbstractEventLoop) -> None:
    """Closes the loop; after a failure there are registrations still waiting, which nobody needs any more."""
    # What failed is raised by `run`; the loop need not tell again of every task that waited for it.
    loop.set_exception_handler(lambda *_: None)
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


def _returning_nothing(main: Callable[[], object]) -> None:
    main()


class _NoMocks(mocks.Mocks):
    """The monitor below answers by itself; nothing reaches these."""

    def call(self, args: mocks.MockCallArgs) -> Any:
        raise NotImplementedError(args.token)

    def new_resource(self, args: mocks.MockResourceArgs) -> Any:
        raise NotImplementedError(args.typ)


class _Monitor(mocks.MockMonitor):
    """Makes what is registered, through the table."""

    def __init__(self, program: Program, clouds: Clouds) -> None:
        super().__init__(_NoMocks())
        self.run = Run()
        self.error: Exception | None = None
        self._program = program
        self._clouds = clouds
        self._default = settings_of({key.removeprefix("aws:"): wire.parsed(value) for key, value in program.config.items() if key.startswith("aws:")})

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """The URN as the engine makes it: with the types of all ancestors but the stack."""
        above = parent.split("::")[2] if parent else ""
        chain = type_ if above in {"", "pulumi:pulumi:Stack"} else f"{above}${type_}"
        return f"urn:pulumi:{self._program.stack}::{self._program.project}::{chain}::{name}"

    def Invoke(self, request: Any) -> Any:  # noqa: N802 - gRPC's names
        """Answers a look-up through the table."""
        function = catalogue.function(request.tok)
        inputs = wire.load(request.args)
        if refused := function.refusals(inputs):
            failures = [provider_pb2.CheckFailure(property=r.path, reason=r.reason) for r in refused]
            return resource_pb2.ResourceInvokeResponse(failures=failures)
        aws = self._clouds.get(self._default.account, inputs.get("region") or self._default.region)
        return _answer(wire.dump(function.call(aws, inputs)))

    def ReadResource(self, request: Any) -> Any:  # noqa: N802
        """Answers a reference to another stack; other existing resources have no place in a rehearsal."""
        if request.type != STACK_REFERENCE:
            raise Refused(f"{request.name}: a rehearsal starts with an empty AWS; {request.type} {request.id} cannot be read there")
        reference = wire.load(request.properties)["name"]
        found = self._program.references.get(reference)
        if found is None:
            raise Refused(f"{request.name}: no stack named {reference!r}; rehearsed before it: {', '.join(self._program.references) or 'none'}")
        state = {"name": reference, "outputs": found.outputs, "secretOutputNames": sorted(found.secrets)}
        urn = self.make_urn(request.parent, request.type, request.name)
        self._record(Resource(urn, request.type, request.name, request.parent, request.id, {"name": reference}, state))
        wrapped = {name: {_SIGNATURE: _SECRET, "value": value} if name in found.secrets else value for name, value in found.outputs.items()}
        return resource_pb2.ReadResourceResponse(urn=urn, properties=wire.dump({**state, "outputs": wrapped}))

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802
        """Makes a resource; a component is only recorded."""
        urn = self.make_urn(request.parent, request.type, request.name)
        if request.type == "pulumi:pulumi:Stack":
            return resource_pb2.RegisterResourceResponse(urn=urn)
        loaded = wire.load(request.object)
        secrets = {name for name, value in loaded.items() if _is_secret(value)}
        # The engine hands a provider the values themselves, and marks them again in the state that it answers.
        inputs = {name: wire.whole(value["value"]) if name in secrets else value for name, value in loaded.items()}
        # As they were sent: the SDK calls all of an object secret of which one member is.
        hidden = list(_marked(json_format.MessageToDict(request.object))) if secrets else []
        if not request.custom:
            self._record(Resource(urn, request.type, request.name, request.parent, "", inputs, {}, hidden))
            return resource_pb2.RegisterResourceResponse(urn=urn, object=request.object)
        try:
            id_, checked, state = self._make(request, inputs)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told with the resource's name
            if not isinstance(error, Refused | catalogue.UnknownType):
                error = Failed(f"{request.type} {request.name!r} of {self._program.project}: {error!r}")
            self.error = self.error or error
            raise self.error from None
        hidden += [state[name] for name in request.additionalSecretOutputs if state.get(name) is not None]
        hidden += _of_the_table(request.type, checked, state)
        self._record(Resource(urn, request.type, request.name, request.parent, id_, checked, state, hidden))
        marked = {name: {_SIGNATURE: _SECRET, "value": value} if name in secrets else value for name, value in state.items()}
        return resource_pb2.RegisterResourceResponse(urn=urn, id=id_, object=wire.dump(marked))

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802
        """Keeps the outputs of the stack and of components."""
        plain, secrets = _plain(request.outputs)
        if "::pulumi:pulumi:Stack::" in request.urn:
            self.run.outputs, self.run.secrets = plain, secrets
        else:
            for resource in self.run.resources:
                if resource.urn == request.urn:
                    resource.outputs.update(plain)
                    resource.secrets.extend(_marked(json_format.MessageToDict(request.outputs)))
        return empty_pb2.Empty()

    def _make(self, request: Any, inputs: dict[str, Any]) -> tuple[str, dict[str, Any], dict[str, Any]]:
        if request.type.startswith("pulumi:providers:"):
            return f"{request.name}-id", inputs, inputs
        kind = catalogue.kind(request.type)
        checked = kind.with_defaults(inputs)
        if refused := kind.refusals(checked):
            listed = "; ".join(f"{r.path}: {r.reason}" for r in refused)
            raise Refused(f"{request.type} {request.name!r} of {self._program.project}: {listed}")
        aws = self._clouds.get(self._default.account, checked.get("region") or self._default.region)
        id_, state = kind.make(aws, checked)
        return id_, checked, state

    def _record(self, resource: Resource) -> None:
        self.run.resources.append(resource)
        self.resources[resource.urn] = mocks.MockMonitor.ResourceRegistration(resource.urn, resource.id, resource.outputs)


def _described(value: Any) -> Any:
    """A value for a file: of an archive or asset what it is made from, and as `hash` that of its bytes, which the engine's state has too."""
    if isinstance(value, FileArchive | FileAsset):
        path = Path(value.path)
        return {"file": path.name, **({"hash": hashlib.sha256(path.read_bytes()).hexdigest()} if path.is_file() else {})}
    if isinstance(value, AssetArchive):
        return {"assets": {name: _described(entry) for name, entry in sorted(value.assets.items())}}
    if isinstance(value, StringAsset):
        return {"text": value.text}
    if isinstance(value, dict):
        return {name: _described(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [_described(entry) for entry in value]
    return value


def _plain(struct: Any) -> tuple[dict[str, Any], set[str]]:
    """The values of a wire message without the marks of secrets, and the names of those at the top that had one."""
    found: dict[str, Any] = json_format.MessageToDict(struct)
    secrets = {name for name, value in found.items() if _is_secret(value)}
    return {name: _unwrapped(value) for name, value in found.items()}, secrets


def _answer(values: Any) -> Any:
    """The answer of a look-up; its field is called `return`, which Python keeps for itself."""
    fields: dict[str, Any] = {"return": values}
    return resource_pb2.ResourceInvokeResponse(**fields)


def _marked(value: Any) -> Iterator[Any]:
    """The values of a wire message that are marked as secrets, at whatever depth."""
    if _is_secret(value):
        yield _unwrapped(value)
    elif isinstance(value, list | dict):
        for entry in value if isinstance(value, list) else value.values():
            yield from _marked(entry)


def _of_the_table(type_: str, *values: Mapping[str, Any]) -> list[Any]:
    """The inputs and outputs that are secret whoever gives them."""
    return [] if type_.startswith("pulumi:") else [value for each in values for value in secret_values(catalogue.kind(type_).fields, each)]


def _is_secret(value: Any) -> bool:
    return isinstance(value, dict) and value.get(_SIGNATURE) == _SECRET


def _unwrapped(value: Any) -> Any:
    if _is_secret(value):
        return _unwrapped(value["value"])
    if isinstance(value, dict):
        return {name: _unwrapped(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [_unwrapped(entry) for entry in value]
    return wire.whole(value)
