"""API Gateway's REST APIs, with Lambda proxy integrations, at `/<api id>/<stage>/<path>`."""

from __future__ import annotations

import json
import logging
import time
import uuid
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from jsonschema import Draft4Validator

from localcloud.serve import answers
from localcloud.serve.answers import RefusedError
from localcloud.serve.context import Context, event
from localcloud.serve.functions import Functions, UnknownFunctionError
from localcloud.serve.http1 import Request, Response
from localcloud.serve.logs import LogWriter, now
from localcloud.serve.model import Deployed, Key, Limit, Method, ServeError, Stage
from localcloud.serve.permissions import allows
from localcloud.serve.pool import Outcome, ThrottledError
from localcloud.serve.rates import Rates
from localcloud.serve.routes import Routes
from localcloud.serve.throttle import Buckets, Quotas

log = logging.getLogger("localcloud.serve")

LARGEST_BODY = 10 * 1024 * 1024
"""Bytes that API Gateway takes ("Quotas for configuring and running a REST API", payload size)."""

_SERVICE = "apigateway.amazonaws.com"


@dataclass
class _Served:
    """A stage with what is worked out once: its routes, and the validators of its methods' models by content type."""

    stage: Stage
    routes: Routes
    validators: dict[tuple[str, str], dict[str, Draft4Validator]]
    stream: str = field(default_factory=lambda: uuid.uuid4().hex)


class Gateway:
    """Answers requests as API Gateway would: web ACL, route, key, limits, validation, function, in this order."""

    def __init__(self, functions: Functions, logs: LogWriter) -> None:
        self._functions, self._logs = functions, logs
        self._stages: dict[tuple[str, str], _Served] = {}
        self._deployed: Deployed | None = None
        self._buckets, self._quotas, self._rates = Buckets(), Quotas(), Rates()
        # A client gets its 504 when its time is over; the function works on, in a thread that nobody waits for any more.
        self._calls = ThreadPoolExecutor(max_workers=1000, thread_name_prefix="gateway-call")

    def update(self, deployed: Deployed) -> None:
        """Serves these APIs from now on."""
        self._deployed = deployed
        self._stages = {(stage.api, stage.name): _Served(stage, Routes(stage.methods), _validators(stage.methods)) for stage in deployed.stages}

    def stop(self) -> None:
        """Takes no calls more."""
        self._calls.shutdown(wait=False, cancel_futures=True)

    def answer(self, request: Request) -> Response:
        """Answers a request; whatever is wrong with it or with the function becomes an answer."""
        api, _, rest = request.raw_path.lstrip("/").partition("/")
        name, slash, path = rest.partition("/")
        served, deployed = self._stages.get((api, name)), self._deployed
        if served is None or deployed is None:
            return Response(403, b'{"message":"Forbidden"}', [("Content-Type", "application/json"), ("x-amzn-ErrorType", "ForbiddenException")])
        context = Context(served.stage, request, deployed.account, deployed.region, slash + path or "/")
        if given := request.header("x-amzn-trace-id"):
            context.trace = given
        try:
            response = self._through(served, context)
        except RefusedError as refused:
            response = answers.refusal(context, refused)
        self._log(served, context, response)
        return response

    def _through(self, served: _Served, context: Context) -> Response:
        request = context.request
        if refusal := self._refused(served.stage, context):
            return refusal
        context.match = served.routes.match(request.method, context.raw_path)
        if context.match is None:
            raise answers.missing_token()
        method = context.match.method
        context.key = _key(served.stage, method, request)
        self._limits(served.stage, method, context.key)
        _validate(served, method, context)
        return self._call(context, method, context.match.parameters)

    def _refused(self, stage: Stage, context: Context) -> Response | None:
        """What the web ACL answers to a request that it blocks; raises RefusedError where it leaves that to API Gateway."""
        if stage.firewall is None:
            return None
        refused = self._rates.refused(stage.firewall, context.request.peer)
        context.rest |= {"webaclArn": stage.firewall.arn, "wafResponseCode": "WAF_BLOCK" if refused else "WAF_ALLOW"}
        if refused is None:
            return None
        if refused.said is None:
            raise answers.filtered()
        return answers.said(context, refused.said)

    def _limits(self, stage: Stage, method: Method, key: Key | None) -> None:
        """Takes the request out of every bucket that it comes under; raises RefusedError when one is empty."""
        path = f"{method.resource}/{method.verb}"
        if key is not None:
            own = key.plan.methods.get(path)
            bucket = (stage.api, stage.name, key.plan.id, key.id, path if own else "")
            limit = own or key.plan.throttle
            if limit and not self._buckets.take(bucket, limit):
                raise answers.throttled()
        settings = stage.settings.get(path.lstrip("/")) or stage.settings.get("*/*") or {}
        rate, burst = settings.get("throttlingRateLimit", -1), settings.get("throttlingBurstLimit", -1)
        if rate >= 0 and burst >= 0 and not self._buckets.take((stage.api, stage.name, path), Limit(rate=rate, burst=burst)):
            raise answers.throttled()
        if key is not None and key.plan.quota and not self._quotas.take(key.plan.id, key.id, key.plan.quota):
            raise answers.quota_exceeded()

    def _call(self, context: Context, method: Method, parameters: Mapping[str, str]) -> Response:
        payload = json.dumps(event(context, method, parameters), ensure_ascii=False, separators=(",", ":")).encode()
        began = time.monotonic()
        try:
            self._check_permission(context, method)
            call = self._calls.submit(self._functions.invoke, method.function, payload, trace=context.trace, patience=method.integration_timeout)
            outcome: Outcome = call.result(method.integration_timeout)
        except TimeoutError:
            context.rest["integrationStatus"] = "504"
            raise answers.timed_out() from None
        except (ThrottledError, UnknownFunctionError, ServeError) as error:
            if time.monotonic() - began >= method.integration_timeout - 0.1:
                raise answers.timed_out() from None
            log.warning("%s %s: %s", method.verb, method.resource, error)
            raise answers.configuration() from None
        finally:
            took = str(int((time.monotonic() - began) * 1000))
            context.rest |= {"integrationLatency": took, "integration.latency": took}
        context.rest |= {"integrationStatus": "200", "integration.status": "200", "integration.requestId": outcome.request_id}
        if outcome.error:
            raise answers.bad_answer()
        return answers.proxied(context, outcome.payload)

    def _check_permission(self, context: Context, method: Method) -> None:
        stage = context.stage
        source = f"arn:aws:execute-api:{context.region}:{context.account}:{stage.api}/{stage.name}/{method.verb}{method.resource}"
        function = self._functions.pool(method.function).function
        if not allows(function.policy, _SERVICE, source):
            raise ServeError(
                f"the policy of function {method.function} does not let {_SERVICE} invoke it for {source}: add a permission (lambda:AddPermission)"
            )

    def _log(self, served: _Served, context: Context, response: Response) -> None:
        if not served.stage.log_group:
            return
        context.rest |= {
            "status": str(response.status),
            "responseLength": str(len(response.body)),
            "responseLatency": str(int((time.time() - context.began) * 1000)),
        }
        line = context.filled(served.stage.log_format, missing="-")
        self._logs.write(served.stage.log_group, served.stream, [(now(), line)])


