"""The whole server as a stranger runs it, and what a test does to it from outside: kill, fill, take away."""

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
from rich.console import Console

from config.settings import load_settings
from streamer.client import ApiClient, ApiProblem, open_client
from streamer.clock import utc_now
from streamer.commands.common import opened_database
from streamer.ingest import Memory, Wishes, ingest
from streamer.members.accounts import Accounts, Role
from tests.intake_helpers import is_running
from tests.streamer_helpers import CHEAP_HASHER, PASSWORD

T = TypeVar("T")

EMAIL = "studio@example.org"
PATIENCE_S = 180.0
"The machine may be busy with other tests."
POLL_S = 0.1

LADDER = """
[[video]]
width = 320
height = 180
crf = 22
max_kbps = 600

[[video]]
width = 160
height = 90
crf = 24
max_kbps = 200

[audio]
film_kbps = [96]
song_kbps = [96]
"""
SETTINGS = """
data_dir = "{data}"
ladders_file = "{ladder}"
[http]
port = 0
shutdown_grace_s = 2
[encode]
workers = 2
preset = "{preset}"
segment_s = 1
chunk_s = 8
{more}
"""


@dataclass
class Marquee:
    """`marquee serve` with a data folder of its own."""

    folder: Path
    more: str = ""
    "Further lines for the settings file."
    before: tuple[str, ...] = ()
    "Words of a command that starts the server, such as `unshare`."
    process: "subprocess.Popen[bytes] | None" = None
    token: str = ""

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def config(self) -> Path:
        return self.folder / "marquee.toml"

    @property
    def address(self) -> str:
        return str(json.loads((self.data / "server.json").read_text())["address"])

    def write_config(self, preset: str = "slower") -> None:
        """preset: so slow that even with small pictures there is a middle of the encode to do something in."""
        ladder = self.folder / "ladders.toml"
        ladder.write_text(LADDER)
        self.config.write_text(SETTINGS.format(data=self.data, ladder=ladder, more=self.more, preset=preset))

    def start(self) -> None:
        """Come back once it listens; the engine takes a little longer."""
        command = [*self.before, sys.executable, "-m", "streamer.cli", "serve", "--config", str(self.config)]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=log, stdout=log)
        wait_for(lambda: self.process is not None and (self.data / "server.json").exists(), self._why)

    def end(self) -> float:
        """Ask it to stop; gives how many seconds that took."""
        assert self.process is not None
        started_s = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(60) == 0, self._why()
        self.process = None
        return time.monotonic() - started_s

    def kill_all(self) -> None:
        """As when the power fails: supervisor first, so that nobody starts anything again."""
        pids = [*self.pids("streamer.cli"), *self.pids("streamer.server"), *self.pids("transcoder.engine_process")]
        for pid in [*pids, *self.workers()]:
            os.kill(pid, signal.SIGKILL)
        assert self.process is not None
        self.process.wait()
        self.process = None
        wait_for(lambda: not any(map(is_running, pids)), self._why)
        (self.data / "server.json").unlink(missing_ok=True)

    def pids(self, module: str) -> list[int]:
        """Processes of this server that run a module."""
        words = (module.encode(), str(self.config).encode())
        return [pid for pid, line in _processes() if all(word in line for word in words) and is_running(pid)]

    def workers(self) -> list[int]:
        """Processes that encode: children that the engine spawned."""
        engines = self.pids("transcoder.engine_process")
        return [pid for pid, line in _processes() if b"spawn_main" in line and _parent(pid) in engines]

    def ffmpegs(self) -> list[int]:
        word = f"file:{self.data}/work/".encode()
        return [pid for pid, line in _processes() if word in line and is_running(pid)]

    def tasks(self, title_id: str, version: int = 1) -> dict[str, tuple[str, int]]:
        """State and failed attempts of every task, as the ledger has them."""
        query = """SELECT name, tasks.state, attempts FROM tasks JOIN jobs ON jobs.id = job_id
                   WHERE title_id = ? AND version = ?"""
        with closing(sqlite3.connect(self.data / "marquee.db", timeout=10)) as database:
            return {name: (state, attempts) for name, state, attempts in database.execute(query, (title_id, version))}

    def done(self, title_id: str) -> set[str]:
        return {name for name, (state, _) in self.tasks(title_id).items() if state == "done" and name != "probe"}

    def objects(self, title_id: str, version: int = 1, store: Path | None = None) -> dict[str, int]:
        """Keys of what is stored of a version, with the times at which they were made."""
        folder = (store or self.data / "store") / f"titles/{title_id}/v{version}"
        return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}

    async def add_studio(self) -> None:
        settings = load_settings(self.config)
        async with opened_database(settings) as opened:
            accounts = Accounts(opened.sessions, settings.auth, CHEAP_HASHER)
            await accounts.add(EMAIL, PASSWORD, Role.STUDIO, "premium", utc_now())

    @asynccontextmanager
    async def client(self) -> AsyncIterator[ApiClient]:
        async with open_client(self.address) as client:
            await client.sign_in(EMAIL, PASSWORD)
            yield client

    async def upload(self, film: Path, title_id: str = "", publish: str = "auto") -> str:
        """Upload a film; gives its title. For a second version of a title the name of that is given."""
        async with self.client() as client:
            memory = Memory(self.folder / f"memory-{time.monotonic_ns()}.json", self.address)
            if title_id:
                memory.keep(film, {"title_id": title_id, "url": ""})
            screen = StringIO()
            wishes = Wishes(title=f"{film.stem} {time.monotonic_ns()}", publish=publish, wait=False)
            assert await ingest([film], wishes, client, memory, Console(file=screen, width=200)) == 0, screen.getvalue()
            return title_id or screen.getvalue().rsplit(" ", 1)[-1].strip()

    async def states(self, title_id: str) -> dict[int, str]:
        """Of all jobs of a title, by their versions."""
        jobs = (await self.ask("GET", "/api/v1/jobs"))["items"]
        return {job["version"]: job["state"] for job in jobs if job["title_id"] == title_id}

    async def job(self, title_id: str) -> dict[str, Any]:
        return await self.ask("GET", f"/api/v1/titles/{title_id}/job")

    async def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """What the API says, with the token of one sign-in: many cost much of the processor. Raises ApiProblem."""
        async with aiohttp.ClientSession() as session:
            if not self.token:
                login = {"email": EMAIL, "password": PASSWORD}
                async with session.post(f"{self.address}/api/v1/auth/login", json=login) as answered:
                    self.token = (await answered.json())["access_token"]
            headers = {"Authorization": f"Bearer {self.token}"}
            async with session.request(method, self.address + path, headers=headers, json=body) as answered:
                said: dict[str, Any] = await answered.json()
                if answered.status >= 400:
                    raise ApiProblem(answered.status, said["code"], said["detail"])
                return said

    async def reaches(self, title_id: str, *states: str) -> dict[str, Any]:
        """The job of a title once it has one of these states; nothing else may end it before."""
        over = {"rejected", "failed", "cancelled"} - set(states)
        return await self.shows(title_id, lambda job: job["state"] in states, over)

    async def shows(
        self, title_id: str, condition: Callable[[dict[str, Any]], bool], not_states: set[str] | None = None
    ) -> dict[str, Any]:
        """The job of a title once a condition holds for it; meanwhile the server may be away."""
        deadline_s, job = time.monotonic() + PATIENCE_S, {}
        while True:
            try:
                job = await self.job(title_id)
            except (ApiProblem, OSError, aiohttp.ClientError) as error:
                job = {"state": "unknown", "error": str(error)}
            if job["state"] != "unknown" and condition(job):
                return job
            assert job["state"] not in (not_states or ()), (job, self._why())
            assert time.monotonic() < deadline_s, (job, self._why())
            await asyncio.sleep(POLL_S)

    async def in_the_middle(self, title_id: str, least_done: int = 1) -> set[str]:
        """Some chunks are done and others are not; gives the tasks that are done."""
        while True:
            await self.shows(title_id, lambda job: job["state"] == "encoding", {"ready", "published", "failed"})
            done, tasks = self.done(title_id), self.tasks(title_id)
            assert len(done) < len(tasks) - 1, "the encode was over too soon for this test"
            if len([name for name in done if name.startswith("video")]) >= least_done and self.ffmpegs():
                return done
            await asyncio.sleep(POLL_S / 2)

    def _why(self) -> str:
        return (self.folder / "log").read_text()[-4000:]


@contextmanager
def marquee(folder: Path, **options: Any) -> Iterator[Marquee]:
    """Start a server, and leave nothing of it."""
    folder.mkdir(exist_ok=True)
    server = Marquee(folder, **options)
    server.write_config()
    with ThreadPoolExecutor(1) as elsewhere:  # here a loop may be running
        elsewhere.submit(asyncio.run, server.add_studio()).result()
    try:
        server.start()
        yield server
    finally:
        if server.process is not None:
            server.process.terminate()
            server.process.wait(60)


def wait_for(condition: Callable[[], object], why: Callable[[], str] = lambda: "") -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s, why()
        time.sleep(POLL_S)


async def eventually(ask: Callable[[], Awaitable[T]], expected: T) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while (found := await ask()) != expected:
        assert time.monotonic() < deadline_s, found
        await asyncio.sleep(POLL_S)


def _processes() -> Iterator[tuple[int, bytes]]:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            yield int(folder.name), (folder / "cmdline").read_bytes()
        except OSError:
            continue


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[1])
    except OSError:
        return 0
