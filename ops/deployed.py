"""What is deployed, for tasks that work with it rather than change it: its outputs, and clients in its account and region."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ops.options import options

if TYPE_CHECKING:
    from ops.session import Session

# The engine's word for a value that waits for a resource which was not made: of a stack whose deployment did not get to its end (pulumi/pulumi,
# sdk/go/common/resource/plugin/rpc.go, UnknownStringValue).
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"

# Longer than Lambda lets any function run (15 minutes): an invocation that is still under way is no time-out.
_READ_SECONDS = 910


class NotDeployedError(RuntimeError):
    """What a task works with is not deployed, or by an older version; says what to do."""


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """A deployed environment.

    env, suffix, target: as on the command line. stack: the name of its stacks.
    outputs: a project's outputs by name, secrets unreadable; empty when it was never deployed. secrets: the same with secrets in clear text,
    which takes the engine a second. client: a boto3 client of a service; another endpoint may be given for services that are served elsewhere.
    """

    env: str
    suffix: str
    target: str
    stack: str
    outputs: Callable[[str], Mapping[str, Any]] = field(repr=False)
    secrets: Callable[[str], Mapping[str, Any]] = field(repr=False)
    client: Callable[..., Any] = field(repr=False)

    @property
    def options(self) -> str:
        """The options that name this environment, for commands that an error tells to run."""
        return options(self.env, self.suffix, self.target)

    def output(self, project: str, name: str) -> Any:
        """One output of a project; raises NotDeployedError."""
        found = self.outputs(project)
        if not found:
            raise NotDeployedError(f"{project} was never deployed to {self.stack} on {self.target}. Next: invoke deploy {self.options}")
        return self._of(found, project, name)

    def secret(self, project: str, name: str) -> str:
        """One secret output of a project in clear text; raises NotDeployedError."""
        self.output(project, name)
        return str(self._of(self.secrets(project), project, name))

    def function(self, name: str) -> str:
        """The physical name of a function; raises NotDeployedError, which names the functions that there are."""
        names = self.functions()
        if name not in names:
            raise NotDeployedError(f"{self.stack} on {self.target} has no function {name!r}; there are {', '.join(sorted(names))}")
        return names[name]

    def functions(self) -> dict[str, str]:
        """The physical names of all functions, by their names; raises NotDeployedError."""
        return dict(self.output("app", "functionNames"))

    @property
    def contained(self) -> bool:
        """Whether the service runs in containers."""
        return self.optional("app", "clusterName") is not None

    @property
    def relational(self) -> bool:
        """Whether payments are kept in a relational database, whose schema is migrated; raises NotDeployedError."""
        self.output("data", "transactionLogTableName")
        return self.optional("data", "databaseUrl") is not None

    def services(self) -> dict[str, str]:
        """The physical names of the services of containers, by their names; raises NotDeployedError."""
        return dict(self.output("app", "serviceNames"))

    def definitions(self) -> dict[str, str]:
        """The ARNs of the task definitions, by what they run; raises NotDeployedError."""
        return dict(self.output("app", "taskDefinitionArns"))

    def definition(self, name: str) -> str:
        """The ARN of a task definition; raises NotDeployedError, which names those that there are."""
        found = self.definitions()
        if name not in found:
            raise NotDeployedError(f"{self.stack} on {self.target} has no task {name!r}; there are {', '.join(sorted(found))}")
        return found[name]

    def optional(self, project: str, name: str) -> Any:
        """One output of a project; None where the environment has no such thing, or the project was never deployed."""
        return _known(self.outputs(project), name)

    def _of(self, found: Mapping[str, Any], project: str, name: str) -> Any:
        if _known(found, name) is None:
            cause = "it was not deployed to its end" if found.get(name) else "it was deployed by an older version"
            raise NotDeployedError(f"{project} of {self.stack} has no output {name}: {cause}. Next: invoke deploy {self.options}")
        return found[name]


def _known(found: Mapping[str, Any], name: str) -> Any:
    return None if found.get(name) == UNKNOWN else found.get(name)


def deployed(session: Session) -> Deployed:
    """The environment of a session; nothing is asked before it is needed."""

    def outputs(project: str) -> Mapping[str, Any]:
        found = session.state(project)
        return found.outputs if found else {}

    def secrets(project: str) -> Mapping[str, Any]:
        return session.stack(project).outputs(show_secrets=True) or {}

    return Deployed(
        env=session.workspace.name,
        suffix=session.workspace.suffix,
        target=session.target.name,
        stack=session.workspace.stack,
        outputs=outputs,
        secrets=secrets,
        client=_clients(session),
    )


def _clients(session: Session) -> Callable[..., Any]:
    """Makes clients: on AWS with the caller's credentials, whose account a guard has compared with the page; on the local cloud with its own."""

    def client(service: str, endpoint: str | None = None) -> Any:
        import boto3
        from botocore.config import Config

        environment, cloud = session.workspace.environment, session.target.cloud
        # Invocations and messages are not sent twice by themselves: whoever sends them knows whether that is safe.
        config = Config(connect_timeout=10, read_timeout=_READ_SECONDS, retries={"total_max_attempts": 1 if service == "lambda" else 5})
        if cloud is None:
            return boto3.Session(region_name=environment.region).client(service, endpoint_url=endpoint, config=config)
        keys = cloud.credentials(environment.account, environment.region)
        made: Any = boto3.Session(keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"], keys["AWS_SESSION_TOKEN"], region_name=environment.region)
        config = config.merge(Config(s3={"addressing_style": "path"}, proxies={}))
        return made.client(service, endpoint_url=endpoint or cloud.endpoint, config=config)

    return client
