import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from config.settings import DatabaseSettings
from streamer.database import Sessions, open_database, open_sessions
from streamer.errors import DatabaseUnavailable
from streamer.tables import MemberRow, UploadRow
from tests.postgres import postgres_server
from tests.streamer_helpers import NOW, new_database


def _member(name: str) -> MemberRow:
    return MemberRow(id=name, email=name, password_hash="", role="viewer", plan="free", created_at=NOW)


async def test_a_begun_session_commits_at_its_end_and_not_after_an_error(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        session.add(_member("anna"))
    with pytest.raises(ZeroDivisionError):
        async with sessions.begin() as session:
            session.add(_member("bert"))
            await session.flush()
            raise ZeroDivisionError
    async with sessions() as session:
        assert list(await session.scalars(select(MemberRow.id))) == ["anna"]


async def test_writers_take_turns_and_none_fails(sessions: Sessions) -> None:
    async def read_then_write(name: str) -> None:
        async with sessions.begin() as session:
            await session.scalar(select(func.count()).select_from(MemberRow))
            await asyncio.sleep(0.01)
            session.add(_member(name))

    await asyncio.gather(*(read_then_write(f"m{number}") for number in range(10)))
    async with sessions() as session:
        assert await session.scalar(select(func.count()).select_from(MemberRow)) == 10


async def test_a_writer_does_not_hold_up_a_reader(sessions: Sessions) -> None:
    async with sessions.begin() as writing:
        writing.add(_member("anna"))
        await writing.flush()
        async with sessions() as reading:
            assert await reading.scalar(select(func.count()).select_from(MemberRow)) == 0


async def test_times_come_back_aware_and_in_utc(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        session.add(_member("anna"))
    async with sessions() as session:
        created_at = await session.scalar(select(MemberRow.created_at))
    assert created_at == NOW
    assert created_at.tzinfo is UTC or created_at.utcoffset() == datetime.now(UTC).utcoffset()


async def test_sizes_beyond_two_gigabytes_fit(sessions: Sessions) -> None:
    size = 200 * 2**30
    row = UploadRow(
        id="u", member_id="m", original_id="o", store_upload_id="s", length_bytes=size, title_id="t", created_at=NOW
    )
    row.expires_at = NOW
    async with sessions.begin() as session:
        session.add(row)
    async with sessions() as session:
        assert await session.scalar(select(UploadRow.length_bytes)) == size


async def test_a_defect_in_a_statement_is_no_outage(sessions: Sessions) -> None:
    with pytest.raises(DBAPIError):
        async with sessions() as session:
            await session.execute(text("SELECT * FROM nowhere"))


async def test_a_locked_sqlite_is_unavailable_after_the_time_that_settings_give(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'm.db'}"
    async with new_database(url) as (_, patient):
        engine = open_database(url, DatabaseSettings(timeout_s=0.1))
        async with patient.begin() as holder:
            holder.add(_member("anna"))
            await holder.flush()
            with pytest.raises(DatabaseUnavailable, match="does not answer"):
                async with open_sessions(engine).begin() as session:
                    session.add(_member("bert"))
        await engine.dispose()


@pytest.mark.parametrize("url", ["postgresql+asyncpg://nobody@127.0.0.1:1/none", "sqlite+aiosqlite:////proc/m.db"])
async def test_a_database_that_cannot_be_reached_is_unavailable(url: str) -> None:
    engine = open_database(url, DatabaseSettings(timeout_s=2))
    with pytest.raises(DatabaseUnavailable, match="cannot be reached"):
        async with open_sessions(engine)() as session:
            await session.execute(text("SELECT 1"))
    await engine.dispose()


async def test_postgresql_is_unavailable_while_it_is_down_and_back_by_itself() -> None:
    with postgres_server() as server:
        async with new_database(server.create_database()) as (_, sessions):
            async with sessions() as session:
                await session.execute(text("SELECT 1"))
            server.stop()
            for _ in range(2):
                with pytest.raises(DatabaseUnavailable):
                    async with sessions() as session:
                        await session.execute(text("SELECT 1"))
            server.start()
            async with sessions() as session:
                assert await session.scalar(text("SELECT 1")) == 1


async def test_a_connection_that_is_cut_in_a_transaction_is_an_outage(postgres_database: str) -> None:
    async with new_database(postgres_database) as (_, sessions):
        with pytest.raises(DatabaseUnavailable):
            async with sessions() as session, sessions() as other:
                pid = await session.scalar(text("SELECT pg_backend_pid()"))
                await other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
                await session.execute(text("SELECT 1"))


async def test_connections_that_all_hang_are_an_outage(database_url: str) -> None:
    async with new_database(database_url):
        engine = open_database(database_url, DatabaseSettings(timeout_s=0.2))
        sessions = open_sessions(engine)
        try:
            async with AsyncExitStack() as held:
                with pytest.raises(DatabaseUnavailable, match="no connection is free"):
                    for _ in range(100):
                        session = await held.enter_async_context(sessions())
                        await session.execute(text("SELECT 1"))
        finally:
            await engine.dispose()
