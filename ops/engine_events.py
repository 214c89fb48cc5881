"""What the engine's event log says of an operation: steps for the progress, counts and failures for the report."""

from __future__ import annotations

import re
import signal
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ops.progress import Progress
from ops.report import CHANGES, Drift, ResourceError, plain

# The engine's steps, in the report's words; the parts of a replacement are counted once.
_COUNTED = {
    "create": "create",
    "import": "create",
    "update": "update",
    "refresh": "update",
    "replace": "replace",
    "delete": "delete",
    "discard": "delete",
    "same": "same",
    "read": "same",
}

# Steps after which a resource is as the state had it.
_AS_IT_WAS = frozenset({"same", "read", "refresh"})

# Said by the engine about every failure, beside the reason itself.
_NOISE = re.compile(
    r"^(update failed|update canceled|preview failed|refresh failed|resource operation failed.*|one or more errors occurred.*|"
    r"an unhandled error occurred: program exited with non-zero exit code: \d+|program failed with an unhandled exception:?)$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Summary:
    """How an operation ended: its changes by kind, the failures, and the cause in a sentence when it did not end well.

    drift: of a refresh, what differed from the state.
    """

    ok: bool
    interrupted: bool
    changes: Mapping[str, int]
    errors: tuple[ResourceError, ...]
    cause: str
    drift: tuple[Drift, ...] = ()


@dataclass
class Listener:
    """Takes the events of one operation as they come."""

    project: str
    progress: Progress
    _errors: list[ResourceError] = field(default_factory=list[ResourceError])
    _changes: Counter[str] = field(default_factory=Counter[str])
    _started: set[str] = field(default_factory=set[str])
    _drift: list[Drift] = field(default_factory=list[Drift])

    def event(self, event: dict[str, Any]) -> None:
        """One line of the event log."""
        if metadata := event.get("resourcePreEvent", {}).get("metadata"):
            self._started.add(metadata["urn"])
            if metadata["op"] != "same" and metadata["type"] != "pulumi:pulumi:Stack":
                self.progress.resource_started(self.project, metadata["urn"], metadata["type"], name_of(metadata["urn"]), metadata["op"])
        elif metadata := event.get("resOutputsEvent", {}).get("metadata"):
            if metadata["type"] != "pulumi:pulumi:Stack":
                self.progress.resource_done(self.project, metadata["urn"], metadata["op"], False)
                if metadata["op"] not in _AS_IT_WAS:
                    self._drift.append(_drift(metadata))
        elif metadata := event.get("resOpFailedEvent", {}).get("metadata"):
            self.progress.resource_done(self.project, metadata["urn"], metadata["op"], True)
        elif diagnostic := event.get("diagnosticEvent"):
            self._diagnostic(diagnostic)
        elif summary := event.get("summaryEvent"):
            for step, count in (summary.get("resourceChanges") or {}).items():
                self._changes[_COUNTED.get(step, "same")] += count

    def summary(self, exit_code: int, said: str, *, interrupted: bool) -> Summary:
        """The end of the operation, from its exit code and the engine's last words outside of the events."""
        ok = exit_code == 0
        errors = tuple(dict.fromkeys(self._errors))
        cause = "" if ok else self._cause(errors, said, interrupted, exit_code)
        return Summary(ok, interrupted and not ok, {kind: self._changes.get(kind, 0) for kind in CHANGES}, () if ok else errors, cause, tuple(self._drift))

    def _diagnostic(self, diagnostic: Mapping[str, Any]) -> None:
        message = plain(diagnostic.get("message", ""))
        if not message or _NOISE.match(message):
            return
        urn: str = diagnostic.get("urn", "")
        if diagnostic.get("severity") == "error":
            type_ = urn.split("::")[2].rsplit("$", 1)[-1] if urn else "program"
            name = name_of(urn) if urn else self.project
            self._errors.append(ResourceError(urn=urn, type=type_, name=name, message=message))
        elif diagnostic.get("severity") == "warning":
            self.progress.note(self.project, f"warning: {message}")

    @staticmethod
    def _cause(errors: tuple[ResourceError, ...], said: str, interrupted: bool, exit_code: int) -> str:
        if interrupted:
            return "the engine was asked to stop, finished what it had under way and wrote its state"
        if errors:
            return errors[0].summary
        if exit_code < 0:
            return f"the engine was killed ({signal.Signals(-exit_code).name}); the next run takes up what it left behind"
        return said or f"the engine ended with exit code {exit_code}"


def _drift(step: Mapping[str, Any]) -> Drift:
    """What the engine says of a step that a refresh makes: paths of properties, where the provider tells them, and never a value."""
    properties = sorted(step.get("detailedDiff") or step.get("diffs") or ())
    return Drift(urn=step["urn"], type=step["type"], name=name_of(step["urn"]), gone=step["op"] == "delete", properties=tuple(properties))


def name_of(urn: str) -> str:
    """The resource's logical name."""
    return urn.rsplit("::", 1)[-1]
