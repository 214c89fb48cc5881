"""The brief of the customer with Aurora in three zones, and an environment's size according to its work (docs/briefs/aurora.txt)."""

from __future__ import annotations

import ast
import json
import re
from ipaddress import IPv4Network
from typing import Any

import pytest
import yaml

from ops.projects import projects
from ops.validation import problems_of
from ops.workspace import open_workspace
from projects.networking.tiers import firewall
from shared.page import ROOT
from tests.briefs import checks, likeness
from tests.briefs.family import Family
from tests.briefs.requirements import BRIEFS, Conflict, requirement

CONFLICTS = (
    Conflict((11, 21, 24), 24, "Line 24 names different ways out, lines 11 and 21 an identical structure: identical is everything but the way out."),
    Conflict((11, 41, 52), 52, "Lines 41 and 52 give single environments autoscaling and alarms: the other environments are without these resources."),
    Conflict(
        (28, 29, 68),
        28,
        "Lines 28 and 29 name one instance, line 68 a multi-AZ setup: subnets and Aurora's storage are in three zones everywhere, as are NAT gateways where "
        "line 24 has them; a second instance is production's, which line 7 wants highly available.",
    ),
)

CLUSTER = "aws:rds/cluster:Cluster"
CLUSTER_INSTANCE = "aws:rds/clusterInstance:ClusterInstance"
BUCKET = "aws:s3/bucket:Bucket"
TABLE = "aws:dynamodb/table:Table"
FUNCTION = "aws:lambda/function:Function"

STAGES = ("dev", "staging", "prod")
PROJECTS = ("networking", "data", "app", "observability")
PAGES = [f"environments/Pulumi.aurora-{stage}.yaml" for stage in STAGES]

# How sentences were read that leave something open.
COMPONENT = "An environment is four programs, deployed as one by `invoke deploy`; each is made of components that know settings and no environment's name."
KNOWING = (
    "Events and receipts say which API they came from, and answers link to it. The migration changes the schema and calls nobody: it is the one that knows "
    "none."
)
ADDRESSES = "Identical is how each range is cut into subnets; the ranges themselves differ (line 21)."
PIPELINES = (
    "The pipeline runs `invoke deploy --env <environment>`, which is `pulumi up` of all four projects in their order; README.md has both, and the same by hand."
)
GENERATED = "Groups and rules are made from the environment's tiers and tags, in one place; every group and rule bears the tags."

# Resources that single environments have, by their names: which environments, and the sentence.
RESOURCES = {
    r"networking .*aws:ec2/(natGateway:NatGateway|eip:Eip)::nat-[012]": ({"staging", "prod"}, 24),
    r"networking .*(aws:ec2/(instance:Instance|eip:Eip|securityGroup:SecurityGroup)::nat|::nat-(to-internet|from-functions))": ({"dev"}, 24),
    r"data .*aws:rds/clusterInstance:ClusterInstance::database-1": ({"prod"}, 27),
    r"data .*aws:appautoscaling/(target:Target|policy:Policy)::.*-(read|write)": ({"prod"}, 41),
    r"observability .*aws:cloudwatch/metricAlarm:MetricAlarm::.*": ({"staging", "prod"}, 52),
}

# Inputs in which a resource differs between environments, and the sentence.
INPUTS = {
    r"networking .*aws:ec2/route:Route::private-[012]-out: (natGatewayId|networkInterfaceId)": 24,
    r"data .*aws:rds/cluster:Cluster::database: backupRetentionPeriod": 73,
    r"data .*aws:rds/clusterInstance:ClusterInstance::database-0: instanceClass": 84,
    r"app .*aws:lambda/function:Function::.*: memorySize": 34,
    r"data .*aws:dynamodb/table:Table::.*: (billingMode|readCapacity|writeCapacity)": 38,
    r"data .*aws:dynamodb/table:Table::.*: pointInTimeRecovery": 42,
    r"data .*aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration::.*: rules": 46,
    r"observability .*aws:cloudwatch/metricAlarm:MetricAlarm::database-(reader-)?cpu: threshold": 52,
    r"observability .*aws:cloudwatch/dashboard:Dashboard::payments: dashboardBody": 53,
    r"app .*aws:apigateway/(methodSettings:MethodSettings|usagePlan:UsagePlan)::payments: (settings|throttleSettings)": 5,
    r".*aws:cloudwatch/logGroup:LogGroup::.*: retentionInDays": 5,
}


