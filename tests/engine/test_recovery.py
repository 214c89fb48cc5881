"""One stack through one mishap after another: killed engines, a killed task, Ctrl-C. Each deployment goes on where the last one ended."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.engine.census import Census, beyond, census, known
from tests.engine.checkout import Checkout, Ended, wait_for

pytestmark = pytest.mark.timeout(600)

STACK = ("--env", "dev", "--target", "local")
NETWORKING = ("--only", "networking")


@dataclass
class Run:
    """A deployment or destruction under way, and how many engines had been called before it."""

    checkout: Checkout
    command: str
    before: int
    process: subprocess.Popen[str]

    @classmethod
    def start(cls, checkout: Checkout, task: str = "deploy") -> Run:
        """Starts the task on one project."""
        before = len(checkout.calls())
        process = checkout.start(task, *STACK, "--stream", *NETWORKING)
        return cls(checkout, "up" if task == "deploy" else task, before, process)

    def engine(self) -> int:
        """The engine, as soon as it holds the stack."""

        def holds() -> int | None:
            self._under_way()
            called = any(call[0] == self.command for call in self.checkout.calls()[self.before :])
            return self.checkout.engine("networking") if called else None

        found: int = wait_for(f"an engine for {self.command} that holds the stack", holds)
        return found

    def does(self, steps: int) -> int:
        """The engine, once it has made (or deleted) so many things."""
        engine = self.engine()

        def enough() -> bool:
            self._under_way()
            done = [event["resOutputsEvent"]["metadata"] for event in self.checkout.events("networking", self.command) if "resOutputsEvent" in event]
            return sum(1 for entry in done if entry["op"] in {"create", "delete"} and entry["type"].startswith("aws:")) >= steps

        wait_for(f"{steps} steps of {self.command}", enough)
        return engine

    def halts_while_it_creates(self) -> tuple[int, list[str]]:
        """The engine, halted when the cloud had made something and the engine's state did not know yet, and what was under way."""
        engine = self.does(5)

        def ahead() -> bool:
            os.kill(engine, signal.SIGSTOP)
            if any(self.checkout.cloud.creations(urn) for urn in _pending(self.checkout)):
                return True
            os.kill(engine, signal.SIGCONT)
            return False

        wait_for("a creation that the engine does not know of", ahead)
        return engine, _pending(self.checkout)

    def kill(self, engine: int) -> None:
        """The task and its engine, at once, as a machine that loses power does."""
        os.killpg(self.process.pid, signal.SIGKILL)
        os.killpg(engine, signal.SIGKILL)

    def _under_way(self) -> None:
        if self.process.poll() is not None:
            ended = self.checkout.end(self.process)
            raise AssertionError(f"{self.command} ended with {ended.code} before its time: {ended.out[-3000:]} {ended.err[-1000:]}")


@dataclass
class Mishaps:
    """What was seen, by the name of the mishap."""

    ends: dict[str, Ended] = field(default_factory=dict[str, Ended])
    pending: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    holdings: dict[str, Census] = field(default_factory=dict[str, Census])
    recorded: Census = field(default_factory=dict[str, frozenset[str]])
    seen: dict[str, Any] = field(default_factory=dict[str, Any])

    def notes(self, name: str) -> list[str]:
        """What the run of that name told beside its progress."""
        return [line["message"] for line in self._lines(name) if line["event"] == "note"]

    def result(self, name: str) -> dict[str, Any]:
        """What the run of that name said of the stack in the end."""
        found: dict[str, Any] = next(line["result"] for line in self._lines(name) if line["event"] == "stack_done" and line["project"] == "networking")
        return found

    def _lines(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.ends[name].out.splitlines()]


def _pending(checkout: Checkout) -> list[str]:
    return [entry["resource"]["urn"] for entry in checkout.deployment("networking").get("pending_operations") or []]


