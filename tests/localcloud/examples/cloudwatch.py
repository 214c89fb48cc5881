"""Examples of Amazon CloudWatch: dashboards, alarms and logs."""

import json

from localcloud.aws import Aws
from tests.localcloud.examples import Example, Ref
from tests.localcloud.examples.kms import PLAIN as KEY

# --- logs ----------------------------------------------------------------------------------------------------------------

LOG_GROUP = Example(
    type="aws:cloudwatch/logGroup:LogGroup",
    needs={"key": KEY, "other": KEY},
    inputs={
        "name": "/aws/lambda/process-payment-dev",
        "retentionInDays": 7,
        "kmsKeyId": Ref("key", "arn"),
        "logGroupClass": "STANDARD",
        "skipDestroy": False,
        "tags": {"Environment": "dev", "Team": "payments"},
    },
    updates={"retentionInDays": 30, "tags": {"Environment": "dev", "CostCenter": "42"}},
    replaces={"name": "/aws/lambda/other", "logGroupClass": "INFREQUENT_ACCESS"},
    bad={
        "name": ("with space", "x" * 513, ""),
        "retentionInDays": (2, 31, 3_654, "a week"),
        "kmsKeyId": "alias/logs",
        "logGroupClass": "CHEAP",
        "retention": 7,
    },
    drift=lambda aws, name: aws.client("logs").put_retention_policy(logGroupName=name, retentionInDays=1),
    drifts="retentionInDays",
)

REKEYED = Example(
    type="aws:cloudwatch/logGroup:LogGroup",
    needs={"key": KEY},
    inputs={"name": "rekeyed", "retentionInDays": 7, "tags": {"Environment": "dev"}},
    updates={"kmsKeyId": Ref("key", "arn"), "retentionInDays": 14, "tags": {"Environment": "staging"}},
    label="given a key",
)

FOR_EVER = Example(
    type="aws:cloudwatch/logGroup:LogGroup",
    inputs={"name": "for-ever", "retentionInDays": 0},
    updates={"retentionInDays": 3_653},
    label="for ever",
)


def another_pattern(aws: Aws, name: str) -> None:
    logs = aws.client("logs")
    found = logs.describe_metric_filters(logGroupName="for-ever", filterNamePrefix=name)["metricFilters"][0]
    logs.delete_metric_filter(logGroupName="for-ever", filterName=name)
    logs.put_metric_filter(logGroupName="for-ever", filterName=name, filterPattern="ERROR", metricTransformations=found["metricTransformations"])


LOG_METRIC_FILTER = Example(
    type="aws:cloudwatch/logMetricFilter:LogMetricFilter",
    needs={"group": FOR_EVER},
    inputs={
        "name": "declined",
        "logGroupName": Ref("group", "name"),
        "pattern": '{ $.event = "payment.declined" }',
        "metricTransformation": {"name": "Declined", "namespace": "Payments", "value": "1", "defaultValue": "0", "unit": "Count"},
    },
    updates={
        "pattern": '{ $.event = "payment.failed" }',
        "metricTransformation": {"name": "Failed", "namespace": "Payments", "value": "$.amount", "dimensions": {"Currency": "$.currency"}},
    },
    replaces={"name": "other", "logGroupName": "other-group"},
    bad={
        "name": "with:colon",
        "logGroupName": "with space",
        "pattern": "x" * 1_025,
        "metricTransformation": (
            {"name": "Declined", "namespace": "Payments"},
            {"name": "Declined", "namespace": "Payments", "value": "1", "unit": "Cents"},
            {"name": "Declined", "namespace": "Pay:ments", "value": "1"},
            {"name": "Declined", "namespace": "Payments", "value": "1", "defaultValue": "none"},
            {"name": "Declined", "namespace": "Payments", "value": "1", "defaultValue": "0", "dimensions": {"Currency": "$.currency"}},
            {"name": "Declined", "namespace": "Payments", "value": "1", "dimensions": dict.fromkeys("abcd", "$.x")},
            {"metricName": "Declined", "namespace": "Payments", "value": "1"},
        ),
        "metricTransformations": [],
    },
    drift=another_pattern,
    drifts="pattern",
)


