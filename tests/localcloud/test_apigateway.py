"""What the table's examples cannot show of API Gateway: what hangs below a method when the method changes, and changes of TLS that AWS refuses."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

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


@pytest.fixture
def gateway(engine: Engine) -> Any:
    return engine.clouds.get(engine.account, engine.region).client("apigateway")


def change(gateway: Any, api: str, **values: str) -> dict[str, Any]:
    operations = [{"op": "replace", "path": f"/{path.replace('__', '/')}", "value": value} for path, value in values.items()]
    changed: dict[str, Any] = gateway.update_rest_api(restApiId=api, patchOperations=operations)
    return changed


@pytest.mark.parametrize(("endpoint", "policy"), [("REGIONAL", "TLS_1_0"), ("EDGE", "TLS_1_0"), ("PRIVATE", "TLS_1_2")])
def test_an_api_has_the_tls_policy_of_its_type_of_endpoint_where_none_is_named(gateway: Any, endpoint: str, policy: str) -> None:
    made = gateway.create_rest_api(name="plain", endpointConfiguration={"types": [endpoint]})
    [listed] = gateway.get_rest_apis()["items"]
    assert made["securityPolicy"] == listed["securityPolicy"] == gateway.get_rest_api(restApiId=made["id"])["securityPolicy"] == policy
    assert "endpointAccessMode" not in listed


def test_changes_of_tls_that_aws_refuses_are_refused_and_change_nothing(gateway: Any) -> None:
    about = {"securityPolicy": "SecurityPolicy_TLS13_1_3_2025_09", "endpointAccessMode": "STRICT"}
    api = gateway.create_rest_api(name="strict", endpointConfiguration={"types": ["REGIONAL"]}, **about)["id"]
    edge = {"endpointConfiguration__types__0": "EDGE", "securityPolicy": "SecurityPolicy_TLS13_2025_EDGE"}
    for values, why in ((edge, "STRICT"), ({"securityPolicy": "TLS_1_2"}, "does not go with"), ({"endpointAccessMode": ""}, "does not go with")):
        with pytest.raises(ClientError, match=why):
            change(gateway, api, description="Not to be seen", **values)
    live = gateway.get_rest_api(restApiId=api)
    assert {**about, "types": ["REGIONAL"]} == {**{name: live[name] for name in about}, "types": live["endpointConfiguration"]["types"]}
    assert not live.get("description")

    change(gateway, api, endpointAccessMode="BASIC")
    assert change(gateway, api, **edge)["endpointConfiguration"]["types"] == ["EDGE"]


def test_an_apis_tls_goes_from_1_0_to_an_enhanced_policy_and_not_to_1_2(gateway: Any) -> None:
    api = gateway.create_rest_api(name="old", endpointConfiguration={"types": ["REGIONAL"]})["id"]
    with pytest.raises(ClientError, match="from TLS_1_0 to TLS_1_2"):
        change(gateway, api, securityPolicy="TLS_1_2")
    new = {"securityPolicy": "SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09", "endpointAccessMode": "BASIC"}
    assert new.items() <= change(gateway, api, **new).items()
    back = change(gateway, api, securityPolicy="TLS_1_0", endpointAccessMode="")
    assert (back["securityPolicy"], back.get("endpointAccessMode")) == ("TLS_1_0", None)
