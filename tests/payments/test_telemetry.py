"""Logs, metrics and traces that threads share."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from aws_lambda_powertools.tracing import Tracer

from payments.functions import METRIC_NAMESPACE, PROCESS_PAYMENT, Metric
from payments.telemetry import Telemetry


class Part:
    """A subsegment of X-Ray's."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.annotations: dict[str, str] = {}
        self.fault = False

    def put_annotation(self, key: str, value: str) -> None:
        self.annotations[key] = value

    def add_fault_flag(self) -> None:
        self.fault = True


class Recorder:
    """X-Ray's recorder, as far as it is used."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.ended = 0

    def begin_subsegment(self, name: str) -> Part:
        self.parts.append(Part(name))
        return self.parts[-1]

    def end_subsegment(self) -> None:
        self.ended += 1


@pytest.fixture
def telemetry(monkeypatch: pytest.MonkeyPatch) -> Telemetry:
    monkeypatch.setenv("STAGE", "dev")
    monkeypatch.delenv("_X_AMZN_TRACE_ID", raising=False)
    return Telemetry(PROCESS_PAYMENT)


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    made = Recorder()
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1")
    monkeypatch.setenv("LAMBDA_TASK_ROOT", "/var/task")
    original = Tracer.__init__

    def over(tracer: Tracer, **options: Any) -> None:
        original(tracer, **options)
        tracer.provider = made  # pyright: ignore[reportAttributeAccessIssue]

    monkeypatch.setattr(Tracer, "__init__", over)
    yield made
    Tracer._reset_config()


def test_counts_are_written_once_with_their_stage(telemetry: Telemetry, capsys: pytest.CaptureFixture[str]) -> None:
    telemetry.count(Metric.PAYMENT_RECEIVED)
    telemetry.count(Metric.REQUEST_REFUSED, 3)
    telemetry.flush()
    telemetry.flush()
    [entry] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (entry["PaymentReceived"], entry["RequestRefused"], entry["stage"], entry["service"]) == ([1.0], [3.0], "dev", "process-payment")
    [about] = entry["_aws"]["CloudWatchMetrics"]
    assert (about["Namespace"], sorted(about["Dimensions"][0])) == (METRIC_NAMESPACE, ["service", "stage"])


def test_writing_counts_warns_of_nothing(telemetry: Telemetry, recwarn: pytest.WarningsRecorder) -> None:
    for _ in range(3):
        telemetry.count(Metric.PAYMENT_RECEIVED)
        telemetry.flush()
    assert [str(warning.message) for warning in recwarn] == []


def test_no_count_of_any_thread_is_lost(telemetry: Telemetry, capsys: pytest.CaptureFixture[str]) -> None:
    def work() -> None:
        for _ in range(50):
            telemetry.count(Metric.PAYMENT_RECEIVED)
            telemetry.flush()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    telemetry.flush()
    written = json.JSONDecoder()
    text = capsys.readouterr().out.replace("\n", "")
    total = 0.0
    while text:
        entry, end = written.raw_decode(text)
        total += sum(entry["PaymentReceived"])
        text = text[end:]
    assert total == 200


def test_each_thread_has_its_own_correlation_id(telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(telemetry.log.registered_handler, "stream", stream)
    together = threading.Barrier(3, timeout=20)

    def work(name: str) -> None:
        with telemetry.correlated(name):
            together.wait()
            telemetry.log.info("said by %s", name)

    threads = [threading.Thread(target=work, args=(name,)) for name in ("one", "two", "three")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    telemetry.log.info("said by nobody")
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert sorted((line["message"], line.get("correlation_id")) for line in lines) == [
        ("said by nobody", None),
        ("said by one", "one"),
        ("said by three", "three"),
        ("said by two", "two"),
    ]


def test_a_sampled_invocation_has_spans_that_are_found_by_the_payment(telemetry: Telemetry, recorder: Recorder) -> None:
    with telemetry.span("step", payment_id="7", state="received"):
        pass
    [part] = recorder.parts
    assert (part.name, part.annotations, part.fault, recorder.ended) == ("step", {"payment_id": "7", "state": "received"}, False, 1)


def test_of_an_error_the_trace_has_that_there_was_one(telemetry: Telemetry, recorder: Recorder) -> None:
    def fail() -> None:
        with telemetry.span("step"):
            raise ValueError("4242 4242 4242 4242")

    with pytest.raises(ValueError, match="4242"):
        fail()
    [part] = recorder.parts
    assert (part.fault, recorder.ended, part.annotations) == (True, 1, {})


@pytest.mark.parametrize("header", ["", "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0"])
def test_an_invocation_that_is_not_sampled_has_none(telemetry: Telemetry, recorder: Recorder, monkeypatch: pytest.MonkeyPatch, header: str) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", header)
    with telemetry.span("step"):
        pass
    assert recorder.parts == []
