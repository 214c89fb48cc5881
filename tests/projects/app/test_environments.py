"""What differs by page: concurrency, throttling, retention, the domain."""

from __future__ import annotations

import pytest

from payments.functions import FUNCTIONS
from shared.contracts import AppOutputs
from tests.projects.app.upstream import key_of, name, outputs
from tests.projects.harness import Cloud

RESERVED = {"dev": None, "staging": 20, "prod": 100}
RATE = {"dev": 50.0, "staging": 200.0, "prod": 2000.0}
BURST = {"dev": 100, "staging": 400, "prod": 4000}
RETENTION = {"dev": 7, "staging": 14, "prod": 30}


def test_it_publishes_its_contract_with_the_api_key_as_a_secret(each: Cloud) -> None:
    assert AppOutputs.problems(outputs(each)) == []
    assert each.runs["app"].secrets == {"apiKey"}
    [key] = each.client("apigateway").get_api_keys(includeValues=True)["items"]
    assert outputs(each)["apiKey"] == key["value"]


@pytest.mark.parametrize("function", [function.name for function in FUNCTIONS])
def test_functions_have_the_same_size_everywhere_and_the_pages_concurrency(each: Cloud, function: str) -> None:
    found = each.client("lambda").get_function(FunctionName=outputs(each)["functionNames"][function])
    about = found["Configuration"]
    assert about["FunctionArn"] == outputs(each)["functionArns"][function]
    timeout = 900 if function == "migrate-database" else 28
    assert (about["MemorySize"], about["Timeout"], about["Architectures"]) == (512, timeout, ["arm64"])
    assert found.get("Concurrency", {}).get("ReservedConcurrentExecutions") == RESERVED[each.page.name]
    assert about["Environment"]["Variables"]["STAGE"] == f"{each.page.name}-main"


def test_the_stage_and_the_usage_plan_let_through_what_the_page_says(each: Cloud) -> None:
    gateway = each.client("apigateway")
    [api] = gateway.get_rest_apis()["items"]
    stage = gateway.get_stage(restApiId=api["id"], stageName=outputs(each)["apiStage"])
    settings = stage["methodSettings"]["*/*"]
    assert (settings["throttlingRateLimit"], settings["throttlingBurstLimit"]) == (RATE[each.page.name], BURST[each.page.name])
    [plan] = gateway.get_usage_plans()["items"]
    assert plan["throttle"] == {"rateLimit": RATE[each.page.name], "burstLimit": BURST[each.page.name]}


def test_every_log_group_is_encrypted_and_kept_as_long_as_the_page_says(each: Cloud) -> None:
    groups = each.client("logs").describe_log_groups()["logGroups"]
    [api] = each.client("apigateway").get_rest_apis()["items"]
    assert {group["logGroupName"] for group in groups} == {
        *(f"/aws/lambda/{name(each, function.name)}" for function in FUNCTIONS),
        f"/aws/apigateway/{name(each, 'payments')}/access",
        f"API-Gateway-Execution-Logs_{api['id']}/{each.page.name}",
    }
    assert {group["retentionInDays"] for group in groups} == {RETENTION[each.page.name]}
    assert {group["kmsKeyId"] for group in groups} == {each.runs["networking"].outputs["logKeyArn"]}


def test_only_prod_has_a_domain_and_a_certificate(each: Cloud) -> None:
    domains = [domain["domainName"] for domain in each.client("apigateway").get_domain_names()["items"]]
    certificates = [certificate["DomainName"] for certificate in each.client("acm").list_certificates()["CertificateSummaryList"]]
    zones = [zone["Name"] for zone in each.client("route53").list_hosted_zones()["HostedZones"]]
    if each.page.name == "prod":
        assert (domains, certificates, zones) == (["payments.example.com"], ["payments.example.com"], ["payments.example.com."])
        assert outputs(each)["apiUrl"] == "https://payments.example.com"
    else:
        assert (domains, certificates, zones) == ([], [], [])
        [api] = each.client("apigateway").get_rest_apis()["items"]
        assert outputs(each)["apiUrl"] == f"https://{api['id']}.execute-api.us-east-1.amazonaws.com/{each.page.name}"


def test_messages_and_variables_are_encrypted_with_the_apps_own_key(each: Cloud) -> None:
    key, sqs = key_of(each), each.client("sqs")
    for queue in (outputs(each)["workQueueUrl"], outputs(each)["deadLetterQueueUrl"]):
        assert sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["KmsMasterKeyId"])["Attributes"]["KmsMasterKeyId"] == key
    topic = each.client("sns").get_topic_attributes(TopicArn=outputs(each)["paymentEventsTopicArn"])["Attributes"]
    assert topic["KmsMasterKeyId"] == key
    for function in outputs(each)["functionNames"].values():
        assert each.client("lambda").get_function_configuration(FunctionName=function)["KMSKeyArn"] == key
    assert each.client("kms").get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]
