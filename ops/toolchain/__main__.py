"""`python -m ops.toolchain`: what `make venv` runs. Exit codes: 0 there is a CLI, 1 there is none, 130 interrupted."""

from __future__ import annotations

import argparse
import signal
import sys
from typing import NoReturn

from ops.toolchain.ensure import ToolchainError, ensure
from ops.toolchain.progress import shown


def main(arguments: list[str] | None = None) -> int:
    """Find or make the CLI, and say which it is."""
    parser = argparse.ArgumentParser(prog="python -m ops.toolchain", description="Find the Pulumi CLI, or make it.")
    parser.add_argument("--retry", action="store_true", help="try the official installation again, even if it failed within the last hour")
    options = parser.parse_args(arguments)
    # Ended by a supervisor is ended by Ctrl-C: children are stopped and half-made files removed on the way out.
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with shown() as progress:
            cli = ensure(progress, retry=options.retry)
    except ToolchainError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted: nothing half-made is left, and what Go has compiled so far is in its cache. Run it again to go on.", file=sys.stderr)
        return 130
    print(f"Pulumi {cli.version} {cli.origin}, language host {cli.host}: {cli.pulumi}")
    return 0


def _interrupt(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
