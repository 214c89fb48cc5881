"""Examples of Amazon ECR."""

import json
from typing import Any

from tests.localcloud.examples import Example, Ref

KEY = "arn:aws:kms:us-east-1:345678901234:key/1234abcd-12ab-34cd-56ef-1234567890ab"

REPOSITORY = Example(
    type="aws:ecr/repository:Repository",
    inputs={
        "name": "payments/api",
        "imageTagMutability": "IMMUTABLE",
        "imageScanningConfiguration": {"scanOnPush": True},
        "encryptionConfigurations": [{"encryptionType": "KMS", "kmsKey": KEY}],
        "forceDelete": True,
        "tags": {"Environment": "dev", "Team": "payments"},
    },
    updates={
        "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
        "imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "branch-*"}],
        "imageScanningConfiguration": {"scanOnPush": False},
        "forceDelete": False,
        "tags": {"Environment": "prod"},
    },
    replaces={"name": "other", "encryptionConfigurations": [{"encryptionType": "AES256"}]},
    bad={
        "name": ("A", "Payments", "payments//api", "x" * 257),
        "imageTagMutability": ("FROZEN", "MUTABLE_WITH_EXCLUSION"),
        "imageTagMutabilityExclusionFilters": ([{"filterType": "WILDCARD", "filter": "v*"}], [{"filterType": "REGEX", "filter": "v*"}]),
        "encryptionConfigurations": ([{"encryptionType": "AES-256"}], [{"kmsKey": KEY}], [{}, {}]),
        "imageScanningConfiguration": {},
        "scanOnPush": True,
    },
    drift=lambda aws, name: aws.client("ecr").put_image_tag_mutability(repositoryName=name, imageTagMutability="MUTABLE"),
    drifts="imageTagMutability",
)

PLAIN = Example(type=REPOSITORY.type, inputs={"name": "plain"}, label="as little as there can be")
OWN_KEY = Example(
    type=REPOSITORY.type,
    inputs={"name": "aws-key", "encryptionConfigurations": [{"encryptionType": "KMS"}]},
    label="with the key that AWS keeps",
    bad={"imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "v*"}]},
)

PULL: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "Pull",
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::345678901234:root"},
            "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability"],
        }
    ],
}

REPOSITORY_POLICY = Example(
    type="aws:ecr/repositoryPolicy:RepositoryPolicy",
    needs={"repository": PLAIN},
    inputs={"repository": Ref("repository", "name"), "policy": json.dumps(PULL)},
    updates={"policy": json.dumps({**PULL, "Statement": [{**PULL["Statement"][0], "Action": "ecr:BatchGetImage"}]})},
    replaces={"repository": "other"},
    bad={
        "policy": ("{", json.dumps({**PULL, "Statement": []}), json.dumps({**PULL, "Statement": [{"Effect": "Allow", "Action": "ecr:*"}]})),
        "repository": ("Payments", None),
        "text": "{}",
    },
    drift=lambda aws, name: aws.client("ecr").set_repository_policy(repositoryName=name, policyText=json.dumps({**PULL, "Version": "2008-10-17"})),
    drifts="policy",
)


def _rule(priority: Any = 1, action: str = "expire", **selection: Any) -> dict[str, Any]:
    untagged = {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 14}
    chosen = {name: value for name, value in {**untagged, **selection}.items() if value is not None}
    return {"rulePriority": priority, "description": "Keep what is used", "selection": chosen, "action": {"type": action}}


def _policy(*rules: dict[str, Any]) -> str:
    return json.dumps({"rules": list(rules)})


_COUNT: dict[str, Any] = {"countType": "imageCountMoreThan", "countUnit": None, "countNumber": 30}
_ALL = _rule(9, tagStatus="any", **_COUNT)

LIFECYCLE_POLICY = Example(
    type="aws:ecr/lifecyclePolicy:LifecyclePolicy",
    needs={"repository": PLAIN},
    inputs={"repository": Ref("repository", "name"), "policy": _policy(_rule(), _rule(2, tagStatus="tagged", tagPatternList=["v*"], **_COUNT), _ALL)},
    replaces={"repository": "other", "policy": _policy(_rule())},
    bad={
        "policy": (
            "{",
            "[]",
            _policy(),
            _policy(_rule(0)),
            _policy(_rule(action="archive")),
            _policy(_rule(tagStatus="tagged")),
            _policy(_rule(tagPrefixList=["v"])),
            _policy(_rule(tagStatus="old")),
            _policy(_rule(tagStatus="tagged", tagPatternList=["*a*b*c*d*e"])),
            _policy(_rule(countUnit=None)),
            _policy(_rule(countType="imageCountMoreThan")),
            _policy(_rule(countType="sinceImageBuilt")),
            _policy(_rule(countNumber=0)),
            _policy(_rule(color="red")),
            _policy(_rule(), _rule()),
            _policy(_ALL, _rule(10)),
        ),
        "rules": [],
    },
)

EXAMPLES = (REPOSITORY, PLAIN, OWN_KEY, REPOSITORY_POLICY, LIFECYCLE_POLICY)
