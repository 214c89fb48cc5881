"""The database's user name and password, kept until the database refuses them."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from typing import Any

from payments.clients import client


class CredentialsError(RuntimeError):
    """The secret does not hold what it should. The message never holds what it does hold."""


@dataclass(frozen=True)
class Login:
    """Whom the database is to let in."""

    user: str
    password: str = field(repr=False)


class Credentials:
    """Credentials in a Secrets Manager secret (JSON: `username`, `password`), read once and again after `forget`.

    Threads may share it: where several find it empty, one reads and the others wait for it.
    """

    def __init__(self, secret_arn: str) -> None:
        self._secret_arn = secret_arn
        self._lock = threading.Lock()
        self._login: Login | None = None

    def current(self) -> Login:
        """User name and password.

        Raises CredentialsError where the secret holds none, and what boto3 raises where it cannot be read.
        """
        with self._lock:
            if self._login is None:
                self._login = self._read()
            return self._login

    def forget(self, refused: Login | None = None) -> None:
        """Has the secret read again at the next call: after a rotation, the kept password is an old one.

        refused: what the database refused; where another thread has read newer ones meanwhile, these are kept.
        """
        with self._lock:
            if refused is None or refused == self._login:
                self._login = None

    def _read(self) -> Login:
        answer: dict[str, Any] = client("secretsmanager").get_secret_value(SecretId=self._secret_arn)
        try:
            content = json.loads(answer["SecretString"])
            return Login(_filled(content, "username"), _filled(content, "password"))
        except (KeyError, TypeError, ValueError):
            # The cause is left out: a JSON error quotes the text.
            raise CredentialsError(
                f"secret {self._secret_arn}: has to be JSON with the texts `username` and `password`. Put such a value into the secret."
            ) from None


def _filled(content: Any, name: str) -> str:
    value = content[name]
    if not isinstance(value, str) or not value:
        raise ValueError(name)
    return value
