"""What the table's examples cannot show of load balancers: what AWS refuses because of something else that is there, or is not."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import grpc
import pytest

from tests.localcloud.engine import Engine
from tests.localcloud.examples import Example, Ref
from tests.localcloud.examples.acm import CERTIFICATE
from tests.localcloud.examples.lb import BUCKET, BUCKET_POLICY, HTTP, HTTPS, INTERNAL, LOAD_BALANCER, NETWORK, TARGET_GROUP, subnet
from tests.localcloud.life import make, make_needs, make_one


def changed(example: Example, needs: dict[str, Example] | None = None, **inputs: Any) -> Example:
    """The example with other inputs and more that it needs."""
    return replace(example, inputs={**example.inputs, **inputs}, needs={**example.needs, **(needs or {})})


ONE_ZONE = changed(INTERNAL, {"three": subnet(3, "a")}, subnets=[Ref("one"), Ref("three")])
ELSEWHERE = changed(
    INTERNAL,
    {
        "far": Example(type="aws:ec2/vpc:Vpc", inputs={"cidrBlock": "10.1.0.0/16"}),
        "foreign": Example(type="aws:ec2/securityGroup:SecurityGroup", inputs={"name": "far", "description": "far", "vpcId": Ref("far")}),
    },
    securityGroups=[Ref("foreign")],
)
_ENCRYPTED = {"rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms"}}]}
UNREADABLE = changed(
    LOAD_BALANCER,
    {
        "encryption": Example(
            type="aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
            inputs={"bucket": Ref("bucket"), **_ENCRYPTED},
        )
    },
)
_OTHERS = json.dumps(json.loads(BUCKET_POLICY.inputs["policy"].replace("logdelivery", "other")))


@pytest.mark.parametrize(
    ("example", "reason"),
    [
        (ONE_ZONE, "one in each of at least two Availability Zones"),
        (ELSEWHERE, "and its security group sg-.* is not"),
        (UNREADABLE, r"encrypted with aws:kms; Elastic Load Balancing writes with AES256"),
        (changed(LOAD_BALANCER, {"bucketPolicy": changed(BUCKET_POLICY, policy=_OTHERS)}), "does not let logdelivery"),
        (replace(LOAD_BALANCER, needs={**NETWORK, "bucket": BUCKET}), "does not let logdelivery"),
        (replace(LOAD_BALANCER, needs=NETWORK), "NoSuchBucket"),
        (changed(HTTPS, {"certificate": CERTIFICATE}, certificateArn=Ref("certificate", "arn"), port=80), "on port 80 already"),
    ],
    ids=["one zone", "another VPC's group", "an encrypted bucket", "somebody else's bucket", "a bucket without a policy", "no bucket", "a port twice"],
)
def test_is_not_made(engine: Engine, example: Example, reason: str) -> None:
    made = make_needs(engine, example)
    if example.type == HTTP.type:
        make_one(engine, HTTP, made)
    with pytest.raises(grpc.RpcError, match=reason):
        make_one(engine, example, made)


def test_a_name_is_taken_once(engine: Engine) -> None:
    made = make_needs(engine, INTERNAL)
    make_one(engine, INTERNAL, made)
    with pytest.raises(grpc.RpcError, match="load balancer inside exists already"):
        make_one(engine, INTERNAL, made)


def test_a_certificate_is_taken_when_it_is_issued(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("moto.settings.ACM_VALIDATION_WAIT", 3600)
    needs = {name: each for name, each in HTTPS.needs.items() if name != "validation"}
    made = make_needs(engine, replace(HTTPS, needs={**needs, "certificate": CERTIFICATE}))
    with pytest.raises(grpc.RpcError, match="is PENDING_VALIDATION, and a listener takes it when it is ISSUED"):
        make_one(engine, HTTPS, made)


def test_a_protected_load_balancer_stays(engine: Engine) -> None:
    id_, state, inputs, _ = make(engine, changed(INTERNAL, enableDeletionProtection=True))
    with pytest.raises(grpc.RpcError, match="OperationNotPermitted"):
        engine.delete(INTERNAL.type, id_, state)
    state = engine.update(INTERNAL.type, id_, state, inputs, {**inputs, "enableDeletionProtection": False})
    engine.delete(INTERNAL.type, id_, state)
    assert engine.read(INTERNAL.type, id_, state, inputs) is None


def test_a_target_group_in_use_stays(engine: Engine) -> None:
    forwarding = changed(HTTP, defaultActions=[{"type": "forward", "targetGroupArn": Ref("target", "arn")}])
    id_, state, _, made = make(engine, forwarding)
    target = made["target"]
    with pytest.raises(grpc.RpcError, match="ResourceInUse"):
        engine.delete(TARGET_GROUP.type, target["id"], target)
    engine.delete(HTTP.type, id_, state)
    engine.delete(TARGET_GROUP.type, target["id"], target)
