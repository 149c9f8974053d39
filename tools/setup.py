"""Set-up of a clone: the environments below `.venv/`, from pinned and hashed requirements alone.

Needs nothing but the standard library of a Python with venv and pip. Every step leaves a stamp of what it was made
from, so a second run does nothing, and a run that was cut off goes on where it stood.
"""

import argparse
import fcntl
import hashlib
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MAIN = ROOT / ".venv"
SWIFT = MAIN / "swift"
UPKEEP = MAIN / "upkeep"
OLDEST_PYTHON = (3, 11)


@dataclass(frozen=True)
class Step:
    """One thing that set-up does, once for every state of its inputs."""

    environment: Path
    "The virtual environment that the step changes; its stamp stands there."
    name: str
    commands: tuple[tuple[str, ...], ...]
    inputs: tuple[str, ...] = ()
    "Files of the repository whose content decides what the step makes."
    products: tuple[str, ...] = ()
    "Files of the repository without which the step runs again."

    @property
    def stamp(self) -> Path:
        return self.environment / "stamps" / self.name


def environment(folder: Path) -> Step:
    again = ("--clear",) if (folder / "stamps").exists() else ()
    return Step(folder, "environment", ((sys.executable, "-m", "venv", *again, str(folder)),))


def packages(folder: Path, name: str, *files: str) -> Step:
    """Install pinned packages. Wheels alone: what builds from source would fetch build tools that nobody pinned."""
    wanted = [word for file in files for word in ("-r", file)]
    options = ("--quiet", "--require-hashes", "--only-binary=:all:")
    return Step(folder, name, (_pip(folder, "install", *options, *wanted),), inputs=files)


def marquee() -> Step:
    """Install this clone in place; the build hook brings in the web player."""
    command = _pip(MAIN, "install", "--quiet", "--no-deps", "--no-build-isolation", "-e", ".")
    inputs = ("pyproject.toml", "requirements.in", "hatch_build.py", "package-lock.json", ".npmrc")
    return Step(MAIN, "marquee", (command,), inputs, products=("streamer/web/vendor/vendor.json",))


def steps_for(goal: str) -> list[Step]:
    if goal == "upkeep":
        return [environment(UPKEEP), packages(UPKEEP, "upkeep", "requirements-upkeep.txt")]
    run = [environment(MAIN), packages(MAIN, "packages", "requirements.txt", "requirements-build.txt"), marquee()]
    if goal == "demo":
        return run
    checks = [packages(MAIN, "packages for tests", "requirements-dev.txt")]
    return [*run, *checks, environment(SWIFT), packages(SWIFT, "S3 server for tests", "requirements-swift.txt")]


def carry_out(step: Step) -> None:
    """Run a step, unless its stamp says that it has been.

    Raises subprocess.CalledProcessError when a command fails, after its own words went to stderr.
    """
    digest = digest_of(step)
    made = all((ROOT / product).exists() for product in step.products)
    if made and step.stamp.is_file() and step.stamp.read_text() == digest:
        return
    print(f"set-up: {step.environment.name}: {step.name} ...", flush=True)
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        for command in step.commands:
            subprocess.run(command, cwd=ROOT, check=True, stdin=subprocess.DEVNULL, env=_contained(scratch))
    step.stamp.parent.mkdir(parents=True, exist_ok=True)
    step.stamp.write_text(digest)
    print(f"set-up: ... done in {time.monotonic() - started:.0f} s", flush=True)


def digest_of(step: Step) -> str:
    """What decides the outcome of a step: the Python, where the clone stands, the commands, the inputs."""
    digest = hashlib.sha256(f"{platform.python_version()} {ROOT}\n".encode())
    for command in step.commands:
        # The interpreter's own path and `--clear` differ between runs that make the same thing.
        digest.update(" ".join(word for word in command[1:] if word != "--clear").encode() + b"\n")
    for file in step.inputs:
        digest.update(hashlib.sha256((ROOT / file).read_bytes()).digest())
    return digest.hexdigest()


@contextmanager
def only_one() -> Iterator[None]:
    """Hold off a second set-up of the same clone. The lock is on the folder itself, so that nothing is left behind."""
    folder = os.open(ROOT, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("set-up: waiting for another one in this clone", flush=True)
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _pip(folder: Path, *arguments: str) -> tuple[str, ...]:
    return (str(folder / "bin/python"), "-m", "pip", "--disable-pip-version-check", "--no-input", *arguments)


def _contained(scratch: str) -> dict[str, str]:
    """The environment for commands: they cache in `scratch`, since set-up touches nothing outside the clone unasked."""
    caches = {"PIP_CACHE_DIR": f"{scratch}/pip", "npm_config_cache": f"{scratch}/npm"}
    # Node.js brings its own list of authorities; a network with an authority of its own has added it to the system's.
    return {**caches, "NODE_USE_SYSTEM_CA": "1", **os.environ}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("goal", choices=("demo", "test", "upkeep"))
    goal = parser.parse_args().goal
    if sys.version_info < OLDEST_PYTHON:
        wanted = ".".join(map(str, OLDEST_PYTHON))
        print(f"Marquee needs Python {wanted} or newer, not {platform.python_version()}", file=sys.stderr)
        print("Name one: make PYTHON=/path/to/python", file=sys.stderr)
        return 1
    with only_one():
        for step in steps_for(goal):
            try:
                carry_out(step)
            except subprocess.CalledProcessError as error:
                print(f"set-up: {step.name} failed (exit status {error.returncode}); see above", file=sys.stderr)
                if step.name == "environment":
                    print("Where venv is missing: apt install python3-venv", file=sys.stderr)
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