@requirement(3, 11, 21, 83, met=["tests/briefs/likeness.py", *PAGES])
def test_environments_are_identical_but_for_what_the_brief_names(family: Family) -> None:
    apart = likeness.apart(family)
    there = {resource: {stage for stage, resources in apart.items() if resource in resources} for resource in set.union(*apart.values())}
    reasons = {resource: [stages for pattern, (stages, _) in RESOURCES.items() if re.fullmatch(pattern, resource)] for resource in there}
    assert {resource: stages for resource, stages in there.items() if reasons[resource] != [stages]} == {}, "resources that not every environment has"
    differing = likeness.unlike(family)
    assert {key: values for key, values in differing.items() if not any(re.fullmatch(pattern, key) for pattern in INPUTS)} == {}
    assert [pattern for pattern in RESOURCES if not any(re.fullmatch(pattern, one) for one in there)] == []
    assert [pattern for pattern in INPUTS if not any(re.fullmatch(pattern, one) for one in differing)] == []


@requirement(16, 57, 93, 94, met=[f"projects/{project}/__main__.py" for project in PROJECTS] + ["shared/component.py"], read=COMPONENT)
def test_each_environment_is_made_by_the_same_components(family: Family) -> None:
    for deployed in family:
        assert list(deployed.cloud.runs) == list(PROJECTS)
        assert [resource.urn for resource in deployed.resources() if "payments:" not in resource.parent] == []
    for project in PROJECTS:
        folder = ROOT / "projects" / project
        assert yaml.safe_load((folder / "Pulumi.yaml").read_text())["runtime"]["name"] == "python"
        assert len((folder / "__main__.py").read_text().splitlines()) <= 40
        assert [path for path in folder.glob("*.py") if re.search(r"aurora-(dev|staging|prod)|==\s*\"(dev|staging|prod)\"", path.read_text())] == []


@requirement(17, 58, 59, 60, 61, 62, 63, 64, 65, 66, 96, met=["projects", "shared/components"])
def test_each_environment_has_all_services(family: Family) -> None:
    for deployed in family:
        for type_ in ("aws:ec2/vpc:Vpc", CLUSTER, FUNCTION, TABLE, BUCKET, "aws:iam/role:Role", "aws:ec2/securityGroup:SecurityGroup"):
            assert deployed.of(type_), type_
        [cluster] = deployed.client("rds").describe_db_clusters()["DBClusters"]
        assert cluster["Engine"] == "aurora-postgresql"
        assert deployed.client("cloudwatch").list_dashboards()["DashboardEntries"]
        told = deployed.inputs(FUNCTION, "payment-worker")["environment"]["variables"]
        assert told["DATABASE_URL"] == f"postgresql://{cluster['Endpoint']}:5432/payments?sslmode=verify-full"
        assert told["TRANSACTION_LOG_TABLE"] == deployed.output("data", "transactionLogTableName")
        assert deployed.inputs(FUNCTION, "outbox-relay")["environment"]["variables"]["AUDIT_BUCKET"] == deployed.output("data", "auditBucketName")


@requirement(18, 72, 88, 95, met=[*PAGES, "projects/data/Pulumi.yaml", "shared/page.py"])
def test_what_is_specific_to_an_environment_is_on_its_page_alone(family: Family) -> None:
    for project in PROJECTS:
        folder = ROOT / "projects" / project
        assert (folder / yaml.safe_load((folder / "Pulumi.yaml").read_text())["stackConfigDir"]).resolve() == ROOT / "environments"
    sources = "\n".join(path.read_text() for folder in ("projects", "shared") for path in (ROOT / folder).rglob("*.py"))
    for deployed in family:
        configured = deployed.cloud.page.config
        assert {one.inputs["instanceClass"] for one in deployed.of(CLUSTER_INSTANCE)} == {configured["data:database"]["instanceClass"]}
        for value in (configured["data:database"]["instanceClass"], configured["networking:vpc"]["cidr"], deployed.environment.account):
            assert f'"{value}"' not in sources