def logs_policy(service: str) -> str:
    statement = {"Sid": "Write", "Effect": "Allow", "Principal": {"Service": service}, "Action": ["logs:PutLogEvents"], "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


LOG_RESOURCE_POLICY = Example(
    type="aws:cloudwatch/logResourcePolicy:LogResourcePolicy",
    inputs={"policyName": "events-to-logs", "policyDocument": logs_policy("events.amazonaws.com")},
    updates={"policyDocument": logs_policy("delivery.logs.amazonaws.com")},
    replaces={"policyName": "other"},
    bad={"policyDocument": ("{}", "{", logs_policy("x" * 5_120)), "policyName": "", "name": "events-to-logs"},
    drift=lambda aws, name: aws.client("logs").put_resource_policy(policyName=name, policyDocument=logs_policy("route53.amazonaws.com")),
    drifts="policyDocument",
)

# --- alarms --------------------------------------------------------------------------------------------------------------

TOPIC = Example(type="aws:sns/topic:Topic", inputs={"name": "alarms"})

ALARM = Example(
    type="aws:cloudwatch/metricAlarm:MetricAlarm",
    needs={"topic": TOPIC},
    inputs={
        "name": "process-payment-errors",
        "alarmDescription": "process-payment fails",
        "namespace": "AWS/Lambda",
        "metricName": "Errors",
        "dimensions": {"FunctionName": "process-payment", "Resource": "process-payment:live"},
        "statistic": "Sum",
        "period": 300,
        "evaluationPeriods": 3,
        "datapointsToAlarm": 2,
        "threshold": 10,
        "comparisonOperator": "GreaterThanOrEqualToThreshold",
        "treatMissingData": "notBreaching",
        "unit": "Count",
        "actionsEnabled": False,
        "alarmActions": [Ref("topic", "arn")],
        "okActions": [Ref("topic", "arn")],
        "insufficientDataActions": [Ref("topic", "arn")],
        "tags": {"Environment": "dev", "Team": "payments"},
    },
    updates={
        "threshold": 2.5,
        "dimensions": {"FunctionName": "verify-payment"},
        "evaluationPeriods": 5,
        "okActions": None,
        "alarmActions": None,
        "actionsEnabled": True,
        "alarmDescription": None,
        "treatMissingData": None,
        "namespace": "Payments",
        "metricName": "Declined",
        "period": 60,
        "comparisonOperator": "GreaterThanThreshold",
        "tags": {"Environment": "dev"},
    },
    replaces={"name": "other"},
    bad={
        "name": "x" * 256,
        "alarmDescription": "x" * 1_025,
        "namespace": (":AWS", None),
        "metricName": ("x" * 256, None),
        "dimensions": ({f"d{number}": "x" for number in range(31)}, {"FunctionName": ""}),
        "statistic": ("Median", None),
        "extendedStatistic": "p99",
        "period": (0, 15, 90, None),
        "evaluationPeriods": (0, 289, 1.5),
        "datapointsToAlarm": (0, 4),
        "threshold": ("ten", None),
        "comparisonOperator": ("AtLeast", "GreaterThanUpperThreshold"),
        "thresholdMetricId": "band",
        "treatMissingData": "fine",
        "unit": "Cents",
        "alarmActions": (["alarms"], [f"arn:aws:sns:us-east-1:345678901234:t{number}" for number in range(6)]),
        "evaluateLowSampleCountPercentiles": "ignore",
        "metricQuery": [],
    },
    drift=lambda aws, name: aws.client("cloudwatch").enable_alarm_actions(AlarmNames=[name]),
    drifts="actionsEnabled",
)

PERCENTILE = Example(
    type="aws:cloudwatch/metricAlarm:MetricAlarm",
    inputs={
        "name": "slow",
        "namespace": "AWS/ApiGateway",
        "metricName": "Latency",
        "extendedStatistic": "p99.9",
        "evaluateLowSampleCountPercentiles": "ignore",
        "period": 3_600,
        "evaluationPeriods": 168,
        "threshold": 1_000,
        "comparisonOperator": "GreaterThanThreshold",
    },
    updates={"extendedStatistic": None, "statistic": "Maximum", "evaluateLowSampleCountPercentiles": None},
    bad={"extendedStatistic": ("p101", "99", "median"), "evaluationPeriods": 169},
    label="percentile",
)


def metric(name: str, **more: object) -> dict[str, object]:
    return {"metricName": name, "namespace": "AWS/ApiGateway", "period": 300, "stat": "Sum", "dimensions": {"ApiName": "payments"}, **more}


ERROR_RATE = [
    {"id": "rate", "expression": "100 * errors / requests", "label": "5xx, percent", "returnData": True},
    {"id": "errors", "metric": metric("5XXError"), "returnData": False},
    {"id": "requests", "metric": metric("Count", unit="Count")},
]

CALCULATION = Example(
    type="aws:cloudwatch/metricAlarm:MetricAlarm",
    inputs={
        "name": "error-rate",
        "metricQueries": ERROR_RATE,
        "evaluationPeriods": 1,
        "threshold": 5,
        "comparisonOperator": "GreaterThanThreshold",
    },
    updates={"metricQueries": [{**ERROR_RATE[0], "expression": "errors / requests"}, *ERROR_RATE[1:]], "threshold": 0.05},
    bad={
        "metricQueries": (
            [*ERROR_RATE, ERROR_RATE[0]],
            ERROR_RATE[1:],
            [{"id": "Rate", "expression": "1", "returnData": True}],
            [{"id": "rate", "returnData": True}],
            [{"id": "rate", "expression": "1", "metric": metric("Count"), "returnData": True}],
            [{"id": "rate", "metric": metric("Count", period=45), "returnData": True}],
            [{"id": "rate", "metric": metric("Count", stat="Median"), "returnData": True}],
            [{"id": "rate", "metric": metric("Count", statistic="Sum"), "returnData": True}],
            [{"id": f"m{number}", "expression": "1", "returnData": number == 0} for number in range(21)],
        ),
        "metricName": "Count",
        "namespace": "AWS/ApiGateway",
        "dimensions": {"ApiName": "payments"},
        "period": 300,
        "statistic": "Sum",
        "unit": "Count",
        "thresholdMetricId": "band",
    },
    label="calculation",
)

ANOMALY = Example(
    type="aws:cloudwatch/metricAlarm:MetricAlarm",
    inputs={
        "name": "unusual-volume",
        "metricQueries": [
            {"id": "volume", "metric": metric("Count"), "returnData": True},
            {"id": "band", "expression": "ANOMALY_DETECTION_BAND(volume, 2)"},
        ],
        "thresholdMetricId": "band",
        "evaluationPeriods": 2,
        "comparisonOperator": "LessThanLowerOrGreaterThanUpperThreshold",
    },
    bad={"thresholdMetricId": "other", "threshold": 5, "comparisonOperator": "GreaterThanThreshold"},
    label="anomaly",
)

# --- dashboards ----------------------------------------------------------------------------------------------------------


def body(**widget: object) -> str:
    errors = {"region": "us-east-1", "metrics": [["AWS/Lambda", "Errors", "FunctionName", "process-payment"]], "title": "Errors"}
    return json.dumps({"widgets": [{"type": "metric", "x": 0, "y": 0, "width": 12, "height": 6, "properties": errors, **widget}]})


DASHBOARD = Example(
    type="aws:cloudwatch/dashboard:Dashboard",
    inputs={"dashboardName": "payments-dev", "dashboardBody": body()},
    updates={"dashboardBody": body(width=24)},
    replaces={"dashboardName": "other"},
    bad={
        "dashboardName": ("with space", "x" * 256),
        "dashboardBody": (
            "{",
            "[]",
            "{}",
            body(type="chart"),
            body(x=24),
            body(width=25),
            body(height=0),
            body(properties=None),
            body(properties={"metrics": [["AWS/Lambda", "Errors"]]}),
            body(properties={"region": "us-east-1"}),
            body(type="text", properties={"text": "hello"}),
            json.dumps({"widgets": [json.loads(body())["widgets"][0]] * 501}),
        ),
        "tags": {"Environment": "dev"},
    },
    drift=lambda aws, name: aws.client("cloudwatch").put_dashboard(DashboardName=name, DashboardBody=body(height=3)),
    drifts="dashboardBody",
)

EXAMPLES = (
    LOG_GROUP,
    REKEYED,
    FOR_EVER,
    LOG_METRIC_FILTER,
    LOG_RESOURCE_POLICY,
    ALARM,
    PERCENTILE,
    CALCULATION,
    ANOMALY,
    DASHBOARD,
)
