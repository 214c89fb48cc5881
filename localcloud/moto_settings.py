"""moto set up as a control plane: it records what was asked for, and runs nothing of it by itself."""

from __future__ import annotations

import os
from typing import Any

import moto.settings
import moto.sqs.models
from moto.core.config import default_user_config


def as_a_control_plane() -> None:
    """Before moto is used in this process.

    Lambda functions are made without Docker. ACM issues a certificate when it is asked, not after a minute. And a queue with an event
    source mapping keeps its messages: moto would hand each to its own (simulated) function and delete it, so that whoever really
    runs the functions would never see one.
    """
    default_user_config["lambda"] = {"use_docker": False}
    # moto's thousand images cost half a second in each account and region; an instance takes any image without them.
    os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"
    moto.settings.ACM_VALIDATION_WAIT = 0
    queue: Any = moto.sqs.models.Queue
    queue.lambda_event_source_mappings = property(_no_mappings, _forget)


def _no_mappings(_: Any) -> dict[str, Any]:
    return {}


def _forget(_: Any, __: Any) -> None:
    """moto's own record of the mapping is Lambda's; the queue needs none."""
