"""Lines to a stream, whole ones, from many threads."""

from __future__ import annotations

import threading
from typing import IO


class Lines:
    """Writes whole lines and flushes each, so that a log shows them as they happen."""

    def __init__(self, file: IO[str]) -> None:
        """Write to this stream; it is not closed."""
        self._file = file
        self._lock = threading.Lock()
        self._left = False

    def write(self, line: str) -> None:
        """Write a line. A reader that went away (`| head`) is no reason to stop a deployment half-way: from then on nothing is written."""
        with self._lock:
            if self._left:
                return
            try:
                self._file.write(line + "\n")
                self._file.flush()
            except BrokenPipeError:
                self._left = True
