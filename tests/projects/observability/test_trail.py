"""The trail, its log group and its role, as CloudTrail, CloudWatch Logs and IAM have them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from projects.data import audit
from tests.projects.harness import Cloud
from tests.projects.observability.upstream import deployed

DOCUMENTS = "arn:aws:s3:::documents-prod-main-345678901234/"
AUDIT = "arn:aws:s3:::audit-prod-main-345678901234/"
S3, DYNAMODB = "AWS::S3::Object", "AWS::DynamoDB::Table"


def trail(cloud: Cloud) -> dict[str, Any]:
    [found] = cloud.client("cloudtrail").describe_trails()["trailList"]
    assert found["TrailARN"] == cloud.runs["observability"].outputs["trailArn"]
    return found


def selected(cloud: Cloud) -> dict[str, dict[str, dict[str, list[str]]]]:
    """What the trail records: by selector, and in it by field."""
    found = cloud.client("cloudtrail").get_event_selectors(TrailName=trail(cloud)["Name"])["AdvancedEventSelectors"]
    return {
        one["Name"]: {part["Field"]: {how: values for how, values in part.items() if how != "Field" and values} for part in one["FieldSelectors"]}
        for one in found
    }


@pytest.mark.parametrize("environment", ["dev", "staging", "prod"])
def test_it_is_the_trail_that_the_audit_bucket_and_the_data_key_let_in(environment: str) -> None:
    with deployed(environment) as cloud:
        found, data = trail(cloud), cloud.runs["data"].outputs
        assert found["TrailARN"] == audit.trail_arn(cloud.environment)
        assert (found["S3BucketName"], found["KmsKeyId"]) == (data["auditBucketName"], data["dataKeyArn"])


def test_it_covers_all_regions_seals_its_files_and_is_on() -> None:
    with deployed("prod") as cloud:
        found = trail(cloud)
        assert found["IsMultiRegionTrail"] is found["IncludeGlobalServiceEvents"] is found["LogFileValidationEnabled"] is True
        assert found["HomeRegion"] == "us-east-1"
        assert cloud.client("cloudtrail").get_trail_status(Name=found["Name"])["IsLogging"] is True


def test_it_writes_to_a_log_group_with_the_log_key_by_a_role_that_can_do_nothing_else() -> None:
    with deployed("prod") as cloud:
        found = trail(cloud)
        [group] = cloud.client("logs").describe_log_groups(logGroupNamePrefix="/aws/cloudtrail/")["logGroups"]
        assert (group["logGroupName"], group["retentionInDays"]) == ("/aws/cloudtrail/audit-prod-main", 30)
        assert group["kmsKeyId"] == cloud.runs["networking"].outputs["logKeyArn"]
        assert found["CloudWatchLogsLogGroupArn"] == "arn:aws:logs:us-east-1:345678901234:log-group:/aws/cloudtrail/audit-prod-main:*"
        iam, role = cloud.client("iam"), found["CloudWatchLogsRoleArn"].rpartition("/")[2]
        [trusted] = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]["Statement"]
        assert trusted["Principal"] == {"Service": "cloudtrail.amazonaws.com"}
        [name] = iam.list_role_policies(RoleName=role)["PolicyNames"]
        document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        [statement] = (json.loads(document) if isinstance(document, str) else document)["Statement"]
        assert statement["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
        stream = "log-group:/aws/cloudtrail/audit-prod-main:log-stream:345678901234_CloudTrail_us-east-1*"
        assert statement["Resource"] == f"arn:aws:logs:us-east-1:345678901234:{stream}"


def test_it_records_management_and_every_use_of_objects_and_items() -> None:
    with deployed("prod") as cloud:
        found = selected(cloud)
        assert found["Management"] == {"eventCategory": {"Equals": ["Management"]}}
        data = {"eventCategory": {"Equals": ["Data"]}}
        tables = [f"arn:aws:dynamodb:us-east-1:345678901234:table/{table}-prod-main" for table in ("sessions", "transaction-log")]
        assert found["Documents"] == {**data, "resources.type": {"Equals": [S3]}, "resources.ARN": {"StartsWith": [DOCUMENTS]}}
        assert found["Tables"] == {**data, "resources.type": {"Equals": [DYNAMODB]}, "resources.ARN": {"Equals": tables}}


def records(selectors: dict[str, dict[str, dict[str, list[str]]]], arn: str, event: str) -> bool:
    """Whether CloudTrail records a use of an object, by the rules of its user guide ("How CloudTrail evaluates multiple conditions for a field")."""
    value = {"eventCategory": "Data", "resources.type": S3, "resources.ARN": arn, "eventName": event}

    def holds(field: str, tests: dict[str, list[str]]) -> bool:
        chosen = {"Equals": value[field].__eq__, "StartsWith": value[field].startswith}
        barred = {"NotEquals": value[field].__eq__, "NotStartsWith": value[field].startswith}
        taken = [test(word) for how, test in chosen.items() for word in tests.get(how, ())]
        left = [test(word) for how, test in barred.items() for word in tests.get(how, ())]
        return (any(taken) or not taken) and not any(left)

    return any(all(holds(field, tests) for field, tests in selector.items()) for selector in selectors.values())


def test_it_records_who_touches_its_files_but_not_that_it_wrote_them() -> None:
    with deployed("prod") as cloud:
        found = selected(cloud)
        of_trail = f"{AUDIT}AWSLogs/345678901234/CloudTrail/us-east-1/file.json.gz"
        assert not records(found, of_trail, "PutObject")
        assert all(records(found, of_trail, event) for event in ("GetObject", "DeleteObject", "DeleteObjects", "PutObjectAcl"))
        assert all(records(found, f"{AUDIT}payments/record", event) for event in ("PutObject", "GetObject", "DeleteObject"))
        assert all(records(found, f"{DOCUMENTS}statement", event) for event in ("PutObject", "GetObject"))
        assert not records(found, "arn:aws:s3:::audit-prod-main-345678901234-of-somebody-else/file", "GetObject")


@pytest.mark.parametrize(
    ("environment", "tables"),
    [
        ("accounts-dev", ["sessions-dev-accounts", "payments-dev-accounts", "transaction-log-dev-accounts"]),
        ("containers-dev", ["payment-transaction-log-dev"]),
    ],
)
def test_it_follows_the_tables_that_the_environment_has(environment: str, tables: list[str]) -> None:
    with deployed(environment) as cloud:
        arns = [cloud.environment.arn("dynamodb", f"table/{table}") for table in tables]
        assert selected(cloud)["Tables"]["resources.ARN"] == {"Equals": arns}


def test_a_page_may_leave_the_tables_out() -> None:
    with deployed("prod", page={"observability:trail": {"tableEvents": False}}) as cloud:
        assert set(selected(cloud)) == {"Management", "Documents", "Audit records", "Files of the trail"}


def test_a_copy_leaves_management_events_to_its_original() -> None:
    with deployed("dev", page={"platform:copyOf": "dev", "platform:environmentSuffix": "pr42"}) as cloud:
        assert trail(cloud)["Name"] == "audit-dev-pr42"
        assert set(selected(cloud)) == {"Documents", "Audit records", "Files of the trail", "Tables"}
