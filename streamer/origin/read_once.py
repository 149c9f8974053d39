"""Values that are read from the store once, however many ask at the same time, and kept in memory."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class ReadOnce(Generic[T]):
    """Values by key, the last used are kept. Those who ask for one that is being read wait for that reading."""

    def __init__(self, read: Callable[[str], Awaitable[T]], kept: int) -> None:
        self._read = read
        self._kept = kept
        self._readings: OrderedDict[str, asyncio.Task[T]] = OrderedDict()

    async def get(self, key: str) -> T:
        """Raises what the reading raised; a failed one is not kept."""
        reading = self._readings.get(key)
        if reading is None:
            reading = self._readings[key] = asyncio.ensure_future(self._read_and_keep(key))
        self._readings.move_to_end(key)
        # Shielded: one viewer who leaves does not end the reading for the others.
        return await asyncio.shield(reading)

    async def _read_and_keep(self, key: str) -> T:
        try:
            value = await self._read(key)
        except BaseException:
            self._readings.pop(key, None)
            raise
        while len(self._readings) > self._kept:
            self._readings.popitem(last=False)
        return value
