"""Physical names: one pattern, one function, AWS's limits.

AWS shares a name's length between the resource's own word and the environment's part. `WORD` says how much of it the word may
take, so that a suffix that is too long is known from the page alone, before any resource is named.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from string import Formatter


@dataclass(frozen=True)
class Limit:
    """What AWS allows as the name of one kind of resource.

    length: characters at most; word: how many of them the resource's own word may take; pattern: the alphabet, as AWS documents it.
    """

    what: str
    length: int
    word: int
    pattern: str


# Sources: each service's API reference for its create operation (Name / Identifier).
BUCKET = Limit("S3 bucket", 63, 20, r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
DATABASE = Limit("RDS identifier", 63, 30, r"[a-z](?!.*--)[a-z0-9-]*[a-z0-9]")
LOAD_BALANCER = Limit("load balancer or target group", 32, 12, r"[A-Za-z0-9](?!.*--)[A-Za-z0-9-]*[A-Za-z0-9]")
CACHE = Limit("ElastiCache replication group", 40, 16, r"[a-z](?!.*--)[a-z0-9-]*[a-z0-9]")
ROLE = Limit("IAM role", 64, 32, r"[\w+=,.@-]+")
QUEUE = Limit("SQS queue", 80, 40, r"[A-Za-z0-9_-]+")
FUNCTION = Limit("Lambda function", 64, 32, r"[A-Za-z0-9_-]+")
RULE = Limit("EventBridge rule", 64, 32, r"[A-Za-z0-9_.-]+")
TABLE = Limit("DynamoDB table", 255, 60, r"[A-Za-z0-9_.-]+")
TOPIC = Limit("SNS topic", 256, 60, r"[A-Za-z0-9_-]+")
LOG_GROUP = Limit("CloudWatch log group", 512, 100, r"[A-Za-z0-9_/.#-]+")
ALIAS = Limit("KMS alias", 250, 60, r"[A-Za-z0-9/_-]+")
TRAIL = Limit("CloudTrail trail", 128, 60, r"[A-Za-z0-9](?!.*[._-]{2})[A-Za-z0-9._-]*[A-Za-z0-9]")
ANY = Limit("name", 128, 60, r"[A-Za-z0-9_/.-]+")

LIMITS = (BUCKET, DATABASE, LOAD_BALANCER, CACHE, ROLE, QUEUE, FUNCTION, RULE, TABLE, TOPIC, LOG_GROUP, ALIAS, TRAIL, ANY)

_PARTS = {"resource", "stage", "suffix"}


def checked_pattern(pattern: str, *, also: Collection[str] = ()) -> str:
    """The pattern, if it has {resource} and {suffix} and no part that names (and `also`) do not know; ValueError otherwise."""
    known = _PARTS | set(also)
    found = [(part, spec, conversion) for _, part, spec, conversion in Formatter().parse(pattern) if part is not None]
    if formatted := [part for part, spec, conversion in found if spec or conversion]:
        raise ValueError(f"says how {', '.join(formatted)} is to be written; a part has its name between the braces and nothing else")
    parts = {part for part, _, _ in found}
    if unknown := parts - known:
        raise ValueError(f"has unknown parts {', '.join(sorted(unknown))}; it may have {', '.join(f'{{{part}}}' for part in sorted(known))}")
    if missing := {"resource", "suffix"} - parts:
        raise ValueError(f"lacks {', '.join(f'{{{part}}}' for part in sorted(missing))}; without it names of two copies collide")
    return pattern


@dataclass(frozen=True)
class Names:
    """Makes the physical names of one environment."""

    pattern: str
    stage: str
    suffix: str
    account: str
    buckets: str | None = None

    def __call__(self, word: str, limit: Limit = ANY) -> str:
        """The name of the resource called `word`; ValueError when AWS would refuse it.

        Buckets are named in one space by all of AWS's customers, so theirs end with the account's number, or have a pattern of their own.
        """
        if len(word) > limit.word:
            raise ValueError(f"{word!r} has {len(word)} characters; the word of one {limit.what}'s name may have {limit.word}, the rest is the environment's")
        name = self._filled(word, limit)
        if len(name) > limit.length or not re.fullmatch(limit.pattern, name):
            raise ValueError(f"{name!r} is no name for one {limit.what}: at most {limit.length} characters of {limit.pattern}")
        return name

    def camel(self, word: str) -> str:
        """The name with its words told apart by capitals, for what may have letters and digits alone, such as API Gateway's models.

        `a-b` and `ab` may become the same: for names within something that is the environment's already.
        """
        return "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", self(word)))

    def problems(self) -> Iterator[str]:
        """Which limits the environment's part of a name breaks, whatever the resource's word is: lengths, and the services' alphabets."""
        for limit in LIMITS:
            longest = self._filled("x" * limit.word, limit)
            if len(longest) > limit.length:
                over = len(longest) - limit.length
                yield f"is {over} characters too long for the name of one {limit.what} ({limit.length} characters, {limit.word} of them the resource's)"
            elif not re.fullmatch(limit.pattern, shortest := self._filled("x", limit)):
                yield f"with the naming {self._pattern(limit)!r} makes names such as {shortest!r}, which one {limit.what} may not have: {limit.pattern}"

    def _filled(self, word: str, limit: Limit) -> str:
        return self._pattern(limit).format(resource=word, stage=self.stage, suffix=self.suffix, account=self.account)

    def _pattern(self, limit: Limit) -> str:
        return self.pattern if limit is not BUCKET else self.buckets or f"{self.pattern}-{{account}}"
