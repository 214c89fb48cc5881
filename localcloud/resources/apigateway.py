"""Amazon API Gateway, REST APIs."""

from __future__ import annotations

from localcloud.resources import _apigateway_apis, _apigateway_domains, _apigateway_methods, _apigateway_plans, _apigateway_stages

KINDS = (
    *_apigateway_apis.KINDS,
    *_apigateway_methods.KINDS,
    *_apigateway_stages.KINDS,
    *_apigateway_plans.KINDS,
    *_apigateway_domains.KINDS,
)
