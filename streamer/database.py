"""The database: one engine, sessions from it, and one place where its absence becomes an error of ours.

`async with sessions() as session` reads; `async with sessions.begin() as session` writes and commits at its end.
"""

from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import Connection, Dialect, event, make_url
from sqlalchemy.engine import Engine, ExceptionContext
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry, PoolProxiedConnection

from config.settings import DatabaseSettings
from streamer.errors import DatabaseUnavailable

Sessions = async_sessionmaker[AsyncSession]

# https://sqlite.org/rescode.html: busy, locked, read only, I/O error, full, cannot open, protocol.
_SQLITE_AWAY = {5, 6, 8, 10, 13, 14, 15}
# https://www.postgresql.org/docs/current/errcodes-appendix.html: connection, rollback, resources, intervention, system.
_POSTGRES_AWAY = {"08", "40", "53", "55", "57", "58"}


def open_database(url: str, settings: DatabaseSettings) -> AsyncEngine:
    """An engine for SQLite or PostgreSQL; it connects when it is first used, and again after an outage.

    url: SQLAlchemy's form; the folder of a SQLite file is made.
    """
    is_sqlite = make_url(url).get_backend_name() == "sqlite"
    if is_sqlite:
        Path(make_url(url).database or "").parent.mkdir(parents=True, exist_ok=True)
    connect_args = {"timeout": settings.timeout_s}
    if not is_sqlite:
        connect_args["command_timeout"] = settings.timeout_s
    engine = create_async_engine(
        url,
        poolclass=_Pool,
        pool_pre_ping=not is_sqlite,
        pool_timeout=settings.timeout_s,
        connect_args=connect_args,
        hide_parameters=True,  # they hold password hashes
    )
    event.listen(engine.sync_engine, "do_connect", _connect)
    event.listen(engine.sync_engine, "handle_error", _translate)
    if is_sqlite:
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


class _Pool(AsyncAdaptedQueuePool):
    def connect(self) -> PoolProxiedConnection:
        try:
            return super().connect()
        except PoolTimeout as error:  # all connections hang in an outage
            raise DatabaseUnavailable("the database does not answer (no connection is free)") from error


_Pool.__module__ = AsyncAdaptedQueuePool.__module__  # names its logger; ours tells what is told of requests


def open_sessions(engine: AsyncEngine) -> Sessions:
    return async_sessionmaker(engine, expire_on_commit=False, sync_session_class=_Session)


class _Session(Session):
    """Begun by name, it is going to write: SQLite then takes its lock at once.

    A transaction that reads first and locks later fails under load, because its snapshot is old by then.
    """

    writer: Engine | None = None

    def begin(self, nested: bool = False) -> Any:
        if self.writer is None and isinstance(self.bind, Engine):
            # Kept, since a session has one connection for each engine it is given.
            self.writer = self.bind.execution_options(writes=True)
        return super().begin(nested)

    def get_bind(self, *args: Any, **options: Any) -> Engine | Connection:
        return self.writer or super().get_bind(*args, **options)


def _prepare_sqlite(connection: Any, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself: `_begin_sqlite` does
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _connect(dialect: Dialect, _entry: ConnectionPoolEntry, args: list[Any], options: dict[str, Any]) -> Any:
    try:
        return dialect.connect(*args, **options)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, dialect.loaded_dbapi.Error) as error:
        raise DatabaseUnavailable(f"the database cannot be reached ({type(error).__name__})") from error


def _translate(context: ExceptionContext) -> BaseException | None:
    error = context.original_exception
    if not isinstance(error, Exception):
        return None  # cancelled in the middle: that is no outage
    sqlite_code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    postgres_class = (getattr(error, "sqlstate", None) or "")[:2]
    away = sqlite_code in _SQLITE_AWAY or postgres_class in _POSTGRES_AWAY
    if away or context.is_disconnect or isinstance(error, OSError | TimeoutError):
        return DatabaseUnavailable(f"the database does not answer ({type(error).__name__})")
    return None