@pytest.fixture(scope="module")
def mishaps(checkout: Checkout) -> Mishaps:
    """All of it, on one stack, and then its end."""
    found = Mishaps()
    aws = checkout.aws()
    aws.client("ec2").describe_vpcs()  # moto makes the default VPC when EC2 is first asked
    empty = census(aws)
    found.seen["pages"] = checkout.pages()

    def take_down(name: str, run: Run) -> None:
        found.ends[name] = checkout.end(run.process)
        found.pending[name] = _pending(checkout)

    # As soon as the lock is there.
    run = Run.start(checkout)
    run.kill(run.engine())
    take_down("killed at its lock", run)
    found.seen["status"] = json.loads(checkout.on_dev("status").out)[0]
    found.seen["unlock"] = checkout.invoke("unlock", *STACK)
    found.seen["unlocked"] = checkout.engine("networking")

    run = Run.start(checkout)
    engine, found.seen["under way"] = run.halts_while_it_creates()
    run.kill(engine)
    take_down("killed while it creates", run)
    # An engine that is killed at that very instant leaves these.
    beside = checkout.cloud.state / "state" / ".pulumi" / "stacks" / "networking"
    (beside / "dev.json.attrs").write_bytes(b"")
    (beside / "dev.json.0123456789abcdef.tmp").write_bytes(b"{")

    # The engine alone.
    run = Run.start(checkout)
    os.kill(run.does(3), signal.SIGKILL)
    take_down("engine killed", run)

    # Ctrl-C.
    run = Run.start(checkout)
    run.does(3)
    os.killpg(run.process.pid, signal.SIGINT)
    take_down("interrupted", run)
    found.seen["lock after Ctrl-C"] = checkout.engine("networking")

    # The task alone: its engine lives on, and holds the stack when the next deployment comes.
    run = Run.start(checkout)
    found.seen["left alone"] = run.engine()
    os.killpg(run.process.pid, signal.SIGKILL)
    take_down("task killed", run)
    take_down("last", Run.start(checkout))
    found.seen["beside the state"] = {path.name for path in beside.iterdir()}
    found.recorded = known(checkout.managed("networking"))
    found.holdings["deployed"] = beyond(census(aws), empty)
    found.ends["forced"] = checkout.on_dev("deploy", *NETWORKING, "--force")
    found.ends["waiting"], found.seen["kept"] = _wait_for_somebody_else(checkout)

    run = Run.start(checkout, "destroy")
    run.kill(run.does(5))
    take_down("killed while it deletes", run)
    found.ends["destroyed"] = checkout.on_dev("destroy", *NETWORKING)
    found.holdings["destroyed"] = beyond(census(aws), empty)
    found.seen["pages afterwards"] = checkout.pages()
    return found


def _wait_for_somebody_else(checkout: Checkout) -> tuple[Ended, Ended]:
    """Ctrl-C of a deployment that waits for a living holder of the stack (this very process), and what `unlock` says of that one."""
    folder = checkout.cloud.state / "state" / ".pulumi" / "locks" / "organization" / "networking" / "dev"
    folder.mkdir(parents=True, exist_ok=True)
    lock = folder / "somebody.json"
    lock.write_text(json.dumps({"pid": os.getpid(), "username": "", "hostname": socket.gethostname(), "timestamp": "2026-01-01T00:00:00Z"}))
    try:
        kept = checkout.invoke("unlock", *STACK)
        process = checkout.start("deploy", *STACK, *NETWORKING)
        assert process.stderr is not None
        said: list[str] = []
        while "waiting for process" not in "".join(said):
            said.append(process.stderr.readline())
        time.sleep(0.1)
        os.killpg(process.pid, signal.SIGINT)
        return checkout.end(process), kept
    finally:
        lock.unlink()


def test_a_lock_whose_holder_was_killed_is_told_of_and_broken(mishaps: Mishaps) -> None:
    assert mishaps.ends["killed at its lock"].code == -signal.SIGKILL
    assert mishaps.seen["status"]["status"] == "interrupted"
    assert re.match(r"lock of process \d+ on \S+ since 20", mishaps.seen["status"]["detail"])
    assert mishaps.seen["unlock"].code == 0
    assert "broken: its process is no more" in mishaps.seen["unlock"].out
    assert mishaps.seen["unlocked"] is None


