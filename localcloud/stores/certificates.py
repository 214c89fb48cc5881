"""A certificate authority of this machine's own, so that clients verify the local servers exactly as they verify those of AWS."""

from __future__ import annotations

import fcntl
import ipaddress
import os
import shutil
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_YEARS = timedelta(days=3650)
_MONTHS = timedelta(days=90)
_AGO = timedelta(hours=1)  # a clock that is set back a little must not make certificates invalid
_COMMON_NAME_LARGEST = 64  # characters; RFC 5280, ub-common-name


@dataclass(frozen=True)
class Issued:
    """A server's certificate and its private key, PEM each."""

    certificate: bytes
    key: bytes


@dataclass(frozen=True)
class Authority:
    """The authority of a folder: made at first use, the same ever after. Its key never leaves the folder."""

    folder: Path

    @property
    def certificate(self) -> Path:
        """The authority's certificate (PEM), for clients to trust; made if it is not there yet."""
        self._ensure()
        return self._certificate

    def issue(self, names: Sequence[str]) -> Issued:
        """A server certificate for host names and IP addresses, for 90 days. The first name is the subject's, shortened where X.509 allows no more."""
        if not names:
            raise ValueError("a server certificate without a name fits no server: give one host name or address at least")
        self._ensure()
        authority = x509.load_pem_x509_certificate(self._certificate.read_bytes())
        authority_key = _private(self._key.read_bytes())
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.now(UTC)
        certificate = (
            _builder(_subject(names[0][:_COMMON_NAME_LARGEST]), authority.subject, key, now + _MONTHS)
            .add_extension(x509.SubjectAlternativeName([_general(name) for name in dict.fromkeys(names)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
            .sign(authority_key, hashes.SHA256())
        )
        return Issued(certificate.public_bytes(serialization.Encoding.PEM), _pem(key))

    @property
    def _home(self) -> Path:
        return self.folder / "authority"

    @property
    def _certificate(self) -> Path:
        return self._home / "ca.pem"

    @property
    def _key(self) -> Path:
        return self._home / "ca.key"

    def _ensure(self) -> None:
        """Makes the authority whole or not at all; of two that come at once the second finds the first one's."""
        if self._usable():
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        with _only_one(self.folder / "authority.lock"):
            if self._usable():
                return
            made = Path(tempfile.mkdtemp(prefix=".authority-", dir=self.folder))
            try:
                _make(made / self._certificate.name, made / self._key.name)
                made.chmod(0o755)  # the certificate is for everybody to read; the key has permissions of its own
                shutil.rmtree(self._home, ignore_errors=True)  # expired, or damaged by hand
                made.rename(self._home)
            finally:
                shutil.rmtree(made, ignore_errors=True)

    def _usable(self) -> bool:
        try:
            certificate = x509.load_pem_x509_certificate(self._certificate.read_bytes())
            key = _private(self._key.read_bytes())
        except (OSError, ValueError):
            return False
        return certificate.not_valid_after_utc > datetime.now(UTC) + _MONTHS and certificate.public_key() == key.public_key()


def _make(certificate: Path, key_file: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = _subject(f"local authority {os.urandom(4).hex()}")  # two authorities never share a name: a client would take one for the other
    made = (
        _builder(name, name, key, datetime.now(UTC) + _YEARS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_SIGNS, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.touch(mode=0o600)
    key_file.write_bytes(_pem(key))


_SIGNS = x509.KeyUsage(
    key_cert_sign=True,
    crl_sign=True,
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    encipher_only=False,
    decipher_only=False,
)


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, until: datetime) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - _AGO)
        .not_valid_after(until)
    )


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _private(pem: bytes) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(pem, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("the authority's key is none of an elliptic curve")  # noqa: TRY004 - as for every other content that is no such key
    return key


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


@contextmanager
def _only_one(path: Path) -> Generator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
