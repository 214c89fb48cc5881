"""Objects in S3 that are written once and stay as they are."""

from __future__ import annotations

from botocore.exceptions import ClientError

from payments.clients import client, error_code


def put_once(bucket: str, key: str, text: str) -> bool:
    """Writes JSON text under a key; False, and nothing written, where the key has an object already."""
    try:
        client("s3").put_object(Bucket=bucket, Key=key, Body=text.encode(), ContentType="application/json", IfNoneMatch="*")
    except ClientError as error:
        if error_code(error) != "PreconditionFailed":
            raise
        return False
    return True
