"""PostgreSQL for tests: a server of its own behind a socket, and the fixtures that reach it."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.needed import needed
from tools.needs import POSTGRESQL

USER = "marquee"
PATIENCE_S = 60.0

# Nothing needs to survive a power cut, and nobody comes over the network.
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_connections": "60",
}


class Postgres:
    """One server, which can be stopped and started again with its data."""

    def __init__(self, programs: Path, folder: Path) -> None:
        """programs: PostgreSQL's own folder of them; folder: for data and socket, owned by `server_account`."""
        self._programs = programs
        self._folder = folder
        self._server: subprocess.Popen[bytes] | None = None
        self._databases = 0

    def url(self, database: str) -> str:
        return f"postgresql+asyncpg://{USER}@/{database}?host={self._folder}"

    def create_database(self) -> str:
        """The address of a new, empty database."""
        self._databases += 1
        name = f"test{self._databases}"
        self._run("createdb", f"--host={self._folder}", f"--username={USER}", "--template=template0", name)
        return self.url(name)

    def initialise(self) -> None:
        options = ("--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
        self._run("initdb", *options, f"--username={USER}", f"--pgdata={self._folder / 'data'}")

    def start(self) -> None:
        """Come back once the server takes connections."""
        settings = SETTINGS | {"unix_socket_directories": str(self._folder)}
        words = [f"--{name}={value}" for name, value in settings.items()]
        command = self._command("postgres", "-D", str(self._folder / "data"), *words)
        with (self._folder / "log").open("ab") as log:
            self._server = subprocess.Popen(command, cwd=self._folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + PATIENCE_S
        while self._ask("pg_isready", "--quiet", f"--host={self._folder}").returncode:
            if self._server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL does not start: {(self._folder / 'log').read_text()[-2000:]}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Cut all connections and end the server."""
        if self._server is None:
            return
        self._server.send_signal(signal.SIGINT)
        try:
            self._server.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
        self._server = None

    def _run(self, program: str, *arguments: str) -> None:
        done = self._ask(program, *arguments)
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stdout}{done.stderr}")

    def _ask(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = self._command(program, *arguments)
        return subprocess.run(command, cwd=self._folder, capture_output=True, text=True, timeout=PATIENCE_S)

    def _command(self, program: str, *arguments: str) -> list[str]:
        """As an ordinary user, because PostgreSQL refuses root; and not outliving a test process that is killed."""
        account = server_account()
        identity = () if account is None else (f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}")
        groups = () if account is None else ("--clear-groups",)
        return ["setpriv", *identity, *groups, "--pdeathsig=INT", str(self._programs / program), *arguments]


def server_account() -> pwd.struct_passwd | None:
    """Who runs the server where we are root; None where we are not."""
    if os.geteuid() != 0:
        return None
    names = {account.pw_name: account for account in pwd.getpwall()}
    return names.get("postgres") or names["nobody"]


@contextmanager
def postgres_server() -> Iterator[Postgres]:
    """A new server for the caller alone, which may stop and start it. Fails or skips where PostgreSQL is missing."""
    programs = needed(POSTGRESQL)
    # Not below pytest's own folder: the path of a socket may have 107 bytes, and that folder is closed to other users.
    folder = Path(tempfile.mkdtemp(prefix="marquee-postgres-"))
    account = server_account()
    if account is not None:
        shutil.chown(folder, account.pw_uid, account.pw_gid)
    server = Postgres(programs, folder)
    try:
        server.initialise()
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One server for each process of the test run."""
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_url(postgres: Postgres) -> str:
    """The address of one database for all tests of a process."""
    return postgres.create_database()


@pytest.fixture
def postgres_database(postgres: Postgres) -> str:
    """The address of an empty database for one test."""
    return postgres.create_database()
