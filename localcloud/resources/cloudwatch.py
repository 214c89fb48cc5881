"""Amazon CloudWatch: dashboards here; alarms, logs, and EventBridge's rules in modules of their own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast

from localcloud.aws import Aws
from localcloud.fields import json_text, text
from localcloud.kinds import Kind, Props
from localcloud.resources._alarm import METRIC_ALARM
from localcloud.resources._events import EVENT_RULE, EVENT_TARGET
from localcloud.resources._logs import LOG_GROUP, LOG_METRIC_FILTER, LOG_RESOURCE_POLICY
from localcloud.resources._logs_protection import LOG_DATA_PROTECTION_POLICY

# CloudWatch API reference, "Dashboard body structure and syntax".
_WIDGETS = ("alarm", "custom", "explorer", "log", "metric", "text")
_MOST_WIDGETS = 500
_MOST_METRICS = 500
_COLUMNS = 24
_ROWS = 1_000


def _put_dashboard(aws: Aws, inputs: Props) -> str:
    aws.client("cloudwatch").put_dashboard(DashboardName=inputs["dashboardName"], DashboardBody=inputs["dashboardBody"])
    return str(inputs["dashboardName"])


def _read_dashboard(aws: Aws, name: str, _: Props) -> Props:
    live = aws.client("cloudwatch").get_dashboard(DashboardName=name)
    return {"dashboardName": name, "dashboardBody": live["DashboardBody"], "dashboardArn": live["DashboardArn"]}


def _update_dashboard(aws: Aws, _: str, new: Props, __: Props) -> None:
    _put_dashboard(aws, new)


def _delete_dashboard(aws: Aws, name: str, _: Props) -> None:
    aws.client("cloudwatch").delete_dashboards(DashboardNames=[name])


def _is_body(document: str) -> str | None:
    try:
        body = json.loads(document)
    except ValueError:  # refused by the field itself
        return None
    widgets = body.get("widgets") if isinstance(body, dict) else None
    if not isinstance(widgets, list):
        return 'must be an object with a list "widgets"'
    widgets = cast("list[Any]", widgets)
    found = [f"widgets[{position}]: {problem}" for position, widget in enumerate(widgets) for problem in _widget_problems(widget)]
    if len(widgets) > _MOST_WIDGETS:
        found.append(f"it has {len(widgets)} widgets; a dashboard has at most {_MOST_WIDGETS}")
    return "; ".join(found) or None


def _widget_problems(widget: Any) -> Iterator[str]:
    if not isinstance(widget, dict):
        yield "must be an object"
        return
    widget = cast("dict[str, Any]", widget)
    if widget.get("type") not in _WIDGETS:
        yield f"type is {widget.get('type')!r}; it must be one of {', '.join(_WIDGETS)}"
    for name, least, most in (("x", 0, _COLUMNS - 1), ("y", 0, None), ("width", 1, _COLUMNS), ("height", 1, _ROWS)):
        value = widget.get(name, least)
        if not isinstance(value, int) or value < least or (most is not None and value > most):
            yield f"{name} is {value!r}; it must be a whole number from {least}{'' if most is None else f' to {most}'}"
    properties = widget.get("properties")
    if not isinstance(properties, dict):
        yield "must have an object of properties"
        return
    properties = cast("dict[str, Any]", properties)
    wanted = {"text": ("markdown",), "metric": ("region",), "log": ("query", "region"), "alarm": ("alarms",)}.get(str(widget.get("type")), ())
    if missing := [name for name in wanted if not properties.get(name)]:
        yield f"properties lack {', '.join(missing)}"
    if widget.get("type") == "metric" and not (properties.get("metrics") or properties.get("annotations")):
        yield "properties have neither metrics nor annotations"
    if isinstance(metrics := properties.get("metrics"), list) and len(cast("list[Any]", metrics)) > _MOST_METRICS:
        yield f"has {len(cast('list[Any]', metrics))} metrics; a widget has at most {_MOST_METRICS}"


DASHBOARD = Kind(
    type="aws:cloudwatch/dashboard:Dashboard",
    client="cloudwatch",
    inputs={
        # PutDashboard, "DashboardName".
        "dashboardName": text(required=True, replaces=True, pattern="[A-Za-z0-9_-]{1,255}"),
        "dashboardBody": json_text(required=True, rule=_is_body),
    },
    outputs=("dashboardArn",),
    delete_first=False,
    create=_put_dashboard,
    read=_read_dashboard,
    update=_update_dashboard,
    delete=_delete_dashboard,
)

KINDS = (DASHBOARD, EVENT_RULE, EVENT_TARGET, METRIC_ALARM, LOG_DATA_PROTECTION_POLICY, LOG_GROUP, LOG_METRIC_FILTER, LOG_RESOURCE_POLICY)
