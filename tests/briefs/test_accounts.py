"""The brief of the customer with an AWS account for each environment, and payments in DynamoDB (docs/briefs/accounts.txt)."""

from __future__ import annotations

import inspect
import json
import re
from ipaddress import IPv4Network
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import tasks
from ops.projects import projects
from ops.validation import problems_of
from ops.workspace import open_workspace
from projects.data.throughput import PAYMENT
from shared import page as pages
from shared.isolation import boundary_arn
from shared.page import ROOT
from tests.briefs import checks, likeness
from tests.briefs.family import Deployed, Family
from tests.briefs.manifests import manifest_of
from tests.briefs.requirements import Conflict, requirement

CONFLICTS = (
    Conflict(
        (7, 29, 30, 31, 101),
        30,
        "Lines 7 and 101 ask for identical patterns, lines 29 to 31 for other capacity modes and recovery: what differs is an input of the same resources. The "
        "one exception is what scales provisioned tables in staging and production: tables on demand scale by themselves, and have no such resources.",
    ),
    Conflict(
        (35, 79, 82),
        79,
        "Audit logs are kept for days that the page says, and yet every bucket has to go with its stack: the days count as long as the environment lives, and "
        "destroying it takes its audit logs along.",
    ),
)

BUCKET = "aws:s3/bucket:Bucket"
TABLE = "aws:dynamodb/table:Table"
FUNCTION = "aws:lambda/function:Function"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
STAGES = ("dev", "staging", "prod")
ACCOUNTS = {"dev": "123456789012", "staging": "234567890123", "prod": "345678901234"}
PROJECTS = ["networking", "data", "app", "observability"]
DEPLOY: Any = tasks.deploy
PAGES = [f"environments/Pulumi.accounts-{stage}.yaml" for stage in STAGES]

# The inputs in which the environments differ, by the page's key that decides them.
DECIDED = {
    "platform:logRetentionDays": {"LogGroup.retentionInDays"},
    "data:tables": {f"Table.{key}" for key in ("billingMode", "readCapacity", "writeCapacity", "globalSecondaryIndexes", "pointInTimeRecovery")}
    | {"Target.minCapacity", "Target.maxCapacity"},
    "data:buckets": {"BucketLifecycleConfiguration.rules"},
    "app:functions": {"Function.memorySize"},
    "app:api": {"MethodSettings.settings", "UsagePlan.throttleSettings"},
    "observability:alarms": {"MetricAlarm.threshold"},
}


@requirement(5, 7, 9, 13, 101, 102, met=[*PAGES, "environments/families.yaml", "projects", "tests/blueprints/test_lives.py", "tests/engine/test_drift.py"])
def test_one_codebase_makes_the_same_in_three_environments_but_for_what_pages_decide(family: Family) -> None:
    assert [deployed.stage for deployed in family] == list(STAGES)
    assert all(list(deployed.cloud.runs) == PROJECTS for deployed in family)
    scaling = {one for one in family["prod"].shape() if "$aws:appautoscaling/" in one}
    assert likeness.apart(family) == {"dev": set(), "staging": scaling, "prod": scaling}, "capacity that follows the load, where it is not on demand"
    assert likeness.inputs(family) == set().union(*DECIDED.values()), "what differs, and what keys of the pages decide"


@requirement(9, 72, 73, 74, 75, met=["aws:allowedAccountIds", "tests/blueprints/test_lives.py"], read="AWS's provider refuses to work in any other account.")
def test_each_environment_is_in_its_own_account(family: Family) -> None:
    for deployed in family:
        assert deployed.environment.account == ACCOUNTS[deployed.stage] == deployed.client("sts").get_caller_identity()["Account"]
        accounts = {arn.split(":")[4] for arn in checks.arns(deployed)}
        assert accounts <= {ACCOUNTS[deployed.stage], ""}, deployed.name
        for service in ("ec2", "lambda", "dynamodb"):
            assert deployed.client(service).meta.region_name == "us-east-1"
        # What one account holds, none of the others does.
        assert [vpc["VpcId"] for vpc in deployed.client("ec2").describe_vpcs(Filters=[{"Name": "is-default", "Values": ["false"]}])["Vpcs"]] == [
            deployed.output("networking", "vpcId")
        ]
        assert set(deployed.client("dynamodb").list_tables()["TableNames"]) == {table.inputs["name"] for table in deployed.of(TABLE)}


