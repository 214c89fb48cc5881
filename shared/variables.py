"""What the tasks tell the programs beside the page: variables of the engine's environment. It imports nothing, for tasks that only look."""

from __future__ import annotations

TARGET = "PAYMENTS_TARGET"
"""Where to: aws or local. For the commands that an error names, and for what differs between the two."""

UNDEPLOYED = "PAYMENTS_UNDEPLOYED"
"""Set by `invoke preview`: the projects that were never deployed (JSON list), whose outputs a preview takes as unknown."""

CONFIRMED = "PAYMENTS_CONFIRMED"
"""The stack that is meant, where its page is protected: set by `invoke deploy` once its name was given, and by whoever runs `pulumi up` on AWS by hand."""
