"""The functions and what feeds them, as Lambda and SQS have them."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest

from payments.functions import FUNCTIONS, MIGRATE_DATABASE, OUTBOX_RELAY, PAYMENT_WORKER, PROCESS_PAYMENT, VERIFY_PAYMENT, Function
from payments.settings import (
    DatabaseSettings,
    MigrateDatabaseSettings,
    OutboxRelaySettings,
    PaymentWorkerSettings,
    ProcessPaymentSettings,
    VerifyPaymentSettings,
    load,
)
from shared import packages
from tests.projects.app.upstream import name, outputs
from tests.projects.harness import Cloud

EACH = pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)


def configuration(cloud: Cloud, function: Function) -> dict[str, Any]:
    found: dict[str, Any] = cloud.client("lambda").get_function_configuration(FunctionName=name(cloud, function.name))
    return found


def attributes(cloud: Cloud, url: str) -> dict[str, Any]:
    found: dict[str, Any] = cloud.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return found


@EACH
def test_its_package_handler_and_runtime_are_the_services(staging: Cloud, function: Function) -> None:
    about = configuration(staging, function)
    digest = hashlib.sha256(packages.package_file(function.name).read_bytes()).digest()
    assert about["CodeSha256"] == base64.b64encode(digest).decode()
    assert (about["Handler"], about["Runtime"], about["PackageType"]) == (function.handler, "python3.13", "Zip")


@EACH
def test_it_has_exactly_the_variables_that_it_reads(staging: Cloud, function: Function) -> None:
    published, upstream = outputs(staging), staging.runs["data"].outputs
    values = {
        "STAGE": "staging-main",
        "TRANSACTION_LOG_TABLE": upstream["transactionLogTableName"],
        "SESSIONS_TABLE": upstream["sessionsTableName"],
        "DOCUMENTS_BUCKET": upstream["documentsBucketName"],
        "AUDIT_BUCKET": upstream["auditBucketName"],
        "DATABASE_URL": upstream["databaseUrl"],
        "DATABASE_SECRET_ARN": upstream["databaseSecretArn"],
        "WORK_QUEUE_URL": published["workQueueUrl"],
        "DEAD_LETTER_QUEUE_URL": published["deadLetterQueueUrl"],
        "MAX_RECEIVES": "5",
        "PAYMENT_EVENTS_TOPIC_ARN": published["paymentEventsTopicArn"],
        "PROCESSOR": "sandbox",
        "API_URL": published["apiUrl"],
    }
    wanted = {*function.needs("relational"), *function.optional}
    assert configuration(staging, function)["Environment"]["Variables"] == {name: value for name, value in values.items() if name in wanted}


@EACH
def test_its_variables_are_what_its_settings_want(staging: Cloud, function: Function) -> None:
    model = {
        PROCESS_PAYMENT: ProcessPaymentSettings,
        VERIFY_PAYMENT: VerifyPaymentSettings,
        PAYMENT_WORKER: PaymentWorkerSettings,
        OUTBOX_RELAY: OutboxRelaySettings,
        MIGRATE_DATABASE: MigrateDatabaseSettings,
    }[function]
    found = load(model, configuration(staging, function)["Environment"]["Variables"])
    place = found.database if isinstance(found, MigrateDatabaseSettings) else found.place
    assert place == DatabaseSettings("database-1.example.com", 5432, "payments", staging.runs["data"].outputs["databaseSecretArn"])


@EACH
def test_it_runs_in_the_private_subnets_and_is_traced(staging: Cloud, function: Function) -> None:
    about, network = configuration(staging, function), staging.runs["networking"].outputs
    assert sorted(about["VpcConfig"]["SubnetIds"]) == sorted(network["privateSubnetIds"])
    assert about["VpcConfig"]["SecurityGroupIds"] == [network["securityGroupIds"]["functions"]]
    assert about["TracingConfig"] == {"Mode": "Active"}


def test_each_has_a_role_of_its_own_that_lambda_alone_assumes(staging: Cloud) -> None:
    iam = staging.client("iam")
    roles = [configuration(staging, function)["Role"] for function in FUNCTIONS]
    assert len(set(roles)) == len(FUNCTIONS)
    for arn in roles:
        [trust] = iam.get_role(RoleName=arn.rsplit("/", 1)[-1])["Role"]["AssumeRolePolicyDocument"]["Statement"]
        assert (trust["Effect"], trust["Principal"], trust["Action"]) == ("Allow", {"Service": "lambda.amazonaws.com"}, "sts:AssumeRole")


def test_the_worker_alone_is_fed_from_the_work_queue_and_names_what_failed(staging: Cloud) -> None:
    [mapping] = staging.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    queue = attributes(staging, outputs(staging)["workQueueUrl"])
    assert (mapping["EventSourceArn"], mapping["FunctionArn"]) == (queue["QueueArn"], outputs(staging)["functionArns"]["payment-worker"])
    assert (mapping["FunctionResponseTypes"], mapping["BatchSize"], mapping["State"]) == (["ReportBatchItemFailures"], 10, "Enabled")


def test_a_message_that_fails_five_times_is_set_aside_for_fourteen_days(staging: Cloud) -> None:
    work, dead = attributes(staging, outputs(staging)["workQueueUrl"]), attributes(staging, outputs(staging)["deadLetterQueueUrl"])
    redrive = json.loads(work["RedrivePolicy"])
    assert (redrive["deadLetterTargetArn"], int(redrive["maxReceiveCount"])) == (dead["QueueArn"], 5)
    assert "RedrivePolicy" not in dead
    assert dead["MessageRetentionPeriod"] == str(14 * 24 * 3600)


def test_a_message_is_not_seen_again_while_the_worker_may_still_have_it(staging: Cloud) -> None:
    work = attributes(staging, outputs(staging)["workQueueUrl"])
    timeout = staging.client("lambda").get_function_configuration(FunctionName=name(staging, "payment-worker"))["Timeout"]
    assert int(work["VisibilityTimeout"]) == 6 * timeout
    assert work["ReceiveMessageWaitTimeSeconds"] == "20"


def test_queues_and_topic_refuse_whoever_comes_without_tls(staging: Cloud) -> None:
    queues = [json.loads(attributes(staging, outputs(staging)[url])["Policy"]) for url in ("workQueueUrl", "deadLetterQueueUrl")]
    topic = staging.client("sns").get_topic_attributes(TopicArn=outputs(staging)["paymentEventsTopicArn"])["Attributes"]
    for policy in (*queues, json.loads(topic["Policy"])):
        refused = next(statement for statement in policy["Statement"] if statement["Sid"] == "TlsOnly")
        assert (refused["Effect"], refused["Principal"]) == ("Deny", "*")
        assert refused["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    account = staging.environment.arn("iam", "root", region="")
    allowed = [statement for statement in json.loads(topic["Policy"])["Statement"] if statement["Effect"] == "Allow"]
    assert [statement["Principal"] for statement in allowed] == [{"AWS": account}]
