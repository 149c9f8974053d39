"""Whose turn it is: so many at once, the most urgent first."""

import asyncio
import heapq
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count


class Turns:
    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._numbers = count()

    @asynccontextmanager
    async def one(self, priority: int) -> AsyncIterator[None]:
        """Wait for a turn, and have it for as long as the block lasts. The higher the priority, the sooner."""
        turn = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (-priority, next(self._numbers), turn))
        self._give()
        try:
            await turn
            yield
        finally:
            if turn.done() and not turn.cancelled():
                self._free += 1
                self._give()

    def _give(self) -> None:
        while self._free and self._waiting:
            turn = heapq.heappop(self._waiting)[-1]
            if not turn.cancelled():
                self._free -= 1
                turn.set_result(None)
