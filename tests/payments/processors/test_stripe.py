"""The Stripe adapter, through Stripe's own SDK, against a server that speaks its API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from moto import mock_aws

from payments.processors.base import Approved, Charge, Declined, ProcessorRefused, ProcessorUnavailable, Undecided
from payments.processors.stripe import KEYS_KEPT, ApiKey, Stripe
from tests.payments.processors.stripe_api import APPROVED, DECLINED, KEY, NEEDS_ACTION, StripeApi, Trouble
from tests.payments.service import aws


class KnownKey(ApiKey):
    """A key that needs no secret; `later` is what a second reading finds."""

    def __init__(self, key: str = KEY, later: str | None = None) -> None:
        super().__init__("no secret")
        self._found = iter([key])
        self._later = later or key

    def current(self) -> str:
        if self._key is None:
            self._key = next(self._found, self._later)
        return self._key


@pytest.fixture
def api() -> Iterator[StripeApi]:
    with StripeApi() as running:
        yield running


@pytest.fixture
def stripe(api: StripeApi) -> Stripe:
    return Stripe(KnownKey(), endpoint=api.endpoint)


def charge(token: str = APPROVED, payment_id: str = "5e0e1f9c-6a0e-4a57-9d3c-1b1f3f3f7a10", amount: int = 1050, since: datetime | None = None) -> Charge:
    return Charge(payment_id=payment_id, amount=amount, currency="EUR", payment_token=token, merchant="merchant-1", reference="order 1", since=since)


def test_an_amount_is_authorized_and_captured(api: StripeApi, stripe: Stripe) -> None:
    authorized = stripe.authorize(charge())
    assert isinstance(authorized, Approved)
    (intent,) = api.of(charge().payment_id)
    assert (intent["amount"], intent["currency"], intent["capture_method"], intent["status"]) == (1050, "eur", "manual", "requires_capture")

    assert stripe.capture(charge(), authorized.reference) == Approved(authorized.reference)
    assert api.intents[authorized.reference]["amount_received"] == 1050


def test_what_is_asked_for_twice_is_done_once(api: StripeApi, stripe: Stripe) -> None:
    first = stripe.authorize(charge())
    assert stripe.authorize(charge()) == first
    assert isinstance(first, Approved)
    assert stripe.capture(charge(), first.reference) == stripe.capture(charge(), first.reference)
    assert len(api.of(charge().payment_id)) == 1


def test_a_charge_whose_answer_was_lost_is_not_made_again(api: StripeApi, stripe: Stripe) -> None:
    api.troubles.append(Trouble(drop=True, after=True))
    with pytest.raises(ProcessorUnavailable):
        stripe.authorize(charge())
    assert isinstance(stripe.authorize(charge()), Approved)
    assert len(api.of(charge().payment_id)) == 1


def test_a_capture_after_stripe_has_forgotten_the_key_is_recognized(api: StripeApi, stripe: Stripe) -> None:
    authorized = stripe.authorize(charge())
    assert isinstance(authorized, Approved)
    api.intents[authorized.reference].update(status="succeeded")
    assert stripe.capture(charge(), authorized.reference) == Approved(authorized.reference)


def test_a_capture_of_which_stripe_does_not_know_the_end_is_no_failure(api: StripeApi, stripe: Stripe) -> None:
    authorized = stripe.authorize(charge())
    assert isinstance(authorized, Approved)
    api.intents[authorized.reference].update(status="processing")
    with pytest.raises(Undecided):
        stripe.capture(charge(), authorized.reference)


def test_a_capture_of_what_was_given_up_is_refused(api: StripeApi, stripe: Stripe) -> None:
    authorized = stripe.authorize(charge())
    assert isinstance(authorized, Approved)
    api.intents[authorized.reference].update(status="canceled")
    with pytest.raises(ProcessorRefused):
        stripe.capture(charge(), authorized.reference)


def test_a_charge_is_not_made_again_after_stripe_has_forgotten_the_key(api: StripeApi, stripe: Stripe) -> None:
    api.troubles.append(Trouble(drop=True, after=True))
    with pytest.raises(ProcessorUnavailable):
        stripe.authorize(charge())
    api.forget_keys()
    again = stripe.authorize(charge(since=datetime.now(UTC) - KEYS_KEPT - timedelta(minutes=1)))
    assert [again] == [Approved(intent["id"]) for intent in api.of(charge().payment_id)]


def test_an_old_charge_that_stripe_never_heard_of_is_made(api: StripeApi, stripe: Stripe) -> None:
    assert isinstance(stripe.authorize(charge(since=datetime.now(UTC) - 2 * KEYS_KEPT)), Approved)
    assert len(api.of(charge().payment_id)) == 1


def test_a_young_charge_is_not_searched_for(api: StripeApi, stripe: Stripe) -> None:
    stripe.authorize(charge(since=datetime.now(UTC) - KEYS_KEPT + timedelta(minutes=1)))
    assert [path for _, path, _ in api.requests] == ["/v1/payment_intents"]


def test_where_stripe_cannot_be_searched_an_old_charge_is_left_alone(api: StripeApi, stripe: Stripe) -> None:
    api.searchable = False
    with pytest.raises(Undecided, match="already"):
        stripe.authorize(charge(since=datetime.now(UTC) - 2 * KEYS_KEPT))
    assert api.intents == {}


@mock_aws
def test_the_api_key_is_the_secrets_string_and_is_read_again_after_it_was_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("payments.processors.stripe.client", aws)
    secret = aws("secretsmanager").create_secret(Name="stripe", SecretString="sk_test_1\n")["ARN"]
    key = ApiKey(secret)
    assert key.current() == "sk_test_1"
    aws("secretsmanager").put_secret_value(SecretId=secret, SecretString="sk_test_2")
    assert key.current() == "sk_test_1"
    key.forget("sk_test_0")
    assert key.current() == "sk_test_1"
    key.forget("sk_test_1")
    assert key.current() == "sk_test_2"


@mock_aws
def test_a_secret_that_cannot_be_read_is_a_processor_that_was_not_asked(api: StripeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("payments.processors.stripe.client", aws)
    keyless = Stripe(ApiKey("arn:aws:secretsmanager:us-east-1:123456789012:secret:gone"), endpoint=api.endpoint)
    with pytest.raises(Undecided, match=r"PROCESSOR_SECRET_ARN .*ResourceNotFoundException"):
        keyless.authorize(charge())
    assert api.requests == []


@pytest.mark.parametrize(("token", "code"), [(DECLINED, "insufficient_funds"), (NEEDS_ACTION, "authentication_required")])
def test_a_decline_has_stripes_code(stripe: Stripe, token: str, code: str) -> None:
    assert stripe.authorize(charge(token)) == Declined(code)


def test_a_token_that_stripe_does_not_know_is_refused_for_good(stripe: Stripe) -> None:
    with pytest.raises(ProcessorRefused) as refused:
        stripe.authorize(charge("unheard_of"))
    assert refused.value.code == "resource_missing"
    assert "unheard_of" not in str(refused.value)


def test_an_answer_that_comes_too_late_says_nothing_of_the_outcome(api: StripeApi) -> None:
    api.troubles.append(Trouble(delay=0.4))
    impatient = Stripe(KnownKey(), endpoint=api.endpoint, timeouts=(2.0, 0.1))
    with pytest.raises(ProcessorUnavailable):
        impatient.authorize(charge())


@pytest.mark.parametrize("trouble", [*(Trouble(status=status) for status in (409, 429, 500, 503)), Trouble(drop=True)])
def test_no_answer_says_nothing_of_the_outcome(api: StripeApi, stripe: Stripe, trouble: Trouble) -> None:
    api.troubles.append(trouble)
    with pytest.raises(ProcessorUnavailable) as raised:
        stripe.authorize(charge())
    # That another request is at it is an answer; it says nothing of other payments.
    assert isinstance(raised.value, Undecided) is (trouble.status == 409)


def test_a_key_that_stands_for_other_parameters_is_no_failure_of_the_payment(stripe: Stripe) -> None:
    stripe.authorize(charge(amount=1))
    with pytest.raises(Undecided):
        stripe.authorize(charge(amount=2))


def test_a_rotated_api_key_is_read_again_once(api: StripeApi) -> None:
    api.keys = {"sk_test_new"}
    rotated = Stripe(KnownKey("sk_test_old", later="sk_test_new"), endpoint=api.endpoint)
    assert isinstance(rotated.authorize(charge()), Approved)


def test_an_api_key_that_is_not_accepted_is_named_by_its_secret_and_not_shown(api: StripeApi) -> None:
    refused = Stripe(KnownKey("sk_test_wrong"), endpoint=api.endpoint)
    with pytest.raises(ProcessorUnavailable, match="PROCESSOR_SECRET_ARN") as error:
        refused.authorize(charge())
    assert "sk_test_wrong" not in str(error.value)


def test_threads_share_an_adapter(api: StripeApi, stripe: Stripe) -> None:
    def paid(number: int) -> bool:
        return isinstance(stripe.authorize(charge(payment_id=f"payment-{number}")), Approved)

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(paid, range(24)))
    assert len(api.intents) == 24


def test_requests_at_the_same_instant_charge_once(api: StripeApi, stripe: Stripe) -> None:
    def asked(_: int) -> str:
        try:
            outcome = stripe.authorize(charge())
        except ProcessorUnavailable:
            return "later"
        return type(outcome).__name__

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(asked, range(8))) <= {"Approved", "later"}
    assert len(api.of(charge().payment_id)) == 1


def test_every_request_bears_the_key_of_its_operation(api: StripeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    keys: list[str | None] = []
    answer: Callable[..., object] = api.answer

    def noted(method: str, path: str, key: str | None, parameters: dict[str, str]) -> object:
        keys.append(key)
        return answer(method, path, key, parameters)

    monkeypatch.setattr(api, "answer", noted)
    adapter = Stripe(KnownKey(), endpoint=api.endpoint)
    authorized = adapter.authorize(charge())
    assert isinstance(authorized, Approved)
    adapter.capture(charge(), authorized.reference)
    assert keys == [f"{charge().payment_id}:{operation}" for operation in ("authorize", "capture")]
