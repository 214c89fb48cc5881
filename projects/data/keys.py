"""The keys that the stores are encrypted with: one for the database, one for tables and buckets.

No store is in the key policies: RDS, DynamoDB and S3 use a key with the permissions of the role that calls them. CloudTrail
uses it on its own.
"""

from __future__ import annotations

from projects.data import audit
from shared.components.key import Key, KeyArgs
from shared.environment import Environment


def database_key(environment: Environment) -> Key:
    """The key of PostgreSQL: its storage, backups, Performance Insights, and the secret with its master password."""
    return Key("database", environment, KeyArgs(description="PostgreSQL"))


def data_key(environment: Environment) -> Key:
    """The key of DynamoDB tables and S3 buckets."""
    return Key("data", environment, KeyArgs(description="Tables and buckets", users=audit.key_statements(environment)))
