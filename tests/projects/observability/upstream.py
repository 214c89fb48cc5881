"""What observability takes from the other projects: stand-ins, with the resources that AWS looks at when alarms and trails are made."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from payments.functions import FUNCTIONS
from shared import naming
from shared.components.bucket import bucket_arn
from tests.projects.harness import Cloud, empty_aws

ADDRESS = "on-call@example.com"
GATEWAYS = ["nat-0aaaaaaaaaaaaaaaa", "nat-0bbbbbbbbbbbbbbbb"]


def network(cloud: Cloud, **changed: Any) -> dict[str, Any]:
    """The outputs of networking."""
    return {
        "vpcId": "vpc-0123456789abcdef0",
        "vpcCidr": "10.9.0.0/16",
        "publicSubnetIds": ["subnet-0123456789abcdef0"],
        "privateSubnetIds": ["subnet-0123456789abcdef1"],
        "securityGroupIds": {"functions": "sg-0123456789abcdef0", "database": "sg-0123456789abcdef1"},
        "logKeyArn": cloud.client("kms").create_key()["KeyMetadata"]["Arn"],
        "natGatewayIds": GATEWAYS,
        "natInstanceIds": [],
        **changed,
    }


def data(cloud: Cloud) -> dict[str, Any]:
    """The outputs of data; the audit bucket is there."""
    environment = cloud.environment
    names = {word: environment.names(word, naming.BUCKET) for word in ("documents", "audit")}
    cloud.client("s3").create_bucket(Bucket=names["audit"])
    key: str = cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    tables = {word: environment.names(word, naming.TABLE) for word in ("sessions", "transaction-log")}
    return {
        "dataKeyArn": key,
        "databaseKeyArn": key,
        "databaseIdentifier": "database-1",
        "databaseAddress": "database-1.example.com",
        "databasePort": 5432,
        "databaseName": "payments",
        "databaseUrl": "postgresql://database-1.example.com:5432/payments?sslmode=verify-full",
        "databaseSecretArn": environment.arn("secretsmanager", "secret:database"),
        "sessionsTableName": tables["sessions"],
        "sessionsTableArn": environment.arn("dynamodb", f"table/{tables['sessions']}"),
        "transactionLogTableName": tables["transaction-log"],
        "transactionLogTableArn": environment.arn("dynamodb", f"table/{tables['transaction-log']}"),
        "documentsBucketName": names["documents"],
        "documentsBucketArn": bucket_arn(environment, "documents"),
        "auditBucketName": names["audit"],
        "auditBucketArn": bucket_arn(environment, "audit"),
        "accessLogsBucketName": environment.names("access-logs", naming.BUCKET),
    }


def app(cloud: Cloud, **changed: Any) -> dict[str, Any]:
    """The outputs of app."""
    names = {function.name: cloud.environment.names(function.name, naming.FUNCTION) for function in FUNCTIONS}
    return {
        "apiUrl": "https://api.example.com/stage",
        "endpointUrls": {route: f"https://api.example.com/stage/{route}" for route in ("process-payment", "verify-payment")},
        "apiName": "payments-api",
        "apiStage": "live",
        "apiKey": "not-a-real-key",
        "functionNames": names,
        "functionArns": {word: cloud.environment.arn("lambda", f"function:{name}") for word, name in names.items()},
        "serviceNames": {},
        "taskDefinitionArns": {},
        "workQueueName": "work-queue",
        "workQueueUrl": "https://sqs.example.com/work-queue",
        "deadLetterQueueName": "dead-queue",
        "deadLetterQueueUrl": "https://sqs.example.com/dead-queue",
        "paymentEventsTopicArn": cloud.environment.arn("sns", "payment-events"),
        **changed,
    }


@contextmanager
def platform(environment: str, *, page: dict[str, Any] | None = None, of_network: dict[str, Any] | None = None) -> Generator[Cloud]:
    """An AWS in which the upstream projects are deployed; `page` are changed keys of the page, `of_network` changed outputs of networking."""
    with empty_aws(environment, **(page or {})) as cloud:
        cloud.published("networking", network(cloud, **(of_network or {})))
        cloud.published("data", data(cloud))
        cloud.published("app", app(cloud))
        yield cloud


@contextmanager
def deployed(environment: str, *, page: dict[str, Any] | None = None, of_network: dict[str, Any] | None = None) -> Generator[Cloud]:
    """The same, with observability deployed."""
    with platform(environment, page=page, of_network=of_network) as cloud:
        cloud.deploy("observability")
        yield cloud
