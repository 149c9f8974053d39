"""OpenStack Swift for tests: a real S3 server, and the fixtures that reach it."""

import os
import pwd
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from pydantic import SecretStr

from config.settings import StoreSettings
from tests.needed import needed
from tools.needs import Need

PROGRAMS = Path(__file__).parent.parent / ".venv/swift/bin"
USER, KEY = "test:tester", "secret-of-the-tests"
BUCKET = "marquee"
PATIENCE_S = 60.0


def find_swift() -> Path | None:
    return PROGRAMS if (PROGRAMS / "swift-proxy-server").exists() else None


SWIFT = Need("OpenStack Swift in .venv/swift", find_swift, (), "every test that runs on S3")

# Every server: on loopback, in one process, without statsd and syslog, with whatever room the disk has.
SERVER = """
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
swift_dir = {folder}/etc
devices = {folder}/srv
mount_check = false
workers = 0
user = {user}
recon_cache_path = {folder}/cache
fallocate_reserve = 0
log_address = /dev/null
log_statsd_host =
"""

STORAGE = """
[pipeline:main]
pipeline = {name}-server
[app:{name}-server]
use = egg:swift#{name}
[{name}-replicator]
[{name}-updater]
[{name}-auditor]
"""

PROXY = f"""
[pipeline:main]
pipeline = catch_errors gatekeeper listing_formats bulk s3api tempauth slo dlo symlink proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:bulk]
use = egg:swift#bulk
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
s3_acl = false
[filter:tempauth]
use = egg:swift#tempauth
user_{USER.replace(":", "_")} = {KEY} .admin
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
[filter:symlink]
use = egg:swift#symlink
"""

COMMON = """
[swift-hash]
swift_hash_path_suffix = tests
[storage-policy:0]
name = default
default = yes
[swift-constraints]
max_header_size = 32768
"""


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody listens on now."""
    with ExitStack() as held:
        listening = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [each.getsockname()[1] for each in listening]


@contextmanager
def swift_server(folder: Path, port: int) -> Iterator[str]:
    """Four processes with one replica and no memcached, as whoever we are; gives the endpoint.

    folder: for the data, on a file system with extended attributes. With the folder of an earlier server it goes on.
    """
    for name in ("etc", "srv/d1", "cache", "log"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "etc/swift.conf").write_text(COMMON)
    names = ("object", "container", "account")
    if not (folder / "etc/account.ring.gz").exists():
        _make_rings(folder, dict(zip(names, free_ports(len(names)), strict=True)))
    (folder / "etc/proxy-server.conf").write_text(_conf(folder, port) + PROXY)
    with ExitStack() as held:
        for name in (*names, "proxy"):
            held.enter_context(_process(folder, name))
        _wait_until_it_answers(folder, port)
        yield f"http://127.0.0.1:{port}"


def _conf(folder: Path, port: int) -> str:
    return SERVER.format(port=port, folder=folder, user=pwd.getpwuid(os.geteuid()).pw_name)


def _make_rings(folder: Path, ports: dict[str, int]) -> None:
    """Say which server has which data: all has the one and only."""
    for name, port in ports.items():
        (folder / f"etc/{name}-server.conf").write_text(_conf(folder, port) + STORAGE.format(name=name))
        for words in (("create", "4", "1", "1"), ("add", f"r1z1-127.0.0.1:{port}/d1", "1"), ("rebalance",)):
            command = [PROGRAMS / "swift-ring-builder", f"{name}.builder", *words]
            done = subprocess.run(command, cwd=folder / "etc", capture_output=True, text=True)
            if done.returncode > 1:  # 1: done, with a warning (a ring of one device is never balanced).
                raise RuntimeError(f"{command}: {done.stdout}{done.stderr}")


@contextmanager
def _process(folder: Path, name: str) -> Iterator[None]:
    # Not outliving a test process that is killed.
    command = ["setpriv", "--pdeathsig=KILL", PROGRAMS / f"swift-{name}-server", folder / f"etc/{name}-server.conf"]
    with (folder / f"log/{name}.log").open("ab") as log:
        process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, "SWIFT_DIR": str(folder / "etc")},
        )
        try:
            yield
        finally:
            process.kill()  # It has nothing to finish; a polite end waits for open connections.
            process.wait()


def _wait_until_it_answers(folder: Path, port: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError((folder / "log/proxy.log").read_text()[-2000:] or "Swift does not answer")


@dataclass(frozen=True, slots=True)
class S3Server:
    """A running server with an empty bucket, and how to reach it."""

    endpoint: str

    def settings(self, **changes: Any) -> StoreSettings:
        known = {"s3_access_key": SecretStr(USER), "s3_secret_key": SecretStr(KEY), "s3_path_style": True}
        return StoreSettings(**{"s3_endpoint": self.endpoint, "part_bytes": 5 * 2**20, **known, **changes})

    def client(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=USER,
            aws_secret_access_key=KEY,
            region_name="us-east-1",
            config=Config(s3={"addressing_style": "path"}),
        )


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """One server for each process of the test run. A test keeps to a prefix or bucket of its own."""
    needed(SWIFT)
    with swift_server(tmp_path_factory.mktemp("swift"), free_ports(1)[0]) as endpoint:
        server = S3Server(endpoint)
        server.client().create_bucket(Bucket=BUCKET)
        yield server
