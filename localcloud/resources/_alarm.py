"""CloudWatch's metric alarms: on one metric, or on a calculation over several."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pulumi.runtime.rpc import UNKNOWN

from localcloud.aws import Aws
from localcloud.fields import Field, Refusal, block, blocks, decimal, flag, mapping, number, text, texts
from localcloud.kinds import Kind, Props
from localcloud.resources import _tags

# CloudWatch user guide, "CloudWatch statistics definitions".
_EXTENDED = r"(p|tm|wm|tc|ts)(100|\d{1,2}(\.\d{1,10})?)|IQM|(TM|WM|PR|TC|TS)\((\d+(\.\d+)?%?)?:(\d+(\.\d+)?%?)?\)"
_STATISTICS = "SampleCount|Average|Sum|Minimum|Maximum"
_BANDS = ("LessThanLowerOrGreaterThanUpperThreshold", "LessThanLowerThreshold", "GreaterThanUpperThreshold")
_HOUR, _DAY, _WEEK = 3_600, 86_400, 604_800
_QUERIES = 20

# Inputs that CloudWatch takes and gives as they are.
_PLAIN = {
    "actionsEnabled": "ActionsEnabled",
    "alarmActions": "AlarmActions",
    "alarmDescription": "AlarmDescription",
    "comparisonOperator": "ComparisonOperator",
    "datapointsToAlarm": "DatapointsToAlarm",
    "evaluateLowSampleCountPercentiles": "EvaluateLowSampleCountPercentile",
    "evaluationPeriods": "EvaluationPeriods",
    "extendedStatistic": "ExtendedStatistic",
    "insufficientDataActions": "InsufficientDataActions",
    "metricName": "MetricName",
    "name": "AlarmName",
    "namespace": "Namespace",
    "okActions": "OKActions",
    "period": "Period",
    "statistic": "Statistic",
    "threshold": "Threshold",
    "thresholdMetricId": "ThresholdMetricId",
    "treatMissingData": "TreatMissingData",
    "unit": "Unit",
}


def _dimensions(given: Props | None) -> list[dict[str, str]]:
    return _tags.as_list(given, "Name", "Value")


def _query(given: Props) -> dict[str, Any]:
    """One of `metricQueries` as CloudWatch takes it; the AWS provider always says whether it returns data."""
    names = {"id": "Id", "expression": "Expression", "label": "Label", "period": "Period"}
    query: dict[str, Any] = {theirs: given[ours] for ours, theirs in names.items() if given.get(ours)}
    query["ReturnData"] = bool(given.get("returnData"))
    if metric := given.get("metric"):
        of = {"MetricName": metric["metricName"], "Dimensions": _dimensions(metric.get("dimensions"))}
        query["MetricStat"] = {
            "Metric": {**of, **({"Namespace": metric["namespace"]} if metric.get("namespace") else {})},
            "Period": metric["period"],
            "Stat": metric["stat"],
            **({"Unit": metric["unit"]} if metric.get("unit") else {}),
        }
    return query


def _query_read(live: dict[str, Any], known: Props) -> Props:
    names = {"id": "Id", "expression": "Expression", "label": "Label", "period": "Period"}
    query: Props = {ours: live[theirs] for ours, theirs in names.items() if live.get(theirs)}
    # Left out is the same as false, to the AWS provider as to AWS.
    if live.get("ReturnData") or "returnData" in known:
        query["returnData"] = bool(live.get("ReturnData"))
    if stat := live.get("MetricStat"):
        metric = {
            "metricName": stat["Metric"]["MetricName"],
            "namespace": stat["Metric"].get("Namespace"),
            "dimensions": _tags.as_map(stat["Metric"].get("Dimensions"), "Name", "Value"),
            "period": stat["Period"],
            "stat": stat["Stat"],
            "unit": stat.get("Unit"),
        }
        query["metric"] = {name: value for name, value in metric.items() if value}
    return query


def _put(aws: Aws, inputs: Props) -> None:
    asked = {theirs: inputs[ours] for ours, theirs in _PLAIN.items() if inputs.get(ours) is not None}
    if inputs.get("dimensions"):
        asked["Dimensions"] = _dimensions(inputs["dimensions"])
    if inputs.get("metricQueries"):
        asked["Metrics"] = [_query(query) for query in inputs["metricQueries"]]
    aws.client("cloudwatch").put_metric_alarm(**asked, Tags=_tags.as_list(inputs.get("tags")))


def _create(aws: Aws, inputs: Props) -> str:
    _put(aws, inputs)
    return str(inputs["name"])


def _find(aws: Aws, name: str) -> dict[str, Any] | None:
    alarms = aws.client("cloudwatch").describe_alarms(AlarmNames=[name], AlarmTypes=["MetricAlarm"])["MetricAlarms"]
    return alarms[0] if alarms else None


def _read(aws: Aws, name: str, known: Props) -> Props | None:
    live = _find(aws, name)
    if live is None:
        return None
    queries: dict[str, Props] = {query["id"]: query for query in known.get("metricQueries") or ()}
    return {
        **{ours: live[theirs] for ours, theirs in _PLAIN.items() if live.get(theirs) is not None},
        "treatMissingData": live.get("TreatMissingData") or "missing",
        "dimensions": _tags.as_map(live.get("Dimensions"), "Name", "Value"),
        "metricQueries": [_query_read(query, queries.get(query["Id"], {})) for query in live.get("Metrics") or ()],
        "arn": live["AlarmArn"],
        "tags": _tags.as_map(aws.client("cloudwatch").list_tags_for_resource(ResourceARN=live["AlarmArn"]).get("Tags")),
    }


def _update(aws: Aws, name: str, new: Props, old: Props) -> None:
    cloudwatch, arn = aws.client("cloudwatch"), aws.arn("cloudwatch", f"alarm:{name}")
    # It replaces the whole alarm; tags it sets only on a new one.
    _put(aws, {**new, "tags": {}})
    _tags.apply(
        old.get("tags"),
        new.get("tags"),
        tag=lambda tags: cloudwatch.tag_resource(ResourceARN=arn, Tags=_tags.as_list(tags)),
        untag=lambda keys: cloudwatch.untag_resource(ResourceARN=arn, TagKeys=keys),
    )


def _delete(aws: Aws, name: str, _: Props) -> None:
    cloudwatch, live = aws.client("cloudwatch"), _find(aws, name)
    if live is None:
        return
    # moto would give the tags to the next alarm of this name.
    if tags := cloudwatch.list_tags_for_resource(ResourceARN=live["AlarmArn"]).get("Tags"):
        cloudwatch.untag_resource(ResourceARN=live["AlarmArn"], TagKeys=[tag["Key"] for tag in tags])
    cloudwatch.delete_alarms(AlarmNames=[name])


# --- what AWS refuses ----------------------------------------------------------------------------------------------------


def _is_period(*short: int) -> Any:
    def check(seconds: int) -> str | None:
        if seconds in short or (seconds > 0 and seconds % 60 == 0):
            return None
        return f"{seconds} is not {', '.join(map(str, short))} or a multiple of 60"

    return check


def _number(inputs: Props, name: str, default: int = 0) -> int | None:
    """The number; `default` when it was left out; None while it is unknown (in a preview)."""
    value = inputs.get(name)
    return None if value == UNKNOWN else default if value is None else int(value)


def _rule(inputs: Props) -> Iterator[Refusal]:
    queries = inputs.get("metricQueries")
    if queries and queries != UNKNOWN:
        yield from _calculation(inputs, queries)
    elif not queries:
        yield from _single_metric(inputs)
    yield from _threshold(inputs, queries)
    periods, enough = _number(inputs, "evaluationPeriods"), _number(inputs, "datapointsToAlarm")
    if periods is not None and enough is not None and enough > periods:
        yield Refusal("datapointsToAlarm", f"{enough} of {periods} evaluationPeriods can never be; it must be at most {periods}")
    if inputs.get("evaluateLowSampleCountPercentiles") and not inputs.get("extendedStatistic"):
        yield Refusal("evaluateLowSampleCountPercentiles", "it is for alarms on a percentile (extendedStatistic)")


def _single_metric(inputs: Props) -> Iterator[Refusal]:
    for name in ("metricName", "namespace", "period"):
        if not inputs.get(name):
            yield Refusal(name, "it is required, unless the alarm has metricQueries")
    given = [name for name in ("statistic", "extendedStatistic") if inputs.get(name)]
    if len(given) != 1:
        yield Refusal(given[-1] if given else "statistic", "exactly one of statistic and extendedStatistic must be given")
    periods, seconds = _number(inputs, "evaluationPeriods"), _number(inputs, "period")
    if periods is None or not seconds:
        return
    # PutMetricAlarm, "EvaluationPeriods".
    most = _WEEK if seconds >= _HOUR else _DAY
    if periods * seconds > most:
        reason = f"{periods} periods of {seconds} s are {periods * seconds} s; an alarm looks back at most {most} s"
        yield Refusal("evaluationPeriods", f"{reason} ({_DAY} s with periods below an hour)")


def _calculation(inputs: Props, queries: list[Any]) -> Iterator[Refusal]:
    for name in ("metricName", "namespace", "dimensions", "period", "unit", "statistic", "extendedStatistic"):
        if inputs.get(name):
            yield Refusal(name, "it cannot be given together with metricQueries")
    known: list[Props] = [query for query in queries if query != UNKNOWN]
    ids = [query["id"] for query in known]
    if repeated := sorted({id_ for id_ in ids if ids.count(id_) > 1 and id_ != UNKNOWN}):
        yield Refusal("metricQueries", f"id {', '.join(repeated)} is used more than once")
    for position, query in enumerate(known):
        if bool(query.get("metric")) == bool(query.get("expression")):
            yield Refusal(f"metricQueries[{position}]", "exactly one of metric and expression must be given")
    returned = [query for query in known if query.get("returnData")]
    if len(returned) != 1 and len(known) == len(queries):
        yield Refusal("metricQueries", f"{len(returned)} of them have returnData; exactly one must")


def _threshold(inputs: Props, queries: Any) -> Iterator[Refusal]:
    band, fixed, operator = inputs.get("thresholdMetricId"), inputs.get("threshold"), inputs["comparisonOperator"]
    if (band is None) == (fixed is None):
        yield Refusal("threshold", "exactly one of threshold and thresholdMetricId must be given")
    if operator != UNKNOWN and (operator in _BANDS) != (band is not None):
        yield Refusal("comparisonOperator", f"{', '.join(_BANDS)} go with thresholdMetricId, the others with threshold; this is {operator}")
    if band in (None, UNKNOWN) or queries == UNKNOWN:
        return
    if not any(query == UNKNOWN or query["id"] in (band, UNKNOWN) for query in queries or ()):
        yield Refusal("thresholdMetricId", f"{band!r} is not the id of one of metricQueries")


def _actions() -> Field:
    return texts(text(pattern="arn:.+", at_most=1024), at_most=5)


_DIMENSIONS_FIELD = mapping(text(at_least=1, at_most=1024), at_most=30)
_METRIC = {
    "metricName": text(required=True, at_least=1, at_most=255),
    "namespace": text(shape="PutMetricAlarm.Namespace"),
    "dimensions": _DIMENSIONS_FIELD,
    "period": number(required=True, rule=_is_period(1, 5, 10, 20, 30)),
    "stat": text(required=True, pattern=f"{_STATISTICS}|{_EXTENDED}"),
    "unit": text(shape="PutMetricAlarm.Unit"),
}
_QUERY = {
    # MetricDataQuery, "Id".
    "id": text(required=True, pattern="[a-z][A-Za-z0-9_]{0,254}"),
    "expression": text(shape="PutMetricAlarm.Metrics.Expression"),
    "label": text(),
    "metric": block(_METRIC),
    "period": number(rule=_is_period(1, 5, 10, 20, 30)),
    "returnData": flag(),
}

METRIC_ALARM = Kind(
    type="aws:cloudwatch/metricAlarm:MetricAlarm",
    client="cloudwatch",
    inputs={
        "name": text(required=True, replaces=True, shape="PutMetricAlarm.AlarmName"),
        "comparisonOperator": text(required=True, shape="PutMetricAlarm.ComparisonOperator"),
        "evaluationPeriods": number(required=True, shape="PutMetricAlarm.EvaluationPeriods"),
        "datapointsToAlarm": number(shape="PutMetricAlarm.DatapointsToAlarm"),
        "threshold": decimal(),
        "thresholdMetricId": text(shape="PutMetricAlarm.ThresholdMetricId"),
        "metricName": text(shape="PutMetricAlarm.MetricName"),
        "namespace": text(shape="PutMetricAlarm.Namespace"),
        "dimensions": _DIMENSIONS_FIELD,
        "period": number(rule=_is_period(10, 20, 30)),
        "statistic": text(shape="PutMetricAlarm.Statistic"),
        "extendedStatistic": text(pattern=_EXTENDED),
        "unit": text(shape="PutMetricAlarm.Unit"),
        "metricQueries": blocks(_QUERY, unordered=True, at_most=_QUERIES),
        "actionsEnabled": flag(),
        "alarmActions": _actions(),
        "okActions": _actions(),
        "insufficientDataActions": _actions(),
        "alarmDescription": text(shape="PutMetricAlarm.AlarmDescription"),
        "treatMissingData": text(one_of=("missing", "ignore", "breaching", "notBreaching")),
        "evaluateLowSampleCountPercentiles": text(one_of=("evaluate", "ignore")),
    },
    outputs=("arn",),
    tagged=True,
    delete_first=False,
    create=_create,
    read=_read,
    update=_update,
    delete=_delete,
    rule=_rule,
)
