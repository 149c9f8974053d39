"""The rules of resumable uploads."""

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.errors import StoreUnavailable
from storage.local import LocalStore
from streamer.errors import InvalidRequest, NotFound
from streamer.studio.errors import (
    BodyCut,
    TooLarge,
    UploadForbidden,
    UploadGone,
    UploadLocked,
    WrongChecksum,
    WrongOffset,
)
from tests.upload_helpers import MEMBER, OTHER, Dock, blocks_of, checksum, encoded, open_dock

FILM = secrets.token_bytes(10_000)
SHA256 = hashlib.sha256(FILM).hexdigest()


class AwayStore(LocalStore):
    """A store that cannot finish uploads while it is away."""

    away = False

    async def finish_upload(self, key: str, upload_id: str) -> None:
        if self.away:
            raise StoreUnavailable("the store is away")
        await super().finish_upload(key, upload_id)


@pytest.fixture
async def dock(tmp_path: Path) -> AsyncIterator[Dock]:
    async with open_dock(tmp_path, LocalStore(tmp_path / "store")) as opened:
        yield opened


async def test_a_complete_upload_is_an_original_with_its_digest_and_a_job(dock: Dock) -> None:
    uploads = dock.uploads()
    upload = await uploads.create(MEMBER, len(FILM), dock.metadata(publish="auto"))
    assert (upload.offset_bytes, upload.finished) == (0, False)
    upload = await uploads.append(MEMBER, upload.id, 0, blocks_of(FILM[:4000]))
    assert (upload.offset_bytes, upload.finished) == (4000, False)
    assert await dock.jobs() == []
    upload = await uploads.append(MEMBER, upload.id, 4000, blocks_of(FILM[4000:]))
    assert (upload.offset_bytes, upload.finished) == (len(FILM), True)
    (original,) = await dock.originals()
    assert (original.title_id, original.filename, original.size_bytes) == (dock.title_id, "film.mkv", len(FILM))
    assert (original.sha256, original.is_subtitles) == (SHA256, False)
    assert await dock.store.get(f"originals/{original.id}") == FILM
    (job,) = await dock.jobs()
    assert (job.original_id, job.publish, job.member_id, job.version) == (original.id, "auto", MEMBER, 1)
    assert len(dock.woken) == 1


async def test_asking_and_sending_after_the_end_changes_nothing(dock: Dock) -> None:
    uploads = dock.uploads()
    upload = await uploads.create(MEMBER, len(FILM), dock.metadata())
    await uploads.append(MEMBER, upload.id, 0, blocks_of(FILM))
    for again in (uploads, dock.uploads()):
        assert (await again.get(MEMBER, upload.id)).offset_bytes == len(FILM)
        assert (await again.append(MEMBER, upload.id, len(FILM), blocks_of(b""))).finished
        with pytest.raises(WrongOffset, match="upload offset is 10000, not 9000"):
            await again.append(MEMBER, upload.id, 9000, blocks_of(FILM[9000:]))
        with pytest.raises(TooLarge):
            await again.append(MEMBER, upload.id, len(FILM), blocks_of(b"x"), announced_bytes=1)
    assert len(await dock.originals()) == len(await dock.jobs()) == 1


async def test_an_upload_goes_on_after_a_restart(dock: Dock) -> None:
    before = dock.uploads()
    upload = await before.create(MEMBER, len(FILM), dock.metadata())
    with pytest.raises(BodyCut):
        await before.append(MEMBER, upload.id, 0, blocks_of(FILM[:4321], BodyCut("cut")))
    after = dock.uploads()
    assert (await after.get(MEMBER, upload.id)).offset_bytes == 4321
    await after.append(MEMBER, upload.id, 4321, blocks_of(FILM[4321:]))
    (original,) = await dock.originals()
    assert original.sha256 == SHA256  # Of bytes that this process never saw pass.


async def test_subtitles_beside_a_film_make_no_job(dock: Dock) -> None:
    uploads = dock.uploads()
    upload = await uploads.create(MEMBER, len(FILM), dock.metadata("film.de.srt"))
    await uploads.append(MEMBER, upload.id, 0, blocks_of(FILM))
    (original,) = await dock.originals()
    assert original.is_subtitles
    assert await dock.jobs() == []


