"""Who is let in by an API key, and which settings for that are refused."""

from __future__ import annotations

import json

import pytest

from payments.container import keys
from payments.container.keys import Door
from payments.container.settings import WebSettings
from payments.settings import SettingsError, load
from tests.payments.container.keyed import KEY, KEYS, MERCHANT, refused

OTHER = "another-key-of-twenty-characters"
VARIABLES = {"STAGE": "dev", "PAYMENTS_TABLE": "payments", "WORK_QUEUE_URL": "https://queue.example.com"}


def test_each_key_tells_its_merchant_and_the_keys_before_are_good_too() -> None:
    door = Door({"a": "1" * 20, "b": "2" * 20}, {"a": "3" * 20})
    assert [door.merchant(digit * 20) for digit in "123"] == ["a", "b", "a"]


@pytest.mark.parametrize("given", [None, "", KEY[:-1], KEY + "x", KEY.upper(), OTHER, MERCHANT, "\u00fc" * 20])
def test_what_is_not_a_key_lets_nobody_in(given: str | None) -> None:
    problem = refused(Door({MERCHANT: KEY}), given)
    assert (problem.status, problem.name) == (403, "forbidden")


def test_every_key_is_compared_in_constant_time_whichever_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[int, int]] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((len(one), len(other)))
        return one == other

    monkeypatch.setattr(keys.hmac, "compare_digest", compare)
    door = Door({"a": KEY, "b": OTHER})
    for given in (KEY, OTHER, "short"):
        compared.clear()
        if given == "short":
            refused(door, given)
        else:
            door.merchant(given)
        assert compared == [(32, 32)] * 2


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("hunter2", "must be a JSON object"),
        ("{}", "must be a JSON object"),
        (json.dumps([KEY]), "must be a JSON object"),
        (json.dumps({"": KEY}), "must name each merchant"),
        (json.dumps({"a shop": KEY}), "must name each merchant"),
        (json.dumps({"a": "hunter2"}), "must have keys of 20 to 128"),
        (json.dumps({"a": 12345678901234567890}), "must have keys of 20 to 128"),
        (json.dumps({"a": KEY, "b": KEY}), "must not give two merchants the same key"),
    ],
)
@pytest.mark.parametrize("variable", ["API_KEYS", "API_KEYS_BEFORE"])
def test_settings_that_are_wrong_are_named_and_not_repeated(variable: str, text: str, rule: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        load(WebSettings, {**VARIABLES, "API_KEYS": KEYS, variable: text})
    assert f"{variable}: {rule}" in str(refusal.value)
    assert KEY not in str(refusal.value)
    assert "hunter2" not in str(refusal.value)


def test_without_keys_it_does_not_start() -> None:
    with pytest.raises(SettingsError, match="API_KEYS: is missing"):
        load(WebSettings, VARIABLES)


def test_keys_are_in_no_representation() -> None:
    assert KEY not in repr(load(WebSettings, {**VARIABLES, "API_KEYS": KEYS, "API_KEYS_BEFORE": KEYS}))
