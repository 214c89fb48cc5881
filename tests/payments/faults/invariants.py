"""What has to be true in the end, whatever was killed on the way."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Any

from payments.domain.audit import AuditRecord, breaks, records_of
from payments.domain.payment import event_id
from tests.payments.faults.world import World

# Along any path, what was shown once is never taken back: later answers have the earlier history as their beginning.
HAPPY = ("received", "submitted", "authorized", "captured")
DECLINED = ("received", "submitted", "declined")


class Watcher:
    """Asks `/verify-payment` again and again, and holds every answer to all that was answered before."""

    def __init__(self, world: World, payment_id: str) -> None:
        self._world = world
        self.payment_id = payment_id
        self._seen: list[dict[str, Any]] = []

    @property
    def states(self) -> list[str]:
        """All that were shown, in order."""
        return [change["state"] for change in self._seen]

    def look(self) -> str:
        """The state that is shown now."""
        answer = self._world.verify(self.payment_id)
        history = answer["history"]
        assert history[: len(self._seen)] == self._seen, "what was shown before was untrue"
        assert answer["state"] == history[-1]["state"]
        if answer["state"] == "captured":
            (intent,) = self._world.stripe.of(self.payment_id)
            assert intent["status"] == "succeeded", "captured was shown before the money was taken"
        self._seen = history
        return str(answer["state"])


def assert_done_once(world: World, watcher: Watcher, path: Sequence[str] = HAPPY) -> None:
    """The payment came to its end, was charged once, and is in ledger, log, audit, receipts and events once."""
    payment_id = watcher.payment_id
    watcher.look()
    assert watcher.states == list(path)
    charged = path[-1] == "captured"
    intents = world.stripe.of(payment_id)
    assert len(intents) == (1 if charged else 0), f"{len(intents)} charges"
    assert all(intent["status"] == "succeeded" for intent in intents)

    ledger = world.books.ledger(payment_id)
    assert len(ledger) == (2 if charged else 0)
    assert sum(ledger) == 0

    log = world.client("dynamodb").query(
        TableName="log", KeyConditionExpression="payment_id = :id", ExpressionAttributeValues={":id": {"S": payment_id}}, ConsistentRead=True
    )["Items"]
    assert [item["state"]["S"] for item in sorted(log, key=lambda item: int(item["sequence"]["N"]))] == list(path)

    audited = Counter((record.payment_id, record.state) for record in audit(world))
    assert [audited[payment_id, state] for state in path] == [1] * len(path)

    receipts = world.client("s3").list_objects_v2(Bucket="documents", Prefix=f"receipts/{payment_id}").get("Contents", [])
    assert len(receipts) == (1 if charged else 0)

    heard = events(world, payment_id)
    assert set(heard) == {event_id(payment_id, sequence) for sequence in range(1, len(path) + 1)}, "each state is announced, a repetition under the same id"

    assert world.books.waiting(payment_id) == 0
    assert world.books.recovery_point(payment_id) == "completed"


def assert_in_order(world: World) -> None:
    """The whole ledger sums to zero, the audit chain holds, and nothing was set aside."""
    assert world.books.total() == 0
    by_day: dict[str, list[AuditRecord]] = {}
    for record in audit(world):
        by_day.setdefault(record.day, []).append(record)
    for records in by_day.values():
        assert list(breaks(date.fromisoformat(records[0].day), sorted(records, key=lambda record: record.number), None)) == []
    attributes = world.client("sqs").get_queue_attributes(QueueUrl=world.names["dead_letter_queue_url"], AttributeNames=["ApproximateNumberOfMessages"])
    assert attributes["Attributes"]["ApproximateNumberOfMessages"] == "0"


def audit(world: World) -> list[AuditRecord]:
    """Every record in the audit bucket."""
    s3 = world.client("s3")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket="audit")
    names = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    return [record for name in names for record in _records(world, name)]


def _records(world: World, name: str) -> list[AuditRecord]:
    # Objects never change, which the service's own tests hold; reading each once keeps these tests quick.
    if name not in world.records:
        world.records[name] = list(records_of(world.client("s3").get_object(Bucket="audit", Key=name)["Body"].read().decode()))
    return world.records[name]


def events(world: World, payment_id: str) -> list[str]:
    """The ids of a payment's events that were heard so far, repetitions included."""
    sqs, url = world.client("sqs"), world.names["events_queue_url"]
    while batch := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
        for message in batch:
            event = json.loads(message["Body"])
            world.heard.setdefault(event["payment_id"], []).append(event["id"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return world.heard.get(payment_id, [])
