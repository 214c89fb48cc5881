"""A request to a load balancer, and what becomes of it."""

from __future__ import annotations

import http
import time
from dataclasses import dataclass, field

from localcloud.serve.balancers import Balancer, Listener, Rule
from localcloud.serve.http1 import Request, Response
from localcloud.serve.targets import Target

_NONE = -1.0

# As load balancers write them.
_PHRASES = {**{status.value: status.phrase for status in http.HTTPStatus}, 503: "Service Temporarily Unavailable", 504: "Gateway Time-out"}


def page(status: int) -> Response:
    """An answer that a load balancer gives by itself."""
    title = f"{status} {_PHRASES.get(status, '')}".strip()
    body = f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
    return own(status, body, "text/html")


def own(status: int, body: str, content_type: str) -> Response:
    """An answer that says that no target gave it."""
    return Response(status, body.encode(), [("Server", "awselb/2.0"), ("Content-Type", content_type)])


@dataclass(eq=False, kw_only=True)
class Exchange:
    """One request on its way through a load balancer.

    began: seconds since the epoch. times: seconds until a target was sent the request, until it answered, and until the client had the answer; -1 where
    there was no such thing. actions: what was done, in order. group: ARN. location: where a redirection leads. reason: access logs' word for why the
    request was refused.
    """

    balancer: Balancer
    listener: Listener
    request: Request
    trace: str
    began: float = field(default_factory=time.time)
    response: Response = field(default_factory=lambda: page(500))
    times: tuple[float, float, float] = (_NONE, _NONE, _NONE)
    actions: list[str] = field(default_factory=list[str])
    rule: Rule | None = None
    target: Target | None = None
    group: str = ""
    target_status: int | None = None
    location: str = ""
    reason: str = ""