async def test_an_upload_of_no_bytes_is_complete_at_once(dock: Dock) -> None:
    upload = await dock.uploads().create(MEMBER, 0, dock.metadata())
    assert upload.finished
    assert [original.size_bytes for original in await dock.originals()] == [0]


async def test_bytes_for_another_place_than_the_end_are_refused(dock: Dock) -> None:
    uploads = dock.uploads()
    upload = await uploads.create(MEMBER, len(FILM), dock.metadata())
    await uploads.append(MEMBER, upload.id, 0, blocks_of(FILM[:4000]))
    for offset in (0, 3999, 4001):
        with pytest.raises(WrongOffset, match=f"upload offset is 4000, not {offset}"):
            await uploads.append(MEMBER, upload.id, offset, blocks_of(b"x"))
    await uploads.append(MEMBER, upload.id, 4000, blocks_of(FILM[4000:]))
    assert [original.sha256 for original in await dock.originals()] == [SHA256]


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "md5"])
async def test_bytes_with_another_checksum_leave_no_trace(dock: Dock, algorithm: str) -> None:
    uploads = dock.uploads()
    upload = await uploads.create(MEMBER, len(FILM), dock.metadata())
    await uploads.append(MEMBER, upload.id, 0, blocks_of(FILM[:4000]), checksum=checksum(FILM[:4000], algorithm))
    with pytest.raises(WrongChecksum, match=algorithm):
        await uploads.append(MEMBER, upload.id, 4000, blocks_of(FILM[4001:]), checksum=checksum(FILM[4000:], algorithm))
    assert (await uploads.get(MEMBER, upload.id)).offset_bytes == 4000
    await uploads.append(MEMBER, upload.id, 4000, blocks_of(FILM[4000:]), checksum=checksum(FILM[4000:], algorithm))
    assert [original.sha256 for original in await dock.originals()] == [SHA256]


async def test_nothing_of_a_cut_body_with_a_checksum_is_kept(dock: Dock) -> None:
    uploads = dock.uploads()
    upload = await uploads.create(MEMBER, len(FILM), dock.metadata())
    with pytest.raises(BodyCut):
        body = blocks_of(FILM[:4000], BodyCut("cut"))
        await uploads.append(MEMBER, upload.id, 0, body, checksum=checksum(FILM[:5000]))
    assert (await uploads.get(MEMBER, upload.id)).offset_bytes == 0
    await uploads.append(MEMBER, upload.id, 0, blocks_of(FILM))
    assert [original.sha256 for original in await dock.originals()] == [SHA256]


async def test_more_bytes_than_announced_are_refused(dock: Dock) -> None:
    uploads = dock.uploads()
    upload = await uploads.create(MEMBER, len(FILM), dock.metadata())
    with pytest.raises(TooLarge):
        await uploads.append(MEMBER, upload.id, 0, blocks_of(b""), announced_bytes=len(FILM) + 1)
    with pytest.raises(TooLarge):
        await uploads.append(MEMBER, upload.id, 0, blocks_of(FILM + b"x", size=3000))
    assert (await uploads.get(MEMBER, upload.id)).offset_bytes == 9000
    assert await dock.originals() == []


async def test_originals_have_a_largest_size(dock: Dock) -> None:
    uploads = dock.uploads(max_bytes=1000)
    with pytest.raises(TooLarge, match="1001 bytes are more than the 1000 that we take"):
        await uploads.create(MEMBER, 1001, dock.metadata())
    await uploads.create(MEMBER, 1000, dock.metadata())


async def test_an_upload_is_for_a_title_that_exists(dock: Dock) -> None:
    with pytest.raises(NotFound, match="no such title"):
        await dock.uploads().create(MEMBER, 5, encoded(filename="f.mkv", title_id="x" * 22))
    with pytest.raises(InvalidRequest):
        await dock.uploads().create(MEMBER, 5, "")
    assert await dock.kept_uploads() == []


