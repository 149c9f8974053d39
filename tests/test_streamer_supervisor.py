import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from streamer.supervisor import EXIT_CONFIG, Child, engine_command, server_command

SUPERVISOR = """
import sys
from streamer.supervisor import Child, Supervisor
children = [Child(f"child{n}", [sys.executable, "-c", program]) for n, program in enumerate(sys.argv[1:])]
sys.exit(Supervisor(children, grace_s=1.0).run())
"""
FILE = "import os, pathlib; file = pathlib.Path({!r}); file.open('a').write(f'{{os.getpid()}}\\n'); "
STAY = "import signal; signal.pause()"


class Running:
    """A supervisor in a process of its own, with children that write their process ids to files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *programs: str) -> None:
        written = [FILE.format(str(self._folder / str(n))) + program for n, program in enumerate(programs)]
        self.process = subprocess.Popen([sys.executable, "-c", SUPERVISOR, *written], stderr=subprocess.DEVNULL)

    def pids(self, child: int = 0) -> list[int]:
        file = self._folder / str(child)
        return [int(line) for line in file.read_text().splitlines()] if file.exists() else []

    def ends(self, number: int) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(10)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    started = Running(tmp_path)
    yield started
    if started.process is not None:
        started.process.kill()
        started.process.wait()


def wait_for(condition: Callable[[], object], patience_s: float = 15.0) -> None:
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_a_crashed_child_is_started_again_and_the_others_go_on(running: Running) -> None:
    running.start("os._exit(1)", STAY)
    wait_for(lambda: len(running.pids(0)) >= 2)
    assert len(running.pids(1)) == 1
    assert running.ends(signal.SIGTERM) == 0


def test_a_killed_child_is_started_again(running: Running) -> None:
    running.start(STAY)
    wait_for(running.pids)
    os.kill(running.pids()[0], signal.SIGKILL)
    wait_for(lambda: len(running.pids()) == 2)
    assert running.ends(signal.SIGTERM) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_it_lets_the_children_end_by_themselves(running: Running, tmp_path: Path, number: int) -> None:
    said = f"pathlib.Path({str(tmp_path / 'said')!r}).write_text('bye')"
    running.start(f"import signal\ndef end(*_): {said}; raise SystemExit\nsignal.signal(15, end)\nsignal.pause()")
    wait_for(running.pids)
    time.sleep(0.2)
    assert running.ends(number) == 0
    assert (tmp_path / "said").read_text() == "bye"
    assert not is_running(running.pids()[0])


def test_a_child_that_does_not_end_is_killed_after_its_grace(running: Running) -> None:
    running.start("import signal; signal.signal(15, signal.SIG_IGN)\nwhile True: signal.pause()")
    wait_for(running.pids)
    time.sleep(0.2)
    started_s = time.monotonic()
    assert running.ends(signal.SIGTERM) == 0
    assert time.monotonic() - started_s >= 1
    assert not is_running(running.pids()[0])


def test_a_child_that_can_never_run_ends_all_with_its_status(running: Running) -> None:
    running.start(f"os._exit({EXIT_CONFIG})", STAY)
    assert running.process is not None
    assert running.process.wait(15) == EXIT_CONFIG
    wait_for(lambda: not any(is_running(pid) for pid in running.pids(1)))


def test_nothing_outlives_a_supervisor_that_is_killed(running: Running) -> None:
    running.start(STAY, STAY)
    wait_for(lambda: running.pids(0) and running.pids(1))
    assert running.process is not None
    running.process.kill()
    running.process.wait()
    wait_for(lambda: not any(is_running(pid) for pid in (*running.pids(0), *running.pids(1))))


def test_the_wait_before_a_new_start_doubles_up_to_half_a_minute() -> None:
    child, waits_s = Child("false", ["false"]), []
    for _ in range(8):
        child.process = subprocess.Popen(["false"])
        child.process.wait()
        child.started_s = time.monotonic()
        assert child.has_ended() == 1
        waits_s.append(child.wait_s)
    assert waits_s == [0.5, 1, 2, 4, 8, 16, 30, 30]
    child.process = subprocess.Popen(["false"])
    child.process.wait()
    child.started_s = time.monotonic() - 61
    child.has_ended()
    assert child.wait_s == 0.5


def test_children_get_the_same_settings() -> None:
    assert server_command(Path("a.toml"), "::1", 0)[1:] == [
        *("-m", "streamer.server", "--config", "a.toml", "--host", "::1", "--port", "0")
    ]
    assert server_command(None, None, None)[1:] == ["-m", "streamer.server"]
    assert engine_command(Path("a.toml"))[1:] == ["-m", "transcoder.engine_process", "--config", "a.toml"]
