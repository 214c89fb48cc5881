"""The container's own processes, from nothing but the files that its image holds: they serve, work, and end as they are told."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from payments.container.command import main
from tests.payments.container.keyed import HEADERS, KEYS
from tests.payments.container.redis_server import RedisServer
from tests.payments.postgres import TestDatabase
from tests.payments.service import REQUEST, Service, aws

ROOT = Path(__file__).parents[3]


@dataclass
class Container:
    """What the image is: the service's files with whom it trusts, and an environment; each command is a process of its own."""

    root: Path
    environment: dict[str, str]
    processes: list[subprocess.Popen[str]] = field(default_factory=list[subprocess.Popen[str]])

    def run(self, command: str, **environment: str) -> tuple[subprocess.Popen[str], httpx.Client]:
        """The process of a server that answers, and a client of it."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        process = self.start(command, PORT=str(port), **environment)
        client = httpx.Client(base_url=f"https://127.0.0.1:{port}", timeout=30, trust_env=False, headers=HEADERS, verify=trusting())
        deadline = time.monotonic() + 60
        while True:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline, "the server does not answer"
            try:
                if client.get("/ready").status_code == 200:
                    return process, client
            except httpx.TransportError:
                pass
            time.sleep(0.05)

    def start(self, command: str, **environment: str) -> subprocess.Popen[str]:
        """A process of the container."""
        program = [sys.executable, "-m", "payments.container", command]
        process = subprocess.Popen(program, cwd=self.root, env={**self.environment, **environment}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.processes.append(process)
        return process


@pytest.fixture
def container(tmp_path: Path, service: Service, test_database: TestDatabase, moto_endpoint: str) -> Iterator[Container]:
    shutil.copytree(ROOT / "payments", tmp_path / "payments", ignore=shutil.ignore_patterns("__pycache__", "trust"))
    (tmp_path / "payments" / "trust").mkdir()
    shutil.copy(test_database.server.authority.certificate, tmp_path / "payments" / "trust" / "bundle.pem")
    environment = {
        **{name: os.environ[name] for name in ("PATH", "PGHOSTADDR", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION")},
        **service.variables(),
        "API_KEYS": KEYS,
        "AWS_ENDPOINT_URL": moto_endpoint,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "HOST": "127.0.0.1",
    }
    made = Container(tmp_path, environment)
    try:
        yield made
    finally:
        for process in made.processes:
            process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()


@pytest.fixture
def moto_endpoint(service: Service) -> Iterator[str]:
    """The very cloud that the test itself sees, for other processes: moto's state is that of this process."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def ended(process: subprocess.Popen[str], *, told: bool = True) -> tuple[int, str]:
    """The status with which a process ends when it is told to stop, and what it had written."""
    if told:
        process.send_signal(signal.SIGTERM)
    # Clients keep their connections open, and asyncio by itself waits half a minute for each to say goodbye.
    output, _ = process.communicate(timeout=25)
    return process.returncode, output


