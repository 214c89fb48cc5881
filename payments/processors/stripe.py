"""Stripe, through PaymentIntents that are authorized first and captured then (Stripe API, "Place a hold on a payment method")."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import stripe
from botocore.exceptions import BotoCoreError, ClientError

from payments.clients import client, error_code
from payments.processors.base import Approved, Charge, Declined, Outcome, ProcessorRefused, ProcessorUnavailable, Undecided

CONNECT_TIMEOUT = 2.0
"""Seconds for reaching Stripe."""
ANSWER_TIMEOUT = 8.0
"""Seconds for its answer; Stripe itself may take as long for a card's bank."""

KEYS_KEPT = timedelta(hours=20)
"""For which an idempotency key is relied on. Stripe keeps one for 24 hours at least (API reference, "Idempotent requests")."""

_CONFLICT = 409
_ALREADY_CAPTURED = "payment_intent_unexpected_state"

# stripe.log and its telemetry would tell of requests; there is nothing to be had from either.
stripe.enable_telemetry = False


class ApiKey:
    """Stripe's secret API key, from Secrets Manager (the secret's string itself); read when it is first used."""

    def __init__(self, secret_arn: str) -> None:
        self._secret_arn = secret_arn
        self._lock = threading.Lock()
        self._key: str | None = None

    def current(self) -> str:
        """The key as it was read last. Raises Undecided where it cannot be read: Stripe is not asked then."""
        with self._lock:
            if self._key is None:
                self._key = self._read()
            return self._key

    def forget(self, key: str) -> None:
        """The key was refused: it is read again for the next call, if nobody has done so."""
        with self._lock:
            if self._key == key:
                self._key = None

    def _read(self) -> str:
        try:
            return str(client("secretsmanager").get_secret_value(SecretId=self._secret_arn)["SecretString"]).strip()
        except (BotoCoreError, ClientError) as error:
            cause = error_code(error) if isinstance(error, ClientError) else type(error).__name__
            raise Undecided(f"Stripe's API key cannot be read from the secret of PROCESSOR_SECRET_ARN ({cause})") from error


class Stripe:
    """See Processor. The SDK repeats nothing by itself: repetitions are Resilient's.

    endpoint: base URL of the API, where it is not Stripe's own.
    """

    name = "stripe"

    def __init__(self, key: ApiKey, *, endpoint: str | None = None, timeouts: tuple[float, float] = (CONNECT_TIMEOUT, ANSWER_TIMEOUT)) -> None:
        self._key = key
        self._endpoint = endpoint.rstrip("/") if endpoint else None
        self._http = stripe.RequestsClient(timeout=timeouts)

    def authorize(self, charge: Charge) -> Outcome:
        """See Processor."""

        def create(intents: Any) -> Any:
            if charge.since is not None and datetime.now(UTC) - charge.since > KEYS_KEPT and (made := _made_before(intents, charge)):
                return made
            return intents.v1.payment_intents.create(
                {
                    "amount": charge.amount,
                    "currency": charge.currency.lower(),
                    "payment_method": charge.payment_token,
                    "capture_method": "manual",
                    "confirm": True,
                    # Nobody is there who could be sent to a bank's page.
                    "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
                    "metadata": {"payment_id": charge.payment_id, "reference": charge.reference},
                },
                {"idempotency_key": charge.idempotency_key("authorize")},
            )

        return self._asked(create, _authorized)

    def capture(self, charge: Charge, processor_reference: str) -> Outcome:
        """See Processor."""

        def capture(intents: Any) -> Any:
            options = {"idempotency_key": charge.idempotency_key("capture")}
            try:
                return intents.v1.payment_intents.capture(processor_reference, {}, options)
            except stripe.InvalidRequestError as error:
                if error.code != _ALREADY_CAPTURED:
                    raise
                # The key was forgotten: a message may be replayed after days.
                intent = intents.v1.payment_intents.retrieve(processor_reference)
                if intent.status not in {"succeeded", "processing"}:
                    raise
                return intent

        return self._asked(capture, _captured)

    def _asked(self, call: Callable[[Any], Any], outcome: Callable[[Any], Outcome]) -> Outcome:
        key = self._key.current()
        try:
            try:
                return outcome(call(self._client(key)))
            except stripe.AuthenticationError:
                self._key.forget(key)
                fresh = self._key.current()
                if fresh == key:
                    raise
                return outcome(call(self._client(fresh)))
        except stripe.CardError as error:
            return Declined(_decline(error))
        except stripe.StripeError as error:
            raise _translated(error) from None

    def _client(self, key: str) -> Any:
        addresses: Any = {"api": self._endpoint} if self._endpoint else {}
        return stripe.StripeClient(key, base_addresses=addresses, http_client=self._http, max_network_retries=0)


def _made_before(intents: Any, charge: Charge) -> Any:
    """The intent that was made for the charge under a key that Stripe may have forgotten; None where none was.

    Stripe's search may be an hour behind: an intent that it does not know yet is younger than its key's end.
    """
    try:
        found = intents.v1.payment_intents.search({"query": f"metadata['payment_id']:'{charge.payment_id}'", "limit": 1}).data
        return intents.v1.payment_intents.retrieve(found[0].id) if found else None
    except stripe.InvalidRequestError as error:
        # Says nothing of the charge: it must not be refused for this.
        raise Undecided(f"Stripe does not tell whether it has the charge already ({error.code or 'invalid_request'})") from error


def _authorized(intent: Any) -> Outcome:
    status = str(intent.status)
    if status in {"requires_capture", "succeeded"}:
        return Approved(str(intent.id))
    if status == "processing":
        raise Undecided("Stripe has not decided yet (processing)")
    return Declined("authentication_required" if status == "requires_action" else status)


def _captured(intent: Any) -> Outcome:
    if intent.status == "succeeded":
        return Approved(str(intent.id))
    raise Undecided(f"Stripe answered with the status {intent.status}, which does not say how it ends")


def _decline(error: stripe.CardError) -> str:
    """Stripe's decline code, which is finer than the error's code; never its text, which may repeat what was sent."""
    body: dict[str, Any] = error.json_body if isinstance(error.json_body, dict) else {}
    return str(body.get("error", {}).get("decline_code") or error.code or "card_error")


def _translated(error: stripe.StripeError) -> ProcessorUnavailable | ProcessorRefused:
    kind, status = type(error).__name__, error.http_status
    if isinstance(error, stripe.InvalidRequestError) and status != _CONFLICT:
        return ProcessorRefused(str(error.code or "invalid_request"))
    about = f"{kind}, HTTP {status}" if status else kind
    if isinstance(error, stripe.IdempotencyError) or status == _CONFLICT:
        return Undecided(f"Stripe is at another request with this payment's key, or had another one ({about})")
    if isinstance(error, stripe.AuthenticationError | stripe.PermissionError):
        return ProcessorUnavailable(f"Stripe does not accept the API key ({about}): put a valid one into the secret of PROCESSOR_SECRET_ARN")
    return ProcessorUnavailable(f"Stripe did not answer, or not for now ({about})")
