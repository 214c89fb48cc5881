"""A local cloud for all tests of this process, an account of it for each, and what is deployed there at work."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from localcloud import control
from localcloud.aws import Aws
from localcloud.control import Running
from localcloud.serve.balancer import Certify
from localcloud.serve.service import Containers, Service, Settings
from localcloud.stores.certificates import Authority
from tests.localcloud.serve.cluster import Cluster
from tests.localcloud.serve.deployment import Api, Deployment

_ACCOUNTS = itertools.count(100_000_000_001)

Serve = Callable[..., Service]


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home = tmp_path_factory.mktemp("cloud")
    running, _ = control.start(home)
    yield running
    control.stop(home)


@pytest.fixture
def deployment(cloud: Running, tmp_path: Path) -> Deployment:
    return Deployment(Aws(str(next(_ACCOUNTS)), "us-east-1", cloud.endpoint), tmp_path)


@pytest.fixture
def serve(deployment: Deployment, tmp_path: Path) -> Iterator[Serve]:
    """Serves what the test has deployed; ends with the test."""
    with ExitStack() as ending:

        def start(*, feeding: bool = False, **settings: Any) -> Service:
            made: dict[str, Any] = {"folder": tmp_path / "served", "packages": lambda: dict(deployment.packages), "refresh": 0.0, **settings}
            service = Service(deployment.aws, Settings(**made))
            service.start()
            ending.callback(service.stop, 2.0)
            if feeding:
                service.start_feeding()
            return service

        yield start


@contextmanager
def _deadline(seconds: float) -> Generator[Callable[[], bool]]:
    end = time.monotonic() + seconds
    yield lambda: time.monotonic() < end


@pytest.fixture
def eventually() -> Callable[[Callable[[], Any]], Any]:
    """Waits until something is true, and answers it; fails after 30 seconds."""

    def wait(what: Callable[[], Any], seconds: float = 30.0) -> Any:
        with _deadline(seconds) as there_is_time:
            while not (found := what()):
                assert there_is_time(), f"it never came true within {seconds} s"
                time.sleep(0.05)
            return found

    return wait


@pytest.fixture
def api(deployment: Deployment) -> Api:
    return Api(deployment)


@pytest.fixture
def cluster(deployment: Deployment) -> Cluster:
    return Cluster(deployment)


@pytest.fixture
def serve_cluster(cluster: Cluster, serve: Serve, tmp_path: Path) -> Serve:
    """Serves the cluster's services, with a certificate authority of the test's own, and waits until their tasks are healthy."""
    authority = Authority(tmp_path / "ca")

    def start(*, ready: bool = True, most_tasks: int = 2, certify: Certify | None = authority.issue, **settings: Any) -> Service:
        def variables(name: str, address: str, port: int) -> dict[str, str]:
            return {"GIVEN": f"{name} on {address}:{port}"}

        containers = Containers(cluster="things", image=cluster.image, variables=variables, certify=certify, most_tasks=most_tasks)
        service = serve(feeding=True, containers=containers, **settings)
        assert not ready or service.ready(30.0)
        return service

    return start
