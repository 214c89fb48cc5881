"""The ready queue: it ends, never starts a node before its dependencies are done well, and reports each node once."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ops.queue import GraphError, in_order, reversed_graph, run
from ops.report import Outcome, Result

# A queue that hangs would hang the whole test run: none of these takes a second.
pytestmark = pytest.mark.timeout(60)

ROOT = Path(__file__).parents[2]
CHAIN = {"networking": (), "data": ("networking",), "app": ("networking", "data"), "observability": ("networking", "data", "app")}
# How a node's own work can end: all outcomes but the one that the queue alone gives, and an exception.
ENDS = [*(o for o in Outcome if o is not Outcome.EARLY_EXIT), RuntimeError("the work broke"), SystemExit(3)]

Graph = dict[str, list[str]]


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Acyclic graphs of up to nine nodes; the mapping's order is not the dependency order."""
    size = draw(st.integers(0, 9))
    graph: Graph = {}
    for index in range(size):
        needs = draw(st.sets(st.integers(0, index - 1), max_size=3)) if index else set[int]()
        graph[f"n{index}"] = [f"n{needed}" for needed in sorted(needs)]
    return {node: graph[node] for node in draw(st.permutations(list(graph)))}


def ended(node: str, outcome: Outcome) -> Result:
    return Result(project=node, stack="dev", outcome=outcome, cause="" if outcome.good else f"{node} was made to end so")


@dataclass
class Seen:
    """What a run did, as its callbacks and its work saw it."""

    started: list[str] = field(default_factory=list[str])
    done: list[Result] = field(default_factory=list[Result])
    worked: list[str] = field(default_factory=list[str])
    at_start: dict[str, dict[str, Outcome]] = field(default_factory=dict[str, dict[str, Outcome]])
    after_cancel: list[str] = field(default_factory=list[str])
    most: int = 0
    most_announced: int = 0


def play(
    graph: Mapping[str, list[str]], ends: Mapping[str, Outcome | BaseException], workers: int, cancel_at: int | None = None
) -> tuple[dict[str, Result], Seen]:
    """A run in which each node ends as told, cancelled when the given number of nodes is done."""
    seen, cancelled, lock = Seen(), threading.Event(), threading.Lock()
    busy = 0

    def work(node: str) -> Result:
        nonlocal busy
        with lock:
            busy += 1
            seen.most = max(seen.most, busy)
            seen.worked.append(node)
            seen.at_start[node] = {result.project: result.outcome for result in seen.done}
        try:
            end = ends[node]
            if isinstance(end, BaseException):
                raise end
            return ended(node, end)
        finally:
            with lock:
                busy -= 1

    def on_start(node: str) -> None:
        seen.started.append(node)
        announced = len(seen.started) - sum(result.project in seen.started for result in seen.done)
        seen.most_announced = max(seen.most_announced, announced)
        if cancelled.is_set():
            seen.after_cancel.append(node)

    def on_done(result: Result) -> None:
        with lock:
            seen.done.append(result)
        if len(seen.done) == cancel_at:
            cancelled.set()

    if cancel_at == 0:
        cancelled.set()
    return run(graph, work, workers=workers, cancelled=cancelled, on_start=on_start, on_done=on_done, stack="dev"), seen


def ancestors(graph: Mapping[str, list[str]], node: str) -> set[str]:
    return {a for needed in graph[node] for a in {needed, *ancestors(graph, needed)}}


@settings(deadline=None, max_examples=150)
@given(data=st.data(), graph=graphs(), workers=st.integers(1, 4))
def test_any_graph_with_any_outcomes(data: st.DataObject, graph: Graph, workers: int) -> None:
    good = [Outcome.SUCCEEDED, Outcome.SUCCEEDED, Outcome.UNCHANGED]
    ends = {node: data.draw(st.sampled_from([*good, *ENDS]), label=node) for node in graph}
    results, seen = play(graph, ends, workers)

    assert Counter(r.project for r in seen.done) == Counter(list(graph)), "each node is reported exactly once"
    assert list(results) == in_order(graph)
    assert {r.project: r for r in seen.done} == results
    assert seen.most <= workers
    assert seen.most_announced <= workers, "a node is announced when it starts and not when it is queued"
    assert Counter(seen.started) == Counter(seen.worked), "what is announced is done, and the other way round"
    for node in graph:
        bad = {a for a in ancestors(graph, node) if not results[a].outcome.good}
        own = ends[node]
        if bad:
            assert node not in seen.worked
            assert results[node].outcome is Outcome.EARLY_EXIT
            assert results[node].because_of in {b for b in bad if results[b].outcome is not Outcome.EARLY_EXIT}
            assert str(results[node].because_of) in results[node].cause
        else:  # untouched by what happens elsewhere
            assert results[node].outcome is (Outcome.FAILED if isinstance(own, BaseException) else own)
            assert all(seen.at_start[node].get(needed, Outcome.FAILED).good for needed in graph[node]), "started before its dependencies were done well"


