"""The stores: PostgreSQL or a table of payments, DynamoDB tables, Redis, S3 buckets, and their keys."""

from projects.data.buckets import Buckets
from projects.data.keys import data_key, database_key
from projects.data.outputs import cache, outputs, relational_database
from projects.data.settings import DataSettings
from projects.data.tables import Tables
from shared.contracts import DataOutputs, NetworkingOutputs
from shared.stack import Stack

stack = Stack(DataSettings)
environment, settings = stack.environment, stack.settings
network = stack.upstream(NetworkingOutputs)

key, of_database = data_key(environment), database_key(environment)
database = relational_database(environment, settings, network=network, key=of_database)
redis = cache(environment, settings, network=network, key=key)
tables = Tables("tables", environment, settings.tables, key_arn=key.arn)
buckets = Buckets("buckets", environment, settings.buckets, key_arn=key.arn)

handed_on: DataOutputs = outputs(key=key, database_key=of_database, database=database, tables=tables, buckets=buckets, cache=redis)
stack.publish(handed_on)
