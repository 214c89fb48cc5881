"""The dashboard: what is wrong, then payments, then what they stand on, top to bottom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from projects.observability import widgets
from projects.observability.widgets import Row
from shared.component import Component
from shared.contracts import AppOutputs, DataOutputs, NetworkingOutputs
from shared.environment import Environment
from shared.outputs import as_json

_COLUMNS = 24
_HEIGHT = 6
_PERIOD = 300


@dataclass(frozen=True, kw_only=True)
class DashboardArgs:
    """alarm_arns: shown at the top, of an environment that has alarms."""

    alarm_arns: pulumi.Output[list[str]]
    data: DataOutputs
    app: AppOutputs
    network: NetworkingOutputs


class Dashboard(Component):
    """Produces the environment's CloudWatch dashboard.

    Outputs: `name`.
    """

    name: pulumi.Output[str]

    def __init__(self, name: str, environment: Environment, args: DashboardArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, environment, opts)
        rows = widgets.rows(environment, network=args.network, data=args.data, app=args.app)
        alarms = {
            "type": "alarm",
            "x": 0,
            "y": 0,
            "width": _COLUMNS,
            "height": _HEIGHT,
            "properties": {"title": "Alarms", "alarms": args.alarm_arns},
        }
        above = [alarms] if environment.shape.alarms else []
        below = [widget for position, row in enumerate(rows, start=len(above)) for widget in self._row(row, position * _HEIGHT)]
        dashboard = aws.cloudwatch.Dashboard(
            name,
            dashboard_name=environment.names(name),
            dashboard_body=as_json({"widgets": [*above, *below]}),
            opts=self.child(),
        )
        self.name = dashboard.dashboard_name
        self.register_outputs({"name": self.name})

    def _row(self, row: Row, y: int) -> list[dict[str, Any]]:
        width = _COLUMNS // len(row)
        return [
            {
                "type": "metric",
                "x": position * width,
                "y": y,
                "width": width,
                "height": _HEIGHT,
                "properties": {"title": title, "region": self.environment.region, "period": _PERIOD, "view": "timeSeries", "metrics": lines},
            }
            for position, (title, lines) in enumerate(row.items())
        ]
