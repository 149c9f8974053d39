"""Every claim is tried with real programs behind real walls, and once without them, so that a failure would show."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.intake_helpers import LIMITS, gone, is_running, jail_of, processes_with, the_jail
from tests.source import ROOT
from transcoder import jail_launcher
from transcoder.errors import JailUnavailable
from transcoder.jail import Jail, Limits, Wall

NO_WALLS = Jail()
FILE_WALLS: list[tuple[Wall, ...]] = [
    ("landlock",),
    ("landlock", "namespaces"),
    ("bubblewrap",),
    ("landlock", "namespaces", "bubblewrap"),
]
NETWORK_WALLS: list[tuple[Wall, ...]] = [("namespaces",), ("landlock", "namespaces"), ("bubblewrap",)]
SHELL = "/bin/bash"


def run(
    jail: Jail, command: list[str], job: Path, *read_only: Path, limits: Limits = LIMITS
) -> subprocess.CompletedProcess[str]:
    walled = jail.command(command, job=job, read_only=read_only, limits=limits)
    return subprocess.run(walled, capture_output=True, text=True, timeout=30, check=False, stdin=subprocess.DEVNULL)


@pytest.fixture
def job(tmp_path: Path) -> Path:
    folder = tmp_path / "job"
    folder.mkdir()
    return folder


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "secret"
    file.write_text("the secret")
    return file


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        yield server


def test_without_walls_the_secret_can_be_read(job: Path, secret: Path) -> None:
    assert run(NO_WALLS, ["/bin/cat", str(secret)], job).stdout == "the secret"


@pytest.mark.parametrize("walls", FILE_WALLS)
def test_a_file_outside_cannot_be_read(walls: tuple[Wall, ...], job: Path, secret: Path) -> None:
    tried = run(jail_of(*walls), ["/bin/cat", str(secret)], job)
    assert tried.returncode == 1
    assert "the secret" not in tried.stdout + tried.stderr


@pytest.mark.parametrize("walls", FILE_WALLS)
def test_a_link_in_the_job_folder_leads_nowhere(walls: tuple[Wall, ...], job: Path, secret: Path) -> None:
    (job / "link").symlink_to(secret)
    assert run(jail_of(*walls), ["/bin/cat", str(job / "link")], job).stdout == ""


@pytest.mark.parametrize("walls", FILE_WALLS)
def test_a_named_file_can_be_read_and_not_changed(walls: tuple[Wall, ...], job: Path, tmp_path: Path) -> None:
    named, other = tmp_path / "original.mp4", job / "other"
    named.write_text("original")
    other.write_text("other")
    assert run(jail_of(*walls), ["/bin/cat", str(named)], job, named).stdout == "original"
    assert run(jail_of(*walls), ["/bin/cp", str(other), str(named)], job, named).returncode == 1
    assert named.read_text() == "original"


@pytest.mark.parametrize("walls", FILE_WALLS)
def test_the_job_folder_is_written_and_nothing_else(walls: tuple[Wall, ...], job: Path, tmp_path: Path) -> None:
    (job / "made").write_text("made")
    assert run(jail_of(*walls), ["/bin/cp", str(job / "made"), str(job / "copy")], job).returncode == 0
    assert (job / "copy").read_text() == "made"
    assert run(jail_of(*walls), ["/bin/cp", str(job / "made"), str(tmp_path / "copy")], job).returncode == 1
    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize("walls", FILE_WALLS)
def test_no_program_beside_the_named_one_is_run(walls: tuple[Wall, ...], job: Path) -> None:
    tried = run(jail_of(*walls), [SHELL, "-c", "/bin/cat /etc/hostname; echo went on"], job)
    assert tried.stdout == "went on\n"


def test_without_walls_a_server_can_be_reached(job: Path, listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    assert run(NO_WALLS, [SHELL, "-c", f"echo hello > /dev/tcp/127.0.0.1/{port}"], job).returncode == 0
    with listener.accept()[0] as connection:
        assert connection.recv(100) == b"hello\n"


@pytest.mark.parametrize("walls", [*NETWORK_WALLS, ("landlock",)])
def test_no_server_can_be_reached(walls: tuple[Wall, ...], job: Path, listener: socket.socket) -> None:
    jail, port = jail_of(*walls), listener.getsockname()[1]
    if walls == ("landlock",) and jail.landlock_abi < 4:
        pytest.skip("this Landlock has no rules for TCP")
    assert run(jail, [SHELL, "-c", f"echo hello > /dev/tcp/127.0.0.1/{port}"], job).returncode != 0
    with pytest.raises(TimeoutError):
        listener.accept()


@pytest.mark.parametrize("walls", NETWORK_WALLS)
def test_no_datagram_leaves(walls: tuple[Wall, ...], job: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(0.2)
        port = receiver.getsockname()[1]
        run(jail_of(*walls), [SHELL, "-c", f"echo hello > /dev/udp/127.0.0.1/{port}"], job)
        with pytest.raises(TimeoutError):
            receiver.recv(100)


@pytest.mark.parametrize("walls", [("landlock",), ("bubblewrap",)])
def test_other_processes_get_no_signals(walls: tuple[Wall, ...], job: Path) -> None:
    jail = jail_of(*walls)
    if walls == ("landlock",) and jail.landlock_abi < 6:
        pytest.skip("this Landlock has no rules for signals")
    assert run(NO_WALLS, [SHELL, "-c", f"kill -0 {os.getpid()}"], job).returncode == 0
    assert run(jail, [SHELL, "-c", f"kill -0 {os.getpid()}"], job).returncode != 0


@pytest.mark.parametrize("walls", [(), ("namespaces",)])
def test_no_capability_is_left_and_none_can_be_gained(walls: tuple[Wall, ...], job: Path) -> None:
    status = run(jail_of(*walls), ["/bin/cat", "/proc/self/status"], job).stdout
    facts = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert int(facts["CapEff"], 16) == int(facts["CapPrm"], 16) == 0
    assert facts["NoNewPrivs"] == "1"


def test_the_environment_is_not_handed_on(job: Path) -> None:
    walled = the_jail().command(["/usr/bin/env"], job=job, read_only=(), limits=LIMITS)
    tried = subprocess.run(walled, capture_output=True, text=True, check=True, env={"SECRET": "s3cr3t"})
    assert sorted(tried.stdout.split()) == ["LANG=C.UTF-8", "PATH=/usr/bin:/bin"]


@pytest.mark.parametrize(
    ("ulimit", "value"), [("-t", "60"), ("-v", str(4 * 2**20)), ("-f", str(2**17)), ("-n", "64"), ("-c", "0")]
)
def test_limits_are_set(ulimit: str, value: str, job: Path) -> None:
    assert run(the_jail(), [SHELL, "-c", f"ulimit -S {ulimit}"], job).stdout == f"{value}\n"


def test_a_missing_program_is_told_apart_from_one_that_fails(job: Path) -> None:
    tried = run(NO_WALLS, ["/bin/no-such-program"], job)
    assert tried.returncode == 125
    assert tried.stderr.startswith("jail: ")


@pytest.mark.parametrize("walls", [(), ("landlock", "namespaces"), ("bubblewrap",)])
def test_it_dies_with_its_parent(walls: tuple[Wall, ...], tmp_path: Path) -> None:
    jail, word = jail_of(*walls), f"300.{time.monotonic_ns()}"
    parent = textwrap.dedent(
        f"""
        import subprocess, sys
        from pathlib import Path
        from transcoder.jail import Jail, Limits
        walled = {jail!r}.command(["/bin/sleep", "{word}"], job=Path("{tmp_path}"), read_only=(), limits={LIMITS!r})
        subprocess.Popen(walled, start_new_session=True).wait()
        """
    )
    with subprocess.Popen([sys.executable, "-c", parent], cwd=ROOT) as child:
        while not any(Path(f"/proc/{pid}/comm").read_text() == "sleep\n" for pid in processes_with(word)):
            assert is_running(child.pid)
            time.sleep(0.02)
        child.send_signal(signal.SIGKILL)
    assert gone(word)


def test_it_dies_even_if_its_parent_is_gone_before_it_begins(job: Path) -> None:
    walled = the_jail().command(["/bin/cat", "/dev/null"], job=job, read_only=(), limits=LIMITS)
    walled[4] = walled[4].replace(f'"parent_pid": {os.getpid()}', '"parent_pid": 1')
    assert subprocess.run(walled, check=False).returncode == -signal.SIGKILL


def test_what_is_in_use_is_described() -> None:
    jail = Jail(landlock_abi=4, namespaces=True, bubblewrap="/usr/bin/bwrap")
    assert jail.describe() == {
        "in_use": ["landlock", "namespaces"],
        "landlock_abi": 4,
        "namespaces": True,
        "bubblewrap": True,
        "insist": [],
    }


def test_bubblewrap_stands_in_for_what_the_kernel_does_not_offer() -> None:
    assert Jail(namespaces=True, bubblewrap="/usr/bin/bwrap").walls == ("namespaces", "bubblewrap")
    assert Jail(bubblewrap="/usr/bin/bwrap").walls == ("bubblewrap",)
    assert Jail().walls == ()


def test_insisting_on_what_is_missing_is_an_error_that_names_it() -> None:
    with pytest.raises(JailUnavailable, match=r"intake\.insist asks for landlock.*it offers namespaces"):
        Jail(namespaces=True).insisting(["landlock", "namespaces"])


def test_insisting_on_bubblewrap_puts_it_to_use() -> None:
    jail = Jail(landlock_abi=7, namespaces=True, bubblewrap="/usr/bin/bwrap")
    assert jail.insisting(["bubblewrap"]).walls == ("landlock", "namespaces", "bubblewrap")


def test_an_unprivileged_user_gets_the_same_walls() -> None:
    if os.getuid() != 0:
        pytest.skip("all other tests ran as an unprivileged user already")
    jail = jail_of("landlock", "namespaces")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        (Path(folder) / "open").write_text("open")
        command = ["/bin/cat", f"{folder}/open", "/etc/hostname"]
        walled = jail.command(command, job=Path(folder), read_only=(), limits=LIMITS, die_with_us=False)
        # The launcher needs no more than a bare Python, so the system's will do where ours is out of others' reach.
        walled[0] = shutil.which("python3", path="/usr/bin:/usr/local/bin") or walled[0]
        walled[3:4] = ["-c", Path(jail_launcher.__file__).read_text()]
        tried = subprocess.run(walled, user=65534, group=65534, extra_groups=[], capture_output=True, check=False)
    assert tried.stdout == b"open", tried.stderr
