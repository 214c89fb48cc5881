"""Examples of Amazon API Gateway, REST APIs: deployments, stages, plans and domains."""

from tests.localcloud.examples import Example, Ref
from tests.localcloud.examples.apigateway import INTEGRATION, ROLE, TAGS, after

LOGS = "arn:aws:logs:us-east-1:345678901234:log-group:/payments/api"
CERTIFICATE = "arn:aws:acm:us-east-1:345678901234:certificate/0e8f3c1a-2b4d-4c6e-8f10-1a2b3c4d5e6f"

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
        "accessLogSettings": {"destinationArn": LOGS, "format": "$context.requestId $context.status"},
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
            {"destinationArn": f"{LOGS}:*", "format": "$context.requestId"},
            {"destinationArn": LOGS, "format": "$context.status"},
            {"destinationArn": LOGS},
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
        "accessLogSettings": {"destinationArn": LOGS, "format": "$context.requestId"},
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
        "endpointConfiguration": {"types": "REGIONAL"},
        "securityPolicy": "TLS_1_2",
        "tags": TAGS,
    },
    updates={"regionalCertificateArn": CERTIFICATE[:-1] + "0", "securityPolicy": "TLS_1_0", "tags": {"Environment": "staging"}},
    replaces={"domainName": "pay.example.com"},
    bad={
        "domainName": ("payments", "with space.example.com", "-.example.com"),
        "regionalCertificateArn": ("certificate", None),
        "securityPolicy": ("TLS_1_1", "SecurityPolicy_TLS12_PFS_2025_EDGE"),
        "endpointAccessMode": ("OPEN", "STRICT"),
        "endpointConfiguration": {"types": "LOCAL"},
        "certificate": CERTIFICATE,
    },
)

STRICT_DOMAIN = Example(
    type="aws:apigateway/domainName:DomainName",
    label="TLS 1.3 alone",
    inputs={
        "domainName": "strict.example.com",
        "regionalCertificateArn": CERTIFICATE,
        "endpointConfiguration": {"types": "REGIONAL"},
        "securityPolicy": "SecurityPolicy_TLS13_1_3_2025_09",
        "endpointAccessMode": "BASIC",
    },
    updates={"endpointAccessMode": "STRICT"},
    bad={"endpointAccessMode": None},
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
    STRICT_DOMAIN,
    MAPPING,
    ROOT_MAPPING,
)
