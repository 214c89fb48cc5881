"""Card data that a client sends by mistake, and the API's logs: what the models say of it, who repeats that, and what CloudWatch Logs masks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock

import jsonschema
import pytest

from localcloud.serve.deployed import read
from localcloud.serve.functions import Functions
from localcloud.serve.gateway import Gateway
from localcloud.serve.http1 import Request
from localcloud.serve.logs import LogWriter
from payments.domain.payment import LARGEST_AMOUNT
from payments.functions import PROCESS_PAYMENT
from projects.app.routes import ROUTES
from shared import packages
from tests.payments.service import REQUEST
from tests.payments.test_secrecy import NUMBERS, with_number
from tests.projects.app.test_routes import SCHEMAS
from tests.projects.app.upstream import name, outputs
from tests.projects.harness import Cloud

# Rows as short and as long as a card number can be, which no documentation's are.
LENGTHS = (NUMBERS[0][:13], f"{NUMBERS[0]}424")

# What the model refuses with the number in its words; without; and what it takes, for the function to refuse, whose log has no values.
QUOTED = {"amount", "key", "spaced token", "spaced session", "currency", "question"}
NAMED = {"unknown field"}
TAKEN = {"reference", "payment_token", "metadata key", "nested", "number", "float", "dashes"}


def spaced(number: str, separator: str = " ", *, by: int = 4) -> str:
    return separator.join(number[at : at + by] for at in range(0, len(number), by))


def bodies(number: str) -> dict[str, dict[str, Any]]:
    """By what is tried, as `tests/payments/test_secrecy.py` sends them to the service, and what only a model refuses."""
    return {
        **with_number(number),
        "spaced token": {**REQUEST, "payment_token": spaced(number)},
        "spaced session": {**REQUEST, "session_id": spaced(number)},
        "currency": {**REQUEST, "currency": number},
    }


# The words of json-schema-validator, with which API Gateway says what does not fit, by JSON schema's keyword.
WORDS = {
    "additionalProperties": "object instance has properties which are not allowed by the schema: {keys}",
    "enum": 'instance value ("{instance}") not found in enum (possible values: {value})',
    "maximum": "numeric instance is greater than the required maximum (maximum: {value}, found: {instance})",
    "pattern": 'ECMA 262 regex "{value}" does not match input string "{instance}"',
}


def said(error: jsonschema.ValidationError) -> str:
    instance: Any = error.instance
    schema: Any = error.schema
    keys = json.dumps(sorted(set(instance) - set(schema["properties"]))) if error.validator == "additionalProperties" else ""
    return WORDS[str(error.validator)].format(instance=instance, value=error.validator_value, keys=keys)


def told(number: str) -> dict[str, str]:
    """What API Gateway writes into the execution log of each body that does not fit the model."""
    found = {tried: [said(error) for error in SCHEMAS[PROCESS_PAYMENT].iter_errors(body)] for tried, body in bodies(number).items()}
    found["question"] = [f'ECMA 262 regex "{ROUTES[1].schema["properties"]["payment_id"]["pattern"]}" does not match input string "{number}"']
    start = "Request body does not match model schema for content type application/json: "
    return {tried: f"{start}{errors}" for tried, errors in found.items() if errors}


def digits(text: str) -> str:
    return "".join(re.findall("[0-9]", text))


def protection(cloud: Cloud) -> dict[str, Any]:
    """The data protection policy of the execution log."""
    [api] = cloud.client("apigateway").get_rest_apis()["items"]
    group = f"API-Gateway-Execution-Logs_{api['id']}/{cloud.environment.platform.stage}"
    found: dict[str, Any] = json.loads(cloud.client("logs").get_data_protection_policy(logGroupIdentifier=group)["policyDocument"])
    return found


@pytest.fixture(scope="module")
def number_of_a_card(staging: Cloud) -> re.Pattern[str]:
    """The pattern by which CloudWatch Logs finds numbers without a keyword."""
    [own] = protection(staging)["Configuration"]["CustomDataIdentifier"]
    return re.compile(own["Regex"], re.ASCII)


@pytest.mark.parametrize("number", NUMBERS)
def test_what_the_model_says_of_a_number_and_the_log_has_it_masked(number_of_a_card: re.Pattern[str], number: str) -> None:
    found = told(number)
    assert {tried for tried, text in found.items() if number in digits(text)} == QUOTED
    assert set(found) - QUOTED == NAMED
    assert set(bodies(number)) - set(found) == TAKEN
    for tried, text in found.items():
        assert number not in digits(number_of_a_card.sub("*", text)), tried


@pytest.fixture
def lines(staging: Cloud) -> Iterator[tuple[Gateway, Mock]]:
    """The API as it is deployed, and where its access log goes."""
    logs = Mock(spec=LogWriter)
    gateway = Gateway(Mock(spec=Functions), logs)
    gateway.update(read(staging.aws, {name(staging, word): packages.package_file(word) for word in outputs(staging)["functionNames"]}))
    yield gateway, logs
    gateway.stop()


@pytest.mark.parametrize("number", NUMBERS)
def test_neither_the_access_log_nor_the_answer_repeats_what_the_model_says(staging: Cloud, lines: tuple[Gateway, Mock], number: str) -> None:
    gateway, logs = lines
    [api] = staging.client("apigateway").get_rest_apis()["items"]
    headers = [("x-api-key", outputs(staging)["apiKey"]), ("Idempotency-Key", "k"), ("Content-Type", "application/json")]
    for tried in sorted(QUOTED - {"question"}):
        body = json.dumps(bodies(number)[tried]).encode()
        answer = gateway.answer(Request("POST", f"/{api['id']}/staging/process-payment", "HTTP/1.1", headers, body))
        assert (answer.status, json.loads(answer.body)["type"]) == (400, "urn:payments:problem:invalid-request"), tried
        assert number not in digits(answer.body.decode())
    written = [line for call in logs.write.call_args_list for _, line in call.args[2]]
    assert [json.loads(line)["error"] for line in written] == ["BAD_REQUEST_BODY"] * (len(QUOTED) - 1)
    assert all(number not in digits(line) for line in written)


def test_numbers_are_found_with_a_keyword_and_without(staging: Cloud) -> None:
    """As CloudWatch Logs wants it: "Custom data identifiers", and PutDataProtectionPolicy, "policyDocument"."""
    policy = protection(staging)
    [own] = policy["Configuration"]["CustomDataIdentifier"]
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,128}", own["Name"])
    assert re.fullmatch(r"[A-Za-z0-9_#=@/;, ^$?\[\]{}|\\*+.-]{1,200}", own["Regex"])
    managed = {f"arn:aws:dataprotection::aws:data-identifier/CreditCard{what}" for what in ("Number", "Expiration", "SecurityCode")}
    assert [set(statement["DataIdentifier"]) for statement in policy["Statement"]] == [{own["Name"], *managed}] * 2
    operations = [statement["Operation"] for statement in policy["Statement"]]
    assert operations == [{"Audit": {"FindingsDestination": {}}}, {"Deidentify": {"MaskConfig": {}}}]


@pytest.mark.parametrize("number", [*NUMBERS, *LENGTHS])
def test_a_number_is_found_whole_however_it_is_grouped(number_of_a_card: re.Pattern[str], number: str) -> None:
    ways = [number, *(spaced(number, separator, by=by) for separator in " -" for by in (4, 1)), f"{number[:4]} {number[4:10]} {number[10:]}"]
    for written in ways:
        for text in (written, f"n{written}", f'"payment_token":"{written}"', f"({written})"):
            assert number not in digits(number_of_a_card.sub("*", text)), text
            assert [digits(found) for found in number_of_a_card.findall(text)] == [number], text


@pytest.mark.parametrize(
    "text",
    [
        f'{{"amount": {LARGEST_AMOUNT}, "currency": "EUR"}}',
        "payment 7a0b6d0e-6c0f-5a3e-9d0a-3f1f5a1c2b47",
        "123456789012",
        "arn:aws:lambda:us-east-1:123456789012:function:process-payment-prod-pci",
        '"requestTimeEpoch": 1763761999123',
        "Sat Nov 21 21:53:19 UTC 2026 : HTTP Method: POST",
        "21/Nov/2026:21:53:19 +0000, 2026-11-21 21:53:19",
        "X-Forwarded-For=203.0.113.254, 198.51.100.254",
        "Root=1-65257b20-1234567890abcdef12345678",
        "0000000000000000",
    ],
)
def test_what_the_log_needs_stays_readable(number_of_a_card: re.Pattern[str], text: str) -> None:
    assert number_of_a_card.sub("*", text) == text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        # One in fifty random UUIDs has so many digits in a row; a request is then found by its neighbours in the log.
        ("7a0b6d0e-6c0f-4534-9012-34567890ab47", "7a0b6d0e-6c0f-*ab47"),
        ("order 2026112100000017", "order *"),
        ("2026-11-21 000017", "*"),
    ],
)
def test_what_is_taken_for_a_number_and_is_none(number_of_a_card: re.Pattern[str], text: str, masked: str) -> None:
    """The pattern knows no check digit: better a reference that cannot be read than a card number that can."""
    assert number_of_a_card.sub("*", text) == masked