def files(folder: Path) -> dict[Path, int]:
    """All files, with the times at which they changed."""
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def until(happens: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not happens():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def state(client: httpx.Client, payment_id: str) -> str:
    return client.post("/verify-payment", json={"payment_id": payment_id}).json()["state"]


def test_a_payment_goes_all_the_way_through_web_worker_and_cache(container: Container, redis_server: RedisServer) -> None:
    before = files(container.root)
    web, client = container.run("web", CACHE_URL=redis_server.url)
    worker, health = container.run("worker", CACHE_URL=redis_server.url, RELAY_EVERY="1")
    made = client.post("/process-payment", json=REQUEST, headers={"Idempotency-Key": "a"})
    assert made.status_code == 202
    until(lambda: state(client, made.json()["payment_id"]) == "captured")
    assert health.get("/health").json() == {"status": "alive"}
    assert health.post("/process-payment").status_code == 404
    with redis_server.client() as redis:
        assert len(redis.keys()) == 2
    looked = container.start("health", PORT=str(client.base_url.port))
    assert ended(looked, told=False) == (0, '{"status": "alive"}\n')
    for process in (web, worker):
        status, output = ended(process)
        assert status == 0, output
        assert "Traceback" not in output
        assert redis_server.url not in output
    # As it has to be where the file system is closed.
    assert files(container.root) == before


def test_web_finishes_the_requests_that_it_has_and_takes_no_others(container: Container, service: Service, test_database: TestDatabase) -> None:
    process, client = container.run("web")
    database = test_database.database()
    with ThreadPoolExecutor(1) as caller, ExitStack() as held:
        # Somebody else is about to use the same key: the request waits for what comes of it.
        connection = held.enter_context(database.transaction())
        connection.execute("LOCK TABLE idempotency_keys IN EXCLUSIVE MODE")
        waiting = caller.submit(client.post, "/process-payment", json=REQUEST, headers={"Idempotency-Key": "a"})
        until(lambda: database_waits(service))
        process.send_signal(signal.SIGTERM)
        until(lambda: refused(client))
        held.close()
        answer = waiting.result()
    database.close()
    assert answer.status_code == 202, answer.text
    status, output = ended(process, told=False)
    assert status == 0, output
    assert service.rows("SELECT state FROM payments") == [("received",)]


def database_waits(service: Service) -> bool:
    return service.rows("SELECT 1 FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())") != []


def refused(client: httpx.Client) -> bool:
    try:
        with socket.create_connection((client.base_url.host, client.base_url.port or 0), timeout=5):
            return False
    except OSError:
        return True


def test_worker_finishes_the_batch_that_it_has(container: Container, service: Service) -> None:
    made = service.accepted("a", payment_token="tok_slow")[0]
    process, _ = container.run("worker", CONSUMERS="1", RELAY_EVERY="0")
    until(lambda: service.states(made)[-1] == "submitted")
    status, output = ended(process)
    assert status == 0, output
    assert service.states(made)[-1] == "captured"
    attributes: dict[str, Any] = aws("sqs").get_queue_attributes(QueueUrl=service.queue, AttributeNames=["All"])["Attributes"]
    assert (attributes["ApproximateNumberOfMessages"], attributes["ApproximateNumberOfMessagesNotVisible"]) == ("0", "0")


@pytest.mark.parametrize("command", ["web", "worker", "migrate"])
def test_wrong_settings_are_named_at_once(container: Container, command: str) -> None:
    del container.environment["DATABASE_SECRET_ARN"]
    status, output = ended(container.start(command), told=False)
    assert status == 2
    assert "DATABASE_SECRET_ARN: is missing" in output
    assert "Traceback" not in output


def test_a_database_is_migrated(container: Container, empty_database: TestDatabase) -> None:
    url = f"postgresql://localhost:{empty_database.port}/{empty_database.name}?sslmode=verify-full"
    first, again = (ended(container.start("migrate", DATABASE_URL=url), told=False) for _ in range(2))
    assert (first[0], again[0]) == (0, 0), first
    assert "database migrated" in first[1]
    assert "was at this version before" in again[1]


@pytest.mark.parametrize("arguments", [[], ["serve"], ["web", "worker"]])
def test_the_commands_are_told_to_who_asks_for_another(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert "web|worker|migrate|health" in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_a_server_speaks_tls_1_2_or_newer_by_a_certificate_of_its_own_process(container: Container) -> None:
    certificates: list[bytes] = []
    for command in ("web", "worker"):
        _, client = container.run(command)
        where = ("127.0.0.1", client.base_url.port or 0)
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(f"http://{where[0]}:{where[1]}/health", trust_env=False)
        with pytest.raises(ssl.SSLError):
            secured(where, most=ssl.TLSVersion.TLSv1_1)
        certificates += [secured(where, most=newest) for newest in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)]
    assert certificates[0] == certificates[1] != certificates[2] == certificates[3]


def trusting() -> ssl.SSLContext:
    """As load balancers are: they encrypt, and do not ask who signed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def secured(where: tuple[str, int], *, most: ssl.TLSVersion) -> bytes:
    """The certificate that a server shows to a client that knows no newer version of TLS."""
    context = trusting()
    context.set_ciphers("ALL:@SECLEVEL=0")  # the client is not the one that refuses
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, most
    with socket.create_connection(where, timeout=30) as connection, context.wrap_socket(connection) as tls:
        return tls.getpeercert(binary_form=True) or b""


def test_a_container_that_does_not_answer_is_not_well(container: Container) -> None:
    assert ended(container.start("health", PORT="9"), told=False)[0] == 1
