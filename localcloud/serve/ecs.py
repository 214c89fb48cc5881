"""Services of ECS: as many tasks as are wanted, each replaced when it ends or is not well, and all of them when another revision is deployed."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.serve.containers import EcsService
from localcloud.serve.model import ServeError
from localcloud.serve.targets import Target, Targets
from localcloud.serve.tasks import Launcher, Task

log = logging.getLogger("localcloud.serve")

MOST_TASKS = 2
"""Tasks of one service that run on this machine, however many are wanted."""

_TICK = 0.1
# A service whose tasks end soon after their start waits longer and longer ("Amazon ECS service throttle logic").
_PAUSE, _LONGEST_PAUSE, _LASTING = 1.0, 60.0, 30.0
_SETTLED = 1.0  # seconds after which a task that nobody asks about its health counts as started
_LAST_LINES = 5


@dataclass(eq=False)
class _Member:
    """A task of a service, where it is registered, and what its own health check says: None before its first answer."""

    task: Task
    targets: list[tuple[Targets, Target]] = field(default_factory=list[tuple[Targets, Target]])
    well: bool | None = None
    leaving: bool = False

    def healthy(self) -> bool:
        """Whether the task is in service."""
        if any(target.state != "healthy" for _, target in self.targets):
            return False
        if self.task.container.health:
            return self.well is True
        return bool(self.targets) or time.monotonic() - self.task.started > _SETTLED

    def unwell(self, grace: float) -> bool:
        """Whether the task is to be replaced. grace: seconds for which health checks from outside do not count."""
        outside = any(target.state == "unhealthy" for _, target in self.targets) and time.monotonic() - self.task.started > grace
        return self.well is False or outside


class _Runner:
    """One service at work, in a thread of its own."""

    def __init__(self, service: EcsService, launcher: Launcher, groups: Mapping[str, Targets], most: int) -> None:
        self.service = service
        self._launcher, self._groups, self._most = launcher, groups, most
        self._members: list[_Member] = []
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._pause, self._not_before = 0.0, 0.0
        self._thread = threading.Thread(target=self._run, name=f"service-{service.name}", daemon=True)
        self._thread.start()

    def update(self, service: EcsService) -> None:
        """Runs the service as it is now: tasks of another revision come first, then those of the former go."""
        if service.container != self.service.container:
            log.info("service %s: %s takes the place of %s", service.name, service.container.definition, self.service.container.definition)
            self._pause = self._not_before = 0.0
        self.service = service

    def counts(self) -> dict[str, int]:
        """How many tasks are wanted by the service, run, and are in service."""
        with self._lock:
            members = [member for member in self._members if not member.leaving]
        running = [member for member in members if member.task.exit_code is None]
        return {"desired": self.service.desired, "running": len(running), "healthy": sum(member.healthy() for member in running)}

    def stop(self) -> None:
        """Asks all tasks to end; `join` waits for them."""
        self._stopping.set()
        self._thread.join(5.0)
        with self._lock:
            for member in self._members:
                _leave(member)

    def join(self) -> None:
        """Waits until no task is left."""
        for member in self._members:
            member.task.wait(member.task.container.stop_timeout + 5.0)

    def _run(self) -> None:
        while not self._stopping.wait(_TICK):
            try:
                self._tick()
            except (ServeError, BotoCoreError, ClientError, OSError) as error:
                self._fail(f"a task cannot be started: {error}")
            except Exception:
                # Whatever it was, the service goes on being looked after.
                log.exception("service %s: its tasks could not be looked after", self.service.name)
                self._stopping.wait(_PAUSE)

    def _tick(self) -> None:
        service = self.service
        wanted = min(service.desired, self._most)
        for member in list(self._members):
            self._look_at(member, service)
        current = [member for member in self._members if member.task.container == service.container and not member.leaving]
        former = [member for member in self._members if member.task.container != service.container and not member.leaving]
        if len(current) < wanted and time.monotonic() >= self._not_before:
            self._begin(service)
        for member in current[wanted:]:
            _leave(member)
        if sum(member.healthy() for member in current) >= wanted:
            for member in former:
                _leave(member)

    def _look_at(self, member: _Member, service: EcsService) -> None:
        """Forgets a task that has ended, and lets one go that is not well."""
        code, task = member.task.exit_code, member.task
        if code is not None:
            with self._lock:
                self._members.remove(member)
            _deregister(member)
            if not member.leaving:
                task.wait(0.0)
                last = "".join(f"\n  {line}" for line in list(task.lines)[-_LAST_LINES:])
                self._fail(f"task {task.id[:8]} ended with status {code}", task, last)
        elif not member.leaving and member.unwell(service.grace):
            _leave(member)
            self._fail(f"task {task.id[:8]} is not well", task)

    def _begin(self, service: EcsService) -> None:
        task = self._launcher.launch(service.container)
        member = _Member(task)
        for arn in service.groups:
            if arn in self._groups:
                member.targets.append((self._groups[arn], self._groups[arn].register(task.address, task.port)))
        with self._lock:
            self._members.append(member)
        if service.container.health:
            threading.Thread(target=self._ask, args=(member,), name=f"health-{task.id[:8]}", daemon=True).start()

    def _ask(self, member: _Member) -> None:
        """Runs a container's own health check until its task ends; failures count when the start period is over, and several in a row."""
        task, health, failed = member.task, member.task.container.health, 0
        while health is not None and task.exit_code is None and not member.leaving and not self._stopping.is_set():
            if task.is_well(health):
                member.well, failed = True, 0
            elif member.well or time.monotonic() - task.started > health.start_period:
                failed += 1
                if failed >= health.retries and task.exit_code is None:
                    member.well = False
                    return
            # The first good answer is not waited for as long as for the others.
            self._stopping.wait(health.interval if member.well else min(health.interval, _SETTLED))

    def _fail(self, what: str, task: Task | None = None, more: str = "") -> None:
        lasted = task is not None and time.monotonic() - task.started > _LASTING
        self._pause = _PAUSE if lasted or not self._pause else min(2 * self._pause, _LONGEST_PAUSE)
        self._not_before = time.monotonic() + self._pause
        log.warning("service %s: %s; another is started in %.0f s%s", self.service.name, what, self._pause, more)


