"""Examples of Amazon API Gateway, REST APIs."""

import dataclasses
import json
from collections.abc import Mapping

from tests.localcloud.examples import Example, Ref

TAGS = {"Environment": "dev", "Team": "payments"}
ROLE = "arn:aws:iam::345678901234:role/api-gateway-logs"
FUNCTION = "arn:aws:lambda:us-east-1:345678901234:function:process-payment"
INVOKE = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{FUNCTION}/invocations"
CERTIFICATE = "arn:aws:acm:us-east-1:345678901234:certificate/0e8f3c1a-2b4d-4c6e-8f10-1a2b3c4d5e6f"


def policy(action: str = "execute-api:Invoke") -> str:
    statement = {"Effect": "Allow", "Principal": "*", "Action": action, "Resource": "execute-api:/*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def part(example: Example) -> Example:
    """The example among what another one needs, which has its needs too."""
    return dataclasses.replace(example, needs={})


def after(needs: Mapping[str, Example], **more: Example) -> dict[str, Example]:
    return {**needs, **{name: part(example) for name, example in more.items()}}


API = Example(
    type="aws:apigateway/restApi:RestApi",
    inputs={
        "name": "payments",
        "description": "The payments API",
        "endpointConfiguration": {"types": ["REGIONAL"]},
        "policy": policy(),
        "minimumCompressionSize": "1024",
        "disableExecuteApiEndpoint": True,
        "apiKeySource": "HEADER",
        "binaryMediaTypes": ["image/png", "application/pdf"],
        "tags": TAGS,
    },
    updates={
        "name": "payments-v2",
        "description": None,
        "endpointConfiguration": {"types": ["EDGE"]},
        "policy": policy("execute-api:*"),
        "disableExecuteApiEndpoint": False,
        "apiKeySource": "AUTHORIZER",
        "binaryMediaTypes": ["image/jpeg"],
        "tags": {"Environment": "staging"},
        "minimumCompressionSize": "-1",
    },
    bad={
        "name": "",
        "endpointConfiguration": ({"types": ["GLOBAL"]}, {"types": ["EDGE", "REGIONAL"]}, {"type": ["EDGE"]}),
        "minimumCompressionSize": ("10485761", "-2", "many"),
        "apiKeySource": "QUERY",
        "policy": "{",
        "binaryMediaTypes": ["png"],
        "body": "{}",
    },
    drift=lambda aws, api: aws.client("apigateway").update_rest_api(
        restApiId=api, patchOperations=[{"op": "replace", "path": "/description", "value": "By hand"}]
    ),
    drifts="description",
)

PLAIN_API = Example(type="aws:apigateway/restApi:RestApi", label="with defaults", inputs={"name": "plain"}, updates={"disableExecuteApiEndpoint": True})

POLICY = Example(
    type="aws:apigateway/restApiPolicy:RestApiPolicy",
    needs={"api": PLAIN_API},
    inputs={"restApiId": Ref("api"), "policy": policy()},
    updates={"policy": policy("execute-api:*")},
    replaces={"restApiId": "other"},
    bad={"policy": ("{", "{}"), "document": "{}"},
)

RESOURCE = Example(
    type="aws:apigateway/resource:Resource",
    needs={"api": API},
    inputs={"restApi": Ref("api"), "parentId": Ref("api", "rootResourceId"), "pathPart": "process-payment"},
    replaces={"restApi": "other", "parentId": "other", "pathPart": "verify-payment"},
    bad={"pathPart": ("a/b", "{open", "ä"), "path": "/process-payment"},
)

VALIDATOR = Example(
    type="aws:apigateway/requestValidator:RequestValidator",
    needs={"api": API},
    inputs={"restApi": Ref("api"), "name": "body", "validateRequestBody": True, "validateRequestParameters": False},
    updates={"name": "all", "validateRequestBody": None, "validateRequestParameters": True},
    replaces={"restApi": "other"},
    bad={"validateRequestBody": "yes", "body": True},
)

MODEL = Example(
    type="aws:apigateway/model:Model",
    needs={"api": API},
    inputs={
        "restApi": Ref("api"),
        "name": "ProcessPayment",
        "contentType": "application/json",
        "description": "A payment",
        "schema": json.dumps({"type": "object", "required": ["amount"]}),
    },
    updates={"description": None, "schema": json.dumps({"type": "object", "required": ["amount", "currency"]})},
    replaces={"name": "Other", "contentType": "application/xml", "restApi": "other"},
    bad={"name": "process-payment", "schema": "{", "model": "x"},
)

HERE = {"restApi": Ref("api"), "resourceId": Ref("resource"), "httpMethod": "POST"}

METHOD = Example(
    type="aws:apigateway/method:Method",
    needs=after(RESOURCE.needs, resource=RESOURCE, validator=VALIDATOR, model=MODEL),
    inputs={
        **HERE,
        "authorization": "NONE",
        "apiKeyRequired": True,
        "requestValidatorId": Ref("validator"),
        "requestModels": {"application/json": Ref("model", "name")},
        "requestParameters": {"method.request.header.Idempotency-Key": True},
        "operationName": "ProcessPayment",
    },
    updates={"authorization": "AWS_IAM", "apiKeyRequired": False, "requestParameters": {"method.request.querystring.page": False}, "operationName": None},
    replaces={"httpMethod": "GET", "resourceId": "other", "restApi": "other"},
    bad={
        "httpMethod": "FETCH",
        "authorization": ("SOME", "CUSTOM"),
        "apiKeyRequired": "yes",
        "requestParameters": ({"header.Idempotency-Key": True}, {"method.request.header.A": "yes"}),
        "method": "POST",
    },
)

OPTIONS = Example(
    type="aws:apigateway/method:Method",
    label="of the root",
    needs={"api": API},
    inputs={"restApi": Ref("api"), "resourceId": Ref("api", "rootResourceId"), "httpMethod": "OPTIONS", "authorization": "NONE"},
    updates={"authorization": "AWS_IAM"},
    drift=lambda aws, id_: aws.client("apigateway").put_method(
        restApiId=id_.split("-")[1], resourceId=id_.split("-")[2], httpMethod="OPTIONS", authorizationType="AWS_IAM"
    ),
    drifts="authorization",
)

IN_METHOD = after(METHOD.needs, method=METHOD)

METHOD_RESPONSE = Example(
    type="aws:apigateway/methodResponse:MethodResponse",
    needs=IN_METHOD,
    inputs={
        **HERE,
        "httpMethod": Ref("method", "httpMethod"),
        "statusCode": "200",
        "responseModels": {"application/json": "Empty"},
        "responseParameters": {"method.response.header.Location": True},
    },
    updates={"responseModels": {"application/json": "Error"}, "responseParameters": None},
    replaces={"statusCode": "201", "httpMethod": "GET"},
    bad={"statusCode": ("99", "ok"), "responseParameters": {"Location": True}, "status": "200"},
)

INTEGRATION = Example(
    type="aws:apigateway/integration:Integration",
    needs=IN_METHOD,
    inputs={
        **HERE,
        "httpMethod": Ref("method", "httpMethod"),
        "type": "AWS_PROXY",
        "integrationHttpMethod": "POST",
        "uri": INVOKE,
        "timeoutMilliseconds": 29_000,
    },
    updates={"uri": INVOKE.replace("process", "verify"), "timeoutMilliseconds": 5_000},
    replaces={"type": "MOCK", "integrationHttpMethod": "GET", "passthroughBehavior": "NEVER", "credentials": ROLE},
    bad={
        "type": "LAMBDA",
        "integrationHttpMethod": ("GET", "CALL", None),
        "uri": None,
        "timeoutMilliseconds": (49, 300_001),
        "passthroughBehavior": "ALWAYS",
        "credentials": "role",
        "requestParameters": {"header.X": "'1'"},
        "connectionType": "VPC_LINK",
        "url": INVOKE,
    },
)

MOCK = Example(
    type="aws:apigateway/integration:Integration",
    label="mock",
    needs=IN_METHOD,
    inputs={
        **HERE,
        "httpMethod": Ref("method", "httpMethod"),
        "type": "MOCK",
        "requestTemplates": {"application/json": '{"statusCode": 200}'},
        "passthroughBehavior": "WHEN_NO_MATCH",
    },
    updates={"requestTemplates": {"application/json": '{"statusCode": 204}'}},
)

HTTP = Example(
    type="aws:apigateway/integration:Integration",
    label="http",
    needs=IN_METHOD,
    inputs={
        **HERE,
        "httpMethod": Ref("method", "httpMethod"),
        "type": "HTTP_PROXY",
        "integrationHttpMethod": "GET",
        "uri": "https://example.com/health",
        "connectionType": "INTERNET",
        "requestParameters": {"integration.request.header.X-Request-Id": "context.requestId"},
        "tlsConfig": {"insecureSkipVerification": False},
        "contentHandling": "CONVERT_TO_TEXT",
        "credentials": ROLE,
    },
    updates={"tlsConfig": {"insecureSkipVerification": True}, "requestParameters": None, "contentHandling": None},
)

INTEGRATION_RESPONSE = Example(
    type="aws:apigateway/integrationResponse:IntegrationResponse",
    needs=after(MOCK.needs, integration=MOCK, response=METHOD_RESPONSE),
    inputs={
        **HERE,
        "httpMethod": Ref("integration", "httpMethod"),
        "statusCode": Ref("response", "statusCode"),
        "responseTemplates": {"application/json": "{}"},
        "responseParameters": {"method.response.header.Location": "'/'"},
        "selectionPattern": "2..",
    },
    updates={"responseTemplates": {"application/json": ""}, "responseParameters": None, "selectionPattern": "4.."},
    replaces={"statusCode": "201"},
    bad={"statusCode": "ok", "responseParameters": {"Location": "'/'"}, "contentHandling": "TEXT", "templates": {}},
)

RESPONSE = Example(
    type="aws:apigateway/response:Response",
    needs={"api": API},
    inputs={
        "restApiId": Ref("api"),
        "responseType": "BAD_REQUEST_BODY",
        "statusCode": "400",
        "responseTemplates": {"application/json": '{"message": "$context.error.validationErrorString"}'},
        "responseParameters": {"gatewayresponse.header.Cache-Control": "'no-store'"},
    },
    updates={"statusCode": "422", "responseTemplates": {"application/json": "{}"}, "responseParameters": None},
    replaces={"responseType": "DEFAULT_4XX", "restApiId": "other"},
    bad={"responseType": "BAD", "statusCode": "600", "restApi": "x"},
)

IN_API = after(INTEGRATION.needs, integration=INTEGRATION)

DEPLOYMENT = Example(
    type="aws:apigateway/deployment:Deployment",
    needs=IN_API,
    inputs={"restApi": Ref("api"), "description": "First", "triggers": {"redeploy": "b6d2c0", "integration": Ref("integration")}},
    updates={"description": "Second"},
    replaces={"triggers": {"redeploy": "1f3a99"}, "restApi": "other"},
    bad={"triggers": {"redeploy": 1}, "stageName": "dev"},
)

STAGE = Example(
    type="aws:apigateway/stage:Stage",
    needs=after(IN_API, deployment=DEPLOYMENT, next=DEPLOYMENT),
    inputs={
        "restApi": Ref("api"),
        "deployment": Ref("deployment"),
        "stageName": "dev-pr42",
        "description": "For the pull request",
        "xrayTracingEnabled": True,
        "cacheClusterEnabled": True,
        "cacheClusterSize": "0.5",
        "variables": {"stage": "dev", "color": "blue"},
        "accessLogSettings": {"destinationArn": "arn:aws:logs:us-east-1:345678901234:log-group:/payments/api", "format": "$context.requestId $context.status"},
        "tags": TAGS,
    },
    updates={
        "deployment": Ref("next"),
        "description": None,
        "xrayTracingEnabled": None,
        "cacheClusterEnabled": False,
        "cacheClusterSize": None,
        "variables": {"stage": "staging"},
        "accessLogSettings": None,
        "tags": {"Environment": "staging"},
    },
    replaces={"stageName": "other", "restApi": "other"},
    bad={
        "stageName": ("with space", "x" * 129),
        "cacheClusterSize": "1",
        "accessLogSettings": (
            {"destinationArn": "arn:aws:logs:us-east-1:345678901234:log-group:/payments/api:*", "format": "$context.requestId"},
            {"destinationArn": "arn:aws:logs:us-east-1:345678901234:log-group:/payments/api", "format": "$context.status"},
            {"destinationArn": "arn:aws:logs:us-east-1:345678901234:log-group:/payments/api"},
        ),
        "variables": {"stage": "with space"},
        "stage": "dev",
    },
    drift=lambda aws, id_: aws.client("apigateway").update_stage(
        restApiId=id_.split("-")[1], stageName="dev-pr42", patchOperations=[{"op": "replace", "path": "/tracingEnabled", "value": "false"}]
    ),
    drifts="xrayTracingEnabled",
)

PLAIN_STAGE = Example(
    type="aws:apigateway/stage:Stage",
    label="with defaults",
    needs=after(IN_API, deployment=DEPLOYMENT),
    inputs={"restApi": Ref("api"), "deployment": Ref("deployment"), "stageName": "dev"},
    updates={
        "accessLogSettings": {"destinationArn": "arn:aws:logs:us-east-1:345678901234:log-group:/payments/api", "format": "$context.requestId"},
        "xrayTracingEnabled": True,
    },
)

IN_STAGE = after(PLAIN_STAGE.needs, stage=PLAIN_STAGE)

SETTINGS = Example(
    type="aws:apigateway/methodSettings:MethodSettings",
    needs=IN_STAGE,
    inputs={
        "restApi": Ref("api"),
        "stageName": Ref("stage", "stageName"),
        "methodPath": "*/*",
        "settings": {"metricsEnabled": True, "loggingLevel": "INFO", "dataTraceEnabled": False, "throttlingRateLimit": 50, "throttlingBurstLimit": 100},
    },
    updates={"settings": {"metricsEnabled": False, "throttlingRateLimit": 0.5}},
    replaces={"methodPath": "process-payment/POST", "stageName": "other", "restApi": "other"},
    bad={
        "methodPath": ("*", "/process-payment/POST", "process-payment"),
        "settings": (
            {"loggingLevel": "DEBUG"},
            {"throttlingRateLimit": -2},
            {"cacheTtlInSeconds": 3601},
            {"dataTraceEnabled": True},
            {"throttling": 1},
        ),
    },
    drift=lambda aws, id_: aws.client("apigateway").update_stage(
        restApiId=id_.split("-")[0], stageName="dev", patchOperations=[{"op": "replace", "path": "/*/*/metrics/enabled", "value": "false"}]
    ),
    drifts="settings",
)

ONE_METHOD = Example(
    type="aws:apigateway/methodSettings:MethodSettings",
    label="of one method",
    needs=IN_STAGE,
    inputs={
        "restApi": Ref("api"),
        "stageName": Ref("stage", "stageName"),
        "methodPath": "payments/refunds/POST",
        "settings": {"metricsEnabled": False, "cachingEnabled": True, "cacheTtlInSeconds": 60},
    },
)

KEY = Example(
    type="aws:apigateway/apiKey:ApiKey",
    inputs={"name": "shop", "description": "The shop's", "enabled": True, "value": "abcdefghijklmnopqrstuvwxyz", "customerId": "42", "tags": TAGS},
    updates={"name": "shop-2", "description": None, "enabled": False, "customerId": None, "tags": {"Environment": "staging"}},
    replaces={"value": "zyxwvutsrqponmlkjihgfedcba"},
    bad={"value": ("short", "x" * 129), "enabled": "yes", "key": "x"},
    drift=lambda aws, id_: aws.client("apigateway").update_api_key(apiKey=id_, patchOperations=[{"op": "replace", "path": "/enabled", "value": "false"}]),
    drifts="enabled",
)

GENERATED_KEY = Example(type="aws:apigateway/apiKey:ApiKey", label="with a value of AWS's", inputs={"name": "generated"})

PLAN = Example(
    type="aws:apigateway/usagePlan:UsagePlan",
    needs=IN_STAGE,
    inputs={
        "name": "standard",
        "description": "What a shop may ask for",
        "apiStages": [{"apiId": Ref("api"), "stage": Ref("stage", "stageName")}],
        "throttleSettings": {"rateLimit": 50, "burstLimit": 100},
        "quotaSettings": {"limit": 100_000, "period": "MONTH", "offset": 2},
        "tags": TAGS,
    },
    updates={
        "name": "large",
        "description": None,
        "apiStages": [],
        "throttleSettings": {"rateLimit": 200, "burstLimit": 400},
        "quotaSettings": {"limit": 1_000, "period": "DAY"},
        "tags": {"Environment": "staging"},
    },
    bad={
        "quotaSettings": ({"limit": 0, "period": "DAY"}, {"limit": 1, "period": "YEAR"}, {"limit": 1, "period": "WEEK", "offset": 7}),
        "throttleSettings": ({"rateLimit": -1}, {"rate": 1}),
        "apiStages": ([{"apiId": "a"}], [{"apiId": "a", "stage": "dev", "throttles": [{"path": "POST"}]}]),
        "throttle": {},
    },
    drift=lambda aws, id_: aws.client("apigateway").update_usage_plan(
        usagePlanId=id_, patchOperations=[{"op": "replace", "path": "/throttle/rateLimit", "value": "5"}]
    ),
    drifts="throttleSettings",
)

LIMITED_PLAN = Example(
    type="aws:apigateway/usagePlan:UsagePlan",
    label="with limits for one method",
    needs=IN_STAGE,
    inputs={
        "name": "limited",
        "apiStages": [
            {"apiId": Ref("api"), "stage": Ref("stage", "stageName"), "throttles": [{"path": "/process-payment/POST", "rateLimit": 5, "burstLimit": 10}]}
        ],
    },
    updates={"throttleSettings": {"rateLimit": 50, "burstLimit": 100}, "quotaSettings": {"limit": 5, "period": "WEEK", "offset": 1}},
)

PLAN_KEY = Example(
    type="aws:apigateway/usagePlanKey:UsagePlanKey",
    needs=after(PLAN.needs, plan=PLAN, key=KEY),
    inputs={"usagePlanId": Ref("plan"), "keyId": Ref("key"), "keyType": "API_KEY"},
    replaces={"usagePlanId": "other", "keyId": "other"},
    bad={"keyType": "TOKEN", "key": "x"},
)

ACCOUNT = Example(
    type="aws:apigateway/account:Account",
    inputs={"cloudwatchRoleArn": ROLE},
    updates={"cloudwatchRoleArn": ROLE + "-2"},
    bad={"cloudwatchRoleArn": "api-gateway-logs", "role": ROLE},
    drift=lambda aws, _: aws.client("apigateway").update_account(patchOperations=[{"op": "replace", "path": "/cloudwatchRoleArn", "value": ROLE + "-by-hand"}]),
    drifts="cloudwatchRoleArn",
)

DOMAIN = Example(
    type="aws:apigateway/domainName:DomainName",
    inputs={
        "domainName": "payments.example.com",
        "regionalCertificateArn": CERTIFICATE,
        "endpointConfiguration": {"types": ["REGIONAL"]},
        "securityPolicy": "TLS_1_2",
        "tags": TAGS,
    },
    updates={"regionalCertificateArn": CERTIFICATE[:-1] + "0", "securityPolicy": "TLS_1_0", "tags": {"Environment": "staging"}},
    replaces={"domainName": "pay.example.com"},
    bad={
        "domainName": ("payments", "with space.example.com", "-.example.com"),
        "regionalCertificateArn": ("certificate", None),
        "securityPolicy": "TLS_1_1",
        "endpointConfiguration": {"types": ["LOCAL"]},
        "certificate": CERTIFICATE,
    },
)

MAPPING = Example(
    type="aws:apigateway/basePathMapping:BasePathMapping",
    needs=after(IN_STAGE, domain=DOMAIN, next=DEPLOYMENT, second=STAGE),
    inputs={"domainName": Ref("domain", "domainName"), "restApi": Ref("api"), "stageName": Ref("stage", "stageName"), "basePath": "v1"},
    updates={"stageName": Ref("second", "stageName"), "basePath": "v2"},
    replaces={"domainName": "pay.example.com"},
    bad={"basePath": "v1/payments", "path": "v1"},
)

ROOT_MAPPING = Example(
    type="aws:apigateway/basePathMapping:BasePathMapping",
    label="of the root",
    needs=after(IN_STAGE, domain=DOMAIN),
    inputs={"domainName": Ref("domain", "domainName"), "restApi": Ref("api"), "stageName": Ref("stage", "stageName")},
)

EXAMPLES = (
    API,
    PLAIN_API,
    POLICY,
    RESOURCE,
    VALIDATOR,
    MODEL,
    METHOD,
    OPTIONS,
    METHOD_RESPONSE,
    INTEGRATION,
    MOCK,
    HTTP,
    INTEGRATION_RESPONSE,
    RESPONSE,
    DEPLOYMENT,
    STAGE,
    PLAIN_STAGE,
    SETTINGS,
    ONE_METHOD,
    KEY,
    GENERATED_KEY,
    PLAN,
    LIMITED_PLAN,
    PLAN_KEY,
    ACCOUNT,
    DOMAIN,
    MAPPING,
    ROOT_MAPPING,
)
