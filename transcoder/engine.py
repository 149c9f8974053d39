"""The engine as its client sees it: orders go in, results come out, and the engine may die and come back between."""

import asyncio
import contextlib
import json
import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import aiofiles
from distributed import Client, Future
from distributed.client import ClosedClientError, FutureCancelledError
from distributed.comm.core import CommClosedError
from distributed.scheduler import KilledWorker, NoValidWorkerError

from transcoder.engine_tls import engine_security
from transcoder.errors import EngineLost, WorkerDied
from transcoder.tasks import Order
from transcoder.turns import Turns
from transcoder.worker import PROGRESS_TOPIC, Outcome, stop_orders, work

Progress = Callable[[str, str, float], None]
"Called with job, task and the fraction of it that is done."

CONNECT_TIMEOUT_S = 10.0
LOOK_AGAIN_S = 0.5
LOST = (FutureCancelledError, CommClosedError, ClosedClientError, NoValidWorkerError)
SILENT = "the encoding engine does not answer"


class Link(NamedTuple):
    """To the engine that serves now."""

    client: Client
    turns: Turns
    """One for each worker. Dask shares orders out to workers at once, before they are free; when a worker dies, all it
    had been given counts as tried."""


class Announcement(NamedTuple):
    address: str
    workers: int


class Engine:
    """Use `open_engine`."""

    def __init__(self, folder: Path, on_progress: Progress) -> None:
        self.folder = folder
        "Where the engine process leaves its address and certificate."
        self._on_progress = on_progress
        self._link: Link | None = None
        self._up = asyncio.Event()
        self._closing = asyncio.Event()

    async def run(self, order: Order, *, light: bool, priority: int) -> dict[str, Any]:
        """Have an order run and wait for its result.

        light: it costs little and goes to a worker that never encodes.
        priority: the higher the sooner.

        Raises EngineLost when the engine or the worker died, and what the order raised.
        """
        link = await self._linked()
        try:
            if light:
                return await _result(link.client, order, priority, "light")
            async with link.turns.one(priority):
                return await _result(link.client, order, priority, "encode")
        except WorkerDied as error:
            if await _announced(self.folder) is None:  # not by itself, but with its engine
                raise EngineLost(SILENT) from error
            raise

    async def stop(self, job_id: str) -> None:
        """End everything of a job that runs, its ffmpeg first; comes back when nothing is left. Raises EngineLost.

        Orders of an earlier client of the same engine end too, so this also works after a restart of ours.
        """
        client = (await self._linked()).client
        try:
            await client.run(stop_orders, job_id, on_error="ignore")
        except (*LOST, OSError) as error:
            raise EngineLost(SILENT) from error

    async def problems(self) -> list[str]:
        """Why nothing can be encoded now; empty: it can."""
        if self._link is None:
            return [SILENT]
        try:
            workers = await asyncio.wait_for(self._link.client.run_on_scheduler(_worker_count), CONNECT_TIMEOUT_S)
        except (*LOST, OSError, TimeoutError):
            return [SILENT]
        return [] if workers else ["the encoding engine has no worker"]

    async def stay_connected(self) -> None:
        """Keep a client of whichever engine serves, until `close`. A task of its own: Dask's own connecting, once
        begun, does not end well when it is cancelled."""
        while not self._closing.is_set():
            self._link = await self._connect()
            if self._link is None:
                await self._pause()
                continue
            client = self._link.client
            self._up.set()
            while client.status == "running" and not self._closing.is_set():
                await self._pause()
            self._up.clear()
            self._link = None
            await client.close(timeout=CONNECT_TIMEOUT_S)

    def close(self) -> None:
        self._closing.set()

    async def _pause(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), LOOK_AGAIN_S)

    async def _linked(self) -> Link:
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await self._up.wait()
        except TimeoutError as error:
            raise EngineLost(SILENT) from error
        if self._link is None:
            raise EngineLost(SILENT)
        return self._link

    async def _connect(self) -> Link | None:
        said = await _announced(self.folder)
        if said is None:
            return None
        try:
            client: Client = await Client(
                said.address,
                asynchronous=True,
                security=engine_security(self.folder),
                timeout=CONNECT_TIMEOUT_S,
                set_as_default=False,
            )
        except OSError:
            return None
        client.subscribe_topic(PROGRESS_TOPIC, self._progressed)
        return Link(client, Turns(said.workers))

    def _progressed(self, event: tuple[Any, dict[str, Any]]) -> None:
        said = event[1]
        self._on_progress(said["job_id"], said["task"], said["fraction"])


async def _result(client: Client, order: Order, priority: int, resource: str) -> dict[str, Any]:
    if client.status != "running":  # one that is being closed takes orders, and says nothing of them ever after
        raise EngineLost(SILENT)
    try:
        future: Future[Outcome] = client.submit(
            work, order, pure=False, retries=0, priority=priority, resources={resource: 1}
        )
        try:
            outcome: Outcome = await future
        finally:
            future.release()
    except KilledWorker as error:
        raise WorkerDied(f"the worker died while it ran {order.task}") from error
    except LOST as error:
        raise EngineLost(SILENT) from error
    if outcome.error is not None:
        raise outcome.error
    return outcome.made


def _worker_count(dask_scheduler: Any) -> int:
    """Runs there; Dask finds its argument by this name."""
    return len(dask_scheduler.workers)


@asynccontextmanager
async def open_engine(folder: Path, on_progress: Progress) -> AsyncIterator[Engine]:
    """folder: where the engine process leaves its address and certificate."""
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # it tells a lost engine in two tracebacks
    engine = Engine(folder, on_progress)
    staying = asyncio.create_task(engine.stay_connected())
    try:
        yield engine
    finally:
        engine.close()
        await asyncio.wait({staying}, timeout=CONNECT_TIMEOUT_S)


async def _announced(folder: Path) -> Announcement | None:
    """The engine that serves now; one that was killed leaves its file behind."""
    try:
        async with aiofiles.open(folder / "address.json", "rb") as file:
            said = json.loads(await file.read())
        os.kill(said["pid"], 0)
        return Announcement(said["address"], said["workers"])
    except (OSError, ValueError, KeyError):
        return None
