"""Tags from one place: a stack transformation adds the environment's tags to every resource that can bear any."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi

# Untagged by `tags` but made with the resource: an instance's disks.
_TAG_INPUTS = ("tags", "volume_tags")


def tag_everything(tags: Mapping[str, str]) -> None:
    """From here on every resource of this program bears `tags`; a resource's own tags win.

    The SDK sets each input of a type in its properties, so a type that has `tags` is known by the key being there.
    """

    def add(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        if not args.type_.startswith("aws:"):
            return None
        inputs = [name for name in _TAG_INPUTS if name in args.props]
        if not inputs:
            return None
        tagged = {name: _with(tags, args.props[name]) for name in inputs}
        return pulumi.ResourceTransformationResult({**args.props, **tagged}, args.opts)

    pulumi.runtime.register_stack_transformation(add)


def _with(tags: Mapping[str, str], own: pulumi.Input[Mapping[str, str]] | None) -> pulumi.Input[Mapping[str, str]]:
    if own is None or isinstance(own, Mapping):
        return {**tags, **(own or {})}
    return pulumi.Output.from_input(own).apply(lambda found: {**tags, **found})
