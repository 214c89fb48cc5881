"""`pulumi` by hand on the local target, in a shell that did `eval "$(invoke local.env --env dev)"`.

The engine keeps the salt of its secrets in the stack's configuration, and writes it there when it is not: into a committed page,
if it were left alone; and it deletes the page with its stack. This stands before it on that shell's PATH, and hands it a copy of the page instead.
"""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import NoReturn

from ops.options import options
from ops.workspace import Workspace, open_workspace, write_configuration
from shared import page as pages
from shared.page import PageError

# The engine's commands that read (and write) a stack's configuration.
_CONFIGURED = {"up", "update", "preview", "pre", "refresh", "destroy", "dn", "down", "import", "watch", "config", "logs"}

_DESTROY = {"destroy", "dn", "down"}

# What `pulumi stack` does to the page beside the stack.
_REMOVE = {"rm", "remove"}
_WRITE = {"init", "new", "rename", "change-secrets-provider"}

# Options of the engine itself that are followed by a value.
_WITH_VALUE = {"-C", "--cwd", "--color", "--profiling", "--tracing", "-v", "--verbose", "--memprofilerate", "-s", "--stack"}


def install(folder: Path, workspace: Workspace, pulumi: Path) -> Path:
    """Writes the stand-in for `pulumi` into `folder`, which is to come first on PATH; answers the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "ops.by_hand", workspace.name, workspace.suffix or "-", str(pulumi)]
    script = folder / "pulumi"
    script.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
    script.chmod(0o755)
    return folder


def main(name: str, suffix: str, pulumi: str, *arguments: str) -> None:
    """Becomes the engine, with the current page's copy as its configuration; ends with 2 when the page or the stack is wrong."""
    whole = list(arguments)
    command = _command(whole)
    if command is not None:
        whole = _keeping_pages(whole, command)
    if command is not None and whole[command] in _CONFIGURED and not any(argument.startswith("--config-file") for argument in whole):
        try:
            workspace = open_workspace(name, "" if suffix == "-" else suffix, target="local")
        except PageError as error:
            _refuse(*map(str, error.problems))
        named = _stack(whole)
        if named not in {workspace.stack, None}:
            _refuse(f'this shell is set up for the stack {workspace.stack}, not {named}. For that one: eval "$(invoke local.env {_options(named)})"')
        stack = [] if named else ["--stack", workspace.stack]
        added = [*stack, "--config-file", str(write_configuration(workspace))]
        whole = [*whole[: command + 1], *added, *whole[command + 1 :]]
    os.execv(pulumi, ["pulumi", *whole])  # noqa: S606 - the engine, with the caller's own arguments


def _keeping_pages(arguments: list[str], command: int) -> list[str]:
    """The arguments with what keeps the committed page where the engine would delete it; ends with 2 where nothing would."""
    rest = arguments[command + 1 :]
    if arguments[command] in _DESTROY and "--remove" in rest:
        _refuse("--remove deletes the committed page together with the stack. Without it: pulumi destroy, then pulumi stack rm, which keeps the page here")
    word = _command(rest) if arguments[command] == "stack" else None
    if word is None:
        return arguments
    if rest[word] in _WRITE:
        _refuse(f"pulumi stack {rest[word]} writes to the committed page. This shell's stacks are there: `invoke local.env` made them")
    kept = ["--preserve-config"] if rest[word] in _REMOVE and "--preserve-config" not in rest else []
    return [*arguments[: command + word + 2], *kept, *arguments[command + word + 2 :]]


def _options(stack: str | None) -> str:
    """The options that name a stack's environment: its page, and the suffix where it is a copy's."""
    name = stack or ""
    page = max((page for page in pages.names() if name == page or name.startswith(f"{page}-")), key=len, default=name)
    suffix = name.removeprefix(page).removeprefix("-")
    return options(page, suffix)


def _refuse(*reasons: str) -> NoReturn:
    print("\n".join(f"error: {reason}" for reason in reasons), file=sys.stderr)
    sys.exit(2)


def _command(arguments: list[str]) -> int | None:
    """Where the engine's command stands; options with a value may stand before it (`pulumi -C projects/data up`)."""
    value = False
    for position, argument in enumerate(arguments):
        if value or argument.startswith("-"):
            value = not value and argument in _WITH_VALUE
        else:
            return position
    return None


def _stack(arguments: list[str]) -> str | None:
    """The stack that `-s` or `--stack` names, without organization and project."""
    for position, argument in enumerate(arguments):
        if argument in {"-s", "--stack"} and position + 1 < len(arguments):
            return arguments[position + 1].rsplit("/", 1)[-1]
        if argument.startswith(("--stack=", "-s=")):
            return argument.split("=", 1)[1].rsplit("/", 1)[-1]
    return None


if __name__ == "__main__":
    main(*sys.argv[1:])
