"""What forces a replacement, held to what the official provider's documentation says of each input, at every depth.

The documentation is silent about most inputs that nobody would expect to change (names, parents); for those that our programs use,
the table follows the provider's source (`ForceNew` in terraform-provider-aws, internal/service/).
"""

from __future__ import annotations

import re
import typing
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from pulumi import _types

from localcloud import catalogue
from localcloud.fields import Field
from localcloud.kinds import Kind
from tests.localcloud.test_schema import _bare, arguments_of, inputs_of

SAYS_SO = re.compile(r"forces? (a |the )?(new|replacement|re-?creation)|(trigger|require|result in|cause)s? .{0,30}(replace|re-?creat)", re.IGNORECASE)

# Said by the documentation, and done under a condition; by a rule of the kind's own, or never, as said here.
CONDITIONAL = {
    "aws:ec2/instance:Instance.rootBlockDevice.volumeType": "says it of `encrypted` and `kmsKeyId`, and the kind compares those",
    "aws:ec2/instance:Instance.userData": "only with userDataReplaceOnChange, which the kind looks at",
    "aws:ec2/instance:Instance.userDataReplaceOnChange": "says it of userData",
    "aws:ecs/service:Service.forceNewDeployment": "replaces tasks, not the service",
    "aws:lb/loadBalancer:LoadBalancer.securityGroups": "of network load balancers alone, which the table refuses",
    "aws:lb/loadBalancer:LoadBalancer.subnets": "of network load balancers alone, which the table refuses",
    "aws:ec2/vpcEndpoint:VpcEndpoint.privateDnsEnabled": "only for endpoints that are not of type Interface, and the table refuses it for those",
}


def documentation_of(cls: type[Any]) -> dict[str, str]:
    """What an SDK class says of each of its inputs, by their names on the wire."""
    names = _types.input_type_py_to_pulumi_names(cls)
    found = re.finditer(r":param .*? (\w+): (.*?)(?=\n\s*:param |\Z)", cls.__init__.__doc__ or "", re.DOTALL)
    return {names.get(match[1], match[1]): " ".join(match[2].split()) for match in found}


def said(fields: Mapping[str, Field], cls: type[Any], at: str = "") -> Iterator[str]:
    """The paths of the inputs of which the documentation says that they force a replacement."""
    documentation, types_ = documentation_of(cls), inputs_of(cls)
    for name, field in fields.items():
        if SAYS_SO.search(documentation.get(name, "")):
            yield f"{at}{name}"
        below = field.fields or (field.item.fields if field.item else {})
        hint = types_[name][0]
        while typing.get_args(hint):
            hint = _bare(typing.get_args(hint)[-1])
        if below and _types.is_input_type(hint):
            yield from said(below, hint, f"{at}{name}.")


@pytest.mark.parametrize("kind", catalogue.everything(), ids=lambda kind: kind.type.removeprefix("aws:"))
def test_what_the_documentation_says_replaces_does(kind: Kind) -> None:
    replacing = {name for name, field in kind.fields.items() if field.replaces or kind.update is None}
    missing = {path for path in said(kind.fields, arguments_of(kind.type)) if path.split(".")[0] not in replacing}
    assert {f"{kind.type}.{path}" for path in missing} - set(CONDITIONAL) == set()


def test_the_documentation_is_read() -> None:
    role = catalogue.kind("aws:iam/role:Role")
    assert documentation_of(arguments_of(role.type))["path"].startswith("Path to the role.")
    found = {f"{kind.type}.{path}" for kind in catalogue.everything() for path in said(kind.fields, arguments_of(kind.type))}
    assert set(CONDITIONAL) <= found
