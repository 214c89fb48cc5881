"""What the images of deployed containers hold here: the version that the tag names, and the checkout's for any other image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from localcloud.serve.model import ServeError
from ops import package_container
from ops.package import PackageError
from ops.package_container import Packed
from ops.serve_image import Images
from shared.image import image_tag
from tests.ops.somewhere import deployed

REPOSITORY = "123456789012.dkr.ecr.us-east-1.amazonaws.com/payment-service-dev"


def packed(tag: str) -> Packed:
    return Packed(Path("/packages") / tag, tag, ("python", "-m", "app"), ("web",), {"A": "1"})


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def images(told: list[str], monkeypatch: pytest.MonkeyPatch) -> Images:
    """Of an environment with its own repository; version `before` was packed here once."""
    monkeypatch.setattr(package_container, "find", lambda tag: packed(tag) if tag == "before" else None)
    monkeypatch.setattr(package_container, "ensure", lambda _: packed("now"))
    return Images(deployed({"app": {"repositoryUrl": REPOSITORY}}), told.append)


def test_the_version_that_is_deployed_is_run_even_when_the_checkout_has_moved_on(images: Images) -> None:
    image = images(f"{REPOSITORY}:before")
    assert (image.folder.name, image.entry_point, image.command, image.environment) == ("before", ("python", "-m", "app"), ("web",), {"A": "1"})


def test_the_checkouts_version_is_made_when_it_is_the_deployed_one(images: Images) -> None:
    assert images(f"{REPOSITORY}:{image_tag()}").folder.name == "now"


def test_a_version_that_cannot_be_made_any_more_is_told(images: Images) -> None:
    with pytest.raises(ServeError, match=r"changed since dev was deployed.*Next: invoke deploy --env dev --target local"):
        images(f"{REPOSITORY}:0123456789abcdef")


def test_another_image_is_stood_in_for_by_the_checkout_and_told_once(images: Images, told: list[str]) -> None:
    assert [images("registry.example.com/payments:7").folder.name for _ in range(2)] == ["now", "now"]
    assert told == ["the image registry.example.com/payments:7 is not of this checkout; this checkout's code runs in its place"]


def test_packages_that_cannot_be_made_are_told(images: Images, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise PackageError("no registry")

    monkeypatch.setattr(package_container, "ensure", fail)
    with pytest.raises(ServeError, match="no registry"):
        images("registry.example.com/payments:7")
