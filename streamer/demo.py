"""`make demo`: sample originals through the real API into a real browser, with one command.

`python -m streamer.demo --data FOLDER --port PORT [FILE...]` serves until Ctrl-C. A second run finds what is there.
"""

import argparse
import asyncio
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.panel import Panel

from config.errors import ConfigError
from config.settings import IntakeSettings, Settings, load_settings
from storage.errors import StorageError
from streamer.client import ApiClient, ApiProblem, open_client
from streamer.database import open_database, open_sessions
from streamer.errors import EmailTaken, StreamerError
from streamer.ingest import Memory, Wishes, ingest
from streamer.members.accounts import Accounts, Role
from streamer.migrations import upgrade
from streamer.supervisor import die_with_parent
from transcoder.errors import TranscodeError
from transcoder.jail import Jail
from transcoder.samples import Sample, make_journey, make_song, make_test_card
from transcoder.tools import Tools

PASSWORD = "demo-demo-demo"
MEMBERS = {
    "viewer@example.org": (Role.VIEWER, "premium"),
    "studio@example.org": (Role.STUDIO, "premium"),
    "admin@example.org": (Role.ADMIN, "premium"),
}
SAMPLE_S = 20
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 30.0
LOOK_EVERY_S = 0.2


class DemoFailed(Exception):
    """Said in one sentence; the demo ends with status 1."""


async def demo(data: Path, port: int, media: Sequence[Path], console: Console) -> None:
    """Runs until cancelled. Raises DemoFailed, and what its parts raise."""
    began_s = time.monotonic()
    await _add_members(load_settings(_settings_file(data, port)))
    async with _serving(data, console) as address, open_client(address) as client:
        await client.sign_in("studio@example.org", PASSWORD)
        memory, there, is_first = Memory(data / "uploads.json", address), await _published(client), True
        async for sample in _originals(data, media, console):
            if sample.title not in there:
                wishes = Wishes(title=sample.title, kind=sample.kind)
                if await ingest([sample.file], wishes, client, memory, console):
                    raise DemoFailed(f"{sample.file.name} could not be made playable")
            if is_first:
                _welcome(console, address, time.monotonic() - began_s)
            is_first = False
        console.print(f"All titles are ready at {address}. Ctrl-C ends the demo.", highlight=False)
        await asyncio.Event().wait()


def _settings_file(data: Path, port: int) -> Path:
    data.mkdir(parents=True, exist_ok=True)
    (data / "samples").mkdir(exist_ok=True)
    file = data / "marquee.toml"
    folder = json.dumps(str(data))  # a string of JSON is one of TOML
    file.write_text(f'data_dir = {folder}\n\n[http]\nhost = "127.0.0.1"\nport = {port}\n')
    return file


async def _add_members(settings: Settings) -> None:
    database = open_database(settings.database_url, settings.database)
    try:
        await upgrade(database)
        accounts = Accounts(open_sessions(database), settings.auth)
        for email, (role, plan) in MEMBERS.items():
            with contextlib.suppress(EmailTaken):  # by an earlier run
                await accounts.add(email, PASSWORD, role, plan, datetime.now(UTC))
    finally:
        await database.dispose()


@asynccontextmanager
async def _serving(data: Path, console: Console) -> AsyncIterator[str]:
    """The server in a process of its own, which says what it does to a file; gives its address."""
    server = _start_server(data)
    try:
        with console.status("Starting the server"):
            address = await _address(data, server)
        yield address
    finally:
        server.terminate()
        try:
            await asyncio.to_thread(server.wait, STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            server.kill()


def _start_server(data: Path) -> "subprocess.Popen[bytes]":
    (data / "server.json").unlink(missing_ok=True)
    with (data / "demo.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "streamer.cli", "serve", "--config", str(data / "marquee.toml")],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C ends us, and we end it
            preexec_fn=die_with_parent,
        )


async def _address(data: Path, server: "subprocess.Popen[bytes]") -> str:
    """Where the server listens, as soon as it does."""
    for _ in range(round(START_TIMEOUT_S / LOOK_EVERY_S)):
        with contextlib.suppress(OSError, ValueError):
            return str(json.loads(_read(data / "server.json"))["address"])
        if server.poll() is not None:
            break
        await asyncio.sleep(LOOK_EVERY_S)
    last_words = _read(data / "demo.log").strip().splitlines()[-3:]
    raise DemoFailed("the server did not start: " + (" ".join(last_words) or "it said nothing"))


def _read(file: Path) -> str:
    return file.read_text(errors="replace")


async def _published(client: ApiClient) -> set[str]:
    """Names of the titles that an earlier run has published."""
    page, _ = await client.call("GET", "/api/v1/titles", params={"limit": "100"})
    return {item["name"] for item in page["items"]}


async def _originals(data: Path, media: Sequence[Path], console: Console) -> AsyncIterator[Sample]:
    """The files that were given, or samples, each made when the one before is on its way."""
    if media:
        for file in media:
            yield Sample(title=file.stem, kind="", file=file)
        return
    folder, settings = data / "samples", IntakeSettings()
    jail, tools = Jail.detect(), Tools.find(settings)
    for make in (make_test_card, make_journey, make_song):
        with console.status("Making a sample original"):
            sample = await make(folder, tools, jail, seconds=SAMPLE_S)
        yield sample


def _welcome(console: Console, address: str, after_s: float) -> None:
    signs = "\n".join(f"  {email}  password {PASSWORD}" for email in MEMBERS)
    text = f"[bold]{address}[/] plays the first title, {after_s:.0f} s after the start.\n\nSign in as\n{signs}"
    console.print(Panel(text, title="Marquee", expand=False), highlight=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder for everything the demo keeps")
    parser.add_argument("--port", type=int, default=8080, help="port to serve at, on loopback")
    parser.add_argument("media", nargs="*", type=Path, help="originals; none: samples are made")
    given, console = parser.parse_args(), Console()
    absent = [str(file) for file in given.media if not file.is_file()]
    try:
        if absent:
            raise DemoFailed(f"no such file: {', '.join(absent)}")
        asyncio.run(demo(given.data.absolute(), given.port, given.media, console))
    except KeyboardInterrupt:
        console.print("The demo has ended; its data are kept for the next one.")
    except (DemoFailed, ConfigError, StreamerError, StorageError, TranscodeError, ApiProblem) as error:
        console.print(f"[red]The demo failed:[/] {error}", highlight=False)
        sys.exit(1)


if __name__ == "__main__":
    main()
