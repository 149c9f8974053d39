"""What every object store does, whichever it is."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing
from pathlib import Path

import pytest

from config.settings import StoreSettings
from storage.errors import (
    InvalidKey,
    ObjectExists,
    ObjectNotFound,
    OffsetMismatch,
    StoreUnavailable,
    UploadBusy,
    UploadNotFound,
)
from storage.keys import new_id
from storage.open import open_store
from storage.store import BLOCK_BYTES, ObjectInfo, ObjectStore
from tests.swift import BUCKET, S3Server

PART_BYTES = 5 * 2**20
KEY = "originals/film"


class Broken(Exception):
    pass


@pytest.fixture(params=["local", "s3"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ObjectStore]:
    if request.param == "local":
        async with open_store(StoreSettings(), tmp_path.as_uri()) as opened:
            yield opened
    else:
        server: S3Server = request.getfixturevalue("s3_server")
        async with open_store(server.settings(), f"s3://{BUCKET}/{new_id()}") as opened:
            yield opened


async def blocks_of(*blocks: bytes) -> AsyncIterator[bytes]:
    for block in blocks:
        yield block


async def cut_off(*blocks: bytes) -> AsyncIterator[bytes]:
    for block in blocks:
        yield block
    raise Broken


async def stalled(begun: asyncio.Event, *blocks: bytes) -> AsyncIterator[bytes]:
    for block in blocks:
        yield block
    begun.set()
    await asyncio.Event().wait()


async def read(store: ObjectStore, key: str, offset: int = 0, size: int | None = None) -> bytes:
    return b"".join([block async for block in store.stream(key, offset, size)])


def pieces(data: bytes, size: int) -> Iterable[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


@pytest.mark.parametrize("data", [b"", b"a picture"])
async def test_what_was_put_is_there(store: ObjectStore, data: bytes) -> None:
    await store.put("titles/t/v1/index.json", data)
    assert await store.get("titles/t/v1/index.json") == data
    assert await store.head("titles/t/v1/index.json") == ObjectInfo("titles/t/v1/index.json", len(data))
    assert await read(store, "titles/t/v1/index.json") == data


async def test_a_key_is_put_once(store: ObjectStore) -> None:
    await store.put(KEY, b"first")
    with pytest.raises(ObjectExists, match=KEY):
        await store.put(KEY, b"second")
    assert await store.get(KEY) == b"first"


@pytest.mark.parametrize("size", [3, 2 * PART_BYTES + 7])
async def test_a_file_is_put_once_and_comes_back_the_same(store: ObjectStore, tmp_path: Path, size: int) -> None:
    data = secrets.token_bytes(size)
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(data)
    target.write_bytes(b"of an earlier time")
    await store.put_file(KEY, source)
    with pytest.raises(ObjectExists):
        await store.put_file(KEY, source)
    await store.get_file(KEY, target)
    assert target.read_bytes() == data
    assert await store.head(KEY) == ObjectInfo(KEY, size)


async def test_what_is_not_there_is_not_found(store: ObjectStore, tmp_path: Path) -> None:
    with pytest.raises(ObjectNotFound):
        await store.head("no/such")
    with pytest.raises(ObjectNotFound):
        await store.get("no/such")
    with pytest.raises(ObjectNotFound):
        await read(store, "no/such", 1, 1)
    with pytest.raises(ObjectNotFound):
        await read(store, "no/such", 0, 0)
    with pytest.raises(ObjectNotFound):
        await store.get_file("no/such", tmp_path / "target")
    assert not (tmp_path / "target").exists()


async def test_a_folder_is_not_an_object(store: ObjectStore) -> None:
    await store.put("a/b", b"x")
    with pytest.raises(ObjectNotFound):
        await store.head("a")
    with pytest.raises(ObjectNotFound):
        await store.get("a/b/c")


@pytest.mark.parametrize(
    ("offset", "size", "expected"),
    [(0, None, "0123456789"), (3, None, "3456789"), (3, 4, "3456"), (10, None, ""), (4, 0, ""), (9, 1, "9")],
)
async def test_a_range_brings_exactly_its_bytes(
    store: ObjectStore, offset: int, size: int | None, expected: str
) -> None:
    await store.put(KEY, b"0123456789")
    assert (await read(store, KEY, offset, size)).decode() == expected


@pytest.mark.parametrize(("offset", "size"), [(0, 11), (5, 6), (10, 1), (11, 1), (11, None)])
async def test_a_range_past_the_end_is_an_error_and_not_a_short_answer(
    store: ObjectStore, offset: int, size: int | None
) -> None:
    await store.put(KEY, b"0123456789")
    with pytest.raises(StoreUnavailable):
        await read(store, KEY, offset, size)


async def test_a_large_object_comes_in_blocks(store: ObjectStore) -> None:
    data = secrets.token_bytes(2 * BLOCK_BYTES + 5)
    await store.put(KEY, data)
    blocks = [block async for block in store.stream(KEY)]
    assert b"".join(blocks) == data
    assert max(map(len, blocks)) <= BLOCK_BYTES


async def test_a_stream_may_be_left_early(store: ObjectStore) -> None:
    await store.put(KEY, bytes(3 * BLOCK_BYTES))
    async with aclosing(store.stream(KEY)) as blocks:
        async for block in blocks:
            assert block
            break
    assert await store.head(KEY) == ObjectInfo(KEY, 3 * BLOCK_BYTES)


async def test_a_list_is_in_order_of_keys_and_shows_objects_alone(store: ObjectStore) -> None:
    keys = ["a-b", "a.c", "a/b", "a/b-c/d", "a/b.c", "a/c", "a0", "b/a/a", "b/b"]
    for key in reversed(keys):
        await store.put(key, key.encode())
    await store.begin_upload("a/upload")
    await store.check()
    assert [info async for info in store.list("")] == [ObjectInfo(key, len(key)) for key in keys]
    for prefix in ("a", "a/", "a/b", "a/b-c/", "b", "c", "b/a/a/"):
        assert [info.key async for info in store.list(prefix)] == [key for key in keys if key.startswith(prefix)]


async def test_what_was_deleted_is_gone_and_its_key_is_free(store: ObjectStore) -> None:
    await store.put("a/b/c", b"x")
    await store.delete("a/b/c")
    await store.delete("a/b/c")
    with pytest.raises(ObjectNotFound):
        await store.get("a/b/c")
    assert [info async for info in store.list("")] == []
    await store.put("a/b/c", b"y")
    assert await store.get("a/b/c") == b"y"


async def test_a_key_outside_the_grammar_is_refused(store: ObjectStore, tmp_path: Path) -> None:
    for key in ("", "a/../b", ".uploads/x", "/etc/passwd"):
        with pytest.raises(InvalidKey):
            await store.put(key, b"x")
        with pytest.raises(InvalidKey):
            await store.put_file(key, tmp_path / "source")
        with pytest.raises(InvalidKey):
            await store.get_file(key, tmp_path / "target")
        with pytest.raises(InvalidKey):
            await read(store, key)
        with pytest.raises(InvalidKey):
            await store.delete(key)
        with pytest.raises(InvalidKey):
            await store.begin_upload(key)
    with pytest.raises(InvalidKey):
        assert [info async for info in store.list("../")]


async def test_a_store_that_works_says_so(store: ObjectStore) -> None:
    await store.check()
    await store.check()


# Resumable uploads


@pytest.mark.parametrize("sizes", [(0,), (10,), (1, PART_BYTES, 2), (PART_BYTES,), (3 * PART_BYTES - 1, 2, 5)])
@pytest.mark.parametrize("whole", [False, True])
async def test_an_upload_becomes_the_object_that_its_bytes_make(
    store: ObjectStore, sizes: tuple[int, ...], whole: bool
) -> None:
    upload_id = await store.begin_upload(KEY)
    assert await store.upload_size(KEY, upload_id) == 0
    sent = b""
    for size in sizes:
        data = secrets.token_bytes(size)
        blocks = blocks_of(*pieces(data, 700_001))
        sent += data
        assert await store.append(KEY, upload_id, len(sent) - size, blocks, whole=whole) == len(sent)
        assert await store.upload_size(KEY, upload_id) == len(sent)
    with pytest.raises(ObjectNotFound):
        await store.head(KEY)
    await store.finish_upload(KEY, upload_id)
    assert await store.get(KEY) == sent
    with pytest.raises(UploadNotFound):
        await store.upload_size(KEY, upload_id)
    with pytest.raises(UploadNotFound):
        await store.finish_upload(KEY, upload_id)


@pytest.mark.parametrize("kept_bytes", [3, PART_BYTES + 3])
@pytest.mark.parametrize("came_bytes", [5, 2 * PART_BYTES + 5])
async def test_what_came_before_a_cut_is_kept(store: ObjectStore, kept_bytes: int, came_bytes: int) -> None:
    upload_id = await store.begin_upload(KEY)
    kept, came = secrets.token_bytes(kept_bytes), secrets.token_bytes(came_bytes)
    await store.append(KEY, upload_id, 0, blocks_of(kept), whole=False)
    with pytest.raises(Broken):
        await store.append(KEY, upload_id, kept_bytes, cut_off(*pieces(came, 65536)), whole=False)
    assert await store.upload_size(KEY, upload_id) == kept_bytes + came_bytes
    await store.append(KEY, upload_id, kept_bytes + came_bytes, blocks_of(b"end"), whole=False)
    await store.finish_upload(KEY, upload_id)
    assert await store.get(KEY) == kept + came + b"end"


@pytest.mark.parametrize("kept_bytes", [0, 3, PART_BYTES + 3])
@pytest.mark.parametrize("came_bytes", [5, 2 * PART_BYTES + 5])
async def test_nothing_of_a_broken_whole_is_kept(store: ObjectStore, kept_bytes: int, came_bytes: int) -> None:
    upload_id = await store.begin_upload(KEY)
    kept, came = secrets.token_bytes(kept_bytes), secrets.token_bytes(came_bytes)
    await store.append(KEY, upload_id, 0, blocks_of(kept), whole=True)
    with pytest.raises(Broken):
        await store.append(KEY, upload_id, kept_bytes, cut_off(*pieces(came, 65536)), whole=True)
    assert await store.upload_size(KEY, upload_id) == kept_bytes
    other = secrets.token_bytes(came_bytes)
    await store.append(KEY, upload_id, kept_bytes, blocks_of(other), whole=True)
    await store.finish_upload(KEY, upload_id)
    assert await store.get(KEY) == kept + other


@pytest.mark.parametrize(("whole", "expected"), [(False, 7), (True, 4)])
async def test_a_cancelled_append_is_like_a_cut(store: ObjectStore, whole: bool, expected: int) -> None:
    upload_id = await store.begin_upload(KEY)
    await store.append(KEY, upload_id, 0, blocks_of(b"kept"), whole=False)
    begun = asyncio.Event()
    task = asyncio.create_task(store.append(KEY, upload_id, 4, stalled(begun, b"new"), whole=whole))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await store.upload_size(KEY, upload_id) == expected


async def test_bytes_for_another_place_than_the_end_are_refused(store: ObjectStore) -> None:
    upload_id = await store.begin_upload(KEY)
    await store.append(KEY, upload_id, 0, blocks_of(b"abc"), whole=False)
    for offset in (0, 2, 4):
        with pytest.raises(OffsetMismatch) as refused:
            await store.append(KEY, upload_id, offset, blocks_of(b"x"), whole=False)
        assert refused.value.expected == 3
    assert await store.upload_size(KEY, upload_id) == 3


async def test_one_of_two_appends_at_the_same_time_is_refused(store: ObjectStore) -> None:
    upload_id = await store.begin_upload(KEY)
    begun = asyncio.Event()
    first = asyncio.create_task(store.append(KEY, upload_id, 0, stalled(begun, b"first"), whole=False))
    await begun.wait()
    with pytest.raises(UploadBusy):
        await store.append(KEY, upload_id, 0, blocks_of(b"second"), whole=False)
    with pytest.raises(UploadBusy):
        await store.finish_upload(KEY, upload_id)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    await store.finish_upload(KEY, upload_id)
    assert await store.get(KEY) == b"first"


@pytest.mark.parametrize("size", [3, PART_BYTES + 3])
async def test_a_dropped_upload_is_gone(store: ObjectStore, size: int) -> None:
    upload_id = await store.begin_upload(KEY)
    await store.append(KEY, upload_id, 0, blocks_of(bytes(size)), whole=False)
    await store.abort_upload(KEY, upload_id)
    await store.abort_upload(KEY, upload_id)
    with pytest.raises(UploadNotFound):
        await store.upload_size(KEY, upload_id)
    with pytest.raises(UploadNotFound):
        await store.append(KEY, upload_id, size, blocks_of(b"x"), whole=False)
    with pytest.raises(ObjectNotFound):
        await store.head(KEY)


@pytest.mark.parametrize("size", [3, PART_BYTES + 3])
async def test_an_upload_cannot_take_a_key_that_is_taken(store: ObjectStore, size: int) -> None:
    upload_id = await store.begin_upload(KEY)
    await store.append(KEY, upload_id, 0, blocks_of(bytes(size)), whole=False)
    await store.put(KEY, b"first")
    with pytest.raises(ObjectExists):
        await store.finish_upload(KEY, upload_id)
    await store.abort_upload(KEY, upload_id)
    assert await store.get(KEY) == b"first"


@pytest.mark.parametrize("upload_id", ["", "../etc", "x" * 22, "a/b"])
async def test_an_unknown_upload_is_not_found(store: ObjectStore, upload_id: str) -> None:
    with pytest.raises(UploadNotFound):
        await store.upload_size(KEY, upload_id)
    with pytest.raises(UploadNotFound):
        await store.append(KEY, upload_id, 0, blocks_of(b"x"), whole=False)
