"""The API keys of the containers' callers, as Secrets Manager has them."""

from __future__ import annotations

import json
from typing import Any

from payments.container.keys import Door
from payments.container.settings import WebSettings
from projects.app.api import ANSWERS
from projects.app.api_keys import MERCHANT
from shared import page as pages
from tests.payments.container.keyed import refused
from tests.projects.app.test_containers import container, secret, told
from tests.projects.app.upstream import deployed, key_of, outputs, statements
from tests.projects.harness import Cloud

NAME = "payment-api-keys-1-prod"


def test_the_key_is_in_a_secret_of_the_apps_own_key_and_the_contract_has_it_as_a_secret(fargate: Cloud) -> None:
    key = outputs(fargate)["apiKey"]
    assert len(key) >= 20
    assert json.loads(secret(fargate, NAME)) == {MERCHANT: key}
    assert "apiKey" in fargate.runs["app"].secrets
    assert fargate.client("secretsmanager").describe_secret(SecretId=NAME)["KmsKeyId"] == key_of(fargate)


def test_it_is_closed_to_other_environments_and_accounts(fargate: Cloud) -> None:
    policy = json.loads(fargate.client("secretsmanager").get_resource_policy(SecretId=NAME)["ResourcePolicy"])
    assert {statement["Sid"] for statement in policy["Statement"]} == {"OnlyThisEnvironment", "OnlyThisSuffix", "OnlyThisAccount"}
    assert {statement["Effect"] for statement in policy["Statement"]} == {"Deny"}


def test_in_the_next_generation_the_key_before_it_is_good_too() -> None:
    ours = {**pages.read("containers-dev").config["app:containers"], "apiKeyGeneration": 3}
    with deployed("containers-dev", **{"app:containers": ours}) as cloud:
        given = {one["name"]: one["valueFrom"] for one in container(cloud, "web")["secrets"] if one["name"].startswith("API_KEYS")}
        assert set(given) == {"API_KEYS", "API_KEYS_BEFORE"}
        assert sorted(statements(cloud, "task-execution")["ApiKeys"]["Resource"]) == sorted(given.values())
        keys = {variable: json.loads(secret(cloud, arn)) for variable, arn in given.items()}
        now, before = (keys[variable][MERCHANT] for variable in ("API_KEYS", "API_KEYS_BEFORE"))
        assert now != before
        assert outputs(cloud)["apiKey"] == now
        variables: dict[str, Any] = {**told(cloud, "web"), "CACHE_URL": "rediss://:x@cache.example.com:6379/0"}
        settings = WebSettings.model_validate(variables | {variable: json.dumps(value) for variable, value in keys.items()})
        door = Door(settings.api_keys, settings.api_keys_before or {})
        assert {door.merchant(key) for key in (now, before)} == {MERCHANT}


def test_who_has_none_is_told_what_api_gateway_tells() -> None:
    problem = refused(Door({MERCHANT: "k" * 20}), None)
    status, name, title = ANSWERS["INVALID_API_KEY"]
    assert problem.document == {"type": f"urn:payments:problem:{name}", "title": title, "status": int(status)}