@requirement(22, 74, met=["networking:vpc.cidr", "projects/networking/vpc.py"], read=ADDRESSES)
def test_each_environment_has_a_vpc_whose_range_is_cut_alike(family: Family) -> None:
    cuts: list[list[tuple[int, int]]] = []
    for deployed in family:
        [vpc] = deployed.client("ec2").describe_vpcs(VpcIds=[deployed.output("networking", "vpcId")])["Vpcs"]
        assert vpc["CidrBlock"] == {"dev": "10.2.0.0/16", "staging": "10.1.0.0/16", "prod": "10.0.0.0/16"}[deployed.stage]
        assert deployed.client("ec2").describe_vpc_peering_connections()["VpcPeeringConnections"] == []
        subnets = [IPv4Network(one.inputs["cidrBlock"]) for one in sorted(deployed.of("aws:ec2/subnet:Subnet"), key=lambda one: one.name)]
        first = int(IPv4Network(vpc["CidrBlock"]).network_address)
        cuts.append([(int(subnet.network_address) - first, subnet.prefixlen) for subnet in subnets])
    assert cuts[0] == cuts[1] == cuts[2]
    assert len(cuts[0]) == 6


@requirement(23, 68, met=["networking:vpc.availabilityZones", "aws:region"])
def test_three_zones_of_us_east_1_have_a_public_and_a_private_subnet_each(family: Family) -> None:
    for deployed in family:
        assert deployed.environment.region == "us-east-1"
        for tier in ("public", "private"):
            subnets = deployed.client("ec2").describe_subnets(SubnetIds=deployed.output("networking", f"{tier}SubnetIds"))["Subnets"]
            zones = {subnet["AvailabilityZone"] for subnet in subnets}
            assert len(subnets) == len(zones) == 3
            assert {zone[:-1] for zone in zones} == {"us-east-1"}
        [group] = deployed.client("rds").describe_db_subnet_groups()["DBSubnetGroups"]
        assert {subnet["SubnetIdentifier"] for subnet in group["Subnets"]} == set(deployed.output("networking", "privateSubnetIds"))


@requirement(24, 65, met=["networking:egress.kind", "networking:egress.perZone", "projects/networking/egress.py"])
def test_the_way_out_is_nat_gateways_and_in_development_a_nat_instance(family: Family) -> None:
    for deployed in family:
        ec2 = deployed.client("ec2")
        gateways = {one["NatGatewayId"] for one in ec2.describe_nat_gateways()["NatGateways"]}
        interfaces = {
            one["NetworkInterfaces"][0]["NetworkInterfaceId"] for reservation in ec2.describe_instances()["Reservations"] for one in reservation["Instances"]
        }
        assert (len(gateways), len(interfaces)) == {"dev": (0, 1), "staging": (3, 0), "prod": (3, 0)}[deployed.stage]
        used: set[str] = set()
        for subnet in deployed.output("networking", "privateSubnetIds"):
            [table] = ec2.describe_route_tables(Filters=[{"Name": "association.subnet-id", "Values": [subnet]}])["RouteTables"]
            [route] = [route for route in table["Routes"] if route.get("DestinationCidrBlock") == "0.0.0.0/0"]
            used.add(route.get("NatGatewayId") or route["NetworkInterfaceId"])
        assert used == gateways | interfaces
    assert family["dev"].inputs("aws:ec2/instance:Instance", "nat")["sourceDestCheck"] is False


@requirement(7, 68, met=["platform:highAvailability", "data:database.instances", "networking:egress.perZone"])
def test_production_is_highly_available_and_cannot_be_configured_otherwise(family: Family) -> None:
    assert {deployed.stage: deployed.environment.platform.high_availability for deployed in family} == {"dev": False, "staging": False, "prod": True}
    page = family["prod"].cloud.page
    assert problems_of(page) == []
    for key, changed in (("data:database", {"instances": 1}), ("networking:egress", {"perZone": False})):
        section: Any = page.config[key]
        assert [problem.key.split(".")[0] for problem in problems_of(page.with_values({key: {**section, **changed}}))] == [key]


@requirement(33, 34, 60, met=["app:functions.memory", "projects/app/functions.py"])
def test_memory_of_the_functions(family: Family) -> None:
    for deployed in family:
        functions = deployed.client("lambda").list_functions()["Functions"]
        assert {deployed.environment.names(word) for word in ("process-payment", "verify-payment", "payment-worker")} <= {
            one["FunctionName"] for one in functions
        }
        assert {one["MemorySize"] for one in functions} == {{"dev": 512, "staging": 1024, "prod": 3008}[deployed.stage]}


@requirement(35, met=["projects/app/variables.py", "payments/functions.py"], read=KNOWING)
def test_functions_know_the_api_of_their_own_environment(family: Family) -> None:
    for deployed in family:
        told = {one.name: one.inputs["environment"]["variables"] for one in deployed.of(FUNCTION)}
        knowing = {name: variables["API_URL"] for name, variables in told.items() if "API_URL" in variables}
        # Of each function that there is, with the one exception that KNOWING names.
        assert set(told) - set(knowing) == {"migrate-database"}
        assert set(knowing.values()) == {deployed.output("app", "apiUrl")}
        for other in (one for one in family if one.stage != deployed.stage):
            assert other.environment.account not in json.dumps(told)
            assert other.output("app", "apiUrl") not in json.dumps(told)


