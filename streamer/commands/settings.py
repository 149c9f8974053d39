"""`marquee config` and `marquee db`: the settings, and the database they name."""

import asyncio
import json

import typer

from config.ladders import load_ladder
from config.plans import load_plans
from config.settings import load_settings, shown_settings
from streamer.commands.common import AsJson, ConfigFile, opened_database, out, print_json

settings_app = typer.Typer(no_args_is_help=True)
database_app = typer.Typer(no_args_is_help=True)


@settings_app.callback()
def _settings_group() -> None:
    """The settings."""


@database_app.callback()
def _database_group() -> None:
    """The database."""


@settings_app.command("show")
def config_show(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Print the settings as they are, with secrets hidden."""
    shown = shown_settings(load_settings(config))
    if as_json:
        print_json(shown)
        return
    for name, value in shown.items():
        if isinstance(value, dict):
            out.print(f"\n[bold]\\[{name}][/]")
            for inner, inner_value in value.items():
                out.print(f"{inner} = {json.dumps(inner_value)}", markup=False)
        else:
            out.print(f"{name} = {json.dumps(value)}", markup=False)


@settings_app.command("check")
def config_check(config: ConfigFile = None) -> None:
    """Say whether the settings can be used; exit status 78 if not."""
    settings = load_settings(config)
    load_plans(settings.plans_path)
    load_ladder(settings.ladders_file)
    out.print("The settings are good.")


@database_app.command("upgrade")
def db_upgrade(config: ConfigFile = None) -> None:
    """Bring the database to the schema of this version."""

    async def run() -> None:
        async with opened_database(load_settings(config)):
            pass

    asyncio.run(run())
    out.print("The database is up to date.")
