"""Migrations of the database, and how they are run."""

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

# Any number will do, as long as nobody else on this PostgreSQL server uses it.
_UPGRADE_LOCK = 0x6D617271


def alembic_config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", "streamer:migrations")
    config.attributes["connection"] = connection
    return config


async def upgrade(engine: AsyncEngine) -> None:
    """Bring the database to the newest schema; processes that start together do it one after the other.

    Raises DatabaseUnavailable.
    """
    async with engine.execution_options(writes=True).begin() as connection:
        if engine.dialect.name == "postgresql":
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _UPGRADE_LOCK})
        await connection.run_sync(lambda sync: command.upgrade(alembic_config(sync), "head"))
