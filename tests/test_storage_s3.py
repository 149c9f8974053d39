"""What the S3 store does on bad days, against a real server behind a proxy that hurts requests."""

import asyncio
import json
import secrets
import time
import traceback
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from pydantic import SecretStr

from storage.errors import ObjectExists, ObjectNotFound, StorageError, StoreFull, StoreUnavailable
from storage.keys import new_id
from storage.open import open_store
from storage.s3_once import Part, part_size_bytes
from storage.s3_uploads import Progress
from storage.store import ObjectStore
from tests.faulty import Fault, FaultyProxy, faulty_proxy
from tests.swift import BUCKET, KEY, S3Server, free_ports

PART_BYTES = 5 * 2**20
FILM = "originals/film"
TIMEOUT_S = 1.0
BOUND_S = 12.0


@pytest.fixture
async def proxy(s3_server: S3Server) -> AsyncIterator[FaultyProxy]:
    async with faulty_proxy(s3_server.endpoint) as running:
        yield running


@pytest.fixture
def prefix() -> str:
    return new_id()


@pytest.fixture
async def store(proxy: FaultyProxy, s3_server: S3Server, prefix: str) -> AsyncIterator[ObjectStore]:
    settings = s3_server.settings(s3_endpoint=proxy.url, timeout_s=TIMEOUT_S)
    async with open_store(settings, f"s3://{BUCKET}/{prefix}") as opened:
        yield opened


async def blocks_of(*blocks: bytes) -> AsyncIterator[bytes]:
    for block in blocks:
        yield block


async def read(store: ObjectStore, key: str) -> bytes:
    return b"".join([block async for block in store.stream(key)])


def whole_text(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)) + repr(error) + repr(error.__context__)


TWICE: list[tuple[Fault, Fault]] = [("500", "503 SlowDown"), ("reset", "reset"), ("lost answer", "500")]


@pytest.mark.parametrize("faults", TWICE)
async def test_short_troubles_are_outlived(store: ObjectStore, proxy: FaultyProxy, faults: tuple[Fault, ...]) -> None:
    data = secrets.token_bytes(100_000)
    proxy.hurt(*faults)
    await store.put(FILM, data)
    proxy.hurt(*faults)
    assert (await store.head(FILM)).size_bytes == len(data)
    proxy.hurt(*faults)
    assert await store.get(FILM) == data
    proxy.hurt(*faults)
    assert await read(store, FILM) == data
    proxy.hurt(*faults)
    assert [info.key async for info in store.list("")] == [FILM]


async def test_a_put_whose_answer_was_lost_is_our_own(store: ObjectStore, proxy: FaultyProxy) -> None:
    proxy.hurt("lost answer")
    await store.put(FILM, b"film")
    proxy.hurt("500")
    with pytest.raises(ObjectExists):
        await store.put(FILM, b"film")


@pytest.mark.parametrize("fault", ["lost answer", "500", "200 error"])
async def test_an_upload_is_finished_whatever_happens_to_the_last_request(
    store: ObjectStore, proxy: FaultyProxy, fault: Fault
) -> None:
    data = secrets.token_bytes(PART_BYTES + 5)
    upload_id = await store.begin_upload(FILM)
    await store.append(FILM, upload_id, 0, blocks_of(data), whole=False)
    proxy.hurt(fault, when=completes)
    await store.finish_upload(FILM, upload_id)
    assert await store.get(FILM) == data


def completes(request: web.Request) -> bool:
    return request.method == "POST" and "uploadId" in request.query


async def test_an_error_in_an_answer_that_begins_well_is_an_error(store: ObjectStore, proxy: FaultyProxy) -> None:
    upload_id = await store.begin_upload(FILM)
    await store.append(FILM, upload_id, 0, blocks_of(bytes(PART_BYTES + 5)), whole=False)
    proxy.hurt("200 error", always=True, when=completes)
    with pytest.raises(StoreUnavailable, match="InternalError"):
        await store.finish_upload(FILM, upload_id)
    with pytest.raises(ObjectNotFound):
        await store.head(FILM)
    assert await store.upload_size(FILM, upload_id) == PART_BYTES + 5
    proxy.hurt()
    await store.finish_upload(FILM, upload_id)
    assert (await store.head(FILM)).size_bytes == PART_BYTES + 5


