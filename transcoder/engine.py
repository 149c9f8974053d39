"""The engine as its client sees it: orders go in, results come out, and the engine may die and come back between."""

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiofiles
from distributed import Client, Event, Future
from distributed.client import FutureCancelledError
from distributed.comm.core import CommClosedError
from distributed.scheduler import KilledWorker, NoValidWorkerError

from transcoder.engine_tls import engine_security
from transcoder.errors import EngineLost, WorkerDied
from transcoder.tasks import Order
from transcoder.worker import PROGRESS_TOPIC, Outcome, cancel_name, work

Progress = Callable[[str, str, float], None]
"Called with job, task and the fraction of it that is done."

CONNECT_TIMEOUT_S = 10.0
LOOK_AGAIN_S = 0.5


class Engine:
    """Use `open_engine`."""

    def __init__(self, folder: Path, on_progress: Progress) -> None:
        self.folder = folder
        "Where the engine process leaves its address and certificate."
        self._on_progress = on_progress
        self._client: Client | None = None
        self._up = asyncio.Event()
        self._closing = asyncio.Event()

    async def run(self, order: Order, *, light: bool, priority: int) -> dict[str, Any]:
        """Have an order run and wait for its result.

        light: it costs little and goes to a worker that never encodes.
        priority: the higher the sooner.

        Raises EngineLost when the engine or the worker died, and what the order raised.
        """
        client = await self._connected()
        future: Future[Outcome] = client.submit(
            work,
            order,
            pure=False,
            retries=0,
            priority=priority,
            resources={"light" if light else "encode": 1},
        )
        try:
            outcome: Outcome = await future
        except KilledWorker as error:
            raise WorkerDied(f"the worker died while it ran {order.task}") from error
        except (FutureCancelledError, CommClosedError, NoValidWorkerError) as error:
            raise EngineLost("the encoding engine does not answer") from error
        finally:
            future.release()
        if outcome.error is not None:
            raise outcome.error
        return outcome.made

    async def cancel(self, job_id: str) -> None:
        """Have everything of a job that runs end now, its ffmpeg first."""
        await Event(cancel_name(job_id), client=await self._connected()).set()

    async def problems(self) -> list[str]:
        """Why nothing can be encoded now; empty: it can."""
        if self._client is None:
            return ["the encoding engine does not answer"]
        try:
            workers = await asyncio.wait_for(self._client.run_on_scheduler(_worker_count), CONNECT_TIMEOUT_S)
        except (TimeoutError, OSError):
            return ["the encoding engine does not answer"]
        return [] if workers else ["the encoding engine has no worker"]

    async def stay_connected(self) -> None:
        """Keep a client of whichever engine serves, until `close`. A task of its own: Dask's own connecting, once
        begun, does not end well when it is cancelled."""
        while not self._closing.is_set():
            client = await self._connect()
            if client is None:
                await self._pause()
                continue
            self._client = client
            self._up.set()
            while client.status == "running" and not self._closing.is_set():
                await self._pause()
            self._up.clear()
            self._client = None
            await client.close(timeout=CONNECT_TIMEOUT_S)

    def close(self) -> None:
        self._closing.set()

    async def _pause(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), LOOK_AGAIN_S)

    async def _connected(self) -> Client:
        while self._client is None:
            await self._up.wait()
        return self._client

    async def _connect(self) -> Client | None:
        address = await _announced(self.folder)
        if address is None:
            return None
        try:
            client: Client = await Client(
                address,
                asynchronous=True,
                security=engine_security(self.folder),
                timeout=CONNECT_TIMEOUT_S,
                set_as_default=False,
            )
        except OSError:
            return None
        client.subscribe_topic(PROGRESS_TOPIC, self._progressed)
        return client

    def _progressed(self, event: tuple[Any, dict[str, Any]]) -> None:
        said = event[1]
        self._on_progress(said["job_id"], said["task"], said["fraction"])


def _worker_count(dask_scheduler: Any) -> int:
    """Runs there; Dask finds its argument by this name."""
    return len(dask_scheduler.workers)


@asynccontextmanager
async def open_engine(folder: Path, on_progress: Progress) -> AsyncIterator[Engine]:
    """folder: where the engine process leaves its address and certificate."""
    engine = Engine(folder, on_progress)
    staying = asyncio.create_task(engine.stay_connected())
    try:
        yield engine
    finally:
        engine.close()
        await asyncio.wait({staying}, timeout=CONNECT_TIMEOUT_S)


async def _announced(folder: Path) -> str | None:
    """Address of the engine that serves now; one that was killed leaves its file behind."""
    try:
        async with aiofiles.open(folder / "address.json", "rb") as file:
            said = json.loads(await file.read())
        os.kill(said["pid"], 0)
    except (OSError, ValueError):
        return None
    return str(said["address"])
