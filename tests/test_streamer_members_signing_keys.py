from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from streamer.errors import CannotStart
from streamer.members.signing_keys import create_key, open_signing_keys
from tests.streamer_helpers import NOW


def _write(folder: Path, name: str, private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    file = folder / name
    file.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    file.chmod(0o600)


def test_the_first_start_makes_a_key_that_only_we_may_read_and_the_next_reads_it(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    first = open_signing_keys(folder, NOW)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [file.stat().st_mode & 0o777 for file in folder.iterdir()] == [0o600]
    assert isinstance(first.current.private, ed25519.Ed25519PrivateKey)
    again = open_signing_keys(folder, NOW)
    assert again.current.kid == first.current.kid
    assert again.jwks() == first.jwks()


def test_the_newest_key_signs_and_all_verify(tmp_path: Path) -> None:
    old = open_signing_keys(tmp_path, NOW).current.kid
    new = create_key(tmp_path, NOW + timedelta(seconds=1))
    keys = open_signing_keys(tmp_path, NOW)
    assert keys.current.kid == new
    assert set(keys.verifying) == {old, new}


def test_the_key_set_holds_no_private_part_and_one_algorithm_for_each_key(tmp_path: Path) -> None:
    _write(tmp_path / "keys", "p-256.pem", ec.generate_private_key(ec.SECP256R1()))
    create_key(tmp_path / "keys", NOW)
    described = open_signing_keys(tmp_path / "keys", NOW).jwks()["keys"]
    assert {(key["kty"], key["crv"], key["alg"], key["use"]) for key in described} == {
        ("OKP", "Ed25519", "EdDSA", "sig"),
        ("EC", "P-256", "ES256", "sig"),
    }
    assert all("d" not in key for key in described)


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    open_signing_keys(tmp_path, NOW)
    next(tmp_path.iterdir()).chmod(0o640)
    with pytest.raises(CannotStart, match="may be read by others"):
        open_signing_keys(tmp_path, NOW)


@pytest.mark.parametrize("content", [b"", b"nonsense", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"])
def test_what_is_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "a.pem"
    file.touch(0o600)
    file.write_bytes(content)
    with pytest.raises(CannotStart, match="is not a private key"):
        open_signing_keys(tmp_path, NOW)


def test_other_kinds_of_keys_and_names_are_refused(tmp_path: Path) -> None:
    _write(tmp_path / "rsa", "a.pem", rsa.generate_private_key(65537, 2048))
    _write(tmp_path / "p384", "a.pem", ec.generate_private_key(ec.SECP384R1()))
    _write(tmp_path / "name", "a b.pem", ec.generate_private_key(ec.SECP256R1()))
    for name, complaint in (("rsa", "neither"), ("p384", "neither"), ("name", "needs a name")):
        with pytest.raises(CannotStart, match=complaint):
            open_signing_keys(tmp_path / name, NOW)


def test_private_keys_are_in_no_repr(tmp_path: Path) -> None:
    assert "rivate" not in repr(open_signing_keys(tmp_path, NOW))
