"""Questions that several customers ask alike."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import permutations, product
from pathlib import Path
from typing import Any

from localcloud.rehearsal import Resource
from shared.page import ROOT
from tests.architecture.rehearsed import Rehearsed
from tests.briefs.family import Deployed
from tests.iam.evaluator import ALLOW_ALL, Decision, Policy, decide
from tests.iam.world import requests, world_of

_NAMES = ("name", "bucket", "identifier", "clusterIdentifier", "replicationGroupId", "family", "dashboardName")

# Resources whose `name` is no name in the account, with the reason.
_NAMED_WITHIN = {
    "aws:route53/record:Record": "a DNS name",
    "aws:route53/zone:Zone": "a DNS name",
    "aws:cloudwatch/logDataProtectionPolicy:LogDataProtectionPolicy": "of one log group",
}

# Types whose names have letters and digits alone, and a capital at the start of each word in the place of a hyphen.
_IN_CAPITALS = {"aws:apigateway/model:Model"}

# API Gateway calls an execution log after the API's id, whatever the API's name is.
_PRESCRIBED = "API-Gateway-Execution-Logs_"

# What would keep a resource, or a copy of it, beyond its stack, and the value with which it goes.
_GOES = {
    "deletionProtection": False,
    "deletionProtectionEnabled": False,
    "enableDeletionProtection": False,
    "skipFinalSnapshot": True,
    "skipDestroy": False,
    "retainOnDelete": False,
}

# Types that are only gone when they are empty, or not wanted by a snapshot: the input that makes them go all the same.
_GOES_WITH = {
    "aws:s3/bucket:Bucket": ("forceDestroy", True),
    "aws:ecr/repository:Repository": ("forceDelete", True),
    "aws:rds/instance:Instance": ("skipFinalSnapshot", True),
    "aws:rds/cluster:Cluster": ("skipFinalSnapshot", True),
    "aws:route53/zone:Zone": ("forceDestroy", True),
    "aws:secretsmanager/secret:Secret": ("recoveryWindowInDays", 0),
}

# By type, the inputs that are all needed for what it keeps to be encrypted.
_AT_REST = {
    "aws:rds/cluster:Cluster": ("storageEncrypted", "kmsKeyId"),
    "aws:rds/instance:Instance": ("storageEncrypted", "kmsKeyId"),
    "aws:elasticache/replicationGroup:ReplicationGroup": ("atRestEncryptionEnabled", "kmsKeyId"),
    "aws:dynamodb/table:Table": ("serverSideEncryption.enabled", "serverSideEncryption.kmsKeyArn"),
    "aws:sqs/queue:Queue": ("kmsMasterKeyId",),
    "aws:sns/topic:Topic": ("kmsMasterKeyId",),
    "aws:ecr/repository:Repository": ("encryptionConfigurations.0.kmsKey",),
    "aws:cloudwatch/logGroup:LogGroup": ("kmsKeyId",),
    "aws:cloudtrail/trail:Trail": ("kmsKeyId",),
    "aws:secretsmanager/secret:Secret": ("kmsKeyId",),
}

# What a policy has to close to those who come without TLS: the type, the policy's type, and the policy's input that names it.
_REFUSING = (
    ("aws:s3/bucket:Bucket", "aws:s3/bucketPolicy:BucketPolicy", "bucket"),
    ("aws:sqs/queue:Queue", "aws:sqs/queuePolicy:QueuePolicy", "queueUrl"),
    ("aws:sns/topic:Topic", "aws:sns/topicPolicy:TopicPolicy", "arn"),
)

# How credentials begin: AWS's access keys (IAM user guide, "IAM identifiers"), Stripe's secret keys, private keys as PEM (RFC 7468).
_CREDENTIAL = re.compile(r"\b(?:(?:AKIA|ASIA)(?=[A-Z0-9]{16})|sk_live_|rk_live_)|(?<=-----BEGIN )([A-Z ]*PRIVATE KEY)")
_SOURCES = {".py", ".yaml", ".sql", ".in", ".txt"}

# What would preserve a resource: options of Pulumi, and arguments of resources.
_PRESERVES = re.compile(
    r"\b(retain_on_delete|protect|skip_destroy|deletion_protection(_enabled)?|enable_deletion_protection|DeletionPolicy)\s*[=:](?!\s*False\b)"
)

# boto3's names of services, by those of Pulumi's modules.
_CLIENTS = {
    "lb": "elbv2",
    "vpc": "ec2",
    "appautoscaling": "application-autoscaling",
    "cloudwatch/logGroup": "logs",
    "cloudwatch/logDataProtectionPolicy": "logs",
    "cloudwatch/eventRule": "events",
    "cloudwatch/eventTarget": "events",
}


def physical_names(deployed: Deployed) -> Iterator[tuple[Resource, str]]:
    """Each resource that has a name in its account, with the name, in words joined by hyphens where AWS takes no hyphen."""
    for resource in deployed.resources():
        if resource.type in _NAMED_WITHIN:
            continue
        found = next((resource.inputs[key] for key in _NAMES if isinstance(resource.inputs.get(key), str)), None)
        if found is not None and resource.type != "aws:s3/bucket:Bucket" and "bucket" in resource.inputs and found == resource.inputs["bucket"]:
            continue  # a part of a bucket
        if found is not None:
            yield resource, re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", found).lower() if resource.type in _IN_CAPITALS else found


def without_suffix(deployed: Deployed) -> list[str]:
    """Resources that have a name without the environment's suffix, or can bear tags and have none that says it."""
    suffix = deployed.environment.platform.environment_suffix
    named = [(resource, name) for resource, name in physical_names(deployed) if not name.startswith(_PRESCRIBED)]
    found = [f"{resource.type} {name}" for resource, name in named if not _has(suffix, name, hyphens=resource.type not in _IN_CAPITALS)]
    return found + untagged(deployed, {"Suffix": suffix})


