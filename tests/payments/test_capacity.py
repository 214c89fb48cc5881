"""What one payment costs in DynamoDB's capacity: the numbers that a page's capacities are held to."""

from __future__ import annotations

import pytest

from projects.data.throughput import INDEX, PAYMENT, Units
from tests.payments.capacity import Meter
from tests.payments.kept import TABLE
from tests.payments.service import REQUEST, Service

_UUID = "5b1f0f34-6c7a-4a55-9d0e-0d6a3c1c2f7e"
# The relay asks the index several times in each run, whether there is anything or not.
_READS_OF_A_RUN = 16


def test_a_payment_from_its_request_to_its_audit_records_costs_what_pages_are_held_to(table_service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    service = table_service
    meter = Meter(monkeypatch)
    status, answer, _ = service.process({**REQUEST, "reference": "order-2026-000123", "session_id": _UUID, "metadata": {"order": "1"}}, _UUID)
    assert status == 202
    assert service.work(*service.taken()) == []
    counts = service.relay()
    assert (counts["audit_chained"], counts["audit_written"]) == (4, 4)

    def units(table: str) -> Units:
        return Units(round(meter.units[table, "read"]), round(meter.units[table, "write"]))

    measured = {"payments": units(TABLE), "transaction-log": units(service.log_table), "sessions": units(service.sessions_table)}
    # A record of the audit chain is about a KiB, now more and now less.
    for table, most in PAYMENT.items():
        assert 0.85 * most.write <= measured[table].write <= most.write, table
        assert measured[table].read == most.read, table
    entries = units(f"{TABLE}/due")
    assert entries.write == INDEX.write
    assert entries.read <= INDEX.read + _READS_OF_A_RUN
    meter.units.clear()
    assert service.states(answer["payment_id"])[-1] == "captured"
    assert meter.units[TABLE, "read"] < PAYMENT["payments"].read, "who asks for a payment costs less than who makes one"
