"""The Pulumi provider in front of the table: the engine attaches to it with `PULUMI_DEBUG_PROVIDERS=aws:<port>`.

One server serves every account and region: each provider instance of an engine has a connection of its own, and what
`Configure` said on it (account, region, default tags) holds for the calls that come over it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, NoReturn

import grpc
from botocore.exceptions import BotoCoreError, ClientError
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc
from pulumi.runtime.rpc import UNKNOWN

from localcloud import catalogue, wire
from localcloud.aws import Aws, Clouds
from localcloud.fields import same
from localcloud.journal import Journal
from localcloud.kinds import Function, Kind, PartlyMade, Props

log = logging.getLogger(__name__)

_CHANGED, _REPLACED = provider_pb2.PropertyDiff.UPDATE, provider_pb2.PropertyDiff.UPDATE_REPLACE

DEFAULT_ACCOUNT = "123456789012"


@dataclass(frozen=True)
class Settings:
    """What one provider instance was configured with."""

    account: str = DEFAULT_ACCOUNT
    region: str = "us-east-1"
    default_tags: dict[str, str] = field(default_factory=dict[str, str])


def settings_of(config: dict[str, Any]) -> Settings:
    """The settings that an AWS provider's configuration (`region`, `allowedAccountIds`, `defaultTags`) stands for."""
    accounts = config.get("allowedAccountIds") or [DEFAULT_ACCOUNT]
    tags = (config.get("defaultTags") or {}).get("tags") or {}
    return Settings(str(accounts[0]), config.get("region") or "us-east-1", tags)


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """Answers the engine from the table, against one moto."""

    def __init__(self, clouds: Clouds, journal: Journal) -> None:
        self._clouds = clouds
        self._journal = journal
        self._settings: dict[str, Settings] = {}

    # --- the provider itself -------------------------------------------------------------------------------------

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:  # noqa: N802, ARG002
        """The version of the AWS provider whose types the table speaks."""
        return plugin_pb2.PluginInfo(version=version("pulumi-aws"))

    def Attach(self, request: Any, context: grpc.ServicerContext) -> empty_pb2.Empty:  # noqa: N802, ARG002
        """Nothing to keep: the provider makes no calls to the engine."""
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> empty_pb2.Empty:  # noqa: N802, ARG002
        """Calls to moto are short; the one under way ends by itself."""
        return empty_pb2.Empty()

    def CheckConfig(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.CheckResponse:  # noqa: N802, ARG002
        """Refuses a configuration that could not tell which account it is for."""
        config = wire.config(request.news)
        accounts = config.get("allowedAccountIds")
        failures: list[provider_pb2.CheckFailure] = []
        if isinstance(accounts, list) and len(accounts) > 1:
            reason = f"names {len(accounts)} accounts; the local cloud needs the one to deploy to"
            failures.append(provider_pb2.CheckFailure(property="allowedAccountIds", reason=reason))
        return provider_pb2.CheckResponse(inputs=request.news, failures=failures)

    def DiffConfig(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:  # noqa: N802, ARG002
        """Another account or region means other resources."""
        old, new = wire.config(request.olds), wire.config(request.news)
        replaces = [name for name in ("allowedAccountIds", "region") if name in old and old.get(name) != new.get(name)]
        return provider_pb2.DiffResponse(replaces=replaces, changes=provider_pb2.DiffResponse.DIFF_UNKNOWN)

    def Configure(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.ConfigureResponse:  # noqa: N802
        """Remembers account, region and default tags for this connection."""
        self._settings[context.peer()] = settings_of(wire.config(request.args))
        return provider_pb2.ConfigureResponse(acceptSecrets=False, acceptResources=False, supportsPreview=True, acceptOutputs=False)

    # --- resources -----------------------------------------------------------------------------------------------

    def Check(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.CheckResponse:  # noqa: N802
        """Holds the inputs to what AWS takes; fills in defaults and default tags."""
        kind = self._kind(request.urn, context)
        inputs = kind.with_defaults(wire.load(request.news))
        # Tags that are not known yet stay so; what is no map at all is refused below.
        if kind.tagged and (default := self._configured(context).default_tags) and isinstance(own := inputs.get("tags") or {}, dict):
            inputs["tags"] = {**default, **own}
        failures = [provider_pb2.CheckFailure(property=r.path, reason=r.reason) for r in kind.refusals(inputs)]
        return provider_pb2.CheckResponse(inputs=wire.dump(inputs), failures=failures)

    def Diff(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:  # noqa: N802
        """What changed between the inputs of the last deployment (as refreshed) and the new ones."""
        kind = self._kind(request.urn, context)
        change = kind.change(wire.load(request.old_inputs), wire.load(request.news))
        detail = {name: provider_pb2.PropertyDiff(kind=_REPLACED if name in change.replaces else _CHANGED, inputDiff=True) for name in change.changed}
        some = provider_pb2.DiffResponse.DIFF_SOME if change.changed else provider_pb2.DiffResponse.DIFF_NONE
        return provider_pb2.DiffResponse(
            changes=some,
            diffs=list(change.changed),
            replaces=list(change.replaces),
            deleteBeforeReplace=bool(change.replaces) and kind.delete_first,
            detailedDiff=detail,
            hasDetailedDiff=True,
        )

    def Create(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.CreateResponse:  # noqa: N802
        """Makes the resource; in a preview, says which outputs only AWS can know."""
        kind = self._kind(request.urn, context)
        inputs = wire.load(request.properties)
        if request.preview:
            return provider_pb2.CreateResponse(properties=wire.dump({**inputs, **dict.fromkeys(kind.computed, UNKNOWN)}))
        with self._journal.creating(request.urn) as entry:
            try:
                id_, state = kind.make(self._aws(context, inputs), inputs)
            except PartlyMade as error:
                entry.id = error.id
                self._partly_made(context, error, kind, inputs)
            except (ClientError, BotoCoreError, LookupError, OSError) as error:
                self._fail(context, error)
            entry.id = id_
        return provider_pb2.CreateResponse(id=id_, properties=wire.dump(state))

    def Read(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.ReadResponse:  # noqa: N802
        """What moto holds now: the state, and the inputs that would make it so."""
        kind = self._kind(request.urn, context)
        known, inputs = wire.load(request.properties), wire.load(request.inputs)
        try:
            state = kind.look(self._aws(context, known), request.id, {**known, **inputs})
        except (ClientError, BotoCoreError) as error:
            self._fail(context, error)
        if state is None:
            return provider_pb2.ReadResponse(id="")
        return provider_pb2.ReadResponse(id=request.id, properties=wire.dump(state), inputs=wire.dump(_as_inputs(kind, state, known, inputs)))

    def Update(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.UpdateResponse:  # noqa: N802
        """Changes the resource in place."""
        kind = self._kind(request.urn, context)
        old, new = wire.load(request.olds), wire.load(request.news)
        if request.preview:
            return provider_pb2.UpdateResponse(properties=wire.dump({**old, **new}))
        # Inputs that were dropped since are told from the old inputs; the state also has what AWS filled in.
        before = {**old, **wire.load(request.old_inputs)}
        try:
            state = kind.alter(self._aws(context, new), request.id, new, before)
        except (PartlyMade, ClientError, BotoCoreError, LookupError, OSError) as error:
            self._fail(context, error)
        return provider_pb2.UpdateResponse(properties=wire.dump(state))

    def Delete(self, request: Any, context: grpc.ServicerContext) -> empty_pb2.Empty:  # noqa: N802
        """Deletes the resource; one that is gone already is no error."""
        kind = self._kind(request.urn, context)
        state = wire.load(request.properties)
        try:
            kind.destroy(self._aws(context, state), request.id, state)
        except (ClientError, BotoCoreError) as error:
            self._fail(context, error)
        self._journal.forget(request.urn, request.id)
        return empty_pb2.Empty()

    def Invoke(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.InvokeResponse:  # noqa: N802
        """Answers a look-up."""
        function: Function = self._known(catalogue.function, request.tok, context)
        inputs = wire.load(request.args)
        if refused := function.refusals(inputs):
            failures = [provider_pb2.CheckFailure(property=r.path, reason=r.reason) for r in refused]
            return provider_pb2.InvokeResponse(failures=failures)
        try:
            # The field is called `return`, which Python keeps for itself.
            fields: dict[str, Any] = {"return": wire.dump(function.call(self._aws(context, inputs), inputs))}
            return provider_pb2.InvokeResponse(**fields)
        except (ClientError, BotoCoreError, LookupError) as error:
            self._fail(context, error)

    # --- helpers -------------------------------------------------------------------------------------------------

    def _kind(self, urn: str, context: grpc.ServicerContext) -> Kind:
        return self._known(catalogue.kind, urn.split("::")[2].rsplit("$", 1)[-1], context)

    def _known(self, find: Callable[[str], Any], token: str, context: grpc.ServicerContext) -> Any:
        try:
            return find(token)
        except catalogue.UnknownType as error:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, str(error))

    def _configured(self, context: grpc.ServicerContext) -> Settings:
        settings = self._settings.get(context.peer())
        if settings is None:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, "this connection was not configured; the engine calls Configure first")
        return settings

    def _aws(self, context: grpc.ServicerContext, props: Props) -> Aws:
        settings = self._configured(context)
        return self._clouds.get(settings.account, props.get("region") or settings.region)

    def _fail(self, context: grpc.ServicerContext, error: Exception) -> NoReturn:
        log.warning("%s", error)
        context.abort(grpc.StatusCode.UNKNOWN, str(error))

    def _partly_made(self, context: grpc.ServicerContext, error: PartlyMade, kind: Kind, inputs: Props) -> NoReturn:
        """Tells the engine that the resource exists although its creation failed, so that the next update mends it."""
        state = {**inputs, **dict.fromkeys(kind.computed)}
        detail = provider_pb2.ErrorResourceInitFailed(id=error.id, properties=wire.dump(state), reasons=[str(error.cause)], inputs=wire.dump(inputs))
        wire.abort_with(context, str(error.cause), detail)


def _as_inputs(kind: Kind, state: Props, known: Props, inputs: Props) -> Props:
    """The inputs that describe `state`: those that were given, as they are now, and those that somebody set since.

    Of a resource that was adopted after an interrupted creation nothing is `known`: what AWS filled in then was set by nobody.
    """
    now = {name: state.get(name) for name in inputs}
    for name in kind.fields if known or not inputs else ():
        if name not in inputs and name in state and not same(kind.fields[name], known.get(name), state[name]):
            now[name] = state[name]
    return {name: value for name, value in now.items() if value is not None}


def encode(value: Props) -> struct_pb2.Struct:
    """The wire form of plain properties (for tests and tools that speak to the provider directly)."""
    return wire.dump(json.loads(json.dumps(value)))
