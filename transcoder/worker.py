"""What a worker holds while it lives, and the one function that the engine runs there."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from distributed import Event, WorkerPlugin, get_client, get_worker

from config.settings import EncodeSettings, IntakeSettings, StoreSettings
from manifests.errors import MediaError
from storage.errors import StorageError
from storage.open import open_store
from transcoder.errors import TranscodeError
from transcoder.jail import Jail
from transcoder.tasks import Order, run_order
from transcoder.tools import Tools
from transcoder.workshop import Workshop

CANCEL_POLL_S = 0.5
PROGRESS_TOPIC = "marquee-progress"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerContext:
    """The smallest part of the settings that serves a worker."""

    data_dir: Path
    store_url: str
    store: StoreSettings
    intake: IntakeSettings
    encode: EncodeSettings


class WorkerSetup(WorkerPlugin):
    """Brings the context to every worker, also to those that replace dead ones."""

    name = "marquee"

    def __init__(self, context: WorkerContext) -> None:
        self.context = context

    def setup(self, worker: Any) -> None:
        self.jail = Jail.detect(self.context.intake.insist)
        self.tools = Tools.find(self.context.intake)


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
    stop = Event(cancel_name(order.job_id), client=get_client())

    def report(fraction: float) -> None:
        worker.log_event(PROGRESS_TOPIC, {"job_id": order.job_id, "task": order.task, "fraction": fraction})

    try:
        return Outcome(asyncio.run(_work(order, setup, stop, report)))
    except (TranscodeError, MediaError, StorageError) as error:
        return Outcome({}, error)


def cancel_name(job_id: str) -> str:
    return f"marquee-cancel-{job_id}"


async def _work(order: Order, setup: WorkerSetup, stop: Event, report: Any) -> dict[str, Any]:
    cancelled = asyncio.Event()

    async def watch() -> None:
        while not await asyncio.to_thread(stop.wait, CANCEL_POLL_S):
            pass
        cancelled.set()

    context = setup.context
    async with open_store(context.store, context.store_url) as store:
        workshop = Workshop(
            folder=context.data_dir / "work",
            store=store,
            tools=setup.tools,
            jail=setup.jail,
            intake=context.intake,
            encode=context.encode,
        )
        watching = asyncio.create_task(watch())
        try:
            return await run_order(order, workshop, report=report, cancelled=cancelled)
        finally:
            watching.cancel()
