"""The keys that sign our tokens: one PEM file each, in a folder that only we may read.

The file's name is the key's id and begins with the day it was made: the last in order signs, all of them verify.
"""

import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from jwt.algorithms import ECAlgorithm, OKPAlgorithm

from streamer.errors import CannotStart

Algorithm = Literal["EdDSA", "ES256"]
KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """A public key and the one algorithm it is for."""

    kid: str
    algorithm: Algorithm
    public: Ed25519PublicKey | EllipticCurvePublicKey = field(repr=False)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key and the one algorithm it is for."""

    kid: str
    algorithm: Algorithm
    private: Ed25519PrivateKey | EllipticCurvePrivateKey = field(repr=False)

    @property
    def verifying(self) -> VerifyingKey:
        return VerifyingKey(self.kid, self.algorithm, self.private.public_key())


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """All keys of a folder."""

    current: SigningKey
    verifying: Mapping[str, VerifyingKey]

    def jwks(self) -> dict[str, Any]:
        """The public keys as a JSON Web Key Set (RFC 7517; RFC 8037 for Ed25519)."""
        return {"keys": [_jwk(key) for key in self.verifying.values()]}


def open_signing_keys(folder: Path, now: datetime) -> SigningKeys:
    """Read the keys of a folder; makes the folder and a first key where there is none.

    Raises CannotStart for a key that others may read, or that is none.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not any(folder.glob("*.pem")):
        create_key(folder, now)
    keys = [_read_key(file) for file in sorted(folder.glob("*.pem"))]
    return SigningKeys(keys[-1], {key.kid: key.verifying for key in keys})


def create_key(folder: Path, now: datetime) -> str:
    """A new Ed25519 key, which signs from the next start on; gives its id."""
    kid = f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    unfinished = folder / f".{kid}"
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(folder / f"{kid}.pem")
    return kid


def _read_key(file: Path) -> SigningKey:
    if file.stat().st_mode & 0o077:
        raise CannotStart(f"the signing key {file} may be read by others; `chmod 600` it, or replace it if they did")
    if not KEY_ID.fullmatch(file.stem):
        raise CannotStart(f"the signing key {file} needs a name of letters, digits, - and _")
    try:
        private = serialization.load_pem_private_key(file.read_bytes(), None)
    except (ValueError, TypeError) as error:
        raise CannotStart(f"the signing key {file} is not a private key in PEM: {error}") from error
    if isinstance(private, Ed25519PrivateKey):
        return SigningKey(file.stem, "EdDSA", private)
    if isinstance(private, EllipticCurvePrivateKey) and isinstance(private.curve, SECP256R1):
        return SigningKey(file.stem, "ES256", private)
    raise CannotStart(f"the signing key {file} is neither Ed25519 nor P-256")


def _jwk(key: VerifyingKey) -> dict[str, Any]:
    if isinstance(key.public, Ed25519PublicKey):
        jwk = OKPAlgorithm.to_jwk(key.public, as_dict=True)
    else:
        jwk = ECAlgorithm.to_jwk(key.public, as_dict=True)
    jwk.pop("key_ops", None)
    return {**jwk, "kid": key.kid, "alg": key.algorithm, "use": "sig"}
