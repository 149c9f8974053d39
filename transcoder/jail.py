"""What the kernel offers to confine a process, and the command lines that make use of it."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from math import ceil
from pathlib import Path
from typing import Literal, Self

from config.settings import IntakeSettings
from transcoder import jail_launcher
from transcoder.errors import JailUnavailable

Wall = Literal["landlock", "namespaces", "bubblewrap"]

TRIAL_TIMEOUT_S = 20.0
BUBBLEWRAP_PLACES = "/usr/local/bin:/usr/bin:/bin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one confined process may use."""

    cpu_s: int
    "Time of the processor, all threads together."
    memory_bytes: int
    "Address space."
    output_bytes: int
    "Size of any one file it writes."
    pixels: int = 8192 * 4352
    "Largest picture that is decoded."
    streams: int = 64
    "Most streams in an input."
    open_files: int = 64
    "Descriptors open at once."
    tasks: int = 512
    "Threads and processes; kept only where a user namespace counts them apart from the user's other programs."

    @classmethod
    def for_probe(cls, settings: IntakeSettings, cpu_s: float) -> Self:
        """For ffprobe, which writes nothing. cpu_s: grows with the file to read, so the caller knows it."""
        return cls(
            cpu_s=ceil(cpu_s),
            memory_bytes=settings.probe_memory_bytes,
            output_bytes=0,
            pixels=settings.max_pixels,
            streams=settings.max_streams,
        )

    @classmethod
    def for_encode(cls, settings: IntakeSettings, cpu_s: float) -> Self:
        """cpu_s: grows with the media to encode, so the caller knows it."""
        return cls(
            cpu_s=ceil(cpu_s),
            memory_bytes=settings.encode_memory_bytes,
            output_bytes=settings.max_output_bytes,
            pixels=settings.max_pixels,
            streams=settings.max_streams,
        )


TRIAL_LIMITS = Limits(cpu_s=10, memory_bytes=2**32, output_bytes=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Jail:
    """The walls that this host can build, tried for real; a value to be passed on."""

    landlock_abi: int = 0
    "Version of Landlock (files, TCP); 0: none."
    namespaces: bool = False
    "Whether a process can be moved to a network of its own, where there is nothing."
    bubblewrap: str = ""
    "Path of a bubblewrap that works; empty: none."
    insist: tuple[Wall, ...] = ()
    "What the settings insist on, and so is used even where another wall would do."

    @classmethod
    def detect(cls, insist: Collection[Wall] = ()) -> Self:
        """Try every wall; takes about a tenth of a second and blocks.

        Raises JailUnavailable that names what is insisted on and missing.
        """
        bubblewrap = shutil.which("bwrap", path=BUBBLEWRAP_PLACES) or ""
        return cls(
            landlock_abi=jail_launcher.landlock_abi() if _stands(cls(landlock_abi=1)) else 0,
            namespaces=_stands(cls(namespaces=True)),
            bubblewrap=bubblewrap if bubblewrap and _stands(cls(bubblewrap=bubblewrap)) else "",
        ).insisting(insist)

    def insisting(self, insist: Collection[Wall]) -> Self:
        """The same jail, with the walls that the settings insist on. Raises JailUnavailable if one is missing."""
        offered = {"landlock": self.landlock_abi, "namespaces": self.namespaces, "bubblewrap": self.bubblewrap}
        if missing := [wall for wall in insist if not offered[wall]]:
            raise JailUnavailable(
                f"the setting intake.insist asks for {' and '.join(missing)}, which Linux {os.uname().release} "
                f"does not offer this process (user {os.getuid()}); it offers {' and '.join(self.walls) or 'nothing'}"
            )
        return replace(self, insist=tuple(insist))

    @property
    def walls(self) -> tuple[Wall, ...]:
        """The walls in use. Bubblewrap stands in for what the kernel does not offer directly."""
        wanted: list[Wall] = []
        if self.landlock_abi:
            wanted.append("landlock")
        if self.namespaces:
            wanted.append("namespaces")
        if self.bubblewrap and (len(wanted) < 2 or "bubblewrap" in self.insist):
            wanted.append("bubblewrap")
        return tuple(wanted)

    def describe(self) -> dict[str, object]:
        """For the log and `/readyz`."""
        return {
            "in_use": list(self.walls),
            "landlock_abi": self.landlock_abi,
            "namespaces": self.namespaces,
            "bubblewrap": bool(self.bubblewrap),
            "insist": list(self.insist),
        }

    def command(
        self, command: Sequence[str], *, job: Path, read_only: Sequence[Path], limits: Limits, die_with_us: bool = True
    ) -> list[str]:
        """The argument list that runs a command between our walls.

        command: program with its absolute path, and arguments.
        job: the one folder it may write to.
        read_only: files it may read besides.
        die_with_us: whether it is killed when the *thread* that starts it ends, as PR_SET_PDEATHSIG has it.
        """
        files = [str(path.absolute()) for path in read_only]
        orders = {
            "limits": asdict(limits),
            "job": str(job.absolute()),
            "read_only": files,
            "parent_pid": os.getpid() if die_with_us else 0,
            "landlock": "landlock" in self.walls,
            "namespaces": "namespaces" in self.walls,
            "capabilities": False,
        }
        if "bubblewrap" not in self.walls:
            return [*_launcher(orders), *command]
        # Landlock forbids the mounts that bubblewrap makes, so it is applied inside, by a second launcher.
        # Root needs its capabilities until bubblewrap has set up the user namespace, and bubblewrap drops them itself.
        outside = {**orders, "landlock": False, "namespaces": False, "capabilities": True}
        inside = {**orders, "namespaces": False, "parent_pid": 0}
        mounts = _mounts(orders["job"], [*files, command[0]], python="landlock" in self.walls)
        inner = [*_launcher(inside), *command] if "landlock" in self.walls else list(command)
        return [*_launcher(outside), self.bubblewrap, *mounts, "--", *inner]


def _launcher(orders: dict[str, object]) -> list[str]:
    return [sys.executable, "-I", "-S", str(Path(jail_launcher.__file__)), json.dumps(orders)]


def _mounts(job: object, files: Sequence[str], *, python: bool) -> list[str]:
    places = [*jail_launcher.LIBRARIES, *jail_launcher.SYSTEM_FILES]
    if python:
        places += {sys.base_prefix, sys.prefix, str(Path(jail_launcher.__file__))}
    mounts = ["--unshare-all", "--die-with-parent", "--cap-drop", "ALL", "--dev", "/dev"]
    for place in places:
        mounts += ["--ro-bind-try", place, place]
    for file in files:
        mounts += ["--ro-bind", file, file]
    return [*mounts, "--bind", str(job), str(job), "--remount-ro", "/", "--chdir", str(job)]


def _stands(jail: Jail) -> bool:
    """Whether a program behind these walls runs, reads what it may and, where files are walled, nothing else."""
    with tempfile.TemporaryDirectory() as folder:
        job, secret = Path(folder, "job"), Path(folder, "secret")
        job.mkdir()
        (job / "open").write_text("open")
        secret.write_text("secret")
        reader = shutil.which("cat", path="/usr/bin:/bin") or "/bin/cat"
        command = [reader, str(job / "open"), str(secret)]
        walled = jail.command(command, job=job, read_only=(), limits=TRIAL_LIMITS, die_with_us=False)
        try:
            trial = subprocess.run(walled, capture_output=True, timeout=TRIAL_TIMEOUT_S, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return False
    return trial.stdout == (b"opensecret" if jail.walls == ("namespaces",) else b"open")