def _leave(member: _Member) -> None:
    if not member.leaving:
        member.leaving = True
        _deregister(member)
        member.task.end()


def _deregister(member: _Member) -> None:
    for targets, target in member.targets:
        targets.deregister(target)


class Services:
    """All services of a cluster. groups: target groups by ARN, of which others may come later. most: tasks of one service at once."""

    def __init__(self, launcher: Launcher, groups: Mapping[str, Targets], *, most: int = MOST_TASKS) -> None:
        self._launcher, self._groups, self._most = launcher, groups, most
        self._runners: dict[str, _Runner] = {}

    def update(self, services: Iterable[EcsService]) -> None:
        """Runs these services from now on."""
        found = {service.name: service for service in services}
        for name in set(self._runners) - set(found):
            self._end([self._runners.pop(name)])
        for name, service in found.items():
            if name in self._runners:
                self._runners[name].update(service)
            else:
                self._runners[name] = _Runner(service, self._launcher, self._groups, self._most)

    def counts(self) -> dict[str, dict[str, int]]:
        """By service: how many tasks are desired, running and healthy."""
        return {name: runner.counts() for name, runner in sorted(self._runners.items())}

    def ready(self, seconds: float) -> bool:
        """Waits until every service has as many healthy tasks as it is to have here; whether that came about."""
        deadline = time.monotonic() + seconds
        while not all(counted["healthy"] >= min(counted["desired"], self._most) for counted in self.counts().values()):
            if time.monotonic() > deadline:
                return False
            time.sleep(_TICK)
        return True

    def stop(self) -> None:
        """Ends all tasks, and waits for that."""
        self._end(list(self._runners.values()))
        self._runners.clear()

    def _end(self, runners: list[_Runner]) -> None:
        for runner in runners:
            runner.stop()
        for runner in runners:
            runner.join()
