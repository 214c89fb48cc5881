"""The image before the services that run it: a deployment of containers to AWS begins them only once their image is in the environment's repository.

The repository and the services are of one stack, and ECS gives services up whose image cannot be pulled. So the first deployment makes all but
the services, and says what to push; a later one, of code whose image is not there, is held before anything is touched.

`python -m ops.image_first <environment>` prints the commands that push it, for a pipeline; nothing where there is none to push.
"""

from __future__ import annotations

import dataclasses
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ops import fingerprint
from ops.options import options
from ops.projects import projects
from ops.report import Outcome, Result
from shared.image import AWAITED, REPOSITORY, image_tag

if TYPE_CHECKING:
    from ops.operations import Operation
    from ops.session import Session
    from ops.workspace import Workspace

PROJECT = "app"
"""The project that has the repository and the services."""

_SECONDS = 10
_ABSENT = frozenset({"RepositoryNotFoundException", "ImageNotFoundException"})


class UnseenError(RuntimeError):
    """Nobody can tell whether the image is there."""


@dataclass(frozen=True)
class Wanted:
    """The image that an environment's services are to run: the registry, the repository in it, and the tag of this checkout."""

    registry: str
    region: str
    repository: str
    tag: str

    @property
    def uri(self) -> str:
        """As task definitions have it."""
        return f"{self.registry}/{self.repository}:{self.tag}"

    @property
    def commands(self) -> str:
        """What pushes it; buildx makes it for the processor of the tasks, wherever it runs."""
        login = f"aws ecr get-login-password --region {self.region} | docker login --username AWS --password-stdin {self.registry}"
        return f"{login} && docker buildx build --platform linux/arm64 --tag {self.uri} --push ."


def wanted(workspace: Workspace) -> Wanted | None:
    """The image that has to be there; None for functions, and for a page that names an image of its own."""
    environment, page = workspace.environment, workspace.page
    if environment.shape.compute != "containers" or (page.section(PROJECT).get("containers") or {}).get("image"):
        return None
    registry = f"{environment.account}.dkr.ecr.{environment.region}.amazonaws.com"
    return Wanted(registry, environment.region, environment.names(REPOSITORY), image_tag())


def image_first(operation: Operation) -> Operation:
    """A deployment whose services are begun only once their image is there."""

    def deploy(session: Session, project: str) -> Result:
        image = wanted(session.workspace) if project == PROJECT else None
        if image is None:
            return operation(session, project)
        stack = session.workspace.stack
        try:
            if _is_there(image):
                return operation(session, project)
        except UnseenError as error:
            return Result(project=project, stack=stack, outcome=Outcome.FAILED, cause=str(error))
        after = f"{image.commands} && invoke deploy {options(session.workspace.name, session.workspace.suffix)}{session.selection}"
        state = session.state(project)
        if state and state.outputs.get("serviceNames"):
            cause = f"the image of this code is not in its repository ({image.uri}), and its tasks could not start. Nothing of {project} was touched"
            return Result(project=project, stack=stack, outcome=Outcome.HELD, cause=cause, next=after)
        made = operation(_awaiting(session), project)
        # Without its services it is not what the page describes, and the next deployment has to start it.
        fingerprint.forget(session.target.records, projects()[project], session.workspace.stack)
        if not made.outcome.good:
            return made
        cause = f"all but the services is there: they wait for their image ({image.uri})"
        return dataclasses.replace(made, outcome=Outcome.HELD, cause=cause, next=after)

    return deploy


def _is_there(image: Wanted) -> bool:
    """Whether the registry of the caller's account, which a guard has compared with the page's, has it; raises UnseenError."""
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    config = Config(connect_timeout=_SECONDS, read_timeout=_SECONDS, retries={"total_max_attempts": 3})
    try:
        boto3.client("ecr", region_name=image.region, config=config).describe_images(repositoryName=image.repository, imageIds=[{"imageTag": image.tag}])
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in _ABSENT:
            return False
        raise UnseenError(_unseen(image, error)) from None
    except BotoCoreError as error:
        raise UnseenError(_unseen(image, error)) from None
    return True


def _unseen(image: Wanted, error: Exception) -> str:
    return f"cannot tell whether {image.uri} is there: {error}. Let those who deploy call ecr:DescribeImages. Nothing of {PROJECT} was touched"


def _awaiting(session: Session) -> Session:
    """The session with an engine that tells the program of it."""
    return dataclasses.replace(session, target=dataclasses.replace(session.target, variables={**session.target.variables, AWAITED: "1"}))


if __name__ == "__main__":
    from ops.workspace import open_workspace
    from shared.page import PageError

    try:
        found = wanted(open_workspace(sys.argv[1]))
    except PageError as error:
        sys.exit("\n".join(f"error: {problem}" for problem in error.problems))
    print(found.commands if found else "")
