"""A chunk and its facts in the store: done means that both are there and agree."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest

from manifests.errors import MediaError
from storage.local import LocalStore
from tests.encodes import encode_of
from tests.studio_helpers import small_film
from transcoder.plan import EncodePlan
from transcoder.store_chunk import chunk_key, facts_key, store_chunk, stored_facts

TRACK, DIGEST = "v90", "digest"


@dataclass(frozen=True, slots=True)
class Chunk:
    plan: EncodePlan
    init: bytes
    data: bytes


@pytest.fixture(scope="module")
def chunk(tmp_path_factory: pytest.TempPathFactory) -> Chunk:
    """A real one."""

    async def made(folder: Path) -> Chunk:
        async with encode_of(small_film(folder), folder) as encode:
            plan = await encode.fix_plan()
            (digest,) = (await encode.run("video-1"))["outputs"][TRACK]
            facts = await stored_facts(encode.store, plan, TRACK, digest)
            assert facts is not None
            return Chunk(plan, facts.init, await encode.store.get(chunk_key(plan, TRACK, digest)))

    return asyncio.run(made(tmp_path_factory.mktemp("chunk")))


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


@pytest.fixture
def file(tmp_path: Path, chunk: Chunk) -> Path:
    (tmp_path / "chunk.m4s").write_bytes(chunk.data)
    return tmp_path / "chunk.m4s"


async def test_a_stored_chunk_has_facts_that_agree_with_it(chunk: Chunk, store: LocalStore, file: Path) -> None:
    facts = await store_chunk(store, chunk.plan, TRACK, DIGEST, chunk.init, file)
    assert facts == await stored_facts(store, chunk.plan, TRACK, DIGEST)
    assert (sum(facts.sizes_bytes), facts.sample_count, facts.init) == (len(chunk.data), 50, chunk.init)


async def test_storing_it_again_changes_nothing(chunk: Chunk, store: LocalStore, file: Path) -> None:
    first = await store_chunk(store, chunk.plan, TRACK, DIGEST, chunk.init, file)
    assert first == await store_chunk(store, chunk.plan, TRACK, DIGEST, chunk.init, file)


async def test_a_chunk_without_facts_is_not_done_and_gets_them(chunk: Chunk, store: LocalStore, file: Path) -> None:
    await store.put(chunk_key(chunk.plan, TRACK, DIGEST), chunk.data)
    assert await stored_facts(store, chunk.plan, TRACK, DIGEST) is None
    await store_chunk(store, chunk.plan, TRACK, DIGEST, chunk.init, file)
    assert await stored_facts(store, chunk.plan, TRACK, DIGEST) is not None


async def test_facts_without_their_chunk_or_of_another_are_nothing(chunk: Chunk, store: LocalStore, file: Path) -> None:
    await store_chunk(store, chunk.plan, TRACK, DIGEST, chunk.init, file)
    await store.delete(chunk_key(chunk.plan, TRACK, DIGEST))
    assert await stored_facts(store, chunk.plan, TRACK, DIGEST) is None
    await store.put(chunk_key(chunk.plan, TRACK, DIGEST), chunk.data[:-1])
    assert await stored_facts(store, chunk.plan, TRACK, DIGEST) is None


async def test_another_object_under_its_name_is_an_error_and_stays(chunk: Chunk, store: LocalStore, file: Path) -> None:
    await store.put(chunk_key(chunk.plan, TRACK, DIGEST), chunk.data[:-10])
    with pytest.raises(MediaError):
        await store_chunk(store, chunk.plan, TRACK, DIGEST, chunk.init, file)
    assert await stored_facts(store, chunk.plan, TRACK, DIGEST) is None


async def test_facts_that_are_none_are_an_error(chunk: Chunk, store: LocalStore) -> None:
    await store.put(facts_key(chunk.plan, TRACK, DIGEST), b"{}")
    with pytest.raises(MediaError, match="chunk facts"):
        await stored_facts(store, chunk.plan, TRACK, DIGEST)
