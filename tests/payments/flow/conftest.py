"""The packages for this machine, served over a local cloud and a PostgreSQL of their own."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from localcloud import control
from localcloud.aws import Aws
from localcloud.serve.service import Service, Settings
from localcloud.stores.postgres import PostgresServer
from ops.package import ensure, this_machine
from ops.package_trust import local_authority
from payments.functions import MIGRATE_DATABASE
from tests.payments.flow.deployment import DATABASE, DATABASE_HOST, PASSWORD, USER, Made, deploy

_SECONDS = 60.0


@dataclass(frozen=True)
class Flow:
    """The service as a merchant and an operator see it. url: of the API's stage. database: its server."""

    aws: Aws
    made: Made
    url: str
    database: PostgresServer
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1), repr=False)

    def payment(self, token: str = "tok_approve") -> dict[str, Any]:
        """A request of its own."""
        return {"amount": 1050, "currency": "EUR", "payment_token": token, "reference": f"order {next(self._numbers)}"}

    def post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        """Asks as a merchant does, with the key."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx.post(f"{self.url}/{path}", json=body, headers={"x-api-key": self.made.key, **named}, timeout=_SECONDS)

    def accepted(self, body: dict[str, Any], key: str) -> str:
        """The id of a payment that is taken in."""
        answer = self.post("process-payment", body, idempotency_key=key)
        assert answer.status_code == 202, answer.text
        return answer.json()["payment_id"]

    def status(self, payment_id: str) -> dict[str, Any]:
        """What /verify-payment tells of it."""
        answer = self.post("verify-payment", {"payment_id": payment_id})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def came_to(self, payment_id: str, state: str) -> dict[str, Any]:
        """The payment's status once it is in that state."""
        return eventually(lambda: found if (found := self.status(payment_id))["state"] == state else None)


def eventually(what: Callable[[], Any]) -> Any:
    """Waits until something is true, and answers it; fails after a minute."""
    deadline = time.monotonic() + _SECONDS
    while not (found := what()):
        assert time.monotonic() < deadline, f"it never came true within {_SECONDS} s"
        time.sleep(0.1)
    return found


@pytest.fixture(scope="package")
def flow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flow]:
    """One deployment for all tests of this folder; each has payments of its own."""
    home = tmp_path_factory.mktemp("flow")
    packages = ensure(platform=this_machine())
    cloud, _ = control.start(home / "cloud")
    try:
        with PostgresServer(home / "postgres", authority=local_authority(), names=[DATABASE_HOST], durable=False) as server:
            server.create_role(USER, PASSWORD)
            server.create_database(DATABASE, USER)
            aws = Aws("100000000777", "us-east-1", cloud.endpoint)
            made = deploy(aws, home, server.port)
            settings = Settings(
                folder=home / "served",
                packages=lambda: packages,
                variables=lambda _: {"PGHOSTADDR": server.address},
                schedule_every=2.0,
                redelivery=2,
                most_processes=1,
                refresh=0.0,
            )
            service = Service(aws, settings)
            service.start()
            try:
                error, answer = service.invoke(MIGRATE_DATABASE.name, b"{}")
                assert error is None, answer
                service.warm()
                service.start_feeding()
                (url,) = service.urls.values()
                yield Flow(aws, made, url, server)
            finally:
                service.stop(5.0)
    finally:
        control.stop(home / "cloud")
