"""Small functions, APIs and queues, deployed on a local cloud of the tests' own."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from localcloud.aws import Aws
from localcloud.serve.service import Service

_TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})

SLOWLY = {
    "Name": "slowly",
    "Statement": {"RateBasedStatement": {"Limit": 10, "AggregateKeyType": "IP"}},
    "Action": {"Block": {"CustomResponse": {"ResponseCode": 429, "CustomResponseBodyKey": "slowly"}}},
}
"""A rule of a web ACL: ten requests of an address in five minutes, and what it says to the next."""

ECHO = """
def handler(event, context):
    return {"statusCode": 200, "body": __import__("json").dumps(event)}
"""


@dataclass
class Deployment:
    """What a test deploys, in an account that no other test uses."""

    aws: Aws
    folder: Path
    packages: dict[str, Path] = field(default_factory=dict[str, Path])

    def function(self, name: str, source: str = ECHO, *, variables: Mapping[str, str] | None = None, **settings: Any) -> str:
        """Deploys a function whose package is one module; answers its ARN."""
        client, iam = self.aws.client("lambda"), self.aws.client("iam")
        role = iam.create_role(RoleName=f"{name}-role", AssumeRolePolicyDocument=_TRUST)["Role"]["Arn"]
        package = self.package(name, source)
        reserved = settings.pop("reserved", None)
        made = client.create_function(
            FunctionName=name,
            Runtime="python3.13",
            Handler="app.handler",
            Role=role,
            Code={"ZipFile": package.read_bytes()},
            Environment={"Variables": dict(variables or {})},
            **{"Timeout": 10, "MemorySize": 128, **settings},
        )
        if reserved is not None:
            client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=reserved)
        self.aws.client("logs").create_log_group(logGroupName=f"/aws/lambda/{name}")
        return str(made["FunctionArn"])

    def package(self, name: str, source: str) -> Path:
        """The function's zip."""
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as package:
            package.writestr("app.py", source)
        path = self.folder / f"{name}.zip"
        path.write_bytes(content.getvalue())
        self.packages[name] = path
        return path

    def permit(self, name: str, service: str, source_arn: str) -> None:
        """Lets a service invoke the function."""
        self.aws.client("lambda").add_permission(
            FunctionName=name, StatementId=service.partition(".")[0], Action="lambda:InvokeFunction", Principal=service, SourceArn=source_arn
        )

    def queue(self, name: str, function: str, *, mapping: Mapping[str, Any] | None = None, **attributes: str) -> str:
        """A queue that feeds a function; answers its URL."""
        sqs = self.aws.client("sqs")
        url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        self.aws.client("lambda").create_event_source_mapping(
            EventSourceArn=self.aws.arn("sqs", name), FunctionName=function, **{"FunctionResponseTypes": ["ReportBatchItemFailures"], **(mapping or {})}
        )
        return str(url)

    def web_acl(self, resource: str, *rules: Mapping[str, Any], default: Mapping[str, Any] | None = None) -> None:
        """A web ACL before a load balancer or a stage (ARN); its rules block in words of their own where they say `slowly`."""
        seen = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "m"}
        made = [{"Priority": number, "Action": {"Block": {}}, "VisibilityConfig": seen, **rule} for number, rule in enumerate(rules)]
        bodies = {"slowly": {"Content": '{"status": 429}', "ContentType": "APPLICATION_JSON"}}
        waf = self.aws.client("wafv2")
        arn = waf.create_web_acl(
            Name="acl", Scope="REGIONAL", DefaultAction=default or {"Allow": {}}, VisibilityConfig=seen, Rules=made, CustomResponseBodies=bodies
        )["Summary"]["ARN"]
        waf.associate_web_acl(WebACLArn=arn, ResourceArn=resource)

    def logged(self, group: str) -> list[str]:
        """The lines of a log group."""
        found = self.aws.client("logs").filter_log_events(logGroupName=group)
        return [event["message"] for event in found["events"]]


