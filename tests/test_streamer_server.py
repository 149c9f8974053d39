import asyncio
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from config.settings import load_settings
from storage.open import open_store
from streamer.commands.common import opened_database
from streamer.members.accounts import Accounts, Role
from streamer.server import check_aiohttp
from tests.streamer_helpers import NOW, PASSWORD
from tests.titles import make_index, segment_bytes, store_title


def _config(folder: Path, text: str = "") -> Path:
    file = folder / "marquee.toml"
    file.write_text(f'data_dir = "{folder / "data"}"\n{text}\n[http]\nport = 0\n')
    return file


@contextmanager
def serving(config: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A server process of its own, and its address."""
    said = config.parent / "data/server.json"
    process = subprocess.Popen([sys.executable, "-m", "streamer.server", "--config", str(config)])
    try:
        deadline = time.monotonic() + 60
        while not said.exists():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield process, json.loads(said.read_text())["address"]
    finally:
        process.kill()
        process.wait()


async def _add_title(config: Path) -> str:
    settings = load_settings(config)
    async with opened_database(settings) as opened, open_store(settings.store, settings.store_url) as store:
        await Accounts(opened.sessions, settings.auth).add("a@example.org", PASSWORD, Role.VIEWER, "premium", NOW)
        title = await opened.catalogue.create("film", "A film")
        await store_title(store, make_index(title.id, "v1"))
        await opened.catalogue.add_version(
            title_id=title.id, number=1, original_id="x", duration_s=12, height=1080, poster=""
        )
        await opened.catalogue.publish(title.id)
    return title.id


async def _play(session: aiohttp.ClientSession, address: str, title_id: str) -> dict[str, Any]:
    login = {"email": "a@example.org", "password": PASSWORD}
    async with session.post(f"{address}/api/v1/auth/login", json=login) as response:
        headers = {"Authorization": f"Bearer {(await response.json())['access_token']}"}
    async with session.post(f"{address}/api/v1/titles/{title_id}/playback", headers=headers) as response:
        playing: dict[str, Any] = await response.json()
        return playing


async def test_a_published_title_plays_and_a_running_answer_ends_before_the_server_does(tmp_path: Path) -> None:
    config = _config(tmp_path)
    title_id = await _add_title(config)
    with serving(config) as (process, address):
        async with aiohttp.ClientSession() as session:
            playing = await _play(session, address, title_id)
            base = playing["hls_url"].removesuffix("hls/multivariant.m3u8")
            async with session.get(base + "clear/v1080/2.m4s") as response:
                process.send_signal(signal.SIGTERM)
                await asyncio.sleep(0.3)
                assert await response.read() == segment_bytes("v1080", 2)
        assert await asyncio.to_thread(process.wait, 20) == 0
        assert not (tmp_path / "data/server.json").exists()
    with serving(config) as (process, address):
        async with aiohttp.ClientSession() as session:
            moved = base.replace(base.split("/m/")[0], address)
            async with session.get(moved + "clear/v1080/1.m4s") as response:
                assert response.status == 200  # the keys and the session outlive a restart
        process.send_signal(signal.SIGINT)
        assert await asyncio.to_thread(process.wait, 20) == 0


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('log_level = "loud"', "setting log_level"),
        ('plans_file = "gone.toml"', "gone.toml cannot be read"),
        ('[store]\nurl = "ftp://x"', "store.url"),
    ],
)
def test_what_trying_again_cannot_help_ends_with_a_sentence_and_status_78(
    tmp_path: Path, text: str, sentence: str
) -> None:
    command = [sys.executable, "-m", "streamer.server", "--config", str(_config(tmp_path, text))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 78
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken_is_said_to_be(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "streamer.server", "--config", str(_config(tmp_path)), "--port", port]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 78
    assert f"cannot listen on 127.0.0.1, port {port}" in done.stderr


def test_a_database_that_is_away_at_the_start_is_worth_another_try(tmp_path: Path) -> None:
    text = '[database]\nurl = "postgresql+asyncpg://x@127.0.0.1:1/none"'
    command = [sys.executable, "-m", "streamer.server", "--config", str(_config(tmp_path, text))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "cannot start yet: the database cannot be reached" in done.stderr


def test_this_aiohttp_is_safe() -> None:
    check_aiohttp()
