"""The committed document is what the code makes, is compatible with the released one, and is what the handlers do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st
from openapi_spec_validator import validate
from pydantic import ValidationError

from payments.domain.currency import MINOR_DIGITS
from payments.domain.payment import LARGEST_AMOUNT, PaymentRequest
from payments.openapi import document, text
from payments.service.verifying import VerifyRequest
from payments.storage.postgres.payments import KeyInProgress, PostgresPayments
from tests.payments.openapi.compatibility import breaks
from tests.payments.service import REQUEST, Service

DOCS = Path(__file__).parents[3] / "docs"
DOCUMENT = document()
UUID = "7a0b6d0e-6c0f-5a3e-9d0a-3f1f5a1c2b47"


def conforms(schema: dict[str, Any], value: Any) -> bool:
    return jsonschema.Draft202012Validator({**schema, "components": DOCUMENT["components"]}).is_valid(value)


def accepted(model: Any, value: Any) -> bool:
    try:
        model.model_validate(value)
    except ValidationError:
        return False
    return True


def test_the_committed_document_is_what_the_code_makes() -> None:
    assert (DOCS / "openapi.json").read_text() == text(), "stale: run `python -m payments.openapi > docs/openapi.json`"


def test_it_is_an_openapi_document() -> None:
    validate(DOCUMENT)


def test_it_is_compatible_with_the_released_one() -> None:
    released = json.loads((DOCS / "openapi.released.json").read_text())
    assert breaks(released, DOCUMENT) == [], "callers would break; serve the change under another path, or release another major version"


near_payments = st.fixed_dictionaries(
    {
        "amount": st.integers(-1, 2) | st.just(LARGEST_AMOUNT) | st.just(LARGEST_AMOUNT + 1) | st.text(max_size=2),
        "currency": st.sampled_from([*sorted(MINOR_DIGITS)[:5], "eur", "XXX", ""]),
        "payment_token": st.from_regex(r"[A-Za-z0-9_.:-]{0,260}", fullmatch=True),
        "reference": st.text(alphabet=" ab\n\u00e9\u00a0", max_size=6) | st.just("x" * 129),
    },
    optional={
        "session_id": st.none() | st.from_regex(r"[A-Za-z0-9_ -]{0,130}", fullmatch=True),
        "metadata": st.dictionaries(st.text(max_size=2), st.none() | st.integers(), max_size=52) | st.none(),
        "colour": st.just("red"),
    },
)
near_questions = st.dictionaries(st.sampled_from(["payment_id", "reference", "colour"]), st.sampled_from([UUID, UUID.upper(), "order 7", "", " ", None, 7]))


@given(near_payments)
def test_the_document_takes_the_payments_that_the_service_takes(value: Any) -> None:
    assert conforms({"$ref": "#/components/schemas/PaymentRequest"}, value) == accepted(PaymentRequest, value)


@given(near_questions)
def test_the_document_takes_the_questions_that_the_service_takes(value: Any) -> None:
    taken = accepted(VerifyRequest, value)
    assert conforms({"$ref": "#/components/schemas/VerifyRequest"}, value) == taken or not str(value.get("reference", "x")).strip()


def told(path: str, answer: dict[str, Any]) -> int:
    """The status, after a look at whether the document has this answer."""
    about = DOCUMENT["paths"][path]["post"]["responses"][str(answer["statusCode"])]
    content = about["content"][answer["headers"]["Content-Type"]]
    assert conforms(content["schema"], json.loads(answer["body"])), answer["body"]
    for header, rule in about.get("headers", {}).items():
        assert header in answer["headers"] or not rule.get("required")
    if answer["headers"]["Content-Type"] == "application/problem+json":
        assert f"`{json.loads(answer['body'])['type']}`" in about["description"]
    return answer["statusCode"]


def test_every_answer_is_in_the_document(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def raising(error: Exception) -> int:
        def fail(*_: Any, **__: Any) -> None:
            raise error

        with monkeypatch.context() as patched:
            patched.setattr(PostgresPayments, "accept", fail)
            return told("/process-payment", service.process(REQUEST, "other")[2])

    process = [
        service.process(REQUEST),
        service.process(REQUEST),
        service.process({**REQUEST, "amount": 1}),
        service.process(REQUEST, "b"),
        service.process({**REQUEST, "amount": 0}, "c"),
        service.process({**REQUEST, "cvv": "1"}, "c"),
        service.process("{", "c"),
        service.process(REQUEST, None),
        service.process({**REQUEST, "reference": "x" * 33_000}, "c"),
    ]
    assert [told("/process-payment", answer) for _, _, answer in process] == [202, 202, 422, 409, 400, 400, 400, 400, 413]
    busy = ClientError({"Error": {"Code": "ThrottlingException"}}, "GetSecretValue")
    assert [raising(error) for error in (KeyInProgress(), busy, RuntimeError())] == [409, 503, 500]
    service.work(*service.taken())
    verify = [service.verify({"reference": "order 7"}), service.verify({"reference": "order 8"}), service.verify({})]
    assert [told("/verify-payment", answer) for _, _, answer in verify] == [200, 404, 400]


@pytest.mark.parametrize("token", ["tok_decline", "tok_of_nobody"])
def test_a_history_with_a_reason_is_in_the_document(service: Service, token: str) -> None:
    [made] = service.accepted("a", payment_token=token)
    service.work(*service.taken())
    assert told("/verify-payment", service.verify({"payment_id": made})[2]) == 200
