"""AWS Certificate Manager: certificates that it issues, and the wait until it has."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from localcloud.aws import Aws
from localcloud.fields import Refusal, block, text, texts
from localcloud.kinds import Kind, Props
from localcloud.resources import _tags

# How long moto takes before it calls a certificate issued unless told otherwise (MOTO_ACM_VALIDATION_WAIT, in seconds), and some.
_PATIENCE = 75.0
_PAUSE = 0.1


def _rfc3339(moment: datetime | None) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else ""


# --- Certificate -----------------------------------------------------------------------------------------------------

_REQUEST = {
    "domainName": "DomainName",
    "keyAlgorithm": "KeyAlgorithm",
    "subjectAlternativeNames": "SubjectAlternativeNames",
    "validationMethod": "ValidationMethod",
}
_OPTIONS = {"certificateTransparencyLoggingPreference": "CertificateTransparencyLoggingPreference", "export": "Export"}


def _create_certificate(aws: Aws, inputs: Props) -> str:
    sent = {theirs: inputs[ours] for ours, theirs in _REQUEST.items() if inputs.get(ours)}
    if inputs.get("options"):
        sent["Options"] = {theirs: inputs["options"][ours] for ours, theirs in _OPTIONS.items() if inputs["options"].get(ours)}
    if inputs.get("tags"):
        sent["Tags"] = _tags.as_list(inputs["tags"])
    return str(aws.client("acm").request_certificate(**sent)["CertificateArn"])


def _describe(aws: Aws, arn: str) -> Props:
    live: Props = aws.client("acm").describe_certificate(CertificateArn=arn)["Certificate"]
    return live


def _read_certificate(aws: Aws, arn: str, known: Props) -> Props:
    live = _describe(aws, arn)
    asked = known.get("subjectAlternativeNames") or []
    # ACM counts the domain itself among the names; the program need not.
    names = sorted(name for name in live["SubjectAlternativeNames"] if name != live["DomainName"] or name in asked)
    options = {ours: live["Options"].get(theirs) for ours, theirs in _OPTIONS.items() if ours in (known.get("options") or _OPTIONS)}
    validations = sorted(live.get("DomainValidationOptions", []), key=lambda entry: str(entry["DomainName"]))
    return {
        "domainName": live["DomainName"],
        "subjectAlternativeNames": names,
        "validationMethod": next((entry["ValidationMethod"] for entry in validations), None),
        "options": options,
        "tags": _tags.as_map(aws.client("acm").list_tags_for_certificate(CertificateArn=arn)["Tags"]),
        "arn": live["CertificateArn"],
        "domainValidationOptions": [_validation(entry) for entry in validations],
        "notAfter": _rfc3339(live.get("NotAfter")),
        "notBefore": _rfc3339(live.get("NotBefore")),
        "pendingRenewal": live.get("RenewalSummary", {}).get("RenewalStatus") == "PENDING_AUTO_RENEWAL",
        "renewalEligibility": live.get("RenewalEligibility"),
        "status": live["Status"],
        "type": live["Type"],
    }


def _validation(entry: Props) -> Props:
    record = entry["ResourceRecord"]
    return {
        "domainName": entry["DomainName"],
        "resourceRecordName": record["Name"],
        "resourceRecordType": record["Type"],
        "resourceRecordValue": record["Value"],
    }


def _update_certificate(aws: Aws, arn: str, new: Props, old: Props) -> None:
    acm = aws.client("acm")
    _tags.apply(
        old.get("tags"),
        new.get("tags"),
        tag=lambda tags: acm.add_tags_to_certificate(CertificateArn=arn, Tags=_tags.as_list(tags)),
        untag=lambda keys: acm.remove_tags_from_certificate(CertificateArn=arn, Tags=[{"Key": key} for key in keys]),
    )


def _delete_certificate(aws: Aws, arn: str, _: Props) -> None:
    aws.client("acm").delete_certificate(CertificateArn=arn)


def _certificate_rule(inputs: Props) -> Iterator[Refusal]:
    # ACM user guide, "Request a public certificate": the common name is limited by RFC 5280.
    name = inputs["domainName"]
    if len(name) > 64:
        yield Refusal("domainName", f"it has {len(name)} characters; ACM takes at most 64 for the first name (put longer ones into subjectAlternativeNames)")


_NAME = "RequestCertificate.SubjectAlternativeNames"

CERTIFICATE = Kind(
    type="aws:acm/certificate:Certificate",
    client="acm",
    inputs={
        "domainName": text(required=True, replaces=True, shape="RequestCertificate.DomainName"),
        "keyAlgorithm": text(replaces=True, shape="RequestCertificate.KeyAlgorithm"),
        "options": block(
            {name: text(shape=f"RequestCertificate.Options.{theirs}") for name, theirs in _OPTIONS.items()},
            replaces=True,
        ),
        "subjectAlternativeNames": texts(text(shape=_NAME), replaces=True, shape=_NAME),
        # Not EMAIL and HTTP: nobody here reads ACM's mail or answers its requests, and moto calls every validation DNS.
        "validationMethod": text(required=True, replaces=True, one_of=("DNS",)),
    },
    outputs=("arn", "domainValidationOptions", "notAfter", "notBefore", "pendingRenewal", "renewalEligibility", "status", "type"),
    tagged=True,
    # A certificate in use cannot be deleted, so the new one is made first.
    delete_first=False,
    rule=_certificate_rule,
    create=_create_certificate,
    read=_read_certificate,
    update=_update_certificate,
    delete=_delete_certificate,
)


# --- CertificateValidation: no thing, but the wait for one ------------------------------------------------------------


def _await_validation(aws: Aws, inputs: Props) -> str:
    arn = inputs["certificateArn"]
    _check_records(_describe(aws, arn), inputs.get("validationRecordFqdns"))
    deadline = time.monotonic() + _PATIENCE
    while (live := _describe(aws, arn))["Status"] == "PENDING_VALIDATION" and time.monotonic() < deadline:
        time.sleep(_PAUSE)
    if live["Status"] != "ISSUED":
        raise _refused("CertificateNotIssued", f"{arn} is {live['Status']} after {_PATIENCE:g} seconds; look at it with `aws acm describe-certificate`")
    issued: Any = live.get("IssuedAt") or live["CreatedAt"]
    return f"{issued.astimezone(UTC):%Y-%m-%d %H:%M:%S} +0000 UTC"


def _check_records(live: Props, fqdns: list[str] | None) -> None:
    """The AWS provider waits only when a record is there for each name of the certificate."""
    if fqdns is None:
        return
    there = {name.rstrip(".").lower() for name in fqdns}
    wanted = {entry["ResourceRecord"]["Name"].rstrip(".").lower(): entry["DomainName"] for entry in live.get("DomainValidationOptions", [])}
    if missing := sorted(f"{name} (for {wanted[name]})" for name in set(wanted) - there):
        raise _refused("InvalidDomainValidationOptionsException", f"validationRecordFqdns lacks the record {', '.join(missing)}")


def _refused(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "DescribeCertificate")


def _read_validation(aws: Aws, _: str, known: Props) -> Props | None:
    live = _describe(aws, known["certificateArn"])
    return {"certificateArn": live["CertificateArn"]} if live["Status"] == "ISSUED" else None


def _delete_validation(aws: Aws, id_: str, state: Props) -> None:
    """Does nothing: a certificate stays issued, as in AWS."""


CERTIFICATE_VALIDATION = Kind(
    type="aws:acm/certificateValidation:CertificateValidation",
    client="acm",
    inputs={"certificateArn": text(required=True), "validationRecordFqdns": texts()},
    create=_await_validation,
    read=_read_validation,
    delete=_delete_validation,
)

KINDS = (CERTIFICATE, CERTIFICATE_VALIDATION)
