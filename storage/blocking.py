"""The one way in which blocking calls of this package leave the event loop."""

import asyncio
from collections.abc import Callable, Coroutine
from threading import Event
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Stopped(Exception):
    """A long call saw that nobody waits for it any more."""


async def off_loop(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a short blocking call in a thread.

    A cancelled caller waits for the call to end, because a thread cannot be stopped: otherwise the caller's clean-up
    would close or delete what the call still uses.
    """
    return await _awaited_in_any_case(asyncio.to_thread(call, *args, **kwargs), lambda: None)


async def off_loop_stoppable(call: Callable[[Event], T]) -> T:
    """Run a long blocking call in a thread; it gets an event that is set when the caller is cancelled.

    The call looks at it now and then and raises Stopped.
    """
    stop = Event()
    return await _awaited_in_any_case(asyncio.to_thread(call, stop), stop.set)


async def _awaited_in_any_case(work: Coroutine[Any, Any, T], when_cancelled: Callable[[], None]) -> T:
    running = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        when_cancelled()
        while not running.done():
            try:
                await asyncio.wait({running})
            except asyncio.CancelledError:
                continue
        if not running.cancelled():
            running.exception()  # Looked at, so that asyncio does not complain of an error nobody saw.
        raise
