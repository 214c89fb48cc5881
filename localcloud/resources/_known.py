"""Nested inputs for checks that run in a preview, too: what is not known yet counts as empty there, so that nothing is said about it."""

from __future__ import annotations

from typing import Any, cast

from localcloud.kinds import Props


def members(value: Any) -> Props:
    """The object; one without members where it was left out or is not known yet."""
    return cast("Props", value) if isinstance(value, dict) else {}


def entries(value: Any) -> list[Props]:
    """The objects of a list; none where it was left out or is not known yet."""
    return [members(entry) for entry in cast("list[Any]", value)] if isinstance(value, list) else []