def _has(suffix: str, name: str, *, hyphens: bool) -> bool:
    return suffix in name if hyphens else suffix.replace("-", "") in name.replace("-", "")


def kept(deployed: Deployed) -> list[str]:
    """Resources that would survive the destruction of their stack, or stop it, and why."""
    found: list[str] = []
    for resource in deployed.resources():
        found += [f"{resource.urn}: {key} is {value}" for key, value in resource.inputs.items() if key in _GOES and value not in (_GOES[key], None)]
        if resource.type in _GOES_WITH:
            key, good = _GOES_WITH[resource.type]
            if resource.inputs.get(key) != good:
                found.append(f"{resource.urn}: {key} is {resource.inputs.get(key)}")
    return found


def options_that_keep() -> list[str]:
    """Places in the programs that take a resource out of its stack's destruction by an option, which no input tells of."""
    option = re.compile(r"\b(retain_on_delete|protect|deleted_with)\s*=|\bRetain\b")
    sources = sorted(path for folder in ("projects", "shared") for path in (ROOT / folder).rglob("*.py"))
    return [
        f"{path.relative_to(ROOT)}:{number}" for path in sources for number, line in enumerate(path.read_text().splitlines(), start=1) if option.search(line)
    ]


def untested_components(members: Iterable[Deployed]) -> list[str]:
    """Components of the environments that no test deploys with their program, or makes by themselves, and then asks AWS about."""
    runs = [run for one in members for run in one.cloud.runs.values()]
    made = {tuple(resource.type.split(":")[1:]) for run in runs for resource in run.resources if resource.type.startswith("payments:")}
    tests = [path for folder in ("projects", "shared") for path in (ROOT / "tests" / folder).rglob("test_*.py")]
    texts = {path: text for path in tests if ".client(" in (text := path.read_text())}

    def covered(project: str, component: str) -> bool:
        program = [text for path, text in texts.items() if path.parent.name == project]
        return any(f'.deploy("{project}")' in text for text in program) or any(re.search(rf"\b{component}\b", text) for text in texts.values())

    return [f"{project} {component}" for project, component in sorted(made) if not covered(project, component)]


