"""The certificate by which the server speaks TLS: made by the process as it starts, for itself alone, and gone with it.

Whoever calls is a load balancer, which encrypts and does not ask who signed ("Target groups for your Application Load Balancers", routing configuration:
it takes self-signed certificates, and those that have expired), or the container's own health check. So there is no key to keep, hand out or renew.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

GOODBYE_SECONDS = 1.0
"""For which the server waits, when it closes a connection, until the client has closed it too."""

_NAME = "payments"
# Nobody looks at it; no process lives that long.
_VALID = timedelta(days=3650)
_AGO = timedelta(hours=1)  # a clock that is set back a little must not make it invalid


class ServerLoop(asyncio.SelectorEventLoop):
    """An event loop whose servers do not wait for clients that are silent.

    Half a minute, as asyncio has it, for a client that keeps its connection open would be all the time that a process has to end.
    """

    async def create_server(self, *args: Any, **options: Any) -> asyncio.Server:
        """As asyncio's, with an end to its patience."""
        return await super().create_server(*args, ssl_shutdown_timeout=GOODBYE_SECONDS, **options)


def server_context() -> ssl.SSLContext:
    """TLS 1.2 or newer, by a new key and a certificate that it signs itself. Neither is ever in a file."""
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    with _readable(_certificate(key)) as certificate, _readable(pem) as private:
        context.load_cert_chain(certificate, private)
    return context


def _certificate(key: ec.EllipticCurvePrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _NAME)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _AGO)
        .not_valid_after(now + _VALID)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(_NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


@contextmanager
def _readable(content: bytes) -> Generator[str]:
    """A path where a content is read once. Python takes certificates and keys from files alone, and there are none where the file system is read-only."""
    reader, writer = os.pipe()
    try:
        with os.fdopen(writer, "wb") as written:
            written.write(content)  # far less than a pipe holds, so nobody is waited for
        yield f"/dev/fd/{reader}"
    finally:
        os.close(reader)
