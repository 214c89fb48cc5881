"""Which TLS the REST API takes, as API Gateway has it."""

from __future__ import annotations

import re

import pytest

from shared import page as pages
from shared.environment import environment_of
from tests.projects.app.upstream import deployed

# Production of each kind of environment with functions.
_KINDS = [page for page in map(pages.read, pages.names()) if page.config["platform:stage"] == "prod" and environment_of(page).shape.compute == "lambda"]


@pytest.mark.parametrize("page", [page.name for page in _KINDS])
def test_no_api_takes_a_tls_older_than_1_2(page: str) -> None:
    # With a domain of its own or without: there too the API's policy decides.
    with deployed(page) as cloud:
        [live] = cloud.client("apigateway").get_rest_apis()["items"]
        assert re.fullmatch(r"SecurityPolicy_TLS13_1_[23]_\w+", live["securityPolicy"])
        assert live["endpointAccessMode"] == "STRICT"
