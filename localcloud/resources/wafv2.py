"""AWS WAF: web ACLs, what they protect, and where they log."""

from __future__ import annotations

from collections.abc import Iterator

from localcloud.aws import Aws
from localcloud.fields import Refusal, block, blocks, text, texts
from localcloud.kinds import Kind, Props
from localcloud.resources import _tags
from localcloud.resources import _wafv2_rules as rules
from localcloud.resources._known import entries

# --- web ACLs --------------------------------------------------------------------------------------------------------

# AssociatedResourceType (API reference, AssociationConfig).
_FRONTS = {
    "apiGateway": "API_GATEWAY",
    "appRunnerService": "APP_RUNNER_SERVICE",
    "cloudfront": "CLOUDFRONT",
    "cognitoUserPool": "COGNITO_USER_POOL",
    "verifiedAccessInstance": "VERIFIED_ACCESS_INSTANCE",
}
_OF_ACL = ("description", "defaultAction", "visibilityConfig", "rules")


def _wanted(inputs: Props) -> Props:
    bodies = {each["key"]: {"Content": each["content"], "ContentType": each["contentType"]} for each in entries(inputs.get("customResponseBodies"))}
    return {
        **rules.to_aws({name: inputs.get(name) for name in _OF_ACL}),
        **({"CustomResponseBodies": bodies} if bodies else {}),
        # Always: moto keeps the last one where there is none.
        "AssociationConfig": _inspected(inputs.get("associationConfig") or {}),
    }


def _inspected(config: Props) -> Props:
    limits = {_FRONTS[front]: rules.to_aws(limit) for body in entries(config.get("requestBodies")) for front, limit in body.items() if limit is not None}
    return {"RequestBody": limits} if limits else {}


def _shown(config: Props | None) -> Props | None:
    limits: Props = (config or {}).get("RequestBody") or {}
    found = {front: rules.from_aws(limits[theirs]) for front, theirs in _FRONTS.items() if theirs in limits}
    return {"requestBodies": [found]} if found else None


def _create_acl(aws: Aws, inputs: Props) -> str:
    tags = {"Tags": _tags.as_list(inputs["tags"])} if inputs.get("tags") else {}
    answer = aws.client("wafv2").create_web_acl(Name=inputs["name"], Scope=inputs["scope"], **_wanted(inputs), **tags)
    return str(answer["Summary"]["Id"])


def _acl(aws: Aws, id_: str, known: Props) -> tuple[Props, str]:
    answer = aws.client("wafv2").get_web_acl(Name=known["name"], Scope=known["scope"], Id=id_)
    return answer["WebACL"], answer["LockToken"]


def _read_acl(aws: Aws, id_: str, known: Props) -> Props:
    live, token = _acl(aws, id_, known)
    bodies = [{"key": key, "content": each["Content"], "contentType": each["ContentType"]} for key, each in (live.get("CustomResponseBodies") or {}).items()]
    return {
        **rules.from_aws({member: live.get(member) for member in ("DefaultAction", "VisibilityConfig", "Rules")}),
        "description": live.get("Description") or None,
        "customResponseBodies": bodies,
        "associationConfig": _shown(live.get("AssociationConfig")),
        "name": live["Name"],
        "scope": known["scope"],
        "arn": live["ARN"],
        "capacity": live["Capacity"],
        "lockToken": token,
        "tags": _tags.as_map(aws.client("wafv2").list_tags_for_resource(ResourceARN=live["ARN"])["TagInfoForResource"]["TagList"]),
    }


def _update_acl(aws: Aws, id_: str, new: Props, old: Props) -> None:
    waf = aws.client("wafv2")
    live, token = _acl(aws, id_, new)
    waf.update_web_acl(Name=new["name"], Scope=new["scope"], Id=id_, LockToken=token, **_wanted(new))
    _tags.apply(
        old.get("tags"),
        new.get("tags"),
        tag=lambda tags: waf.tag_resource(ResourceARN=live["ARN"], Tags=_tags.as_list(tags)),
        untag=lambda keys: waf.untag_resource(ResourceARN=live["ARN"], TagKeys=keys),
    )


