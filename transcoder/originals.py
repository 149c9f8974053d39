"""The originals that a worker host has at hand: each fetched once for all its workers, the whole bounded in bytes."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from storage.store import ObjectStore

POLL_S = 0.1
"How often a worker looks whether another one has fetched what both want."


def original_key(original_id: str) -> str:
    return f"originals/{original_id}"


class Originals:
    """A folder that several processes share. A file lock beside each original says who fetches and who uses it."""

    def __init__(self, folder: Path, store: ObjectStore, limit_bytes: int) -> None:
        self._folder = folder
        self._store = store
        self._limit_bytes = limit_bytes

    @asynccontextmanager
    async def held(self, original_id: str) -> AsyncIterator[Path]:
        """Path of the original, which stays there while it is held. Raises StorageError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / original_id
        while True:
            await self._fetch_if_missing(original_id, path)
            async with _locked(path, fcntl.LOCK_SH):
                if _touched(path):
                    yield path
                    return

    async def _fetch_if_missing(self, original_id: str, path: Path) -> None:
        if _touched(path):
            return
        async with _locked(path, fcntl.LOCK_EX):
            if not _touched(path):
                key = original_key(original_id)
                self._make_room((await self._store.head(key)).size_bytes)
                await self._store.get_file(key, path)

    def _make_room(self, size_bytes: int) -> None:
        """Drop originals that nobody uses, the longest unused first. One larger than all room goes in anyway."""
        kept = sorted(
            (path for path in self._folder.iterdir() if path.suffix == ""), key=lambda path: path.stat().st_mtime
        )
        total = sum(path.stat().st_size for path in kept) + size_bytes
        for path in kept:
            if total <= self._limit_bytes:
                return
            with _tried_lock(path, fcntl.LOCK_EX) as locked:
                if locked:
                    total -= path.stat().st_size
                    path.unlink()


def _touched(path: Path) -> bool:
    """Note the use of an original, since the longest unused goes first. False: it was dropped between two locks."""
    try:
        os.utime(path)
    except FileNotFoundError:
        return False
    return True


@asynccontextmanager
async def _locked(path: Path, kind: int) -> AsyncIterator[None]:
    while True:
        with _tried_lock(path, kind) as locked:
            if locked:
                yield
                return
        await asyncio.sleep(POLL_S)


@contextmanager
def _tried_lock(path: Path, kind: int) -> Iterator[bool]:
    with path.with_suffix(".lock").open("wb") as file:
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True  # closing the file lets go
