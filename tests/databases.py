"""Every kind of database we run on, as a fixture: SQLite and PostgreSQL."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from streamer.database import Sessions
from tests.streamer_helpers import new_database


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'marquee.db'}"
    address: str = request.getfixturevalue("postgres_database")
    return address


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[tuple[AsyncEngine, Sessions]]:
    """A database with all tables, and sessions on it."""
    async with new_database(database_url) as opened:
        yield opened


@pytest.fixture
def sessions(database: tuple[AsyncEngine, Sessions]) -> Sessions:
    return database[1]
