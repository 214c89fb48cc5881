"""The routes over HTTP answer what the functions answer; and what a server has to see to besides."""

from __future__ import annotations

import itertools
import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

import httpx
import pytest

from payments import http
from payments.container import web
from payments.container.keys import HEADER
from payments.container.settings import WebSettings
from payments.openapi import document
from payments.settings import SettingsError, load
from payments.storage.postgres.migrating import rollback
from payments.storage.postgres.payments import PostgresPayments
from payments.storage.postgres.store import PostgresStore
from tests.payments.container.keyed import KEY, KEYS, MERCHANT
from tests.payments.container.redis_server import RedisServer
from tests.payments.container.serving import served
from tests.payments.postgres import TestDatabase, migrator
from tests.payments.service import REQUEST, Service


@pytest.fixture(autouse=True)
def keyed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The container's one key."""
    monkeypatch.setenv("API_KEYS", KEYS)


@pytest.fixture
def one_merchant(monkeypatch: pytest.MonkeyPatch) -> None:
    """The functions take their callers for the merchant whose key the container knows."""
    monkeypatch.setattr("payments.gateway._merchant", lambda _: MERCHANT)


@pytest.fixture
def client(service: Service, one_merchant: None) -> Iterator[httpx.Client]:
    with served(web.application(load(WebSettings))) as client:
        yield client


def test_a_payment_is_taken_in_and_told_of_as_by_the_functions(client: httpx.Client, service: Service) -> None:
    taken = client.post("/process-payment", json=REQUEST, headers={"Idempotency-Key": "key-1"})
    assert taken.status_code == 202
    assert service.process(REQUEST, "key-1")[1] == taken.json()
    payment_id = taken.json()["payment_id"]
    told = client.post("/verify-payment", json={"payment_id": payment_id})
    assert (told.status_code, told.json()) == service.verify({"payment_id": payment_id})[:2]
    assert told.headers["content-type"] == "application/json"
    assert told.headers["cache-control"] == "no-store"
    assert [json.loads(body)["payment_id"] for body in service.taken()] == [payment_id]


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (json.dumps(REQUEST), {}),
        (json.dumps({**REQUEST, "amount": 0}), {"Idempotency-Key": "a"}),
        (json.dumps({**REQUEST, "reference": "4242424242424242"}), {"Idempotency-Key": "a"}),
        (json.dumps(REQUEST), {"Idempotency-Key": "4242424242424242"}),
        ('{"amount": 1, "amount": 2}', {"Idempotency-Key": "a"}),
        ("[]", {"Idempotency-Key": "a"}),
        ("", {"Idempotency-Key": "a"}),
        (json.dumps({**REQUEST, "metadata": {"a": "x" * http.LARGEST_BODY}}), {"Idempotency-Key": "a"}),
    ],
)
def test_what_is_refused_is_refused_as_by_the_functions(client: httpx.Client, service: Service, body: str, headers: dict[str, str]) -> None:
    answer = client.post("/process-payment", content=body, headers=headers)
    status, problem, _ = service.process(body, headers.get("Idempotency-Key"))
    assert answer.status_code == status >= 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-correlation-id"] == answer.json()["correlation_id"]
    assert {**answer.json(), "correlation_id": None} == {**problem, "correlation_id": None}
    assert service.rows("SELECT 1 FROM payments") == []


