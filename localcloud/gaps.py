"""Where moto does less than AWS, and what is done instead; `invoke local.status` prints this list.

A key is a resource type, or a type and one input of it (`aws:sqs/queue:Queue.redriveAllowPolicy`): then moto does not give that
input back, so the state keeps the value that was sent, and drift in it cannot be seen. A test fails on an entry that moto no longer needs.
"""

GAPS: dict[str, str] = {
    "aws:iam/role:Role.forceDetachPolicies": "used at deletion only, and kept by the state alone, as with the AWS provider",
}
