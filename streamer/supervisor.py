"""The processes of one machine: started, started again when they crash, and ended together.

There are no threads and no event loop here, so forking is safe: all waiting is done by `sigtimedwait`.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from config.settings import Settings

log = structlog.get_logger()

EXIT_CONFIG = 78
"sysexits.h: something is configured in a way that trying again cannot help."
WATCHED = {signal.SIGTERM, signal.SIGINT, signal.SIGCHLD}
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 30.0
STEADY_S = 60.0
"A process that ran so long did not fail at once: the next wait is short again."
STOP_MARGIN_S = 5.0
PR_SET_PDEATHSIG = 1


def server_command(config: Path | None, host: str | None, port: int | None) -> list[str]:
    given = {"--config": config, "--host": host, "--port": port}
    options = [str(word) for option in given.items() if option[1] is not None for word in option]
    return [sys.executable, "-m", "streamer.server", *options]


def engine_command(config: Path | None) -> list[str]:
    return [sys.executable, "-m", "transcoder.engine_process", *(["--config", str(config)] if config else [])]


@dataclass(slots=True)
class Child:
    """One process that is kept running."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started_s: float = 0.0
    wait_s: float = field(default=0.0)
    "Before it is started again."

    def start(self) -> None:
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for us alone; we pass on what it means
            preexec_fn=die_with_parent,
        )
        self.started_s = time.monotonic()
        log.info("started", process=self.name, pid=self.process.pid)

    def has_ended(self) -> int | None:
        """The exit status of a process that has ended just now."""
        if self.process is None or (status := self.process.poll()) is None:
            return None
        self.process = None
        steady = time.monotonic() - self.started_s > STEADY_S
        self.wait_s = FIRST_WAIT_S if steady or not self.wait_s else min(self.wait_s * 2, LONGEST_WAIT_S)
        self.started_s = time.monotonic()
        return status

    def stop(self, grace_s: float) -> None:
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(grace_s)
        except subprocess.TimeoutExpired:
            log.warning("killed", process=self.name, grace_s=grace_s)
            self.process.kill()
            self.process.wait()
        self.process = None


class Supervisor:
    """Runs children until it is told to stop, or one of them says that it can never run."""

    def __init__(self, children: Sequence[Child], grace_s: float) -> None:
        """children: in the order in which they are ended. grace_s: what each gets to end by itself."""
        self._children = children
        self._grace_s = grace_s

    def run(self) -> int:
        """Gives the exit status for the command."""
        signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
        try:
            return self._supervise()
        finally:
            for child in self._children:
                child.stop(self._grace_s)

    def _supervise(self) -> int:
        while True:
            for child in self._children:
                if child.process is None and time.monotonic() >= child.started_s + child.wait_s:
                    child.start()
            received = signal.sigtimedwait(WATCHED, self._next_start_s())
            if received is not None and received.si_signo != signal.SIGCHLD:
                return 0
            for child in self._children:
                status = child.has_ended()
                if status == EXIT_CONFIG:
                    return EXIT_CONFIG
                if status is not None:
                    log.error("ended unexpectedly", process=child.name, status=status, again_in_s=child.wait_s)

    def _next_start_s(self) -> float:
        due = [child.started_s + child.wait_s for child in self._children if child.process is None]
        return max(0.0, min(due) - time.monotonic()) if due else 3600.0


def supervise(settings: Settings, config: Path | None, host: str | None, port: int | None) -> int:
    """Run all that one machine needs; gives the exit status."""
    children = [Child("server", server_command(config, host, port)), Child("engine", engine_command(config))]
    return Supervisor(children, settings.http.shutdown_grace_s + STOP_MARGIN_S).run()


_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent() -> None:
    """In the child, before it becomes its program: take signals again, and end when the supervisor does."""
    parent_pid = os.getppid()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, WATCHED)
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent_pid:
        os.kill(os.getpid(), signal.SIGTERM)
