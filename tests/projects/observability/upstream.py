"""What observability takes from the other projects: stand-ins in the environment's shape, with the resources that AWS looks at when trails are made."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from payments.functions import functions_for
from shared import naming
from shared.components.bucket import bucket_arn
from tests.projects.harness import Cloud, empty_aws

ADDRESS = "on-call@example.com"
GATEWAYS = ["nat-0aaaaaaaaaaaaaaaa", "nat-0bbbbbbbbbbbbbbbb"]
INSTANCE = "i-0123456789abcdef0"
NODES = ["cache-1-001", "cache-1-002"]
SUFFIX = "app/api/50dc6c495c0c9188"
TARGETS = "targetgroup/web/943f017f100becff"


def network(cloud: Cloud, **changed: Any) -> dict[str, Any]:
    """The outputs of networking."""
    way_out = cloud.environment.shape.way_out
    return {
        "vpcId": "vpc-0123456789abcdef0",
        "vpcCidr": "10.9.0.0/16",
        "publicSubnetIds": ["subnet-0123456789abcdef0"],
        "privateSubnetIds": ["subnet-0123456789abcdef1"],
        "securityGroupIds": {"functions": "sg-0123456789abcdef0", "database": "sg-0123456789abcdef1"},
        "logKeyArn": cloud.client("kms").create_key()["KeyMetadata"]["Arn"],
        "natGatewayIds": GATEWAYS if way_out == "nat-gateway" else [],
        "natInstanceIds": [INSTANCE] if way_out == "nat-instance" else [],
        **changed,
    }


def data(cloud: Cloud) -> dict[str, Any]:
    """The outputs of data; the audit bucket is there."""
    environment = cloud.environment
    names = {word: environment.names(word, naming.BUCKET) for word in ("documents", "audit")}
    # us-east-1 is where buckets are made that do not say where, and it takes no bucket that does.
    where = {} if environment.region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": environment.region}}
    cloud.client("s3").create_bucket(Bucket=names["audit"], **where)
    key: str = cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    return {
        "dataKeyArn": key,
        "transactionLogTableName": environment.names("transaction-log", naming.TABLE),
        "transactionLogTableArn": environment.arn("dynamodb", f"table/{environment.names('transaction-log', naming.TABLE)}"),
        "documentsBucketName": names["documents"],
        "documentsBucketArn": bucket_arn(environment, "documents"),
        "auditBucketName": names["audit"],
        "auditBucketArn": bucket_arn(environment, "audit"),
        "accessLogsBucketName": environment.names("access-logs", naming.BUCKET),
        **(_database(cloud, key) if environment.shape.relational else _table(cloud, "payments")),
        **(_cache(cloud) if environment.shape.cache else _table(cloud, "sessions")),
    }


def _database(cloud: Cloud, key: str) -> dict[str, Any]:
    return {
        **({"databaseKeyArn": key} if cloud.environment.shape.database_key == "customer" else {}),
        "databaseIdentifier": "database-1",
        "databaseAddress": "database-1.example.com",
        "databasePort": 5432,
        "databaseName": "payments",
        "databaseUrl": "postgresql://database-1.example.com:5432/payments?sslmode=verify-full",
        "databaseSecretArn": cloud.environment.arn("secretsmanager", "secret:database"),
    }


def _table(cloud: Cloud, word: str) -> dict[str, Any]:
    name = cloud.environment.names(word, naming.TABLE)
    return {f"{word}TableName": name, f"{word}TableArn": cloud.environment.arn("dynamodb", f"table/{name}")}


def _cache(cloud: Cloud) -> dict[str, Any]:
    return {
        "cacheIdentifier": "cache-1",
        "cacheNodeIds": NODES,
        "cacheAddress": "cache-1.example.com",
        "cachePort": 6379,
        "cacheSecretArn": cloud.environment.arn("secretsmanager", "secret:cache"),
    }


def app(cloud: Cloud, **changed: Any) -> dict[str, Any]:
    """The outputs of app."""
    return {
        "apiUrl": "https://api.example.com/stage",
        "apiKey": "not-a-real-key",
        "endpointUrls": {route: f"https://api.example.com/stage/{route}" for route in ("process-payment", "verify-payment")},
        "workQueueName": "work-queue",
        "workQueueUrl": "https://sqs.example.com/work-queue",
        "deadLetterQueueName": "dead-queue",
        "deadLetterQueueUrl": "https://sqs.example.com/dead-queue",
        "paymentEventsTopicArn": cloud.environment.arn("sns", "payment-events"),
        **(_containers(cloud) if cloud.environment.shape.compute == "containers" else _functions(cloud)),
        **changed,
    }


def _functions(cloud: Cloud) -> dict[str, Any]:
    functions = functions_for("relational" if cloud.environment.shape.relational else "dynamodb")
    names = {function.name: cloud.environment.names(function.name, naming.FUNCTION) for function in functions}
    return {
        "apiName": "payments-api",
        "apiKeySecretArn": cloud.environment.arn("secretsmanager", "secret:payments-api-key"),
        "apiStage": "live",
        "functionNames": names,
        "functionArns": {word: cloud.environment.arn("lambda", f"function:{name}") for word, name in names.items()},
        **({"webAclName": "firewall-1"} if cloud.environment.shape.firewall else {}),
        "serviceNames": {},
        "taskDefinitionArns": {},
    }


def _containers(cloud: Cloud) -> dict[str, Any]:
    return {
        "functionNames": {},
        "functionArns": {},
        "clusterName": "cluster-1",
        "serviceNames": {word: f"{word}-1" for word in ("web", "worker")},
        "taskDefinitionArns": {word: cloud.environment.arn("ecs", f"task-definition/{word}:1") for word in ("web", "worker", "migrate")},
        "loadBalancerArn": cloud.environment.arn("elasticloadbalancing", f"loadbalancer/{SUFFIX}"),
        "loadBalancerArnSuffix": SUFFIX,
        "targetGroupArnSuffix": TARGETS,
        "webAclName": "firewall-1",
        "repositoryUrl": f"{cloud.environment.account}.dkr.ecr.us-east-1.amazonaws.com/payments",
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
