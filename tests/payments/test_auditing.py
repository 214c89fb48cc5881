"""The check of a day's audit records finds every kind of change, from the bucket alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.domain.audit import GENESIS, AuditBatch, AuditRecord
from payments.service.auditing import verify
from payments.storage.audit_trail import S3AuditTrail, key
from tests.payments.service import Service, aws

FIRST, SECOND, THIRD = date(2026, 11, 19), date(2026, 11, 20), date(2026, 11, 22)


def chain(days: dict[date, int]) -> list[AuditRecord]:
    """An intact chain with so many records on these days."""
    records: list[AuditRecord] = []
    previous = GENESIS
    for day, count in days.items():
        for number in range(1, count + 1):
            record = AuditRecord(
                position=len(records) + 1,
                day=day.isoformat(),
                number=number,
                payment_id=f"2b0a1f0e-7f5e-7c9b-9d0a-{len(records):012}",
                merchant="default",
                reference=f"order {len(records)}",
                sequence=1,
                state="received",
                amount=1050,
                currency="EUR",
                occurred_at=f"{day}T10:00:00.000000Z",
                recorded_at=f"{day}T10:00:01.000000Z",
                correlation_id="c",
                reason=None,
                processor=None,
                processor_reference=None,
            ).linked(previous)
            previous = record.hash
            records.append(record)
    return records


class Kept(dict[str, str]):
    """A bucket in memory."""

    def keys_of(self, day: date) -> list[str]:
        return sorted(name for name in self if name.startswith(f"audit/{day:%Y/%m/%d}/"))


class Trail:
    """What S3AuditTrail is, over a bucket in memory."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept

    def keys(self, day: date) -> list[str]:
        return self._kept.keys_of(day)

    def read(self, keys: list[str]) -> Iterator[str]:
        return (self._kept[name] for name in keys)

    def days(self) -> list[date]:
        return sorted({date(*map(int, name.split("/")[1:4])) for name in self._kept})


def kept(days: dict[date, int], size: int = 1) -> Kept:
    """A bucket with a chain, so many records an object."""
    found = Kept()
    records = chain(days)
    for day in days:
        of_day = [record for record in records if record.day == day.isoformat()]
        for start in range(0, len(of_day), size):
            batch = of_day[start : start + size]
            text = "\n".join(record.canonical() for record in batch)
            found[key(AuditBatch(name=start, day=day, number=batch[-1].number, size=len(batch), text=text))] = text
    return found


def faults(bucket: Kept, day: date = SECOND) -> tuple[str, ...]:
    return verify(day, Trail(bucket)).faults


DAYS = {FIRST: 2, SECOND: 3, THIRD: 2}


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("day", [*DAYS, date(2026, 11, 18), date(2026, 11, 21), date(2026, 11, 23)])
def test_an_untouched_chain_is_intact_on_every_day(day: date, size: int) -> None:
    verdict = verify(day, Trail(kept(DAYS, size)))
    assert (verdict.intact, verdict.records) == (True, DAYS.get(day, 0))


def test_an_empty_bucket_is_intact() -> None:
    assert verify(FIRST, Trail(Kept())).intact


def named(day: date, number: int) -> str:
    return f"audit/{day:%Y/%m/%d}/{number:09}.json"


def changed(bucket: Kept) -> None:
    bucket[named(SECOND, 2)] = bucket[named(SECOND, 2)].replace('"amount":1050', '"amount":10')


def removed_in_the_middle(bucket: Kept) -> None:
    del bucket[named(SECOND, 2)]


def removed_at_the_beginning(bucket: Kept) -> None:
    del bucket[named(SECOND, 1)]


def removed_at_the_end(bucket: Kept) -> None:
    del bucket[named(SECOND, 3)]


def removed_wholly(bucket: Kept) -> None:
    for number in (1, 2, 3):
        del bucket[named(SECOND, number)]


def swapped(bucket: Kept) -> None:
    one, other = named(SECOND, 1), named(SECOND, 2)
    bucket[one], bucket[other] = bucket[other], bucket[one]


def doubled(bucket: Kept) -> None:
    bucket[named(SECOND, 4)] = bucket[named(SECOND, 3)]


def overwritten(bucket: Kept) -> None:
    bucket[named(SECOND, 2)] = "not JSON"


def with_fitting_hash(bucket: Kept, name: str) -> None:
    record = AuditRecord.from_canonical(bucket[name])
    bucket[name] = replace(record, amount=1).linked(record.previous_hash).canonical()


def forged(bucket: Kept) -> None:
    with_fitting_hash(bucket, named(SECOND, 3))


def earlier_forged(bucket: Kept) -> None:
    with_fitting_hash(bucket, named(FIRST, 2))


def slipped_in(bucket: Kept) -> None:
    bucket[f"audit/{SECOND:%Y/%m/%d}/000000002-again.json"] = bucket[named(SECOND, 2)]


