"""What is written of the payments where they are kept, read past the service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localcloud import control
from localcloud.aws import Aws
from localcloud.stores.postgres import PostgresServer
from ops.package_trust import local_authority
from shared import page as pages
from shared.environment import environment_of

_COUNT = """
SELECT (SELECT count(*) FROM payments WHERE state = 'captured'),
       (SELECT count(*) FROM ledger_entries),
       (SELECT coalesce(sum(amount), 0) FROM ledger_entries),
       (SELECT count(*) FROM outbox WHERE sent_at IS NULL),
       (SELECT count(*) FROM audit_queue) + (SELECT count(*) FROM audit_records WHERE written_at IS NULL),
       (SELECT count(*) FROM audit_records WHERE written_at IS NOT NULL)
"""


@dataclass(frozen=True)
class Counted:
    """captured: payments. entries, total: of the ledger. waiting: what is to be told to others still. logged: entries of the log. dead: letters.

    unaudited: changes that are not in the audit bucket still. audited: those that are.
    """

    captured: int
    entries: int
    total: int
    waiting: int
    unaudited: int
    audited: int
    logged: int
    dead: int


@dataclass(frozen=True)
class Books:
    """Of one served environment."""

    server: PostgresServer
    database: str
    aws: Aws
    log: str
    dead_letters: str

    @classmethod
    def of(cls, cloud: Path, env: str, outputs: Mapping[str, Mapping[str, Any]]) -> Books:
        """Those of an environment whose local cloud has its state in `cloud`."""
        running = control.find(cloud)
        if running is None:
            raise LookupError(f"no local cloud runs in {cloud}")
        server = PostgresServer(running.state / "served" / env / "postgres", authority=local_authority())
        server.start()  # which finds the one that serves
        place = environment_of(pages.read(env))
        data, app = outputs["data"], outputs["app"]
        aws = Aws(place.account, place.region, running.endpoint)
        return cls(server, data["databaseName"], aws, data["transactionLogTableName"], app["deadLetterQueueUrl"])

    def count(self) -> Counted:
        """All of it, now."""
        with self.server.administrator(self.database) as connection:
            (row,) = connection.execute(_COUNT).fetchall()
        attribute = "ApproximateNumberOfMessages"
        dead = self.aws.client("sqs").get_queue_attributes(QueueUrl=self.dead_letters, AttributeNames=[attribute])["Attributes"][attribute]
        return Counted(*map(int, row), logged=self._logged(), dead=int(dead))

    def _logged(self) -> int:
        pages_ = self.aws.client("dynamodb").get_paginator("scan").paginate(TableName=self.log, Select="COUNT", ConsistentRead=True)
        return sum(page["Count"] for page in pages_)
