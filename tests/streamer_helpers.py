"""The streamer as tests use it: a clock they turn, services on a folder of their own, a client that is signed in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer
from argon2 import PasswordHasher
from sqlalchemy.ext.asyncio import AsyncEngine

from config.settings import DatabaseSettings, Settings
from manifests.index import TitleIndex
from streamer.database import Sessions, open_database, open_sessions
from streamer.http.app import create_app
from streamer.members.accounts import Role
from streamer.migrations import upgrade
from streamer.services import Services, open_services
from tests.titles import make_index, store_title

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
PASSWORD = "correct horse"
CHEAP_HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class Clock:
    """A time that passes when a test says so."""

    def __init__(self) -> None:
        self.time = NOW

    def __call__(self) -> datetime:
        return self.time

    def pass_s(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@asynccontextmanager
async def new_database(url: str) -> AsyncIterator[tuple[AsyncEngine, Sessions]]:
    """A database with all tables."""
    engine = open_database(url, DatabaseSettings(timeout_s=5))
    try:
        await upgrade(engine)
        yield engine, open_sessions(engine)
    finally:
        await engine.dispose()


@dataclass(frozen=True, slots=True)
class House:
    """A whole server in this process, without an engine."""

    services: Services
    client: TestClient[Any, Any]
    clock: Clock

    async def sign_in(self, name: str = "viewer", plan: str = "premium", role: Role = Role.VIEWER) -> dict[str, str]:
        """Add a member; gives the headers that speak for them."""
        await self.services.accounts.add(f"{name}@example.org", PASSWORD, role, plan, self.clock())
        tokens = await self.login(name)
        return {"Authorization": f"Bearer {tokens['access_token']}"}

    async def login(self, name: str = "viewer") -> dict[str, Any]:
        body = {"email": f"{name}@example.org", "password": PASSWORD}
        async with self.client.post("/api/v1/auth/login", json=body) as response:
            assert response.status == 200, await response.text()
            tokens: dict[str, Any] = await response.json()
            return tokens

    async def add_title(self, name: str = "A film", kind: Any = "film", *, index: TitleIndex | None = None) -> str:
        """A published title with all its objects."""
        services = self.services
        title = await services.catalogue.create(kind, name)
        await self.add_version(title.id, 1, index)
        await services.shelf.publish(title.id, None)
        return title.id

    async def add_version(self, title_id: str, number: int, index: TitleIndex | None = None, poster: str = "") -> None:
        index = make_index(title_id, f"v{number}", index.tracks if index else make_index().tracks)
        await store_title(self.services.store, index)
        height = max(track.height for track in index.tracks)
        await self.services.catalogue.add_version(
            title_id=title_id,
            number=number,
            original_id="x",
            duration_s=index.duration_s,
            height=height,
            poster=poster,
        )

    async def play(self, headers: dict[str, str], title_id: str, **body: Any) -> dict[str, Any]:
        """Begin a session; with `base`, the path of its media."""
        async with self.client.post(f"/api/v1/titles/{title_id}/playback", headers=headers, json=body) as response:
            assert response.status == 201, await response.text()
            session: dict[str, Any] = await response.json()
        path = session["hls_url"].removesuffix("hls/multivariant.m3u8")
        return {**session, "base": path[path.index("/m/") :]}

    async def get(self, path: str, **options: Any) -> tuple[ClientResponse, bytes]:
        async with self.client.get(path, **options) as response:
            return response, await response.read()


@asynccontextmanager
async def open_house(folder: Path, **settings: Any) -> AsyncIterator[House]:
    """settings: over the defaults; the data is in `folder`."""
    clock = Clock()
    async with open_services(Settings(data_dir=folder, **settings), clock, CHEAP_HASHER) as services:
        server = TestServer(create_app(services))
        async with TestClient(server) as client:
            yield House(services, client, clock)
