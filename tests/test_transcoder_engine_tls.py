"""Whoever holds the engine's file may use it, and nobody else."""

import asyncio
import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from transcoder.engine_tls import engine_security, make_certificate

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_certificate(tmp_path / "engine", datetime.now(UTC))
    return tmp_path / "engine"


def context(folder: Path, role: str) -> ssl.SSLContext:
    security = engine_security(folder)
    given = security.get_listen_args(role) if role == "scheduler" else security.get_connection_args(role)
    made = given["ssl_context"]
    assert isinstance(made, ssl.SSLContext)
    return made


async def talk(server: ssl.SSLContext, client: ssl.SSLContext | None) -> bytes:
    """What a client hears from a server."""

    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0, ssl=server) as listening:
        port = listening.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client)
        try:
            return await reader.read()
        finally:
            writer.close()


def test_the_file_is_for_the_eyes_of_one_user(folder: Path) -> None:
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "engine.pem").stat().st_mode) == 0o600
    assert [path.name for path in folder.iterdir()] == ["engine.pem"]


def test_a_certificate_outlives_any_engine_and_a_slow_clock(tmp_path: Path) -> None:
    make_certificate(tmp_path, NOW)
    certificate = x509.load_pem_x509_certificate((tmp_path / "engine.pem").read_bytes())
    assert certificate.not_valid_before_utc < NOW - timedelta(hours=23)
    assert certificate.not_valid_after_utc > NOW + timedelta(days=3600)


def test_each_engine_has_a_key_of_its_own(folder: Path) -> None:
    before = (folder / "engine.pem").read_bytes()
    make_certificate(folder, NOW)
    assert (folder / "engine.pem").read_bytes() != before


async def test_who_holds_the_file_is_heard(folder: Path) -> None:
    for role in ("client", "worker"):
        assert await talk(context(folder, "scheduler"), context(folder, role)) == b"hello"


async def test_who_has_no_certificate_or_another_is_not(folder: Path, tmp_path: Path) -> None:
    make_certificate(tmp_path / "other", datetime.now(UTC))
    nobody = ssl.create_default_context()
    nobody.check_hostname, nobody.verify_mode = False, ssl.CERT_NONE
    stranger = context(tmp_path / "other", "client")
    stranger.verify_mode = ssl.CERT_NONE
    for client in (nobody, stranger):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            assert await talk(context(folder, "scheduler"), client) == b""
            raise ConnectionError("closed without a word")


async def test_a_false_engine_is_not_believed(folder: Path, tmp_path: Path) -> None:
    make_certificate(tmp_path / "other", datetime.now(UTC))
    with pytest.raises(ssl.SSLError):
        await talk(context(tmp_path / "other", "scheduler"), context(folder, "client"))
