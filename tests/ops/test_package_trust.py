"""Whom packages trust: AWS's authorities only as they were pinned, the local authority as it is; and what to do where either cannot be had."""

from __future__ import annotations

import hashlib
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from ops import package, package_trust
from ops.package import PackageError, for_target
from ops.package_trust import TrustError, bundle, file_of_aws, known, local_authority

CONTENT = b"-----BEGIN CERTIFICATE-----\nof a made-up authority\n-----END CERTIFICATE-----\n"


class Source(HTTPServer):
    """What AWS's trust store stands at in these tests. content: None for an error of the server."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.content: bytes | None = CONTENT
        self.asked = 0


class Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Source)
        self.server.asked += 1
        if self.server.content is None:
            self.send_error(503)
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.server.content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        pass


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> Iterator[Source]:
    with Source() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr(package_trust, "SOURCE", f"http://127.0.0.1:{server.server_port}/global-bundle.pem")
        monkeypatch.setattr(package_trust, "DIGEST", hashlib.sha256(CONTENT).hexdigest())
        yield server
        server.shutdown()


def test_the_pinned_source_is_aws_s_own() -> None:
    assert package_trust.SOURCE.startswith("https://truststore.pki.rds.amazonaws.com/")
    assert len(bytes.fromhex(package_trust.DIGEST)) == 32


def test_aws_s_bundle_is_fetched_once_and_kept(source: Source, tmp_path: Path) -> None:
    assert bundle("aws", tmp_path) == bundle("aws", tmp_path) == CONTENT
    assert source.asked == 1
    assert known("aws", tmp_path) == hashlib.sha256(CONTENT).hexdigest()
    assert [path.name for path in file_of_aws(tmp_path).parent.iterdir()] == [file_of_aws(tmp_path).name]


def test_a_bundle_that_was_put_there_by_hand_is_taken(source: Source, tmp_path: Path) -> None:
    file_of_aws(tmp_path).parent.mkdir(parents=True)
    file_of_aws(tmp_path).write_bytes(CONTENT)
    assert bundle("aws", tmp_path) == CONTENT
    assert source.asked == 0


def test_another_bundle_is_refused_and_not_kept(source: Source, tmp_path: Path) -> None:
    source.content = CONTENT + b"and one more"
    with pytest.raises(TrustError, match=rf"has the SHA-256 {hashlib.sha256(source.content).hexdigest()}, and .* set DIGEST there"):
        bundle("aws", tmp_path)
    assert not file_of_aws(tmp_path).exists()


def test_a_kept_bundle_that_was_changed_is_refused(source: Source, tmp_path: Path) -> None:
    bundle("aws", tmp_path)
    file_of_aws(tmp_path).write_bytes(CONTENT[:-1])
    with pytest.raises(TrustError, match="Remove it, and it is fetched again"):
        bundle("aws", tmp_path)


@pytest.mark.parametrize("failure", ["error", "nobody there"])
def test_where_it_cannot_be_fetched_packaging_for_aws_stops_and_says_where_to_put_it(
    source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: str
) -> None:
    source.content = None
    if failure == "nobody there":
        monkeypatch.setattr(package_trust, "SOURCE", "http://127.0.0.1:1/global-bundle.pem")
    with pytest.raises(PackageError) as error:
        package.ensure(platform=for_target("aws"), root=tmp_path)
    said = str(error.value)
    assert f"put it at {file_of_aws(tmp_path)} (SHA-256 {package_trust.DIGEST})" in said
    assert ("503" in said) if failure == "error" else ("refused" in said)
    assert [path.name for path in (tmp_path / ".local" / "packages").iterdir()] == ["lambda-arm64-aws.lock"]


def test_the_local_authority_is_the_checkout_s_and_stays(tmp_path: Path) -> None:
    assert known("local", tmp_path) == hashlib.sha256(b"").hexdigest()
    first = bundle("local", tmp_path)
    assert first == bundle("local", tmp_path) == local_authority(tmp_path).certificate.read_bytes()
    assert known("local", tmp_path) == hashlib.sha256(first).hexdigest()
    assert ssl.create_default_context(cadata=first.decode()).cert_store_stats()["x509_ca"] > 0


def test_packages_of_two_targets_lie_apart(tmp_path: Path) -> None:
    places = {target: set(package.paths(for_target(target), tmp_path).values()) for target in ("aws", "local")}
    assert not places["aws"] & places["local"]
