"""Resumable uploads over HTTP, by raw requests and by a client that others wrote (tuspy)."""

import asyncio
import base64
import hashlib
import io
import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse
from sqlalchemy import select
from tusclient.client import TusClient

from streamer.members.accounts import Role
from streamer.tables import JobRow, OriginalRow
from tests.small_disk import run_on_small_disk
from tests.streamer_helpers import House, open_house
from tests.upload_helpers import encoded

UPLOADS = "/api/v1/uploads"
TUS = {"Tus-Resumable": "1.0.0"}
BODY = {"Content-Type": "application/offset+octet-stream"}
FILM = secrets.token_bytes(300_000)


class Studio:
    """A studio member's client, with a title to upload for."""

    def __init__(self, house: House, bearer: dict[str, str], title_id: str) -> None:
        self.house = house
        self.bearer = bearer
        self.title_id = title_id

    async def ask(self, method: str, path: str, **headers: str) -> ClientResponse:
        return await self.send(method, path, None, **headers)

    async def send(self, method: str, path: str, body: Any, **headers: str) -> ClientResponse:
        """headers: with `_` for `-`; an empty one is left out."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {name: value for name, value in (TUS | self.bearer | named).items() if value}
        async with self.house.client.request(method, path, headers=sent, data=body) as response:
            await response.read()
            return response

    async def create(self, length: int = len(FILM), **headers: str) -> str:
        metadata = headers.pop("Upload_Metadata", self.metadata())
        response = await self.ask("POST", UPLOADS, Upload_Length=str(length), Upload_Metadata=metadata, **headers)
        assert response.status == 201, await response.text()
        return response.headers["Location"]

    async def patch(self, path: str, offset: int, body: Any, **headers: str) -> ClientResponse:
        return await self.send("PATCH", path, body, Upload_Offset=str(offset), **{**BODY, **headers})

    def metadata(self, filename: str = "film.mkv") -> str:
        return encoded(filename=filename, title_id=self.title_id, publish="auto")

    async def originals(self) -> list[OriginalRow]:
        async with self.house.services.sessions() as session:
            return list(await session.scalars(select(OriginalRow)))


@pytest.fixture
async def studio(tmp_path: Path) -> AsyncIterator[Studio]:
    async with open_house(tmp_path, upload={"idle_timeout_s": 0.3, "max_bytes": 10 * 2**20}) as house:
        bearer = await house.sign_in("studio", role=Role.STUDIO)
        title = await house.services.catalogue.create("film", "A film")
        yield Studio(house, bearer, title.id)


async def problem(response: ClientResponse) -> tuple[int, str]:
    assert response.content_type == "application/problem+json"
    assert response.headers["Tus-Resumable"] == "1.0.0"
    return response.status, (await response.json())["code"]


async def test_a_film_goes_in_by_requests_as_the_protocol_has_them(studio: Studio) -> None:
    created = await studio.ask(
        "POST", UPLOADS, Upload_Length=str(len(FILM)), Upload_Metadata=studio.metadata(), Tus_Resumable="1.0.0"
    )
    assert (created.status, created.headers["Tus-Resumable"]) == (201, "1.0.0")
    place = created.headers["Location"]
    assert place.startswith(f"{UPLOADS}/")

    empty = await studio.ask("HEAD", place)
    assert empty.status == 200
    assert {name: empty.headers[name] for name in ("Upload-Offset", "Upload-Length", "Upload-Metadata")} == {
        "Upload-Offset": "0",
        "Upload-Length": str(len(FILM)),
        "Upload-Metadata": studio.metadata(),
    }
    assert empty.headers["Cache-Control"] == "no-store"
    assert parsedate_to_datetime(empty.headers["Upload-Expires"]) > datetime.now(UTC).replace(year=2026, month=1)

    first = await studio.patch(place, 0, FILM[:100_000])
    assert (first.status, first.headers["Upload-Offset"]) == (204, "100000")
    assert "Upload-Expires" in first.headers
    last = await studio.patch(place, 100_000, FILM[100_000:])
    assert (last.status, last.headers["Upload-Offset"]) == (204, str(len(FILM)))
    assert "Upload-Expires" not in last.headers
    assert (await studio.ask("HEAD", place)).headers["Upload-Offset"] == str(len(FILM))
    assert (await studio.patch(place, len(FILM), b"")).status == 204

    (original,) = await studio.originals()
    assert original.sha256 == hashlib.sha256(FILM).hexdigest()
    async with studio.house.services.sessions() as session:
        assert [job.publish for job in await session.scalars(select(JobRow))] == ["auto"]


async def test_the_first_bytes_may_come_with_the_creation(studio: Studio) -> None:
    headers = {"Upload_Length": str(len(FILM)), "Upload_Metadata": studio.metadata(), **BODY}
    created = await studio.send("POST", UPLOADS, FILM[:1000], **headers)
    assert (created.status, created.headers["Upload-Offset"]) == (201, "1000")
    whole = await studio.send("POST", UPLOADS, FILM, **headers)
    assert (whole.status, whole.headers["Upload-Offset"]) == (201, str(len(FILM)))
    assert len(await studio.originals()) == 1


@pytest.mark.parametrize("chunk_bytes", [64 * 1024, 10 * 2**20])
async def test_a_client_that_others_wrote_can_upload(studio: Studio, chunk_bytes: int) -> None:
    client = TusClient(str(studio.house.client.make_url(UPLOADS)), headers=studio.bearer)
    metadata = {"filename": "film.mkv", "title_id": studio.title_id}

    def upload() -> None:
        stream = io.BytesIO(FILM)
        client.uploader(file_stream=stream, chunk_size=chunk_bytes, metadata=metadata, upload_checksum=True).upload()

    await asyncio.to_thread(upload)
    assert [original.sha256 for original in await studio.originals()] == [hashlib.sha256(FILM).hexdigest()]


async def test_that_client_goes_on_where_it_was_cut(studio: Studio) -> None:
    client = TusClient(str(studio.house.client.make_url(UPLOADS)), headers=studio.bearer)
    metadata = {"filename": "film.mkv", "title_id": studio.title_id}

    def upload() -> None:
        first = client.uploader(file_stream=io.BytesIO(FILM), chunk_size=70_000, metadata=metadata)
        first.upload_chunk()  # type: ignore[no-untyped-call]
        second = client.uploader(file_stream=io.BytesIO(FILM), chunk_size=70_000, url=first.url)
        assert second.offset == 70_000
        second.upload()

    await asyncio.to_thread(upload)
    assert [original.sha256 for original in await studio.originals()] == [hashlib.sha256(FILM).hexdigest()]


async def test_what_the_server_can_is_told_to_everybody(studio: Studio) -> None:
    async with studio.house.client.options(UPLOADS) as answer:
        assert answer.status == 204
        assert answer.headers["Tus-Version"] == "1.0.0"
        assert answer.headers["Tus-Max-Size"] == str(10 * 2**20)
        assert answer.headers["Tus-Checksum-Algorithm"] == "sha256,sha1,md5"
        assert set(answer.headers["Tus-Extension"].split(",")) == {
            *("creation", "creation-with-upload", "checksum", "termination", "expiration", "concatenation")
        }


@pytest.mark.parametrize("version", ["", "0.2.2", "1.0.1"])
async def test_another_version_of_the_protocol_is_refused(studio: Studio, version: str) -> None:
    place = await studio.create()
    for method, path in (("POST", UPLOADS), ("HEAD", place), ("PATCH", place), ("DELETE", place)):
        answer = await studio.ask(method, path, Tus_Resumable=version)
        assert answer.status == 412
        assert answer.headers["Tus-Version"] == "1.0.0"


async def test_uploads_are_for_members_of_the_studio(studio: Studio) -> None:
    place = await studio.create()
    assert await problem(await studio.ask("POST", UPLOADS, Authorization="")) == (401, "not-signed-in")
    viewer = await studio.house.sign_in("viewer")
    assert await problem(await studio.ask("POST", UPLOADS, **viewer)) == (403, "role-required")
    colleague = await studio.house.sign_in("colleague", role=Role.STUDIO)
    assert (await studio.ask("HEAD", place, **colleague)).status == 404


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, (400, "invalid-request")),
        ({"Upload_Length": "-1"}, (400, "invalid-request")),
        ({"Upload_Defer_Length": "1"}, (400, "invalid-request")),
        ({"Upload_Length": "5"}, (400, "invalid-request")),
        ({"Upload_Length": "5", "Upload_Metadata": "filename !"}, (400, "invalid-request")),
        ({"Upload_Length": "5", "Upload_Concat": "whole"}, (400, "invalid-request")),
        ({"Upload_Length": "5", "Upload_Concat": "final;/elsewhere"}, (400, "invalid-request")),
        ({"Upload_Length": str(2**40), "Upload_Concat": "partial"}, (413, "too-large")),
        ({"Upload_Length": "5", "Upload_Metadata": encoded(filename="f", title_id="x" * 22)}, (404, "not-found")),
    ],
)
async def test_a_creation_that_cannot_be_is_a_problem(
    studio: Studio, headers: dict[str, str], expected: tuple[int, str]
) -> None:
    assert await problem(await studio.ask("POST", UPLOADS, **headers)) == expected


async def test_a_patch_that_cannot_be_is_a_problem(studio: Studio) -> None:
    place = await studio.create()
    assert await problem(await studio.patch(place, 5, b"x")) == (409, "wrong-offset")
    assert await problem(await studio.patch(place, 0, FILM + b"x")) == (413, "too-large")
    assert await problem(await studio.send("PATCH", place, b"x", **BODY)) == (400, "invalid-request")
    assert await problem(await studio.patch(place, 0, b"x", **{"Content-Type": "text/plain"})) == (
        415,
        "unsupported-media-type",
    )
    assert await problem(await studio.patch(f"{UPLOADS}/{'x' * 22}", 0, b"x")) == (404, "not-found")
    assert await problem(await studio.patch(f"{UPLOADS}/..%2fx", 0, b"x")) == (404, "not-found")
    assert (await studio.ask("HEAD", place)).headers["Upload-Offset"] == "0"


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "md5"])
async def test_a_checksum_is_held_against_the_bytes(studio: Studio, algorithm: str) -> None:
    place = await studio.create()
    digest = base64.b64encode(hashlib.new(algorithm, FILM[:1000]).digest()).decode()
    wrong = await studio.patch(place, 0, FILM[1:1001], Upload_Checksum=f"{algorithm} {digest}")
    assert await problem(wrong) == (460, "wrong-checksum")
    assert (await studio.ask("HEAD", place)).headers["Upload-Offset"] == "0"
    right = await studio.patch(place, 0, FILM[:1000], Upload_Checksum=f"{algorithm} {digest}")
    assert (right.status, right.headers["Upload-Offset"]) == (204, "1000")
    unknown = await studio.patch(place, 1000, b"x", Upload_Checksum="crc32 YQ==")
    assert await problem(unknown) == (400, "invalid-request")


async def test_a_body_without_a_length_is_taken(studio: Studio) -> None:
    async def chunked() -> AsyncIterator[bytes]:
        for start in range(0, len(FILM), 50_000):
            yield FILM[start : start + 50_000]

    place = await studio.create()
    assert (await studio.patch(place, 0, chunked())).status == 204
    assert [original.sha256 for original in await studio.originals()] == [hashlib.sha256(FILM).hexdigest()]


async def test_a_body_that_stands_still_is_ended_and_what_came_is_kept(studio: Studio) -> None:
    async def stalled() -> AsyncIterator[bytes]:
        yield FILM[:5000]
        await asyncio.sleep(60)

    place = await studio.create()
    assert await problem(await studio.patch(place, 0, stalled())) == (408, "body-stalled")
    assert (await studio.ask("HEAD", place)).headers["Upload-Offset"] == "5000"
    assert (await studio.patch(place, 5000, FILM[5000:])).status == 204
    assert [original.sha256 for original in await studio.originals()] == [hashlib.sha256(FILM).hexdigest()]


async def test_what_came_before_the_connection_broke_is_kept(studio: Studio) -> None:
    place = await studio.create()
    url = studio.house.client.make_url(place)
    _, writer = await asyncio.open_connection(url.host, url.port)
    headers = TUS | BODY | studio.bearer | {"Host": "x", "Upload-Offset": "0", "Content-Length": str(len(FILM))}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(f"PATCH {url.path} HTTP/1.1\r\n{head}\r\n".encode() + FILM[:70_000])
    await writer.drain()
    await asyncio.sleep(0.1)
    writer.close()
    await writer.wait_closed()
    for _ in range(200):  # 423 until the break is noticed.
        if (await studio.patch(place, 70_000, b"")).status == 204:
            break
        await asyncio.sleep(0.02)
    assert (await studio.ask("HEAD", place)).headers["Upload-Offset"] == "70000"
    assert (await studio.patch(place, 70_000, FILM[70_000:])).status == 204
    assert [original.sha256 for original in await studio.originals()] == [hashlib.sha256(FILM).hexdigest()]


async def test_one_of_two_patches_at_the_same_time_is_refused(studio: Studio) -> None:
    begun = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield FILM[:5000]
        begun.set()
        await asyncio.sleep(0.2)
        yield FILM[5000:]

    place = await studio.create()
    first = asyncio.create_task(studio.patch(place, 0, slow()))
    await begun.wait()
    await asyncio.sleep(0.05)
    assert await problem(await studio.patch(place, 0, FILM)) == (423, "upload-locked")
    assert await problem(await studio.ask("DELETE", place)) == (423, "upload-locked")
    assert (await first).status == 204
    assert [original.sha256 for original in await studio.originals()] == [hashlib.sha256(FILM).hexdigest()]


async def test_an_upload_can_be_dropped(studio: Studio) -> None:
    place = await studio.create()
    await studio.patch(place, 0, FILM[:1000])
    assert (await studio.ask("DELETE", place)).status == 204
    assert (await studio.ask("HEAD", place)).status == 404
    assert await problem(await studio.ask("DELETE", place)) == (404, "not-found")


async def test_an_expired_upload_is_gone(studio: Studio) -> None:
    place = await studio.create()
    expires = parsedate_to_datetime((await studio.ask("HEAD", place)).headers["Upload-Expires"])
    studio.house.clock.time = expires
    again = await studio.house.login("studio")
    studio.bearer = {"Authorization": f"Bearer {again['access_token']}"}
    assert await problem(await studio.patch(place, 0, FILM)) == (410, "upload-gone")


async def test_methods_can_be_said_in_a_header(studio: Studio) -> None:
    place = await studio.create()
    headers = {"Upload_Offset": "0", "X_HTTP_Method_Override": "PATCH", **BODY}
    assert (await studio.send("POST", place, FILM[:1000], **headers)).status == 204
    assert (await studio.ask("HEAD", place)).headers["Upload-Offset"] == "1000"
    assert (await studio.ask("POST", place, X_HTTP_Method_Override="DELETE")).status == 204
    assert (await studio.ask("POST", place)).status == 405


async def test_parts_sent_side_by_side_become_one_film(studio: Studio) -> None:
    cut = 123_456
    places = [
        await studio.create(length, Upload_Concat="partial", Upload_Metadata="") for length in (cut, len(FILM) - cut)
    ]
    await asyncio.gather(studio.patch(places[0], 0, FILM[:cut]), studio.patch(places[1], 0, FILM[cut:]))
    assert (await studio.ask("HEAD", places[0])).headers["Upload-Concat"] == "partial"
    absolute = [str(studio.house.client.make_url(place)) for place in places]
    concat = f"final;{absolute[0]} {places[1]}"
    final = await studio.ask("POST", UPLOADS, Upload_Concat=concat, Upload_Metadata=studio.metadata())
    assert (final.status, final.headers["Upload-Offset"]) == (201, str(len(FILM)))
    asked = await studio.ask("HEAD", final.headers["Location"])
    assert asked.headers["Upload-Concat"] == f"final;{places[0]} {places[1]}"
    assert asked.headers["Upload-Length"] == asked.headers["Upload-Offset"] == str(len(FILM))
    assert await problem(await studio.patch(final.headers["Location"], len(FILM), b"")) == (403, "upload-forbidden")
    assert [original.sha256 for original in await studio.originals()] == [hashlib.sha256(FILM).hexdigest()]


async def test_a_store_that_is_away_is_said_and_the_upload_goes_on_later(studio: Studio, tmp_path: Path) -> None:
    place = await studio.create()
    await studio.patch(place, 0, FILM[:1000])
    (tmp_path / "store").rename(tmp_path / "away")
    for answer in (
        await studio.patch(place, 1000, FILM[1000:]),
        await studio.ask("POST", UPLOADS, Upload_Length="5", Upload_Metadata=studio.metadata()),
    ):
        assert await problem(answer) == (503, "store-unavailable")
        assert int(answer.headers["Retry-After"]) > 0
    (tmp_path / "away").rename(tmp_path / "store")
    assert (await studio.patch(place, 1000, FILM[1000:])).status == 204
    assert [original.sha256 for original in await studio.originals()] == [hashlib.sha256(FILM).hexdigest()]


FULL_DISK = """
import asyncio, sys
from pathlib import Path
from streamer.members.accounts import Role
from tests.streamer_helpers import open_house
from tests.test_streamer_http_uploads_api import Studio

async def main(store, data):
    async with open_house(data, store={"url": store.as_uri()}) as house:
        bearer = await house.sign_in("studio", role=Role.STUDIO)
        title = await house.services.catalogue.create("film", "A film")
        studio = Studio(house, bearer, title.id)
        place = await studio.create(8 * 2**20)
        ballast = store / "ballast"
        ballast.write_bytes(bytes(6 * 2**20))
        full = await studio.patch(place, 0, bytes(8 * 2**20))
        print(full.status, (await full.json())["code"])
        kept = int((await studio.ask("HEAD", place)).headers["Upload-Offset"])
        assert kept < 8 * 2**20
        ballast.unlink()
        print((await studio.patch(place, kept, bytes(8 * 2**20 - kept))).status)

asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
"""


def test_a_full_disk_is_said_and_the_upload_goes_on_once_there_is_room(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    said = run_on_small_disk(FULL_DISK, tmp_path / "store", 12 * 2**20, str(tmp_path / "data"))
    assert [line for line in said.splitlines() if line[0] in "25" and "[" not in line] == ["507 store-full", "204"]
