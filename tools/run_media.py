"""Runs every file of a folder through a server, and asks ffmpeg what came out: `python -m tools.run_media FOLDER`.

Without `--server` it starts one of its own. With it, MARQUEE_EMAIL and MARQUEE_PASSWORD sign in a member of the studio.
The exit status is 0 if every title that was made plays in full.
"""

import argparse
import asyncio
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from config.settings import IntakeSettings
from streamer.client import ApiClient, open_client
from streamer.ingest import SUBTITLES, Memory, Wishes, ingest
from tools.own_server import own_server
from transcoder.tools import Tools

MEDIA = Path(__file__).parents[1] / "../shared/media"
DECODE_TIMEOUT_S = 1800.0
DIMENSIONS = re.compile(r"#dimensions (\d+): (\d+x\d+)")


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one file."""

    name: str
    state: str
    reason: str = ""
    tracks: tuple[str, ...] = ()
    pictures: str = ""
    "In the source, and in each rung of each manifest."
    plays: bool = True
    "False: not all pictures of the source are in every rung, or ffmpeg complains, or the server failed."


async def run_folder(folder: Path, client: ApiClient, memory: Memory) -> list[Row]:
    """Subtitles go with the film beside which they lie; everything else is sent in, be it media or not."""
    files, rows = _files(folder), []
    for number, file in enumerate(files, 1):
        print(f"{number} of {len(files)}: {file.relative_to(folder)}", flush=True)
        rows.append(await run_file(file, str(file.relative_to(folder)), client, memory))
    return rows


def _files(folder: Path) -> list[Path]:
    return [file for file in sorted(folder.rglob("*")) if file.is_file() and file.suffix.lower() not in SUBTITLES]


async def run_file(file: Path, name: str, client: ApiClient, memory: Memory) -> Row:
    """Raises ApiProblem if the server does not take it at all."""
    said = StringIO()
    await ingest([file], Wishes(title=name), client, memory, Console(file=said))
    page, _ = await client.call("GET", "/api/v1/titles", params={"q": name, "all": "1"})
    if not page["items"]:
        return Row(name, "not taken", said.getvalue(), plays=False)
    title, _ = await client.call("GET", f"/api/v1/titles/{page['items'][0]['id']}")
    job, _ = await client.call("GET", f"/api/v1/titles/{title['id']}/job")
    if job["state"] != "published":
        reason = job["reason"] or {"code": "", "sentence": job["stage"]}
        return Row(name, job["state"], f"{reason['code']}: {reason['sentence']}", plays=job["state"] == "rejected")
    session, _ = await client.call("POST", f"/api/v1/titles/{title['id']}/playback", json={})
    return await asyncio.to_thread(_decoded, file, name, title["tracks"], session)


def _decoded(file: Path, name: str, tracks: Sequence[dict[str, Any]], session: dict[str, Any]) -> Row:
    is_film = any(track["kind"] == "video" for track in tracks)
    source, _ = pictures_of(str(file), "0:v:0") if is_film else ({}, "")
    manifests = {protocol: pictures_of(session[f"{protocol}_url"], "0") for protocol in ("hls", "dash")}
    expected = max(source.values(), default=0)
    rungs = {track["id"] for track in tracks if track["kind"] == "video"}
    counts = [count for counted, _ in manifests.values() for count in counted.values()]
    complaints = " ".join(complaint for _, complaint in manifests.values()).strip()
    # A source of variable rate, made constant, has more pictures than before.
    whole = (
        not complaints and len(counts) == 2 * len(rungs) and len(set(counts)) < 2 and min(counts, default=0) >= expected
    )
    words = [f"source {expected}"] if is_film else []
    words += [f"{protocol} {' '.join(map(str, counted.values()))}" for protocol, (counted, _) in manifests.items()]
    shown = tuple(f"{track['id']} {track['codec']}" for track in tracks)
    return Row(name, "published", complaints[:300], shown, "\n".join(words) if is_film else "", whole)


def pictures_of(source: str, streams: str) -> tuple[dict[str, int], str]:
    """How many pictures ffmpeg decodes, by stream; and what it has to say.

    source: a file or an address.
    streams: `0` for all. Of HLS it must be all: what is left out it stops reading in the middle, and complains.
    """
    ffmpeg = Tools.find(IntakeSettings()).ffmpeg
    command = [str(ffmpeg), "-nostdin", "-v", "error", "-i", source, "-map", streams]
    command += ["-c", "copy", "-c:v", "rawvideo", "-fps_mode", "passthrough", "-f", "framecrc", "-"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DECODE_TIMEOUT_S)
    lines = done.stdout.splitlines()
    sizes = {match[1]: f"{match[1]} {match[2]}" for line in lines if (match := DIMENSIONS.match(line))}
    counted = Counter(stream for line in lines if (stream := line.partition(",")[0]) in sizes)
    return {sizes[stream]: count for stream, count in counted.items()}, done.stderr.strip()


@asynccontextmanager
async def _signed_in(server: str) -> AsyncIterator[ApiClient]:
    async with open_client(server) as client:
        await client.sign_in(os.environ["MARQUEE_EMAIL"], os.environ["MARQUEE_PASSWORD"])
        yield client


def show(rows: Sequence[Row]) -> None:
    table = Table("file", "state", "reason", "tracks", "pictures", "plays", show_lines=True)
    for row in rows:
        cells = (row.name, row.state, row.reason, "\n".join(row.tracks), row.pictures, "yes" if row.plays else "NO")
        table.add_row(*map(Text, cells))
    Console(width=160).print(table)


async def _run(folder: Path, signed_in: AbstractAsyncContextManager[ApiClient], memory: Memory) -> list[Row]:
    async with signed_in as client:
        return await run_folder(folder, client, memory)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=MEDIA)
    parser.add_argument("--server", default="", help="address of a server that runs already")
    given = parser.parse_args()
    with ExitStack() as stack:
        temporary = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        memory = Memory(temporary / "uploads.json", given.server)
        if given.server:
            signed_in = _signed_in(given.server)
        else:
            signed_in = stack.enter_context(own_server(temporary / "server")).client()
        rows = asyncio.run(_run(given.folder.resolve(), signed_in, memory))
    show(rows)
    return 0 if all(row.plays for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
