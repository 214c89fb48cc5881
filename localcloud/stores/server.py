"""What the stores' servers have in common: started once per folder, found by whoever comes later, ended with whoever started them."""

from __future__ import annotations

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

from localcloud.stores import listening
from localcloud.stores.certificates import Authority
from localcloud.stores.kept import Account, Kept, StoreError

_START_SECONDS = 60.0


class Server(ABC):
    """The server of a folder; it ends when the process that started it does, and comes up again with its data, also after kill -9.

    folder: for data, log and certificate; one per server. authority: signs the server's certificate; one in the folder where none is given.
    names: host names by which clients know it; `localhost` and its address are always among them.
    """

    kind: ClassVar[str]
    """What errors call it; in small letters the name of its log and its other files."""

    def __init__(self, folder: Path, *, authority: Authority | None, names: Sequence[str], port: int) -> None:
        self.folder = folder.resolve()
        self.authority = authority or Authority(self.folder / "ca")
        self.names = tuple(names)
        self.address = listening.LOOPBACK
        self.port = port
        self._kept = Kept(self.folder, self.kind.lower())
        self._account = Account.to_run_as()

    def start(self) -> None:
        """Starts the server, or finds it running; returns when it answers. Raises StoreError."""
        deadline = time.monotonic() + _START_SECONDS
        while (lock := self._kept.claim()) is None:
            if self._found():
                return
            if time.monotonic() > deadline:
                raise StoreError(f"{self.kind} in {self.folder} is held by another process and does not answer; see {self._kept.log}")
            time.sleep(0.05)
        try:
            self._run(lock)
        finally:
            os.close(lock)  # the server's processes have it now, if there are any
        try:
            self._wait_until_it_answers(deadline)
            self._kept.publish({"address": self.address, "port": self.port, "names": list(self.names)})
        except BaseException:
            self._kept.end()
            raise

    def stop(self, *, crash: bool = False) -> None:
        """Ends the server, whoever started it; nothing when it does not run. crash: as if it had been killed; the next start recovers."""
        self._kept.end(crash=crash)

    def running(self) -> bool:
        """Whether the server runs and answers."""
        return self._kept.about() is not None and self._refusal() is None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Ends the server if this process started it; another's goes on."""
        if self._kept.mine():
            self.stop()

    @abstractmethod
    def _run(self, lock: int) -> None:
        """Prepares the folder and starts the server; nothing of an earlier one is alive, as the lock is ours."""

    @abstractmethod
    def _refusal(self) -> str | None:
        """Why the server does not answer; None when it does."""

    def _certify(self) -> tuple[str, str]:
        """A new certificate for the names and the address, and its key: files that only the server's user reads."""
        issued = self.authority.issue([*self.names, "localhost", self.address])
        return self._own("server.pem", issued.certificate), self._own("server.key", issued.key)

    def _own(self, name: str, content: bytes) -> str:
        """Writes a file that only the server's user reads; its path."""
        path = self.folder / name
        new = path.with_name(f".{name}.new")
        new.unlink(missing_ok=True)
        new.touch(mode=0o600)
        new.write_bytes(content)
        self._account.give(new)
        new.replace(path)
        return str(path)

    def _found(self) -> bool:
        """Whether a server that somebody else started is there; if so, where it listens is known afterwards."""
        about: dict[str, Any] | None = self._kept.about()
        if about is None:
            return False
        self.address, self.port = about["address"], about["port"]
        if self._refusal() is not None:
            return False
        if missing := sorted(set(self.names) - set(about["names"])):
            raise StoreError(
                f"{self.kind} in {self.folder} runs already, with a certificate that is not for {', '.join(missing)}. "
                "End what started it, or use another folder."
            )
        return True

    def _wait_until_it_answers(self, deadline: float) -> None:
        while (refusal := self._refusal()) is not None:
            log = f"the end of {self._kept.log}:\n{self._kept.tail()}"
            if not self._kept.mine():
                raise StoreError(f"{self.kind} in {self.folder} ended as it started; {log}")
            if time.monotonic() > deadline:
                raise StoreError(f"{self.kind} in {self.folder} did not answer within {_START_SECONDS:.0f} s: {refusal}\n{log}")
            time.sleep(0.03)


def environment() -> dict[str, str]:
    """A server's: nothing of the caller's settings for clients may reach it, and its messages are in one language."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
