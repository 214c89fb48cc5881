"""The REST API in front of the functions: routes, stage, keys."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from projects.app.api_logs import ApiLogs, ApiLogsArgs
from projects.app.gateway import Gateway
from projects.app.routes import ROUTES, Route
from projects.app.settings import ApiSettings
from shared.component import Component
from shared.components.secret import kept_secret
from shared.environment import Environment
from shared.outputs import as_json

ANSWER_PARAMETERS = {"gatewayresponse.header.Content-Type": "'application/problem+json'"}
"""The headers of API Gateway's own answers."""

ANSWERS = {
    "BAD_REQUEST_BODY": ("400", "invalid-request", "The request body does not fit the route's model"),
    "BAD_REQUEST_PARAMETERS": ("400", "invalid-request", "A required header or parameter is missing"),
    # What API Gateway calls a path or method that no route is for.
    "MISSING_AUTHENTICATION_TOKEN": ("404", "no-such-route", "The API has no such route"),
    "REQUEST_TOO_LARGE": ("413", "body-too-large", "The body is too large"),
    "INVALID_API_KEY": ("403", "forbidden", "The API key is missing or not valid"),
    "WAF_FILTERED": ("403", "forbidden", "The request looks like an attack and was refused"),
    "THROTTLED": ("429", "too-many-requests", "Too many requests; slow down and try again"),
    "QUOTA_EXCEEDED": ("429", "too-many-requests", "The quota of this API key is used up"),
    "INTEGRATION_TIMEOUT": ("504", "timeout", "The service did not answer in time"),
    "INTEGRATION_FAILURE": ("504", "timeout", "The service did not answer"),
    "DEFAULT_5XX": ("500", "internal-error", "The service could not answer"),
}
"""API Gateway's own answers, in the shape that the service's have (RFC 9457), without saying what inside failed: status, problem, title."""


def template(status: str, problem: str, title: str) -> str:
    """The mapping template of such an answer's body."""
    return json.dumps({"type": f"urn:payments:problem:{problem}", "title": title, "status": int(status), "correlation_id": "$context.requestId"})


@dataclass(frozen=True, kw_only=True)
class ApiArgs:
    """gateway: the API itself. functions: by name. key_arn: encrypts the secret with the API key. log_key_arn: encrypts its logs."""

    gateway: Gateway
    functions: Mapping[str, aws.lambda_.Function]
    key_arn: pulumi.Input[str]
    log_key_arn: pulumi.Input[str]


@dataclass(frozen=True)
class Made:
    """What a route consists of, for the deployment that takes a snapshot of it."""

    model: aws.apigateway.Model
    method: aws.apigateway.Method
    integration: aws.apigateway.Integration