@requirement(18, 62, 89, 110, 114, met=["shared/component.py", "shared/components", "projects"], read="A reusable construct is a Pulumi component.")
def test_every_resource_belongs_to_a_component_that_all_environments_use(family: Family) -> None:
    used: list[set[str]] = []
    for deployed in family:
        assert checks.loose(deployed) == []
        used.append({one.type for run in deployed.cloud.runs.values() for one in run.resources if one.type.startswith("payments:")})
    assert used[0] == used[1] == used[2]
    assert {"payments:shared:Role", "payments:shared:Bucket", "payments:networking:Vpc", "payments:app:Functions"} <= used[0]


@requirement(19, 20, 90, 103, met=["app:functions", "data:tables", "data:buckets", "observability:alarms", "platform:logRetentionDays", "shared/page.py"])
def test_memory_capacity_retention_and_thresholds_are_read_from_the_page(family: Family) -> None:
    for deployed in family:
        page = deployed.cloud.page.config
        assert {one.inputs["memorySize"] for one in deployed.of(FUNCTION)} == {page["app:functions"]["memory"]}
        capacity = {one.name: one.inputs.get("writeCapacity") for one in deployed.of(TABLE)}
        assert capacity["transaction-log"] == page["data:tables"].get("writeCapacity")
        assert capacity["payments"] == page["data:tables"].get("payments", {}).get("writeCapacity")
        assert {one.inputs["retentionInDays"] for one in deployed.of(LOG_GROUP)} == {page["platform:logRetentionDays"]}
        assert deployed.inputs(ALARM, "process-payment-errors")["threshold"] == page["observability:alarms"]["functionErrors"]


@requirement(23, 64, 91, 116, met=["payments/functions.py", "projects/app/functions.py"])
def test_payments_are_processed_by_functions_on_arm64_alone(family: Family) -> None:
    for deployed in family:
        functions = {one["FunctionName"]: one["Architectures"] for one in deployed.client("lambda").list_functions()["Functions"]}
        assert {deployed.environment.names(word) for word in ("process-payment", "verify-payment", "payment-worker")} <= set(functions)
        assert {name: found for name, found in functions.items() if found != ["arm64"]} == {}


@requirement(24, 116, met=["app:functions.memory"])
def test_memory_of_functions(family: Family) -> None:
    for deployed in family:
        sizes = {one["MemorySize"] for one in deployed.client("lambda").list_functions()["Functions"]}
        assert sizes == {{"dev": 512, "staging": 1024, "prod": 2048}[deployed.stage]}


