"""The authority of a folder: made once, whole, and good for nothing but the servers that it signs for."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from localcloud.stores import certificates
from localcloud.stores.certificates import Authority


def verified(authority: Authority, issued: bytes, name: str) -> None:
    store = Store(x509.load_pem_x509_certificates(authority.certificate.read_bytes()))
    certificate = x509.load_pem_x509_certificate(issued)
    PolicyBuilder().store(store).build_server_verifier(x509.DNSName(name)).verify(certificate, [])


def test_a_certificate_is_for_its_names_and_its_authority_alone(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "one")
    issued = authority.issue(["db.example.com", "localhost", "127.1.2.3", "localhost"])
    verified(authority, issued.certificate, "db.example.com")
    verified(authority, issued.certificate, "localhost")
    with pytest.raises(VerificationError):
        verified(authority, issued.certificate, "other.example.com")
    with pytest.raises(VerificationError):
        verified(Authority(tmp_path / "other"), issued.certificate, "localhost")
    names = x509.load_pem_x509_certificate(issued.certificate).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["127.1.2.3"]
    assert names.get_values_for_type(x509.DNSName) == ["db.example.com", "localhost"]


def test_a_name_longer_than_a_subject_may_be_is_no_obstacle(tmp_path: Path) -> None:
    name = f"{'n' * 60}.{'m' * 60}.eu-west-1.rds.example.com"
    authority = Authority(tmp_path)
    verified(authority, authority.issue([name]).certificate, name)


def test_without_a_name_there_is_no_certificate(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="give one host name"):
        Authority(tmp_path).issue([])


def test_the_authority_stays_and_its_key_is_for_nobody_else(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        seen = set(pool.map(lambda _: Authority(tmp_path).certificate.read_bytes(), range(8)))
    assert len(seen) == 1
    assert stat.S_IMODE((tmp_path / "authority" / "ca.key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "authority" / "ca.pem").stat().st_mode) & 0o444 == 0o444
    assert sorted(path.name for path in tmp_path.iterdir()) == ["authority", "authority.lock"]


@pytest.mark.parametrize("damage", ["no key", "another key", "no certificate", "rubbish"])
def test_a_damaged_authority_is_made_anew(tmp_path: Path, damage: str) -> None:
    before = Authority(tmp_path).certificate.read_bytes()
    key = tmp_path / "authority" / "ca.key"
    match damage:
        case "no key":
            key.unlink()
        case "another key":
            Authority(tmp_path / "other").issue(["x"])
            (tmp_path / "other" / "authority" / "ca.key").replace(key)
        case "no certificate":
            (tmp_path / "authority" / "ca.pem").unlink()
        case _:
            key.write_text("rubbish")
    authority = Authority(tmp_path)
    verified(authority, authority.issue(["localhost"]).certificate, "localhost")
    assert authority.certificate.read_bytes() != before


def test_an_authority_that_ends_soon_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(certificates, "_YEARS", timedelta(days=80))  # less than a server's certificate lasts
        Authority(tmp_path).issue(["x"])
    after = x509.load_pem_x509_certificate(Authority(tmp_path).certificate.read_bytes())
    assert after.not_valid_after_utc > datetime.now(UTC) + timedelta(days=3000)
