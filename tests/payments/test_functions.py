"""What the infrastructure is told about the functions is what the code does."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from payments import clients
from payments.functions import (
    FUNCTIONS,
    MIGRATE_DATABASE,
    OUTBOX_RELAY,
    PAYMENT_WORKER,
    PROCESS_PAYMENT,
    VERIFY_PAYMENT,
    Function,
    Metric,
    Store,
    Variable,
    functions_for,
)
from payments.settings import (
    DatabaseSettings,
    MigrateDatabaseSettings,
    OutboxRelaySettings,
    PaymentWorkerSettings,
    ProcessPaymentSettings,
    Settings,
    SettingsError,
    StorageSettings,
    TableSettings,
    VerifyPaymentSettings,
    load,
)
from tests.payments.service import REQUEST, Service, invoke, scheduled_event

ROOT = Path(__file__).parents[2]
SETTINGS: dict[str, type[Settings]] = {
    PROCESS_PAYMENT.name: ProcessPaymentSettings,
    VERIFY_PAYMENT.name: VerifyPaymentSettings,
    PAYMENT_WORKER.name: PaymentWorkerSettings,
    OUTBOX_RELAY.name: OutboxRelaySettings,
    MIGRATE_DATABASE.name: MigrateDatabaseSettings,
}
NEEDED: dict[str, set[str]] = {
    PROCESS_PAYMENT.name: {"routes.process_payment", "service.accepting", "messaging.work_queue", "gateway"},
    VERIFY_PAYMENT.name: {"routes.verify_payment", "service.verifying", "gateway"},
    PAYMENT_WORKER.name: {"service.working", "service.advancing", "service.projecting", "messaging.dead_letters", "messaging.work_queue",
                          "messaging.events", "processors.factory", "storage.receipts", "storage.transaction_log"},
    OUTBOX_RELAY.name: {"service.relaying", "service.projecting", "messaging.work_queue", "messaging.events", "storage.audit_trail",
                        "storage.receipts", "storage.transaction_log"},
    MIGRATE_DATABASE.name: {"storage.postgres.migrating", "storage.postgres.schema"},
}  # fmt: skip
# Of the store that the environment has; of the other one nothing at all.
NEEDED_OF_STORE: dict[str, set[str]] = {
    PROCESS_PAYMENT.name: {"store", "payments", "outbox"},
    VERIFY_PAYMENT.name: {"store", "payments"},
    PAYMENT_WORKER.name: {"store", "payments", "outbox"},
    OUTBOX_RELAY.name: {"store", "outbox", "idempotency", "audit_chain"},
    MIGRATE_DATABASE.name: set(),
}
PARTS_OF_STORE = {"store", "payments", "outbox", "idempotency", "audit_chain", "ledger", "migrating"}
each = pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)


URL = "postgresql://database.example.com:5432/payments?sslmode=verify-full"
USABLE = {
    "DATABASE_URL": URL,
    "MAX_RECEIVES": "5",
    "PROCESSOR": "sandbox",
    "API_URL": "https://api.example.com/v1",
    "CACHE_URL": "rediss://:x@cache.example.com:6379/0",
}


def values(function: Function, store: Store = "relational") -> dict[str, str]:
    """Usable values of all the function's variables."""
    return {name: USABLE.get(name, "value") for name in (*function.needs(store), *function.optional)}


def imported(statement: str) -> set[str]:
    """What a fresh interpreter has imported after a statement."""
    program = f"import sys; {statement}; import json; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


@each
def test_the_declared_variables_are_those_of_the_functions_settings(function: Function) -> None:
    fields = SETTINGS[function.name].model_fields
    groups = [set(function.needs(store)) for store in function.stores]
    required = set[Variable].intersection(*groups)
    assert {name.upper() for name, field in fields.items() if field.is_required()} == required
    assert {name.upper() for name, field in fields.items() if not field.is_required()} == {*function.optional, *set[Variable].union(*groups) - required}
    for store in function.stores:
        assert load(SETTINGS[function.name], values(function, store))


@each
def test_every_missing_variable_is_named_at_once(function: Function) -> None:
    with pytest.raises(SettingsError) as refused:
        load(SETTINGS[function.name], {})
    assert all(f"{name}: is missing" in str(refused.value) for name in function.environment)
    assert all(name in str(refused.value) for store in function.stores for name in function.needs(store))