def test_a_deployment_breaks_a_stale_lock_by_itself_and_says_whose_it_was(mishaps: Mishaps) -> None:
    for name in ("engine killed", "interrupted"):
        assert re.match(r"broke the lock of process \d+ \(since .*\), which is no more", mishaps.notes(name)[0]), name


def test_what_was_half_written_is_no_obstacle_and_is_removed(mishaps: Mishaps) -> None:
    assert mishaps.seen["beside the state"] == {"dev.json", "dev.json.attrs", "dev.json.bak", "dev.json.bak.attrs"}


def test_what_a_killed_engine_had_made_is_adopted_and_not_made_again(mishaps: Mishaps) -> None:
    under_way = mishaps.seen["under way"]
    assert mishaps.pending["killed while it creates"] == under_way
    notes = mishaps.notes("engine killed")
    assert notes[1] == f"an earlier run was interrupted with {len(under_way)} creations and 0 other operations under way"
    adopted = [note.rsplit(" ", 1)[-1] for note in notes if "had been created: adopted as" in note]
    assert adopted
    assert len(adopted) + sum("had not been created: it will be" in note for note in notes) == len(under_way)
    assert mishaps.result("engine killed")["changes"]["replace"] == 0
    held = {id_ for ids in mishaps.holdings["deployed"].values() for id_ in ids}
    listed = {id_ for id_ in adopted if id_.split("-")[0] in {"vpc", "subnet", "rtb", "igw", "eipalloc", "fl", "vpce"}}
    assert listed <= held


def test_the_loss_of_the_engine_alone_is_a_failure_with_its_cause(mishaps: Mishaps) -> None:
    assert mishaps.ends["engine killed"].code == 1
    result = mishaps.result("engine killed")
    assert result["outcome"] == "failed"
    assert result["cause"] == "the engine was killed (SIGKILL); the next run takes up what it left behind"


def test_ctrl_c_lets_the_engine_finish_what_it_has_under_way(mishaps: Mishaps) -> None:
    assert mishaps.ends["interrupted"].code == 130
    result = mishaps.result("interrupted")
    assert result["outcome"] == "interrupted"
    assert result["changes"]["create"] >= 3
    assert result["errors"] == []
    assert mishaps.pending["interrupted"] == []
    assert mishaps.seen["lock after Ctrl-C"] is None


def test_an_engine_that_outlives_its_task_is_waited_for(mishaps: Mishaps) -> None:
    assert mishaps.ends["task killed"].code == -signal.SIGKILL
    assert mishaps.notes("last") == [f"waiting for process {mishaps.seen['left alone']}, which holds the stack"]
    assert mishaps.ends["last"].code == 0


def test_ctrl_c_ends_the_wait_for_somebody_else(mishaps: Mishaps) -> None:
    assert mishaps.ends["waiting"].code == 130
    assert f"interrupted while it waited for process {os.getpid()}, which holds the stack" in mishaps.ends["waiting"].out


def test_the_lock_of_a_living_holder_is_kept(mishaps: Mishaps) -> None:
    assert mishaps.seen["kept"].code == 1
    assert "kept: its process is at work on this machine" in mishaps.seen["kept"].out


def test_after_all_of_it_nothing_was_made_twice_and_nothing_is_orphaned(mishaps: Mishaps) -> None:
    assert len(mishaps.recorded) >= 12
    assert {call: mishaps.holdings["deployed"].get(call) for call in mishaps.recorded} == mishaps.recorded
    changes = mishaps.ends["forced"].result("networking")["changes"]
    assert {kind for kind, count in changes.items() if count} == {"same"}


def test_a_killed_destruction_goes_on(mishaps: Mishaps) -> None:
    assert mishaps.ends["killed while it deletes"].code == -signal.SIGKILL
    assert mishaps.ends["destroyed"].code == 0
    assert mishaps.holdings["destroyed"] == {}


def test_no_page_is_written_to(mishaps: Mishaps) -> None:
    assert mishaps.seen["pages afterwards"] == mishaps.seen["pages"]
