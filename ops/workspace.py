"""One deployable environment: a page, with the suffix of a short-lived copy if there is one, checked before anything is touched."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import yaml

from ops import places
from ops.options import TargetName
from ops.validation import problems_beside, problems_of
from shared import page as pages
from shared.environment import Environment, environment_of
from shared.files import write_whole
from shared.page import Page, PageError


@dataclass(frozen=True)
class Workspace:
    """An environment as the engine gets it.

    name: of the page. suffix: of a copy, or empty. stack: the name of the four stacks. file: the configuration handed to the engine,
    a copy, because the engine writes into the file that it is given; one per target, as the two differ and may be deployed at once.
    """

    name: str
    suffix: str
    stack: str
    page: Page
    environment: Environment
    file: Path = field(repr=False)
    target: TargetName = "aws"


def open_workspace(name: str, suffix: str = "", *, target: TargetName = "aws") -> Workspace:
    """The environment `name` (as a copy with its own `suffix`); raises PageError with every problem of the page at once.

    target: on the local one the backend is a folder, whose only organization is called `organization`.
    """
    page = pages.read(name)
    if target == "local":
        page = page.with_values({"platform:organization": "organization"})
    if suffix:
        page = page.with_values({"platform:environmentSuffix": suffix, "platform:copyOf": name})
    if found := problems_of(page) + problems_beside(page):
        # The suffix of a copy comes from the command line, and not from the page.
        raise PageError([replace(one, page="--suffix") if suffix and one.key == "platform:environmentSuffix" else one for one in found])
    stack = f"{name}-{suffix}" if suffix else name
    file = places.LOCAL / "pages" / target / f"Pulumi.{stack}.yaml"
    return Workspace(name, suffix, stack, page, environment_of(page), file, target)


def write_configuration(workspace: Workspace, folder: Path | None = None) -> Path:
    """Writes the engine's copy of the page (into another folder, if one is given); a secrets provider that the page names goes along."""
    file = folder / workspace.file.name if folder else workspace.file
    document = yaml.safe_load((pages.ENVIRONMENTS / f"Pulumi.{workspace.name}.yaml").read_text())
    if workspace.target == "local":
        # What a page says of secrets is for AWS: KMS must not be asked for a deployment on this machine.
        document = {key: value for key, value in document.items() if key not in {"secretsprovider", "encryptedkey", "encryptionsalt"}}
    document["config"] = dict(workspace.page.config)
    write_whole(file, yaml.safe_dump(document, sort_keys=True))
    return file
