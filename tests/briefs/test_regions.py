"""The brief of the customer whose environments drifted apart, and who wants them identical, in two regions (docs/briefs/regions.txt)."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml

from localcloud.rehearsal import STACK_REFERENCE
from ops import guards
from ops.guards import GuardError
from ops.validation import problems_of
from ops.workspace import open_workspace
from shared import page as pages
from shared.page import ROOT, PageError
from tests.briefs import checks, likeness
from tests.briefs.family import Deployed, Family
from tests.briefs.requirements import BRIEFS, Conflict, requirement

CONFLICTS = (
    Conflict(
        (7, 50, 51),
        51,
        "Line 7 counts different instance sizes among what must not be, lines 50 and 51 give production another class than the others (as line 9 allows): "
        "the class is one of the two inputs in which the environments may differ.",
    ),
    Conflict(
        (7, 52), 52, "Line 7 counts varying backup policies among what must not be, line 52 gives production more days: the days are the other such input."
    ),
)

INSTANCE = "aws:rds/instance:Instance"
FUNCTION = "aws:lambda/function:Function"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"

STAGES = ("dev", "staging", "prod")
PAGES = [f"environments/Pulumi.regions-{stage}.yaml" for stage in STAGES]
PARAMETRIZED = {
    "data payments:data:Postgres$aws:rds/instance:Instance::database: instanceClass",
    "data payments:data:Postgres$aws:rds/instance:Instance::database: backupRetentionPeriod",
}
"""What the brief has different between environments, beside their names, tags, accounts, regions and addresses."""

# How sentences were read that leave something open.
PYTHON = "The brief wants this of TypeScript; the platform is written in Python, and what is meant is met by its components."
NAMED = "Buckets, whose names all of AWS's customers share, end with the account's number; log groups are their services' paths with such a name inside."
LOGGED = (
    "A line of both in the access log, and up to 1 KB of each in the execution log, which API Gateway cuts there. Card numbers in it are masked for whoever "
    "lacks logs:Unmask (PCI DSS 3.5.1), verification codes beside a keyword such as cvv only."
)
URL = "The string wants a verified TLS connection; user and password are in the secret beside it."
MIGRATION = "The same for each function in all environments; the one that migrates the schema may take longer than the others, everywhere alike."
PASSWORD = "PostgreSQL is asked with a password: access to RDS is access to its secret."


@requirement(24, 106, 117, met=[*PAGES, "projects", "tests/blueprints/test_lives.py"], read=PYTHON)
def test_three_environments_deploy_from_one_codebase(family: Family) -> None:
    assert [deployed.stage for deployed in family] == list(STAGES)
    for deployed in family:
        assert list(deployed.cloud.runs) == ["networking", "data", "app", "observability"]
        assert all(run.resources for run in deployed.cloud.runs.values())


@requirement(5, 7, 9, 13, 20, 102, 107, met=["environments/families.yaml", "shared/component.py", "tests/architecture/test_parity.py"], read=PYTHON)
def test_environments_are_identical_but_for_what_the_brief_parametrizes(family: Family) -> None:
    assert likeness.apart(family) == {stage: set() for stage in STAGES}
    differing = likeness.unlike(family)
    others = {key: values for key, values in differing.items() if key not in PARAMETRIZED}
    assert others == {}, f"{len(others)} inputs differ that the brief has the same everywhere"
    assert set(differing) == PARAMETRIZED


@requirement(18, 19, 70, 113, met=["shared/component.py", "shared/page.py", "projects", "pyproject.toml"], read=PYTHON)
def test_all_resources_of_an_environment_are_made_by_components_with_settings(family: Family) -> None:
    for deployed in family:
        for resource in deployed.resources():
            assert "payments:" in resource.parent, f"{resource.urn} belongs to no component"
    sources = [path for folder in ("projects", "shared") for path in (ROOT / folder).rglob("*.py")]
    assert len(sources) > 50
    assert [path for path in sources if re.search(r"regions-(dev|staging|prod)|stage\s*==|==\s*['\"](dev|staging|prod)['\"]", path.read_text())] == []


@requirement(21, 77, 83, 111, met=["platform:environmentSuffix", "shared/naming.py", "shared/tags.py"])
def test_every_name_has_the_suffix(family: Family) -> None:
    for deployed in family:
        assert deployed.environment.platform.environment_suffix == "regions"
        assert checks.without_suffix(deployed) == []
    copy = open_workspace("regions-dev", "pr42")
    assert copy.environment.names("audit") == "audit-dev-pr42"


@requirement(78, met=["platform:stage", "shared/naming.py"], read=NAMED)
def test_names_are_resource_environment_suffix(family: Family) -> None:
    for deployed in family:
        pattern = rf"(alias/)?[a-z0-9-]+-{deployed.stage}-regions(-{deployed.environment.account})?"
        names = [(resource.type, name) for resource, name in checks.physical_names(deployed) if resource.type != LOG_GROUP]
        assert len(names) > 50
        assert [one for one in names if not re.fullmatch(pattern, one[1])] == []


@requirement(25, 26, 27, 79, met=["aws:region"])
def test_production_and_development_are_in_us_east_1_and_staging_in_us_east_2(family: Family) -> None:
    for deployed in family:
        region = {"dev": "us-east-1", "staging": "us-east-2", "prod": "us-east-1"}[deployed.stage]
        arns = [one.outputs["arn"].split(":") for one in deployed.resources() if isinstance(one.outputs.get("arn"), str)]
        assert {arn[3] for arn in arns} == {region, ""}
        zones = deployed.client("ec2").describe_subnets(SubnetIds=deployed.output("networking", "privateSubnetIds"))["Subnets"]
        assert {zone["AvailabilityZone"][:-1] for zone in zones} == {region}


@requirement(28, 89, 118, met=[*PAGES, "projects/data/Pulumi.yaml", "shared/page.py"])
def test_what_is_specific_to_an_environment_is_in_its_configuration_file_alone(family: Family) -> None:
    for project in ("networking", "data", "app", "observability"):
        described = yaml.safe_load((ROOT / "projects" / project / "Pulumi.yaml").read_text())
        assert (ROOT / "projects" / project / described["stackConfigDir"]).resolve() == ROOT / "environments"
    sources = "\n".join(path.read_text() for folder in ("projects", "shared") for path in (ROOT / folder).rglob("*.py"))
    for deployed in family:
        configured = deployed.cloud.page.config
        assert deployed.inputs(INSTANCE)["instanceClass"] == configured["data:database"]["instanceClass"]
        for value in (configured["data:database"]["instanceClass"], configured["networking:vpc"]["cidr"], deployed.environment.account):
            assert f'"{value}"' not in sources


@requirement(31, 32, met=["networking:vpc.cidr", "networking:vpc.availabilityZones", "projects/networking/vpc.py"])
def test_each_environment_has_a_vpc_with_public_and_private_subnets_in_two_zones(family: Family) -> None:
    assert len({deployed.output("networking", "vpcId") for deployed in family}) == len({deployed.output("networking", "vpcCidr") for deployed in family}) == 3
    for deployed in family:
        ec2 = deployed.client("ec2")
        assert len(deployed.of("aws:ec2/vpc:Vpc")) == 1
        assert ec2.describe_vpc_peering_connections()["VpcPeeringConnections"] == []
        for tier, way in (("public", "GatewayId"), ("private", "NatGatewayId")):
            subnets = ec2.describe_subnets(SubnetIds=deployed.output("networking", f"{tier}SubnetIds"))["Subnets"]
            assert len(subnets) == len({subnet["AvailabilityZone"] for subnet in subnets}) == 2
            for subnet in subnets:
                [table] = ec2.describe_route_tables(Filters=[{"Name": "association.subnet-id", "Values": [subnet["SubnetId"]]}])["RouteTables"]
                assert [route for route in table["Routes"] if route.get("DestinationCidrBlock") == "0.0.0.0/0" and route.get(way)]


@requirement(33, 88, 101, 125, met=["shared/stack.py", "shared/contracts.py"])
def test_stacks_take_vpc_and_subnets_from_networking_by_reference(family: Family) -> None:
    for deployed in family:
        references = {(project, one.inputs["name"]) for project, run in deployed.cloud.runs.items() for one in run.resources if one.type == STACK_REFERENCE}
        assert {(project, f"organization/networking/{deployed.name}") for project in ("data", "app", "observability")} <= references
        assert ("app", f"organization/data/{deployed.name}") in references
        private = deployed.output("networking", "privateSubnetIds")
        assert deployed.inputs("aws:rds/subnetGroup:SubnetGroup")["subnetIds"] == private
        assert all(function.inputs["vpcConfig"]["subnetIds"] == private for function in deployed.of(FUNCTION))
        [group] = deployed.client("rds").describe_db_subnet_groups()["DBSubnetGroups"]
        assert group["VpcId"] == deployed.output("networking", "vpcId")


@requirement(34, 110, met=["projects/networking/tiers.py", "projects/networking/firewall.py"])
def test_each_tier_has_a_security_group_that_lets_in_its_neighbour_alone(family: Family) -> None:
    for deployed in family:
        groups = deployed.output("networking", "securityGroupIds")
        assert set(groups) == {"functions", "database"}
        assert checks.open_to_the_world(deployed) == []
        asked = {
            (one["GroupId"], rule["FromPort"], rule["ToPort"], tuple(pair["GroupId"] for pair in rule["UserIdGroupPairs"]))
            for one in deployed.client("ec2").describe_security_groups(GroupIds=list(groups.values()))["SecurityGroups"]
            for rule in one["IpPermissions"]
        }
        assert [one["VpcSecurityGroupId"] for one in _instance(deployed)["VpcSecurityGroups"]] == [groups["database"]]
        assert asked == {(groups["database"], 5432, 5432, (groups["functions"],))}


@requirement(37, 38, 71, 119, met=["projects/app/api.py", "projects/app/routes.py"])
def test_the_api_hands_its_two_endpoints_to_functions(family: Family) -> None:
    for deployed in family:
        gateway, api = deployed.client("apigateway"), _api(deployed)
        paths = {one["path"]: one for one in gateway.get_resources(restApiId=api)["items"] if one.get("resourceMethods")}
        assert set(paths) == {"/process-payment", "/verify-payment"}
        for path, resource in paths.items():
            assert set(resource["resourceMethods"]) == {"POST"}
            integration = gateway.get_integration(restApiId=api, resourceId=resource["id"], httpMethod="POST")
            assert integration["type"] == "AWS_PROXY"
            assert deployed.output("app", "functionArns")[path.strip("/")] in integration["uri"]


@requirement(39, 95, met=["app:api.logBodies", "projects/app/api_logs.py"], read=LOGGED)
def test_requests_and_responses_are_logged_on_every_stage(family: Family) -> None:
    for deployed in family:
        api = _api(deployed)
        stages = deployed.client("apigateway").get_stages(restApiId=api)["item"]
        assert len(stages) == 1
        for stage in stages:
            settings = stage["methodSettings"]["*/*"]
            assert (settings["loggingLevel"], settings["dataTraceEnabled"]) == ("INFO", True)
            line = json.loads(stage["accessLogSettings"]["format"])
            assert {"$context.requestId", "$context.httpMethod", "$context.status", "$context.responseLength"} <= set(line.values())
        groups = {group["logGroupName"] for group in deployed.client("logs").describe_log_groups()["logGroups"]}
        execution = f"API-Gateway-Execution-Logs_{api}/{deployed.stage}"
        assert execution in groups
        mask = deployed.inputs("aws:cloudwatch/logDataProtectionPolicy:LogDataProtectionPolicy")
        assert mask["logGroupName"] == execution
        policy = json.loads(mask["policyDocument"])
        assert [set(one["Operation"]) for one in policy["Statement"]] == [{"Audit"}, {"Deidentify"}]
        [own] = policy["Configuration"]["CustomDataIdentifier"]
        assert all(own["Name"] in one["DataIdentifier"] for one in policy["Statement"])
        assert re.search(own["Regex"], '"payment_token":"4242424242424242"')


@requirement(40, 55, met=["shared/contracts.py"])
def test_endpoints_of_api_and_database_are_outputs(family: Family) -> None:
    for deployed in family:
        base = f"https://{_api(deployed)}.execute-api.{deployed.environment.region}.amazonaws.com/{deployed.stage}"
        assert deployed.output("app", "endpointUrls") == {path: f"{base}/{path}" for path in ("process-payment", "verify-payment")}
        assert deployed.output("data", "databaseAddress") == _instance(deployed)["Endpoint"]["Address"]
        assert deployed.output("data", "databaseEndpoint") == f"{_instance(deployed)['Endpoint']['Address']}:5432"
        assert deployed.output("data", "databasePort") == 5432


@requirement(43, 44, 72, met=["projects/app/functions.py", "projects/app/variables.py", "payments/functions.py"], read=URL)
def test_functions_process_payments_with_the_database(family: Family) -> None:
    for deployed in family:
        client = deployed.client("lambda")
        for word in ("process-payment", "verify-payment", "payment-worker"):
            made = client.get_function_configuration(FunctionName=deployed.environment.names(word))
            told = made["Environment"]["Variables"]
            assert told["DATABASE_URL"] == f"postgresql://{_instance(deployed)['Endpoint']['Address']}:5432/payments?sslmode=verify-full"
            assert told["DATABASE_SECRET_ARN"] == deployed.output("data", "databaseSecretArn")
            assert made["VpcConfig"]["SecurityGroupIds"] == [deployed.output("networking", "securityGroupIds")["functions"]]


@requirement(45, 96, met=["app:functions.memory", "app:functions.timeout"], read=MIGRATION)
def test_memory_and_timeouts_are_the_same_everywhere(family: Family) -> None:
    sizes: dict[str, set[tuple[int, int]]] = {}
    for deployed in family:
        for one in deployed.client("lambda").list_functions()["Functions"]:
            sizes.setdefault(one["FunctionName"].removesuffix(f"-{deployed.stage}-regions"), set()).add((one["MemorySize"], one["Timeout"]))
    assert sizes.pop("migrate-database") == {(1024, 900)}
    assert sizes == {word: {(1024, 28)} for word in ("process-payment", "verify-payment", "payment-worker", "outbox-relay")}


@requirement(46, 66, 99, 110, 124, met=["projects/app/grants.py", "projects/app/roles.py", "tests/iam"], read=PASSWORD)
def test_functions_may_do_what_their_work_with_rds_s3_and_sqs_needs(family: Family) -> None:
    for deployed in family:
        assert checks.too_much(deployed) == []
        secret, audit = deployed.output("data", "databaseSecretArn"), deployed.output("data", "auditBucketArn")
        queue = deployed.only("aws:lambda/eventSourceMapping:EventSourceMapping").inputs["eventSourceArn"]
        assert checks.granted_on(deployed, "process-payment", "secretsmanager") == {("secretsmanager:GetSecretValue", secret)}
        assert checks.granted_on(deployed, "process-payment", "sqs") == {("sqs:SendMessage", queue)}
        assert checks.granted_on(deployed, "process-payment", "s3") == set()
        assert {("sqs:ReceiveMessage", queue), ("sqs:DeleteMessage", queue)} <= checks.granted_on(deployed, "payment-worker", "sqs")
        assert ("s3:PutObject", f"{audit}/audit/*") in checks.granted_on(deployed, "outbox-relay", "s3")
        assert checks.granted_on(deployed, "verify-payment", "sqs") == checks.granted_on(deployed, "verify-payment", "s3") == set()
        boundaries = {role.inputs["permissionsBoundary"] for role in deployed.of("aws:iam/role:Role")}
        assert boundaries == {deployed.only("aws:iam/policy:Policy").outputs["arn"]}


@requirement(
    47,
    76,
    109,
    123,
    met=["observability:alarms.functionErrors", "observability:alarms.messagesFailed", "projects/observability/watched"],
    read="An error is also a request that a function answers with 5xx, or a message that it hands back; one error of the database's migration is enough.",
)
def test_five_errors_of_a_function_in_five_minutes_ring(family: Family) -> None:
    for deployed in family:
        alarms = {one["AlarmName"]: one for one in deployed.client("cloudwatch").describe_alarms()["MetricAlarms"]}
        functions = [one["FunctionName"] for one in deployed.client("lambda").list_functions()["Functions"]]
        assert len(functions) == 5
        for function in functions:
            alarm = alarms[deployed.environment.names(f"{function.removesuffix(f'-{deployed.stage}-regions')}-errors")]
            assert (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"]) == ("AWS/Lambda", "Errors", "Sum")
            assert alarm["Dimensions"] == [{"Name": "FunctionName", "Value": function}]
            assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (1 if "migrate" in function else 5, "GreaterThanOrEqualToThreshold")
        for word in ("process-payment-failed-requests", "verify-payment-failed-requests", "messages-handed-back"):
            alarm = alarms[deployed.environment.names(word)]
            assert (alarm["MetricName"], alarm["Threshold"]) == ("MessageFailed" if word == "messages-handed-back" else "RequestFailed", 5)
        for alarm in (alarm for name, alarm in alarms.items() if re.search("-errors-|-failed-|-handed-", name) and "api-" not in name):
            assert alarm["Period"] * alarm["EvaluationPeriods"] == 300
            assert alarm["AlarmActions"] == [deployed.output("observability", "alarmTopicArn")]


@requirement(64, 65, 75, 122, met=["shared/components/queue.py", "projects/app/messaging.py"])
def test_payments_go_through_a_queue_and_those_that_fail_to_its_dead_letters(family: Family) -> None:
    for deployed in family:
        sqs = deployed.client("sqs")
        work, dead = deployed.output("app", "workQueueUrl"), deployed.output("app", "deadLetterQueueUrl")
        attributes = sqs.get_queue_attributes(QueueUrl=work, AttributeNames=["All"])["Attributes"]
        redrive = json.loads(attributes["RedrivePolicy"])
        assert redrive["deadLetterTargetArn"] == sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        assert redrive["maxReceiveCount"] == 5
        [mapping] = deployed.client("lambda").list_event_source_mappings()["EventSourceMappings"]
        assert mapping["EventSourceArn"] == attributes["QueueArn"]
        assert mapping["FunctionArn"] == deployed.output("app", "functionArns")["payment-worker"]
        assert int(attributes["VisibilityTimeout"]) >= 6 * deployed.inputs(FUNCTION, "payment-worker")["timeout"]


@requirement(90, met=["ops/validation.py", "shared/page.py", "ops/workspace.py"])
@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("data:database", {"kind": "rds", "instanceClass": "db.t3.mediun", "multiAz": True, "backupRetentionDays": 3}),
        ("app:functions", {"memory": 64, "timeout": 28}),
        ("app:function", {"memory": 1024, "timeout": 28}),
        ("aws:region", "us-east"),
    ],
)
def test_a_page_that_aws_would_refuse_is_refused_before_anything_is_touched(key: str, value: object, monkeypatch: pytest.MonkeyPatch) -> None:
    page = pages.read("regions-dev")
    assert problems_of(page) == []
    wrong = page.with_values({key: value})
    [problem] = problems_of(wrong)
    assert problem.key.startswith(key)
    monkeypatch.setattr(pages, "read", lambda _: wrong)
    with pytest.raises(PageError, match=re.escape(key)):
        open_workspace("regions-dev")


@requirement(91, met=["platform:protected", "ops/guards.py", "shared/stack.py"])
@pytest.mark.parametrize("command", ["deploy", "destroy"])
def test_production_is_touched_only_by_who_gives_its_name(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    prod = open_workspace("regions-prod")
    for confirm in ("", "yes", "regions-dev"):
        with pytest.raises(GuardError, match="regions-prod"):
            guards.confirmed(prod, command, confirm)
    guards.confirmed(prod, command, "regions-prod")
    for name in ("regions-dev", "regions-staging"):
        guards.confirmed(open_workspace(name), command, "")


@requirement(126, met=["tests/projects", "tests/shared", "Makefile"])
def test_each_component_has_unit_tests(family: Family) -> None:
    assert checks.untested_components(family.members) == []


@requirement(127, 128, met=["README.md", "docs/briefs.md"])
def test_readme_says_how_to_set_up_configure_and_deploy() -> None:
    readme = (ROOT / "README.md").read_text()
    for needed in ("invoke doctor", "invoke validate", "invoke deploy --env", "--confirm", "pulumi up -s", "How to add an environment", "make "):
        assert needed in readme, needed
    for name in BRIEFS["regions"]:
        assert name in readme, name


def _api(deployed: Deployed) -> str:
    """The id of the environment's API."""
    [api] = [one["id"] for one in deployed.client("apigateway").get_rest_apis()["items"] if one["name"] == deployed.output("app", "apiName")]
    return str(api)


def _instance(deployed: Deployed) -> dict[str, Any]:
    """What RDS says of the database."""
    [found] = deployed.client("rds").describe_db_instances(DBInstanceIdentifier=deployed.output("data", "databaseIdentifier"))["DBInstances"]
    return dict(found)
