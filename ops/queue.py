"""A ready queue: a node starts as soon as all that it depends on is done well, and not when a whole level is.

A node that did not go well stops its dependents alone: they are `early exit` and name it; all others go on.
It knows nothing of what the work is.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Generator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import TypeVar

from ops.report import Outcome, Result

_T = TypeVar("_T")

_log = logging.getLogger(__name__)

Graph = Mapping[str, Collection[str]]

_BECAUSE = {
    Outcome.FAILED: "failed",
    Outcome.HELD: "was held",
    Outcome.REFUSED: "was refused",
    Outcome.INTERRUPTED: "was interrupted",
}


class GraphError(ValueError):
    """The dependencies have no order: a cycle, or one that names what is not there."""


def _sorter(graph: Graph) -> TopologicalSorter[str]:
    """A prepared sorter; nodes without an order between them come in the order of the mapping."""
    unknown = [f"{node} depends on {needed}" for node, needs in graph.items() for needed in needs if needed not in graph]
    if unknown:
        raise GraphError(f"{'; '.join(unknown)}: not in the graph, which has {', '.join(graph) or 'no nodes'}. Add it, or take the dependency away.")
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for node in graph:
        sorter.add(node)
    for node, needs in graph.items():
        sorter.add(node, *needs)
    try:
        sorter.prepare()
    except CycleError as error:
        cycle: list[str] = error.args[1]
        raise GraphError(f"These wait for each other, so none can start: {' -> '.join(cycle)}. Take one of the dependencies away.") from error
    return sorter


def in_order(graph: Graph) -> list[str]:
    """Every node after all that it depends on; GraphError when there is no such order."""
    sorter = _sorter(graph)
    ordered: list[str] = []
    while ready := sorter.get_ready():
        ordered.extend(ready)
        sorter.done(*ready)
    return ordered


def reversed_graph(graph: Graph) -> dict[str, tuple[str, ...]]:
    """The same nodes with every dependency turned round: the order in which to destroy."""
    return {node: tuple(other for other, needs in graph.items() if node in needs) for node in graph}


def _ignore(_: object) -> None:
    """What a run calls when nobody listens."""


def run(
    graph: Graph,
    work: Callable[[str], Result],
    *,
    workers: int,
    cancelled: threading.Event,
    on_start: Callable[[str], None] = _ignore,
    on_done: Callable[[Result], None] = _ignore,
    stack: str = "",
) -> dict[str, Result]:
    """Do the work of every node, at most `workers` at a time, and answer each node's result in dependency order.

    graph: each node (a project's name) with those it depends on.
    work: called in a thread of its own for each node whose dependencies are done well. What it raises becomes a `failed` result.
    cancelled: once it is set (Ctrl-C sets it too) nothing more starts and what has not started is `interrupted`; what runs is waited
        for, since only `work` knows how to stop: it looks at the same event.
    on_start, on_done: called in the caller's thread, one after the other: `on_start` right before a node's work, `on_done` once for
        every node, started or not. What they raise is logged and changes nothing: the display must not decide what is deployed.
    stack: named in the results of nodes that never started.

    Raises GraphError before anything starts when the graph has no order, ValueError when there are no workers.
    """
    if workers < 1:
        raise ValueError(f"workers is {workers}: at least one is needed to do any work")
    with _ctrl_c_sets(cancelled):
        return _Run(graph=graph, work=work, workers=workers, cancelled=cancelled, on_start=on_start, on_done=on_done, stack=stack).results()


@contextmanager
def _ctrl_c_sets(cancelled: threading.Event) -> Generator[None, None, None]:
    """Let Ctrl-C set the event rather than raise KeyboardInterrupt wherever the run happens to be, unless the program has a handler of its own."""
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, lambda _number, _frame: cancelled.set())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@dataclass(kw_only=True)
class _Run:
    """One run of the queue: what is ready, what runs and what is done."""

    graph: Graph
    work: Callable[[str], Result]
    workers: int
    cancelled: threading.Event
    on_start: Callable[[str], None]
    on_done: Callable[[Result], None]
    stack: str

    def __post_init__(self) -> None:
        self._order = in_order(self.graph)
        self._sorter = _sorter(self.graph)
        self._ready = deque(self._sorter.get_ready())
        self._running: dict[Future[Result], str] = {}
        self._done: dict[str, Result] = {}

    def results(self) -> dict[str, Result]:
        with ThreadPoolExecutor(max_workers=self.workers, thread_name_prefix="stack") as threads:
            while self._ready or self._running:
                while self._ready and len(self._running) < self.workers:
                    self._next(threads)
                if self._running:
                    self._collect()
        return {node: self._done[node] for node in self._order}

    def _next(self, threads: ThreadPoolExecutor) -> None:
        """Start the first node that is ready, or settle it when it must not start."""
        node = self._ready.popleft()
        not_started = self._hindrance(node)
        if not_started:
            self._settle(node, not_started)
            return
        _tell(self.on_start, node)
        self._running[threads.submit(self._attempt, node)] = node

    def _hindrance(self, node: str) -> Result | None:
        """The result of a node that must not start; None when nothing hinders it."""
        culprit = next((c for c in (self._culprit(needed) for needed in self.graph[node]) if c), None)
        # After a cancellation an interrupted ancestor is not the reason: the node itself was interrupted, too.
        if culprit and not (self.cancelled.is_set() and culprit[1] is Outcome.INTERRUPTED):
            name, outcome = culprit
            cause = f"not started, because {name} {_BECAUSE[outcome]}"
            return Result(project=node, stack=self.stack, outcome=Outcome.EARLY_EXIT, cause=cause, because_of=name)
        if self.cancelled.is_set():
            return Result(project=node, stack=self.stack, outcome=Outcome.INTERRUPTED, cause="the run was interrupted before it started")
        return None

    def _culprit(self, needed: str) -> tuple[str, Outcome] | None:
        """The node that stops the dependents of `needed`: itself, or the ancestor that stopped it."""
        result = self._done[needed]
        if result.outcome.good:
            return None
        name = result.because_of if result.outcome is Outcome.EARLY_EXIT and result.because_of else needed
        outcome = self._done[name].outcome if name in self._done else Outcome.FAILED
        return name, outcome if outcome in _BECAUSE else Outcome.FAILED

    def _attempt(self, node: str) -> Result:
        """The node's result; whatever its work raises is one as well, so that none is lost."""
        started = time.monotonic()
        try:
            return self.work(node)
        except BaseException as error:  # noqa: BLE001 - SystemExit as well: a program that ends itself is a failed stack
            _log.debug("the work of %s raised", node, exc_info=error)
            cause = _message(error)
            return Result(project=node, stack=self.stack, outcome=Outcome.FAILED, cause=cause, seconds=time.monotonic() - started)

    def _collect(self) -> None:
        """Wait until something that runs is done, and settle it."""
        finished, _ = wait(self._running, return_when=FIRST_COMPLETED)
        for future in sorted(finished, key=lambda f: self._order.index(self._running[f])):
            self._settle(self._running.pop(future), future.result())

    def _settle(self, node: str, result: Result) -> None:
        self._done[node] = result
        self._sorter.done(node)
        self._ready.extend(self._sorter.get_ready())
        _tell(self.on_done, result)


def _tell(listener: Callable[[_T], None], what: _T) -> None:
    try:
        listener(what)
    except Exception:  # noqa: BLE001 - whatever it is: the display must not decide what is deployed
        _log.exception("a listener of the run failed on %s; the run goes on", what)


def _message(error: BaseException) -> str:
    """What to show of an exception; Python's own types say too little without their name (KeyError: 'vpc_id')."""
    text = str(error).strip()
    if not text:
        return type(error).__name__
    return f"{type(error).__name__}: {text}" if type(error).__module__ == "builtins" else text
