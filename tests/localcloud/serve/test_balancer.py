"""Load balancers from their listeners, rules and attributes: which request goes where, what a target is told, and what the load balancer says itself."""

from __future__ import annotations

import contextlib
import gzip
import shlex
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from localcloud.serve.firewalls import RateLimit
from localcloud.serve.rates import Rates
from localcloud.serve.service import Service
from localcloud.stores.certificates import Authority
from tests.localcloud.serve.cluster import Cluster, fixed, forward, method, path
from tests.localcloud.serve.conftest import Serve
from tests.localcloud.serve.deployment import SLOWLY

LEFT = "<html>\r\n<head><title>{0}</title></head>\r\n<body>\r\n<center><h1>{0}</h1></center>\r\n</body>\r\n</html>\r\n"
DOMAIN = "things.example.com"


@pytest.fixture
def group(cluster: Cluster) -> str:
    """A target group with one task behind it."""
    arn = cluster.target_group()
    cluster.service(cluster.definition(), behind=arn)
    return arn


def send(service: Service, place: str = "/", **request: Any) -> httpx.Response:
    port = request.pop("port", 80)
    return httpx.request(request.pop("method", "GET"), service.urls[f"front/{port}"] + place, timeout=30, **request)


def test_rules_are_tried_by_priority_and_the_default_takes_the_rest(cluster: Cluster, group: str, serve_cluster: Serve) -> None:
    listener = cluster.listener(cluster.balancer(), fixed(404, "nothing here", "text/plain"))
    cluster.rule(listener, 20, [path("/things/*")], fixed(403, '{"no": 1}'))
    cluster.rule(listener, 10, [path("/things/own", "/it?"), method("POST")], forward(group))
    service = serve_cluster()
    taken = send(service, "/things/own?a=1", method="POST", json={"b": 2})
    assert (taken.status_code, taken.json()["path"], taken.json()["body"]) == (200, "/things/own?a=1", '{"b":2}')
    assert send(service, "/it1", method="POST").status_code == 200
    refused = send(service, "/things/own")
    assert (refused.status_code, refused.json(), refused.headers["content-type"], refused.headers["server"]) == (
        *(403, {"no": 1}, "application/json"),
        "awselb/2.0",
    )
    other = send(service, "/THINGS/own", method="POST")
    assert (other.status_code, other.text) == (404, "nothing here")


@pytest.mark.parametrize("asked", ["HTTP", "HTTPS"])
def test_targets_of_a_group_for_https_are_spoken_to_by_tls_alone(cluster: Cluster, serve_cluster: Serve, tmp_path: Path, asked: str) -> None:
    # Of an authority that nobody here trusts.
    issued = Authority(tmp_path / "other").issue(["things"])
    (tmp_path / "task.pem").write_bytes(issued.certificate + issued.key)
    arn = cluster.target_group(Protocol="HTTPS", HealthCheckProtocol=asked)
    cluster.service(cluster.definition(environment=[{"name": "CERTIFICATE", "value": str(tmp_path / "task.pem")}]), behind=arn)
    cluster.listener(cluster.balancer(), forward(arn))
    service = serve_cluster(ready=asked == "HTTPS")
    if asked == "HTTPS":
        answers = [send(service, "/a", method="POST", content=b"b") for _ in range(2)]
        assert [(answer.status_code, answer.json()["body"]) for answer in answers] == [(200, "b")] * 2
    else:
        assert not service.ready(3.0)


def host(pattern: str) -> dict[str, Any]:
    return {"Field": "host-header", "HostHeaderConfig": {"Values": [pattern]}}


def query(value: str, **key: str) -> dict[str, Any]:
    return {"Field": "query-string", "QueryStringConfig": {"Values": [{**key, "Value": value}]}}


def source(network: str) -> dict[str, Any]:
    return {"Field": "source-ip", "SourceIpConfig": {"Values": [network]}}


