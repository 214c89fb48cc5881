"""Pages of a test's own, in place of the committed ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ops import places
from shared import page as pages


class Pages:
    """A folder of pages that starts with copies of the committed ones; nothing of the checkout is written to."""

    def __init__(self, folder: Path, patched: pytest.MonkeyPatch) -> None:
        self.folder = folder / "environments"
        self.folder.mkdir()
        for name in pages.names():
            self.write(name, dict(pages.read(name).config))
        read, names = pages.read, pages.names
        patched.setattr(pages, "read", lambda name, folder=self.folder: read(name, folder))
        patched.setattr(pages, "names", lambda folder=self.folder: names(folder))
        patched.setattr(pages, "ENVIRONMENTS", self.folder)
        patched.setattr(places, "LOCAL", folder / ".local")

    def write(self, name: str, config: dict[str, Any], **more: Any) -> None:
        self.text(name, yaml.safe_dump({**more, "config": config}))

    def text(self, name: str, text: str) -> None:
        (self.folder / f"Pulumi.{name}.yaml").write_text(text)

    def change(self, name: str, changed: dict[str, Any]) -> None:
        """Sets keys of a page: `data:database.multiAz` a member of a section, None takes a key away."""
        config: dict[str, Any] = yaml.safe_load((self.folder / f"Pulumi.{name}.yaml").read_text())["config"]
        for path, value in changed.items():
            namespace, _, key = path.partition(":")
            section, *members = key.split(".")
            target, last = (config[f"{namespace}:{section}"], members[0]) if members else (config, f"{namespace}:{section}")
            if value is None:
                target.pop(last, None)
            else:
                target[last] = value
        self.write(name, config)
