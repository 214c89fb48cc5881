"""moto set up as a control plane: it records what was asked for, and runs nothing of it by itself."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import botocore.loaders
import botocore.session
import moto.core.utils
import moto.settings
import moto.sqs.models
from moto.core.config import default_user_config
from moto.iam.access_control import IAMPolicyStatement, PermissionResult

from localcloud import moto_caches, moto_code, moto_gateways, moto_logs, moto_offerings, moto_queues, moto_speed, moto_tables
from localcloud.models import LOADER


def as_a_control_plane() -> None:
    """Before moto is used in this process.

    Lambda functions are made without Docker. ACM issues a certificate when it is asked, not after a minute. And a queue with an event
    source mapping keeps its messages: moto would hand each to its own (simulated) function and delete it, so that whoever really
    runs the functions would never see one.
    """
    default_user_config["lambda"] = {"use_docker": False}
    _models_read_once()
    moto_offerings.read_when_asked()
    moto_speed.worked_out_once()
    _images_when_they_are_asked_for()
    _conditions_are_not_guessed()
    _signing_keys_for_keys_that_sign()
    _deleted_clusters_are_not_listed()
    moto.settings.ACM_VALIDATION_WAIT = 0
    queue: Any = moto.sqs.models.Queue
    queue.lambda_event_source_mappings = property(_no_mappings, _forget)
    moto_queues.quick_when_deep()
    moto_tables.transactions_are_atomic()
    moto_caches.complete()
    moto_logs.complete()
    moto_gateways.complete()
    moto_code.taken_by_reference()


def _models_read_once() -> None:
    """Moto makes sessions and loaders of its own, each of which would read the services' models again."""
    utils: Any = moto.core.utils
    utils.create_loader = lambda: LOADER
    for module in (botocore.loaders, botocore.session):
        loaders: Any = module
        loaders.create_loader = lambda *_: LOADER


def _no_mappings(_: Any) -> dict[str, Any]:
    return {}


def _forget(_: Any, __: Any) -> None:
    """The mapping is on record with moto's Lambda; the queue needs none."""


# Once in a process; the marks of what was changed already.
_CHANGED = "_localcloud"


def _images_when_they_are_asked_for() -> None:
    """The thousand images of moto cost half a second in each account and region; few ask for one, and an instance takes any image without them."""
    from moto.ec2.models.amis import AmiBackend  # after moto_offerings, as all of moto's EC2
    from moto.ec2.responses.amis import AmisResponse

    load = AmiBackend._load_amis  # noqa: SLF001 - the only place where moto makes them
    if hasattr(load, _CHANGED):
        return

    def no_images(_: Any) -> None:
        """Until somebody asks."""

    setattr(no_images, _CHANGED, True)
    backends: Any = AmiBackend
    backends._load_amis = no_images  # noqa: SLF001
    describe: Callable[[Any], Any] = AmisResponse.describe_images

    @wraps(describe)
    def describe_images(response: Any) -> Any:
        backend = response.ec2_backend
        if not hasattr(backend, _CHANGED):
            setattr(backend, _CHANGED, True)
            load(backend)
        return describe(response)

    responses: Any = AmisResponse
    responses.describe_images = describe_images


def _conditions_are_not_guessed() -> None:
    """A statement whose condition moto cannot evaluate says nothing of a request; moto would deny it.

    S3's own check of a bucket policy hands over nothing that a condition could be held to: a Deny without TLS would deny everything.
    """
    permitted: Callable[..., PermissionResult] = IAMPolicyStatement.is_action_permitted
    if hasattr(permitted, _CHANGED):
        return

    @wraps(permitted)
    def is_action_permitted(
        statement: Any, action: str, resource: str = "*", principal: str | None = None, incoming_condition_values: dict[str, str] | None = None
    ) -> PermissionResult:
        if statement._statement.get("Condition") and not incoming_condition_values:  # noqa: SLF001 - moto's class keeps it nowhere else
            return PermissionResult.NEUTRAL
        return permitted(statement, action, resource, principal, incoming_condition_values)

    setattr(is_action_permitted, _CHANGED, True)
    statements: Any = IAMPolicyStatement
    statements.is_action_permitted = is_action_permitted
    _conditions_of_key_policies_are_not_guessed()


def _conditions_of_key_policies_are_not_guessed() -> None:
    """KMS's own check of a key policy (DescribeKey alone has one) looks at actions and resources, and would deny for what a condition is about."""
    from moto.kms import policy_validator

    validator: Any = policy_validator
    applies: Callable[[dict[str, Any], str, str], bool] = validator.check_statement

    @wraps(applies)
    def check_statement(statement: dict[str, Any], resource: str, action: str) -> bool:
        return not statement.get("Condition") and applies(statement, resource, action)

    validator.check_statement = check_statement


def _signing_keys_for_keys_that_sign() -> None:
    """Moto makes an RSA key, a tenth of a second, for symmetric KMS keys too (AWS's default), which it refuses to sign with."""
    from moto.kms import models as kms

    models: Any = kms
    make: Callable[[str], Any] = models.generate_private_key
    if hasattr(make, _CHANGED):
        return

    @wraps(make)
    def generate_private_key(key_spec: str) -> Any:
        return None if key_spec == "SYMMETRIC_DEFAULT" else make(key_spec)

    setattr(generate_private_key, _CHANGED, True)
    models.generate_private_key = generate_private_key


def _deleted_clusters_are_not_listed() -> None:
    """A deleted cluster of ECS is INACTIVE, and may be described for a while; in moto it would be listed, too, for ever."""
    from moto.ecs import models as ecs  # after moto_offerings

    backend: Any = ecs.EC2ContainerServiceBackend
    listed: Callable[[Any], list[str]] = backend.list_clusters
    if hasattr(listed, _CHANGED):
        return

    @wraps(listed)
    def list_clusters(clusters: Any) -> list[str]:
        gone = {cluster.arn for cluster in clusters.clusters.values() if cluster.status == "INACTIVE"}
        return [arn for arn in listed(clusters) if arn not in gone]

    setattr(list_clusters, _CHANGED, True)
    backend.list_clusters = list_clusters
