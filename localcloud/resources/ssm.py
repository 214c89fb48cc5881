"""AWS Systems Manager: parameters, among them those that AWS publishes (the latest machine images)."""

from __future__ import annotations

from localcloud.aws import Aws
from localcloud.fields import flag, text
from localcloud.kinds import Function, Kind, Props

KINDS: tuple[Kind, ...] = ()


def _get_parameter(aws: Aws, inputs: Props) -> Props:
    # The AWS provider decrypts unless it is told not to.
    decrypt = inputs.get("withDecryption", True)
    live = aws.client("ssm").get_parameter(Name=inputs["name"], WithDecryption=decrypt)["Parameter"]
    return {
        "id": live["Name"],
        "name": live["Name"],
        "arn": live["ARN"],
        "type": live["Type"],
        "value": live["Value"],
        "insecureValue": "" if live["Type"] == "SecureString" else live["Value"],
        "version": live["Version"],
        "withDecryption": decrypt,
    }


GET_PARAMETER = Function(
    type="aws:ssm/getParameter:getParameter",
    client="ssm",
    inputs={"name": text(required=True, shape="GetParameter.Name"), "withDecryption": flag()},
    call=_get_parameter,
)

FUNCTIONS = (GET_PARAMETER,)
