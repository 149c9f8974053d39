"""What a worker holds while it lives, and the one function that the engine runs there."""

import asyncio
import errno
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from distributed import WorkerPlugin, get_worker

from config.settings import EncodeSettings, IntakeSettings, StoreSettings
from manifests.errors import MediaError
from storage.errors import StorageError
from storage.open import open_store
from transcoder.errors import Cancelled, EngineLost, OutOfRoom, TranscodeError
from transcoder.jail import Jail
from transcoder.tasks import Order, Report, run_order
from transcoder.tools import Tools
from transcoder.workshop import Workshop

PROGRESS_TOPIC = "marquee-progress"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerContext:
    """The smallest part of the settings that serves a worker."""

    data_dir: Path
    store_url: str
    store: StoreSettings
    intake: IntakeSettings
    encode: EncodeSettings


class Bench:
    """The one order that a worker runs, and how it is stopped: from another thread, the worker's own."""

    def __init__(self) -> None:
        self._stopped_jobs: set[str] = set()
        self._running: Running | None = None

    @contextmanager
    def held(self, job_id: str) -> Iterator[asyncio.Event]:
        """Called on the loop that runs the order; gives what is set when it has to stop."""
        self._running = running = Running(job_id, asyncio.get_running_loop(), asyncio.Event(), Future())
        running.ended.set_running_or_notify_cancel()  # so that nobody who waits for it can cancel it
        if job_id in self._stopped_jobs:  # looked up after the order is known, so one of the two threads sees the other
            running.stop.set()
        try:
            yield running.stop
        finally:
            self._running = None
            running.ended.set_result(None)

    def stop(self, job_id: str | None) -> "Future[None] | None":
        """Stop a job's order, and whatever still comes for it; None: any. Gives its end, if there is one."""
        if job_id is not None:
            self._stopped_jobs.add(job_id)
        running = self._running
        if running is None or job_id not in (None, running.job_id):
            return None
        with suppress(RuntimeError):  # its loop was closed in this moment
            running.loop.call_soon_threadsafe(running.stop.set)
        return running.ended

    def has_stopped(self, job_id: str) -> bool:
        return job_id in self._stopped_jobs


class Running(NamedTuple):
    job_id: str
    loop: asyncio.AbstractEventLoop
    stop: asyncio.Event
    ended: "Future[None]"


class WorkerSetup(WorkerPlugin):
    """Brings the context to every worker, also to those that replace dead ones."""

    name = "marquee"

    def __init__(self, context: WorkerContext) -> None:
        self.context = context

    def setup(self, worker: Any) -> None:
        self.jail = Jail.detect(self.context.intake.insist)
        self.tools = Tools.find(self.context.intake)
        self.bench = Bench()


async def stop_orders(job_id: str | None, dask_worker: Any) -> None:
    """Runs on every worker; Dask finds its last argument by this name. Comes back when the order has ended."""
    setup = dask_worker.plugins.get(WorkerSetup.name)
    ended = setup.bench.stop(job_id) if isinstance(setup, WorkerSetup) else None
    if ended is not None:
        await asyncio.wrap_future(ended)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an order. Errors travel as values: those raised in a worker Dask logs at length."""

    made: dict[str, Any]
    error: Exception | None = None


def work(order: Order) -> Outcome:
    """Run one order on this worker. Blocks; its argument and result are small."""
    worker = get_worker()
    setup = worker.plugins[WorkerSetup.name]
    assert isinstance(setup, WorkerSetup)

    def report(fraction: float) -> None:
        worker.log_event(PROGRESS_TOPIC, {"job_id": order.job_id, "task": order.task, "fraction": fraction})

    try:
        return Outcome(asyncio.run(_work(order, setup, report)))
    except Cancelled as error:
        if setup.bench.has_stopped(order.job_id):
            return Outcome({}, error)
        return Outcome({}, EngineLost("the encoding engine was stopped"))
    except (TranscodeError, MediaError, StorageError) as error:
        return Outcome({}, error)
    except OSError as error:
        return Outcome({}, trouble_of(error))


def trouble_of(error: OSError) -> TranscodeError:
    """What the host's own disk says; foreign paths are none of the content team's business."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return OutOfRoom("there is no room in the worker's folder")
    return TranscodeError(f"the worker's folder: {error.strerror}")


async def _work(order: Order, setup: WorkerSetup, report: Report) -> dict[str, Any]:
    context = setup.context
    with setup.bench.held(order.job_id) as stop:
        async with open_store(context.store, context.store_url, make=False) as store:
            workshop = Workshop(
                folder=context.data_dir / "work",
                store=store,
                tools=setup.tools,
                jail=setup.jail,
                intake=context.intake,
                encode=context.encode,
            )
            return await run_order(order, workshop, report=report, cancelled=stop)
