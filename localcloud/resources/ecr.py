"""Amazon ECR: repositories of container images, who may use them, and which images expire."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast

from localcloud.aws import Aws
from localcloud.fields import Field, Refusal, block, blocks, flag, json_text, text
from localcloud.kinds import Kind, Props
from localcloud.resources import _policy, _tags
from localcloud.resources._known import entries, members

# --- Repository ------------------------------------------------------------------------------------------------------

# ECR user guide, "Preventing image tags from being overwritten": the filters go with these two, and these two with filters.
_WITH_FILTERS = ("IMMUTABLE_WITH_EXCLUSION", "MUTABLE_WITH_EXCLUSION")


def _mutability(inputs: Props) -> Props:
    filters = [{"filterType": each["filterType"], "filter": each["filter"]} for each in inputs.get("imageTagMutabilityExclusionFilters") or []]
    return {"imageTagMutability": inputs["imageTagMutability"], **({"imageTagMutabilityExclusionFilters": filters} if filters else {})}


def _scanning(inputs: Props) -> Props:
    return {"scanOnPush": bool((inputs.get("imageScanningConfiguration") or {}).get("scanOnPush"))}


def _create_repository(aws: Aws, inputs: Props) -> str:
    wanted = {**_mutability(inputs), "imageScanningConfiguration": _scanning(inputs)}
    for encryption in inputs.get("encryptionConfigurations") or []:
        key = {"kmsKey": encryption["kmsKey"]} if encryption.get("kmsKey") else {}
        wanted["encryptionConfiguration"] = {"encryptionType": encryption.get("encryptionType", "AES256"), **key}
    if inputs.get("tags"):
        wanted["tags"] = _tags.as_list(inputs["tags"])
    return str(aws.client("ecr").create_repository(repositoryName=inputs["name"], **wanted)["repository"]["repositoryName"])


def _repository(aws: Aws, name: str) -> Props:
    live: Props = aws.client("ecr").describe_repositories(repositoryNames=[name])["repositories"][0]
    return live


def _read_repository(aws: Aws, name: str, known: Props) -> Props:
    live = _repository(aws, name)
    asked = next(iter(entries(known.get("encryptionConfigurations"))), {})
    # The key that ECR took by itself is shown to nobody who did not name one; it would look like a change.
    hidden = {"kmsKey"} if asked and "kmsKey" not in asked else set[str]()
    encryption = {member: value for member, value in live["encryptionConfiguration"].items() if member not in hidden}
    if "encryptionType" not in asked and encryption["encryptionType"] == "AES256" and asked:
        del encryption["encryptionType"]
    return {
        "name": live["repositoryName"],
        "encryptionConfigurations": [encryption],
        "imageScanningConfiguration": {"scanOnPush": live["imageScanningConfiguration"]["scanOnPush"]},
        "imageTagMutability": live["imageTagMutability"],
        "imageTagMutabilityExclusionFilters": live.get("imageTagMutabilityExclusionFilters", []),
        "arn": live["repositoryArn"],
        "registryId": live["registryId"],
        "repositoryUrl": live["repositoryUri"],
        "tags": _tags.as_map(aws.client("ecr").list_tags_for_resource(resourceArn=live["repositoryArn"])["tags"]),
    }


def _update_repository(aws: Aws, name: str, new: Props, old: Props) -> None:
    ecr, arn = aws.client("ecr"), _repository(aws, name)["repositoryArn"]
    ecr.put_image_tag_mutability(repositoryName=name, **_mutability(new))
    ecr.put_image_scanning_configuration(repositoryName=name, imageScanningConfiguration=_scanning(new))
    _tags.apply(
        old.get("tags"),
        new.get("tags"),
        tag=lambda tags: ecr.tag_resource(resourceArn=arn, tags=_tags.as_list(tags)),
        untag=lambda keys: ecr.untag_resource(resourceArn=arn, tagKeys=keys),
    )


def _delete_repository(aws: Aws, name: str, state: Props) -> None:
    aws.client("ecr").delete_repository(repositoryName=name, force=bool(state.get("forceDelete")))


def _repository_refusals(inputs: Props) -> Iterator[Refusal]:
    filters, mutability = inputs.get("imageTagMutabilityExclusionFilters"), inputs["imageTagMutability"]
    if filters and mutability in ("IMMUTABLE", "MUTABLE"):
        yield Refusal("imageTagMutabilityExclusionFilters", f"imageTagMutability {mutability} has no exceptions; use one of {', '.join(_WITH_FILTERS)}")
    if not filters and mutability in _WITH_FILTERS:
        yield Refusal("imageTagMutability", f"{mutability} needs the exceptions: imageTagMutabilityExclusionFilters is missing")
    for position, encryption in enumerate(entries(inputs.get("encryptionConfigurations"))):
        if encryption.get("kmsKey") and encryption.get("encryptionType", "AES256") == "AES256":
            yield Refusal(f"encryptionConfigurations[{position}].kmsKey", "encryptionType AES256 has no key of yours; set it to KMS")


_FILTER = "CreateRepository.imageTagMutabilityExclusionFilters"

REPOSITORY = Kind(
    type="aws:ecr/repository:Repository",
    client="ecr",
    inputs={
        "name": text(required=True, replaces=True, shape="CreateRepository.repositoryName"),
        "encryptionConfigurations": blocks(
            {
                "encryptionType": text(shape="CreateRepository.encryptionConfiguration.encryptionType"),
                "kmsKey": text(shape="CreateRepository.encryptionConfiguration.kmsKey"),
            },
            replaces=True,
            at_most=1,
        ),
        "forceDelete": flag(),
        "imageScanningConfiguration": block({"scanOnPush": flag(required=True)}),
        "imageTagMutability": text(shape="CreateRepository.imageTagMutability"),
        "imageTagMutabilityExclusionFilters": blocks(
            {"filter": text(required=True, shape=f"{_FILTER}.filter"), "filterType": text(required=True, shape=f"{_FILTER}.filterType")},
            unordered=True,
            shape=_FILTER,
        ),
    },
    outputs=("arn", "registryId", "repositoryUrl"),
    tagged=True,
    defaults={"imageTagMutability": "MUTABLE"},
    rule=_repository_refusals,
    create=_create_repository,
    read=_read_repository,
    update=_update_repository,
    delete=_delete_repository,
)


# --- RepositoryPolicy ------------------------------------------------------------------------------------------------


def _put_policy(aws: Aws, inputs: Props) -> str:
    return str(aws.client("ecr").set_repository_policy(repositoryName=inputs["repository"], policyText=inputs["policy"])["repositoryName"])


def _read_policy(aws: Aws, repository: str, _: Props) -> Props:
    live = aws.client("ecr").get_repository_policy(repositoryName=repository)
    return {"repository": live["repositoryName"], "policy": live["policyText"], "registryId": live["registryId"]}


def _update_policy(aws: Aws, _: str, new: Props, __: Props) -> None:
    _put_policy(aws, new)


def _delete_policy(aws: Aws, repository: str, _: Props) -> None:
    aws.client("ecr").delete_repository_policy(repositoryName=repository)


def _repository_name() -> Field:
    return text(required=True, replaces=True, shape="CreateRepository.repositoryName")


REPOSITORY_POLICY = Kind(
    type="aws:ecr/repositoryPolicy:RepositoryPolicy",
    client="ecr",
    # API reference, SetRepositoryPolicy: at most 10,240 characters.
    inputs={"repository": _repository_name(), "policy": _policy.resource(10_240, required=True)},
    outputs=("registryId",),
    create=_put_policy,
    read=_read_policy,
    update=_update_policy,
    delete=_delete_policy,
)


# --- LifecyclePolicy -------------------------------------------------------------------------------------------------

# ECR user guide, "Lifecycle policy properties in Amazon ECR"; of its actions and counts, those that moto takes.
_RULE = {"rulePriority", "description", "selection", "action"}
_SELECTION = {"tagStatus", "tagPatternList", "tagPrefixList", "countType", "countUnit", "countNumber"}
_MOST_WILDCARDS = 4


def _lifecycle(document: str) -> str | None:
    try:
        policy = json.loads(document)
    except ValueError:
        return None  # the field itself says so
    rules = cast("Any", policy).get("rules") if isinstance(policy, dict) else None
    if not isinstance(rules, list) or not rules or set(cast("Props", policy)) != {"rules"}:
        return "it must be an object with rules, a list of at least one, and nothing else"
    found = [f"rules[{position}]: {problem}" for position, rule in enumerate(entries(rules)) for problem in _rule_problems(rule)]
    found += _problems_between(entries(rules))
    return f"it is not a policy that ECR takes: {'; '.join(found)}" if found else None


def _rule_problems(rule: Props) -> Iterator[str]:
    selection = members(rule.get("selection"))
    if unknown := sorted((set(rule) - _RULE) | (set(selection) - _SELECTION)):
        yield f"unknown {', '.join(unknown)}"
    priority, number = rule.get("rulePriority"), selection.get("countNumber")
    if type(priority) is not int or priority < 1:
        yield f"rulePriority is {json.dumps(priority)}; it must be a whole number from 1 on"
    if type(number) is not int or number < 1:
        yield f"countNumber is {json.dumps(number)}; it must be a whole number from 1 on"
    if rule.get("action") != {"type": "expire"}:
        yield f'action is {json.dumps(rule.get("action"))}; it must be {{"type": "expire"}}'
    counted, unit = selection.get("countType"), selection.get("countUnit")
    if counted not in ("imageCountMoreThan", "sinceImagePushed"):
        yield f"countType is {json.dumps(counted)}; it must be imageCountMoreThan or sinceImagePushed"
    elif unit != ("days" if counted == "sinceImagePushed" else None):
        yield f"countUnit is {json.dumps(unit)}; it is days with countType sinceImagePushed, and left out with imageCountMoreThan"
    yield from _tag_problems(selection)


def _tag_problems(selection: Props) -> Iterator[str]:
    status, lists = selection.get("tagStatus"), [selection[name] for name in ("tagPatternList", "tagPrefixList") if selection.get(name)]
    if status not in ("tagged", "untagged", "any"):
        yield f"tagStatus is {json.dumps(status)}; it must be tagged, untagged or any"
    elif (status == "tagged") != (len(lists) == 1):
        yield "tagStatus tagged goes with one of tagPatternList and tagPrefixList, and no other with either"
    if crowded := [pattern for pattern in selection.get("tagPatternList") or [] if str(pattern).count("*") > _MOST_WILDCARDS]:
        yield f"pattern {crowded[0]} has more than {_MOST_WILDCARDS} wildcards"


def _problems_between(rules: list[Props]) -> list[str]:
    priorities = [rule.get("rulePriority") for rule in rules]
    repeated = [f"rulePriority {priority} is used more than once" for priority in dict.fromkeys(priorities) if priorities.count(priority) > 1]
    last = max((priority for priority in priorities if type(priority) is int), default=0)
    early = [rule for rule in rules if members(rule.get("selection")).get("tagStatus") == "any" and rule.get("rulePriority") != last]
    return repeated + ["a rule with tagStatus any must have the highest rulePriority" for _ in early[:1]]


def _put_lifecycle(aws: Aws, inputs: Props) -> str:
    return str(aws.client("ecr").put_lifecycle_policy(repositoryName=inputs["repository"], lifecyclePolicyText=inputs["policy"])["repositoryName"])


def _read_lifecycle(aws: Aws, repository: str, _: Props) -> Props:
    live = aws.client("ecr").get_lifecycle_policy(repositoryName=repository)
    return {"repository": live["repositoryName"], "policy": live["lifecyclePolicyText"], "registryId": live["registryId"]}


def _delete_lifecycle(aws: Aws, repository: str, _: Props) -> None:
    aws.client("ecr").delete_lifecycle_policy(repositoryName=repository)


LIFECYCLE_POLICY = Kind(
    type="aws:ecr/lifecyclePolicy:LifecyclePolicy",
    client="ecr",
    # API reference, PutLifecyclePolicy: 100 to 30,720 characters.
    inputs={
        "repository": _repository_name(),
        "policy": json_text(required=True, replaces=True, shape="PutLifecyclePolicy.lifecyclePolicyText", rule=_lifecycle),
    },
    outputs=("registryId",),
    create=_put_lifecycle,
    read=_read_lifecycle,
    delete=_delete_lifecycle,
)

KINDS = (REPOSITORY, REPOSITORY_POLICY, LIFECYCLE_POLICY)
