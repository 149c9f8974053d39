"""`marquee ingest`: uploads originals through the API, resumes what was cut, and follows the encode to its end."""

import asyncio
import base64
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from streamer.client import ApiClient, ApiProblem

T = TypeVar("T")

PATCH_BYTES = 64 * 2**20
"One request: small enough that an access token outlives it on a slow line, large enough to cost nothing."
BLOCK_BYTES = 2**20
LONGEST_WAIT_S = 30.0
LOOK_EVERY_S = 0.5
JOB_WAIT_S = 600.0
# A token that ran out (HEAD gets another), a stall, an offset of old, a request of ours that still hangs, bad bytes.
ASK_AGAIN = {401, 408, 409, 423, 460}
TUS = {"Tus-Resumable": "1.0.0"}
SUBTITLES = {".srt", ".vtt", ".ass", ".ssa"}
MUSIC = {".mp3", ".flac", ".ogg", ".oga", ".opus", ".wav", ".m4a", ".aac"}

TRANSFER = (
    TextColumn("{task.description}"),
    BarColumn(),
    DownloadColumn(),
    TransferSpeedColumn(),
    TimeRemainingColumn(),
)
ENCODE = (
    TextColumn("{task.description}"),
    BarColumn(),
    TextColumn("{task.percentage:>3.0f} %"),
    TextColumn("{task.fields[stage]}"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the person asked for, the same for all files."""

    title: str = ""
    "Empty: the file's name."
    kind: str = ""
    "Empty: `song` for music, else `film`."
    publish: str = "auto"
    wait: bool = True
    "Follow the encode until it is published."


async def ingest(files: Sequence[Path], wishes: Wishes, client: ApiClient, memory: "Memory", console: Console) -> int:
    """Upload files and follow their encodes; gives the exit status: 0 only if all went well.

    client: signed in as a member of the studio.
    """
    status = 0
    beside = {sidecar.absolute() for file in files for sidecar in sidecars_of(file)}
    for file in (file for file in files if file.absolute() not in beside):
        try:
            title_id = await _uploaded(file, wishes, client, memory, console)
            console.print(f"{file.name}: uploaded as title {title_id}", highlight=False)
            if wishes.wait and not await follow(client, title_id, file.name, console, until=wishes.publish):
                status = 1
            memory.keep(file, None)
        except (ApiProblem, OSError, aiohttp.ClientError) as error:
            console.print(f"[red]{file.name}:[/] {error}", highlight=False)
            status = 1
    return status


async def follow(client: ApiClient, title_id: str, name: str, console: Console, *, until: str = "auto") -> bool:
    """Show an encode's progress until it ends; whether it ended well.

    until: `auto` waits for the title to be published, anything else for it to be ready.
    """
    good = {"published"} if until == "auto" else {"published", "ready"}
    with Progress(*ENCODE, console=console) as progress:
        bar = progress.add_task(name, total=1.0, stage="")
        while True:
            job = await _patiently(lambda: _job(client, title_id), console)
            progress.update(bar, completed=job["progress"], stage=job["stage"])
            if job["state"] in good:
                return True
            if job["state"] in ("rejected", "failed", "cancelled"):
                break
            await asyncio.sleep(LOOK_EVERY_S)
    reason = job["reason"]["sentence"] if job["reason"] else job["stage"]
    console.print(f"[red]{name}: {job['state']}.[/] {reason}", highlight=False)
    return False


async def _job(client: ApiClient, title_id: str) -> dict[str, Any]:
    """A title's newest job. It may be late where the server has to read a large original once more."""
    for _ in range(round(JOB_WAIT_S / LOOK_EVERY_S)):
        try:
            job, _headers = await client.call("GET", f"/api/v1/titles/{title_id}/job")
            return dict(job)
        except ApiProblem as problem:
            if problem.status != HTTPStatus.NOT_FOUND:
                raise
        await asyncio.sleep(LOOK_EVERY_S)
    raise ApiProblem(HTTPStatus.NOT_FOUND, "not-found", "the server has not begun to encode it")


def sidecars_of(file: Path) -> list[Path]:
    """Subtitle files beside a film: `film.srt`, `film.de.forced.vtt` for `film.mkv`."""
    if file.suffix.lower() in MUSIC | SUBTITLES:
        return []
    beside = (path for path in file.parent.glob(f"{_escaped(file.stem)}.*") if path.suffix.lower() in SUBTITLES)
    return sorted(beside)


class Memory:
    """Uploads that have begun, in a file, so that they go on where they were after anything happened to us."""

    def __init__(self, file: Path, server: str) -> None:
        self._file = file
        self._server = server

    def recall(self, file: Path) -> dict[str, str] | None:
        return self._read().get(self._name(file))

    def keep(self, file: Path, begun: dict[str, str] | None) -> None:
        """Remember an upload; None: it is over."""
        known = self._read() | {self._name(file): begun}
        self._file.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._file.with_suffix(f".{os.getpid()}")
        fresh.write_text(json.dumps({name: value for name, value in known.items() if value}))
        fresh.replace(self._file)

    def _read(self) -> dict[str, Any]:
        try:
            known = json.loads(self._file.read_text())
        except (OSError, ValueError):
            return {}
        return known if isinstance(known, dict) else {}

    def _name(self, file: Path) -> str:
        stat = file.stat()
        return f"{self._server} {file.absolute()} {stat.st_size} {stat.st_mtime_ns}"


async def _uploaded(file: Path, wishes: Wishes, client: ApiClient, memory: Memory, console: Console) -> str:
    """Id of the title whose original is wholly there. Remembered until its encode has ended too."""
    if file.suffix.lower() in SUBTITLES:
        raise ApiProblem(
            HTTPStatus.BAD_REQUEST, "invalid-request", "subtitles go in with the film that they lie beside"
        )
    begun = memory.recall(file)
    if begun is None:
        kind = wishes.kind or ("song" if file.suffix.lower() in MUSIC else "film")
        title, _ = await client.call("POST", "/api/v1/titles", json={"name": wishes.title or file.stem, "kind": kind})
        begun = {"title_id": title["id"], "url": ""}
        memory.keep(file, begun)
    title_id, url = begun["title_id"], begun["url"]
    if not url or await _patiently(lambda: _size_there(client, url), console) is None:
        for sidecar in sidecars_of(file):
            await _send(client, sidecar, await _create(client, sidecar, title_id, wishes), console)
        url = await _create(client, file, title_id, wishes)
        memory.keep(file, {"title_id": title_id, "url": url})
    await _send(client, file, url, console)
    return title_id


async def _create(client: ApiClient, file: Path, title_id: str, wishes: Wishes) -> str:
    metadata = {"filename": file.name, "title_id": title_id, "publish": wishes.publish}
    encoded = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in metadata.items())
    headers = TUS | {"Upload-Length": str(_size_of(file)), "Upload-Metadata": encoded}
    _, answered = await client.call("POST", "/api/v1/uploads", headers=headers)
    return str(answered["Location"])


async def _size_there(client: ApiClient, url: str) -> int | None:
    """How much of an upload the server has; None: it does not know the upload any more."""
    try:
        _, headers = await client.call("HEAD", url, headers=TUS)
    except ApiProblem as problem:
        if problem.status in (403, 404, 410):
            return None
        raise
    return int(headers["Upload-Offset"])


async def _send(client: ApiClient, file: Path, url: str, console: Console) -> None:
    """Send what is missing, again and again for as long as trying may help."""
    size = _size_of(file)
    with Progress(*TRANSFER, console=console) as progress:
        bar = progress.add_task(file.name, total=size)
        offset = await _patiently(lambda: _size_there(client, url), console)
        while offset is not None and offset < size:
            if _size_of(file) != size:
                raise ApiProblem(HTTPStatus.CONFLICT, "changed", "the file changed while it was uploaded; begin again")
            progress.update(bar, completed=offset)
            blocks = _blocks(file, offset, lambda sent: progress.update(bar, completed=sent))
            headers = TUS | {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
            headers["Content-Length"] = str(min(PATCH_BYTES, size - offset))
            try:
                await client.call("PATCH", url, headers=headers, data=blocks)
            except (ApiProblem, OSError, aiohttp.ClientError) as error:
                if isinstance(error, ApiProblem) and not error.may_pass and error.status not in ASK_AGAIN:
                    raise
                console.print(f"{file.name}: {error}; going on", highlight=False)
                await asyncio.sleep(LOOK_EVERY_S)
            offset = await _patiently(lambda: _size_there(client, url), console)
        progress.update(bar, completed=size)
    if offset is None:
        raise ApiProblem(410, "gone", "the server has dropped the upload; start again")


async def _patiently(call: Callable[[], Awaitable[T]], console: Console) -> T:
    """An answer, however long the server is away."""
    wait_s = LOOK_EVERY_S
    while True:
        try:
            return await call()
        except (OSError, aiohttp.ClientError, ApiProblem) as error:
            if isinstance(error, ApiProblem) and not error.may_pass:
                raise
            console.print(f"The server does not answer ({error}); trying again in {wait_s:.0f} s", highlight=False)
        await asyncio.sleep(wait_s)
        wait_s = min(2 * wait_s, LONGEST_WAIT_S)


async def _blocks(file: Path, offset: int, sent: Callable[[int], None]) -> AsyncIterator[bytes]:
    end = offset + PATCH_BYTES
    with file.open("rb") as opened:
        opened.seek(offset)
        while offset < end and (block := opened.read(min(BLOCK_BYTES, end - offset))):
            yield block
            offset += len(block)
            sent(offset)


def _size_of(file: Path) -> int:
    return file.stat().st_size


def _escaped(name: str) -> str:
    """For `glob`."""
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in name)
