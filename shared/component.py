"""The base of every component: its type token, and the options that make a resource its child."""

from __future__ import annotations

from typing import Any

import pulumi

from shared.environment import Environment


class Component(pulumi.ComponentResource):
    """A group of resources with a meaning.

    A subclass takes its name, the environment, its section of the page (or args of its own, where there is none), what it needs of other
    components by keyword, and `opts`. It makes its resources with `self.child()` as their options, and ends with `self.register_outputs({...})`.
    Its type token is `payments:<project>:<Class>`, from the module that it stands in.
    """

    environment: Environment

    def __init__(self, name: str, environment: Environment, opts: pulumi.ResourceOptions | None = None) -> None:
        _, room, *_ = type(self).__module__.split(".")
        project = "shared" if type(self).__module__.startswith("shared.") else room
        super().__init__(f"payments:{project}:{type(self).__name__}", name, None, opts)
        self.environment = environment

    def child(self, **options: Any) -> pulumi.ResourceOptions:
        """The options of a resource that belongs to this component; takes what `pulumi.ResourceOptions` takes."""
        return pulumi.ResourceOptions(parent=self, **options)

    def look_up(self) -> pulumi.InvokeOptions:
        """The options of a look-up made for this component."""
        return pulumi.InvokeOptions(parent=self)