async def test_an_upload_is_known_to_its_member_alone(dock: Dock) -> None:
    uploads = dock.uploads()
    upload = await uploads.create(MEMBER, 5, dock.metadata())
    with pytest.raises(NotFound):
        await uploads.get(OTHER, upload.id)
    with pytest.raises(NotFound):
        await uploads.append(OTHER, upload.id, 0, blocks_of(b"x"))
    with pytest.raises(NotFound):
        await uploads.terminate(OTHER, upload.id)


async def test_one_of_two_requests_at_the_same_time_is_refused(dock: Dock) -> None:
    uploads = dock.uploads()
    upload = await uploads.create(MEMBER, len(FILM), dock.metadata())
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield FILM[:5000]
        begun.set()
        await go_on.wait()
        yield FILM[5000:]

    first = asyncio.create_task(uploads.append(MEMBER, upload.id, 0, slow()))
    await begun.wait()
    for other in (uploads, dock.uploads()):  # In this process and in another.
        with pytest.raises(UploadLocked):
            await other.append(MEMBER, upload.id, 0, blocks_of(FILM))
    with pytest.raises(UploadLocked):
        await uploads.terminate(MEMBER, upload.id)
    assert not (await uploads.get(MEMBER, upload.id)).finished
    await uploads.expire()
    go_on.set()
    assert (await first).finished
    assert [original.sha256 for original in await dock.originals()] == [SHA256]


async def test_a_terminated_upload_leaves_nothing(dock: Dock) -> None:
    uploads = dock.uploads()
    upload = await uploads.create(MEMBER, len(FILM), dock.metadata())
    await uploads.append(MEMBER, upload.id, 0, blocks_of(FILM[:5000]))
    await uploads.terminate(MEMBER, upload.id)
    with pytest.raises(NotFound):
        await uploads.get(MEMBER, upload.id)
    assert await dock.kept_uploads() == []


async def test_an_original_is_not_terminated_with_its_upload(dock: Dock) -> None:
    uploads = dock.uploads()
    upload = await uploads.create(MEMBER, len(FILM), dock.metadata())
    await uploads.append(MEMBER, upload.id, 0, blocks_of(FILM))
    with pytest.raises(UploadForbidden):
        await uploads.terminate(MEMBER, upload.id)
    assert len(await dock.keys()) == 1


async def test_an_upload_that_stands_still_is_gone_after_a_while(dock: Dock, tmp_path: Path) -> None:
    uploads = dock.uploads(expires_s=100)
    upload = await uploads.create(MEMBER, len(FILM), dock.metadata())
    dock.clock.pass_s(60)
    await uploads.append(MEMBER, upload.id, 0, blocks_of(FILM[:5000]))
    dock.clock.pass_s(60)
    await uploads.expire()
    assert (await uploads.get(MEMBER, upload.id)).offset_bytes == 5000
    dock.clock.pass_s(40)
    with pytest.raises(UploadGone):
        await uploads.get(MEMBER, upload.id)
    await uploads.expire()
    with pytest.raises(NotFound):
        await uploads.append(MEMBER, upload.id, 5000, blocks_of(FILM[5000:]))
    assert await dock.kept_uploads() == []
    assert not any(path.is_file() for path in (tmp_path / "store").rglob("*"))


async def test_an_original_outlives_its_upload(dock: Dock) -> None:
    uploads = dock.uploads(expires_s=100)
    upload = await uploads.create(MEMBER, len(FILM), dock.metadata())
    await uploads.append(MEMBER, upload.id, 0, blocks_of(FILM))
    dock.clock.pass_s(100)
    await uploads.expire()
    assert await dock.kept_uploads() == []
    assert await dock.keys() == [f"originals/{original.id}" for original in await dock.originals()]


