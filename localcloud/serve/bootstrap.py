"""Begins a function's process: `python -I -S bootstrap.py <task folder> <runtime folder>`.

Isolated and without site-packages, Python sees its standard library only; this adds the unpacked package and AWS's runtime client, and
nothing else, so that what was forgotten in the package is missing here too. It is run as a file and imports nothing of this project.
"""

import _thread
import os
import signal
import sys


def _end_with_parent() -> None:
    """Ends this process and its children as soon as standard input, whose other end the server alone holds, is closed: even when it was killed."""
    while os.read(0, 4096):
        pass
    os.killpg(0, signal.SIGKILL)


def main() -> None:
    """Runs the handler that `_HANDLER` names, for one event after another."""
    task, runtime = sys.argv[1], sys.argv[2]
    _thread.start_new_thread(_end_with_parent, ())
    # The package first, as in Lambda; the file's own folder, which Python puts first without -I, is not there.
    sys.path[:] = [task, *(path for path in sys.path if path not in {task, runtime}), runtime]
    address, handler = os.environ["AWS_LAMBDA_RUNTIME_API"], os.environ["_HANDLER"]
    sys.argv[:] = [sys.argv[0], handler]
    try:
        from awslambdaric import bootstrap
        from awslambdaric.lambda_runtime_client import LambdaRuntimeClient
    except ImportError:  # AWS publishes its client for Linux alone
        import runtime_loop

        runtime_loop.run(address, handler)
    else:
        bootstrap.run(handler, LambdaRuntimeClient(address))


main()