def _delete_acl(aws: Aws, id_: str, state: Props) -> None:
    _, token = _acl(aws, id_, state)
    aws.client("wafv2").delete_web_acl(Name=state["name"], Scope=state["scope"], Id=id_, LockToken=token)


_LIMIT = block({"defaultSizeInspectionLimit": text(required=True, one_of=("KB_16", "KB_32", "KB_48", "KB_64"))})

WEB_ACL = Kind(
    type="aws:wafv2/webAcl:WebAcl",
    client="wafv2",
    inputs={
        "name": text(required=True, replaces=True, shape="CreateWebACL.Name"),
        "scope": text(required=True, replaces=True, shape="CreateWebACL.Scope"),
        "description": text(shape="CreateWebACL.Description"),
        "defaultAction": rules.DEFAULT_ACTION,
        "rules": rules.RULES,
        "visibilityConfig": rules.VISIBILITY,
        "associationConfig": block({"requestBodies": blocks(dict.fromkeys(_FRONTS, _LIMIT), at_most=1)}),
        "customResponseBodies": blocks(
            {
                "key": text(required=True, pattern=r"[\w-]{1,128}"),
                "content": text(required=True, at_least=1, at_most=10_240),
                "contentType": text(required=True, one_of=("TEXT_PLAIN", "TEXT_HTML", "APPLICATION_JSON")),
            },
            unordered=True,
        ),
    },
    outputs=("arn", "capacity", "lockToken"),
    tagged=True,
    rule=rules.refusals,
    create=_create_acl,
    read=_read_acl,
    update=_update_acl,
    delete=_delete_acl,
)

# --- associations ----------------------------------------------------------------------------------------------------


def _associate(aws: Aws, inputs: Props) -> str:
    acl, resource = inputs["webAclArn"], inputs["resourceArn"]
    aws.client("wafv2").associate_web_acl(WebACLArn=acl, ResourceArn=resource)
    return f"{acl},{resource}"


def _read_association(aws: Aws, id_: str, _: Props) -> Props | None:
    acl, resource = id_.split(",", 1)
    live = aws.client("wafv2").get_web_acl_for_resource(ResourceArn=resource).get("WebACL")
    return {"webAclArn": acl, "resourceArn": resource} if live and live["ARN"] == acl else None


def _disassociate(aws: Aws, id_: str, _: Props) -> None:
    aws.client("wafv2").disassociate_web_acl(ResourceArn=id_.split(",", 1)[1])


WEB_ACL_ASSOCIATION = Kind(
    type="aws:wafv2/webAclAssociation:WebAclAssociation",
    client="wafv2",
    inputs={
        "webAclArn": text(required=True, replaces=True, pattern=r"arn:aws[a-z-]*:wafv2:[a-z0-9-]+:\d{12}:regional/webacl/.+"),
        # AssociateWebACL, "ResourceArn".
        "resourceArn": text(
            required=True,
            replaces=True,
            pattern=(
                r"arn:aws[a-z-]*:(elasticloadbalancing:[^:]+:\d{12}:loadbalancer/app/[^/]+/[^/]+|apigateway:[^:]+::/restapis/[^/]+/stages/[^/]+"
                r"|appsync:[^:]+:\d{12}:apis/.+|cognito-idp:[^:]+:\d{12}:userpool/.+|apprunner:[^:]+:\d{12}:service/.+|ec2:[^:]+:\d{12}:verified-access-instance/.+"
                r"|amplify:[^:]+:\d{12}:apps/.+)"
            ),
        ),
    },
    create=_associate,
    read=_read_association,
    delete=_disassociate,
)

# --- logs ------------------------------------------------------------------------------------------------------------


