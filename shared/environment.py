"""What every program knows of the environment it deploys: stage, suffix, account, region, names and tags."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args

from pydantic import ConfigDict, Field, StringConstraints, field_validator

from shared import naming
from shared.page import Page, PageError, Problem, Settings, problem

Stage = Literal["dev", "staging", "prod"]
DatabaseKind = Literal["rds", "aurora", "aurora-serverless", "dynamodb"]
WayOut = Literal["nat-gateway", "nat-instance", "none"]
AccountId = Annotated[str, StringConstraints(pattern=r"^\d{12}$")]

PARTITION = "aws"

# AWS's tag limits: "Tag naming and usage conventions" in the AWS General Reference.
TagValue = Annotated[str, StringConstraints(max_length=256, pattern=r"^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$")]

RETENTION_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)


class Tags(Settings):
    """The tags of a page; Environment and Suffix are added from the stage and the suffix."""

    model_config = ConfigDict(alias_generator=None)

    Project: TagValue
    Team: TagValue
    CostCenter: TagValue
    DataClassification: TagValue


class Platform(Settings):
    """The `platform:` keys of a page.

    stage: which of the three stages the environment is; it is in every name.
    environment_suffix: tells copies of one stage apart in names and tags.
    naming: pattern of physical names; has {resource}, {stage} and {suffix}.
    bucket_naming: pattern of the names of S3 buckets, which all of AWS's customers share; has {account} too. Left out, it is `naming` and the account.
    organization: of the Pulumi backend; `organization` where the backend has none (file, S3).
    copy_of: the environment that this one is a short-lived copy of (`--suffix` sets it); what AWS has once per account is the original's.
    protected: deploy and destroy ask for the environment's name.
    high_availability: the programs must be configured to survive the loss of an availability zone; a page that is not is refused.
    log_retention_days: CloudWatch Logs retention in days, one of the values that AWS offers.
    """

    stage: Stage
    environment_suffix: str
    naming: str = "{resource}-{stage}-{suffix}"
    bucket_naming: str | None = None
    organization: str = "organization"
    copy_of: str = ""
    protected: bool = False
    high_availability: bool = False
    log_retention_days: int
    tags: Tags

    @field_validator("environment_suffix")
    @classmethod
    def _suffix(cls, value: str) -> str:
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", value):
            raise ValueError("must be lower-case letters and digits, with single hyphens inside (S3, RDS and ALB take no others)")
        return value

    @field_validator("naming")
    @classmethod
    def _naming(cls, value: str) -> str:
        return naming.checked_pattern(value)

    @field_validator("bucket_naming")
    @classmethod
    def _bucket_naming(cls, value: str | None) -> str | None:
        return None if value is None else naming.checked_pattern(value, also={"account"})

    @field_validator("log_retention_days")
    @classmethod
    def _retention(cls, value: int) -> int:
        if value not in RETENTION_DAYS:
            raise ValueError(f"CloudWatch Logs keeps for one of {', '.join(map(str, RETENTION_DAYS))} days")
        return value


@dataclass(frozen=True)
class Shape:
    """What the environment is made of, as far as one program must know of what another one makes.

    It is read from the sections that decide it, so that nothing is said twice on a page. A section that is malformed counts as the default
    here, and is refused by the program whose it is.
    database: `dynamodb` keeps payments in a table, and there is no relational database. database_key: `aws` has keys that AWS manages, and none of
    our own. cache: there is a Redis, which also has the sessions. clients: the address ranges that containers' load balancer is open to.
    firewall: a web ACL stands before the load balancer, or before the API's stage. request_rate: requests per second that API Gateway lets in (its
    rateLimit); None where there is none. alarms: without them nobody is told of anything.
    outside: ARNs of what others made and the page names: the processor's secret and its key, the repository of an image.
    private_processor: the network has an endpoint of the payment processor's own.
    """

    compute: Literal["lambda", "containers"] = "lambda"
    database: DatabaseKind = "rds"
    database_key: Literal["customer", "aws"] = "customer"
    cache: bool = False
    clients: tuple[str, ...] = ("0.0.0.0/0",)
    way_out: WayOut = "nat-gateway"
    firewall: bool = False
    request_rate: float | None = None
    alarms: bool = True
    outside: tuple[str, ...] = ()
    private_processor: bool = False

    @property
    def relational(self) -> bool:
        """Whether payments are kept in PostgreSQL."""
        return self.database != "dynamodb"


def shape_of(page: Page) -> Shape:
    """The shape that a page describes."""

    def word(key: str, part: str, known: tuple[str, ...], default: str) -> Any:
        section = page.config.get(key)
        value = section.get(part, default) if isinstance(section, dict) else default
        return value if value in known else default

    containers: Any = page.config.get("app:containers")
    api: Any = page.config.get("app:api")
    endpoints: Any = page.config.get("networking:endpoints")
    ranges = containers.get("allowedCidrs") if isinstance(containers, dict) else None
    rate = api.get("rateLimit") if isinstance(api, dict) else None
    return Shape(
        compute="containers" if "app:containers" in page.config else "lambda",
        database=word("data:database", "kind", get_args(DatabaseKind), "rds"),
        database_key=word("data:database", "key", ("customer", "aws"), "customer"),
        cache="data:cache" in page.config,
        clients=tuple(map(str, ranges)) if isinstance(ranges, list) and ranges else Shape.clients,
        way_out=word("networking:egress", "kind", get_args(WayOut), "nat-gateway"),
        firewall="app:containers" in page.config or (isinstance(api, dict) and api.get("firewall") is not None),
        request_rate=rate if isinstance(rate, int | float) and not isinstance(rate, bool) else None,
        alarms="observability:alarms" in page.config,
        outside=tuple(_outside(page)),
        private_processor=isinstance(endpoints, dict) and endpoints.get("processor") is not None,
    )


# Account, region and path of an image in ECR.
_ECR = re.compile(r"(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com/([^:@]+)[:@].+")


def _outside(page: Page) -> Iterator[str]:
    processor: Any = page.config.get("app:processor")
    for part in ("secretArn", "secretKeyArn"):
        arn = processor.get(part) if isinstance(processor, dict) else None
        if isinstance(arn, str) and arn.startswith("arn:"):
            yield arn
    containers: Any = page.config.get("app:containers")
    image = containers.get("image") if isinstance(containers, dict) else None
    if isinstance(image, str) and (found := _ECR.fullmatch(image)):
        account, region, path = found.groups()
        yield f"arn:{PARTITION}:ecr:{region}:{account}:repository/{path}"


class AwsKeys(Settings):
    """The `aws:` keys of a page: the AWS provider's own. One account, so that the provider refuses to touch another."""

    region: str
    allowed_account_ids: Annotated[list[AccountId], Field(min_length=1, max_length=1)]

    @field_validator("region")
    @classmethod
    def _region(cls, value: str) -> str:
        # The partition's own pattern, from the endpoints that AWS publishes with its SDKs; in China and GovCloud ARNs begin otherwise.
        if not re.fullmatch(r"(us|eu|ap|sa|ca|me|af|il|mx)-[a-z]+-\d+", value):
            raise ValueError(f"must be a region of the partition {PARTITION}, such as us-east-1: the platform's ARNs begin with arn:{PARTITION}")
        return value


