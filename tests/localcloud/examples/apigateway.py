"""Examples of Amazon API Gateway, REST APIs."""

import dataclasses
import json
from collections.abc import Mapping

from tests.localcloud.examples import Example, Ref

TAGS = {"Environment": "dev", "Team": "payments"}
ROLE = "arn:aws:iam::345678901234:role/api-gateway-logs"
FUNCTION = "arn:aws:lambda:us-east-1:345678901234:function:process-payment"
INVOKE = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{FUNCTION}/invocations"


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
        "endpointConfiguration": {"types": "REGIONAL"},
        "policy": policy(),
        "minimumCompressionSize": "1024",
        "disableExecuteApiEndpoint": True,
        "apiKeySource": "HEADER",
        "binaryMediaTypes": ["image/png", "application/pdf"],
        "securityPolicy": "SecurityPolicy_TLS13_1_2_PQ_2025_09",
        "endpointAccessMode": "BASIC",
        "tags": TAGS,
    },
    updates={
        "name": "payments-v2",
        "description": None,
        "endpointConfiguration": {"types": "EDGE"},
        "securityPolicy": "SecurityPolicy_TLS12_PFS_2025_EDGE",
        "policy": policy("execute-api:*"),
        "disableExecuteApiEndpoint": False,
        "apiKeySource": "AUTHORIZER",
        "binaryMediaTypes": ["image/jpeg"],
        "tags": {"Environment": "staging"},
        "minimumCompressionSize": "-1",
    },
    bad={
        "name": "",
        "endpointConfiguration": ({"types": "GLOBAL"}, {"types": ["EDGE"]}, {"type": "EDGE"}),
        "minimumCompressionSize": ("10485761", "-2", "many"),
        "apiKeySource": "QUERY",
        "policy": "{",
        "binaryMediaTypes": ["png"],
        "securityPolicy": ("TLS_1_1", "SecurityPolicy_TLS12_PFS_2025_EDGE", 12),
        "endpointAccessMode": ("OPEN", None),
        "body": "{}",
    },
    drift=lambda aws, api: aws.client("apigateway").update_rest_api(
        restApiId=api, patchOperations=[{"op": "replace", "path": "/description", "value": "By hand"}]
    ),
    drifts="description",
)

PLAIN_API = Example(
    type="aws:apigateway/restApi:RestApi",
    label="with defaults",
    inputs={"name": "plain"},
    updates={"disableExecuteApiEndpoint": True},
    # It is edge-optimized, with a policy that takes no access mode.
    bad={"endpointAccessMode": "BASIC", "securityPolicy": "SecurityPolicy_TLS13_1_3_2025_09"},
)

STRICT_API = Example(
    type="aws:apigateway/restApi:RestApi",
    label="TLS 1.3 alone",
    inputs={
        "name": "strict",
        "endpointConfiguration": {"types": "REGIONAL"},
        "securityPolicy": "SecurityPolicy_TLS13_1_3_2025_09",
        "endpointAccessMode": "STRICT",
    },
    updates={"securityPolicy": "TLS_1_2", "endpointAccessMode": None},
    bad={"securityPolicy": "SecurityPolicy_TLS13_2025_EDGE", "endpointAccessMode": None},
    drift=lambda aws, api: aws.client("apigateway").update_rest_api(
        restApiId=api, patchOperations=[{"op": "replace", "path": "/endpointAccessMode", "value": "BASIC"}]
    ),
    drifts="endpointAccessMode",
)

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
    updates={
        "authorization": "AWS_IAM",
        "apiKeyRequired": False,
        "requestValidatorId": None,
        "requestModels": {"application/json": "Empty"},
        "requestParameters": {"method.request.querystring.page": False},
        "operationName": None,
    },
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

EXAMPLES = (
    API,
    PLAIN_API,
    STRICT_API,
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
)