@requirement(25, 67, 104, 119, met=["shared/iam.py", "projects/app/roles.py", "tests/projects/app/test_roles.py"])
def test_roles_are_allowed_single_actions_on_what_they_use(family: Family) -> None:
    for deployed in family:
        assert checks.too_much(deployed) == []
        # Who only tells a payment's state writes none, and queues nothing.
        may = checks.granted(deployed, "verify-payment")
        assert may & {"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "sqs:SendMessage", "sns:Publish", "s3:PutObject"} == set()
        assert {"dynamodb:GetItem", "kms:Decrypt"} <= may


@requirement(93, 104, met=["projects/networking/boundary.py", "shared/isolation.py", "tests/iam/test_isolation.py", "tests/iam/test_boundary.py"])
def test_a_boundary_keeps_every_role_within_its_environment(family: Family) -> None:
    for deployed in family:
        others = set(ACCOUNTS.values()) - {deployed.environment.account}
        for role in deployed.of("aws:iam/role:Role"):
            found = deployed.client("iam").get_role(RoleName=role.inputs["name"])["Role"]
            assert found["PermissionsBoundary"]["PermissionsBoundaryArn"] == boundary_arn(deployed.environment), role.name
        policy = json.loads(deployed.inputs("aws:iam/policy:Policy")["policy"])["Statement"]
        refused = {one["Sid"]: one["Condition"].get("StringNotEquals") for one in policy if one["Effect"] == "Deny" and "Condition" in one}
        assert refused["OtherAccount"] == {"aws:ResourceAccount": deployed.environment.account}
        assert refused["OtherEnvironment"] == {"aws:ResourceTag/Environment": deployed.stage}
        # Nobody of another account is let in by a resource either.
        policies = [one.inputs[key] for one in deployed.resources() for key in ("policy", "assumeRolePolicy") if isinstance(one.inputs.get(key), str)]
        assert len(policies) > 20
        assert [text for text in policies if any(account in text for account in others)] == []
    assert checks.foreign_reach(list(family)) == []


@requirement(
    28,
    29,
    30,
    65,
    117,
    met=["data:database.kind", "data:tables.billing", "data:tables.payments", "projects/data/tables.py", "projects/data/throughput.py"],
    read="Appropriate is a provisioned capacity that follows the load, up to what the API's rate limit can ask for; a page whose maximum is less is refused.",
)
def test_payments_are_in_dynamodb_on_demand_or_with_provisioned_capacity(family: Family) -> None:
    for deployed in family:
        assert deployed.environment.shape.database == "dynamodb"
        dynamodb = deployed.client("dynamodb")
        payments = dynamodb.describe_table(TableName=deployed.output("data", "paymentsTableName"))["Table"]
        assert deployed.inputs(FUNCTION, "process-payment")["environment"]["variables"]["PAYMENTS_TABLE"] == payments["TableName"]
        for table in deployed.of(TABLE):
            found = dynamodb.describe_table(TableName=table.inputs["name"])["Table"]
            modes = {"dev": "PAY_PER_REQUEST", "staging": "PROVISIONED", "prod": "PROVISIONED"}
            assert found.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED") == modes[deployed.stage]
        targets = deployed.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="dynamodb")["ScalableTargets"]
        rate = deployed.cloud.page.config["app:api"]["rateLimit"]
        for word, units in PAYMENT.items() if deployed.stage != "dev" else ():
            own = [one for one in targets if one["ResourceId"] == f"table/{deployed.environment.names(word)}"]
            most = {one["ScalableDimension"].split(":")[2]: one["MaxCapacity"] for one in own}
            assert most["WriteCapacityUnits"] >= rate * units.write, word
            assert most["ReadCapacityUnits"] >= rate * units.read, word
        # Reads and writes of three tables and an index.
        assert len(targets) == (0 if deployed.stage == "dev" else 8)
        assert not [one.urn for one in deployed.resources() if one.type.startswith("aws:rds/")]


@requirement(31, 92, 117, met=["data:tables.pointInTimeRecovery"])
def test_production_alone_has_point_in_time_recovery(family: Family) -> None:
    for deployed in family:
        for table in deployed.of(TABLE):
            found = deployed.client("dynamodb").describe_continuous_backups(TableName=table.inputs["name"])["ContinuousBackupsDescription"]
            status = found["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"]
            assert status == ("ENABLED" if deployed.stage == "prod" else "DISABLED"), f"{deployed.name}: {table.name}"


@requirement(
    32,
    met=["platform:highAvailability", "networking:egress.perZone", "projects/data/tables.py"],
    read="DynamoDB keeps every table in three zones of its region; production's functions and their way out are in two zones as well.",
)
def test_production_survives_a_zone(family: Family) -> None:
    prod = family["prod"]
    assert prod.environment.platform.high_availability
    for table in prod.of(TABLE):
        assert prod.client("dynamodb").describe_table(TableName=table.inputs["name"])["Table"]["TableStatus"] == "ACTIVE"
    for function in prod.of(FUNCTION):
        assert function.inputs["vpcConfig"]["subnetIds"] == prod.output("networking", "privateSubnetIds")
    gateways = prod.client("ec2").describe_nat_gateways(NatGatewayIds=prod.output("networking", "natGatewayIds"))["NatGateways"]
    assert len({_zone(prod, gateway["SubnetId"]) for gateway in gateways}) == 2


