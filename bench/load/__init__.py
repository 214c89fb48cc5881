"""Ten times the normal load for a minute, offered to what is deployed and served: nothing lost, nothing twice, and whoever asks is answered at once."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from bench.deploy import ENV, INVOKE, Bench, cloud
from bench.load.books import Books, Counted
from bench.load.merchants import SECONDS, TIMES, Merchants
from bench.timing import ROOT, Failed, environment
from localcloud.serve.service import STATUS
from projects.app.settings import AppSettings
from shared import page as pages

_DRAINED_WITHIN = 600.0
"""Seconds after the load within which every payment has to be at its end."""


def run(rounds: int) -> None:
    """Prints what became of all that was asked; one round, whatever `rounds` says, as it is a minute of load that is to be stood."""
    del rounds
    _, api = pages.read(ENV).settings("app", AppSettings).serverless()
    print(f"Ten times the normal load ({api.rate_limit / TIMES:g} requests a second) through serve, for {SECONDS:g} s:", file=sys.stderr)
    with cloud() as bench:
        bench.invoke()
        with _served(bench) as where:
            merchants = Merchants(where.url, where.key, api.rate_limit)
            asyncio.run(merchants.ask())
            waited, counted = _at_the_end(where.books, len(merchants.accepted))
    _tell(merchants, waited, counted)


@dataclass(frozen=True)
class _Where:
    url: str
    key: str
    books: Books


@contextmanager
def _served(bench: Bench) -> Generator[_Where]:
    variables = environment(PAYMENTS_LOCAL=str(bench.home))

    def invoke(*words: str) -> str:
        done = subprocess.run([INVOKE, *words], cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Failed(f"invoke {' '.join(words)} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done.stdout

    invoke("serve", "--env", ENV, "--background")
    try:
        outputs = json.loads(invoke("outputs", "--env", ENV, "--target", "local", "--json", "--show-secrets"))
        served = json.loads((bench.home / "serve" / f"{ENV}.json").read_text(encoding="utf-8"))
        (url,) = httpx.get(f"{served['url']}{STATUS}").raise_for_status().json()["urls"].values()
        yield _Where(url, outputs["app"]["apiKey"], Books.of(bench.home / "cloud", ENV, outputs))
    finally:
        invoke("serve", "--env", ENV, "--stop")


def _at_the_end(books: Books, payments: int) -> tuple[float, Counted]:
    """Waits until all is worked on; seconds, and what the books have."""
    started = time.perf_counter()
    while (counted := books.count()).captured < payments or counted.waiting or counted.unaudited:
        if time.perf_counter() - started > _DRAINED_WITHIN:
            break
        time.sleep(1.0)
    return time.perf_counter() - started, counted


def _tell(merchants: Merchants, waited: float, counted: Counted) -> None:
    accepted = len(merchants.accepted)
    print(f"accepted {accepted} payments of {merchants.offered} ({merchants.repeated} requests had to be repeated)")
    print(f"captured {counted.captured} of them ({accepted}), with {counted.entries} ledger entries ({2 * accepted})")
    print(f"entries of the transaction log {counted.logged}  ({4 * accepted}), changes in the audit bucket {counted.audited}  ({4 * accepted})")
    print(f"sum of the ledger {counted.total}, dead letters {counted.dead}  (0 and 0); all at its end {waited:.0f} s after the load")
    print(f"status checks without a status: {merchants.unanswered}, with one that does not go with what was shown before: {merchants.untrue}  (0 and 0)")
    print(f"status checks: {len(merchants.checks)}, p99 {merchants.p99():.3f} s  (at most 1), longest {max(merchants.checks):.3f} s")
