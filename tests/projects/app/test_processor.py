"""A payment processor with a key of its own: who is told of it, and who may read the key."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from payments.functions import FUNCTIONS, PAYMENT_WORKER, Function
from tests.projects.app.upstream import STRIPE, deployed, name, statements
from tests.projects.harness import Cloud

OTHERS = pytest.mark.parametrize("function", [function for function in FUNCTIONS if function is not PAYMENT_WORKER], ids=lambda function: function.name)


@pytest.fixture(scope="module")
def stripe() -> Iterator[Cloud]:
    with deployed("staging", **{"app:processor": STRIPE}) as cloud:
        yield cloud


def told(cloud: Cloud, function: Function) -> dict[str, str]:
    """What a function's variables say of the processor."""
    about = cloud.client("lambda").get_function_configuration(FunctionName=name(cloud, function.name))
    return {name: value for name, value in about["Environment"]["Variables"].items() if name.startswith("PROCESSOR")}


def test_the_worker_is_told_what_the_page_says(stripe: Cloud) -> None:
    expected = {"PROCESSOR": "stripe", "PROCESSOR_SECRET_ARN": STRIPE["secretArn"], "PROCESSOR_ENDPOINT": STRIPE["endpoint"]}
    assert told(stripe, PAYMENT_WORKER) == expected


def test_the_worker_may_read_the_key_and_use_the_key_of_the_key_for_that_alone(stripe: Cloud) -> None:
    found = statements(stripe, PAYMENT_WORKER.name)
    secret, key = found["ProcessorSecret"], found["ProcessorSecretKey"]
    assert (secret["Action"], secret["Resource"]) == (["secretsmanager:GetSecretValue"], [STRIPE["secretArn"]])
    assert (key["Action"], key["Resource"]) == (["kms:Decrypt"], [STRIPE["secretKeyArn"]])
    assert key["Condition"] == {"StringEquals": {"kms:ViaService": "secretsmanager.us-east-1.amazonaws.com"}}


@OTHERS
def test_nobody_else_is_told_or_may_read_it(stripe: Cloud, function: Function) -> None:
    assert told(stripe, function) == {}
    named = [arn for statement in statements(stripe, function.name).values() for arn in statement["Resource"]]
    assert STRIPE["secretArn"] not in named
    assert STRIPE["secretKeyArn"] not in named


def test_a_secret_under_awss_own_key_needs_no_key_of_ours() -> None:
    page = {key: value for key, value in STRIPE.items() if key != "secretKeyArn"}
    with deployed("dev", **{"app:processor": page}) as cloud:
        found = statements(cloud, PAYMENT_WORKER.name)
        assert "ProcessorSecret" in found
        assert "ProcessorSecretKey" not in found
