"""What keeps environments apart: the permissions boundary's name, and the statements by which a resource keeps other environments' roles out.

A role of another account gets nowhere without being named; a role of another environment in the same account would get in by its own policy
alone. Every role of the platform bears its environment's tags, and the statements refuse those whose tags are not this environment's. They follow
AWS's "Data perimeter policy examples" (resource_based_policies), and only deny: who is let in is said elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from shared.environment import Environment
from shared.iam import Condition, Statement

TELLING = ("Environment", "Suffix")
"""The tags that tell environments of one account apart."""


def boundary_name(environment: Environment) -> str:
    """The name of the managed policy that bounds every role of the environment."""
    return environment.names("boundary")


def boundary_arn(environment: Environment) -> str:
    """The ARN of that policy: known before it is made, so that roles need not be handed it."""
    return environment.arn("iam", f"policy/{boundary_name(environment)}", region="")


def closed_to_others(
    environment: Environment, actions: Sequence[str], resources: Sequence[pulumi.Input[str]], *, accounts: Sequence[str] = ()
) -> list[Statement]:
    """What a resource's own policy says to roles of other environments and of other accounts: `others_kept_out`, `other_accounts_kept_out`."""
    return [*others_kept_out(environment, actions, resources), other_accounts_kept_out(environment, actions, resources, accounts=accounts)]


def others_kept_out(environment: Environment, actions: Sequence[str], resources: Sequence[pulumi.Input[str]]) -> list[Statement]:
    """Denies `actions` on `resources` to principals that are tagged as another environment's; one statement for each tag that tells.

    Only who bears both tags is of an environment: the account's administrators, whoever deploys, and service-linked roles have neither, or at
    most an Environment of their own meaning, and are let be.
    """
    # StringNotEquals is also true of a key that is absent (IAM, "Condition operators"), hence Null.
    of_an_environment = {f"aws:PrincipalTag/{tag}": "false" for tag in TELLING}
    return [
        _denied(f"OnlyThis{tag}", actions, resources, {"Null": of_an_environment, "StringNotEquals": {f"aws:PrincipalTag/{tag}": environment.tags[tag]}})
        for tag in TELLING
    ]


def other_accounts_kept_out(
    environment: Environment, actions: Sequence[str], resources: Sequence[pulumi.Input[str]], *, accounts: Sequence[str] = ()
) -> Statement:
    """Denies `actions` on `resources` to principals of other accounts; AWS's services are in none, they act under their own names.

    accounts: of AWS's, where one of its services acts as an account nevertheless (load balancers' access logs in the older regions).
    """
    return _denied(
        "OnlyThisAccount",
        actions,
        resources,
        {
            "StringNotEquals": {"aws:PrincipalAccount": [environment.account, *accounts] if accounts else environment.account},
            # Who signs nothing does not have this key, and is refused.
            "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
        },
    )


def _denied(sid: str, actions: Sequence[str], resources: Sequence[pulumi.Input[str]], conditions: Condition) -> Statement:
    return Statement(sid=sid, effect="Deny", principals={"AWS": "*"}, actions=actions, resources=resources, conditions=conditions)