def _key(stage: Stage, method: Method, request: Request) -> Key | None:
    """The API key of a request; raises RefusedError where one is needed and missing or unknown."""
    given = request.header("x-api-key") if stage.key_source == "HEADER" else None
    key = stage.keys.get(given) if given else None
    if method.key_required and key is None:
        raise answers.invalid_key()
    return key if method.key_required else None


def _validate(served: _Served, method: Method, context: Context) -> None:
    request = context.request
    query = parse_qs(request.query, keep_blank_values=True)
    parameters = context.match.parameters if context.match else {}
    there = {"header": lambda name: request.header(name) is not None, "querystring": query.__contains__, "path": parameters.__contains__}
    if missing := [name for place, name in method.required if not there[place](name)]:
        raise answers.bad_parameters(missing)
    validators = served.validators[method.resource, method.verb]
    content_type = (request.header("content-type") or "application/json").partition(";")[0].strip().lower()
    if validator := validators.get(content_type) or validators.get("$default"):
        _check(validator, request.body)


def _check(validator: Draft4Validator, body: bytes) -> None:
    try:
        document: Any = json.loads(body or b"{}", parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise answers.bad_body("[the body is no JSON]") from None
    errors = [error.message for error in validator.iter_errors(document)]
    if errors:
        raise answers.bad_body(json.dumps(errors))


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _validators(methods: Iterable[Method]) -> dict[tuple[str, str], dict[str, Draft4Validator]]:
    """Raises ServeError for a model that is no JSON schema."""
    found: dict[tuple[str, str], dict[str, Draft4Validator]] = {}
    for method in methods:
        made = found.setdefault((method.resource, method.verb), {})
        for content_type, schema in method.models.items():
            made[content_type] = Draft4Validator(schema)
    return found