@requirement(35, 36, 37, 38, 66, 118, met=["data:buckets.expireDays", "platform:logRetentionDays", "shared/components/bucket.py"])
def test_audit_logs_are_kept_for_the_environments_days(family: Family) -> None:
    for deployed in family:
        days = {"dev": 30, "staging": 90, "prod": 365}[deployed.stage]
        s3 = deployed.client("s3")
        for bucket in ("auditBucketName", "accessLogsBucketName"):
            [rule] = s3.get_bucket_lifecycle_configuration(Bucket=deployed.output("data", bucket))["Rules"]
            assert (rule["Status"], rule["Expiration"]["Days"]) == ("Enabled", days)
            assert rule["Expiration"]["Days"] + rule["NoncurrentVersionExpiration"]["NoncurrentDays"] == days + 1, "what expires is a version for a day"
        trail = deployed.client("cloudtrail").describe_trails()["trailList"]
        assert [one["S3BucketName"] for one in trail] == [deployed.output("data", "auditBucketName")]
        groups = deployed.client("logs").describe_log_groups()["logGroups"]
        assert {group["retentionInDays"] for group in groups} == {days}


@requirement(41, 63, 95, 115, met=["networking:vpc.cidr", "projects/networking/vpc.py", "projects/networking/firewall.py"])
def test_each_network_is_isolated_from_the_others(family: Family) -> None:
    ranges = [IPv4Network(deployed.output("networking", "vpcCidr")) for deployed in family]
    assert not any(one.overlaps(other) for one in ranges for other in ranges if one is not other)
    for deployed in family:
        ec2 = deployed.client("ec2")
        [vpc] = ec2.describe_vpcs(VpcIds=[deployed.output("networking", "vpcId")])["Vpcs"]
        assert vpc["CidrBlock"] == deployed.cloud.page.config["networking:vpc"]["cidr"]
        assert ec2.describe_vpc_peering_connections()["VpcPeeringConnections"] == []
        assert not [one.urn for one in deployed.resources() if re.search(r"Peering|ec2transitgateway|ram/", one.type)]
        assert checks.open_to_the_world(deployed) == []


@requirement(42, 43, met=["networking:vpc.availabilityZones", "networking:egress.kind", "projects/networking/egress.py"])
def test_two_public_and_two_private_subnets_with_their_ways_out(family: Family) -> None:
    for deployed in family:
        ec2 = deployed.client("ec2")
        [gateway] = deployed.of("aws:ec2/internetGateway:InternetGateway")
        for tier in ("public", "private"):
            subnets = deployed.output("networking", f"{tier}SubnetIds")
            assert len({_zone(deployed, subnet) for subnet in subnets}) == len(subnets) == 2
            for subnet in subnets:
                [table] = ec2.describe_route_tables(Filters=[{"Name": "association.subnet-id", "Values": [subnet]}])["RouteTables"]
                [out] = [route for route in table["Routes"] if route.get("DestinationCidrBlock") == "0.0.0.0/0"]
                if tier == "public":
                    assert out["GatewayId"] == gateway.id
                else:
                    assert out["NatGatewayId"] in deployed.output("networking", "natGatewayIds")