class Api(Component):
    """Produces what makes the REST API answer: a validated POST method per route, its stage, an API key, its secret and the usage plan that it belongs to.

    The stage has access and execution logs, traces and throttling. API Gateway makes the key; Secrets Manager has it for whoever is to be given it.
    Outputs: `api`, `stage`, `url` (of the stage), `key` (secret), `key_secret_arn` (of the secret whose string is the key).
    """

    api: aws.apigateway.RestApi
    stage: aws.apigateway.Stage
    url: pulumi.Output[str]
    key: pulumi.Output[str]
    key_secret_arn: pulumi.Output[str]

    def __init__(self, name: str, environment: Environment, settings: ApiSettings, args: ApiArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, environment, opts)
        self.api = args.gateway.api
        self._validator = aws.apigateway.RequestValidator(
            name,
            name=environment.names(name),
            rest_api=self.api.id,
            validate_request_body=True,
            validate_request_parameters=True,
            opts=self.child(),
        )
        routes = [self._route(route, args.functions[route.function.name]) for route in ROUTES]
        answers = [self._answer(kind, *said) for kind, said in ANSWERS.items()]
        self.stage = self._stage(name, settings, args, routes, answers)
        self.url = self.stage.invoke_url
        self.key = self._usage(name, settings)
        description = "API key of the callers, as API Gateway has it"
        self.key_secret_arn = kept_secret(self, f"{name}-api-key", description=description, value=self.key, key_arn=args.key_arn).arn
        self.register_outputs({"url": self.url})

    def _route(self, route: Route, function: aws.lambda_.Function) -> Made:
        model = aws.apigateway.Model(
            route.path,
            name=self.environment.names.camel(route.path),
            rest_api=self.api.id,
            content_type="application/json",
            schema=json.dumps(route.schema),
            opts=self.child(),
        )
        resource = aws.apigateway.Resource(route.path, rest_api=self.api.id, parent_id=self.api.root_resource_id, path_part=route.path, opts=self.child())
        method = aws.apigateway.Method(
            route.path,
            rest_api=self.api.id,
            resource_id=resource.id,
            http_method="POST",
            authorization="NONE",
            api_key_required=True,
            request_validator_id=self._validator.id,
            # A body of a type that no model is for would not be validated at all (API Gateway, "Request validation").
            request_models={"application/json": model.name, "$default": model.name},
            request_parameters={f"method.request.header.{header}": True for header in route.headers},
            opts=self.child(),
        )
        integration = aws.apigateway.Integration(
            route.path,
            rest_api=self.api.id,
            resource_id=resource.id,
            http_method=method.http_method,
            type="AWS_PROXY",
            integration_http_method="POST",
            uri=function.invoke_arn,
            timeout_milliseconds=29_000,
            opts=self.child(),
        )
        aws.lambda_.Permission(
            route.path,
            statement_id="ApiGateway",
            action="lambda:InvokeFunction",
            function=function.name,
            principal="apigateway.amazonaws.com",
            source_arn=pulumi.Output.concat(self.api.execution_arn, f"/*/POST/{route.path}"),
            opts=self.child(),
        )
        return Made(model, method, integration)

    def _answer(self, kind: str, status: str, problem: str, title: str) -> aws.apigateway.Response:
        return aws.apigateway.Response(
            kind.lower().replace("_", "-"),
            rest_api_id=self.api.id,
            response_type=kind,
            status_code=status,
            response_templates={"application/json": template(status, problem, title)},
            response_parameters=ANSWER_PARAMETERS,
            opts=self.child(),
        )

    def _stage(self, name: str, settings: ApiSettings, args: ApiArgs, routes: list[Made], answers: list[aws.apigateway.Response]) -> aws.apigateway.Stage:
        of_logs = ApiLogsArgs(key_arn=args.log_key_arn, api_id=self.api.id, account=settings.account_logging)
        logs = ApiLogs(name, self.environment, of_logs, opts=self.child())
        deployment = aws.apigateway.Deployment(
            name,
            rest_api=self.api.id,
            triggers={"definition": self._definition(routes, answers)},
            opts=self.child(depends_on=[*(route.integration for route in routes), *answers]),
        )
        stage = aws.apigateway.Stage(
            name,
            rest_api=self.api.id,
            deployment=deployment.id,
            stage_name=self.environment.platform.stage,
            xray_tracing_enabled=True,
            access_log_settings={"destination_arn": logs.access.arn, "format": logs.format},
            opts=self.child(depends_on=logs.before_stage),
        )
        aws.apigateway.MethodSettings(
            name,
            rest_api=self.api.id,
            stage_name=stage.stage_name,
            method_path="*/*",
            settings={
                "metrics_enabled": True,
                "logging_level": "INFO",
                "data_trace_enabled": settings.log_bodies,
                "throttling_rate_limit": settings.rate_limit,
                "throttling_burst_limit": settings.burst_limit,
            },
            opts=self.child(),
        )
        return stage

    def _definition(self, routes: list[Made], answers: list[aws.apigateway.Response]) -> pulumi.Output[str]:
        """The digest of all that a deployment takes a snapshot of: another definition needs another deployment to reach the stage."""
        parts: list[list[pulumi.Output[Any]]] = [
            [
                made.model.schema,
                made.method.authorization,
                made.method.api_key_required,
                made.method.request_models,
                made.method.request_parameters,
                made.integration.type,
                made.integration.uri,
                made.integration.integration_http_method,
                made.integration.timeout_milliseconds,
            ]
            for made in routes
        ]
        parts += [[answer.response_type, answer.status_code, answer.response_templates, answer.response_parameters] for answer in answers]
        parts.append([self._validator.validate_request_body, self._validator.validate_request_parameters])
        # "Redeploy your API for the changes to take effect" (developer guide, "How to change a security policy").
        parts.append([self.api.security_policy, self.api.endpoint_access_mode])
        return as_json(parts, sort_keys=True).apply(lambda text: hashlib.sha256(text.encode()).hexdigest())

    def _usage(self, name: str, settings: ApiSettings) -> pulumi.Output[str]:
        key = aws.apigateway.ApiKey(name, name=self.environment.names(name), enabled=True, opts=self.child())
        plan = aws.apigateway.UsagePlan(
            name,
            name=self.environment.names(name),
            api_stages=[{"api_id": self.api.id, "stage": self.stage.stage_name}],
            throttle_settings={"rate_limit": settings.rate_limit, "burst_limit": settings.burst_limit},
            opts=self.child(),
        )
        # Its `value` is the key once more, which the provider marks as a secret at the ApiKey alone.
        secret = self.child(additional_secret_outputs=["value"])
        aws.apigateway.UsagePlanKey(name, key_id=key.id, key_type="API_KEY", usage_plan_id=plan.id, opts=secret)
        return pulumi.Output.secret(key.value)
