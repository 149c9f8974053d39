"""Blocking work on files, for the local store; it runs in threads."""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event

from storage.blocking import Stopped
from storage.errors import StoreFull, StoreUnavailable
from storage.keys import new_id

COPY_BYTES = 64 * 2**20
# EFBIG: a limit of the process (ulimit -f) or of the file system, such as FAT's 4 GiB.
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def store_errors(what: str) -> Iterator[None]:
    """Turn what the operating system says into the store's errors; `what` begins the sentence."""
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            raise StoreFull(f"{what}: {error.strerror}") from error
        raise StoreUnavailable(f"{what}: {error.strerror}") from error


def write_all(file: int, data: bytes | bytearray) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def copy_all(source: int, target: int, stop: Event) -> None:
    # In the kernel, from file to file; without an offset it goes on where it stopped.
    while os.sendfile(target, source, None, COPY_BYTES):
        if stop.is_set():
            raise Stopped


def sync_folder(folder: Path) -> None:
    """Make names that were added to or removed from a folder survive a loss of power."""
    try:
        file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return  # Somebody deleted what was in it, and it with that.
    try:
        os.fsync(file)
    finally:
        os.close(file)


def lock(file: int, *, wait: bool) -> bool:
    """Take the lock of an open file; the system gives it back when the file is closed, so also after a crash."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True


def new_temporary(folder: Path, held: ExitStack) -> tuple[int, Path]:
    """A new file and its path. Leaving `held` closes it and removes the path.

    The file is locked: that tells `sweep_temporaries` of other processes that somebody still writes it.
    """
    while True:
        path = folder / new_id()
        file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o644)
        held.callback(os.close, file)
        held.callback(path.unlink, missing_ok=True)
        lock(file, wait=True)
        if os.fstat(file).st_nlink:  # A sweep may have come between opening and locking.
            return file, path


def sweep_temporaries(folder: Path) -> None:
    """Remove the files that crashed processes left."""
    for path in folder.iterdir():
        try:
            file = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            continue
        try:
            if lock(file, wait=False):
                path.unlink(missing_ok=True)
        finally:
            os.close(file)
