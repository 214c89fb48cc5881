"""An environment that is deployed as far as a test says, on moto in this process."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from localcloud.aws import Aws
from ops.deployed import Deployed

ACCOUNT, REGION = "123456789012", "us-east-1"


def client(service: str) -> Any:
    """A client in the environment's account; within `moto.mock_aws`."""
    return Aws(ACCOUNT, REGION).client(service)


def deployed(outputs: Mapping[str, Mapping[str, Any]], clients: Callable[..., Any] = lambda service, _endpoint=None: client(service), **more: Any) -> Deployed:
    """The environment dev, with these outputs by project."""
    made = Deployed(
        env="dev",
        suffix="",
        target="local",
        stack="dev",
        outputs=lambda project: outputs.get(project, {}),
        secrets=lambda project: {name: f"clear {name}" for name in outputs.get(project, {})},
        client=clients,
    )
    return dataclasses.replace(made, **more)
