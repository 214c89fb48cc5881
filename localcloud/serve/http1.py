"""As much of HTTP/1.1 as an API's front, Lambda's Invoke API and its Runtime API need, at a few microseconds a request.

The standard library's server parses headers as e-mail, which alone costs more than all that a request passes through here.
"""

from __future__ import annotations

import contextlib
import http
import logging
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import BinaryIO
from urllib.parse import unquote

log = logging.getLogger("localcloud.serve")

LOOPBACK = "127.0.0.1"

_LONGEST_LINE = 16 * 1024
_MOST_HEADERS = 200
_HANDSHAKE = 10.0  # seconds that a client has for TLS's
_CHUNKED = "chunked"
_PHRASES = {status.value: status.phrase for status in http.HTTPStatus}

Headers = list[tuple[str, str]]


class BadRequestError(ValueError):
    """The bytes are no HTTP/1.1 request that this server takes. status: what to answer before the connection is closed."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.status = status


@dataclass(slots=True)
class Request:
    """One request. headers: as they were sent, in order. path: as sent, still encoded. query: what is behind the question mark.

    peer, peer_port: the client's. cipher: of TLS, with its version (`TLSv1.3`); None without TLS.
    """

    method: str
    target: str
    version: str
    headers: Headers
    body: bytes
    peer: str = LOOPBACK
    peer_port: int = 0
    cipher: tuple[str, str] | None = None

    @property
    def raw_path(self) -> str:
        """The path as it was sent."""
        return self.target.partition("?")[0]

    @property
    def path(self) -> str:
        """The path, decoded."""
        return unquote(self.raw_path)

    @property
    def query(self) -> str:
        """The query string, still encoded; empty where there is none."""
        return self.target.partition("?")[2]

    def header(self, name: str) -> str | None:
        """The last value of a header, whatever the case of its name."""
        wanted = name.lower()
        return next((value for given, value in reversed(self.headers) if given.lower() == wanted), None)

    @property
    def stays(self) -> bool:
        """Whether the client keeps the connection for further requests."""
        wish = (self.header("connection") or "").lower()
        return "close" not in wish and (self.version == "HTTP/1.1" or "keep-alive" in wish)


@dataclass(slots=True)
class Response:
    """One answer; its length is added when it is sent."""

    status: int
    body: bytes = b""
    headers: Headers = field(default_factory=list[tuple[str, str]])

    def encoded(self, *, closing: bool = False, bodiless: bool = False) -> bytes:
        """The bytes to send. bodiless: the answer to HEAD, which tells the length of what it leaves out."""
        lines = [f"HTTP/1.1 {self.status} {_PHRASES.get(self.status, '')}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.status >= 200 and self.status not in {204, 304}:
            lines.append(f"Content-Length: {len(self.body)}")
        if closing:
            lines.append("Connection: close")
        head = "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n"
        return head if bodiless or self.status in {204, 304} else head + self.body


Handler = Callable[[Request], Response]


def _as_json(error: BadRequestError) -> Response:
    return Response(error.status, f'{{"message": "{error}"}}'.encode(), [("Content-Type", "application/json")])


def read_request(stream: BinaryIO, connection: socket.socket, largest: int, peer: str = LOOPBACK) -> Request | None:
    """The next request of a connection, None when it ended between requests; raises BadRequestError or OSError.

    largest: bytes of a body.
    """
    line = _line(stream)
    if line == "":
        line = _line(stream)  # RFC 9112, 2.2: an empty line before a request is passed over
    if not line:
        return None
    parts = line.split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        raise BadRequestError("the request line is not `<method> <target> HTTP/1.1`")
    headers = _headers(stream)
    request = Request(parts[0], parts[1], parts[2], headers, b"", peer)
    request.body = _body(stream, connection, request, largest)
    return request


def _line(stream: BinaryIO) -> str | None:
    """A line without its end; None at the end of the connection."""
    line = stream.readline(_LONGEST_LINE + 1)
    if not line:
        return None
    if len(line) > _LONGEST_LINE:
        raise BadRequestError(f"a line of the request's head is longer than {_LONGEST_LINE} bytes", 431)
    return line.decode("latin-1").rstrip("\r\n")


def _headers(stream: BinaryIO) -> Headers:
    headers: Headers = []
    while line := _line(stream):
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise BadRequestError("a header is not `<name>: <value>`")
        headers.append((name, value.strip(" \t")))
        if len(headers) > _MOST_HEADERS:
            raise BadRequestError(f"the request has more than {_MOST_HEADERS} headers", 431)
    return headers


def _body(stream: BinaryIO, connection: socket.socket, request: Request, largest: int) -> bytes:
    lengths = {value for name, value in request.headers if name.lower() == "content-length"}
    coding = (request.header("transfer-encoding") or "").lower()
    if coding and (lengths or coding != _CHUNKED):
        raise BadRequestError("Transfer-Encoding must be `chunked`, and without Content-Length")  # RFC 9112, 6.1: else two readers see two requests
    if len(lengths) > 1 or any(not (length.isascii() and length.isdigit()) for length in lengths):
        raise BadRequestError("Content-Length must be one number")
    length = int(lengths.pop()) if lengths else 0
    if length > largest:
        raise BadRequestError(f"the body has {length} bytes, {largest} are taken", 413)
    if (length or coding) and (request.header("expect") or "").lower() == "100-continue":
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    return _chunks(stream, largest) if coding else _exactly(stream, length)


def _exactly(stream: BinaryIO, length: int) -> bytes:
    body = stream.read(length) if length else b""
    if len(body) < length:
        raise BadRequestError("the connection ended within the body")
    return body


def _chunks(stream: BinaryIO, largest: int) -> bytes:
    body = bytearray()
    while True:
        try:
            size = int((_line(stream) or "").partition(";")[0].strip(), 16)
        except ValueError:
            raise BadRequestError("a chunk does not begin with its size") from None
        if not 0 <= size <= largest - len(body):
            raise BadRequestError(f"the body has more than {largest} bytes", 413)
        if size == 0:
            _headers(stream)  # trailers, which nobody here reads
            return bytes(body)
        body += _exactly(stream, size)
        _line(stream)


class Server:
    """Answers requests on a loopback port, each connection in a thread of its own, as long as it is kept.

    port: 0 for any that is free; `port` says which it became. largest: bytes of a body. tls: for HTTPS. refused: the answer to what is no request.
    Raises OSError where the port is taken.
    """

    def __init__(
        self,
        handler: Handler,
        *,
        port: int = 0,
        largest: int,
        name: str = "http",
        tls: ssl.SSLContext | None = None,
        refused: Callable[[BadRequestError], Response] = _as_json,
    ) -> None:
        self._handler, self._largest, self._name, self._tls, self._refused = handler, largest, name, tls, refused
        self._listener = socket.create_server((LOOPBACK, port), backlog=512)
        self.port: int = self._listener.getsockname()[1]
        self._connections: dict[socket.socket, bool] = {}
        self._changed = threading.Condition()
        self._stopping = False

    def start(self) -> None:
        """Takes connections from now on."""
        threading.Thread(target=self._accept, name=f"{self._name}-accept", daemon=True).start()

    def stop(self, grace: float = 5.0) -> None:
        """Takes no connection and no request more; requests under way have `grace` seconds to end."""
        with self._changed:
            self._stopping = True
            # Without it, the thread in accept() would keep the port open until one connection more.
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            for connection, busy in self._connections.items():
                if not busy:
                    _shut(connection)
            self._changed.wait_for(lambda: not self._connections, grace)
            for connection in self._connections:
                _shut(connection)

    def _accept(self) -> None:
        while True:
            try:
                connection, address = self._listener.accept()
            except OSError:
                if self._stopping:
                    return
                log.exception("%s: a connection could not be taken", self._name)
                continue
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(connection, address), name=f"{self._name}-connection", daemon=True).start()

    def _serve(self, accepted: socket.socket, peer: tuple[str, int]) -> None:
        try:
            with self._secured(accepted) as connection:
                with self._changed:
                    if self._stopping:
                        return
                    self._connections[connection] = False
                try:
                    with connection.makefile("rb") as stream:
                        while self._answer_one(connection, stream, peer):
                            pass
                finally:
                    with self._changed:
                        self._connections.pop(connection, None)
                        self._changed.notify_all()
        except OSError:
            accepted.close()  # the client is gone, or does not speak TLS

    def _secured(self, connection: socket.socket) -> socket.socket:
        """The connection after TLS's handshake, where this server has TLS. Raises OSError."""
        if self._tls is None:
            return connection
        connection.settimeout(_HANDSHAKE)
        secured = self._tls.wrap_socket(connection, server_side=True)
        secured.settimeout(None)
        return secured

    def _answer_one(self, connection: socket.socket, stream: BinaryIO, peer: tuple[str, int]) -> bool:
        """Answers the next request; whether another may follow on the connection."""
        try:
            request = read_request(stream, connection, self._largest, peer[0])
        except BadRequestError as error:
            connection.sendall(self._refused(error).encoded(closing=True))
            return False
        if request is None:
            return False
        request.peer_port = peer[1]
        if isinstance(connection, ssl.SSLSocket) and (cipher := connection.cipher()):
            request.cipher = cipher[0], cipher[1]
        with self._changed:
            if self._stopping:
                return False
            self._connections[connection] = True
        try:
            response = self._handler(request)
        except Exception:  # whatever it is, the client gets an answer and the connection's thread goes on
            log.exception("%s: %s %s could not be answered", self._name, request.method, request.raw_path)
            response = Response(500, b'{"message": "Internal server error"}', [("Content-Type", "application/json")])
        staying = request.stays and not self._stopping
        connection.sendall(response.encoded(closing=not staying, bodiless=request.method == "HEAD"))
        with self._changed:
            self._connections[connection] = False
        return staying and not self._stopping


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        # Of the connection below TLS, as whoever reads from it in another thread is to find its end.
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
