"""CloudWatch alarms, made from what is to be watched."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import pulumi
import pulumi_aws as aws

from projects.observability.metrics import Metric
from shared.component import Component
from shared.environment import Environment

MINUTE, FIVE_MINUTES = 60, 300

Combination = Literal["sum", "difference", "largest", "share"]


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """One alarm.

    name: of the alarm, without stage and suffix. says: what it means and where to look first, for whom it wakes.
    watches: one metric, or several, and `combined` says how: their sum, what is left of the first after the others, the largest of them, or the
    per cent that the sum of all but the last is of the last.
    threshold: reached or passed, it rings; with `below`, when the value is less.
    period: seconds that one value is made of; periods: how many in a row must be bad.
    silence: what periods without any data are: `notBreaching` good, `breaching` bad, `ignore` as the alarm is.
    """

    name: str
    says: str
    watches: Metric | Sequence[Metric] | pulumi.Output[list[Metric]]
    threshold: float
    silence: Literal["notBreaching", "breaching", "ignore"]
    below: bool = False
    combined: Combination = "sum"
    period: int = FIVE_MINUTES
    periods: int = 1


class Alarms(Component):
    """Produces a CloudWatch alarm for each of `alarms`; each does `actions` (ARNs) when it rings and when it is over.

    Outputs: `names`, `arns`.
    """

    names: pulumi.Output[list[str]]
    arns: pulumi.Output[list[str]]

    def __init__(
        self, name: str, environment: Environment, alarms: Iterable[Alarm], *, actions: Sequence[pulumi.Input[str]], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, environment, opts)
        made = [self._alarm(alarm, actions) for alarm in alarms]
        self.names = pulumi.Output.all(*[alarm.name for alarm in made])
        self.arns = pulumi.Output.all(*[alarm.arn for alarm in made])
        self.register_outputs({"names": self.names})

    def _alarm(self, alarm: Alarm, actions: Sequence[pulumi.Input[str]]) -> aws.cloudwatch.MetricAlarm:
        one = alarm.watches if isinstance(alarm.watches, Metric) else None
        percentile = one is not None and one.stat.startswith("p")
        several = None if isinstance(alarm.watches, Metric) else pulumi.Output.from_input(alarm.watches).apply(lambda known: _total(known, alarm))
        return aws.cloudwatch.MetricAlarm(
            alarm.name,
            name=self.environment.names(alarm.name),
            alarm_description=alarm.says,
            namespace=one and one.namespace,
            metric_name=one and one.name,
            dimensions=one and one.dimensions,
            statistic=one.stat if one and not percentile else None,
            extended_statistic=one.stat if one and percentile else None,
            # Of a handful of requests one is the slowest twentieth.
            evaluate_low_sample_count_percentiles="ignore" if percentile else None,
            period=one and alarm.period,
            metric_queries=several,
            comparison_operator="LessThanThreshold" if alarm.below else "GreaterThanOrEqualToThreshold",
            threshold=alarm.threshold,
            evaluation_periods=alarm.periods,
            treat_missing_data=alarm.silence,
            alarm_actions=actions,
            ok_actions=actions,
            opts=self.child(),
        )


def _total(metrics: Sequence[Metric], alarm: Alarm) -> list[aws.cloudwatch.MetricAlarmMetricQueryArgs]:
    """The queries whose result is the combination of `metrics`; in a sum, one that is silent counts as 0 as long as another is not."""
    parts = [
        aws.cloudwatch.MetricAlarmMetricQueryArgs(
            id=f"part{position}",
            metric=aws.cloudwatch.MetricAlarmMetricQueryMetricArgs(
                namespace=metric.namespace, metric_name=metric.name, dimensions=metric.dimensions, stat=metric.stat, period=alarm.period
            ),
        )
        for position, metric in enumerate(metrics)
    ]
    ids = [f"part{position}" for position in range(len(parts))]
    label = _label(list(dict.fromkeys(metric.name for metric in metrics)), alarm.combined)
    return [aws.cloudwatch.MetricAlarmMetricQueryArgs(id="total", expression=_expression(ids, alarm.combined), label=label, return_data=True), *parts]


def _label(names: Sequence[str], combined: Combination) -> str:
    """What the combination of metrics of these names is called."""
    match combined:
        case "sum":
            return " + ".join(names)
        case "difference":
            return " - ".join(names)
        case "largest":
            return f"largest {' or '.join(names)}"
        case "share":
            return f"{' + '.join(names[:-1])} in per cent of {names[-1]}"


def _expression(ids: Sequence[str], combined: Combination) -> str:
    """CloudWatch's metric math ("Using metric math") for a combination."""
    match combined:
        case "sum":
            return f"SUM([{', '.join(ids)}])"
        case "difference":
            return " - ".join(ids)
        case "largest":
            return f"MAX([{', '.join(ids)}])"
        case "share":
            return f"100 * SUM([{', '.join(ids[:-1])}]) / {ids[-1]}"