@requirement(
    51, 52, 53, 63, 86, met=["observability:alarms.databaseCpu", "projects/observability/watched/stores.py"], read="No alarms are no alarms of any kind."
)
def test_alarms_of_the_databases_cpu_and_none_in_development(family: Family) -> None:
    for deployed in family:
        alarms = deployed.client("cloudwatch").describe_alarms()
        if deployed.stage == "dev":
            assert (alarms["MetricAlarms"], alarms.get("CompositeAlarms", [])) == ([], [])
            continue
        found = [one for one in alarms["MetricAlarms"] if one.get("Namespace") == "AWS/RDS" and one["MetricName"] == "CPUUtilization"]
        assert {one["Value"] for cpu in found for one in cpu["Dimensions"] if one["Name"] == "Role"} == {"WRITER", "READER"}
        for cpu in found:
            assert {"Name": "DBClusterIdentifier", "Value": deployed.output("data", "databaseIdentifier")} in cpu["Dimensions"]
            assert (cpu["Threshold"], cpu["ComparisonOperator"]) == ({"staging": 90, "prod": 80}[deployed.stage], "GreaterThanOrEqualToThreshold")
            assert cpu["AlarmActions"] == [deployed.output("observability", "alarmTopicArn")]


@requirement(66, 75, 85, met=["projects/networking/tiers.py", "projects/networking/firewall.py", "shared/tags.py"], read=GENERATED)
def test_security_groups_are_generated_from_the_environments_tags(family: Family) -> None:
    for deployed in family:
        environment = deployed.environment
        made = firewall(environment.shape, gateways=("s3", "dynamodb"), interfaces=(), tags=environment.tags)
        assert {group.tier for group in made.groups} == set(deployed.output("networking", "securityGroupIds"))
        rules = {one.name: one.inputs for one in deployed.resources("networking") if one.type.startswith("aws:vpc/securityGroup")}
        assert set(rules) == {rule.name for rule in made.rules}
        for rule in made.rules:
            assert rules[rule.name]["description"] == rule.why
            assert rule.why.startswith(f"{deployed.stage}: ")
            assert rules[rule.name]["tags"].items() >= {**environment.tags, "Tier": rule.tier}.items()
        tagged = deployed.client("ec2").describe_security_groups(Filters=[{"Name": "tag:Environment", "Values": [deployed.stage]}])["SecurityGroups"]
        assert {one["GroupId"] for one in tagged} >= set(deployed.output("networking", "securityGroupIds").values())
        assert checks.open_to_the_world(deployed) == []


@requirement(64, 76, 85, met=["projects/networking/boundary.py", "shared/isolation.py", "tests/iam"])
def test_no_role_reaches_another_environment(family: Family) -> None:
    assert checks.foreign_reach(family.members) == []
    for deployed in family:
        assert checks.too_much(deployed) == []
        boundary = deployed.only("aws:iam/policy:Policy").outputs["arn"]
        assert {role.inputs["permissionsBoundary"] for role in deployed.of("aws:iam/role:Role")} == {boundary}


@requirement(67, 87, met=["platform:environmentSuffix", "shared/naming.py", "shared/tags.py"])
def test_every_name_has_the_suffix(family: Family) -> None:
    for deployed in family:
        assert deployed.environment.platform.environment_suffix == "aurora"
        assert checks.without_suffix(deployed) == []
    assert open_workspace("aurora-dev", "pr42").environment.names("audit") == "audit-dev-pr42"


@requirement(77, met=["platform:tags", "shared/tags.py"])
def test_everything_is_tagged_with_environment_team_and_cost_center(family: Family) -> None:
    for deployed in family:
        wanted = {"Environment": deployed.stage, "Team": "payments", "CostCenter": f"payments-{deployed.stage}"}
        assert checks.untagged(deployed, dict(wanted)) == []


@requirement(78, met=["projects/data/aurora.py", "shared/components", "tests/blueprints/test_lives.py"])
def test_everything_goes_with_its_stack(family: Family) -> None:
    for deployed in family:
        assert checks.kept(deployed) == []
    assert checks.options_that_keep() == []


