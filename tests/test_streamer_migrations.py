import asyncio

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from config.settings import DatabaseSettings
from streamer.database import open_database
from streamer.migrations import upgrade
from streamer.tables import Base


def _differences(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection), Base.metadata))


async def test_migrations_make_exactly_the_tables_of_the_code(database_url: str) -> None:
    engine = open_database(database_url, DatabaseSettings())
    await upgrade(engine)
    async with engine.connect() as connection:
        assert await connection.run_sync(_differences) == []
    await engine.dispose()


async def test_an_upgrade_of_what_is_new_already_changes_nothing_even_twice_at_once(database_url: str) -> None:
    engines = [open_database(database_url, DatabaseSettings()) for _ in range(2)]
    await asyncio.gather(*map(upgrade, engines))
    await upgrade(engines[0])
    async with engines[0].connect() as connection:
        assert await connection.run_sync(_differences) == []
    for engine in engines:
        await engine.dispose()
