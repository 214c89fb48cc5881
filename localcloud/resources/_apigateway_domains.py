"""API Gateway: custom domain names, and which API answers below them."""

from __future__ import annotations

from collections.abc import Iterator

from localcloud.aws import Aws
from localcloud.fields import Refusal, block, text
from localcloud.kinds import Kind, Props
from localcloud.resources._apigateway_names import policy_of_tls, replace, rfc3339

# --- DomainName ------------------------------------------------------------------------------------------------------

_DOMAIN = ("certificateArn", "domainName", "endpointAccessMode", "endpointConfiguration", "regionalCertificateArn", "securityPolicy")


def _put_domain(aws: Aws, inputs: Props) -> str:
    sent = {name: inputs[name] for name in _DOMAIN if inputs.get(name) is not None}
    if endpoint := inputs.get("endpointConfiguration"):
        sent["endpointConfiguration"] = {**endpoint, "types": [endpoint["types"]]}
    return str(aws.client("apigateway").create_domain_name(**sent, tags=inputs.get("tags") or {})["domainName"])


def _read_domain(aws: Aws, name: str, _: Props) -> Props:
    live = aws.client("apigateway").get_domain_name(domainName=name)
    endpoint = live.get("endpointConfiguration") or {}
    return {
        **{member: live.get(member) for member in _DOMAIN},
        "endpointConfiguration": {"types": endpoint["types"][0]} if endpoint.get("types") else None,
        "tags": live.get("tags") or {},
        "arn": aws.arn("apigateway", f"/domainnames/{name}", account=""),
        "certificateUploadDate": rfc3339(live["certificateUploadDate"]),
        "cloudfrontDomainName": live["distributionDomainName"],
        "cloudfrontZoneId": live["distributionHostedZoneId"],
        "regionalDomainName": live["regionalDomainName"],
        "regionalZoneId": live["regionalHostedZoneId"],
    }


def _update_domain(aws: Aws, _: str, new: Props, __: Props) -> None:
    _put_domain(aws, new)


def _delete_domain(aws: Aws, name: str, _: Props) -> None:
    aws.client("apigateway").delete_domain_name(domainName=name)


def _domain_rule(inputs: Props) -> Iterator[Refusal]:
    regional, edge = inputs.get("regionalCertificateArn"), inputs.get("certificateArn")
    if (regional is None) == (edge is None):
        yield Refusal("regionalCertificateArn", "give either this (REGIONAL) or certificateArn (EDGE)")
    types = (inputs.get("endpointConfiguration") or {}).get("types")
    if types == "REGIONAL" and regional is None:
        yield Refusal("regionalCertificateArn", "it is required for endpoint type REGIONAL")
    yield from policy_of_tls(inputs, types or ("REGIONAL" if edge is None else "EDGE"))


_CERTIFICATE = text(pattern=r"arn:aws[a-z-]*:acm:[^:]+:\d{12}:certificate/.+")

DOMAIN_NAME = Kind(
    type="aws:apigateway/domainName:DomainName",
    client="apigateway",
    inputs={
        "domainName": text(required=True, replaces=True, pattern=r"(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}", at_most=253),
        "certificateArn": _CERTIFICATE,
        "endpointAccessMode": text(shape="CreateDomainName.endpointAccessMode"),
        "endpointConfiguration": block({"types": text(one_of=("EDGE", "REGIONAL"), required=True)}),
        "regionalCertificateArn": _CERTIFICATE,
        "securityPolicy": text(shape="CreateDomainName.securityPolicy"),
    },
    outputs=("arn", "certificateUploadDate", "cloudfrontDomainName", "cloudfrontZoneId", "regionalDomainName", "regionalZoneId"),
    tagged=True,
    rule=_domain_rule,
    create=_put_domain,
    read=_read_domain,
    update=_update_domain,
    delete=_delete_domain,
)

# --- BasePathMapping -------------------------------------------------------------------------------------------------

# How API Gateway names the mapping of the domain's root.
_ROOT = "(none)"


def _create_mapping(aws: Aws, inputs: Props) -> str:
    stage = {"stage": inputs["stageName"]} if inputs.get("stageName") else {}
    path = {"basePath": inputs["basePath"]} if inputs.get("basePath") else {}
    aws.client("apigateway").create_base_path_mapping(domainName=inputs["domainName"], restApiId=inputs["restApi"], **path, **stage)
    return f"{inputs['domainName']}/{inputs.get('basePath') or ''}"


def _where(props: Props) -> Props:
    return {"domainName": props["domainName"], "basePath": props.get("basePath") or _ROOT}


def _read_mapping(aws: Aws, _: str, known: Props) -> Props:
    live = aws.client("apigateway").get_base_path_mapping(**_where(known))
    path = live["basePath"]
    return {"domainName": known["domainName"], "basePath": None if path == _ROOT else path, "restApi": live["restApiId"], "stageName": live.get("stage")}


def _update_mapping(aws: Aws, _: str, new: Props, old: Props) -> None:
    wanted = (("restapiId", "restApi", ""), ("stage", "stageName", ""), ("basePath", "basePath", _ROOT))
    operations = [replace(f"/{theirs}", new.get(ours) or cleared) for theirs, ours, cleared in wanted if new.get(ours) != old.get(ours)]
    if operations:
        aws.client("apigateway").update_base_path_mapping(**_where(old), patchOperations=operations)


def _delete_mapping(aws: Aws, _: str, state: Props) -> None:
    aws.client("apigateway").delete_base_path_mapping(**_where(state))


BASE_PATH_MAPPING = Kind(
    type="aws:apigateway/basePathMapping:BasePathMapping",
    client="apigateway",
    inputs={
        "domainName": text(required=True, replaces=True),
        "restApi": text(required=True),
        "basePath": text(pattern=r"[A-Za-z0-9$\-_.+!*'()]*"),
        "stageName": text(),
    },
    create=_create_mapping,
    read=_read_mapping,
    update=_update_mapping,
    delete=_delete_mapping,
)

KINDS = (DOMAIN_NAME, BASE_PATH_MAPPING)
