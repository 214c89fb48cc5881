"""Long polls of queues, as containers make them: they wait for messages, and keep nobody else waiting."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from tests.localcloud.serve.deployment import Deployment


def test_others_are_answered_while_one_waits_for_a_message_and_it_gets_it_at_once(deployment: Deployment) -> None:
    sqs = deployment.aws.client("sqs")
    url = sqs.create_queue(QueueName="work")["QueueUrl"]
    with ThreadPoolExecutor(4) as waiting:
        polls = [waiting.submit(sqs.receive_message, QueueUrl=url, WaitTimeSeconds=20) for _ in range(3)]
        time.sleep(0.3)
        began = time.monotonic()
        assert sqs.list_queues()["QueueUrls"] == [url]
        for number in range(3):
            sqs.send_message(QueueUrl=url, MessageBody=str(number))
        received = [poll.result(20) for poll in polls]
    # Waited for one after the other, the first alone would have taken twenty seconds.
    assert time.monotonic() - began < 10
    assert sorted(message["Body"] for answer in received for message in answer["Messages"]) == ["0", "1", "2"]


def test_a_poll_without_messages_ends_when_its_time_is_over(deployment: Deployment) -> None:
    sqs = deployment.aws.client("sqs")
    url = sqs.create_queue(QueueName="work")["QueueUrl"]
    began = time.monotonic()
    assert "Messages" not in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1)
    assert time.monotonic() - began >= 0.9
    assert sqs.list_queues()["QueueUrls"] == [url]
