"""`marquee ingest`: files go in, go on after a kill, and are followed until they are published."""

import asyncio
import hashlib
import io
import json
import os
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TypeVar

import pytest
from rich.console import Console
from sqlalchemy import select

from streamer.client import ApiProblem, open_client
from streamer.ingest import Memory, Wishes, ingest, sidecars_of
from streamer.members.accounts import Role
from streamer.tables import JobRow, OriginalRow, TitleRow, UploadRow
from tests.streamer_helpers import PASSWORD, House, open_house

T = TypeVar("T")

FILM = secrets.token_bytes(3_000_000)
LARGE_BYTES = 150 * 2**20
EMAIL = "studio@example.org"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path / "data", http={"shutdown_grace_s": 0.1}) as opened:
        await opened.sign_in("studio", role=Role.STUDIO)
        yield opened


@pytest.fixture
def film(tmp_path: Path) -> Path:
    file = tmp_path / "The film.mkv"
    file.write_bytes(FILM)
    return file


class Seat:
    """A person at a terminal."""

    def __init__(self, house: House, memory: Path) -> None:
        self.house = house
        self.server = str(house.client.make_url("/"))
        self.memory = Memory(memory, self.server)
        self.screen = io.StringIO()

    async def ingest(self, *files: Path, **wishes: object) -> int:
        async with open_client(self.server) as client:
            await client.sign_in(EMAIL, PASSWORD)
            console = Console(file=self.screen, width=200)
            return await ingest(files, Wishes(**wishes), client, self.memory, console)  # type: ignore[arg-type]

    async def rows(self, table: type[T]) -> list[T]:
        async with self.house.services.sessions() as session:
            return list(await session.scalars(select(table)))


@pytest.fixture
def seat(house: House, tmp_path: Path) -> Seat:
    return Seat(house, tmp_path / "state" / "uploads.json")


@asynccontextmanager
async def an_engine_that(house: House, outcome: str) -> AsyncIterator[None]:
    """Every job ends so, without an encode."""

    async def run() -> None:
        services = house.services
        while True:
            for job in await services.ledger.active_jobs():
                if outcome == "published":
                    await house.add_version(job.title_id, job.version)
                    async with services.ledger.finishing(job.id):
                        pass
                    await services.shelf.publish(job.title_id, job.version)
                else:
                    await services.ledger.end(job.id, outcome, code="not_media", sentence="This is not a film.")
            await asyncio.sleep(0.02)

    running = asyncio.create_task(run())
    yield
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def test_a_film_is_uploaded_and_followed_until_it_is_published(seat: Seat, film: Path) -> None:
    async with an_engine_that(seat.house, "published"):
        assert await seat.ingest(film) == 0
    (title,), (original,) = await seat.rows(TitleRow), await seat.rows(OriginalRow)
    assert (title.name, title.kind, title.published_version) == ("The film", "film", 1)
    assert (original.filename, original.sha256) == ("The film.mkv", hashlib.sha256(FILM).hexdigest())
    assert seat.memory.recall(film) is None


async def test_a_refused_film_says_why_and_is_no_success(seat: Seat, film: Path) -> None:
    async with an_engine_that(seat.house, "rejected"):
        assert await seat.ingest(film) == 1
    assert "The film.mkv: rejected. This is not a film." in seat.screen.getvalue()


async def test_nobody_waits_who_does_not_want_to(seat: Seat, film: Path) -> None:
    assert await seat.ingest(film, wait=False, title="Another name", kind="episode", publish="manual") == 0
    (title,), (job,) = await seat.rows(TitleRow), await seat.rows(JobRow)
    assert (title.name, title.kind, job.publish, job.state) == ("Another name", "episode", "manual", "probing")


async def test_subtitles_beside_a_film_go_in_with_it(seat: Seat, film: Path) -> None:
    for name in ("The film.srt", "The film.de.forced.vtt", "The film 2.srt", "Another.srt"):
        film.with_name(name).write_text("1\n00:00:00,000 --> 00:00:01,000\nHello\n")
    beside = [film.with_name("The film.de.forced.vtt"), film.with_name("The film.srt")]
    assert sidecars_of(film) == beside
    assert await seat.ingest(beside[1], film, wait=False) == 0
    originals = await seat.rows(OriginalRow)
    assert {row.filename for row in originals if row.is_subtitles} == {path.name for path in beside}
    assert len(originals) == 3
    assert len(await seat.rows(JobRow)) == len(await seat.rows(TitleRow)) == 1


async def test_subtitles_alone_are_refused(seat: Seat, tmp_path: Path) -> None:
    (tmp_path / "alone.srt").write_text("x")
    assert await seat.ingest(tmp_path / "alone.srt") == 1
    assert await seat.rows(TitleRow) == []


async def test_whoever_is_not_of_the_studio_is_told_so(seat: Seat, film: Path) -> None:
    await seat.house.services.accounts.add("v@example.org", PASSWORD, Role.VIEWER, "premium", seat.house.clock())
    async with open_client(seat.server) as client:
        await client.sign_in("v@example.org", PASSWORD)
        assert await ingest([film], Wishes(), client, seat.memory, Console(file=seat.screen)) == 1
    assert "studio" in seat.screen.getvalue()


