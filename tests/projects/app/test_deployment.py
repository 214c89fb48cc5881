"""The API's deployment, a snapshot: whatever changes the API must bring a new one, or the change never reaches the stage."""

from __future__ import annotations

import pytest

from projects.app import api as program
from projects.app import gateway
from projects.app.routes import ROUTES
from tests.projects.app.upstream import deployed


@pytest.fixture(scope="module")
def definitions() -> dict[str, str]:
    """The deployment's trigger as the program stands, with another answer, model, TLS policy and access mode, and as it stands once more."""

    def trigger() -> str:
        with deployed("dev") as cloud:
            [deployment] = [made for made in cloud.runs["app"].resources if made.type == "aws:apigateway/deployment:Deployment"]
            definition: str = deployment.inputs["triggers"]["definition"]
            return definition

    found = {"as it stands": trigger()}
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(program.ANSWERS, "THROTTLED", ("429", "too-many-requests", "Another title"))
        found["another answer"] = trigger()
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(ROUTES[0].schema, "title", "Another")
        found["another model"] = trigger()
    for word, value in (("_TLS", "SecurityPolicy_TLS13_1_3_2025_09"), ("_ACCESS", "BASIC")):
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(gateway, word, value)
            found[f"another {word}"] = trigger()
    found["once more"] = trigger()
    return found


def test_another_definition_is_another_deployment(definitions: dict[str, str]) -> None:
    assert definitions["once more"] == definitions["as it stands"]
    assert len(set(definitions.values())) == 5
