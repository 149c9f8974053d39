"""Uploads as tests use them: on any store, with a title to upload for."""

import base64
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from config.settings import UploadSettings
from storage.store import ObjectStore
from streamer.catalogue.catalogue import Catalogue
from streamer.database import Sessions
from streamer.studio.ledger import Ledger
from streamer.studio.upload_headers import Checksum
from streamer.studio.uploads import Uploads
from streamer.tables import JobRow, OriginalRow, UploadRow
from tests.streamer_helpers import Clock, new_database

MEMBER, OTHER = "m" * 22, "o" * 22


@dataclass(frozen=True, slots=True)
class Dock:
    """Where uploads come in."""

    sessions: Sessions
    store: ObjectStore
    clock: Clock
    title_id: str
    woken: list[None]

    def uploads(self, **settings: Any) -> Uploads:
        """As another process, or after a restart: it knows only what store and database do."""
        return Uploads(
            self.sessions,
            self.store,
            Ledger(self.sessions, self.clock),
            UploadSettings(**settings),
            self.clock,
            lambda: self.woken.append(None),
        )

    def metadata(self, filename: str = "film.mkv", **pairs: str) -> str:
        return encoded(filename=filename, title_id=self.title_id, **pairs)

    async def rows(self, table: Any) -> list[Any]:
        async with self.sessions() as session:
            return list(await session.scalars(select(table)))

    async def originals(self) -> list[OriginalRow]:
        return await self.rows(OriginalRow)

    async def jobs(self) -> list[JobRow]:
        return await self.rows(JobRow)

    async def kept_uploads(self) -> list[UploadRow]:
        return await self.rows(UploadRow)

    async def keys(self) -> list[str]:
        return [info.key async for info in self.store.list("")]


@asynccontextmanager
async def open_dock(folder: Path, store: ObjectStore) -> AsyncIterator[Dock]:
    clock = Clock()
    async with new_database(f"sqlite+aiosqlite:///{folder / 'marquee.db'}") as (_engine, sessions):
        title = await Catalogue(sessions, clock).create("film", "A film")
        yield Dock(sessions, store, clock, title.id, [])


def encoded(**pairs: str) -> str:
    return ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in pairs.items())


def checksum(data: bytes, algorithm: str = "sha256") -> Checksum:
    return Checksum(algorithm, hashlib.new(algorithm, data).digest())


async def blocks_of(data: bytes, error: Exception | None = None, size: int = 1000) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]
    if error:
        raise error