@pytest.mark.parametrize("fault", ["503 SlowDown", "reset", "stall"])
async def test_a_lasting_trouble_is_an_outage_within_bounded_time(
    store: ObjectStore, proxy: FaultyProxy, fault: Fault, tmp_path: Path
) -> None:
    await store.put(FILM, b"film")
    proxy.hurt(fault, always=True)
    calls = [
        store.get(FILM),
        store.put("other", b"x"),
        store.check(),
        read(store, FILM),
        store.begin_upload(FILM),
        store.get_file(FILM, tmp_path / "film"),
    ]
    started_s = time.monotonic()
    for outcome in await asyncio.gather(*calls, return_exceptions=True):
        assert isinstance(outcome, StoreUnavailable)
        text = whole_text(outcome)
        assert KEY not in text
        assert "Signature" not in text
        assert "X-Amz-" not in text
    assert time.monotonic() - started_s < BOUND_S
    assert not (tmp_path / "film").exists()
    proxy.hurt()
    assert await store.get(FILM) == b"film"


async def test_a_stream_that_ends_early_is_an_error(store: ObjectStore, proxy: FaultyProxy) -> None:
    await store.put(FILM, bytes(100_000))
    proxy.hurt("short")
    with pytest.raises(StoreUnavailable) as broken:
        await read(store, FILM)
    assert "X-Amz-" not in whole_text(broken.value)


async def test_a_whole_object_that_ends_early_is_asked_for_again(store: ObjectStore, proxy: FaultyProxy) -> None:
    await store.put(FILM, bytes(100_000))
    proxy.hurt("short")
    assert await store.get(FILM) == bytes(100_000)


async def test_bytes_that_changed_on_the_way_are_refused(s3_server: S3Server, prefix: str) -> None:
    """The digest that we sign is of what we meant to send, and the server looks at it."""
    client = s3_server.client()
    with pytest.raises(client.exceptions.ClientError, match="BadDigest"):
        client.put_object(Bucket=BUCKET, Key=f"{prefix}/x", Body=b"changed", ContentMD5="CY9rzUYh03PK3k6DJie09g==")


async def test_what_an_outage_leaves_of_an_upload_is_what_was_counted(store: ObjectStore, proxy: FaultyProxy) -> None:
    data = secrets.token_bytes(2 * PART_BYTES + 5)
    upload_id = await store.begin_upload(FILM)
    await store.append(FILM, upload_id, 0, blocks_of(data[:7]), whole=False)

    async def outage_later() -> AsyncIterator[bytes]:
        yield data[7 : PART_BYTES + 7]
        proxy.hurt("503 SlowDown", always=True)
        yield data[PART_BYTES + 7 :]

    with pytest.raises(StoreUnavailable):
        await store.append(FILM, upload_id, 7, outage_later(), whole=False)
    proxy.hurt()
    kept = await store.upload_size(FILM, upload_id)
    assert kept == PART_BYTES
    await store.append(FILM, upload_id, kept, blocks_of(data[kept:]), whole=False)
    await store.finish_upload(FILM, upload_id)
    assert await store.get(FILM) == data


