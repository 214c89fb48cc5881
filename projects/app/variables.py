"""What the service is told by environment variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi

from payments.functions import Function, Store, Variable
from projects.app.grants import Reach
from projects.app.settings import QueueSettings
from shared.environment import Environment


def store_of(environment: Environment) -> Store:
    """Where the environment keeps payments."""
    return "relational" if environment.shape.relational else "dynamodb"


def values(environment: Environment, reach: Reach, queue: QueueSettings, *, api_url: pulumi.Input[str]) -> Mapping[Variable, pulumi.Input[str]]:
    """What each variable is; without those whose thing the environment does not have, or whose key the page does not set."""
    data, processor, shape, platform = reach.data, reach.processor, environment.shape, environment.platform
    found: dict[Variable, pulumi.Input[str] | None] = {
        Variable.STAGE: f"{platform.stage}-{platform.environment_suffix}",
        Variable.DATABASE_URL: data.database_url if shape.relational else None,
        Variable.DATABASE_SECRET_ARN: data.database_secret_arn if shape.relational else None,
        Variable.PAYMENTS_TABLE: None if shape.relational else data.payments_table_name,
        Variable.TRANSACTION_LOG_TABLE: data.transaction_log_table_name,
        Variable.SESSIONS_TABLE: None if shape.cache else data.sessions_table_name,
        Variable.CACHE_SECRET_ARN: data.cache_secret_arn if shape.cache else None,
        Variable.DOCUMENTS_BUCKET: data.documents_bucket_name,
        Variable.AUDIT_BUCKET: data.audit_bucket_name,
        Variable.PAYMENT_EVENTS_TOPIC_ARN: reach.events_arn,
        Variable.WORK_QUEUE_URL: reach.work.queue.url,
        Variable.DEAD_LETTER_QUEUE_URL: reach.work.dead_letters.url,
        Variable.MAX_RECEIVES: str(queue.max_receives),
        Variable.API_URL: api_url,
        Variable.PROCESSOR: processor.name,
        Variable.PROCESSOR_SECRET_ARN: processor.secret_arn,
        Variable.PROCESSOR_ENDPOINT: processor.endpoint,
    }
    return {variable: value for variable, value in found.items() if value is not None}


def told(functions: Sequence[Function], store: Store, known: Mapping[Variable, pulumi.Input[str]]) -> dict[Variable, pulumi.Input[str]]:
    """Of the variables that there are, those that these functions read; KeyError where one is missing that they cannot work without."""
    wanted = [variable for function in functions for variable in (*function.needs(store), *(one for one in function.optional if one in known))]
    return {variable: known[variable] for variable in dict.fromkeys(wanted)}
