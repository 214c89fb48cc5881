"""Addresses of this machine's own for servers that must keep their usual port."""

from __future__ import annotations

import errno
import hashlib
import socket
from collections.abc import Iterator
from pathlib import Path

from localcloud.stores.kept import StoreError

LOOPBACK = "127.0.0.1"

_TRIES = 16


def choose(folder: Path, port: int) -> tuple[str, int]:
    """A loopback address on which `port` is free, always the same one for a folder where that is possible.

    Systems with the one address 127.0.0.1 only (macOS) give a free port of that address instead.
    """
    for address in _addresses(folder):
        match _bind(address, port):
            case 0:
                return address, port
            case errno.EADDRNOTAVAIL:
                break
            case _:
                continue
    return LOOPBACK, free_port()


def is_free(address: str, port: int) -> bool:
    """Whether a server could listen there now."""
    return _bind(address, port) == 0


def _addresses(folder: Path) -> Iterator[str]:
    """From 127.64.0.0/10, far from 127.0.0.0/24 and 127.0.1.1, which systems use."""
    for turn in range(_TRIES):
        digest = hashlib.sha256(f"{folder.resolve()} {turn}".encode()).digest()
        yield f"127.{64 + digest[0] % 64}.{digest[1]}.{1 + digest[2] % 254}"


def _bind(address: str, port: int) -> int:
    """The error's number, 0 for none."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: connections that ended a moment ago are no obstacle
        try:
            probe.bind((address, port))
        except OSError as error:
            if error.errno in {errno.EADDRINUSE, errno.EADDRNOTAVAIL}:
                return error.errno
            raise StoreError(f"no server can listen on {address}:{port}: {error}") from None
    return 0


def free_port() -> int:
    """A port of 127.0.0.1 that nobody uses now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
    return port