async def test_full_parts_of_a_process_that_died_are_kept(s3_server: S3Server, prefix: str) -> None:
    url = f"s3://{BUCKET}/{prefix}"
    async with open_store(s3_server.settings(), url) as dying, open_store(s3_server.settings(), url) as next_one:
        upload_id = await dying.begin_upload(FILM)
        came = asyncio.Event()

        async def stalled() -> AsyncIterator[bytes]:
            yield bytes(PART_BYTES + 5)
            came.set()
            await asyncio.Event().wait()

        task = asyncio.create_task(dying.append(FILM, upload_id, 0, stalled(), whole=False))
        await came.wait()
        assert await next_one.upload_size(FILM, upload_id) == PART_BYTES  # As if the first were dead now.
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_two_processes_at_one_upload_never_make_a_mixture(s3_server: S3Server, prefix: str) -> None:
    url = f"s3://{BUCKET}/{prefix}"
    contents = [secrets.token_bytes(2 * PART_BYTES + 5) for _ in range(2)]
    async with open_store(s3_server.settings(), url) as one, open_store(s3_server.settings(), url) as two:
        upload_id = await one.begin_upload(FILM)
        appends = [
            store.append(
                FILM,
                upload_id,
                0,
                blocks_of(*(data[at : at + 2**20] for at in range(0, len(data), 2**20))),
                whole=False,
            )
            for store, data in zip((one, two), contents, strict=True)
        ]
        await asyncio.gather(*appends, return_exceptions=True)
        try:
            await one.finish_upload(FILM, upload_id)
        except StorageError:
            with pytest.raises(ObjectNotFound):
                await one.head(FILM)
        else:
            assert await one.get(FILM) in contents


@pytest.mark.parametrize("fault", ["507", "403 QuotaExceeded"])
async def test_a_bucket_without_room_is_full(store: ObjectStore, proxy: FaultyProxy, fault: Fault) -> None:
    upload_id = await store.begin_upload(FILM)
    proxy.hurt(fault)
    with pytest.raises(StoreFull):
        await store.put("other", bytes(2000))
    proxy.hurt(fault)
    with pytest.raises(StoreFull):
        await store.append(FILM, upload_id, 0, blocks_of(bytes(2000)), whole=False)
    proxy.hurt(fault)
    with pytest.raises(StoreUnavailable):
        await store.check()
    assert await store.upload_size(FILM, upload_id) == 0


async def test_a_wrong_secret_is_named_and_not_shown(s3_server: S3Server) -> None:
    settings = s3_server.settings(s3_secret_key=SecretStr("wrong-secret"))
    async with open_store(settings, f"s3://{BUCKET}/x") as store:
        for call in (store.get(FILM), store.put(FILM, b"x"), store.delete(FILM)):
            with pytest.raises(StoreUnavailable, match="SignatureDoesNotMatch") as refused:
                await call
            assert "wrong-secret" not in whole_text(refused.value)
            assert "X-Amz-" not in whole_text(refused.value)


async def test_a_bucket_that_is_not_there_is_no_missing_object(s3_server: S3Server) -> None:
    async with open_store(s3_server.settings(), "s3://no-such-bucket") as store:
        for call in (store.get(FILM), store.put(FILM, b"x"), store.check(), store.begin_upload(FILM)):
            with pytest.raises(StoreUnavailable, match="NoSuchBucket"):
                await call


async def test_a_server_that_is_not_there_is_an_outage(s3_server: S3Server) -> None:
    settings = s3_server.settings(s3_endpoint=f"http://127.0.0.1:{free_ports(1)[0]}", timeout_s=TIMEOUT_S)
    started_s = time.monotonic()
    async with open_store(settings, f"s3://{BUCKET}/x") as store:
        for call in (store.get(FILM), store.check(), store.delete(FILM)):
            with pytest.raises(StoreUnavailable):
                await call
    assert time.monotonic() - started_s < BOUND_S


def test_parts_grow_so_that_ten_thousand_hold_the_largest_original() -> None:
    sizes = [part_size_bytes(8 * 2**20, stored) for stored in range(10_000)]
    assert sum(sizes) > 200 * 2**30
    assert max(sizes) < 100 * 2**20


def test_the_progress_of_an_upload_survives_a_round_trip() -> None:
    progress = Progress("multi", (Part('"etag"', 5), Part("other", 6)), b"tail\nwith lines\n")
    assert Progress.from_bytes(progress.to_bytes()) == progress
    assert progress.size_bytes == 11 + len(progress.tail)
    assert json.loads(progress.to_bytes().split(b"\n")[0])["multipart"] == "multi"