_KIND = {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Kind", "Values": ["b*"]}}
_CASES: list[tuple[dict[str, Any], dict[str, Any], bool]] = [
    (host("*.EXAMPLE.com"), {"headers": {"host": "a.example.com:8443"}}, True),
    (host("*.example.com"), {"headers": {"host": "example.com"}}, False),
    (_KIND, {"headers": {"x-kind": "BIG"}}, True),
    (_KIND, {}, False),
    (query("v?", Key="version"), {"params": {"version": "V2"}}, True),
    (query("*any*"), {"params": {"x": "in any case"}}, True),
    (query("v?", Key="version"), {"params": {"other": "v2"}}, False),
    (source("127.0.0.0/8"), {}, True),
    (source("10.0.0.0/8"), {}, False),
]


def test_conditions_hold_as_documented(cluster: Cluster, group: str, serve_cluster: Serve) -> None:
    listener = cluster.listener(cluster.balancer(), fixed(404))
    cluster.rule(listener, 50_000, [path("/never")], forward(group))
    for number, (condition, _, _) in enumerate(_CASES):
        cluster.rule(listener, number + 1, [path(f"/{number}"), condition], fixed(201))
    service = serve_cluster(ready=False)
    found = [send(service, f"/{number}", **request).status_code == 201 for number, (_, request, _) in enumerate(_CASES)]
    assert found == [holds for _, _, holds in _CASES]


def test_a_target_is_told_where_a_request_came_from_and_nothing_of_the_connection(cluster: Cluster, group: str, serve_cluster: Serve) -> None:
    balancer = cluster.balancer(routing__http__drop_invalid_header_fields__enabled="true")
    cluster.listener(balancer, forward(group), port=8443, names=[DOMAIN])
    sent = {"x-forwarded-for": "192.0.2.1", "x-forwarded-proto": "gopher", "te": "trailers", "bad_name": "1", "x-own": "2", "x-amzn-trace-id": "Root=1-a-b;x=y"}
    service = serve_cluster(certify=None)
    told = {name.lower(): value for name, value in send(service, port=8443, headers=sent).json()["headers"]}
    assert told["x-forwarded-for"] == "192.0.2.1, 127.0.0.1"
    assert (told["x-forwarded-proto"], told["x-forwarded-port"], told["x-own"]) == ("https", "8443", "2")
    assert told["x-amzn-trace-id"].startswith("Self=1-")
    assert told["x-amzn-trace-id"].endswith(";Root=1-a-b;x=y")
    assert {"te", "bad_name"}.isdisjoint(told)
    assert told["host"] == service.urls["front/8443"].removeprefix("http://")
    fresh = {name.lower(): value for name, value in send(service, port=8443).json()["headers"]}
    assert fresh["x-amzn-trace-id"].startswith("Root=1-")


@pytest.mark.parametrize(("mode", "told"), [("preserve", "192.0.2.1"), ("remove", None)])
def test_the_clients_addresses_are_treated_as_the_attribute_says(cluster: Cluster, group: str, serve_cluster: Serve, mode: str, told: str | None) -> None:
    cluster.listener(cluster.balancer(routing__http__xff_header_processing__mode=mode), forward(group))
    headers = dict(send(serve_cluster(), headers={"X-Forwarded-For": "192.0.2.1"}).json()["headers"])
    assert headers.get("X-Forwarded-For") == told


def test_https_has_a_certificate_for_the_domain_and_its_former_port_redirects(cluster: Cluster, group: str, serve_cluster: Serve, tmp_path: Path) -> None:
    balancer = cluster.balancer()
    cluster.listener(balancer, forward(group), port=443, names=[DOMAIN])
    redirect = {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}
    cluster.listener(balancer, {"Type": "redirect", "RedirectConfig": redirect}, port=80)
    service = serve_cluster()
    url = httpx.URL(service.urls["front/443"])
    trusting = ssl.create_default_context(cafile=str(Authority(tmp_path / "ca").certificate))
    with httpx.Client(verify=trusting, timeout=30) as client:
        answer = client.get(url, headers={"host": DOMAIN}, extensions={"sni_hostname": DOMAIN})
        assert (answer.status_code, answer.json()["env"]["OF"]) == (200, "image")
        assert dict(answer.json()["headers"])["host"] == DOMAIN
    with httpx.Client(verify=trusting, timeout=30) as client, pytest.raises(httpx.ConnectError, match=r"(?i)certificate"):
        client.get(url, extensions={"sni_hostname": "other.example.com"})
    with socket.create_connection(("127.0.0.1", url.port or 0), timeout=5) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n\r\n")  # no TLS: the connection ends, and nobody else's does
        with contextlib.suppress(ConnectionResetError):
            assert not connection.recv(100).startswith(b"HTTP")
    assert httpx.get(url, verify=trusting, timeout=30).status_code == 200
    moved = send(service, "/it?a=b", headers={"host": DOMAIN})
    assert (moved.status_code, moved.headers["location"]) == (301, f"https://{DOMAIN}/it?a=b")


def test_without_a_well_target_the_load_balancer_answers_itself(cluster: Cluster, serve_cluster: Serve) -> None:
    empty = cluster.target_group()
    cluster.service(cluster.definition(environment=[{"name": "READY", "value": "no"}]), behind=empty)
    cluster.listener(cluster.balancer(), forward(empty))
    answer = send(serve_cluster(ready=False))
    assert (answer.status_code, answer.text) == (503, LEFT.format("503 Service Temporarily Unavailable"))
    assert answer.headers["content-type"] == "text/html"


def test_a_target_that_breaks_off_or_is_silent_is_a_bad_gateway_or_a_time_out(cluster: Cluster, group: str, serve_cluster: Serve) -> None:
    cluster.listener(cluster.balancer(idle_timeout__timeout_seconds="1"), forward(group))
    service = serve_cluster()
    broken = send(service, "/broken")
    assert (broken.status_code, broken.text) == (502, LEFT.format("502 Bad Gateway"))
    slow = send(service, "/slow")
    assert (slow.status_code, slow.text) == (504, LEFT.format("504 Gateway Time-out"))
    assert send(service).status_code == 200


def test_what_is_no_request_is_answered_as_a_load_balancer_does(cluster: Cluster, group: str, serve_cluster: Serve) -> None:
    cluster.listener(cluster.balancer(), forward(group))
    port = httpx.URL(serve_cluster().urls["front/80"]).port
    with socket.create_connection(("127.0.0.1", port or 0), timeout=5) as connection:
        connection.sendall(b"what is this\r\n\r\n")
        answer = connection.makefile("rb").read().decode()
    assert answer.startswith("HTTP/1.1 400 Bad Request\r\nServer: awselb/2.0\r\n")
    assert answer.endswith(LEFT.format("400 Bad Request"))


def test_who_sends_more_than_the_web_acl_allows_is_refused(cluster: Cluster, group: str, serve_cluster: Serve) -> None:
    balancer = cluster.balancer()
    cluster.listener(balancer, forward(group))
    rate = {"Limit": 10, "AggregateKeyType": "IP", "EvaluationWindowSec": 300}
    managed = {"ManagedRuleGroupStatement": {"VendorName": "AWS", "Name": "AWSManagedRulesCommonRuleSet"}}
    cluster.deployment.web_acl(balancer, {"Name": "rate", "Statement": {"RateBasedStatement": rate}}, {"Name": "common", "Statement": managed})
    service = serve_cluster()
    answers = [send(service) for _ in range(12)]
    assert [answer.status_code for answer in answers] == [200] * 10 + [403] * 2
    assert answers[-1].text == LEFT.format("403 Forbidden")
    assert any("rule common of its web ACL is not applied here" in problem for problem in service.deployed.problems)


def test_a_web_acl_says_in_its_own_words_that_it_blocks(cluster: Cluster, group: str, serve_cluster: Serve) -> None:
    balancer = cluster.balancer()
    cluster.listener(balancer, forward(group))
    cluster.deployment.web_acl(balancer, SLOWLY)
    service = serve_cluster()
    answer = [send(service) for _ in range(11)][-1]
    assert (answer.status_code, answer.headers["content-type"], answer.json()) == (429, "application/json", {"status": 429})


def test_a_rate_is_of_one_address_and_of_the_window_alone() -> None:
    now = [0.0]
    rates, limit = Rates(clock=lambda: now[0]), RateLimit(name="rate", limit=2, window=60)
    assert [rates.over(limit, "a") for _ in range(3)] == [False, False, True]
    assert not rates.over(limit, "b")
    now[0] = 59.0
    assert rates.over(limit, "a")
    now[0] = 60.0
    assert [rates.over(limit, "a") for _ in range(2)] == [False, True]


def test_the_access_log_says_what_was_done_with_each_request(cluster: Cluster, group: str, serve_cluster: Serve) -> None:
    aws = cluster.deployment.aws
    aws.client("s3").create_bucket(Bucket="logs-of-things")
    balancer = cluster.balancer(access_logs__s3__enabled="true", access_logs__s3__bucket="logs-of-things", access_logs__s3__prefix="front")
    listener = cluster.listener(balancer, fixed(404))
    cluster.rule(listener, 7, [path("/it")], forward(group))
    service = serve_cluster()
    send(service, "/it?x=1", headers={"user-agent": 'a "quoted" one', "host": DOMAIN})
    send(service, "/other")
    service.stop(2.0)
    (found,) = aws.client("s3").list_objects_v2(Bucket="logs-of-things")["Contents"]
    assert found["Key"].startswith(f"front/AWSLogs/{aws.account}/elasticloadbalancing/{aws.region}/")
    assert f"/{aws.account}_elasticloadbalancing_{aws.region}_app.front." in found["Key"]
    text = gzip.decompress(aws.client("s3").get_object(Bucket="logs-of-things", Key=found["Key"])["Body"].read()).decode()
    first, second = (shlex.split(line.replace("\\", "\\\\")) for line in text.splitlines())
    assert len(first) == len(second) == 30
    assert (first[0], first[3].split(":")[0], first[8], first[9]) == ("http", "127.0.0.1", "200", "200")
    assert first[12:14] == [f"GET http://{DOMAIN}:80/it?x=1 HTTP/1.1", "a \\x22quoted\\x22 one"]
    assert (first[16], first[20], first[22]) == (group, "7", "forward")
    assert (second[4], second[8], second[9], second[20], second[22]) == ("-", "404", "-", "0", "fixed-response")


def test_requests_are_divided_by_weight(cluster: Cluster, group: str, serve_cluster: Serve) -> None:
    none = cluster.target_group("none")
    weighted = [{"TargetGroupArn": none, "Weight": 0}, {"TargetGroupArn": group, "Weight": 1}]
    cluster.listener(cluster.balancer(), {"Type": "forward", "ForwardConfig": {"TargetGroups": weighted}})
    service = serve_cluster()
    assert {send(service).status_code for _ in range(5)} == {200}


def test_what_asks_for_a_log_in_lets_nobody_through_and_is_said(cluster: Cluster, group: str, serve_cluster: Serve) -> None:
    pool = {"UserPoolArn": cluster.deployment.aws.arn("cognito-idp", "userpool/p"), "UserPoolClientId": "c", "UserPoolDomain": "d"}
    actions = [{"Type": "authenticate-cognito", "Order": 1, "AuthenticateCognitoConfig": pool}, {**forward(group), "Order": 2}]
    cluster.listener(cluster.balancer(), *actions)
    service = serve_cluster()
    assert send(service).status_code == 500
    assert any("authenticate-cognito, forward) are not served here" in problem for problem in service.deployed.problems)


def test_rules_that_are_deployed_anew_are_followed_on_the_same_port(cluster: Cluster, group: str, serve_cluster: Serve, eventually: Callable[..., Any]) -> None:
    listener = cluster.listener(cluster.balancer(), forward(group))
    service = serve_cluster(refresh=0.2)
    before = service.urls
    cluster.rule(listener, 1, [path("/gone")], fixed(410))
    eventually(lambda: send(service, "/gone").status_code == 410)
    cluster.deployment.aws.client("elbv2").delete_listener(ListenerArn=listener)
    assert service.urls == before
    eventually(lambda: service.urls == {})