@settings(deadline=None, max_examples=150)
@given(data=st.data(), graph=graphs(), workers=st.integers(1, 4))
def test_cancelled_at_any_point(data: st.DataObject, graph: Graph, workers: int) -> None:
    ends = {node: data.draw(st.sampled_from([Outcome.SUCCEEDED, Outcome.SUCCEEDED, Outcome.FAILED, Outcome.INTERRUPTED]), label=node) for node in graph}
    cancel_at = data.draw(st.integers(0, len(graph)), label="cancelled when so many are done")
    results, seen = play(graph, ends, workers, cancel_at)

    assert Counter(r.project for r in seen.done) == Counter(list(graph))
    assert seen.after_cancel == [], "nothing starts after the cancellation"
    for node, result in results.items():
        if node in seen.worked:
            assert result.outcome is ends[node], "what ran is waited for, and its own result stands"
        elif result.outcome is Outcome.EARLY_EXIT:
            assert results[str(result.because_of)].outcome in {Outcome.FAILED, Outcome.INTERRUPTED}
            assert result.because_of in ancestors(graph, node)
        else:
            assert result.outcome is Outcome.INTERRUPTED
    if cancel_at == 0:
        assert seen.worked == []
        assert {r.outcome for r in results.values()} <= {Outcome.INTERRUPTED}


@settings(deadline=None)
@given(graph=graphs())
def test_reversed_twice_is_the_same_graph(graph: Graph) -> None:
    back = reversed_graph(graph)
    assert list(back) == list(graph)
    assert {node: set(needs) for node, needs in reversed_graph(back).items()} == {node: set(needs) for node, needs in graph.items()}
    position = {node: index for index, node in enumerate(in_order(back))}
    assert all(position[node] < position[needed] for node, needs in graph.items() for needed in needs), "a dependent goes first"


def test_destroy_order_of_the_platform() -> None:
    assert in_order(reversed_graph(CHAIN)) == ["observability", "app", "data", "networking"]


def test_a_node_starts_when_its_own_dependencies_are_done_and_not_when_a_level_is() -> None:
    leaf_ran = threading.Event()

    def work(node: str) -> Result:
        if node == "slow":
            assert leaf_ran.wait(20), "leaf waits for slow, on which it does not depend"
        if node == "leaf":
            leaf_ran.set()
        return ended(node, Outcome.SUCCEEDED)

    results = run({"slow": (), "quick": (), "leaf": ("quick",)}, work, workers=2, cancelled=threading.Event())
    assert {r.outcome for r in results.values()} == {Outcome.SUCCEEDED}


def test_independent_nodes_run_side_by_side() -> None:
    together = threading.Barrier(3, timeout=20)

    def work(node: str) -> Result:
        together.wait()
        return ended(node, Outcome.SUCCEEDED)

    results = run({"a": (), "b": (), "c": ()}, work, workers=3, cancelled=threading.Event())
    assert {r.outcome for r in results.values()} == {Outcome.SUCCEEDED}


def test_what_runs_sees_the_cancellation_and_is_waited_for() -> None:
    cancelled = threading.Event()

    def work(node: str) -> Result:
        threading.Timer(0.05, cancelled.set).start()
        assert cancelled.wait(20)
        return ended(node, Outcome.INTERRUPTED)

    results = run(CHAIN, work, workers=2, cancelled=cancelled)
    assert {r.outcome for r in results.values()} == {Outcome.INTERRUPTED}
    assert results["networking"].cause == "networking was made to end so"
    assert results["app"].cause == "the run was interrupted before it started"


