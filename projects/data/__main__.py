"""The stores: PostgreSQL, DynamoDB tables, S3 buckets, and their keys."""

from projects.data.buckets import Buckets
from projects.data.keys import data_key, database_key
from projects.data.postgres import Postgres
from projects.data.settings import DataSettings
from projects.data.tables import Tables
from shared.contracts import DataOutputs, NetworkingOutputs
from shared.stack import Stack

stack = Stack(DataSettings)
environment, settings = stack.environment, stack.settings
network = stack.upstream(NetworkingOutputs)

key, of_database = data_key(environment), database_key(environment)
postgres = Postgres("database", environment, settings.database, network=network, key_arn=of_database.arn)
tables = Tables("tables", environment, settings.tables, key_arn=key.arn)
buckets = Buckets("buckets", environment, settings.buckets, key_arn=key.arn)

stack.publish(
    DataOutputs(
        data_key_arn=key.arn,
        database_key_arn=of_database.arn,
        database_identifier=postgres.instance.identifier,
        database_address=postgres.instance.address,
        database_port=postgres.instance.port,
        database_name=postgres.instance.db_name,
        database_url=postgres.url,
        database_secret_arn=postgres.secret_arn,
        sessions_table_name=tables.sessions.name,
        sessions_table_arn=tables.sessions.arn,
        transaction_log_table_name=tables.transaction_log.name,
        transaction_log_table_arn=tables.transaction_log.arn,
        documents_bucket_name=buckets.documents.name,
        documents_bucket_arn=buckets.documents.arn,
        audit_bucket_name=buckets.audit.name,
        audit_bucket_arn=buckets.audit.arn,
        access_logs_bucket_name=buckets.access_logs.name,
    )
)
