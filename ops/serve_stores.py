"""The deployed database's stand-in on this machine: a real PostgreSQL, under the endpoint and with the credentials that are deployed."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

from localcloud.stores.postgres import PORT, PostgresServer
from ops.package_trust import local_authority

if TYPE_CHECKING:
    from pathlib import Path

    from ops.deployed import Deployed

log = logging.getLogger("ops.serve")


class Database:
    """The database of an environment.

    folder: of the server and its data, which belong to one local cloud: its secrets are another's no more.
    Raises StoreError where PostgreSQL cannot be started, NotDeployedError where there is none to stand in for.
    """

    def __init__(self, where: Deployed, folder: Path) -> None:
        self._host, self._name = str(where.output("data", "databaseAddress")), str(where.output("data", "databaseName"))
        self._port = int(where.output("data", "databasePort"))
        self._secret_arn = where.output("data", "databaseSecretArn")
        self._secrets: Any = where.client("secretsmanager")
        self._login = ("", "")
        # What a crash of this machine would lose is lost with the local cloud anyway, which is in memory.
        self._server = PostgresServer(folder, authority=local_authority(), names=[self._host], durable=False)

    def start(self) -> None:
        """Starts the server, with the deployed master user and database."""
        self._server.start()
        self.keep_password()
        self._server.create_database(self._name, self._login[0])

    def keep_password(self) -> None:
        """Gives the master user the password that its secret has now: what a rotation by RDS does."""
        secret = json.loads(self._secrets.get_secret_value(SecretId=self._secret_arn)["SecretString"])
        login = (secret["username"], secret["password"])
        if login != self._login:
            self._server.create_role(*login)
            if self._login[0]:
                log.info("the database's password was rotated")
            self._login = login

    def stop(self) -> None:
        """Ends the server if this process started it."""
        self._server.__exit__(None, None, None)

    @property
    def variables(self) -> dict[str, str]:
        """What a function needs to find the server under the deployed name."""
        # libpq goes to this address and still verifies the certificate by the name (libpq, "hostaddr").
        found = {"PGHOSTADDR": self._server.address}
        # Where the system has one loopback address only, PostgreSQL could not have the port of the deployment.
        return found if self._server.port == self._port == PORT else {**found, "DATABASE_URL": self._url()}

    def _url(self) -> str:
        return f"postgresql://{self._host}:{self._server.port}/{self._name}?sslmode=verify-full"
