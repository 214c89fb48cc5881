"""What the infrastructure is told about the functions is what the code does."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from payments import clients
from payments.functions import FUNCTIONS, PAYMENT_WORKER, PROCESS_PAYMENT, VERIFY_PAYMENT, Function
from payments.settings import PaymentWorkerSettings, ProcessPaymentSettings, Settings, SettingsError, VerifyPaymentSettings, load
from tests.payments.service import REQUEST, Service

ROOT = Path(__file__).parents[2]
SETTINGS: dict[Function, type[Settings]] = {
    PROCESS_PAYMENT: ProcessPaymentSettings,
    VERIFY_PAYMENT: VerifyPaymentSettings,
    PAYMENT_WORKER: PaymentWorkerSettings,
}
each = pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)


def imported(statement: str) -> set[str]:
    """What a fresh interpreter has imported after a statement."""
    program = f"import sys; {statement}; import json; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


@each
def test_the_declared_variables_are_those_of_the_functions_settings(function: Function) -> None:
    wanted = {name.upper() for name in SETTINGS[function].model_fields}
    assert set(function.environment) == wanted
    assert load(SETTINGS[function], dict.fromkeys(wanted, "value"))


@each
def test_every_missing_variable_is_named_at_once(function: Function) -> None:
    with pytest.raises(SettingsError) as refused:
        load(SETTINGS[function], {})
    assert all(f"{name}: is missing" in str(refused.value) for name in function.environment)


def test_only_declared_services_are_called(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: set[str] = set()
    client = clients.client

    def noted(name: str) -> Any:
        asked.add(name)
        return client(name)

    for module in ("storage.transaction_log", "storage.sessions", "messaging.work_queue", "messaging.events"):
        monkeypatch.setattr(f"payments.{module}.client", noted)
    made = service.process({**REQUEST, "session_id": "s"})[1]["payment_id"]
    assert asked == set(PROCESS_PAYMENT.services)
    asked.clear()
    service.verify({"payment_id": made})
    assert asked == set(VERIFY_PAYMENT.services)
    messages = service.taken()
    asked.clear()
    service.work(*messages)
    assert asked == set(PAYMENT_WORKER.services)


def test_the_declarations_import_nothing_that_a_deployment_program_does_not_have() -> None:
    assert not imported("import payments.functions") & {"boto3", "botocore", "pydantic", "aws_lambda_powertools"}


def test_the_domain_imports_no_sdk() -> None:
    assert not imported("import payments.domain.payment, payments.domain.card_data") & {"boto3", "botocore", "aws_lambda_powertools"}


@each
def test_a_handler_imports_what_its_route_needs_and_makes_no_client(function: Function) -> None:
    modules = imported(f"from {function.module} import handler; from payments import clients; assert clients.client.cache_info().currsize == 0")
    own = {name.removeprefix("payments.") for name in modules if name.startswith("payments.")}
    others = {other.module.removeprefix("payments.") for other in FUNCTIONS if other is not function}
    needed = {
        PROCESS_PAYMENT.name: {"service.accepting", "messaging.work_queue", "storage.sessions"},
        VERIFY_PAYMENT.name: {"service.verifying"},
        PAYMENT_WORKER.name: {"service.submitting", "messaging.work_queue", "messaging.events"},
    }
    routes = {module for modules_ in needed.values() for module in modules_}
    assert own & routes == needed[function.name]
    assert not own & others
    assert not modules & {"moto", "pulumi", "rich", "psycopg", "redis"}
    assert not {name for name in modules if name.partition(".")[0] in {"shared", "ops", "projects", "localcloud", "tests"}}


def test_every_handler_module_is_declared() -> None:
    found = {path.stem for path in (ROOT / "payments" / "handlers").glob("*.py")} - {"__init__"}
    assert found == {function.module.rpartition(".")[2] for function in FUNCTIONS}
    assert [function.name for function in FUNCTIONS] == ["process-payment", "verify-payment", "payment-worker"]
