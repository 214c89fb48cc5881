"""The HTTP server: connections that stay, bodies of every kind, and requests that two readers could read as two."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from localcloud.serve.http1 import LOOPBACK, Request, Response, Server


def _echo(request: Request) -> Response:
    if request.path == "/slow":
        time.sleep(0.5)
    if request.path == "/broken":
        raise RuntimeError
    headers = [("X-Path", request.path), ("X-Query", request.query), ("X-Peer", request.peer)]
    return Response(204 if request.path == "/empty" else 200, request.body, headers)


@pytest.fixture
def server() -> Iterator[Server]:
    one = Server(_echo, largest=1000)
    one.start()
    yield one
    one.stop(0.0)


def _raw(server: Server, *parts: bytes) -> bytes:
    """What comes back for bytes that no well-behaved client would send."""
    with socket.create_connection((LOOPBACK, server.port), timeout=5) as connection:
        for part in parts:
            connection.sendall(part)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while read := connection.recv(65536):
            answer += read
        return answer


def test_a_connection_carries_many_requests(server: Server) -> None:
    with httpx.Client(base_url=f"http://{LOOPBACK}:{server.port}") as client:
        for number in range(3):
            answer = client.post(f"/a%2Fb?n={number}", content=b"x" * number)
            assert (answer.status_code, answer.content) == (200, b"x" * number)
            assert (answer.headers["x-path"], answer.headers["x-query"], answer.headers["x-peer"]) == ("/a/b", f"n={number}", LOOPBACK)
        assert len(server._connections) == 1


def test_requests_that_were_sent_at_once_are_answered_in_order(server: Server) -> None:
    answer = _raw(server, b"GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert answer.count(b"HTTP/1.1 200 OK") == 2
    assert answer.index(b"X-Path: /1") < answer.index(b"X-Path: /2")
    assert b"Connection: close" in answer


def test_bodies_in_chunks_and_bodies_that_are_asked_for(server: Server) -> None:
    chunked = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3;ext=1\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: x\r\n\r\n"
    assert _raw(server, chunked).endswith(b"\r\n\r\nabcde")
    answer = _raw(server, b"POST / HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n", b"ab")
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK")
    assert answer.endswith(b"ab")


def test_head_and_204_have_no_body(server: Server) -> None:
    head = _raw(server, b"HEAD / HTTP/1.1\r\nContent-Length: 2\r\n\r\nab")
    assert b"Content-Length: 2" in head
    assert head.endswith(b"\r\n\r\n")
    empty = _raw(server, b"POST /empty HTTP/1.1\r\nContent-Length: 2\r\n\r\nab")
    assert empty.startswith(b"HTTP/1.1 204 No Content")
    assert b"Content-Length" not in empty
    assert empty.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/2\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost : spaced\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nab", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 1001\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n", 413),
        (b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + b"X: 1\r\n" * 201 + b"\r\n", 431),
    ],
)
def test_what_is_no_request_is_refused_and_its_connection_closed(server: Server, request_: bytes, status: int) -> None:
    answer = _raw(server, request_)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"Connection: close" in answer
    assert answer.count(b"\r\n\r\n") == 1


def test_a_handler_that_fails_is_a_500_and_the_connection_stays(server: Server) -> None:
    answer = _raw(server, b"GET /broken HTTP/1.1\r\n\r\nGET /fine HTTP/1.1\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert b"X-Path: /fine" in answer


def test_an_old_client_is_answered_once(server: Server) -> None:
    assert _raw(server, b"GET /1 HTTP/1.0\r\n\r\nGET /2 HTTP/1.0\r\n\r\n").count(b"HTTP/1.1 200 OK") == 1


def test_stopping_ends_idle_connections_and_waits_for_a_request_under_way(server: Server) -> None:
    idle = socket.create_connection((LOOPBACK, server.port), timeout=5)
    with ThreadPoolExecutor(1) as client, idle:
        slow = client.submit(_raw, server, b"GET /slow HTTP/1.1\r\n\r\n")
        time.sleep(0.2)
        began = time.monotonic()
        server.stop(5.0)
        assert time.monotonic() - began < 4
        assert b"X-Path: /slow" in slow.result()
        assert idle.recv(1) == b""
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((LOOPBACK, server.port), timeout=5)
    assert not [thread for thread in threading.enumerate() if thread.name == "http-accept" and thread.is_alive() and not server._stopping]
