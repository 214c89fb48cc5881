"""The lines that Lambda itself writes into a function's log, as text or as JSON ("Lambda advanced logging controls")."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from localcloud.serve.logs import Line


@dataclass(frozen=True, slots=True)
class Report:
    """What is told of an invocation. seconds: that the handler took; init: that loading it took, None when it was loaded before."""

    request_id: str
    seconds: float
    memory: int
    used: int
    init: float | None
    status: str


def start(request_id: str, at: int, *, as_json: bool) -> Line:
    """The line before an invocation's own."""
    if as_json:
        return _json(at, "platform.start", {"requestId": request_id, "version": "$LATEST"})
    return at, f"START RequestId: {request_id} Version: $LATEST"


def end(report: Report, at: int, *, as_json: bool) -> list[Line]:
    """The lines after an invocation's own."""
    duration, billed = round(report.seconds * 1000, 2), math.ceil((report.seconds + (report.init or 0.0)) * 1000)
    init = None if report.init is None else round(report.init * 1000, 2)
    if as_json:
        metrics: dict[str, Any] = {"durationMs": duration, "billedDurationMs": billed, "memorySizeMB": report.memory, "maxMemoryUsedMB": report.used}
        metrics |= {} if init is None else {"initDurationMs": init}
        return [_json(at, "platform.report", {"requestId": report.request_id, "metrics": metrics, "status": report.status})]
    said = f"REPORT RequestId: {report.request_id}\tDuration: {duration} ms\tBilled Duration: {billed} ms\tMemory Size: {report.memory} MB"
    said += f"\tMax Memory Used: {report.used} MB" + ("" if init is None else f"\tInit Duration: {init} ms")
    said += "" if report.status == "success" else f"\tStatus: {report.status}"
    return [(at, f"END RequestId: {report.request_id}"), (at, said)]


def moment(at: int) -> str:
    """Milliseconds since the epoch as Lambda writes them."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def peak_memory(pid: int) -> int:
    """The most memory that a process has used so far, in MiB; 0 where the system does not tell."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    line = next((line for line in status.splitlines() if line.startswith("VmHWM:")), "VmHWM: 0 kB")
    return int(line.split()[1]) // 1024


def _json(at: int, kind: str, record: Mapping[str, Any]) -> Line:
    return at, json.dumps({"time": moment(at), "type": kind, "record": record}, separators=(",", ":"))