def _put_logging(aws: Aws, inputs: Props) -> str:
    wanted = {name: inputs.get(name) for name in ("resourceArn", "logDestinationConfigs", "redactedFields", "loggingFilter")}
    aws.client("wafv2").put_logging_configuration(LoggingConfiguration=rules.to_aws(wanted))
    return str(inputs["resourceArn"])


def _read_logging(aws: Aws, arn: str, _: Props) -> Props:
    live = aws.client("wafv2").get_logging_configuration(ResourceArn=arn)["LoggingConfiguration"]
    shown: Props = rules.from_aws({member: live.get(member) for member in ("LogDestinationConfigs", "RedactedFields", "LoggingFilter")})
    return {"resourceArn": arn, **shown}


def _update_logging(aws: Aws, _: str, new: Props, __: Props) -> None:
    _put_logging(aws, new)


def _delete_logging(aws: Aws, arn: str, _: Props) -> None:
    aws.client("wafv2").delete_logging_configuration(ResourceArn=arn)


def _logging_refusals(inputs: Props) -> Iterator[Refusal]:
    for position, field in enumerate(entries(inputs.get("redactedFields"))):
        if len(field) != 1:
            yield Refusal(f"redactedFields[{position}]", f"must have one of {', '.join(_REDACTED)}, not {len(field)}")


_FILTER = "PutLoggingConfiguration.LoggingConfiguration.LoggingFilter"
_EMPTY = block({}, marks=True)
# HTTP's field names, which AWS WAF keeps in lower case.
_HEADER = text(required=True, pattern="[a-z0-9!#$%&'*+.^_`|~-]{1,64}")
_REDACTED = {"method": _EMPTY, "queryString": _EMPTY, "uriPath": _EMPTY, "singleHeader": block({"name": _HEADER})}

WEB_ACL_LOGGING = Kind(
    type="aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration",
    client="wafv2",
    inputs={
        "resourceArn": text(required=True, replaces=True, pattern=r"arn:aws[a-z-]*:wafv2:[a-z0-9-]+:\d{12}:(regional|global)/webacl/.+"),
        # "Logging destinations": one for each web ACL, with a name that begins with aws-waf-logs-.
        "logDestinationConfigs": texts(
            text(
                pattern=(
                    r"arn:aws[a-z-]*:(logs:[^:]+:\d{12}:log-group:aws-waf-logs-[^:]+"
                    r"|firehose:[^:]+:\d{12}:deliverystream/aws-waf-logs-.+|s3:::aws-waf-logs-.+)"
                )
            ),
            required=True,
            replaces=True,
            at_least=1,
            at_most=1,
        ),
        "redactedFields": blocks(_REDACTED, unordered=True, at_most=100),
        "loggingFilter": block(
            {
                "defaultBehavior": text(required=True, shape=f"{_FILTER}.DefaultBehavior"),
                "filters": blocks(
                    {
                        "behavior": text(required=True, shape=f"{_FILTER}.Filters.Behavior"),
                        "requirement": text(required=True, shape=f"{_FILTER}.Filters.Requirement"),
                        "conditions": blocks(
                            {
                                "actionCondition": block({"action": text(required=True, shape=f"{_FILTER}.Filters.Conditions.ActionCondition.Action")}),
                                "labelNameCondition": block(
                                    {"labelName": text(required=True, shape=f"{_FILTER}.Filters.Conditions.LabelNameCondition.LabelName")}
                                ),
                            },
                            required=True,
                            unordered=True,
                            at_least=1,
                        ),
                    },
                    required=True,
                    unordered=True,
                    at_least=1,
                ),
            }
        ),
    },
    rule=_logging_refusals,
    create=_put_logging,
    read=_read_logging,
    update=_update_logging,
    delete=_delete_logging,
)

KINDS = (WEB_ACL, WEB_ACL_ASSOCIATION, WEB_ACL_LOGGING)
