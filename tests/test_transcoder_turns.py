"""Whose turn it is."""

import asyncio

from transcoder.turns import Turns


class Queue:
    """People who take a turn, and stay until they are told to go."""

    def __init__(self, at_once: int) -> None:
        self.turns = Turns(at_once)
        self.came: list[str] = []
        self._leave: dict[str, asyncio.Event] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def join(self, name: str, priority: int = 0) -> None:
        self._leave[name] = asyncio.Event()
        self.tasks[name] = asyncio.create_task(self._wait(name, priority))
        await settled()

    async def leave(self, name: str) -> None:
        self._leave[name].set()
        await settled()

    async def _wait(self, name: str, priority: int) -> None:
        async with self.turns.one(priority):
            self.came.append(name)
            await self._leave[name].wait()


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_no_more_than_so_many_have_a_turn_at_once() -> None:
    queue = Queue(2)
    for name in "abc":
        await queue.join(name)
    assert queue.came == ["a", "b"]
    await queue.leave("a")
    assert queue.came == ["a", "b", "c"]


async def test_the_most_urgent_is_next_and_of_equals_the_first_to_come() -> None:
    queue = Queue(1)
    for name, priority in (("now", 0), ("later", -5), ("soon", 1), ("soon too", 1)):
        await queue.join(name, priority)
    for name in ("now", "soon", "soon too"):
        await queue.leave(name)
    assert queue.came == ["now", "soon", "soon too", "later"]


async def test_who_gives_up_waiting_is_passed_over() -> None:
    queue = Queue(1)
    for name in "abc":
        await queue.join(name)
    queue.tasks["b"].cancel()
    await queue.leave("a")
    assert queue.came == ["a", "c"]


async def test_a_turn_given_to_one_who_leaves_in_that_moment_is_passed_on() -> None:
    queue = Queue(1)
    for name in "abc":
        await queue.join(name)
    queue.tasks["a"].cancel()
    await asyncio.sleep(0)  # the turn is given to b, who has not noticed
    queue.tasks["b"].cancel()
    await settled()
    assert queue.came == ["a", "c"]


async def test_one_that_fails_gives_its_turn_back() -> None:
    turns = Turns(1)
    for _ in range(3):
        try:
            async with asyncio.timeout(5), turns.one(0):
                raise ZeroDivisionError
        except ZeroDivisionError:
            continue