@pytest.mark.parametrize("function", functions_for("dynamodb"), ids=lambda function: function.name)
def test_payments_are_kept_in_one_place(function: Function) -> None:
    model = SETTINGS[function.name]
    assert issubclass(model, StorageSettings)
    relational, table = values(function), values(function, "dynamodb")
    assert load(model, relational).place == DatabaseSettings("database.example.com", 5432, "payments", "value")
    assert load(model, table).place == TableSettings("value")
    with pytest.raises(SettingsError, match="PAYMENTS_TABLE and DATABASE_URL and DATABASE_SECRET_ARN are set, and payments are kept in one place"):
        load(model, relational | table)
    for missing, given in (("DATABASE_URL", "DATABASE_SECRET_ARN"), ("DATABASE_SECRET_ARN", "DATABASE_URL")):
        with pytest.raises(SettingsError, match=f"{missing}: is missing, and {given} needs it"):
            load(model, {name: value for name, value in relational.items() if name != missing})


def test_what_migrates_a_schema_is_where_there_is_one() -> None:
    assert functions_for("relational") == FUNCTIONS
    assert set(FUNCTIONS) - set(functions_for("dynamodb")) == {MIGRATE_DATABASE}


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("postgresql://user:secret@database.example.com:5432/payments?sslmode=verify-full", "must not hold a user or a password"),
        ("postgresql://user@database.example.com:5432/payments?sslmode=verify-full", "must not hold a user or a password"),
        ("postgresql://database.example.com:5432/payments", "must end with [?]sslmode=verify-full"),
        ("postgresql://database.example.com:5432/payments?sslmode=require", "must end with [?]sslmode=verify-full"),
        ("postgresql://database.example.com:5432/payments?sslmode=verify-full&host=elsewhere", "must end with [?]sslmode=verify-full"),
        ("postgresql://database.example.com:5432/?sslmode=verify-full", "must be postgresql://host:port/name"),
        ("postgresql:///payments?sslmode=verify-full", "must be postgresql://host:port/name"),
        ("mysql://database.example.com:5432/payments?sslmode=verify-full", "must be postgresql://host:port/name"),
        ("postgresql://database.example.com:0/payments?sslmode=verify-full", "must have a port from 1 to 65535"),
        ("postgresql://database.example.com:port/payments?sslmode=verify-full", "must have a port from 1 to 65535"),
    ],
)
def test_a_database_url_names_a_place_and_nothing_else(url: str, rule: str) -> None:
    with pytest.raises(SettingsError, match=f"DATABASE_URL: {rule}") as refused:
        load(VerifyPaymentSettings, {**values(VERIFY_PAYMENT), "DATABASE_URL": url})
    assert "secret@" not in str(refused.value)


def test_a_database_url_is_what_its_parts_make() -> None:
    made = DatabaseSettings("database.example.com", 5433, "the payments", "arn")
    assert load(VerifyPaymentSettings, {**values(VERIFY_PAYMENT), "DATABASE_URL": made.url, "DATABASE_SECRET_ARN": "arn"}).place == made
    without = {**values(VERIFY_PAYMENT), "DATABASE_URL": made.url.replace(":5433", ""), "DATABASE_SECRET_ARN": "arn"}
    assert load(VerifyPaymentSettings, without).place == DatabaseSettings("database.example.com", 5432, "the payments", "arn")


@pytest.mark.parametrize("function", [PAYMENT_WORKER, OUTBOX_RELAY], ids=lambda function: function.name)
def test_sessions_need_a_place(function: Function) -> None:
    places = ("SESSIONS_TABLE", "CACHE_SECRET_ARN", "CACHE_URL")
    bare = {name: value for name, value in values(function).items() if name not in places}
    with pytest.raises(SettingsError, match="SESSIONS_TABLE is missing, and so is a cache to keep sessions in"):
        load(SETTINGS[function.name], bare)
    for place in places:
        assert load(SETTINGS[function.name], {**bare, place: values(function)[place]})


@pytest.mark.parametrize(
    ("name", "value"), [("DATABASE_URL", ""), ("API_URL", "ftp://x"), ("CACHE_URL", "x"), ("MAX_RECEIVES", "0"), ("PROCESSOR", "cash"), ("STAGE", "")]
)
def test_an_unusable_variable_is_named_without_its_value(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"{name}: ") as refused:
        load(PaymentWorkerSettings, {**values(PAYMENT_WORKER), name: value})
    assert f"'{value}'" not in str(refused.value).replace("'sandbox'", "")


