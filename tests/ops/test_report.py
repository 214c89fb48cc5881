"""The report: exit codes, the JSON and its schema, and what people see."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from rich.cells import cell_len
from rich.console import Console

from ops.report import CHANGES, TARGETS, Drift, Outcome, Report, ResourceError, Result, Tense, changes_text, duration

ROOT = Path(__file__).parents[2]
SCHEMA: dict[str, Any] = json.loads((ROOT / "docs/schemas/report.schema.json").read_text())
VALIDATOR: Any = Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)
STARTED = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)

DATABASE = ResourceError(
    urn="urn:pulumi:dev::data::payments:data:Postgres$aws:rds/instance:Instance::database",
    type="aws:rds/instance:Instance",
    name="database",
    message="creating RDS DB Instance (payments-dev): InvalidParameterCombination: db.t4g.small does not support encryption at rest with this engine version",
)
NETWORKING = Result(project="networking", stack="dev", outcome=Outcome.SUCCEEDED, seconds=12.34, changes={"create": 63, "same": 2})
DATA = Result(project="data", stack="dev", outcome=Outcome.FAILED, seconds=125, changes={"create": 11}, errors=(DATABASE,))
APP = Result(project="app", stack="dev", outcome=Outcome.EARLY_EXIT, cause="not started, because data failed", because_of="data")
OBSERVABILITY = Result(project="observability", stack="dev", outcome=Outcome.EARLY_EXIT, cause="not started, because data failed", because_of="data")


def report(*results: Result, **fields: Any) -> Report:
    usual: dict[str, Any] = {"command": "deploy", "environment": "dev", "target": "local", "started": STARTED, "seconds": 140.2, "results": results}
    return Report(**usual | fields)


def result(outcome: Outcome) -> Result:
    because = "networking" if outcome is Outcome.EARLY_EXIT else None
    return Result(project="data", stack="dev", outcome=outcome, cause="" if outcome.good else "a reason", because_of=because)


def shown(what: Report, width: int = 100, **options: Any) -> str:
    console = Console(record=True, width=width, file=io.StringIO(), **options)
    console.print(what)
    return console.export_text()


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        ([], 0),
        ([Outcome.SUCCEEDED, Outcome.UNCHANGED, Outcome.EXCLUDED], 0),
        ([Outcome.SUCCEEDED, Outcome.FAILED, Outcome.EARLY_EXIT], 1),
        ([Outcome.REFUSED, Outcome.FAILED], 1),
        ([Outcome.REFUSED, Outcome.EARLY_EXIT], 2),
        ([Outcome.SUCCEEDED, Outcome.HELD], 2),
        ([Outcome.FAILED, Outcome.INTERRUPTED, Outcome.REFUSED], 130),
        ([Outcome.EARLY_EXIT], 1),
        ([Outcome.SUCCEEDED, Outcome.DRIFTED], 1),
        ([Outcome.DRIFTED, Outcome.HELD], 2),
    ],
)
def test_the_exit_code_tells(outcomes: list[Outcome], code: int) -> None:
    assert report(*map(result, outcomes)).exit_code == code


def test_bad_configuration_is_exit_code_2() -> None:
    assert report(problems=("Pulumi.dev.yaml: app:memory is 100; Lambda takes 128 to 10240",)).exit_code == 2


def test_the_schema_is_a_schema_and_names_what_the_code_has() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    definitions = SCHEMA["$defs"]
    assert definitions["result"]["properties"]["outcome"]["enum"] == [o.value for o in Outcome]
    assert list(definitions["changes"]["properties"]) == list(CHANGES)
    assert SCHEMA["properties"]["target"]["enum"] == list(TARGETS)
    bad = [o.value for o in Outcome if not o.good]
    assert sorted(definitions["result"]["allOf"][1]["if"]["properties"]["outcome"]["enum"]) == sorted(bad)


def test_every_object_of_the_schema_is_closed_and_all_its_fields_are_required() -> None:
    objects = [SCHEMA, *(d for d in SCHEMA["$defs"].values() if d["type"] == "object")]
    assert len(objects) == 5
    for each in objects:
        assert each["additionalProperties"] is False
        assert set(each["required"]) == set(each["properties"])


texts = st.text(max_size=40)
errors = st.builds(ResourceError, urn=texts, type=texts, name=texts, message=texts)
drifts = st.builds(Drift, urn=texts, type=texts, name=texts, gone=st.booleans(), properties=st.lists(texts, max_size=2).map(tuple))
counts = st.dictionaries(st.sampled_from(list(CHANGES)), st.integers(0, 10_000))


@st.composite
def results(draw: st.DrawFn) -> Result:
    outcome = draw(st.sampled_from(Outcome))
    return Result(
        project=draw(st.sampled_from(["networking", "data", "app"])),
        stack=draw(texts),
        outcome=outcome,
        cause=draw(texts) + ("" if outcome.good else "because"),
        because_of="data" if outcome is Outcome.EARLY_EXIT else None,
        seconds=draw(st.floats(0, 1e6)),
        changes=draw(counts),
        errors=tuple(draw(st.lists(errors, max_size=3))),
        drift=tuple(draw(st.lists(drifts, max_size=2))),
        next=draw(texts),
    )


@settings(deadline=None)
@given(each=st.lists(results(), max_size=4), started=st.datetimes(timezones=st.timezones(), min_value=STARTED.replace(tzinfo=None)), width=st.integers(30, 160))
def test_every_report_fits_the_schema_and_can_be_shown(each: list[Result], started: datetime, width: int) -> None:
    made = report(*each, started=started, problems=("one",))
    read = json.loads(made.to_json())
    VALIDATOR.validate(read)
    assert [r["outcome"] for r in read["results"]] == [r.outcome for r in each]
    assert datetime.fromisoformat(read["started"]) == started.astimezone(UTC).replace(microsecond=started.microsecond // 1000 * 1000)
    assert max(map(cell_len, shown(made, width).splitlines())) <= width


def test_the_json_of_a_failed_run() -> None:
    read = json.loads(report(NETWORKING, DATA, APP, suffix="pr42", started=STARTED.astimezone(timezone(timedelta(hours=2)))).to_json())
    assert {k: v for k, v in read.items() if k != "results"} == {
        "schema": 1,
        "command": "deploy",
        "environment": "dev",
        "suffix": "pr42",
        "target": "local",
        "started": "2026-11-21T09:30:00.000Z",
        "seconds": 140.2,
        "exit_code": 1,
        "problems": [],
        "smoke": None,
        "manifest": None,
    }
    assert read["results"][1] == {
        "project": "data",
        "stack": "dev",
        "outcome": "failed",
        "cause": DATABASE.summary,
        "because_of": None,
        "seconds": 125,
        "changes": {"create": 11, "update": 0, "replace": 0, "delete": 0, "same": 0},
        "errors": [{"urn": DATABASE.urn, "type": DATABASE.type, "name": "database", "message": DATABASE.message}],
        "drift": [],
        "next": "",
    }


SPOILT: list[dict[str, Any]] = [
    {"schema": 2},
    {"target": "moon"},
    {"exit_code": 3},
    {"started": "2026-11-21T09:30:00+01:00"},
    {"outputs": {}},
    {"results": [{**NETWORKING.as_dict(), "inputs": {}}]},
    {"results": [{**NETWORKING.as_dict(), "outcome": "skipped"}]},
    {"results": [{**APP.as_dict(), "because_of": None}]},
    {"results": [{**NETWORKING.as_dict(), "because_of": "data"}]},
    {"results": [{**DATA.as_dict(), "cause": ""}]},
    {"results": [{**DATA.as_dict(), "changes": {"create": -1, "update": 0, "replace": 0, "delete": 0, "same": 0}}]},
]


@pytest.mark.parametrize("spoil", SPOILT, ids=str)
def test_the_schema_refuses_what_is_no_report(spoil: dict[str, object]) -> None:
    read = json.loads(report(NETWORKING, DATA, APP).to_json())
    VALIDATOR.validate(read)
    assert not VALIDATOR.is_valid({**read, **spoil})


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"outcome": Outcome.FAILED}, "outcome is failed, cause is empty"),
        ({"outcome": Outcome.EARLY_EXIT, "cause": "x"}, "an early exit names a project"),
        ({"outcome": Outcome.SUCCEEDED, "because_of": "app"}, "because_of is 'app'"),
        ({"outcome": Outcome.SUCCEEDED, "changes": {"create-replacement": 1}}, "changes has create-replacement"),
    ],
)
def test_a_result_that_says_too_little_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Result(project="data", stack="dev", **fields)


def test_a_report_needs_a_target_and_a_time_zone() -> None:
    with pytest.raises(ValueError, match="target is 'moon'; it is one of aws, local"):
        report(target="moon")
    with pytest.raises(ValueError, match="no time zone"):
        report(started=STARTED.replace(tzinfo=None))


def test_messages_cannot_paint_the_screen() -> None:
    noisy = ResourceError(urn="u", type="t", name="n", message="\x1b[31m<{%fg 1%}>red<{%reset%}>\x1b[0m\x1b]0;title\x07\r\nnext\x08 line\x1b[2J")
    assert noisy.message == "red\nnext line"
    assert result(Outcome.FAILED).cause == "a reason"
    assert Result(project="p", stack="s", outcome=Outcome.FAILED, cause="\x1b[1mbold\x1b[0m").cause == "bold"


def test_people_see_each_outcome_the_message_and_the_way_on() -> None:
    text = shown(report(NETWORKING, DATA, APP, OBSERVABILITY), width=120)
    lines = [line.rstrip() for line in text.splitlines()]
    assert lines[0] == "deploy dev on local: 1 succeeded, 1 failed, 2 early exit in 2 min 20 s"
    assert lines[1:3] == [
        "  ✓ networking     succeeded       12.3 s  63 created, 2 unchanged",
        "  ✗ data           failed      2 min 05 s  11 created",
    ]
    assert "  » app            early exit" in lines
    assert "    not started, because data failed" in lines
    assert "  data (dev) failed" in lines
    assert "    aws:rds/instance:Instance database" in lines
    assert DATABASE.message in " ".join(line.strip() for line in lines)
    assert lines[-1] == "  Next: mend what failed, then `invoke deploy --env dev --target local` goes on from there."


def test_a_narrow_terminal_loses_nothing() -> None:
    text = shown(report(NETWORKING, DATA, APP, OBSERVABILITY), width=60)
    assert max(map(len, text.splitlines())) <= 60
    flat = " ".join(text.split())
    for part in (
        "63 created, 2 unchanged",
        "11 created",
        "not started, because data failed",
        DATABASE.message,
        "`invoke deploy --env dev --target local` goes on",
    ):
        assert part in flat
    assert flat.count("early exit") == 3  # the summary and two stacks


def test_a_preview_says_what_would_be() -> None:
    text = shown(report(NETWORKING, command="preview"))
    assert "63 to create, 2 unchanged" in text
    assert "Next" not in text


@pytest.mark.parametrize(
    ("made", "line"),
    [
        (
            report(environment="prod", target="aws", problems=("the caller's account is 1, the page's is 2",), seconds=0.2),
            "Next: mend what was refused, then `invoke deploy --env prod`.",
        ),
        (report(result(Outcome.INTERRUPTED), suffix="pr42"), "Next: `invoke deploy --env dev --suffix pr42 --target local` goes on from there."),
        (
            report(result(Outcome.FAILED), command="destroy", environment="prod", target="aws", selection=" --only app --until data"),
            "Next: mend what failed, then `invoke destroy --env prod --only app --until data` goes on from there.",
        ),
        (
            report(result(Outcome.DRIFTED), command="drift", suffix="pr42", selection=" --from data"),
            "Next: `invoke refresh --env dev --suffix pr42 --target local --from data` and then "
            "`invoke deploy --env dev --suffix pr42 --target local --from data` put it back; what is to stay: page or program first.",
        ),
        (report(result(Outcome.HELD)), "Next: do what the held stacks ask for, then `invoke deploy --env dev --target local`."),
        (report(Result(project="app", stack="dev", outcome=Outcome.REFUSED, cause="3.5.1", next="encrypt it")), "Next: encrypt it"),
    ],
    ids=["problems", "interrupted", "selection", "drifted", "held", "own"],
)
def test_what_to_do_next(made: Report, line: str) -> None:
    assert line in [shown_line.strip() for shown_line in shown(made, width=240).splitlines()]


def test_people_see_what_drifted_and_where_the_manifest_is() -> None:
    changed = Drift(urn="u", type="aws:sqs/queue:Queue", name="work", properties=("tags", "visibilityTimeoutSeconds"))
    gone = Drift(urn="v", type="aws:sqs/queue:Queue", name="late", gone=True)
    drifted = Result(project="app", stack="dev", outcome=Outcome.DRIFTED, cause="2 resources", changes={"update": 1, "delete": 1}, drift=(changed, gone))
    lines = [line.strip() for line in shown(report(drifted, command="drift")).splitlines()]
    assert "~ app  drifted    1 changed, 1 gone" in lines
    assert lines.index("aws:sqs/queue:Queue work: tags, visibilityTimeoutSeconds") + 1 == lines.index("aws:sqs/queue:Queue late: gone")
    assert [one["change"] for one in drifted.as_dict()["drift"]] == ["changed", "gone"]  # type: ignore[union-attr]
    assert "what is deployed: .local/manifests/local/dev.json" in shown(report(NETWORKING, manifest=".local/manifests/local/dev.json"))


def test_all_reasons_for_a_refusal_are_shown() -> None:
    text = shown(report(problems=("first [bold]rule[/bold]", "second"), seconds=0.1))
    assert text.splitlines()[0].rstrip() == "deploy dev on local: refused in 0.1 s"
    assert "! first [bold]rule[/bold]" in text
    assert "! second" in text


def test_colours_on_a_terminal_and_none_where_they_are_not_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    def written() -> str:
        console = Console(file=io.StringIO(), force_terminal=True, width=80, color_system="standard")
        console.print(report(DATA))
        return cast("io.StringIO", console.file).getvalue()

    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[1;31m" in written()
    monkeypatch.setenv("NO_COLOR", "1")
    assert "31m" not in written()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (12.34, "12.3 s"), (59.96, "1 min 00 s"), (125, "2 min 05 s"), (3599.9, "1 h 00 min"), (3720, "1 h 02 min")],
)
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_changes_in_words() -> None:
    assert changes_text({"same": 3, "create": 0, "delete": 1}) == "1 deleted, 3 unchanged"
    assert changes_text({"replace": 1}, Tense.PLANNED) == "1 to replace"
    assert changes_text({"update": 2, "delete": 1, "same": 3}, Tense.FOUND) == "2 changed, 1 gone, 3 as they were"
    assert changes_text({}) == ""


def test_rich_is_not_imported_for_a_report_in_json() -> None:
    code = "import sys, ops.queue, ops.report, ops.progress.stream, ops.progress.plain; print([m for m in sys.modules if m.split('.')[0] == 'rich'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
