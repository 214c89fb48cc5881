"""What the tasks do that look at pages and at what is deployed; each answers the exit code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ops.answers import refused, say, table, with_session
from ops.report import EXIT_FAILED, EXIT_GOOD, EXIT_REFUSED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ops.run import Request
    from ops.session import Session


def environments(*, as_json: bool) -> int:
    """All pages, and what sets each apart."""
    from ops import environments as described
    from shared.page import PageError

    try:
        found = described.everything()
    except PageError as error:
        return refused(map(str, error.problems))
    if as_json:
        print(json.dumps([one.as_dict() for one in found], indent=2))
    else:
        table(described.HEADERS, map(described.row, found))
    return EXIT_GOOD


def new_environment(name: str, source: str, settings: Sequence[str]) -> int:
    """Makes a page."""
    from ops.new_environment import make
    from shared.page import PageError

    try:
        made = make(name, source, settings)
    except PageError as error:
        return refused(map(str, error.problems))
    say(f"written: environments/{made.file.name}")
    for key, value in made.chosen.items():
        say(f"  {key} = {value}")
    for remark in made.remarks:
        say(f"look at this: {remark}")
    say(f"Next: invoke rehearse --env {name}, then invoke deploy --env {name} --target local")
    return EXIT_GOOD


def manifest(request: Request, file: str) -> int:
    """Writes what is deployed."""
    from ops import manifest as manifests
    from ops.deployed import NotDeployedError

    def show(session: Session) -> int:
        try:
            found = manifests.manifest(session)
        except NotDeployedError as error:
            return refused([str(error)], EXIT_FAILED)
        try:
            manifests.write(found, file)
        except OSError as error:
            return refused([f"--file {file}: {error.strerror}; name a file that can be written"])
        if file and file != "-":
            say(f"{file}: {len(found.resources)} resources in {len(found.stacks)} stacks")
        return EXIT_GOOD

    return with_session(request, show)


def graph(env: str, *, security: bool, as_json: bool) -> int:
    """What flows between stacks, or the rules between an environment's tiers."""
    from ops import graph as graphs
    from shared.page import PageError

    if security and not env:
        return refused(["--security: the tiers are those of an environment: --env"], EXIT_REFUSED)
    try:
        if security:
            return _security(env, as_json=as_json)
        stacks, flows = graphs.stacks(env), graphs.flows()
    except PageError as error:
        return refused(map(str, error.problems))
    if as_json:
        print(json.dumps({"stacks": stacks, "flows": flows}, indent=2))
        return EXIT_GOOD
    if env:
        table(tuple(stacks[0]), [tuple(stack.values()) for stack in stacks])
    table(graphs.FLOW_HEADERS, graphs.flow_rows(flows))
    return EXIT_GOOD


def _security(env: str, *, as_json: bool) -> int:
    from ops import graph as graphs

    found = graphs.security(env)
    if as_json:
        whole: dict[str, Any] = graphs.security_as_dict(env, found)
        print(json.dumps(whole, indent=2))
        return EXIT_GOOD
    tags = dict(found.groups[0].tags)
    del tags["Tier"]
    say(f"Every group and rule of {env} bears {', '.join(f'{name}={value}' for name, value in tags.items())}, and its Tier.")
    table(graphs.GROUP_HEADERS, graphs.group_rows(env, found))
    table(graphs.RULE_HEADERS, graphs.rule_rows(found))
    return EXIT_GOOD