def test_stripe_needs_its_key() -> None:
    wanted = {**values(PAYMENT_WORKER), "PROCESSOR": "stripe"}
    assert load(PaymentWorkerSettings, wanted).processor == "stripe"
    del wanted["PROCESSOR_SECRET_ARN"]
    with pytest.raises(SettingsError, match="PROCESSOR_SECRET_ARN is missing, and PROCESSOR=stripe needs it"):
        load(PaymentWorkerSettings, wanted)


def test_only_declared_services_are_called(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: set[str] = set()
    client = clients.client

    def noted(name: str) -> Any:
        asked.add(name)
        return client(name)

    def of(call: Callable[[], Any]) -> set[str]:
        asked.clear()
        call()
        return set(asked)

    for module in list(sys.modules.values()):
        if module.__name__.startswith("payments.") and getattr(module, "client", None) is client:
            monkeypatch.setattr(module, "client", noted)
    assert of(lambda: service.process({**REQUEST, "session_id": "s"})) | {"dynamodb"} == set(PROCESS_PAYMENT.services)
    messages = service.taken()
    assert of(lambda: service.work(*messages, "not work")) | {"secretsmanager"} == set(PAYMENT_WORKER.services)
    assert of(lambda: service.verify({"reference": REQUEST["reference"]})) <= set(VERIFY_PAYMENT.services)
    monkeypatch.setattr("payments.service.relaying.WORK_AGE", 0.0)
    service.rows("UPDATE outbox SET sent_at = NULL")
    assert of(service.relay) | {"secretsmanager"} == set(OUTBOX_RELAY.services)
    assert of(lambda: invoke(MIGRATE_DATABASE, scheduled_event())) <= set(MIGRATE_DATABASE.services)


def test_the_declarations_import_nothing_that_a_deployment_program_does_not_have() -> None:
    assert not imported("import payments.functions") & {"boto3", "botocore", "pydantic", "aws_lambda_powertools", "psycopg"}


def test_the_domain_imports_no_sdk() -> None:
    modules = imported("import payments.domain.payment, payments.domain.card_data, payments.domain.audit, payments.domain.ledger")
    assert not modules & {"boto3", "botocore", "aws_lambda_powertools", "psycopg"}


@pytest.mark.parametrize(
    ("function", "store"), [(function, store) for function in FUNCTIONS for store in function.stores], ids=lambda value: getattr(value, "name", value)
)
def test_a_handler_imports_what_its_route_needs_and_makes_no_client(function: Function, store: Store) -> None:
    place = "import os; os.environ['PAYMENTS_TABLE'] = 'payments'; " if store == "dynamodb" else ""
    modules = imported(f"{place}from {function.module} import handler; from payments import clients; assert not clients.made()")
    own = {name.removeprefix("payments.") for name in modules if name.startswith("payments.")}
    others = {other.module.removeprefix("payments.") for other in FUNCTIONS if other is not function}
    kind, other = ("postgres", "dynamodb") if store == "relational" else ("dynamodb", "postgres")
    parts = {module for needed in NEEDED.values() for module in needed} | {f"storage.{kind}.{part}" for part in PARTS_OF_STORE}
    allowed = NEEDED[function.name] | {f"storage.{kind}.{part}" for part in NEEDED_OF_STORE[function.name]}
    # What recovers keys in the table completes them as the payments do, and what takes payments in names rows as the outbox does.
    follows = {"storage.dynamodb.payments", "storage.dynamodb.outbox"} if kind == "dynamodb" else set[str]()
    assert allowed <= own & parts <= allowed | follows
    assert not {name for name in own if name.startswith(f"storage.{other}.")}
    assert not own & others
    only = {"stripe": set[str](), "aws_xray_sdk": set[str](), "yoyo": {MIGRATE_DATABASE.name}, "tenacity": {PAYMENT_WORKER.name}}
    assert not {name for name, of in only.items() if name in modules and function.name not in of}
    assert not modules & {"moto", "pulumi", "rich", "redis", "starlette", *({"psycopg"} if kind == "dynamodb" else ())}
    assert not {name for name in modules if name.partition(".")[0] in {"shared", "ops", "projects", "localcloud", "tests"}}


def test_every_handler_module_is_declared() -> None:
    found = {path.stem for path in (ROOT / "payments" / "handlers").glob("*.py")} - {"__init__"}
    assert found == {function.module.rpartition(".")[2] for function in FUNCTIONS}


def test_every_metric_is_counted_somewhere() -> None:
    sources = "".join(path.read_text() for path in (ROOT / "payments").rglob("*.py") if path.name != "functions.py")
    assert [metric.name for metric in Metric if f"Metric.{metric.name}" not in sources] == []
