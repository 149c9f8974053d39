"""A disk that is soon full: a file system of a few MiB that one process sees alone."""

import subprocess
import sys
from pathlib import Path

from tests.needed import needed
from tools.needs import Need


def _can_mount() -> Path | None:
    tried = subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True)
    return Path("/mnt") if tried.returncode == 0 else None


MOUNTS = Need("leave to mount a file system (unshare -rm)", _can_mount, (), "every test on a disk that is full")


def run_on_small_disk(script: str, folder: Path, size_bytes: int, *arguments: str) -> str:
    """Run a Python script whose first argument is `folder`, on a disk of that size; gives what it printed."""
    needed(MOUNTS)
    mount = f'mount -t tmpfs -o size={size_bytes} tmpfs {folder} && exec "$@"'
    python = [sys.executable, "-c", script, str(folder), *arguments]
    done = subprocess.run(["unshare", "-rm", "sh", "-c", mount, "sh", *python], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