@dataclass(frozen=True)
class Environment:
    """One environment, as all programs see it."""

    platform: Platform
    account: str
    region: str
    names: naming.Names
    shape: Shape = Shape()

    @property
    def tags(self) -> Mapping[str, str]:
        """The tags that every resource bears."""
        own = {"Environment": self.platform.stage, "Suffix": self.platform.environment_suffix}
        return {**self.platform.tags.model_dump(), **own}

    def arn(self, service: str, resource: str, *, region: str | None = None, account: str | None = None) -> str:
        """An ARN in this environment's account and region; pass `""` for the part that a service leaves out."""
        region = self.region if region is None else region
        account = self.account if account is None else account
        return f"arn:{PARTITION}:{service}:{region}:{account}:{resource}"


def environment_of(page: Page) -> Environment:
    """The environment that a page describes; raises PageError with all that is wrong in `platform:` and `aws:`."""
    problems: list[Problem] = []
    platform: Platform | None = None
    keys: AwsKeys | None = None
    try:
        platform = page.settings("platform", Platform)
    except PageError as error:
        problems += error.problems
    try:
        keys = page.settings("aws", AwsKeys)
    except PageError as error:
        problems += error.problems
    if platform is not None and keys is not None:
        names = naming.Names(platform.naming, platform.stage, platform.environment_suffix, keys.allowed_account_ids[0], platform.bucket_naming)
        problems += [problem(page.file, "platform:environmentSuffix", rule, platform.environment_suffix) for rule in names.problems()]
        if not problems:
            return Environment(platform, keys.allowed_account_ids[0], keys.region, names, shape_of(page))
    raise PageError(problems)
