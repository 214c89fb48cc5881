"""Examples of CloudWatch Logs: what a log group masks."""

import json
from typing import Any

from localcloud.aws import Aws
from tests.localcloud.examples import Example, Ref

_CARD = "arn:aws:dataprotection::aws:data-identifier/CreditCardNumber"
_CODE = "arn:aws:dataprotection::aws:data-identifier/CreditCardSecurityCode"
_MASK: dict[str, Any] = {"Deidentify": {"MaskConfig": {}}}
_AUDIT: dict[str, Any] = {"Audit": {"FindingsDestination": {}}}


def _policy(*identifiers: str, audit: Any = _AUDIT, mask: Any = _MASK, **about: Any) -> str:
    statements = [{"Sid": sid, "DataIdentifier": identifiers, "Operation": operation} for sid, operation in (("find", audit), ("mask", mask))]
    return json.dumps({"Name": "cards", "Version": "2021-06-01", "Statement": statements, **about})


def _own(*names: str, regex: str = r"[2-9]\d{12,18}") -> Any:
    return {"CustomDataIdentifier": [{"Name": name, "Regex": regex} for name in names]}


def _unmask(aws: Aws, group: str) -> None:
    aws.client("logs").put_data_protection_policy(logGroupIdentifier=group, policyDocument=_policy("arn:aws:dataprotection::aws:data-identifier/EmailAddress"))


LOG_DATA_PROTECTION_POLICY = Example(
    type="aws:cloudwatch/logDataProtectionPolicy:LogDataProtectionPolicy",
    needs={"group": Example(type="aws:cloudwatch/logGroup:LogGroup", inputs={"name": "API-Gateway-Execution-Logs_a1b2c3/dev"})},
    inputs={"logGroupName": Ref("group", "name"), "policyDocument": _policy(_CARD)},
    updates={"policyDocument": _policy(_CARD, _CODE, "Number", Configuration=_own("Number"))},
    replaces={"logGroupName": "other"},
    bad={
        "logGroupName": ("", "x" * 513, None),
        "policyDocument": (
            *("{", "[]", "{}", json.dumps({"Statement": []}), None),
            *(_policy(), _policy("arn:aws:iam::aws:policy/CreditCardNumber"), _policy(_CARD, Version="2012-10-17"), _policy(_CARD, Effect="Deny")),
            *(_policy("Number"), _policy("Number", Configuration=_own("Other")), _policy(_CARD, Configuration=_own("a number"))),
            *(_policy(_CARD, Configuration=_own("Number", regex=regex)) for regex in ("", r"(\d )+", r"\d" * 101)),
            _policy(_CARD, Configuration=_own(*(f"Number{number}" for number in range(11)))),
            *(_policy(_CARD, mask=_AUDIT), _policy(_CARD, audit={"Audit": {}}), _policy(_CARD, Description="x" * 30_720)),
        ),
        "policy": "{}",
    },
    drift=_unmask,
    drifts="policyDocument",
)

EXAMPLES = (LOG_DATA_PROTECTION_POLICY,)
