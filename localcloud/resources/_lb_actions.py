"""What a listener or one of its rules does with a request: forward it, redirect it, or answer it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from localcloud.fields import Field, Refusal, block, blocks, flag, number, text
from localcloud.kinds import Props
from localcloud.resources._known import entries, members
from localcloud.resources._lb_common import as_asked

_SHAPE = "CreateListener.DefaultActions"
_ARN = r"arn:aws[a-z-]*:elasticloadbalancing:.+:targetgroup/.+"

# The type of an action: the block that it needs.
_BLOCKS = {"forward": "forward", "redirect": "redirect", "fixed-response": "fixedResponse"}
_REDIRECT = {"statusCode": "StatusCode", "host": "Host", "path": "Path", "port": "Port", "protocol": "Protocol", "query": "Query"}
_RESPONSE = {"contentType": "ContentType", "messageBody": "MessageBody", "statusCode": "StatusCode"}
# What Elastic Load Balancing takes a part of the address for that a redirect does not mention.
_UNCHANGED = {"host": "#{host}", "path": "/#{path}", "port": "#{port}", "protocol": "#{protocol}"}

_CONTENT_TYPES = ("text/plain", "text/css", "text/html", "application/javascript", "application/json")


def actions_field() -> Field:
    """The input that says what is done. Actions that authenticate go before the one that ends it; the table has none, so there is one action."""
    return blocks(
        {
            "type": text(required=True, one_of=tuple(_BLOCKS)),
            "order": number(shape=f"{_SHAPE}.Order"),
            "targetGroupArn": text(pattern=_ARN),
            "forward": block(
                {
                    "targetGroups": blocks(
                        {"arn": text(required=True, pattern=_ARN), "weight": number(at_least=0, at_most=999)},
                        unordered=True,
                        required=True,
                        at_least=1,
                        at_most=5,
                    ),
                    "stickiness": block({"duration": number(required=True, at_least=1, at_most=604_800), "enabled": flag()}),
                }
            ),
            "redirect": block({ours: text(required=ours == "statusCode", shape=f"{_SHAPE}.RedirectConfig.{theirs}") for ours, theirs in _REDIRECT.items()}),
            "fixedResponse": block(
                {
                    "contentType": text(required=True, one_of=_CONTENT_TYPES),
                    "messageBody": text(shape=f"{_SHAPE}.FixedResponseConfig.MessageBody"),
                    "statusCode": text(required=True, shape=f"{_SHAPE}.FixedResponseConfig.StatusCode"),
                }
            ),
        },
        required=True,
        at_least=1,
        at_most=1,
    )


def refusals(actions: Any, at: str, protocol: Any = None) -> Iterator[Refusal]:
    """What AWS refuses beyond single members; `protocol` is the listener's, where it is known."""
    for position, action in enumerate(entries(actions)):
        path, kind = f"{at}[{position}]", action.get("type")
        if kind not in _BLOCKS:
            continue
        if foreign := sorted(name for name in (*_BLOCKS.values(), "targetGroupArn") if name in action and name not in _of(str(kind))):
            yield Refusal(f"{path}.{foreign[0]}", f"an action of type {kind} does not take it")
        given = [name for name in _of(str(kind)) if action.get(name) is not None]
        if len(given) != 1:
            yield Refusal(path, f"an action of type {kind} needs {' or '.join(_of(str(kind)))}{', not both' if given else ''}")
        yield from _redirect_refusals(members(action.get("redirect")), f"{path}.redirect", protocol)


def _of(kind: str) -> tuple[str, ...]:
    return ("targetGroupArn", "forward") if kind == "forward" else (_BLOCKS[kind],)


def _redirect_refusals(redirect: Props, path: str, protocol: Any) -> Iterator[Refusal]:
    # Elastic Load Balancing API reference, RedirectActionConfig.
    if redirect and all(redirect.get(name, same) == same for name, same in _UNCHANGED.items()):
        yield Refusal(path, "it would redirect in a loop; at least one of protocol, host, port and path must change")
    if protocol == "HTTPS" and redirect.get("protocol") == "HTTP":
        yield Refusal(f"{path}.protocol", "HTTPS can be redirected to HTTPS only, not to HTTP")


def to_aws(actions: list[Props]) -> list[Props]:
    """The actions as the API takes them."""
    return [_action(action) for action in actions]


def _action(action: Props) -> Props:
    sent: Props = {"Type": action["type"]}
    if action.get("order") is not None:
        sent["Order"] = action["order"]
    if action.get("targetGroupArn"):
        sent["TargetGroupArn"] = action["targetGroupArn"]
    if forward := action.get("forward"):
        groups = [{"TargetGroupArn": group["arn"], "Weight": group.get("weight", 1)} for group in forward["targetGroups"]]
        config: Props = {"TargetGroups": groups}
        if sticky := forward.get("stickiness"):
            config["TargetGroupStickinessConfig"] = {"Enabled": sticky.get("enabled", False), "DurationSeconds": sticky["duration"]}
        sent["ForwardConfig"] = config
    for ours, theirs, table in (("redirect", "RedirectConfig", _REDIRECT), ("fixedResponse", "FixedResponseConfig", _RESPONSE)):
        if given := action.get(ours):
            sent[theirs] = {table[name]: value for name, value in given.items() if name in table and value is not None}
    return sent


def to_pulumi(live: list[Props], known: Any) -> list[Props]:
    """The actions as Pulumi shows them, without what AWS filled in and nobody asked for."""
    asked = entries(known)
    return [_shown(action, asked[position] if position < len(asked) else {}) for position, action in enumerate(live)]


def _shown(live: Props, known: Props) -> Props:
    action: Props = {"type": live["Type"], "order": live.get("Order"), "targetGroupArn": live.get("TargetGroupArn")}
    if forward := live.get("ForwardConfig"):
        action["forward"] = _shown_forward(forward, members(known.get("forward")))
    for ours, theirs, table in (("redirect", "RedirectConfig", _REDIRECT), ("fixedResponse", "FixedResponseConfig", _RESPONSE)):
        if theirs in live:
            action[ours] = {name: live[theirs][member] for name, member in table.items() if member in live[theirs]}
    return {name: value for name, value in action.items() if value is not None}


def _shown_forward(live: Props, known: Props) -> Props:
    asked = {group.get("arn"): group for group in entries(known.get("targetGroups"))}
    groups = [{"arn": group["TargetGroupArn"], "weight": group["Weight"]} for group in live["TargetGroups"]]
    shown: Props = {"targetGroups": [as_asked(group, {"arn": "", **asked.get(group["arn"], {})}, {"weight": 1}) for group in groups]}
    sticky = live.get("TargetGroupStickinessConfig", {})
    if "DurationSeconds" in sticky:
        stickiness = {"duration": sticky["DurationSeconds"], "enabled": sticky["Enabled"]}
        shown["stickiness"] = as_asked(stickiness, {"duration": 0, **members(known.get("stickiness"))}, {"enabled": False})
    return shown