def untagged(deployed: Deployed, wanted: Mapping[str, str | None]) -> list[str]:
    """Resources that can bear tags and lack one of these; None is any value."""
    found: list[str] = []
    for resource in deployed.resources():
        if "tags" not in resource.inputs:
            continue
        tags = resource.inputs["tags"] or {}
        found += [f"{resource.urn}: {key}" for key, value in wanted.items() if not tags.get(key) or value not in (None, tags[key])]
    return found


def statements(deployed: Deployed) -> Iterator[tuple[Resource, dict[str, Any]]]:
    """Each statement of what roles of the environment may do."""
    for resource in deployed.of("aws:iam/rolePolicy:RolePolicy"):
        for statement in many(json.loads(resource.inputs["policy"])["Statement"]):
            yield resource, statement


def too_much(deployed: Deployed) -> list[str]:
    """What roles are allowed that names no single action, or no resource where AWS's actions have one."""
    found: list[str] = []
    for resource, statement in statements(deployed):
        if statement["Effect"] != "Allow":
            continue
        found += [f"{resource.name}: {action}" for action in many(statement["Action"]) if action == "*" or action.endswith(":*")]
        found += [f"{resource.name}: {target}" for target in many(statement["Resource"]) if target.endswith(":::*") or target.count("*") > 3]
    return found


