"""The command `marquee`."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from aiohttp import ClientError

from config.errors import ConfigError
from config.settings import Settings, load_settings
from storage.errors import StorageError
from streamer.client import ApiProblem, open_client
from streamer.commands.common import ConfigFile, ask_password, err
from streamer.commands.members import members
from streamer.commands.settings import database_app, settings_app
from streamer.commands.titles import jobs, title_app
from streamer.errors import StreamerError
from streamer.ingest import Memory, Wishes
from streamer.ingest import ingest as upload
from streamer.supervisor import EXIT_CONFIG, supervise
from streamer.telemetry import configure_logs

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Marquee: a streaming media server.")
app.add_typer(members, name="members")
app.add_typer(settings_app, name="config")
app.add_typer(database_app, name="db")
app.add_typer(title_app, name="title")
app.command()(jobs)


@app.command()
def serve(
    config: ConfigFile = None,
    role: Annotated[str, typer.Option(help="What this process does; this version: all.")] = "all",
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0: any that is free.")] = None,
    workers: Annotated[int, typer.Option(help="Server processes; this version: 1.")] = 1,
) -> None:
    """Serve, and encode."""
    if role != "all":
        raise ConfigError(f"role {role} is not in this version; `all` is")
    if workers != 1:
        raise ConfigError("more than one server process is not in this version")
    settings = load_settings(config)
    configure_logs(settings.log_level)
    raise typer.Exit(supervise(settings, config, host, port))


@app.command()
def ingest(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="Originals.")],
    title: Annotated[str, typer.Option(help="Name of the title; else the file's name.")] = "",
    kind: Annotated[str, typer.Option(help="film, episode, song or album; else by the file's kind.")] = "",
    publish: Annotated[str, typer.Option(help="auto, manual, or a time.")] = "auto",
    wait: Annotated[bool, typer.Option(help="Follow the encode; exit status 0 only once published.")] = True,
    email: Annotated[str, typer.Option(envvar="MARQUEE_EMAIL", help="Sign in as this member of the studio.")] = "",
    server: Annotated[str, typer.Option(help="Address of the server; else the one of the settings.")] = "",
    config: ConfigFile = None,
) -> None:
    """Upload originals through the API, and show how they are encoded. Goes on where it was cut off."""
    settings = load_settings(config)
    address = server or _server_address(settings)
    email = email or str(typer.prompt("E-mail address"))
    password = os.environ.get("MARQUEE_PASSWORD") or ask_password(twice=False)
    wishes = Wishes(title=title, kind=kind, publish=publish, wait=wait)

    async def run() -> int:
        async with open_client(address) as client:
            await client.sign_in(email, password)
            return await upload(files, wishes, client, Memory(settings.data_dir / "uploads.json", address), err)

    raise typer.Exit(asyncio.run(run()))


def _server_address(settings: Settings) -> str:
    """Where a server with these settings listens, or would."""
    try:
        return str(json.loads((settings.data_dir / "server.json").read_text())["address"])
    except (OSError, ValueError, KeyError):
        return settings.http.public_url or f"http://{settings.http.host}:{settings.http.port}"


def main() -> None:
    """What is wrong on purpose is said in one line; only a defect shows a traceback."""
    try:
        app()
    except ConfigError as error:
        err.print(f"marquee: {error}", style="red", markup=False)
        sys.exit(EXIT_CONFIG)
    except (StreamerError, StorageError, ApiProblem, ClientError) as error:
        err.print(f"marquee: {error}", style="red", markup=False)
        sys.exit(1)


if __name__ == "__main__":
    main()
