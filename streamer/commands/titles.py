"""`marquee title` and `marquee jobs`: the life of titles and of their encodes."""

import asyncio
from typing import Annotated, Any

import typer

from config.settings import load_settings
from streamer.commands.common import AsJson, ConfigFile, opened_database, out, print_rows

title_app = typer.Typer(no_args_is_help=True)

TitleId = Annotated[str, typer.Argument(help="Id of the title.")]


@title_app.callback()
def _group() -> None:
    """The life of a title."""


@title_app.command("publish")
def title_publish(
    title_id: TitleId,
    version: Annotated[int | None, typer.Option(help="Which version; else the newest.")] = None,
    config: ConfigFile = None,
) -> None:
    """Give viewers a version of a title."""

    async def run() -> None:
        async with opened_database(load_settings(config)) as opened:
            await opened.shelf.publish(title_id, version)

    asyncio.run(run())
    out.print("Published.")


@title_app.command("unpublish")
def title_unpublish(title_id: TitleId, config: ConfigFile = None) -> None:
    """Take a title from viewers; sessions that have it keep it."""

    async def run() -> None:
        async with opened_database(load_settings(config)) as opened:
            await opened.shelf.unpublish(title_id)

    asyncio.run(run())
    out.print("Unpublished.")


@title_app.command("versions")
def title_versions(title_id: TitleId, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """List the finished encodes of a title."""

    async def run() -> list[dict[str, Any]]:
        async with opened_database(load_settings(config)) as opened:
            title = await opened.catalogue.get(title_id)
            return [
                {
                    "version": version.number,
                    "published": version.number == title.published_version,
                    "duration_s": round(version.duration_s, 3),
                    "height": version.height,
                    "created_at": version.created_at.isoformat(),
                }
                for version in await opened.catalogue.versions(title_id)
            ]

    print_rows(asyncio.run(run()), as_json)


def jobs(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """What every encode does or waits for."""

    async def run() -> list[dict[str, Any]]:
        async with opened_database(load_settings(config)) as opened:
            return [
                {
                    "title_id": job.title_id,
                    "version": job.version,
                    "state": job.state,
                    "progress": round(job.progress, 3),
                    "stage": job.reason_sentence or job.stage,
                    "updated_at": job.updated_at.isoformat(timespec="seconds"),
                }
                for job in await opened.ledger.jobs()
            ]

    print_rows(asyncio.run(run()), as_json)
