"""The least time that a page may give to functions, and a container takes for its end: enough to begin something, and to end it."""

from __future__ import annotations

import pytest

from payments.container import consuming
from payments.container import relaying as by_the_clock
from payments.container.settings import ServerSettings
from payments.functions import SHORTEST_RUN
from payments.service import advancing, projecting, relaying
from payments.settings import SettingsError, load
from tests.payments.service import Service

AT_LEAST = 4.0
"""Seconds before nothing new is begun: a payment's three steps take less where nothing hangs."""


@pytest.mark.parametrize("margin", [advancing.MARGIN, relaying.MARGIN, projecting.MARGIN])
@pytest.mark.parametrize("run", [SHORTEST_RUN, consuming.BATCH_SECONDS, by_the_clock.RUN_SECONDS, ServerSettings.model_fields["grace"].default])
def test_a_run_is_longer_than_what_is_kept_for_its_end(run: float, margin: float) -> None:
    assert run >= margin + AT_LEAST


def test_in_the_shortest_run_payments_are_made_and_left_ones_are_sent(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relaying, "WORK_AGE", 0.0)
    [made] = service.accepted("a")
    assert service.work(*service.taken(), seconds=SHORTEST_RUN) == []
    assert service.states(made)[-1] == "captured"
    monkeypatch.setattr("payments.messaging.work_queue.SqsWorkQueue.send", lambda *_: (_ for _ in ()).throw(ConnectionError("cannot be reached")))
    service.accepted("b")
    counts = service.relay(seconds=SHORTEST_RUN)
    assert (counts["work_sent"], counts["audit_chained"]) == (1, 5)


def test_a_container_has_as_much_for_its_end() -> None:
    given = {"STAGE": "dev", "PAYMENTS_TABLE": "payments"}
    assert load(ServerSettings, {**given, "GRACE": str(SHORTEST_RUN)}).grace == SHORTEST_RUN
    with pytest.raises(SettingsError, match="GRACE"):
        load(ServerSettings, {**given, "GRACE": str(SHORTEST_RUN - 1)})
