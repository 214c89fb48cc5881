"""The metric that a target-tracking policy follows: one that Application Auto Scaling has a name for, one of CloudWatch's, or a calculation over several."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from localcloud.fields import Refusal, block, blocks, flag, text
from localcloud.kinds import Props
from localcloud.resources._known import members

AT = "targetTrackingScalingPolicyConfiguration"
_SHAPE = "PutScalingPolicy.TargetTrackingScalingPolicyConfiguration"
_OWN = f"{_SHAPE}.CustomizedMetricSpecification"
_QUERY = f"{_OWN}.Metrics"
_STAT = f"{_QUERY}.MetricStat"
_SINGLE = ("metricName", "namespace", "statistic")


def _dimensions(of: str) -> Any:
    return blocks({"name": text(required=True, shape=f"{of}.Dimensions.Name"), "value": text(required=True, shape=f"{of}.Dimensions.Value")}, unordered=True)


FIELDS = {
    "predefinedMetricSpecification": block(
        {
            "predefinedMetricType": text(required=True, shape=f"{_SHAPE}.PredefinedMetricSpecification.PredefinedMetricType"),
            "resourceLabel": text(shape=f"{_SHAPE}.PredefinedMetricSpecification.ResourceLabel"),
        }
    ),
    "customizedMetricSpecification": block(
        {
            "metricName": text(shape=f"{_OWN}.MetricName"),
            "namespace": text(shape=f"{_OWN}.Namespace"),
            "statistic": text(shape=f"{_OWN}.Statistic"),
            "unit": text(shape=f"{_OWN}.Unit"),
            "dimensions": _dimensions(_OWN),
            "metrics": blocks(
                {
                    # TargetTrackingMetricDataQuery, "Id": the shape says its length alone.
                    "id": text(required=True, pattern=r"[a-z]\w*", shape=f"{_QUERY}.Id"),
                    "expression": text(shape=f"{_QUERY}.Expression"),
                    "label": text(shape=f"{_QUERY}.Label"),
                    "returnData": flag(),
                    "metricStat": block(
                        {
                            "metric": block(
                                {
                                    "metricName": text(required=True, shape=f"{_STAT}.Metric.MetricName"),
                                    "namespace": text(required=True, shape=f"{_STAT}.Metric.Namespace"),
                                    "dimensions": _dimensions(f"{_STAT}.Metric"),
                                },
                                required=True,
                            ),
                            "stat": text(required=True, shape=f"{_STAT}.Stat"),
                            "unit": text(shape=f"{_STAT}.Unit"),
                        }
                    ),
                },
                unordered=True,
            ),
        }
    ),
}
"""The inputs, of which a policy has one."""


def sent(tracking: Props) -> Props:
    """The metric as the API takes it: its members are called as Pulumi's, with a capital."""
    return {_capital(name): _renamed(tracking[name], _capital) for name in FIELDS if tracking.get(name) is not None}


def read(tracking: Props) -> Props:
    """The metric as Pulumi has it."""
    return {name: _renamed(tracking[_capital(name)], _small) for name in FIELDS if _capital(name) in tracking}


def refusals(tracking: Props) -> Iterator[Refusal]:
    """What AWS wants of the metric beyond its shapes (PutScalingPolicy, "Target tracking scaling policies using metric math")."""
    given = [name for name in FIELDS if tracking.get(name) is not None]
    if len(given) != 1:
        yield Refusal(AT, f"it has {' and '.join(given) or 'no metric'}; it has one of {' and '.join(FIELDS)}")
    own = members(tracking.get("customizedMetricSpecification"))
    if not own:
        return
    at, queries = f"{AT}.customizedMetricSpecification", [members(query) for query in own.get("metrics") or ()]
    single = [name for name in _SINGLE if own.get(name) is not None]
    if queries and single:
        yield Refusal(f"{at}.metrics", f"they go without {' and '.join(single)}")
    elif not queries and len(single) < len(_SINGLE):
        yield Refusal(at, f"it needs metrics, or {', '.join(_SINGLE)}")
    for position, query in enumerate(queries):
        if (query.get("expression") is None) == (query.get("metricStat") is None):
            yield Refusal(f"{at}.metrics[{position}]", "it has an expression, or else a metricStat")
    if queries and sum(query.get("returnData") is not False for query in queries) != 1:
        yield Refusal(f"{at}.metrics", "one of them returns data, and all others have returnData false")
    if len({query.get("id") for query in queries}) < len(queries):
        yield Refusal(f"{at}.metrics", "each has an id of its own")


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]


def _small(name: str) -> str:
    return name[:1].lower() + name[1:]


def _renamed(value: Any, rename: Any) -> Any:
    if isinstance(value, dict):
        return {rename(name): _renamed(within, rename) for name, within in value.items() if within is not None}
    return [_renamed(within, rename) for within in value] if isinstance(value, list) else value
