"""What must be true before anything is touched: the right account, and somebody who means it."""

from __future__ import annotations

import sys
from collections.abc import Callable

from ops.workspace import Workspace

_STS_SECONDS = 10


class GuardError(RuntimeError):
    """A guard said no; nothing was touched."""


def account(workspace: Workspace) -> None:
    """Raises GuardError unless the caller's AWS account is the page's."""
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    wanted = workspace.environment.account
    config = Config(connect_timeout=_STS_SECONDS, read_timeout=_STS_SECONDS, retries={"total_max_attempts": 2})
    try:
        caller = boto3.client("sts", region_name=workspace.environment.region, config=config).get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        raise GuardError(
            f"cannot tell which AWS account this is: {error}. {workspace.page.file} is for account {wanted}: "
            "log in to it (aws sso login, or AWS_PROFILE), or use --target local"
        ) from None
    if caller["Account"] != wanted:
        raise GuardError(
            f"these credentials are of account {caller['Account']} ({caller['Arn']}), but {workspace.page.file} (aws:allowedAccountIds) is for "
            f"account {wanted}. Nothing was touched; choose the other credentials (AWS_PROFILE)"
        )


def confirmed(workspace: Workspace, command: str, confirm: str, ask: Callable[[str], str] = input) -> None:
    """Raises GuardError unless a protected environment's name was given: by `--confirm`, or typed at a terminal."""
    if not workspace.environment.platform.protected:
        return
    if confirm:
        answer = confirm
    elif sys.stdin.isatty():
        answer = ask(f"{command} {workspace.stack}: {workspace.page.file} is protected. Type the environment's name to go on: ")
    else:
        raise GuardError(f"{workspace.page.file} says platform:protected, and this is not a terminal: pass --confirm {workspace.stack} to {command} it")
    if answer.strip() != workspace.stack:
        raise GuardError(f"{command} needs the name {workspace.stack!r} of the protected environment, and was given {answer.strip()!r}; nothing was touched")
