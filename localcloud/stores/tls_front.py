"""TLS before a server that has none: `python tls_front.py ADDRESS PORT CERTIFICATE KEY SOCKET COMMAND...`.

The command is a server that listens on the Unix socket SOCKET. It is started, and every TLS connection to ADDRESS:PORT is handed on to it. SIGTERM
ends both, and when one of the two ends, so does the other. It is run by its path, without site-packages: it needs nothing installed.
"""

from __future__ import annotations

import asyncio
import signal
import ssl
import subprocess
import sys
import time
from contextlib import suppress

_STARTS_WITHIN = 20.0
_ENDS_WITHIN = 10.0
_AT_ONCE = 64 * 1024  # bytes


async def front(listen: tuple[str, int], context: ssl.SSLContext, behind: str, server: subprocess.Popen[bytes]) -> None:
    """Hands connections on until SIGTERM, or until the server has ended. Raises OSError where nothing can listen there, or the server does not start."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGINT, stop.set)
    await _listens(behind, server)

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            inner_reader, inner_writer = await asyncio.open_unix_connection(behind)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_copied(reader, inner_writer), _copied(inner_reader, writer))

    listener = await asyncio.start_server(relay, *listen, ssl=context, reuse_address=True)
    while not stop.is_set() and server.poll() is None:
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), 0.2)
    listener.close()


async def _copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Hands bytes on until one of the two ends is closed; then the other is closed too."""
    with suppress(OSError):  # a connection that breaks is closed like one that ends
        while data := await reader.read(_AT_ONCE):
            writer.write(data)
            await writer.drain()
    writer.close()


async def _listens(behind: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _STARTS_WITHIN
    while True:
        try:
            _, writer = await asyncio.open_unix_connection(behind)
        except OSError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.01)
        else:
            writer.close()
            return


def main(address: str, port: str, certificate: str, key: str, behind: str, *command: str) -> int:
    """Starts the server, serves before it, and ends it; its return code."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    # Descriptors are passed on, as the one of the caller's lock must live as long as any process of the server does.
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, close_fds=False)
    try:
        asyncio.run(front((address, int(port)), context, behind, server))
    finally:
        if server.poll() is None:
            server.terminate()
        try:
            server.wait(_ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            server.kill()
    return server.wait()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