@dataclass
class Api:
    """A REST API with a stage `test`; its parts are made through the calls that a deployment makes."""

    deployment: Deployment
    id: str = ""
    root: str = ""

    def __post_init__(self) -> None:
        client = self.client
        self.id = client.create_rest_api(name="things")["id"]
        # moto forgets those that the creation names.
        client.update_rest_api(restApiId=self.id, patchOperations=[{"op": "add", "path": "/binaryMediaTypes/image~1png", "value": "image/png"}])
        self.root = client.get_resources(restApiId=self.id)["items"][0]["id"]

    @property
    def client(self) -> Any:
        return self.deployment.aws.client("apigateway")

    def resource(self, *parts: str) -> str:
        """The id of a resource by its path, made with its parents."""
        known = {one["path"]: one["id"] for one in self.client.get_resources(restApiId=self.id)["items"]}
        parent, path = self.root, ""
        for part in parts:
            path += f"/{part}"
            parent = known.get(path) or self.client.create_resource(restApiId=self.id, parentId=parent, pathPart=part)["id"]
        return parent

    def method(self, function: str, *parts: str, verb: str = "POST", permit: bool = True, timeout: int = 29_000, **settings: Any) -> None:
        """A method with a proxy integration of a function."""
        resource, aws = self.resource(*parts), self.deployment.aws
        self.client.put_method(restApiId=self.id, resourceId=resource, httpMethod=verb, **{"authorizationType": "NONE", **settings})
        arn = aws.arn("lambda", f"function:{function}")
        self.client.put_integration(
            restApiId=self.id,
            resourceId=resource,
            httpMethod=verb,
            type="AWS_PROXY",
            integrationHttpMethod="POST",
            timeoutInMillis=timeout,
            uri=f"arn:aws:apigateway:{aws.region}:lambda:path/2015-03-31/functions/{arn}/invocations",
        )
        if permit:
            client = aws.client("lambda")
            client.add_permission(
                FunctionName=function,
                StatementId=f"api-{verb}-{len(parts)}-{resource}",
                Action="lambda:InvokeFunction",
                Principal="apigateway.amazonaws.com",
                SourceArn=aws.arn("execute-api", f"{self.id}/*/{verb}/{'/'.join(parts)}"),
            )

    def validator(self) -> str:
        """Validates bodies and parameters."""
        made = self.client.create_request_validator(restApiId=self.id, name="all", validateRequestBody=True, validateRequestParameters=True)
        return str(made["id"])

    def model(self, name: str, schema: Mapping[str, Any]) -> None:
        """A model of a body."""
        self.client.create_model(restApiId=self.id, name=name, contentType="application/json", schema=json.dumps(schema))

    def stage(self, **settings: Any) -> None:
        """Deploys the API to its stage."""
        deployment = self.client.create_deployment(restApiId=self.id)["id"]
        self.client.create_stage(restApiId=self.id, stageName="test", deploymentId=deployment, **settings)

    @property
    def stage_arn(self) -> str:
        """The stage, as a web ACL is told of it."""
        return self.deployment.aws.arn("apigateway", f"/restapis/{self.id}/stages/test", account="")

    def key(self, *, enabled: bool = True, **plan: Any) -> tuple[str, str]:
        """An API key in a usage plan of the stage: its id and its value."""
        made = self.client.create_api_key(name=f"client-{len(self.client.get_api_keys()['items'])}", enabled=enabled)
        value = self.client.get_api_key(apiKey=made["id"], includeValue=True)["value"]
        used = self.client.create_usage_plan(name=f"plan-{made['id']}", apiStages=[{"apiId": self.id, "stage": "test"}], **plan)
        self.client.create_usage_plan_key(usagePlanId=used["id"], keyId=made["id"], keyType="API_KEY")
        return made["id"], value


def post(service: Service, api: Api, path: str, **request: Any) -> httpx.Response:
    """Sends a request (a POST unless `method` says otherwise) to a path of the API's stage."""
    return httpx.request(request.pop("method", "POST"), f"{service.endpoint}/{api.id}/test/{path}", timeout=30, **request)
