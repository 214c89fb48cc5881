"""Amazon S3: buckets, and what is set on a bucket by resources of its own (the lifecycle and archive tiers have modules beside this one)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from localcloud.aws import Aws, is_missing
from localcloud.fields import Field, Refusal, block, blocks, flag, text
from localcloud.kinds import Kind, Props, made
from localcloud.resources import _policy, _tags
from localcloud.resources._known import entries, members
from localcloud.resources._s3_lifecycle import LIFECYCLE
from localcloud.resources._s3_tiering import TIERING

# This region's own endpoint takes no location, and answers a second creation by the same owner as if it were the first.
_OLDEST = "us-east-1"

# Amazon S3 endpoints and quotas, "Amazon S3 website endpoints"; constants that no call gives.
_HOSTED_ZONES = {
    "af-south-1": "Z83WF9RJE8B12",
    "ap-east-1": "ZNB98KWMFR0R6",
    "ap-northeast-1": "Z2M4EHUR26P7ZW",
    "ap-northeast-2": "Z3W03O7B5YMIYP",
    "ap-northeast-3": "Z2YQB5RD63NC85",
    "ap-south-1": "Z11RGJOFQNVJUP",
    "ap-southeast-1": "Z3O0J2DXBE1FTB",
    "ap-southeast-2": "Z1WCIGYICN2BYD",
    "ca-central-1": "Z1QDHH18159H29",
    "eu-central-1": "Z21DNDUVLTQW6Q",
    "eu-central-2": "Z030506016YDQGETNASS",
    "eu-north-1": "Z3BAZG2TWCNX0D",
    "eu-south-1": "Z30OZKI7KPW7MI",
    "eu-south-2": "Z0081959F7139GRJC19J",
    "eu-west-1": "Z1BKCTXD74EZPE",
    "eu-west-2": "Z3GKZC51ZF0DB4",
    "eu-west-3": "Z3R1K369G5AVDG",
    "me-south-1": "Z1MPMWCPA7YB62",
    "sa-east-1": "Z7KQH4QJS55SO",
    "us-east-1": "Z3AQBSTGFYJSTF",
    "us-east-2": "Z2O1EMRO9K5GLX",
    "us-west-1": "Z2F56UZL2M1ACD",
    "us-west-2": "Z3BJ6K6RIION7M",
}

# S3 user guide, "General purpose bucket naming rules".
_NAME = r"(?!.*\.\.)(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
_SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")


def _reserved(name: str) -> str | None:
    if not name.startswith(_PREFIXES) and not name.endswith(_SUFFIXES):
        return None
    return f"{name!r}: S3 keeps names that begin with {', '.join(_PREFIXES)} or end with {', '.join(_SUFFIXES)} for itself"


def _found(call: Callable[..., Any], **arguments: Any) -> Any:
    """The call's answer, or None where S3 says that there is no such thing."""
    try:
        return call(**arguments)
    except ClientError as error:
        if is_missing(error):
            return None
        raise


def _create_bucket(aws: Aws, inputs: Props) -> str:
    s3, name = aws.client("s3"), str(inputs["bucket"])
    if aws.region == _OLDEST and _found(s3.head_bucket, Bucket=name):
        raise FileExistsError(f"bucket {name} exists already, and bucket names are unique; choose another, or delete that one")
    place = {} if aws.region == _OLDEST else {"CreateBucketConfiguration": {"LocationConstraint": aws.region}}
    s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=bool(inputs.get("objectLockEnabled")), **place)
    with made(name):
        _tag_bucket(s3, name, inputs.get("tags"))
    return name


def _tag_bucket(s3: Any, name: str, tags: Mapping[str, str] | None) -> None:
    if tags:
        s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": _tags.as_list(tags)})
    else:
        s3.delete_bucket_tagging(Bucket=name)


def _read_bucket(aws: Aws, name: str, _: Props) -> Props:
    s3 = aws.client("s3")
    region = s3.head_bucket(Bucket=name)["BucketRegion"]
    lock = _found(s3.get_object_lock_configuration, Bucket=name)
    tags = _found(s3.get_bucket_tagging, Bucket=name)
    return {
        "bucket": name,
        "arn": aws.arn("s3", name, region="", account=""),
        "bucketDomainName": f"{name}.s3.amazonaws.com",
        "bucketRegionalDomainName": f"{name}.s3.{region}.amazonaws.com",
        "bucketRegion": region,
        "hostedZoneId": _HOSTED_ZONES.get(region, ""),
        "objectLockEnabled": lock is not None,
        "tags": _tags.as_map(tags["TagSet"] if tags else None),
    }


def _update_bucket(aws: Aws, name: str, new: Props, _: Props) -> None:
    _tag_bucket(aws.client("s3"), name, new.get("tags"))


def _delete_bucket(aws: Aws, name: str, state: Props) -> None:
    s3 = aws.client("s3")
    if state.get("forceDestroy"):
        _empty(s3, name, locked=bool(state.get("objectLockEnabled")))
    s3.delete_bucket(Bucket=name)


