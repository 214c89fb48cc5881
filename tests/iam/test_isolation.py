"""No role of an environment reaches what is another environment's, for three reasons, each of which is enough by itself.

The matrix: each role, each resource of each other environment, whether in the same account or not, and the actions that read, write, or take over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations
from typing import get_args

import pytest

from projects.networking import boundary
from projects.networking.endpoints import actions_of
from projects.networking.settings import InterfaceService
from tests.iam.conditions import known
from tests.iam.evaluator import ALLOW_ALL, Caller, Decision, Policy, Request, decide
from tests.iam.world import CLOSED, Role, Thing, World, own_requests, requests, worth_asking

# The first test waits for all environments to be rehearsed.
pytestmark = pytest.mark.timeout(1200)

Worlds = Mapping[str, World]

# Lets everybody in, as a careless resource policy would: what is to be shown of the other lines is shown in spite of it.
WIDE_OPEN = Policy.of({"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}})

# API Gateway logs for all APIs of an account and region with the role that the account was last given (API Gateway, "Set up CloudWatch logging").
LOGS_FOR_ALL = "api-logs"
API_LOGS = ("log-group:/aws/apigateway/", "log-group:API-Gateway-Execution-Logs_")
# Lambda makes a function's interfaces in its role's name, and looks for a permission that names no resource (Lambda, VPC execution role).
OF_ANY_NETWORK = ("aws:ec2/subnet:Subnet", "aws:ec2/securityGroup:SecurityGroup")


def foreign(worlds: Worlds) -> Iterator[tuple[World, World]]:
    """Each environment beside each other one."""
    yield from permutations(worlds.values(), 2)


def neighbours(worlds: Worlds) -> list[tuple[World, World]]:
    """Those of one account, whom no account keeps apart."""
    return [(one, other) for one, other in foreign(worlds) if one.account == other.account]


def by_design(role: Role, request: Request) -> bool:
    """Whether AWS wants one role for all environments of an account here."""
    return role.word == LOGS_FOR_ALL and request.account == request.caller.account and any(logs in request.resource for logs in API_LOGS)


def named(role: Role, request: Request) -> bool:
    """Whether the role's own policies allow it."""
    return any(policy.allows(request) for policy in role.policies)


def test_environments_share_accounts_and_regions(worlds: Worlds) -> None:
    """Or the matrix would show nothing but that accounts are apart."""
    assert len(neighbours(worlds)) >= 2
    assert {one.region == other.region for one, other in neighbours(worlds)} >= {True}
    assert len({world.account for world in worlds.values()}) == 3


def test_no_role_reaches_another_environment(worlds: Worlds) -> None:
    reached, shared = set[str](), set[str]()
    for own, other in foreign(worlds):
        for role in own.roles:
            for thing in other.things:
                for request in worth_asking(role, thing):
                    if decide(request, identity=role.policies, boundary=role.boundary, resource=thing.policy) is Decision.ALLOWED:
                        (shared if by_design(role, request) else reached).add(f"{role.arn} may {request.action} on {request.resource}")
    assert reached == set()
    assert shared, "API Gateway's role reaches no other environment's logs any more: then nobody has to be excepted"


def test_a_boundary_alone_keeps_a_role_in_its_environment(worlds: Worlds) -> None:
    """Whatever a role's own policies and the resources' say: here they allow everything to everybody."""
    reached, denied = set[str](), 0
    for own, other in foreign(worlds):
        for role in _different(own.roles):
            for thing in other.things:
                for request in requests(role, thing):
                    decision = decide(request, identity=[ALLOW_ALL], boundary=role.boundary, resource=WIDE_OPEN)
                    denied += decision is Decision.EXPLICIT_DENY
                    if decision is not Decision.EXPLICIT_DENY and not by_design(role, request):
                        reached.add(f"{role.arn} may {request.action} on {request.resource}")
    assert reached == set()
    assert denied > len(worlds) * 100


def allowed(role: Role) -> set[str]:
    """The actions of the role's own policies."""
    return {action for policy in role.policies for statement in policy.statements if statement.allows for action in statement.actions}


def test_a_boundary_allows_what_the_roles_use_and_no_more(worlds: Worlds) -> None:
    used = {action for world in worlds.values() for role in world.roles for action in allowed(role)}
    assert used == set(boundary.ACTIONS), "roles and the boundary differ; see ACTIONS in projects/networking/boundary.py"


def test_endpoints_let_through_what_functions_and_containers_do_and_no_more(worlds: Worlds) -> None:
    inside = [role for world in worlds.values() for role in world.roles if role.service in {"lambda.amazonaws.com", "ecs-tasks.amazonaws.com"}]
    used = {action for role in inside for action in allowed(role)}
    for service in ("s3", "dynamodb", *get_args(InterfaceService)):
        wanted = {action for action in used if action.split(":")[0] == service.split(".")[0]}
        assert set(actions_of(service)) == wanted, service
        assert wanted, f"nobody uses {service}: it needs no endpoint"


