"""A bucket's lifecycle: what S3 moves to cheaper storage and deletes as it ages, with the checks that S3 makes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, cast

from localcloud.aws import Aws
from localcloud.fields import Refusal, block, blocks, flag, mapping, number, text
from localcloud.kinds import Kind, Props
from localcloud.resources import _tags
from localcloud.resources._known import entries, members

_RULES = "PutBucketLifecycleConfiguration.LifecycleConfiguration.Rules"

# S3 user guide, "Transitioning objects using Amazon S3 Lifecycle": objects only move down this list, and
# must have been in S3 for 30 days before they become infrequent access, and there for 30 more before they leave it.
_DOWNWARDS = ("STANDARD_IA", "INTELLIGENT_TIERING", "ONEZONE_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE")
_INFREQUENT = ("STANDARD_IA", "ONEZONE_IA")
_INFREQUENT_DAYS = 30


def _to_aws(value: Any) -> Any:
    """Pulumi's names as S3's: `noncurrentDays` is `NoncurrentDays`, `id` is `ID`, and a map of tags is a list."""
    if isinstance(value, list):
        return [_to_aws(entry) for entry in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    value = cast("dict[str, Any]", value)
    named = {"ID" if name == "id" else name[0].upper() + name[1:]: entry for name, entry in value.items() if entry is not None}
    return {name: _tags.as_list(entry) if name == "Tags" else _to_aws(entry) for name, entry in named.items()}


def _from_aws(value: Any) -> Any:
    if isinstance(value, list):
        return [_from_aws(entry) for entry in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    value = cast("dict[str, Any]", value)
    named = {"id" if name == "ID" else name[0].lower() + name[1:]: entry for name, entry in value.items()}
    return {name: _tags.as_map(entry) if name == "tags" else _from_aws(entry) for name, entry in named.items()}


def _write(aws: Aws, inputs: Props) -> str:
    bucket = str(inputs["bucket"])
    smallest = inputs.get("transitionDefaultMinimumObjectSize")
    aws.client("s3").put_bucket_lifecycle_configuration(
        Bucket=bucket,
        LifecycleConfiguration={"Rules": _to_aws(inputs["rules"])},
        **({"TransitionDefaultMinimumObjectSize": smallest} if smallest else {}),
    )
    return bucket


def _read(aws: Aws, bucket: str, _: Props) -> Props:
    rules = aws.client("s3").get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    return {"bucket": bucket, "rules": _from_aws(rules)}


def _update(aws: Aws, _: str, new: Props, __: Props) -> None:
    _write(aws, new)


def _delete(aws: Aws, bucket: str, _: Props) -> None:
    aws.client("s3").delete_bucket_lifecycle(Bucket=bucket)


def _refusals(inputs: Props) -> Iterator[Refusal]:
    rules = entries(inputs.get("rules"))
    ids = [rule.get("id") for rule in rules]
    for position, rule in enumerate(rules):
        at = f"rules[{position}]"
        if ids.index(rule.get("id")) != position:
            yield Refusal(f"{at}.id", f"{rule.get('id')!r} is the id of an earlier rule")
        yield from _ages(rule, f"{at}.transitions", "days", f"{at}.expiration.days", members(rule.get("expiration")).get("days"))
        ends = members(rule.get("noncurrentVersionExpiration")).get("noncurrentDays")
        yield from _ages(rule, f"{at}.noncurrentVersionTransitions", "noncurrentDays", f"{at}.noncurrentVersionExpiration.noncurrentDays", ends)
        yield from _combinations(rule, at)


def _ages(rule: Props, at: str, member: str, ends_at: str, ends: Any) -> Iterator[Refusal]:
    """The days of a rule's transitions: down the list of storage classes, one after the other, and before the expiration."""
    transitions = entries(rule.get(at.rpartition(".")[2]))
    moves = [(t["storageClass"], t[member]) for t in transitions if t.get("storageClass") in _DOWNWARDS and isinstance(t.get(member), int)]
    for storage, days in moves:
        if storage in _INFREQUENT and days < _INFREQUENT_DAYS:
            yield Refusal(at, f"{member} of {storage} is {days}; S3 takes at least {_INFREQUENT_DAYS}")
        if isinstance(ends, int) and ends <= days:
            yield Refusal(ends_at, f"it is {ends}, but must be more than the {days} after which objects move to {storage}")
    for (upper, before), (lower, after) in pairwise(sorted(moves, key=lambda move: _DOWNWARDS.index(move[0]))):
        least = before + (_INFREQUENT_DAYS if upper in _INFREQUENT else 1)
        if upper == lower:
            yield Refusal(at, f"{upper} is named twice")
        elif after < least:
            yield Refusal(at, f"{member} of {lower} is {after}; with {upper} at {before} it must be at least {least}")


