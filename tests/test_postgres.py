"""The tests' own PostgreSQL."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from tests.postgres import postgres_server


async def ask(url: str, statement: str) -> object:
    engine = create_async_engine(url)
    try:
        async with engine.connect() as connection:
            return (await connection.execute(text(statement))).scalar()
    finally:
        await engine.dispose()


async def test_every_test_may_have_an_empty_database(postgres_database: str, postgres_url: str) -> None:
    assert postgres_database != postgres_url
    tables = "select count(*) from information_schema.tables where table_schema = 'public'"
    assert await ask(postgres_database, tables) == 0


async def test_a_server_that_went_away_comes_back_with_its_data() -> None:
    with postgres_server() as server:
        url = server.create_database()
        server.stop()
        with pytest.raises((OSError, DBAPIError)):
            await ask(url, "select 1")
        server.start()
        assert await ask(url, "select 1") == 1
