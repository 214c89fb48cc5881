"""The functions that are served: each with a pool of processes, in an environment like Lambda's."""

from __future__ import annotations

import logging
import secrets
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from localcloud.aws import Aws
from localcloud.serve.logs import LogWriter
from localcloud.serve.model import Function
from localcloud.serve.pool import Call, Outcome, Pool
from localcloud.serve.process import Process
from localcloud.serve.unpacked import runtime_folder, unpack

log = logging.getLogger("localcloud.serve")

MOST_PROCESSES = 4
"""Of one function, whatever is reserved for it: this is one machine."""

_LONGEST_INVOCATION = 900.0

Variables = Callable[[str], Mapping[str, str]]
"""What a function gets besides its own variables, by its name; overrides them."""


class UnknownFunctionError(LookupError):
    """No function of that name is served."""


class Functions:
    """Invokes functions by name.

    folder: for unpacked packages and temporary files. variables: over the functions' own, for what AWS has in the network and this machine
    in an environment variable. most: processes of one function.
    """

    def __init__(self, aws: Aws, folder: Path, logs: LogWriter, *, variables: Variables, most: int = MOST_PROCESSES) -> None:
        self._aws, self._folder, self._logs, self._variables, self._most = aws, folder, logs, variables, most
        self._scratch = folder / "scratch"
        self._scratch.mkdir(parents=True, exist_ok=True)
        self._runtime = runtime_folder(folder)
        self._pools: dict[str, Pool] = {}
        self._roles: dict[str, dict[str, str]] = {}
        self._lock = threading.Lock()

    def update(self, functions: Mapping[str, Function]) -> None:
        """Serves these functions from now on; processes of one that changed end as soon as they have answered."""
        with self._lock:
            former = self._pools
            self._pools = {name: self._kept(former.get(name), function) for name, function in functions.items()}
            leaving = [pool for name, pool in former.items() if self._pools.get(name) is not pool]
        for pool in leaving:
            pool.close(at_once=False)

    def invoke(self, name: str, payload: bytes, *, trace: str = "", client_context: str = "", patience: float = _LONGEST_INVOCATION) -> Outcome:
        """Runs a function on an event (JSON) and waits for what it answers.

        patience: seconds to wait for a free process. Raises UnknownFunctionError, ThrottledError or ServeError.
        """
        return self.pool(name).invoke(Call(payload, str(uuid.uuid4()), trace or new_trace(), client_context), patience)

    def pool(self, name: str) -> Pool:
        """The processes of a function; raises UnknownFunctionError."""
        found = self._pools.get(name)
        if found is None:
            raise UnknownFunctionError(f"no function {name} is served; there are {', '.join(sorted(self._pools)) or 'none'}")
        return found

    def warm(self) -> None:
        """Makes a process of each function before the first event; those that have one keep it."""
        with ThreadPoolExecutor(max_workers=4) as makers:
            list(makers.map(Pool.warm, self._pools.values()))

    def stop(self) -> None:
        """Ends all processes at once."""
        with self._lock:
            pools, self._pools = list(self._pools.values()), {}
        for pool in pools:
            pool.close()

    def _kept(self, pool: Pool | None, function: Function) -> Pool:
        if pool is not None and pool.function == function:
            return pool
        as_json = {**function.variables, **self._variables(function.name)}.get("AWS_LAMBDA_LOG_FORMAT") == "JSON"
        return Pool(function, self._launch, self._logs, most=self._most, as_json=as_json)

    def _launch(self, function: Function, stream: str) -> Process:
        with self._lock:
            task = unpack(function, self._folder)
        return Process(task=task, runtime=self._runtime, scratch=self._scratch, environment=self._environment(function, stream, task))

    def _environment(self, function: Function, stream: str, task: Path) -> dict[str, str]:
        """What Lambda sets ("Defined runtime environment variables"), the way to the local cloud, and the function's own variables."""
        given = {
            "_HANDLER": function.handler,
            "AWS_REGION": self._aws.region,
            "AWS_DEFAULT_REGION": self._aws.region,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}",
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": stream,
            "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
            "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000",
            "LAMBDA_TASK_ROOT": str(task),
            "LAMBDA_RUNTIME_DIR": str(self._runtime),
            "LANG": "en_US.UTF-8",
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "TZ": ":UTC",
            "AWS_EC2_METADATA_DISABLED": "true",
            **({"AWS_ENDPOINT_URL": self._aws.endpoint} if self._aws.endpoint else {}),
            **self._credentials(function.role),
        }
        return {**function.variables, **given, **self._variables(function.name)}

    def _credentials(self, role: str) -> dict[str, str]:
        """The credentials of the function's own role; the local cloud never lets them expire."""
        if role not in self._roles:
            keys = self._aws.client("sts").assume_role(RoleArn=role, RoleSessionName="function")["Credentials"]
            self._roles[role] = {
                "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
                "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
                "AWS_SESSION_TOKEN": keys["SessionToken"],
            }
        return self._roles[role]


def new_trace() -> str:
    """An X-Ray trace header for a request that came without one; nothing listens to traces here, so they are not sampled."""
    return f"Root=1-{int(time.time()):08x}-{secrets.token_hex(12)};Parent={secrets.token_hex(8)};Sampled=0"
