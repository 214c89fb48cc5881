"""Audit records in their bucket, a batch an object and a record a line: `audit/YYYY/MM/DD/<number of its last record within the day, 9 digits>.json`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

from payments.clients import client
from payments.domain.audit import AuditBatch
from payments.storage.objects import put_once

_THREADS = 16
_ROOT = "audit/"


class S3AuditTrail:
    """The records in a bucket.

    s3: makes the boto3 client that reads; the function's own unless told.
    """

    def __init__(self, bucket: str, s3: Callable[[], Any] = lambda: client("s3")) -> None:
        self._bucket = bucket
        self._s3 = s3

    def write(self, batches: Sequence[AuditBatch]) -> None:
        """Writes batches; one that is there stays as it is, which is the same one. Where one fails, the others may have been written."""
        if batches:
            with ThreadPoolExecutor(min(_THREADS, len(batches))) as threads:
                for _ in threads.map(self._write, batches):
                    pass

    def keys(self, day: date) -> list[str]:
        """The keys of a day's objects, in the order of their numbers."""
        pages = self._s3().get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=_folder(day))
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def read(self, keys: list[str]) -> Iterator[str]:
        """The objects' texts, in the order of their keys; what is no text comes with replacement characters, and so is no record."""
        s3 = self._s3()
        with ThreadPoolExecutor(_THREADS) as threads:
            yield from threads.map(lambda key: s3.get_object(Bucket=self._bucket, Key=key)["Body"].read().decode(errors="replace"), keys)

    def days(self) -> list[date]:
        """The days that have records, the first one first."""
        found: list[date] = []
        for year in self._folders(_ROOT):
            for month in self._folders(year):
                found += [date.fromisoformat(day.removeprefix(_ROOT).rstrip("/").replace("/", "-")) for day in self._folders(month)]
        return sorted(found)

    def _write(self, batch: AuditBatch) -> None:
        put_once(self._bucket, key(batch), batch.text)

    def _folders(self, prefix: str) -> list[str]:
        pages = self._s3().get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix, Delimiter="/")
        return [item["Prefix"] for page in pages for item in page.get("CommonPrefixes", [])]


def key(batch: AuditBatch) -> str:
    """Where a batch is kept."""
    return f"{_folder(batch.day)}{batch.number:09}.json"


def _folder(day: date) -> str:
    return f"{_ROOT}{day:%Y/%m/%d}/"
