"""The password comes from Secrets Manager, is read once, and again when the database refuses it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from moto import mock_aws

from payments import clients
from payments.settings import DatabaseSettings
from payments.storage.postgres import database as module
from payments.storage.postgres.credentials import Credentials, CredentialsError, Login
from payments.storage.postgres.database import DatabaseUnavailable, from_settings
from tests.payments.postgres import PASSWORD, USER, Known, TestDatabase

REGION = "us-east-1"


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Secrets Manager."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    # Clients that other tests left belong to their own clouds.
    monkeypatch.setattr(clients, "_clients", {})
    with mock_aws():
        session: Any = boto3
        yield session.client("secretsmanager", REGION)


def secret(secrets: Any, content: str) -> str:
    return secrets.create_secret(Name="database", SecretString=content)["ARN"]


def login(user: str = USER, password: str = PASSWORD) -> str:
    return json.dumps({"username": user, "password": password, "engine": "postgres"})


def test_the_secret_is_read_once_and_again_after_it_was_forgotten(secrets: Any) -> None:
    credentials = Credentials(secret(secrets, login(password="one")))
    assert credentials.current() == Login(USER, "one")
    secrets.put_secret_value(SecretId="database", SecretString=login(password="two"))
    assert credentials.current() == Login(USER, "one")
    credentials.forget(Login(USER, "another"))
    assert credentials.current() == Login(USER, "one")
    credentials.forget(Login(USER, "one"))
    assert credentials.current() == Login(USER, "two")
    secrets.put_secret_value(SecretId="database", SecretString=login(password="three"))
    credentials.forget()
    assert credentials.current() == Login(USER, "three")


@pytest.mark.parametrize(
    "content", ["hidden", '["hidden"]', '{"username": "hidden"}', '{"username": "hidden", "password": 7}', '{"username": "", "password": "hidden"}']
)
def test_an_unusable_secret_is_named_and_not_shown(secrets: Any, content: str) -> None:
    arn = secret(secrets, content)
    with pytest.raises(CredentialsError) as refused:
        Credentials(arn).current()
    assert arn in str(refused.value)
    assert "hidden" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_threads_that_find_it_empty_read_it_once() -> None:
    known = Known()
    together = threading.Barrier(4)

    def read(_: int) -> Login:
        together.wait()
        return known.current()

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(read, range(4))) == {Login(USER, PASSWORD)}
    assert known.reads == 1


def test_after_a_rotation_the_new_password_is_read_and_open_connections_go_on(
    test_database: TestDatabase, secrets: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the secret and the server both changed, as a rotation does, between two connections of one process."""
    user = f"rotated_{test_database.name}"
    test_database.server.create_role(user, "one")
    arn = secret(secrets, login(user, "one"))
    monkeypatch.setattr(module, "TRUST_BUNDLE", test_database.server.authority.certificate)
    from_settings.cache_clear()
    settings = DatabaseSettings(test_database.host, test_database.port, test_database.name, arn)
    database = from_settings(settings)
    assert from_settings(settings) is database
    assert database.run("SELECT current_user") == [(user,)]

    test_database.server.create_role(user, "two")
    secrets.put_secret_value(SecretId="database", SecretString=login(user, "two"))
    assert database.run("SELECT current_user") == [(user,)]
    database.close()
    assert database.run("SELECT current_user") == [(user,)]
    database.close()
    from_settings.cache_clear()


def test_a_password_that_stays_wrong_is_tried_once(test_database: TestDatabase) -> None:
    known = Known(password="wrong")
    with pytest.raises(DatabaseUnavailable, match="password authentication failed") as refused:
        test_database.connector(known)()
    assert known.reads == 2
    assert "wrong" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None


def test_a_new_password_is_tried_once_too(test_database: TestDatabase) -> None:
    known = Known(password="wrong", later=(USER, "wrong as well"))
    with pytest.raises(DatabaseUnavailable):
        test_database.connector(known)()
    assert known.reads == 2
    known = Known(password="wrong", later=(USER, PASSWORD))
    test_database.connector(known)().close()
    assert known.reads == 2