def _empty(s3: Any, name: str, *, locked: bool) -> None:
    """Deletes every version and delete marker, a page at a time; what a lock holds stays, and then the bucket's deletion says so."""
    bypass = {"BypassGovernanceRetention": True} if locked else {}
    while True:
        page = s3.list_object_versions(Bucket=name)
        versions = [{"Key": v["Key"], "VersionId": v["VersionId"]} for v in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]]
        if not versions or s3.delete_objects(Bucket=name, Delete={"Objects": versions, "Quiet": True}, **bypass).get("Errors"):
            return


BUCKET = Kind(
    type="aws:s3/bucket:Bucket",
    client="s3",
    # Versioning, encryption, logging and the rest are resources of their own, as the AWS provider recommends; set here they are refused.
    inputs={
        "bucket": text(required=True, replaces=True, pattern=_NAME, rule=_reserved),
        "forceDestroy": flag(),
        "objectLockEnabled": flag(replaces=True),
    },
    outputs=("arn", "bucketDomainName", "bucketRegionalDomainName", "bucketRegion", "hostedZoneId"),
    tagged=True,
    create=_create_bucket,
    read=_read_bucket,
    update=_update_bucket,
    delete=_delete_bucket,
)


def _setting(
    name: str,
    inputs: Mapping[str, Field],
    *,
    put: Callable[[Any, str, Props], object],
    get: Callable[[Any, str, Props], Props | None],
    remove: Callable[[Any, str], object],
    rule: Callable[[Props], Iterator[Refusal]] | None = None,
) -> Kind:
    """A type that is one thing set on a bucket, with the bucket's name as its id: written whole, read and removed with one call each."""

    def write(aws: Aws, wanted: Props) -> str:
        bucket = str(wanted["bucket"])
        put(aws.client("s3"), bucket, wanted)
        return bucket

    def read(aws: Aws, bucket: str, known: Props) -> Props | None:
        live = get(aws.client("s3"), bucket, known)
        return None if live is None else {"bucket": bucket, **live}

    def update(aws: Aws, _: str, new: Props, __: Props) -> None:
        write(aws, new)

    def delete(aws: Aws, bucket: str, _: Props) -> None:
        remove(aws.client("s3"), bucket)

    return Kind(
        type=f"aws:s3/{name[0].lower()}{name[1:]}:{name}",
        client="s3",
        inputs={"bucket": text(required=True, replaces=True), **inputs},
        create=write,
        read=read,
        update=update,
        delete=delete,
        rule=rule,
    )


_VERSIONING = ("Enabled", "Suspended", "Disabled")


def _put_versioning(s3: Any, bucket: str, wanted: Props) -> None:
    status, live = wanted["versioningConfiguration"]["status"], s3.get_bucket_versioning(Bucket=bucket).get("Status")
    if status == "Disabled" and live in ("Enabled", "Suspended"):
        raise LookupError(f"versioning of {bucket} is {live} and cannot become Disabled (AWS provider); S3 only suspends it: say Suspended")
    # To AWS the provider says nothing of Disabled, which a new bucket is; moto keeps the word, by which the resource can be told from none.
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})


def _get_versioning(s3: Any, bucket: str, _: Props) -> Props | None:
    status = s3.get_bucket_versioning(Bucket=bucket).get("Status")
    return {"versioningConfiguration": {"status": status}} if status in _VERSIONING else None


def _drop_versioning(s3: Any, bucket: str) -> None:
    # AWS has no way back and suspends, which could not be told from a bucket that somebody else suspended; moto keeps any word.
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Removed"})


VERSIONING = _setting(
    "BucketVersioning",
    {"versioningConfiguration": block({"status": text(required=True, one_of=_VERSIONING)}, required=True)},
    put=_put_versioning,
    get=_get_versioning,
    remove=_drop_versioning,
)

_DEFAULT_ENCRYPTION = {"sseAlgorithm": "SSEAlgorithm", "kmsMasterKeyId": "KMSMasterKeyID"}


def _put_encryption(s3: Any, bucket: str, wanted: Props) -> None:
    rules: list[Props] = []
    for rule in wanted["rules"]:
        default = members(rule.get("applyServerSideEncryptionByDefault"))
        sent: Props = {"ApplyServerSideEncryptionByDefault": {_DEFAULT_ENCRYPTION[name]: value for name, value in default.items() if value}}
        if rule.get("bucketKeyEnabled") is not None:
            sent["BucketKeyEnabled"] = rule["bucketKeyEnabled"]
        rules.append(sent)
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules})


