"""The brief of the fintech startup that runs payments in containers, on Aurora Serverless v2 and Redis (docs/briefs/containers.txt)."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from ops.workspace import open_workspace
from payments.container.consuming import delay
from payments.domain.card_data import findings
from payments.domain.payment import PaymentRequest
from payments.functions import FUNCTIONS
from payments.processors.base import Approved, Charge, ProcessorUnavailable
from payments.processors.resilient import REPETITIONS, Resilient
from payments.processors.sandbox import Sandbox
from shared.isolation import boundary_arn
from shared.page import ROOT
from tests.briefs import checks, likeness
from tests.briefs.family import Family
from tests.briefs.requirements import Conflict, requirement

CONFLICTS = (
    Conflict(
        (17, 31, 100),
        31,
        "Lines 17 and 100 ask for the same structure everywhere, line 31 for read replicas in production: the instances beside Aurora's writer are the one "
        "resource that not every environment has.",
    ),
)

BUCKET = "aws:s3/bucket:Bucket"
CLUSTER = "aws:rds/cluster:Cluster"
REDIS = "aws:elasticache/replicationGroup:ReplicationGroup"
LISTENER = "aws:lb/listener:Listener"
TARGETS = "aws:lb/targetGroup:TargetGroup"
SERVICE = "aws:ecs/service:Service"
TASK = "aws:ecs/taskDefinition:TaskDefinition"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
STAGES = ("dev", "staging", "prod")
PROJECTS = ("networking", "data", "app", "observability")
PAGES = [f"environments/Pulumi.containers-{stage}.yaml" for stage in STAGES]

NO_CARDS = ("payments/domain/card_data.py", "payments/migrations", "tests/payments/test_card_data.py")
TLS = ("projects/app/web.py", "payments/container/tls.py")
PCI_DSS = "docs/pci.md names each requirement, what the platform does for it, and what is left to its operator; production's logs are kept for twelve months."
AGAIN = "TLS ends at the load balancer, as line 63 has it, and begins again from there to the containers."
SUB_SECOND = "A state that Redis has is told without the database; an alarm rings when 5 of 100 requests take a second or longer."

# The inputs in which the environments differ, by the page's key that decides them.
DECIDED = {
    "platform:logRetentionDays": {"LogGroup.retentionInDays"},
    "data:database": {"Cluster.serverlessv2ScalingConfiguration", "Cluster.backupRetentionPeriod"},
    "data:cache": {f"ReplicationGroup.{key}" for key in ("nodeType", "numCacheClusters", "automaticFailoverEnabled", "multiAzEnabled")},
    "data:buckets": {"BucketLifecycleConfiguration.rules"},
    "app:containers": {
        *("Zone.name", "Record.name", "Certificate.domainName", "CertificateValidation.validationRecordFqdns", "WebAcl.rules"),
        *("TaskDefinition.cpu", "TaskDefinition.memory", "TaskDefinition.containerDefinitions"),
        *("Service.desiredCount", "Target.minCapacity", "Target.maxCapacity"),
    },
    "observability:alarms": {"MetricAlarm.threshold", "MetricAlarm.metricQueries", "Dashboard.dashboardBody"},
}


@requirement(3, 5, 11, 16, 17, 31, 99, 100, met=[*PAGES, "projects", "tests/briefs/likeness.py", "tests/blueprints/test_lives.py"])
def test_environments_are_the_same_but_for_what_pages_decide(family: Family) -> None:
    assert [deployed.stage for deployed in family] == list(STAGES)
    assert all(tuple(deployed.cloud.runs) == PROJECTS for deployed in family)
    readers = {f"data payments:data:Aurora$aws:rds/clusterInstance:ClusterInstance::database-{number}" for number in (1, 2)}
    assert likeness.apart(family) == {"dev": set(), "staging": set(), "prod": readers}
    assert likeness.inputs(family) == set().union(*DECIDED.values()), "what differs, and what keys of the pages decide"


@requirement(5, 18, 76, 82, 119, met=[*PAGES, "projects/app/Pulumi.yaml", "data:database", "data:cache", "app:containers"])
def test_sizes_are_those_of_the_stacks_own_configuration_file(family: Family) -> None:
    for project in PROJECTS:
        assert "stackConfigDir: ../../environments" in (ROOT / "projects" / project / "Pulumi.yaml").read_text()
    for deployed in family:
        page = deployed.cloud.page.config
        assert (ROOT / f"environments/Pulumi.{open_workspace(deployed.name).stack}.yaml").is_file()
        database, containers = page["data:database"], page["app:containers"]
        assert deployed.inputs(CLUSTER)["serverlessv2ScalingConfiguration"] == {key: database[key] for key in ("minCapacity", "maxCapacity")}
        assert deployed.inputs(REDIS)["nodeType"] == page["data:cache"]["nodeType"]
        for service in ("web", "worker"):
            assert deployed.inputs(TASK, service)["cpu"] == str(containers[service]["cpu"])
            assert deployed.inputs(SERVICE, service)["desiredCount"] == containers[service]["minTasks"]


@requirement(7, 19, 74, 75, 80, 92, 104, met=["platform:naming", "platform:tags", "shared/naming.py"], read="Names of buckets end with the account.")
def test_names_are_payment_service_suffix_and_tags_tell_costs_and_class(family: Family) -> None:
    names: list[set[str]] = []
    for deployed in family:
        suffix = deployed.environment.platform.environment_suffix
        assert checks.without_suffix(deployed) == []
        found = {(resource.type, name) for resource, name in checks.physical_names(deployed)}
        # AWS prescribes how names of log groups begin.
        free = {(type_, name) for type_, name in found if type_ != LOG_GROUP}
        assert {name for _, name in free if not re.fullmatch(rf"(alias/)?payment-[a-z0-9-]+-{suffix}(-\d{{12}})?", name)} == set()
        assert {name for _, name in found - free if not re.search(rf"payment-[a-z0-9-]+-{suffix}\b", name)} == set()
        names.append({name for _, name in free})
        wanted = {"Environment": deployed.stage, "CostCenter": f"payments-{deployed.stage}", "DataClassification": "confidential"}
        assert checks.untagged(deployed, wanted | {"Project": "payment-processing"}) == []
    assert len({deployed.environment.account for deployed in family}) == 1
    assert not names[0] & names[1] | names[1] & names[2] | names[0] & names[2]


@requirement(22, 25, 69, 111, met=["app:containers", "projects/app/services.py", "payments/container/health.py", "tests/payments/container/test_container.py"])
def test_the_service_runs_on_fargate_and_recovers_by_itself(family: Family) -> None:
    for deployed in family:
        ecs, cluster = deployed.client("ecs"), deployed.output("app", "clusterName")
        found = ecs.describe_services(cluster=cluster, services=list(deployed.output("app", "serviceNames").values()))["services"]
        assert {one["serviceName"] for one in found} == {deployed.environment.names(word) for word in ("web", "worker")}
        for service in found:
            task = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
            assert task["requiresCompatibilities"] == ["FARGATE"]
            [container] = task["containerDefinitions"]
            assert (container["essential"], container["healthCheck"]["command"][-1]) == (True, "health")
            assert service["desiredCount"] >= 1
        assert not [one.urn for one in deployed.resources() if one.type in {"aws:ec2/instance:Instance", "aws:lambda/function:Function"}]
        assert [one.inputs["deploymentCircuitBreaker"] for one in deployed.of(SERVICE)] == [{"enable": True, "rollback": True}] * 2
        assert [deployed.inputs(TARGETS)["healthCheck"][key] for key in ("protocol", "matcher")] == ["HTTPS", "200"]


@requirement(23, 105, met=["app:containers.web", "app:containers.worker", "projects/app/services.py"], read="Normal load is what minTasks carry.")
def test_services_scale_by_cpu_memory_and_backlog_to_ten_times_their_size(family: Family) -> None:
    for deployed in family:
        scaling = deployed.client("application-autoscaling")
        ours = [one.inputs["resourceId"] for one in deployed.of("aws:appautoscaling/target:Target")]
        targets = scaling.describe_scalable_targets(ServiceNamespace="ecs", ResourceIds=ours)["ScalableTargets"]
        assert len(targets) == 2
        for target in targets:
            assert target["MaxCapacity"] >= 10 * target["MinCapacity"]
            policies = scaling.describe_scaling_policies(ServiceNamespace="ecs", ResourceId=target["ResourceId"])["ScalingPolicies"]
            metrics = re.findall(r"ECSServiceAverage\w+|ApproximateNumberOfMessagesVisible|RunningTaskCount", str(policies))
            queue = ["ApproximateNumberOfMessagesVisible", "RunningTaskCount"] if "worker" in target["ResourceId"] else []
            assert sorted(metrics) == [*queue[:1], "ECSServiceAverageCPUUtilization", "ECSServiceAverageMemoryUtilization", *queue[1:]]
    prod = family["prod"].inputs(CLUSTER)["serverlessv2ScalingConfiguration"]
    assert prod["maxCapacity"] >= 10 * prod["minCapacity"] >= 20


@requirement(24, 60, 61, 62, 63, 73, 115, met=["projects/app/web.py", "projects/app/waf.py", "app:containers.domain", "app:containers.rateLimit"])
def test_a_load_balancer_takes_https_forwards_the_routes_for_payments_and_refuses_who_asks_too_often(family: Family) -> None:
    for deployed in family:
        elb, arn = deployed.client("elbv2"), deployed.output("app", "loadBalancerArn")
        [balancer] = elb.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"]
        assert (balancer["Type"], balancer["Scheme"]) == ("application", "internet-facing")
        assert {zone["SubnetId"] for zone in balancer["AvailabilityZones"]} == set(deployed.output("networking", "publicSubnetIds"))
        [listener] = elb.describe_listeners(LoadBalancerArn=arn)["Listeners"]
        assert (listener["Protocol"], listener["Port"]) == ("HTTPS", 443)
        assert [one["CertificateArn"] for one in listener["Certificates"]] == [deployed.only("aws:acm/certificate:Certificate").outputs["arn"]]
        assert "TLS13" in listener["SslPolicy"]
        [group] = elb.describe_target_groups(LoadBalancerArn=arn)["TargetGroups"]
        assert (group["Protocol"], group["TargetType"]) == ("HTTPS", "ip")
        domain, words = deployed.only("aws:acm/certificate:Certificate").inputs["domainName"], ("process-payment", "verify-payment")
        rules = str(elb.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"])
        assert [word for word in words if f"'/{word}'" not in rules] == []
        assert deployed.output("app", "endpointUrls") == {word: f"https://{domain}/{word}" for word in words}
        acl = deployed.client("wafv2").get_web_acl_for_resource(ResourceArn=arn)["WebACL"]
        [rule] = [one for one in acl["Rules"] if "RateBasedStatement" in one["Statement"]]
        assert rule["Statement"]["RateBasedStatement"]["Limit"] == {"dev": 1000, "staging": 5000, "prod": 20_000}[deployed.stage]
        assert rule["Action"]["Block"]["CustomResponse"]["ResponseCode"] == 429


@requirement(28, 29, 30, 70, 83, 112, met=["data:database.kind", "data:tables.pointInTimeRecovery", "projects/data/aurora.py"])
def test_transactions_are_in_aurora_serverless_v2_and_can_be_had_back_from_any_point_in_time(family: Family) -> None:
    for deployed in family:
        identifier = deployed.output("data", "databaseIdentifier")
        [cluster] = deployed.client("rds").describe_db_clusters(DBClusterIdentifier=identifier)["DBClusters"]
        assert cluster["Engine"] == "aurora-postgresql"
        assert {one.inputs["instanceClass"] for one in deployed.of("aws:rds/clusterInstance:ClusterInstance")} == {"db.serverless"}
        assert deployed.of("aws:rds/instance:Instance") == []
        assert {checks.variables(deployed, service)["DATABASE_URL"] for service in ("web", "worker")} == {deployed.output("data", "databaseUrl")}
        # Aurora's continuous backup reaches as far back as this.
        assert deployed.inputs(CLUSTER)["backupRetentionPeriod"] == {"dev": 1, "staging": 7, "prod": 30}[deployed.stage]
        dynamodb, table = deployed.client("dynamodb"), deployed.output("data", "transactionLogTableName")
        backups = dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
        assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED", deployed.name
        assert dynamodb.describe_table(TableName=table)["Table"]["SSEDescription"]["KMSMasterKeyArn"] == deployed.output("data", "dataKeyArn")
        policy = json.loads(dynamodb.get_resource_policy(ResourceArn=deployed.output("data", "transactionLogTableArn"))["Policy"])
        assert {one["Effect"] for one in policy["Statement"]} == {"Deny"}


@requirement(31, 102, met=["data:database.readers", "data:cache.replicas", "platform:highAvailability", "app:containers.web"], read="Failover in production.")
def test_production_has_readers_and_fails_over_by_itself(family: Family) -> None:
    instances = {deployed.stage: len(deployed.of("aws:rds/clusterInstance:ClusterInstance")) for deployed in family}
    assert instances["prod"] == 3 > instances["staging"] == instances["dev"] == 1
    prod = family["prod"]
    assert prod.environment.platform.high_availability
    group = prod.inputs(REDIS)
    assert (group["automaticFailoverEnabled"], group["multiAzEnabled"]) == (True, True)
    assert {service.inputs["desiredCount"] >= 2 for service in prod.of(SERVICE)} == {True}
    subnets = prod.inputs(SERVICE, "web")["networkConfiguration"]["subnets"]
    found = prod.client("ec2").describe_subnets(SubnetIds=subnets)["Subnets"]
    assert len({subnet["AvailabilityZone"] for subnet in found}) >= 2


@requirement(34, 35, 36, 71, 113, met=["projects/app/messaging.py", "payments/container/work.py", "tests/payments/container/test_consuming.py"])
def test_payments_are_worked_on_from_a_queue_and_announced_on_a_topic(family: Family) -> None:
    for deployed in family:
        sqs = deployed.client("sqs")
        url, dead = deployed.output("app", "workQueueUrl"), deployed.output("app", "deadLetterQueueUrl")
        redrive = json.loads(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])["Attributes"]["RedrivePolicy"])
        arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        assert (redrive["deadLetterTargetArn"], int(redrive["maxReceiveCount"])) == (arn, 5)
        assert checks.variables(deployed, "web")["WORK_QUEUE_URL"] == checks.variables(deployed, "worker")["WORK_QUEUE_URL"] == url
        topic = deployed.output("app", "paymentEventsTopicArn")
        assert topic in {one["TopicArn"] for one in deployed.client("sns").list_topics()["Topics"]}
        assert checks.variables(deployed, "worker")["PAYMENT_EVENTS_TOPIC_ARN"] == topic
        assert "sqs:SendMessage" in checks.granted(deployed, "web-task")
        assert {"sqs:ReceiveMessage", "sns:Publish"} <= checks.granted(deployed, "worker-task")


@requirement(37, 55, 57, 118, met=["observability:alarms", "observability:notifications.paging", "projects/observability/watched/containers.py"])
def test_alarms_on_what_is_critical_tell_a_topic(family: Family) -> None:
    for deployed in family:
        topic = deployed.named("aws:sns/topic:Topic", "alarms").outputs["arn"]
        alarms = {one.inputs["name"] for one in deployed.of("aws:cloudwatch/metricAlarm:MetricAlarm")}
        critical = ("api-server-errors", "unhealthy-hosts", "database-cpu", "cache-memory", "payment-work-dead-letters", "web-tasks-missing")
        assert {deployed.environment.names(word) for word in critical} <= alarms
        for alarm in deployed.client("cloudwatch").describe_alarms(AlarmNames=sorted(alarms))["MetricAlarms"]:
            assert (alarm["ActionsEnabled"], alarm["AlarmActions"]) == (True, [topic])


@requirement(40, 41, 42, 72, 101, 114, met=["data:cache", "payments/storage/cached_payments.py", "tests/payments/container"], read=SUB_SECOND)
def test_sessions_and_states_of_payments_are_in_redis_and_told_within_a_second(family: Family) -> None:
    for deployed in family:
        [group] = deployed.client("elasticache").describe_replication_groups(ReplicationGroupId=deployed.output("data", "cacheIdentifier"))["ReplicationGroups"]
        assert deployed.inputs(REDIS)["engine"] == "redis"
        assert group["Status"] == "available"
        assert [table.name for table in deployed.of("aws:dynamodb/table:Table")] == ["transaction-log"], "sessions are nowhere else"
        assert {checks.secrets(deployed, service)["CACHE_URL"] for service in ("web", "worker")} == {deployed.output("data", "cacheSecretArn")}
        [alarm] = deployed.client("cloudwatch").describe_alarms(AlarmNames=[deployed.environment.names("api-latency")])["MetricAlarms"]
        assert (alarm["MetricName"], alarm["ExtendedStatistic"], alarm["Threshold"]) == ("TargetResponseTime", "p95", 1)


@requirement(45, 116, met=["networking:vpc.cidr", "projects/networking/vpc.py"])
def test_databases_and_containers_are_in_private_subnets(family: Family) -> None:
    for deployed in family:
        public, private = (deployed.output("networking", f"{tier}SubnetIds") for tier in ("public", "private"))
        assert len(public) == len(private) == 2
        for type_ in ("aws:rds/subnetGroup:SubnetGroup", "aws:elasticache/subnetGroup:SubnetGroup"):
            assert deployed.inputs(type_)["subnetIds"] == private
        assert not any(one.inputs["publiclyAccessible"] for one in deployed.of("aws:rds/clusterInstance:ClusterInstance"))
        for service in deployed.of(SERVICE):
            assert service.inputs["networkConfiguration"]["subnets"] == private
            assert service.inputs["networkConfiguration"]["assignPublicIp"] is False
        for subnet in private:
            [table] = deployed.client("ec2").describe_route_tables(Filters=[{"Name": "association.subnet-id", "Values": [subnet]}])["RouteTables"]
            assert "0.0.0.0/0" not in {route.get("DestinationCidrBlock") for route in table["Routes"]}


@requirement(46, 117, 121, met=["projects/networking/firewall.py", "projects/networking/tiers.py", "tests/blueprints/test_lives.py", "tests/payments/flow"])
def test_each_tier_lets_in_its_neighbour_alone_at_the_port_where_it_listens(family: Family) -> None:
    for deployed in family:
        groups = {id_: tier for tier, id_ in deployed.output("networking", "securityGroupIds").items()}
        # Clients of the payment API are everywhere; they reach its port for HTTPS.
        assert [rule.inputs["fromPort"] for rule in deployed.of(INGRESS) if rule.name in checks.open_to_the_world(deployed)] == [443]
        ways = {
            (groups[rule.inputs["securityGroupId"]], groups.get(rule.inputs.get("referencedSecurityGroupId")), rule.inputs["toPort"])
            for rule in deployed.of(INGRESS)
        }
        assert ways == {
            ("load-balancer", None, deployed.inputs(LISTENER)["port"]),
            ("containers", "load-balancer", deployed.inputs(TARGETS)["port"]),
            ("database", "containers", deployed.inputs(CLUSTER)["port"]),
            ("cache", "containers", deployed.inputs(REDIS)["port"]),
            ("endpoints", "containers", 443),
        }
        assert checks.containers(deployed, "web")[0]["portMappings"][0]["containerPort"] == deployed.inputs(TARGETS)["port"]
        tiers = {groups[one] for service in deployed.of(SERVICE) for one in service.inputs["networkConfiguration"]["securityGroups"]}
        assert tiers == {"containers"}


@requirement(29, 47, 48, 89, 103, met=["projects/data/keys.py", "projects/data/aurora.py", "projects/data/cache.py", "shared/components", *TLS], read=AGAIN)
def test_data_is_encrypted_where_it_is_kept_and_on_its_way(family: Family) -> None:
    for deployed in family:
        assert checks.unencrypted(deployed) == []
        assert all(deployed.client("kms").get_key_rotation_status(KeyId=key.id)["KeyRotationEnabled"] for key in deployed.of("aws:kms/key:Key"))
        assert checks.without_tls(deployed) == []
        assert deployed.output("data", "databaseUrl").endswith("?sslmode=verify-full")


@requirement(49, 94, 103, 117, met=["projects/app/roles.py", "shared/iam.py", "projects/networking/boundary.py", "tests/iam/test_isolation.py"])
def test_roles_are_allowed_single_actions_on_what_they_use(family: Family) -> None:
    for deployed in family:
        assert checks.too_much(deployed) == []
        assert {role.inputs.get("permissionsBoundary") for role in deployed.of("aws:iam/role:Role")} == {boundary_arn(deployed.environment)}
        # Who answers requests announces nothing and writes no receipts; who migrates the schema touches neither queue nor table.
        assert checks.granted(deployed, "web-task") & {"sns:Publish", "s3:PutObject", "sqs:ReceiveMessage"} == set()
        assert {action.split(":")[0] for action in checks.granted(deployed, "migrate-task")} <= {"secretsmanager", "kms"}
    assert checks.foreign_reach(list(family)) == []


@requirement(50, 88, 103, met=["projects/data/aurora.py", "projects/data/cache.py", "projects/app/tasks.py", "pyproject.toml"])
def test_credentials_are_in_secrets_manager_and_nowhere_else(family: Family) -> None:
    for deployed in family:
        cluster, token = deployed.inputs(CLUSTER), deployed.inputs(REDIS)["authToken"]
        assert cluster["manageMasterUserPassword"] is True
        assert "masterPassword" not in cluster
        client = deployed.client("secretsmanager")
        assert token in client.get_secret_value(SecretId=deployed.output("data", "cacheSecretArn"))["SecretString"]
        assert client.describe_secret(SecretId=deployed.output("data", "databaseSecretArn"))["ARN"]
        assert token not in str([run.outputs for run in deployed.cloud.runs.values()])
        assert token not in (ROOT / f"environments/Pulumi.{deployed.name}.yaml").read_text()
        for task in deployed.of(TASK):
            assert token not in task.inputs["containerDefinitions"]
            assert [name for name in checks.variables(deployed, task.name) if re.search("PASSWORD|TOKEN", name)] == []
    assert len({deployed.inputs(REDIS)["authToken"] for deployed in family}) == len(STAGES)
    assert checks.credentials() == []


@requirement(53, 54, 56, 118, met=["shared/components/log_group.py", "projects/observability"], read="A load balancer logs to S3 alone.")
def test_logs_and_metrics_are_in_cloudwatch_and_calls_of_aws_in_cloudtrail(family: Family) -> None:
    for deployed in family:
        groups = {group["logGroupName"] for group in deployed.client("logs").describe_log_groups()["logGroups"]}
        for task in deployed.of(TASK):
            for container in json.loads(task.inputs["containerDefinitions"]):
                assert container["logConfiguration"]["logDriver"] == "awslogs"
                assert container["logConfiguration"]["options"]["awslogs-group"] in groups
        assert deployed.inputs(CLUSTER)["enabledCloudwatchLogsExports"] == ["postgresql"]
        assert {one["destination"] for one in deployed.inputs(REDIS)["logDeliveryConfigurations"]} <= groups
        kinds = {one.name for one in deployed.of(LOG_GROUP)}
        assert {"web", "worker", "migrate", "postgresql", "slow-log", "engine-log", "flow-logs", "web-firewall", "trail"} <= kinds
        assert deployed.inputs("aws:lb/loadBalancer:LoadBalancer")["accessLogs"]["enabled"] is True
        assert deployed.inputs("aws:ecs/cluster:Cluster")["settings"] == [{"name": "containerInsights", "value": "enabled"}]
        name = deployed.inputs("aws:cloudwatch/dashboard:Dashboard")["dashboardName"]
        body = deployed.client("cloudwatch").get_dashboard(DashboardName=name)["DashboardBody"]
        assert [service for service in ("AWS/ECS", "AWS/ApplicationELB", "AWS/RDS", "AWS/ElastiCache", "AWS/SQS") if service not in body] == []
        trail = deployed.inputs("aws:cloudtrail/trail:Trail")
        assert deployed.client("cloudtrail").get_trail_status(Name=trail["name"])["IsLogging"] is True
        assert "Management" in str(trail["advancedEventSelectors"])


@requirement(67, 68, 106, 110, met=["aws:region", "shared/component.py", "projects", "shared/components", "tests/blueprints/test_lives.py"])
def test_everything_is_made_by_components_in_python_in_us_east_1(family: Family) -> None:
    for deployed in family:
        assert checks.loose(deployed) == []
        assert {arn.split(":")[3] for arn in checks.arns(deployed)} == {deployed.environment.region, ""} == {"us-east-1", ""}
    for project in PROJECTS:
        assert "runtime:\n  name: python\n" in (ROOT / "projects" / project / "Pulumi.yaml").read_text()


@requirement(81, 95, met=["projects/data/aurora.py", "projects/app/image.py", "shared/components/bucket.py", "tests/blueprints/test_lives.py"])
def test_nothing_outlives_its_stack(family: Family) -> None:
    assert checks.preserving() == []
    for deployed in family:
        assert checks.kept(deployed) == []


@requirement(84, met=["networking:egress.kind", "networking:endpoints", "projects/networking/endpoints.py"])
def test_aws_is_reached_by_endpoints_without_nat_and_nothing_slow_is_made(family: Family) -> None:
    used = {service for function in FUNCTIONS for service in function.services}
    for deployed in family:
        assert [one.urn for one in deployed.resources() if re.search(r"natGateway|aws:cfg/|:Recorder", one.type)] == []
        assert deployed.output("networking", "natGatewayIds") == deployed.output("networking", "natInstanceIds") == []
        found = deployed.client("ec2").describe_vpc_endpoints(Filters=[{"Name": "vpc-id", "Values": [deployed.output("networking", "vpcId")]}])["VpcEndpoints"]
        assert {one["ServiceName"].removeprefix("com.amazonaws.us-east-1.") for one in found} >= used | {"ecr.api", "ecr.dkr", "logs", "kms"}


@requirement(90, 91, met=["docs/pci.md", *NO_CARDS, "platform:logRetentionDays"], read=PCI_DSS)
def test_pci_dss_is_followed_and_card_numbers_and_cvv_codes_have_no_place(family: Family) -> None:
    for deployed in family:
        assert deployed.of("aws:ec2/flowLog:FlowLog")
        assert deployed.inputs("aws:cloudtrail/trail:Trail")["enableLogFileValidation"] is True
        assert deployed.inputs("aws:ecr/repository:Repository")["imageScanningConfiguration"]["scanOnPush"] is True
        assert {one.inputs["retentionInDays"] for one in deployed.of(LOG_GROUP)} == {{"dev": 7, "staging": 14, "prod": 365}[deployed.stage]}
    assert "containers-prod" in (ROOT / "docs/pci.md").read_text()
    number = "4242 4242 4242 4242"
    for payload in ({"payment_token": number}, {"metadata": {"note": [number]}}, {"metadata": {"cvv": "123"}}, {"cvc": 1}, {"card_number": "x"}):
        assert list(findings(payload)), payload
    assert list(findings({"payment_token": "tok_visa", "reference": "order-1"})) == []
    migrations = "\n".join(file.read_text() for file in (ROOT / "payments/migrations").glob("*.sql"))
    kept = [*PaymentRequest.model_fields, *re.findall(r"^\s+(\w+) ", migrations, re.MULTILINE)]
    assert {"payment_token", "reference"} <= set(kept)
    assert [name for name in kept if re.search(r"card|\bpan\b|cvv|cvc|security_code|expiry", name, re.IGNORECASE)] == []


@requirement(93, met=["payments/processors/resilient.py", "projects/app/messaging.py", "tests/payments/faults", "tests/payments/processors/test_resilient.py"])
def test_what_fails_is_tried_again_and_in_the_end_set_aside(family: Family) -> None:
    charge = Charge(payment_id="p", amount=100, currency="EUR", payment_token="tok_flake", merchant="m", reference="r")
    assert isinstance(Resilient(Sandbox(), first_pause=0.001).authorize(charge), Approved)
    with pytest.raises(ProcessorUnavailable):
        Resilient(Sandbox(), first_pause=0.001).authorize(replace(charge, payment_token="tok_timeout"))
    for deployed in family:
        assert deployed.inputs("aws:sqs/queue:Queue", "payment-work")["visibilityTimeoutSeconds"] >= 6 * REPETITIONS
        # Longer than the database's failover and a processor's bad minutes last.
        assert sum(delay(receives) for receives in range(1, int(checks.variables(deployed, "worker")["MAX_RECEIVES"]))) >= 420


@requirement(106, 120, 121, 122, met=["tests/projects", "tests/shared", "tests/engine", "tests/blueprints/test_lives.py", "README.md", "docs/pci.md"])
def test_every_service_that_is_made_has_tests_and_documents_say_how_to_deploy(family: Family) -> None:
    for deployed in family:
        assert checks.untested(deployed) == []
    readme = (ROOT / "README.md").read_text()
    for said in ("```mermaid", "invoke deploy --env", "## Deploying to AWS", "containers-prod"):
        assert said in readme, said