TAMPERINGS = [
    changed,
    removed_in_the_middle,
    removed_at_the_beginning,
    removed_at_the_end,
    removed_wholly,
    swapped,
    doubled,
    overwritten,
    forged,
    earlier_forged,
    slipped_in,
]


@pytest.mark.parametrize("tampering", TAMPERINGS, ids=lambda tampering: tampering.__name__)
def test_no_tampering_goes_unseen(tampering: Callable[[Kept], None]) -> None:
    bucket = kept(DAYS)
    assert faults(bucket) == ()
    tampering(bucket)
    assert faults(bucket)


def lines(bucket: Kept, number: int, change: Callable[[list[str]], list[str]]) -> None:
    name = named(SECOND, number)
    bucket[name] = "\n".join(change(bucket[name].split("\n")))


def joined(bucket: Kept) -> None:
    bucket[named(SECOND, 7)] = bucket.pop(named(SECOND, 6)) + "\n" + bucket[named(SECOND, 7)]
    del bucket[named(SECOND, 3)]


# Of a day with seven records, three an object.
OF_BATCHES: dict[str, Callable[[Kept], None]] = {
    "its first line removed": lambda bucket: lines(bucket, 6, lambda text: text[1:]),
    "a line removed": lambda bucket: lines(bucket, 6, lambda text: [text[0], text[2]]),
    "its last line removed": lambda bucket: lines(bucket, 6, lambda text: text[:-1]),
    "two lines swapped": lambda bucket: lines(bucket, 6, lambda text: [text[1], text[0], text[2]]),
    "a line twice": lambda bucket: lines(bucket, 6, lambda text: [*text, text[-1]]),
    "a line that is no record": lambda bucket: lines(bucket, 6, lambda text: [*text, ""]),
    "all lines removed": lambda bucket: lines(bucket, 6, lambda _: []),
    "an object removed": lambda bucket: bucket.__delitem__(named(SECOND, 6)),
    "the last object removed": lambda bucket: bucket.__delitem__(named(SECOND, 7)),
    "the last line of the day removed": lambda bucket: lines(bucket, 7, lambda text: text[:-1]),
    "an object under another name": lambda bucket: bucket.update({named(SECOND, 5): bucket.pop(named(SECOND, 6))}),
    "an object twice": lambda bucket: bucket.update({named(SECOND, 8): bucket[named(SECOND, 7)]}),
    "the first object removed, and two joined": joined,
}


@pytest.mark.parametrize("tampering", OF_BATCHES.values(), ids=OF_BATCHES.keys())
def test_no_tampering_with_a_batch_goes_unseen(tampering: Callable[[Kept], None]) -> None:
    bucket = kept({FIRST: 2, SECOND: 7, THIRD: 2}, 3)
    assert faults(bucket) == ()
    tampering(bucket)
    assert faults(bucket)


def test_a_character_that_ends_a_line_elsewhere_ends_none_in_a_record() -> None:
    (first,) = chain({FIRST: 1})
    (strange, after) = (replace(first, reference="a\u2028b\x85c").linked(GENESIS), replace(first, number=2, position=2))
    text = "\n".join([strange.canonical(), after.linked(strange.hash).canonical()])
    assert verify(FIRST, Trail(Kept({named(FIRST, 2): text}))).faults == ()


@given(st.integers(1, 3), st.data())
def test_any_changed_character_is_seen_on_its_day(size: int, data: st.DataObject) -> None:
    bucket = kept(DAYS, size)
    name = data.draw(st.sampled_from(sorted(bucket)))
    text = bucket[name]
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from("0a}\n").filter(lambda character: character != text[at]))
    bucket[name] = text[:at] + other + text[at + 1 :]
    day = date(*map(int, name.split("/")[1:4]))
    assert faults(bucket, day)


def test_faults_say_which_record() -> None:
    bucket = kept(DAYS)
    changed(bucket)
    [fault] = faults(bucket)
    assert "record 2 of 2026-11-20" in fault


def test_what_the_relay_writes_is_intact_and_a_change_in_the_bucket_is_seen(service: Service) -> None:
    service.accepted("a", "b")
    service.work(*service.taken())
    service.relay()
    trail = S3AuditTrail(service.audit)
    [day] = trail.days()
    verdict = verify(day, trail)
    assert (verdict.intact, verdict.records) == (True, 8)
    assert len(str(verdict.last_hash)) == 64
    (name,) = trail.keys(day)
    body = aws("s3").get_object(Bucket=service.audit, Key=name)["Body"].read()
    aws("s3").put_object(Bucket=service.audit, Key=name, Body=body.replace(b"1050", b"1051"))
    assert not verify(day, trail).intact
    aws("s3").put_object(Bucket=service.audit, Key=name, Body=b"\xff")
    assert any(name in fault for fault in verify(day, trail).faults)


def test_other_things_in_the_bucket_are_none_of_its_days(service: Service) -> None:
    aws("s3").put_object(Bucket=service.audit, Key="cloudtrail/AWSLogs/2026/11/20/log.json.gz", Body=b"")
    assert S3AuditTrail(service.audit).days() == []
