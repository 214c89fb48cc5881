"""Examples of AWS IAM."""

import json

from tests.localcloud.examples import Example, Ref


def allow(action: str, resource: str = "*") -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Sid": "One", "Effect": "Allow", "Action": [action], "Resource": resource}]})


def trusts(service: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def with_statement(**statement: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", **statement}})


TAGS = {"Environment": "dev", "Team": "payments"}

POLICY = Example(
    type="aws:iam/policy:Policy",
    inputs={"name": "boundary", "path": "/payments/", "policy": allow("s3:GetObject"), "description": "What roles may hold at most", "tags": TAGS},
    updates={"policy": allow("s3:PutObject"), "tags": {"Environment": "staging"}},
    replaces={"name": "other", "path": "/", "description": "Something else"},
    bad={
        "policy": (
            "{",
            "[]",
            "{}",
            json.dumps({"Version": "2020-01-01", "Statement": json.loads(allow("s3:GetObject"))["Statement"]}),
            json.dumps({"Version": "2012-10-17", "Statement": []}),
            with_statement(Effect="allow"),
            with_statement(Action="GetObject"),
            with_statement(NotAction="s3:PutObject"),
            with_statement(Resource="my-bucket"),
            with_statement(Resource=[]),
            with_statement(Principal="*"),
            with_statement(Condition={"StringsEqual": {"aws:PrincipalTag/team": "payments"}}),
            with_statement(Condition={"StringEquals": "payments"}),
            with_statement(Sid="not allowed"),
            with_statement(Ressource="*"),
            json.dumps({"Version": "2012-10-17", "Statement": [*json.loads(allow("s3:GetObject"))["Statement"]] * 2}),
            allow("s3:GetObject", f"arn:aws:s3:::{'x' * 6_144}"),
        ),
        "name": ("with space", "x" * 129),
        "path": "payments",
        "plicy": "{}",
    },
    drift=lambda aws, arn: aws.client("iam").create_policy_version(PolicyArn=arn, PolicyDocument=allow("s3:*"), SetAsDefault=True),
    drifts="policy",
)

ROLE = Example(
    type="aws:iam/role:Role",
    needs={"boundary": POLICY},
    inputs={
        "name": "process-payment",
        "path": "/payments/",
        "assumeRolePolicy": trusts("lambda.amazonaws.com"),
        "description": "What process-payment may do",
        "maxSessionDuration": 7200,
        "permissionsBoundary": Ref("boundary", "arn"),
        "forceDetachPolicies": True,
        "tags": TAGS,
    },
    updates={
        "assumeRolePolicy": trusts("ecs-tasks.amazonaws.com"),
        "description": "Something else",
        "maxSessionDuration": None,
        "permissionsBoundary": None,
        "tags": {"Environment": "dev", "CostCenter": "42"},
    },
    replaces={"name": "other", "path": "/"},
    bad={
        "name": ("with space", "x" * 65),
        "maxSessionDuration": (3599, 43_201),
        "assumeRolePolicy": (allow("sts:AssumeRole"), trusts("x" * 2_048), "{"),
        "permissionsBoundary": "a-policy-by-its-name-only",
        "inlinePolicies": [{"name": "inline", "policy": allow("s3:GetObject")}],
        "managedPolicyArns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"],
    },
    drift=lambda aws, name: aws.client("iam").update_role(RoleName=name, Description="changed", MaxSessionDuration=7200),
    drifts="description",
)

PLAIN_ROLE = Example(type="aws:iam/role:Role", inputs={"name": "plain", "assumeRolePolicy": trusts("ec2.amazonaws.com")}, label="least")
OTHER_ROLE = Example(type="aws:iam/role:Role", inputs={"name": "second", "assumeRolePolicy": trusts("ec2.amazonaws.com")}, label="second")

ROLE_POLICY = Example(
    type="aws:iam/rolePolicy:RolePolicy",
    needs={"role": PLAIN_ROLE},
    inputs={"role": Ref("role"), "name": "work", "policy": allow("sqs:SendMessage", "arn:aws:sqs:us-east-1:345678901234:work")},
    updates={"policy": allow("sqs:ReceiveMessage")},
    replaces={"name": "other", "role": "another-role"},
    bad={"policy": ("{}", allow("s3:GetObject", f"arn:aws:s3:::{'x' * 10_240}")), "name": "with space"},
    drift=lambda aws, _: aws.client("iam").put_role_policy(RoleName="plain", PolicyName="work", PolicyDocument=allow("sqs:*")),
    drifts="policy",
)

ROLE_POLICY_ATTACHMENT = Example(
    type="aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    needs={"role": PLAIN_ROLE, "policy": POLICY},
    inputs={"role": Ref("role", "name"), "policyArn": Ref("policy", "arn")},
    replaces={"role": "another-role", "policyArn": "arn:aws:iam::345678901234:policy/other"},
    bad={"policyArn": "ReadOnlyAccess"},
)

INSTANCE_PROFILE = Example(
    type="aws:iam/instanceProfile:InstanceProfile",
    needs={"role": PLAIN_ROLE, "second": OTHER_ROLE},
    inputs={"name": "nat", "path": "/payments/", "role": Ref("role"), "tags": TAGS},
    updates={"role": Ref("second"), "tags": {"Team": "platform"}},
    replaces={"name": "other", "path": "/"},
    bad={"name": "with space", "roles": ["plain"]},
    drift=lambda aws, name: aws.client("iam").remove_role_from_instance_profile(InstanceProfileName=name, RoleName="plain"),
    drifts="role",
)

EXAMPLES = (POLICY, ROLE, PLAIN_ROLE, OTHER_ROLE, ROLE_POLICY, ROLE_POLICY_ATTACHMENT, INSTANCE_PROFILE)