def _combinations(rule: Props, at: str) -> Iterator[Refusal]:
    chosen, expiration = members(rule.get("filter")), members(rule.get("expiration"))
    if expiration.get("expiredObjectDeleteMarker") and expiration.get("days"):
        yield Refusal(f"{at}.expiration", "expiredObjectDeleteMarker and days exclude each other")
    if chosen.get("tag") or members(chosen.get("and")).get("tags"):
        if expiration.get("expiredObjectDeleteMarker"):
            yield Refusal(f"{at}.expiration.expiredObjectDeleteMarker", "it cannot be chosen by tag: delete markers have none")
        if rule.get("abortIncompleteMultipartUpload"):
            yield Refusal(f"{at}.abortIncompleteMultipartUpload", "it cannot be chosen by tag: unfinished uploads have none")
    if len([name for name in ("prefix", "tag", "and") if chosen.get(name)]) > 1:
        yield Refusal(f"{at}.filter", "it takes one of prefix, tag and and; put several conditions into and")
    if rule and not any(rule.get(action) for action in _ACTIONS):
        yield Refusal(at, f"it does nothing; a rule has at least one of {', '.join(_ACTIONS)}")


_ACTIONS = ("expiration", "transitions", "noncurrentVersionExpiration", "noncurrentVersionTransitions", "abortIncompleteMultipartUpload")

_STORAGE = text(required=True, shape=f"{_RULES}.Transitions.StorageClass")

LIFECYCLE = Kind(
    type="aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
    client="s3",
    # moto does not keep a filter's object sizes, nor how many noncurrent versions an expiration keeps: these are refused as unknown.
    inputs={
        "bucket": text(required=True, replaces=True),
        "rules": blocks(
            {
                "id": text(required=True, at_least=1, at_most=255),
                "status": text(required=True, shape=f"{_RULES}.Status"),
                "filter": block(
                    {
                        "prefix": text(at_most=1024),
                        "tag": block({"key": text(required=True, at_most=128), "value": text(required=True, at_most=256)}),
                        "and": block({"prefix": text(at_most=1024), "tags": mapping()}),
                    }
                ),
                "expiration": block({"days": number(at_least=1), "expiredObjectDeleteMarker": flag()}),
                "transitions": blocks({"days": number(required=True, at_least=0), "storageClass": _STORAGE}, unordered=True),
                "noncurrentVersionExpiration": block({"noncurrentDays": number(required=True, at_least=1)}),
                "noncurrentVersionTransitions": blocks(
                    {
                        "noncurrentDays": number(required=True, at_least=0),
                        "newerNoncurrentVersions": number(at_least=1, at_most=100),
                        "storageClass": _STORAGE,
                    },
                    unordered=True,
                ),
                "abortIncompleteMultipartUpload": block({"daysAfterInitiation": number(required=True, at_least=1)}),
            },
            required=True,
            at_least=1,
            at_most=1000,
        ),
        "transitionDefaultMinimumObjectSize": text(shape="PutBucketLifecycleConfiguration.TransitionDefaultMinimumObjectSize"),
    },
    rule=_refusals,
    create=_write,
    read=_read,
    update=_update,
    delete=_delete,
)
