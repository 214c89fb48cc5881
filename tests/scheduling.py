"""Which worker runs which test, when there are several (`pytest -n`)."""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling

# Each module deploys once and asks many questions about it: on two workers, it would be deployed twice.
_TOGETHER = "tests/engine/"


class Scheduling(LoadScopeScheduling):
    """Tests go to whichever worker is free, one by one; those of a module with the engine go to one worker, and first, as they take longest.

    (`--dist loadgroup` is meant for this; with pytest 9.2, pytest-xdist 3.8 does not see its marks.)
    """

    def _split_scope(self, nodeid: str) -> str:
        return nodeid.split("::", 1)[0] if nodeid.startswith(_TOGETHER) else nodeid
