"""What `docs/pci.md` states about resources is what the programs make."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from ops import pci
from tests.architecture.conftest import rehearse_once
from tests.architecture.rehearsed import Rehearsed

__all__ = ["rehearse_once"]


@pytest.fixture(scope="module")
def rehearsals(rehearse_once: Callable[[str], Rehearsed]) -> Mapping[str, Mapping[str, Any]]:
    return {name: rehearse_once(name).content for name in pci.ENVIRONMENTS.values()}


def test_the_document_is_what_the_rehearsals_say(rehearsals: Mapping[str, Mapping[str, Any]]) -> None:
    text = pci.DOCUMENT.read_text(encoding="utf-8")
    assert pci.document(text, rehearsals) == text, "run `make docs`"


@pytest.mark.parametrize("name", pci.ENVIRONMENTS.values())
def test_every_store_has_a_key_of_the_customers_but_the_logs_of_access(rehearsals: Mapping[str, Mapping[str, Any]], name: str) -> None:
    rows = pci.encryption(rehearsals[name])
    assert len(rows) > 15
    assert [(kind, store) for kind, store, _, key in rows if not key.startswith("`")] == [("s3 Bucket", "access-logs")]


def test_a_store_without_a_key_of_the_customers_would_show(rehearsals: Mapping[str, Mapping[str, Any]]) -> None:
    changed = copy.deepcopy(rehearsals["pci-prod"])
    for resource in (one for stack in changed["stacks"] for one in stack["resources"]):
        for key in ("kmsKeyId", "kmsMasterKeyId", "serverSideEncryption", "kmsKeyArn"):
            resource["inputs"].pop(key, None)
    assert not {key for kind, _, _, key in pci.encryption(changed) if not kind.startswith("s3") and key.startswith("`")}


def test_clients_reach_the_load_balancer_alone() -> None:
    doors = {group for group, peer, _, _ in pci.flows("containers-prod") if peer.startswith("from ") and peer[5].isdigit()}
    assert doors == {"load-balancer"}
    assert not {group for group, peer, _, _ in pci.flows("pci-prod") if peer.startswith("from ") and peer[5].isdigit()}
