"""What commands have in common."""

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from config.settings import Settings
from streamer.catalogue.catalogue import Catalogue
from streamer.clock import utc_now
from streamer.database import Sessions, open_database, open_sessions
from streamer.migrations import upgrade
from streamer.studio.ledger import Ledger
from streamer.studio.shelf import Shelf

out, err = Console(), Console(stderr=True)

ConfigFile = Annotated[Path | None, typer.Option("--config", help="Settings file; else `marquee.toml`, if it is here.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@dataclass(frozen=True, slots=True)
class Opened:
    """What commands need that work on the database and not through the API."""

    sessions: Sessions
    catalogue: Catalogue
    ledger: Ledger
    shelf: Shelf


@asynccontextmanager
async def opened_database(settings: Settings) -> AsyncIterator[Opened]:
    engine = open_database(settings.database_url, settings.database)
    try:
        await upgrade(engine)
        sessions = open_sessions(engine)
        catalogue, ledger = Catalogue(sessions, utc_now), Ledger(sessions, utc_now)
        yield Opened(sessions, catalogue, ledger, Shelf(catalogue, ledger))
    finally:
        await engine.dispose()


def ask_password(*, twice: bool = True) -> str:
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=twice))
    return sys.stdin.readline().rstrip("\n")


def print_json(data: Any) -> None:
    sys.stdout.write(json.dumps(data, indent=2) + "\n")


def print_rows(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print_json(rows)
    elif not rows:
        out.print("There are none.")
    else:
        table = Table(*rows[0])
        for row in rows:
            table.add_row(*map(str, row.values()))
        out.print(table)
