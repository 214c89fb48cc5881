"""The targets of a target group: which there are, and which of them are well."""

from __future__ import annotations

import http.client
import logging
import ssl
import threading
import time
from dataclasses import dataclass, field
from typing import Literal

from localcloud.serve.balancers import Group

log = logging.getLogger("localcloud.serve")

State = Literal["initial", "healthy", "unhealthy"]

# A target that was just registered is asked more often than AWS would: nobody here waits for half a minute.
_FIRST_INTERVAL = 0.25
_MOST_READ = 1024


@dataclass(eq=False)
class Target:
    """An address and port, and what its health checks came to.

    secure: it is spoken to by TLS. streak: results of the other kind than its state, one after another.
    """

    address: str
    port: int
    secure: bool = False
    state: State = "initial"
    streak: int = 0
    registered: float = field(default_factory=time.monotonic)


class Targets:
    """The targets of one group, each asked by a thread of its own for as long as it is registered."""

    def __init__(self, group: Group) -> None:
        self.group = group
        self._targets: list[Target] = []
        self._changed = threading.Condition()
        self._turn = 0

    def register(self, address: str, port: int) -> Target:
        """Adds a target; it is given requests once it is well."""
        target = Target(address, port, self.group.secure)
        with self._changed:
            self._targets.append(target)
        threading.Thread(target=self._watch, args=(target,), name=f"health-{self.group.name}", daemon=True).start()
        return target

    def deregister(self, target: Target) -> None:
        """Gives a target no requests any more."""
        with self._changed:
            if target in self._targets:
                self._targets.remove(target)
            self._changed.notify_all()

    def choose(self) -> Target | None:
        """A target for a request, in turn; None where there is none.

        Where all have become unwell, all are given requests ("Health checks for Application Load Balancer target groups", fail open).
        """
        with self._changed:
            found = [target for target in self._targets if target.state == "healthy"]
            found = found or [target for target in self._targets if target.state == "unhealthy"]
            if not found:
                return None
            self._turn += 1
            return found[self._turn % len(found)]

    def states(self) -> list[State]:
        """The state of each target."""
        with self._changed:
            return [target.state for target in self._targets]

    def _watch(self, target: Target) -> None:
        while True:
            well = _asked(self.group, target)
            with self._changed:
                _judge(self.group, target, well=well)
                pause = _FIRST_INTERVAL if target.state == "initial" else self.group.interval
                end = time.monotonic() + pause
                while target in self._targets and (left := end - time.monotonic()) > 0:
                    self._changed.wait(left)
                if target not in self._targets:
                    return


def connection(target: Target, seconds: float, *, port: int | None = None, secure: bool | None = None) -> http.client.HTTPConnection:
    """A connection to a target, not opened yet, that waits so many seconds. port, secure: where they are not the target's own.

    Nobody asks who signed the target's certificate, as AWS's load balancers do not ("Target groups for your Application Load Balancers").
    """
    where, at = target.address, port or target.port
    if target.secure if secure is None else secure:
        return http.client.HTTPSConnection(where, at, timeout=seconds, context=_TLS)
    return http.client.HTTPConnection(where, at, timeout=seconds)


def _trusting() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


_TLS = _trusting()


def _asked(group: Group, target: Target) -> bool:
    """Whether a target answers the health check as the group wants it."""
    asking = connection(target, group.timeout, port=group.port, secure=group.checked_securely)
    try:
        asking.request("GET", group.path, headers={"User-Agent": "ELB-HealthChecker/2.0", "Connection": "close"})
        answer = asking.getresponse()
        answer.read(_MOST_READ)
    except (OSError, http.client.HTTPException):
        return False
    finally:
        asking.close()
    return any(first <= answer.status <= last for first, last in group.codes)


def _judge(group: Group, target: Target, *, well: bool) -> None:
    """Counts a result: the first good one makes a new target healthy; later on it takes several in a row to change what a target is."""
    if target.state == "initial":
        if well:
            target.state = "healthy"
        elif time.monotonic() - target.registered > group.unhealthy * group.interval:
            _unwell(group, target)
        return
    if well == (target.state == "healthy"):
        target.streak = 0
        return
    target.streak += 1
    if well and target.streak >= group.healthy:
        target.state, target.streak = "healthy", 0
    elif not well and target.streak >= group.unhealthy:
        _unwell(group, target)


def _unwell(group: Group, target: Target) -> None:
    target.state, target.streak = "unhealthy", 0
    log.warning("target group %s: %s:%d is unhealthy: it does not answer GET %s as it should", group.name, target.address, target.port, group.path)
