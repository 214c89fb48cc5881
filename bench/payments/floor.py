"""The floor: the service's own statements, sent prepared by pgbench from C, to the same server, over the same TLS, in the same kind of session."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
from collections.abc import Mapping
from unittest import mock

from bench.payments.client import VERIFIED
from bench.payments.service import CLIENTS, SECONDS, Bench, Load, percentile_99
from bench.timing import Failed
from localcloud.stores import binaries
from payments.storage.postgres import statements
from payments.storage.postgres.outbox import PostgresOutbox

_RUNS = itertools.count(1)

# pgbench counts and cannot make texts: a payment's id, reference and key are one number, which no other client and no other run has.
_NUMBERED = "\\set n :n + 1\n\\set id :run * 1000000000000 + :client_id * 1000000000 + :n\n"
_PAYMENT_ID = "lpad(:id, 32, '0')::uuid"
_REQUEST = {"merchant": "bench", "amount": "1050", "currency": "EUR", "payment_token": "tok_approve", "session_id": "session-1", "metadata": "{}"}
_KEPT = {
    "digest": "\\x" + "5e" * 32,
    "answer": '{"payment_id":"0192f0c1-2a3b-7c4d-8e5f-60718293a4b5","state":"received"}',
    "correlation_id": "77375676-2a3b-4b79-853a-f982474efe18",
}


def accept() -> str:
    """The statement that takes a payment in, alone."""
    return f"{_NUMBERED}{_written(statements.ACCEPT, payment_id=_PAYMENT_ID, reference=':id', key=':id')};\n"


def process() -> str:
    """All that process-payment asks of the database: the payment is taken in, and its work marked as sent."""
    # Written where it is used, and only there: the outbox is asked what it would run.
    database = mock.Mock()
    PostgresOutbox(database).mark_sent([1])
    mark_sent: str = database.run.call_args.args[0]
    taken_in = _written(statements.ACCEPT, payment_id=_PAYMENT_ID, reference=":id", key=":id")
    return f"{_NUMBERED}{taken_in} \\gset got_\n{_written(mark_sent, ids='ARRAY[:got_id]::bigint[]')};\n"


def verify() -> str:
    """The statement that finds a payment by its reference."""
    return f"\\set reference random(1, {VERIFIED})\n{_written(statements.FIND_BY_REFERENCE)};\n"


def run(bench: Bench, script: str, merchant: str = "bench") -> Load:
    """CLIENTS clients of pgbench for SECONDS; connecting is not counted. Raises Failed where a statement failed."""
    number = next(_RUNS)
    file = bench.folder / f"floor-{number}.sql"
    file.write_text(script, encoding="utf-8")
    values = {**_REQUEST, **_KEPT, "merchant": merchant, "n": "0", "run": str(number)}
    command = [binaries.find().program("pgbench"), "--no-vacuum", "--protocol=prepared", f"--client={CLIENTS}", f"--jobs={CLIENTS}", f"--time={SECONDS:.0f}"]
    logs = bench.folder / f"floor-{number}"
    command += ["--log", f"--log-prefix={logs}", f"--file={file}", *_defined(values)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"})
    found = re.search(r"^tps = ([\d.]+)", done.stdout, re.MULTILINE)
    if done.returncode or found is None:
        raise Failed(f"pgbench ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    # A line of the log: client, transaction, its microseconds, ...
    seconds = [int(line.split()[2]) / 1e6 for log in bench.folder.glob(f"{logs.name}.[0-9]*") for line in log.read_text(encoding="ascii").splitlines()]
    return Load(float(found[1]), percentile_99(seconds))


def _defined(values: Mapping[str, str]) -> list[str]:
    return [f"--define={name}={value}" for name, value in values.items()]


def _written(statement: str, **values: str) -> str:
    """A statement with pgbench's variables in place of psycopg's parameters, or with what `values` says."""
    return re.sub(r"%\((\w+)\)s", lambda found: values.get(found[1], f":{found[1]}"), statement).strip()
