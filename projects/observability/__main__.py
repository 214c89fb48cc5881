"""What watches the others: alarms, whom they tell, the dashboard, and the audit trail."""

from projects.observability.alarms import Alarms
from projects.observability.dashboard import Dashboard, DashboardArgs
from projects.observability.notifications import Notifications
from projects.observability.settings import ObservabilitySettings
from projects.observability.trail import Trail, TrailArgs
from projects.observability.watched import watched
from shared.contracts import AppOutputs, DataOutputs, NetworkingOutputs, ObservabilityOutputs
from shared.stack import Stack

stack = Stack(ObservabilitySettings)
environment, settings = stack.environment, stack.settings
network, data, app = stack.upstream(NetworkingOutputs), stack.upstream(DataOutputs), stack.upstream(AppOutputs)

notifications = Notifications("notifications", environment, settings.notifications)
bad = watched(settings.alarms, environment, network=network, data=data, app=app)
alarms = Alarms("alarms", environment, bad, actions=notifications.actions)
shown = DashboardArgs(alarm_arns=alarms.arns, data=data, app=app, network=network)
dashboard = Dashboard("payments", environment, shown)
trail = Trail("trail", environment, settings.trail, TrailArgs(data=data, log_key_arn=network.log_key_arn))

stack.publish(
    ObservabilityOutputs(
        alarm_topic_arn=notifications.arn,
        alarm_names=alarms.names,
        dashboard_name=dashboard.name,
        trail_arn=trail.arn,
    )
)
