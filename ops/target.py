"""Where an environment is deployed to: AWS, or the local cloud on this machine. A target is an environment of variables for the engine."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from localcloud.control import Running
from ops import places
from ops.options import TargetName
from ops.toolchain import Cli
from shared.variables import CONFIRMED, TARGET

# Of the engine, on both targets.
_ALWAYS = {
    # The event log is behind this switch.
    "PULUMI_DEBUG_COMMANDS": "true",
    "PULUMI_SKIP_UPDATE_CHECK": "true",
    # A page without a secrets provider takes the one of the state, instead of having a new salt written into it.
    "PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER": "true",
    "PYTHONDONTWRITEBYTECODE": "",
}


@dataclass(frozen=True)
class Target:
    """What the engine must be told to deploy there.

    variables: over the caller's own environment; records: the folder of what was deployed from what; cloud: the local cloud, on that target.
    state: the folder of the file backend, on the local target.
    """

    name: TargetName
    variables: Mapping[str, str]
    records: Path
    cloud: Running | None = None
    state: Path | None = None

    def environment(self, cli: Cli) -> dict[str, str]:
        """The whole environment of an engine process."""
        return {**cli.environment(_without_attached(os.environ)), **_ALWAYS, **self.variables}


def aws(*, confirmed: str = "") -> Target:
    """AWS, with the caller's credentials and Pulumi backend. confirmed: the stack whose update was asked for, by its name where it is protected."""
    return Target("aws", {TARGET: "aws", CONFIRMED: confirmed}, places.RECORDS)


def local(cloud: Running) -> Target:
    """The local cloud: a file backend and a passphrase beside it, both under the cloud's identity, and the engine attached to its provider."""
    state = cloud.state / "state"
    state.mkdir(parents=True, exist_ok=True)
    places.PULUMI_HOME.mkdir(parents=True, exist_ok=True)
    variables = {
        TARGET: "local",
        "PULUMI_BACKEND_URL": f"file://{state}",
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(_passphrase(cloud.state / "passphrase")),
        "PULUMI_HOME": str(places.PULUMI_HOME),
        "PULUMI_DEBUG_PROVIDERS": f"aws:{cloud.provider}",
        # Looking for the AWS plugin that is attached already would cost seconds at every update.
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS": "true",
    }
    return Target("local", variables, cloud.state / "records", cloud, state)


def _passphrase(path: Path) -> Path:
    """A passphrase of this cloud's own: what is secret in state is encrypted there too."""
    if not path.exists():
        new = path.with_suffix(f".{os.getpid()}")
        new.touch(mode=0o600)
        new.write_text(secrets.token_urlsafe(32))
        try:
            os.link(new, path)
        except FileExistsError:
            pass  # another process made it at the same instant; that one counts
        finally:
            new.unlink()
    return path


def _without_attached(environ: Mapping[str, str]) -> dict[str, str]:
    """The caller's environment without a provider that a shell (`invoke local.env`) may have attached: the target says what is attached."""
    return {name: value for name, value in environ.items() if name != "PULUMI_DEBUG_PROVIDERS"}