@pytest.mark.parametrize("way", ["asked again", "sent again", "by itself"])
async def test_an_outage_at_the_very_end_loses_nothing(tmp_path: Path, way: str) -> None:
    store = AwayStore(tmp_path / "store")
    async with open_dock(tmp_path, store) as dock:
        uploads = dock.uploads()
        upload = await uploads.create(MEMBER, len(FILM), dock.metadata())
        store.away = True
        with pytest.raises(StoreUnavailable):
            await uploads.append(MEMBER, upload.id, 0, blocks_of(FILM))
        await uploads.expire()
        assert await dock.originals() == []
        store.away = False
        if way == "asked again":
            await uploads.get(MEMBER, upload.id)
        elif way == "sent again":
            await uploads.append(MEMBER, upload.id, len(FILM), blocks_of(b""))
        else:
            await uploads.expire()
        assert (await uploads.get(MEMBER, upload.id)).finished
        assert [original.sha256 for original in await dock.originals()] == [SHA256]
        assert len(await dock.jobs()) == 1


async def test_a_crash_between_store_and_database_loses_nothing(dock: Dock) -> None:
    before = dock.uploads()
    upload = await before.create(MEMBER, len(FILM), dock.metadata())
    (row,) = await dock.kept_uploads()
    key = f"originals/{row.original_id}"
    await dock.store.append(key, row.store_upload_id, 0, blocks_of(FILM), whole=False)
    await dock.store.finish_upload(key, row.store_upload_id)  # And here the process ends.
    assert (await dock.uploads().get(MEMBER, upload.id)).offset_bytes == len(FILM)
    assert [original.sha256 for original in await dock.originals()] == [SHA256]
    assert len(await dock.jobs()) == 1


# Concatenation


async def parts_of(dock: Dock, *cuts: int) -> list[str]:
    uploads, ids = dock.uploads(), []
    for start, end in zip((0, *cuts), (*cuts, len(FILM)), strict=True):
        part = await uploads.create(MEMBER, end - start, "", partial=True)
        assert (await uploads.append(MEMBER, part.id, 0, blocks_of(FILM[start:end]))).finished
        ids.append(part.id)
    return ids


async def test_partial_uploads_are_joined_to_one_original(dock: Dock) -> None:
    ids = await parts_of(dock, 1, 7000)
    assert await dock.originals() == []
    uploads = dock.uploads()
    final = await uploads.join(MEMBER, ids, dock.metadata())
    assert (final.offset_bytes, final.length_bytes, final.finished) == (len(FILM), len(FILM), True)
    (original,) = await dock.originals()
    assert original.sha256 == SHA256
    assert await dock.keys() == [f"originals/{original.id}"]
    assert [row.id for row in await dock.kept_uploads()] == [final.id]
    with pytest.raises(UploadForbidden):
        await uploads.append(MEMBER, final.id, len(FILM), blocks_of(b""))


async def test_only_finished_partial_uploads_are_joined(dock: Dock) -> None:
    uploads = dock.uploads()
    unfinished = await uploads.create(MEMBER, 5, "", partial=True)
    ordinary = await uploads.create(MEMBER, 0, dock.metadata())
    for upload in (unfinished, ordinary):
        with pytest.raises(UploadForbidden):
            await uploads.join(MEMBER, [upload.id], dock.metadata())
    with pytest.raises(NotFound):
        await uploads.join(MEMBER, ["x" * 22], dock.metadata())


async def test_parts_survive_a_join_that_failed(tmp_path: Path) -> None:
    store = AwayStore(tmp_path / "store")
    async with open_dock(tmp_path, store) as dock:
        ids = await parts_of(dock, 7000)
        store.away = True
        with pytest.raises(StoreUnavailable):
            await dock.uploads().join(MEMBER, ids, dock.metadata())
        assert sorted(row.id for row in await dock.kept_uploads()) == sorted(ids)
        store.away = False
        await dock.uploads().join(MEMBER, ids, dock.metadata())
        assert [original.sha256 for original in await dock.originals()] == [SHA256]
        assert len(await dock.jobs()) == 1


async def test_forgotten_parts_expire_with_their_bytes(dock: Dock) -> None:
    await parts_of(dock, 7000)
    assert len(await dock.keys()) == 2
    dock.clock.pass_s(8 * 86400)
    await dock.uploads().expire()
    assert await dock.keys() == []
    assert await dock.kept_uploads() == []