def test_early_exit_names_the_ancestor_that_failed_and_not_the_one_between() -> None:
    results, _ = play({k: list(v) for k, v in CHAIN.items()}, {**dict.fromkeys(CHAIN, Outcome.SUCCEEDED), "networking": Outcome.HELD}, 4)
    assert results["observability"].because_of == "networking"
    assert results["observability"].cause == "not started, because networking was held"
    assert results["observability"].stack == "dev"


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (KeyError("vpc_id"), "KeyError: 'vpc_id'"),
        (SystemExit(3), "SystemExit: 3"),
        (RuntimeError(), "RuntimeError"),
        (GraphError("a message of our own"), "a message of our own"),
    ],
)
def test_an_exception_is_a_failed_result_with_its_message(error: BaseException, cause: str) -> None:
    def work(_: str) -> Result:
        raise error

    (result,) = run({"data": ()}, work, workers=1, cancelled=threading.Event()).values()
    assert result.outcome is Outcome.FAILED
    assert result.cause == cause
    assert result.seconds > 0


def test_a_listener_that_fails_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def broken(_: object) -> None:
        raise OSError("the display is gone")

    results = run(CHAIN, lambda node: ended(node, Outcome.SUCCEEDED), workers=2, cancelled=threading.Event(), on_start=broken, on_done=broken)
    assert [r.outcome for r in results.values()] == [Outcome.SUCCEEDED] * 4
    assert "the display is gone" in caplog.text


def no_work(node: str) -> Result:
    pytest.fail(f"{node} was started")


def test_a_cycle_is_refused_before_anything_starts() -> None:
    graph = {"networking": (), "data": ("networking", "app"), "app": ("data",)}
    with pytest.raises(GraphError, match=r"wait for each other.*(data -> app -> data|app -> data -> app)"):
        run(graph, no_work, workers=2, cancelled=threading.Event())


def test_a_node_that_waits_for_itself_is_a_cycle() -> None:
    with pytest.raises(GraphError, match="app -> app"):
        in_order({"app": ("app",)})


def test_a_dependency_that_is_not_there_is_refused_before_anything_starts() -> None:
    with pytest.raises(GraphError, match="data depends on network: not in the graph, which has networking, data"):
        run({"networking": (), "data": ("network",)}, no_work, workers=2, cancelled=threading.Event())


def test_no_workers_is_an_error_and_not_a_hang() -> None:
    with pytest.raises(ValueError, match="workers is 0"):
        run(CHAIN, no_work, workers=0, cancelled=threading.Event())


INTERRUPTED_BY_HAND = """
import os, signal, threading
from ops.queue import run
from ops.report import Outcome, Result
cancelled = threading.Event()
def work(node):
    os.kill(os.getpid(), signal.SIGINT)
    assert cancelled.wait(20)
    return Result(project=node, stack="dev", outcome=Outcome.INTERRUPTED, cause="cancelled")
results = run({"data": (), "app": ("data",)}, work, workers=1, cancelled=cancelled)
print(*(f"{r.project} {r.outcome} {r.cause}" for r in results.values()), sep="\\n")
"""


def test_ctrl_c_cancels_and_still_answers_every_result() -> None:
    done = subprocess.run([sys.executable, "-c", INTERRUPTED_BY_HAND], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines() == ["data interrupted cancelled", "app interrupted the run was interrupted before it started"]


def test_a_handler_of_the_program_itself_stays_and_the_usual_one_comes_back() -> None:
    def handlers(node: str) -> Result:
        seen.append(signal.getsignal(signal.SIGINT))
        return ended(node, Outcome.SUCCEEDED)

    def own(_number: int, _frame: object) -> None:
        pytest.fail("no signal was sent")

    seen: list[object] = []
    before = signal.signal(signal.SIGINT, own)
    try:
        run({"data": ()}, handlers, workers=1, cancelled=threading.Event())
        assert seen == [own]
        signal.signal(signal.SIGINT, signal.default_int_handler)
        run({"data": ()}, handlers, workers=1, cancelled=threading.Event())
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        assert seen[1] is not signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
