"""Pages made of any capabilities, whichever customer first asked for them, and a small set of them that has every two together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations, product
from random import Random
from typing import Any, Protocol, TypeVar

from hypothesis import strategies as st

from projects.networking.settings import needed_endpoints
from shared.environment import shape_of
from shared.page import Page

T = TypeVar("T")
Cross = Mapping[str, str]
_Config = dict[str, Any]

CAPABILITIES: Mapping[str, Sequence[str]] = {
    "compute": ("functions", "containers"),
    "database": ("rds", "aurora", "aurora-serverless", "dynamodb"),
    "key": ("customer", "aws"),
    "cache": ("none", "alone", "replicated"),
    "way out": ("nat-gateway", "nat-instance", "none"),
    "endpoints": ("needed", "all"),
    "tables": ("on-demand", "provisioned", "autoscaled"),
    "buckets": ("plain", "moving", "unversioned"),
    # Of functions' API: a domain, or bodies in its log. Of containers: an image of one's own, or clients from certain addresses alone.
    "door": ("plain", "of its own", "particular"),
    # Of functions' API; a load balancer always has one before it.
    "firewall": ("none", "asked for"),
    "processor": ("sandbox", "stripe"),
    "alarms": ("none", "silent", "paging"),
    "availability": ("any", "high"),
    "naming": ("usual", "by suffix", "environment first"),
    "region": ("us-east-1", "us-east-2"),
    "copy": ("original", "copy"),
}
"""What a page may have, by what it decides on; each of a row goes with each of the others, but for `goes`."""

_PLAINEST = {name: options[0] for name, options in CAPABILITIES.items()} | {"cache": "replicated", "alarms": "paging"}

ACCOUNT = "123456789012"
PATTERNS = {"usual": "{resource}-{stage}-{suffix}", "by suffix": "payment-{resource}-{suffix}", "environment first": "{stage}-{suffix}-{resource}"}


def goes(cross: Cross) -> bool:
    """Whether a page may have these together."""
    # What survives a zone has all of it in two, and somebody hears when one is lost.
    high = cross["availability"] == "high"
    frail = cross["way out"] == "nat-instance" or cross["cache"] == "alone" or cross["alarms"] != "paging"
    return not (high and frail)


Pairs = set[tuple[tuple[str, str], tuple[str, str]]]

# What the other sections of a page have to do with: each two of these stand together somewhere, and each other capability with either compute.
_STRUCTURAL = ("compute", "database", "way out", "cache")


def pairs(cross: Cross) -> Pairs:
    """Each two capabilities that stand together in it, as far as `wanted` asks for them."""
    found = combinations(cross.items(), 2)
    return {(one, other) for one, other in found if one[0] == "compute" or {one[0], other[0]} <= set(_STRUCTURAL)}


def wanted() -> Pairs:
    """Each two capabilities that can stand together and are to be seen together."""
    found: Pairs = set()
    for one, other in combinations(CAPABILITIES, 2):
        for values in product(CAPABILITIES[one], CAPABILITIES[other]):
            chosen = {**_PLAINEST, one: values[0], other: values[1]}
            if goes(chosen):
                found |= pairs({name: chosen[name] for name in (one, other)})
    return found


def covering(seed: int = 1) -> list[Cross]:
    """A few crosses that have all wanted pairs, found greedily; the same ones each time."""
    random, left, found = Random(seed), wanted(), list[Cross]()  # noqa: S311 - no secret
    while left:
        best = max((_grown(random, left) for _ in range(40)), key=lambda cross: len(pairs(cross) & left))
        left -= pairs(best)
        found.append(best)
    return found


def _grown(random: Random, left: Pairs) -> Cross:
    """A cross around one pair that is still left, with the options that bring most others; where none does, with any."""
    around = dict(random.choice(sorted(left)))
    cross = {**_PLAINEST, **around}
    for name in random.sample(list(CAPABILITIES), len(CAPABILITIES)):
        if name not in around:
            possible = [option for option in CAPABILITIES[name] if goes({**cross, name: option})]
            cross[name] = max(possible, key=lambda option, name=name: (len(pairs({**cross, name: option}) & left), random.random()))
    return cross


class Pick(Protocol):
    """Chooses one of several."""

    def __call__(self, options: Sequence[T], /) -> T: ...


@st.composite
def crosses(draw: st.DrawFn) -> Cross:
    """Any cross that goes."""
    return draw(st.fixed_dictionaries({name: st.sampled_from(options) for name, options in CAPABILITIES.items()}).filter(goes))


@st.composite
def drawn_pages(draw: st.DrawFn) -> Page:
    """Any page: any capabilities, in any of some sizes."""

    def pick(options: Sequence[T]) -> T:
        return draw(st.sampled_from(options))

    return page_of(draw(crosses()), pick)


def page_of(cross: Cross, pick: Pick) -> Page:
    """A page with these capabilities; sizes, names and numbers are picked, and matter to no other section."""
    config: _Config = {}
    for section in (_platform, _stores, _service, _watch):
        config.update(section(cross, pick))
    # Which endpoints there must be is decided by what the others say.
    return Page("any", {**config, **_network(cross, pick, needed=needed_endpoints(shape_of(Page("any", config))))})


def _platform(cross: Cross, pick: Pick) -> _Config:
    # 11 characters are the most that a load balancer's name has for a suffix, beside the longest stage.
    found: _Config = {
        "aws:region": cross["region"],
        "aws:allowedAccountIds": [ACCOUNT],
        "platform:stage": pick(("dev", "staging", "prod")),
        "platform:environmentSuffix": pick(("a", "main", "pr42", "blue-7", "x9y8z7w6v5u")),
        "platform:naming": PATTERNS[cross["naming"]],
        "platform:logRetentionDays": pick((1, 30, 365)),
        "platform:tags": {"Project": "payments", "Team": "payments", "CostCenter": "payments-any", "DataClassification": "restricted"},
    }
    if cross["naming"] == "by suffix":
        found["platform:bucketNaming"] = pick(("fintech-payments-{stage}-{suffix}-{resource}", "{resource}-{suffix}-{account}"))
    if cross["availability"] == "high":
        found["platform:highAvailability"] = True
    if cross["copy"] == "copy":
        found["platform:copyOf"] = "any"
    return found


def _database(cross: Cross, pick: Pick) -> _Config:
    high, kind = cross["availability"] == "high", cross["database"]
    if kind == "dynamodb":
        return {"kind": kind}
    found: _Config = {"kind": kind, "key": cross["key"], "backupRetentionDays": pick((1, 7, 35))}
    if kind == "rds":
        return found | {"instanceClass": pick(("db.t3.small", "db.m5.large", "db.r7g.xlarge")), "multiAz": high or pick((False, True))}
    if kind == "aurora":
        return found | {"instanceClass": pick(("db.t3.medium", "db.r5.large", "db.r7g.xlarge")), "instances": 2 if high else pick((1, 2, 3))}
    least, most = pick(((0, 1), (0.5, 2), (1, 16), (8, 256)))
    return found | {"minCapacity": least, "maxCapacity": most, "readers": 1 if high else pick((0, 1, 2))}


def _stores(cross: Cross, pick: Pick) -> _Config:
    tables: _Config = {"billing": cross["tables"], "pointInTimeRecovery": pick((False, True))}
    if cross["tables"] != "on-demand":
        tables |= {"readCapacity": pick((1, 5)), "writeCapacity": pick((1, 5))}
    if cross["tables"] == "autoscaled":
        tables |= {"maxReadCapacity": pick((10, 100)), "maxWriteCapacity": pick((10, 100))}
    if cross["tables"] != "on-demand" and cross["database"] == "dynamodb":
        # Enough for what `_functions` lets in.
        if cross["tables"] == "provisioned":
            tables |= {"writeCapacity": 200, "payments": {"readCapacity": 1000, "writeCapacity": 4000}}
        else:
            own = {"readCapacity": 5, "writeCapacity": 25, "maxReadCapacity": 1000, "maxWriteCapacity": 4000}
            tables |= {"maxWriteCapacity": 200, "payments": own}
    buckets: dict[str, _Config] = {
        "plain": {},
        "moving": {"intelligentTieringDays": 10, "glacierDays": pick((20, 25)), "auditExpireDays": pick((26, 400))},
        "unversioned": {"versioning": False},
    }
    found: _Config = {
        "data:database": _database(cross, pick),
        "data:tables": tables,
        "data:buckets": {"expireDays": pick((30, 365)), **buckets[cross["buckets"]]},
    }
    if cross["cache"] != "none":
        replicas = 0 if cross["cache"] == "alone" else pick((1, 2))
        found["data:cache"] = {"nodeType": pick(("cache.t4g.micro", "cache.m7g.large")), "replicas": replicas}
    return found


def _service(cross: Cross, pick: Pick) -> _Config:
    processor: _Config = {"name": cross["processor"]}
    if cross["processor"] == "stripe":
        processor["secretArn"] = f"arn:aws:secretsmanager:{cross['region']}:{ACCOUNT}:secret:stripe-a1b2c3"
        if cross["way out"] == "none":
            processor["endpoint"] = "https://stripe.internal.example.com"
    doors = _functions(cross, pick) if cross["compute"] == "functions" else _containers(cross, pick)
    return {**doors, "app:processor": processor}


def _functions(cross: Cross, pick: Pick) -> _Config:
    # What a table has to carry is at most 50 a second.
    fast = () if cross["database"] == "dynamodb" and cross["tables"] != "on-demand" else (10_000,)
    api: _Config = {"rateLimit": pick((0.5, 50, *fast)), "burstLimit": pick((1, 100))}
    doors: dict[str, _Config] = {"plain": {}, "of its own": {"domain": {"name": "payments.example.com"}}, "particular": {"logBodies": True}}
    if cross["firewall"] == "asked for":
        api["firewall"] = {"rateLimit": pick((10, 600_000))}
    api |= pick(({}, {"accountLogging": False}))
    functions: _Config = {"memory": pick((128, 1024, 10_240)), "timeout": pick((20, 29))}
    reserved = pick((None, 2, 100))
    return {"app:functions": functions if reserved is None else {**functions, "reservedConcurrency": reserved}, "app:api": {**api, **doors[cross["door"]]}}


def _containers(cross: Cross, pick: Pick) -> _Config:
    least = 2 if cross["availability"] == "high" else pick((1, 2))

    def tasks() -> _Config:
        cpu, memory = pick(((256, 512), (512, 4096), (1024, 8192), (16_384, 122_880)))
        return {"cpu": cpu, "memory": memory, "minTasks": least, "maxTasks": pick((2, 10))}

    doors: dict[str, _Config] = {
        "plain": {},
        "of its own": {"image": f"{ACCOUNT}.dkr.ecr.{cross['region']}.amazonaws.com/payments/service:1.4.2"},
        "particular": {"allowedCidrs": ["192.0.2.0/24", "198.51.100.0/24"]},
    }
    found: _Config = {"web": tasks(), "worker": tasks(), "domain": {"name": "payments.example.com"}, "rateLimit": pick((10, 1000))}
    found |= pick(({}, {"apiKeyGeneration": 2}))
    return {"app:containers": found | doors[cross["door"]]}


def _watch(cross: Cross, pick: Pick) -> _Config:
    notifications: _Config = {"paging": cross["alarms"] == "paging", **pick(({}, {"emails": ["payments@example.com"]}))}
    found: _Config = {"observability:notifications": notifications, "observability:trail": {"tableEvents": pick((False, True))}}
    if cross["alarms"] != "none":
        found["observability:alarms"] = pick(({}, {"databaseCpu": 50}))
    return found


def _network(cross: Cross, pick: Pick, *, needed: tuple[set[str], set[str]]) -> _Config:
    egress: _Config = {"kind": cross["way out"]}
    if cross["way out"] == "nat-gateway":
        egress["perZone"] = cross["availability"] == "high" or pick((False, True))
    everything = {"secretsmanager", "kms", "sqs", "sns", "logs", "xray", "ecr.api", "ecr.dkr"}
    gateway, interface = needed
    wanted = everything if cross["endpoints"] == "all" else interface if cross["way out"] == "none" else set[str]()
    # Where nothing else leads to the processor, its own endpoint does.
    private = {"processor": f"com.amazonaws.vpce.{cross['region']}.vpce-svc-0a1b2c3d4e5f60718"}
    closed = cross["processor"] == "stripe" and cross["way out"] == "none"
    return {
        "networking:vpc": {"cidr": pick(("10.0.0.0/16", "172.16.0.0/20", "192.168.0.0/18")), "availabilityZones": pick((2, 3))},
        "networking:egress": egress,
        "networking:endpoints": {"gateway": sorted(gateway), "interface": sorted(wanted), **(private if closed else {})},
    }
