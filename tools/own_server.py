"""A whole server of one's own, with members of each kind, for tests and tools."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

from rich.console import Console

from config.settings import Settings, load_settings
from streamer.client import ApiClient, open_client
from streamer.database import open_database, open_sessions
from streamer.ingest import Memory, Wishes, ingest
from streamer.members.accounts import Accounts, Role
from streamer.migrations import upgrade
from streamer.supervisor import die_with_parent

PASSWORD = "correct horse battery"
START_TIMEOUT_S = 120.0
ENCODE_TIMEOUT_S = 300.0
STOP_TIMEOUT_S = 60.0
LOOK_EVERY_S = 0.1
LOG = "server.log"
MEMBERS = {
    "viewer@example.org": (Role.VIEWER, "premium"),
    "music@example.org": (Role.VIEWER, "music"),
    "studio@example.org": (Role.STUDIO, "premium"),
}


class ServerFailed(Exception):
    """It did not start, or did not take an original; the message has its words."""


@dataclass(frozen=True, slots=True)
class OwnServer:
    """A server that is up."""

    address: str
    folder: Path

    def log(self) -> str:
        """The end of what the server said."""
        return (self.folder / LOG).read_text(errors="replace")[-2000:]

    @asynccontextmanager
    async def client(self, email: str = "studio@example.org") -> AsyncIterator[ApiClient]:
        async with open_client(self.address) as client:
            await client.sign_in(email, PASSWORD)
            yield client

    async def add(self, file: Path, wishes: Wishes) -> str:
        """Send in an original with the subtitle files beside it and follow it to its end; gives the title's id.

        wishes: with a name that no other title has.

        Raises ServerFailed.
        """
        said = StringIO()
        memory = Memory(self.folder / "uploads.json", self.address)
        async with self.client() as client:
            try:
                async with asyncio.timeout(ENCODE_TIMEOUT_S):
                    status = await ingest([file], wishes, client, memory, Console(file=said))
            except TimeoutError:
                raise ServerFailed(f"the encode stands still: {self.log()}") from None
            if status:
                raise ServerFailed(said.getvalue())
            page, _ = await client.call("GET", "/api/v1/titles", params={"q": wishes.title, "limit": "100"})
        return str(next(item["id"] for item in page["items"] if item["name"] == wishes.title))

    async def play(self, title_id: str, email: str = "viewer@example.org", **body: Any) -> dict[str, Any]:
        """A playback session: its signed addresses and what else the API says of it."""
        async with self.client(email) as client:
            session, _ = await client.call("POST", f"/api/v1/titles/{title_id}/playback", json=body)
        return dict(session)


@contextmanager
def own_server(folder: Path, more_settings: str = "", python: str = sys.executable) -> Iterator[OwnServer]:
    """A server on a free port; it and all that it started end with the block.

    folder: for everything it keeps, also its log.
    more_settings: further tables of the settings file.
    python: the interpreter that has Marquee.

    Raises ServerFailed.
    """
    config = _write_settings(folder, more_settings)
    asyncio.run(_add_members(load_settings(config)))
    command = [python, "-m", "streamer.cli", "serve", "--config", str(config)]
    with (folder / LOG).open("wb") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder,
            start_new_session=True,
            preexec_fn=die_with_parent,
        )
    try:
        yield _when_up(folder, process)
    finally:
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _write_settings(folder: Path, more_settings: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    data = json.dumps(str(folder.absolute() / "data"))  # a string of JSON is one of TOML
    config = folder / "marquee.toml"
    config.write_text(f'data_dir = {data}\n\n[http]\nhost = "127.0.0.1"\nport = 0\n\n{more_settings}\n')
    return config


async def _add_members(settings: Settings) -> None:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    database = open_database(settings.database_url, settings.database)
    try:
        await upgrade(database)
        accounts = Accounts(open_sessions(database), settings.auth)
        for email, (role, plan) in MEMBERS.items():
            await accounts.add(email, PASSWORD, role, plan, datetime.now(UTC))
    finally:
        await database.dispose()


def _when_up(folder: Path, process: "subprocess.Popen[bytes]") -> OwnServer:
    announced = folder / "data/server.json"
    deadline_s = time.monotonic() + START_TIMEOUT_S
    while not announced.exists():
        if process.poll() is not None or time.monotonic() > deadline_s:
            raise ServerFailed(f"the server is not up: {OwnServer('', folder).log()}")
        time.sleep(LOOK_EVERY_S)
    address = str(json.loads(announced.read_text())["address"])
    # By this name, browsers take plain HTTP for safe.
    return OwnServer(address.replace("127.0.0.1", "localhost"), folder)
