"""The packages for this machine, unpacked and run by themselves: nothing of the checkout or of what is installed can help them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from localcloud.stores.postgres import PostgresServer
from ops.package import ensure, this_machine
from ops.package_trust import local_authority
from payments.functions import FUNCTIONS, MIGRATE_DATABASE, OUTBOX_RELAY, PAYMENT_WORKER, PROCESS_PAYMENT, VERIFY_PAYMENT, Function, Variable

REGION = "eu-west-1"
ENDPOINT = "payments.cluster-x.eu-west-1.rds.example.com"
PASSWORD = "made-up"
each = pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)

# -I -S: neither this folder nor the installed packages, so that whatever is missing in the package is missed.
INTERPRETER = (sys.executable, "-I", "-S", "-c")
IMPORTS = """
import importlib, json, pathlib, sys
root = pathlib.Path(sys.argv[1]); sys.path.insert(0, sys.argv[1])
for file in sorted((root / 'payments').rglob('*.py')):
    importlib.import_module('.'.join(file.relative_to(root).with_suffix('').parts).removesuffix('.__init__'))
from payments import clients
for service in json.loads(sys.argv[2]):
    assert clients.client(service).meta.service_model.operation_names
inside = lambda module: getattr(module, '__file__', None) is None or module.__file__.startswith((sys.argv[1], sys.base_prefix))
print(json.dumps(sorted(name for name, module in sys.modules.items() if not inside(module))))
"""
CALL = """
import importlib, json, sys, types
sys.path.insert(0, sys.argv[1])
module, _, name = sys.argv[2].rpartition('.')
context = types.SimpleNamespace(aws_request_id='r', get_remaining_time_in_millis=lambda: 30000)
print(json.dumps(getattr(importlib.import_module(module), name)(json.loads(sys.argv[3]), context)))
"""


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a package of this checkout unpacked in a folder each."""
    folder = tmp_path_factory.mktemp("unpacked")
    for name, path in ensure(platform=this_machine()).items():
        with zipfile.ZipFile(path) as archive:
            archive.extractall(folder / name)
    return folder


@pytest.fixture(scope="module")
def variables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A function's environment: PostgreSQL under RDS's name, certified by the authority that the packages trust, and moto for the rest of AWS."""
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    keys = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_DEFAULT_REGION": REGION}
    session: Any = boto3.Session("k", "s", region_name=REGION)
    sqs, secrets, s3, sns, dynamodb = (session.client(name, endpoint_url=keys["AWS_ENDPOINT_URL"]) for name in "sqs secretsmanager s3 sns dynamodb".split())
    made = dict.fromkeys((variable.value for variable in Variable), "unset")
    made["WORK_QUEUE_URL"], made["DEAD_LETTER_QUEUE_URL"] = (sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("work", "dead"))
    made["DATABASE_SECRET_ARN"] = secrets.create_secret(Name="db", SecretString=json.dumps({"username": "payments", "password": PASSWORD}))["ARN"]
    made["PAYMENT_EVENTS_TOPIC_ARN"] = sns.create_topic(Name="events")["TopicArn"]
    for variable in ("AUDIT_BUCKET", "DOCUMENTS_BUCKET"):
        made[variable] = variable.lower().replace("_", "-")
        s3.create_bucket(Bucket=made[variable], CreateBucketConfiguration={"LocationConstraint": REGION})
    for variable, names in (("TRANSACTION_LOG_TABLE", (("payment_id", "S"), ("sequence", "N"))), ("SESSIONS_TABLE", (("session_id", "S"),))):
        made[variable] = variable.lower()
        dynamodb.create_table(
            TableName=made[variable],
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": kind} for name, kind in names],
            KeySchema=[{"AttributeName": name, "KeyType": role} for (name, _), role in zip(names, ("HASH", "RANGE"), strict=False)],
        )
    with PostgresServer(tmp_path_factory.mktemp("postgres"), authority=local_authority(), names=[ENDPOINT], durable=False) as server:
        server.create_role("payments", PASSWORD)
        server.create_database("payments", "payments")
        database = {"DATABASE_URL": f"postgresql://{ENDPOINT}:{server.port}/payments?sslmode=verify-full", "PGHOSTADDR": server.address}
        yield {**made, **database, **keys, "STAGE": "test", "PROCESSOR": "sandbox", "MAX_RECEIVES": "5", "AWS_XRAY_SDK_ENABLED": "false"}
    moto.stop()


def called(unpacked: Path, function: Function, variables: dict[str, str], event: dict[str, Any]) -> Any:
    """What a function answers, in a process of its own with the variables that it declares."""
    others = {variable.value for variable in Variable} - {variable.value for variable in (*function.needs("relational"), Variable.SESSIONS_TABLE)}
    given = {name: value for name, value in variables.items() if name not in others}
    command = [*INTERPRETER, CALL, str(unpacked / function.name), function.handler, json.dumps(event)]
    done = subprocess.run(command, env={**given, "HOME": os.devnull}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def request(body: dict[str, Any]) -> dict[str, Any]:
    return {"headers": {"Idempotency-Key": "a-key-of-the-test", "Content-Type": "application/json"}, "body": json.dumps(body)}


@each
def test_all_that_a_package_holds_of_the_service_can_be_imported_from_it_alone(unpacked: Path, function: Function) -> None:
    command = [*INTERPRETER, IMPORTS, str(unpacked / function.name), json.dumps(function.services)]
    done = subprocess.run(command, env={"AWS_DEFAULT_REGION": REGION}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == []


def test_the_packages_alone_migrate_a_database_and_see_a_payment_through(unpacked: Path, variables: dict[str, str]) -> None:
    assert called(unpacked, MIGRATE_DATABASE, variables, {})["applied"]
    assert called(unpacked, MIGRATE_DATABASE, variables, {})["applied"] == []
    body = {"amount": 1250, "currency": "EUR", "payment_token": "tok_approve", "reference": "order-1"}
    accepted = called(unpacked, PROCESS_PAYMENT, variables, request(body))
    assert accepted["statusCode"] == 202, accepted
    payment_id = json.loads(accepted["body"])["payment_id"]
    session: Any = boto3.Session("k", "s", region_name=REGION)
    messages = session.client("sqs", endpoint_url=variables["AWS_ENDPOINT_URL"]).receive_message(QueueUrl=variables["WORK_QUEUE_URL"])["Messages"]
    records = [{"messageId": message["MessageId"], "body": message["Body"], "attributes": {"ApproximateReceiveCount": "1"}} for message in messages]
    assert called(unpacked, PAYMENT_WORKER, variables, {"Records": records}) == {"batchItemFailures": []}
    assert all(count >= 0 for count in called(unpacked, OUTBOX_RELAY, variables, {}).values())
    verified = called(unpacked, VERIFY_PAYMENT, variables, request({"payment_id": payment_id}))
    assert (verified["statusCode"], json.loads(verified["body"])["state"]) == (200, "captured")