@requirement(46, 47, 68, 105, 120, met=["observability:alarms.functionErrors", "observability:alarms.tableThrottles", "projects/observability/watched"])
def test_alarms_on_errors_and_throttling_have_the_environments_thresholds(family: Family) -> None:
    for deployed in family:
        threshold = {"dev": 10, "staging": 5, "prod": 1}[deployed.stage]
        alarms = {one["AlarmName"]: one for one in deployed.client("cloudwatch").describe_alarms()["MetricAlarms"]}
        for function in deployed.output("app", "functionNames"):
            alarm = alarms[deployed.environment.names(f"{function}-errors")]
            assert (alarm["Namespace"], alarm["MetricName"], alarm["Threshold"]) == ("AWS/Lambda", "Errors", threshold)
        for table in deployed.of(TABLE):
            alarm = alarms[deployed.environment.names(f"{table.name}-throttles")]
            watched = {one["MetricStat"]["Metric"]["MetricName"] for one in alarm["Metrics"] if "MetricStat" in one}
            assert watched == {"ReadThrottleEvents", "WriteThrottleEvents"}
            assert alarm["Threshold"] == threshold


@requirement(48, met=["observability:notifications.paging", "projects/observability/notifications.py"], read="Who is told subscribes to the topic.")
def test_every_alarm_tells_a_topic_when_it_rings_and_when_it_is_over(family: Family) -> None:
    for deployed in family:
        topic = deployed.named("aws:sns/topic:Topic", "alarms").outputs["arn"]
        assert topic in {one["TopicArn"] for one in deployed.client("sns").list_topics()["Topics"]}
        alarms = deployed.client("cloudwatch").describe_alarms(MaxRecords=100)["MetricAlarms"]
        # Those by which Application Auto Scaling follows the load are its own.
        ours = [alarm for alarm in alarms if not alarm["AlarmName"].startswith("TargetTracking-")]
        assert sorted(alarm["AlarmName"] for alarm in ours) == sorted(deployed.output("observability", "alarmNames"))
        for alarm in ours:
            assert (alarm["ActionsEnabled"], alarm["AlarmActions"], alarm["OKActions"]) == (True, [topic], [topic]), alarm["AlarmName"]


@requirement(51, 52, 53, 107, 121, met=["tasks.py", "ops/commands.py", "ops/workspace.py", "tests/blueprints/test_lives.py"])
def test_one_command_with_the_environments_name_deploys_all_its_stacks() -> None:
    for stage, account in ACCOUNTS.items():
        workspace = open_workspace(f"accounts-{stage}")
        assert (workspace.stack, workspace.environment.account) == (f"accounts-{stage}", account)
    assert list(projects()) == PROJECTS
    parameters = inspect.signature(DEPLOY.body).parameters
    assert [name for name, one in parameters.items() if one.default is inspect.Parameter.empty] == ["_", "env"]
    assert parameters["only"].default is None, "all projects, unless it is told fewer"


@requirement(56, 57, 106, 122, met=["ops/manifest.py", "docs/schemas/manifest.schema.json", "tests/ops/test_manifest.py"], read="Every deployment writes it.")
def test_the_manifest_lists_every_resource_with_its_configuration(family: Family) -> None:
    schema = Draft202012Validator(json.loads((ROOT / "docs/schemas/manifest.schema.json").read_text()))
    for deployed in family:
        written = manifest_of(deployed)
        schema.validate(written)
        assert (written["environment"], written["account"]) == (deployed.name, ACCOUNTS[deployed.stage])
        assert {(one["project"], one["urn"]) for one in written["resources"]} == {
            (project, one.urn) for project in PROJECTS for one in deployed.resources(project)
        }
        [function] = [one for one in written["resources"] if (one["type"], one["name"]) == (FUNCTION, "process-payment")]
        assert function["inputs"]["memorySize"] == deployed.inputs(FUNCTION, "process-payment")["memorySize"]


@requirement(9, 58, 97, met=["shared/inventory.py", "shared/stack.py"])
def test_each_stack_exports_the_inventory_of_its_resources(family: Family) -> None:
    for deployed in family:
        for project, run in deployed.cloud.runs.items():
            exported = {(one["type"], one["name"], one["id"]) for one in run.outputs["inventory"]}
            made = {(one.type, one.name, one.id) for one in deployed.resources(project)}
            assert made, project
            assert exported == made, project


