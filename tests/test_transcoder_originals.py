"""The originals at hand on a worker host."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.errors import ObjectNotFound
from storage.local import LocalStore
from transcoder.originals import Originals, original_key


class CountingStore(LocalStore):
    """A real store that remembers what was fetched from it."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.fetched: list[str] = []

    async def get_file(self, key: str, path: Path) -> None:
        self.fetched.append(key)
        await asyncio.sleep(0.05)
        await super().get_file(key, path)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[CountingStore]:
    store = CountingStore(tmp_path / "store")
    for name in "abc":
        await store.put(original_key(name), name.encode() * 100)
    yield store


async def read(originals: Originals, name: str) -> bytes:
    async with originals.held(name) as path:
        return path.read_bytes()


async def test_an_original_is_fetched_once_for_any_number_of_workers(store: CountingStore, tmp_path: Path) -> None:
    hosts = [Originals(tmp_path / "cache", store, 1000) for _ in range(4)]
    assert await asyncio.gather(*(read(host, "a") for host in hosts)) == [b"a" * 100] * 4
    assert store.fetched == [original_key("a")]


async def test_the_longest_unused_original_makes_room(store: CountingStore, tmp_path: Path) -> None:
    originals = Originals(tmp_path / "cache", store, 250)
    for name in ("a", "b", "a", "c"):
        await read(originals, name)
    assert sorted(path.name for path in (tmp_path / "cache").iterdir() if not path.suffix) == ["a", "c"]


async def test_an_original_in_use_is_not_dropped_even_where_room_is_short(store: CountingStore, tmp_path: Path) -> None:
    originals = Originals(tmp_path / "cache", store, 100)
    async with originals.held("a") as path:
        await read(originals, "b")
        assert path.read_bytes() == b"a" * 100


async def test_an_original_that_the_store_lacks_leaves_nothing_behind(store: CountingStore, tmp_path: Path) -> None:
    originals = Originals(tmp_path / "cache", store, 1000)
    with pytest.raises(ObjectNotFound):
        await read(originals, "missing")
    assert not [path for path in (tmp_path / "cache").iterdir() if not path.suffix]
