"""Between Python values and the engine's wire form."""

from __future__ import annotations

import json
from collections.abc import Coroutine
from typing import Any, NoReturn

import grpc
from google.protobuf import any_pb2, struct_pb2
from google.rpc import status_pb2
from pulumi.asset import Archive, Asset
from pulumi.output import Unknown
from pulumi.runtime import rpc

# The engine's marks (sdk/go/common/resource/sig, archive, asset).
_SIGNATURE = "4dabf18193072939515e22adb298388d"
_ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7"
_ASSET = "c44067f5952c0a294b673a41bacd8c17"


def load(message: struct_pb2.Struct) -> dict[str, Any]:
    """Plain values; an unknown one stays the engine's sentinel, an archive becomes the SDK's object."""
    for value in message.fields.values():
        _with_content(value)
    loaded: dict[str, Any] = rpc.deserialize_properties(message, keep_unknowns=True)
    return {name: _hashed(whole(value), message.fields[name]) for name, value in loaded.items()}


def dump(values: dict[str, Any]) -> struct_pb2.Struct:
    """The wire form of plain values."""
    message = _at_once(rpc.serialize_properties(values, {}))
    for name, value in values.items():
        if isinstance(value, Archive | Asset) and "hash" in vars(value):
            message.fields[name].struct_value.fields["hash"].string_value = vars(value)["hash"]
    return message


def _at_once(serialized: Coroutine[Any, Any, struct_pb2.Struct]) -> struct_pb2.Struct:
    """What the SDK's serializer returns: it is a coroutine for the sake of outputs, of which there are none here, and waits for nothing."""
    try:
        serialized.send(None)
    except StopIteration as returned:
        message: struct_pb2.Struct = returned.value
        return message
    serialized.close()
    raise TypeError("values for the engine that are not there yet; a provider's answers are plain")


def _with_content(sent: struct_pb2.Value) -> None:
    """The engine sends what is in its state by the hash of its content alone, which the SDK refuses: it becomes an empty archive, or an empty text.

    And it names a file archive with an empty map of assets beside its path, of which the SDK would take the map alone.
    """
    fields = sent.struct_value.fields
    if "path" in fields and "assets" in fields and _SIGNATURE in fields and not fields["assets"].struct_value.fields:
        del fields["assets"]
    if sent.WhichOneof("kind") != "struct_value" or not {"path", "uri", "text", "assets"}.isdisjoint(fields):
        return
    mark = fields[_SIGNATURE].string_value if _SIGNATURE in fields else ""
    if mark == _ARCHIVE:
        fields["assets"].struct_value.SetInParent()
    elif mark == _ASSET:
        fields["text"].string_value = ""


def _hashed(value: Any, sent: struct_pb2.Value) -> Any:
    """An archive or asset with the engine's hash of its content, which the SDK drops: a change inside a file shows nowhere else."""
    if isinstance(value, Archive | Asset) and (digest := sent.struct_value.fields["hash"].string_value):
        vars(value)["hash"] = digest
    return value


def config(message: struct_pb2.Struct) -> dict[str, Any]:
    """A provider's configuration; the engine sends what is not a string as JSON in a string."""
    return {name: parsed(value) for name, value in load(message).items()}


def parsed(value: Any) -> Any:
    """A configuration value; the engine sends what is not a string as JSON in a string."""
    if isinstance(value, str) and value[:1] in {"[", "{", '"'}:
        return json.loads(value)
    return value


def whole(value: Any) -> Any:
    """Numbers travel as doubles; a whole one is an int again. The SDK's mark for an unknown is the engine's again."""
    if isinstance(value, Unknown):
        return rpc.UNKNOWN
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [whole(entry) for entry in value]
    if isinstance(value, dict):
        return {name: whole(entry) for name, entry in value.items()}
    return value


def abort_with(context: grpc.ServicerContext, message: str, detail: Any) -> NoReturn:
    """Ends the call with a status that carries a typed detail."""
    packed = any_pb2.Any()
    packed.Pack(detail)
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=message, details=[packed])
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(grpc.StatusCode.UNKNOWN, message)
