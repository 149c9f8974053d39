"""Certificates for the links between engine, workers and clients: whoever holds the file may run code there.

A Dask scheduler executes what it is sent, so it listens with mutual TLS even on loopback, where other users of the
machine could reach it. One self-signed certificate is authority, server and client at once.
"""

import os
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from distributed.security import Security

LIFE = timedelta(days=3650)


def engine_security(folder: Path) -> Security:
    """What Dask wants to know of the certificate in `folder`."""
    both = str(folder / "engine.pem")
    return Security(
        require_encryption=True,
        tls_ca_file=both,
        tls_client_cert=both,
        tls_client_key=both,
        tls_scheduler_cert=both,
        tls_scheduler_key=both,
        tls_worker_cert=both,
        tls_worker_key=both,
    )


def make_certificate(folder: Path, now: datetime) -> None:
    """Write a new key and certificate, for the eyes of this user alone."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "marquee-engine")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ) + certificate.public_bytes(serialization.Encoding.PEM)
    target, fresh = folder / "engine.pem", folder / f"engine.pem.{os.getpid()}"
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(pem)
    fresh.replace(target)
