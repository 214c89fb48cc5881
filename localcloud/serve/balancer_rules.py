"""Which rule of a listener a request comes under ("Listener rules for your Application Load Balancer")."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import unquote, urlsplit

from localcloud.serve.balancers import Condition, Listener, Redirect, Rule
from localcloud.serve.http1 import Request

_USUAL = {"http": "80", "https": "443"}


def rule_for(listener: Listener, request: Request) -> Rule:
    """The first rule all of whose conditions hold; the default rule has none."""
    return next(rule for rule in listener.rules if all(holds(condition, request) for condition in rule.conditions))


def holds(condition: Condition, request: Request) -> bool:
    """Whether a request is as a condition wants it. Hosts and headers are compared whatever their case, paths and methods are not."""
    match condition.field:
        case "host-header":
            return _any(condition.values, [host_of(request)], case=False)
        case "path-pattern":
            return _any(condition.values, [request.raw_path])
        case "http-request-method":
            return request.method in condition.values
        case "http-header":
            wanted = condition.header.lower()
            return _any(condition.values, [value for name, value in request.headers if name.lower() == wanted], case=False)
        case "query-string":
            return any(_in_query(key, value, request.query) for key, value in condition.pairs)
        case "source-ip":
            address = ipaddress.ip_address(request.peer)
            return any(address in ipaddress.ip_network(network, strict=False) for network in condition.values)


def host_of(request: Request) -> str:
    """The host that was asked for, without its port."""
    return (urlsplit(f"//{request.header('host') or ''}").hostname or "").rstrip(".")


def location(redirect: Redirect, listener: Listener, request: Request) -> str:
    """Where a redirection leads ("Redirect actions"): a port that is the protocol's own is left out."""
    protocol = "HTTPS" if listener.secure else "HTTP"
    parts = {
        "protocol": protocol.lower(),
        "host": host_of(request),
        "port": str(listener.port),
        "path": request.raw_path.removeprefix("/"),
        "query": request.query,
    }

    def filled(text: str) -> str:
        return re.sub(r"#\{(\w+)\}", lambda found: parts.get(found[1], ""), text)

    scheme, port, query = filled(redirect.protocol).lower(), filled(redirect.port), filled(redirect.query)
    host = filled(redirect.host) + ("" if _USUAL.get(scheme) == port else f":{port}")
    return f"{scheme}://{host}{filled(redirect.path)}" + (f"?{query}" if query else "")


def _in_query(key: str, value: str, query: str) -> bool:
    """Whether a part of the query string has this key (any, where none is named) and value; compared decoded, whatever their case."""
    for part in query.split("&"):
        name, _, text = part.partition("=")
        if (not key or _like(key, case=False).fullmatch(unquote(name))) and _like(value, case=False).fullmatch(unquote(text)):
            return True
    return False


def _any(patterns: Iterable[str], texts: Iterable[str], *, case: bool = True) -> bool:
    found = list(texts)
    return any(_like(pattern, case=case).fullmatch(text) for pattern in patterns for text in found)


@lru_cache(maxsize=1024)
def _like(pattern: str, *, case: bool) -> re.Pattern[str]:
    """A pattern in which `*` stands for any characters and `?` for one."""
    return re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), 0 if case else re.IGNORECASE)
