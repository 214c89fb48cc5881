"""A real Redis server, the stand-in for ElastiCache: TLS with a verified certificate, and a password. It is a cache: nothing outlives the server."""

from __future__ import annotations

import secrets
import shutil
import signal
import socket
import ssl
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from localcloud.stores import listening
from localcloud.stores.certificates import Authority
from localcloud.stores.kept import Ending, StoreError
from localcloud.stores.server import Server, environment

PROGRAMS = ("redis-server", "valkey-server")
"""Looked for on PATH, in this order: they speak the same protocol."""

_ENDING = Ending(stop=signal.SIGTERM, crash=signal.SIGKILL)
_SECONDS = 5.0


class RedisServer(Server):
    """Redis of a folder, on 127.0.0.1 and on a port that the folder keeps.

    memory: bytes, of which the least recently used keys make room for new ones, as in a cache of AWS's.
    """

    kind = "Redis"

    def __init__(self, folder: Path, *, authority: Authority | None = None, names: Sequence[str] = (), memory: int = 64 * 1024 * 1024) -> None:
        super().__init__(folder, authority=authority, names=names, port=0)
        self._memory = memory

    @property
    def url(self) -> str:
        """For `redis.Redis.from_url`, with the password and the authority to trust; known when the server was started."""
        return f"rediss://:{self.password}@{self.address}:{self.port}/0?ssl_ca_certs={quote(str(self.authority.certificate))}"

    @property
    def password(self) -> str:
        """Of the one user; made when the server was first started."""
        return self._password_file.read_text(encoding="ascii")

    @property
    def _password_file(self) -> Path:
        return self.folder / "password"

    @property
    def _port_file(self) -> Path:
        return self.folder / "port"

    def _run(self, lock: int) -> None:
        program = next((found for name in PROGRAMS if (found := shutil.which(name))), None)
        if program is None:
            raise StoreError(f"no Redis was found: neither of {' and '.join(PROGRAMS)} is on PATH. Install one (Debian: apt-get install redis-server).")
        if not self._password_file.exists():
            self._own(self._password_file.name, secrets.token_urlsafe(24).encode())
        self.port = self._kept_port()
        certificate, key = self._certify()
        settings = {
            "bind": self.address,
            "port": "0",  # without TLS: nowhere
            "tls-port": str(self.port),
            "tls-cert-file": f'"{certificate}"',
            "tls-key-file": f'"{key}"',
            "tls-auth-clients": "no",
            "requirepass": self.password,
            "save": '""',
            "appendonly": "no",
            "maxmemory": str(self._memory),
            "maxmemory-policy": "allkeys-lru",
            "daemonize": "no",
        }
        written = self._own("redis.conf", "".join(f"{name} {value}\n" for name, value in settings.items()).encode())
        self._kept.spawn(lock, self._account.command([program, written], dies=True), _ENDING, environment())

    def _kept_port(self) -> int:
        """The port of the last time where it is free, as clients know it; otherwise another."""
        try:
            port = int(self._port_file.read_text(encoding="ascii"))
        except (FileNotFoundError, ValueError):
            port = 0
        if not port or not listening.is_free(self.address, port):
            port = listening.free_port()
            self._port_file.write_text(str(port), encoding="ascii")
        return port

    def _refusal(self) -> str | None:
        trusting = ssl.create_default_context(cafile=str(self.authority.certificate))
        try:
            with (
                socket.create_connection((self.address, self.port), timeout=_SECONDS) as plain,
                trusting.wrap_socket(plain, server_hostname="localhost") as connection,
            ):
                connection.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                answer = connection.makefile("rb")
                said = [answer.readline().strip(), answer.readline().strip()]
        except OSError as error:
            return str(error)
        return None if said == [b"+OK", b"+PONG"] else f"it answered {said}"
