"""A bucket's Intelligent-Tiering archive tiers, which moto does not have: worse, it takes the calls for the bucket's own creation and deletion."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from localcloud.aws import Aws
from localcloud.fields import Refusal, block, blocks, mapping, number, text
from localcloud.kinds import Kind, Props
from localcloud.resources._known import entries

# S3 API reference, "Tiering"; no object is archived later than after two years.
_LEAST_DAYS = {"ARCHIVE_ACCESS": 90, "DEEP_ARCHIVE_ACCESS": 180}
_MOST_DAYS = 730


def _record(bucket: str, name: str) -> str:
    """The parameter of Systems Manager that holds the configuration in S3's place."""
    return f"/localcloud/s3/intelligent-tiering/{bucket}/{name}"


def _write(aws: Aws, inputs: Props) -> str:
    bucket, name = inputs["bucket"], inputs["name"]
    aws.client("s3").head_bucket(Bucket=bucket)
    kept = {member: inputs[member] for member in ("status", "filter", "tierings") if inputs.get(member)}
    aws.client("ssm").put_parameter(Name=_record(bucket, name), Value=json.dumps(kept, sort_keys=True), Type="String", Overwrite=True)
    return f"{bucket}:{name}"


def _read(aws: Aws, id_: str, _: Props) -> Props:
    bucket, name = id_.split(":", 1)
    aws.client("s3").head_bucket(Bucket=bucket)
    kept: Props = json.loads(aws.client("ssm").get_parameter(Name=_record(bucket, name))["Parameter"]["Value"])
    return {"bucket": bucket, "name": name, **kept}


def _update(aws: Aws, _: str, new: Props, __: Props) -> None:
    _write(aws, new)


def _delete(aws: Aws, id_: str, _: Props) -> None:
    bucket, name = id_.split(":", 1)
    aws.client("ssm").delete_parameter(Name=_record(bucket, name))


def _refusals(inputs: Props) -> Iterator[Refusal]:
    tiers: list[Any] = []
    for position, tiering in enumerate(entries(inputs["tierings"])):
        tier, days = tiering.get("accessTier"), tiering.get("days")
        least = _LEAST_DAYS.get(str(tier))
        if least and isinstance(days, int) and days < least:
            yield Refusal(f"tierings[{position}].days", f"it is {days}; {tier} takes {least} to {_MOST_DAYS}")
        if least and tier in tiers:
            yield Refusal(f"tierings[{position}].accessTier", f"{tier} is named twice")
        tiers.append(tier)


TIERING = Kind(
    type="aws:s3/bucketIntelligentTieringConfiguration:BucketIntelligentTieringConfiguration",
    client="s3",
    inputs={
        "bucket": text(required=True, replaces=True),
        "name": text(required=True, replaces=True, pattern=r"[A-Za-z0-9._-]{1,64}"),
        "status": text(shape="PutBucketIntelligentTieringConfiguration.IntelligentTieringConfiguration.Status"),
        "filter": block({"prefix": text(at_most=1024), "tags": mapping()}),
        "tierings": blocks(
            {
                "accessTier": text(required=True, shape="PutBucketIntelligentTieringConfiguration.IntelligentTieringConfiguration.Tierings.AccessTier"),
                "days": number(required=True, at_most=_MOST_DAYS),
            },
            unordered=True,
            required=True,
            at_least=1,
        ),
    },
    defaults={"status": "Enabled"},
    rule=_refusals,
    create=_write,
    read=_read,
    update=_update,
    delete=_delete,
)