@requirement(69, 70, 108, met=["platform:environmentSuffix", "shared/naming.py"], read="The first part says which resource it is.")
def test_names_are_resource_environment_suffix(family: Family) -> None:
    for deployed in family:
        assert checks.without_suffix(deployed) == []
        ending = f"-{deployed.stage}-{deployed.environment.platform.environment_suffix}"
        assert [name for resource, name in checks.physical_names(deployed) if ending not in name and not _named_by_aws(resource.type)] == []


@requirement(71, met=["aws:region", "tests/blueprints/test_lives.py"])
def test_everything_is_in_us_east_1(family: Family) -> None:
    for deployed in family:
        assert deployed.environment.region == "us-east-1"
        # IAM has no region; S3's ARNs name none.
        assert {arn.split(":")[3] for arn in checks.arns(deployed)} == {"us-east-1", ""}


@requirement(79, 80, 81, 82, 83, 84, 85, 109, met=["shared/components/bucket.py", "projects/data/tables.py", "tests/blueprints/test_lives.py"])
def test_nothing_outlives_its_stack(family: Family) -> None:
    for deployed in family:
        assert checks.kept(deployed) == []
        assert {one.inputs["forceDestroy"] for one in deployed.of(BUCKET)} == {True}
        assert {one.inputs["deletionProtectionEnabled"] for one in deployed.of(TABLE)} == {False}
        assert {one.inputs.get("skipDestroy") or False for one in deployed.of(FUNCTION)} == {False}
        assert {one.inputs["revokeRulesOnDelete"] for one in deployed.of("aws:ec2/securityGroup:SecurityGroup")} == {True}
    assert checks.preserving() == []


@requirement(94, met=["platform:tags", "shared/tags.py"])
def test_everything_is_tagged(family: Family) -> None:
    for deployed in family:
        wanted = {"Environment": deployed.stage, "CostCenter": f"payments-{deployed.stage}", "DataClassification": "confidential"}
        assert checks.untagged(deployed, wanted) == []
        arn = deployed.output("data", "paymentsTableArn")
        tags = {one["Key"]: one["Value"] for one in deployed.client("dynamodb").list_tags_of_resource(ResourceArn=arn)["Tags"]}
        assert wanted.items() <= tags.items()


@requirement(96, met=["ops/validation.py", "shared/page.py", "projects/data/settings.py", "projects/app/settings.py", "projects/networking/settings.py"])
@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("aws:allowedAccountIds", ["12345"]),
        ("networking:vpc", {"cidr": "10.0.0.0/8", "availabilityZones": 2}),
        ("data:tables", {"billing": "provisioned", "readCapacity": 0, "writeCapacity": 5}),
        ("app:functions", {"memory": 64, "timeout": 28}),
        ("observability:alarms", {"functionErrors": 0}),
        ("platform:environmentSuffix", "Not A Suffix"),
    ],
)
def test_what_is_wrong_on_a_page_is_said_before_anything_is_made(key: str, value: object) -> None:
    page = pages.read("accounts-dev")
    assert problems_of(page) == []
    problems = problems_of(page.with_values({key: value}))
    assert [problem for problem in problems if problem.key.startswith(key)]


@requirement(110, 123, met=["README.md", "docs/contracts.md", "docs/iam.md", "tasks.py"])
def test_documentation_covers_setup_and_deployment() -> None:
    readme = (ROOT / "README.md").read_text()
    for said in ("make venv", "invoke deploy --env", "## Deploying to AWS", "invoke destroy --env", "invoke manifest", "accounts-prod"):
        assert said in readme, said


@requirement(110, 124, met=["tests/projects", "tests/shared/test_components.py", "README.md"])
def test_every_service_that_is_made_has_tests_that_ask_aws(family: Family) -> None:
    for deployed in family:
        assert checks.untested(deployed) == []


def _zone(deployed: Deployed, subnet: str) -> str:
    [found] = deployed.client("ec2").describe_subnets(SubnetIds=[subnet])["Subnets"]
    zone: str = found["AvailabilityZone"]
    return zone


def _named_by_aws(type_: str) -> bool:
    """API Gateway calls the log group of a stage after the API's ID and the stage."""
    return type_ == LOG_GROUP
