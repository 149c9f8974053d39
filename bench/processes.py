"""Processes under measurement: where they run, what they cost, and that none is left."""

import os
import subprocess
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

PROC = Path("/proc")
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
STOP_TIMEOUT_S = 20.0
LOOK_EVERY_S = 0.05


class DidNotStart(Exception):
    """A program that was to be measured, or to measure, did not come up; the message is for the person who waits."""


@contextmanager
def running(
    command: Sequence[str], log: IO[bytes], cores: Collection[int] | None = None, folder: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that ends with the block.

    log: gets what it says.
    cores: on which it may run.
    """
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder)
    try:
        if cores is not None:
            os.sched_setaffinity(process.pid, cores)  # what it starts later inherits that
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until(ready: Callable[[], bool], process: subprocess.Popen[bytes], timeout_s: float, log: Path) -> None:
    """Raises DidNotStart, with the end of the log, if the process ends or the time is over first."""
    deadline_s = time.monotonic() + timeout_s
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline_s:
            raise DidNotStart(f"{process.args!r} is not ready: {log.read_text(errors='replace')[-2000:]}")
        time.sleep(LOOK_EVERY_S)


def tree_cpu_s(pid: int) -> float:
    """Processor time of a process and all that come from it, user and system, also of children that have ended."""
    return sum(map(_cpu_s, descendants(pid)))


def descendants(pid: int) -> list[int]:
    """The process itself first."""
    parents = {int(file.parent.name): int(after[1]) for file in PROC.glob("[0-9]*/stat") if (after := _facts(file))}
    found = [pid]
    for each in found:
        found += [child for child, parent in parents.items() if parent == each]
    return found


def _facts(stat: Path) -> list[str]:
    """What proc_pid_stat(5) lists after the name, from `state` on; empty for a process that ended while we looked."""
    try:
        return stat.read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _cpu_s(pid: int) -> float:
    times = _facts(PROC / str(pid) / "stat")[11:15]  # utime, stime, cutime, cstime
    return sum(map(int, times)) / CLOCK_TICKS