@requirement(79, met=["payments/http.py", "payments/telemetry.py", "shared/components/queue.py", "projects/app/api.py"])
def test_what_fails_is_answered_set_aside_and_logged(family: Family) -> None:
    for deployed in family:
        [mapping] = deployed.client("lambda").list_event_source_mappings()["EventSourceMappings"]
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        attributes = deployed.client("sqs").get_queue_attributes(QueueUrl=deployed.output("app", "workQueueUrl"), AttributeNames=["All"])["Attributes"]
        assert json.loads(attributes["RedrivePolicy"])["maxReceiveCount"] == 5
        groups = {group["logGroupName"] for group in deployed.client("logs").describe_log_groups()["logGroups"]}
        assert {function.inputs["loggingConfig"]["logGroup"] for function in deployed.of(FUNCTION)} <= groups
        assert {f"/aws/rds/cluster/{deployed.output('data', 'databaseIdentifier')}/postgresql", f"/vpc/{deployed.environment.names('flow-logs')}"} <= groups
        answers = {one.inputs["responseType"] for one in deployed.of("aws:apigateway/response:Response")}
        assert {"BAD_REQUEST_BODY", "THROTTLED", "INTEGRATION_FAILURE", "DEFAULT_5XX"} <= answers


@requirement(89, met=["pyproject.toml", "tests", "README.md"])
def test_components_are_documented_and_tested(family: Family) -> None:
    assert checks.untested_components(family.members) == []
    for path in (path for folder in ("projects", "shared") for path in (ROOT / folder).rglob("*.py")):
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef) and not ast.get_docstring(node) and path.name != "__init__.py":
                pytest.fail(f"{path}: {getattr(node, 'name', 'the module')} has no docstring")


@requirement(97, met=["shared/contracts.py"])
def test_outputs_name_the_database_the_functions_and_the_buckets(family: Family) -> None:
    for deployed in family:
        [cluster] = deployed.client("rds").describe_db_clusters()["DBClusters"]
        assert deployed.output("data", "databaseAddress") == cluster["Endpoint"]
        assert deployed.output("data", "databaseEndpoint") == f"{cluster['Endpoint']}:5432"
        assert deployed.output("data", "databaseReaderAddress") == cluster["ReaderEndpoint"]
        functions = {one["FunctionArn"] for one in deployed.client("lambda").list_functions()["Functions"]}
        assert set(deployed.output("app", "functionArns").values()) == functions
        named = {deployed.output("data", output) for output in ("documentsBucketName", "auditBucketName", "accessLogsBucketName")}
        assert named == {bucket["Name"] for bucket in deployed.client("s3").list_buckets()["Buckets"]}


@requirement(5, met=[".github/workflows/deploy.yml", "README.md", "tasks.py", *PAGES], read=PIPELINES)
def test_a_pipeline_and_one_command_deploy_any_environment() -> None:
    readme, pipeline = (ROOT / "README.md").read_text(), yaml.safe_load((ROOT / ".github" / "workflows" / "deploy.yml").read_text())
    assert "invoke deploy --env" in readme
    for name in BRIEFS["aurora"]:
        assert name in readme, name
        assert open_workspace(name).stack == name
        assert name in pipeline[True]["workflow_dispatch"]["inputs"]["environment"]["options"]
    assert any('invoke deploy --env "$ENVIRONMENT"' in step.get("run", "") for step in pipeline["jobs"]["deploy"]["steps"])


@requirement(98, met=["README.md", *PAGES])
def test_the_documentation_deploys_an_environment_with_pulumi_up_from_nothing() -> None:
    readme = (ROOT / "README.md").read_text()
    assert "pulumi up -s <environment>" in readme
    block = readme[readme.index("    invoke package --target aws\n") :].partition("\n\n")[0]
    first, loop, init, up, end, last = [line.partition("    # ")[0].strip() for line in block.splitlines()]
    # What is deployed is there before it, each project comes after those that it takes from, and the schema last.
    assert (first, loop) == ("invoke package --target aws", f"for project in {' '.join(projects())}; do")
    stack = last.rpartition(" ")[2]
    assert (up, end, last) == (f"pulumi -C projects/$project up -s {stack} || break", "done", f"invoke migrate --env {stack}")
    assert stack in BRIEFS["aurora"]
    # The provider of secrets is the one that the page is to name, or the engine takes a passphrase.
    [provider] = re.findall(r"`secretsprovider: (awskms://\S+)`", readme)
    assert init == f'pulumi -C projects/$project stack init {stack} --secrets-provider "{provider}"'
