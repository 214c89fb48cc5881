"""Application load balancers at work: a loopback port for each listener, with the rules, limits and answers of what is deployed."""

from __future__ import annotations

import logging
import random
import ssl
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from localcloud.aws import Aws
from localcloud.serve.balancer_log import AccessLog
from localcloud.serve.balancer_rules import location, rule_for
from localcloud.serve.balancers import Action, Balancer, Fixed, Forward, Group, Listener, Redirect
from localcloud.serve.exchange import Exchange, own, page
from localcloud.serve.forwarding import Connections, TargetError, forwarded, traced
from localcloud.serve.http1 import LOOPBACK, BadRequestError, Request, Response, Server
from localcloud.serve.rates import Rates
from localcloud.serve.targets import Targets

log = logging.getLogger("localcloud.serve")

LARGEST_BODY = 10 * 1024 * 1024
"""Bytes that are taken of a request's body. AWS's load balancers take any; here the body is held in memory."""

_NONE = -1.0


class Issued(Protocol):
    """A certificate and its private key, PEM each."""

    @property
    def certificate(self) -> bytes:
        """The server's."""
        ...

    @property
    def key(self) -> bytes:
        """Its private key."""
        ...


Certify = Callable[[Sequence[str]], Issued]
"""Issues a server certificate for names and addresses."""


@dataclass
class _Front:
    """A listener with its port of this machine; what it serves is replaced as a whole when something else is deployed."""

    balancer: Balancer
    listener: Listener
    server: Server


class Fronts:
    """All load balancers.

    folder: for certificates. groups: target groups by ARN; those of the load balancers are added. certify: None serves HTTPS's listeners by plain HTTP.
    first_port: of the first listener, where it is free; the others follow. 0 for any. noticed: is told of every request.
    """

    def __init__(
        self,
        aws: Aws,
        folder: Path,
        *,
        groups: dict[str, Targets],
        certify: Certify | None,
        first_port: int = 0,
        noticed: Callable[[], None] = lambda: None,
    ) -> None:
        self._folder, self._groups, self._certify, self._port, self._noticed = folder, groups, certify, first_port, noticed
        self._fronts: dict[str, _Front] = {}
        self._connections, self._rates, self._log = Connections(), Rates(), AccessLog(aws)
        self._log.start()

    def update(self, balancers: Iterable[Balancer]) -> None:
        """Serves these from now on. Raises OSError where no port can be had."""
        found = {listener.arn: (balancer, listener) for balancer in balancers for listener in balancer.listeners}
        for arn, (balancer, listener) in found.items():
            for group in balancer.groups.values():
                self._know(group)
            former = self._fronts.get(arn)
            if former and (former.listener.secure, former.listener.names) == (listener.secure, listener.names):
                former.balancer, former.listener = balancer, listener
                continue
            if former:
                former.server.stop(1.0)
            self._fronts[arn] = self._opened(balancer, listener)
        for arn in set(self._fronts) - set(found):
            self._fronts.pop(arn).server.stop(1.0)

    @property
    def urls(self) -> dict[str, str]:
        """The URL of each listener, by `<load balancer>/<port>`."""
        return {f"{front.balancer.name}/{front.listener.port}": self._url(front) for front in self._fronts.values()}

    def stop(self, grace: float) -> None:
        """Takes no requests more; those under way have `grace` seconds to end."""
        for front in self._fronts.values():
            front.server.stop(grace)
        self._connections.close()
        self._log.stop()

    def _url(self, front: _Front) -> str:
        return f"{'https' if front.listener.secure and self._certify else 'http'}://{LOOPBACK}:{front.server.port}"

    def _know(self, group: Group) -> None:
        known = self._groups.get(group.arn)
        if known is None:
            self._groups[group.arn] = Targets(group)
        else:
            known.group = group

    def _opened(self, balancer: Balancer, listener: Listener) -> _Front:
        tls = self._tls(balancer, listener) if listener.secure and self._certify else None

        def answer(request: Request) -> Response:
            return self._answer(front, request)

        def server(port: int) -> Server:
            return Server(answer, port=port, largest=LARGEST_BODY, name=f"{balancer.name}-{listener.port}", tls=tls, refused=_refused)

        try:
            opened = server(self._port)
        except OSError:
            opened = server(0)  # another has it by now
        front = _Front(balancer, listener, opened)
        self._port = self._port and self._port + 1
        front.server.start()
        return front

    def _tls(self, balancer: Balancer, listener: Listener) -> ssl.SSLContext | None:
        if self._certify is None:
            return None
        issued = self._certify([*listener.names, balancer.dns, "localhost", LOOPBACK])
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self._folder, suffix=".pem") as file:  # for its owner alone, and gone when it was read
            file.write(issued.certificate + issued.key)
            file.flush()
            context.load_cert_chain(file.name)
        return context

    def _answer(self, front: _Front, request: Request) -> Response:
        """Answers a request: limits, rule, target, in this order."""
        self._noticed()
        balancer, listener = front.balancer, front.listener
        exchange = Exchange(balancer=balancer, listener=listener, request=request, trace=traced(request))
        refused = None
        if balancer.firewall:
            exchange.actions.append("waf")
            refused = self._rates.refused(balancer.firewall, request.peer)
        if refused:
            said, exchange.reason = refused.said, "WAFBlocked"
            exchange.response = own(said.status, said.body, said.content_type) if said else page(403)
        else:
            exchange.rule = rule_for(listener, request)
            self._act(exchange, exchange.rule.action)
        self._log.write(exchange)
        return exchange.response

    def _act(self, exchange: Exchange, action: Action) -> None:
        match action:
            case Fixed():
                exchange.actions.append("fixed-response")
                exchange.response = own(action.status, action.body, action.content_type)
            case Redirect():
                exchange.actions.append("redirect")
                exchange.location = location(action, exchange.listener, exchange.request)
                exchange.response = page(action.status)
                exchange.response.headers.append(("Location", exchange.location))
            case Forward():
                exchange.actions.append("forward")
                exchange.group = _group(action)
                self._forward(exchange)

    def _forward(self, exchange: Exchange) -> None:
        targets = self._groups.get(exchange.group)
        exchange.target = targets.choose() if targets else None
        if exchange.target is None:
            exchange.response = page(503)
            return
        balancer, request = exchange.balancer, exchange.request
        headers = forwarded(balancer, exchange.listener, request, exchange.trace)
        before = time.time() - exchange.began
        try:
            answered = self._connections.send(exchange.target, request, headers, balancer.idle)
        except TargetError as error:
            log.warning("load balancer %s: %s %s: %s", balancer.name, request.method, request.raw_path, error)
            exchange.times = before, _NONE, _NONE
            exchange.response = page(error.status)
            return
        exchange.times = before, answered.seconds, 0.0
        exchange.target_status, exchange.response = answered.response.status, answered.response


def _group(action: Forward) -> str:
    """One of the groups that requests are divided among; empty where all weigh nothing."""
    weights = [weight for _, weight in action.groups]
    # No secret depends on it.
    return random.choices([arn for arn, _ in action.groups], weights)[0] if any(weights) else ""  # noqa: S311


def _refused(error: BadRequestError) -> Response:
    return page(error.status)
