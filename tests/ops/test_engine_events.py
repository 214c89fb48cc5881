"""What is made of the engine's event log; the lines are the engine's own."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ops.engine_events import Listener, name_of
from ops.progress import Progress, Silent

API = "urn:pulumi:dev::app::payments:app:Api$aws:apigateway/restApi:RestApi::payments"
STACK = "urn:pulumi:dev::app::pulumi:pulumi:Stack::app-dev"
LINES = {
    "prelude": '{"sequence":0,"timestamp":1795253520,"preludeEvent":{"config":{"aws:region":"us-east-1","app:token":"[secret]"}}}',
    "debug": '{"sequence":1,"timestamp":1795253521,"diagnosticEvent":{"prefix":"debug: ","message":"registering\\n","color":"never","severity":"debug"}}',
    "create": f'{{"sequence":9,"resourcePreEvent":{{"metadata":{{"op":"create","urn":"{API}","type":"aws:apigateway/restApi:RestApi","old":null,'
    '"new":{"inputs":{"password":{"4dabf18193072939515e22adb298388d":"1b47061264138c4ac30d75fd1eb44270","ciphertext":"[secret]"}}},"keys":null}}}',
    "created": f'{{"sequence":10,"resOutputsEvent":{{"metadata":{{"op":"create","urn":"{API}","type":"aws:apigateway/restApi:RestApi"}}}}}}',
    "failed": f'{{"sequence":11,"resOpFailedEvent":{{"metadata":{{"op":"create","urn":"{API}","type":"aws:apigateway/restApi:RestApi"}},"status":0}}}}',
    "same": f'{{"sequence":12,"resourcePreEvent":{{"metadata":{{"op":"same","urn":"{API}","type":"aws:apigateway/restApi:RestApi"}}}}}}',
    "stack": f'{{"sequence":13,"resourcePreEvent":{{"metadata":{{"op":"create","urn":"{STACK}","type":"pulumi:pulumi:Stack"}}}}}}',
    "stack done": f'{{"sequence":14,"resOutputsEvent":{{"metadata":{{"op":"create","urn":"{STACK}","type":"pulumi:pulumi:Stack"}}}}}}',
    "error": f'{{"sequence":219,"timestamp":1795253525,"diagnosticEvent":{{"urn":"{API}","prefix":"error: ","message":"aws:apigateway/restApi:RestApi resource '
    '\'payments\': property endpointConfiguration.types value {<nil>} has a problem: must be a list, not \\"REGIONAL\\"\\n",'
    '"color":"never","severity":"error"}}',
    "program": '{"sequence":148,"timestamp":1795253173,"diagnosticEvent":{"prefix":"error: ","message":"the package of process-payment is not there\\n",'
    '"color":"never","severity":"error"}}',
    "noise": '{"sequence":149,"timestamp":1795253173,"diagnosticEvent":{"prefix":"error: ","message":"an unhandled error occurred: program exited with '
    'non-zero exit code: 1\\n","color":"never","severity":"error"}}',
    "more noise": f'{{"diagnosticEvent":{{"urn":"{STACK}","prefix":"error: ","message":"update failed\\n","color":"never","severity":"error"}}}}',
    "warning": f'{{"diagnosticEvent":{{"urn":"{API}","prefix":"warning: ","message":"endpointConfiguration is old\\n","severity":"warning"}}}}',
    "summary": '{"sequence":220,"timestamp":1795253525,"summaryEvent":{"maybeCorrupt":false,"durationSeconds":6,"resourceChanges":{"create":13,"same":2,'
    '"replace":1,"create-replacement":1,"delete-replaced":1,"update":3,"delete":4},"PolicyPacks":{},"isPreview":false,"result":"failed"}}',
    "nothing": '{"summaryEvent":{"maybeCorrupt":false,"durationSeconds":1,"resourceChanges":null,"PolicyPacks":{}}}',
    "cancel": '{"sequence":221,"timestamp":1795253525,"cancelEvent":{}}',
}


class Told(Silent):
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.said: list[tuple[Any, ...]] = []

    def resource_started(self, project: str, urn: str, type: str, name: str, op: str) -> None:  # noqa: A002 - the engine's word
        self.said.append(("started", project, type, name, op))

    def resource_done(self, project: str, urn: str, op: str, failed: bool) -> None:
        self.said.append(("done", project, name_of(urn), op, failed))

    def note(self, project: str, message: str) -> None:
        self.said.append(("note", project, message))


def heard(*names: str) -> tuple[Listener, Told]:
    told = Told()
    progress: Progress = told
    listener = Listener("app", progress)
    for name in names:
        listener.event(json.loads(LINES[name]))
    return listener, told


def test_a_resource_starts_and_is_done() -> None:
    _, told = heard("prelude", "debug", "create", "created", "cancel")
    assert told.said == [("started", "app", "aws:apigateway/restApi:RestApi", "payments", "create"), ("done", "app", "payments", "create", False)]


def test_a_resource_fails() -> None:
    _, told = heard("create", "failed")
    assert told.said[-1] == ("done", "app", "payments", "create", True)


def test_the_stack_itself_and_what_stays_the_same_are_no_news() -> None:
    _, told = heard("stack", "stack done", "same")
    assert told.said == []


def test_a_warning_is_passed_on_and_debugging_is_not() -> None:
    _, told = heard("warning", "debug")
    assert told.said == [("note", "app", "warning: endpointConfiguration is old")]


def test_changes_are_counted_in_the_reports_words_and_a_replacement_once() -> None:
    listener, _ = heard("summary")
    summary = listener.summary(0, "", interrupted=False)
    assert summary.ok
    assert {kind: count for kind, count in summary.changes.items() if kind != "same"} == {"create": 13, "update": 3, "replace": 1, "delete": 4}


def test_an_update_without_changes_counts_none() -> None:
    listener, _ = heard("nothing")
    assert set(listener.summary(0, "", interrupted=False).changes.values()) == {0}


def test_a_failure_is_the_resources_own_message_and_the_cause() -> None:
    listener, _ = heard("create", "error", "error", "noise", "more noise", "summary")
    summary = listener.summary(255, "error: update failed", interrupted=False)
    [error] = summary.errors
    assert (error.urn, error.type, error.name) == (API, "aws:apigateway/restApi:RestApi", "payments")
    assert error.message.endswith('must be a list, not "REGIONAL"')
    assert (summary.ok, summary.interrupted) == (False, False)
    assert "payments" in summary.cause
    assert "must be a list" in summary.cause


def test_a_programs_own_error_is_told_and_the_engines_words_about_it_are_not() -> None:
    listener, _ = heard("program", "noise")
    [error] = listener.summary(255, "", interrupted=False).errors
    assert (error.urn, error.type, error.name, error.message) == ("", "program", "app", "the package of process-payment is not there")


@pytest.mark.parametrize(("said", "cause"), [("the stack is currently locked", "the stack is currently locked"), ("", "the engine ended with exit code 255")])
def test_without_a_failed_resource_the_engines_last_words_are_the_cause(said: str, cause: str) -> None:
    listener, _ = heard("prelude")
    assert listener.summary(255, said, interrupted=False).cause == cause


def test_an_operation_that_was_stopped_says_so_and_one_that_ended_well_does_not() -> None:
    listener, _ = heard("create", "error")
    stopped = listener.summary(255, "update canceled", interrupted=True)
    assert (stopped.ok, stopped.interrupted) == (False, True)
    assert "asked to stop" in stopped.cause
    ended = listener.summary(0, "", interrupted=True)
    assert (ended.ok, ended.interrupted, ended.cause, ended.errors) == (True, False, "", ())


def drifted(op: str, **more: Any) -> str:
    metadata = {"op": op, "urn": API, "type": "aws:apigateway/restApi:RestApi", "old": {"inputs": {"body": "hidden"}}, "new": {"inputs": {}}, **more}
    return json.dumps({"resOutputsEvent": {"metadata": metadata, "planning": True}})


@pytest.mark.parametrize(
    ("line", "gone", "properties"),
    [
        (drifted("update", diffs=["tags"], detailedDiff={"tags.Team": {"diffKind": "update"}, "body": {"diffKind": "add"}}), False, ("body", "tags.Team")),
        (drifted("update", diffs=["tags"], detailedDiff=None), False, ("tags",)),
        (drifted("update"), False, ()),
        (drifted("delete", new=None), True, ()),
    ],
    ids=["in detail", "in names", "in nothing", "gone"],
)
def test_what_drifted_is_named_with_paths_and_without_values(line: str, gone: bool, properties: tuple[str, ...]) -> None:
    listener = Listener("app", Told())
    listener.event(json.loads(line))
    [found] = listener.summary(0, "", interrupted=False).drift
    assert (found.name, found.gone, found.properties) == ("payments", gone, properties)
    assert "hidden" not in str(found.as_dict()) + found.summary


@pytest.mark.parametrize("op", ["same", "read", "refresh"])
def test_what_is_as_it_was_is_no_drift(op: str) -> None:
    listener = Listener("app", Told())
    listener.event(json.loads(drifted(op)))
    assert listener.summary(0, "", interrupted=False).drift == ()


def test_inputs_of_resources_never_come_out() -> None:
    listener, told = heard("prelude", "create", "failed", "error", "summary")
    summary = listener.summary(255, "", interrupted=False)
    everything = f"{told.said}{summary}"
    assert "ciphertext" not in everything
    assert "[secret]" not in everything
    assert "password" not in everything
