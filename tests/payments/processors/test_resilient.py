"""Repetitions, the circuit breaker, the sandbox, and which processor settings mean."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from payments.processors.base import Approved, Charge, Declined, Outcome, Processor, ProcessorRefused, ProcessorUnavailable, Undecided
from payments.processors.factory import processor_from
from payments.processors.resilient import FAILURES_TO_OPEN, Resilient
from payments.processors.sandbox import Sandbox
from payments.settings import ProcessorSettings


def charge(token: str = "tok_approve", payment_id: str = "payment-1") -> Charge:
    return Charge(payment_id=payment_id, amount=1, currency="EUR", payment_token=token, merchant="merchant-1", reference="order 1")


class Counting:
    """A processor that counts how often it is asked, and does what it is told."""

    name = "counting"

    def __init__(self, does: Callable[[int], Outcome]) -> None:
        self.asked = 0
        self._does = does

    def authorize(self, charge: Charge) -> Outcome:
        self.asked += 1
        return self._does(self.asked)

    def capture(self, charge: Charge, processor_reference: str) -> Outcome:
        return self.authorize(charge)


def silent(_: int) -> Outcome:
    raise ProcessorUnavailable("no answer")


def undecided(_: int) -> Outcome:
    raise Undecided("processing")


def answered(processor: Processor) -> Outcome | None:
    """What the processor says; None where it says nothing, or is not asked."""
    try:
        return processor.authorize(charge())
    except ProcessorUnavailable:
        return None


def impatient(processor: Processor, rest: float = 60.0) -> Resilient:
    return Resilient(processor, attempts=3, first_pause=0.001, rest=rest)


def test_a_call_without_an_answer_is_made_again() -> None:
    processor = Counting(lambda asked: Approved("done") if asked == 3 else silent(asked))
    assert impatient(processor).authorize(charge()) == Approved("done")
    assert processor.asked == 3


def test_a_call_that_took_long_to_get_no_answer_is_not_made_again() -> None:
    processor = Counting(silent)
    with pytest.raises(ProcessorUnavailable):
        Resilient(processor, attempts=3, repetitions=0.0, first_pause=0.001).authorize(charge())
    assert processor.asked == 1


def test_repetitions_end() -> None:
    processor = Counting(silent)
    with pytest.raises(ProcessorUnavailable):
        impatient(processor).authorize(charge())
    assert processor.asked == 3


@pytest.mark.parametrize("operation", ["authorize", "capture"])
def test_an_answer_is_not_asked_for_again(operation: str) -> None:
    def refuses(_: int) -> Outcome:
        raise ProcessorRefused("for good")

    for does in (lambda _: Declined("no"), refuses):
        processor = Counting(does)
        arguments = (charge(),) if operation == "authorize" else (charge(), "reference")
        try:
            assert getattr(impatient(processor), operation)(*arguments) == Declined("no")
        except ProcessorRefused:
            assert does is refuses
        assert processor.asked == 1


def test_after_some_calls_in_a_row_without_an_answer_none_is_made() -> None:
    processor = Counting(silent)
    resilient = impatient(processor)
    for _ in range(FAILURES_TO_OPEN):
        with pytest.raises(ProcessorUnavailable):
            resilient.authorize(charge())
    before = processor.asked
    with pytest.raises(ProcessorUnavailable, match="is not asked"):
        resilient.authorize(charge())
    assert processor.asked == before


def test_after_its_rest_a_processor_is_asked_again() -> None:
    processor = Counting(lambda asked: Approved("back") if asked > 3 * FAILURES_TO_OPEN else silent(asked))
    resilient = impatient(processor, rest=0.01)
    for _ in range(FAILURES_TO_OPEN):
        with pytest.raises(ProcessorUnavailable):
            resilient.authorize(charge())
    deadline = time.monotonic() + 20.0
    while (answer := answered(resilient)) is None:
        assert time.monotonic() < deadline
    assert answer == Approved("back")


def test_answers_that_do_not_say_how_it_ends_stop_nobody() -> None:
    processor = Counting(lambda asked: Approved("another's") if asked > 3 * 2 * FAILURES_TO_OPEN else undecided(asked))
    resilient = impatient(processor)
    assert [answered(resilient) for _ in range(2 * FAILURES_TO_OPEN)] == [None] * 2 * FAILURES_TO_OPEN
    assert processor.asked == 3 * 2 * FAILURES_TO_OPEN
    assert answered(resilient) == Approved("another's")


def test_an_answer_in_between_keeps_the_breaker_closed() -> None:
    answers = iter([*[False] * (3 * (FAILURES_TO_OPEN - 1)), True, *[False] * 3, True])
    resilient = impatient(Counting(lambda asked: Approved("done") if next(answers) else silent(asked)))
    outcomes: list[bool] = []
    for _ in range(FAILURES_TO_OPEN + 2):
        try:
            resilient.authorize(charge())
            outcomes.append(True)
        except ProcessorUnavailable:
            outcomes.append(False)
    assert outcomes == [*[False] * (FAILURES_TO_OPEN - 1), True, False, True]


def test_the_sandbox_does_what_the_token_says() -> None:
    sandbox = Sandbox(slow=0.001)
    approved = sandbox.authorize(charge())
    assert isinstance(approved, Approved)
    assert sandbox.authorize(charge()) == approved == Sandbox().authorize(charge()), "one operation has one reference"
    assert sandbox.capture(charge(), approved.reference) != approved
    assert sandbox.authorize(charge(payment_id="payment-2")) != approved
    assert isinstance(sandbox.capture(charge("tok_slow"), "any"), Approved)
    assert sandbox.authorize(charge("tok_decline")) == Declined("card_declined")
    for token, code in {"tok_invalid": "invalid_token", "tok_unheard_of": "unknown_token"}.items():
        with pytest.raises(ProcessorRefused) as refused:
            sandbox.authorize(charge(token))
        assert refused.value.code == code


def test_the_sandboxs_silences() -> None:
    sandbox = Sandbox()
    for _ in range(2):
        with pytest.raises(ProcessorUnavailable):
            sandbox.authorize(charge("tok_timeout"))
    for operation in (sandbox.authorize, lambda asked: sandbox.capture(asked, "any")):
        with pytest.raises(ProcessorUnavailable):
            operation(charge("tok_flake"))
        assert isinstance(operation(charge("tok_flake")), Approved)


def test_settings_choose_the_processor() -> None:
    assert processor_from(ProcessorSettings.model_validate({"PROCESSOR": "sandbox"})).name == "sandbox"
    chosen = ProcessorSettings.model_validate({"PROCESSOR": "stripe", "PROCESSOR_SECRET_ARN": "arn:aws:secretsmanager:us-east-1:123456789012:secret:key"})
    assert processor_from(chosen).name == "stripe"


def test_the_sandbox_costs_no_import_of_stripe() -> None:
    imports = "import sys, payments.processors.factory as f, payments.settings as s"
    made = "f.processor_from(s.ProcessorSettings.model_validate({'PROCESSOR': 'sandbox'}))"
    subprocess.run([sys.executable, "-c", f"{imports}; {made}; assert 'stripe' not in sys.modules"], check=True)