def test_a_resource_policy_alone_keeps_roles_of_other_environments_out(worlds: Worlds) -> None:
    """Whatever a role's own policies say, and without a boundary."""
    reached, denied = set[str](), 0
    for own, other in foreign(worlds):
        role = own.roles[0]  # the policies know roles by their tags and account alone
        for thing in _closed(other):
            assert thing.policy is not None
            opened = Policy((*thing.policy.statements, *WIDE_OPEN.statements))
            for request in requests(role, thing):
                decision = decide(request, identity=[ALLOW_ALL], boundary=None, resource=opened)
                denied += decision is Decision.EXPLICIT_DENY
                if decision is not Decision.EXPLICIT_DENY:
                    reached.add(f"{role.arn} may {request.action} on {request.resource}")
    assert reached == set()
    assert denied > len(worlds) * 100


def test_the_roles_own_policies_alone_name_nothing_of_another_environment(worlds: Worlds) -> None:
    """Without boundaries, in an account where no resource has a policy: no wildcard goes beyond the environment."""
    reached = {
        f"{role.arn} may {request.action} on {request.resource}"
        for own, other in foreign(worlds)
        for role in own.roles
        for thing in other.things
        if thing.kind not in OF_ANY_NETWORK
        for request in worth_asking(role, thing)
        if named(role, request) and not by_design(role, request)
    }
    assert reached == set()


def test_what_a_role_is_allowed_it_can_do(worlds: Worlds) -> None:
    """Nothing that keeps others out keeps a role from its own work."""
    asked = 0
    for world in worlds.values():
        for role in world.roles:
            for statement in (one for policy in role.policies for one in policy.statements if one.allows):
                for request, thing in own_requests(role, statement, world):
                    asked += 1
                    decision = decide(request, identity=role.policies, boundary=role.boundary, resource=thing.policy)
                    assert decision is Decision.ALLOWED, f"{world.name}: {role.word} cannot {request.action} on {request.resource}: {decision.value}"
    assert asked > len(worlds) * 40


def test_a_function_makes_its_interfaces_in_its_own_network(worlds: Worlds) -> None:
    asked = 0
    for world in worlds.values():
        for role in world.roles:
            for thing in (one for one in world.things if one.kind in OF_ANY_NETWORK):
                for request in requests(role, thing):
                    if named(role, request):
                        asked += 1
                        assert decide(request, identity=role.policies, boundary=role.boundary, resource=None) is Decision.ALLOWED
    assert asked > 0


@pytest.mark.parametrize("tags", [{}, {"Environment": "tooling"}, {"Suffix": "anything"}])
def test_who_is_of_no_environment_is_not_locked_out(worlds: Worlds, tags: dict[str, str]) -> None:
    """Administrators, whoever deploys, and whoever comes when all else has failed."""
    for world in worlds.values():
        someone = Role("administrator", f"arn:aws:iam::{world.account}:role/administrator", tags, [ALLOW_ALL], ALLOW_ALL)
        for thing in world.things:
            for request in requests(someone, thing):
                assert decide(request, identity=[ALLOW_ALL], boundary=None, resource=thing.policy) is Decision.ALLOWED, (
                    f"{request.action} on {request.resource}"
                )


def test_aws_services_are_not_locked_out(worlds: Worlds) -> None:
    """They deliver logs, encrypt, and publish under their own names, in no account; whom they may do that for, other statements say."""
    service = known({"aws:PrincipalIsAWSService": "true", "aws:PrincipalServiceName": "cloudtrail.amazonaws.com", "aws:SecureTransport": "true"})
    for world in worlds.values():
        for thing in _closed(world):
            for arn in thing.arns:
                for action in thing.actions:
                    request = Request(Caller("arn:aws:iam::000000000000:role/none"), action, arn, world.account, service)
                    assert thing.policy is not None
                    assert not thing.policy.denies(request), f"{action} on {arn}"


def test_secrets_of_ours_are_among_what_refuses_by_itself(worlds: Worlds) -> None:
    """Or the tests of resource policies would say nothing of secrets: the callers' API key, and the cache's URL where there is one."""
    secrets = {name: [thing for thing in _closed(world) if thing.kind == "aws:secretsmanager/secret:Secret"] for name, world in worlds.items()}
    assert {name: len(found) for name, found in secrets.items()} == {name: 2 if name.startswith("containers-") else 1 for name in worlds}


def test_who_signs_nothing_gets_nowhere(worlds: Worlds) -> None:
    nobody = known({"aws:PrincipalAccount": "anonymous", "aws:SecureTransport": "true"})
    for world in worlds.values():
        for thing in _closed(world):
            request = Request(Caller("arn:aws:iam::000000000000:role/none"), thing.actions[0], thing.arns[0], world.account, nobody)
            assert decide(request, identity=[], boundary=None, resource=thing.policy) is Decision.EXPLICIT_DENY


def _closed(world: World) -> list[Thing]:
    """The things that have a policy of their own; all that can have one do."""
    found = [thing for thing in world.things if thing.is_closed]
    assert {thing.kind for thing in found} >= set(CLOSED) - {"aws:secretsmanager/secret:Secret"}
    assert [thing for thing in found if thing.policy is None] == []
    return found


def _different(roles: Sequence[Role]) -> list[Role]:
    """The roles that a boundary tells apart: those that it names, and one of the others."""
    special = [role for role in roles if any(role.arn in str(statement.said.get("Condition")) for statement in role.boundary.statements)]
    return [*special, next(role for role in roles if role not in special)]
