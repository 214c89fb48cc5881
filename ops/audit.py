"""Checking a day's audit records as they lie in the audit bucket: without the database, so that nobody who can change only one of the two goes unnoticed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from botocore.exceptions import ClientError

from ops.deployed import Deployed
from payments.service.auditing import Verdict
from payments.service.auditing import verify as check
from payments.storage.audit_trail import S3AuditTrail


class DayError(ValueError):
    """A --day that is no date."""


class AuditError(RuntimeError):
    """The audit bucket holds what cannot be read as an audit trail, or not yet."""


@dataclass(frozen=True)
class Audit:
    """A day's verdict, and the latest day that has records: until there is a later one, nobody can tell whether a day's last records are missing."""

    verdict: Verdict
    latest: date | None

    @property
    def good(self) -> bool:
        """Whether nothing is wrong."""
        return self.verdict.intact

    @property
    def closed(self) -> bool:
        """Whether a later day is linked to this one, so that its end was checked too."""
        return self.latest is not None and self.latest > self.verdict.day

    def as_dict(self) -> dict[str, object]:
        """The check for machines."""
        found = self.verdict
        return {"day": found.day.isoformat(), "intact": found.intact, "closed": self.closed, "records": found.records, "faults": list(found.faults)}

    def lines(self) -> Iterator[str]:
        """The check for people."""
        found = self.verdict
        if found.intact:
            yield f"{found.day}: {found.records} records, and the chain holds"
            if not self.closed:
                yield "  no later day has records yet: whether some are missing at the end can only be told then"
            return
        yield f"{found.day}: {found.records} records, and the chain is broken: {len(found.faults)} faults"
        yield from (f"  ! {fault}" for fault in found.faults)
        yield "  Next: change nothing in the bucket; compare its object versions (S3 keeps them for a day), and CloudTrail's record of who wrote them"


def day_of(text: str) -> date:
    """A day as it is written on the command line; raises DayError."""
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return date.fromisoformat(text)
    except ValueError:
        pass  # a day that no month has is told below, like every other mistake
    raise DayError(f"--day {text}: a day is written YYYY-MM-DD, such as 2026-11-21 (UTC)")


def verify(where: Deployed, day: date) -> Audit:
    """Checks all records of a day (UTC); raises NotDeployedError or AuditError."""
    return verify_bucket(where.client("s3"), where.output("data", "auditBucketName"), day)


def verify_bucket(client: Any, bucket: str, day: date) -> Audit:
    """Checks all records of a day in a bucket (client: of S3); raises AuditError."""
    trail = S3AuditTrail(bucket, lambda: client)
    try:
        return Audit(check(day, trail), max(trail.days(), default=None))
    except ValueError as error:
        raise AuditError(f"{bucket}: below audit/ lies what is no day's folder ({error}). Next: look at it, and move it elsewhere") from None
    except ClientError as error:
        if error.response["Error"]["Code"] != "InvalidObjectState":
            raise
        raise AuditError(_archived(bucket, day)) from None


def _archived(bucket: str, day: date) -> str:
    """What to do with records that are in Glacier."""
    folder = f"audit/{day:%Y/%m/%d}/"
    return (
        f"{bucket}: records of {day} or of a day beside it are in Glacier (data:buckets.glacierDays), from which S3 reads nothing that was not restored "
        "first. Next: restore them for a week, and so the last day with records before it and the first one after it, wait for three to five hours, and "
        "call this again:\n"
        f"  aws s3api list-objects-v2 --bucket {bucket} --prefix {folder} --query 'Contents[].[Key]' --output text |\n"
        f"    xargs -I KEY aws s3api restore-object --bucket {bucket} --key KEY --restore-request 'Days=7,GlacierJobParameters={{Tier=Standard}}'"
    )
