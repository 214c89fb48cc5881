"""Errors as callers see them: RFC 9457 problem details with a stable `type`, without values and without internals."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

CARD_DATA_REFUSED = "card-data-refused"
"""Last part of the `type` of that problem, which has a metric of its own."""


_ROUTES = "Send a POST request to /process-payment or /verify-payment."


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with a request: the field's path, and the rule that it breaks."""

    field: str
    rule: str


@dataclass
class Problem(Exception):  # noqa: N818 - RFC 9457's word
    """A request that is answered with a problem document.

    name: last part of `type`; callers decide by it, so it never changes.
    detail: what is wrong and what to do about it; contains nothing that the caller sent. Empty where the title says all.
    retry_after: seconds after which the same request may be sent again.
    """

    status: int
    name: str
    title: str
    detail: str
    faults: tuple[Fault, ...] = ()
    retry_after: int | None = None
    document: dict[str, Any] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        super().__init__(self.name)
        self.document = {"type": f"urn:payments:problem:{self.name}", "title": self.title, "status": self.status}
        if self.detail:
            self.document["detail"] = self.detail
        if self.faults:
            self.document["errors"] = [{"field": fault.field, "rule": fault.rule} for fault in self.faults]


def forbidden() -> Problem:
    """No API key, or none that is known; word for word what API Gateway answers in front of the functions."""
    return Problem(403, "forbidden", "The API key is missing or not valid", "")


def malformed_body(why: str) -> Problem:
    """The body is not a JSON object."""
    return Problem(400, "malformed-body", "The body cannot be read", f"{why} Send one JSON object, encoded in UTF-8.")


def body_too_large(limit: int) -> Problem:
    """The body is over the limit, in bytes."""
    return Problem(413, "body-too-large", "The body is too large", f"A body may have {limit} bytes at most.")


def body_too_slow(seconds: float) -> Problem:
    """The body did not arrive in time. Containers answer so; API Gateway waits for whole requests itself."""
    return Problem(408, "body-too-slow", "The body did not arrive in time", f"A request has to arrive within {seconds:g} seconds.")


def nothing_here() -> Problem:
    """The container has no such path; in front of the functions API Gateway answers for itself."""
    return Problem(404, "not-found", "There is nothing here", _ROUTES)


def method_not_allowed() -> Problem:
    """The container has the path, and not with this method; in front of the functions API Gateway answers for itself."""
    return Problem(405, "method-not-allowed", "The method is not allowed here", _ROUTES)


def invalid_request(faults: Iterable[Fault]) -> Problem:
    """Fields are missing, unknown or wrong."""
    return Problem(400, "invalid-request", "The request is not valid", "Correct the fields named under `errors` and send it again.", tuple(faults))


def card_data_refused(faults: Iterable[Fault]) -> Problem:
    """Card data was sent, which is never accepted."""
    return Problem(
        400,
        CARD_DATA_REFUSED,
        "Card data is not accepted",
        "The fields named under `errors` hold, or are named after, card data. Nothing of the request was kept. Send a payment token instead.",
        tuple(faults),
    )


def idempotency_key_invalid(why: str) -> Problem:
    """The Idempotency-Key header is missing or unusable."""
    detail = f"{why} Send a value of your own for each payment, such as a UUID."
    return Problem(400, "idempotency-key-invalid", "The header Idempotency-Key is not usable", detail)


def idempotency_key_reused() -> Problem:
    """The key already stands for another request (status as in the IETF's Idempotency-Key draft)."""
    return Problem(
        422,
        "idempotency-key-reused",
        "The idempotency key belongs to another request",
        "A payment with this key and another body was accepted before. Repeat that body, or use a new key for a new payment.",
    )


def idempotency_key_in_progress() -> Problem:
    """Another request with this key is being accepted (status as in the IETF's Idempotency-Key draft)."""
    return Problem(
        409,
        "idempotency-key-in-progress",
        "A request with this idempotency key is in progress",
        "Send the same request again in a second: it will be given the first one's answer.",
        retry_after=1,
    )


def reference_in_use() -> Problem:
    """The merchant has another payment with this reference."""
    return Problem(
        409,
        "reference-in-use",
        "The reference belongs to another payment",
        "A payment with this reference and another idempotency key was accepted before. Ask for it with /verify-payment, or use another reference.",
    )


def payment_not_found() -> Problem:
    """The merchant has no such payment."""
    return Problem(404, "payment-not-found", "There is no such payment", "No payment of yours with this id or reference was accepted.")


def temporarily_unavailable() -> Problem:
    """Something behind the service is too busy; nothing was lost."""
    return Problem(503, "temporarily-unavailable", "The service is busy", "Send the same request again, with the same idempotency key.", retry_after=1)


def internal_error() -> Problem:
    """The service is at fault."""
    detail = "Send the same request again, with the same idempotency key; if it keeps failing, report the correlation id."
    return Problem(500, "internal-error", "The service failed", detail)
