"""Clients for the moto of this process: a call goes to moto as it is, without the HTTP of botocore's that nobody would send."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

import botocore.endpoint
import botocore.session
from botocore import UNSIGNED
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.httpchecksum import AwsChunkedWrapper, handle_checksum_body
from botocore.model import OperationModel
from moto.backend_index import backend_url_patterns
from moto.backends import get_backend
from moto.core.botocore_stubber import MockRawResponse
from moto.core.models import DEFAULT_ACCOUNT_ID, botocore_stubber
from moto.core.request import Request
from werkzeug.exceptions import HTTPException


class MotoIsOff(RuntimeError):  # noqa: N818 - says what it is
    """A call outside of `mock_aws`; it goes nowhere, and never to AWS."""


def client(session: botocore.session.Session, config: Config, account: str, region: str, service: str) -> Any:
    """A client that outlives each `mock_aws`, as it says for whom it asks instead of having credentials from there."""
    # moto checks no signature, which would take a tenth of a call, but reads the region in it.
    made = session.create_client(service, region_name=region, config=config.merge(Config(signature_version=UNSIGNED)))
    signed = f"AWS4-HMAC-SHA256 Credential=testing/20000101/{region}/{service}/aws4_request, SignedHeaders=host, Signature=none"
    _Endpoint.take_over(made, {"x-moto-account-id": account, "Authorization": signed})
    return made


class _Endpoint(botocore.endpoint.Endpoint):
    """What botocore prepares and parses, and in between moto's answer."""

    _said: Mapping[str, str]

    @classmethod
    def take_over(cls, made: Any, said: Mapping[str, str]) -> None:
        """Makes the endpoint of a client one of these; its requests have the headers in `said`."""
        made._endpoint.__class__ = cls  # noqa: SLF001 - botocore makes its own whatever it is told
        made._endpoint._said = said  # noqa: SLF001

    def make_request(self, operation_model: OperationModel, request_dict: dict[str, Any]) -> tuple[AWSResponse, dict[str, Any]]:
        """Moto's answer, and what botocore reads in it."""
        if not botocore_stubber.enabled:
            raise MotoIsOff(f"{operation_model.name} was asked for while no moto is active in this process; ask within `mock_aws`")
        url: str = request_dict["url"]
        body: Any = request_dict["body"]
        body = urlencode(body, doseq=True) if isinstance(body, dict) else body
        headers = {**request_dict["headers"], **self._said}
        if isinstance(body, AwsChunkedWrapper):
            headers["x-amz-content-sha256"] = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"  # as a signature would say, and moto reads the chunks by
        request = Request.from_primitives(request_dict["method"], url, headers, body)
        try:
            status, headers, content = _responder(url.partition("?")[0])(request, request.raw_url, request.headers)
        except HTTPException as error:
            status, headers, content = error.code, error.get_headers(), error.get_body()
        answer: Any = AWSResponse(url, status, headers, MockRawResponse(content))
        return answer, self._read(answer, operation_model, request_dict["context"])

    def _read(self, answer: AWSResponse, operation: OperationModel, context: dict[str, Any]) -> dict[str, Any]:
        found: Any = botocore.endpoint.convert_to_response_dict(answer, operation)
        handle_checksum_body(answer, found, context, operation)
        parser = self._response_parser_factory.create_parser(operation.service_model.resolved_protocol)
        parsed: dict[str, Any] = parser.parse(found, operation.output_shape)
        if answer.status_code >= 300:
            self._add_modeled_error_fields(found, parsed, operation, parser)
        return parsed


@lru_cache(4096)
def _responder(address: str) -> Callable[..., Any]:
    """What of moto answers at an address: moto holds each call against the addresses of all its services."""
    for service, pattern in backend_url_patterns:
        if pattern.match(address):
            name: Any = service
            regions: Any = get_backend(name)[DEFAULT_ACCOUNT_ID]
            urls = regions["us-east-1" if "us-east-1" in regions else "aws"].urls
            if found := next((respond for url, respond in urls.items() if re.match(url, address)), None):
                return found
    raise LookupError(f"moto answers nothing at {address}")
