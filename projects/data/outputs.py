"""What the project publishes: of the stores that the environment has, how to reach them."""

from __future__ import annotations

from dataclasses import replace

from projects.data.aurora import Aurora
from projects.data.buckets import Buckets
from projects.data.cache import Cache
from projects.data.postgres import Postgres
from projects.data.relational import Relational
from projects.data.settings import AuroraServerlessSettings, AuroraSettings, DataSettings, RdsSettings
from projects.data.tables import Tables
from shared.components.key import Key
from shared.contracts import DataOutputs, NetworkingOutputs
from shared.environment import Environment


def relational_database(environment: Environment, settings: DataSettings, *, network: NetworkingOutputs, key: Key | None) -> Relational | None:
    """The PostgreSQL that the page asks for, or None where payments are kept in a table."""
    key_arn = key.arn if key else None
    match settings.database:
        case RdsSettings() as database:
            return Postgres("database", environment, database, network=network, key_arn=key_arn)
        case AuroraSettings() | AuroraServerlessSettings() as database:
            return Aurora("database", environment, database, network=network, key_arn=key_arn)
        case _:
            return None


def cache(environment: Environment, settings: DataSettings, *, network: NetworkingOutputs, key: Key) -> Cache | None:
    """The Redis that the page asks for, or None."""
    return Cache("cache", environment, settings.cache, network=network, key_arn=key.arn) if settings.cache else None


def outputs(*, key: Key, database_key: Key | None, database: Relational | None, tables: Tables, buckets: Buckets, cache: Cache | None) -> DataOutputs:
    """The contract: null stands for a store that the environment does not have."""
    found = DataOutputs(
        data_key_arn=key.arn,
        transaction_log_table_name=tables.transaction_log.name,
        transaction_log_table_arn=tables.transaction_log.arn,
        documents_bucket_name=buckets.documents.name,
        documents_bucket_arn=buckets.documents.arn,
        audit_bucket_name=buckets.audit.name,
        audit_bucket_arn=buckets.audit.arn,
        access_logs_bucket_name=buckets.access_logs.name,
    )
    if database_key:
        found = replace(found, database_key_arn=database_key.arn)
    if database:
        found = replace(
            found,
            database_identifier=database.identifier,
            database_address=database.address,
            database_endpoint=database.endpoint,
            database_port=database.port,
            database_name=database.database,
            database_url=database.url,
            database_secret_arn=database.secret_arn,
        )
    if database and database.reader_address:
        found = replace(found, database_reader_address=database.reader_address)
    if tables.sessions:
        found = replace(found, sessions_table_name=tables.sessions.name, sessions_table_arn=tables.sessions.arn)
    if tables.payments:
        found = replace(found, payments_table_name=tables.payments.name, payments_table_arn=tables.payments.arn)
    if cache:
        found = replace(
            found,
            cache_identifier=cache.identifier,
            cache_node_ids=cache.node_ids,
            cache_address=cache.address,
            cache_port=cache.port,
            cache_secret_arn=cache.secret_arn,
        )
    return found
