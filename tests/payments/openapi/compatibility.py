"""What an OpenAPI document may not change once callers rely on it.

Callers send requests and read answers, so a request may become laxer and an answer richer, never the other way round.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Document = dict[str, Any]
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")


def breaks(released: Document, current: Document) -> list[str]:
    """Each change that may break a caller, as a sentence; none for documents that are compatible."""
    return list(_paths(released, current))


def _paths(released: Document, current: Document) -> Iterator[str]:
    for path, operations in released["paths"].items():
        for method, operation in operations.items():
            place = f"{method.upper()} {path}"
            now = current["paths"].get(path, {}).get(method)
            if now is None:
                yield f"{place} is gone"
                continue
            yield from _parameters(place, operation, now)
            yield from _body(f"{place}, request", (released, _json(operation["requestBody"])), (current, _json(now["requestBody"])))
            yield from _answers(place, (released, operation["responses"]), (current, now["responses"]))


def _parameters(place: str, before: Document, now: Document) -> Iterator[str]:
    known = {(parameter["in"], parameter["name"]): parameter for parameter in before.get("parameters", [])}
    for parameter in now.get("parameters", []):
        earlier = known.get((parameter["in"], parameter["name"]))
        if parameter.get("required") and not (earlier and earlier.get("required")):
            yield f"{place}: {parameter['name']} is required now"
        if earlier:
            yield from _narrowed(f"{place}: {parameter['name']}", earlier["schema"], parameter["schema"])


def _answers(place: str, before: tuple[Document, Document], now: tuple[Document, Document]) -> Iterator[str]:
    released, current = before[0], now[0]
    for status, answer in before[1].items():
        later = now[1].get(status)
        if later is None:
            yield f"{place}: status {status} is gone"
            continue
        for header, about in answer.get("headers", {}).items():
            if about.get("required") and not later.get("headers", {}).get(header, {}).get("required"):
                yield f"{place}, {status}: header {header} is no longer certain"
        for kind, content in answer["content"].items():
            if kind not in later["content"]:
                yield f"{place}, {status}: {kind} is gone"
            else:
                yield from _told(f"{place}, {status}", (released, content["schema"]), (current, later["content"][kind]["schema"]))


def _body(place: str, before: tuple[Document, Document], now: tuple[Document, Document]) -> Iterator[str]:
    """What callers send: nothing may be asked for that was not, and nothing refused that was taken."""
    old, new = _resolved(*before), _resolved(*now)
    yield from _narrowed(place, old, new)
    for name in sorted(set(new.get("required", [])) - set(old.get("required", []))):
        yield f"{place}: {name} is required now"
    for name, schema in old.get("properties", {}).items():
        if name not in new.get("properties", {}):
            if new.get("additionalProperties") is False:
                yield f"{place}: {name} is no longer taken"
        else:
            yield from _body(f"{place}.{name}", (before[0], schema), (now[0], new["properties"][name]))


def _told(place: str, before: tuple[Document, Document], now: tuple[Document, Document]) -> Iterator[str]:
    """What callers read: everything that was certain stays so, and no value comes that they do not know."""
    old, new = _resolved(*before), _resolved(*now)
    if old.get("type") != new.get("type"):
        yield f"{place}: was {old.get('type')}, is {new.get('type')}"
    if "enum" in old and (unknown := sorted(set(new.get("enum", ["anything"])) - set(old["enum"]))):
        yield f"{place}: may be {', '.join(unknown)} now"
    for name in sorted(set(old.get("required", [])) - set(new.get("required", []))):
        yield f"{place}: {name} is no longer certain"
    for name, schema in old.get("properties", {}).items():
        if name not in new.get("properties", {}):
            yield f"{place}: {name} is gone"
        else:
            yield from _told(f"{place}.{name}", (before[0], schema), (now[0], new["properties"][name]))
    if "items" in old:
        yield from _told(f"{place}[]", (before[0], old["items"]), (now[0], new.get("items", {})))
    yield from _alternatives(place, old, new)


def _alternatives(place: str, old: Document, new: Document) -> Iterator[str]:
    kinds, later = ({part.get("type", part.get("$ref")) for part in schema.get("anyOf", [])} for schema in (old, new))
    for kind in sorted(map(str, later - kinds)) if kinds else ():
        yield f"{place}: may be {kind} now"


def _narrowed(place: str, old: Document, new: Document) -> Iterator[str]:
    if "type" in new and old.get("type") != new["type"]:
        yield f"{place}: was {old.get('type')}, has to be {new['type']}"
    if "enum" in new and (refused := sorted(set(old.get("enum", ["anything"])) - set(new["enum"]))):
        yield f"{place}: {', '.join(refused)} no longer taken"
    if new.get("pattern") not in {None, old.get("pattern")}:
        yield f"{place}: has another pattern"
    if new.get("additionalProperties") is False and old.get("additionalProperties") is not False:
        yield f"{place}: unknown fields are no longer taken"
    for limits, tighter in ((_UPPER, min), (_LOWER, max)):
        for limit in limits:
            if limit in new and (limit not in old or (new[limit] != old[limit] and tighter(new[limit], old[limit]) == new[limit])):
                yield f"{place}: {limit} is {new[limit]} now"
    kinds, later = ({part.get("type") for part in schema.get("anyOf", [])} for schema in (old, new))
    for kind in sorted(map(str, kinds - later)) if later else ():
        yield f"{place}: {kind} is no longer taken"


def _json(body: Document) -> Document:
    return body["content"]["application/json"]["schema"]


def _resolved(document: Document, schema: Document) -> Document:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema
