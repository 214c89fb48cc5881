"""An S3 bucket that nobody outside the account can reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import pulumi
import pulumi_aws as aws

from shared import naming
from shared.component import Component
from shared.environment import Environment
from shared.iam import Condition, Statement, policy
from shared.isolation import closed_to_others

# An upload that was given up costs storage, and no listing shows it.
_UNFINISHED_UPLOAD_DAYS = 7


def bucket_arn(environment: Environment, word: str) -> str:
    """The ARN of the bucket called `word`, for policies that are written before the bucket is made."""
    return environment.arn("s3", environment.names(word, naming.BUCKET), region="", account="")


@dataclass(frozen=True, kw_only=True)
class Transition:
    """A move to a cheaper storage class, `days` after an object was written."""

    days: int
    storage_class: Literal["INTELLIGENT_TIERING", "GLACIER"]


@dataclass(frozen=True, kw_only=True)
class BucketArgs:
    """What a bucket keeps, how long, and who besides the account's own roles may use it.

    expire_days: age in days at which an object is deleted.
    noncurrent_days: days after which a version is deleted that was replaced or deleted, be it by age; None is as many as `expire_days`. An object is
    kept for the sum of both.
    key_arn: the KMS key of its objects; None is SSE-S3, for what cannot use a key of ours.
    versioning: keep what is overwritten or deleted. S3 only suspends what was once switched on: a bucket that had versions is made anew, or keeps them.
    transitions: in the order of their days, all before `expire_days` (S3 refuses others). Versions that were replaced or deleted move after as many
    days, where they are kept for longer.
    statements: of the bucket policy, beside those that refuse requests without TLS 1.2.
    logs_to: the bucket that keeps this one's access log, below a prefix of this one's word; its policy has to allow it (`access_log_delivery`).
    """

    expire_days: int
    noncurrent_days: int | None = None
    key_arn: pulumi.Input[str] | None = None
    versioning: bool = True
    transitions: Sequence[Transition] = ()
    statements: Sequence[Statement] = ()
    logs_to: Bucket | None = None

    def __post_init__(self) -> None:
        days = [*(transition.days for transition in self.transitions), self.expire_days]
        if any(later <= earlier for earlier, later in pairwise(days)):
            raise ValueError(f"days of transitions and expiration are {days}; each must be greater than the one before (S3, Lifecycle configuration elements)")


class Bucket(Component):
    """Produces an encrypted bucket without ACLs or public access, its versioning, its policy, its lifecycle, and its access logging.

    Its policy refuses requests without TLS 1.2, roles of other environments, and other accounts.
    Outputs: `name`, `arn`. Who writes to it by the bucket policy depends on `policy`.
    """

    name: pulumi.Output[str]
    arn: pulumi.Output[str]
    policy: aws.s3.BucketPolicy

    def __init__(self, name: str, environment: Environment, args: BucketArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, environment, opts)
        bucket = aws.s3.Bucket(name, bucket=environment.names(name, naming.BUCKET), force_destroy=True, opts=self.child())
        self.name, self.arn = bucket.bucket, bucket.arn
        self._encrypt(name, args.key_arn)
        status = "Enabled" if args.versioning else "Disabled"
        versioning = aws.s3.BucketVersioning(name, bucket=self.name, versioning_configuration={"status": status}, opts=self.child())
        # What counts noncurrent versions is set on a bucket that has them.
        self._age(name, args, versioning)
        self.policy = self._close(name, args.statements, bucket_arn(environment, name))
        if args.logs_to is not None:
            target = args.logs_to
            aws.s3.BucketLogging(name, bucket=self.name, target_bucket=target.name, target_prefix=f"{name}/", opts=self.child(depends_on=[target.policy]))
        self.register_outputs({"name": self.name, "arn": self.arn})

    def _encrypt(self, name: str, key_arn: pulumi.Input[str] | None) -> None:
        if key_arn is None:
            rule: aws.s3.BucketServerSideEncryptionConfigurationRuleArgsDict = {"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}
        else:
            # A bucket key asks KMS once for many objects, instead of once for each.
            rule = {
                "apply_server_side_encryption_by_default": {"sse_algorithm": "aws:kms", "kms_master_key_id": key_arn},
                "bucket_key_enabled": True,
            }
        aws.s3.BucketServerSideEncryptionConfiguration(name, bucket=self.name, rules=[rule], opts=self.child())

    def _age(self, name: str, args: BucketArgs, versioning: aws.s3.BucketVersioning) -> None:
        noncurrent_days = args.expire_days if args.noncurrent_days is None else args.noncurrent_days
        aws.s3.BucketLifecycleConfiguration(
            name,
            bucket=self.name,
            # By default nothing below 128 KiB moves, and audit records are smaller; so set, all go to Glacier ("Transitioning objects", size constraints).
            transition_default_minimum_object_size="varies_by_storage_class",
            rules=[
                {
                    "id": "age",
                    "status": "Enabled",
                    "filter": {"prefix": ""},
                    "transitions": [{"days": transition.days, "storage_class": transition.storage_class} for transition in args.transitions],
                    "expiration": {"days": args.expire_days},
                    "noncurrent_version_expiration": {"noncurrent_days": noncurrent_days},
                    "noncurrent_version_transitions": [
                        {"noncurrent_days": transition.days, "storage_class": transition.storage_class}
                        for transition in args.transitions
                        if transition.days < noncurrent_days
                    ],
                    "abort_incomplete_multipart_upload": {"days_after_initiation": _UNFINISHED_UPLOAD_DAYS},
                }
            ],
            opts=self.child(depends_on=[versioning]),
        )

    def _close(self, name: str, statements: Sequence[Statement], arn: str) -> aws.s3.BucketPolicy:
        ownership = aws.s3.BucketOwnershipControls(name, bucket=self.name, rule={"object_ownership": "BucketOwnerEnforced"}, opts=self.child())
        block = aws.s3.BucketPublicAccessBlock(
            name,
            bucket=self.name,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=self.child(depends_on=[ownership]),
        )
        # S3 answers OperationAborted to changes of one bucket's access settings at the same moment, so they follow one another.
        refused = [*_only_tls(arn), *closed_to_others(self.environment, ["s3:*"], [arn, f"{arn}/*"])]
        return aws.s3.BucketPolicy(name, bucket=self.name, policy=policy(*refused, *statements), opts=self.child(depends_on=[block]))


def access_log_delivery(environment: Environment, *, source: str, target: str) -> Statement:
    """Lets S3 write the access log of the bucket called `source` to the one called `target` (S3, "Permissions for log delivery").

    The target takes SSE-S3 only: S3 delivers no access logs to a bucket whose default encryption is SSE-KMS
    ("Enabling Amazon S3 server access logging").
    """
    return Statement(
        sid=f"AccessLogOf{source.title().replace('-', '')}",
        principals={"Service": "logging.s3.amazonaws.com"},
        actions=["s3:PutObject"],
        resources=[f"{bucket_arn(environment, target)}/{source}/*"],
        conditions={
            "StringEquals": {"aws:SourceAccount": environment.account},
            "ArnLike": {"aws:SourceArn": bucket_arn(environment, source)},
        },
    )


LOAD_BALANCER_LOGS = "load-balancer"
"""The prefix below which a load balancer's access log is delivered."""


def load_balancer_log_delivery(environment: Environment, *, target: str) -> Statement:
    """Lets Elastic Load Balancing write this account's access logs to the bucket called `target`, below `LOAD_BALANCER_LOGS`.

    The service's name is for every region; a region's account of Elastic Load Balancing (127311923021 in us-east-1) is the older way
    ("Enable access logs for your Application Load Balancer", step 2). The account in the path is the load balancer's own, so that no other's
    log can come here.
    """
    return Statement(
        sid="LoadBalancerLog",
        principals={"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
        actions=["s3:PutObject"],
        resources=[f"{bucket_arn(environment, target)}/{LOAD_BALANCER_LOGS}/AWSLogs/{environment.account}/*"],
    )


def _only_tls(arn: str) -> tuple[Statement, Statement]:
    """Refuses requests without TLS, and those with a TLS below 1.2 (PCI DSS 4.2.1)."""

    def refused(sid: str, conditions: Condition) -> Statement:
        return Statement(sid=sid, effect="Deny", principals={"AWS": "*"}, actions=["s3:*"], resources=[arn, f"{arn}/*"], conditions=conditions)

    return refused("OnlyTls", {"Bool": {"aws:SecureTransport": "false"}}), refused("OnlyTls12", {"NumericLessThan": {"s3:TlsVersion": "1.2"}})