def open_to_the_world(deployed: Deployed) -> list[str]:
    """Security group rules through which anybody gets in."""
    rules = deployed.of("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
    return [rule.name for rule in rules if {rule.inputs.get("cidrIpv4"), rule.inputs.get("cidrIpv6")} & {"0.0.0.0/0", "::/0"}]


def granted(deployed: Deployed, role: str) -> set[str]:
    """The actions that a role is allowed."""
    return {
        action
        for resource, statement in statements(deployed)
        if resource.name == role and statement["Effect"] == "Allow"
        for action in many(statement["Action"])
    }


def foreign_reach(members: Sequence[Deployed]) -> list[str]:
    """What a role can do to another environment's things: by its own policies, or by its boundary if its own and the things' policies allowed everything.

    API Gateway logs for all APIs of an account and region with one role, which is left out.
    """
    worlds = [world_of(_rehearsed(one)) for one in members]
    open_door = Policy.of({"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}})
    found: list[str] = []
    for own, other in permutations(worlds, 2):
        for role, thing in product((role for role in own.roles if role.word != "api-logs"), other.things):
            for request in requests(role, thing):
                by_itself = any(policy.allows(request) for policy in role.policies) and not role.boundary.denies(request)
                unbounded = decide(request, identity=[ALLOW_ALL], boundary=role.boundary, resource=open_door) is Decision.ALLOWED
                if by_itself or unbounded:
                    found.append(f"{role.arn} may {request.action} on {request.resource}")
    return found


def _rehearsed(deployed: Deployed) -> Rehearsed:
    stacks = [{"project": project, "resources": [one.as_json() for one in run.resources]} for project, run in deployed.cloud.runs.items()]
    return Rehearsed(deployed.name, {"stacks": stacks})


def granted_on(deployed: Deployed, role: str, service: str) -> set[tuple[str, str]]:
    """The actions of a service that a role is allowed, each with what it is allowed on."""
    return {
        (action, target)
        for resource, statement in statements(deployed)
        if resource.name == role and statement["Effect"] == "Allow"
        for action in many(statement["Action"])
        for target in many(statement["Resource"])
        if action.startswith(f"{service}:")
    }


def many(value: Any) -> list[Any]:
    """A policy's one or many of something, as many."""
    return list(value) if isinstance(value, Iterable) and not isinstance(value, str | dict) else [value]


def unencrypted(deployed: Deployed) -> list[str]:
    """Whatever keeps data and does not encrypt it with a key of KMS; S3 delivers access logs to buckets with its own keys alone."""
    encrypted = {one.inputs["bucket"] for one in deployed.of("aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration")}
    found = [one.urn for one in deployed.of("aws:s3/bucket:Bucket") if one.inputs["bucket"] not in encrypted]
    return found + [one.urn for one in deployed.resources() if one.type in _AT_REST and not all(_within(one.inputs, path) for path in _AT_REST[one.type])]


def _within(inputs: Any, path: str) -> Any:
    """What is at `a.b` or, of the first of a list, at `a.0.b`."""
    for part in path.split("."):
        inputs = (inputs[0] if inputs else None) if part == "0" else (inputs or {}).get(part)
    return inputs


def preserving() -> list[str]:
    """Places of the programs that ask for something to be kept beyond its stack."""
    return [
        f"{path.relative_to(ROOT)}: {found[0]}"
        for folder in ("projects", "shared")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for found in _PRESERVES.finditer(path.read_text(encoding="utf-8"))
    ]


def untested(deployed: Deployed) -> list[str]:
    """Each project's AWS services about which none of its unit tests asks AWS."""
    shared = _asked(ROOT / "tests" / "shared")
    found: list[str] = []
    for project in deployed.cloud.runs:
        made = {resource.type.split(":")[1] for resource in deployed.resources(project)}
        services = {_CLIENTS.get(token, _CLIENTS.get(token.partition("/")[0], token.partition("/")[0])) for token in made}
        found += [f"{project}: {service}" for service in sorted(services - shared - _asked(ROOT / "tests" / "projects" / project))]
    return found


def _asked(folder: Path) -> set[str]:
    return {service for path in folder.glob("*.py") for service in re.findall(r'client\("([\w-]+)"\)', path.read_text(encoding="utf-8"))}


def without_tls(deployed: Deployed) -> list[str]:
    """Whatever takes or gives data without TLS."""
    doors = [*deployed.of("aws:lb/listener:Listener"), *deployed.of("aws:lb/targetGroup:TargetGroup")]
    found = [one.urn for one in doors if one.inputs["protocol"] not in {"HTTPS", "TLS"}]
    for type_ in ("aws:rds/parameterGroup:ParameterGroup", "aws:rds/clusterParameterGroup:ClusterParameterGroup"):
        found += [one.urn for one in deployed.of(type_) if not _forces_tls(one)]
    for one in deployed.of("aws:elasticache/replicationGroup:ReplicationGroup"):
        found += [] if one.inputs.get("transitEncryptionEnabled") and one.inputs.get("transitEncryptionMode") == "required" else [one.urn]
    for kept, type_, key in _REFUSING:
        refusing = {one.inputs[key] for one in deployed.of(type_) if '"aws:SecureTransport":"false"' in one.inputs["policy"]}
        found += [one.urn for one in deployed.of(kept) if not {one.id, one.outputs.get("arn")} & refusing]
    return found


def _forces_tls(group: Resource) -> bool:
    return any((one["name"], one["value"]) == ("rds.force_ssl", "1") for one in group.inputs["parameters"])


def loose(deployed: Deployed) -> list[str]:
    """Resources that belong to no component."""
    return [resource.urn for resource in deployed.resources() if not re.search(r"payments:\w+:\w+\$aws:", resource.urn)]


def arns(deployed: Deployed) -> set[str]:
    """The ARNs of everything."""
    return {resource.outputs["arn"] for resource in deployed.resources() if isinstance(resource.outputs.get("arn"), str)}


def containers(deployed: Deployed, task: str) -> list[dict[str, Any]]:
    """The containers of a task definition."""
    found: list[dict[str, Any]] = json.loads(deployed.inputs("aws:ecs/taskDefinition:TaskDefinition", task)["containerDefinitions"])
    return found


def variables(deployed: Deployed, task: str) -> dict[str, str]:
    """The environment variables of a task's containers, but for those that are secrets."""
    return {one["name"]: one["value"] for container in containers(deployed, task) for one in container["environment"]}


def secrets(deployed: Deployed, task: str) -> dict[str, str]:
    """The environment variables that a task's containers get from secrets, with the secrets."""
    return {one["name"]: one["valueFrom"] for container in containers(deployed, task) for one in container.get("secrets", [])}


def credentials() -> list[str]:
    """Places of programs, pages and service that look like a credential of AWS, of a payment processor, or a private key."""
    files = [path for folder in ("projects", "shared", "payments", "environments") for path in sorted((ROOT / folder).rglob("*.*")) if path.suffix in _SOURCES]
    return [f"{path.relative_to(ROOT)}: {found[0]}" for path in files for found in _CREDENTIAL.finditer(path.read_text(encoding="utf-8"))]
