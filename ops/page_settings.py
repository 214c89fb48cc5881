"""A page as the settings of each project, found by the project's name."""

from __future__ import annotations

import importlib
from types import ModuleType

from shared.page import Page, Settings


def module_of(project: str) -> ModuleType:
    """The settings module of a project, with its settings class and the rules that it may have."""
    return importlib.import_module(f"projects.{project}.settings")


def model_of(project: str) -> type[Settings]:
    """The settings class of a project: `<Project>Settings` of its settings module."""
    found: type[Settings] = getattr(module_of(project), f"{project.capitalize()}Settings")
    return found


def settings_of(page: Page, project: str) -> Settings:
    """What a page says of a project, defaults filled in; raises PageError."""
    return page.settings(project, model_of(project))
