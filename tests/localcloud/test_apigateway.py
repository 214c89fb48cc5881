"""What the table's examples cannot show of API Gateway: what hangs below a method when the method changes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.localcloud.engine import Engine

METHOD, INTEGRATION = "aws:apigateway/method:Method", "aws:apigateway/integration:Integration"


@pytest.fixture
def here(engine: Engine) -> dict[str, Any]:
    """Where a method goes: POST on the root of an API."""
    api, state = engine.create("aws:apigateway/restApi:RestApi", {"name": "payments"})
    return {"restApi": api, "resourceId": state["rootResourceId"], "httpMethod": "POST"}


def live(engine: Engine, here: dict[str, Any]) -> dict[str, Any]:
    client = engine.clouds.get(engine.account, engine.region).client("apigateway")
    found: dict[str, Any] = client.get_method(restApiId=here["restApi"], resourceId=here["resourceId"], httpMethod="POST")
    return found


def test_updates_keep_what_hangs_below(engine: Engine, here: dict[str, Any]) -> None:
    open_to_all = {**here, "authorization": "NONE"}
    method, method_state = engine.create(METHOD, open_to_all)
    engine.create("aws:apigateway/methodResponse:MethodResponse", {**here, "statusCode": "200"})
    mock = {**here, "type": "MOCK", "requestTemplates": {"application/json": "{}"}}
    integration, integration_state = engine.create(INTEGRATION, mock)
    # A template that passes the body through is an empty text, which moto would lose.
    engine.create("aws:apigateway/integrationResponse:IntegrationResponse", {**here, "statusCode": "200", "responseTemplates": {"application/json": ""}})
    before = live(engine, here)

    engine.update(METHOD, method, method_state, open_to_all, {**open_to_all, "authorization": "AWS_IAM"})
    ok = '{"statusCode": 200}'
    engine.update(INTEGRATION, integration, integration_state, mock, {**mock, "requestTemplates": {"application/json": ok}})

    after = live(engine, here)
    assert after["authorizationType"] == "AWS_IAM"
    assert set(after["methodResponses"]) == {"200"}
    assert after["methodIntegration"]["requestTemplates"] == {"application/json": ok}
    assert after["methodIntegration"]["integrationResponses"] == before["methodIntegration"]["integrationResponses"]