def test_a_payment_is_of_the_merchant_whose_key_it_came_with(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    another = "the-key-of-the-other-merchant"
    monkeypatch.setenv("API_KEYS_BEFORE", json.dumps({"another-shop": another}))
    with served(web.application(load(WebSettings))) as client:
        taken = client.post("/process-payment", json=REQUEST, headers={"Idempotency-Key": "key-1"})
        again = client.post("/process-payment", json=REQUEST, headers={"Idempotency-Key": "key-1", "X-API-Key": another})
        assert (taken.status_code, again.status_code) == (202, 202)
        asked = {"payment_id": taken.json()["payment_id"]}
        assert [client.post("/verify-payment", json=asked, headers={"X-API-Key": key}).status_code for key in (KEY, another)] == [200, 404]
    assert sorted(service.rows("SELECT merchant FROM payments")) == [(MERCHANT,), ("another-shop",)]


@pytest.mark.parametrize("path", ["/process-payment", "/verify-payment"])
@pytest.mark.parametrize("given", [None, "", KEY[:-1]])
def test_without_a_key_that_is_known_nothing_is_answered_and_no_body_is_read(client: httpx.Client, service: Service, path: str, given: str | None) -> None:
    key = "" if given is None else f"X-API-Key: {given}\r\n"
    with socket.create_connection((client.base_url.host, client.base_url.port or 0), timeout=20) as connection:
        # The body never comes: an answer can only be from before it.
        connection.sendall(f"POST {path} HTTP/1.1\r\nHost: here\r\n{key}Content-Length: 1000\r\n\r\n".encode())
        head, _, body = connection.makefile("rb").read().decode().partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 403 ")
    assert "content-type: application/problem+json" in head.lower()
    assert "connection: close" in head.lower()
    problem = json.loads(body)
    assert problem.pop("correlation_id")
    assert problem == {"type": "urn:payments:problem:forbidden", "title": "The API key is missing or not valid", "status": 403}
    assert service.rows("SELECT 1 FROM payments") == []


@pytest.mark.parametrize("path", ["/health", "/ready"])
def test_who_looks_after_the_container_needs_no_key(client: httpx.Client, path: str) -> None:
    del client.headers[HEADER]
    assert client.get(path).status_code == 200


def test_a_body_that_is_not_text_is_refused(client: httpx.Client) -> None:
    answer = client.post("/verify-payment", content=b"\xff\xfe")
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:payments:problem:malformed-body")


@pytest.mark.parametrize("declared", [True, False])
def test_no_more_is_read_of_a_body_than_shows_that_it_is_too_large(client: httpx.Client, *, declared: bool) -> None:
    with socket.create_connection((client.base_url.host, client.base_url.port or 0), timeout=20) as connection:
        length = "Content-Length: 1000000000" if declared else "Transfer-Encoding: chunked"
        connection.sendall(f"POST /process-payment HTTP/1.1\r\nHost: here\r\nX-API-Key: {KEY}\r\n{length}\r\n\r\n".encode())
        if not declared:
            connection.sendall(b"".join(b"400\r\n" + b" " * 1024 + b"\r\n" for _ in range(33)))
        answer = connection.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in answer.lower()


def test_a_body_that_does_not_arrive_is_not_waited_for(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "BODY_SECONDS", 0.1)
    with socket.create_connection((client.base_url.host, client.base_url.port or 0), timeout=20) as connection:
        connection.sendall(f"POST /verify-payment HTTP/1.1\r\nHost: here\r\nX-API-Key: {KEY}\r\nContent-Length: 10\r\n\r\n{{".encode())
        answer = connection.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 408 ")
    responses = document()["paths"]["/verify-payment"]["post"]["responses"]
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["type"] in responses["408"]["description"]


@pytest.mark.parametrize(("extra", "status"), [(0, 404), (1, 413)])
def test_the_limit_is_the_last_size_that_is_taken(client: httpx.Client, extra: int, status: int) -> None:
    body = json.dumps({"reference": "order 1"})
    assert client.post("/verify-payment", content=body + " " * (http.LARGEST_BODY - len(body) + extra)).status_code == status


def test_correlation_ids_are_the_services_own(client: httpx.Client) -> None:
    answers = [client.post("/verify-payment", json={}, headers={"X-Correlation-Id": "mine", "X-Request-Id": "mine"}) for _ in range(2)]
    assert len({answer.headers["x-correlation-id"] for answer in answers} | {"mine"}) == 3


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/process-payment", 405), ("POST", "/", 404), ("GET", "/docs", 404), ("PUT", "/health", 405)])
def test_what_there_is_not_is_a_problem_too(client: httpx.Client, method: str, path: str, status: int) -> None:
    answer = client.request(method, path)
    assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-correlation-id"] == answer.json()["correlation_id"]
    assert ("allow" in answer.headers) is (status == 405)


def test_without_its_database_it_asks_to_be_asked_again(walled: Service) -> None:
    with served(web.application(load(WebSettings))) as client:
        answer = client.post("/verify-payment", json={"reference": "order 1"})
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert client.get("/health").status_code == 200
        ready = client.get("/ready")
        assert (ready.status_code, ready.json()) == (503, {"status": "database-unavailable"})


def test_it_is_ready_when_the_database_has_its_schema(client: httpx.Client, test_database: TestDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("payments.container.health.REMEMBERED", 0.0)
    assert (client.get("/ready").status_code, client.get("/ready").json()) == (200, {"status": "ready"})
    rollback(migrator(test_database))
    assert (client.get("/ready").status_code, client.get("/ready").json()) == (503, {"status": "schema-behind"})
    assert client.get("/health").json() == {"status": "alive"}


def test_many_who_ask_whether_it_is_ready_cost_one_look(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[float] = []

    def look(_: PostgresStore) -> bool:
        looks.append(time.monotonic())
        return True

    monkeypatch.setattr("payments.storage.postgres.store.PostgresStore.is_ready", look)
    monkeypatch.setattr("payments.container.health.REMEMBERED", 60.0)
    assert {client.get("/ready").status_code for _ in range(20)} == {200}
    assert len(looks) == 1


def test_a_database_that_does_not_answer_is_not_waited_for(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()
    monkeypatch.setattr("payments.storage.postgres.store.PostgresStore.is_ready", lambda _: answered.wait(30))
    monkeypatch.setattr("payments.container.health.PATIENCE", 0.05)
    assert [client.get("/ready").status_code for _ in range(2)] == [503, 503]
    answered.set()


def test_more_than_may_wait_are_told_to_come_again(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THREADS", "1")
    monkeypatch.setenv("WAITING", "1")
    going_on = threading.Event()

    def slow(_: http.Request, **__: Any) -> http.Answer:
        assert going_on.wait(30)
        return http.Answer(200, "{}")

    monkeypatch.setattr(web, "verify_payment", slow)
    with served(web.application(load(WebSettings))) as client, ThreadPoolExecutor(5) as callers:
        asked = [callers.submit(client.post, "/verify-payment", json={}) for _ in range(5)]
        refused = [answer.result() for answer in itertools.islice(as_completed(asked), 3)]
        assert [(answer.status_code, answer.headers["retry-after"]) for answer in refused] == [(503, "1")] * 3
        assert client.get("/health").status_code == 200
        going_on.set()
        assert sorted(answer.result().status_code for answer in asked) == [200, 200, 503, 503, 503]
        assert client.post("/verify-payment", json={}).status_code == 200


def test_states_are_told_from_the_cache_where_there_is_one(
    service: Service, one_merchant: None, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CACHE_URL", redis_server.url)
    made = service.accepted("a")[0]
    service.work(*service.taken())
    with served(web.application(load(WebSettings))) as client:
        first = client.post("/verify-payment", json={"payment_id": made})
        assert first.json()["state"] == "captured"
        with monkeypatch.context() as closed:
            closed.setattr(PostgresPayments, "find", None)
            assert client.post("/verify-payment", json={"payment_id": made}).json() == first.json()
            assert client.post("/verify-payment", json={"reference": "order a"}).json() == first.json()
        redis_server.stop()
        assert client.post("/verify-payment", json={"payment_id": made}).json() == first.json()


def test_the_settings_that_are_wrong_are_named_and_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CACHE_URL", "memcached://:hunter2@somewhere")
    monkeypatch.setenv("THREADS", "0")
    with pytest.raises(SettingsError) as refused:
        load(WebSettings)
    assert all(f"{name}: " in str(refused.value) for name in ("CACHE_URL", "THREADS", "WORK_QUEUE_URL"))
    assert "hunter2" not in str(refused.value)
