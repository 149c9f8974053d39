"""What the tests of the safe intake share: the walls of this host, its tools, small media, and a look at processes."""

import subprocess
import time
from functools import cache
from pathlib import Path

import pytest

from config.settings import IntakeSettings
from transcoder.jail import Jail, Limits, Wall
from transcoder.process import Errand
from transcoder.tools import Tools

SETTINGS = IntakeSettings(probe_timeout_s=30)
LIMITS = Limits(cpu_s=60, memory_bytes=4 * 2**30, output_bytes=2**27)

PICTURES = ("-f", "lavfi", "-i", "testsrc2=size=128x72:rate=25:duration=4")
SOUND = ("-f", "lavfi", "-i", "sine=frequency=440:duration=4")
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "25")


@cache
def the_jail() -> Jail:
    return Jail.detect()


@cache
def the_tools() -> Tools:
    return Tools.find(SETTINGS)


def jail_of(*walls: Wall) -> Jail:
    """A jail of these walls alone; skips the test where the host does not offer one."""
    host = the_jail()
    for wall in walls:
        if not (host.landlock_abi if wall == "landlock" else getattr(host, wall)):
            pytest.skip(f"this host offers no {wall}")
    return Jail(
        landlock_abi=host.landlock_abi if "landlock" in walls else 0,
        namespaces="namespaces" in walls,
        bubblewrap=host.bubblewrap if "bubblewrap" in walls else "",
        insist=walls,
    )


def errand(job: Path, **changes: object) -> Errand:
    return Errand(**{"job": job, "limits": LIMITS, "timeout_s": 60.0, **changes})  # type: ignore[arg-type]


def make(path: Path, *options: str) -> Path:
    """Generate media with ffmpeg, without a jail."""
    command = [str(the_tools().ffmpeg), "-nostdin", "-loglevel", "error", "-y", *options, str(path)]
    subprocess.run(command, check=True, timeout=60)
    return path


def make_film(path: Path, *options: str) -> Path:
    """Four seconds of pictures and sound, 25 pictures a second."""
    return make(path, *PICTURES, *SOUND, *(options or (*H264, "-c:a", "aac")))


def make_song(path: Path, *options: str) -> Path:
    return make(path, *SOUND, *options)


def cut(whole: Path, into: Path, share: float = 0.6) -> Path:
    data = whole.read_bytes()
    into.write_bytes(data[: int(len(data) * share)])
    return into


def is_running(pid: int) -> bool:
    """Whether the process is there and more than a zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def processes_with(word: str) -> list[int]:
    """Processes that have this word among their arguments."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (folder / "cmdline").read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if word.encode() in arguments and is_running(int(folder.name)):
            found.append(int(folder.name))
    return found


def appeared(word: str, within_s: float = 10.0) -> None:
    """Wait until a process with this word is there."""
    deadline_s = time.monotonic() + within_s
    while not processes_with(word):
        assert time.monotonic() < deadline_s, f"nothing with {word} appeared"
        time.sleep(0.02)


def gone(word: str, within_s: float = 5.0) -> bool:
    """Whether all processes with this word are over, or soon will be."""
    deadline_s = time.monotonic() + within_s
    while processes_with(word):
        if time.monotonic() > deadline_s:
            return False
        time.sleep(0.02)
    return True