def _get_encryption(s3: Any, bucket: str, known: Props) -> Props:
    # S3 answers false for a rule that says nothing about the bucket's key.
    said = any("bucketKeyEnabled" in rule for rule in entries(known.get("rules")))
    rules: list[Props] = []
    for live in s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]:
        default = live["ApplyServerSideEncryptionByDefault"]
        rule: Props = {"applyServerSideEncryptionByDefault": {ours: default[name] for ours, name in _DEFAULT_ENCRYPTION.items() if name in default}}
        if said or live.get("BucketKeyEnabled"):
            rule["bucketKeyEnabled"] = bool(live.get("BucketKeyEnabled"))
        rules.append(rule)
    return {"rules": rules}


def _encryption_rule(inputs: Props) -> Iterator[Refusal]:
    for position, rule in enumerate(entries(inputs["rules"])):
        default = members(rule.get("applyServerSideEncryptionByDefault"))
        if default.get("kmsMasterKeyId") and default.get("sseAlgorithm") == "AES256":
            at = f"rules[{position}].applyServerSideEncryptionByDefault.kmsMasterKeyId"
            yield Refusal(at, "a key can be named for aws:kms and aws:kms:dsse only, and sseAlgorithm is AES256")


ENCRYPTION = _setting(
    "BucketServerSideEncryptionConfiguration",
    {
        "rules": blocks(
            {
                "applyServerSideEncryptionByDefault": block(
                    {"sseAlgorithm": text(required=True, one_of=("AES256", "aws:kms", "aws:kms:dsse")), "kmsMasterKeyId": text()},
                    required=True,
                ),
                "bucketKeyEnabled": flag(),
            },
            unordered=True,
            required=True,
            at_least=1,
            at_most=1,
        )
    },
    put=_put_encryption,
    get=_get_encryption,
    remove=lambda s3, bucket: s3.delete_bucket_encryption(Bucket=bucket),
    rule=_encryption_rule,
)

_BLOCKS = {
    "blockPublicAcls": "BlockPublicAcls",
    "blockPublicPolicy": "BlockPublicPolicy",
    "ignorePublicAcls": "IgnorePublicAcls",
    "restrictPublicBuckets": "RestrictPublicBuckets",
}


def _put_public_access(s3: Any, bucket: str, wanted: Props) -> None:
    sent = {name: bool(wanted.get(ours)) for ours, name in _BLOCKS.items()}
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=sent)


def _get_public_access(s3: Any, bucket: str, _: Props) -> Props:
    live = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    return {ours: live[name] for ours, name in _BLOCKS.items()}


PUBLIC_ACCESS = _setting(
    "BucketPublicAccessBlock",
    {name: flag() for name in _BLOCKS},
    put=_put_public_access,
    get=_get_public_access,
    remove=lambda s3, bucket: s3.delete_public_access_block(Bucket=bucket),
)


def _get_ownership(s3: Any, bucket: str, _: Props) -> Props:
    rules = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
    return {"rule": {"objectOwnership": rules[0]["ObjectOwnership"]}}


OWNERSHIP = _setting(
    "BucketOwnershipControls",
    {"rule": block({"objectOwnership": text(required=True, shape="PutBucketOwnershipControls.OwnershipControls.Rules.ObjectOwnership")}, required=True)},
    put=lambda s3, bucket, wanted: s3.put_bucket_ownership_controls(
        Bucket=bucket, OwnershipControls={"Rules": [{"ObjectOwnership": wanted["rule"]["objectOwnership"]}]}
    ),
    get=_get_ownership,
    remove=lambda s3, bucket: s3.delete_bucket_ownership_controls(Bucket=bucket),
)

POLICY = _setting(
    "BucketPolicy",
    # S3 user guide, "Bucket policies": 20 KB.
    {"policy": _policy.resource(20 * 1024, required=True)},
    put=lambda s3, bucket, wanted: s3.put_bucket_policy(Bucket=bucket, Policy=wanted["policy"]),
    get=lambda s3, bucket, _: {"policy": s3.get_bucket_policy(Bucket=bucket)["Policy"]},
    remove=lambda s3, bucket: s3.delete_bucket_policy(Bucket=bucket),
)


def _get_logging(s3: Any, bucket: str, _: Props) -> Props | None:
    live = s3.get_bucket_logging(Bucket=bucket).get("LoggingEnabled")
    return {"targetBucket": live["TargetBucket"], "targetPrefix": live.get("TargetPrefix", "")} if live else None


LOGGING = _setting(
    "BucketLogging",
    {"targetBucket": text(required=True), "targetPrefix": text(required=True)},
    put=lambda s3, bucket, wanted: s3.put_bucket_logging(
        Bucket=bucket,
        BucketLoggingStatus={"LoggingEnabled": {"TargetBucket": wanted["targetBucket"], "TargetPrefix": wanted["targetPrefix"]}},
    ),
    get=_get_logging,
    remove=lambda s3, bucket: s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus={}),
)

KINDS = (BUCKET, VERSIONING, ENCRYPTION, PUBLIC_ACCESS, OWNERSHIP, POLICY, LOGGING, LIFECYCLE, TIERING)
