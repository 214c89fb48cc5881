"""The `app:` keys: what the pages may say, and what is refused with which key and rule."""

from __future__ import annotations

from typing import Any

import pytest

from ops.validation import problems_of, problems_on_aws
from projects.app.settings import AppSettings
from shared import page as pages
from shared.page import Page, PageError
from tests.projects.app.upstream import STRIPE


def page(section: str, **changed: Any) -> Page:
    """The prod page with some keys of one section changed; None takes a key away."""
    prod = pages.read("prod")
    keys = {**prod.config.get(f"app:{section}", {}), **changed}
    return prod.with_values({f"app:{section}": {key: value for key, value in keys.items() if value is not None}})


def refusals(of: Page) -> list[str]:
    try:
        of.settings("app", AppSettings)
    except PageError as error:
        return [f"{found.key}: {found.rule}" for found in error.problems]
    return []


@pytest.mark.parametrize("name", pages.names())
def test_every_page_is_accepted(name: str) -> None:
    assert refusals(pages.read(name)) == []


@pytest.mark.parametrize(
    ("section", "changed", "key", "rule"),
    [
        ("functions", {"memory": 127}, "app:functions.memory", "greater than or equal to 128"),
        ("functions", {"memory": 10_241}, "app:functions.memory", "less than or equal to 10240"),
        ("functions", {"memory": "much"}, "app:functions.memory", "valid integer"),
        ("functions", {"memory": None}, "app:functions.memory", "is required and missing"),
        ("functions", {"timeout": 19}, "app:functions.timeout", "greater than or equal to 20"),
        ("functions", {"timeout": 30}, "app:functions.timeout", "less than or equal to 29"),
        ("functions", {"reservedConcurrency": 0}, "app:functions.reservedConcurrency", "greater than or equal to 2"),
        ("functions", {"runtime": "python3.9"}, "app:functions.runtime", "unknown key"),
        ("api", {"rateLimit": 0}, "app:api.rateLimit", "greater than 0"),
        ("api", {"rateLimit": 10_001}, "app:api.rateLimit", "less than or equal to 10000"),
        ("api", {"burstLimit": 5_001}, "app:api.burstLimit", "less than or equal to 5000"),
        ("api", {"firewall": {"rateLimit": 9}}, "app:api.firewall.rateLimit", "greater than or equal to 10"),
        ("api", {"firewall": {"rateLimit": 2_000_000_001}}, "app:api.firewall.rateLimit", "less than or equal to 2000000000"),
        ("api", {"firewall": {}}, "app:api.firewall.rateLimit", "is required and missing"),
        ("api", {"domain": {"name": "Payments.example.com"}}, "app:api.domain.name", "should match pattern"),
        ("api", {"domain": {"name": "localhost"}}, "app:api.domain.name", "should match pattern"),
        ("api", {"domain": {"name": f"{'a' * 60}.example.com"}}, "app:api.domain.name", "at most 64 characters"),
        ("api", {"domain": {"name": "payments.example.com", "zoneId": "example.com"}}, "app:api.domain.zoneId", "should match pattern"),
        ("queue", {"maxReceives": 0}, "app:queue.maxReceives", "greater than or equal to 1"),
        ("queue", {"maxReceives": 1_001}, "app:queue.maxReceives", "less than or equal to 1000"),
        ("queue", {"batchSize": 11}, "app:queue.batchSize", "less than or equal to 10"),
        ("processor", {"name": "paypal"}, "app:processor.name", "'sandbox' or 'stripe'"),
        ("processor", {"name": "stripe"}, "app:processor", "name stripe needs secretArn"),
        ("processor", {"secretArn": STRIPE["secretArn"]}, "app:processor", "name sandbox has no secretArn"),
        ("processor", {"endpoint": "https://api.example.com"}, "app:processor", "name sandbox has no endpoint"),
        ("processor", {**STRIPE, "secretArn": None}, "app:processor", "needs secretArn"),
        ("processor", {"secretKeyArn": STRIPE["secretKeyArn"]}, "app:processor", "needs secretArn"),
        ("processor", {**STRIPE, "secretArn": "sk_test_1"}, "app:processor.secretArn", "should match pattern"),
        ("processor", {**STRIPE, "secretArn": STRIPE["secretArn"].removesuffix("-AbCdEf")}, "app:processor.secretArn", "should match pattern"),
        ("processor", {**STRIPE, "secretKeyArn": "alias/stripe"}, "app:processor.secretKeyArn", "should match pattern"),
        ("processor", {**STRIPE, "endpoint": "http://stripe.example.com"}, "app:processor.endpoint", "must be https"),
        ("processor", {**STRIPE, "endpoint": "stripe.example.com"}, "app:processor.endpoint", "must be a URL with a host"),
        ("processor", {**STRIPE, "endpoint": "https://stripe.example.com:http"}, "app:processor.endpoint", "is no URL"),
        ("processor", {**STRIPE, "endpoint": "https://user@stripe.example.com"}, "app:processor.endpoint", "no user, query or fragment"),
        ("processor", {**STRIPE, "endpoint": "https://stripe.example.com/?key=1"}, "app:processor.endpoint", "no user, query or fragment"),
        ("processor", {"key": "sk_test_1"}, "app:processor.key", "unknown key"),
    ],
)
def test_a_page_that_aws_would_refuse_is_refused_with_key_and_rule(section: str, changed: dict[str, Any], key: str, rule: str) -> None:
    [refused] = refusals(page(section, **changed))
    assert refused.startswith(f"{key}: ")
    assert rule in refused


def test_all_that_is_wrong_is_said_at_once() -> None:
    of = page("functions", memory=64, timeout=900).with_values({"app:api": {"burstLimit": 1}, "app:cluster": {}})
    assert [refused.split(": ")[0] for refused in refusals(of)] == ["app:functions.memory", "app:functions.timeout", "app:api.rateLimit", "app:cluster"]


def test_a_reserved_domain_is_refused_for_aws_alone() -> None:
    page = pages.read("prod")
    assert [(found.key, found.value) for found in problems_on_aws(page)] == [("app:api.domain.name", "payments.example.com")]
    owned = page.with_values({"app:api": {**page.config["app:api"], "domain": {"name": "payments.amazonaws.com"}}})
    assert problems_on_aws(owned) == []


@pytest.mark.parametrize("endpoint", [None, "https://stripe.example.com", "http://127.0.0.1:12111", "http://localhost:12111", "http://[::1]:12111/base"])
def test_a_processor_of_ones_own_is_taken(endpoint: str | None) -> None:
    assert refusals(page("processor", **{**STRIPE, "endpoint": endpoint})) == []


def test_the_processors_secret_and_its_key_are_in_the_environments_region() -> None:
    elsewhere = {key: value.replace("us-east-1", "eu-west-1") for key, value in STRIPE.items()}
    found = problems_of(page("processor", **elsewhere))
    assert [(one.key, one.rule) for one in found] == [
        (f"app:processor.{key}", "must be in the environment's region, us-east-1") for key in ("secretArn", "secretKeyArn")
    ]