async def test_a_sign_in_outlives_its_access_token(seat: Seat, film: Path) -> None:
    async with open_client(seat.server) as client:
        await client.sign_in(EMAIL, PASSWORD)
        for _ in range(2):
            seat.house.clock.pass_s(1000)
            assert (await client.call("GET", "/api/v1/me"))[0]["email"] == EMAIL
        seat.house.clock.pass_s(1000)
        assert await ingest([film], Wishes(wait=False), client, seat.memory, Console(file=seat.screen)) == 0
    assert len(await seat.rows(OriginalRow)) == 1


async def test_a_used_up_body_is_not_sent_again_with_a_new_token(seat: Seat) -> None:
    async with open_client(seat.server) as client:
        await client.sign_in(EMAIL, PASSWORD)
        seat.house.clock.pass_s(1000)
        with pytest.raises(ApiProblem) as refused:
            await client.call("PATCH", f"/api/v1/uploads/{'x' * 22}", headers={"Tus-Resumable": "1.0.0"}, data=b"x")
        assert refused.value.status == 401


async def test_an_interrupted_wait_goes_on_without_a_second_upload(seat: Seat, film: Path) -> None:
    waiting = asyncio.create_task(seat.ingest(film))
    await a_job(seat)
    await asyncio.sleep(0.2)
    waiting.cancel()
    with suppress(asyncio.CancelledError):
        await waiting
    async with an_engine_that(seat.house, "published"):
        assert await seat.ingest(film) == 0
    assert len(await seat.rows(TitleRow)) == len(await seat.rows(OriginalRow)) == 1


async def test_an_upload_that_the_server_forgot_is_begun_again_for_the_same_title(seat: Seat, film: Path) -> None:
    assert await seat.ingest(film, wait=False) == 0
    (title,) = await seat.rows(TitleRow)
    seat.memory.keep(film, {"title_id": title.id, "url": f"/api/v1/uploads/{'x' * 22}"})
    assert await seat.ingest(film, wait=False) == 0
    assert len(await seat.rows(TitleRow)) == 1
    assert len(await seat.rows(OriginalRow)) == 2


def test_another_file_of_the_same_name_is_not_taken_for_the_first(film: Path, tmp_path: Path) -> None:
    memory = Memory(tmp_path / "uploads.json", "http://one")
    memory.keep(film, {"title_id": "t", "url": "u"})
    assert memory.recall(film) == {"title_id": "t", "url": "u"}
    assert Memory(tmp_path / "uploads.json", "http://two").recall(film) is None
    film.write_bytes(FILM[:-1])
    assert memory.recall(film) is None


def test_a_broken_memory_is_no_memory(film: Path, tmp_path: Path) -> None:
    memory = Memory(tmp_path / "uploads.json", "http://one")
    memory.keep(film, {"title_id": "t", "url": "u"})
    (tmp_path / "uploads.json").write_text("{")
    assert memory.recall(film) is None


async def test_a_killed_upload_goes_on_where_it_was(seat: Seat, tmp_path: Path) -> None:
    large = tmp_path / "large.mkv"
    with large.open("wb") as file:
        file.truncate(LARGE_BYTES)
    config = tmp_path / "client.toml"
    config.write_text(f"data_dir = {json.dumps(str(tmp_path / 'client'))}\n")
    command = [sys.executable, "-m", "streamer.cli", "ingest", str(large), "--no-wait", "--email", EMAIL]
    command += ["--server", seat.server, "--config", str(config)]
    environment = {**os.environ, "MARQUEE_PASSWORD": PASSWORD}

    async def begin() -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *command, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )

    killed = await begin()
    (row,) = await upload_with_bytes(seat, 20 * 2**20)
    killed.kill()
    await killed.communicate()
    assert await seat.rows(OriginalRow) == []
    kept = await seat.house.services.store.upload_size(f"originals/{row.original_id}", row.store_upload_id)
    assert 20 * 2**20 <= kept < LARGE_BYTES

    again = await begin()
    said, _ = await again.communicate()
    assert again.returncode == 0, said.decode()
    assert [upload.id for upload in await seat.rows(UploadRow)] == [row.id]
    (original,) = await seat.rows(OriginalRow)
    assert (original.size_bytes, original.id) == (LARGE_BYTES, row.original_id)


async def a_job(seat: Seat) -> JobRow:
    for _ in range(500):
        if rows := await seat.rows(JobRow):
            return rows[0]
        await asyncio.sleep(0.02)
    raise AssertionError("there is no job")


async def upload_with_bytes(seat: Seat, size: int) -> list[UploadRow]:
    """As soon as so much of an upload is there."""
    store = seat.house.services.store
    for _ in range(3000):
        rows = await seat.rows(UploadRow)
        if rows and await store.upload_size(f"originals/{rows[0].original_id}", rows[0].store_upload_id) >= size:
            return rows
        await asyncio.sleep(0.01)
    raise AssertionError("the upload does not begin")
