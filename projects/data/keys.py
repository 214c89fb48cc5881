"""The keys that the stores are encrypted with: one for the database, one for tables, buckets and the cache.

No store is in the key policies: RDS, DynamoDB, S3 and ElastiCache use a key with the permissions of the role that calls them. CloudTrail
uses it on its own.
"""

from __future__ import annotations

from projects.data import audit
from shared.components.key import Key, KeyArgs
from shared.environment import Environment


def database_key(environment: Environment) -> Key | None:
    """The key of PostgreSQL: its storage, backups, Performance Insights, and the secret with its master password.

    None where there is no PostgreSQL, or where the page leaves its keys to AWS.
    """
    if not environment.shape.relational or environment.shape.database_key == "aws":
        return None
    return Key("database", environment, KeyArgs(description="PostgreSQL"))


def data_key(environment: Environment) -> Key:
    """The key of DynamoDB tables, S3 buckets, and the cache with its secret."""
    return Key("data", environment, KeyArgs(description="Tables and buckets", users=audit.key_statements(environment)))
