"""`python -m ops.pci`: the facts in `docs/pci.md`, from rehearsals: what is encrypted with which key, and who may talk to whom.

The parts between `<!-- generated:NAME -->` and `<!-- /generated -->` are written anew, the text around them is written by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from ops import docs
from ops.rehearsal import rehearse
from ops.workspace import open_workspace
from projects.networking import tiers
from projects.networking.settings import NetworkingSettings
from shared.page import ROOT

DOCUMENT = ROOT / "docs" / "pci.md"

ENVIRONMENTS = {"functions": "pci-prod", "containers": "containers-prod"}
"""The environments whose facts the document states, by what they run on."""

Resource = Mapping[str, Any]
_KEY = "aws:kms/key:Key"
_AWS_OWNS = "a key that AWS owns"
_AWS_MANAGES = "a key that AWS manages in the account"

# What is in each kind of store: for the store's holder to weigh, whatever its name.
_HOLDS = {
    "aws:rds/instance:Instance": "payments, ledger, idempotency keys",
    "aws:rds/cluster:Cluster": "payments, ledger, idempotency keys",
    "aws:dynamodb/table:Table": "sessions, events of payments",
    "aws:s3/bucket:Bucket": "receipts, audit records, logs of access",
    "aws:elasticache/replicationGroup:ReplicationGroup": "sessions, states of payments",
    "aws:sqs/queue:Queue": "ids of payments to work on",
    "aws:sns/topic:Topic": "events of payments, alarms",
    "aws:secretsmanager/secret:Secret": "a credential",
    "aws:cloudwatch/logGroup:LogGroup": "logs of the service, the API and the network; a card number in the API's is masked",
    "aws:ecr/repository:Repository": "images of the service",
    "aws:lambda/function:Function": "environment variables: names and addresses, no secrets",
    "aws:cloudtrail/trail:Trail": "who did what in the account",
}


def encryption(rehearsal: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """Each store of an environment that holds data: kind, logical name, what it holds, and the key (by its logical name) that encrypts it."""
    resources = [resource for stack in rehearsal["stacks"] for resource in stack["resources"]]
    keys = {resource["outputs"]["arn"]: resource["name"] for resource in resources if resource["type"] == _KEY}
    buckets = {resource["inputs"]["bucket"]: resource for resource in resources if resource["type"].endswith(":BucketServerSideEncryptionConfiguration")}
    rows: list[tuple[str, str, str, str]] = []
    for resource in resources:
        if resource["type"] in _HOLDS:
            key = _key_of(resource, buckets)
            rows.append((_kind(resource["type"]), resource["name"], _HOLDS[resource["type"]], f"`{keys[key]}`" if key in keys else key))
    return sorted(rows)


def _key_of(resource: Resource, buckets: Mapping[str, Resource]) -> str:
    """The ARN of the key, or who has it where it is none of ours."""
    inputs = resource["inputs"]
    match resource["type"].split(":")[-1]:
        case "Bucket":
            [rule] = buckets[inputs["bucket"]]["inputs"]["rules"]
            return rule["applyServerSideEncryptionByDefault"].get("kmsMasterKeyId") or "a key of S3 (SSE-S3)"
        case "Table":
            return inputs.get("serverSideEncryption", {}).get("kmsKeyArn") or _AWS_OWNS
        case "Repository":
            return inputs["encryptionConfigurations"][0].get("kmsKey") or _AWS_MANAGES
        case "Function":
            return inputs.get("kmsKeyArn") or _AWS_MANAGES
        case "Queue" | "Topic":
            return inputs.get("kmsMasterKeyId") or _AWS_OWNS
        case _:
            return inputs.get("kmsKeyId") or _AWS_MANAGES


def keys(rehearsal: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Each key of the customer's: logical name, what it is for, and whether it rotates."""
    return sorted(
        (resource["name"], resource["inputs"]["description"], "yes" if resource["inputs"].get("enableKeyRotation") else "no")
        for stack in rehearsal["stacks"]
        for resource in stack["resources"]
        if resource["type"] == _KEY
    )


def flows(name: str) -> list[tuple[str, str, str, str]]:
    """Each rule of the environment's firewall: whose group, direction and peer, port, and why."""
    opened = open_workspace(name, target="local")
    reached, shape = opened.page.settings("networking", NetworkingSettings).endpoints, opened.environment.shape
    firewall = tiers.firewall(shape, gateways=reached.gateway, interfaces=reached.interface, tags=opened.environment.tags)
    arrows = {"in": "from", "out": "to"}
    return [(rule.tier, f"{arrows[rule.direction]} {rule.peer}", str(rule.port), rule.why) for rule in firewall.rules]


def document(text: str, rehearsals: Mapping[str, Mapping[str, Any]]) -> str:
    """The document with its generated parts as these rehearsals (by environment) have them; raises DocsError for a part that nobody generates."""

    def part(head: Sequence[str], rows: Callable[[], Sequence[Sequence[str]]]) -> Callable[[], str]:
        return lambda: docs.lines(docs.table(head, rows()))

    parts: dict[str, Callable[[], str]] = {}
    for what, name in ENVIRONMENTS.items():
        rehearsal = rehearsals[name]
        parts[f"encryption-{what}"] = part(("store", "name", "holds", "encrypted with"), partial(encryption, rehearsal))
        parts[f"keys-{what}"] = part(("key", "for", "rotates every year"), partial(keys, rehearsal))
        parts[f"flows-{what}"] = part(("security group", "peer", "port", "why"), partial(flows, name))
    return docs.generated(text, "docs/pci.md", parts)


def _kind(type_: str) -> str:
    return type_.removeprefix("aws:").split("/")[0] + " " + type_.rsplit(":", maxsplit=1)[-1]


def main() -> None:
    """Writes the document anew."""
    made = {name: rehearse(open_workspace(name, target="local")).as_json() for name in ENVIRONMENTS.values()}
    DOCUMENT.write_text(document(DOCUMENT.read_text(encoding="utf-8"), made), encoding="utf-8")


if __name__ == "__main__":
    main()
