"""What Pulumi's SDK does over and over for each resource of a program, done once or not at all: a seventh of a rehearsal."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pulumi.runtime.resource
import pulumi.runtime.stack
from pulumi.runtime.proto import source_pb2
from pulumi.runtime.settings import SETTINGS


def done_once() -> None:
    """Makes the SDK of this process quicker; once is enough."""
    stack: Any = pulumi.runtime.stack
    resource: Any = pulumi.runtime.resource
    stack.wait_for_rpcs = _wait_for_all
    resource._get_stack_trace = source_pb2.StackTrace  # noqa: SLF001 - for the engine's display of where a resource is from, which no rehearsal has


async def _wait_for_all(await_all_outstanding_tasks: bool = True) -> None:
    """Until nothing of the program is outstanding: the SDK looks at all outputs anew whenever one is there, which grows with their square.

    Raises what the first registration or output that failed has raised.
    """
    settings: Any = SETTINGS
    manager: Any = settings.rpc_manager
    outputs: set[asyncio.Task[Any]] = settings.outputs
    while manager.rpcs or (outputs and await_all_outstanding_tasks):
        while manager.rpcs:
            await asyncio.sleep(0)
            await manager.rpcs.pop()
        if manager.unhandled_exception is not None:
            raise manager.unhandled_exception.with_traceback(manager.exception_traceback)
        if outputs and await_all_outstanding_tasks:
            waiting = [*outputs]
            outputs.clear()
            done, rest = await asyncio.wait(waiting, return_when=asyncio.FIRST_EXCEPTION)
            outputs.update(rest)
            for output in done:
                await output


class AtOnce(ThreadPoolExecutor):
    """An event loop's executor that does what it is given there and then: a registration takes no time that others could use."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """What came of it, which is there already."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - whoever waits for the future gets it
            future.set_exception(error)
        return future
