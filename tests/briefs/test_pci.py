"""The brief of the customer who wants development and production from one codebase, and PCI DSS (docs/briefs/pci.txt)."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from ops.validation import problems_of
from ops.workspace import open_workspace
from shared import page as pages
from shared.environment import Platform
from shared.page import ROOT
from tests.architecture import arns
from tests.briefs import checks
from tests.briefs.family import Family
from tests.briefs.requirements import Conflict, requirement

CONFLICTS = (
    Conflict((30, 101), 101, "Line 30 asks for encryption in production, line 101 for all RDS instances: all are encrypted with a key of the customer's."),
    Conflict(
        (25, 109, 116),
        116,
        "Internet connectivity, cost-effectiveness and single-AZ: development has one NAT gateway, production one in each zone.",
    ),
)

INSTANCE = "aws:rds/instance:Instance"
FUNCTION = "aws:lambda/function:Function"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
STAGES = ("dev", "prod")

PAGES = ["environments/Pulumi.pci-dev.yaml", "environments/Pulumi.pci-prod.yaml"]


@requirement(3, 7, 11, 84, 114, 124, met=[*PAGES, "projects", "tests/blueprints/test_lives.py"])
def test_both_environments_deploy_from_one_codebase(family: Family) -> None:
    for deployed in family:
        assert list(deployed.cloud.runs) == ["networking", "data", "app", "observability"]
        assert all(run.resources for run in deployed.cloud.runs.values())
    assert [deployed.stage for deployed in family] == list(STAGES)


@requirement(5, 102, 109, 116, met=["data:database.instanceClass", "data:database.multiAz", "networking:egress.kind", "app:functions.memory"])
def test_development_is_smaller_and_cheaper_and_production_survives_a_zone(family: Family) -> None:
    dev, prod = family["dev"], family["prod"]
    assert dev.inputs(INSTANCE)["instanceClass"] != prod.inputs(INSTANCE)["instanceClass"]
    assert not dev.inputs(INSTANCE)["multiAz"]
    assert len(dev.of("aws:ec2/natGateway:NatGateway")) == 1 < len(prod.of("aws:ec2/natGateway:NatGateway"))
    assert dev.inputs(FUNCTION, "process-payment")["memorySize"] < prod.inputs(FUNCTION, "process-payment")["memorySize"]
    assert dev.inputs(INSTANCE)["backupRetentionPeriod"] < prod.inputs(INSTANCE)["backupRetentionPeriod"]
    assert {deployed.stage: deployed.inputs(INSTANCE)["multiAz"] for deployed in family} == {"dev": False, "prod": True}
    assert len(family["prod"].of("aws:ec2/natGateway:NatGateway")) == 2


@requirement(16, met=["shared/environment.py", "shared/page.py"])
def test_the_configuration_is_a_class_that_environments_fill(family: Family) -> None:
    assert issubclass(Platform, BaseModel)
    assert {type(deployed.environment.platform) for deployed in family} == {Platform}


@requirement(17, met=["data:database", "data:tables", "data:buckets", "platform:logRetentionDays"])
@pytest.mark.parametrize(
    ("key", "value"),
    [("data:database", {"kind": "rds", "instanceClass": "t3.small", "multiAz": False, "backupRetentionDays": 1}), ("platform:logRetentionDays", 8)],
)
def test_settings_of_sizes_and_retention_are_the_pages_and_checked(key: str, value: object) -> None:
    page = pages.read("pci-dev")
    assert problems_of(page) == []
    [problem] = problems_of(page.with_values({key: value}))
    assert problem.key.startswith(key)


@requirement(18, 110, met=["platform:environmentSuffix", "ops/workspace.py"])
def test_a_suffix_makes_a_copy_with_names_of_its_own() -> None:
    original, copy = open_workspace("pci-dev"), open_workspace("pci-dev", "pr42")
    assert (original.stack, copy.stack) == ("pci-dev", "pci-dev-pr42")
    assert original.environment.names("audit") != copy.environment.names("audit")
    assert copy.environment.names("audit").endswith("-pr42")


@requirement(21, 22, 23, 86, 125, met=["networking:vpc.cidr", "projects/networking/vpc.py"])
def test_each_environment_has_a_vpc_of_its_own(family: Family) -> None:
    ranges = {deployed.stage: deployed.inputs("aws:ec2/vpc:Vpc")["cidrBlock"] for deployed in family}
    assert ranges == {"dev": "10.0.0.0/16", "prod": "10.1.0.0/16"}
    for deployed in family:
        [vpc] = deployed.client("ec2").describe_vpcs(VpcIds=[deployed.output("networking", "vpcId")])["Vpcs"]
        assert vpc["CidrBlock"] == ranges[deployed.stage]
        assert deployed.client("ec2").describe_vpc_peering_connections()["VpcPeeringConnections"] == []


@requirement(24, met=["networking:vpc.availabilityZones", "projects/networking/vpc.py"])
def test_two_zones_have_a_public_and_a_private_subnet_each(family: Family) -> None:
    for deployed in family:
        for tier in ("public", "private"):
            ids = deployed.output("networking", f"{tier}SubnetIds")
            subnets = deployed.client("ec2").describe_subnets(SubnetIds=ids)["Subnets"]
            assert len({subnet["AvailabilityZone"] for subnet in subnets}) == len(subnets) == 2


@requirement(25, met=["networking:egress.kind", "projects/networking/egress.py"], read="Private subnets reach the internet through NAT, nothing reaches them.")
def test_public_subnets_lead_to_the_internet_and_private_ones_through_nat(family: Family) -> None:
    for deployed in family:
        ec2 = deployed.client("ec2")
        for tier, way in (("public", "GatewayId"), ("private", "NatGatewayId")):
            for subnet in deployed.output("networking", f"{tier}SubnetIds"):
                [table] = ec2.describe_route_tables(Filters=[{"Name": "association.subnet-id", "Values": [subnet]}])["RouteTables"]
                assert [route for route in table["Routes"] if route.get("DestinationCidrBlock") == "0.0.0.0/0" and route.get(way)]


@requirement(35, 88, 127, met=["projects/app/functions.py"])
def test_lambda_functions_process_payments(family: Family) -> None:
    for deployed in family:
        functions = {one["FunctionName"] for one in deployed.client("lambda").list_functions()["Functions"]}
        assert {deployed.environment.names(word) for word in ("process-payment", "verify-payment", "payment-worker")} <= functions


@requirement(36, 37, 104, met=["app:functions.reservedConcurrency", "projects/app/functions.py"], read="Standard concurrency is the account's, unreserved.")
def test_concurrency(family: Family) -> None:
    reserved = {deployed.stage: [made.inputs.get("reservedConcurrentExecutions") for made in deployed.of(FUNCTION)] for deployed in family}
    assert len(reserved["prod"]) >= 3
    assert set(reserved["dev"]) == {None}
    assert all(units and units >= 100 for units in reserved["prod"])


@requirement(38, 63, met=["projects/app/roles.py", "shared/iam.py", "projects/networking/boundary.py"])
def test_roles_are_allowed_single_actions_on_what_they_use(family: Family) -> None:
    for deployed in family:
        assert checks.too_much(deployed) == []
        roles = deployed.of("aws:iam/role:Role")
        assert {role.inputs.get("permissionsBoundary") for role in roles} == {
            deployed.environment.arn("iam", f"policy/{_boundary(deployed.name, family)}", region="")
        }


def _boundary(name: str, family: Family) -> str:
    deployed = next(one for one in family if one.name == name)
    [policy] = deployed.of("aws:iam/policy:Policy")
    found: str = policy.inputs["name"]
    return found


@requirement(39, met=["payments/functions.py", "projects/app/functions.py"])
def test_functions_get_their_environments_own_values(family: Family) -> None:
    for deployed in family:
        variables = deployed.inputs(FUNCTION, "process-payment")["environment"]["variables"]
        assert deployed.stage in variables["STAGE"]
        assert variables["DATABASE_URL"] == deployed.output("data", "databaseUrl")
    one, other = (deployed.inputs(FUNCTION, "process-payment")["environment"]["variables"] for deployed in family)
    assert set(one) == set(other)


@requirement(42, 43, 89, met=["projects/app/api.py", "projects/app/routes.py", "app:api.rateLimit"])
def test_the_api_has_the_routes_for_payments_and_settings_of_its_stage(family: Family) -> None:
    for deployed in family:
        gateway = deployed.client("apigateway")
        [api] = [one for one in gateway.get_rest_apis()["items"] if one["name"] == deployed.output("app", "apiName")]
        paths = {one["path"]: set(one.get("resourceMethods", {})) for one in gateway.get_resources(restApiId=api["id"])["items"]}
        assert paths["/process-payment"] == paths["/verify-payment"] == {"POST"}
    rates = {deployed.stage: deployed.inputs("aws:apigateway/methodSettings:MethodSettings")["settings"]["throttlingRateLimit"] for deployed in family}
    assert rates["dev"] < rates["prod"]
    assert {deployed.inputs("aws:apigateway/stage:Stage")["stageName"] for deployed in family} == set(STAGES)


@requirement(44, 103, 128, met=["app:api.domain", "projects/app/domain.py"])
def test_production_alone_has_a_domain_with_a_certificate(family: Family) -> None:
    for type_ in ("aws:apigateway/domainName:DomainName", "aws:acm/certificate:Certificate", "aws:apigateway/basePathMapping:BasePathMapping"):
        assert [len(family[stage].of(type_)) for stage in STAGES] == [0, 1], type_
    assert family["prod"].inputs("aws:apigateway/domainName:DomainName")["securityPolicy"] == "TLS_1_2"
    [certificate] = family["prod"].client("acm").list_certificates()["CertificateSummaryList"]
    assert family["prod"].client("acm").describe_certificate(CertificateArn=certificate["CertificateArn"])["Certificate"]["Status"] == "ISSUED"


@requirement(45, met=["app:api.rateLimit", "projects/app/api.py"])
def test_clients_need_an_api_key_of_a_usage_plan(family: Family) -> None:
    for deployed in family:
        assert all(method.inputs["apiKeyRequired"] for method in deployed.of("aws:apigateway/method:Method"))
        plan = deployed.only("aws:apigateway/usagePlan:UsagePlan")
        keys = deployed.client("apigateway").get_usage_plan_keys(usagePlanId=plan.id)["items"]
        assert len(keys) == 1
    rates = [deployed.inputs("aws:apigateway/usagePlan:UsagePlan")["throttleSettings"]["rateLimit"] for deployed in family]
    assert rates[0] < rates[1]


@requirement(46, 72, met=["projects/app/api_logs.py", "projects/app/functions.py"])
def test_lambda_and_the_api_write_to_cloudwatch(family: Family) -> None:
    for deployed in family:
        assert deployed.inputs("aws:apigateway/stage:Stage")["accessLogSettings"]["destinationArn"]
        settings = deployed.inputs("aws:apigateway/methodSettings:MethodSettings")["settings"]
        assert (settings["loggingLevel"], settings["dataTraceEnabled"]) == ("INFO", False)
        assert "validationError" not in deployed.inputs("aws:apigateway/stage:Stage")["accessLogSettings"]["format"]
        assert deployed.inputs("aws:cloudwatch/logDataProtectionPolicy:LogDataProtectionPolicy")["logGroupName"].startswith("API-Gateway-Execution-Logs_")
        groups = {group["logGroupName"] for group in deployed.client("logs").describe_log_groups()["logGroups"]}
        for function in deployed.of(FUNCTION):
            assert function.inputs["loggingConfig"]["logGroup"] in groups
            assert {"logs:CreateLogStream", "logs:PutLogEvents"} <= checks.granted(deployed, function.name)


@requirement(64, 66, 76, 77, 108, met=["projects/networking/firewall.py", "platform:tags", "shared/tags.py"])
def test_security_groups_let_in_their_neighbours_alone_and_everything_is_tagged(family: Family) -> None:
    for deployed in family:
        assert checks.open_to_the_world(deployed) == []
        for rule in deployed.of("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"):
            assert rule.inputs["referencedSecurityGroupId"]
            assert rule.inputs["fromPort"] == rule.inputs["toPort"]
        assert checks.untagged(deployed, {"Environment": deployed.stage, "CostCenter": f"payments-{deployed.stage}"}) == []


@requirement(
    69,
    70,
    71,
    93,
    106,
    132,
    met=["shared/components/log_group.py", "platform:logRetentionDays", "data:database.monitoringSeconds"],
    read="The days are those of every log group of the environment. RDS makes one for the account, RDSOSMetrics, of 30 days, which development does not use.",
)
def test_every_service_has_a_log_group_that_keeps_for_so_many_days(family: Family) -> None:
    for deployed in family:
        groups = {group.inputs["name"] for group in deployed.of(LOG_GROUP)}
        for part in ("/aws/lambda/", "/aws/rds/", "/aws/apigateway/", "/aws/cloudtrail/", "/vpc/"):
            assert any(part in group for group in groups), part
        assert {group.inputs["retentionInDays"] for group in deployed.of(LOG_GROUP)} == {{"dev": 7, "prod": 30}[deployed.stage]}
    roles = {deployed.stage: {role.name for role in deployed.of("aws:iam/role:Role")} for deployed in family}
    assert roles["prod"] - roles["dev"] == {"database-monitoring"}, "nothing of development's writes RDSOSMetrics"


@requirement(73, met=["observability:alarms", "projects/observability/watched"], read="Production has alarms, development none.")
def test_production_has_alarms(family: Family) -> None:
    alarms = {deployed.stage: deployed.client("cloudwatch").describe_alarms()["MetricAlarms"] for deployed in family}
    assert alarms["dev"] == []
    assert {"Errors", "CPUUtilization", "5XXError"} <= {alarm.get("MetricName") for alarm in alarms["prod"]}
    assert all(alarm["AlarmActions"] for alarm in alarms["prod"])


@requirement(78, 79, met=["shared/contracts.py"], read="User and password are in the secret, whose ARN is exported too.")
def test_endpoint_urls_and_connection_strings_are_exported(family: Family) -> None:
    for deployed in family:
        urls = deployed.output("app", "endpointUrls")
        assert {path: url.startswith("https://") and url.endswith(f"/{path}") for path, url in urls.items()} == {
            "process-payment": True,
            "verify-payment": True,
        }
        url = deployed.output("data", "databaseUrl")
        assert url == f"postgresql://{deployed.output('data', 'databaseAddress')}:5432/payments?sslmode=verify-full"
    assert family["prod"].output("app", "apiUrl") == "https://payments.example.com"


@requirement(80, met=["shared/inventory.py", "tests/architecture/arns.py"])
def test_all_arns_are_in_the_outputs(family: Family) -> None:
    for deployed in family:
        for project, run in deployed.cloud.runs.items():
            exported = {entry.get("arn") for entry in run.outputs["inventory"]}
            made = {one.outputs["arn"] for one in run.resources if one.type.startswith("aws:") and isinstance(one.outputs.get("arn"), str)}
            assert made, project
            assert made <= exported, project
            assert [one["name"] for one in run.outputs["inventory"] if one["type"] in arns.WITH and not one.get("arn")] == []


@requirement(85, 97, met=["aws:region", "shared/components/bucket.py", "projects/data/postgres.py", "tests/blueprints/test_lives.py"])
def test_everything_is_in_us_east_1_and_nothing_outlives_its_stack(family: Family) -> None:
    for deployed in family:
        assert deployed.environment.region == "us-east-1"
        arns = [one.outputs["arn"].split(":") for one in deployed.resources() if isinstance(one.outputs.get("arn"), str)]
        assert {arn[3] for arn in arns} <= {"us-east-1", ""}
        assert checks.kept(deployed) == []


@requirement(95, 96, 118, met=["platform:environmentSuffix", "shared/naming.py"], read="The first part says which resource it is.")
def test_names_are_resource_environment_suffix(family: Family) -> None:
    for deployed in family:
        assert checks.without_suffix(deployed) == []
        ending = f"-{deployed.stage}-pci"
        assert [name for resource, name in checks.physical_names(deployed) if ending not in name and resource.type != LOG_GROUP] == []


@requirement(119, 134, 135, met=["tests/projects", "tests/shared", "tests/engine", "README.md"])
def test_programs_are_made_of_components_with_tests_of_their_own() -> None:
    for project in ("networking", "data", "app", "observability"):
        assert [path for path in (ROOT / "projects" / project).glob("*.py") if "(Component)" in path.read_text()], project
        assert [path for path in (ROOT / "tests" / "projects" / project).glob("test_*.py") if ".client(" in path.read_text()], project


@requirement(120, met=["docs/pci.md", "app:api.firewall"], read="What the platform does for each, and what is left to its operator, is in docs/pci.md.")
def test_production_does_what_pci_dss_asks_of_infrastructure(family: Family) -> None:
    prod = family["prod"]
    assert prod.of("aws:ec2/flowLog:FlowLog")
    assert prod.inputs("aws:cloudtrail/trail:Trail")["enableLogFileValidation"] is True
    parameters = {one["name"]: one["value"] for one in prod.inputs("aws:rds/parameterGroup:ParameterGroup")["parameters"]}
    assert parameters["rds.force_ssl"] == "1"
    assert (ROOT / "docs" / "pci.md").is_file()
    for deployed in family:
        acl = deployed.client("wafv2").get_web_acl_for_resource(ResourceArn=deployed.only("aws:apigateway/stage:Stage").outputs["arn"])["WebACL"]
        assert acl["Name"] == deployed.output("app", "webAclName")


@requirement(136, met=["README.md", "docs/briefs.md"])
def test_documentation_covers_deployment_and_differences() -> None:
    readme = (ROOT / "README.md").read_text()
    assert "invoke deploy --env" in readme
    assert "pci-prod" in readme
