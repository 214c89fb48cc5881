"""A repository's folder in which executables are shell scripts: what they answer is what a test says, and nothing is compiled."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from ops.toolchain import pins
from ops.toolchain.look import EXECUTOR, HOST
from ops.toolchain.memory import Memory
from ops.toolchain.places import HERE, Places

SYSTEM = "/usr/bin:/bin"
"""What the scripts themselves need."""

GO = """#!/bin/sh
# Stands in for Go: answers what the build asks, and "compiles" a script.
echo "go $*" >> "{log}"
case "$1 $2 $3" in
"env GOVERSION GOTOOLCHAIN") printf 'go{version}\\n{toolchain}\\n' ;;
"list -mod=readonly -m") echo "{sdk}" ;;
list*) echo "go: downloading example.org/one v1.0.0" >&2; printf 'example.org/one\\nexample.org/two\\n' ;;
build*)
    while [ "$1" != -o ]; do shift; done
    printf '#!/bin/sh\\necho v{built}\\n' > "$2"
    chmod +x "$2"
    echo example.org/one
    {then}
    echo example.org/two ;;
esac
"""


class Told:
    """A progress that remembers what it was told."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.phases: list[str] = []
        self.steps: list[tuple[int, int | None, str]] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    def phase(self, text: str) -> None:
        self.phases.append(text)

    def step(self, done: int, total: int | None, what: str) -> None:
        self.steps.append((done, total, what))


@dataclass(frozen=True)
class House:
    """A repository's folder, and a folder that is first on PATH."""

    places: Places
    on_path: Path

    @property
    def environ(self) -> dict[str, str]:
        return {"PATH": f"{self.on_path}:{SYSTEM}"}

    @property
    def memory(self) -> Memory:
        return Memory(self.places.memory)

    @property
    def go_calls(self) -> list[str]:
        log = self.places.root / "go.log"
        return log.read_text(encoding="utf-8").splitlines() if log.exists() else []

    def put(self, folder: Path, name: str, answer: str) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / name
        file.write_text(f"#!/bin/sh\n{answer}\n", encoding="utf-8")
        file.chmod(0o755)
        return file

    def put_cli(self, folder: Path, version: str, *, with_host: bool = True) -> Path:
        if with_host:
            self.put(folder, HOST, "exit 0")
            self.put(folder, EXECUTOR, "exit 0")
        return self.put(folder, "pulumi", f'echo asked >> "{self.places.root}/asked"; echo v{version}')

    def put_go(self, *, version: str = "1.26.8", toolchain: str = "local", built: str = "3.250.0", then: str = "") -> None:
        sdk = self.places.root / "sdk"
        (sdk / "python" / "cmd").mkdir(parents=True, exist_ok=True)
        (sdk / "python" / "cmd" / EXECUTOR).write_text("executor", encoding="utf-8")
        script = GO.format(log=self.places.root / "go.log", version=version, toolchain=toolchain, sdk=sdk, built=built, then=then)
        self.put(self.on_path, "go", "").write_text(script, encoding="utf-8")

    def asked(self) -> int:
        log = self.places.root / "asked"
        return len(log.read_text(encoding="utf-8").splitlines()) if log.exists() else 0


def house(folder: Path) -> House:
    """A house with this repository's own pins, and nothing else in it."""
    places = Places(folder / "repository")
    for module in (pins.cli(HERE), pins.host(HERE)):
        shutil.copytree(module.folder, places.modules / module.folder.name)
    on_path = folder / "first-on-path"
    on_path.mkdir()
    return House(places, on_path)
