import asyncio

import pytest

from streamer.origin.read_once import ReadOnce


class Shelf:
    """Counts what is read, and is away when it is told so."""

    def __init__(self) -> None:
        self.reads: list[str] = []
        self.is_away = False

    async def read(self, key: str) -> str:
        self.reads.append(key)
        await asyncio.sleep(0.01)
        if self.is_away:
            raise OSError("away")
        return f"value of {key}"


async def test_a_value_is_read_once_however_many_ask() -> None:
    shelf = Shelf()
    values = ReadOnce(shelf.read, kept=2)
    assert set(await asyncio.gather(*(values.get("a") for _ in range(20)))) == {"value of a"}
    await values.get("a")
    assert shelf.reads == ["a"]


async def test_one_who_leaves_does_not_end_the_reading_for_the_others() -> None:
    values = ReadOnce(Shelf().read, kept=2)
    first = asyncio.ensure_future(values.get("a"))
    await asyncio.sleep(0)
    second = asyncio.ensure_future(values.get("a"))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == "value of a"


async def test_a_failed_reading_is_everybodys_and_the_next_tries_again() -> None:
    shelf = Shelf()
    shelf.is_away = True
    values = ReadOnce(shelf.read, kept=2)
    outcomes = await asyncio.gather(*(values.get("a") for _ in range(3)), return_exceptions=True)
    assert all(isinstance(outcome, OSError) for outcome in outcomes)
    shelf.is_away = False
    assert await values.get("a") == "value of a"
    assert shelf.reads == ["a", "a"]


async def test_only_the_values_that_were_used_last_are_kept() -> None:
    shelf = Shelf()
    values = ReadOnce(shelf.read, kept=2)
    for key in ("a", "b", "a", "c", "a"):
        await values.get(key)
    assert shelf.reads == ["a", "b", "c"]
    await values.get("b")
    assert shelf.reads == ["a", "b", "c", "b"]


async def test_a_failure_that_nobody_waits_for_makes_no_noise() -> None:
    shelf = Shelf()
    shelf.is_away = True
    values = ReadOnce(shelf.read, kept=2)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.001):
            await values.get("a")
    await asyncio.sleep(0.05)
    shelf.is_away = False
    assert await values.get("a") == "value of a"
