"""The parent of a server: ends it when whoever asked for it is gone, however that came about.

`python keeper.py STOP CRASH GRACE COMMAND...`, with the asker's end of a pipe as standard input. The pipe is at its end when the asker closes
it or no longer exists, kill -9 included; then the server gets the signal STOP, and SIGKILL after GRACE seconds. SIGTERM does the same, and
SIGQUIT sends the signal CRASH instead. It is run by its path, without site-packages: it starts in milliseconds and needs nothing installed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading


def keep(stop: int, crash: int, grace: float, command: list[str]) -> int:
    """Runs a command until it ends or is to end; its return code."""
    asked = threading.Event()
    how = [stop]

    def end(number: int, _frame: object) -> None:
        how[0] = crash if number == signal.SIGQUIT else stop
        asked.set()

    def until_alone() -> None:
        while os.read(0, 1024):
            pass
        asked.set()

    def obey() -> None:
        asked.wait()
        server.send_signal(how[0])
        try:
            server.wait(grace)
        except subprocess.TimeoutExpired:
            server.kill()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGQUIT, end)
    signal.signal(signal.SIGINT, lambda *_: None)  # a handler, as the server would inherit that a signal is ignored
    # Started by the main thread: the kernel tells a child of its parent's death when the thread that made it ends. Descriptors are passed on, as
    # the one of the caller's lock must live as long as any process of the server does.
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, close_fds=False)
    threading.Thread(target=until_alone, daemon=True).start()
    threading.Thread(target=obey, daemon=True).start()
    return server.wait()


if __name__ == "__main__":
    sys.exit(keep(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), sys.argv[4:]))
