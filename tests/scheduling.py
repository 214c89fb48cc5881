"""Which worker runs which test, when there are several (`pytest -n`)."""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling

# Each of these modules makes something once that takes long (a deployment, the packages, a served environment) and asks many questions about it:
# on two workers, it would be made twice.
_TOGETHER = ("tests/briefs/test_", "tests/engine/", "tests/iam/test_isolation", "tests/ops/test_package", "tests/payments/flow/")

# The same, for each customer's environments.
_TOGETHER_BY_PARAMETER = "tests/blueprints/"


class Scheduling(LoadScopeScheduling):
    """Tests go to whichever worker is free, one by one; those of the modules above go to one worker each, and first, as they take longest.

    (`--dist loadgroup` is meant for this; with pytest 9.2, pytest-xdist 3.8 does not see its marks.)
    """

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(_TOGETHER_BY_PARAMETER):
            return nodeid.split("::", 1)[0] + nodeid[nodeid.index("[") :]
        return nodeid.split("::", 1)[0] if nodeid.startswith(_TOGETHER) else nodeid
