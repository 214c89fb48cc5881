"""Called by the deployment: brings the database to the schema that this version of the code needs."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from payments.functions import MIGRATE_DATABASE
from payments.settings import MigrateDatabaseSettings, load
from payments.storage.postgres.database import connector
from payments.storage.postgres.migrating import SESSION, migrate
from payments.storage.postgres.schema import head
from payments.telemetry import Telemetry

_telemetry = Telemetry(MIGRATE_DATABASE)


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - there is nothing to say in the event
    """Any event in; out come the migrations that were applied, in order, and the schema's version. An error is the invocation's error."""
    with _telemetry.correlated(context.aws_request_id):
        applied = migrate(connector(load(MigrateDatabaseSettings).database, SESSION))
        _telemetry.log.info("database migrated" if applied else "database was at this version before", applied=applied, version=head())
    return {"applied": applied, "version": head()}
