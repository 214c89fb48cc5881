"""Links that answers bear, where the API knows its own URL."""

from __future__ import annotations

from payments.functions import VERIFY_PAYMENT


def to_status(api_url: str | None) -> dict[str, str]:
    """The header that says where to ask what became of the payment (RFC 9110, 15.3.3; RFC 8631 for `status`); none without a URL.

    api_url: base URL of the environment's API.
    """
    return {"Link": f'<{api_url.rstrip("/")}/{VERIFY_PAYMENT.name}>; rel="status"'} if api_url else {}
